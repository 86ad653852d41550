"""What a code means to who asks: for `decode`, which reads and changes nothing, and for forms whose
fields are filled by scanning."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from mes_terminal.barcodes.decode import decode
from mes_terminal.usecases.read_code import read_code

if TYPE_CHECKING:
    from mes_terminal.domain.rules import CodeRules
    from mes_terminal.store.database import Database


def badge_in(text: str, codes: CodeRules) -> str:
    """Return the badge that a scanned code names; a text that is no badge's code was typed, and is
    the badge itself."""
    for pattern in codes.patterns:
        found = pattern.expression.fullmatch(text)
        if found is not None and "badge" in pattern.expression.groupindex:
            return str(found["badge"])
    return text


def meanings_of(database: Database, raw: bytes, codes: CodeRules) -> list[bytes]:
    """Return each thing the code names as a JSON object `{"kind", "key"}`."""
    found = read_code(database.conn, decode(raw, codes))
    return [msgspec.json.encode({"kind": one.kind, "key": one.key}) for one in found]

"""Bytes to payload: the door every scan passes before anything looks at what it means.

Guarantees: any bytes give a payload, never an exception; the same bytes under the same rules give
the same payload; only clean text leaves as anything but `reject`. Pure, and on the way of every
scan: a plain ASCII code costs one look at its characters and one match per site pattern.

The order is that of the scanning page: symbology identifier, ECI, text, then what the text is: an
ISO/IEC 15434 message, a GS1 message, a link, a command, a site pattern, a grammar of the
configuration, else plain and left to the database.
"""

from collections.abc import Iterable
from typing import Any, Final

from msgspec.structs import replace

from mes_terminal.barcodes import symbology as aim
from mes_terminal.barcodes.commands import read_command
from mes_terminal.barcodes.grammars import read_bare_identifier, read_grammars
from mes_terminal.barcodes.hygiene import hygiene_fault
from mes_terminal.barcodes.iso15434 import HEADER, read_15434
from mes_terminal.barcodes.patterns import match_pattern, pattern_meaning
from mes_terminal.barcodes.payload import Payload
from mes_terminal.barcodes.retail import SYMBOLOGIES, read_retail
from mes_terminal.domain.intent import Meaning
from mes_terminal.domain.rules import CodeRules

GS: Final = "\x1d"
SEPARATORS: Final = str.maketrans("", "", "\x04\x1c\x1d\x1e\x1f")
"""EOT, FS, GS, RS, US: lawful inside a recognised message, and nowhere else."""
LINKS: Final = ("http://", "https://")
FURTHER: Final = (
    "format", "formats", "parts", "eci", "flag", "ai", "field", "key"
)  # fmt: skip
"""Keys of the scanning page that a description has only where they are not empty."""


def decode(
    raw: bytes,
    rules: CodeRules,
    *,
    truncated: bool = False,
    fault: str | None = None,
    key: str | None = None,
    expects_gs1: bool = False,
) -> Payload:
    """Read one scan.

    `truncated`: it was longer than a code may be, `raw` is its beginning. `fault`: the scanner's
    frame must be refused for this reason whatever it says; `key` is that of a `forbidden_key`.
    `expects_gs1`: the step asks for GS1, so that a code that reads as elements is a message even
    without an identifier.
    """
    if fault is not None or truncated:
        text = raw.decode(rules.encoding, "replace")
        return Payload("reject", text, reason=fault or "too_long", key=key)
    try:
        if rules.aim_id == "never" or not raw.startswith(b"]"):
            return _without_identifier(raw.decode(rules.encoding), rules, expects_gs1)
        return _with_identifier(raw, rules, expects_gs1)
    except UnicodeError:
        return Payload("reject", raw.decode("utf-8", "replace"), reason="bad_encoding")


def _without_identifier(text: str, rules: CodeRules, expects_gs1: bool) -> Payload:
    if rules.aim_id == "require":
        return Payload("reject", text, reason=hygiene_fault(text) or "aim_id_missing")
    return _read(text, None, rules, expects_gs1)


def _with_identifier(raw: bytes, rules: CodeRules, expects_gs1: bool) -> Payload:
    """Read a frame that may begin with an identifier. Raises `UnicodeError`."""
    identifier = raw[:3].decode("latin-1")
    if not aim.IDENTIFIER.fullmatch(identifier):
        return _without_identifier(raw.decode(rules.encoding), rules, expects_gs1)
    if identifier in aim.ECI:
        text, eci = aim.read_eci(raw[3:], rules.encoding)
        return replace(_read(text, identifier, rules, expects_gs1), eci=eci)
    text = raw.decode(rules.encoding)
    parts = aim.split(text)
    if len(parts) == 1:
        return _read(parts[0].data, identifier, rules, expects_gs1)
    unclean = hygiene_fault(text)
    if unclean is not None:
        return Payload("reject", text, reason=unclean)
    shown = [{"symbology": part.symbology, "text": part.data} for part in parts]
    return Payload("plain", text, parts=shown)


def _read(text: str, symbology: str | None, rules: CodeRules, expects_gs1: bool) -> Payload:
    structured = _structured(text, symbology, rules)
    if structured is not None:
        return structured
    unclean = hygiene_fault(text)
    if unclean is not None:
        return Payload("reject", text, symbology=symbology, reason=unclean)
    found = (_expected(text) if expects_gs1 else None) or _plain(text, symbology, rules)
    return replace(found, symbology=symbology) if symbology else found


def _structured(text: str, symbology: str | None, rules: CodeRules) -> Payload | None:
    """Read what carries separators of its own; `None` if the text is nothing of the kind."""
    given = text.replace(rules.gs_token, GS) if rules.gs_token else text
    is_envelope = given.startswith(HEADER)
    if not is_envelope and symbology not in aim.GS1 and not given.startswith(GS):
        return None
    unclean = hygiene_fault(given.translate(SEPARATORS))
    if unclean is not None:
        return Payload("reject", text, symbology=symbology, reason=unclean)
    if is_envelope:
        return read_15434(given, symbology)
    from mes_terminal.barcodes.gs1 import read_gs1, read_hri

    printed = read_hri(text) if rules.allow_hri else None
    return replace(printed, symbology=symbology) if printed else read_gs1(given, symbology)


def _expected(text: str) -> Payload | None:
    """Read clean text as a GS1 message; `None` if it is none, or a link.

    What is one but for a check digit or a date is refused: nobody means a work order by it.
    """
    from mes_terminal.barcodes.gs1 import read_gs1

    found = read_gs1(text, None)
    is_none = found.reason in ("gs1:unknown_ai", "gs1:bad_chars")
    return None if is_none else found


def _plain(text: str, symbology: str | None, rules: CodeRules) -> Payload:
    """Read clean text."""
    if text[:8].lower().startswith(LINKS):
        from mes_terminal.barcodes.gs1 import read_link

        return read_link(text, symbology)
    retail = read_retail(text, symbology) if symbology in SYMBOLOGIES else None
    if retail is not None:
        return retail
    if rules.allow_hri and text.startswith("("):
        from mes_terminal.barcodes.gs1 import read_hri

        printed = read_hri(text)
        if printed is not None:
            return printed
    prefix = rules.command_prefix
    if prefix and text.startswith(prefix):
        return read_command(text, prefix)
    return (
        match_pattern(text, rules.patterns)
        or (read_grammars(text, rules.grammars) if rules.grammars else None)
        or (read_bare_identifier(text, rules.bare_di) if rules.bare_di else None)
        or Payload("plain", text)
    )


def describe(payload: Payload, meanings: Iterable[Meaning] = ()) -> dict[str, Any]:
    """What `decode --json` prints for one code; `meanings` are the database's, in its order.

    They count only where `left_to_database` says so.
    """
    by_pattern = pattern_meaning(payload)
    known = tuple(meanings) if left_to_database(payload) else ()
    if by_pattern is not None:
        known = (by_pattern,)
    further = {name: getattr(payload, name) for name in FURTHER}
    if payload.kind == "gtin":
        further["gtin"] = payload.text.removesuffix(payload.fields.get("addon", ""))
    return {
        "code": payload.text,
        "kind": payload.kind,
        "text": payload.text,
        "symbology": payload.symbology,
        "fields": payload.fields,
        "warning": payload.warning,
        "reason": payload.reason,
        "name": payload.name,
        "args": list(payload.args) if payload.kind == "command" else None,
        "rule": payload.rule or ("database" if known else None),
        "meanings": [{"kind": meaning.kind, "key": meaning.key} for meaning in known],
        **{name: value for name, value in further.items() if value is not None},
    }


def left_to_database(payload: Payload) -> bool:
    """Whether only the database can say what the code is."""
    return payload.kind not in ("command", "reject") and pattern_meaning(payload) is None

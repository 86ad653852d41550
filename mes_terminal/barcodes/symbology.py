"""AIM symbology identifiers (ISO/IEC 15424), and what they say about the data behind them.

A scanner can send `]C1` and the like before a code. Unknown letters are data.
"""

import re
from typing import Final, NamedTuple

LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUXZcdeghopsz"
"""The code characters given to a symbology. `]` and any other letter is no identifier."""
IDENTIFIER: Final = re.compile(rf"\][{LETTERS}][0-9A-F]")
"""The modifier is a hexadecimal digit, in capitals: `]Card` is data."""
GS1: Final = frozenset(
    {"]C1", "]J1", "]Q3", "]Q4", "]d2", "]d5", "]e0", "]e1", "]e2", "]z1", "]z4"}
)
"""FNC1 in first position: the data is a GS1 message."""
ECI: Final = frozenset({
    "]L1", "]Q2", "]Q4", "]Q6", "]U2", "]U3", "]d4", "]d5", "]d6", "]g1", "]h1",
    "]z3", "]z4", "]z5", "]z9", "]zA", "]zB",
})  # fmt: skip
"""The ECI protocol is on: `\\nnnnnn` names a character set, a backslash of the data is doubled."""
ENVELOPE: Final = "[)>"
ENVELOPE_END: Final = "\x04"

UTF_8: Final = 26
CHARACTER_SETS: Final = {
    0: "cp437", 1: "latin-1", 2: "cp437", 3: "latin-1",
    **{eci: f"iso8859-{eci - 2}" for eci in (*range(4, 14), *range(15, 19))},
    20: "shift_jis", 21: "cp1250", 22: "cp1251", 23: "cp1252", 24: "cp1256", 25: "utf-16-be",
    UTF_8: "utf-8", 27: "ascii", 28: "big5", 29: "gb18030", 30: "euc_kr", 170: "ascii",
}  # fmt: skip
"""Extended Channel Interpretations that are text (AIM ITS/04-023), as Python names them."""

_ESCAPE: Final = re.compile(rb"\\(?:(\\)|(\d{6}))?")


class Part(NamedTuple):
    """One symbol of a frame."""

    symbology: str | None
    data: str


def split(text: str) -> list[Part]:
    """Return the symbols of a frame that begins with an identifier; one, as a rule.

    What looks like an identifier within an ISO/IEC 15434 message is its data.
    """
    first = IDENTIFIER.match(text)
    if first is None:
        return [Part(None, text)]
    begin = first.end()
    if text.startswith(ENVELOPE, begin):
        begin = text.rfind(ENVELOPE_END) + 1 or len(text)
    starts = [0, *(found.start() for found in IDENTIFIER.finditer(text, begin))]
    ends = [*starts[1:], len(text)]
    return [Part(text[a : a + 3], text[a + 3 : b]) for a, b in zip(starts, ends, strict=True)]


def read_eci(data: bytes, default: str) -> tuple[str, int | None]:
    """Return the text of data under the ECI protocol, and the first ECI it names.

    Raises `UnicodeError` for bytes that are no text in the character set named, for a set that is
    none, and for a lone backslash.
    """
    encoding, first, last = default, None, 0
    texts: list[str] = []
    pending = bytearray()
    for found in _ESCAPE.finditer(data):
        pending += data[last : found.start()]
        last = found.end()
        if found[1]:
            pending += b"\\"
            continue
        if not found[2]:
            raise UnicodeError("a lone backslash")
        texts.append(pending.decode(encoding))
        pending.clear()
        eci = int(found[2])
        first = eci if first is None else first
        if eci not in CHARACTER_SETS:
            raise UnicodeError(f"ECI {eci} is no text")
        encoding = CHARACTER_SETS[eci]
    texts.append((bytes(pending) + data[last:]).decode(encoding))
    return "".join(texts), first

"""Hostile text made showable: what is scanned or loaded never reaches a terminal as it is.

`safe` is the only way from such text to a widget. It guarantees one line of printable characters
of at most `limit` columns of text: no control, escape, C1, bidi, zero-width, combining or
unassigned character, whatever came in. Markup is harmless by the widgets' own rule: they draw
`Content`, never markup. Pure; called by `present`, `present_view` and every widget.
"""

import re
import unicodedata
from typing import Final

CODE_MAX_COLUMNS: Final = 48
"""Columns a scanned code may take inside a sentence: two codes fit one line of a small screen."""

SENTENCE_MAX_COLUMNS: Final = 240
"""Columns of one sentence from the core: three lines of a small screen."""

_NEVER_SHOWN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Mc", "Me", "Mn", "Zl", "Zp"})
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL"})
"""Letters that turn their neighbours round in many terminals: `1-DOL` read backwards is a lot."""
_STAND_IN: Final = "\N{REPLACEMENT CHARACTER}"
_GAP: Final = re.compile(r"(?<!\d) | (?!\d{3}(?!\d))")
"""Where a line may end: not between the thousands of a figure (`139 200`)."""
_WIDE: Final = frozenset("WF")


def safe(text: str, limit: int = CODE_MAX_COLUMNS) -> str:
    """Return `text` as one printable line of at most `limit` columns.

    A control character becomes its picture (`␛`), everything else that is not seen or that moves
    its neighbours becomes `�`; what does not fit is cut and ends in `…`.
    """
    shown: list[str] = []
    columns = 0
    composed = unicodedata.normalize("NFC", text[: limit * 4 + 4])
    for character in composed:
        glyph = _glyph(character)
        columns += column_count(glyph)
        shown.append(glyph)
        if columns > limit:
            return _cut(shown, limit)
    return "".join(shown)


def column_count(text: str) -> int:
    """Return how many terminal columns `text` takes; `text` must be what `safe` returns."""
    return sum(2 if unicodedata.east_asian_width(c) in _WIDE else 1 for c in text)


def wrap(text: str, width: int) -> list[str]:
    """Return `text` (safe) in lines of at most `width` columns, broken at spaces if possible, but
    for those in a figure."""
    lines: list[str] = []
    line = ""
    for word in _GAP.split(text):
        joined = f"{line} {word}" if line else word
        if column_count(joined) <= width:
            line = joined
            continue
        if line:
            lines.append(line)
        line = word
        while column_count(line) > width:
            head = _head(line, width)
            lines.append(head)
            line = line[len(head) :]
    return [*lines, line]


def _glyph(character: str) -> str:
    if " " <= character <= "~":
        return character
    number = ord(character)
    if number < 0x20:
        return chr(0x2400 + number)
    if number == 0x7F:
        return "\N{SYMBOL FOR DELETE}"
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category in _NEVER_SHOWN or unicodedata.bidirectional(character) in _RIGHT_TO_LEFT:
        return _STAND_IN
    return character


def _cut(shown: list[str], limit: int) -> str:
    while shown and column_count("".join(shown)) > limit - 1:
        shown.pop()
    return "".join(shown) + "…"


def _head(text: str, width: int) -> str:
    head = text[: max(1, width)]
    while len(head) > 1 and column_count(head) > width:
        head = head[:-1]
    return head

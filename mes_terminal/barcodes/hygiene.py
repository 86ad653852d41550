"""Whether a text may be a code at all: no control and no invisible character gets further.

Barcodes are hostile input. Nothing is repaired: a text that holds such a character is refused, so
that what is shown, looked up and stored is what was scanned. Called by `decode`.
"""

import re
import unicodedata
from typing import Final, Literal

HygieneFault = Literal["control_chars", "format_chars"]

CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")
"""C0, DEL and C1. GS, RS, FS, US and EOT are lawful only inside a structured message."""

UNSEEN_CATEGORIES: Final = frozenset({"Cf", "Cs", "Zl", "Zp"})
"""Format characters (bidi, zero-width, tags), surrogates, line and paragraph separators."""

UNSEEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Characters without width that Unicode files among marks and letters: joiners, fillers, variation
selectors (Default_Ignorable_Code_Point of the Unicode Character Database)."""


def hygiene_fault(text: str) -> HygieneFault | None:
    """Why a text is no code; None if it is clean."""
    if text.isascii() and text.isprintable():
        return None
    if CONTROLS.search(text):
        return "control_chars"
    if UNSEEN.search(text):
        return "format_chars"
    if any(unicodedata.category(character) in UNSEEN_CATEGORIES for character in text):
        return "format_chars"
    return None

"""EAN and UPC symbols, told by their identifier: `]E0`, `]E3`, `]E4` (ISO/IEC 15424).

Without an identifier eight digits are a work order as well as a GTIN-8; only a scanner that names
the symbol makes them a GTIN. A wrong check digit, or a length that the symbol does not have, leaves
the code plain. Called by `decode`.
"""

from typing import Final

from mes_terminal.barcodes.payload import Payload

GTIN_DIGITS: Final = 14
ADD_ONS: Final = (2, 5)
"""Digits of an add-on symbol; `]E3` sends them behind those of the main symbol."""


def read_retail(text: str, symbology: str) -> Payload | None:
    """Return the payload of an EAN or UPC symbol; `None` if it is none.

    Its field `gtin` has fourteen digits; `addon` is there where the symbol has one.
    """
    if not (text.isascii() and text.isdecimal()):
        return None
    number, addon = _split(text, symbology)
    full = _upc_a(number) if symbology == "]E0" and len(number) == 8 else number
    if full is None or len(full) not in _LENGTHS[symbology] or not _is_right(full):
        return None
    if symbology == "]E3" and not addon:
        return None
    fields = {"gtin": full.zfill(GTIN_DIGITS)} | ({"addon": addon} if addon else {})
    return Payload("gtin", text, rule="structured", fields=fields)


_LENGTHS: Final = {"]E0": (12, 13), "]E3": (12, 13), "]E4": (8,)}
SYMBOLOGIES: Final = frozenset(_LENGTHS)
"""Identifiers of the symbols that carry a GTIN; `]E1` and `]E2` are add-ons alone."""


def _split(text: str, symbology: str) -> tuple[str, str]:
    """Return the digits of the symbol and those of its add-on."""
    if symbology != "]E3":
        return text, ""
    for length in ADD_ONS:
        if len(text) - length in (12, 13):
            return text[:-length], text[-length:]
    return text, ""


def _upc_a(text: str) -> str | None:
    """Return what a UPC-E symbol leaves out (GS1 General Specifications 5.2.2.4.2)."""
    system, body, last, check = text[0], text[1:6], text[6], text[7]
    if system not in "01":
        return None
    if last in "012":
        middle = body[:2] + last + "0000" + body[2:]
    elif last == "3":
        middle = body[:3] + "00000" + body[3:]
    elif last == "4":
        middle = body[:4] + "00000" + body[4:]
    else:
        middle = body + "0000" + last
    return system + middle + check


def _is_right(digits: str) -> bool:
    """Tell whether the last digit checks the others."""
    from mes_terminal.barcodes.gs1 import is_right

    return is_right(digits)

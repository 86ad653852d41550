"""Text to barcodes: modules, as the libraries encode them.

Code 128 by python-barcode, QR by segno, Data Matrix and GS1 QR by zxing-cpp; each is imported when
it is used. Raises `InputError` for a text that the symbol cannot hold.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from msgspec import Struct

from mes_terminal.errors import InputError

Elements = Sequence[tuple[str, str]]
"""GS1 application identifiers with their values, in the order in which they are printed."""

FNC1: Final = "\xf1"
FIXED: Final = frozenset(
    {"00", "01", "02", "03", "04", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "41",
     *(str(two) for two in range(31, 37))}
)  # fmt: skip
"""First two digits of identifiers whose values have a length that needs no FNC1 behind it.
(GS1 General Specifications, figure 7.8.5-2)"""
QUIET_LINEAR: Final = 10
QUIET_QR: Final = 4
QUIET_DATA_MATRIX: Final = 2
GS1_CHARACTERS: Final = re.compile(r"""[!"%&'()*+,\-./0-9:;<=>?A-Z_a-z]+""")
"""What a GS1 element may hold (GS1 General Specifications, figure 7.11-1)."""
CLOSED: Final = ("\\(", "\\)")
"""Brackets within a value, so that none of them begins an element."""
LINEAR_MAX: Final = 80
"""Characters in one Code 128: a longer one is wider than a hand scanner reads."""


class Modules(Struct, frozen=True):
    """A symbol before it has a size."""

    rows: tuple[str, ...]
    """`1` is dark; one row where the symbol is linear."""
    quiet: int
    """Modules of white that it needs on each side."""
    text: str
    """What people read below it."""

    @property
    def is_linear(self) -> bool:
        """Whether it is bars of any height."""
        return len(self.rows) == 1


def code_128(text: str) -> Modules:
    """Return Code 128 of printable ASCII."""
    from barcode import Code128

    if not text.isascii():  # python-barcode takes ñ ò ó ô for the signs that command a scanner
        raise _not_held(text)
    return Modules((_linear(Code128, text, text),), QUIET_LINEAR, text)


def gs1_128(elements: Elements) -> Modules:
    """Return GS1-128, with FNC1 where a value of variable length is followed."""
    from barcode import Gs1_128

    printed = hri(elements)
    _gs1_symbol(elements, "DataMatrix", "GS1-128")  # python-barcode does not check what it is given
    return Modules((_linear(Gs1_128, message(elements, FNC1), printed),), QUIET_LINEAR, printed)


def qr_code(text: str) -> Modules:
    """Return a QR code with error correction M or better."""
    import segno

    try:
        encoding = None if text.isascii() else "utf-8"
        code = segno.make(text, error="m", micro=False, encoding=encoding)
    except segno.DataOverflowError as error:
        raise InputError(f"{shown(text)} is too long for a QR code.", reason="label") from error
    rows = tuple("".join("1" if dark else "0" for dark in row) for row in code.matrix)
    return Modules(rows, QUIET_QR, text)


def data_matrix(text: str) -> Modules:
    """Return a square Data Matrix."""
    import zxingcpp

    content: str | bytes = text if text.isascii() else text.encode()
    try:
        barcode = zxingcpp.create_barcode(
            content, zxingcpp.BarcodeFormat.DataMatrix, force_square=True
        )
    except ValueError as error:
        raise InputError(
            f"{shown(text)} cannot be a Data Matrix: {error}.", reason="label"
        ) from error
    return Modules(_rows(barcode), QUIET_DATA_MATRIX, text)


def gs1_data_matrix(elements: Elements) -> Modules:
    """Return a square GS1 Data Matrix."""
    rows = _rows(_gs1_symbol(elements, "DataMatrix", "GS1 Data Matrix"))
    return Modules(rows, QUIET_DATA_MATRIX, hri(elements))


def gs1_qr_code(elements: Elements) -> Modules:
    """Return a GS1 QR code with error correction M."""
    return Modules(_rows(_gs1_symbol(elements, "QRCode", "GS1 QR code")), QUIET_QR, hri(elements))


def hri(elements: Elements) -> str:
    """Return the message as it is printed for people: `(01)…(10)…`."""
    return "".join(f"({ai}){value}" for ai, value in elements)


def message(elements: Elements, separator: str) -> str:
    """Return the message as it is encoded."""
    last = len(elements) - 1
    return "".join(
        ai + value + (separator if ai[:2] not in FIXED and n < last else "")
        for n, (ai, value) in enumerate(elements)
    )


def shown(text: str) -> str:
    """Return a text for a sentence: cut, and quoted."""
    return repr(text if len(text) <= 40 else text[:40] + "…")


def _linear(kind: type, text: str, printed: str) -> str:
    from barcode.errors import BarcodeError

    if not text or len(text) > LINEAR_MAX:
        raise InputError(
            f"{shown(printed)} does not fit a Code 128 (1 to {LINEAR_MAX} characters). "
            "Use a Data Matrix for it.",
            reason="label",
        )
    try:
        code: Any = kind(text)
        if text.startswith("99"):  # python-barcode 0.16 takes the pair for a change of set
            code._try_to_optimize = lambda encoded: encoded
        bars = code.build()
    except (BarcodeError, KeyError, ValueError) as error:
        raise _not_held(printed) from error
    return str(bars[0])


def _not_held(printed: str) -> InputError:
    return InputError(
        f"{shown(printed)} has characters that Code 128 cannot hold. Use a Data Matrix for it.",
        reason="label",
    )


def _gs1_symbol(elements: Elements, kind: str, name: str) -> Any:
    """Return a symbol of a GS1 message; its elements, lengths and check digits are checked."""
    import zxingcpp

    printed = hri(elements)
    if not all(GS1_CHARACTERS.fullmatch(value) for _, value in elements):
        raise InputError(
            f"{shown(printed)} has characters that a GS1 code cannot hold.", reason="label"
        )
    escaped = "".join(
        f"({ai}){value.replace('(', CLOSED[0]).replace(')', CLOSED[1])}" for ai, value in elements
    )
    options = {"force_square": True} if kind == "DataMatrix" else {"ec_level": "M"}
    try:
        return zxingcpp.create_barcode(
            escaped, getattr(zxingcpp.BarcodeFormat, kind), gs1=True, **options
        )
    except ValueError as error:
        raise InputError(
            f"{shown(printed)} cannot be a {name}: {error}.", reason="label"
        ) from error


def _rows(barcode: Any) -> tuple[str, ...]:
    drawn: Any = barcode.to_image(scale=1, add_quiet_zones=False)
    rows: Any = memoryview(drawn).tolist()  # rows of bytes, 0 where it is dark
    return tuple("".join("0" if light else "1" for light in row) for row in rows)

"""Text to barcodes: modules, as the libraries encode them.

Code 128 by python-barcode, QR by segno, Data Matrix by zxing-cpp; each is imported when it is used.
Raises `InputError` for a text that the symbol cannot hold.
"""

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

    return Modules((_linear(Code128, text, text),), QUIET_LINEAR, text)


def gs1_128(elements: Elements) -> Modules:
    """Return GS1-128, with FNC1 where a value of variable length is followed."""
    from barcode import Gs1_128

    shown = hri(elements)
    return Modules((_linear(Gs1_128, message(elements, FNC1), shown),), QUIET_LINEAR, shown)


def qr_code(text: str) -> Modules:
    """Return a QR code with error correction M or better."""
    import segno

    try:
        code = segno.make(text, error="m", micro=False)
    except segno.DataOverflowError as error:
        raise InputError(f"{shown(text)} is too long for a QR code.", reason="label") from error
    rows = tuple("".join("1" if dark else "0" for dark in row) for row in code.matrix)
    return Modules(rows, QUIET_QR, text)


def data_matrix(text: str) -> Modules:
    """Return a square Data Matrix."""
    return Modules(_matrix(text, is_gs1=False), QUIET_DATA_MATRIX, text)


def gs1_data_matrix(elements: Elements) -> Modules:
    """Return a square GS1 Data Matrix."""
    printed = hri(elements)
    return Modules(_matrix(printed, is_gs1=True), QUIET_DATA_MATRIX, printed)


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
        raise InputError(
            f"{shown(printed)} has characters that Code 128 cannot hold. Use a Data Matrix for it.",
            reason="label",
        ) from error
    return str(bars[0])


def _matrix(text: str, *, is_gs1: bool) -> tuple[str, ...]:
    import zxingcpp

    content: str | bytes = text if text.isascii() else text.encode()
    options = {"gs1": True} if is_gs1 else {}
    try:
        barcode = zxingcpp.create_barcode(
            content, zxingcpp.BarcodeFormat.DataMatrix, force_square=True, **options
        )
    except ValueError as error:
        raise InputError(
            f"{shown(text)} cannot be a Data Matrix: {error}.", reason="label"
        ) from error
    drawn: Any = barcode.to_image(scale=1, add_quiet_zones=False)
    rows: Any = memoryview(drawn).tolist()  # rows of bytes, 0 where it is dark
    return tuple("".join("0" if light else "1" for light in row) for row in rows)

"""The set-up sheet of a scanner: known codes on one page of A4, with what to do beside them.

Pure layout: what the codes hold arrives as an argument (`hardware.sheet` by way of the command
line), so that what is printed is what is compared. Called by `scanners --test`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

from mes_terminal.printing.page import Box, Line, Mark, Sheet, Symbol, Text
from mes_terminal.printing.symbols import (
    Modules,
    code_128,
    data_matrix,
    gs1_128,
    gs1_data_matrix,
    qr_code,
)

TITLE: Final = "Scanner set-up sheet"
WIDTH_MM: Final = 210.0
HEIGHT_MM: Final = 297.0
MARGIN_MM: Final = 15.0
RIGHT_MM: Final = WIDTH_MM - MARGIN_MM

ROWS_TOP_MM: Final = 58.0
ROW_MM: Final = 33.0
"""Room for a code, its words, and enough white that only one is in the scanner's sight."""
BARS_MM: Final = 14.0
DOT_MM: Final = 25.4 / 300
"""Sizes are whole dots of an office printer, so that every bar is as wide as it should be."""
MODULE_MM: Final = 4 * DOT_MM
"""13 mil: read by every hand scanner from paper."""
SQUARE_MM: Final = 10 * DOT_MM
CODE_X_MM: Final = 36.0
SCALE_MM: Final = 50.0
"""A line of known length: measured, it shows whether the printer scaled the page."""

STEPS: Final = (
    "Start the test: mes-terminal scanners --test",
    "Scan the seven codes, in any order. Cover the neighbours if two are in sight.",
    "Put the lines that it proposes into the settings. Test again until nothing is left.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintedCode:
    """One code of the sheet. `elements` are those of a GS1 code; else `text` is what it holds."""

    number: int
    title: str
    symbol: Literal["code_128", "gs1_128", "gs1_data_matrix", "data_matrix", "qr_code"]
    text: str
    elements: tuple[tuple[str, str], ...] = ()
    shows: str = ""
    """What the test learns from it."""

    @property
    def is_square(self) -> bool:
        """Whether it is a two-dimensional code."""
        return self.symbol in ("gs1_data_matrix", "data_matrix", "qr_code")


def setup_sheet(codes: Sequence[PrintedCode]) -> list[Sheet]:
    """The sheet, on one page: bars below each other, squares beside each other at the foot."""
    bars = [code for code in codes if not code.is_square]
    squares = [code for code in codes if code.is_square]
    marks = [*_head(), *_steps()]
    for position, code in enumerate(bars):
        marks += _bar_row(code, ROWS_TOP_MM + position * ROW_MM)
    marks += _squares(squares, ROWS_TOP_MM + len(bars) * ROW_MM)
    marks += _foot()
    return [Sheet(width_mm=WIDTH_MM, height_mm=HEIGHT_MM, marks=tuple(marks), title=TITLE)]


def _head() -> list[Mark]:
    return [
        Text(x_mm=MARGIN_MM, y_mm=22, text=TITLE, size_pt=22, bold=True),
        Text(
            x_mm=RIGHT_MM, y_mm=22, text="Print on A4 at 100 %", size_pt=9, align="right",
            width_mm=60,
        ),
        Line(x1_mm=MARGIN_MM, y1_mm=27, x2_mm=RIGHT_MM, y2_mm=27, stroke_mm=0.8),
    ]  # fmt: skip


def _steps() -> list[Mark]:
    marks: list[Mark] = []
    for position, step in enumerate(STEPS):
        y_mm = 36 + position * 6.5
        marks += [
            Text(x_mm=MARGIN_MM, y_mm=y_mm, text=str(position + 1), size_pt=10.5, bold=True),
            Text(x_mm=MARGIN_MM + 7, y_mm=y_mm, text=step, size_pt=10.5, width_mm=170),
        ]
    return marks


def _bar_row(code: PrintedCode, top_mm: float) -> list[Mark]:
    modules = _modules(code)
    words_y = top_mm + 6
    code_y = top_mm + 9.5
    return [
        Line(x1_mm=MARGIN_MM, y1_mm=top_mm, x2_mm=RIGHT_MM, y2_mm=top_mm, stroke_mm=0.15),
        *_number(code, top_mm + 3),
        Text(x_mm=CODE_X_MM, y_mm=words_y, text=code.title, size_pt=10, bold=True, width_mm=80),
        Text(
            x_mm=RIGHT_MM, y_mm=words_y, text=code.shows, size_pt=8, align="right", width_mm=70,
        ),
        Symbol(
            x_mm=CODE_X_MM, y_mm=code_y, module_mm=MODULE_MM, modules=modules.rows,
            row_height_mm=BARS_MM,
        ),
        Text(
            x_mm=CODE_X_MM, y_mm=code_y + BARS_MM + 4, text=modules.text, size_pt=8,
            width_mm=RIGHT_MM - CODE_X_MM,
        ),
    ]  # fmt: skip


def _squares(codes: Sequence[PrintedCode], top_mm: float) -> list[Mark]:
    marks: list[Mark] = [
        Line(x1_mm=MARGIN_MM, y1_mm=top_mm, x2_mm=RIGHT_MM, y2_mm=top_mm, stroke_mm=0.15)
    ]
    column_mm = (RIGHT_MM - MARGIN_MM) / max(len(codes), 1)
    for position, code in enumerate(codes):
        left_mm = MARGIN_MM + position * column_mm
        modules = _modules(code)
        shift_mm = left_mm - MARGIN_MM
        marks += _number(code, top_mm + 3, shift_mm)
        marks += [
            Text(
                x_mm=CODE_X_MM + shift_mm, y_mm=top_mm + 6, text=code.title, size_pt=10, bold=True,
                width_mm=column_mm - 24,
            ),
            Symbol(
                x_mm=CODE_X_MM + shift_mm, y_mm=top_mm + 9.5, module_mm=SQUARE_MM,
                modules=modules.rows, row_height_mm=SQUARE_MM,
            ),
            Text(
                x_mm=CODE_X_MM + shift_mm, y_mm=top_mm + 14 + len(modules.rows) * SQUARE_MM,
                text=modules.text, size_pt=8, width_mm=column_mm - 24,
            ),
        ]  # fmt: skip
    return marks


def _number(code: PrintedCode, top_mm: float, shift_mm: float = 0.0) -> list[Mark]:
    """The number of a code, in a box."""
    x_mm = MARGIN_MM + shift_mm
    return [
        Box(x_mm=x_mm, y_mm=top_mm, width_mm=13, height_mm=13, stroke_mm=0.5),
        Text(
            x_mm=x_mm + 6.5, y_mm=top_mm + 9.2, text=str(code.number), size_pt=20, bold=True,
            align="centre",
        ),
    ]  # fmt: skip


def _foot() -> list[Mark]:
    y_mm = HEIGHT_MM - 12
    end_mm = MARGIN_MM + SCALE_MM
    return [
        Line(x1_mm=MARGIN_MM, y1_mm=y_mm, x2_mm=end_mm, y2_mm=y_mm, stroke_mm=0.3),
        Line(x1_mm=MARGIN_MM, y1_mm=y_mm - 1.5, x2_mm=MARGIN_MM, y2_mm=y_mm + 1.5, stroke_mm=0.3),
        Line(x1_mm=end_mm, y1_mm=y_mm - 1.5, x2_mm=end_mm, y2_mm=y_mm + 1.5, stroke_mm=0.3),
        Text(x_mm=end_mm + 4, y_mm=y_mm + 1, text="This line is 50 mm long.", size_pt=8),
        Text(
            x_mm=RIGHT_MM, y_mm=y_mm + 1, text="These codes book nothing: no item has them.",
            size_pt=8, align="right", width_mm=80,
        ),
    ]  # fmt: skip


def _modules(code: PrintedCode) -> Modules:
    match code.symbol:
        case "code_128":
            return code_128(code.text)
        case "gs1_128":
            return gs1_128(code.elements)
        case "gs1_data_matrix":
            return gs1_data_matrix(code.elements)
        case "data_matrix":
            return data_matrix(code.text)
        case "qr_code":
            return qr_code(code.text)

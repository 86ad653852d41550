"""What stands on a page or label, in millimetres from its upper left corner.

A `Sheet` is a value: documents make it, `printing.render` writes it as PDF, SVG, PNG or ZPL, and
every form shows the same.
"""

from typing import Final, Literal

from msgspec import Struct

Align = Literal["left", "centre", "right"]
BLACK: Final = "#000000"


class Text(Struct, frozen=True, kw_only=True):
    """One line of text; `y_mm` is its baseline. What is wider than `width_mm` is made to fit.

    It is set smaller, down to two thirds, then cut with an ellipsis.
    """

    x_mm: float
    y_mm: float
    text: str
    size_pt: float = 9.0
    bold: bool = False
    align: Align = "left"
    width_mm: float | None = None
    colour: str = BLACK
    """`#RRGGBB`, in PDF and SVG; dots are black."""


class Line(Struct, frozen=True, kw_only=True):
    """A straight stroke."""

    x1_mm: float
    y1_mm: float
    x2_mm: float
    y2_mm: float
    stroke_mm: float = 0.2


class Box(Struct, frozen=True, kw_only=True):
    """A rectangle: a frame of `stroke_mm`, or `filled` with black."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    stroke_mm: float = 0.3
    filled: bool = False
    colour: str = BLACK
    """What it is filled with, `#RRGGBB`, in PDF and SVG; in dots all but black is a frame."""


class Symbol(Struct, frozen=True, kw_only=True):
    """A barcode: rows of modules, `1` is dark. Its quiet zone is not part of it."""

    x_mm: float
    y_mm: float
    modules: tuple[str, ...]
    module_mm: float
    row_height_mm: float
    """Equal to `module_mm` where modules are square; where there is one row, the bars' height."""
    anchor: Align | None = None
    """Which edge keeps its place where modules become whole dots, the upper one with it; `None`:
    none, the code stays in the middle of its place."""

    @property
    def width_mm(self) -> float:
        """Width without quiet zones."""
        return len(self.modules[0]) * self.module_mm

    @property
    def height_mm(self) -> float:
        """Height without quiet zones."""
        return len(self.modules) * self.row_height_mm


Mark = Text | Line | Box | Symbol


class Sheet(Struct, frozen=True, kw_only=True):
    """One page or label."""

    width_mm: float
    height_mm: float
    marks: tuple[Mark, ...]
    title: str = ""
    """What it is, for the document's own description and for names of files."""

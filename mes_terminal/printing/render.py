"""Sheets to PDF, SVG, PNG and ZPL: what a printer or a screen takes.

Lengths are whole dots in PNG and ZPL, so that every module of a barcode is equally wide. The font
is Bitstream Vera, which reportlab brings; a character that it lacks is printed as a box.
"""

from __future__ import annotations

import io
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from xml.sax.saxutils import escape

from mes_terminal.printing.page import BLACK, Box, Line, Mark, Sheet, Symbol, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from PIL.Image import Image
    from PIL.ImageDraw import ImageDraw
    from PIL.ImageFont import FreeTypeFont

Form = Literal["pdf", "svg", "png", "zpl"]

MM_PER_INCH: Final = 25.4
PT_PER_MM: Final = 72 / MM_PER_INCH
DPI: Final = 203
"""Eight dots a millimetre: the usual label printer."""
SHRINK_MIN: Final = 2 / 3
"""Text is set smaller down to this part of its size before it is cut."""
FONTS: Final = {False: "Vera.ttf", True: "VeraBd.ttf"}
MISSING: Final = "\u25a1"
MEASURED_PX: Final = 100
"""The size at which text is measured; widths are proportional to it."""


def render(sheets: Sequence[Sheet], form: Form, *, dpi: int = DPI) -> list[bytes]:
    """Return the documents: one of all sheets as PDF, else one for each sheet.

    `dpi` counts for PNG and ZPL.
    """
    match form:
        case "pdf":
            return [_pdf(sheets)]
        case "svg":
            return [_svg(sheet) for sheet in sheets]
        case "png":
            return [_png(sheet, dpi) for sheet in sheets]
        case "zpl":
            return [_zpl(sheet, dpi) for sheet in sheets]


def fitted(text: Text) -> Text:
    """Return a text as it is set: printable, no wider than its `width_mm`."""
    shown = "".join(_printable(character, is_bold=text.bold) for character in text.text)
    if text.width_mm is None or not shown:
        return Text(**{**_fields(text), "text": shown})
    width_mm = width_of(shown, size_pt=text.size_pt, is_bold=text.bold)
    size_pt = text.size_pt * min(1.0, max(SHRINK_MIN, text.width_mm / width_mm))
    if width_of(shown, size_pt=size_pt, is_bold=text.bold) > text.width_mm + 1e-6:
        shown = _cut(shown, text.width_mm, size_pt=size_pt, is_bold=text.bold)
    return Text(**{**_fields(text), "text": shown, "size_pt": size_pt})


def width_of(text: str, *, size_pt: float, is_bold: bool) -> float:
    """Return how wide a text is, in millimetres."""
    px = _font(MEASURED_PX, is_bold=is_bold).getlength(text)
    return float(px) / MEASURED_PX * size_pt / PT_PER_MM


def _fields(text: Text) -> dict[str, Any]:
    return {name: getattr(text, name) for name in text.__struct_fields__}


def _cut(text: str, width_mm: float, *, size_pt: float, is_bold: bool) -> str:
    """Return the longest beginning of a text that fits with an ellipsis."""
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        cut = text[:middle].rstrip() + "…"
        fits = width_of(cut, size_pt=size_pt, is_bold=is_bold) <= width_mm
        low, high = (middle, high) if fits else (low, middle - 1)
    return text[:low].rstrip() + "…"


def _printable(character: str, *, is_bold: bool) -> str:
    """Return a character, or a box for one that cannot be printed."""
    if character.isprintable() and ord(character) in _characters(is_bold=is_bold):
        return character
    return MISSING


@cache
def _characters(*, is_bold: bool) -> frozenset[int]:
    """Return the characters that the font has."""
    from reportlab.pdfbase.ttfonts import TTFont

    face = TTFont("measured", str(_font_file(is_bold=is_bold))).face
    return frozenset(face.charToGlyph) | {ord(MISSING)}


@cache
def _font_file(*, is_bold: bool) -> Path:
    import reportlab

    return Path(reportlab.__file__).parent / "fonts" / FONTS[is_bold]


@cache
def _font(size_px: int, *, is_bold: bool) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(_font_file(is_bold=is_bold)), size_px)


def _bars(row: str) -> list[tuple[int, int]]:
    """Return where the dark modules of a row begin and how many follow each other."""
    found, at = [], row.find("1")
    while at >= 0:
        end = row.find("0", at)
        end = len(row) if end < 0 else end
        found.append((at, end - at))
        at = row.find("1", end)
    return found


def _pdf(sheets: Sequence[Sheet]) -> bytes:
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont
    from reportlab.pdfgen.canvas import Canvas

    for is_bold, name in FONTS.items():
        pdfmetrics.registerFont(TTFont(name, str(_font_file(is_bold=is_bold))))
    written = io.BytesIO()
    canvas = Canvas(written, invariant=1)
    canvas.setTitle(sheets[0].title if sheets else "")
    canvas.setCreator("mes-terminal")
    for sheet in sheets:
        canvas.setPageSize((sheet.width_mm * PT_PER_MM, sheet.height_mm * PT_PER_MM))
        canvas.translate(0, sheet.height_mm * PT_PER_MM)
        canvas.scale(PT_PER_MM, PT_PER_MM)
        for mark in sheet.marks:
            _pdf_mark(canvas, mark)
        canvas.showPage()
    canvas.save()
    return written.getvalue()


def _pdf_mark(canvas: Any, mark: Mark) -> None:
    match mark:
        case Text():
            text = fitted(mark)
            canvas.setFont(FONTS[text.bold], text.size_pt / PT_PER_MM)
            draw = {"left": "drawString", "centre": "drawCentredString", "right": "drawRightString"}
            with _pdf_colour(canvas, text.colour):
                getattr(canvas, draw[text.align])(text.x_mm, -text.y_mm, text.text)
        case Line():
            canvas.setLineWidth(mark.stroke_mm)
            canvas.line(mark.x1_mm, -mark.y1_mm, mark.x2_mm, -mark.y2_mm)
        case Box():
            canvas.setLineWidth(mark.stroke_mm)
            corner = mark.x_mm, -mark.y_mm - mark.height_mm
            sides = mark.width_mm, mark.height_mm
            with _pdf_colour(canvas, mark.colour):
                canvas.rect(*corner, *sides, stroke=int(not mark.filled), fill=int(mark.filled))
        case Symbol():
            for number, row in enumerate(mark.modules, 1):
                bottom = -mark.y_mm - number * mark.row_height_mm
                for at, count in _bars(row):
                    x_mm, width = mark.x_mm + at * mark.module_mm, count * mark.module_mm
                    canvas.rect(x_mm, bottom, width, mark.row_height_mm, stroke=0, fill=1)


@contextmanager
def _pdf_colour(canvas: Any, colour: str) -> Iterator[None]:
    """Fill with a colour within the block; outside it everything is black."""
    if colour == BLACK:
        yield
        return
    canvas.setFillColor(colour)
    yield
    canvas.setFillColor(BLACK)


def _svg(sheet: Sheet) -> bytes:
    size = f"{_n(sheet.width_mm)} {_n(sheet.height_mm)}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" '
        f'width="{_n(sheet.width_mm)}mm" height="{_n(sheet.height_mm)}mm" '
        'font-family="Bitstream Vera Sans, DejaVu Sans, Verdana, sans-serif">',
        f"<title>{escape(_clean(sheet.title))}</title>",
        '<rect width="100%" height="100%" fill="#fff"/>',
        *(_svg_mark(mark) for mark in sheet.marks),
        "</svg>\n",
    ]
    return "\n".join(lines).encode()


def _svg_mark(mark: Mark) -> str:
    match mark:
        case Text():
            text = fitted(mark)
            anchor = {"left": "start", "centre": "middle", "right": "end"}[text.align]
            weight = ' font-weight="bold"' if text.bold else ""
            return (
                f'<text x="{_n(text.x_mm)}" y="{_n(text.y_mm)}" text-anchor="{anchor}" '
                f'font-size="{_n(text.size_pt / PT_PER_MM)}"{weight}{_svg_fill(text.colour)} '
                'xml:space="preserve">'
                f"{escape(text.text)}</text>"
            )
        case Line():
            return (
                f'<path d="M{_n(mark.x1_mm)} {_n(mark.y1_mm)}L{_n(mark.x2_mm)} {_n(mark.y2_mm)}" '
                f'stroke="#000" stroke-width="{_n(mark.stroke_mm)}"/>'
            )
        case Box():
            stroke = f'fill="none" stroke="#000" stroke-width="{_n(mark.stroke_mm)}"'
            return (
                f'<rect x="{_n(mark.x_mm)}" y="{_n(mark.y_mm)}" width="{_n(mark.width_mm)}" '
                f'height="{_n(mark.height_mm)}"{_svg_fill(mark.colour)} '
                f"{'' if mark.filled else stroke}/>"
            )
        case Symbol():
            parts = [
                f"M{_n(mark.x_mm + at * mark.module_mm)} {_n(mark.y_mm + n * mark.row_height_mm)}"
                f"h{_n(count * mark.module_mm)}v{_n(mark.row_height_mm)}"
                f"h{_n(-count * mark.module_mm)}z"
                for n, row in enumerate(mark.modules)
                for at, count in _bars(row)
            ]
            return f'<path shape-rendering="crispEdges" d="{"".join(parts)}"/>'


def _svg_fill(colour: str) -> str:
    return "" if colour == BLACK else f' fill="{colour}"'


def _n(value: float) -> str:
    """Return a length as short as a thousandth of a millimetre allows."""
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _clean(text: str) -> str:
    return "".join(character if character.isprintable() else MISSING for character in text)


def _png(sheet: Sheet, dpi: int) -> bytes:
    written = io.BytesIO()
    picture(sheet, dpi).save(written, "PNG", dpi=(dpi, dpi), optimize=True)
    return written.getvalue()


def picture(sheet: Sheet, dpi: int) -> Image:
    """Return a sheet as dots, black on white."""
    from PIL import Image, ImageDraw

    per_mm = dpi / MM_PER_INCH
    size = round(sheet.width_mm * per_mm), round(sheet.height_mm * per_mm)
    drawn = Image.new("L", size, 255)
    pen = ImageDraw.Draw(drawn)
    for mark in sheet.marks:
        _draw(pen, mark, per_mm)
    return drawn


def _draw(pen: ImageDraw, mark: Mark, per_mm: float) -> None:
    match mark:
        case Text():
            text = fitted(mark)
            size_px = max(1, round(text.size_pt / PT_PER_MM * per_mm))
            anchor = {"left": "ls", "centre": "ms", "right": "rs"}[text.align]
            place = round(text.x_mm * per_mm), round(text.y_mm * per_mm)
            font = _font(size_px, is_bold=text.bold)
            if text.width_mm and font.getlength(text.text) > text.width_mm * per_mm + 0.5:
                font = _font(max(1, size_px - 1), is_bold=text.bold)  # whole dots made it wider
            pen.text(place, text.text, fill=0, font=font, anchor=anchor)
        case Line():
            ends = [round(v * per_mm) for v in (mark.x1_mm, mark.y1_mm, mark.x2_mm, mark.y2_mm)]
            pen.line(ends, fill=0, width=max(1, round(mark.stroke_mm * per_mm)))
        case Box():
            x, y = round(mark.x_mm * per_mm), round(mark.y_mm * per_mm)
            right = x + round(mark.width_mm * per_mm) - 1
            bottom = y + round(mark.height_mm * per_mm) - 1
            stroke = max(1, round(mark.stroke_mm * per_mm))
            is_black = mark.filled and mark.colour == BLACK
            pen.rectangle((x, y, right, bottom), fill=0 if is_black else None, outline=0,
                          width=stroke)  # fmt: skip
        case Symbol():
            _draw_symbol(pen, mark, per_mm)


def _draw_symbol(pen: ImageDraw, symbol: Symbol, per_mm: float) -> None:
    """Draw with modules of whole dots, no wider than asked, where the symbol's anchor says."""
    module = max(1, int(symbol.module_mm * per_mm + 0.05))
    is_square = symbol.row_height_mm == symbol.module_mm
    row_px = module if is_square else max(1, round(symbol.row_height_mm * per_mm))
    spare = symbol.width_mm * per_mm - len(symbol.modules[0]) * module
    before = spare * {None: 0.5, "left": 0.0, "centre": 0.5, "right": 1.0}[symbol.anchor]
    above = spare / 2 if is_square and symbol.anchor is None else 0
    left = round(symbol.x_mm * per_mm + before)
    top = round(symbol.y_mm * per_mm + above)
    for number, row in enumerate(symbol.modules):
        y = top + number * row_px
        for at, count in _bars(row):
            x = left + at * module
            pen.rectangle((x, y, x + count * module - 1, y + row_px - 1), fill=0)


def _zpl(sheet: Sheet, dpi: int) -> bytes:
    """Return a label as one graphic: what a Zebra and its kin print is what the PNG shows."""
    from PIL import ImageOps

    dots = ImageOps.invert(picture(sheet, dpi)).point(lambda level: 255 * (level > 127), "1")
    width, height = dots.size
    row_bytes = (width + 7) // 8
    total = row_bytes * height
    data = dots.tobytes().hex().upper()
    return (
        f"^XA^PW{width}^LL{height}^LH0,0^FO0,0^GFA,{total},{total},{row_bytes},{data}^FS^XZ\n"
    ).encode("ascii")

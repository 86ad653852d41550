"""A screen as an SVG picture: every cell in its place, whatever font the viewer has.

Blocks are drawn as rectangles, words at their own column, so pictures look like the terminal in
every browser and converter. Pure; used by the gallery for documentation.
"""

from collections.abc import Iterable
from html import escape
from typing import Final

from rich.segment import Segment
from rich.style import Style

from mes_terminal.tui.safe_text import column_count

CELL_WIDTH: Final = 10
CELL_HEIGHT: Final = 20
FONT_SIZE: Final = 16
MARGIN: Final = 12
_FONTS: Final = "'DejaVu Sans Mono','Cascadia Mono','Menlo','Consolas',monospace"
_STROKES: Final = {
    "─": "10100", "━": "10102", "═": "10103", "│": "01010", "┃": "01012", "║": "01013",
    "╭": "00110", "╮": "10010", "╰": "01100", "╯": "11000", "┌": "00110", "┐": "10010",
    "└": "01100", "┘": "11000", "┏": "00112", "┓": "10012", "┗": "01102", "┛": "11002",
    "╔": "00113", "╗": "10013", "╚": "01103", "╝": "11003",
}  # fmt: skip
"""Lines to the left, up, right and down; then how: 0 light, 2 heavy, 3 double."""
_BLOCKS: Final = {"█": (0.0, 1.0), "▀": (0.0, 0.5), "▄": (0.5, 0.5), "▒": (0.0, 1.0)}
_NO_LETTER: Final = frozenset(_BLOCKS) | frozenset(_STROKES)


def picture(lines: Iterable[list[Segment]], columns: int, *, ground: str, text: str) -> str:
    """Return the SVG of `lines`, each made of segments with colours of their own."""
    shapes: list[str] = []
    row = 0
    for row, line in enumerate(lines, 1):
        shapes += _line(line, row - 1, text)
    width = columns * CELL_WIDTH + 2 * MARGIN
    height = row * CELL_HEIGHT + 2 * MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}">\n'
        f'<rect width="{width}" height="{height}" rx="10" fill="{ground}"/>\n'
        f'<g transform="translate({MARGIN} {MARGIN})" font-family="{_FONTS}" '
        f'font-size="{FONT_SIZE}" shape-rendering="crispEdges">\n'
    )
    return head + "\n".join(shapes) + "\n</g>\n</svg>\n"


def _line(segments: list[Segment], row: int, text: str) -> list[str]:
    grounds: list[str] = []
    letters: list[str] = []
    column = 0
    for segment in segments:
        style = segment.style or Style.null()
        columns = column_count(segment.text)
        colour, ground = _colours(style, text)
        if ground is not None:
            grounds.append(_rect(column, row, columns, 0.0, 1.0, ground))
        drawn = _letters(segment.text, column, row, colour, bold=bool(style.bold))
        letters += [d.replace('class="gap"', f'stroke="{ground or text}"') for d in drawn]
        column += columns
    return [*grounds, *letters]


def _colours(style: Style, text: str) -> tuple[str, str | None]:
    colour = style.color.get_truecolor().hex if style.color else text
    ground = style.bgcolor.get_truecolor().hex if style.bgcolor else None
    return (ground or "#000000", colour) if style.reverse else (colour, ground)


def _letters(text: str, column: int, row: int, colour: str, *, bold: bool) -> list[str]:
    """Return rectangles for runs of blocks and one text element a word."""
    shapes: list[str] = []
    start = 0
    while start < len(text):
        end = start + 1
        if text[start] in _BLOCKS:
            while end < len(text) and text[end] == text[start]:
                end += 1
            top, part = _BLOCKS[text[start]]
            shapes.append(_rect(column, row, end - start, top, part, colour))
        elif text[start] in _STROKES:
            while end < len(text) and text[end] == text[start] and text[start] in "─━═":
                end += 1
            shapes.append(_stroke(text[start], column, row, end - start, colour))
        elif text[start] != " ":
            while end < len(text) and text[end] != " " and text[end] not in _NO_LETTER:
                end += 1
            shapes.append(_word(text[start:end], column, row, colour, bold=bold))
        column += column_count(text[start:end])
        start = end
    return shapes


def _stroke(sign: str, column: int, row: int, columns: int, colour: str) -> str:
    """Return a box line, through the middle of its cells; a double one as two."""
    ways, kind = _STROKES[sign][:4], _STROKES[sign][4]
    x, y = column * CELL_WIDTH, row * CELL_HEIGHT
    middle_x, middle_y = x + CELL_WIDTH / 2, y + CELL_HEIGHT / 2
    right = (float(x + CELL_WIDTH * columns), middle_y)
    ends = ((float(x), middle_y), (middle_x, y), right, (middle_x, y + CELL_HEIGHT))
    near = [f"{ex:g} {ey:g}" for way, (ex, ey) in zip(ways, ends, strict=True) if way == "1"]
    path = (
        f"M{near[0]}L{middle_x:g} {middle_y:g}L{near[1]}" if columns == 1 else f"M{'L'.join(near)}"
    )
    plain = 'fill="none" shape-rendering="auto"'
    if kind == "3":
        wide = f'<path d="{path}" {plain} stroke="{colour}" stroke-width="5"/>'
        return wide + f'<path d="{path}" class="gap" {plain} stroke-width="2"/>'
    return f'<path d="{path}" {plain} stroke="{colour}" stroke-width="{int(kind) + 1}"/>'


def _rect(column: int, row: int, columns: int, top: float, part: float, colour: str) -> str:
    return (
        f'<rect x="{column * CELL_WIDTH}" y="{(row + top) * CELL_HEIGHT:g}" '
        f'width="{columns * CELL_WIDTH}" height="{part * CELL_HEIGHT:g}" fill="{colour}"/>'
    )


def _word(word: str, column: int, row: int, colour: str, *, bold: bool) -> str:
    xs = " ".join(str((column + column_count(word[:at])) * CELL_WIDTH) for at in range(len(word)))
    weight = ' font-weight="bold"' if bold else ""
    y = row * CELL_HEIGHT + CELL_HEIGHT * 3 // 4
    return f'<text x="{xs}" y="{y}" fill="{colour}"{weight}>{escape(word)}</text>'

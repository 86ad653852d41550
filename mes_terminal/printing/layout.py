"""A label's content and a template to a sheet: the code on one side, rows of text on the other.

The upper edge of the code, its outer edge and the texts keep to the margins; the white that a code
needs may reach into a margin, and where that is too narrow the code is set finer. Nothing is ever
finer than a hand scanner reads: what is too long is refused with a sentence.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from mes_terminal.errors import InputError
from mes_terminal.printing.contents import Content, encoded
from mes_terminal.printing.page import Align, Line, Mark, Sheet, Symbol, Text
from mes_terminal.printing.render import fitted, width_of
from mes_terminal.printing.symbols import Modules
from mes_terminal.printing.symbols import shown as cut
from mes_terminal.printing.templates import (
    MODULE_MIN_MM,
    Code,
    Foot,
    LabelTemplate,
    Row,
    filled,
)

MM_PER_PT: Final = 25.4 / 72
CAPITAL: Final = 0.73
"""Height of a capital in Bitstream Vera, in parts of the size."""
LINE: Final = 0.95
"""Height of a line from the top of its capitals to the foot of its letters."""
CAPTION_GAP_MM: Final = 1.0
FACT_GAP_MM: Final = 1.8
"""White between two lines of facts."""
GUTTER_MM: Final = 3.0
FOOT_GAP_MM: Final = 1.8
"""White above and below the stroke of the foot."""
EASY_MM: Final = 0.5
"""A module that any scanner reads: a code is not set finer than this only to keep to a margin."""
ROWS_MIN_MM: Final = 10.0
TEXT_MIN: Final = 1.5
"""The least width of a text, in parts of its size."""
LINEAR_MODULE_MM: Final = 0.375
LINEAR: Final = ("code128", "gs1-128")


class LayoutError(InputError):
    """What a template asks for does not fit. `key` is the key to change."""

    def __init__(self, key: str, sentence: str) -> None:
        super().__init__(sentence, reason="label")
        self.key = key


class Area(NamedTuple):
    """A rectangle on a sheet, with the white around it that a code may use."""

    x_mm: float
    y_mm: float
    width_mm: float
    height_mm: float
    before_mm: float = 0.0
    after_mm: float = 0.0
    above_mm: float = 0.0
    below_mm: float = 0.0


def lay_out(content: Content, template: LabelTemplate, where: str = "") -> Sheet:
    """Return a label in the first of its symbologies that can carry its code there.

    Raises `InputError`; `where` begins its sentence.
    """
    problem: InputError | None = None
    for symbology in template.code.symbology:
        try:
            code = encoded(content, symbology, template.code.domain)
            return _sheet(content, template, code)
        except InputError as error:
            problem = told(error, where)
    assert problem is not None
    raise problem


def told(error: InputError, where: str) -> InputError:
    """Return an error whose sentence begins with the template's file, table and key."""
    key = error.key if isinstance(error, LayoutError) else "code.symbology"
    sentence = f"{where}{key}: {error.sentence}" if where else error.sentence
    return InputError(sentence, reason="label")


def check_room(template: LabelTemplate) -> None:
    """Raise `LayoutError` where the rows, the code and the foot have no room on the label."""
    code = template.code
    for name in code.symbology:
        is_linear = name in LINEAR
        place, rows = _areas(template, is_linear=is_linear)
        if place.width_mm <= 0 or place.height_mm <= 0:
            raise LayoutError(
                "margin_x_mm" if place.width_mm <= 0 else "height_mm",
                "There is no room for a code between the margins and the foot.",
            )
        depth_mm = code.height_mm if is_linear else code.size_mm
        spare_mm = template.height_mm - 2 * template.margin_y_mm - foot_height(template.foot)
        if (is_linear or code.place in ("top", "bottom")) and depth_mm > spare_mm + 0.01:
            raise LayoutError(
                "code.height_mm" if is_linear else "code.size_mm",
                f"The code is {depth_mm:g} mm high, and there are {spare_mm:.1f} between the "
                "margins and the foot. Make it smaller or the label higher.",
            )
        needed = rows_height(template.rows)
        if template.rows and rows.width_mm < ROWS_MIN_MM:
            raise LayoutError(
                "code.size_mm",
                f"The code leaves {max(rows.width_mm, 0):.1f} mm beside it, and rows need "
                f"{ROWS_MIN_MM:.0f}. Make the code smaller or the label wider.",
            )
        if needed > rows.height_mm + 0.01:
            raise LayoutError(
                "rows",
                f"The rows need {needed:.1f} mm and have {max(rows.height_mm, 0):.1f}. "
                "Make them or the code smaller, or the label higher.",
            )
        check_widths(template.rows, template.foot, rows.width_mm, _within(template).width_mm)


def check_widths(rows: tuple[Row, ...], foot: Foot, rows_mm: float, foot_mm: float) -> None:
    """Raise `LayoutError` where a text would not even have room for one character and its cut."""
    for number, row in enumerate(rows, 1):
        columns = row.columns if row.facts is not None else 1
        wide_mm = (rows_mm - (columns - 1) * GUTTER_MM) / columns
        largest_pt = max(row.size_pt, row.caption_pt)
        if wide_mm < TEXT_MIN * largest_pt * MM_PER_PT:
            raise LayoutError(
                f"rows[{number}]",
                f"Its texts have {max(wide_mm, 0):.1f} mm, too little for {largest_pt:g} pt. Make "
                "them smaller, the columns fewer or the label wider.",
            )
    if foot_height(foot) and (foot_mm - GUTTER_MM) / 2 < TEXT_MIN * foot.size_pt * MM_PER_PT:
        raise LayoutError("foot", "Its texts have no room. Empty them, or make the label wider.")


def rows_height(rows: tuple[Row, ...]) -> float:
    """Return how high rows are when none is left out."""
    heights = [_row_height(row, len(row.facts or ())) for row in rows]
    return sum(heights) + sum(row.gap_mm for row in rows[1:])


def set_rows(rows: tuple[Row, ...], fields: Mapping[str, str], area: Area) -> list[Mark]:
    """Return the texts of rows from the top of an area downwards; empty ones are left out."""
    marks: list[Mark] = []
    y_mm, known = area.y_mm, dict(fields)
    for row in rows:
        facts = [
            (filled(fact.caption, known), value)
            for fact in row.facts or ()
            if (value := filled(fact.text, known))
        ]
        text = filled(row.text, known) if row.text is not None else ""
        if not facts and not text:
            continue
        y_mm += row.gap_mm if marks else 0
        if facts:
            marks += _facts(row, facts, area, y_mm)
        else:
            marks.append(_line(text, row, area, y_mm))
        y_mm += _row_height(row, len(facts))
    return marks


def set_foot(foot: Foot, fields: Mapping[str, str], area: Area) -> list[Mark]:
    """Return the foot at the bottom of an area: a stroke, a text on each side below it."""
    if not foot.left and not foot.right:
        return []
    known = dict(fields)
    right_mm = area.x_mm + area.width_mm
    y_mm = area.y_mm + area.height_mm
    stroke_mm = y_mm - CAPITAL * foot.size_pt * MM_PER_PT - FOOT_GAP_MM
    left, right = filled(foot.left, known), filled(foot.right, known)
    left_share, right_share = _shares(left, right, foot.size_pt, area.width_mm)
    sides: tuple[tuple[float, str, Align, float], ...] = (
        (area.x_mm, left, "left", left_share),
        (right_mm, right, "right", right_share),
    )
    texts: list[Mark] = [
        Text(x_mm=x_mm, y_mm=y_mm, text=text, size_pt=foot.size_pt, align=align, width_mm=width_mm)
        for x_mm, text, align, width_mm in sides
        if text
    ]
    stroke = Line(x1_mm=area.x_mm, y1_mm=stroke_mm, x2_mm=right_mm, y2_mm=stroke_mm, stroke_mm=0.2)
    return [stroke, *texts]


def foot_height(foot: Foot) -> float:
    """Return what a foot takes of a sheet's height, with the white above it."""
    if not foot.left and not foot.right:
        return 0.0
    return CAPITAL * foot.size_pt * MM_PER_PT + 2 * FOOT_GAP_MM


def symbol_in(
    code: Modules, area: Area, *, module_mm: float | None, height_mm: float, align: Align = "left",
    at_bottom: bool = False, finest_mm: float = MODULE_MIN_MM,
) -> Symbol:  # fmt: skip
    """Return a code as large as an area and its white allow, at most with modules of `module_mm`.

    Raises `LayoutError` for one whose modules would be finer than `finest_mm`.
    """
    across, quiet = len(code.rows[0]), code.quiet
    down = 1 if code.is_linear else len(code.rows)
    module = _module(code, area, align, is_top=not at_bottom)
    module = min(module, module_mm or (LINEAR_MODULE_MM if code.is_linear else module))
    if module < finest_mm - 1e-6:
        raise _too_fine(code, area, finest_mm)
    row_mm = height_mm if code.is_linear else module
    white_mm = 0.0 if code.is_linear else quiet * module
    width_mm, depth_mm = across * module, down * row_mm
    left_mm = max(area.x_mm, area.x_mm - area.before_mm + quiet * module)
    right_mm = area.x_mm + area.width_mm
    right_mm = min(right_mm, right_mm + area.after_mm - quiet * module) - width_mm
    top_mm = max(area.y_mm, area.y_mm - area.above_mm + white_mm)
    bottom_mm = area.y_mm + area.height_mm
    bottom_mm = min(bottom_mm, bottom_mm + area.below_mm - white_mm) - depth_mm
    middle_mm = area.x_mm + (area.width_mm - width_mm) / 2
    return Symbol(
        x_mm={"left": left_mm, "centre": middle_mm, "right": right_mm}[align],
        y_mm=bottom_mm if at_bottom else top_mm,
        modules=code.rows,
        module_mm=module,
        row_height_mm=row_mm,
        anchor=align,
    )


def _shares(left: str, right: str, size_pt: float, width_mm: float) -> tuple[float, float]:
    """Return what each text of a foot may take: what it needs, or what the shorter one leaves."""
    set_as = [fitted(Text(x_mm=0, y_mm=0, text=text)).text for text in (left, right)]
    needs = [width_of(text, size_pt=size_pt, is_bold=False) for text in set_as]
    room_mm = width_mm - GUTTER_MM if left and right else width_mm
    if sum(needs) <= room_mm:
        return room_mm - needs[1], room_mm - needs[0]
    short_mm = min(*needs, room_mm / 2)
    shares = (short_mm, room_mm - short_mm)
    return shares if needs[0] < needs[1] else (shares[1], shares[0])


def _module(code: Modules, area: Area, align: Align, *, is_top: bool) -> float:
    """Return the widest module with which a code and its white have room and edges keep in line."""
    across, quiet = len(code.rows[0]), code.quiet
    before, after, above, below = area.before_mm, area.after_mm, area.above_mm, area.below_mm
    widest = [
        _widest(across, quiet, before, area.width_mm, after),
        _widest(across, quiet, after, area.width_mm, before),
    ]
    edges = {"left": [before], "centre": [], "right": [after]}[align]
    if not code.is_linear:
        down = len(code.rows)
        widest.append(_widest(down, quiet, above, area.height_mm, below))
        widest.append(_widest(down, quiet, below, area.height_mm, above))
        edges += [above] if is_top else []
    widest += [edge / quiet for edge in edges if edge / quiet >= EASY_MM]
    return min(widest)


def _widest(count: int, quiet: int, before: float, size: float, after: float) -> float:
    """Return the widest module with which a code and its quiet zones have room in one direction."""
    return min(
        size / count, (size + after) / (count + quiet),
        (before + size + after) / (count + 2 * quiet),
    )  # fmt: skip


def _too_fine(code: Modules, area: Area, finest_mm: float) -> LayoutError:
    needed = len(code.rows[0]) * finest_mm
    if code.is_linear:
        return LayoutError(
            "code.size_mm",
            f"{cut(code.text)} is too long for a bar code of {area.width_mm:.0f} mm: its bars need "
            f"{needed:.0f} mm and white. Use a two-dimensional code.",
        )
    return LayoutError(
        "code.size_mm",
        f"{cut(code.text)} is too long for this label: its code would be too fine to read, it "
        f"needs {needed:.0f} mm and white. Print it larger, or shorten it.",
    )


def _sheet(content: Content, template: LabelTemplate, code: Modules) -> Sheet:
    place, rows = _areas(template, is_linear=code.is_linear)
    stands = template.code
    align: Align = {"left": "left", "right": "right"}.get(stands.place, stands.align)  # type: ignore[assignment]
    symbol = symbol_in(
        code, place, module_mm=stands.module_mm, height_mm=stands.height_mm, align=align,
        at_bottom=stands.place == "bottom",
    )  # fmt: skip
    fields = content.fields | {"code": code.text}
    marks = [*set_rows(template.rows, fields, rows), symbol]
    marks += set_foot(template.foot, fields, _within(template))
    return Sheet(
        width_mm=template.width_mm,
        height_mm=template.height_mm,
        marks=tuple(marks),
        title=f"{content.kind} {content.name}",
    )


def _within(template: LabelTemplate) -> Area:
    """Return what the margins leave."""
    x_mm, y_mm = template.margin_x_mm, template.margin_y_mm
    return Area(x_mm, y_mm, template.width_mm - 2 * x_mm, template.height_mm - 2 * y_mm)


def _areas(template: LabelTemplate, *, is_linear: bool) -> tuple[Area, Area]:
    """Return where the code stands and where the rows do."""
    code, (x_mm, y_mm, width_mm, height_mm, *_) = template.code, _within(template)
    foot_mm = foot_height(template.foot)
    height_mm -= foot_mm
    below_mm = FOOT_GAP_MM if foot_mm else template.margin_y_mm
    beside = template.margin_x_mm
    if code.place in ("left", "right"):
        size_mm = min(code.size_mm, width_mm)
        is_left = code.place == "left"
        gap_mm = code.gap_mm if template.rows else width_mm - size_mm + beside
        depth_mm = min(height_mm, code.height_mm if is_linear else size_mm)
        place = Area(
            x_mm if is_left else x_mm + width_mm - size_mm, y_mm, size_mm, depth_mm,
            beside if is_left else gap_mm, gap_mm if is_left else beside,
            template.margin_y_mm, height_mm - depth_mm + below_mm,
        )  # fmt: skip
        taken_mm = size_mm + code.gap_mm
        rows = Area(x_mm + taken_mm if is_left else x_mm, y_mm, width_mm - taken_mm, height_mm)
        return place, rows
    depth_mm = code.height_mm if is_linear else code.size_mm
    is_top = code.place == "top"
    rows_mm = height_mm - depth_mm - code.gap_mm
    place = Area(
        x_mm, y_mm if is_top else y_mm + height_mm - depth_mm,
        width_mm if is_linear else min(width_mm, code.size_mm), depth_mm, beside, beside,
        template.margin_y_mm if is_top else code.gap_mm, code.gap_mm if is_top else below_mm,
    )  # fmt: skip
    if not is_linear:
        place = _aligned(place, code, width_mm)
    rows = Area(x_mm, y_mm + depth_mm + code.gap_mm if is_top else y_mm, width_mm, rows_mm)
    return place, rows


def _aligned(place: Area, code: Code, width_mm: float) -> Area:
    """Return a square's place at the left, in the middle or at the right of the width."""
    spare_mm = width_mm - place.width_mm
    before_mm = {"left": 0.0, "centre": spare_mm / 2, "right": spare_mm}[code.align]
    return place._replace(
        x_mm=place.x_mm + before_mm,
        before_mm=place.before_mm + before_mm,
        after_mm=place.after_mm + spare_mm - before_mm,
    )


def _row_height(row: Row, facts: int) -> float:
    line_mm = LINE * row.size_pt * MM_PER_PT
    if row.facts is None:
        return line_mm
    lines = -(-facts // row.columns)
    return lines * (_caption_height(row) + line_mm) + max(lines - 1, 0) * FACT_GAP_MM


def _caption_height(row: Row) -> float:
    if not any(fact.caption for fact in row.facts or ()):
        return 0.0
    return LINE * row.caption_pt * MM_PER_PT + CAPTION_GAP_MM


def _line(text: str, row: Row, area: Area, y_mm: float) -> Text:
    shift_mm = {"left": 0.0, "centre": area.width_mm / 2, "right": area.width_mm}[row.align]
    return Text(
        x_mm=area.x_mm + shift_mm,
        y_mm=y_mm + CAPITAL * row.size_pt * MM_PER_PT,
        text=text,
        size_pt=row.size_pt,
        bold=row.bold,
        align=row.align,
        width_mm=area.width_mm,
    )


def _facts(row: Row, facts: list[tuple[str, str]], area: Area, y_mm: float) -> list[Mark]:
    """Return facts in columns, line after line: a small caption, the value below it."""
    marks: list[Mark] = []
    width_mm = (area.width_mm - (row.columns - 1) * GUTTER_MM) / row.columns
    caption_mm = _caption_height(row)
    pitch_mm = caption_mm + LINE * row.size_pt * MM_PER_PT + FACT_GAP_MM
    for number, (caption, value) in enumerate(facts):
        cell = Area(
            area.x_mm + (number % row.columns) * (width_mm + GUTTER_MM), y_mm, width_mm, 0.0
        )
        top_mm = y_mm + (number // row.columns) * pitch_mm
        small = Row(text=caption, size_pt=row.caption_pt, align=row.align)
        if caption:
            marks.append(_line(caption, small, cell, top_mm))
        marks.append(_line(value, row, cell, top_mm + caption_mm))
    return marks

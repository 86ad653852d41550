"""Pages with several codes: the traveller of an order, and cards with commands and reasons.

Codes stand so far apart that a hand scanner cannot catch the neighbour; the one that closes an
order stands alone in a box at the foot of its page. Sizes and words come from the templates.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.errors import InputError
from mes_terminal.printing.contents import Content, encoded
from mes_terminal.printing.layout import (
    CAPITAL,
    LINE,
    LINEAR,
    MM_PER_PT,
    Area,
    LayoutError,
    check_widths,
    foot_height,
    rows_height,
    set_foot,
    set_rows,
    symbol_in,
    told,
)
from mes_terminal.printing.page import Box, Line, Mark, Sheet, Text
from mes_terminal.printing.templates import (
    MODULE_MIN_MM,
    CardTemplate,
    PageTemplate,
    TravellerTemplate,
    filled,
)

APART_MM: Final = 16.0
"""White between a code's words and the next code's name below: only one is in a scanner's sight."""
COLUMN_GAP_MM: Final = 12.0
BARS_MIN_MM: Final = 0.19
"""Pages come from office printers, which print long codes finer than label printers can."""
COLUMN_MIN_MM: Final = 50.0
"""Room for the bars of an ordinary operation."""
INSET_MM: Final = 6.0
"""White within the box of the closing code, and around rules."""
NAME_GAP_MM: Final = 2.0
TELL_GAP_MM: Final = 1.6
WHITE_MM: Final = 4.0
"""White above and below a square code, which needs it."""
LINE_PITCH: Final = 1.75
"""From one line of a table to the next, in parts of the size."""
LINES_MIN: Final = 3
"""Lines of components for which the first page must have room."""
ROWS_FIRST: Final = 2
"""Rows of operations on the first page at most; the others are on the next."""


class TravellerFacts(Struct, frozen=True, kw_only=True):
    """What a traveller says; texts as they are shown."""

    work_order: str
    item: str
    description: str
    quantity: str
    uom: str
    due: str
    operations: Sequence[tuple[str, str]] = ()
    """Operation and what is done."""
    components: Sequence[tuple[str, str, str, str]] = ()
    """Line, component, quantity with unit, location."""
    place: str = ""
    prefix: str = "%"
    """What begins a command."""


TRAVELLER_FIELDS: Final = (
    "work_order", "item", "description", "quantity", "uom", "due", "place",
)  # fmt: skip
"""What the head of a traveller may name."""


class Card(Struct, frozen=True):
    """One code of a card: what it is called, what it does, what is scanned."""

    name: str
    meaning: str
    code: str


def traveller(facts: TravellerFacts, template: TravellerTemplate, where: str = "") -> list[Sheet]:
    """Return the pages of an order: START on top, the closing code boxed at the foot.

    Raises `InputError`; `where` begins its sentence.
    """
    try:
        return list(_traveller(facts, template))
    except InputError as error:
        raise told(error, where) from error


def cards(
    title: str, codes: Iterable[Card], place: str, template: CardTemplate, where: str = ""
) -> list[Sheet]:
    """Return pages of codes beside each other. Raises `InputError`."""
    try:
        return list(_pages_of(title, list(codes), place, template, template.columns))
    except InputError as error:
        raise told(error, where) from error


def check_pages(template: TravellerTemplate | CardTemplate) -> None:
    """Raise `LayoutError` where not even ordinary codes have room on the page."""
    page = _inner(template)
    head = template.rows if isinstance(template, TravellerTemplate) else ()
    check_widths(head, template.foot, (page.width_mm - COLUMN_GAP_MM) / 2, page.width_mm)
    if isinstance(template, CardTemplate):
        card = Card("UNMOUNT", template.words.unmount, "%UNMOUNT")
        list(_pages_of(template.words.title, [card], "LINE", template, template.columns))
        return
    operations = [(str(number), "What is done") for number in (10, 20, 30, 40)]
    facts = TravellerFacts(
        work_order="WO-1001", item="ITEM-1", description="What it is", quantity="100", uom="pcs",
        due="2030-12-31", operations=operations, place="LINE",
        components=[("10", "PART-1", "400 pcs", "LINE")] * LINES_MIN,
    )  # fmt: skip
    list(_traveller(facts, template))


def _traveller(facts: TravellerFacts, template: TravellerTemplate) -> Iterator[Sheet]:
    page, words = _inner(template), template.words
    fields = {name: getattr(facts, name) for name in TRAVELLER_FIELDS}
    title = filled(words.title, fields)
    columns = min(2, int((page.width_mm + COLUMN_GAP_MM) // (COLUMN_MIN_MM + COLUMN_GAP_MM))) or 1
    marks, y_mm = _head_of(facts, template, fields)
    box_mm = _block(template) + 2 * INSET_MM
    box = page._replace(y_mm=_bottom(template) - box_mm, height_mm=box_mm)
    rows = _rows_first(len(facts.operations), columns, template, box.y_mm - y_mm)
    first = facts.operations[: rows * columns]
    cells = [_operation(facts, *operation) for operation in first]
    marks += _cells(cells, template, page._replace(y_mm=y_mm), columns)
    y_mm += rows * _pitch(template)
    room = _lines_in(box.y_mm - y_mm, template)
    fits = len(facts.components) <= room
    shown = list(facts.components if fits else facts.components[: room - 1])
    rest = list(facts.components[len(shown) :])
    marks += _table(shown, template, y_mm)
    if rest:
        text = filled(words.more, {"count": str(len(rest))})
        marks.append(_text(text, page.x_mm, box.y_mm - INSET_MM / 2, template.size_pt * 0.85))
    marks += _closing(facts, template, box)
    yield _page(title, facts.place, marks, template)
    yield from _more_lines(title, rest, facts.place, template)
    further = [_operation(facts, *operation) for operation in facts.operations[len(first) :]]
    yield from _pages_of(title, further, facts.place, template, columns)


def _rows_first(count: int, columns: int, template: TravellerTemplate, high_mm: float) -> int:
    """Return how many rows of operations leave room for a few lines of components."""
    for rows in range(min(ROWS_FIRST, -(-count // columns)), -1, -1):
        if _lines_in(high_mm - rows * _pitch(template), template) >= LINES_MIN:
            return rows
    raise LayoutError(
        "height_mm",
        "The head and the closing code leave no room for components. Make the page higher or the "
        "sizes smaller.",
    )


def _lines_in(high_mm: float, template: TravellerTemplate) -> int:
    """Return how many lines of components have room above the closing code."""
    return int((high_mm - INSET_MM) / _line_mm(template)) - 1


def _head_of(
    facts: TravellerFacts, template: TravellerTemplate, fields: dict[str, str]
) -> tuple[list[Mark], float]:
    """Return the head with its rule, and where what follows begins."""
    page = _inner(template)
    left = page._replace(width_mm=(page.width_mm - COLUMN_GAP_MM) / 2)
    right = _right_of(page)
    marks = set_rows(template.rows, fields, left)
    start = Card(template.words.start, "", f"{facts.prefix}START {facts.work_order}")
    marks += _code(start, template, right)
    deep_mm = max(rows_height(template.rows), _block(template)) + INSET_MM
    y_mm = page.y_mm + deep_mm
    marks.append(_rule(page, y_mm))
    return marks, y_mm + INSET_MM


def _operation(facts: TravellerFacts, operation: str, description: str) -> Card:
    return Card(
        f"{operation}  {description}", "", f"{facts.prefix}OP {operation} {facts.work_order}"
    )


def _pages_of(
    title: str, waiting: list[Card], place: str, template: PageTemplate, columns: int
) -> Iterator[Sheet]:
    """Yield pages of codes with a title."""
    page = _inner(template)
    head, y_mm = _title(title, template)
    rows = int((_bottom(template) + APART_MM - y_mm) // _pitch(template))
    if waiting and rows < 1:
        raise LayoutError("height_mm", "There is no room for a code. Make the page higher.")
    for at in range(0, len(waiting), columns * max(rows, 1)):
        part = waiting[at : at + columns * rows]
        cells = _cells(part, template, page._replace(y_mm=y_mm), columns)
        yield _page(title, place, [*head, *cells], template)


def _cells(
    codes: Sequence[Card], template: PageTemplate, area: Area, columns: int
) -> Iterator[Mark]:
    width_mm = (area.width_mm - (columns - 1) * COLUMN_GAP_MM) / columns
    for number, card in enumerate(codes):
        x_mm = area.x_mm + (number % columns) * (width_mm + COLUMN_GAP_MM)
        y_mm = area.y_mm + (number // columns) * _pitch(template)
        yield from _code(card, template, Area(x_mm, y_mm, width_mm, 0.0))


def _code(card: Card, template: PageTemplate, area: Area) -> list[Mark]:
    """Return a code with its name above and its text below."""
    name_mm = CAPITAL * template.name_pt * MM_PER_PT
    above_mm, below_mm = _gaps(template)
    top_mm = area.y_mm + name_mm + above_mm
    high_mm = _code_height(template)
    tell_pt = template.size_pt * 0.9
    tell_mm = top_mm + high_mm + below_mm + CAPITAL * tell_pt * MM_PER_PT
    place = area._replace(y_mm=top_mm, height_mm=high_mm, before_mm=template.margin_x_mm)
    return [
        _text(
            card.name, area.x_mm, area.y_mm + name_mm, template.name_pt, area.width_mm, bold=True
        ),
        _symbol(card, template, place),
        _text(f"{card.code}   {card.meaning}".rstrip(), area.x_mm, tell_mm, tell_pt, area.width_mm),
    ]


def _symbol(card: Card, template: PageTemplate, place: Area) -> Mark:
    """Return the code in the first symbology that can carry it there. Raises `InputError`."""
    content = Content(kind="", name=card.code, fields={}, plain=card.code)
    problem: InputError | None = None
    for symbology in template.code.symbology:
        white = place._replace(before_mm=min(place.before_mm, COLUMN_GAP_MM / 2))
        if symbology not in LINEAR:
            side_mm = min(template.code.size_mm, place.width_mm)
            around = {"above_mm": WHITE_MM, "below_mm": WHITE_MM}
            after_mm = place.width_mm - side_mm
            white = white._replace(
                width_mm=side_mm, height_mm=template.code.size_mm, after_mm=after_mm, **around
            )
        try:
            return symbol_in(
                encoded(content, symbology, ""), white,
                module_mm=template.code.module_mm if symbology in LINEAR else None,
                height_mm=template.code.height_mm,
                finest_mm=BARS_MIN_MM if symbology in LINEAR else MODULE_MIN_MM,
            )  # fmt: skip
        except InputError as error:
            problem = error
    assert problem is not None
    raise problem


def _closing(facts: TravellerFacts, template: TravellerTemplate, box: Area) -> list[Mark]:
    """Return the code that closes the order, alone in a box."""
    words, x_mm = template.words, box.x_mm + INSET_MM
    right = _right_of(box)
    wide_mm = right.x_mm - x_mm - INSET_MM
    ask_pt, tell_pt = template.name_pt * 1.45, template.size_pt
    y_mm = box.y_mm + INSET_MM + CAPITAL * ask_pt * MM_PER_PT
    tell_mm = LINE_PITCH * tell_pt * MM_PER_PT * 0.9
    inner = right._replace(y_mm=box.y_mm + INSET_MM, width_mm=right.width_mm - INSET_MM)
    return [
        Box(x_mm=box.x_mm, y_mm=box.y_mm, width_mm=box.width_mm, height_mm=box.height_mm,
            stroke_mm=0.8),
        _text(words.ask, x_mm, y_mm, ask_pt, wide_mm, bold=True),
        _text(words.tell, x_mm, y_mm + 1.4 * tell_mm, tell_pt, wide_mm),
        _text(words.then, x_mm, y_mm + 2.4 * tell_mm, tell_pt, wide_mm),
        *_code(Card(words.close, "", facts.work_order), template, inner),
    ]  # fmt: skip


def _table(
    lines: Sequence[tuple[str, str, str, str]], template: TravellerTemplate, y_mm: float
) -> Iterator[Mark]:
    """Yield a table of components."""
    if not lines:
        return
    page, words, size_pt = _inner(template), template.words, template.size_pt
    pitch_mm = _line_mm(template)
    x_mm, wide_mm = page.x_mm, page.width_mm
    columns = (x_mm, x_mm + 0.12 * wide_mm, x_mm + 0.74 * wide_mm, x_mm + 0.78 * wide_mm)
    y_mm += CAPITAL * size_pt * MM_PER_PT
    captions = (words.line, words.component, words.quantity, words.supply)
    widths = [0.11 * wide_mm, 0.4 * wide_mm, 0.2 * wide_mm, 0.22 * wide_mm]
    for row in [captions, *lines]:
        is_head = row is captions
        pt = size_pt * 0.85 if is_head else size_pt
        if not is_head:
            yield _rule(page, y_mm - 0.72 * pitch_mm, 0.1)
        for number, (at_mm, text, width_mm) in enumerate(zip(columns, row, widths, strict=True)):
            yield Text(
                x_mm=at_mm, y_mm=y_mm, text=text, size_pt=pt, bold=number == 1 and not is_head,
                align="right" if number == 2 else "left", width_mm=width_mm,
            )  # fmt: skip
        y_mm += pitch_mm


def _more_lines(
    title: str, lines: Sequence[tuple[str, str, str, str]], place: str, template: TravellerTemplate
) -> Iterator[Sheet]:
    head, y_mm = _title(title, template)
    a_page = max(1, int((_bottom(template) - y_mm) / _line_mm(template)) - 1)
    for at in range(0, len(lines), a_page):
        part = lines[at : at + a_page]
        yield _page(title, place, [*head, *_table(part, template, y_mm)], template)


def _title(title: str, template: PageTemplate) -> tuple[list[Mark], float]:
    """Return the head of a page with its rule, and where what follows begins."""
    page = _inner(template)
    high_mm = CAPITAL * template.title_pt * MM_PER_PT
    y_mm = page.y_mm + high_mm + INSET_MM
    name = _text(title, page.x_mm, page.y_mm + high_mm, template.title_pt, page.width_mm, bold=True)
    return [name, _rule(page, y_mm)], y_mm + INSET_MM


def _inner(template: PageTemplate) -> Area:
    x_mm, y_mm = template.margin_x_mm, template.margin_y_mm
    return Area(x_mm, y_mm, template.width_mm - 2 * x_mm, template.height_mm - 2 * y_mm)


def _right_of(page: Area) -> Area:
    """Return the right half, from its top."""
    shift_mm = (page.width_mm + COLUMN_GAP_MM) / 2
    return page._replace(x_mm=page.x_mm + shift_mm, width_mm=page.width_mm - shift_mm)


def _bottom(template: PageTemplate) -> float:
    """Return where the foot begins."""
    return template.height_mm - template.margin_y_mm - foot_height(template.foot) - INSET_MM / 2


def _code_height(template: PageTemplate) -> float:
    """Return what a code takes; the higher one where both kinds may come."""
    code = template.code
    return max(code.height_mm if name in LINEAR else code.size_mm for name in code.symbology)


def _block(template: PageTemplate) -> float:
    """Return the height of a code with its name and its text."""
    texts_mm = CAPITAL * template.name_pt * MM_PER_PT + LINE * template.size_pt * MM_PER_PT
    return texts_mm + sum(_gaps(template)) + _code_height(template)


def _gaps(template: PageTemplate) -> tuple[float, float]:
    """Return the white between a code and its name above, and its text below."""
    if all(symbology in LINEAR for symbology in template.code.symbology):
        return NAME_GAP_MM, TELL_GAP_MM
    return WHITE_MM, WHITE_MM


def _pitch(template: PageTemplate) -> float:
    return _block(template) + APART_MM * 0.75


def _line_mm(template: PageTemplate) -> float:
    return LINE_PITCH * template.size_pt * MM_PER_PT


def _text(
    text: str, x_mm: float, y_mm: float, size_pt: float, width_mm: float | None = None, *,
    bold: bool = False,
) -> Text:  # fmt: skip
    return Text(x_mm=x_mm, y_mm=y_mm, text=text, size_pt=size_pt, width_mm=width_mm, bold=bold)


def _rule(page: Area, y_mm: float, stroke_mm: float = 0.6) -> Line:
    right_mm = page.x_mm + page.width_mm
    return Line(x1_mm=page.x_mm, y1_mm=y_mm, x2_mm=right_mm, y2_mm=y_mm, stroke_mm=stroke_mm)


def _page(title: str, place: str, marks: Iterable[Mark], template: PageTemplate) -> Sheet:
    foot = set_foot(template.foot, {"title": title, "place": place}, _inner(template))
    return Sheet(
        width_mm=template.width_mm,
        height_mm=template.height_mm,
        marks=(*marks, *foot),
        title=title,
    )

"""Pages of A4: the traveller of an order, and cards with commands and reasons.

Codes stand so far apart that a hand scanner cannot catch the neighbour; the one that closes an
order stands alone in a box at the foot of its page.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.printing.labels import bars
from mes_terminal.printing.page import Box, Line, Mark, Sheet, Text
from mes_terminal.printing.symbols import code_128

WIDTH_MM: Final = 210.0
HEIGHT_MM: Final = 297.0
MARGIN_MM: Final = 15.0
RIGHT_MM: Final = WIDTH_MM - MARGIN_MM
INNER_MM: Final = RIGHT_MM - MARGIN_MM
MODULE_MM: Final = 0.38
"""15 mil: read at arm's length."""
LINES_MAX: Final = 24
"""Components that the first page of a traveller has room for."""
LINES_A_PAGE: Final = 40
OPERATIONS_MAX: Final = 4
CARD_ROWS: Final = 7
CARD_ROW_MM: Final = 34.0
CARD_COLUMN_MM: Final = 92.0


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


class Card(Struct, frozen=True):
    """One code of a card: what it is called, what it does, what is scanned."""

    name: str
    meaning: str
    code: str


def traveller(facts: TravellerFacts) -> list[Sheet]:
    """Return the pages of an order: START on top, the closing code boxed at the foot."""
    title = f"Traveller {facts.work_order}"
    first = list(
        facts.components[: LINES_MAX - 8 * min(len(facts.operations), OPERATIONS_MAX) // 2]
    )
    rest = list(facts.components[len(first) :])
    marks: list[Mark] = [
        Text(x_mm=MARGIN_MM, y_mm=22, text=facts.work_order, size_pt=30, bold=True, width_mm=95),
        Text(x_mm=MARGIN_MM, y_mm=32, text=facts.item, size_pt=16, bold=True, width_mm=95),
        Text(x_mm=MARGIN_MM, y_mm=38.5, text=facts.description, size_pt=10, width_mm=95),
        *_big(MARGIN_MM, "Quantity", f"{facts.quantity} {facts.uom}"),
        *_big(MARGIN_MM + 50, "Due", facts.due or "no date"),
        *_code(112, 13, 83, "Start", f"%START {facts.work_order}"),
        Line(x1_mm=MARGIN_MM, y1_mm=60, x2_mm=RIGHT_MM, y2_mm=60, stroke_mm=0.6),
    ]
    y_mm = 66.0
    for number, (operation, description) in enumerate(facts.operations[:OPERATIONS_MAX]):
        x_mm = MARGIN_MM + (number % 2) * CARD_COLUMN_MM
        code = f"%OP {operation} {facts.work_order}"
        marks += _code(x_mm, y_mm, 84, f"{operation}  {description}", code, height_mm=11)
        y_mm += 30 if number % 2 or number == len(facts.operations) - 1 else 0
    marks += _table(first, y_mm + 4)
    if rest:
        marks.append(_small(MARGIN_MM, 243, f"{len(rest)} more components on the next page"))
    marks += _closing(facts)
    marks += _foot(title, facts.place)
    return [_page(title, marks), *_further(title, rest, facts.place)]


def cards(title: str, codes: Iterable[Card], place: str) -> list[Sheet]:
    """Return pages of codes, two beside each other."""
    waiting = list(codes)
    a_page = 2 * CARD_ROWS
    return [
        _page(title, [*_head(title), *_cells(waiting[at : at + a_page]), *_foot(title, place)])
        for at in range(0, len(waiting), a_page)
    ]


def _cells(codes: Sequence[Card]) -> Iterator[Mark]:
    for number, card in enumerate(codes):
        x_mm = MARGIN_MM + (number % 2) * CARD_COLUMN_MM
        y_mm = 34 + (number // 2) * CARD_ROW_MM
        yield from _code(x_mm, y_mm, 84, card.name, card.code, meaning=card.meaning, height_mm=12)


def _code(
    x_mm: float, y_mm: float, width_mm: float, name: str, code: str, *, meaning: str = "",
    height_mm: float = 16,
) -> list[Mark]:  # fmt: skip
    """Return a code with its name above and its text below."""
    return [
        Text(x_mm=x_mm, y_mm=y_mm + 3.5, text=name, size_pt=11, bold=True, width_mm=width_mm),
        bars(code_128(code), x_mm, y_mm + 6, width_mm, height_mm, MODULE_MM),
        Text(
            x_mm=x_mm, y_mm=y_mm + height_mm + 9.8, text=f"{code}   {meaning}".rstrip(), size_pt=8,
            width_mm=width_mm,
        ),
    ]  # fmt: skip


def _closing(facts: TravellerFacts) -> list[Mark]:
    """Return the code that closes the order, alone in a box."""
    return [
        Box(x_mm=MARGIN_MM, y_mm=249, width_mm=INNER_MM, height_mm=32, stroke_mm=0.8),
        Text(x_mm=MARGIN_MM + 6, y_mm=259, text="All made?", size_pt=16, bold=True),
        Text(
            x_mm=MARGIN_MM + 6, y_mm=266, text="Scan this once: it closes the order and", size_pt=9
        ),
        Text(x_mm=MARGIN_MM + 6, y_mm=271, text="takes every component from its lot.", size_pt=9),
        *_code(112, 252.5, 78, "Close", facts.work_order, height_mm=14),
    ]


def _table(lines: Sequence[tuple[str, str, str, str]], y_mm: float) -> Iterator[Mark]:
    """Yield a table of components."""
    if not lines:
        return
    columns = (MARGIN_MM, MARGIN_MM + 22, MARGIN_MM + 148, MARGIN_MM + 154)
    for x_mm, caption in zip(columns, ("Line", "Component", "Quantity", "From"), strict=True):
        is_number = caption == "Quantity"
        yield Text(
            x_mm=x_mm, y_mm=y_mm, text=caption, size_pt=7.5, align="right" if is_number else "left"
        )
    for row in lines:
        y_mm += 5.6
        yield Line(x1_mm=MARGIN_MM, y1_mm=y_mm - 4, x2_mm=RIGHT_MM, y2_mm=y_mm - 4, stroke_mm=0.1)
        line, component, quantity, location = row
        yield Text(x_mm=columns[0], y_mm=y_mm, text=line, size_pt=9, width_mm=20)
        yield Text(x_mm=columns[1], y_mm=y_mm, text=component, size_pt=9, bold=True, width_mm=90)
        yield Text(x_mm=columns[2], y_mm=y_mm, text=quantity, size_pt=9, align="right", width_mm=34)
        yield Text(x_mm=columns[3], y_mm=y_mm, text=location, size_pt=9, width_mm=26)


def _further(title: str, lines: Sequence[tuple[str, str, str, str]], place: str) -> Iterator[Sheet]:
    for at in range(0, len(lines), LINES_A_PAGE):
        part = lines[at : at + LINES_A_PAGE]
        yield _page(title, [*_head(title), *_table(part, 36), *_foot(title, place)])


def _big(x_mm: float, caption: str, value: str) -> list[Mark]:
    return [
        _small(x_mm, 45, caption),
        Text(x_mm=x_mm, y_mm=54, text=value, size_pt=20, bold=True, width_mm=46),
    ]


def _small(x_mm: float, y_mm: float, text: str) -> Text:
    return Text(x_mm=x_mm, y_mm=y_mm, text=text, size_pt=7.5)


def _head(title: str) -> list[Mark]:
    return [
        Text(x_mm=MARGIN_MM, y_mm=22, text=title, size_pt=22, bold=True, width_mm=INNER_MM),
        Line(x1_mm=MARGIN_MM, y1_mm=27, x2_mm=RIGHT_MM, y2_mm=27, stroke_mm=0.6),
    ]


def _foot(title: str, place: str) -> list[Mark]:
    return [
        Text(x_mm=MARGIN_MM, y_mm=288, text=title, size_pt=7, width_mm=90),
        Text(x_mm=RIGHT_MM, y_mm=288, text=place, size_pt=7, align="right", width_mm=80),
    ]


def _page(title: str, marks: Iterable[Mark]) -> Sheet:
    return Sheet(width_mm=WIDTH_MM, height_mm=HEIGHT_MM, marks=tuple(marks), title=title)

"""The section of the open exceptions of all stations, as the site has them. Read only.

Pure: a description for `list_page`. Where the site is away the core lists those of this station
and says so; the head line and the story pass it on.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.domain.delivery import SiteException
from mes_terminal.tui.present_exceptions import kind_text
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.section import (
    Action,
    Cell,
    Detail,
    Details,
    Go,
    Head,
    Line,
    Section,
)
from mes_terminal.tui.telling import Telling

NAME: Final = "all_stations"
SENTENCE_MAX_COLUMNS: Final = 300
CAUSE_MAX_COLUMNS: Final = 400


class State(Struct, frozen=True):
    """How the list was come by."""

    count: int
    more: bool = False
    trouble: str | None = None


def line(row: SiteException, telling: Telling) -> Line:
    """Return the line of an exception, its station first."""
    return Line(
        left=[
            Cell(safe(row.station, 24), 14, "strong"),
            Cell(kind_text(row.kind, telling.words), 20),
            Cell(safe(row.work_order or "", 16), 14, wide=True),
            Cell(safe(row.item or row.cause or "", 32)),
        ],
        right=[
            Cell(_quantity(row, telling), 8),
            Cell(telling.moment(row.opened_at), 8, "muted"),
        ],
    )


def columns(telling: Telling) -> Line:
    """Return the names of the columns."""
    told = telling.words.sections[NAME].told
    return Line(
        left=[
            Cell(told["column_station"], 14),
            Cell(told["column_kind"], 20),
            Cell(told["column_order"], 14, wide=True),
            Cell(told["column_what"]),
        ],
        right=[Cell(told["column_quantity"], 8), Cell(told["column_since"], 8)],
    )


def story(row: SiteException, details: Details, telling: Telling) -> list[Piece]:
    """Return what is known of it here, in sentences, and where it is ended."""
    told, desk = telling.words.sections[NAME].told, telling.words.desk
    names = {
        "station": safe(row.station, 24),
        "kind": kind_text(row.kind, telling.words),
        "id": "" if row.id is None else str(row.id),
        "item": safe(row.item or "", 32),
        "lot": safe(row.lot or "", 32),
        "quantity": _quantity(row, telling),
        "order": safe(row.work_order or "", 32),
        "line": safe(row.line or "", 16),
    }
    pieces = [*_state(details, telling), Piece(told["what"].format(**names), "strong")]
    happened = desk.happened.get(row.kind, "")
    if all(names[name] for name in ("item", "lot", "quantity") if f"{{{name}}}" in happened):
        pieces.append(Piece(happened.format(**names)))
    elif row.item:
        pieces.append(Piece(told["of_lot" if row.lot else "of_item"].format(**names)))
    facts = []
    if row.opened_at:
        at, age = telling.time(row.opened_at), telling.age(row.opened_at)
        facts.append(desk.opened.format(time=at, age=age))
    if row.work_order:
        facts.append((desk.order_line if row.line else desk.order).format(**names))
    if row.cause:
        known = desk.causes.get(row.cause) or safe(row.cause, CAUSE_MAX_COLUMNS)
        facts.append(desk.cause.format(cause=known.removesuffix(".")))
    if names["quantity"] and row.item:
        facts.append(desk.still_open.format(**names))
    pieces += [Piece(" ".join(facts))] if facts else []
    number = Piece(told["number" if row.id is not None else "no_number"].format(**names), "muted")
    return [*pieces, Piece(""), number]


def head(state: State, telling: Telling) -> Sequence[str]:
    """Return that the site is away, or that it has more."""
    told = telling.words.sections[NAME].told
    if state.trouble is not None:
        return [told["head_away"]]
    return [told["head_more"]] if state.more else []


def empty(state: State | None, telling: Telling) -> str:
    """Return that nothing is open, or that only this station is known to have nothing open."""
    section = telling.words.sections[NAME]
    if state is None or state.trouble is None:
        return section.empty
    return section.told["empty_away"].format(text=safe(state.trouble, SENTENCE_MAX_COLUMNS))


def _state(details: Details, telling: Telling) -> list[Piece]:
    """Return why these are not all, where they are not."""
    (state,) = details.get("state") or [None]
    if state is None:
        return []
    said = telling.words.sections[NAME].told
    if state.trouble is not None:
        told = [Piece(said["away"], "alert"),
                Piece(safe(state.trouble, SENTENCE_MAX_COLUMNS), "muted")]  # fmt: skip
    else:
        told = [Piece(said["more"], "alert")] if state.more else []
    return [*told, Piece("")] if told else []


def _quantity(row: SiteException, telling: Telling) -> str:
    return telling.number(safe(row.quantity, 16)) if row.quantity is not None else ""


def _to_exceptions(_row: SiteException | None, _details: Details, _telling: Telling) -> Go:
    return Go("exceptions")


ALL_STATIONS: Final = Section(
    name=NAME,
    list_name="site_exceptions",
    count_list="site_exceptions_count",
    head=Head("site_exceptions_count", State, head),
    empty=empty,
    row=SiteException,
    key=lambda row: row.key,
    line=line,
    columns=columns,
    story=story,
    details=(
        Detail(name="state", list_name="site_exceptions_count", params=lambda _: {}, kind=State),
    ),
    takes={
        "order": str,
        "item": str,
        "lot": lambda key: key.partition("|")[2] or key,
        "container": lambda key: key.partition("|")[2] or key,
    },
    actions=(Action(key="e", name="exceptions", form=_to_exceptions, needs_row=False),),
)

"""What accepted postings write into the site's ledger, summed up for a whole batch. Pure.

Rows are keyed by names; `ledger` gives them their ids and writes each table in one statement.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from msgspec import Struct, field

from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.site.effects import net_effects
from mes_terminal.site.reading import (
    NAME_MAX,
    SEQUENCE_MAX,
    Actual,
    Posting,
    Told,
    is_name,
)


class MaterialKey(NamedTuple):
    """A lot, a serial, the nameless stock of an item, or what is in an order (BF-37)."""

    item: str
    lot: str = ""
    serial: str = ""
    work_order: str = ""


class Booked(Struct, frozen=True, kw_only=True):
    """An accepted posting on its way into the ledger."""

    posting: Posting
    posting_id: int
    source_id: int
    epoch_id: int
    reopens: bool
    """It takes back a report that had closed its order."""
    made: list[tuple[MaterialKey, int]]
    """What the report that it is about made, if it makes nothing itself."""


class MovementLine(NamedTuple):
    """A row of the ledger."""

    posting_id: int
    line_no: int
    material: MaterialKey
    location: str
    quantity_micro: int
    use: str
    order_line: str | None


class OrderChange(Struct):
    """What a batch says of an order."""

    item: str | None = None
    finals: int = 0
    last_at: str = ""


class UnitMade(Struct):
    """What a batch says of a serial that was completed, or taken back."""

    work_order: str | None
    made_micro: int
    made_at: str
    posting_id: int


class ExceptionChange(NamedTuple):
    """What a posting says of an exception of its station."""

    source_id: int
    exception_id: int | None
    kind: str
    work_order: str | None
    line: str | None
    item: str | None
    lot: str | None
    about: str | None
    delta_micro: int | None
    opened: int
    ended: int
    at: str


class Rows(Struct):
    """Everything that a batch writes."""

    uoms: dict[str, str] = field(default_factory=dict)
    movements: list[MovementLine] = field(default_factory=list)
    balances: dict[tuple[MaterialKey, str], int] = field(default_factory=dict)
    writers: dict[tuple[str, int], int] = field(default_factory=dict)
    orders: dict[str, OrderChange] = field(default_factory=dict)
    parts: dict[tuple[str, int], list[int]] = field(default_factory=dict)
    units: dict[tuple[MaterialKey, int], UnitMade] = field(default_factory=dict)
    edges: dict[tuple[MaterialKey, MaterialKey, int, str], list[int | str]] = field(
        default_factory=dict
    )
    exceptions: list[ExceptionChange] = field(default_factory=list)
    people: dict[tuple[int, str], str] = field(default_factory=dict)
    statuses: dict[MaterialKey, tuple[str, str]] = field(default_factory=dict)
    settled: dict[int, tuple[str, str]] = field(default_factory=dict)
    """Conflicts that a person at a station has seen to: by whom, and how."""

    def materials(self) -> set[MaterialKey]:
        """Every material that a row names."""
        found = {line.material for line in self.movements}
        for child, parent, _, _ in self.edges:
            found |= {child, parent}
        return found | {key for key, _ in self.units} | set(self.statuses)


_CONFLICT: Final = re.compile(r"conflict:(\d{1,18})", re.ASCII)
CERTAINTY_ORDER: Final = ("exact", "sole", "assumed", "pooled", "unknown")
NOTHING_TO_EDGE: Final = frozenset({"material.received", "material.moved", "stock.adjusted"})


def rows_of(batch: Iterable[Booked], items: dict[str, str]) -> Rows:
    """Return what a batch writes; `items` are the products of the orders it names, as known."""
    rows = Rows()
    for each in batch:
        _stock(rows, each)
        _order(rows, each, items)
        _edges(rows, each)
        _exceptions(rows, each)
        _people_and_lots(rows, each)
    return rows


def made_by(posting: Posting) -> list[tuple[MaterialKey, int]]:
    """Return what a report made, as genealogy names it, with how much (its sign left out)."""
    found: dict[MaterialKey, int] = {}
    for each in posting.data.material_actuals:
        if each.use == "Produced":
            key = node_of(each, posting.data.work_order)
            found[key] = found.get(key, 0) + abs(parse_quantity(each.quantity))
    return list(found.items())


def node_of(actual: Actual, work_order: str | None) -> MaterialKey:
    """Return what was made as genealogy names it: without lot and serial it is the order's."""
    if actual.lot or actual.serial or not work_order:
        return MaterialKey(actual.item, actual.lot or "", actual.serial or "")
    return MaterialKey("", work_order=work_order)


def _stock(rows: Rows, booked: Booked) -> None:
    actuals = booked.posting.data.material_actuals
    for each in actuals:
        rows.uoms.setdefault(each.item, each.uom)
    for number, effect in enumerate(net_effects(actuals)):
        actual = actuals[effect.actual]
        key = MaterialKey(effect.item, effect.lot, effect.serial)
        rows.movements.append(
            MovementLine(booked.posting_id, number, key, effect.location, effect.quantity_micro,
                         actual.use, actual.order_line)
        )  # fmt: skip
        place = (key, effect.location)
        rows.balances[place] = rows.balances.get(place, 0) + effect.quantity_micro
        rows.writers.setdefault((effect.location, booked.source_id), booked.posting_id)


def _order(rows: Rows, booked: Booked, items: dict[str, str]) -> None:
    posting = booked.posting
    data, name = posting.data, posting.data.work_order
    if name is None or posting.report_id is None:
        return
    order = rows.orders.setdefault(name, OrderChange())
    order.last_at = max(order.last_at, posting.event_time)
    order.finals += int(data.final) - int(booked.reopens)
    made = [each for each in data.material_actuals if each.use == "Produced"]
    if made:
        order.item = items.setdefault(name, made[0].item)
    good = sum(parse_quantity(each.quantity) for each in made if each.item == order.item)
    part = rows.parts.setdefault((name, booked.epoch_id), [0, 0])
    part[0] += good
    part[1] += parse_quantity(data.scrapped_quantity)
    for each in made:
        if each.serial is None:
            continue
        key = (MaterialKey(each.item, each.lot or "", each.serial), booked.epoch_id)
        unit = rows.units.setdefault(key, UnitMade(name, 0, "", booked.posting_id))
        unit.made_micro += parse_quantity(each.quantity)
        unit.made_at = max(unit.made_at, posting.event_time)
        unit.posting_id = booked.posting_id


def _edges(rows: Rows, booked: Booked) -> None:
    """Link what was consumed with what it went into.

    A report's components go into what it made, each product of one item in the order told. What no
    report has yet (issues by hand, operations) is in the order, and what the order makes has it.
    """
    posting = booked.posting
    data = posting.data
    if posting.kind in NOTHING_TO_EDGE:
        return
    made = made_by(posting)
    node = MaterialKey("", work_order=data.work_order) if data.work_order else None
    for actual in data.material_actuals:
        if actual.use == "Produced" and (actual.lot or actual.serial) and node is not None:
            child = node_of(actual, data.work_order)
            _link(rows, child, node, booked, "", parse_quantity(actual.quantity), "pooled")
    children = made or booked.made or ([(node, 1)] if node is not None else [])
    for actual in data.material_actuals:
        if actual.use == "Consumed" and actual.certainty is not None:
            parent = MaterialKey(actual.item, actual.lot or "", actual.serial or "")
            for child, share in _shares(actual, children):
                _link(rows, child, parent, booked, actual.order_line or "", share,
                      actual.certainty)  # fmt: skip


def _shares(
    actual: Actual, children: list[tuple[MaterialKey, int]]
) -> Iterator[tuple[MaterialKey, int]]:
    """Yield what of a component each product has: of one item they share it, and each other item
    has all of it once more (BF-30)."""
    micro = parse_quantity(actual.quantity)
    totals: dict[str, int] = {}
    for child, weight in children:
        totals[child.item] = totals.get(child.item, 0) + weight
    before: dict[str, int] = {}
    for child, weight in children:
        first = before.get(child.item, 0)
        before[child.item] = first + weight
        total = totals[child.item] or 1
        share = micro * (first + weight) // total - micro * first // total
        if share:
            yield child, share


def _link(
    rows: Rows,
    child: MaterialKey,
    parent: MaterialKey,
    booked: Booked,
    order_line: str,
    micro: int,
    certainty: str,
) -> None:
    if child == parent or not micro:
        return
    edge = rows.edges.setdefault((child, parent, booked.posting_id, order_line), [0, certainty])
    edge[0] = int(edge[0]) + micro
    edge[1] = max(str(edge[1]), certainty, key=CERTAINTY_ORDER.index)


def _exceptions(rows: Rows, booked: Booked) -> None:
    posting = booked.posting
    data = posting.data
    if posting.kind == "exception.opened" and not data.exceptions:
        rows.exceptions.append(_from_fact(booked))
        return
    ends = posting.kind == "exception.resolved"
    number = _CONFLICT.fullmatch(posting.subject)
    if (
        ends
        and number is not None
        and any(each.kind == "site_conflict" for each in data.exceptions)
    ):
        said = data.decision.reason if data.decision is not None else None
        who = f"{data.person or 'somebody'} at {data.station}"
        rows.settled[int(number[1])] = (who, (said or "seen to").replace("\0", "\ufffd"))
    for told in data.exceptions:
        delta = None if told.quantity is None else parse_quantity(told.quantity)
        back = ends or (delta is not None and delta < 0)
        rows.exceptions.append(_change(booked, told, delta, back=back))


def _change(booked: Booked, told: Told, delta: int | None, *, back: bool) -> ExceptionChange:
    posting = booked.posting
    return ExceptionChange(
        booked.source_id, told.id, told.kind, posting.data.work_order, told.line, told.item, None,
        None, delta, int(not back), int(back), posting.event_time,
    )  # fmt: skip


def _from_fact(booked: Booked) -> ExceptionChange:
    """Return the exception that a fact opened: its particulars are of its kind."""
    posting = booked.posting
    detail = posting.data.detail

    def text(name: str) -> str | None:
        found = detail.get(name)
        return found.replace("\0", "\ufffd")[:1000] if isinstance(found, str) and found else None

    number, quantity = detail.get("exception_id"), text("quantity")
    try:
        delta = None if quantity is None else parse_quantity(quantity)
    except QuantityError:
        delta = None
    return ExceptionChange(
        booked.source_id,
        number if type(number) is int and 0 < number <= SEQUENCE_MAX else None,
        (text("kind") or "unknown")[:NAME_MAX],
        posting.data.work_order or text("work_order"),
        text("line"),
        text("item"),
        text("lot"),
        text("cause") or text("code") or text("trouble") or text("error"),
        delta,
        1,
        0,
        posting.event_time,
    )


def _people_and_lots(rows: Rows, booked: Booked) -> None:
    posting = booked.posting
    data = posting.data
    if data.person is not None:
        key = (booked.source_id, data.person)
        rows.people[key] = max(rows.people.get(key, ""), posting.event_time)
    if posting.kind == "lot.status_changed":
        names = [data.detail.get(name) or "" for name in ("item", "lot", "serial")]
        status = data.detail.get("status")
        are_names = is_name(names[0]) and all(not name or is_name(name) for name in names)
        if are_names and status in ("available", "hold", "rejected"):
            rows.statuses[MaterialKey(*map(str, names))] = (str(status), posting.event_time)

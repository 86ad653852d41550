"""The lists: stock, orders, lots, exceptions, movements, journal, outbox, audit, order lines.

Each list is a function of a database and its filters and yields frozen rows whose JSON keys and
order are those of the command line. Rows are made as SQLite finds them, so a list of any length
takes the same memory. Called by the core's reading thread and by the command line.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final, Protocol

import msgspec
from msgspec import Raw, Struct

from mes_terminal.domain.bom import line_order
from mes_terminal.domain.posting import FIRST_HASH, full_type, short_type
from mes_terminal.domain.quantity import MICRO, ceil_to_step, format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import lists as store
from mes_terminal.store.database import Database
from mes_terminal.usecases.approval_lists import approvals
from mes_terminal.usecases.count_lists import accuracy, counts, due
from mes_terminal.usecases.desk_lists import DESK_LISTS, DESK_RULED_LISTS
from mes_terminal.usecases.exception_groups import (
    exception_groups,
    exception_rows,
    exception_stories,
)
from mes_terminal.usecases.figures import day_figures, open_ages
from mes_terminal.usecases.filters import whole_number
from mes_terminal.usecases.list_rows import (
    AuditRow,
    ExceptionRow,
    JournalRow,
    LotRow,
    MovementRow,
    OrderLineRow,
    OrderRow,
    OutboxRow,
    StockRow,
)
from mes_terminal.usecases.log_chain import prove, proving
from mes_terminal.usecases.order_costs import order_costs
from mes_terminal.usecases.order_reports import order_reports
from mes_terminal.usecases.order_yield import order_yield
from mes_terminal.usecases.people import list_people
from mes_terminal.usecases.policy_replay import replay_policy
from mes_terminal.usecases.printables import PRINTABLES
from mes_terminal.usecases.propose_load import list_proposals, load_story
from mes_terminal.usecases.reconcile import reconcile, reconcile_figures
from mes_terminal.usecases.shift_lists import (
    list_calls,
    list_shift_now,
    list_shifts,
    list_stops,
)
from mes_terminal.usecases.stays import list_stays
from mes_terminal.usecases.trace import trace_rows
from mes_terminal.usecases.validate_plant import validate_plant


class ListSpec(Struct, frozen=True):
    """A list: its statement, how a row is made of what the statement yields, and its filters."""

    name: str
    statement: str
    row: Callable[..., Struct | None]
    filters: tuple[str, ...]

    def __call__(self, database: Database, filters: Mapping[str, str]) -> Iterator[Struct]:
        """Yield the rows that pass `filters`. Raises `InputError` for a filter it lacks."""
        asked = _parameters(self, filters)
        limit = asked.pop("limit")
        found = store.stream(database, self.statement, asked)
        rows = (row for found_row in found if (row := self.row(*found_row)) is not None)
        return islice(rows, None if limit is None else int(limit))


class RuledList(Protocol):
    """A list that the settings or the time have a say in."""

    def __call__(
        self, database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
    ) -> Iterator[Struct]:
        """Yield the rows that pass `filters`. Raises `InputError` for a filter it lacks."""


def read_list(
    database: Database, name: str, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[Struct]:
    """Yield the rows of a list by its name; `now` is the clock's reading.

    Raises `InputError` for a list that there is not, or a filter that it lacks.
    """
    ruled = RULED_LISTS.get(name)
    if ruled is not None:
        return ruled(database, filters, rules=rules, now=now)
    if name not in LISTS:
        raise InputError(f"The station knows no such list: {name[:40]!r}.")
    return LISTS[name](database, filters)


def order_lines(database: Database, work_order: str) -> Iterator[OrderLineRow]:
    """Yield the snapshot of an order by line; nothing if it was never released.

    Raises `InputError` for a number that is not known.
    """
    if not store.has_work_order(database, work_order):
        raise InputError(
            f"There is no work order {work_order[:64]!r}. mes-terminal orders lists the numbers.",
            reason="order_unknown",
        )
    found = store.stream(database, store.ORDER_LINES, {"work_order": work_order})
    return (_order_line(*row) for row in sorted(found, key=lambda row: line_order(row[0])))


def _parameters(spec: ListSpec, filters: Mapping[str, str]) -> dict[str, str | int | None]:
    """Return the value of every named parameter of the statement, and `limit`."""
    for name in filters:
        if name not in spec.filters:
            offered = ", ".join(spec.filters)
            raise InputError(f"{spec.name} has no filter {name!r}. It has: {offered}.")
    asked: dict[str, str | int | None] = {name: filters.get(name) for name in spec.filters}
    for name in ("since", "limit"):
        if asked.get(name) is not None:
            asked[name] = whole_number(name, filters[name])
    if "since" in asked and asked["since"] is None:
        asked["since"] = 0
    if isinstance(kind := asked.get("type"), str):
        asked["type"] = short_type(kind)
    if spec.statement is store.EXCEPTIONS:
        asked["suggestions_max"] = store.SUGGESTIONS_MAX
    return asked


def _stock(
    item: str, lot: str, serial: str, location: str, uom: str, whole: int, rest: int
) -> StockRow | None:
    micro = whole * MICRO + rest
    if not micro:
        return None
    return StockRow(item, lot or None, serial or None, location, format_quantity(micro), uom)


def _order(
    work_order: str,
    item: str,
    revision: str | None,
    quantity: int,
    good: int,
    scrapped: int,
    replace_scrap: int,
    *rest: Any,
) -> OrderRow:
    remaining = max(0, quantity - good - (0 if replace_scrap else scrapped))
    figures = (format_quantity(micro) for micro in (quantity, good, scrapped, remaining))
    return OrderRow(work_order, item, revision, *figures, *rest)


def _lot(
    item: str,
    lot: str,
    status: str,
    expires_on: str | None,
    received_at: str | None,
    supplier: str | None,
    supplier_lot: str | None,
    _first_serial: str,
    whole: int,
    rest: int,
) -> LotRow:
    on_hand = format_quantity(whole * MICRO + rest)
    return LotRow(
        item, lot, status, expires_on, received_at, supplier, supplier_lot, on_hand
    )  # fmt: skip


def _exception(
    exception_id: int,
    kind: str,
    status: str,
    severity: str,
    work_order: str | None,
    line: str | None,
    item: str | None,
    lot: str | None,
    quantity_micro: int | None,
    opened_at: str,
    cause: str | None,
    resolution: str | None,
    uom: str | None,
    location: str | None,
    places: str | None,
) -> ExceptionRow:
    quantity = None if quantity_micro is None else format_quantity(quantity_micro)
    blocking, suggestions = None, []
    if places is not None and quantity is not None:
        blocking = f"{quantity} {uom} of {item} missing" + (f" at {location}" if location else "")
        suggestions = [_suggestion(item, *each[:5]) for each in msgspec.json.decode(places)]
    return ExceptionRow(
        exception_id, kind, status, severity, work_order, line, item, lot or None, quantity,
        opened_at, cause, blocking, suggestions, resolution,
    )  # fmt: skip


def _suggestion(
    item: str | None, lot: str, micro: int, place: str, instead: str | None, uom: str
) -> str:
    """Return what could be used: by its lot, and by its item too where that is another one."""
    if instead is None:
        return f"{format_quantity(micro)} {uom} of {lot or item} at {place}"
    named = f"{instead} {lot}".strip()
    return f"{format_quantity(micro)} {uom} of {named} at {place} instead"


def _movement(
    sequence: int,
    report_id: str | None,
    scan_id: str | None,
    item: str,
    lot: str,
    serial: str,
    origin: str,
    target: str,
    quantity_micro: int,
    *rest: Any,
) -> MovementRow:
    quantity = format_quantity(quantity_micro)
    return MovementRow(
        sequence, report_id, scan_id, item, lot or None, serial or None, origin, target, quantity,
        *rest,
    )  # fmt: skip


def _journal(
    sequence: int, scan_id: str, received_at: str, device: str, raw: bytes, *rest: Any
) -> JournalRow:
    code = raw.decode("utf-8", errors="replace")
    return JournalRow(sequence, scan_id, received_at, device, code, raw.hex(), *rest)


class _Envelope(Struct):
    """What a list needs of a CloudEvents document."""

    id: str
    type: str
    subject: str | None = None


_envelope: Final = msgspec.json.Decoder(_Envelope)


def _outbox(
    sequence: int,
    body: str,
    status: str,
    attempts: int,
    queued_at: str,
    delivered_at: str | None,
    last_error: str | None,
) -> OutboxRow:
    told = _envelope.decode(body)
    return OutboxRow(
        sequence, told.id, told.type, told.subject, status, attempts, queued_at, delivered_at,
        last_error, Raw(body),
    )  # fmt: skip


def _audit(
    sequence: int,
    kind: str,
    event_time: str,
    person: str | None,
    second_person: str | None,
    reason: str | None,
    own_hash: str,
    body: str,
    previous_hash: str | None,
) -> AuditRow:
    return AuditRow(
        sequence, full_type(kind), event_time, person, second_person, reason,
        previous_hash or FIRST_HASH, own_hash, Raw(body),
    )  # fmt: skip


def _order_line(
    line: str,
    component: str,
    uom: str,
    step_micro: int,
    order_micro: int,
    net_num: int,
    net_den: int,
    basis: str,
    scrap_pct_micro: int,
    operation: str | None,
    issue_method: str,
    location: str,
    issued_micro: int,
    owed_micro: int,
    decided_by: str,
    since_micro: int,
    carried_micro: int,
    shortage_level: str,
    overrun_level: str,
) -> OrderLineRow:
    units = max(0, order_micro - since_micro) if basis == "per_unit" else 1
    net_micro = ceil_to_step(units * net_num, net_den, step_micro) + carried_micro
    return OrderLineRow(
        line, component, format_quantity(net_micro), uom, basis, format_quantity(scrap_pct_micro),
        operation, issue_method, location, format_quantity(issued_micro),
        format_quantity(owed_micro),
        msgspec.json.decode(decided_by)
        | {"shortage_policy": shortage_level, "lot_overrun_pct": overrun_level},
    )  # fmt: skip


def _lines_of_an_order(database: Database, filters: Mapping[str, str]) -> Iterator[Struct]:
    if set(filters) != {"work_order"}:
        raise InputError("order_lines has one filter, and needs it: work_order.")
    return order_lines(database, filters["work_order"])


def _proof(database: Database, filters: Mapping[str, str]) -> Iterator[Struct]:
    if not set(filters) <= {"anchor"}:
        raise InputError("audit_verify has one filter: anchor.")
    yield prove(database, filters.get("anchor"))


def _proving(database: Database, filters: Mapping[str, str]) -> Iterator[Struct]:
    """Yield how far the log has been proved again and again, the proof last."""
    if filters:
        raise InputError("desk_verify has no filters.")
    yield from proving(database)


_SPECS: Final = (
    ListSpec("stock", store.STOCK, _stock, ("item", "lot", "serial", "location", "limit")),
    ListSpec("orders", store.ORDERS, _order, ("work_order", "item", "status", "open", "limit")),
    ListSpec("lots", store.LOTS, _lot, ("item", "lot", "status", "limit")),
    ListSpec(
        "exceptions",
        store.EXCEPTIONS,
        _exception,
        ("kind", "status", "open", "work_order", "item", "since", "limit"),
    ),
    ListSpec(
        "movements",
        store.MOVEMENTS,
        _movement,
        ("item", "lot", "serial", "location", "work_order", "kind", "since", "limit"),
    ),
    ListSpec("journal", store.JOURNAL, _journal, ("status", "outcome", "since", "limit")),
    ListSpec("outbox", store.OUTBOX, _outbox, ("status", "open", "type", "since", "limit")),
    ListSpec("audit", store.AUDIT, _audit, ("type", "person", "since", "limit")),
)

LISTS: Final[dict[str, Callable[[Database, Mapping[str, str]], Iterator[Struct]]]] = {
    **{spec.name: spec for spec in _SPECS},
    "order_lines": _lines_of_an_order,
    "order_costs": order_costs,
    "order_yield": order_yield,
    "order_reports": order_reports,
    "stays": list_stays,
    "policy_replay": replay_policy,
    "trace": trace_rows,
    "audit_verify": _proof,
    "desk_verify": _proving,
    "counts": counts,
    "people": list_people,
    "load_proposals": list_proposals,
    "load_story": load_story,
    "shifts": list_shifts,
    "material_calls": list_calls,
    **DESK_LISTS,
    **PRINTABLES,
}
"""The lists by name: `LISTS["stock"](database, {"item": "LEG"})`."""

RULED_LISTS: Final[dict[str, RuledList]] = {
    **DESK_RULED_LISTS,
    "approvals": approvals,
    "exception_groups": exception_groups,
    "exception_rows": exception_rows,
    "exception_stories": exception_stories,
    "counts_due": due,
    "count_accuracy": accuracy,
    "figures": day_figures,
    "open_ages": open_ages,
    "validation": validate_plant,
    "shift_now": list_shift_now,
    "reconcile": reconcile,
    "reconcile_figures": reconcile_figures,
    "line_stops": list_stops,
}
"""Those that the settings or the time have a say in; `read_list` knows both."""

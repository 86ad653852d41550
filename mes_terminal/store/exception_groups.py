"""The exceptions as the supervisor's desk reads them: counted by group, and a group's in pages.

The oldest first, by when they were opened. Counting reads an index and no row; a page begins where
the one before ended, and what it tells is read for its own rows alone. Called by
`usecases.exception_groups`.
"""

from collections.abc import Iterator, Sequence
from json import dumps
from typing import Any, Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.desk import GroupBy
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.store.database import Database
from mes_terminal.store.lists import SUGGESTED, SUGGESTIONS_MAX

GROUPS_MAX: Final = 200
"""Groups of one list: more than a person works off; a filter finds the others."""

_NAMED: Final = """
  LEFT JOIN work_order ON work_order.work_order_id = exception.work_order_id
  LEFT JOIN item ON item.item_id = exception.item_id
  LEFT JOIN lot ON lot.lot_id = exception.lot_id"""
_FOUND: Final = """(instr(upper(work_order.work_order), upper(:text)) > 0
       OR instr(upper(item.item), upper(:text)) > 0 OR instr(upper(lot.lot), upper(:text)) > 0
       OR instr(upper(exception.cause), upper(:text)) > 0)"""
_OPEN: Final = "exception.status = 'open'"
_ENDED: Final = "exception.status <> 'open'"
# A cause begins with its kind and a colon; the next character is the semicolon.
_KIND_BY_CAUSE: Final = """exception.cause_code >= :kind || ':'
       AND exception.cause_code < :kind || ';'"""
_ASSIGNED: Final = "exception.assigned = :owner"
_OF_KIND: Final = """exception.assigned IS NULL
       AND exception.kind IN (SELECT value FROM json_each(:owned))"""
_AFTER: Final = "(exception.opened_at, exception.exception_id) > (:since_at, :since)"

# A sum is taken in two parts because SQLite refuses one that leaves 64 bits.
_SUMS: Final = """sum(abs(exception.quantity_micro) / 1000000) AS whole,
               sum(abs(exception.quantity_micro) % 1000000) AS rest"""

_BY_CAUSE: Final = """
SELECT counted.*, item.item, item.standard_cost_micro, item.cost_per_micro
  FROM (SELECT exception.cause_code, exception.item_id, exception.assigned, count(*),
               min(exception.opened_at), max(exception.severity = 'stop'),
               max(exception.severity = 'warn'), sum(exception.opened_at <= :overdue),
               {sums}
          FROM exception INDEXED BY {index} {joined}
         WHERE {which}
         GROUP BY exception.cause_code, exception.item_id, exception.assigned) AS counted
  LEFT JOIN item ON item.item_id = counted.item_id
"""
_ORDERS: Final = """
SELECT exception.work_order_id, count(*), min(exception.opened_at) AS oldest_at,
       max(exception.severity = 'stop') AS stops, max(exception.severity = 'warn') AS warns
  FROM exception INDEXED BY exception_orders {joined}
 WHERE {which}
 GROUP BY exception.work_order_id
 ORDER BY stops DESC, warns DESC, oldest_at LIMIT :groups_max
"""
_OF_ORDERS: Final = """
SELECT counted.work_order_id, counted.kind, counted.oldest_at, counted.overdue, counted.whole,
       counted.rest, item.standard_cost_micro, item.cost_per_micro, work_order.work_order
  FROM (SELECT exception.work_order_id, exception.kind, exception.item_id,
               min(exception.opened_at) AS oldest_at,
               sum(iif({open}, exception.opened_at <= :due ->> exception.kind, 0)) AS overdue,
               {sums}
          FROM json_each(:orders) AS asked
         CROSS JOIN exception INDEXED BY exception_orders
            ON exception.work_order_id IS asked.value {joined}
         WHERE {which}
         GROUP BY exception.work_order_id, exception.kind, exception.item_id) AS counted
  LEFT JOIN item ON item.item_id = counted.item_id
  LEFT JOIN work_order ON work_order.work_order_id = counted.work_order_id
"""
_PAGE: Final = """
SELECT exception.exception_id, exception.opened_at FROM exception {joined}
 WHERE {which}
"""
_ORDERED: Final = " ORDER BY {opened_at}, {exception_id}"

_STORIES: Final = f"""
SELECT exception.exception_id, exception.kind, exception.status, exception.severity,
       work_order.work_order, order_line.line, item.item, lot.lot, exception.quantity_micro,
       item.uom, item.tracking, location.location, exception.opened_at,
       coalesce(operator.name, event.person) AS person, exception.cause, exception.resolution,
       exception.cause_code, exception.assigned, owner.name AS assigned_name, exception.tries,
       scan_journal.raw, scan_journal.scan_id, scan_journal.received_at AS scanned_at,
       scan_journal.device, item.standard_cost_micro, item.cost_per_micro,
       coalesce(order_line.mount = 'required', 0) AS mount_required,
{SUGGESTED} AS places, exception.subject
  FROM json_each(:ids) AS asked
 CROSS JOIN exception ON exception.exception_id = asked.value {_NAMED}
  LEFT JOIN order_line ON order_line.line_id = exception.line_id
  LEFT JOIN location ON location.location_id = order_line.location_id
  LEFT JOIN event ON event.event_seq = exception.opened_event_seq
  LEFT JOIN scan_journal ON scan_journal.scan_seq = event.scan_seq
  LEFT JOIN operator ON operator.badge = event.person
  LEFT JOIN operator AS owner ON owner.badge = exception.assigned
 ORDER BY asked.key
"""  # noqa: S608


class Wanted(Struct, frozen=True, kw_only=True):
    """What a list is asked for. `None`: whatever it is."""

    is_open: bool
    kind: str | None = None
    text: str | None = None
    owner: str | None = None
    """A badge, or whom the settings name; empty: nobody."""
    owned: list[ExceptionKind] = []
    """The kinds that are the owner's while they are assigned to nobody."""
    is_overdue: bool = False
    due: dict[ExceptionKind, str] = {}
    """By kind: what was opened up to then is overdue."""


class CauseCount(Struct, frozen=True):
    """Exceptions of one kind, cause, item and person: open ones, or those that have ended."""

    kind: ExceptionKind
    cause_code: str
    item_id: int | None
    assigned: str | None
    count: int
    oldest_at: str
    stops: int
    warns: int
    overdue: int | None
    whole: int | None
    """Of the sum of what is open: whole units, and the rest in micro-units."""
    rest: int | None
    item: str | None
    cost_micro: int | None
    per_micro: int | None


class OrderCount(Struct, frozen=True):
    """Exceptions of one order, or of none."""

    work_order_id: int | None
    count: int
    oldest_at: str
    stops: int
    warns: int


class OrderPart(Struct, frozen=True):
    """Those of it of one kind and item."""

    work_order_id: int | None
    kind: ExceptionKind
    oldest_at: str
    overdue: int | None
    whole: int | None
    rest: int | None
    cost_micro: int | None
    per_micro: int | None
    work_order: str | None


class StoryRow(Struct, frozen=True):
    """All that is known of one exception."""

    exception_id: int
    kind: ExceptionKind
    status: str
    severity: str
    work_order: str | None
    line: str | None
    item: str | None
    lot: str | None
    quantity_micro: int | None
    uom: str | None
    tracking: str | None
    location: str | None
    opened_at: str
    person: str | None
    cause: str | None
    resolution: str | None
    cause_code: str
    assigned: str | None
    assigned_name: str | None
    tries: int
    scan_raw: bytes | None
    scan_id: str | None
    scanned_at: str | None
    device: str | None
    cost_micro: int | None
    per_micro: int | None
    mount_required: int
    places: str | None
    subject: str


def count_causes(
    database: Database, wanted: Wanted, kinds: Sequence[ExceptionKind]
) -> Iterator[CauseCount]:
    """Yield how many there are of each kind, cause, item and person."""
    for is_open in (True,) if wanted.is_open else (True, False):
        statement = causes_statement(wanted, is_open=is_open)
        for kind in kinds:
            overdue = wanted.due.get(kind) if is_open else None
            asked = _asked(wanted) | {"kind": kind, "overdue": overdue}
            for row in database.conn.execute(statement, asked):
                yield CauseCount(kind, *row)


def count_orders(database: Database, wanted: Wanted) -> list[OrderCount]:
    """Return how many there are of each order: the gravest first, then the oldest, so many as a
    list has groups."""
    asked = _asked(wanted) | {"groups_max": GROUPS_MAX}
    return [OrderCount(*row) for row in database.conn.execute(orders_statement(wanted), asked)]


def parts_of_orders(
    database: Database, wanted: Wanted, orders: Sequence[int | None]
) -> list[OrderPart]:
    """Return what there is of these orders by kind and item."""
    joined, which = _conditions(wanted)
    statement = _OF_ORDERS.format(joined=joined, which=which, sums=_SUMS, open=_OPEN)
    asked = _asked(wanted) | {"orders": dumps(list(orders))}
    return [OrderPart(*row) for row in database.conn.execute(statement, asked)]


def causes_statement(wanted: Wanted, *, is_open: bool) -> str:
    """Return the statement of `count_causes`, for open exceptions or those that have ended."""
    found = wanted.text is not None
    which = [_OPEN if is_open else _ENDED, _KIND_BY_CAUSE, *([_FOUND] if found else [])]
    which += ["exception.opened_at <= :overdue"] if wanted.is_overdue else []
    return _BY_CAUSE.format(
        index="exception_groups" if is_open else "exception_groups_ended",
        joined=_NAMED if found else "",
        which=" AND ".join(which),
        sums=_SUMS,
    )


def orders_statement(wanted: Wanted) -> str:
    """Return the statement of `count_orders`."""
    joined, which = _conditions(wanted)
    return _ORDERS.format(joined=joined, which=which)


def page(database: Database, wanted: Wanted, by: GroupBy, key: str, *, since: int) -> Iterator[int]:
    """Yield the ids of a group's exceptions that come after the one of the id `since`.

    `key` names the group among those of its sort; a cause without an item means each item. By owner
    it is the owner of `wanted`.
    """
    cause_code, has_item, item = key.partition("|")
    asked = _asked(wanted) | {
        "since": since,
        "since_at": _opened_at(database, since),
        "key": key,
        "cause_code": cause_code,
        "cause_kind": cause_code.partition(":")[0],
        "item_id": _id_of(database, "item", item) if has_item else None,
        "work_order_id": _id_of(database, "work_order", key),
    }
    for row in database.conn.execute(page_statement(wanted, by, key), asked):
        yield row[0]


def page_statement(wanted: Wanted, by: GroupBy, key: str) -> str:
    """Return the statement of `page`."""
    joined, which = _conditions(replace(wanted, owner=None) if by == "owner" else wanted)
    arms = [
        _PAGE.format(joined=joined, which=f"{each} AND {_AFTER} AND {which}")
        for each in _group_arms(by, key, is_open=wanted.is_open)
    ]
    if len(arms) == 1:
        order = _ORDERED.format(
            opened_at="exception.opened_at", exception_id="exception.exception_id"
        )
        return arms[0] + order
    return " UNION ALL ".join(arms) + _ORDERED.format(opened_at="2", exception_id="1")


def read_stories(database: Database, ids: Sequence[int]) -> list[StoryRow]:
    """Return what is known of these exceptions, in this order, as far as there are any."""
    asked = {"ids": dumps(list(ids)), "suggestions_max": SUGGESTIONS_MAX}
    return [StoryRow(*row) for row in database.conn.execute(_STORIES, asked)]


def names_of(database: Database, badges: Sequence[str]) -> dict[str, str]:
    """Return the names of the people among these texts, by badge."""
    rows = database.conn.execute(
        "SELECT badge, name FROM operator WHERE badge IN (SELECT value FROM json_each(?))",
        [dumps(list(badges))],
    )
    return dict(rows.fetchall())


def _conditions(wanted: Wanted) -> tuple[str, str]:
    """Return what is joined and what is asked for besides the group."""
    which = [_OPEN] if wanted.is_open else []
    if wanted.kind is not None:
        which.append("exception.kind = :kind")
    if wanted.owner is not None:
        which.append(f"(({_ASSIGNED}) OR ({_OF_KIND}))")
    if wanted.is_overdue:
        which.append("exception.opened_at <= :due ->> exception.kind")
    if wanted.text is not None:
        which.append(_FOUND)
    return "" if wanted.text is None else _NAMED, " AND ".join(which) or "1"


def _group_arms(by: GroupBy, key: str, *, is_open: bool) -> list[str]:
    """Return what picks the rows of a group; an owner's stand in two places of the index.

    Only open exceptions have an index by cause and item; others are found by their kind.
    """
    match by:
        case "kind":
            return ["exception.kind = :key"]
        case "cause":
            which = ["exception.cause_code = :cause_code"]
            if "|" in key:
                which.append("exception.item_id IS :item_id")
            if not is_open or "|" not in key:
                which.append("exception.kind = :cause_kind")
            return [" AND ".join(which)]
        case "owner":
            return [_OF_KIND] if not key else [_ASSIGNED, _OF_KIND]
        case "order":
            return [f"exception.work_order_id IS {':work_order_id' if key else 'NULL'}"]


def _asked(wanted: Wanted) -> dict[str, Any]:
    return {
        "kind": wanted.kind,
        "text": wanted.text,
        "owner": wanted.owner,
        "owned": dumps(list(wanted.owned)),
        "due": dumps(wanted.due),
    }


def _id_of(database: Database, table: Literal["item", "work_order"], name: str) -> int | None:
    """Return the id of an item or order; `None` for no name, 0 for one that there is not."""
    if not name:
        return None
    row = database.conn.execute(
        f"SELECT {table}_id FROM {table} WHERE {table} = ?",  # noqa: S608
        [name],
    ).fetchone()
    return row[0] if row else 0


def _opened_at(database: Database, exception_id: int) -> str:
    """Return when an exception was opened; before all others if there is none of that id."""
    row = database.conn.execute(
        "SELECT opened_at FROM exception WHERE exception_id = ?", [exception_id]
    ).fetchone()
    return row[0] if row else ""

"""What the site's own ledger notes of the tables that go down to the stations (UP-9).

Products and quantities of orders, tolerances, who writes which location: what conflicts are found
by. Cells are those of the CSV files; a cell that is no value of its kind is left out here, since
the stations judge the tables. Called where tables are handed down, in that transaction.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.site.conflicts import find_locations, find_orders
from mes_terminal.site.database import Connection
from mes_terminal.site.reading import is_name

Cells = Mapping[str, str]
Tables = Mapping[str, Sequence[Cells]]

_ITEMS: Final = """
    INSERT INTO item AS i (item, uom, over_completion_pct_micro)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::bigint[])
           AS n(item, uom, over_completion_pct_micro)
     ORDER BY item
    ON CONFLICT (item) DO UPDATE
       SET uom = excluded.uom, over_completion_pct_micro = excluded.over_completion_pct_micro
"""
_ORDERS: Final = """
    INSERT INTO work_order AS w (work_order, item, quantity_micro, due_at, planned_status,
                                 barred_since, barred_as, barred_by)
    SELECT n.work_order, n.item, n.quantity_micro, n.due_at, n.status,
           CASE WHEN n.status IN ('closed', 'cancelled') THEN now() END,
           CASE WHEN n.status IN ('closed', 'cancelled') THEN n.status END,
           CASE WHEN n.status IN ('closed', 'cancelled') THEN 'tables' END
      FROM unnest(%s::text[], %s::text[], %s::bigint[], %s::timestamptz[], %s::text[])
           AS n(work_order, item, quantity_micro, due_at, status)
     ORDER BY n.work_order
    ON CONFLICT (work_order) DO UPDATE
       SET item = coalesce(excluded.item, w.item),
           quantity_micro = coalesce(excluded.quantity_micro, w.quantity_micro),
           due_at = coalesce(excluded.due_at, w.due_at),
           planned_status = coalesce(excluded.planned_status, w.planned_status),
           barred_since = CASE
               WHEN excluded.barred_as IS NOT NULL THEN coalesce(w.barred_since, now())
               WHEN w.barred_by = 'tables' AND excluded.planned_status IS NOT NULL THEN NULL
               ELSE w.barred_since END,
           barred_as = CASE
               WHEN excluded.barred_as IS NOT NULL THEN excluded.barred_as
               WHEN w.barred_by = 'tables' AND excluded.planned_status IS NOT NULL THEN NULL
               ELSE w.barred_as END,
           barred_by = CASE
               WHEN excluded.barred_as IS NOT NULL THEN coalesce(w.barred_by, 'tables')
               WHEN w.barred_by = 'tables' AND excluded.planned_status IS NOT NULL THEN NULL
               ELSE w.barred_by END
"""
_LOCATIONS: Final = """
    INSERT INTO location (location, kind, station)
    SELECT * FROM unnest(%s::text[], %s::text[], %s::text[]) AS n(location, kind, station)
     ORDER BY location
    ON CONFLICT (location) DO UPDATE SET kind = excluded.kind, station = excluded.station
"""


def note_tables(conn: Connection, documents: Sequence[Tables]) -> None:
    """Note what the documents (rows by table, in order) say of items, orders and locations."""
    _put(conn, _ITEMS, _rows_of(documents, "items", "item", _item))
    orders = _rows_of(documents, "work_orders", "work_order", _order)
    _put(conn, _ORDERS, orders)
    locations = _rows_of(documents, "locations", "location", _location)
    _put(conn, _LOCATIONS, locations)
    find_orders(conn, [row[0] for row in orders])
    find_locations(conn, [row[0] for row in locations])


def _item(cells: Cells) -> tuple[Any, ...]:
    tolerance = _micro(cells.get("over_completion_pct"))
    return _text(cells.get("uom")) or "pcs", tolerance


def _order(cells: Cells) -> tuple[Any, ...]:
    return (
        _text(cells.get("item")),
        _micro(cells.get("quantity")),
        _instant(cells.get("due_at")),
        _text(cells.get("status")),
    )


def _location(cells: Cells) -> tuple[Any, ...]:
    return _text(cells.get("kind")), _text(cells.get("station"))


def _rows_of(
    documents: Sequence[Tables], table: str, key: str, values: Any
) -> list[tuple[Any, ...]]:
    """Return the rows of a table by key, sorted; a later row takes the place of an earlier one."""
    found = {cells[key]: (cells[key], *values(cells)) for cells in _cells(documents, table, key)}
    return [found[name] for name in sorted(found)]


def _cells(documents: Sequence[Tables], table: str, key: str) -> Iterator[Cells]:
    for document in documents:
        for cells in document.get(table, ()):
            if is_name(cells.get(key)):
                yield cells


def _text(cell: str | None) -> str | None:
    return cell if cell and is_name(cell) else None


def _instant(cell: str | None) -> str | None:
    try:
        return datetime.fromisoformat(cell).isoformat() if cell else None
    except ValueError:
        return None


def _micro(cell: str | None) -> int | None:
    try:
        return parse_quantity(cell) if cell else None
    except QuantityError:
        return None


def _put(conn: Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        conn.execute(statement, [list(column) for column in zip(*rows, strict=True)])

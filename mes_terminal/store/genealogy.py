"""Genealogy read: where a trace begins, the edges it meets, and the names of what they link.

The walk is a recursive CTE with `UNION` on the id alone, which meets each lot once however many
edges lead to it; a second scan of the same keys then reads the edges, in the same statement and so
of the same moment. What else is read here (names, scans) never changes. Called by `usecases.trace`.
"""

from collections.abc import Iterable
from json import dumps
from typing import Final

from msgspec import Struct

from mes_terminal.domain.trace import EdgeFact
from mes_terminal.store.database import Database

_WALK: Final = """
WITH RECURSIVE found (id) AS (
    SELECT value FROM json_each(:roots)
    UNION
    SELECT edge.{far} FROM found CROSS JOIN edge ON edge.{near} = found.id
)
SELECT edge.child_id, edge.parent_id, edge.report_seq, edge.line_id, edge.quantity_micro,
       edge.certainty
FROM found CROSS JOIN edge ON edge.{near} = found.id
LIMIT :limit
"""
_BACKWARD: Final = _WALK.format(near="child_id", far="parent_id")
_FORWARD: Final = _WALK.format(near="parent_id", far="child_id")

_LOTS: Final = """
SELECT lot.lot_id, item.item, lot.lot, lot.serial, work_order.work_order, item.uom
FROM json_each(:ids) AS wanted
CROSS JOIN lot ON lot.lot_id = wanted.value
CROSS JOIN item ON item.item_id = lot.item_id
LEFT JOIN work_order ON work_order.work_order_id = lot.work_order_id
"""

_SCANS: Final = """
SELECT wanted.value, scan.scan_id
FROM json_each(:ids) AS wanted
LEFT JOIN healing ON healing.event_seq = wanted.value
LEFT JOIN hand_return AS back ON back.event_seq = wanted.value
CROSS JOIN event
  ON event.event_seq = coalesce(healing.report_seq, back.report_seq, wanted.value)
CROSS JOIN scan_journal AS scan ON scan.scan_seq = event.scan_seq
"""

# A lot, with any serials received in it; an empty name is the item's nameless lot. Else the
# untracked output of the order of that number.
_LOT: Final = """
SELECT lot.lot_id FROM lot JOIN item ON item.item_id = lot.item_id
WHERE item.item = :item AND lot.lot = :lot AND lot.work_order_id = 0
  AND (:lot <> '' OR lot.serial = '')
ORDER BY lot.lot_id
"""
_ORDERS_OUTPUT: Final = """
SELECT lot.lot_id
FROM work_order
JOIN item ON item.item_id = work_order.item_id
JOIN lot ON lot.item_id = item.item_id AND lot.lot = '' AND lot.serial = ''
        AND lot.work_order_id = work_order.work_order_id
WHERE work_order.work_order = :lot AND item.item = :item
"""
_SERIAL: Final = """
SELECT lot.lot_id FROM lot JOIN item ON item.item_id = lot.item_id
WHERE item.item = :item AND lot.serial = :serial AND lot.serial <> ''
ORDER BY lot.lot_id
"""

# What a person may type: a lot, a serial, a container, an order (all that it made).
_CODE: Final = """
SELECT item.item, lot.lot_id
FROM lot JOIN item ON item.item_id = lot.item_id
WHERE lot.lot = :code AND lot.lot <> '' AND lot.work_order_id = 0
UNION
SELECT item.item, lot.lot_id
FROM lot JOIN item ON item.item_id = lot.item_id
WHERE lot.serial = :code AND lot.serial <> ''
UNION
SELECT item.item, lot.lot_id
FROM container
JOIN lot ON lot.lot_id = container.lot_id
JOIN item ON item.item_id = lot.item_id
WHERE container.container = :code
UNION
SELECT item.item, lot.lot_id
FROM work_order
CROSS JOIN report ON report.work_order_id = work_order.work_order_id
CROSS JOIN movement ON movement.kind = 'production'
    AND movement.movement_seq >= report.movement_first
    AND movement.movement_seq < report.movement_first + report.movement_count
CROSS JOIN lot ON lot.lot_id = movement.lot_id AND (lot.lot <> '' OR lot.serial <> '')
CROSS JOIN item ON item.item_id = lot.item_id
WHERE work_order.work_order = :code
UNION
SELECT item.item, lot.lot_id
FROM work_order
JOIN item ON item.item_id = work_order.item_id
JOIN lot ON lot.item_id = item.item_id AND lot.lot = '' AND lot.serial = ''
        AND lot.work_order_id = work_order.work_order_id
WHERE work_order.work_order = :code
ORDER BY 1, 2
"""


class LotName(Struct, frozen=True, gc=False):
    """What a lot is called; empty where it has no such name."""

    item: str
    lot: str
    serial: str
    work_order: str | None
    """Of the untracked output of an order only."""
    uom: str


def has_item(database: Database, item: str) -> bool:
    """Tell whether an item of that number is known."""
    return database.conn.execute("SELECT 1 FROM item WHERE item = ?", [item]).fetchone() is not None


def ids_of_lot(database: Database, item: str, lot: str) -> list[int]:
    """Return the lot of an item (and serials within it), else the untracked output of the order
    `lot`; `""` is the item's nameless lot. Empty if there is none."""
    asked = {"item": item, "lot": lot}
    found = database.conn.execute(_LOT, asked).fetchall()
    found = found or database.conn.execute(_ORDERS_OUTPUT, asked).fetchall()
    return [row[0] for row in found]


def ids_of_serial(database: Database, item: str, serial: str) -> list[int]:
    """Return the lot row of a serial number that was made or received; empty if there is none."""
    asked = {"item": item, "serial": serial}
    return [row[0] for row in database.conn.execute(_SERIAL, asked)]


def ids_of_code(database: Database, code: str) -> dict[str, list[int]]:
    """Return what a code names, by item: a lot, a serial, a container's lot, an order's output."""
    found: dict[str, list[int]] = {}
    for item, lot_id in database.conn.execute(_CODE, {"code": code}):
        found.setdefault(item, []).append(lot_id)
    return found


def edges_from(
    database: Database, roots: Iterable[int], *, forward: bool, limit: int
) -> list[EdgeFact]:
    """Return the edges that lead away from `roots`, any depth, at most `limit`.

    What was taken back is among them, and what only it leads to.
    """
    asked = {"roots": dumps(list(roots)), "limit": limit}
    return [
        EdgeFact._make(row)
        for row in database.conn.execute(_FORWARD if forward else _BACKWARD, asked)
    ]


def lot_names(database: Database, ids: Iterable[int]) -> dict[int, LotName]:
    """Return the names of lots by their ids."""
    rows = database.conn.execute(_LOTS, {"ids": dumps(list(ids))})
    return {row[0]: LotName(*row[1:]) for row in rows}


def scan_ids(database: Database, reports: Iterable[int]) -> dict[int, str]:
    """Return the scan ids of reports by their sequence; a report no scan led to has none."""
    rows = database.conn.execute(_SCANS, {"ids": dumps(list(reports))})
    return {row[0]: row[1] for row in rows}

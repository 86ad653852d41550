"""One step through the genealogy, in pages: what a lot was made from, or what it went into.

A page begins in an index of the edges, however many there are. Called by `usecases.desk_trace`.
"""

from collections.abc import Iterable, Iterator
from json import dumps
from typing import Any, Final

from mes_terminal.store.database import Database

# The edges of a pair are summed by how certain they are: what was taken back makes nothing less
# certain, and nothing at all leads where all of it was.
_STEP: Final = """
SELECT edge.{far}, edge.certainty, sum(edge.quantity_micro)
FROM edge WHERE edge.{near} = :node AND edge.{far} > :after
GROUP BY edge.{far}, edge.certainty ORDER BY edge.{far}
"""
_TOTAL: Final = "SELECT count(DISTINCT edge.{far}) FROM edge WHERE edge.{near} = :node"
_LOTS: Final = """
SELECT lot.lot_id, item.item, item.description, lot.lot, lot.serial, work_order.work_order,
       lot.status, item.uom, EXISTS (SELECT 1 FROM edge WHERE edge.{near} = lot.lot_id)
FROM json_each(:ids) AS wanted
CROSS JOIN lot ON lot.lot_id = wanted.value
CROSS JOIN item ON item.item_id = lot.item_id
LEFT JOIN work_order ON work_order.work_order_id = lot.work_order_id
"""
_WAYS: Final = {
    False: {"near": "child_id", "far": "parent_id"},
    True: {"near": "parent_id", "far": "child_id"},
}
STEP: Final = {forward: _STEP.format(**way) for forward, way in _WAYS.items()}
"""By whether the step goes forward."""
TOTAL: Final = {forward: _TOTAL.format(**way) for forward, way in _WAYS.items()}
LOTS: Final = {forward: _LOTS.format(**way) for forward, way in _WAYS.items()}


def step(
    database: Database, node: int, *, forward: bool, after: int
) -> Iterator[tuple[int, str, int]]:
    """Yield what a lot leads to, by lot and certainty: its id, how certain, how much."""
    yield from database.conn.execute(STEP[forward], {"node": node, "after": after})


def total(database: Database, node: int, *, forward: bool) -> int:
    """Return how many lots a step leads to."""
    row = database.conn.execute(TOTAL[forward], {"node": node}).fetchone()
    return int(row[0])


def uom(database: Database, node: int) -> str | None:
    """Return the unit of measure of a lot's item."""
    row = database.conn.execute(
        "SELECT item.uom FROM lot JOIN item ON item.item_id = lot.item_id WHERE lot.lot_id = ?",
        [node],
    ).fetchone()
    return None if row is None else str(row[0])


def lots(database: Database, ids: Iterable[int], *, forward: bool) -> dict[int, tuple[Any, ...]]:
    """Return the names of lots by their ids, and whether a step leads on from there."""
    rows = database.conn.execute(LOTS[forward], {"ids": dumps(list(ids))})
    return {row[0]: row for row in rows}

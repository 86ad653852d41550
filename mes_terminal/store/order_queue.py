"""The orders that are open, in the sequence in which the line makes them (screens 6).

Called by `usecases.rehearse_queue`.
"""

from msgspec import Struct

from mes_terminal.store.database import Connection

OPEN_COUNTED_MAX = 10_000
"""More open orders than this are not counted further."""


class Waiting(Struct, frozen=True):
    """An open order of the queue, with what `order_facts` does not read."""

    work_order: str
    description: str


def read_queue(conn: Connection, *, limit: int) -> list[Waiting]:
    """Return the first open orders: by sequence, then by due time; what has neither comes last."""
    rows = conn.execute(
        """
        SELECT w.work_order, i.description
          FROM work_order w JOIN item i USING (item_id)
         WHERE w.status IN ('released', 'started')
         ORDER BY w.sequence IS NULL, w.sequence, w.due_at IS NULL, w.due_at, w.work_order
         LIMIT ?
        """,
        [limit],
    )
    return [Waiting(*row) for row in rows]


def count_open(conn: Connection) -> int:
    """Return how many orders are open."""
    row = conn.execute(
        """
        SELECT count(*) FROM (SELECT 1 FROM work_order WHERE status IN ('released', 'started')
                               LIMIT ?)
        """,
        [OPEN_COUNTED_MAX],
    ).fetchone()
    return int(row[0])


def count_pieces(conn: Connection, item_id: int, location_id: int) -> tuple[int, str]:
    """Return how many serials of an item may be picked at a location, and its unit."""
    row = conn.execute(
        """
        SELECT (SELECT count(*) FROM balance
                 WHERE item_id = :item_id AND location_id = :location_id AND pickable = 1), uom
          FROM item WHERE item_id = :item_id
        """,
        {"item_id": item_id, "location_id": location_id},
    ).fetchone()
    return int(row[0]), str(row[1])

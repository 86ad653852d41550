"""The queue of changes that may mend an open shortage (BF-22).

Whoever changes stock, or whether a lot may be used, calls one of the `queue_…` functions inside the
transaction of the change, so that a stop loses none. It costs an index look-up where nothing is
short. `usecases.heal` works the queue off.
"""

from collections.abc import Collection
from json import dumps

from msgspec import Struct

from mes_terminal.domain.healing import Cause, OwedPart
from mes_terminal.store.database import Connection

_QUEUE_ITEM = """
    INSERT INTO heal_queue (item_id, location_id, event_seq)
    SELECT DISTINCT x.item_id, o.location_id, :event_seq
      FROM exception x
      CROSS JOIN order_line o ON o.line_id = x.line_id
     WHERE x.kind = 'shortage' AND x.status = 'open' AND x.item_id = :item_id
       AND o.location_id = :location_id
"""
_QUEUE_STOCK = """
    INSERT INTO heal_queue (item_id, location_id, event_seq)
    SELECT DISTINCT x.item_id, o.location_id, p.value ->> 2
      FROM json_each(:stock) p
      CROSS JOIN lot l ON l.lot_id = p.value ->> 0
      CROSS JOIN exception x ON x.kind = 'shortage' AND x.status = 'open' AND x.item_id = l.item_id
      CROSS JOIN order_line o ON o.line_id = x.line_id AND o.location_id = p.value ->> 1
     ORDER BY p.value ->> 2
"""
_QUEUE_LOTS = """
    INSERT INTO heal_queue (item_id, location_id, event_seq)
    SELECT DISTINCT x.item_id, o.location_id, :event_seq
      FROM json_each(:lots) p
      CROSS JOIN lot l ON l.lot_id = p.value
      CROSS JOIN exception x ON x.kind = 'shortage' AND x.status = 'open' AND x.item_id = l.item_id
      CROSS JOIN order_line o ON o.line_id = x.line_id
     WHERE EXISTS (SELECT 1 FROM balance b
                    WHERE b.lot_id = l.lot_id AND b.location_id = o.location_id
                      AND b.quantity_micro > 0)
"""
_QUEUE_CAUSE = """
    INSERT INTO heal_queue (item_id, location_id, event_seq)
    SELECT DISTINCT x.item_id, o.location_id, :event_seq
      FROM exception x CROSS JOIN order_line o ON o.line_id = x.line_id
     WHERE x.kind = 'shortage' AND x.status = 'open' AND x.cause = :cause
"""


class Queued(Struct, frozen=True):
    """A change that waits to be tried, and how far that went."""

    heal_queue_id: int
    item_id: int
    location_id: int
    event_seq: int
    report_seq: int
    exception_id: int


def queue_healing(conn: Connection, item_id: int, location_id: int, event_seq: int) -> None:
    """Note that stock of an item came to a location, or may be used there now."""
    conn.execute(
        _QUEUE_ITEM, {"item_id": item_id, "location_id": location_id, "event_seq": event_seq}
    )


def queue_stock(conn: Connection, stock: Collection[tuple[int, int, int]]) -> None:
    """Note stock that came: (lot, location, event), as many as there are."""
    if stock and anything_short(conn):
        conn.execute(_QUEUE_STOCK, {"stock": dumps(sorted(set(stock)))})


def queue_lots(conn: Connection, lot_ids: Collection[int], event_seq: int) -> None:
    """Note that lots may be used now, wherever they lie."""
    if lot_ids and anything_short(conn):
        conn.execute(_QUEUE_LOTS, {"lots": dumps(sorted(lot_ids)), "event_seq": event_seq})


def queue_cause(conn: Connection, cause: str, event_seq: int) -> None:
    """Note that what caused shortages is gone."""
    conn.execute(_QUEUE_CAUSE, {"cause": cause, "event_seq": event_seq})


def anything_short(conn: Connection) -> bool:
    """Tell whether any shortage is open."""
    row = conn.execute(
        """
        SELECT EXISTS (SELECT 1 FROM exception INDEXED BY exception_short
                        WHERE kind = 'shortage' AND status = 'open')
        """
    ).fetchone()
    return bool(row[0])


def anything_queued(conn: Connection) -> bool:
    """Tell whether a change waits to be tried."""
    return bool(conn.execute("SELECT EXISTS (SELECT 1 FROM heal_queue)").fetchone()[0])


def next_queued(conn: Connection) -> Queued | None:
    """Return the change that waits longest."""
    row = conn.execute("SELECT * FROM heal_queue ORDER BY heal_queue_id LIMIT 1").fetchone()
    return Queued(*row) if row else None


def note_tried(conn: Connection, queued: Queued, last: OwedPart) -> None:
    """Note up to which part a change was tried; the rest waits for its turn."""
    conn.execute(
        "UPDATE heal_queue SET report_seq = ?, exception_id = ? WHERE heal_queue_id = ?",
        [last.report_seq, last.exception_id, queued.heal_queue_id],
    )


def note_still_open(conn: Connection, tried: Collection[OwedPart], event_seq: int) -> None:
    """Count a change as tried, once, for each exception that it did not end."""
    if tried:
        conn.execute(
            """
            UPDATE exception SET tries = tries + 1, tried_seq = :event_seq
             WHERE exception_id IN (SELECT value FROM json_each(:tried))
               AND status = 'open' AND tried_seq IS NOT :event_seq
            """,
            {
                "event_seq": event_seq,
                "tried": dumps(sorted({part.exception_id for part in tried})),
            },
        )


def leave_queue(conn: Connection, queued: Queued) -> None:
    """Take a change that was tried out of the queue."""
    conn.execute("DELETE FROM heal_queue WHERE heal_queue_id = ?", [queued.heal_queue_id])


def read_cause(conn: Connection, event_seq: int) -> Cause:
    """Return what changed."""
    row = conn.execute(
        "SELECT body ->> 'id', type, body ->> 'subject', event_time FROM event WHERE event_seq = ?",
        [event_seq],
    ).fetchone()
    return Cause(*row)

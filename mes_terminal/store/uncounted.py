"""Items whose books nobody has proved by a count yet, at a place, and what reports found lacking.

At go-live the books know little (`stock.mode = shadow`, BF-20). Asked only where a report lacks
something; every function runs inside the caller's transaction.
"""

import json
from collections.abc import Iterable

from mes_terminal.domain.backflush import NO_BALANCE, PoolKey
from mes_terminal.domain.instants import NO_EXPIRY
from mes_terminal.domain.order import Source
from mes_terminal.store.database import Connection


def read_uncounted(conn: Connection, keys: Iterable[PoolKey]) -> dict[PoolKey, Source]:
    """Return, of these items at these places, those never counted there, each with the nameless lot
    that its missing parts come from: it has no balance of its own to draw on."""
    rows = conn.execute(
        """
        SELECT l.item_id, k.value ->> 1, l.lot_id
          FROM json_each(?) k
          CROSS JOIN lot l ON l.item_id = k.value ->> 0 AND l.lot = '' AND l.serial = ''
                          AND l.work_order_id = 0
          LEFT JOIN item_location u ON u.item_id = l.item_id AND u.location_id = k.value ->> 1
         WHERE u.counted_at IS NULL
        """,
        [json.dumps(sorted(keys))],
    )
    return {
        (item_id, location_id): Source(NO_BALANCE, lot_id, 0, "", NO_EXPIRY, 0)
        for item_id, location_id, lot_id in rows
    }


def note_lacking(conn: Connection, keys: Iterable[PoolKey], *, at: str) -> None:
    """Note that a report needed more of these than the books have: they should be counted."""
    conn.executemany(
        """
        INSERT INTO item_location (item_id, location_id, lacked_at) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET lacked_at = excluded.lacked_at
        """,
        [(*key, at) for key in sorted(keys)],
    )


def note_counted(conn: Connection, item_id: int, location_id: int, *, at: str) -> None:
    """Note that a count of an item at a place has ended: from now on its books are to be right."""
    conn.execute(
        """
        INSERT INTO item_location (item_id, location_id, counted_at) VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET counted_at = excluded.counted_at, lacked_at = NULL
        """,
        [item_id, location_id, at],
    )

"""What a supervisor has to see to in the morning beside orders and exceptions.

Called by `usecases.morning` on the reading connection.
"""

from msgspec import Struct

from mes_terminal.store.database import Connection

_EXPIRING = """
FROM balance b
JOIN location p ON p.location_id = b.location_id AND p.kind = 'line_side'
WHERE b.pickable = 1 AND b.expires_on <= :until
"""


class ExpiringRead(Struct, frozen=True):
    """A lot on the line, all its containers together, in micro-units."""

    item: str
    lot: str
    location: str
    quantity_micro: int
    uom: str
    expires_on: str
    is_mounted: int


def read_expiring(conn: Connection, *, until: str, limit: int) -> list[ExpiringRead]:
    """Return lots at line-side locations that may be picked and expire on the day `until` or
    before, those that expire first in front."""
    rows = conn.execute(
        f"""
        SELECT i.item, b.lot, p.location, sum(b.quantity_micro), i.uom, b.expires_on,
               EXISTS (SELECT 1 FROM mount m
                        WHERE m.lot_id = b.lot_id AND m.location_id = b.location_id)
          FROM (SELECT b.* {_EXPIRING}) b
          JOIN location p ON p.location_id = b.location_id
          JOIN item i ON i.item_id = b.item_id
         GROUP BY b.lot_id, b.location_id
         ORDER BY b.expires_on, i.item, b.lot, p.location LIMIT :limit
        """,  # noqa: S608  our own words
        {"until": until, "limit": limit},
    )
    return [ExpiringRead(*row) for row in rows]


def count_expiring(conn: Connection, *, until: str) -> int:
    """Return how many there are in all, by lot and location."""
    row = conn.execute(
        f"SELECT count(*) FROM (SELECT 1 {_EXPIRING} GROUP BY b.lot_id, b.location_id)",  # noqa: S608
        {"until": until},
    ).fetchone()
    return int(row[0])

"""Balances: what is on hand, changed in the transaction of its movements (BF-36).

The columns that a pick reads (expiry, receipt, name) are copies of the lot's and are taken from it
here, so that they cannot differ. Called by reports, moves and receipts.
"""

from collections.abc import Sequence

from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store.database import Connection

_ADD = """
    INSERT INTO balance (lot_id, location_id, container_id, quantity_micro, arrived_at, item_id,
                         lot, expires_on, received_at, may_go_negative, pickable)
    SELECT l.lot_id, ?2, ?3, ?4, ?5, l.item_id, iif(l.serial <> '', l.serial, l.lot),
           coalesce(l.expires_on, '9999-12-31'), coalesce(l.received_at, ?5),
           (SELECT tracking = 'none' FROM item i WHERE i.item_id = l.item_id),
           ?4 > 0 AND l.status = 'available'
      FROM lot l WHERE l.lot_id = ?1
    ON CONFLICT (lot_id, location_id, container_id) DO UPDATE
       SET quantity_micro = quantity_micro + excluded.quantity_micro,
           arrived_at = min(arrived_at, excluded.arrived_at),
           pickable = quantity_micro + excluded.quantity_micro > 0
                      AND (SELECT status FROM lot WHERE lot_id = excluded.lot_id) = 'available'
"""
_SOLE = """
    INSERT INTO item_location (item_id, location_id, sole_lot_id)
    VALUES (:item_id, :location_id, :lot_id)
    ON CONFLICT DO UPDATE SET sole_lot_id = CASE
        WHEN EXISTS (
            SELECT 1 FROM balance
             WHERE item_id = :item_id AND location_id = :location_id AND pickable = 1
               AND lot_id <> :lot_id) THEN NULL
        WHEN EXISTS (
            SELECT 1 FROM balance
             WHERE item_id = :item_id AND location_id = :location_id AND pickable = 0
               AND quantity_micro > 0 AND lot_id <> :lot_id) THEN NULL
        ELSE :lot_id END
"""


def add_stock(conn: Connection, arriving: Sequence[StockIn]) -> None:
    """Add stock to balances, making those that are missing; the arrival stays the earliest."""
    if arriving:
        conn.executemany(
            _ADD,
            [
                (each.lot_id, each.location_id, each.container_id, each.quantity_micro,
                 each.arrived_at)
                for each in arriving
            ],
        )  # fmt: skip


def set_balances(
    conn: Connection, left: Sequence[tuple[int, int]], emptied: Sequence[tuple[int]]
) -> None:
    """Set what is left of balances that were drawn on; the emptied ones leave the pick index."""
    if left:
        conn.executemany("UPDATE balance SET quantity_micro = ? WHERE balance_id = ?", left)
    if emptied:
        conn.executemany(
            "UPDATE balance SET quantity_micro = 0, pickable = 0 WHERE balance_id = ?", emptied
        )


def note_arrival(conn: Connection, item_id: int, location_id: int, lot_id: int) -> None:
    """Note whether the lot that arrived is now the only one of its item there (BF-37, `sole`)."""
    conn.execute(_SOLE, {"item_id": item_id, "location_id": location_id, "lot_id": lot_id})


def shorten_expiry(conn: Connection, days: Sequence[tuple[int, str]]) -> None:
    """Let lots, and their balances, expire no later than on a day: (lot, day)."""
    if days:
        conn.executemany(
            """
            UPDATE lot SET expires_on = min(coalesce(expires_on, ?2), ?2)
             WHERE lot_id = ?1 AND (lot <> '' OR serial <> '')
            """,
            days,
        )
        conn.executemany(
            """
            UPDATE balance SET expires_on = min(expires_on, ?2) WHERE lot_id = ?1 AND lot <> ''
            """,
            days,
        )


def set_expiry(conn: Connection, lot_id: int, expires_on: str | None) -> None:
    """Change the expiry of a lot and of its balances."""
    conn.execute("UPDATE lot SET expires_on = ? WHERE lot_id = ?", [expires_on, lot_id])
    conn.execute(
        "UPDATE balance SET expires_on = coalesce(?, '9999-12-31') WHERE lot_id = ?",
        [expires_on, lot_id],
    )

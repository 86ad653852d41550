"""Reads of the operator's screen: the current and next orders, mounts, last scans, what waits."""

from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain import order_changes
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.view import CountView, MountView, OrderView, ScanView
from mes_terminal.store.database import Connection


def read_orders(
    conn: Connection, current_order_id: int | None, *, limit: int
) -> tuple[OrderView | None, list[OrderView]]:
    """Return the current order, if it is open, and so many others in the order they are due."""
    rows: Any = conn.execute(
        """
        SELECT w.work_order, i.item, i.description, w.quantity_micro, w.good_micro,
               w.scrapped_micro, w.replace_scrap, i.uom, w.status, w.due_at, w.changes,
               w.work_order_id IS :current
          FROM work_order w JOIN item i USING (item_id)
         WHERE w.status IN ('released', 'started')
         ORDER BY w.work_order_id IS :current DESC, w.status = 'started' DESC,
                  w.due_at IS NULL, w.due_at, w.sequence IS NULL, w.sequence, w.work_order
         LIMIT :limit
        """,
        {"current": current_order_id, "limit": limit + 1},
    ).fetchall()
    orders = [
        OrderView(
            work_order=number,
            item=item,
            description=description,
            quantity=format_quantity(quantity),
            completed=format_quantity(good),
            scrapped=format_quantity(scrapped),
            remaining=format_quantity(max(0, quantity - good - (0 if replace else scrapped))),
            uom=uom,
            status=status,
            due_at=due_at,
            changes=order_changes.read(changes),
        )
        for number, item, description, quantity, good, scrapped, replace, uom, status, due_at,
            changes, _ in rows
    ]  # fmt: skip
    if rows and rows[0][-1]:
        return orders[0], orders[1:]
    return None, orders[:limit]


def unit_serial(conn: Connection, unit_id: int) -> str | None:
    """Return the serial of a unit that is not made yet; `None` if it is."""
    row = conn.execute(
        "SELECT serial FROM unit WHERE unit_id = ? AND report_seq IS NULL", [unit_id]
    ).fetchone()
    return row[0] if row else None


def has_slots(conn: Connection, work_order_id: int) -> bool:
    """Tell whether units of the order have slots for serials (BF-18)."""
    row = conn.execute(
        "SELECT has_slots FROM work_order WHERE work_order_id = ?", [work_order_id]
    ).fetchone()
    return bool(row and row[0])


def read_mounted(conn: Connection, *, limit: int) -> list[MountView]:
    """Return what is mounted, what its books have left, and the lot that would follow it."""
    rows: Any = conn.execute(
        """
        SELECT m.position, i.item, nullif(l.lot, ''), c.container, i.uom,
               (SELECT coalesce(sum(b.quantity_micro), 0) FROM balance b
                 WHERE b.lot_id = m.lot_id AND b.location_id = m.location_id
                   AND (m.container_id = 0 OR b.container_id = m.container_id)),
               (SELECT b.lot FROM balance b
                 WHERE b.item_id = m.item_id AND b.location_id = m.location_id
                   AND b.pickable = 1 AND b.lot_id <> m.lot_id
                 ORDER BY b.expires_on, b.received_at, b.lot LIMIT 1)
          FROM mount m
          JOIN item i USING (item_id)
          JOIN lot l USING (lot_id)
          LEFT JOIN container c USING (container_id)
         ORDER BY m.position LIMIT ?
        """,
        [limit],
    )
    return [
        MountView(
            position=position,
            item=item,
            lot=lot,
            container=container,
            left=format_quantity(left),
            uom=uom,
            then_lot=then_lot or None,
        )
        for position, item, lot, container, uom, left, then_lot in rows
    ]


def read_last_scans(conn: Connection, *, limit: int) -> list[ScanView]:
    """Return the newest concluded scans, newest first."""
    rows: Any = conn.execute(
        """
        SELECT j.received_at, j.raw, o.outcome, o.reason, o.message
          FROM scan_outcome o JOIN scan_journal j USING (scan_seq)
         ORDER BY o.scan_seq DESC LIMIT ?
        """,
        [limit],
    )
    return [
        ScanView(
            at=at,
            code=raw.decode("utf-8", "replace"),
            outcome=outcome,
            reason=reason,
            message=message,
        )
        for at, raw, outcome, reason, message in rows
    ]


class Outbox(Struct, frozen=True):
    """How many postings are not upstream, by what keeps them, and since when the oldest waits."""

    waiting: int
    refused: int
    parked: int
    oldest_at: str | None


_OLDEST_WAITING: Final = """
    SELECT min(outbox_seq) AS outbox_seq FROM delivery
     WHERE status = 'waiting' AND status <> 'delivered' AND let_go = 0
"""
_OLDEST_UNSENT: Final = " UNION ALL ".join(
    _OLDEST_WAITING.replace("waiting", status) for status in ("waiting", "refused", "parked")
)


def read_outbox(conn: Connection) -> Outbox:
    """Return how it stands with the outbox: the same work however long it is."""
    row = conn.execute(
        f"""
        SELECT coalesce((SELECT max(outbox_seq) FROM event), 0) - settled - refused - parked,
               refused, parked,
               (SELECT recorded_at FROM event WHERE outbox_seq = ({_OLDEST_WAITING}))
          FROM upstream_state
        """  # noqa: S608
    ).fetchone()
    return Outbox(*row)


def read_unsent(conn: Connection) -> tuple[int, str | None]:
    """Return how many postings are not upstream, whatever keeps them, and since when the oldest."""
    row = conn.execute(
        f"""
        SELECT coalesce((SELECT max(outbox_seq) FROM event), 0) - settled,
               (SELECT recorded_at FROM event WHERE outbox_seq = (
                    SELECT min(outbox_seq) FROM ({_OLDEST_UNSENT})))
          FROM upstream_state
        """  # noqa: S608
    ).fetchone()
    return int(row[0]), row[1]


def read_count(conn: Connection, stock_count_id: int) -> CountView:
    """Return a count that is open: its place, and how many items have a line of it (BF-32)."""
    row = conn.execute(
        """
        SELECT location.location,
               (SELECT count(*) FROM count_item WHERE stock_count_id = stock_count.stock_count_id)
          FROM stock_count JOIN location USING (location_id)
         WHERE stock_count.stock_count_id = ?
        """,
        [stock_count_id],
    ).fetchone()
    return CountView(*row)


def count_open_exceptions(conn: Connection) -> int:
    """Return how many exceptions are open."""
    row = conn.execute("SELECT count(*) FROM exception WHERE status = 'open'").fetchone()
    return int(row[0])

"""Slots of finished units that were let stay empty, until they are filled in rework (BF-24, BF-28).

That one is empty is known by the `unknown` edge of its unit and the open exception of its line.
"""

from msgspec import Struct

from mes_terminal.domain.quantity import MICRO
from mes_terminal.store.database import Connection
from mes_terminal.store.exceptions import open_again


class EmptySlot(Struct, frozen=True):
    """A slot of a finished unit without a serial."""

    line_id: int
    line: str
    erp_ref: str | None
    location_id: int
    """Where its line takes components from."""
    location_rule: str
    uom: str
    nameless_lot_id: int
    exception_id: int


class LineName(Struct, frozen=True):
    """An order line, by its names."""

    work_order_id: int
    work_order: str
    line: str
    item_id: int
    item: str


def of_unit(conn: Connection, unit_lot_id: int, item_id: int) -> EmptySlot | None:
    """Return the first empty slot of a finished unit for an item, whose exception is open."""
    row = conn.execute(
        """
        SELECT l.line_id, l.line, l.erp_ref, l.location_id, l.location_rule, i.uom, n.lot_id,
               x.exception_id
          FROM lot n
          JOIN item i USING (item_id)
          JOIN edge e ON e.child_id = :unit_lot_id AND e.parent_id = n.lot_id
          JOIN order_line l USING (line_id)
          JOIN exception x ON x.kind = 'component_serial' AND x.subject = 'line:' || l.line_id
                          AND x.status = 'open'
         WHERE n.item_id = :item_id AND n.lot = '' AND n.serial = '' AND n.work_order_id = 0
         GROUP BY l.line_id HAVING sum(e.quantity_micro) > 0
         ORDER BY l.position LIMIT 1
        """,
        {"unit_lot_id": unit_lot_id, "item_id": item_id},
    ).fetchone()
    return EmptySlot(*row) if row else None


def line_of(conn: Connection, line_id: int) -> LineName:
    """Return what people call an order line."""
    row = conn.execute(
        """
        SELECT w.work_order_id, w.work_order, l.line, i.item_id, i.item
          FROM order_line l
          JOIN work_order w USING (work_order_id)
          JOIN item i ON i.item_id = l.component_id
         WHERE l.line_id = ?
        """,
        [line_id],
    ).fetchone()
    return LineName(*row)


def fill(conn: Connection, empty: EmptySlot, report_seq: int, *, resolution: str) -> None:
    """A report filled the slot: its line owes one less, and so does its exception."""
    conn.execute(
        """
        UPDATE order_line SET issued_micro = issued_micro + ?, owed_micro = owed_micro - ?
         WHERE line_id = ?
        """,
        [MICRO, MICRO, empty.line_id],
    )
    conn.execute(
        """
        UPDATE exception
           SET quantity_micro = quantity_micro - :one,
               status = iif(quantity_micro > :one, status, 'resolved'),
               resolution = iif(quantity_micro > :one, resolution, :resolution)
         WHERE exception_id = :exception_id
        """,
        {"one": MICRO, "exception_id": empty.exception_id, "resolution": resolution},
    )
    conn.execute(
        "INSERT INTO exception_item VALUES (?, ?, ?, 0)", [empty.exception_id, report_seq, -MICRO]
    )


def empty_again(conn: Connection, report_seq: int) -> None:
    """A report that filled a slot is reversed: it is owed again, by the exception that is open."""
    rows = conn.execute(
        """
        SELECT x.exception_id, x.line_id, -p.quantity_micro
          FROM exception_item p JOIN exception x USING (exception_id)
          JOIN report r ON r.report_seq = p.event_seq AND r.kind = 'exchange'
         WHERE p.event_seq = ? AND x.kind = 'component_serial' AND p.quantity_micro < 0
        """,
        [report_seq],
    ).fetchall()
    for exception_id, line_id, quantity_micro in rows:
        conn.execute(
            "UPDATE order_line SET owed_micro = owed_micro + ? WHERE line_id = ?",
            [quantity_micro, line_id],
        )
        conn.execute(
            "DELETE FROM exception_item WHERE exception_id = ? AND event_seq = ?",
            [exception_id, report_seq],
        )
        open_again(conn, exception_id, quantity_micro)

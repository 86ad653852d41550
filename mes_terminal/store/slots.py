"""Slots for the serials of components: which an order has, and what is in them (BF-18)."""

from collections.abc import Iterable, Sequence
from json import dumps

from msgspec import Struct

from mes_terminal.domain.order import Source
from mes_terminal.domain.slots import Filled, SlotLine
from mes_terminal.store.database import Connection
from mes_terminal.store.let_pass import LetPass


class SerialFacts(Struct, frozen=True):
    """The serial of a component somebody scanned."""

    lot_id: int
    item_id: int
    item: str
    serial: str
    status: str
    expires_on: str | None
    on_hand_micro: int
    """At locations that may be picked."""
    sits_in: str | None
    """The unit or order whose slot it fills."""
    slot_order_id: int | None
    slot_unit_id: int | None
    is_built_in: int
    """That unit is reported."""


def read_serial(conn: Connection, lot_id: int) -> SerialFacts:
    """Return a component's serial, what the books have of it and where it sits."""
    row = conn.execute(
        """
        SELECT l.lot_id, i.item_id, i.item, l.serial, l.status, l.expires_on,
               coalesce((SELECT sum(b.quantity_micro) FROM balance b JOIN location o
                                USING (location_id)
                          WHERE b.lot_id = l.lot_id AND o.kind NOT IN ('hold', 'scrap')), 0),
               CASE WHEN s.lot_id IS NOT NULL THEN coalesce(u.serial, w.work_order) END,
               s.work_order_id, s.unit_id, s.report_seq IS NOT NULL
          FROM lot l JOIN item i USING (item_id)
          LEFT JOIN slot s USING (lot_id)
          LEFT JOIN unit u ON u.unit_id = s.unit_id
          LEFT JOIN work_order w ON w.work_order_id = s.work_order_id
         WHERE l.lot_id = ?
        """,
        [lot_id],
    ).fetchone()
    return SerialFacts(*row)


def order_with_slot(conn: Connection, item_id: int, current_order_id: int | None) -> str | None:
    """Return the open order that takes a serial of the item: the current one, a started one, the
    one due first."""
    row = conn.execute(
        """
        SELECT w.work_order FROM order_line l JOIN work_order w USING (work_order_id)
         WHERE l.component_id = :item_id AND l.issue_method = 'backflush' AND l.net_num > 0
           AND w.status IN ('released', 'started')
         ORDER BY w.work_order_id IS :current DESC, w.status = 'started' DESC,
                  w.due_at IS NULL, w.due_at, w.sequence IS NULL, w.sequence, w.work_order
         LIMIT 1
        """,
        {"item_id": item_id, "current": current_order_id},
    ).fetchone()
    return row[0] if row else None


def order_of_unit(conn: Connection, unit_id: int) -> str:
    """Return the work order of a unit."""
    row = conn.execute(
        "SELECT work_order FROM unit JOIN work_order USING (work_order_id) WHERE unit_id = ?",
        [unit_id],
    ).fetchone()
    return str(row[0])


def read_slots(conn: Connection, work_order_id: int, unit_id: int | None) -> list[SlotLine]:
    """Return the order's lines with slots, and how many of them are filled for a unit: its own and
    what waits for a unit to be scanned."""
    rows = conn.execute(
        """
        SELECT l.line_id, l.line, i.item_id, i.item, l.location_id, o.location,
               CASE WHEN l.basis = 'per_unit' THEN l.net_num / l.net_den
                    ELSE max(0, (l.net_num / l.net_den - l.issued_micro) / 1000000) END,
               (SELECT count(*) FROM slot s
                 WHERE s.work_order_id = l.work_order_id AND s.report_seq IS NULL
                   AND s.line_id = l.line_id AND (s.unit_id IS NULL OR s.unit_id IS :unit_id))
          FROM order_line l
          JOIN item i ON i.item_id = l.component_id
          JOIN location o USING (location_id)
         WHERE l.work_order_id = :work_order_id AND i.tracking = 'serial'
           AND l.issue_method = 'backflush' AND l.net_num > 0
         ORDER BY l.position
        """,
        {"work_order_id": work_order_id, "unit_id": unit_id},
    )
    return [SlotLine(*row) for row in rows]


def read_filled(conn: Connection, work_order_id: int, *, today: str) -> list[Filled]:
    """Return what is in the slots of the order's unfinished units, in the order scanned, with what
    is wrong with it today and what of that was let pass."""
    rows = conn.execute(
        """
        SELECT s.line_id, s.unit_id, s.may_expire, s.may_be_held, n.status = 'rejected',
               b.balance_id, b.lot_id, b.container_id, b.lot, b.expires_on, b.quantity_micro,
               '', b.expires_on < :today, n.status <> 'available'
          FROM slot s
          JOIN order_line l USING (line_id)
          JOIN lot n ON n.lot_id = s.lot_id
          JOIN balance b ON b.lot_id = s.lot_id AND b.location_id = l.location_id
                        AND b.quantity_micro > 0
         WHERE s.work_order_id = :work_order_id AND s.report_seq IS NULL
         ORDER BY s.scan_seq
        """,
        {"work_order_id": work_order_id, "today": today},
    )
    return [Filled(row[0], row[1], Source(*row[5:]), *row[2:5]) for row in rows]


def fill(
    conn: Connection,
    lot_id: int,
    *,
    line_id: int,
    work_order_id: int,
    unit_id: int | None,
    scan_seq: int,
    let_pass: LetPass,
    report_seq: int | None = None,
) -> None:
    """Put a serial into a slot; with a report into that of a finished unit."""
    conn.execute(
        "INSERT INTO slot VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [lot_id, line_id, work_order_id, unit_id, scan_seq, report_seq, let_pass.expired,
         let_pass.held],
    )  # fmt: skip


def give_to_unit(conn: Connection, lot_ids: Iterable[int], unit_id: int) -> None:
    """What waited for a unit to be scanned belongs to this one."""
    conn.executemany(
        "UPDATE slot SET unit_id = ? WHERE lot_id = ?", [(unit_id, lot_id) for lot_id in lot_ids]
    )


def build_in(conn: Connection, lot_ids: Sequence[int], report_seq: int) -> None:
    """A report built these serials in."""
    conn.executemany(
        "UPDATE slot SET report_seq = ? WHERE lot_id = ?",
        [(report_seq, lot_id) for lot_id in lot_ids],
    )


def empty_open(conn: Connection, work_order_id: int, unit_id: int | None) -> int:
    """Take everything out of the slots of the unit at hand; return how many serials that were."""
    cursor = conn.execute(
        """
        DELETE FROM slot
         WHERE work_order_id = ? AND report_seq IS NULL AND (unit_id IS NULL OR unit_id IS ?)
        """,
        [work_order_id, unit_id],
    )
    return int(cursor.rowcount)


def take_apart(conn: Connection, report_seq: int, lot_ids: Sequence[int] | None = None) -> None:
    """A report is reversed (`lot_ids`: a part of it, with these serials): the slot that its own
    scan filled is empty again, the others are full as they were before it."""
    asked = {"report_seq": report_seq, "lots": None if lot_ids is None else dumps(list(lot_ids))}
    mine = """
        report_seq = :report_seq
        AND (:lots IS NULL OR lot_id IN (SELECT value FROM json_each(:lots)))
    """
    conn.execute(
        f"""
        DELETE FROM slot WHERE {mine} AND scan_seq = (
            SELECT scan_seq FROM report WHERE report_seq = :report_seq)
        """,  # noqa: S608
        asked,
    )
    conn.execute(f"UPDATE slot SET report_seq = NULL WHERE {mine}", asked)  # noqa: S608

"""Orders and units beside a report's own reads: which order, which unit, the shifts."""

from msgspec import Struct

from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.quantity import MICRO
from mes_terminal.domain.shifts import Shift
from mes_terminal.store.database import Connection


class PlannedUnit(Struct, frozen=True):
    """A planned, named or finished unit."""

    work_order: str
    item: str
    lot_id: int | None
    made_at: str | None
    made_by: str | None
    is_scrap: int


class ItemOrders(Struct, frozen=True):
    """Which order a product's code means."""

    work_order: str | None
    made_here: bool
    """The item is a product with orders on file."""
    needed_lot: str | None
    """`lot` or `serial` if the item is a tracked component."""


class LastReport(Struct, frozen=True):
    """Who reported last on an order, and when."""

    event_time: str
    person: str | None


def read_unit(conn: Connection, unit_id: int) -> PlannedUnit:
    """Return a unit with who made it and when."""
    row = conn.execute(
        """
        SELECT w.work_order, i.item, l.lot_id, r.event_time, r.person,
               coalesce(r.kind = 'scrap', 0)
          FROM unit u
          JOIN work_order w USING (work_order_id)
          JOIN item i ON i.item_id = u.item_id
          LEFT JOIN lot l ON l.item_id = u.item_id AND l.lot = '' AND l.serial = u.serial
                         AND l.work_order_id = 0
          LEFT JOIN report r ON r.report_seq = u.report_seq
         WHERE u.unit_id = ?
        """,
        [unit_id],
    ).fetchone()
    return PlannedUnit(*row)


def active_order(conn: Connection, current_order_id: int | None) -> str | None:
    """Return the current order if it is open, else the started one due first."""
    row = conn.execute(
        """
        SELECT work_order FROM work_order
         WHERE status IN ('released', 'started')
           AND (status = 'started' OR work_order_id IS :current)
         ORDER BY work_order_id IS :current DESC, due_at IS NULL, due_at, sequence IS NULL,
                  sequence, work_order
         LIMIT 1
        """,
        {"current": current_order_id},
    ).fetchone()
    return row[0] if row else None


def started_order(conn: Connection, item_id: int) -> str | None:
    """Return the started order of a product that is due first."""
    row = conn.execute(
        """
        SELECT work_order FROM work_order
         WHERE item_id = ? AND status = 'started'
         ORDER BY due_at IS NULL, due_at, sequence IS NULL, sequence, work_order LIMIT 1
        """,
        [item_id],
    ).fetchone()
    return row[0] if row else None


def unit_serial(conn: Connection, unit_id: int) -> str:
    """Return the serial of a unit."""
    row = conn.execute("SELECT serial FROM unit WHERE unit_id = ?", [unit_id]).fetchone()
    return str(row[0])


def has_plan(conn: Connection, work_order_id: int) -> bool:
    """Tell whether upstream says which units the order is for, made ones included."""
    row = conn.execute(
        "SELECT EXISTS (SELECT 1 FROM unit WHERE work_order_id = ? AND origin = 'planned')",
        [work_order_id],
    ).fetchone()
    return bool(row[0])


def name_unit(conn: Connection, order: OrderFacts, serial: str) -> int:
    """Name a unit of the order by a serial that no unit of the product has (BF-39)."""
    row = conn.execute(
        """
        INSERT INTO unit (work_order_id, item_id, serial, position, origin)
        VALUES (?, ?, ?, ?, 'named')
        ON CONFLICT (item_id, serial) DO UPDATE
            SET work_order_id = excluded.work_order_id, position = excluded.position,
                origin = excluded.origin
        RETURNING unit_id
        """,
        [order.work_order_id, order.item_id, serial,
         (order.good_micro + order.scrapped_micro) // MICRO + 1],
    ).fetchone()  # fmt: skip
    return int(row[0])


def let_go(conn: Connection, unit_id: int) -> None:
    """A unit that was named here and is not made is none any more."""
    conn.execute(
        """
        UPDATE unit SET origin = 'freed'
         WHERE unit_id = ? AND origin = 'named' AND report_seq IS NULL
        """,
        [unit_id],
    )


def orders_for_item(conn: Connection, item_id: int) -> ItemOrders:
    """Return the started order due first, else the only released one, for a product."""
    open_orders = conn.execute(
        """
        SELECT work_order, status FROM work_order
         WHERE item_id = ? AND status IN ('released', 'started')
         ORDER BY status = 'released', due_at IS NULL, due_at, sequence IS NULL, sequence,
                  work_order
         LIMIT 2
        """,
        [item_id],
    ).fetchall()
    if open_orders and (open_orders[0][1] == "started" or len(open_orders) == 1):
        return ItemOrders(open_orders[0][0], made_here=True, needed_lot=None)
    made_here, needed_lot = conn.execute(
        """
        SELECT kind = 'manufactured' AND EXISTS (SELECT 1 FROM work_order WHERE item_id = :item_id),
               CASE WHEN tracking <> 'none' AND (
                    EXISTS (SELECT 1 FROM order_line WHERE component_id = :item_id)
                    OR EXISTS (SELECT 1 FROM bom_line WHERE component_id = :item_id))
                    THEN tracking END
          FROM item WHERE item_id = :item_id
        """,
        {"item_id": item_id},
    ).fetchone()
    return ItemOrders(None, bool(made_here), needed_lot)


def closed_last(conn: Connection, item_id: int) -> str | None:
    """Return the order of a product that was closed here last, if none of it is open."""
    row = conn.execute(
        """
        SELECT work_order FROM work_order w
         WHERE item_id = :item_id AND status = 'closed' AND activated_at IS NOT NULL
           AND NOT EXISTS (SELECT 1 FROM work_order o
                            WHERE o.item_id = :item_id AND o.status IN ('released', 'started'))
         ORDER BY activated_at DESC, work_order_id DESC LIMIT 1
        """,
        {"item_id": item_id},
    ).fetchone()
    return row[0] if row else None


def last_report(conn: Connection, work_order_id: int) -> LastReport | None:
    """Return the newest report of an order, rework (BF-28) left out."""
    row = conn.execute(
        """
        SELECT event_time, person FROM report
         WHERE work_order_id = ? AND kind NOT IN ('rework', 'reworked', 'exchange')
         ORDER BY report_seq DESC LIMIT 1
        """,
        [work_order_id],
    ).fetchone()
    return LastReport(*row) if row else None


def note_box(conn: Connection, item_id: int, box: str, report_seq: int) -> None:
    """Remember that a box of the item was reported."""
    conn.execute("INSERT INTO box_report VALUES (?, ?, ?)", [item_id, box, report_seq])


def box_report(conn: Connection, item_id: int, box: str) -> LastReport | None:
    """Return the report of this box of the item, if it stands (BF-34)."""
    row = conn.execute(
        """
        SELECT r.event_time, r.person
          FROM box_report b JOIN report r USING (report_seq)
         WHERE b.item_id = :item_id AND b.box = :box
           AND NOT EXISTS (SELECT 1 FROM report x
                            WHERE x.reverses = r.report_seq AND x.reverses_rest = 1)
         LIMIT 1
        """,
        {"item_id": item_id, "box": box},
    ).fetchone()
    return LastReport(*row) if row else None


def last_report_at(conn: Connection) -> str | None:
    """Return when the station's newest report that stands happened."""
    row = conn.execute(
        """
        SELECT event_time FROM report r
         WHERE kind NOT IN ('reversal', 'rework', 'reworked', 'exchange')
           AND NOT EXISTS (SELECT 1 FROM report x
                            WHERE x.reverses = r.report_seq AND x.reverses_rest = 1)
         ORDER BY report_seq DESC LIMIT 1
        """
    ).fetchone()
    return row[0] if row else None


def start(conn: Connection, work_order_id: int, *, at: str) -> None:
    """Make a released order a started one, active now; what was changed about it is told."""
    conn.execute(
        """
        UPDATE work_order SET status = 'started', activated_at = ?, changes = NULL
         WHERE work_order_id = ? AND status IN ('released', 'started')
        """,
        [at, work_order_id],
    )


def read_shifts(conn: Connection) -> list[Shift]:
    """Return the shifts by start."""
    rows = conn.execute(
        "SELECT shift, start_minute, end_minute, days FROM shift ORDER BY start_minute, shift"
    )
    return [Shift(*row) for row in rows]


def scanned_lot(conn: Connection, item_id: int) -> str | None:
    """Return the lot of a product that was scanned last (BF-39, `scanned`)."""
    row = conn.execute("SELECT lot FROM scanned_lot WHERE item_id = ?", [item_id]).fetchone()
    return row[0] if row else None


def set_scanned_lot(conn: Connection, item_id: int, lot: str) -> None:
    """Remember the lot of a product until the next one is scanned."""
    conn.execute(
        "INSERT INTO scanned_lot VALUES (?, ?) ON CONFLICT DO UPDATE SET lot = excluded.lot",
        [item_id, lot],
    )


def reason_known(conn: Connection, code: str, kind: str) -> bool:
    """Tell whether a reason may be given: one of its kind, or any text where none is loaded."""
    row = conn.execute(
        """
        SELECT count(*), count(*) FILTER (WHERE code = :code) FROM reason WHERE kind = :kind
        """,
        {"code": code, "kind": kind},
    ).fetchone()
    return not row[0] or bool(row[1])


def location_kind(conn: Connection, location: str, *, station: str) -> str | None:
    """Return the kind of a location that this station writes; `None` if it is none."""
    row = conn.execute(
        "SELECT kind FROM location WHERE location = ? AND coalesce(station, ?) = ?",
        [location, station, station],
    ).fetchone()
    return row[0] if row else None

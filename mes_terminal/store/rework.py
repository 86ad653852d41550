"""What is in rework, which order made it, and the serials that sit in a finished unit (BF-28).

That something is in rework follows from its balance at a location of that kind, whoever brought it
there; the reports of a pass say of which order it is, and why. Called by the use cases of rework.
"""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.hand_issues import Waiting
from mes_terminal.store.database import Connection
from mes_terminal.store.empty_slots import empty_again
from mes_terminal.store.made import STANDS
from mes_terminal.store.materials import Place

_MAKER: Final = f"""
    SELECT w.work_order
      FROM report r JOIN work_order w USING (work_order_id)
     WHERE r.lot_id = :lot_id AND r.kind = 'completion' AND {STANDS}
     ORDER BY r.report_seq DESC LIMIT 1
"""  # noqa: S608
_NAMED_MAKER: Final = """
    SELECT w.work_order
      FROM lot n
     CROSS JOIN work_order w ON w.item_id = n.item_id AND coalesce(w.lot, w.work_order) = n.lot
     WHERE n.lot_id = :lot_id AND w.good_micro > 0
     ORDER BY w.work_order LIMIT 1
"""
"""Of what was made before go-live no report tells: its lot has the order's name."""

_MADE: Final = f"""
    SELECT r.lot_id FROM report r
     WHERE r.work_order_id = :work_order_id AND r.kind = 'completion' AND r.lot_id IS NOT NULL
       AND {STANDS}
     GROUP BY r.lot_id ORDER BY max(r.report_seq) DESC
"""  # noqa: S608

_OPEN: Final = f"""
    SELECT w.work_order,
           sum(iif(r.kind = 'rework', m.quantity_micro, -m.quantity_micro)) AS open_micro,
           max(iif(r.kind = 'rework', r.report_seq, 0)) AS newest_seq
      FROM report r
      JOIN work_order w USING (work_order_id)
     CROSS JOIN movement m ON m.movement_seq BETWEEN r.movement_first
                                                 AND r.movement_first + r.movement_count - 1
     WHERE {{picked}} AND r.kind IN ('rework', 'reworked')
       AND {STANDS}
     GROUP BY w.work_order_id HAVING open_micro > 0
     ORDER BY newest_seq DESC
"""  # noqa: S608
_OPEN_OF_LOT: Final = _OPEN.format(picked="r.lot_id = :lot_id")
_OPEN_OF_ORDER: Final = _OPEN.format(
    picked="r.work_order_id = :work_order_id AND +r.lot_id = :lot_id"
)
"""Other orders may add to the lot without end."""

_SENT_MICRO: Final = f"""
    SELECT coalesce(sum(iif(r.kind = 'rework', m.quantity_micro, -m.quantity_micro)), 0)
      FROM report r
     CROSS JOIN movement m ON m.movement_seq BETWEEN r.movement_first
                                                 AND r.movement_first + r.movement_count - 1
     WHERE r.work_order_id = :work_order_id AND r.kind IN ('rework', 'reworked') AND {STANDS}
"""  # noqa: S608

_SENT: Final = f"""
    SELECT w.work_order, r.lot_id
      FROM order_line l
     CROSS JOIN work_order w ON w.work_order_id = l.work_order_id
     CROSS JOIN report r ON r.work_order_id = w.work_order_id
     WHERE l.component_id = :item_id AND r.kind = 'rework' AND {STANDS}
     GROUP BY w.work_order, r.lot_id
     ORDER BY max(r.report_seq) DESC
"""  # noqa: S608


class OpenPass(Struct, frozen=True):
    """What of a lot an order sent to rework and has not completed again."""

    work_order: str
    quantity_micro: int
    report_seq: int
    """The newest report that sent some of it."""
    reason: str | None


class Part(Struct, frozen=True):
    """The serial of a component that sits in a finished unit, and its slot."""

    lot_id: int
    item_id: int
    item: str
    uom: str
    serial: str
    line_id: int
    line: str
    erp_ref: str | None
    location_id: int
    """Where its line takes components from."""
    location_rule: str

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.item} {self.serial}"


def rework_place(conn: Connection, *, station: str) -> Place | None:
    """Return the rework location this station writes, of several the first by name."""
    row = conn.execute(
        """
        SELECT location_id, location, kind FROM location
         WHERE kind = 'rework' AND coalesce(station, :station) = :station
         ORDER BY location LIMIT 1
        """,
        {"station": station},
    ).fetchone()
    return Place(*row) if row else None


def anything_there(conn: Connection, *, station: str) -> bool:
    """Tell whether anything lies at a rework location of this station."""
    row = conn.execute(
        """
        SELECT EXISTS (
            SELECT 1 FROM balance b JOIN location o USING (location_id)
             WHERE o.kind = 'rework' AND coalesce(o.station, :station) = :station
               AND b.quantity_micro > 0)
        """,
        {"station": station},
    ).fetchone()
    return bool(row[0])


def maker_of(conn: Connection, lot_id: int) -> str | None:
    """Return the order that made a lot, of several the one that added to it last."""
    for statement in (_MAKER, _NAMED_MAKER):
        row = conn.execute(statement, {"lot_id": lot_id}).fetchone()
        if row is not None:
            return str(row[0])
    return None


def lots_made(conn: Connection, work_order_id: int) -> list[int]:
    """Return the lots an order made, an untracked product's nameless one included, newest first."""
    return [row[0] for row in conn.execute(_MADE, {"work_order_id": work_order_id})]


def open_passes(conn: Connection, lot_id: int, work_order_id: int | None = None) -> list[OpenPass]:
    """Return what of a lot the orders, or one of them, have in rework by their reports, the latest
    first."""
    found: list[OpenPass] = []
    statement = _OPEN_OF_LOT if work_order_id is None else _OPEN_OF_ORDER
    asked = {"lot_id": lot_id, "work_order_id": work_order_id}
    for work_order, quantity, report_seq in conn.execute(statement, asked).fetchall():
        row = conn.execute("SELECT reason FROM event WHERE event_seq = ?", [report_seq]).fetchone()
        found.append(OpenPass(work_order, quantity, report_seq, row[0]))
    return found


def sent_micro(conn: Connection, work_order_id: int) -> int:
    """Return how much an order sent to rework and has not completed again, by its reports."""
    row = conn.execute(_SENT_MICRO, {"work_order_id": work_order_id}).fetchone()
    return int(row[0])


def is_in_rework(conn: Connection, unit_id: int, *, station: str) -> bool:
    """Tell whether a finished unit lies at a rework location of this station."""
    row = conn.execute(
        """
        SELECT EXISTS (
            SELECT 1 FROM unit u
              JOIN lot l ON l.item_id = u.item_id AND l.serial = u.serial AND l.lot = ''
                        AND l.work_order_id = 0
              JOIN balance b ON b.lot_id = l.lot_id AND b.quantity_micro > 0
              JOIN location o ON o.location_id = b.location_id
             WHERE u.unit_id = :unit_id AND o.kind = 'rework'
               AND coalesce(o.station, :station) = :station)
        """,
        {"unit_id": unit_id, "station": station},
    ).fetchone()
    return bool(row[0])


def order_of_unit_taking(conn: Connection, unit_id: int, item_id: int) -> str | None:
    """Return the order of a unit if a line of it takes the item."""
    row = conn.execute(
        """
        SELECT w.work_order FROM unit u JOIN work_order w USING (work_order_id)
         WHERE u.unit_id = ? AND EXISTS (
               SELECT 1 FROM order_line l
                WHERE l.component_id = ? AND l.work_order_id = w.work_order_id)
        """,
        [unit_id, item_id],
    ).fetchone()
    return row[0] if row else None


def order_in_rework_taking(conn: Connection, item_id: int) -> str | None:
    """Return the order that takes the item and sent something to rework last that is still out."""
    rows = conn.execute(_SENT, {"item_id": item_id}).fetchall()
    for work_order, lot_id in rows:
        if any(each.work_order == work_order for each in open_passes(conn, lot_id)):
            return str(work_order)
    return None


def parts_of(conn: Connection, unit_id: int) -> list[Part]:
    """Return the serials that sit in a finished unit, by line: its genealogy names them, whether
    they were scanned for it or waited for a unit."""
    rows = conn.execute(
        """
        SELECT s.lot_id, i.item_id, i.item, i.uom, n.serial, l.line_id, l.line, l.erp_ref,
               l.location_id, l.location_rule
          FROM unit u
         CROSS JOIN lot made ON made.item_id = u.item_id AND made.lot = ''
                            AND made.serial = u.serial AND made.work_order_id = 0
         CROSS JOIN edge e ON e.child_id = made.lot_id
         CROSS JOIN slot s ON s.lot_id = e.parent_id AND s.report_seq IS NOT NULL
         CROSS JOIN lot n ON n.lot_id = s.lot_id
         CROSS JOIN item i ON i.item_id = n.item_id
         CROSS JOIN order_line l ON l.line_id = s.line_id
         WHERE u.unit_id = ?
         GROUP BY s.lot_id HAVING sum(e.quantity_micro) > 0
         ORDER BY l.position, n.serial
        """,
        [unit_id],
    )
    return [Part(*row) for row in rows]


def swap(
    conn: Connection,
    old_lot_id: int,
    new_lot_id: int,
    *,
    unit_id: int,
    report_seq: int,
    scan_seq: int,
) -> None:
    """Give the slot of a serial to another one; what it said is kept for a reversal."""
    conn.execute(
        """
        INSERT INTO exchange
        SELECT ?, lot_id, line_id, work_order_id, unit_id, scan_seq, report_seq
          FROM slot WHERE lot_id = ?
        """,
        [report_seq, old_lot_id],
    )
    conn.execute("DELETE FROM slot WHERE lot_id = ?", [old_lot_id])
    conn.execute(
        """
        INSERT INTO slot (lot_id, line_id, work_order_id, unit_id, scan_seq, report_seq)
        SELECT ?, line_id, work_order_id, ?, ?, report_seq FROM exchange WHERE report_seq = ?
        """,
        [new_lot_id, unit_id, scan_seq, report_seq],
    )


def put_back(conn: Connection, report_seq: int) -> None:
    """An exchange is reversed, its slot empty again: the old serial sits there as before. What
    filled an empty slot leaves it empty."""
    empty_again(conn, report_seq)
    conn.execute(
        """
        INSERT INTO slot (lot_id, line_id, work_order_id, unit_id, scan_seq, report_seq)
        SELECT old_lot_id, line_id, work_order_id, unit_id, scan_seq, built_in_seq
          FROM exchange WHERE report_seq = ?
        """,
        [report_seq],
    )


def sits_elsewhere(conn: Connection, report_seq: int) -> str | None:
    """Return the unit or order whose slot an exchanged serial fills now; `None`: none."""
    row = conn.execute(
        """
        SELECT coalesce(u.serial, w.work_order) FROM exchange e
          JOIN slot s ON s.lot_id = e.old_lot_id
          LEFT JOIN unit u ON u.unit_id = s.unit_id
          JOIN work_order w ON w.work_order_id = s.work_order_id
         WHERE e.report_seq = ?
        """,
        [report_seq],
    ).fetchone()
    return row[0] if row else None


def extras_since(conn: Connection, work_order_id: int, event_seq: int) -> list[Waiting]:
    """Return the tracked extra parts of an order that wait for a report and were issued after an
    event."""
    rows = conn.execute(
        """
        SELECT 0, h.lot_id, sum(h.quantity_micro), 0, i.step_micro
          FROM hand_issue h JOIN item i USING (item_id)
         WHERE h.work_order_id = ? AND h.report_seq IS NULL AND h.line_id IS NULL
           AND i.tracking <> 'none' AND h.event_seq > ?
         GROUP BY h.lot_id HAVING sum(h.quantity_micro) > 0
         ORDER BY min(h.event_seq), min(h.hand_issue_id)
        """,
        [work_order_id, event_seq],
    )
    return [Waiting(*row) for row in rows]

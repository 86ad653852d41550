"""When what was made expires: sooner by what is found in it later, as before by reversals (BF-39).

A report shortens it as it posts. The order keeps the earliest expiry of what its operations took,
so that a close reads no genealogy. Called by healings and reversals, inside their transactions.
"""

from collections.abc import Iterable
from typing import Final

from mes_terminal.domain.instants import NO_EXPIRY
from mes_terminal.store.balances import set_expiry, shorten_expiry
from mes_terminal.store.before_reports import before
from mes_terminal.store.database import Connection
from mes_terminal.store.made import STANDS
from mes_terminal.store.reversals import Recorded

_SHORTENS: Final = "r.lot_id = :lot_id AND r.kind IN ('completion', 'reworked', 'exchange')"

# Units in process stand for what their order's operations took.
_STILL_IN_IT: Final = """
    SELECT coalesce(p.expires_on, w.process_expires_on)
      FROM edge e
      JOIN lot p ON p.lot_id = e.parent_id
      LEFT JOIN work_order w ON w.work_order_id = p.work_order_id
     WHERE e.child_id = ?
     GROUP BY e.parent_id HAVING sum(e.quantity_micro) > 0
"""
_STILL_IN_PROCESS: Final = """
    WITH told AS (
        SELECT report_seq AS seq FROM report
         WHERE work_order_id = :work_order_id AND kind = 'operation'
         UNION ALL
        SELECT x.report_seq FROM report r JOIN report x ON x.reverses = r.report_seq
         WHERE r.work_order_id = :work_order_id AND r.kind = 'operation'
         UNION ALL
        SELECT h.event_seq FROM report r JOIN healing h ON h.report_seq = r.report_seq
         WHERE r.work_order_id = :work_order_id AND r.kind = 'operation'
         UNION ALL
        SELECT h.undone_seq FROM report r JOIN healing h ON h.report_seq = r.report_seq
         WHERE r.work_order_id = :work_order_id AND r.kind = 'operation'
         UNION ALL
        SELECT h.event_seq FROM report r JOIN hand_return h ON h.report_seq = r.report_seq
         WHERE r.work_order_id = :work_order_id AND r.kind = 'operation'
    ), process AS (
        SELECT n.lot_id FROM work_order w JOIN lot n ON n.item_id = w.item_id AND n.serial = ''
           AND (n.lot = '' AND n.work_order_id = w.work_order_id
                OR n.lot = coalesce(w.lot, w.work_order) AND n.work_order_id = 0)
         WHERE w.work_order_id = :work_order_id
    )
    SELECT p.expires_on FROM process CROSS JOIN edge e ON e.child_id = process.lot_id
      JOIN lot p ON p.lot_id = e.parent_id
     WHERE e.report_seq IN (SELECT seq FROM told WHERE seq IS NOT NULL)
     GROUP BY e.child_id, e.parent_id HAVING sum(e.quantity_micro) > 0
"""
_MADE_OF_PROCESS: Final = f"""
    SELECT r.lot_id FROM report r
     WHERE r.work_order_id = :work_order_id AND r.kind = 'completion' AND r.lot_id IS NOT NULL
       AND {STANDS}
     UNION
    SELECT * FROM (
        SELECT e.child_id FROM work_order w
          JOIN lot n ON n.item_id = w.item_id AND n.lot = '' AND n.serial = ''
                    AND n.work_order_id = w.work_order_id
          JOIN edge e ON e.parent_id = n.lot_id
         WHERE w.work_order_id = :work_order_id
         GROUP BY e.child_id HAVING sum(e.quantity_micro) > 0)
"""  # noqa: S608


def shorten_healed(conn: Connection, report_seq: int, found: Iterable[tuple[int, str]]) -> None:
    """Let products expire no later than what was found to be in them: (product, day).

    What an operation turns out to have taken is in all that its order made since, and will make.
    """
    days = [(lot_id, day) for lot_id, day in found if day != NO_EXPIRY]
    if not days:
        return
    of_operation = conn.execute(
        "SELECT work_order_id FROM report WHERE report_seq = ? AND kind = 'operation'",
        [report_seq],
    ).fetchone()
    if of_operation is not None:
        work_order_id, day = of_operation[0], min(day for _, day in days)
        conn.execute(
            """
            UPDATE work_order SET process_expires_on = min(coalesce(process_expires_on, ?1), ?1)
             WHERE work_order_id = ?2
            """,
            [day, work_order_id],
        )
        made = conn.execute(_MADE_OF_PROCESS, {"work_order_id": work_order_id}).fetchall()
        days = [(lot_id, day) for (lot_id,) in made]
    shorten_expiry(conn, days)


def restore_expiry(conn: Connection, report: Recorded) -> None:
    """Give what a report made back the expiry that what stands of it allows, never a longer one.

    Call it when the reversal stands in the log. When nothing of a lot stands it has the expiry it
    had before its first report, in whatever order they went.
    """
    if report.kind == "operation":
        if report.inherit_expiry:
            _restore_process(conn, report)
    elif report.kind == "completion" and report.tracking == "serial":
        _forget_serials(conn, report)
    elif report.kind in ("completion", "reworked", "exchange") and report.lot_id is not None:
        _restore_lot(conn, report, report.lot_id)


def _restore_process(conn: Connection, report: Recorded) -> None:
    rows = conn.execute(_STILL_IN_PROCESS, {"work_order_id": report.work_order_id})
    conn.execute(
        "UPDATE work_order SET process_expires_on = ? WHERE work_order_id = ?",
        [min((day for (day,) in rows if day), default=None), report.work_order_id],
    )


def _forget_serials(conn: Connection, report: Recorded) -> None:
    """Serials that are not made yet expire on no day."""
    lots = conn.execute(
        """
        SELECT m.lot_id FROM movement m
          JOIN lot l USING (lot_id)
          JOIN item i USING (item_id)
         WHERE m.movement_seq >= :first AND m.movement_seq < :first + :count
           AND m.kind = 'production' AND i.item_id = :product_id
           AND (i.inherit_expiry OR i.shelf_life_days IS NOT NULL)
        """,
        {
            "first": report.movement_first,
            "count": report.movement_count,
            "product_id": report.product_id,
        },
    ).fetchall()
    for (lot_id,) in lots:
        set_expiry(conn, lot_id, None)


def _restore_lot(conn: Connection, report: Recorded, lot_id: int) -> None:
    now, later, others = conn.execute(
        f"""
        SELECT (SELECT expires_on FROM lot WHERE lot_id = :lot_id),
               EXISTS (SELECT 1 FROM report r WHERE {_SHORTENS} AND r.report_seq > :report_seq
                          AND {STANDS}),
               EXISTS (SELECT 1 FROM report r WHERE {_SHORTENS} AND r.report_seq < :report_seq
                          AND {STANDS})
        """,  # noqa: S608
        {"lot_id": lot_id, "report_seq": report.report_seq},
    ).fetchone()
    if now is None or later:
        return
    others = others or report.kind != "completion"
    day = report.expires_before if others else before(conn, report, _SHORTENS).expires_on
    days = [day or NO_EXPIRY]
    if others and report.inherit_expiry:
        days += [row[0] or NO_EXPIRY for row in conn.execute(_STILL_IN_IT, [lot_id])]
    shortest = min(days)
    set_expiry(conn, lot_id, None if shortest == NO_EXPIRY else shortest)

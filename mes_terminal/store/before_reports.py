"""What an order's status becomes when a report is taken back, and what was before reports (BF-31).

Reports go back in any order; when none stands any more, all is as before the first one. Called by
the use case of reversals, inside its transaction.
"""

from typing import Final, NamedTuple

from mes_terminal.store.database import Connection
from mes_terminal.store.made import STANDS
from mes_terminal.store.reversals import Recorded

_COUNTS: Final = "r.kind IN ('completion', 'short_close', 'operation', 'scrap')"


class Before(NamedTuple):
    """What an order and a lot were before a report."""

    order_status: str
    expires_on: str | None
    report_seq: int


def status_after(conn: Connection, report: Recorded, *, units_micro: int, is_rest: bool) -> str:
    """Return what becomes of the order's status when so many units of a report are taken back.

    One that reports closed is started again if something remains; released, if no report stands any
    more and it was released before the first of them. Hold, and what the ERP closed or released
    again, stays.
    """
    if report.is_rework or report.order_status in ("planned", "released", "hold", "cancelled"):
        return report.order_status
    ended_micro = 0 if report.kind == "operation" else units_micro
    was_short, was_left, is_left = conn.execute(
        f"""
        SELECT EXISTS (SELECT 1 FROM report r
                        WHERE r.work_order_id = w.work_order_id AND r.kind = 'short_close'
                          AND {STANDS}),
               w.quantity_micro > made, w.quantity_micro > made - iif(
                   w.replace_scrap AND :scraps, 0, :units)
          FROM (SELECT *, good_micro + iif(replace_scrap, 0, scrapped_micro) AS made
                  FROM work_order WHERE work_order_id = :work_order_id) w
        """,  # noqa: S608
        {
            "work_order_id": report.work_order_id,
            "scraps": report.kind == "scrap",
            "units": ended_micro,
        },
    ).fetchone()
    if was_short and is_rest and report.kind != "short_close" and _opened_again(conn, report):
        return "closed"
    if report.order_status == "closed":
        by_reports = was_short or not was_left
        if not by_reports or (not is_left and report.kind != "short_close"):
            return "closed"
    if not is_rest or _another_stands(conn, report):
        return "started"
    return _status_before(conn, report)


def _opened_again(conn: Connection, report: Recorded) -> bool:
    """Tell whether the report is the only one that stands since its order was closed short: it
    opened the order again (BF-24)."""
    kinds = conn.execute(
        f"""
        SELECT r.kind FROM report r
         WHERE r.work_order_id = ? AND r.report_seq <> ? AND {_COUNTS} AND {STANDS}
         ORDER BY r.report_seq DESC LIMIT 1
        """,  # noqa: S608
        [report.work_order_id, report.report_seq],
    ).fetchone()
    return bool(kinds == ("short_close",))


def _another_stands(conn: Connection, report: Recorded) -> bool:
    row = conn.execute(
        f"""
        SELECT EXISTS (SELECT 1 FROM report r
                        WHERE r.work_order_id = ? AND r.report_seq <> ? AND {_COUNTS} AND {STANDS})
        """,  # noqa: S608
        [report.work_order_id, report.report_seq],
    ).fetchone()
    return bool(row[0])


def _status_before(conn: Connection, report: Recorded) -> str:
    """Return the order's status before the first of the reports since none of it stood."""
    return before(conn, report, f"r.work_order_id = :work_order_id AND {_COUNTS}").order_status


def before(conn: Connection, report: Recorded, series: str) -> Before:
    """Return what was before the first report of a series, a condition on `r`, since none of it
    stood: go back from a report to the earliest that stood when it was made, and so on."""
    asked = {
        "work_order_id": report.work_order_id,
        "lot_id": report.lot_id,
        "before": report.report_seq + 1,
    }
    found = Before(report.order_status, report.expires_before, report.report_seq)
    while True:
        earlier = conn.execute(
            f"""
            SELECT r.order_status_before, r.lot_expires_before, r.report_seq FROM report r
             WHERE {series} AND r.report_seq < :before
               AND NOT EXISTS (SELECT 1 FROM report x
                                WHERE x.reverses = r.report_seq AND x.reverses_rest = 1
                                  AND x.report_seq < :before)
             ORDER BY r.report_seq LIMIT 1
            """,  # noqa: S608
            asked,
        ).fetchone()
        if earlier is None:
            return found
        found = Before(*earlier)
        asked["before"] = found.report_seq

"""Which labels of finished goods are still to be printed: the reports after the last one printed.

Nothing is written when an order closes: the log is the queue, and one row says how far it is done.
"""

from typing import Any, Final

from mes_terminal.store.database import Connection

DUE: Final = """
SELECT r.report_seq, i.item, i.description, i.gtin, i.uom,
       r.good_micro + coalesce((SELECT sum(x.good_micro) FROM report x
                                 WHERE x.reverses = r.report_seq), 0),
       r.event_time,
       w.work_order, nullif(l.lot, ''), l.expires_on
  FROM report r
  JOIN work_order w USING (work_order_id)
  JOIN item i ON i.item_id = w.item_id
  LEFT JOIN lot l ON l.lot_id = r.lot_id
 WHERE r.report_seq > :after AND r.kind = 'completion' AND r.good_micro > 0
   AND NOT EXISTS (SELECT 1 FROM report x WHERE x.reverses = r.report_seq AND x.reverses_rest = 1)
 ORDER BY r.report_seq
"""


def read_cursor(conn: Connection) -> int | None:
    """Return the report printed last; `None` if printing was never begun."""
    row = conn.execute("SELECT report_seq FROM label_cursor").fetchone()
    return int(row[0]) if row else None


def write_cursor(conn: Connection, report_seq: int) -> None:
    """Everything up to this report is printed."""
    conn.execute(
        """
        INSERT INTO label_cursor VALUES (1, ?)
        ON CONFLICT (only_row) DO UPDATE SET report_seq = excluded.report_seq
        """,
        [report_seq],
    )


def newest_report(conn: Connection) -> int:
    """Return the newest report; 0 if there is none."""
    return int(conn.execute("SELECT coalesce(max(report_seq), 0) FROM report").fetchone()[0])


def due(conn: Connection, after: int, limit: int) -> list[tuple[Any, ...]]:
    """Return what the labels of the next reports say, in the columns of `DUE`."""
    return conn.execute(f"{DUE} LIMIT :limit", {"after": after, "limit": limit}).fetchall()


def count_due(conn: Connection, after: int) -> int:
    """Return how many reports wait for their labels."""
    rows = f"SELECT count(*) FROM ({DUE})"  # noqa: S608  a constant of this module
    row = conn.execute(rows, {"after": after}).fetchone()
    return int(row[0])


def units_of(conn: Connection, report_seq: int) -> list[str]:
    """Return the serials that a report made."""
    rows = conn.execute(
        "SELECT serial FROM unit WHERE report_seq = ? ORDER BY position", [report_seq]
    )
    return [row[0] for row in rows]

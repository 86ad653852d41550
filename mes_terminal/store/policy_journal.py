"""What the journal and the log recorded of deviations: read by `policy --replay` (BF-24).

Reading only. Every function takes the first scan of the window, and reads from there on.
"""

import json
from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mes_terminal.store.database import Connection


class Scanned(Struct, frozen=True):
    """A concluded scan of the window."""

    sequence: int
    scan_id: str
    received_at: str
    raw: bytes
    outcome: str
    reason: str | None
    message: str


class Closed(Struct, frozen=True):
    """A report that completed its order by the order's own code."""

    scan: Scanned
    event_time: str
    work_order_id: int
    work_order: str
    item: str
    passed: str
    """JSON [[position, good, scrapped]]: what operations gained."""
    status_before: str
    first_report_at: str | None
    """The first report of the order before this one that stands."""


_SCAN = "j.scan_seq, j.scan_id, j.received_at, j.raw, o.outcome, o.reason, o.message"


def first_scan(conn: Connection, since: str) -> int:
    """Return the first scan received at that time or later; beyond the last one if there is none.

    The clock may step back (BF-33): every later scan is in the window too.
    """
    row = conn.execute(
        """
        SELECT coalesce(min(scan_seq), (SELECT coalesce(max(scan_seq), 0) + 1 FROM scan_journal))
          FROM scan_journal WHERE received_at >= ?
        """,
        [since],
    ).fetchone()
    return int(row[0])


def refusals(conn: Connection, first: int, marker: str) -> Iterator[Scanned]:
    """Yield the scans that the matrix blocked, known by the words of their message."""
    rows = conn.execute(
        f"""
        SELECT {_SCAN} FROM scan_journal j JOIN scan_outcome o USING (scan_seq)
         WHERE j.scan_seq >= ? AND o.outcome = 'rejected' AND instr(o.message, ?) > 0
         ORDER BY j.scan_seq
        """,  # noqa: S608
        [first, marker],
    )
    return (Scanned(*row) for row in rows)


def events(conn: Connection, first: int, kinds: tuple[str, ...]) -> Iterator[tuple[Any, ...]]:
    """Yield (scan, type, body) of the events of these types that scans of the window caused."""
    rows = conn.execute(
        f"""
        SELECT {_SCAN}, e.type, e.body
          FROM event e
          JOIN scan_journal j ON j.scan_seq = e.scan_seq
          JOIN scan_outcome o ON o.scan_seq = e.scan_seq
         WHERE e.event_seq >= (SELECT min(event_seq) FROM scan_outcome WHERE scan_seq >= :first)
           AND e.scan_seq >= :first
           AND e.type IN (SELECT value FROM json_each(:kinds))
         ORDER BY e.event_seq
        """,  # noqa: S608
        {"first": first, "kinds": json.dumps(kinds)},
    )
    return ((Scanned(*row[:7]), row[7], row[8]) for row in rows)


def closes(conn: Connection, first: int) -> Iterator[Closed]:
    """Yield the reports of the window that completed an order by a code that names it."""
    rows = conn.execute(
        f"""
        SELECT {_SCAN}, r.event_time, r.work_order_id, w.work_order, i.item, r.passed,
               r.order_status_before,
               (SELECT min(b.event_time) FROM report b
                 WHERE b.work_order_id = r.work_order_id AND b.report_seq < r.report_seq
                   AND b.kind <> 'reversal'
                   AND NOT EXISTS (SELECT 1 FROM report x
                                    WHERE x.reverses = b.report_seq AND x.reverses_rest = 1
                                      AND x.report_seq < r.report_seq))
          FROM report r
          JOIN scan_journal j ON j.scan_seq = r.scan_seq
          JOIN scan_outcome o ON o.scan_seq = r.scan_seq
          JOIN work_order w USING (work_order_id)
          JOIN item i USING (item_id)
          JOIN event e ON e.event_seq = r.report_seq
         WHERE r.report_seq >= (SELECT min(event_seq) FROM scan_outcome WHERE scan_seq >= :first)
           AND r.kind = 'completion' AND r.passed IS NOT NULL
           AND instr(CAST(j.raw AS TEXT), w.work_order) > 0
           AND e.body ->> '$.data.final'
         ORDER BY r.report_seq
        """,  # noqa: S608
        {"first": first},
    )
    return (Closed(Scanned(*row[:7]), *row[7:]) for row in rows)


def starts(conn: Connection) -> dict[str, list[str]]:
    """Return when each order was started by a scan, by its number; in the order of the log."""
    rows = conn.execute(
        """
        SELECT body ->> '$.subject', event_time FROM event
         WHERE type = 'order.started' ORDER BY event_seq
        """
    )
    found: dict[str, list[str]] = {}
    for work_order, at in rows:
        found.setdefault(work_order, []).append(at)
    return found


def order_item(conn: Connection, work_order: str) -> str | None:
    """Return the product of an order."""
    row = conn.execute(
        "SELECT i.item FROM work_order w JOIN item i USING (item_id) WHERE w.work_order = ?",
        [work_order],
    ).fetchone()
    return row[0] if row else None


def cause_of(conn: Connection, exception_id: int) -> str | None:
    """Return why an exception was opened."""
    row = conn.execute(
        "SELECT cause FROM exception WHERE exception_id = ?", [exception_id]
    ).fetchone()
    return row[0] if row else None

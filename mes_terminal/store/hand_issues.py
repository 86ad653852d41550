"""Material issued by hand, its returns and extra parts, until a report takes it in (BF-10, BF-37).

What waits is kept by order line (0: extra parts) and lot, returns deducted. A report takes in what
its units are made of; its reversal gives it back, and so does a return of more than waits.
Called by the use cases of material by hand and by reports.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.domain.hand_issues import Contains, Lies, Waiting
from mes_terminal.domain.reversal import Released
from mes_terminal.store.database import Connection
from mes_terminal.store.made import MADE

_INSERT: Final = """
    INSERT INTO hand_issue (event_seq, work_order_id, line_id, item_id, lot_id, container_id,
                            quantity_micro, covered_micro, reason, report_seq)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
# Without what was posted for the report later: that goes back by itself (BF-22).
_CONTAINS: Final = f"""
    WITH {MADE}, told AS (
        SELECT :report_seq AS seq
         UNION ALL
        SELECT event_seq FROM hand_return WHERE report_seq = :report_seq
         UNION ALL
        SELECT report_seq FROM report WHERE reverses = :report_seq
    )
    SELECT e.child_id, c.item_id, sum(e.quantity_micro), own.certainty
      FROM made
      JOIN edge own ON own.child_id = made.lot_id AND own.parent_id = :lot_id
                   AND own.report_seq = :report_seq AND own.line_id = :line_id
     CROSS JOIN told
      JOIN edge e ON e.child_id = made.lot_id AND e.parent_id = :lot_id
                 AND e.report_seq = told.seq AND e.line_id = :line_id
      JOIN lot c ON c.lot_id = e.child_id
     GROUP BY e.child_id ORDER BY e.child_id DESC
"""  # noqa: S608


class HandIssue(Struct, frozen=True, kw_only=True):
    """Part of an issue by hand; a return is below zero."""

    line_id: int | None
    """`None`: an extra part."""
    item_id: int
    lot_id: int
    container_id: int
    quantity_micro: int
    covers_micro: int
    """What it counts for, in units of the line's component (BF-29)."""
    reason: str | None = None
    report_seq: int | None = None
    """Of a return: the report that had taken it in; `None`: it waited."""


class Returnable(Struct, frozen=True):
    """What of a lot an order still has in one class: planned for a line, or extra."""

    line_id: int | None
    reason: str | None
    quantity_micro: int


def write(
    conn: Connection, work_order_id: int, issues: Iterable[HandIssue], event_seq: int
) -> None:
    """Write what one event issued or gave back."""
    conn.executemany(
        _INSERT,
        [
            (event_seq, work_order_id, each.line_id, each.item_id, each.lot_id,
             each.container_id, each.quantity_micro, each.covers_micro, each.reason,
             each.report_seq)
            for each in issues
        ],
    )  # fmt: skip


def waiting_of(conn: Connection, work_order_id: int) -> list[Waiting]:
    """Return the tracked material that waits for a report, in the order issued; what was returned
    is deducted."""
    rows = conn.execute(
        """
        SELECT coalesce(h.line_id, 0), h.lot_id, sum(h.quantity_micro), sum(h.covered_micro),
               i.step_micro
          FROM hand_issue h JOIN item i USING (item_id)
         WHERE h.work_order_id = ? AND h.report_seq IS NULL AND i.tracking <> 'none'
         GROUP BY h.line_id, h.lot_id HAVING sum(h.quantity_micro) > 0
         ORDER BY min(h.event_seq), min(h.hand_issue_id)
        """,
        [work_order_id],
    )
    return [Waiting(*row) for row in rows]


def take_in(
    conn: Connection, work_order_id: int, report_seq: int, taken: Sequence[Waiting]
) -> None:
    """Let a report have what it takes of what waits.

    The rows of a line and lot go to the report whole; what it leaves of them is written as two
    more, one that takes it off the report and one that goes on waiting.
    """
    waiting = {(each.line_id, each.lot_id): each for each in waiting_of(conn, work_order_id)}
    for each in taken:
        line_id, lot_id = each.line_id, each.lot_id
        rows = conn.execute(
            """
            UPDATE hand_issue SET report_seq = :report_seq
             WHERE work_order_id = :work_order_id AND report_seq IS NULL AND lot_id = :lot_id
               AND coalesce(line_id, 0) = :line_id
            RETURNING event_seq, item_id, container_id, reason
            """,
            {
                "report_seq": report_seq,
                "work_order_id": work_order_id,
                "lot_id": lot_id,
                "line_id": line_id,
            },
        ).fetchall()
        whole = waiting[line_id, lot_id]
        left = whole.quantity_micro - each.quantity_micro
        covers = whole.covers_micro - each.covers_micro
        if left:
            event_seq, item_id, container_id, reason = min(rows)
            rest = (event_seq, work_order_id, line_id or None, item_id, lot_id, container_id)
            conn.executemany(
                _INSERT,
                [
                    (*rest, -left, -covers, reason, report_seq),
                    (*rest, left, covers, reason, None),
                ],
            )


def give_back(conn: Connection, report_seq: int) -> None:
    """A report is reversed: what it took in waits for another one."""
    conn.execute("UPDATE hand_issue SET report_seq = NULL WHERE report_seq = ?", [report_seq])


def release(
    conn: Connection, report_seq: int, released: Iterable[Released], event_seq: int
) -> None:
    """A part of a report is reversed: what it gives up waits for another one.

    Two rows each: one of the reversal takes it off the report, one goes on waiting.
    """
    for each in released:
        line_id, lot_id = each.by_hand.line_id, each.by_hand.lot_id
        first = conn.execute(
            """
            SELECT event_seq, work_order_id, line_id, item_id, lot_id, container_id, reason
              FROM hand_issue
             WHERE report_seq = ? AND lot_id = ? AND coalesce(line_id, 0) = ?
             ORDER BY quantity_micro <= 0, event_seq, hand_issue_id LIMIT 1
            """,
            [report_seq, lot_id, line_id],
        ).fetchone()
        *keys, reason = first
        quantity, covers = each.quantity_micro, each.covers_micro
        conn.executemany(
            _INSERT,
            [
                (event_seq, *keys[1:], -quantity, -covers, reason, report_seq),
                (*keys, quantity, covers, reason, None),
            ],
        )


def taken_in(conn: Connection, report_seq: int) -> list[int]:
    """Return the lots that a report took in: what its genealogy names beside what it drew."""
    rows = conn.execute("SELECT DISTINCT lot_id FROM hand_issue WHERE report_seq = ?", [report_seq])
    return [row[0] for row in rows]


def extra_parts(conn: Connection, work_order_id: int) -> dict[int, int]:
    """Return the extra parts an order used, returns deducted: item id → quantity."""
    rows = conn.execute(
        """
        SELECT item_id, sum(quantity_micro) FROM hand_issue
         WHERE work_order_id = ? AND line_id IS NULL GROUP BY item_id
        """,
        [work_order_id],
    )
    return dict(rows.fetchall())


def orders_with(
    conn: Connection, lot_id: int, container_id: int, current_order_id: int | None, *, limit: int
) -> list[str]:
    """Return the orders that have something of a lot by hand: the current one, started ones due
    first, then the others, the latest issue first."""
    rows = conn.execute(
        """
        SELECT w.work_order FROM hand_issue h JOIN work_order w USING (work_order_id)
         WHERE h.lot_id = :lot_id AND (:container_id = 0 OR h.container_id = :container_id)
         GROUP BY w.work_order_id HAVING sum(h.quantity_micro) > 0
         ORDER BY w.work_order_id IS :current DESC, w.status = 'started' DESC,
                  w.due_at IS NULL, w.due_at, max(h.event_seq) DESC
         LIMIT :limit
        """,
        {
            "lot_id": lot_id,
            "container_id": container_id,
            "current": current_order_id,
            "limit": limit,
        },
    )
    return [row[0] for row in rows]


def had_by_hand(conn: Connection, work_order_id: int, item_id: int) -> dict[int, tuple[int, int]]:
    """Return, by line id, how much of an item the order's lines had by hand, whatever its lot, and
    what that counts for in units of the line's component."""
    rows = conn.execute(
        """
        SELECT line_id, sum(quantity_micro), sum(covered_micro) FROM hand_issue
         WHERE work_order_id = ? AND item_id = ? AND line_id IS NOT NULL
         GROUP BY line_id
        """,
        [work_order_id, item_id],
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def returnable(
    conn: Connection, work_order_id: int, lot_id: int, container_id: int
) -> list[Returnable]:
    """Return what an order has of a lot (out of a container) by hand, the class issued last first:
    that is the one a return reduces."""
    rows = conn.execute(
        """
        SELECT line_id, max(reason),
               min(sum(quantity_micro),
                   coalesce(sum(quantity_micro) FILTER (
                       WHERE :container_id IN (0, container_id)), 0)) AS left_micro
          FROM hand_issue
         WHERE work_order_id = :work_order_id AND lot_id = :lot_id
         GROUP BY line_id HAVING left_micro > 0
         ORDER BY max(iif(quantity_micro > 0, event_seq, 0)) DESC
        """,
        {"work_order_id": work_order_id, "lot_id": lot_id, "container_id": container_id},
    )
    return [Returnable(*row) for row in rows]


def lies_of(conn: Connection, work_order_id: int, line_id: int | None, lot_id: int) -> list[Lies]:
    """Return where it lies what was issued of a lot for a line (`None`: as extra parts): what
    waits, then the reports that took it in, the latest first."""
    rows = conn.execute(
        """
        SELECT report_seq, sum(quantity_micro), sum(covered_micro) FROM hand_issue
         WHERE work_order_id = ? AND line_id IS ? AND lot_id = ?
         GROUP BY report_seq HAVING sum(quantity_micro) > 0
         ORDER BY report_seq IS NOT NULL, report_seq DESC
        """,
        [work_order_id, line_id, lot_id],
    )
    return [Lies(*row) for row in rows]


def contains(conn: Connection, report_seq: int, lot_id: int, line_id: int) -> list[Contains]:
    """Return what a report's products have of a lot for a line (0: extra parts), the last unit
    first."""
    rows = conn.execute(_CONTAINS, {"report_seq": report_seq, "lot_id": lot_id, "line_id": line_id})
    return [Contains(*row) for row in rows]


def note_return(conn: Connection, event_seq: int, report_seq: int) -> None:
    """Remember of which report an event gave something back."""
    conn.execute("INSERT INTO hand_return VALUES (?, ?)", [event_seq, report_seq])

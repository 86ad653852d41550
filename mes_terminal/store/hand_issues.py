"""Material issued by hand, its returns and extra parts, until a report takes it in (BF-10, BF-37).

What waits is kept by order line (0: extra parts) and lot, returns deducted. A report takes in what
its units are made of; its reversal gives it back. Called by the use cases of material by hand and
by reports.
"""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from mes_terminal.domain.hand_issues import Waiting
from mes_terminal.store.database import Connection

_INSERT = """
    INSERT INTO hand_issue (event_seq, work_order_id, line_id, item_id, lot_id, container_id,
                            quantity_micro, reason, report_seq)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


class HandIssue(Struct, frozen=True, kw_only=True):
    """Part of an issue by hand; a return is below zero."""

    line_id: int | None
    """`None`: an extra part."""
    item_id: int
    lot_id: int
    container_id: int
    quantity_micro: int
    reason: str | None = None


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
             each.container_id, each.quantity_micro, each.reason, None)
            for each in issues
        ],
    )  # fmt: skip


def waiting_of(conn: Connection, work_order_id: int) -> list[Waiting]:
    """Return (line id or 0, lot id, quantity) of tracked material that waits for a report, in the
    order issued; what was returned is deducted."""
    rows = conn.execute(
        """
        SELECT coalesce(h.line_id, 0), h.lot_id, sum(h.quantity_micro)
          FROM hand_issue h JOIN item i USING (item_id)
         WHERE h.work_order_id = ? AND h.report_seq IS NULL AND i.tracking <> 'none'
         GROUP BY h.line_id, h.lot_id HAVING sum(h.quantity_micro) > 0
         ORDER BY min(h.event_seq), min(h.hand_issue_id)
        """,
        [work_order_id],
    )
    return [(row[0], row[1], row[2]) for row in rows]


def take_in(
    conn: Connection, work_order_id: int, report_seq: int, taken: Sequence[Waiting] | None = None
) -> None:
    """Let a report have what it takes of what waits (all of it without `taken`).

    The rows of a line and lot go to the report whole; what it leaves of them is written as two
    more, one that takes it off the report and one that goes on waiting.
    """
    waiting = {(line, lot): quantity for line, lot, quantity in waiting_of(conn, work_order_id)}
    for line_id, lot_id, quantity in (
        [(*key, all_of_it) for key, all_of_it in waiting.items()] if taken is None else taken
    ):
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
        left = waiting[line_id, lot_id] - quantity
        if left:
            event_seq, item_id, container_id, reason = min(rows)
            rest = (event_seq, work_order_id, line_id or None, item_id, lot_id, container_id)
            conn.executemany(
                _INSERT, [(*rest, -left, reason, report_seq), (*rest, left, reason, None)]
            )


def give_back(conn: Connection, report_seq: int) -> None:
    """A report is reversed: what it took in waits for another one."""
    conn.execute("UPDATE hand_issue SET report_seq = NULL WHERE report_seq = ?", [report_seq])


def taken_in(conn: Connection, report_seq: int) -> list[int]:
    """Return the lots that a report took in: what its genealogy names beside what it drew."""
    rows = conn.execute("SELECT DISTINCT lot_id FROM hand_issue WHERE report_seq = ?", [report_seq])
    return [row[0] for row in rows]


def orders_with(
    conn: Connection, lot_id: int, container_id: int, current_order_id: int | None
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
        """,
        {"lot_id": lot_id, "container_id": container_id, "current": current_order_id},
    )
    return [row[0] for row in rows]


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

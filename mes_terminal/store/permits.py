"""Permits and what they have let pass (BF-24), and the questions that wait for a supervisor.

Read only where a deviation is met, or by a desk. Inside the caller's transaction.
"""

from typing import Final

from msgspec import Struct

from mes_terminal.domain.permits import Box, Permit
from mes_terminal.domain.policy import Situation
from mes_terminal.store.database import Connection

STANDING_MAX: Final = 20
"""Permits of one item and situation that are looked at, those that end first: who granted more has
stopped deciding."""


class Scope(Struct, frozen=True, kw_only=True):
    """What a permit is for; `None`: whatever it is."""

    situation: Situation
    item: str
    lot: str | None
    work_order: str | None


class Granted(Struct, frozen=True):
    """A permit that is to be ended."""

    item: str
    is_ended: bool


class Known(Struct, frozen=True):
    """What there is of the things that a permit names."""

    is_item: bool
    lot_status: str | None
    """`None`: the item has no such lot or serial."""
    is_order: bool


class GivenBack(Struct, frozen=True):
    """What a permit has again after a reversal."""

    permit_id: int
    item: str
    quantity_micro: int
    left_micro: int | None


def read_standing(conn: Connection, item: str, situation: str, *, at: str) -> list[Permit]:
    """Return the permits that hold for events at an instant, those that end first in front."""
    rows = conn.execute(
        """
        SELECT permit_id, granted_by, lot, work_order, until, quantity_micro, once, reason,
               used_micro, uses
          FROM permit
         WHERE item = :item AND situation = :situation AND until > :at AND ended_seq IS NULL
           AND (quantity_micro IS NULL OR used_micro < quantity_micro) AND (once = 0 OR uses = 0)
         ORDER BY until, permit_id LIMIT :most
        """,
        {"item": item, "situation": situation, "at": at, "most": STANDING_MAX},
    )
    return [
        Permit(
            permit_id=row[0],
            granted_by=row[1],
            lot=row[2],
            work_order=row[3],
            until=row[4],
            quantity_micro=row[5],
            once=bool(row[6]),
            reason=row[7],
            used_micro=row[8],
            uses=row[9],
        )
        for row in rows
    ]


def grant(
    conn: Connection,
    scope: Scope,
    box: Box,
    *,
    by: str,
    at: str,
    reason: str | None,
    event_seq: int,
) -> int:
    """Write a permit; return its id."""
    row = conn.execute(
        """
        INSERT INTO permit (granted_seq, granted_at, granted_by, situation, item, lot, work_order,
                            until, quantity_micro, once, reason)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING permit_id
        """,
        [event_seq, at, by, scope.situation, scope.item, scope.lot, scope.work_order, box.until,
         box.quantity_micro, int(box.once), reason],
    ).fetchone()  # fmt: skip
    return int(row[0])


def next_id(conn: Connection) -> int:
    """Return the id of the permit that is granted next: its event names it."""
    return int(conn.execute("SELECT coalesce(max(permit_id), 0) + 1 FROM permit").fetchone()[0])


def use(conn: Connection, permit_id: int, quantity_micro: int, event_seq: int) -> int | None:
    """Take what an event used off a permit; return what is left, `None` where only time ends it."""
    row = conn.execute(
        """
        UPDATE permit SET used_micro = used_micro + ?, uses = uses + 1 WHERE permit_id = ?
        RETURNING quantity_micro - used_micro
        """,
        [quantity_micro, permit_id],
    ).fetchone()
    conn.execute(
        """
        INSERT INTO permit_use (event_seq, permit_id, quantity_micro, uses) VALUES (?, ?, ?, 1)
        ON CONFLICT DO UPDATE SET quantity_micro = quantity_micro + excluded.quantity_micro,
            uses = uses + 1
        """,
        [event_seq, permit_id, quantity_micro],
    )
    conn.execute(
        "UPDATE approval SET status = 'used' WHERE permit_id = ? AND status = 'approved'",
        [permit_id],
    )
    return None if row[0] is None else int(row[0])


def read_used(
    conn: Connection, event_seq: int, item: str, situation: str
) -> tuple[int, str, str | None] | None:
    """Return (id, granted by, reason) of the permit that an event used for an item."""
    row = conn.execute(
        """
        SELECT permit_id, granted_by, reason FROM permit_use JOIN permit USING (permit_id)
         WHERE event_seq = ? AND item = ? AND situation = ?
        """,
        [event_seq, item, situation],
    ).fetchone()
    return (row[0], row[1], row[2]) if row else None


def give_back(conn: Connection, report_seq: int, event_seq: int) -> list[GivenBack]:
    """Give back what a report used of permits; `event_seq` is the reversal that took it back."""
    rows = conn.execute(
        """
        UPDATE permit_use SET given_back_seq = :event_seq
         WHERE event_seq = :report_seq AND given_back_seq IS NULL
        RETURNING permit_id, quantity_micro, uses
        """,
        {"event_seq": event_seq, "report_seq": report_seq},
    ).fetchall()
    found = []
    for permit_id, quantity_micro, uses in sorted(rows):
        item, left = conn.execute(
            """
            UPDATE permit SET used_micro = used_micro - ?, uses = uses - ? WHERE permit_id = ?
            RETURNING item, quantity_micro - used_micro
            """,
            [quantity_micro, uses, permit_id],
        ).fetchone()
        conn.execute(
            "UPDATE approval SET status = 'approved' WHERE permit_id = ? AND status = 'used'",
            [permit_id],
        )
        found.append(GivenBack(permit_id, item, quantity_micro, left))
    return found


def read_granted(conn: Connection, permit_id: int) -> Granted | None:
    """Return a permit, whatever became of it."""
    row = conn.execute(
        "SELECT item, ended_seq IS NOT NULL FROM permit WHERE permit_id = ?", [permit_id]
    ).fetchone()
    return Granted(row[0], bool(row[1])) if row else None


def read_scope(conn: Connection, scope: Scope) -> Known:
    """Return which of what a permit names is in the books."""
    row = conn.execute(
        """
        SELECT EXISTS (SELECT 1 FROM item WHERE item = :item),
               (SELECT l.status FROM lot l JOIN item i USING (item_id)
                 WHERE i.item = :item AND l.lot || l.serial = :lot AND :lot <> '' LIMIT 1),
               EXISTS (SELECT 1 FROM work_order WHERE work_order = :work_order)
        """,
        {"item": scope.item, "lot": scope.lot or "", "work_order": scope.work_order},
    ).fetchone()
    return Known(bool(row[0]), row[1], bool(row[2]))


def end(conn: Connection, permit_id: int, event_seq: int) -> None:
    """End a permit before its time."""
    conn.execute("UPDATE permit SET ended_seq = ? WHERE permit_id = ?", [event_seq, permit_id])


def positions_by_permit(conn: Connection) -> dict[str, int]:
    """Return position → lot of what stands in for a component by a permit with a box (BF-29)."""
    rows = conn.execute("SELECT position, lot_id FROM mount WHERE approved_by = 'permit'")
    return dict(rows.fetchall())


def approve_for_stay(conn: Connection, position: str) -> None:
    """Somebody approved in person what stood in by a permit: it does as long as it stays."""
    conn.execute("UPDATE mount SET approved_by = 'matrix' WHERE position = ?", [position])

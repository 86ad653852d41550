"""Questions that wait for a supervisor (BF-24): asked at the station, answered there or at a desk.

`''` stands for none in columns of the key. Inside the caller's transaction.
"""

from typing import Final, Literal

from msgspec import Struct

from mes_terminal.domain.policy import Situation
from mes_terminal.store.database import Connection

_COLUMNS: Final = """
    approval_id, asked_at, situation, item, item_class, lot, work_order, quantity, person, said,
    code, expires_at, status, answered_by, permit_id
"""

# The key sorts by time, so that a page begins behind the last row of the one before.
APPROVALS: Final = """
SELECT * FROM (
    SELECT asked_at || '|q' || printf('%012d', approval_id) AS key, 'question' AS kind,
           approval_id AS id, asked_at AS at, situation, item, nullif(lot, '') AS lot,
           nullif(work_order, '') AS work_order, nullif(quantity, '') AS quantity, said,
           nullif(person, '') AS person, status, expires_at AS until, answered_by AS by,
           permit_id, NULL AS once, NULL AS used_micro, NULL AS uses, NULL AS reason
      FROM approval
    UNION ALL
    SELECT granted_at || '|p' || printf('%012d', permit_id), 'permit', permit_id, granted_at,
           situation, item, lot, work_order, quantity_micro, NULL, NULL,
           iif(ended_seq IS NULL, 'standing', 'ended'), until, granted_by, NULL, once, used_micro,
           uses, reason
      FROM permit)
WHERE (:kind IS NULL OR kind = :kind)
  AND (:after IS NULL OR key < :after)
  AND (:text IS NULL OR instr(lower(concat_ws(' ', situation, item, lot, work_order, said, person,
                                              by, reason)), lower(:text)) > 0)
ORDER BY key DESC
"""


class Request(Struct, frozen=True, kw_only=True):
    """A question as it was asked last, and what became of it."""

    approval_id: int
    asked_at: str
    situation: Situation
    item: str
    item_class: str | None
    lot: str
    work_order: str
    quantity: str
    person: str
    said: str
    code: bytes
    expires_at: str
    status: str
    answered_by: str | None
    permit_id: int | None


class Asked(Struct, frozen=True, kw_only=True):
    """A question that is asked now, in the key of its request."""

    situation: Situation
    item: str
    lot: str
    work_order: str
    quantity: str
    person: str


class Told(Struct, frozen=True):
    """An answer that the station tells: what may be scanned again, or may not be."""

    approval_id: int
    status: Literal["approved", "refused"]
    name: str
    code: bytes
    said: str


def note_asked(
    conn: Connection,
    asked: Asked,
    *,
    item_class: str | None,
    said: str,
    code: bytes,
    asked_at: str,
    expires_at: str,
    event_seq: int,
) -> int:
    """Keep a question, once while it is open; return its id."""
    row = conn.execute(
        """
        INSERT INTO approval (asked_seq, asked_at, situation, item, item_class, lot, work_order,
                              quantity, person, said, code, expires_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (situation, item, lot, work_order, quantity, person) WHERE status = 'open'
        DO UPDATE SET asked_seq = excluded.asked_seq, asked_at = excluded.asked_at,
                      said = excluded.said, code = excluded.code, expires_at = excluded.expires_at
        RETURNING approval_id
        """,
        [event_seq, asked_at, asked.situation, asked.item, item_class, asked.lot, asked.work_order,
         asked.quantity, asked.person, said, code, expires_at],
    ).fetchone()  # fmt: skip
    return int(row[0])


def note_used(conn: Connection, asked: Asked, *, by: str | None, at: str) -> None:
    """Close the open question of what was let pass at the station."""
    conn.execute(
        """
        UPDATE approval SET status = 'used', answered_by = ?, answered_at = ?
         WHERE situation = ? AND item = ? AND lot = ? AND work_order = ? AND quantity = ?
           AND person = ? AND status = 'open'
        """,
        [by, at, asked.situation, asked.item, asked.lot, asked.work_order, asked.quantity,
         asked.person],
    )  # fmt: skip


def withdraw(conn: Connection, approval_id: int) -> None:
    """Close a question that its operator cancelled."""
    conn.execute(
        "UPDATE approval SET status = 'withdrawn' WHERE approval_id = ? AND status = 'open'",
        [approval_id],
    )


def read_request(conn: Connection, approval_id: int) -> Request | None:
    """Return a question, whatever became of it."""
    row = conn.execute(
        f"SELECT {_COLUMNS} FROM approval WHERE approval_id = ?",  # noqa: S608
        [approval_id],
    ).fetchone()
    return Request(**dict(zip(Request.__struct_fields__, row, strict=True))) if row else None


def note_answer(
    conn: Connection,
    approval_id: int,
    *,
    status: str,
    by: str,
    at: str,
    expires_at: str,
    permit_id: int | None,
) -> None:
    """Keep what a supervisor answered; an approval can be used until `expires_at`."""
    conn.execute(
        """
        UPDATE approval SET status = ?, answered_by = ?, answered_at = ?, expires_at = ?,
               permit_id = ?
         WHERE approval_id = ?
        """,
        [status, by, at, expires_at, permit_id, approval_id],
    )


def read_told(conn: Connection, *, now: str, refused_since: str, limit: int) -> list[Told]:
    """Return the approvals that nobody has used yet and the refusals since an instant, the newest
    first."""
    rows = conn.execute(
        """
        SELECT a.approval_id, a.status, coalesce(o.name, a.answered_by), a.code, a.said
          FROM approval a LEFT JOIN operator o ON o.badge = a.answered_by
         WHERE (a.status = 'approved' OR a.status = 'refused') AND a.expires_at > :now
           AND (a.status = 'approved' OR a.answered_at > :refused_since)
         ORDER BY a.answered_at DESC, a.approval_id DESC LIMIT :limit
        """,
        {"now": now, "refused_since": refused_since, "limit": limit},
    )
    return [Told(*row) for row in rows]

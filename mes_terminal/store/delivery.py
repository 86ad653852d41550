"""The outbox as it is delivered: what waits, what was answered, what is pruned (UP-1 ... UP-8).

What writes runs inside the caller's transaction. The counts of `upstream_state` follow by triggers.
Called by `usecases.deliver` and by the resolutions of what was refused.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, Literal

from msgspec import Struct

from mes_terminal.store.database import Connection

_OPEN: Final = """
    SELECT d.outbox_seq, e.body, d.attempts
      FROM delivery d CROSS JOIN event e ON e.outbox_seq = d.outbox_seq
     WHERE d.status = ? AND d.status <> 'delivered' AND d.let_go = 0 AND d.outbox_seq > ?
     ORDER BY d.outbox_seq LIMIT ?
"""

_READ: Final = """
    SELECT d.outbox_seq, d.status, d.let_go, d.behind, e.body
      FROM json_each(?) j
      CROSS JOIN delivery d ON d.outbox_seq = j.value
      CROSS JOIN event e ON e.outbox_seq = d.outbox_seq
     ORDER BY d.outbox_seq
"""

_ACCEPT: Final = """
    UPDATE delivery SET status = 'delivered', let_go = 0, behind = NULL, attempts = attempts + 1,
                        delivered_at = ?, last_error = NULL, document = ?, answer = ?
     WHERE outbox_seq = ?
"""
_REFUSE: Final = """
    UPDATE delivery SET status = 'refused', behind = NULL, attempts = attempts + 1,
                        last_error = ?, document = ?, answer = ?
     WHERE outbox_seq = ?
"""
# Nothing is parked behind what is refused no longer: the one who asks may not know yet.
_PARK: Final = """
    UPDATE delivery SET status = 'parked', behind = :root, last_error = :said
     WHERE outbox_seq = :sequence AND status = 'waiting'
       AND EXISTS (SELECT 1 FROM delivery r
                    WHERE r.outbox_seq = :root AND r.status = 'refused' AND r.let_go = 0)
"""
# A report that was taken back whole has no effect to wait for.
_REVERSED: Final = """
    SELECT d.outbox_seq
      FROM delivery d CROSS JOIN event e ON e.outbox_seq = d.outbox_seq
      JOIN report r ON r.reverses = e.event_seq AND r.reverses_rest = 1
     WHERE d.status = 'refused' AND d.status <> 'delivered' AND d.let_go = 0
     ORDER BY d.outbox_seq
"""

# Sent again, or accepted after a refusal: below the mark stand only these and what stays refused.
_FORGET_LATE: Final = """
    DELETE FROM delivery
     WHERE outbox_seq IN (SELECT outbox_seq FROM delivery
                           WHERE outbox_seq <= min(:below, :watermark)
                             AND status = 'delivered' AND delivered_at < :before
                           ORDER BY outbox_seq LIMIT :limit)
"""
_WINDOW: Final = """
    SELECT outbox_seq, status, delivered_at FROM delivery
     WHERE outbox_seq > ? AND outbox_seq <= ? ORDER BY outbox_seq LIMIT ?
"""


class Row(Struct, frozen=True):
    """A posting that was answered, as the outbox has it."""

    sequence: int
    status: str
    let_go: int
    behind: int | None
    body: str


class UpstreamState(Struct, frozen=True, kw_only=True):
    """How it stands with the receiver, as far as a restart must find it, and the counts."""

    receiver: str | None
    greeted_at: str | None
    last_contact_at: str | None
    watermark: int
    pruned_below: int
    down_version: int
    settled: int
    """Delivered, or refused for good: nothing more is done with them."""
    refused: int
    parked: int


class PostingState(Struct, frozen=True, kw_only=True):
    """What became of one posting so far."""

    sequence: int
    status: Literal["waiting", "delivered", "refused", "parked"]
    let_go: int
    attempts: int
    delivered_at: str | None
    last_error: str | None
    document: str | None
    answer: str | None
    behind: int | None
    body: str


def read_open(
    conn: Connection, status: str, *, after: int, limit: int
) -> Iterator[tuple[int, bytes, int]]:
    """Yield sequence, document and attempts of what is `waiting`, `refused` and not let go, or
    `parked`, in order, as it is taken."""
    for sequence, body, attempts in conn.execute(_OPEN, [status, after, limit]):
        yield sequence, body.encode(), attempts


def read_answered(conn: Connection, sequences: Iterable[int]) -> list[Row]:
    """Return these postings in order, without those that were pruned."""
    rows = conn.execute(_READ, [json.dumps(list(sequences))])
    return [Row(*row) for row in rows]


def accept(conn: Connection, rows: Sequence[tuple[str, str | None, str, int]]) -> None:
    """Note what has its effect: (delivered_at, document, answer, sequence) of each."""
    conn.executemany(_ACCEPT, rows)


def refuse(conn: Connection, rows: Sequence[tuple[str, str | None, str, int]]) -> None:
    """Note what was refused: (sentence, document, answer, sequence) of each."""
    conn.executemany(_REFUSE, rows)


def park(conn: Connection, behind: Iterable[tuple[int, int]]) -> None:
    """Park postings that wait behind a refused one: (sequence, the refused one) of each. One that
    is refused no longer holds nothing back."""
    conn.executemany(
        _PARK,
        [
            {"sequence": sequence, "root": root, "said": f"waits for posting {root}"}
            for sequence, root in behind
        ],
    )


def release(conn: Connection, roots: Iterable[int]) -> int:
    """Let what is parked behind these wait for its turn again; return how many that are."""
    cursor = conn.execute(
        """
        UPDATE delivery SET status = 'waiting', behind = NULL, last_error = NULL
         WHERE status = 'parked' AND status <> 'delivered' AND let_go = 0
           AND behind IN (SELECT value FROM json_each(?))
        """,
        [json.dumps(list(roots))],
    )
    return cursor.rowcount


def wait_again(conn: Connection, sequence: int) -> bool:
    """Let a refused posting wait to be sent again; tell whether it was refused."""
    cursor = conn.execute(
        """
        UPDATE delivery SET status = 'waiting', last_error = NULL
         WHERE outbox_seq = ? AND status = 'refused' AND let_go = 0
        """,
        [sequence],
    )
    return cursor.rowcount > 0


def let_go(conn: Connection, sequence: int, said: str) -> bool:
    """Leave a posting refused for good that was refused and is not accepted since, whether it is to
    be sent again or not; tell whether it was. `said` tells why, before the receiver's sentence."""
    cursor = conn.execute(
        """
        UPDATE delivery SET let_go = 1, status = 'refused', behind = NULL,
               last_error = ?2 || coalesce(' (' || last_error || ')', '')
         WHERE outbox_seq = ?1 AND let_go = 0
           AND (status = 'refused' OR (status <> 'delivered' AND answer ->> 'outcome' = 'refused'))
        """,
        [sequence, said],
    )
    return cursor.rowcount > 0


def reversed_whole(conn: Connection) -> list[int]:
    """Return the refused postings whose reports were taken back whole since."""
    return [row[0] for row in conn.execute(_REVERSED)]


def note_fault(conn: Connection, sequences: Iterable[int], sentence: str) -> None:
    """Count a try that failed, of what waits."""
    conn.execute(
        """
        UPDATE delivery SET attempts = attempts + 1, last_error = ?
         WHERE outbox_seq IN (SELECT value FROM json_each(?)) AND status = 'waiting'
        """,
        [sentence, json.dumps(list(sequences))],
    )


def queue_again(conn: Connection, first: int, last: int) -> int:
    """Let what was delivered of these wait once more, pruned or not; return how many."""
    again = conn.execute(
        """
        UPDATE delivery SET status = 'waiting', delivered_at = NULL
         WHERE outbox_seq BETWEEN ? AND ? AND status = 'delivered'
        """,
        [first, last],
    ).rowcount
    below: int = conn.execute("SELECT pruned_below FROM upstream_state").fetchone()[0]
    if first > below:
        return again
    made = conn.execute(
        """
        INSERT INTO delivery (outbox_seq, status, attempts)
        SELECT e.outbox_seq, 'waiting', 1 FROM event e
         WHERE e.outbox_seq BETWEEN ? AND ?
           AND NOT EXISTS (SELECT 1 FROM delivery d WHERE d.outbox_seq = e.outbox_seq)
        """,
        [first, min(last, below)],
    ).rowcount
    conn.execute("UPDATE upstream_state SET settled = settled - ?", [made])
    return again + made


def prune(conn: Connection, *, watermark: int, before: str, limit: int) -> int:
    """Forget what was delivered before the instant `before` and is not above the watermark: what
    came late to where it ended last, and a window from there; `limit` postings. Return how many."""
    below: int = conn.execute("SELECT pruned_below FROM upstream_state").fetchone()[0]
    asked = {"below": below, "watermark": watermark, "before": before, "limit": limit}
    late = conn.execute(_FORGET_LATE, asked).rowcount
    gone = []
    reached = below
    for sequence, status, delivered_at in conn.execute(_WINDOW, [below, watermark, limit - late]):
        if status == "delivered" and (delivered_at or "") < before:
            gone.append(sequence)
        elif status != "refused":
            break
        reached = sequence
    if reached > below:
        conn.execute(
            """
            DELETE FROM delivery
             WHERE outbox_seq > ? AND outbox_seq <= ? AND status = 'delivered'
            """,
            [below, reached],
        )
        conn.execute("UPDATE upstream_state SET pruned_below = ?", [reached])
    return late + len(gone)


def read_upstream(conn: Connection) -> UpstreamState:
    """Return how it stands with the receiver."""
    row = conn.execute(
        """
        SELECT receiver, greeted_at, last_contact_at, watermark, pruned_below, down_version,
               settled, refused, parked
          FROM upstream_state
        """
    ).fetchone()
    names = UpstreamState.__struct_fields__
    return UpstreamState(**dict(zip(names, row, strict=True)))


def note_contact(conn: Connection, now: str) -> None:
    """The receiver answered at `now`."""
    conn.execute("UPDATE upstream_state SET last_contact_at = ?", [now])


def note_greeting(conn: Connection, *, receiver: str, watermark: int, now: str) -> None:
    """The receiver said what it has."""
    conn.execute(
        """
        UPDATE upstream_state SET receiver = ?, watermark = ?, greeted_at = ?, last_contact_at = ?
        """,
        [receiver, watermark, now, now],
    )


def last_sequence(conn: Connection) -> int:
    """Return the sequence of the newest posting; 0: there is none."""
    found: int = conn.execute("SELECT coalesce(max(outbox_seq), 0) FROM event").fetchone()[0]
    return found


def oldest_waiting_at(conn: Connection) -> str | None:
    """Return when the oldest posting that waits was recorded."""
    row = conn.execute(
        """
        SELECT recorded_at FROM event WHERE outbox_seq = (
            SELECT min(outbox_seq) FROM delivery
             WHERE status = 'waiting' AND status <> 'delivered' AND let_go = 0)
        """
    ).fetchone()
    return row[0] if row else None


def read_state(conn: Connection, sequence: int) -> PostingState | None:
    """Return what became of a posting; of a pruned one that it is delivered. `None`: there is no
    such posting."""
    row: Any = conn.execute(
        """
        SELECT e.outbox_seq, coalesce(d.status, 'delivered'), coalesce(d.let_go, 0),
               coalesce(d.attempts, 1), d.delivered_at, d.last_error, d.document, d.answer,
               d.behind, e.body
          FROM event e LEFT JOIN delivery d ON d.outbox_seq = e.outbox_seq
         WHERE e.outbox_seq = ?
        """,
        [sequence],
    ).fetchone()
    if row is None:
        return None
    return PostingState(**dict(zip(PostingState.__struct_fields__, row, strict=True)))


def parked_behind(conn: Connection, sequence: int, *, limit: int) -> int:
    """Return how many postings wait for this refused one, counted up to `limit`."""
    row = conn.execute(
        """
        SELECT count(*) FROM (
            SELECT 1 FROM delivery
             WHERE status = 'parked' AND status <> 'delivered' AND let_go = 0 AND behind = ?
             LIMIT ?)
        """,
        [sequence, limit],
    ).fetchone()
    return int(row[0])

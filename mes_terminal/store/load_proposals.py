"""Proposed loads: what waits for a second person, and what became of it.

Called by `usecases.propose_load`, inside its transactions.
"""

from collections.abc import Iterator
from typing import Any

from msgspec import Struct

from mes_terminal.store.database import Connection

_COLUMNS = """
    p.load_proposal_id, p.status, p.folder, p.mapping, p.content_hash, p.summary, p.person,
    coalesce(o.name, p.person), p.proposed_at, p.decided_by, coalesce(d.name, p.decided_by),
    p.decided_at, p.reason
"""
_FROM = """
    load_proposal AS p
    LEFT JOIN operator AS o ON o.badge = p.person
    LEFT JOIN operator AS d ON d.badge = p.decided_by
"""


class Proposed(Struct, frozen=True):
    """What a decision rests on."""

    load_proposal_id: int
    status: str
    folder: str
    mapping: str | None
    content_hash: str
    person: str


def add(
    conn: Connection, *, folder: str, mapping: str | None, content_hash: str, summary: str,
    diff: str, person: str, at: str, event_seq: int,
) -> int:  # fmt: skip
    """Keep a new proposal; return its id. An open one of the same folder is replaced by it."""
    conn.execute(
        """
        UPDATE load_proposal SET status = 'replaced', diff = NULL, decided_by = ?, decided_at = ?,
            decided_seq = ?
        WHERE folder = ? AND status = 'open'
        """,
        [person, at, event_seq, folder],
    )
    made = conn.execute(
        """
        INSERT INTO load_proposal (folder, mapping, content_hash, summary, diff, person,
                                   proposed_at, proposed_seq)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
        [folder, mapping, content_hash, summary, diff, person, at, event_seq],
    )
    assert made.lastrowid is not None
    return int(made.lastrowid)


def count_open(conn: Connection, *, but: str) -> int:
    """Return how many proposals of other folders wait."""
    row = conn.execute(
        "SELECT count(*) FROM load_proposal WHERE status = 'open' AND folder <> ?", [but]
    ).fetchone()
    return int(row[0])


def read(conn: Connection, load_proposal_id: int) -> Proposed | None:
    """Return a proposal, whatever became of it."""
    row = conn.execute(
        """
        SELECT load_proposal_id, status, folder, mapping, content_hash, person
        FROM load_proposal WHERE load_proposal_id = ?
        """,
        [load_proposal_id],
    ).fetchone()
    return Proposed(*row) if row else None


def decide(
    conn: Connection, load_proposal_id: int, *, status: str, person: str, reason: str | None,
    at: str, event_seq: int,
) -> None:  # fmt: skip
    """Note what became of a proposal, and by whom."""
    conn.execute(
        """
        UPDATE load_proposal SET status = ?, diff = NULL, decided_by = ?, reason = ?,
            decided_at = ?, decided_seq = ?
        WHERE load_proposal_id = ?
        """,
        [status, person, reason, at, event_seq, load_proposal_id],
    )


def page(
    conn: Connection, *, status: str | None, text: str | None, after: int | None, limit: int
) -> Iterator[tuple[Any, ...]]:
    """Yield proposals, the newest first; `text` is part of a folder's name or a person's."""
    yield from conn.execute(
        f"""
        SELECT {_COLUMNS} FROM {_FROM}
        WHERE (:after IS NULL OR p.load_proposal_id < :after)
          AND (:status IS NULL OR p.status = :status)
          AND (:text IS NULL OR instr(lower(p.folder), lower(:text))
               OR instr(lower(coalesce(o.name, p.person)), lower(:text)))
        ORDER BY p.load_proposal_id DESC LIMIT :limit
        """,  # noqa: S608
        {"status": status, "text": text, "after": after, "limit": limit},
    )


def story(conn: Connection, load_proposal_id: int) -> tuple[Any, ...] | None:
    """Return the columns of `page` of one proposal, and what it changes as JSON."""
    row: tuple[Any, ...] | None = conn.execute(
        f"SELECT {_COLUMNS}, p.diff FROM {_FROM} WHERE p.load_proposal_id = ?",  # noqa: S608
        [load_proposal_id],
    ).fetchone()
    return row

"""To whom open exceptions are assigned. Called by `usecases.assign_exceptions`."""

from collections.abc import Sequence
from json import dumps

from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.store.database import Connection


def assign(conn: Connection, ids: Sequence[int], badge: str) -> None:
    """Assign these exceptions to a person."""
    conn.execute(
        """
        UPDATE exception SET assigned = ?
         WHERE exception_id IN (SELECT value FROM json_each(?))
        """,
        [badge, dumps(list(ids))],
    )


def assign_open(conn: Connection, kinds: Sequence[ExceptionKind], badge: str, *, giver: str) -> int:
    """Assign every open exception of these kinds that is the giver's or nobody's by name to a
    person; return how many there were. Who is disabled has none any more."""
    return conn.execute(
        """
        UPDATE exception SET assigned = ?
         WHERE status = 'open' AND kind IN (SELECT value FROM json_each(?))
           AND (assigned IS NULL OR assigned = ? OR assigned IN (
                SELECT badge FROM operator WHERE disabled_at IS NOT NULL))
        """,
        [badge, dumps(list(kinds)), giver],
    ).rowcount


def has_open(conn: Connection, kinds: Sequence[ExceptionKind], *, giver: str) -> bool:
    """Tell whether an exception of these kinds is open that is the giver's or nobody's by name."""
    row = conn.execute(
        """
        SELECT EXISTS (SELECT 1 FROM exception
                        WHERE status = 'open' AND kind IN (SELECT value FROM json_each(?))
                          AND (assigned IS NULL OR assigned = ? OR assigned IN (
                               SELECT badge FROM operator WHERE disabled_at IS NOT NULL)))
        """,
        [dumps(list(kinds)), giver],
    ).fetchone()
    return bool(row[0])

"""Failed scans that a person has handled again: the scan that failed, and the one made of it.

Called by `usecases.retry_scan` and `usecases.fail_scan`, inside their transactions.
"""

from msgspec import Struct

from mes_terminal.domain.scan import Scan
from mes_terminal.store.database import Connection
from mes_terminal.store.scan_journal import JOURNAL_COLUMNS, scan_of


class Retry(Struct, frozen=True):
    """A scan that was made of a failed one, and what became of it; `outcome` `None`: it waits."""

    scan: Scan
    status: str | None
    outcome: str | None
    message: str | None


def failed_scan(conn: Connection, exception_id: int) -> Scan:
    """Return the scan whose failing an exception is."""
    row = conn.execute(
        f"""
        SELECT {JOURNAL_COLUMNS} FROM scan_journal
         WHERE scan_seq = (SELECT e.scan_seq FROM exception x
                             JOIN event e ON e.event_seq = x.opened_event_seq
                            WHERE x.exception_id = ?)
        """,  # noqa: S608
        [exception_id],
    ).fetchone()
    return scan_of(row)


def last_retry(conn: Connection, exception_id: int) -> Retry | None:
    """Return the last scan that was made of a failed one; `None`: none was."""
    columns = ", ".join(f"j.{name.strip()}" for name in JOURNAL_COLUMNS.split(","))
    row = conn.execute(
        f"""
        SELECT {columns}, o.status, o.outcome, o.message
          FROM exception x JOIN scan_journal j ON j.scan_id = x.retry_scan_id
          LEFT JOIN scan_outcome o ON o.scan_seq = j.scan_seq
         WHERE x.exception_id = ?
        """,  # noqa: S608
        [exception_id],
    ).fetchone()
    return Retry(scan_of(tuple(row[:-3])), *row[-3:]) if row else None


def note_retry(conn: Connection, exception_id: int, scan_id: str) -> None:
    """Note the scan that is made of a failed one."""
    conn.execute(
        "UPDATE exception SET retry_scan_id = ?, tries = tries + 1 WHERE exception_id = ?",
        [scan_id, exception_id],
    )


def failed_again(conn: Connection, scan_id: str, *, cause: str) -> int | None:
    """Note why a scan that was made of a failed one failed as well; return the exception of the
    first, which stays open. `None`: the scan is no such one."""
    row = conn.execute(
        """
        UPDATE exception SET cause = ?
         WHERE kind = 'failed_scan' AND status = 'open' AND retry_scan_id = ?
        RETURNING exception_id
        """,
        [cause, scan_id],
    ).fetchone()
    return row[0] if row else None

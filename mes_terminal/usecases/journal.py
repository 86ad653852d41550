"""Journal scans before anything reads them, and find the ones a stop left waiting (BF-13)."""

from collections.abc import Callable, Sequence

from mes_terminal.domain.scan import Scan, ScanRequest
from mes_terminal.store import scan_journal
from mes_terminal.store.database import Database
from mes_terminal.store.session import operator_of


def journal_scans(
    db: Database,
    requests: Sequence[ScanRequest],
    *,
    received_at: str,
    new_id: Callable[[], str],
) -> list[Scan]:
    """Make all waiting scans durable in one commit; return them in order."""
    with db.transaction() as conn:
        return scan_journal.insert_scans(
            conn, requests, [new_id() for _ in requests], received_at=received_at
        )


def waiting_scans(db: Database, *, now: str) -> list[Scan]:
    """Return the journalled scans that were not handled before the last stop."""
    return scan_journal.waiting(db.conn, now=now)


def is_supervisor(db: Database, badge: str) -> bool:
    """Tell whether the badge is a supervisor's."""
    person = operator_of(db.conn, badge)
    return person is not None and person.supervises

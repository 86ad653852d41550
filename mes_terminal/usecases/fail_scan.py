"""Conclude a scan whose handling raised: nothing of it was posted, and a person must know."""

from mes_terminal.domain.outcome import OpenedException, Outcome
from mes_terminal.domain.posting import EventDraft, Fact, LogHead
from mes_terminal.domain.quantity import MICRO
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan
from mes_terminal.store import scan_journal
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_event
from mes_terminal.store.exceptions import next_number, open_exception
from mes_terminal.store.retries import failed_again
from mes_terminal.store.session import read_session

ERROR_SHOWN = 500
"""Characters of the error that the exception keeps."""


def conclude_failed(db: Database, scan: Scan, rules: StationRules, error: str) -> Outcome:
    """Record the scan as failed with an exception; it is not tried again by itself.

    One that was made of a failed scan leaves the exception of that one open.
    """
    with db.transaction() as conn:
        _, _, head = read_session(conn)
        event_seq = None
        exception_id = failed_again(conn, scan.scan_id, cause=error[:ERROR_SHOWN])
        if exception_id is None:
            exception_id, event_seq = _open(conn, scan, head, rules, error[:ERROR_SHOWN])
        outcome = Outcome(
            scan_id=scan.scan_id,
            code=scan.raw.decode("utf-8", "replace"),
            outcome="rejected",
            message="NOT RECORDED: the station could not handle this scan. Nothing was booked",
            hint="Call a supervisor; the scan is kept in the journal",
            exceptions=[OpenedException(exception_id, "failed_scan", None, None, "1")],
        )
        scan_journal.conclude(
            conn, scan, outcome, event_seq, previous_hash=head.journal_hash, status="failed"
        )
    return outcome


def _open(
    conn: Connection, scan: Scan, head: LogHead, rules: StationRules, error: str
) -> tuple[int, int]:
    """Open the exception; return its id and that of its event."""
    number = next_number(conn)
    draft = EventDraft(
        type="exception.opened",
        subject="failed_scan",
        partition_key="failed_scan",
        event_time=scan.event_time,
        data=Fact(
            scan_id=scan.scan_id,
            person=scan.badge,
            station=rules.station,
            event_time=scan.event_time,
            detail={
                "exception_id": number,
                "kind": "failed_scan",
                "hex": scan.raw.hex(),
                "error": error,
            },
        ),
        upstream=True,
        person=scan.badge,
    )
    event_seq = append_event(conn, draft, head, scan, rules=rules)
    exception_id = open_exception(
        conn,
        exception_id=number,
        kind="failed_scan",
        severity="stop",
        subject=f"scan:{scan.scan_id}",
        quantity_micro=MICRO,
        opened_at=scan.event_time,
        event_seq=event_seq,
        tries=1,
        cause_code="fault",
        cause=error,
    )
    return exception_id, event_seq

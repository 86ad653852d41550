"""A scan that failed is handled again because a person says so (BF-23): `--post` of `failed_scan`.

Its bytes are journalled again as a scan of their own, at the original event time and by the person
who decides: a late entry. Whoever asks lets it be handled as every scan is; what it booked ends the
exception, and what it refused leaves it open with the reason. The exception names the scan that was
made of it before that is handled, so that a stop in between neither loses nor repeats it.
"""

from collections.abc import Callable
from typing import Final

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.resolving import (
    Decided,
    OpenException,
    Resolved,
    may_decide,
    retried_event,
)
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan, ScanRequest
from mes_terminal.store import resolutions, retries, scan_journal
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.master_data import read_version
from mes_terminal.store.session import operator_of
from mes_terminal.usecases.signatures import sign_newest

BOOKED: Final = frozenset({"completed", "recorded", "already_done"})
"""Outcomes that end the exception."""
ENDS_IT: Final = "ends the exception"
"""What the signature of a decision stands for: one an exception, on the last event it made."""


def is_retry(conn: Connection, exception_id: int, decision: Decision) -> bool:
    """Tell whether a decision is that a failed scan is handled again."""
    found = resolutions.read_exception(conn, exception_id)
    return decision.how == "post" and found is not None and found.kind == "failed_scan"


def begin_retry(
    db: Database,
    exception_id: int,
    decision: Decision,
    *,
    by: str,
    rules: StationRules,
    now: str,
    new_id: Callable[[], str],
) -> Scan | Resolved:
    """Journal the failed scan again; return the scan to handle, or what became of it already."""
    with db.transaction() as conn:
        found = resolutions.read_exception(conn, exception_id)
        assert found is not None  # `check_decision` saw it; nothing is ever deleted
        refused = _why_not(conn, found, by)
        if refused is not None:
            return refused
        last = retries.last_retry(conn, exception_id)
        if last is not None and last.outcome is None:
            return last.scan
        if last is not None and last.outcome in BOOKED:
            said = f"handled as scan {last.scan.scan_id}: {last.message}"
            return _end(conn, found, last.scan.scan_id, said, decision, by, rules, now)
        return _journal(conn, found, by=by, now=now, scan_id=new_id())


def end_retry(
    db: Database,
    exception_id: int,
    outcome: Outcome,
    decision: Decision,
    *,
    by: str,
    rules: StationRules,
    now: str,
) -> Resolved:
    """End the exception by what became of the scan that was made of it, or say why not."""
    with db.transaction() as conn:
        found = resolutions.read_exception(conn, exception_id)
        assert found is not None
        return _concluded(conn, found, outcome, decision, by=by, rules=rules, now=now)


def rehearse_retry(
    conn: Connection,
    exception_id: int,
    *,
    by: str | None,
    now: str,
    handle: Callable[[Connection, Scan], Outcome],
) -> Resolved:
    """Do both inside a transaction that is taken back. Without `by` somebody decides who may."""
    found = resolutions.read_exception(conn, exception_id)
    assert found is not None
    refused = _why_not(conn, found, by)
    if refused is not None:
        return refused
    outcome = handle(
        conn, _journal(conn, found, by=by, now=now, scan_id=f"rehearsal-{exception_id}")
    )
    if outcome.outcome not in BOOKED:
        return _stays_open(found, outcome)
    return _ended(found, outcome.message, outcome)


def _why_not(conn: Connection, found: OpenException, by: str | None) -> Resolved | None:
    if found.status != "open":
        how = found.resolution or found.status
        said = f"It has ended: {how}"
        return Resolved(id=found.exception_id, outcome="already_done", message=said)
    person = None if by is None else operator_of(conn, by)
    if by is not None and (person is None or not may_decide(person.role, found.kind)):
        said = f"{person.name if person else by} may not end {found.kind}. Call a supervisor"
        return Resolved(id=found.exception_id, outcome="refused", message=said)
    return None


def _journal(
    conn: Connection, found: OpenException, *, by: str | None, now: str, scan_id: str
) -> Scan:
    failed = retries.failed_scan(conn, found.exception_id)
    request = ScanRequest(
        raw=failed.raw,
        device=failed.device,
        badge=by,
        event_time=failed.event_time,
        fault=failed.fault,
        fault_key=failed.fault_key,
    )
    (scan,) = scan_journal.insert_scans(conn, [request], [scan_id], received_at=now)
    retries.note_retry(conn, found.exception_id, scan_id)
    return scan


def _concluded(
    conn: Connection,
    found: OpenException,
    outcome: Outcome,
    decision: Decision,
    *,
    by: str,
    rules: StationRules,
    now: str,
) -> Resolved:
    if outcome.outcome not in BOOKED:
        return _stays_open(found, outcome)
    said = f"handled as scan {outcome.scan_id}: {outcome.message}"
    _end(conn, found, outcome.scan_id, said, decision, by, rules, now)
    return _ended(found, said, outcome)


def _end(
    conn: Connection,
    found: OpenException,
    scan_id: str,
    said: str,
    decision: Decision,
    by: str,
    rules: StationRules,
    now: str,
) -> Resolved:
    decided = Decided(
        decision=decision,
        person=by,
        at=now,
        station=rules.station,
        master_data_version=str(read_version(conn)),
    )
    draft = retried_event(found, decided, scan_id)
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
    resolutions.end_exception(conn, found, event_seq, resolution=f"{said}, by {by}")
    person = operator_of(conn, by)
    if person is not None:
        sign_newest(conn, person=person, meaning=ENDS_IT, rules=rules, now=now)
    return _ended(found, said)


def _ended(found: OpenException, said: str, outcome: Outcome | None = None) -> Resolved:
    return Resolved(
        id=found.exception_id,
        outcome="posted",
        message=said,
        posted=outcome.consumed if outcome else [],
        scrapped=outcome.scrapped if outcome else [],
    )


def _stays_open(found: OpenException, outcome: Outcome) -> Resolved:
    return Resolved(
        id=found.exception_id,
        outcome="refused",
        message=f"The scan was handled again and booked nothing: {outcome.message}",
        open="1",
    )

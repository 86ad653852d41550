"""Scanners are watched: one that stays away is an exception, which ends when it works again.

One exception a scanner, opened once however long it lasts. What the scanners do is an input of this
function, like the readings of the clock. Called by the station between scans.
"""

from collections.abc import Mapping, Sequence

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scanner_health import ScannerTrouble
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.exceptions import (
    OpenSubject,
    next_number,
    open_exception,
    open_subjects,
    was_opened,
)
from mes_terminal.usecases.end_by_itself import end_by_itself


def note_scanners(
    db: Database,
    rules: StationRules,
    *,
    troubles: Mapping[str, ScannerTrouble],
    well: Sequence[str],
    configured: Sequence[str],
    now: str,
) -> None:
    """Open the exception of each scanner in trouble; end that of each that is well, or is not in
    the settings any more. Where nothing changes nothing is written."""
    known = {
        each.subject.removeprefix("scanner:"): each for each in open_subjects(db.conn, "scanner")
    }
    new = {
        name: each
        for name, each in troubles.items()
        if name not in known and not _was_told(db.conn, name, each)
    }
    ended = [name for name in known if name in well or name not in configured]
    if not (new or ended):
        return
    with db.transaction() as conn:
        for name, trouble in new.items():
            _open(conn, name, trouble, rules, now)
        for name in ended:
            how = "works again" if name in configured else "is not in the settings any more"
            _end(conn, name, known[name], how, rules, now)


def _was_told(conn: Connection, name: str, trouble: ScannerTrouble) -> bool:
    """Tell whether a person has ended the exception of this very trouble: it is not told twice."""
    return was_opened(conn, kind="scanner", subject=f"scanner:{name}", opened_at=trouble.since)


def _open(
    conn: Connection, name: str, trouble: ScannerTrouble, rules: StationRules, now: str
) -> None:
    cause = f"{name}: {trouble.said}"
    number = next_number(conn)
    draft = EventDraft(
        type="exception.opened",
        subject=name,
        partition_key="scanner",
        event_time=trouble.since,
        data=Fact(
            station=rules.station,
            event_time=trouble.since,
            detail={
                "exception_id": number,
                "kind": "scanner",
                "scanner": name,
                "trouble": trouble.cause_code,
                "cause": cause,
            },
        ),
        upstream=True,
    )
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
    open_exception(
        conn,
        exception_id=number,
        kind="scanner",
        severity="warn",
        subject=f"scanner:{name}",
        quantity_micro=None,
        opened_at=trouble.since,
        event_seq=event_seq,
        cause_code=trouble.cause_code,
        cause=cause,
    )


def _end(
    conn: Connection, name: str, found: OpenSubject, how: str, rules: StationRules, now: str
) -> None:
    away_s = max(0, round(seconds_between(found.opened_at, now)))
    end_by_itself(
        conn,
        "scanner",
        found,
        about=name,
        resolution=f"{name} {how}, after {away_s // 60} min {away_s % 60} s",
        rules=rules,
        now=now,
    )

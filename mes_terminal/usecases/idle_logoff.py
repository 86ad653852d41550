"""Who has not scanned for long is signed out: before the next scan, and when the time has passed.

Only true readings of the clock are judged: when scans reached the station, never a time that was
given (BF-33). The sign-out is an event of its own, so a replay finds it where it happened.
"""

from typing import Final

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import idle
from mes_terminal.store.database import Database
from mes_terminal.store.events import append_events

IDLE: Final = "idle"
"""Why somebody was signed out, in the log."""


def last_use(db: Database) -> str | None:
    """Return the clock's reading at the newest scan of who is signed in: what the station starts
    from."""
    return idle.last_use(db.conn)


def sign_out_idle(db: Database, rules: StationRules, *, now: str, last: str | None) -> bool:
    """Sign out who scanned last at `last` if that is too long ago; return whether it is, so that
    nobody needs to ask again before the next scan.

    Called by the station before it journals, and while nothing is scanned. Costs no statement
    until the time has passed.
    """
    limit_s = rules.idle_logoff_s
    if last is None or not limit_s or seconds_between(last, now) < limit_s:
        return False
    with db.transaction() as conn:
        person = idle.signed_in(conn)
        if person is None:
            return True
        draft = EventDraft(
            type="signed_out",
            subject=person.badge,
            partition_key=person.badge,
            event_time=now,
            data=Fact(
                person=person.badge,
                station=rules.station,
                event_time=now,
                detail={"name": person.name, "reason": IDLE, "last_scan_at": last},
            ),
            upstream=False,
            person=person.badge,
            reason=IDLE,
        )
        append_events(conn, [draft], rules=rules, recorded_at=now)
        idle.sign_out(conn)
    return True

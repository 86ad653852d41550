"""The clock is watched: a step back is noticed, and a supervisor confirms it (BF-33).

Until then nothing with an expiry is used. Only true readings are judged, never a time that was
given (`--at`, a file).
"""

from mes_terminal import RELEASED_AT
from mes_terminal.domain.instants import plus_seconds, seconds_between
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan
from mes_terminal.domain.session import Person
from mes_terminal.store import clock
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_event, append_events, read_head
from mes_terminal.store.exceptions import next_number, open_exception, open_subject
from mes_terminal.store.heal_queue import queue_cause
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact
from mes_terminal.usecases.end_by_itself import end_by_itself

STEP_BACK_MIN_S = 1.0
"""A network time service slews by less; a smaller step harms no expiry."""
CONFIRM_S = 10


def last_reading(db: Database) -> str | None:
    """Return the clock's reading at the newest scan: what the station starts from."""
    return clock.last_reading(db.conn)


def note_clock(db: Database, rules: StationRules, *, now: str, last: str | None) -> bool:
    """Compare the clock with its `last` reading; return True if it has just stepped back.

    Called by the station before it journals.
    """
    earliest = max(last or "", RELEASED_AT)
    if now >= earliest or seconds_between(now, earliest) <= STEP_BACK_MIN_S:
        return False
    with db.transaction() as conn:
        if clock.in_doubt(conn):
            return False
        number = next_number(conn)
        draft = _stepped(rules, number, now=now, earliest=earliest)
        (seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
        clock.set_in_doubt(conn, in_doubt=True)
        open_exception(
            conn,
            exception_id=number,
            kind="clock",
            severity="stop",
            subject="clock",
            quantity_micro=None,
            opened_at=now,
            event_seq=seq,
            cause_code="set_back",
            cause=f"the clock reads {now}, before {earliest}",
        )
    return True


def confirm_clock(conn: Connection, person: Person, context: Context) -> Answer:
    """A supervisor's badge, and the same badge again, says that the clock is right."""
    session, scan = context.session, context.scan
    asked = session.confirm_reason == "confirm" and session.confirm_code == scan.raw
    if not asked or scan.event_time > (session.confirm_until or ""):
        return answer(
            context,
            "needs",
            f"The clock was set back. It reads {scan.received_at} UTC. Is that right?",
            "Scan the badge again if it is; set the clock if it is not",
            reason="confirm",
            session=changed(
                session,
                confirm_reason="confirm",
                confirm_code=scan.raw,
                confirm_until=plus_seconds(scan.event_time, CONFIRM_S),
            ),
        )
    _end(conn, person.badge, rules=context.rules, now=scan.event_time, scan=scan)
    event_seq = append_event(
        conn,
        fact(context, "clock.confirmed", person.badge, clock=scan.received_at),
        read_head(conn),
        scan,
        rules=context.rules,
    )
    queue_cause(conn, "clock", event_seq)
    return answer(
        context,
        "recorded",
        f"{person.name} confirmed the clock",
        "Go on",
        event_seq=event_seq,
        session=changed(
            session,
            clock_in_doubt=False,
            confirm_reason=None,
            confirm_code=None,
            confirm_until=None,
        ),
    )


def confirm_from_desk(conn: Connection, badge: str, rules: StationRules, *, now: str) -> None:
    """A supervisor who has proved it says from the desk that the clock is right as it reads."""
    draft = EventDraft(
        type="clock.confirmed",
        subject=badge,
        partition_key=badge,
        event_time=now,
        data=Fact(person=badge, station=rules.station, event_time=now, detail={"clock": now}),
        upstream=False,
        person=badge,
    )
    _end(conn, badge, rules=rules, now=now)
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
    clock.set_in_doubt(conn, in_doubt=False)
    queue_cause(conn, "clock", event_seq)


def _end(
    conn: Connection, badge: str, *, rules: StationRules, now: str, scan: Scan | None = None
) -> None:
    """End the exception; whose confirmation it was is the entry after it."""
    found = open_subject(conn, "clock", "clock")
    if found is not None:
        end_by_itself(
            conn, "clock", found, about="clock", resolution=f"confirmed by {badge}", rules=rules,
            now=now, scan=scan,
        )  # fmt: skip


def _stepped(rules: StationRules, number: int, *, now: str, earliest: str) -> EventDraft:
    return EventDraft(
        type="exception.opened",
        subject="clock",
        partition_key="clock",
        event_time=now,
        data=Fact(
            station=rules.station,
            event_time=now,
            detail={
                "exception_id": number,
                "kind": "clock",
                "reads": now,
                "not_before": earliest,
            },
        ),
        upstream=True,
    )

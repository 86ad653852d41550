"""`%END` and the sign-off that ends a shift: zero open, or each exception handed over by name.

`%END` only says what is open; the line goes on until a supervisor signs, and after it. A shift is
everything since the sign-off before; it ends once.
"""

from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.posting import EventDraft, Fact, LogHead
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.session import Person
from mes_terminal.domain.shift_report import (
    Anchor,
    HandedOver,
    LeftContainer,
    LeftOpen,
    ShiftNow,
    ShiftReport,
    Totals,
    open_in_words,
    stop_totals,
)
from mes_terminal.domain.shift_to_end import Ending, shift_to_end
from mes_terminal.errors import InputError
from mes_terminal.store import line_state, orders, shift_ends, station_view
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events, read_head
from mes_terminal.store.session import operator_of, read_session
from mes_terminal.store.shift_ends import LastEnd
from mes_terminal.usecases.assign_exceptions import hand_over
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.signatures import sign_newest

MEANING: Final = "end of shift"
LISTED_MAX: Final = 50
"""Orders and containers listed in a report: more are counted."""


class _Told(Struct, frozen=True):
    """What the event of a sign-off says."""

    ending: Ending
    began_at: str
    handed_over: HandedOver | None
    open: LeftOpen
    totals: Totals


def tell_open(conn: Connection, context: Context) -> Answer:
    """Say what is open; the shift ends when a supervisor signs it off."""
    since = shift_ends.last_end(conn)
    left = _left_open(conn, since, now=context.scan.event_time)
    return answer(
        context,
        "recorded",
        f"End of shift: {open_in_words(left)}",
        "A supervisor signs it off with badge and PIN; scanning goes on",
    )


def shift_now(conn: Connection, rules: StationRules, *, now: str) -> ShiftNow:
    """Return what a sign-off would end at `now`."""
    last = shift_ends.last_end(conn)
    ending = _ending(conn, last, rules, now=now)
    left = _left_open(conn, last, now=now)
    began_at = _began_at(conn, last, now=now)
    shift, day = (ending.shift, ending.production_day) if isinstance(ending, Ending) else (None, "")
    if last is not None and not isinstance(ending, Ending):
        shift, day = last.shift, last.production_day
    return ShiftNow(
        production_day=day,
        shift=shift,
        began_at=began_at,
        at=now,
        blocked=ending if isinstance(ending, str) else None,
        zero_open=left.is_nothing,
        open=left,
        totals=_totals(conn, last, began_at=began_at, now=now),
    )


def end_shift(
    db: Database, *, by: str, to: str | None, rules: StationRules, now: str
) -> ShiftReport:
    """Sign a shift off as a supervisor who has proved it; what is open is handed over to the badge
    `to`, or belongs to people by name already.

    Raises `InputError`: nobody who may, exceptions that belong to no person by name and are handed
    over to none, a person who is not known here, or a shift that has ended already.
    """
    with db.transaction() as conn:
        person = operator_of(conn, by)
        if person is None or not person.supervises:
            raise InputError("Only a supervisor signs a shift off.", reason="not_authorised")
        taker = _taker(conn, to)
        last = shift_ends.last_end(conn)
        ending = _ending(conn, last, rules, now=now)
        if isinstance(ending, str):
            raise InputError(ending)
        handed = _hand_over(conn, taker, by=person, rules=rules, now=now)
        return _sign_off(conn, ending, handed, last, by=person, rules=rules, now=now)


def _sign_off(
    conn: Connection,
    ending: Ending,
    handed: HandedOver | None,
    last: LastEnd | None,
    *,
    by: Person,
    rules: StationRules,
    now: str,
) -> ShiftReport:
    """Write the event of the end and its signature, and keep both as a shift."""
    began_at = _began_at(conn, last, now=now)
    left = _left_open(conn, last, now=now)
    totals = _totals(conn, last, began_at=began_at, now=now)
    told = _Told(ending, began_at, handed, left, totals)
    draft = _ended(told, read_head(conn), by=by, rules=rules, now=now)
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
    signature_seq = sign_newest(conn, person=by, meaning=MEANING, rules=rules, now=now)
    shift_end_id = shift_ends.write_end(
        conn,
        event_seq=event_seq,
        signature_seq=signature_seq,
        production_day=ending.production_day,
        shift=ending.shift,
        due_at=ending.due_at,
        began_at=began_at,
        ended_at=now,
        person=by.badge,
        handed_over_to=handed.badge if handed is not None else None,
    )
    return ShiftReport(
        id=shift_end_id,
        station=rules.station,
        production_day=ending.production_day,
        shift=ending.shift,
        began_at=began_at,
        ended_at=now,
        person=by.badge,
        person_name=by.name,
        handed_over=handed,
        open=left,
        totals=totals,
        anchor=Anchor(signature_seq, read_head(conn).hash),
    )


def _ending(
    conn: Connection, last: LastEnd | None, rules: StationRules, *, now: str
) -> Ending | str:
    """Return what a sign-off ends now, or why it ends nothing, as a sentence."""
    shifts = orders.read_shifts(conn)
    due_at = last.due_at if last is not None else None
    began_at = _began_at(conn, last, now=now)
    ending = shift_to_end(now, shifts, rules.zone, began_at=began_at, last_due_at=due_at)
    if last is None:
        assert ending is not None
        return ending
    if ending is None:
        return (
            f"Shift {last.shift} of {last.production_day} was signed off at {last.ended_at} by "
            f"{last.name}. What came later belongs to the next one."
        )
    if ending.shift is None and read_head(conn).event_seq == last.signature_seq:
        return f"Nothing was done since the sign-off at {last.ended_at} by {last.name}."
    return ending


def _left_open(conn: Connection, last: LastEnd | None, *, now: str) -> LeftOpen:
    session, _, _ = read_session(conn)
    in_process, count = shift_ends.read_in_process(conn, limit=LISTED_MAX)
    unsent, unsent_since = station_view.read_unsent(conn)
    counting = session.stock_count_id
    stop_id = session.line_stop_id
    return LeftOpen(
        exceptions=shift_ends.read_open_kinds(conn),
        approvals=shift_ends.count_approvals(conn, at=now),
        count=station_view.read_count(conn, counting).location if counting is not None else None,
        calls=len(line_state.open_calls(conn)) if session.anything_called else 0,
        stopped=line_state.read_stop(conn, stop_id).reason if stop_id is not None else None,
        in_process=in_process,
        in_process_orders=count,
        mounted=[
            LeftContainer(each.position, each.item, each.lot, each.container, each.left, each.uom)
            for each in station_view.read_mounted(conn, limit=LISTED_MAX)
        ],
        set_aside=shift_ends.read_set_aside(
            conn, since_seq=last.event_seq if last is not None else 0, limit=LISTED_MAX
        ),
        unsent=unsent,
        unsent_since=unsent_since,
    )


def _began_at(conn: Connection, last: LastEnd | None, *, now: str) -> str:
    if last is not None:
        return last.ended_at
    return shift_ends.first_entry_at(conn) or now


def _totals(conn: Connection, last: LastEnd | None, *, began_at: str, now: str) -> Totals:
    since = last.event_seq if last is not None else 0
    items, taken_back = shift_ends.item_totals(conn, since_seq=since)
    opened, ended = shift_ends.exceptions_since(
        conn, since_seq=since, since_at=last.ended_at if last is not None else ""
    )
    stops = [
        (reason, seconds_between(max(begin, began_at) if last else begin, end or now))
        for reason, begin, end in shift_ends.stops_since(conn, since_seq=since)
    ]
    return Totals(
        reports=sum(each.reports for each in items),
        taken_back=taken_back,
        items=items,
        opened=opened,
        ended=ended,
        stops=stop_totals(stops),
        calls=shift_ends.calls_since(conn, since_seq=since),
    )


def _taker(conn: Connection, badge: str | None) -> Person | None:
    """Return who takes over what is open. Raises `InputError` for a badge that is nobody's."""
    if badge is None:
        return None
    person = operator_of(conn, badge)
    if person is None:
        raise InputError(
            f"The badge {badge[:64]!r} is not known here. See: mes-terminal operator list.",
            reason="not_authorised",
        )
    return person


def _ended(told: _Told, head: LogHead, *, by: Person, rules: StationRules, now: str) -> EventDraft:
    subject = "-".join(filter(None, (told.ending.production_day, told.ending.shift)))
    detail = {
        "production_day": told.ending.production_day,
        "shift": told.ending.shift,
        "began_at": told.began_at,
        "handed_over": msgspec.to_builtins(told.handed_over),
        "log_head": {"sequence": head.event_seq, "hash": head.hash},
        "open": msgspec.to_builtins(told.open),
        "totals": msgspec.to_builtins(told.totals),
    }
    return EventDraft(
        type="shift.ended",
        subject=subject,
        partition_key=rules.station,
        event_time=now,
        data=Fact(person=by.badge, station=rules.station, event_time=now, detail=detail),
        upstream=True,
        person=by.badge,
    )


def _hand_over(
    conn: Connection,
    taker: Person | None,
    *,
    by: Person,
    rules: StationRules,
    now: str,
) -> HandedOver | None:
    """Give the open exceptions to a person by name. Raises `InputError` where some are nobody's."""
    count = 0
    if taker is not None:
        count = hand_over(conn, to=taker.badge, by=by.badge, rules=rules, now=now)
    kinds = shift_ends.read_open_kinds(conn)
    unnamed = sum(each.unnamed for each in kinds)
    if unnamed:
        raise InputError(
            f"{unnamed} of {sum(each.count for each in kinds)} open exceptions belong to nobody by "
            "name. Resolve them, or hand them over: --hand-over BADGE."
        )
    return HandedOver(taker.badge, taker.name, count) if taker is not None and count else None

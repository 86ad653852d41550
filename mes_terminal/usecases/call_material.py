"""`%CALL`: somebody is told that material is missing; it ends when the material comes.

One call a cause: a second one while it is open raises its counter. The cause is what the pre-flight
of the current order says is short first, else the order, else the line. A call ends when its item
is mounted, moved or received where it is lacking, or when a supervisor acknowledges it.
"""

from collections.abc import Collection

from msgspec.structs import replace

from mes_terminal.domain.order import LineFacts, OrderFacts, remaining_micro
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.report_plan import Wanted
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import line_state, orders
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_event, append_events, read_head
from mes_terminal.store.line_state import Call
from mes_terminal.store.order_facts import read_operations
from mes_terminal.store.session import operator_of
from mes_terminal.usecases.context import Answer, Context, answer, fact
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_report import draws_of

CALLS_NAMED_MAX = 3
"""Calls named in a sentence; the others are counted."""


def call_material(conn: Connection, context: Context) -> Answer:
    """Open a call, or count one more; a supervisor acknowledges those that are open."""
    if context.session.anything_called and context.person and context.person.supervises:
        return _acknowledge(conn, context)
    order = _active_order(conn, context)
    short = _short_first(conn, order, context) if order is not None else None
    work_order = order.work_order if order is not None else None
    subject = short.item if short is not None else work_order or ""
    known = line_state.open_call(conn, subject)
    times = known.times + 1 if known is not None else 1
    draft = fact(
        context,
        "material.requested",
        subject or context.rules.station,
        item=short.item if short is not None else None,
        work_order=work_order,
        location=short.location if short is not None else None,
        times=times,
    )
    event_seq = append_event(
        conn, replace(draft, upstream=True), context.head, context.scan, rules=context.rules
    )
    if known is not None:
        line_state.call_again(conn, known.material_call_id)
    else:
        line_state.begin_call(
            conn,
            subject=subject,
            item_id=short.item_id if short is not None else None,
            work_order_id=order.work_order_id if order is not None else None,
            location_id=short.location_id if short is not None else None,
            person=context.badge,
            at=context.scan.event_time,
            event_seq=event_seq,
        )
    often = f", {times} times by now" if times > 1 else ""
    return answer(
        context,
        "recorded",
        f"{_what(subject, work_order)} is called{often}",
        "Go on; the call ends when it is scanned in or received",
        work_order=work_order,
        item=short.item if short is not None else None,
        event_seq=event_seq,
    )


def bring(
    conn: Connection, stock: Collection[tuple[int, int]], context: Context, *, by: str
) -> None:
    """End the calls that stock answers which a scan brought (pairs of lot and location)."""
    if not context.session.anything_called:
        return
    scan = context.scan
    for call in line_state.calls_met(conn, stock):
        draft = _ended(
            call, by, context.badge, context.rules, at=scan.event_time, scan_id=scan.scan_id
        )
        event_seq = append_event(conn, draft, read_head(conn), scan, rules=context.rules)
        line_state.end_call(
            conn, call.material_call_id, by=by, at=scan.event_time, event_seq=event_seq
        )


def bring_by_load(
    conn: Connection,
    stock: Collection[tuple[int, int]],
    *,
    person: str | None,
    rules: StationRules,
    now: str,
) -> None:
    """End the calls that the receipts of a load answer (pairs of lot and location)."""
    met = line_state.calls_met(conn, stock) if stock else []
    _end_all(conn, met, "received", person, rules, now)


def acknowledge_call(
    db: Database, material_call_id: int, *, by: str, rules: StationRules, now: str
) -> Call:
    """End a call as a supervisor who has proved it. Raises `InputError`: no such open call, or
    nobody who may."""
    with db.transaction() as conn:
        person = operator_of(conn, by)
        if person is None or not person.supervises:
            raise InputError("Only a supervisor acknowledges a call.", reason="not_authorised")
        call = line_state.read_call(conn, material_call_id)
        if call is None:
            raise InputError(
                f"There is no open call {material_call_id}. See: mes-terminal shift calls."
            )
        _end_all(conn, [call], "supervisor", by, rules, now)
        return call


def _end_all(
    conn: Connection,
    calls: list[Call],
    by: str,
    person: str | None,
    rules: StationRules,
    now: str,
) -> None:
    drafts = [_ended(call, by, person, rules, at=now) for call in calls]
    seqs = append_events(conn, drafts, rules=rules, recorded_at=now)
    for call, seq in zip(calls, seqs, strict=True):
        line_state.end_call(conn, call.material_call_id, by=by, at=now, event_seq=seq)


def _acknowledge(conn: Connection, context: Context) -> Answer:
    calls = line_state.open_calls(conn)
    head, event_seq = context.head, None
    at = context.scan.event_time
    for call in calls:
        draft = _ended(
            call, "supervisor", context.badge, context.rules, at=at, scan_id=context.scan.scan_id
        )
        event_seq = append_event(conn, draft, head, context.scan, rules=context.rules)
        line_state.end_call(
            conn, call.material_call_id, by="supervisor", at=at, event_seq=event_seq
        )
        head = read_head(conn)
    named = [_what(call.subject, call.work_order) for call in calls[:CALLS_NAMED_MAX]]
    if len(calls) > len(named):
        named.append(f"{len(calls) - len(named)} more")
    return answer(
        context,
        "recorded",
        f"Acknowledged: {', '.join(named)}",
        "See to it that the material comes",
        event_seq=event_seq,
    )


def _ended(
    call: Call,
    by: str,
    person: str | None,
    rules: StationRules,
    *,
    at: str,
    scan_id: str | None = None,
) -> EventDraft:
    return EventDraft(
        type="material.call_ended",
        subject=call.subject or rules.station,
        partition_key=call.subject or rules.station,
        event_time=at,
        data=Fact(
            scan_id=scan_id,
            person=person,
            station=rules.station,
            event_time=at,
            detail={
                "item": call.item,
                "work_order": call.work_order,
                "location": call.location,
                "times": call.times,
                "called_at": call.called_at,
                "by": by,
            },
        ),
        upstream=True,
        person=person,
    )


def _what(subject: str, work_order: str | None) -> str:
    if not subject:
        return "Material"
    return f"Material for {subject}" if subject == work_order else subject


def _active_order(conn: Connection, context: Context) -> OrderFacts | None:
    """Return the current order while it is open, else the started one due first."""
    number = orders.active_order(conn, context.session.work_order_id)
    return order_of(conn, number, context) if number is not None else None


def _short_first(conn: Connection, order: OrderFacts, context: Context) -> LineFacts | None:
    """Return the first line that a close would leave short now, as the pre-flight finds it."""
    quantity = remaining_micro(order)
    if not quantity:
        return None
    wanted = Wanted(good_micro=quantity)
    drawn = draws_of(conn, order, wanted, context, read_operations(conn, order))
    return next(
        (each.line for each in drawn.draws if each.net_missing_micro or each.scrap_missing_micro),
        None,
    )

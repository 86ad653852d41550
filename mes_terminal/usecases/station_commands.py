"""Commands and badges that change only what the station waits for, or who works at it."""

import msgspec

from mes_terminal.domain.intent import Need, PresentBadge, Refuse, SetQuantity
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.session import AWAITS_SERIAL
from mes_terminal.store import orders, slots
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.people import note_seen
from mes_terminal.store.rework import is_in_rework
from mes_terminal.store.session import operator_of
from mes_terminal.store.shift_ends import read_handed_over
from mes_terminal.usecases.await_code import WAITS_FOR
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact
from mes_terminal.usecases.count_stock import drop_count
from mes_terminal.usecases.watch_clock import confirm_clock

COMMANDS = ("START", "QTY", "OP", "SCRAP", "REWORK", "ISSUE", "RETURN", "EXTRA", "SHORT", "UNDO",
            "CANCEL", "EMPTY", "ASIDE", "UNMOUNT", "MOVE", "HOLD", "RELEASE",
            "COUNT", "CALL", "STOP", "END")  # fmt: skip
"""What this station acts on."""
HELP = "Scan an order to close it, a unit to book it, a component lot to mount it, or a command"


def set_quantity(intent: SetQuantity, context: Context) -> Answer:
    """Keep the quantity for the next order, item, container or lot; a second one replaces it."""
    return answer(
        context,
        "recorded",
        f"The next code counts {format_quantity(intent.quantity_micro)}",
        "Scan an order, an item or a lot, or CANCEL",
        quantity=format_quantity(intent.quantity_micro),
        session=changed(context.session, pending_quantity_micro=intent.quantity_micro),
    )


def cancel(conn: Connection, context: Context) -> Answer:
    """Drop what waits; what was scanned for the unit at hand leaves its slots.

    A unit in rework stays at hand while only an exchange is dropped (BF-28). A count is dropped
    where nothing else waits.
    """
    session = context.session
    waits = session.pending_verb or session.pending_quantity_micro or session.confirm_code
    replaces = session.pending_verb == "REPLACE"
    if session.work_order_id is not None and not _in_rework(conn, context):
        waits = slots.empty_open(conn, session.work_order_id, session.unit_id) or waits
        if session.unit_id is not None:
            orders.let_go(conn, session.unit_id)
    waits = waits or session.unit_id or session.next_unit
    said, count_id = "Cancelled" if waits else "There was nothing to cancel", session.stock_count_id
    if count_id is not None and not waits:
        said, count_id = f"The count of {drop_count(conn, context)} is dropped", None
    return answer(
        context,
        "recorded",
        said,
        HELP,
        session=changed(
            session,
            stock_count_id=count_id,
            unit_id=session.unit_id if replaces else None,
            next_unit=False,
            pending_verb=None,
            pending_argument=None,
            pending_quantity_micro=None,
            confirm_reason=None,
            confirm_code=None,
            confirm_until=None,
        ),
    )


def _in_rework(conn: Connection, context: Context) -> bool:
    unit_id = context.session.unit_id
    return unit_id is not None and is_in_rework(conn, unit_id, station=context.rules.station)


def tell_help(context: Context) -> Answer:
    """Say what can be scanned now."""
    verb = context.session.pending_verb
    who = context.session.pending_argument if verb == AWAITS_SERIAL else verb
    waits = f"{who} waits for {WAITS_FOR[verb]}" if verb else HELP
    return answer(context, "recorded", waits, f"Commands: {', '.join(COMMANDS)}")


def tell(intent: Need | Refuse, context: Context) -> Answer:
    """Refuse the code, or say what it lacks; a command that lacks something goes on waiting."""
    if isinstance(intent, Refuse):
        return answer(context, "rejected", intent.message, intent.hint, reason=intent.reason)
    session = context.session
    if intent.verb is not None:
        session = changed(session, pending_verb=intent.verb)
    return answer(
        context, "needs", intent.message, intent.hint, reason=intent.reason, session=session
    )


def present_badge(conn: Connection, intent: PresentBadge, context: Context) -> Answer:
    """Sign in; the same badge again signs out. Another's badge takes over."""
    person = operator_of(conn, intent.badge)
    if person is None:
        return answer(
            context,
            "rejected",
            f"The badge {intent.badge} is not known",
            "Use your own badge, or call a supervisor",
            reason="not_authorised",
        )
    by_them = msgspec.structs.replace(context, person=person)
    note_seen(conn, person.badge, at=context.scan.event_time)
    if context.session.clock_in_doubt and person.supervises:
        return confirm_clock(conn, person, by_them)
    signs_out = context.session.badge == person.badge
    said = f"{person.name} signed out"
    if not signs_out:
        said = f"{person.name} signed in{_handed_over(conn, person.badge)}"
    event_seq = append_event(
        conn,
        fact(by_them, "signed_out" if signs_out else "signed_in", person.badge, name=person.name),
        context.head,
        context.scan,
        rules=context.rules,
    )
    return answer(
        context,
        "recorded",
        said,
        HELP,
        event_seq=event_seq,
        session=changed(
            context.session,
            badge=None if signs_out else person.badge,
            signed_in_at=None if signs_out else context.scan.event_time,
        ),
    )


def _handed_over(conn: Connection, badge: str) -> str:
    """Return what is a person's by name of what is open, as the end of a sentence."""
    kinds = read_handed_over(conn, badge)
    if not kinds:
        return ""
    named = ", ".join(f"{kind} {count}" for kind, count in kinds)
    return f". Handed over: {named}"

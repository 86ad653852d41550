"""Start an order: make it the current one and say what a close would post now (pre-flight)."""

from mes_terminal.domain import order_changes
from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.session import AWAITS_SERIAL
from mes_terminal.domain.view import PreflightView
from mes_terminal.store import orders
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_report import refused
from mes_terminal.usecases.preflight import rehearse


def start_order(conn: Connection, work_order: str, context: Context) -> Answer:
    """Make the order active; several may be, the item decides, earliest due first."""
    order = order_of(conn, work_order, context)
    session = context.session
    if session.pending_verb in ("START", AWAITS_SERIAL):
        session = changed(session, pending_verb=None, pending_argument=None)
    refusal = refuse_status(order, context)
    if refusal is not None:
        return Answer(refusal.outcome, session)
    view = rehearse(conn, order, context)
    orders.start(conn, order.work_order_id, at=context.scan.event_time)
    event_seq = append_event(
        conn,
        fact(context, "order.started", order.work_order),
        context.head,
        context.scan,
        rules=context.rules,
    )
    news = order_changes.in_words(order.work_order, order.changes)
    return answer(
        context,
        "recorded",
        "; ".join(filter(None, (f"{order.work_order} started: {in_words(view)}", news))),
        "Scan a unit, or the order to close it",
        work_order=order.work_order,
        order_status="started",
        item=order.item,
        event_seq=event_seq,
        session=changed(session, work_order_id=order.work_order_id),
    )


def in_words(view: PreflightView) -> str:
    """Return the pre-flight as one phrase: `41 lines would post, 1 not: CHAIN short 3 m`."""
    posts = f"{view.lines_post} {'line' if view.lines_post == 1 else 'lines'} would post"
    if not view.lines_short:
        return posts
    return f"{posts}, {view.lines_short} not: " + ", ".join(view.shortages)


def refuse_status(order: OrderFacts, context: Context) -> Answer | None:
    """Return the refusal of a report on an order that is not open; `None` if it is."""
    refusals = {
        "planned": ("not_released", "is planned, not released", "Ask planning to release it"),
        "hold": ("order_on_hold", "is on hold", "Take the next order, or call a supervisor"),
        "cancelled": ("order_cancelled", "is cancelled", "Take the next order"),
        "closed": ("order_closed", "is closed", "Take the next order"),
    }
    found = refusals.get(order.status)
    if found is None:
        return None
    reason, what, hint = found
    return refused(order, context, reason, f"{order.work_order} {what}. Nothing was booked", hint)

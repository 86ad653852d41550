"""Close an order short: `%SHORT reason`, then the order (BF-25)."""

from mes_terminal.domain.intent import AwaitCode, CloseShort
from mes_terminal.domain.order import remaining_micro
from mes_terminal.store import orders
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import read_order
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.post_report import post_report
from mes_terminal.usecases.start_order import refuse_status


def await_order(conn: Connection, intent: AwaitCode, context: Context) -> Answer:
    """Take the reason; the next order is closed short with it."""
    if not intent.argument or not orders.reason_known(conn, intent.argument, "short_close"):
        said = f"{intent.argument} is no reason" if intent.argument else "SHORT lacks its reason"
        return answer(
            context,
            "rejected",
            f"{said} to close an order short",
            "Scan SHORT with a reason of the reason card",
            reason="reason_missing",
        )
    return answer(
        context,
        "recorded",
        f"The next order is closed short: {intent.argument}",
        "Scan the order, or CANCEL",
        session=changed(context.session, pending_verb="SHORT", pending_argument=intent.argument),
    )


def close_short(conn: Connection, intent: CloseShort, context: Context) -> Answer:
    """Close the order with what it has; with nothing left to close it is already done."""
    done = changed(context.session, pending_verb=None, pending_argument=None)
    order = read_order(conn, intent.work_order, scrap_location=context.rules.scrap_location)
    if order is None:
        raise LookupError(intent.work_order)  # the code was looked up in this very transaction
    if order.status == "closed" or not remaining_micro(order):
        return answer(
            context,
            "already_done",
            f"{order.work_order} is closed: there is nothing left to close",
            "Scan the next traveller",
            reason="order_closed",
            work_order=order.work_order,
            order_status=order.status,
            item=order.item,
            session=done,
        )
    refusal = refuse_status(order, context)
    if refusal is not None:
        return Answer(refusal.outcome, done)
    posted = post_report(conn, order, 0, [], context, short_reason=intent.reason_code)
    session = changed(posted.session, pending_verb=None, pending_argument=None)
    return Answer(posted.outcome, session, posted.event_seq)

"""Close an order short: `%SHORT reason`, then the order (BF-25)."""

from mes_terminal.domain.intent import CloseShort
from mes_terminal.domain.order import remaining_micro
from mes_terminal.domain.report_plan import Wanted
from mes_terminal.store.database import Connection
from mes_terminal.usecases.apply_policy import is_question
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.deviations import post_controlled
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.start_order import refuse_status


def close_short(conn: Connection, intent: CloseShort, context: Context) -> Answer:
    """Close the order with what it has; with nothing left to close it is already done."""
    done = changed(context.session, pending_verb=None, pending_argument=None)
    order = order_of(conn, intent.work_order, context)
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
    posted = post_controlled(
        conn, order, Wanted(kind="short_close", reason=intent.reason_code), context
    )
    if is_question(posted.outcome):
        return posted
    session = changed(posted.session, pending_verb=None, pending_argument=None)
    return Answer(posted.outcome, session, posted.event_seq)

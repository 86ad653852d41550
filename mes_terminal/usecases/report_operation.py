"""Report an operation: `%OP nn` for the active order, or `%OP nn order` (BF-11).

What it posts are the lines of the operation and of every earlier one that are not posted yet. The
last operation is the completion of what has come to it.
"""

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.intent import ReportOperation, ReportOrder
from mes_terminal.domain.operations import OperationFacts, available_micro
from mes_terminal.domain.order import OrderFacts, allowed_micro
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.report_plan import Wanted
from mes_terminal.store import orders
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import read_operations, read_order, read_units
from mes_terminal.usecases.apply_policy import is_blocked, is_question, of_order, stopped
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.deviations import (
    over_at_operation,
    post_controlled,
    refuse_order,
    reopening,
    sized,
)
from mes_terminal.usecases.post_report import refuse_step, refused
from mes_terminal.usecases.report_production import report_order
from mes_terminal.usecases.start_order import refuse_status


class _Room(Struct, frozen=True):
    """How many units may still pass an operation, in micro-units."""

    usual: int
    """Of what was ordered."""
    allowed: int
    """With the over-completion tolerance."""
    delivered: int | None
    """What the nearest earlier reporting operation has for it; `None` without one."""
    is_limited: bool
    """No more may pass than that: there is such an operation, and no overlap."""

    def quantity(self, asked: int | None) -> int:
        """Return what is reported: what was asked for, else all that can pass."""
        if asked is not None:
            return asked
        return min(self.usual, self.delivered or 0) if self.is_limited else self.usual


def report_operation(conn: Connection, intent: ReportOperation, context: Context) -> Answer:
    """Report that units passed an operation: what `%QTY` said, else all that can."""
    name = intent.work_order or orders.active_order(conn, context.session.work_order_id)
    order = read_order(conn, name, scrap_location=context.rules.scrap_location) if name else None
    if order is None:
        return answer(
            context,
            "needs",
            f"Operation {intent.operation}: which order is it?",
            "Scan START and the order, or the operation of its traveller",
            reason="order",
        )
    operations = read_operations(conn, order)
    here = next((one for one in operations if one.operation == intent.operation), None)
    if here is None:
        return refuse_status(order, context) or _refuse_unknown(order, operations, intent, context)
    asked = context.session.pending_quantity_micro
    room = _room(order, operations, here, context)
    reopens = reopening(conn, order)
    if here is operations[-1]:
        ruled = _complete(conn, order, here, asked, room, reopens, context)
    else:
        ruled = refuse_order(order, reopens, context) or _pass(
            conn, order, here, asked, room, reopens, context
        )
    return _without_quantity(ruled)


def _complete(
    conn: Connection,
    order: OrderFacts,
    here: OperationFacts,
    asked: int | None,
    room: _Room,
    reopens: list[Deviation],
    context: Context,
) -> Answer:
    """The last operation is reported as the order is, only no more of it than has come there."""
    if reopens and (asked is None or is_blocked(reopens, context)):
        return report_order(conn, ReportOrder(order.work_order, asked), context)
    refusal = refuse_order(order, reopens, context)
    if refusal is not None:
        return refusal
    quantity = room.quantity(asked)
    if asked is None and not quantity and here.good_micro:
        return _already_done(order, here, context)
    if room.is_limited and (not quantity or quantity > (room.delivered or 0)):
        return _refuse_more(order, here, quantity, room.delivered or 0, True, context)
    if asked is None and order.tracking == "serial":
        planned = read_units(conn, order, limit=quantity // MICRO)
        quantity = len(planned) * MICRO or quantity
    ruled = report_order(conn, ReportOrder(order.work_order, quantity or None), context)
    return _said_behind(ruled, here, quantity, room)


def _room(
    order: OrderFacts, operations: list[OperationFacts], here: OperationFacts, context: Context
) -> _Room:
    """Units that passed it, or ended at it or before, need no place any more."""
    tolerance = allowed_micro(order, context.rules.over_completion_pct_micro) - _unclamped(order)
    taken = here.good_micro
    if not order.replace_scrap:
        taken += sum(one.scrapped_micro for one in operations if one.position <= here.position)
    usual = order.quantity_micro - taken
    delivered = available_micro(operations, here.position)
    is_limited = delivered is not None and not here.overlap
    return _Room(max(0, usual), max(0, usual + tolerance), delivered, is_limited)


def _unclamped(order: OrderFacts) -> int:
    made = order.good_micro + (0 if order.replace_scrap else order.scrapped_micro)
    return order.quantity_micro - made


def _pass(
    conn: Connection,
    order: OrderFacts,
    here: OperationFacts,
    asked: int | None,
    room: _Room,
    reopens: list[Deviation],
    context: Context,
) -> Answer:
    limited = room.is_limited
    limit = min(room.allowed, room.delivered or 0) if limited else room.allowed
    quantity = room.quantity(asked)
    if asked is None and not quantity and here.good_micro:
        return _already_done(order, here, context)
    over = quantity > room.allowed
    met = over_at_operation(conn, order, here.operation, quantity, room.allowed) if over else []
    lacks = limited and quantity > (room.delivered or 0) and not is_blocked(met, context)
    is_early = lacks or (limited and limit < room.allowed)
    if quantity <= 0 or (quantity > limit and (is_early or not met)):
        shown = room.delivered or 0 if is_early else limit
        return _refuse_more(order, here, quantity, shown, is_early, context)
    met = [*met, *sized(reopens, quantity)]
    stop = stopped(conn, met, context, **of_order(order))
    if stop is not None:
        return stop
    if quantity % order.step_micro:
        return refuse_step(order, context)
    wanted = Wanted(kind="operation", position=here.position, passed_micro=quantity)
    return _said_behind(post_controlled(conn, order, wanted, context, met), here, quantity, room)


def _said_behind(ruled: Answer, here: OperationFacts, quantity: int, room: _Room) -> Answer:
    """Say of what was posted that it is more than has come, where an overlap allows that."""
    if room.delivered is not None and quantity > room.delivered and ruled.event_seq is not None:
        said = f"{ruled.outcome.message}; the operation before {here.operation} is behind"
        return Answer(replace(ruled.outcome, message=said), ruled.session, ruled.event_seq)
    return ruled


def _already_done(order: OrderFacts, here: OperationFacts, context: Context) -> Answer:
    return answer(
        context,
        "already_done",
        f"{order.work_order}: operation {here.operation} is done for "
        f"{format_quantity(here.good_micro)} {order.uom}",
        "Go on with the next operation",
        work_order=order.work_order,
        order_status=order.status,
        item=order.item,
    )


def _refuse_more(
    order: OrderFacts,
    here: OperationFacts,
    quantity: int,
    limit: int,
    is_early: bool,
    context: Context,
) -> Answer:
    """More than the operation before has delivered, or than the order is for."""
    if is_early:
        return refused(
            order,
            context,
            "operation_order",
            f"{order.work_order}: {format_quantity(limit)} {order.uom} have come to operation "
            f"{here.operation} from the one before it. Nothing was booked",
            "Report the earlier operation first",
        )
    return refused(
        order,
        context,
        "over_tolerance",
        f"{order.work_order} has {format_quantity(limit)} {order.uom} left at operation "
        f"{here.operation}, not {format_quantity(quantity)}. Nothing was booked",
        "Check the quantity, or call a supervisor",
    )


def _refuse_unknown(
    order: OrderFacts, operations: list[OperationFacts], intent: ReportOperation, context: Context
) -> Answer:
    known = ", ".join(one.operation for one in operations)
    return refused(
        order,
        context,
        "malformed",
        f"{order.work_order} has no operation {intent.operation}. Nothing was booked",
        f"Its operations are {known}" if known else "It has no routing; scan the order",
    )


def _without_quantity(ruled: Answer) -> Answer:
    """The operation has taken `%QTY`, whatever its outcome, unless it asks."""
    if is_question(ruled.outcome):
        return ruled
    session = changed(ruled.session, pending_quantity_micro=None)
    return Answer(ruled.outcome, session, ruled.event_seq)

"""Report production: the order's code, a unit's serial, or the product's code.

The main job of the station. Each function reads the facts in few statements, lets the pure domain
rule, and writes what it ruled; what does not fit is an answer, never an exception.
"""

from mes_terminal.domain.instants import plus_seconds, seconds_between
from mes_terminal.domain.intent import ReportItem, ReportOrder, ReportUnit
from mes_terminal.domain.order import OrderFacts, remaining_micro
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.report_plan import Unit, Wanted
from mes_terminal.domain.session import AWAITS_SERIAL
from mes_terminal.domain.slots import SlotLine
from mes_terminal.store import orders
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import read_units
from mes_terminal.usecases.apply_policy import CONFIRM_S, is_blocked, of_order, stopped
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.deviations import (
    implausible_close,
    over_completion,
    post_controlled,
    refuse_order,
    reopening,
    serial_missing,
    sized,
)
from mes_terminal.usecases.finish_rework import finish_item, finish_order, finish_unit
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_report import refused
from mes_terminal.usecases.recovered import asks_again, without
from mes_terminal.usecases.slots_at_hand import needs_parts, parts_of
from mes_terminal.usecases.start_order import start_order


def report_order(conn: Connection, intent: ReportOrder, context: Context) -> Answer:
    """Report all that remains of the order, or the quantity that `%QTY` said."""
    order = order_of(conn, intent.work_order, context)
    booked = orders.box_report(conn, order.item_id, intent.box) if intent.box else None
    if booked is not None:
        return _box_booked(booked, order.item, context)
    reopens = reopening(conn, order)
    if reopens:
        again = finish_order(conn, order, context)
        if again is not None:
            return again
        if intent.quantity_micro is None or is_blocked(reopens, context):
            return _already_closed(conn, order, context)
    if context.rules.order_scan == "start" and intent.quantity_micro is None:
        return start_order(conn, order.work_order, context)
    refusal = refuse_order(order, reopens, context)
    if refusal is not None:
        return refusal
    quantity = intent.quantity_micro or remaining_micro(order)
    met = [*reopens, *implausible_close(conn, order, quantity, context)]
    if order.tracking != "serial" or quantity % order.step_micro:
        return _report(conn, order, quantity, [], context, box=intent.box, met=met)
    over = over_completion(conn, order, quantity, context)
    if is_blocked(over, context):
        return _report(conn, order, quantity, [], context)
    units = read_units(conn, order, limit=quantity // MICRO)
    if not units or (intent.quantity_micro is not None and len(units) * MICRO < quantity):
        said = f"{order.item} needs a serial for each unit of {order.work_order}"
        return _needs_serial(conn, order, said, context, is_planned=bool(units))
    return _report(conn, order, len(units) * MICRO, units, context, met=met)


def report_unit(conn: Connection, intent: ReportUnit, context: Context) -> Answer:
    """Report one unit by its serial; a unit scanned again answers when and by whom (BF-34), or
    comes out of rework (BF-28)."""
    unit = orders.read_unit(conn, intent.unit_id)
    if unit.made_at is not None:
        again = finish_unit(conn, intent.unit_id, unit.lot_id, unit.work_order, context)
        return again or answer(
            context,
            "already_done",
            f"Unit {intent.serial} was {'scrapped' if unit.is_scrap else 'booked'} at "
            f"{unit.made_at} by {unit.made_by or 'nobody'}",
            "Scan the next unit",
            work_order=unit.work_order,
            item=unit.item,
            serial=intent.serial,
        )
    order = order_of(conn, unit.work_order, context)
    reopens = reopening(conn, order)
    refusal = refuse_order(order, reopens, context)
    if refusal is not None:
        return refusal
    waits = Unit(intent.unit_id, intent.serial, unit.lot_id)
    return report_one(conn, order, waits, context, reopens)


def report_one(
    conn: Connection, order: OrderFacts, unit: Unit, context: Context, met: list[Deviation]
) -> Answer:
    """Report a unit that is not made yet, or say what it lacks (BF-18)."""
    if order.has_slots:
        is_at_hand = context.session.unit_id == unit.unit_id
        needed = _lacks(conn, order, unit, context, is_at_hand=is_at_hand)
        if needed is not None:
            return needed
    return _report(conn, order, MICRO, [unit], context, asks_repeat=False, met=met)


def _needs_serial(
    conn: Connection, order: OrderFacts, said: str, context: Context, *, is_planned: bool
) -> Answer:
    """Ask for the serial of a unit, and wait for a new one where none are planned (BF-39)."""
    session, hint = context.session, "Scan the serial of the unit"
    if not orders.has_plan(conn, order.work_order_id):
        session = changed(session, pending_verb=AWAITS_SERIAL, pending_argument=order.work_order)
    elif not is_planned:
        hint = "Ask planning for the other serials"
    return answer(
        context,
        "needs",
        said,
        hint,
        reason="serial",
        work_order=order.work_order,
        order_status=order.status,
        item=order.item,
        session=session,
    )


def report_item(conn: Connection, intent: ReportItem, context: Context) -> Answer:
    """Report one unit (or `%QTY`) of the order for the product: the active one due first, else the
    only released one."""
    booked = orders.box_report(conn, intent.item_id, intent.box) if intent.box else None
    if booked is not None:
        return _box_booked(booked, intent.item, context)
    choice = orders.orders_for_item(conn, intent.item_id)
    name, reopens = choice.work_order, []
    if name is None:
        again = finish_item(conn, intent.item_id, context)
        if again is not None:
            return again
        name = orders.closed_last(conn, intent.item_id)
    order = order_of(conn, name, context) if name is not None else None
    if order is not None:
        reopens = reopening(conn, order)
    if order is None or is_blocked(reopens, context):
        return _no_order(intent, choice, context)
    if order.tracking == "serial":
        said = f"{order.item} needs the serial of the unit"
        is_planned = bool(read_units(conn, order, limit=1))
        return _needs_serial(conn, order, said, context, is_planned=is_planned)
    quantity = intent.quantity_micro or MICRO
    if order.has_slots and quantity == MICRO:
        session = context.session
        is_at_hand = session.next_unit and session.work_order_id == order.work_order_id
        needed = _lacks(conn, order, None, context, is_at_hand=is_at_hand)
        if needed is not None:
            return needed
    return _report(conn, order, quantity, [], context, box=intent.box, met=reopens)


def report_unit_at_hand(
    conn: Connection, order: OrderFacts, lines: list[SlotLine], context: Context
) -> Answer:
    """Report the unit at hand: the scan filled its last slot (BF-18). `lines`: those with slots."""
    unit_id = context.session.unit_id
    units = []
    if unit_id is not None:
        serial = orders.unit_serial(conn, unit_id)
        units = [Unit(unit_id, serial, orders.read_unit(conn, unit_id).lot_id)]
    reopens = reopening(conn, order)
    return _report(conn, order, MICRO, units, context, asks_repeat=False, met=reopens, lines=lines)


def _lacks(
    conn: Connection,
    order: OrderFacts,
    unit: Unit | None,
    context: Context,
    *,
    is_at_hand: bool,
) -> Answer | None:
    """Make the unit the one at hand and say what it lacks; `None` if that is nothing, or if it is
    scanned once more and the control matrix does not block that slots stay empty (BF-24)."""
    needed = needs_parts(conn, order, unit, context)
    if needed is None or not is_at_hand:
        return needed
    parts = parts_of(conn, order, [unit] if unit is not None else [], 1, today=context.today)
    lacks = serial_missing(conn, order, parts.lacking)
    return needed if is_blocked(lacks, context) else None


def _box_booked(booked: orders.LastReport, item: str, context: Context) -> Answer:
    return answer(
        context,
        "already_done",
        f"The box {context.code} was booked at {booked.event_time} by {booked.person or 'nobody'}",
        "Scan the next box",
        item=item,
    )


def _report(
    conn: Connection,
    order: OrderFacts,
    quantity_micro: int,
    units: list[Unit],
    context: Context,
    *,
    asks_repeat: bool = True,
    box: str | None = None,
    met: list[Deviation] | None = None,
    lines: list[SlotLine] | None = None,
) -> Answer:
    if quantity_micro % order.step_micro:
        return refused(
            order,
            context,
            "not_a_step",
            f"{format_quantity(quantity_micro)} {order.uom} of {order.item} cannot be counted in "
            f"steps of {format_quantity(order.step_micro)}",
            "Scan QTY with a whole number of steps",
        )
    count = quantity_micro // MICRO
    parts = parts_of(conn, order, units, count, today=context.today, lines=lines)
    met = [
        *over_completion(conn, order, quantity_micro, context),
        *serial_missing(conn, order, parts.lacking),
        *sized(met or [], quantity_micro),
    ]
    stop = stopped(conn, met, context, **of_order(order))
    if stop is not None:
        return stop
    if asks_repeat and box is None and _looks_repeated(conn, context):
        return _ask_repeat(order, context)
    wanted = Wanted(good_micro=quantity_micro, units=units, seated=parts.seated, empty=parts.empty)
    posted = post_controlled(conn, order, wanted, context, met)
    if box is not None and posted.event_seq is not None:
        orders.note_box(conn, order.item_id, box, posted.event_seq)
    return posted


def _looks_repeated(conn: Connection, context: Context) -> bool:
    scan, session = context.scan, context.session
    if context.consents or context.asked_code is not None:
        return False  # the same code again, or a person: it is meant
    confirmed = session.confirm_code == scan.raw and scan.event_time <= (
        session.confirm_until or ""
    )
    if confirmed:
        return False
    if asks_again(session, scan):
        return True
    cycle_s = context.rules.min_cycle_s
    last = orders.last_report_at(conn) if cycle_s else None
    return last is not None and 0 <= seconds_between(last, scan.event_time) < cycle_s


def _ask_repeat(order: OrderFacts, context: Context) -> Answer:
    return answer(
        context,
        "needs",
        f"{context.code} was booked a moment ago. Is this another one?",
        "Scan the same code again if it is; go on if it is not",
        reason="confirm_repeat",
        work_order=order.work_order,
        order_status=order.status,
        item=order.item,
        session=changed(
            without(context.session, context.scan.raw),
            confirm_reason="confirm_repeat",
            confirm_code=context.scan.raw,
            confirm_until=plus_seconds(context.scan.event_time, CONFIRM_S),
        ),
    )


def _already_closed(conn: Connection, order: OrderFacts, context: Context) -> Answer:
    last = orders.last_report(conn, order.work_order_id)
    when = f" at {last.event_time} by {last.person or 'nobody'}" if last else ""
    return answer(
        context,
        "already_done",
        f"{order.work_order} was closed{when}",
        "Scan the next traveller",
        reason="order_closed",
        work_order=order.work_order,
        order_status=order.status,
        item=order.item,
    )


def _no_order(intent: ReportItem, choice: orders.ItemOrders, context: Context) -> Answer:
    if choice.made_here:
        return answer(
            context,
            "needs",
            f"{intent.item}: scan the order it is made for",
            f"Scan an order of {intent.item}",
            reason="order",
            item=intent.item,
        )
    if choice.needed_lot is not None:
        return answer(
            context,
            "needs",
            f"{intent.item} is tracked: its {choice.needed_lot} is needed",
            f"Scan a {choice.needed_lot} of {intent.item}",
            reason=choice.needed_lot,
            item=intent.item,
        )
    return answer(
        context,
        "rejected",
        f"{intent.item} has no effect here: nobody makes it at this station",
        "Scan an order, a unit or a component lot",
        reason="no_effect",
        item=intent.item,
    )

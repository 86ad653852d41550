"""Scrap: `%SCRAP reason`, then units of an order (BF-26) or material (BF-27)."""

from mes_terminal.domain.intent import ReportNewUnit, Scrap
from mes_terminal.domain.operations import standing
from mes_terminal.domain.order import OrderFacts, allowed_micro, remaining_micro
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.report_plan import Unit, Wanted
from mes_terminal.domain.slots import Filled, seated
from mes_terminal.store import orders, slots
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import read_operations
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.deviations import post_controlled, refuse_order, reopening, sized
from mes_terminal.usecases.handled import done
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_report import refuse_step, refused
from mes_terminal.usecases.report_new_unit import order_taking, with_new_unit
from mes_terminal.usecases.scrap_material import scrap_material


def scrap(conn: Connection, intent: Scrap, context: Context) -> Answer:
    """Scrap what was scanned; the command waits on only if it lacks something."""
    return done(_scrap_units(conn, intent, context) or scrap_material(conn, intent, context))


def _scrap_units(conn: Connection, intent: Scrap, context: Context) -> Answer | None:
    """Scrap units in work; `None` where material is named, finished units included."""
    what = intent.what
    match what.kind:
        case "unit":
            return _scrap_unit(conn, intent, context)
        case "component_serial" if not what.row_id:
            return _scrap_new_unit(conn, intent, context)
        case "order":
            return _scrap_of_order(conn, what.key, intent, context)
        case "item":
            choice = orders.orders_for_item(conn, what.item_id)
            if choice.work_order is not None:
                return _scrap_of_order(conn, choice.work_order, intent, context)
            return _which_order(intent, context) if choice.made_here else None
        case _:
            return None


def _scrap_unit(conn: Connection, intent: Scrap, context: Context) -> Answer | None:
    unit = orders.read_unit(conn, intent.what.row_id)
    if unit.made_at is not None:
        return None
    order = order_of(conn, unit.work_order, context)
    planned = Unit(intent.what.row_id, intent.what.key, unit.lot_id)
    refusal = refuse_order(order, reopening(conn, order), context)
    return refusal or _post(conn, order, MICRO, [planned], intent.reason_code, context)


def _scrap_new_unit(conn: Connection, intent: Scrap, context: Context) -> Answer | None:
    """Scrap a unit of an order without planned serials (BF-39)."""
    named = ReportNewUnit(intent.what.key, intent.what.item_id)
    order = order_taking(conn, named, context)
    if order is None:
        return None
    refusal = refuse_order(order, reopening(conn, order), context)
    return refusal or with_new_unit(
        conn,
        order,
        named.serial,
        lambda unit: _post(conn, order, MICRO, [unit], intent.reason_code, context),
    )


def _scrap_of_order(conn: Connection, work_order: str, intent: Scrap, context: Context) -> Answer:
    order = order_of(conn, work_order, context)
    refusal = refuse_order(order, reopening(conn, order), context)
    if refusal is not None:
        return refusal
    if order.tracking == "serial":
        return answer(
            context,
            "needs",
            f"{order.item} needs the serial of the unit that is scrap",
            "Scan the serial of the unit, or CANCEL",
            reason="serial",
            work_order=order.work_order,
            order_status=order.status,
            item=order.item,
        )
    quantity = intent.what.quantity_micro or MICRO
    return _post(conn, order, quantity, [], intent.reason_code, context)


def _post(
    conn: Connection,
    order: OrderFacts,
    quantity: int,
    units: list[Unit],
    reason: str,
    context: Context,
) -> Answer:
    if quantity % order.step_micro:
        return refuse_step(order, context)
    left = allowed_micro(order, context.rules.over_completion_pct_micro)
    if quantity > left and not order.replace_scrap:
        return refused(
            order,
            context,
            "over_tolerance",
            f"{order.work_order} has {format_quantity(remaining_micro(order))} {order.uom} left, "
            f"not {format_quantity(quantity)}. Nothing was booked",
            "Check the quantity, or call a supervisor",
        )
    position, waiting = standing(read_operations(conn, order)) or (0, 0)
    wanted = Wanted(
        kind="scrap",
        scrapped_micro=quantity,
        units=units,
        position=position,
        passed_micro=-min(waiting, quantity),
        seated=_in_its_slots(conn, order, units, context),
        reason=reason,
    )
    met = sized(reopening(conn, order), quantity)
    return post_controlled(conn, order, wanted, context, met)


def _in_its_slots(
    conn: Connection, order: OrderFacts, units: list[Unit], context: Context
) -> list[tuple[Filled, int]]:
    """Return the serials that go with a scrapped unit: those scanned for it, and no others."""
    if not order.has_slots or not units:
        return []
    unit_id = units[0].unit_id
    fills = slots.read_filled(conn, order.work_order_id, today=context.today)
    own = [fill for fill in fills if fill.unit_id == unit_id]
    return seated(slots.read_slots(conn, order.work_order_id, unit_id), own, [unit_id])


def _which_order(intent: Scrap, context: Context) -> Answer:
    return answer(
        context,
        "needs",
        f"{intent.what.key}: of which order is it?",
        f"Scan the order of {intent.what.key}, or CANCEL",
        reason="order",
        item=intent.what.key,
    )

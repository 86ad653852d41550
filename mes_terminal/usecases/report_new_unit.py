"""A serial that the database does not know: a unit of an order without planned serials (BF-39).

The station waits for it since the order's code asked, or a label or a site pattern says that it
is a serial and the order is started. An order that upstream planned serials for takes no others.
"""

from collections.abc import Callable

from msgspec.structs import replace

from mes_terminal.domain.intent import ReportNewUnit
from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.quantity import MICRO
from mes_terminal.domain.report_plan import Unit
from mes_terminal.domain.session import AWAITS_SERIAL
from mes_terminal.exchange.cells import TEXT_MAX
from mes_terminal.store import orders
from mes_terminal.store.database import Connection
from mes_terminal.usecases.apply_policy import blocked, of_order
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.count_unknown import count_unknown
from mes_terminal.usecases.deviations import over_completion, refuse_order, reopening
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_report import refused
from mes_terminal.usecases.report_production import report_one


def report_new_unit(conn: Connection, intent: ReportNewUnit, context: Context) -> Answer:
    """Report the unit, or say what it lacks; the wait for it goes on where it is no unit yet."""
    order = order_taking(conn, intent, context)
    if order is None:
        return _unknown(conn, intent, context)
    if len(intent.serial) > TEXT_MAX or not intent.serial.isprintable():
        said = f"A serial has at most {TEXT_MAX} characters for print. Nothing was booked"
        return refused(order, context, "malformed", said, "Scan the serial of the unit, or CANCEL")
    reopens = reopening(conn, order)
    over = over_completion(conn, order, MICRO, context)  # before its slots are filled
    refusal = refuse_order(order, reopens, context) or blocked(over, context, **of_order(order))
    if refusal is not None:
        return refusal
    session = context.session
    if session.pending_verb == AWAITS_SERIAL:
        named = changed(session, pending_verb=None, pending_argument=None)
        context = replace(context, session=named)
    ruled = with_new_unit(
        conn, order, intent.serial, lambda unit: report_one(conn, order, unit, context, reopens)
    )
    if _is_named(ruled):
        return ruled
    waits = changed(
        ruled.session, pending_verb=session.pending_verb, pending_argument=session.pending_argument
    )
    return replace(ruled, session=waits)


def with_new_unit(
    conn: Connection, order: OrderFacts, serial: str, report: Callable[[Unit], Answer]
) -> Answer:
    """Report a unit that is named by its serial now; where that is refused or asks, it is none."""
    unit_id = orders.name_unit(conn, order, serial)
    ruled = report(Unit(unit_id, serial, orders.read_unit(conn, unit_id).lot_id))
    if not _is_named(ruled):
        orders.let_go(conn, unit_id)
    return ruled


def _is_named(ruled: Answer) -> bool:
    return ruled.outcome.outcome == "completed" or ruled.outcome.reason == "component"


def order_taking(conn: Connection, intent: ReportNewUnit, context: Context) -> OrderFacts | None:
    """Return the order that the serial is a unit of; `None` if nothing says so."""
    for name in _names(conn, intent, context):
        order = order_of(conn, name, context)
        if order.tracking != "serial" or intent.item_id not in (0, order.item_id):
            continue
        if not orders.has_plan(conn, order.work_order_id):
            return order
    return None


def _names(conn: Connection, intent: ReportNewUnit, context: Context) -> list[str]:
    """Return the orders that may be meant: the one on the label, else the one that waits, else the
    active one; of the product that the label names, the one started and due first."""
    session = context.session
    if intent.work_order is not None:
        return [intent.work_order]
    waits = session.pending_argument if session.pending_verb == AWAITS_SERIAL else None
    if waits is not None and not intent.item_id:
        return [waits]
    active = orders.active_order(conn, session.work_order_id)
    started = orders.started_order(conn, intent.item_id) if intent.item_id else None
    return [name for name in (waits, active, started) if name is not None]


def _unknown(conn: Connection, intent: ReportNewUnit, context: Context) -> Answer:
    """No order takes it: refuse the label of an item, and count any other code as unknown."""
    if not intent.item_id:
        return count_unknown(conn, context)
    choice = orders.orders_for_item(conn, intent.item_id)
    hint = "Scan an order, a unit or a component lot"
    name = choice.work_order
    if name is not None and intent.work_order is None:
        order = order_of(conn, name, context)
        if not orders.has_plan(conn, order.work_order_id):
            hint = f"Scan the order of {order.item} first, then its serial"
    return answer(
        context,
        "rejected",
        f"No unit and no component has the serial {intent.serial}",
        hint,
        reason="serial_unknown",
    )

"""Post a report: facts, ruling and rows of one completion, inside the caller's transaction.

`post_report` is the one way production is booked: by order, by unit, by item, and when an order is
closed short. `draws_of` shows what it would take; the pre-flight runs both and takes them back.
"""

from mes_terminal.domain import backflush
from mes_terminal.domain.completion import plan_report
from mes_terminal.domain.instants import day_plus
from mes_terminal.domain.order import LineFacts, OrderFacts, Source, remaining_micro, serial_line
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import ReportRequest, Unit
from mes_terminal.domain.session import Session
from mes_terminal.domain.shifts import production_day
from mes_terminal.store import orders, reports
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import (
    read_lines,
    read_mounted,
    read_order,
    read_pools,
    read_shortfalls,
    usable_from,
)
from mes_terminal.usecases.context import Answer, Context, answer, changed


def post_report(
    conn: Connection,
    order: OrderFacts,
    quantity_micro: int,
    units: list[Unit],
    context: Context,
    *,
    short_reason: str | None = None,
) -> Answer:
    """Book `quantity_micro` good units of the order; `short_reason` closes it short."""
    named = _with_output_lot(conn, order, context) if quantity_micro else order
    if isinstance(named, Answer):
        return named
    order = named
    scan, rules = context.scan, context.rules
    lines, draws, stock = draws_of(conn, order, quantity_micro, context)
    serial = serial_line(lines) if quantity_micro else None
    if serial is not None:
        return _refuse_serials(order, serial, context)
    blocked = _blocked(draws)
    if blocked is not None:
        return _refuse_shortage(order, blocked, context)
    today = context.today
    plan = plan_report(
        order,
        draws,
        lines,
        stock.left_micro,
        read_shortfalls(
            conn,
            draws,
            today=today,
            event_time=scan.event_time,
            usable_from=usable_from(today, clock_in_doubt=context.session.clock_in_doubt),
        ),
        _request(order, quantity_micro, units, context, short_reason),
    )
    report_seq = reports.write_report(conn, order, plan, scan, context.head, rules=rules)
    return Answer(plan.outcome, _session_after(order, plan.order_status, context), report_seq)


def draws_of(
    conn: Connection, order: OrderFacts, quantity_micro: int, context: Context
) -> tuple[list[LineFacts], list[backflush.Draw], backflush.Stock]:
    """Return the lines, what each would draw for so many more units, and what stock is left."""
    event_time = context.scan.event_time
    usable = usable_from(context.today, clock_in_doubt=context.session.clock_in_doubt)
    lines = read_lines(
        conn,
        order.work_order_id,
        shortage_policy=context.rules.shortage_policy,
        event_time=event_time,
        usable_from=usable,
    )
    reported = order.good_micro + order.scrapped_micro + quantity_micro
    needed = backflush.dues(lines, reported)
    stock = _stock(conn, needed, usable, context)
    return lines, backflush.draw(needed, stock, units_micro=quantity_micro), stock


def refused(order: OrderFacts, context: Context, reason: str, message: str, hint: str) -> Answer:
    """Return a refusal of a report: nothing is posted."""
    return answer(
        context,
        "rejected",
        message,
        hint,
        reason=reason,
        work_order=order.work_order,
        order_status=order.status,
        item=order.item,
    )


def _request(
    order: OrderFacts,
    quantity_micro: int,
    units: list[Unit],
    context: Context,
    short_reason: str | None,
) -> ReportRequest:
    own_life = order.shelf_life_days
    return ReportRequest(
        scan=context.scan,
        code=context.code,
        good_micro=quantity_micro,
        units=units,
        closes=short_reason is not None or remaining_micro(order) <= quantity_micro,
        short_reason=short_reason,
        person=context.badge,
        station=context.rules.station,
        master_data_version=str(context.session.master_data_version),
        expires_on=None if own_life is None else day_plus(context.today, own_life),
    )


def _stock(
    conn: Connection, needed: list[backflush.Due], usable: str, context: Context
) -> backflush.Stock:
    """Return the stock the lines may draw on; only pools whose first balance is too small are read
    whole."""
    event_time = context.scan.event_time
    mounted: dict[backflush.PoolKey, list[Source]] = {}
    if context.session.anything_mounted:
        mounted = read_mounted(conn, event_time=event_time, usable_from=usable)
    pools, to_read = backflush.first_pools(needed, mounted)
    if to_read:
        pools |= read_pools(conn, to_read, mounted, event_time=event_time, usable_from=usable)
    return backflush.Stock(pools)


def _with_output_lot(conn: Connection, order: OrderFacts, context: Context) -> OrderFacts | Answer:
    """Return the order with the output lot that the item's rule names (BF-39)."""
    if order.tracking != "lot" or order.order_lot or order.lot_rule in (None, "order"):
        return order
    if order.lot_rule == "scanned":
        name = orders.scanned_lot(conn, order.item_id)
        if name is None:
            return answer(
                context,
                "needs",
                f"The lot of {order.item} is not known",
                f"Scan the lot of {order.item} first",
                reason="lot",
                work_order=order.work_order,
                order_status=order.status,
                item=order.item,
            )
    else:
        shifts = orders.read_shifts(conn)
        name, shift = production_day(context.scan.event_time, shifts, context.rules.zone)
        if order.lot_rule == "shift" and shift is not None:
            name = f"{name}-{shift}"
    found = read_order(
        conn, order.work_order, scrap_location=context.rules.scrap_location, output_lot=name
    )
    return found or order


def _blocked(draws: list[backflush.Draw]) -> backflush.Draw | None:
    for each in draws:
        missing = each.net_missing_micro or each.scrap_missing_micro
        if missing and each.line.shortage_policy == "block":
            return each
    return None


def _refuse_serials(order: OrderFacts, line: LineFacts, context: Context) -> Answer:
    return refused(
        order,
        context,
        "component_serial_missing",
        f"{order.item} takes {line.item} with a serial (line {line.line}). Nothing was booked",
        "Components with serials cannot be reported at this station yet",
    )


def _refuse_shortage(order: OrderFacts, short: backflush.Draw, context: Context) -> Answer:
    line = short.line
    missing = format_quantity(short.net_missing_micro + short.scrap_missing_micro)
    return refused(
        order,
        context,
        "shortage_blocked",
        f"{line.item} is {missing} {line.uom} short at {line.location}. Nothing was booked",
        f"Bring {line.item} to {line.location} and scan again",
    )


def _session_after(order: OrderFacts, status: str, context: Context) -> Session:
    current = order.work_order_id if status != "closed" else None
    session = context.session
    if status == "closed" and session.work_order_id != order.work_order_id:
        current = session.work_order_id
    return changed(
        session,
        work_order_id=current,
        confirm_reason=None,
        confirm_code=None,
        confirm_until=None,
    )

"""Post a report: facts, ruling and rows of one completion, inside the caller's transaction.

`post_report` is the one way production is booked: by order, by unit, by item, and when an order is
closed short. `draws_of` shows what it would take; the pre-flight runs both and takes them back.
"""

from collections.abc import Callable

from msgspec import Struct

from mes_terminal.domain import backflush, operations, sourcing
from mes_terminal.domain.by_products import ahead_after
from mes_terminal.domain.completion import plan_report
from mes_terminal.domain.consumption import OffTarget, is_judged, off_target
from mes_terminal.domain.hand_issues import Waiting, share
from mes_terminal.domain.instants import day_plus
from mes_terminal.domain.order import (
    LineFacts,
    OrderFacts,
    Source,
    remaining_micro,
)
from mes_terminal.domain.overrun import allowance_micro
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.report_plan import ReportRequest, Wanted
from mes_terminal.domain.session import AWAITS_SERIAL, Session
from mes_terminal.domain.shifts import production_day
from mes_terminal.domain.slots import slot_draws
from mes_terminal.store import hand_issues, mount_spans, orders, reports, uncounted
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import (
    read_lines,
    read_mounted,
    read_operations,
    read_order,
    read_outputs,
    read_pools,
    read_shortfalls,
    read_substitutes,
    usable_from,
)
from mes_terminal.usecases.context import Answer, Context, answer, changed


class Drawn(Struct, frozen=True):
    """What a report would draw, and on what it rests."""

    lines: list[LineFacts]
    draws: list[backflush.Draw]
    left_micro: dict[int, int]
    """Balance id → what is left."""
    gains: list[operations.Gain]
    before: operations.Reported
    due: operations.Reported


Judge = Callable[[Drawn, list[OffTarget]], Answer | None]
"""Says what stands against a report, from what it would draw and what the order took (BF-24)."""


def post_report(
    conn: Connection,
    order: OrderFacts,
    wanted: Wanted,
    context: Context,
    judge: Judge | None = None,
) -> Answer:
    """Book what the scan wants reported of the order, unless `judge` says something against it."""
    named = _with_output_lot(conn, order, context) if wanted.good_micro else order
    if isinstance(named, Answer):
        return named
    order = named
    scan, rules = context.scan, context.rules
    facts = read_operations(conn, order)
    drawn = draws_of(conn, order, wanted, context, facts)
    watched = [each for each in drawn.draws if each.whole is None and not each.is_plain]
    blocked = _blocked(watched)
    if blocked is not None:
        lacking = [(blocked.line.item_id, blocked.line.location_id)]
        uncounted.note_lacking(conn, lacking, at=scan.event_time)
        return _refuse_shortage(order, blocked, context)
    closes = _closes(order, wanted)
    off = _off_target(conn, order, drawn) if closes else []
    stop = judge(drawn, off) if judge is not None else None
    if stop is not None:
        return stop
    today = context.today
    request = _request(conn, order, wanted, drawn, facts, off, context, closes=closes)
    plan = plan_report(
        order,
        drawn.draws,
        drawn.lines,
        drawn.left_micro,
        read_shortfalls(
            conn,
            [each.line.line_id for each in watched] + [each.line.line_id for each in off],
            today=today,
            event_time=scan.event_time,
            usable_from=usable_from(today, clock_in_doubt=context.session.clock_in_doubt),
        ),
        request,
    )
    report_seq = reports.write_report(conn, order, plan, scan, context.head, rules=rules)
    if rules.is_shadow and (found := backflush.uncounted_keys(drawn.draws)):
        uncounted.note_lacking(conn, found, at=scan.event_time)
    if request.hand_issues:
        hand_issues.take_in(conn, order.work_order_id, report_seq, request.hand_issues)
    if request.outputs and (ahead := ahead_after(request.outputs, order, wanted.good_micro)):
        reports.set_ahead(conn, order.work_order_id, ahead)
    return Answer(plan.outcome, _session_after(order, plan.order_status, context), report_seq)


def draws_of(
    conn: Connection,
    order: OrderFacts,
    wanted: Wanted,
    context: Context,
    facts: list[operations.OperationFacts],
) -> Drawn:
    """Return the lines and what each would draw for what is wanted."""
    event_time = context.scan.event_time
    usable = usable_from(context.today, clock_in_doubt=context.session.clock_in_doubt)
    lines = read_lines(
        conn,
        order.work_order_id,
        shortage_policy=context.rules.shortage_policy,
        event_time=event_time,
        usable_from=usable,
    )
    made = order.good_micro + order.scrapped_micro
    before = operations.reported(facts, made)
    gained: list[operations.Gain] = []
    if facts and wanted.kind != "short_close":
        position = wanted.position or facts[-1].position
        passed = wanted.good_micro + wanted.passed_micro
        gained = operations.gains(facts, position, passed, wanted.scrapped_micro)
    made += wanted.good_micro + wanted.scrapped_micro
    due = operations.reported(operations.after(facts, gained) if gained else facts, made)
    needed = backflush.dues(lines, due)
    draws, left = _draw(conn, order, needed, wanted.units_micro, usable, context)
    if wanted.seated or wanted.empty:
        fills = [fill for fill, _ in wanted.seated]
        draws = backflush.in_line_order(lines, draws + slot_draws(lines, fills, wanted.empty))
        left |= {fill.source.balance_id: fill.source.quantity_micro - MICRO for fill in fills}
    return Drawn(lines, draws, left, gained, before, due)


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


def refuse_step(order: OrderFacts, context: Context) -> Answer:
    """Return the refusal of a quantity that is no multiple of the product's step."""
    return refused(
        order,
        context,
        "not_a_step",
        f"{order.item} is counted in steps of {format_quantity(order.step_micro)}",
        "Scan QTY with a whole number of steps",
    )


def _request(
    conn: Connection,
    order: OrderFacts,
    wanted: Wanted,
    drawn: Drawn,
    facts: list[operations.OperationFacts],
    off: list[OffTarget],
    context: Context,
    *,
    closes: bool,
) -> ReportRequest:
    own_life = order.shelf_life_days
    by_hand: list[Waiting] = []
    if order.has_hand_issues and wanted.kind != "short_close":
        waiting = hand_issues.waiting_of(conn, order.work_order_id)
        by_hand = share(waiting, drawn.lines, drawn.due, closes=closes)
    return ReportRequest(
        scan=context.scan,
        code=context.code,
        wanted=wanted,
        gains=drawn.gains,
        before=drawn.before,
        due=drawn.due,
        operation=next((one.operation for one in facts if one.position == wanted.position), None),
        outputs=read_outputs(conn, order) if wanted.good_micro else [],
        today=context.today,
        off_target=off,
        hand_issues=by_hand,
        closes=closes,
        person=context.badge,
        station=context.rules.station,
        master_data_version=str(context.session.master_data_version),
        expires_on=None if own_life is None else day_plus(context.today, own_life),
        inherits=_inherited(conn, order, by_hand),
    )


def _closes(order: OrderFacts, wanted: Wanted) -> bool:
    ended = wanted.good_micro + (0 if order.replace_scrap else wanted.scrapped_micro)
    return wanted.kind == "short_close" or (ended > 0 and remaining_micro(order) <= ended)


def _off_target(conn: Connection, order: OrderFacts, drawn: Drawn) -> list[OffTarget]:
    """Return what the order took more or less of than it should; extra parts are read only where an
    item limits them."""
    judged = [line for line in drawn.lines if is_judged(line)]
    if not judged:
        return []
    limited = any(line.over_pct_micro is not None for line in judged)
    extra = hand_issues.extra_parts(conn, order.work_order_id) if limited else {}
    return off_target(judged, drawn.draws, drawn.due, extra)


def _inherited(conn: Connection, order: OrderFacts, by_hand: list[Waiting]) -> list[str]:
    """Return the expiry of what no line draws now, and is in the units all the same (BF-39)."""
    if not order.inherit_expiry or not by_hand:
        return []
    return reports.read_expiries(conn, [each.lot_id for each in by_hand])


def _draw(
    conn: Connection,
    order: OrderFacts,
    needed: list[backflush.Due],
    units_micro: int,
    usable: str,
    context: Context,
) -> tuple[list[backflush.Draw], dict[int, int]]:
    """Return what the lines draw, and what is left of each balance. Only pools whose first balance
    is too small are read whole, substitutes only where something is missing."""
    event_time = context.scan.event_time
    substitutes = read_substitutes(conn, order)
    mounted: dict[backflush.PoolKey, list[Source]] = {}
    allowances: dict[int, int] = {}
    if context.session.anything_mounted:
        mounted = read_mounted(conn, event_time=event_time, usable_from=usable)
    pools, to_read = backflush.first_pools(needed, mounted)
    standing = sourcing.mounted_keys(needed, substitutes)
    to_read |= standing
    if to_read:
        pools |= read_pools(conn, to_read, mounted, event_time=event_time, usable_from=usable)
    if standing or (mounted and backflush.runs_out(needed, mounted)):
        pct = context.rules.lot_overrun_pct_micro
        fillings = mount_spans.read_overruns(conn, station_pct_micro=pct)
        allowances = {balance: allowance_micro(filling) for balance, filling in fillings.items()}
    stock = backflush.Stock(pools, allowances)
    if mounted or substitutes:
        draws = sourcing.draw(needed, stock, substitutes, units_micro=units_micro)
    else:
        draws = backflush.draw(needed, stock)
    if context.rules.is_shadow and (short := backflush.short_keys(draws)):
        draws = backflush.found_uncounted(draws, uncounted.read_uncounted(conn, short))
    if substitutes and (keys := sourcing.automatic_keys(draws, substitutes)):
        found = read_pools(conn, keys, mounted, event_time=event_time, usable_from=usable)
        stock.add({key: found[key] for key in keys if key in found})
        draws = sourcing.add_substitutes(draws, stock, substitutes, units_micro=units_micro)
    return draws, stock.left_micro


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
        if missing and each.line.shortage_policy == "block" and each.line.tracking != "serial":
            return each
    return None


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
    if session.pending_verb == AWAITS_SERIAL:
        session = changed(session, pending_verb=None, pending_argument=None)
    return changed(
        session,
        work_order_id=current,
        unit_id=None,
        next_unit=False,
        confirm_reason=None,
        confirm_code=None,
        confirm_until=None,
    )

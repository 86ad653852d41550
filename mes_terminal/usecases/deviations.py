"""The deviations that a report of an order may meet (BF-24), and the way to post it with them."""

from msgspec.structs import replace

from mes_terminal.domain import operations
from mes_terminal.domain.consumption import OffTarget
from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.order import OrderFacts, allowed_micro, remaining_micro
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.policy import STRICTEST_LAST, Deviation, Situation
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import Wanted
from mes_terminal.domain.run_time import least_run_s
from mes_terminal.domain.slots import Filled
from mes_terminal.store import policy
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import read_operations
from mes_terminal.store.policy import LetPassPart
from mes_terminal.usecases.apply_policy import (
    accepted,
    blocked,
    lasting,
    of_order,
    reason_given,
    stopped,
)
from mes_terminal.usecases.barred_lots import bar_unused, deviations_of_barred, let_use_barred
from mes_terminal.usecases.context import Answer, Context
from mes_terminal.usecases.post_report import Drawn, post_report, refused
from mes_terminal.usecases.stand_ins import approve_stand_ins, stand_ins_by_permit
from mes_terminal.usecases.start_order import refuse_status


def over_completion(
    conn: Connection, order: OrderFacts, quantity_micro: int, context: Context
) -> list[Deviation]:
    """Return the deviation of more than the order and its tolerance; none within it (BF-25)."""
    allowed = allowed_micro(order, context.rules.over_completion_pct_micro)
    if quantity_micro <= allowed:
        return []
    return [
        Deviation(
            situation="over_completion",
            item=order.item,
            item_class=policy.class_of_item(conn, order.item),
            quantity=format_quantity(quantity_micro - max(0, allowed)),
            said=f"{order.work_order} has {format_quantity(remaining_micro(order))} {order.uom} "
            f"left, not {format_quantity(quantity_micro)}",
            hint="Check the quantity, or call a supervisor",
        )
    ]


def over_at_operation(
    conn: Connection, order: OrderFacts, operation: str, quantity_micro: int, allowed_micro: int
) -> list[Deviation]:
    """Return the deviation of more units at an operation than the order is for, with its tolerance:
    no exception, as the completion will tell."""
    return [
        Deviation(
            situation="over_completion",
            item=order.item,
            item_class=policy.class_of_item(conn, order.item),
            quantity=format_quantity(quantity_micro - allowed_micro),
            said=f"{order.work_order} has {format_quantity(allowed_micro)} {order.uom} left at "
            f"operation {operation}, not {format_quantity(quantity_micro)}",
            hint="Check the quantity, or call a supervisor",
        )
    ]


def implausible_close(
    conn: Connection, order: OrderFacts, quantity_micro: int, context: Context
) -> list[Deviation]:
    """Return the deviation of closing an order that cannot be done yet by its run times.

    It was never started here, or what remains needs more run time than has passed since. Without
    run times nothing can be said.
    """
    if not context.rules.policy.asks("implausible_close") or not order.has_operations:
        return []
    if quantity_micro < remaining_micro(order):
        return []
    facts = read_operations(conn, order)
    gained = operations.gains(facts, facts[-1].position, quantity_micro, 0)
    units = {gain.position: gain.good_micro for gain in gained}
    needed_s = least_run_s(policy.run_times(conn, order.work_order_id, units))
    if not needed_s:
        return []
    said = f"{order.work_order} was never started here"
    since = policy.read_started(conn, order.work_order_id)
    known = [at for at in (since.activated_at, since.first_report_at) if at is not None]
    if order.status != "released" and known:
        passed_s = seconds_between(min(known), context.scan.event_time)
        if passed_s >= needed_s:
            return []
        said = (
            f"What is left of {order.work_order} takes {_minutes(needed_s)} min, and "
            f"{_minutes(passed_s)} have passed"
        )
    return [
        Deviation(
            situation="implausible_close",
            item=order.item,
            item_class=policy.class_of_item(conn, order.item),
            quantity=format_quantity(quantity_micro),
            said=said,
            hint="Check the order, or call a supervisor",
        )
    ]


def reopening(conn: Connection, order: OrderFacts) -> list[Deviation]:
    """Return the deviation of a report on a closed order; none on any other."""
    if order.status != "closed":
        return []
    return [
        Deviation(
            situation="reopen",
            item=order.item,
            item_class=policy.class_of_item(conn, order.item),
            said=f"{order.work_order} is closed",
            hint="Take the next order",
        )
    ]


def sized(met: list[Deviation], quantity_micro: int) -> list[Deviation]:
    """Return the deviations with the quantity that lies in them where they say none."""
    text = format_quantity(quantity_micro)
    return [each if each.quantity is not None else replace(each, quantity=text) for each in met]


def refuse_order(order: OrderFacts, reopens: list[Deviation], context: Context) -> Answer | None:
    """Return the refusal of a report on an order that is not open; `None` if it is, or if the
    control matrix does not block that it is opened again."""
    if reopens:
        return blocked(reopens, context, **of_order(order))
    return refuse_status(order, context)


def serial_missing(
    conn: Connection, order: OrderFacts, lacking: list[tuple[str, int]]
) -> list[Deviation]:
    """Return a deviation for each component that units lack a serial of (BF-18)."""
    words = [
        f"{count} {'unit lacks' if count == 1 else 'units lack'} {item}" for item, count in lacking
    ]
    return [
        Deviation(
            situation="serial_missing",
            item=item,
            item_class=policy.class_of_item(conn, item),
            quantity=str(count),
            said=f"{order.work_order}: {', '.join(words)}",
            hint="Scan each unit, then the serials of its components",
        )
        for item, count in lacking
    ]


def post_controlled(
    conn: Connection,
    order: OrderFacts,
    wanted: Wanted,
    context: Context,
    met: list[Deviation] | None = None,
) -> Answer:
    """Post a report that met these deviations, unless the matrix stops it; what lies in its draws
    is looked for here: shortages, consumption off its target, lots that are held or expired."""
    rejected = next((fill for fill, _ in wanted.seated if fill.is_rejected), None)
    if rejected is not None and wanted.kind != "scrap":
        return _refuse_rejected(order, rejected.source.lot, context)
    found = [*(met or []), *_in_slots(conn, order, wanted)]
    barred = let_use_barred(conn, order, context)
    stand_ins: dict[str, Deviation] = {}

    def judge(drawn: Drawn, off: list[OffTarget]) -> Answer | None:
        found.extend(_shortage(conn, drawn, context))
        found.extend(_consumption(conn, off))
        found.extend(deviations_of_barred(barred, drawn))
        stand_ins.update(stand_ins_by_permit(conn, drawn))
        found.extend(stand_ins.values())
        return stopped(conn, found, context, **of_order(order))

    if context.consents:
        wanted = replace(wanted, reason=wanted.reason or reason_given(context))
    posted = post_report(conn, order, wanted, context, judge)
    is_posted = posted.outcome.outcome == "completed"
    stay = lasting(conn, found, order.work_order, context) if is_posted and found else []
    bar_unused(conn, barred, stay)
    if not is_posted:
        return posted
    approve_stand_ins(conn, stand_ins, stay)
    accepted(conn, found, posted, order.work_order, context)
    for each in found:
        if each.situation == "over_completion" and wanted.good_micro:
            return _with_exception(conn, order, wanted, each, posted, context)
    return posted


def _refuse_rejected(order: OrderFacts, serial: str, context: Context) -> Answer:
    said = f"{serial}, which was scanned for {order.work_order}, is rejected. Nothing was booked"
    hint = "Scan the unit, then CANCEL, and fill its slots again"
    return refused(order, context, "lot_on_hold", said, hint)


def _in_slots(conn: Connection, order: OrderFacts, wanted: Wanted) -> list[Deviation]:
    """Return what is wrong with serials that were scanned when nothing was; a scrapped unit may
    hold anything."""
    met: list[Deviation] = []
    for fill, _ in wanted.seated if wanted.kind != "scrap" else ():
        source = fill.source
        if source.is_held and not fill.may_be_held:
            met.append(_of_serial(conn, order, fill, "lot_on_hold", "is on hold"))
        if source.is_expired and not fill.may_expire:
            said = f"expired on {source.expires_on}"
            met.append(_of_serial(conn, order, fill, "lot_expired", said))
    return met


def _of_serial(
    conn: Connection, order: OrderFacts, fill: Filled, situation: Situation, what: str
) -> Deviation:
    item, item_class = policy.item_of_lot(conn, fill.source.lot_id)
    return Deviation(
        situation=situation,
        item=item,
        item_class=item_class,
        lot=fill.source.lot,
        quantity="1",
        said=f"{fill.source.lot} of {item}, which was scanned for {order.work_order}, {what}",
        hint="Scan the unit, then CANCEL, and fill its slots again",
    )


def _consumption(conn: Connection, off: list[OffTarget]) -> list[Deviation]:
    """Return what the order took more or less of than the tolerance."""
    if not off:
        return []
    classes = policy.item_classes(conn, [each.line.item_id for each in off])
    return [
        Deviation(
            situation="over_consumption" if each.is_over else "under_consumption",
            item=each.line.item,
            item_class=classes[each.line.item_id],
            quantity=format_quantity(each.beyond_micro),
            said=f"{each.line.item}: {format_quantity(each.taken_micro)} {each.line.uom} taken of "
            f"{format_quantity(each.target_micro)}, {'over' if each.is_over else 'under'} its "
            "tolerance",
            hint="RETURN what was not used, or call a supervisor"
            if each.is_over
            else "ISSUE what is missing, or call a supervisor",
        )
        for each in off
    ]


def _shortage(conn: Connection, drawn: Drawn, context: Context) -> list[Deviation]:
    """Return the deviation of the line that is short and taken most strictly.

    The shortage policy stays: what it blocks is refused by the report itself, and an item that may
    go below zero is never short (BF-20). An empty slot is a situation of its own.
    """
    matrix = context.rules.policy
    if not matrix.asks("shortage"):
        return []
    short = [
        each
        for each in drawn.draws
        if (each.net_missing_micro or each.scrap_missing_micro)
        and each.line.shortage_policy != "negative"
        and each.line.tracking != "serial"
    ]
    if not short:
        return []
    classes = policy.item_classes(conn, [each.line.item_id for each in short])
    worst = max(
        short,
        key=lambda each: STRICTEST_LAST.index(
            matrix.level("shortage", classes[each.line.item_id])
        ),
    )  # fmt: skip
    line = worst.line
    missing = format_quantity(worst.net_missing_micro + worst.scrap_missing_micro)
    return [
        Deviation(
            situation="shortage",
            item=line.item,
            item_class=classes[line.item_id],
            quantity=missing,
            said=f"{line.item} is {missing} {line.uom} short at {line.location}",
            hint=f"Bring {line.item} to {line.location} and scan again",
        )
    ]


def _with_exception(
    conn: Connection,
    order: OrderFacts,
    wanted: Wanted,
    over: Deviation,
    posted: Answer,
    context: Context,
) -> Answer:
    """Open the exception of what was made beyond the tolerance: somebody must know why."""
    if posted.event_seq is None:
        return posted
    allowed = allowed_micro(order, context.rules.over_completion_pct_micro)
    part = LetPassPart(
        kind="over_completion",
        work_order_id=order.work_order_id,
        work_order=order.work_order,
        item_id=order.item_id,
        item=order.item,
        quantity_micro=wanted.good_micro - max(0, allowed),
        cause_code="beyond_tolerance",
        cause=reason_given(context) or "beyond_tolerance",
    )
    exception_id = policy.note_let_pass(
        conn, part, opened_at=context.scan.event_time, event_seq=posted.event_seq
    )
    opened = OpenedException(exception_id, "over_completion", None, order.item, over.quantity)
    outcome = replace(posted.outcome, exceptions=[*posted.outcome.exceptions, opened])
    return replace(posted, outcome=outcome)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f}"

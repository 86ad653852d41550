"""The deviations that a report of an order may meet (BF-24), and the way to post it with them."""

from msgspec.structs import replace

from mes_terminal.domain import operations
from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.order import OrderFacts, allowed_micro, remaining_micro
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.policy import STRICTEST_LAST, Deviation
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import Wanted
from mes_terminal.domain.run_time import least_run_s
from mes_terminal.store import policy
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import read_operations
from mes_terminal.usecases.apply_policy import accepted, of_order, reason_given, stopped
from mes_terminal.usecases.context import Answer, Context
from mes_terminal.usecases.post_report import draws_of, post_report


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
    needed_s = least_run_s(policy.run_times(conn, order.work_order_id, gained))
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


def post_controlled(
    conn: Connection,
    order: OrderFacts,
    wanted: Wanted,
    context: Context,
    met: list[Deviation] | None = None,
) -> Answer:
    """Post a report that met these deviations, unless the matrix stops it; a shortage is looked for
    here, where it does not just let it pass."""
    met = [*(met or []), *_shortage(conn, order, wanted, context)]
    stop = stopped(conn, met, context, **of_order(order))
    if stop is not None:
        return stop
    wanted = replace(wanted, reason=wanted.reason or reason_given(context)) if met else wanted
    posted = post_report(conn, order, wanted, context)
    accepted(conn, met, posted, order.work_order, context)
    for each in met:
        if each.situation == "over_completion" and wanted.good_micro:
            return _with_exception(conn, order, wanted, each, posted, context)
    return posted


def _shortage(
    conn: Connection, order: OrderFacts, wanted: Wanted, context: Context
) -> list[Deviation]:
    """Return the deviation of the line that is short and taken most strictly.

    The shortage policy stays: what it blocks is refused by the report itself, and an item that may
    go below zero is never short (BF-20).
    """
    matrix = context.rules.policy
    if not matrix.asks("shortage"):
        return []
    drawn = draws_of(conn, order, wanted, context, read_operations(conn, order))
    short = [each for each in drawn.draws if each.net_missing_micro or each.scrap_missing_micro]
    if any(each.line.shortage_policy == "block" for each in short):
        return []
    short = [each for each in short if each.line.shortage_policy != "negative"]
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
    exception_id = policy.note_over_completion(
        conn,
        work_order_id=order.work_order_id,
        work_order=order.work_order,
        item_id=order.item_id,
        quantity_micro=wanted.good_micro - max(0, allowed),
        opened_at=context.scan.event_time,
        report_seq=posted.event_seq,
        cause=reason_given(context) or "beyond_tolerance",
    )
    opened = OpenedException(exception_id, "over_completion", None, order.item, over.quantity)
    outcome = replace(posted.outcome, exceptions=[*posted.outcome.exceptions, opened])
    return replace(posted, outcome=outcome)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f}"

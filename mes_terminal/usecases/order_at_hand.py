"""Which order material by hand is for, and what its lines still need of it (BF-10)."""

from msgspec import Struct

from mes_terminal.domain import operations
from mes_terminal.domain.order import LineFacts, OrderFacts, net_target_micro, remaining_micro
from mes_terminal.store import materials, mounts, rework
from mes_terminal.store.database import Connection
from mes_terminal.store.order_facts import read_lines, read_operations, usable_from
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.handled import Handled, refused
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.start_order import refuse_status

NEEDED_SHOWN = 3
"""How many needed components a refusal names: one line of the screen."""


class LineNeed(Struct, frozen=True):
    """A line that takes the material, and what it still needs for the whole order."""

    line: LineFacts
    need_micro: int


class OrderAtHand(Struct, frozen=True):
    """The order and those of its lines that take the material: manual ones first, by position."""

    order: OrderFacts
    lines: list[LineNeed]


def order_for(conn: Connection, handled: Handled, context: Context) -> OrderAtHand | Answer:
    """Return the active order if it takes the material, else the started one due first that does;
    or why there is none."""
    current = context.session.work_order_id
    names = materials.orders_taking(conn, handled.material.item_id, current)
    in_rework = _with_rework(conn, handled, names, context)
    if in_rework is not None:
        names = [in_rework]
    if not names:
        return _no_order(conn, handled, context)
    order = order_of(conn, names[0], context)
    refusal = refuse_status(order, context) if in_rework is None else None
    if refusal is not None:
        return refusal
    needs = line_needs(conn, order, handled.material.item_id, context)
    if not needs:
        return refused(
            context,
            "no_effect",
            f"{handled.material.item} is bulk: it is never booked to an order",
            "Use it; nothing needs to be scanned",
            handled=handled,
            work_order=order.work_order,
            order_status=order.status,
        )
    return OrderAtHand(order, needs)


def _with_rework(
    conn: Connection, handled: Handled, names: list[str], context: Context
) -> str | None:
    """Return the order whose rework an extra part is for, open or closed (BF-28): that of the unit
    in rework at hand; where no active order takes the item, one that has something in rework."""
    if handled.verb != "EXTRA":
        return None
    unit_id, item_id = context.session.unit_id, handled.material.item_id
    station = context.rules.station
    if unit_id is not None and rework.is_in_rework(conn, unit_id, station=station):
        return rework.order_of_unit_taking(conn, unit_id, item_id)
    return rework.order_in_rework_taking(conn, item_id) if not names else None


def line_needs(
    conn: Connection, order: OrderFacts, item_id: int, context: Context
) -> list[LineNeed]:
    """Return the order's lines of an item that can be issued, with what each still needs."""
    lines = read_lines(
        conn,
        order.work_order_id,
        shortage_policy=context.rules.shortage_policy,
        event_time=context.scan.event_time,
        usable_from=usable_from(context.today, clock_in_doubt=context.session.clock_in_doubt),
    )
    facts = read_operations(conn, order)
    rest = remaining_micro(order)
    units = order.good_micro + order.scrapped_micro + rest
    if facts:
        gained = operations.gains(facts, facts[-1].position, rest, 0)
        due = operations.reported(operations.after(facts, gained), units)
    else:
        due = operations.reported([], units)
    found = [
        LineNeed(line, max(0, net_target_micro(line, due.of(line)) - line.net_taken_micro))
        for line in lines
        if line.item_id == item_id and line.issue_method != "bulk" and line.net_num
    ]
    return sorted(found, key=lambda need: need.line.issue_method != "manual")


def _no_order(conn: Connection, handled: Handled, context: Context) -> Answer:
    item = handled.material.item
    current = context.session.work_order_id
    if current is None:
        return answer(
            context,
            "needs",
            f"No active order takes {item}: {handled.verb} needs one",
            "Scan START with the order, then the material again, or CANCEL",
            reason="order",
            item=item,
        )
    wanted = mounts.needed_items(conn, current, limit=NEEDED_SHOWN)
    return refused(
        context,
        "wrong_component",
        f"{materials.order_named(conn, current)} takes no {item}",
        f"Scan a lot of {', '.join(wanted)}" if wanted else "Scan an order",
        handled=handled,
        work_order=materials.order_named(conn, current),
    )

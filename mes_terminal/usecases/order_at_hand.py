"""Which order material by hand is for, and what its lines still need of it (BF-10)."""

from msgspec import Struct

from mes_terminal.domain import operations
from mes_terminal.domain.hand_issues import covers_micro
from mes_terminal.domain.order import LineFacts, OrderFacts, net_target_micro, remaining_micro
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.quantity import ceil_to_step
from mes_terminal.store import hand_issues, materials, mounts, rework
from mes_terminal.store.database import Connection
from mes_terminal.store.materials import StandIn
from mes_terminal.store.order_facts import read_lines, read_operations, usable_from
from mes_terminal.usecases.apply_policy import blocked, of_order
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.flagged_lots import deviation_of_material
from mes_terminal.usecases.handled import Handled, refused
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.start_order import refuse_status

NEEDED_SHOWN = 3
"""How many needed components a refusal names: one line of the screen."""


class LineNeed(Struct, frozen=True):
    """A line that takes the material, and what it still needs for the whole order."""

    line: LineFacts
    need_micro: int
    """In units of its component."""
    stand_in: StandIn | None = None
    """How the material counts for it; `None`: it is the component itself."""
    had_micro: int = 0
    """What the line had of a substitute by hand, in units of the substitute."""

    def covers_micro(self, quantity_micro: int) -> int:
        """Return what so much more of the material counts for, in units of the component."""
        if self.stand_in is None:
            return quantity_micro
        num, den = self.stand_in.ratio_num, self.stand_in.ratio_den
        before = covers_micro(self.had_micro, self.line, num, den)
        return covers_micro(self.had_micro + quantity_micro, self.line, num, den) - before

    def room_micro(self, step_micro: int) -> int:
        """Return how much of the material the line still needs, in whole steps of it."""
        if self.stand_in is None:
            return self.need_micro
        num, den = self.stand_in.ratio_num, self.stand_in.ratio_den
        through = covers_micro(self.had_micro, self.line, num, den) + self.need_micro
        return max(0, ceil_to_step(through * num, den, step_micro) - self.had_micro)


class OrderAtHand(Struct, frozen=True):
    """The order and those of its lines that take the material: those that need the item itself
    before those it may stand in for, of each the manual ones first, by position."""

    order: OrderFacts
    lines: list[LineNeed]
    met: list[Deviation] = []
    """What the control matrix has still to let pass (BF-24)."""


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
    allowed = [
        need
        for need in needs
        if need.stand_in is None or not need.stand_in.needs_approval or _supervises(context)
    ]
    if allowed:
        return OrderAtHand(order, allowed)
    if not needs:
        return _refuse_bulk(handled, order, context)
    met = [_without_approval(conn, handled, needs[0])]
    return blocked(met, context, **of_order(order)) or OrderAtHand(order, needs, met)


def _supervises(context: Context) -> bool:
    return context.person is not None and context.person.supervises


def _without_approval(conn: Connection, handled: Handled, need: LineNeed) -> Deviation:
    """A substitute that a supervisor must scan, as for mounting (BF-24, BF-29)."""
    item, component = handled.material.item, need.line.item
    return deviation_of_material(
        conn,
        handled.material,
        "substitute",
        f"{item} may stand in for {component} by a supervisor's scan only",
        f"Take {component}, or let a supervisor scan {handled.name}",
    )


def _refuse_bulk(handled: Handled, order: OrderFacts, context: Context) -> Answer:
    return refused(
        context,
        "no_effect",
        f"{handled.material.item} is bulk: it is never booked to an order",
        "Use it; nothing needs to be scanned",
        material=handled.material,
        order=order,
    )


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
    """Return the order's lines that an item can be issued to, with what each still needs."""
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
    standing = materials.stand_ins(conn, order.work_order_id, item_id)
    had = hand_issues.had_by_hand(conn, order.work_order_id, item_id) if standing else {}
    found = [
        LineNeed(
            line,
            max(0, net_target_micro(line, due.of(line)) - line.net_taken_micro),
            None if line.item_id == item_id else standing[line.line_id],
            had.get(line.line_id, (0, 0))[0],
        )
        for line in lines
        if (line.item_id == item_id or line.line_id in standing)
        and line.issue_method != "bulk"
        and line.net_num
    ]
    return sorted(
        found, key=lambda need: (need.stand_in is not None, need.line.issue_method != "manual")
    )


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
        material=handled.material,
        work_order=materials.order_named(conn, current),
    )

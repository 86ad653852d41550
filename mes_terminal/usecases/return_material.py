"""Material comes back from an order: what was issued by hand and not used (BF-10).

A return reduces the class it came from, the one issued last first: planned for a line, or extra. It
goes to the line's supply location, whatever the lot's status or expiry (BF-16). First comes back
what waits, then what reports took in, the latest first: their units are no longer made of it
(BF-37). From an order that is closed or cancelled comes back what its units need not be made of:
extra parts, and what a line had beyond what they take.
"""

import sys
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.hand_issues import covers_micro, edges_given_up, given_up
from mes_terminal.domain.operations import Reported, reported
from mes_terminal.domain.order import LineFacts, OrderFacts, net_target_micro
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.posting import EdgeRow, MovementRow
from mes_terminal.domain.quantity import ceil_to_step, format_quantity
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store import hand_issues, materials
from mes_terminal.store.balances import add_stock, note_arrival
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.hand_issues import HandIssue
from mes_terminal.store.heal_queue import queue_healing
from mes_terminal.store.order_facts import read_lines, read_operations, usable_from
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.handled import Handled, refused
from mes_terminal.usecases.material_event import actual_of, certainty_of, material_event
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.start_order import refuse_status

ENDED: Final = ("closed", "cancelled")
ORDERS_TRIED: Final = 8
"""How many orders that have ended are asked for something to come back: the latest."""


class Back(Struct, frozen=True):
    """Part of a return: for a line (`None`: it was extra), to where its item is supplied."""

    line: LineFacts | None
    place: LineFacts
    reason: str | None
    quantity_micro: int
    covers_micro: int
    """What it counted for, in units of the line's component (BF-29)."""


class Had(Struct, frozen=True):
    """What of the material may come back of one class: planned for a line, or extra."""

    line: LineFacts | None
    place: LineFacts
    reason: str | None
    limit_micro: int
    in_all_micro: int = 0
    """What the line had of the item by hand, whatever its lot."""
    covers_micro: int = 0
    """What that counts for, in units of the line's component."""
    ratio: tuple[int, int] = (1, 1)
    """Units of the item for one unit of the component, as a fraction."""

    def back(self, quantity_micro: int) -> Back:
        """Return the part of a return that reduces this class by so much."""
        covers = 0
        if self.line is not None:
            left = covers_micro(self.in_all_micro - quantity_micro, self.line, *self.ratio)
            covers = self.covers_micro - min(self.covers_micro, left)
        return Back(self.line, self.place, self.reason, quantity_micro, covers)


class Origin(Struct, frozen=True):
    """The order that material comes back from, and what of it may."""

    order: OrderFacts
    classes: list[Had]

    @property
    def there_micro(self) -> int:
        """How much may come back."""
        return sum(each.limit_micro for each in self.classes)


def give_back(conn: Connection, handled: Handled, context: Context) -> Answer:
    """Return a quantity from the order that has it by hand."""
    origin = _origin(conn, handled, context)
    if isinstance(origin, Answer):
        return origin
    order = origin.order
    quantity = handled.quantity_micro
    if quantity is None:
        return answer(
            context,
            "needs",
            f"RETURN needs to know how much of {handled.name} comes back",
            "Scan QTY with a number, then the material again, or CANCEL",
            reason="quantity",
            work_order=order.work_order,
            order_status=order.status,
            item=handled.material.item,
            lot=handled.material.lot,
        )
    if quantity > origin.there_micro:
        return _refuse_more(handled, origin, quantity, context)
    return _book(conn, handled, order, _parts(origin.classes, quantity), context)


def _refuse_more(handled: Handled, origin: Origin, quantity: int, context: Context) -> Answer:
    order, there = origin.order, format_quantity(origin.there_micro)
    if order.status in ENDED:
        said = (
            f"{order.work_order} is {order.status}: {there} {handled.material.uom} of "
            f"{handled.name} may come back, not {format_quantity(quantity)}"
        )
    else:
        said = (
            f"{order.work_order} has {there} {handled.material.uom} of {handled.name} by hand, "
            f"not {format_quantity(quantity)}"
        )
    return refused(
        context,
        "over_tolerance",
        said,
        "Scan QTY with less, then RETURN again",
        material=handled.material,
        order=order,
    )


def _origin(conn: Connection, handled: Handled, context: Context) -> Origin | Answer:
    """Return the active order if it has the material by hand, else the one that has; of orders that
    have ended the first of which something may come back."""
    names = hand_issues.orders_with(
        conn,
        handled.material.lot_id,
        handled.container_id,
        context.session.work_order_id,
        limit=ORDERS_TRIED,
    )
    found = [order_of(conn, name, context) for name in names]
    for order in found:
        if order.status not in ENDED:
            refusal = refuse_status(order, context)
            return refusal or Origin(order, _classes(conn, handled, order, context))
        origin = Origin(order, _classes(conn, handled, order, context))
        if origin.there_micro:
            return origin
    if not found:
        return refused(
            context,
            "wrong_component",
            f"No order has {handled.material.item} {handled.name} by hand",
            "Scan what was issued by hand; MOVE changes where stock lies",
            material=handled.material,
        )
    order = found[0]
    return refused(
        context,
        f"order_{order.status}",
        f"{order.work_order} is {order.status}: its units are made of all it had of {handled.name}",
        "Leave it with the units; MOVE changes where stock lies",
        material=handled.material,
        order=order,
    )


def _lines(conn: Connection, order: OrderFacts, context: Context) -> list[LineFacts]:
    return read_lines(
        conn,
        order.work_order_id,
        shortage_policy=context.rules.shortage_policy,
        event_time=context.scan.event_time,
        usable_from=usable_from(context.today, clock_in_doubt=context.session.clock_in_doubt),
    )


def _classes(conn: Connection, handled: Handled, order: OrderFacts, context: Context) -> list[Had]:
    """Return what the order has of the material, the class issued last first."""
    material = handled.material
    lines = _lines(conn, order, context)
    by_id = {line.line_id: line for line in lines}
    standing = materials.stand_ins(conn, order.work_order_id, material.item_id)
    had = hand_issues.had_by_hand(conn, order.work_order_id, material.item_id)
    due = _due(conn, order) if order.status in ENDED else None
    found: list[Had] = []
    for each in hand_issues.returnable(
        conn, order.work_order_id, material.lot_id, handled.container_id
    ):
        if each.line_id is None:
            place = next((one for one in lines if one.line_id in standing), lines[0])
            place = next((one for one in lines if one.item_id == material.item_id), place)
            found.append(Had(None, place, each.reason, each.quantity_micro))
            continue
        line, in_all, covers = by_id[each.line_id], *had[each.line_id]
        ratio = (1, 1)
        if line.item_id != material.item_id:
            stand_in = standing.get(line.line_id)
            ratio = (stand_in.ratio_num, stand_in.ratio_den) if stand_in else (in_all, covers or 1)
        limit = each.quantity_micro
        if due is not None:
            kept = max(0, covers - _spare_micro(line, due)) * ratio[0]
            limit = max(0, min(limit, in_all - ceil_to_step(kept, ratio[1], material.step_micro)))
        found.append(Had(line, line, each.reason, limit, in_all, covers, ratio))
    return found


def _spare_micro(line: LineFacts, due: Reported) -> int:
    """Return what the line of an order that has ended had beyond what its units took; of a line
    that went meanwhile (BF-7) nobody knows."""
    if not line.net_num:
        return 0
    return max(0, line.net_taken_micro - net_target_micro(line, due.of(line)))


def _due(conn: Connection, order: OrderFacts) -> Reported:
    """Return what the lines of an order that has ended were due for."""
    return reported(read_operations(conn, order), order.good_micro + order.scrapped_micro)


def _parts(classes: list[Had], quantity: int) -> list[Back]:
    parts: list[Back] = []
    for each in classes:
        part = min(each.limit_micro, quantity)
        quantity -= part
        if part:
            parts.append(each.back(part))
    return parts


def _book(
    conn: Connection, handled: Handled, order: OrderFacts, parts: list[Back], context: Context
) -> Answer:
    """Book it, an event for what waited and one for each report that gives something up."""
    by_report: dict[int | None, list[Back]] = {}
    for each in parts:
        line_id = each.line.line_id if each.line else None
        lies = hand_issues.lies_of(conn, order.work_order_id, line_id, handled.material.lot_id)
        for part in given_up(lies, each.quantity_micro, each.covers_micro):
            back = replace(each, quantity_micro=part.quantity_micro, covers_micro=part.covers_micro)
            by_report.setdefault(part.report_seq, []).append(back)
    event_seq = 0
    for report_seq in sorted(by_report, key=lambda seq: -(seq or sys.maxsize)):
        event_seq = _book_one(conn, handled, order, by_report[report_seq], report_seq, context)
    return _told(handled, order, parts, event_seq, context)


def _book_one(
    conn: Connection,
    handled: Handled,
    order: OrderFacts,
    parts: list[Back],
    report_seq: int | None,
    context: Context,
) -> int:
    """Book what comes back from one report (`None`: what waited); return the event's sequence."""
    material, container_id = handled.material, handled.container_id
    actuals = [
        actual_of("Consumed", material, -each.quantity_micro, each.place.location, each.line)
        for each in parts
    ]
    draft = material_event(
        "material.issued",
        material,
        actuals,
        [_movement(handled, order, each) for each in parts],
        context,
        work_order=order.work_order,
    )
    if report_seq is not None:
        edges = [row for each in parts for row in _edges(conn, material.lot_id, each, report_seq)]
        draft = replace(draft, edges=edges)
    event_seq = append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)
    if report_seq is not None:
        hand_issues.note_return(conn, event_seq, report_seq)
    at = context.scan.event_time
    for each in parts:
        location_id = each.place.location_id
        add_stock(
            conn, [StockIn(material.lot_id, location_id, each.quantity_micro, at, container_id)]
        )
        note_arrival(conn, material.item_id, location_id, material.lot_id)
        queue_healing(conn, material.item_id, location_id, event_seq)
        if each.line is not None:
            materials.change_line(conn, each.line.line_id, issued_micro=-each.covers_micro)
    issues = [_issue(handled, each, report_seq) for each in parts]
    hand_issues.write(conn, order.work_order_id, issues, event_seq)
    return event_seq


def _edges(conn: Connection, lot_id: int, back: Back, report_seq: int) -> list[EdgeRow]:
    line_id = back.line.line_id if back.line else 0
    products = hand_issues.contains(conn, report_seq, lot_id, line_id)
    return edges_given_up(products, lot_id, line_id, back.quantity_micro)


def _issue(handled: Handled, back: Back, report_seq: int | None) -> HandIssue:
    return HandIssue(
        line_id=back.line.line_id if back.line else None,
        item_id=handled.material.item_id,
        lot_id=handled.material.lot_id,
        container_id=handled.container_id,
        quantity_micro=-back.quantity_micro,
        covers_micro=-back.covers_micro,
        reason=back.reason,
        report_seq=report_seq,
    )


def _movement(handled: Handled, order: OrderFacts, back: Back) -> MovementRow:
    line_id = back.line.line_id if back.line else None
    return (line_id, handled.material.lot_id, handled.container_id, order.production_id,
            back.place.location_id, back.quantity_micro, "reversal", None)  # fmt: skip


def _told(
    handled: Handled, order: OrderFacts, parts: list[Back], event_seq: int, context: Context
) -> Answer:
    material = handled.material
    back = sum(each.quantity_micro for each in parts)
    named = "" if handled.name == material.item else f" {handled.name}"
    return answer(
        context,
        "recorded",
        f"{format_quantity(back)} {material.uom} of {material.item}{named} back from "
        f"{order.work_order}",
        "Scan a unit or an order",
        work_order=order.work_order,
        order_status=order.status,
        item=material.item,
        quantity=format_quantity(-back),
        lot=material.lot,
        serial=material.serial,
        consumed=[
            Consumed(
                each.line.line if each.line else None, material.item, material.lot,
                material.serial, each.place.location, format_quantity(-each.quantity_micro),
                material.uom, certainty_of(material),
            )
            for each in parts
        ],
        event_seq=event_seq,
    )  # fmt: skip

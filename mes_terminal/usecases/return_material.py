"""Material comes back from an order: what was issued by hand and not used (BF-10).

A return reduces the class it came from, the one issued last first: planned for a line, or extra. It
goes to the line's supply location, whatever the lot's status or expiry (BF-16).
"""

from msgspec import Struct

from mes_terminal.domain.order import LineFacts, OrderFacts
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.posting import MovementRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store import hand_issues, materials
from mes_terminal.store.balances import add_stock, note_arrival
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.hand_issues import HandIssue, Returnable
from mes_terminal.store.heal_queue import queue_healing
from mes_terminal.store.order_facts import read_lines, usable_from
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.handled import Handled, refused
from mes_terminal.usecases.material_event import actual_of, certainty_of, material_event
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.start_order import refuse_status


class Back(Struct, frozen=True):
    """Part of a return: for a line (`None`: it was extra), to where its item is supplied."""

    line: LineFacts | None
    place: LineFacts
    reason: str | None
    quantity_micro: int


def give_back(conn: Connection, handled: Handled, context: Context) -> Answer:
    """Return a quantity from the order that has it by hand."""
    order = _order(conn, handled, context)
    if isinstance(order, Answer):
        return order
    refusal = refuse_status(order, context)
    if refusal is not None:
        return refusal
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
    classes = hand_issues.returnable(
        conn, order.work_order_id, handled.material.lot_id, handled.container_id
    )
    there = sum(each.quantity_micro for each in classes)
    if quantity > there:
        return refused(
            context,
            "over_tolerance",
            f"{order.work_order} has {format_quantity(there)} {handled.material.uom} of "
            f"{handled.name} by hand, not {format_quantity(quantity)}",
            "Scan QTY with less, then RETURN again",
            handled=handled,
            work_order=order.work_order,
            order_status=order.status,
        )
    lines = _lines(conn, order, context)
    parts = _parts(classes, lines, handled.material.item_id, quantity)
    return _book(conn, handled, order, parts, context)


def _order(conn: Connection, handled: Handled, context: Context) -> OrderFacts | Answer:
    """Return the active order if it has the material by hand, else the one that has."""
    names = hand_issues.orders_with(
        conn, handled.material.lot_id, handled.container_id, context.session.work_order_id
    )
    if not names:
        return refused(
            context,
            "wrong_component",
            f"No order has {handled.material.item} {handled.name} by hand",
            "Scan what was issued by hand; MOVE changes where stock lies",
            handled=handled,
        )
    return order_of(conn, names[0], context)


def _lines(conn: Connection, order: OrderFacts, context: Context) -> list[LineFacts]:
    return read_lines(
        conn,
        order.work_order_id,
        shortage_policy=context.rules.shortage_policy,
        event_time=context.scan.event_time,
        usable_from=usable_from(context.today, clock_in_doubt=context.session.clock_in_doubt),
    )


def _parts(
    classes: list[Returnable], lines: list[LineFacts], item_id: int, quantity: int
) -> list[Back]:
    parts: list[Back] = []
    by_id = {line.line_id: line for line in lines}
    for each in classes:
        part = min(each.quantity_micro, quantity)
        quantity -= part
        if part:
            line = by_id[each.line_id] if each.line_id is not None else None
            place = line or next(line for line in lines if line.item_id == item_id)
            parts.append(Back(line, place, each.reason, part))
    return parts


def _book(
    conn: Connection, handled: Handled, order: OrderFacts, parts: list[Back], context: Context
) -> Answer:
    material, container_id = handled.material, handled.container_id
    movements = [_movement(handled, order, each) for each in parts]
    actuals = [
        actual_of("Consumed", material, -each.quantity_micro, each.place.location, each.line)
        for each in parts
    ]
    event_seq = append_event(
        conn,
        material_event(
            "material.issued",
            material,
            actuals,
            movements,
            context,
            work_order=order.work_order,
        ),
        context.head,
        context.scan,
        rules=context.rules,
    )
    at = context.scan.event_time
    for each in parts:
        location_id = each.place.location_id
        add_stock(
            conn, [StockIn(material.lot_id, location_id, each.quantity_micro, at, container_id)]
        )
        note_arrival(conn, material.item_id, location_id, material.lot_id)
        queue_healing(conn, material.item_id, location_id, event_seq)
        if each.line is not None:
            materials.change_line(conn, each.line.line_id, issued_micro=-each.quantity_micro)
    hand_issues.write(
        conn,
        order.work_order_id,
        [
            HandIssue(
                line_id=each.line.line_id if each.line else None,
                item_id=material.item_id,
                lot_id=material.lot_id,
                container_id=container_id,
                quantity_micro=-each.quantity_micro,
                reason=each.reason,
            )
            for each in parts
        ],
        event_seq,
    )
    return _told(handled, order, parts, event_seq, context)


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

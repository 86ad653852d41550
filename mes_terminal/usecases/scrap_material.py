"""A component is scrapped: `%SCRAP reason`, then its container, lot, serial or item (BF-27).

It moves to the scrap location, against the line of an active order if one takes the item. It uses
the line's planned-scrap allowance first: what was reported counts as taken, so reports post only
the planned scrap beyond it, and a line's scrap is the larger of the two, never the sum.
"""

from msgspec.structs import replace

from mes_terminal.domain.intent import Scrap
from mes_terminal.domain.order import LineFacts, OrderFacts
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.posting import MovementRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import materials
from mes_terminal.store.balances import note_arrival
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.materials import Held, Place, Taken
from mes_terminal.store.order_facts import read_order
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.handled import Handled, done, handled_by, in_slot, refused, split
from mes_terminal.usecases.material_event import actual_of, certainty_of, material_event
from mes_terminal.usecases.order_at_hand import LineNeed, line_needs

OPEN = ("released", "started")


def scrap_material(conn: Connection, intent: Scrap, context: Context) -> Answer:
    """Move the material to scrap, whatever its status or expiry (BF-16)."""
    handled = handled_by(conn, "SCRAP", intent.what, context)
    if isinstance(handled, Answer):
        return done(handled)
    return done(in_slot(conn, handled, context) or _scrap(conn, handled, intent, context))


def _scrap(conn: Connection, handled: Handled, intent: Scrap, context: Context) -> Answer:
    quantity = handled.quantity_micro
    if quantity is None:
        return answer(
            context,
            "needs",
            f"SCRAP needs to know how much of {handled.name}",
            "Scan QTY with a number, then the material again, or CANCEL",
            reason="quantity",
            item=handled.material.item,
            lot=handled.material.lot,
        )
    order, need = _need(conn, handled, context)
    held = _held(conn, handled, need.line if need else None, context)
    parts, missing = split(held, quantity)
    if missing:
        return refused(
            context,
            "shortage_blocked",
            f"{handled.name} of {handled.material.item} has {format_quantity(quantity - missing)} "
            f"of {format_quantity(quantity)} {handled.material.uom} here",
            "Scan QTY with less, then SCRAP again",
            material=handled.material,
        )
    return _book(conn, handled, order, need, parts, intent.reason_code, context)


def _need(
    conn: Connection, handled: Handled, context: Context
) -> tuple[OrderFacts | None, LineNeed | None]:
    """Return the active order's line that takes the item, else that of the started order due
    first."""
    names = materials.orders_taking(conn, handled.material.item_id, context.session.work_order_id)
    for name in names:
        order = read_order(conn, name, scrap_location=context.rules.scrap_location)
        if order is None or order.status not in OPEN:
            continue
        needs = line_needs(conn, order, handled.material.item_id, context)
        if needs:
            return order, needs[0]
    return None, None


def _held(
    conn: Connection, handled: Handled, line: LineFacts | None, context: Context
) -> list[Held]:
    """Return where it lies: mounted first, then where the line takes it from."""
    held = materials.read_held(
        conn, handled.material.lot_id, handled.container_id, station=context.rules.station
    )
    near = line.location_id if line else 0
    return sorted(
        (each for each in held if each.location_kind != "scrap"),
        key=lambda each: (not each.mounted, each.location_id != near),
    )


def _book(
    conn: Connection,
    handled: Handled,
    order: OrderFacts | None,
    need: LineNeed | None,
    parts: list[Taken],
    reason: str,
    context: Context,
) -> Answer:
    material = handled.material
    line = need.line if need else None
    place = materials.place(conn, context.rules.scrap_location)
    draft = material_event(
        "material.scrapped",
        material,
        [
            actual_of("Scrapped", material, each.quantity_micro, each.held.location, line)
            for each in parts
        ],
        _movements(parts, line, place),
        context,
        work_order=order.work_order if order else None,
        reason=reason,
    )
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    materials.take(conn, parts)
    materials.put(conn, parts, place.location_id)
    note_arrival(conn, material.item_id, place.location_id, material.lot_id)
    if need is not None:
        scrapped = replace(need, had_micro=0).covers_micro(
            sum(each.quantity_micro for each in parts)
        )
        materials.change_line(conn, need.line.line_id, scrapped_micro=scrapped)
    return _told(handled, order, line, parts, place, event_seq, context)


def _told(
    handled: Handled,
    order: OrderFacts | None,
    line: LineFacts | None,
    parts: list[Taken],
    place: Place,
    event_seq: int,
    context: Context,
) -> Answer:
    material = handled.material
    quantity = format_quantity(sum(each.quantity_micro for each in parts))
    named = "" if handled.name == material.item else f" {handled.name}"
    against = f" for {order.work_order}" if order else ""
    return answer(
        context,
        "recorded",
        f"{quantity} {material.uom} of {material.item}{named} scrapped{against}",
        "Scan a unit or an order",
        work_order=order.work_order if order else None,
        order_status=order.status if order else None,
        item=material.item,
        quantity=quantity,
        lot=material.lot,
        serial=material.serial,
        scrapped=[
            Consumed(
                line.line if line else None, material.item, material.lot, material.serial,
                place.location, format_quantity(each.quantity_micro), material.uom,
                certainty_of(material),
            )
            for each in parts
        ],
        event_seq=event_seq,
    )  # fmt: skip


def _movements(parts: list[Taken], line: LineFacts | None, place: Place) -> list[MovementRow]:
    return [
        (line.line_id if line else None, each.held.lot_id, each.held.container_id,
         each.held.location_id, place.location_id, each.quantity_micro, "scrap", None)
        for each in parts
    ]  # fmt: skip

"""Rework: `%REWORK reason`, then a finished unit, or a quantity of what an order made (BF-28).

It goes from finished stock to the station's rework location with its parts in it. A unit sent there
is the one in rework at hand: its components with serials can be exchanged (`exchange_part`).
`%REWORK` alone completes what is there, as its own code does where it has no other meaning.
"""

from mes_terminal.domain.intent import Named, Rework
from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.store import materials, mounts, orders, slots
from mes_terminal.store import rework as rows
from mes_terminal.store.database import Connection
from mes_terminal.store.materials import Held, Place
from mes_terminal.store.mounts import MaterialFacts
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.finish_rework import finish_item, finish_lot, finish_order, finish_unit
from mes_terminal.usecases.handled import done, named, refused, split, which_of
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_rework import in_rework, move_pass, phrase, refuse_held


def rework(conn: Connection, intent: Rework, context: Context) -> Answer:
    """Send what was scanned to rework, or complete it; the command waits no longer, unless it
    asks."""
    return done(
        (None if intent.reason_code else _complete(conn, intent, context))
        or _rule(conn, intent, context)
    )


def _complete(conn: Connection, intent: Rework, context: Context) -> Answer | None:
    """Complete again what was scanned; `None` where the code itself cannot be used."""
    what = intent.what
    said = f"Nothing of {what.key} is in rework"
    match what.kind:
        case "unit":
            unit = orders.read_unit(conn, what.row_id)
            found = finish_unit(conn, what.row_id, unit.lot_id, unit.work_order, context)
            said = f"Unit {what.key} is not in rework"
        case "order":
            order = order_of(conn, what.key, context)
            if order.tracking == "serial":
                return _which(order, "serial", context)
            found = finish_order(conn, order, context)
        case "item":
            found = _which_of_item(conn, what, context) or finish_item(conn, what.item_id, context)
        case "lot" | "container" if what.row_id:
            found = finish_lot(conn, _material(conn, what).lot_id, context)
        case _:
            return None
    hint = "Scan what lies at the rework location, or REWORK with a reason to send something there"
    return found or refused(context, "no_effect", said, hint)


def _rule(conn: Connection, intent: Rework, context: Context) -> Answer:
    what = intent.what
    match what.kind:
        case "unit":
            return _unit(conn, intent, context)
        case "order":
            return _of_order(conn, intent, context)
        case "item":
            return _of_item(conn, intent, context)
        case "lot" | "container" if what.row_id:
            material = _material(conn, what)
            if material.serial is None:
                container_id = what.row_id if what.kind == "container" else 0
                return _of_lot(conn, material, container_id, intent, context)
            return _not_made_here(what.key, context)
        case "component_serial" if what.row_id:
            return _not_made_here(what.key, context)
        case "lot" | "container" | "component_serial":
            reason = "serial_unknown" if what.kind == "component_serial" else "lot_unknown"
            said = f"{what.key} is not in the books"
            return refused(context, reason, said, "Check the label, or call a supervisor")
        case _:
            return answer(
                context,
                "needs",
                f"This is a location. REWORK expects a finished unit or lot, not {what.key}",
                "Scan a finished unit or lot, or CANCEL",
                reason="component",
            )


def _material(conn: Connection, what: Named) -> MaterialFacts:
    container_id = what.row_id if what.kind == "container" else 0
    return mounts.read_material(conn, 0 if container_id else what.row_id, container_id)


def _unit(conn: Connection, intent: Rework, context: Context) -> Answer:
    unit_id, serial = intent.what.row_id, intent.what.key
    unit = orders.read_unit(conn, unit_id)
    order = order_of(conn, unit.work_order, context)
    if unit.made_at is None or unit.lot_id is None:
        said = f"Unit {serial} is not finished yet"
        return refused(context, "no_effect", said, "Scan it to book it", order=order, serial=serial)
    material = mounts.read_material(conn, unit.lot_id, 0)
    held = materials.read_held(conn, unit.lot_id, 0, station=context.rules.station)
    at_hand = changed(context.session, unit_id=unit_id, next_unit=False)
    if in_rework(held):
        ruled = _already(material, order, context)
        return Answer(ruled.outcome, at_hand)
    if not _finished(held, order):
        is_scrap = bool(unit.is_scrap)
        return _gone(conn, material, held, order, context, is_scrap=is_scrap)
    ruled = _send(conn, order, material, held, MICRO, intent.reason_code, context)
    return Answer(
        ruled.outcome, at_hand if ruled.event_seq is not None else ruled.session, ruled.event_seq
    )


def _gone(
    conn: Connection,
    material: MaterialFacts,
    held: list[Held],
    order: OrderFacts,
    context: Context,
    *,
    is_scrap: bool,
) -> Answer:
    """Refuse a finished unit that is in finished stock no more."""
    parent = slots.read_serial(conn, material.lot_id).sits_in
    reason, hint = "has_dependents", "Check which unit it is, or call a supervisor"
    if is_scrap or any(each.location_kind == "scrap" for each in held):
        said = f"Unit {material.serial} was scrapped"
    elif parent is not None:
        reason, said = "serial_in_use", f"Unit {material.serial} sits in {parent}"
    elif held:
        said = f"Unit {material.serial} is at {held[0].location}, not in finished stock"
        hint = f"MOVE it to {order.output_location} first"
    else:
        said = f"Unit {material.serial} has left finished stock"
    return refused(context, reason, said, hint, order=order, material=material)


def _of_order(conn: Connection, intent: Rework, context: Context) -> Answer:
    order = order_of(conn, intent.what.key, context)
    if order.tracking == "serial":
        return _which(order, "serial", context)
    lots = rows.lots_made(conn, order.work_order_id)
    if not lots and order.good_micro and order.output.lot_id is not None:
        lots = [order.output.lot_id]
    if not lots:
        said = f"Nothing of {order.work_order} is finished yet"
        return refused(context, "no_effect", said, "Scan the order to book it", order=order)
    stocked = [lot_id for lot_id in lots if _finished(_held(conn, lot_id, 0, context), order)]
    if len(stocked) > 1:
        return _which(order, "lot", context)
    material = mounts.read_material(conn, (stocked or lots)[0], 0)
    return _quantity(conn, order, material, 0, intent, context)


def _of_item(conn: Connection, intent: Rework, context: Context) -> Answer:
    which = _which_of_item(conn, intent.what, context)
    if which is not None:
        return which
    material = mounts.read_material(conn, materials.nameless_lot(conn, intent.what.item_id), 0)
    return _of_lot(conn, material, 0, intent, context)


def _of_lot(
    conn: Connection, material: MaterialFacts, container_id: int, intent: Rework, context: Context
) -> Answer:
    maker = rows.maker_of(conn, material.lot_id)
    if maker is None:
        return _not_made_here(material.container or material.lot or material.item, context)
    order = order_of(conn, maker, context)
    return _quantity(conn, order, material, container_id, intent, context)


def _quantity(
    conn: Connection,
    order: OrderFacts,
    material: MaterialFacts,
    container_id: int,
    intent: Rework,
    context: Context,
) -> Answer:
    """Send `%QTY`, else the label's quantity, else one unit."""
    quantity = intent.what.quantity_micro or MICRO
    if quantity % material.step_micro:
        step = format_quantity(material.step_micro)
        said = f"{material.item} is counted in steps of {step}"
        hint = "Scan QTY with another number, then REWORK again"
        return refused(context, "not_a_step", said, hint, order=order, material=material)
    held = _held(conn, material.lot_id, container_id, context)
    there = sum(each.quantity_micro for each in _finished(held, order))
    if material.tracking == "none":
        there = min(there, order.good_micro)
    if not there and in_rework(held):
        return _already(material, order, context)
    if quantity > there:
        return refused(
            context,
            "shortage_blocked",
            f"Finished stock has {format_quantity(there)} of {format_quantity(quantity)} "
            f"{material.uom} of {material.container or material.lot or material.item}",
            "Scan QTY with less, then REWORK again",
            order=order,
            material=material,
        )
    return _send(conn, order, material, held, quantity, intent.reason_code, context)


def _send(
    conn: Connection,
    order: OrderFacts,
    material: MaterialFacts,
    held: list[Held],
    quantity: int,
    reason: str,
    context: Context,
) -> Answer:
    place = rows.rework_place(conn, station=context.rules.station)
    held_back = refuse_held(material, quantity, order, context)
    if held_back is not None:
        return held_back
    if place is None:
        said = "This station has no rework location"
        hint = "Call a supervisor: a location of the kind rework is needed"
        return refused(context, "no_effect", said, hint, order=order, material=material)
    parts, _ = split(_finished(held, order), quantity)
    report_seq = move_pass(
        conn, "rework", order, material, parts, place, context, reason=reason
    )  # fmt: skip
    return answer(
        context,
        "recorded",
        f"{phrase(material, quantity, order)} is in rework at {place.location}: {reason}",
        _next_scan(order, material, place),
        quantity=format_quantity(quantity),
        report_id=context.scan.scan_id,
        event_seq=report_seq,
        **named(order, material),
    )


def _next_scan(order: OrderFacts, material: MaterialFacts, place: Place) -> str:
    if material.serial is not None:
        return f"Scan {material.serial} when it is done, or the component that comes out of it"
    code = f"the lot {material.lot}" if material.lot else f"REWORK and {order.work_order}"
    return f"When it is done scan {code}, with QTY if not all of it at {place.location} is"


def _finished(held: list[Held], order: OrderFacts) -> list[Held]:
    """Return what lies in finished stock: where the order puts it, then other finished goods."""
    here = order.output_location_id
    return sorted(
        (each for each in held if here == each.location_id or each.location_kind == "finished"),
        key=lambda each: each.location_id != here,
    )


def _held(conn: Connection, lot_id: int, container_id: int, context: Context) -> list[Held]:
    return materials.read_held(conn, lot_id, container_id, station=context.rules.station)


def _which_of_item(conn: Connection, what: Named, context: Context) -> Answer | None:
    """Ask for the lot or serial of a tracked item; `None` for one without tracking."""
    item = mounts.read_item(conn, what.item_id)
    if item.tracking == "none":
        return None
    return which_of(item, "REWORK", context)


def _already(material: MaterialFacts, order: OrderFacts, context: Context) -> Answer:
    name = f"Unit {material.serial}" if material.serial else material.lot or material.item
    hint = f"Scan {material.serial} when it is done" if material.serial else "Scan it when done"
    said = f"{name} is in rework already"
    return answer(context, "already_done", said, hint, **named(order, material))


def _which(order: OrderFacts, kind: str, context: Context) -> Answer:
    return answer(
        context,
        "needs",
        f"{order.item} of {order.work_order} is kept by {kind}: REWORK needs to know which",
        f"Scan the {kind}, or CANCEL",
        reason=kind,
        **named(order, None),
    )


def _not_made_here(name: str, context: Context) -> Answer:
    said = f"{name} was not made by an order of this station"
    hint = "Scan a finished unit or lot; MOVE changes where stock lies"
    return refused(context, "no_effect", said, hint)

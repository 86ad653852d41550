"""What was in rework is completed again: its own code is scanned once more (BF-28).

It comes back to where its order puts finished goods. Nothing is backflushed and no count of the
order changes; extra parts that were issued for the pass enter the genealogy here.
"""

from mes_terminal.domain.hand_issues import Waiting
from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.posting import EdgeRow
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.store import hand_issues, materials, mounts
from mes_terminal.store import rework as rows
from mes_terminal.store.database import Connection
from mes_terminal.store.materials import Held, Place
from mes_terminal.store.mounts import MaterialFacts
from mes_terminal.store.rework import OpenPass
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.handled import named, refused, split
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_rework import (
    in_rework,
    move_pass,
    phrase,
    refuse_held,
)


def finish_unit(
    conn: Connection, unit_id: int, lot_id: int | None, work_order: str, context: Context
) -> Answer | None:
    """Complete a finished unit again; `None` if it is not in rework."""
    held = _in_rework(conn, lot_id, context) if lot_id is not None else []
    if lot_id is None or not held:
        return None
    order = order_of(conn, work_order, context)
    material = mounts.read_material(conn, lot_id, 0)
    passes = rows.open_passes(conn, lot_id)
    ruled = _finish(conn, order, material, held, MICRO, passes, context)
    if ruled.event_seq is None or context.session.unit_id != unit_id:
        return ruled
    return Answer(ruled.outcome, changed(ruled.session, unit_id=None), ruled.event_seq)


def finish_order(conn: Connection, order: OrderFacts, context: Context) -> Answer | None:
    """Complete again what a closed order has in rework; `None` if that is nothing."""
    if order.tracking == "serial":
        return None
    found: list[tuple[int, OpenPass]] = []
    for lot_id in rows.lots_made(conn, order.work_order_id):
        if _in_rework(conn, lot_id, context):
            found += [
                (lot_id, each) for each in rows.open_passes(conn, lot_id, order.work_order_id)
            ]
    if not found:
        return None
    if len(found) > 1:
        return answer(
            context,
            "needs",
            f"Several lots of {order.work_order} are in rework",
            f"Scan the lot of {order.item} that is done",
            reason="lot",
            **named(order, None),
        )
    lot_id, open_pass = found[0]
    return _quantity(conn, order, lot_id, [open_pass], context)


def finish_lot(conn: Connection, lot_id: int, context: Context) -> Answer | None:
    """Complete again what of a lot is in rework, of one order at a time; `None` if nothing is."""
    if not _in_rework(conn, lot_id, context):
        return None
    passes = rows.open_passes(conn, lot_id)
    work_order = passes[0].work_order if passes else rows.maker_of(conn, lot_id)
    if work_order is None:
        return None
    return _quantity(conn, order_of(conn, work_order, context), lot_id, passes[:1], context)


def finish_item(conn: Connection, item_id: int, context: Context) -> Answer | None:
    """Complete again what of an untracked product is in rework; `None` if nothing is."""
    if mounts.read_item(conn, item_id).tracking != "none":
        return None
    return finish_lot(conn, materials.nameless_lot(conn, item_id), context)


def _in_rework(conn: Connection, lot_id: int, context: Context) -> list[Held]:
    return in_rework(materials.read_held(conn, lot_id, 0, station=context.rules.station))


def _quantity(
    conn: Connection, order: OrderFacts, lot_id: int, passes: list[OpenPass], context: Context
) -> Answer:
    """Complete `%QTY`, else all that is in rework of the order."""
    material = mounts.read_material(conn, lot_id, 0)
    held = _in_rework(conn, lot_id, context)
    there = sum(each.quantity_micro for each in held)
    if passes:
        there = min(there, passes[0].quantity_micro)
    quantity = context.session.pending_quantity_micro or there
    if quantity % material.step_micro:
        step = format_quantity(material.step_micro)
        said = f"{material.item} is counted in steps of {step}"
        hint = "Scan QTY with another number"
        return refused(context, "not_a_step", said, hint, order=order, material=material)
    if quantity > there:
        return refused(
            context,
            "shortage_blocked",
            f"{format_quantity(there)} of {format_quantity(quantity)} {material.uom} of "
            f"{material.lot or material.item} are in rework",
            "Scan QTY with less, or without QTY for all of it",
            order=order,
            material=material,
        )
    return _finish(conn, order, material, held, quantity, passes, context)


def _finish(
    conn: Connection,
    order: OrderFacts,
    material: MaterialFacts,
    held: list[Held],
    quantity: int,
    passes: list[OpenPass],
    context: Context,
) -> Answer:
    held_back = refuse_held(material, quantity, order, context)
    if held_back is not None:
        return held_back
    place = Place(order.output_location_id, order.output_location, "finished")
    parts, _ = split(held, quantity)
    latest = passes[0] if passes else OpenPass(order.work_order, 0, 0, None)
    extras = rows.extras_since(conn, order.work_order_id, latest.report_seq) if passes else []
    alone = bool(extras) and _is_alone(conn, order, quantity)
    report_seq = move_pass(
        conn,
        "reworked",
        order,
        material,
        parts,
        place,
        context,
        reason=latest.reason,
        edges=_edges(order, material, extras, is_sure=alone),
    )
    if extras:
        hand_issues.take_in(conn, order.work_order_id, report_seq, extras)
    return answer(
        context,
        "completed",
        f"{phrase(material, quantity, order)} is out of rework, at {place.location}",
        "Scan the next unit",
        quantity=format_quantity(quantity),
        report_id=context.scan.scan_id,
        event_seq=report_seq,
        **named(order, material),
    )


def _is_alone(conn: Connection, order: OrderFacts, quantity: int) -> bool:
    """Is it sure which unit has the extra parts: the only one its closed order has in rework
    (BF-37)? An open order may have needed them for its units in work."""
    sent = rows.sent_micro(conn, order.work_order_id)
    return order.status == "closed" and quantity <= MICRO and sent <= quantity


def _edges(
    order: OrderFacts, material: MaterialFacts, extras: list[Waiting], *, is_sure: bool
) -> list[EdgeRow]:
    """Return the edges of the extra parts."""
    child_id = order.output.node_id if material.tracking == "none" else material.lot_id
    return [
        (
            child_id or material.lot_id,
            each.lot_id,
            0,
            each.quantity_micro,
            "exact" if is_sure else "pooled",
        )
        for each in extras
    ]

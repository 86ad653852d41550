"""Stock is moved between this station's locations: `%MOVE location`, then the material (BF-16).

Its arrival comes along; a lot on hold or expired may be moved too. What leaves the place it is
mounted at is mounted no longer.
"""

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import materials, mount_spans, mounts
from mes_terminal.store.balances import note_arrival
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.heal_queue import queue_healing
from mes_terminal.store.materials import Held, Place, Taken
from mes_terminal.usecases.call_material import bring
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.end_stay import end_stay
from mes_terminal.usecases.handled import Handled, in_slot, refused, split
from mes_terminal.usecases.material_event import actual_of, material_event

FREES_STOCK = ("quality", "supervisor")
"""Who may take stock out of a location where it is held."""


def move_stock(conn: Connection, handled: Handled, location: str, context: Context) -> Answer:
    """Move all of it, or what `%QTY` said, to the location."""
    place = materials.place(conn, location)
    if place.kind == "scrap":
        return refused(
            context,
            "no_effect",
            f"{location} is for scrap: scrapping needs a reason",
            "Scan SCRAP with a reason, then the material",
            material=handled.material,
        )
    refusal = in_slot(conn, handled, context)
    if refusal is not None:
        return refusal
    held = materials.read_held(
        conn, handled.material.lot_id, handled.container_id, station=context.rules.station
    )
    elsewhere = [
        each
        for each in held
        if each.location_id != place.location_id and each.location_kind != "scrap"
    ]
    may_free = context.person is not None and context.person.role in FREES_STOCK
    free = [each for each in elsewhere if may_free or each.location_kind != "hold"]
    wanted = handled.stated_micro
    if wanted is None:
        wanted = sum(each.quantity_micro for each in free)
    parts, missing = split(free, wanted)
    if missing or not parts:
        return _refuse(handled, place, elsewhere, free, wanted, context)
    return _book(conn, handled, parts, place, context)


def _refuse(
    handled: Handled,
    place: Place,
    elsewhere: list[Held],
    free: list[Held],
    wanted: int,
    context: Context,
) -> Answer:
    material = handled.material
    if len(free) < len(elsewhere):
        where = next(each.location for each in elsewhere if each.location_kind == "hold")
        return refused(
            context,
            "not_authorised",
            f"{material.item} {handled.name} is held at {where}",
            "Scan your badge first, or call quality",
            material=handled.material,
        )
    there = sum(each.quantity_micro for each in free)
    return refused(
        context,
        "shortage_blocked",
        f"{handled.name} of {material.item} has {format_quantity(there)}"
        + (f" of {format_quantity(wanted)}" if wanted else "")
        + f" {material.uom} to move to {place.location}",
        "Scan QTY with less, or check where it lies",
        material=handled.material,
    )


def _book(
    conn: Connection, handled: Handled, parts: list[Taken], place: Place, context: Context
) -> Answer:
    material = handled.material
    draft = material_event(
        "material.moved",
        material,
        [
            actual_of(
                "Moved",
                material,
                each.quantity_micro,
                place.location,
                None,
                from_location=each.held.location,
            )
            for each in parts
        ],
        [
            (None, each.held.lot_id, each.held.container_id, each.held.location_id,
             place.location_id, each.quantity_micro, "move", None)
            for each in parts
        ],
        context,
    )  # fmt: skip
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    materials.take(conn, parts)
    materials.put(conn, parts, place.location_id)
    note_arrival(conn, material.item_id, place.location_id, material.lot_id)
    queue_healing(conn, material.item_id, place.location_id, event_seq)
    bring(conn, [(material.lot_id, place.location_id)], context, by="received")
    unmounted = _unmount(conn, handled, parts, event_seq, context)
    quantity = format_quantity(sum(each.quantity_micro for each in parts))
    named = "" if handled.name == material.item else f" {handled.name}"
    return answer(
        context,
        "recorded",
        f"{quantity} {material.uom} of {material.item}{named} moved to {place.location}"
        + (f"; {', '.join(unmounted)} is free" if unmounted else ""),
        "Scan a unit or an order",
        item=material.item,
        quantity=quantity,
        lot=material.lot,
        serial=material.serial,
        event_seq=event_seq,
    )


def _unmount(
    conn: Connection, handled: Handled, parts: list[Taken], event_seq: int, context: Context
) -> list[str]:
    """Unmount what has nothing left where it is mounted; return the positions."""
    left_places = {each.held.location_id for each in parts}
    freed: list[str] = []
    for stay in mount_spans.open_stays(conn, station_pct_micro=context.rules.lot_overrun_pct_micro):
        if stay.lot_id != handled.material.lot_id or stay.location_id not in left_places:
            continue
        if mounts.left_micro(conn, stay.lot_id, stay.container_id, stay.location_id) > 0:
            continue
        end_stay(conn, stay, by="move", left_micro=None, event_seq=event_seq, context=context)
        freed.append(stay.position)
    return freed

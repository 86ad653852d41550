"""A component lot or container is scanned: mount it, or name the lot a product is made under.

Mounting makes it the source of its item until the next one is scanned in (BF-17). What may not be
used is refused before anything moves.
"""

from mes_terminal.domain.intent import Dismount, NameOutputLot, UseMaterial
from mes_terminal.domain.posting import EventDraft, MaterialActual, MaterialData
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import mounts, orders
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact
from mes_terminal.usecases.count_unknown import count_unknown
from mes_terminal.usecases.label_mismatch import note_mismatch

NEEDED_SHOWN = 3
"""How many needed components a refusal names: one line of the screen."""


def use_material(conn: Connection, intent: UseMaterial, context: Context) -> Answer:
    """Mount the lot or container where an open order needs it."""
    material = mounts.read_material(conn, intent.lot_id, intent.container_id)
    current = context.session.work_order_id
    need = mounts.read_need(conn, material, intent.container_id, current)
    if need is None and material.lot and mounts.makes_with_scanned_lot(conn, material.item_id):
        return _name_output(conn, material.item_id, material.item, material.lot, context)
    refusal = refuse_material(conn, material, need, intent, context)
    if refusal is not None:
        return refusal
    assert need is not None
    stock = mounts.read_elsewhere(
        conn,
        material.lot_id,
        intent.container_id,
        need.location_id,
        station=context.rules.station,
    )
    mounts.move(conn, stock, material.item_id, need.location_id)
    mounts.mount(
        conn,
        need.position,
        item_id=material.item_id,
        lot_id=material.lot_id,
        container_id=intent.container_id,
        location_id=need.location_id,
        at=context.scan.event_time,
    )
    draft = _moved(material, need, stock, context) if stock else _mounted(material, need, context)
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    left = mounts.left_micro(conn, material.lot_id, intent.container_id, need.location_id)
    mounted = answer(
        context,
        "recorded",
        _mounted_message(material, need, left, intent),
        "Scan a unit or an order",
        item=material.item,
        lot=material.lot,
        quantity=format_quantity(left),
        event_seq=event_seq,
    )
    return note_mismatch(conn, material, intent.label_expires_on, mounted, context)


def name_output_lot(conn: Connection, intent: NameOutputLot, context: Context) -> Answer | None:
    """Take a new lot of a product that is made under the lot scanned; refuse any other new lot.

    `None` where the station receives new lots from their labels.
    """
    if mounts.makes_with_scanned_lot(conn, intent.item_id):
        return _name_output(conn, intent.item_id, intent.item, intent.lot, context)
    if context.rules.receive_from_labels:
        return None
    return answer(
        context,
        "rejected",
        f"Lot {intent.lot} of {intent.item} is not known. Nothing was mounted",
        "Check the label; a new lot must be received first",
        reason="lot_unknown",
        item=intent.item,
    )


def dismount(conn: Connection, intent: Dismount, context: Context) -> Answer:
    """Take a container out of its position: `%EMPTY` or `%UNMOUNT`; its books stay as they are."""
    mounted = mounts.read_mounts(conn)
    matches = [
        each
        for each in mounted
        if each.position == intent.code
        or (intent.container_id and each.container_id == intent.container_id)
        or (intent.lot_id and each.lot_id == intent.lot_id)
        or (intent.item_id and each.item_id == intent.item_id)
    ]
    if not matches and not intent.known:
        return count_unknown(conn, context)
    if len(matches) != 1:
        names = ", ".join(each.position for each in mounted) or "nothing"
        return answer(
            context,
            "needs",
            f"{context.code} is not mounted, or in more than one position",
            f"Scan one of these positions, or CANCEL: {names}",
            reason="component",
        )
    found = matches[0]
    mounts.unmount(conn, found.position)
    event_seq = append_event(
        conn,
        fact(
            context,
            "lot.unmounted",
            found.position,
            verb=intent.verb,
            item=found.item,
            lot=found.lot,
            container=found.container,
        ),
        context.head,
        context.scan,
        rules=context.rules,
    )
    what = found.container or found.lot or found.item
    return answer(
        context,
        "recorded",
        f"{found.position}: {what} {'is empty' if intent.verb == 'EMPTY' else 'is unmounted'}",
        f"Scan the next container of {found.item}",
        item=found.item,
        lot=found.lot,
        event_seq=event_seq,
        session=changed(context.session, pending_verb=None, pending_argument=None),
    )


def refuse_material(
    conn: Connection,
    material: mounts.MaterialFacts,
    need: mounts.NeededAt | None,
    intent: UseMaterial,
    context: Context,
) -> Answer | None:
    """Return why the material may not be mounted; `None` if it may."""
    name = material.container or material.lot or material.item
    call = f"Take another lot of {material.item}, or call a supervisor"
    if material.serial is not None:
        reason, said = "no_effect", f"{name} holds serials. It has no effect here"
    elif need is None:
        reason, said = "wrong_component", f"No open order needs {material.item}"
        wanted = mounts.needed_items(conn, context.session.work_order_id, limit=NEEDED_SHOWN)
        call = f"Scan a lot of {', '.join(wanted)}" if wanted else "Scan an order"
    elif material.status != "available":
        reason, said = "lot_on_hold", f"Lot {name} of {material.item} is on hold"
    elif material.expires_on is not None and material.expires_on < context.today:
        reason = "lot_expired"
        said = f"Lot {name} of {material.item} expired on {material.expires_on}"
    elif intent.label_expires_on is not None and intent.label_expires_on < context.today:
        reason = "lot_expired"
        said = f"The label of {name} of {material.item} says {intent.label_expires_on}: expired"
    elif material.expires_on is not None and context.session.clock_in_doubt:
        reason, said = "clock", f"The clock is in doubt: lot {name} has an expiry"
        call = "Call a supervisor to confirm the clock with a badge"
    elif (intent.label_micro or 0) % material.step_micro:
        reason = "not_a_step"
        said = f"{material.item} is counted in steps of {format_quantity(material.step_micro)}"
    else:
        return None
    return answer(
        context,
        "rejected",
        f"{said}. Nothing was mounted",
        call,
        reason=reason,
        item=material.item,
        lot=material.lot,
    )


def _name_output(conn: Connection, item_id: int, item: str, lot: str, context: Context) -> Answer:
    orders.set_scanned_lot(conn, item_id, lot)
    event_seq = append_event(
        conn,
        fact(context, "output_lot.named", item, lot=lot),
        context.head,
        context.scan,
        rules=context.rules,
    )
    return answer(
        context,
        "recorded",
        f"{item} is made under lot {lot} from now on",
        "Scan a unit or an order",
        item=item,
        lot=lot,
        event_seq=event_seq,
    )


def _mounted(material: mounts.MaterialFacts, need: mounts.NeededAt, context: Context) -> EventDraft:
    return fact(
        context,
        "lot.mounted",
        need.position,
        item=material.item,
        lot=material.lot,
        container=material.container,
    )


def _moved(
    material: mounts.MaterialFacts,
    need: mounts.NeededAt,
    stock: list[mounts.Elsewhere],
    context: Context,
) -> EventDraft:
    return EventDraft(
        type="material.moved",
        subject=material.container or material.lot or material.item,
        partition_key=material.item,
        event_time=context.scan.event_time,
        data=MaterialData(
            scan_id=context.scan.scan_id,
            person=context.badge,
            station=context.rules.station,
            master_data_version=str(context.session.master_data_version),
            event_time=context.scan.event_time,
            material_actuals=[
                MaterialActual(
                    "Moved",
                    material.item,
                    material.lot,
                    None,
                    format_quantity(each.quantity_micro),
                    material.uom,
                    need.location,
                    from_location=each.location,
                )
                for each in stock
            ],
        ),
        upstream=True,
        person=context.badge,
        movements=mounts.move_rows(stock, need.location_id),
    )


def _mounted_message(
    material: mounts.MaterialFacts, need: mounts.NeededAt, left: int, intent: UseMaterial
) -> str:
    name = material.container or material.lot or material.item
    verb = "mounted" if need.is_current else f"staged for {need.work_order}"
    said = f"{material.item} {name} {verb}: {format_quantity(left)} {material.uom} left"
    if intent.label_micro is not None and intent.label_micro != left:
        said += f" in the books, {format_quantity(intent.label_micro)} on the label"
    return said

"""A label of a lot that is new here: received where it is used, then mounted.

Only where `codes.receive_from_labels` allows it. The receipt is the same as one of a load: a
reference that counts once, a ledger row, an event for upstream. Refused before anything is written
if it could not be mounted: a receipt that nobody can use would be wrong stock.
"""

from msgspec.structs import replace

from mes_terminal.domain.instants import day_plus, local_day
from mes_terminal.domain.intent import NameOutputLot, UseMaterial
from mes_terminal.domain.posting import EventDraft, MaterialActual, MaterialData, MovementRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import mounts, receipts
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.heal_queue import queue_stock
from mes_terminal.store.receipts import Arrival, LotState
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.use_material import (
    deviations_of,
    refuse_material,
    use_material,
)


def receive_label(conn: Connection, intent: NameOutputLot, context: Context) -> Answer:
    """Receive the label's quantity as a new lot and mount it."""
    item = mounts.read_item(conn, intent.item_id)
    if item.tracking != "lot":
        return _rejected(context, item.item, "lot_unknown", f"{item.item} is not kept by lot")
    if not intent.label_micro:
        return answer(
            context,
            "needs",
            f"Lot {intent.lot} of {item.item} is new, and its label has no quantity",
            "Scan QTY with the quantity, then the label again",
            reason="quantity",
            item=item.item,
        )
    expires_on = intent.expires_on
    if expires_on is None and item.shelf_life_days is not None:
        expires_on = day_plus(
            local_day(context.scan.event_time, context.rules.zone), item.shelf_life_days
        )
    material = mounts.MaterialFacts(
        lot_id=0,
        item_id=intent.item_id,
        item=item.item,
        uom=item.uom,
        step_micro=item.step_micro,
        tracking=item.tracking,
        lot_rule=None,
        lot=intent.lot,
        serial=None,
        container=None,
        status="available",
        expires_on=expires_on,
    )
    current = context.session.work_order_id
    need = mounts.read_need(conn, material, 0, current)
    need = need or mounts.read_listed_elsewhere(conn, material.item_id, current)
    use = UseMaterial(0, 0, intent.label_micro, expires_on)
    met = deviations_of(conn, material, need, expires_on, context)
    refusal = refuse_material(conn, material, need, met, use, context)
    if refusal is not None:
        return refusal
    assert need is not None
    lot_id = _receive(conn, intent, item, expires_on, need.location, context)
    after = replace(context, head=read_head(conn))
    mounted = use_material(conn, replace(use, lot_id=lot_id), after)
    said = f"Received {format_quantity(intent.label_micro)} {item.uom}. {mounted.outcome.message}"
    return replace(mounted, outcome=replace(mounted.outcome, message=said))


def _receive(
    conn: Connection,
    intent: NameOutputLot,
    item: mounts.ItemFacts,
    expires_on: str | None,
    location: str,
    context: Context,
) -> int:
    """Write lot, receipt, movement and event; return the lot's id."""
    at = context.scan.event_time
    key = (item.item, intent.lot, "")
    state = LotState(
        expires_on=expires_on,
        received_at=at,
        supplier=intent.supplier,
        supplier_lot=intent.lot if intent.supplier else None,
    )
    arrival = Arrival(
        reference=f"label:{context.scan.scan_id}",
        content=f"{item.item}|{intent.lot}|{intent.label_micro}|{location}|{at}",
        key=key,
        container=None,
        location=location,
        quantity_micro=intent.label_micro or 0,
        effective_at=at,
        tracked=True,
    )
    receipts.write_lots(conn, [(key, state)])
    movements = receipts.movements_of(conn, [arrival])
    draft = _received(arrival, item.uom, context, movements)
    event_seq = append_event(conn, draft, context.head, context.scan, rules=context.rules)
    receipts.write_arrivals(conn, [arrival], movements, [event_seq])
    queue_stock(conn, [(movements[0][1], movements[0][4], event_seq)])
    return movements[0][1]


def _received(
    arrival: Arrival, uom: str, context: Context, movements: list[MovementRow]
) -> EventDraft:
    item, lot, _ = arrival.key
    actual = MaterialActual(
        use="Received",
        item=item,
        lot=lot,
        serial=None,
        quantity=format_quantity(arrival.quantity_micro),
        uom=uom,
        location=arrival.location,
    )
    return EventDraft(
        type="material.received",
        subject=arrival.reference,
        partition_key=item,
        event_time=arrival.effective_at,
        data=MaterialData(
            scan_id=context.scan.scan_id,
            reference=arrival.reference,
            person=context.badge,
            station=context.rules.station,
            master_data_version=str(context.session.master_data_version),
            event_time=arrival.effective_at,
            material_actuals=[actual],
        ),
        upstream=True,
        person=context.badge,
        movements=movements,
    )


def _rejected(context: Context, item: str, reason: str, said: str) -> Answer:
    return answer(
        context,
        "rejected",
        f"{said}. Nothing was received",
        "Call a supervisor",
        reason=reason,
        item=item,
    )

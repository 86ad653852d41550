"""The serial of a component is scanned: it fills the next empty slot of the unit at hand (BF-18).

Any order of scanning the unit and its components works; what comes first waits for the other.
"""

from msgspec.structs import replace

from mes_terminal.domain.intent import FillSlot
from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.slots import SlotLine, in_words, missing, with_filled
from mes_terminal.store import mounts, orders, slots
from mes_terminal.store.database import Connection, attempt
from mes_terminal.store.events import append_event, read_head
from mes_terminal.store.order_facts import read_order
from mes_terminal.usecases.apply_policy import accepted, lasting, of_order, stopped
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact
from mes_terminal.usecases.deviations import refuse_order, reopening
from mes_terminal.usecases.exchange_part import exchange_part
from mes_terminal.usecases.flagged_lots import let_pass_of
from mes_terminal.usecases.report_production import report_unit_at_hand
from mes_terminal.usecases.slots_at_hand import deviations_of_serial, refuse_serial
from mes_terminal.usecases.use_material import moved_event


def fill_slot(conn: Connection, intent: FillSlot, context: Context) -> Answer:
    """Put the serial into a slot; with its last slot full the unit at hand is reported.

    Where the unit at hand is a finished one in rework, its components are exchanged (BF-28).
    """
    if _is_finished(conn, context.session.unit_id):
        exchanged = exchange_part(conn, intent, context)
        if exchanged is not None:
            return exchanged
        context = replace(context, session=changed(context.session, unit_id=None))
    serial = slots.read_serial(conn, intent.lot_id)
    order = _order(conn, serial, context)
    if order is None:
        return _refuse_no_place(serial, context)
    met = deviations_of_serial(conn, serial, context)
    reopens = reopening(conn, order)
    refusal = refuse_serial(serial, met, context) or refuse_order(order, reopens, context)
    session = context.session
    is_at_hand = session.unit_id is not None or (
        session.next_unit and session.work_order_id == order.work_order_id
    )
    lines = slots.read_slots(conn, order.work_order_id, session.unit_id)
    if refusal is not None:
        was_asked = refusal.outcome.outcome == "already_done" and is_at_hand and not missing(lines)
        return report_unit_at_hand(conn, order, lines, context) if was_asked else refusal
    line = next((each.line for each in missing(lines) if each.line.item_id == serial.item_id), None)
    if line is None:
        return _refuse_full(serial, order, lines, context)
    stop = stopped(conn, met, context, **(of_order(order) | _names(serial)))
    if stop is not None:
        return stop
    return _put_in(conn, serial, order, line, lines, met, context, is_at_hand=is_at_hand)


def _put_in(
    conn: Connection,
    serial: slots.SerialFacts,
    order: OrderFacts,
    line: SlotLine,
    lines: list[SlotLine],
    met: list[Deviation],
    context: Context,
    *,
    is_at_hand: bool,
) -> Answer:
    """Fill the slot; the last one of the unit at hand reports it. Where that is refused, nothing
    was filled."""
    unit_id = context.session.unit_id
    with attempt(conn) as take_back:
        context = _bring(conn, serial, line, context)
        slots.fill(
            conn,
            serial.lot_id,
            line_id=line.line_id,
            work_order_id=order.work_order_id,
            unit_id=unit_id,
            scan_seq=context.scan.scan_seq,
            let_pass=let_pass_of(lasting(conn, met, order.work_order, context) if met else []),
        )
        lines = with_filled(lines, line.line_id)
        lacks = missing(lines)
        if not is_at_hand or lacks:
            ruled = _recorded(conn, serial, order, line, in_words(lacks), context)
        else:
            ruled = report_unit_at_hand(conn, order, lines, context)
        accepted(conn, met, ruled, order.work_order, context)
        if ruled.outcome.outcome == "rejected":
            take_back()
    return ruled


def _names(serial: slots.SerialFacts) -> dict[str, str]:
    return {"item": serial.item, "serial": serial.serial}


def _is_finished(conn: Connection, unit_id: int | None) -> bool:
    return unit_id is not None and orders.read_unit(conn, unit_id).made_at is not None


def _order(conn: Connection, serial: slots.SerialFacts, context: Context) -> OrderFacts | None:
    """Return the order of the unit at hand, else the open one that takes the item."""
    if context.session.unit_id is not None:
        found: str | None = slots.order_of_unit(conn, context.session.unit_id)
    else:
        found = slots.order_with_slot(conn, serial.item_id, context.session.work_order_id)
    if found is None:
        return None
    return read_order(conn, found, scrap_location=context.rules.scrap_location)


def _bring(
    conn: Connection, serial: slots.SerialFacts, line: SlotLine, context: Context
) -> Context:
    """Move the serial to where its line takes it from, if the books have it elsewhere."""
    stock = mounts.read_elsewhere(
        conn, serial.lot_id, 0, line.location_id, station=context.rules.station
    )
    if not stock:
        return context
    mounts.move(conn, stock, serial.item_id, line.location_id)
    material = mounts.read_material(conn, serial.lot_id, 0)
    draft = moved_event(material, line.location, line.location_id, stock, context)
    append_event(conn, draft, context.head, context.scan, rules=context.rules)
    return replace(context, head=read_head(conn))


def _recorded(
    conn: Connection,
    serial: slots.SerialFacts,
    order: OrderFacts,
    line: SlotLine,
    lacks: str,
    context: Context,
) -> Answer:
    unit_id = context.session.unit_id
    unit = orders.unit_serial(conn, unit_id) if unit_id is not None else None
    event_seq = append_event(
        conn,
        fact(
            context,
            "slot.filled",
            order.work_order,
            line=line.line,
            item=serial.item,
            serial=serial.serial,
            unit=unit,
        ),
        context.head,
        context.scan,
        rules=context.rules,
    )
    place = f"slot {line.filled + 1} of {line.per_unit}"
    whose = f"unit {unit}" if unit else f"the next {order.item}"
    return answer(
        context,
        "recorded",
        f"{serial.item} {serial.serial} is in {place} of {whose}"
        + (f"; it lacks {lacks}" if lacks else ""),
        f"Scan the serial of {lacks.split(', ')[0].lstrip('0123456789 ')}"
        if lacks
        else "Scan the unit",
        work_order=order.work_order,
        order_status=order.status,
        item=serial.item,
        serial=serial.serial,
        event_seq=event_seq,
        session=changed(context.session, work_order_id=order.work_order_id),
    )


def _refuse_no_place(serial: slots.SerialFacts, context: Context) -> Answer:
    refusal = refuse_serial(serial, [], context) if serial.sits_in else None
    return refusal or answer(
        context,
        "rejected",
        f"No open order takes {serial.item} with a serial. Nothing was booked",
        "Scan an order, a unit or a component lot",
        reason="wrong_component",
        item=serial.item,
        serial=serial.serial,
    )


def _refuse_full(
    serial: slots.SerialFacts, order: OrderFacts, lines: list[SlotLine], context: Context
) -> Answer:
    lacks = in_words(missing(lines))
    taken = any(line.item_id == serial.item_id for line in lines)
    said = f"Its slots for {serial.item} are full" if taken else f"It takes no {serial.item}"
    return answer(
        context,
        "rejected",
        f"{order.item} of {order.work_order}: {said}. Nothing was booked",
        f"It lacks {lacks}" if lacks else "Scan the unit",
        reason="wrong_component",
        work_order=order.work_order,
        order_status=order.status,
        item=serial.item,
        serial=serial.serial,
    )

"""A component of the unit in rework is exchanged: out with one serial, in with another (BF-28).

The serial that sits in the unit is scanned, then one of the same item. The old one goes to where
the unit is reworked, and from there into another unit or to scrap; the new one takes its slot. A
serial sits in one parent at a time, before and after.
"""

from typing import Final

from mes_terminal.domain.intent import FillSlot
from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.outcome import Consumed
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.posting import LineActual, MovementRow
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.report_plan import StockIn
from mes_terminal.store import materials, orders, slots
from mes_terminal.store import rework as rows
from mes_terminal.store.balances import add_stock, note_arrival
from mes_terminal.store.database import Connection
from mes_terminal.store.materials import Held, Taken
from mes_terminal.store.orders import PlannedUnit
from mes_terminal.store.rework import Part
from mes_terminal.store.slots import SerialFacts
from mes_terminal.usecases.apply_policy import stopped
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.fill_empty import built_in_for, fill_empty, note_built_in
from mes_terminal.usecases.handled import refused, usable
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_rework import Pass, in_rework, post_pass
from mes_terminal.usecases.slots_at_hand import deviations_of_serial, refuse_serial

REPLACE: Final = "REPLACE"
"""What waits between the two scans; its argument names the serial that comes out."""


def exchange_part(conn: Connection, intent: FillSlot, context: Context) -> Answer | None:
    """Take the serial out of the unit in rework at hand, or put it in; `None`: it is none of its
    business."""
    unit_id = context.session.unit_id
    if unit_id is None or not rows.is_in_rework(conn, unit_id, station=context.rules.station):
        return None
    parts = rows.parts_of(conn, unit_id)
    serial = slots.read_serial(conn, intent.lot_id)
    leaving = _leaving(parts, context)
    unit = orders.read_unit(conn, unit_id)
    name = orders.unit_serial(conn, unit_id)
    if leaving is not None:
        met = built_in_for(unit.work_order, deviations_of_serial(conn, serial, context))
        refusal = _refuse(serial, leaving, met, context) or stopped(
            conn, met, context, item=serial.item, serial=serial.serial
        )
        if refusal is not None:
            return refusal
        done = _exchange(conn, leaving, serial, unit, name, context)
        return note_built_in(conn, met, leaving.line_id, serial, done, context)
    mine = next((part for part in parts if part.lot_id == serial.lot_id), None)
    if mine is not None:
        return _take_out(mine, name, context)
    filled = fill_empty(conn, serial, unit, unit_id, name, context)
    if filled is not None:
        return filled
    if all(part.item_id != serial.item_id for part in parts):
        return None
    return refused(
        context,
        "wrong_component",
        f"{serial.item} {serial.serial} is not in unit {name}, which is in rework",
        f"Scan first the {serial.item} that comes out of it, or CANCEL to go on with other units",
        item=serial.item,
        serial=serial.serial,
    )


def _leaving(parts: list[Part], context: Context) -> Part | None:
    session = context.session
    if session.pending_verb != REPLACE:
        return None
    return next((part for part in parts if part.name == session.pending_argument), None)


def _take_out(part: Part, unit: str, context: Context) -> Answer:
    return answer(
        context,
        "recorded",
        f"{part.name} comes out of unit {unit}",
        f"Scan the serial of the {part.item} that goes in, or CANCEL",
        item=part.item,
        serial=part.serial,
        session=changed(context.session, pending_verb=REPLACE, pending_argument=part.name),
    )


def _refuse(
    serial: SerialFacts, leaving: Part, met: list[Deviation], context: Context
) -> Answer | None:
    if serial.lot_id == leaving.lot_id:
        return answer(
            context,
            "already_done",
            f"{leaving.name} comes out already",
            f"Scan the serial of the {leaving.item} that goes in, or CANCEL",
            item=leaving.item,
            serial=leaving.serial,
        )
    if serial.item_id == leaving.item_id:
        return refuse_serial(serial, met, context)
    return refused(
        context,
        "wrong_component",
        f"{serial.item} {serial.serial} does not replace {leaving.name}",
        f"Scan the serial of a {leaving.item}, or CANCEL",
        item=serial.item,
        serial=serial.serial,
    )


def _exchange(
    conn: Connection,
    old: Part,
    new: SerialFacts,
    unit: PlannedUnit,
    unit_serial: str,
    context: Context,
) -> Answer:
    order = order_of(conn, unit.work_order, context)
    station = context.rules.station
    held = sorted(
        usable(materials.read_held(conn, new.lot_id, 0, station=station), context),
        key=lambda each: each.location_id != old.location_id,
    )
    if not held or unit.lot_id is None:
        said = f"{new.item} {new.serial} is not in stock here"
        hint = f"Take another {new.item}, or call a supervisor"
        return refused(context, "serial_unknown", said, hint, item=new.item, serial=new.serial)
    bench = in_rework(materials.read_held(conn, unit.lot_id, 0, station=station))[0]
    passes = rows.open_passes(conn, unit.lot_id)
    booked = Pass(
        kind="exchange",
        order=order,
        lot_id=unit.lot_id,
        reason=passes[0].reason if passes else None,
        actuals=[
            _actual(old, new.item, new.serial, MICRO, held[0].location),
            _actual(old, old.item, old.serial, -MICRO, bench.location),
        ],
        movements=_movements(order, old, held[0], bench),
        edges=[
            (unit.lot_id, new.lot_id, old.line_id, MICRO, "exact"),
            (unit.lot_id, old.lot_id, old.line_id, -MICRO, "exact"),
        ],
    )
    report_seq = post_pass(conn, booked, context)
    materials.take(conn, [Taken(held[0], MICRO)])
    add_stock(conn, [StockIn(old.lot_id, bench.location_id, MICRO, context.scan.event_time)])
    note_arrival(conn, old.item_id, bench.location_id, old.lot_id)
    rows.swap(
        conn,
        old.lot_id,
        new.lot_id,
        unit_id=context.session.unit_id or 0,
        report_seq=report_seq,
        scan_seq=context.scan.scan_seq,
    )
    return _told(order, old, new, held[0], bench, unit_serial, report_seq, context)


def _actual(part: Part, item: str, serial: str, quantity_micro: int, location: str) -> LineActual:
    return LineActual(
        "Consumed", item, None, serial, format_quantity(quantity_micro), part.uom, location,
        part.line, part.erp_ref, "issued", "exact",
    )  # fmt: skip


def _movements(order: OrderFacts, old: Part, new: Held, bench: Held) -> list[MovementRow]:
    rule = old.location_rule if new.location_id == old.location_id else None
    return [
        (old.line_id, new.lot_id, new.container_id, new.location_id, order.production_id, MICRO,
         "issue", rule),
        (old.line_id, old.lot_id, 0, order.production_id, bench.location_id, MICRO, "reversal",
         None),
    ]  # fmt: skip


def _told(
    order: OrderFacts,
    old: Part,
    new: SerialFacts,
    source: Held,
    bench: Held,
    unit_serial: str,
    report_seq: int,
    context: Context,
) -> Answer:
    return answer(
        context,
        "recorded",
        f"{new.item} {new.serial} is in unit {unit_serial} for {old.serial}, which lies at "
        f"{bench.location}",
        f"Scan {unit_serial} when it is done; {old.serial} into another unit, or SCRAP it",
        work_order=order.work_order,
        order_status=order.status,
        item=new.item,
        quantity="1",
        serial=new.serial,
        report_id=context.scan.scan_id,
        consumed=[
            Consumed(old.line, new.item, None, new.serial, source.location, "1", old.uom, "exact"),
            Consumed(old.line, old.item, None, old.serial, bench.location, "-1", old.uom, "exact"),
        ],
        event_seq=report_seq,
        session=changed(context.session, pending_verb=None, pending_argument=None),
    )

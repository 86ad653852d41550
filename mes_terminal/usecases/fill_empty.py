"""A slot that was let stay empty is filled later: the unit is in rework, its serial is scanned.

A report of its own, like an exchange (BF-28): the serial is issued, its edge takes the place of the
`unknown` one, and the exception of the line has one less (BF-21, BF-24).
"""

from typing import Any

from msgspec.structs import replace

from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.outcome import Consumed, OpenedException
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.posting import LineActual
from mes_terminal.domain.quantity import MICRO
from mes_terminal.store import empty_slots, materials, slots
from mes_terminal.store.database import Connection
from mes_terminal.store.empty_slots import EmptySlot
from mes_terminal.store.let_pass import LetPass
from mes_terminal.store.materials import Held, Taken
from mes_terminal.store.orders import PlannedUnit
from mes_terminal.store.policy import LetPassPart
from mes_terminal.store.slots import SerialFacts
from mes_terminal.usecases.apply_policy import accepted, stopped
from mes_terminal.usecases.context import Answer, Context, answer
from mes_terminal.usecases.flagged_lots import USED_IN_SPITE, note_let_pass
from mes_terminal.usecases.handled import refused, usable
from mes_terminal.usecases.order_of import order_of
from mes_terminal.usecases.post_rework import Pass, post_pass
from mes_terminal.usecases.slots_at_hand import deviations_of_serial, refuse_serial


def fill_empty(
    conn: Connection,
    serial: SerialFacts,
    unit: PlannedUnit,
    unit_id: int,
    unit_serial: str,
    context: Context,
) -> Answer | None:
    """Put the serial into a slot of the unit that was let stay empty; `None`: it has none."""
    if unit.lot_id is None:
        return None
    empty = empty_slots.of_unit(conn, unit.lot_id, serial.item_id)
    if empty is None:
        return None
    about: dict[str, Any] = {"item": serial.item, "serial": serial.serial}
    met = built_in_for(unit.work_order, deviations_of_serial(conn, serial, context))
    refusal = refuse_serial(serial, met, context) or stopped(conn, met, context, **about)
    if refusal is not None:
        return refusal
    held = sorted(
        usable(materials.read_held(conn, serial.lot_id, 0, station=context.rules.station), context),
        key=lambda each: each.location_id != empty.location_id,
    )
    if not held:
        said = f"{serial.item} {serial.serial} is not in stock here"
        hint = f"Take another {serial.item}, or call a supervisor"
        return refused(context, "serial_unknown", said, hint, **about)
    filled = _fill(conn, serial, empty, unit, unit_id, unit_serial, held[0], context)
    return note_built_in(conn, met, empty.line_id, serial, filled, context)


def built_in_for(work_order: str, met: list[Deviation]) -> list[Deviation]:
    """Return the deviations of building a serial into a unit in rework: of one, for its order."""
    return [replace(each, work_order=work_order, quantity="1") for each in met]


def note_built_in(
    conn: Connection,
    met: list[Deviation],
    line_id: int,
    serial: SerialFacts,
    booked: Answer,
    context: Context,
) -> Answer:
    """Record what was let pass of a serial that went into a unit in rework; return the answer with
    the exceptions of it."""
    if not met or booked.event_seq is None:
        return booked
    line = empty_slots.line_of(conn, line_id)
    accepted(conn, met, booked, line.work_order, context)
    for each in met:
        part = LetPassPart(
            kind=USED_IN_SPITE[each.situation],
            work_order_id=line.work_order_id,
            work_order=line.work_order,
            line_id=line_id,
            line=line.line,
            item_id=line.item_id,
            item=line.item,
            lot_id=serial.lot_id,
            quantity_micro=MICRO,
            cause_code="let_pass",
            cause=each.said,
        )
        booked = note_let_pass(conn, part, booked, context)
    return booked


def _fill(
    conn: Connection,
    serial: SerialFacts,
    empty: EmptySlot,
    unit: PlannedUnit,
    unit_id: int,
    unit_serial: str,
    source: Held,
    context: Context,
) -> Answer:
    order = order_of(conn, unit.work_order, context)
    booked = _pass(serial, empty, order, unit.lot_id or 0, source)
    report_seq = post_pass(conn, booked, context)
    materials.take(conn, [Taken(source, MICRO)])
    slots.fill(
        conn,
        serial.lot_id,
        line_id=empty.line_id,
        work_order_id=order.work_order_id,
        unit_id=unit_id,
        scan_seq=context.scan.scan_seq,
        let_pass=LetPass(),
        report_seq=report_seq,
    )
    said = f"filled in rework with {serial.serial}"
    empty_slots.fill(conn, empty, report_seq, resolution=said)
    took = Consumed(
        empty.line, serial.item, None, serial.serial, source.location, "1", empty.uom, "exact"
    )
    less = OpenedException(empty.exception_id, "component_serial", empty.line, serial.item, "-1")
    return answer(
        context,
        "recorded",
        f"{serial.item} {serial.serial} is in unit {unit_serial}, which lacked it",
        f"Scan {unit_serial} when it is done",
        work_order=order.work_order,
        order_status=order.status,
        item=serial.item,
        quantity="1",
        serial=serial.serial,
        report_id=context.scan.scan_id,
        consumed=[took],
        exceptions=[less],
        event_seq=report_seq,
    )


def _pass(
    serial: SerialFacts, empty: EmptySlot, order: OrderFacts, unit_lot_id: int, source: Held
) -> Pass:
    rule = empty.location_rule if source.location_id == empty.location_id else None
    actual = LineActual(
        "Consumed", serial.item, None, serial.serial, "1", empty.uom, source.location, empty.line,
        empty.erp_ref, "issued", "exact",
    )  # fmt: skip
    return Pass(
        kind="exchange",
        order=order,
        lot_id=unit_lot_id,
        reason=None,
        actuals=[actual],
        movements=[
            (empty.line_id, serial.lot_id, source.container_id, source.location_id,
             order.production_id, MICRO, "issue", rule)
        ],
        edges=[
            (unit_lot_id, serial.lot_id, empty.line_id, MICRO, "exact"),
            (unit_lot_id, empty.nameless_lot_id, empty.line_id, -MICRO, "unknown"),
        ],
    )  # fmt: skip

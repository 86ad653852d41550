"""The unit at hand and its slots: what a unit still lacks, and what goes into it (BF-18)."""

from msgspec import Struct

from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.report_plan import Unit
from mes_terminal.domain.slots import (
    EmptySlots,
    Filled,
    SlotLine,
    empty_slots,
    in_words,
    lacking,
    missing,
    seated,
)
from mes_terminal.store import mounts, slots
from mes_terminal.store.database import Connection
from mes_terminal.usecases.apply_policy import blocked, is_blocked
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.flagged_lots import deviations_of_lot


def needs_parts(
    conn: Connection, order: OrderFacts, unit: Unit | None, context: Context
) -> Answer | None:
    """Make the unit the one at hand if slots of it are empty, and say what it lacks; else `None`.

    `unit` is `None` for a product without serials: its next unit.
    """
    unit_id = unit.unit_id if unit is not None else None
    lines = slots.read_slots(conn, order.work_order_id, unit_id)
    lacks = missing(lines)
    if not lacks:
        return None
    if unit is not None:
        fills = slots.read_filled(conn, order.work_order_id, today=context.today)
        mine = [fill.source.lot_id for fill, _ in seated(lines, fills, [unit_id])]
        slots.give_to_unit(conn, mine, unit.unit_id)
    name = f"Unit {unit.serial}" if unit is not None else f"The next {order.item}"
    return answer(
        context,
        "needs",
        f"{name} lacks {in_words(lacks)}",
        f"Scan the serial of {lacks[0].line.item}",
        reason="component",
        work_order=order.work_order,
        order_status=order.status,
        item=order.item,
        serial=unit.serial if unit is not None else None,
        session=changed(
            context.session,
            work_order_id=order.work_order_id,
            unit_id=unit_id,
            next_unit=unit is None,
        ),
    )


class Parts(Struct, frozen=True):
    """What goes into the units of a report."""

    seated: list[tuple[Filled, int]]
    """Each serial with the place of its unit."""
    lacking: list[tuple[str, int]]
    """(component, how many of the units lack it) where slots are empty."""
    empty: list[EmptySlots]
    """The same, unit by unit."""


def parts_of(
    conn: Connection,
    order: OrderFacts,
    units: list[Unit],
    count: int,
    *,
    today: str,
    lines: list[SlotLine] | None = None,
) -> Parts:
    """Return what is in the slots of `units`, or of the next `count` where they have no serials.

    `lines`: those with slots, where the caller has read them.
    """
    if not order.has_slots:
        return Parts([], [], [])
    unit_ids: list[int | None] = [unit.unit_id for unit in units] or [None] * count
    if lines is None:
        lines = slots.read_slots(conn, order.work_order_id, None)
    fills = slots.read_filled(conn, order.work_order_id, today=today)
    empty = empty_slots(lines, fills, unit_ids)
    return Parts(seated(lines, fills, unit_ids), lacking(lines, empty), empty)


def deviations_of_serial(
    conn: Connection, serial: slots.SerialFacts, context: Context
) -> list[Deviation]:
    """Return the deviations of building the serial in: it is held, or expired (BF-24)."""
    material = mounts.read_material(conn, serial.lot_id, 0)
    return deviations_of_lot(conn, material, context)


def refuse_serial(
    serial: slots.SerialFacts, met: list[Deviation], context: Context
) -> Answer | None:
    """Return why a component's serial may not be built in; `None` if it may, or if the control
    matrix does not block the deviations met (BF-24)."""
    name = f"{serial.item} {serial.serial}"
    session = context.session
    if (
        serial.sits_in is not None
        and not serial.is_built_in
        and (
            serial.slot_unit_id == session.unit_id and serial.slot_order_id == session.work_order_id
        )
    ):
        return answer(
            context,
            "already_done",
            f"{name} is in its slot already",
            "Scan the next component",
            item=serial.item,
            serial=serial.serial,
        )
    if serial.sits_in is not None:
        reason, said = "serial_in_use", f"{name} sits in {serial.sits_in}"
    elif is_blocked(met, context):
        return blocked(met, context, item=serial.item, serial=serial.serial)
    elif serial.status == "rejected":
        reason, said = "lot_on_hold", f"{name} is rejected"
    elif serial.expires_on is not None and context.session.clock_in_doubt:
        reason, said = "clock", f"The clock is in doubt: {name} has an expiry"
    elif not serial.on_hand_micro:
        reason, said = "serial_unknown", f"{name} is not in stock here"
    else:
        return None
    return answer(
        context,
        "rejected",
        f"{said}. Nothing was booked",
        f"Take another {serial.item}, or call a supervisor",
        reason=reason,
        item=serial.item,
        serial=serial.serial,
    )

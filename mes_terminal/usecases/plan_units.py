"""The planned units of serial-tracked products that a load brings: each serial in one order once.

Reads in bulk, writes nothing. Called when orders are planned.
"""

from collections import defaultdict
from collections.abc import Iterator

from msgspec import Struct

from mes_terminal.domain.bom import Plant
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.exchange import rows
from mes_terminal.exchange.faults import Fault
from mes_terminal.store import order_snapshot
from mes_terminal.store.order_snapshot import Values
from mes_terminal.usecases.merged_rows import Merged
from mes_terminal.usecases.plan_reads import PlanReads


class UnitsPlan(Struct, frozen=True):
    """Units that leave their order, units as they will be planned, and what is wrong."""

    gone: list[Values]
    planned: list[Values]
    faults: list[Fault]


def plan_units(reads: PlanReads, merged: Merged, plant: Plant) -> UnitsPlan:
    """Return what `work_order_serials.csv` changes."""
    orders = merged.rows("work_orders", rows.WorkOrderRow)
    changes = merged.tables["work_order_serials"].changes
    touched = {change.key[0] for change in changes}
    by_order: dict[str, list[rows.WorkOrderSerialRow]] = defaultdict(list)
    for row in merged.rows("work_order_serials", rows.WorkOrderSerialRow).values():
        if (row.work_order,) in orders:
            by_order[row.work_order].append(row)
    gone: list[Values] = [
        {"work_order": change.key[0], "serial": change.key[1]}
        for change in changes
        if change.new is None
    ]
    planned: list[Values] = []
    faults: list[Fault] = []
    for work_order, units in by_order.items():
        order = orders[work_order,]
        if units[0].at:
            faults += _check_order(order, units, plant)
        if work_order in touched:
            planned += [
                {
                    "work_order": work_order,
                    "item": order.item,
                    "serial": unit.serial,
                    "position": position,
                }
                for position, unit in enumerate(units, start=1)
            ]
    faults += _check_elsewhere(
        reads, by_order, orders, {(g["work_order"], g["serial"]) for g in gone}
    )
    return UnitsPlan(gone, planned, faults)


def _check_order(
    order: rows.WorkOrderRow, units: list[rows.WorkOrderSerialRow], plant: Plant
) -> Iterator[Fault]:
    item = plant.items.get(order.item)
    if item and item.tracking != "serial":
        yield _fault(
            units[0], "work_order", f"{order.item} is not tracked by serial; remove its serials"
        )
    elif len(units) * MICRO > order.quantity and not order.faulty:
        yield _fault(
            units[-1],
            "serial",
            f"{order.work_order} has {len(units)} serials for {format_quantity(order.quantity)} "
            "units; remove some, or raise the quantity",
        )


def _check_elsewhere(
    reads: PlanReads,
    by_order: dict[str, list[rows.WorkOrderSerialRow]],
    orders: dict[tuple[str, ...], rows.WorkOrderRow],
    gone: set[tuple[str, str]],
) -> Iterator[Fault]:
    listed = [(orders[name,].item, unit) for name, units in by_order.items() for unit in units]
    known = reads(order_snapshot.read_units, {(item, unit.serial) for item, unit in listed})
    claimed: dict[tuple[str, str], str] = {}
    for item, unit in listed:
        holder = claimed.setdefault((item, unit.serial), unit.work_order)
        stored = known.get((item, unit.serial))
        if stored and (stored.made or (stored.work_order, unit.serial) not in gone):
            holder = stored.work_order
        if holder != unit.work_order:
            yield _fault(
                unit, "serial", f"{item} {unit.serial} belongs to {holder}; correct the serial"
            )


def _fault(row: rows.WorkOrderSerialRow, column: str, message: str) -> Fault:
    return Fault("work_order_serials.csv", row.at or None, column, message)

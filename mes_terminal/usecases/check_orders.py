"""What is checked of an order at load beside its cells. Called when orders are planned."""

from collections.abc import Iterable, Iterator, Mapping

from mes_terminal.domain.bom import Plant
from mes_terminal.domain.conversions import Conversions
from mes_terminal.domain.explosion import Explosion, targets
from mes_terminal.domain.quantity import QUANTITY_MAX_MICRO, format_quantity
from mes_terminal.exchange import rows
from mes_terminal.exchange.faults import Fault
from mes_terminal.store.order_snapshot import OrderState
from mes_terminal.usecases.check_plant import no_step
from mes_terminal.usecases.merged_rows import Merged
from mes_terminal.usecases.plant_of_rows import in_base_units


def check_order(
    merged: Merged, plant: Plant, row: rows.WorkOrderRow, state: OrderState | None
) -> Iterator[Fault]:
    """Find what is wrong with an order's own cells; `state`: it is there and changes."""
    if not row.at:
        return
    item = plant.items[row.item]
    item_row = merged.rows("items", rows.ItemRow)[(row.item,)]
    if item.kind != "manufactured" and not item_row.faulty:
        yield _at(
            row,
            "item",
            f"{row.item} is {item.kind}, so no order can make it; correct the order, or give "
            "the item kind manufactured",
        )
    if row.faulty or item_row.faulty:
        return
    for column in ("quantity", "completed_so_far", "scrapped_so_far"):
        if getattr(row, column) % item.step_micro:
            yield _at(row, column, no_step(getattr(row, column), item_row))
    if state is not None:
        yield from _check_change(row, state)


def _check_change(row: rows.WorkOrderRow, state: OrderState) -> Iterator[Fault]:
    reported = state.good_micro + (0 if row.replace_scrap else state.scrapped_micro)
    if row.quantity < reported and row.quantity != state.quantity_micro:
        yield _at(
            row,
            "quantity",
            f"{format_quantity(reported)} are reported already; write at least that",
        )
    if not state.snapshot_version:
        return
    if row.item != state.item:
        yield _at(
            row, "item",
            f"{row.work_order} is released for {state.item}; cancel it and send a new order",
        )  # fmt: skip
    elif row.revision and row.revision != state.revision:
        yield _at(
            row, "revision",
            f"{row.work_order} is released by revision {state.revision}; cancel it and send "
            "a new order",
        )  # fmt: skip


def check_explicit_lines(
    merged: Merged,
    plant: Plant,
    conversions: Conversions,
    lines: Iterable[rows.WorkOrderLineRow],
) -> Iterator[Fault]:
    """Find explicit lines without a conversion, or with planned scrap of serials."""
    for line in lines:
        if line.component not in plant.items or not line.at:
            continue
        base = in_base_units(merged, conversions, line.component, line.quantity, line.uom)
        if isinstance(base, str):
            yield Fault("work_order_lines.csv", line.at, "uom", base)
        if line.scrap_pct and plant.items[line.component].tracking == "serial":
            yield Fault(
                "work_order_lines.csv",
                line.at,
                "scrap_pct",
                f"{line.component} is tracked by serial and cannot have planned scrap; set it to 0",
            )


def check_exploded(
    plant: Plant, foreign: Mapping[str, str], row: rows.WorkOrderRow, exploded: Explosion
) -> Iterator[Fault]:
    """Find lines that draw where another station writes, or needs that cannot be counted."""
    for line in exploded.lines:
        if line.location in foreign and line.issue_method != "bulk":
            yield _at(
                row,
                "work_order",
                f"line {line.line} would draw from {line.location}, which is written by "
                f"{foreign[line.location]} only; give it another supply location",
            )
        step = plant.items[line.component].step_micro
        if sum(targets(line, row.quantity, step)) > QUANTITY_MAX_MICRO:
            yield _at(
                row, "quantity",
                f"needs more {line.component} than can be counted; write less",
            )  # fmt: skip


def _at(row: rows.WorkOrderRow, column: str | None, message: str) -> Fault:
    return Fault("work_orders.csv", row.at or None, column, message)

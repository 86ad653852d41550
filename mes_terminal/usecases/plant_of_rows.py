"""Master-data rows to the values the domain reckons with: conversions, items, BOMs, routings.

Leaves out what cannot be: lines of unknown components or without a conversion. Their faults are
told by the checks. Called by the load.
"""

from collections import defaultdict
from collections.abc import Iterable
from fractions import Fraction

from mes_terminal.domain.bom import (
    Bom,
    BomLine,
    ItemPolicy,
    Operation,
    Plant,
    Substitute,
    WorkCentre,
    line_order,
)
from mes_terminal.domain.conversions import Conversion, Conversions
from mes_terminal.domain.quantity import step_micro
from mes_terminal.exchange import rows
from mes_terminal.usecases.merged_rows import Key, Merged


def conversions_of(merged: Merged) -> Conversions:
    """Return every conversion; one unit to itself is left out."""
    return Conversions(
        Conversion(row.item, row.from_uom, row.to_uom, Fraction(*row.factor))
        for row in merged.rows("unit_conversions", rows.ConversionRow).values()
        if row.from_uom != row.to_uom
    )


def plant_of(merged: Merged, conversions: Conversions) -> Plant:
    """Return the plant as it will be."""
    items = items_of(merged)
    return Plant(
        items=items,
        boms=_boms(merged, conversions),
        routings=_routings(merged),
        work_centres={
            row.work_centre: WorkCentre(
                supply_location=row.supply_location,
                output_location=row.output_location,
                issue_method=row.issue_method,
            )
            for row in merged.rows("work_centres", rows.WorkCentreRow).values()
        },
    )


def items_of(merged: Merged) -> dict[str, ItemPolicy]:
    """Return the items; a kind that no file states is `manufactured` if there is a BOM."""
    made = {row.item for row in merged.rows("boms", rows.BomRow).values()}
    return {
        row.item: ItemPolicy(
            item=row.item,
            kind=row.kind or ("manufactured" if row.item in made else "purchased"),
            tracking=row.tracking,
            step_micro=step_micro(row.decimals),
            issue_method=row.issue_method,
            mount=row.mount,
        )
        for row in merged.rows("items", rows.ItemRow).values()
    }


def in_base_units(
    merged: Merged, conversions: Conversions, item: str, quantity: int, uom: str | None
) -> Fraction | str:
    """Return micro-units of the item's base unit, or why there is no conversion."""
    row = merged.rows("items", rows.ItemRow)[(item,)]
    if uom is None or uom == row.uom:
        return Fraction(quantity)
    factor = conversions.factor(item, uom, row.uom)
    return quantity * factor if isinstance(factor, Fraction) else factor.message


def explicit_bom(
    merged: Merged,
    conversions: Conversions,
    order: rows.WorkOrderRow,
    lines: Iterable[rows.WorkOrderLineRow],
) -> Bom:
    """Return the explicit lines of an order: quantities for the whole order as loaded."""
    return Bom(
        item=order.item,
        revision=order.revision or "",
        output_micro=order.quantity,
        level="order_line",
        lines=tuple(
            BomLine(
                line=row.line,
                component=row.component,
                quantity=quantity,
                basis=row.basis,
                scrap_pct_micro=row.scrap_pct,
                operation=row.operation,
                issue_method=row.issue_method,
                supply_location=row.supply_location,
                erp_ref=row.erp_ref,
            )
            for row in lines
            if (row.component,) in merged.tables["items"].rows
            and isinstance(
                quantity := in_base_units(
                    merged, conversions, row.component, row.quantity, row.uom
                ),
                Fraction,
            )
        ),
    )


def _boms(merged: Merged, conversions: Conversions) -> dict[str, list[Bom]]:
    lines = _bom_lines(merged, conversions)
    boms: dict[str, list[Bom]] = defaultdict(list)
    for key, row in merged.rows("boms", rows.BomRow).items():
        boms[row.item].append(
            Bom(
                item=row.item,
                revision=row.revision,
                output_micro=row.output_quantity,
                effective_from=row.effective_from,
                effective_to=row.effective_to,
                lines=tuple(lines.get(key, ())),
            )
        )
    return dict(boms)


def _bom_lines(merged: Merged, conversions: Conversions) -> dict[Key, list[BomLine]]:
    substitutes: dict[Key, list[Substitute]] = defaultdict(list)
    for key, substitute in merged.rows("bom_substitutes", rows.SubstituteRow).items():
        substitutes[key[:3]].append(
            Substitute(
                item=substitute.substitute,
                ratio=Fraction(*substitute.ratio),
                priority=substitute.priority,
                approval=substitute.approval,
                choice=substitute.choice,
            )
        )
    items = merged.tables["items"].rows
    lines: dict[Key, list[BomLine]] = defaultdict(list)
    for key, row in merged.rows("bom_lines", rows.BomLineRow).items():
        if (row.component,) not in items:
            continue
        quantity = in_base_units(merged, conversions, row.component, row.quantity, row.uom)
        if isinstance(quantity, str):
            continue
        lines[key[:2]].append(
            BomLine(
                line=row.line,
                component=row.component,
                quantity=quantity,
                basis=row.basis,
                scrap_pct_micro=row.scrap_pct,
                scrap_mode=row.scrap_mode,
                planned_scrap=row.planned_scrap,
                operation=row.operation,
                issue_method=row.issue_method,
                supply_location=row.supply_location,
                mount=row.mount,
                mount_position=row.mount_position,
                effective_from=row.effective_from,
                effective_to=row.effective_to,
                role=row.role,
                cost_share_pct_micro=row.cost_share_pct,
                substitutes=tuple(substitutes.get(key, ())),
            )
        )
    return lines


def _routings(merged: Merged) -> dict[tuple[str, str], list[Operation]]:
    routings: dict[tuple[str, str], list[Operation]] = defaultdict(list)
    for row in merged.rows("routings", rows.RoutingRow).values():
        routings[row.item, row.revision].append(
            Operation(
                operation=row.operation,
                work_centre=row.work_centre,
                issue_method=row.issue_method,
            )
        )
    for operations in routings.values():
        operations.sort(key=lambda one: line_order(one.operation))
    return dict(routings)

"""The event of material that was mounted, issued, returned, scrapped, moved or adjusted."""

from collections.abc import Sequence

from mes_terminal.domain.order import LineFacts
from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.posting import (
    EventDraft,
    LineActual,
    MaterialActual,
    MaterialData,
    MovementRow,
)
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store.mounts import MaterialFacts
from mes_terminal.usecases.context import Context


def material_event(
    kind: str,
    material: MaterialFacts,
    actuals: Sequence[MaterialActual | LineActual],
    movements: Sequence[MovementRow],
    context: Context,
    *,
    work_order: str | None = None,
    reason: str | None = None,
) -> EventDraft:
    """Return the event; it follows the order's others where there is an order, else the item's."""
    return stock_event(
        kind,
        material.container or material.lot or material.serial or material.item,
        work_order or material.item,
        actuals,
        movements,
        context,
        work_order=work_order,
        reason=reason,
    )


def stock_event(
    kind: str,
    subject: str,
    partition_key: str,
    actuals: Sequence[MaterialActual | LineActual],
    movements: Sequence[MovementRow],
    context: Context,
    *,
    work_order: str | None = None,
    reason: str | None = None,
) -> EventDraft:
    """Return the event of stock that a scan changed, whatever it names as its subject."""
    return EventDraft(
        type=kind,
        subject=subject,
        partition_key=partition_key,
        event_time=context.scan.event_time,
        data=MaterialData(
            scan_id=context.scan.scan_id,
            work_order=work_order,
            reason=reason,
            person=context.badge,
            station=context.rules.station,
            master_data_version=str(context.session.master_data_version),
            event_time=context.scan.event_time,
            material_actuals=actuals,
        ),
        upstream=True,
        person=context.badge,
        reason=reason,
        movements=movements,
    )


def actual_of(
    use: str,
    material: MaterialFacts,
    quantity_micro: int,
    location: str,
    line: LineFacts | None,
    *,
    from_location: str | None = None,
) -> MaterialActual | LineActual:
    """Return what happened to a quantity, for an order line if there is one."""
    quantity = format_quantity(quantity_micro)
    if line is not None:
        return LineActual(
            use, material.item, material.lot, material.serial, quantity, material.uom, location,
            line.line, line.erp_ref, "issued", certainty_of(material),
        )  # fmt: skip
    if from_location is None:
        return MaterialActual(
            use, material.item, material.lot, material.serial, quantity, material.uom, location
        )
    return MaterialActual(
        use, material.item, material.lot, material.serial, quantity, material.uom, location,
        from_location,
    )  # fmt: skip


def certainty_of(material: MaterialFacts) -> Certainty | None:
    """Return how sure a draw is whose lot somebody scanned (BF-37)."""
    return None if material.tracking == "none" else "exact"

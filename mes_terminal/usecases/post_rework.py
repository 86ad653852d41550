"""Post a pass of rework: finished stock goes to rework, or comes back from it (BF-28).

A report of its own kind that moves what was made and changes no count of its order; nothing is
backflushed. Called by the use cases of rework, inside the caller's transaction.
"""

from typing import Literal

from msgspec import Struct

from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.posting import (
    EdgeRow,
    EventDraft,
    LineActual,
    MaterialActual,
    MovementRow,
    ReportData,
    ReportRow,
)
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.store import materials, reports
from mes_terminal.store.balances import note_arrival, shorten_expiry
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event
from mes_terminal.store.materials import Held, Place, Taken
from mes_terminal.store.mounts import MaterialFacts
from mes_terminal.usecases.context import Answer, Context
from mes_terminal.usecases.handled import refused

PassKind = Literal["rework", "reworked", "exchange"]


class Pass(Struct, frozen=True, kw_only=True):
    """What one scan of rework books for an order."""

    kind: PassKind
    order: OrderFacts
    lot_id: int
    """What is in rework."""
    reason: str | None
    actuals: list[MaterialActual | LineActual]
    movements: list[MovementRow]
    edges: list[EdgeRow] = []


def post_pass(conn: Connection, booked: Pass, context: Context) -> int:
    """Write event and report of a pass; return the report's sequence. Balances are the caller's.

    A product that inherits it expires no later than what was built in (BF-39).
    """
    scan, order = context.scan, booked.order
    expires_before = next(iter(reports.read_expiries(conn, [booked.lot_id])), None)
    if order.inherit_expiry:
        built_in = [used for _, used, _, quantity, _ in booked.edges if quantity > 0]
        days = reports.read_expiries(conn, built_in)
        shorten_expiry(conn, [(booked.lot_id, day) for day in days])
    return append_event(
        conn,
        EventDraft(
            type="production.reworked",
            subject=order.work_order,
            partition_key=order.work_order,
            event_time=scan.event_time,
            data=ReportData(
                report_id=scan.scan_id,
                scan_id=scan.scan_id,
                work_order=order.work_order,
                final=False,
                person=context.badge,
                station=context.rules.station,
                master_data_version=str(context.session.master_data_version),
                event_time=scan.event_time,
                reason=booked.reason,
                material_actuals=booked.actuals,
            ),
            upstream=True,
            person=context.badge,
            reason=booked.reason,
            movements=booked.movements,
            edges=booked.edges,
            report=ReportRow(
                work_order_id=order.work_order_id,
                kind=booked.kind,
                good_micro=0,
                scrapped_micro=0,
                lot_id=booked.lot_id,
                order_status_before=order.status,
                lot_expires_before=expires_before,
            ),
        ),
        context.head,
        scan,
        rules=context.rules,
    )


def move_pass(
    conn: Connection,
    kind: Literal["rework", "reworked"],
    order: OrderFacts,
    material: MaterialFacts,
    parts: list[Taken],
    place: Place,
    context: Context,
    *,
    reason: str | None,
    edges: list[EdgeRow] | None = None,
) -> int:
    """Book that parts of what an order made went to a place; return the report's sequence."""
    materials.take(conn, parts)
    materials.put(conn, parts, place.location_id)
    note_arrival(conn, material.item_id, place.location_id, material.lot_id)
    booked = Pass(
        kind=kind,
        order=order,
        lot_id=material.lot_id,
        reason=reason,
        actuals=[_moved(material, each, place) for each in parts],
        movements=[
            (None, material.lot_id, each.held.container_id, each.held.location_id,
             place.location_id, each.quantity_micro, "move", None)
            for each in parts
        ],
        edges=edges or [],
    )  # fmt: skip
    return post_pass(conn, booked, context)


def in_rework(held: list[Held]) -> list[Held]:
    """Return what of it lies at a rework location."""
    return [each for each in held if each.location_kind == "rework"]


def refuse_held(
    material: MaterialFacts, quantity_micro: int, order: OrderFacts, context: Context
) -> Answer | None:
    """Refuse what is on hold: it stays where it is; `None` if it is not."""
    if material.status == "available":
        return None
    status = "rejected" if material.status == "rejected" else "on hold"
    said = f"{phrase(material, quantity_micro, order)} is {status}"
    return refused(context, "lot_on_hold", said, "Call quality", order=order, material=material)


def phrase(material: MaterialFacts, quantity_micro: int, order: OrderFacts) -> str:
    """Return what goes in or out as people say it: `Unit E-1 of WO-1`, `2 pcs of CHAIR WO-2`."""
    if material.serial is not None:
        return f"Unit {material.serial} of {order.work_order}"
    said = f"{format_quantity(quantity_micro)} {material.uom} of {material.item}"
    if material.lot is None or material.lot == order.work_order:
        return f"{said} {order.work_order}"
    return f"{said} {material.lot} of {order.work_order}"


def _moved(material: MaterialFacts, part: Taken, place: Place) -> MaterialActual:
    return MaterialActual(
        "Moved",
        material.item,
        material.lot,
        material.serial,
        format_quantity(part.quantity_micro),
        material.uom,
        place.location,
        from_location=part.held.location,
    )

"""How a report is told: its outcome at the station, its event upstream. Pure.

Both say the same: what was consumed, scrapped and produced, lot by lot, and what is missing.
"""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from mes_terminal.domain.backflush import Draw, Piece, weaker
from mes_terminal.domain.operations import Gain
from mes_terminal.domain.order import LineFacts, OrderFacts
from mes_terminal.domain.order_changes import in_words
from mes_terminal.domain.outcome import Certainty, Consumed, OpenedException, Outcome
from mes_terminal.domain.output_lots import Output
from mes_terminal.domain.posting import (
    EdgeRow,
    EventDraft,
    LineActual,
    MaterialActual,
    MovementRow,
    OperationActual,
    ReportData,
)
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import ReportRequest

EVENT_TYPES = {
    "completion": "production.completed",
    "short_close": "production.completed",
    "operation": "operation.completed",
    "scrap": "production.scrapped",
}
"""The type of a report's event, by the report's kind."""


class Told(Struct, frozen=True):
    """What both say."""

    consumed: list[Consumed]
    scrapped: list[Consumed]
    actuals: list[MaterialActual | LineActual]
    opened: list[OpenedException]
    output: Output
    """Of the product, then of by- and co-products."""


def outcome_of(order: OrderFacts, request: ReportRequest, told: Told, status: str) -> Outcome:
    """Return the answer at the station."""
    wanted = request.wanted
    serial = wanted.units[0].serial if len(wanted.units) == 1 else None
    return Outcome(
        scan_id=request.scan.scan_id,
        code=request.code,
        outcome="completed",
        message=_message(order, request, told.opened),
        hint="Scan the next traveller" if request.closes else "Scan the next unit",
        work_order=order.work_order,
        order_status=status,
        item=order.item,
        quantity=format_quantity(wanted.units_micro),
        lot=told.output.lot,
        serial=serial,
        report_id=request.scan.scan_id,
        consumed=told.consumed,
        produced=told.output.produced,
        scrapped=told.scrapped,
        exceptions=told.opened,
    )


def event_of(
    order: OrderFacts,
    request: ReportRequest,
    told: Told,
    movements: list[MovementRow],
    edges: list[EdgeRow],
) -> EventDraft:
    """Return the report's event."""
    scan, wanted = request.scan, request.wanted
    produced: list[Any] = [
        MaterialActual("Produced", made.item, made.lot, made.serial, made.quantity, made.uom,
                       made.location)
        for made in told.output.produced
    ]  # fmt: skip
    return EventDraft(
        type=EVENT_TYPES[wanted.kind],
        subject=order.work_order,
        partition_key=order.work_order,
        event_time=scan.event_time,
        data=ReportData(
            report_id=scan.scan_id,
            scan_id=scan.scan_id,
            work_order=order.work_order,
            operation=request.operation,
            final=request.closes,
            person=request.person,
            station=request.station,
            master_data_version=request.master_data_version,
            event_time=scan.event_time,
            scrapped_quantity=format_quantity(wanted.scrapped_micro),
            scrapped_serials=[unit.serial for unit in wanted.units]
            if wanted.scrapped_micro
            else [],
            reason=wanted.reason,
            material_actuals=produced + told.actuals,
            labour_actuals=[operation_actual(gain) for gain in request.gains],
            exceptions=told.opened,
        ),
        upstream=True,
        person=request.person,
        reason=wanted.reason,
        movements=movements,
        edges=edges,
    )


def operation_actual(gain: Gain) -> OperationActual:
    """Return what the event of a report, or of its reversal, says of an operation."""
    return OperationActual(
        gain.operation,
        gain.work_centre,
        format_quantity(gain.good_micro),
        format_quantity(gain.scrapped_micro),
        format_quantity(gain.labour.setup_micro),
        format_quantity(gain.labour.run_micro),
    )


def actuals_of(
    draws: list[Draw], order: OrderFacts
) -> tuple[list[Consumed], list[Consumed], list[MaterialActual | LineActual]]:
    """Return what was consumed and scrapped, for the outcome and for the event.

    What mounted containers gave beyond their books is told before what was taken of them.
    """
    consumed: list[Consumed] = []
    scrapped: list[Consumed] = []
    actuals: list[MaterialActual | LineActual] = []
    for each in draws:
        line, piece = each.line, each.whole
        if piece is not None:
            parts = [(line.item, line.uom, piece.source.lot or None, piece.certainty,
                      piece.quantity_micro)]  # fmt: skip
        else:
            actuals += _gains(each)
            parts = _by_lot(each.net, each.net_missing_micro, line)
        for item, uom, name, certainty, micro in parts:
            quantity = format_quantity(micro)
            lot, serial = (None, name) if line.tracking == "serial" else (name, None)
            consumed.append(
                Consumed(line.line, item, lot, serial, line.location, quantity, uom, certainty)
            )
            actuals.append(
                LineActual("Consumed", item, lot, serial, quantity, uom, line.location,
                           line.line, line.erp_ref, "backflushed", certainty)
            )  # fmt: skip
        if not (each.scrap or each.scrap_missing_micro):
            continue
        for item, uom, lot, certainty, micro in _by_lot(each.scrap, each.scrap_missing_micro, line):
            quantity = format_quantity(micro)
            scrapped.append(
                Consumed(line.line, item, lot, None, order.scrap_location, quantity, uom,
                         certainty)
            )  # fmt: skip
            actuals.append(
                LineActual("Scrapped", item, lot, None, quantity, uom, line.location,
                           line.line, line.erp_ref, "backflushed", certainty)
            )  # fmt: skip
    return consumed, scrapped, actuals


def _gains(each: Draw) -> list[MaterialActual]:
    """Return what was found in mounted containers beyond their books (BF-17)."""
    line = each.line
    return [
        MaterialActual(
            "Adjusted",
            (piece.substitute or line).item,
            piece.source.lot or None,
            None,
            format_quantity(piece.gain_micro),
            (piece.substitute or line).uom,
            line.location,
        )
        for piece in (*each.net, *each.scrap)
        if piece.gain_micro
    ]


_Told = tuple[str, str, str | None, Certainty | None, int]
"""item, unit, lot, certainty, quantity."""


def _by_lot(pieces: Sequence[Piece], missing_micro: int, line: LineFacts) -> list[_Told]:
    """Return what was drawn by item and lot in the order drawn; containers of one lot count
    together.

    What is missing of an untracked item that may go negative was drawn all the same (BF-20).
    """
    negative_micro = missing_micro if line.shortage_policy == "negative" else 0
    merged: dict[tuple[str, str | None], _Told] = {}
    for piece in pieces:
        item = piece.substitute or line
        lot = piece.source.lot or None
        sure, quantity = piece.certainty, piece.quantity_micro
        known = merged.get((item.item, lot))
        if known is not None:
            quantity += known[4]
            if sure is not None and known[3] is not None:
                sure = weaker(known[3], sure)
        merged[item.item, lot] = (item.item, item.uom, lot, sure, quantity)
    if negative_micro:
        known = merged.get((line.item, None))
        drawn = known[4] if known else 0
        told = (line.item, line.uom, None, None, drawn + negative_micro)
        merged[line.item, None] = told
    return list(merged.values())


def _message(order: OrderFacts, request: ReportRequest, opened: list[OpenedException]) -> str:
    done = _what_was_done(order, request)
    if not (opened or request.gains or request.off_target or order.changes):
        return done
    short = [f"{each.item} is {each.quantity} short" for each in opened if each.kind == "shortage"]
    short += [
        f"the mounted {each.item} lacks {each.quantity}"
        for each in opened
        if each.kind == "lot_overdrawn"
    ]
    short += [
        f"{each.item} lacks {each.quantity} by number"
        for each in opened
        if each.kind == "component_serial"
    ]
    used = [
        f"{format_quantity(each.beyond_micro)} {each.line.item} beyond the tolerance"
        if each.is_over
        else f"{each.line.item} not issued"
        for each in request.off_target
    ]
    swept = [
        gain.operation
        for gain in request.gains
        if gain.good_micro and gain.operation != request.operation
    ]
    said = [f"swept {', '.join(swept)}"] if swept and request.wanted.kind == "operation" else []
    news = in_words(order.work_order, order.changes)
    return "; ".join([done, *said, *short, *used, *filter(None, [news])])


def _what_was_done(order: OrderFacts, request: ReportRequest) -> str:
    wanted = request.wanted
    done_micro = order.good_micro + wanted.good_micro
    match wanted.kind:
        case "operation":
            passed = format_quantity(wanted.passed_micro)
            return f"{order.work_order}: operation {request.operation} done for {passed}"
        case "scrap":
            ended = format_quantity(wanted.scrapped_micro)
            closed = ", the order is closed" if request.closes else ""
            return f"{order.work_order}: {ended} {order.item} scrapped ({wanted.reason}){closed}"
        case "short_close":
            return f"{order.work_order} closed short at {format_quantity(done_micro)}"
        case _:
            quantity = format_quantity(wanted.good_micro)
            if request.closes:
                return f"{order.work_order} closed: {quantity} {order.item}"
            done, total = format_quantity(done_micro), format_quantity(order.quantity_micro)
            return f"{order.work_order}: {quantity} {order.item}, {done} of {total}"

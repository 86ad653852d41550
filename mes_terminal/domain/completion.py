"""The ruling on a completion: from the order, what it reports and the draws to every row to write.

Pure. One report receives the good units, posts what each line drew, books what is missing as owed
with one exception a line (BF-20), names the genealogy (BF-37) and is told by one event (BF-12).
"""

from typing import Any

from msgspec import Struct

from mes_terminal.domain.backflush import Draw, Piece, weaker
from mes_terminal.domain.genealogy import edges_of
from mes_terminal.domain.order import LineFacts, OrderFacts, net_target_micro
from mes_terminal.domain.outcome import Certainty, Consumed, OpenedException, Outcome
from mes_terminal.domain.output_lots import Output, output_of
from mes_terminal.domain.posting import (
    EdgeRow,
    EventDraft,
    LineActual,
    MaterialActual,
    MovementRow,
    ReportData,
)
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import (
    ExceptionDraft,
    ReportPlan,
    ReportRequest,
    Shortfall,
    StockIn,
)


def plan_report(
    order: OrderFacts,
    draws: list[Draw],
    lines: list[LineFacts],
    left_micro: dict[int, int],
    shortfalls: dict[int, Shortfall],
    request: ReportRequest,
) -> ReportPlan:
    """Return every row of the report. `shortfalls` has an entry for each line not covered."""
    output = output_of(order, draws, request)
    exceptions = _exceptions(order, draws, lines, shortfalls, request)
    rows = _ledger(order, draws, shortfalls, output, request)
    opened = [
        OpenedException(
            draft.exception_id,
            draft.kind,
            draft.line.line,
            draft.line.item,
            format_quantity(draft.quantity_micro),
        )
        for draft in exceptions
    ]
    status = "closed" if request.closes else "started"
    consumed, scrapped, actuals = _actuals(draws, order)
    return ReportPlan(
        outcome=_outcome(order, request, output, consumed, scrapped, opened, status),
        event=_event(order, request, output, actuals, opened, rows),
        kind="short_close" if request.short_reason is not None else "completion",
        order_status=status,
        good_micro=request.good_micro,
        lot_id=output.lot_id,
        new_lots=output.new_lots,
        expires_on=output.expires_on,
        expires_before=order.output.expires_on,
        shortens_expiry=order.output.lot_id is not None
        and output.expires_on != order.output.expires_on
        and order.tracking == "lot",
        line_issues=rows.issues,
        line_totals=rows.totals,
        balances=[(left, balance) for balance, left in left_micro.items() if left],
        emptied=[(balance,) for balance, left in left_micro.items() if not left],
        stock_in=rows.stock_in + output.stock,
        output=output.stock[-1] if output.stock else None,
        exceptions=exceptions,
        unit_ids=[unit.unit_id for unit in request.units],
    )


def _exceptions(
    order: OrderFacts,
    draws: list[Draw],
    lines: list[LineFacts],
    shortfalls: dict[int, Shortfall],
    request: ReportRequest,
) -> list[ExceptionDraft]:
    drafts: list[ExceptionDraft] = []
    next_id = order.next_exception_id
    for each in draws:
        missing = each.net_missing_micro + each.scrap_missing_micro
        if not missing or each.line.shortage_policy == "negative":
            continue
        known = shortfalls[each.line.line_id]
        drafts.append(
            ExceptionDraft(
                known.exception_id or next_id,
                known.exception_id is None,
                "shortage",
                each.line,
                missing,
                each.scrap_missing_micro,
                known.cause,
            )
        )
        next_id += known.exception_id is None
    if not request.closes:
        return drafts
    reported = order.good_micro + order.scrapped_micro + request.good_micro
    for line in lines:
        if line.issue_method != "manual":
            continue
        missing = net_target_micro(line, reported) - line.net_taken_micro
        if missing > 0:
            cause = "not_issued"
            drafts.append(ExceptionDraft(next_id, True, "consumption", line, missing, 0, cause))
            next_id += 1
    place = {line.line_id: position for position, line in enumerate(lines)}
    return sorted(drafts, key=lambda draft: place[draft.line.line_id])


class _Ledger(Struct):
    """The ledger rows of a report, what each line's totals grow by, and stock that arrives."""

    movements: list[MovementRow] = []
    edges: list[EdgeRow] = []
    issues: list[tuple[int, int]] = []
    totals: list[tuple[int, int, int, int, int]] = []
    stock_in: list[StockIn] = []


def _ledger(
    order: OrderFacts,
    draws: list[Draw],
    shortfalls: dict[int, Shortfall],
    output: Output,
    request: ReportRequest,
) -> _Ledger:
    rows = _Ledger()
    production_id = order.production_id
    for each in draws:
        line = each.line
        issued = 0
        for piece in each.net:
            source = piece.source
            issued += piece.quantity_micro
            rows.movements.append(
                (line.line_id, source.lot_id, source.container_id, line.location_id,
                 production_id, piece.quantity_micro, "issue", line.location_rule)
            )  # fmt: skip
        missing = each.net_missing_micro or each.scrap_missing_micro
        if each.scrap or missing:
            _add_scrap_and_owed(rows, order, each, issued, shortfalls, request)
        else:
            rows.issues.append((issued, line.line_id))
        if line.tracking != "none":
            nameless = shortfalls[line.line_id].nameless_lot_id if missing else 0
            rows.edges += edges_of(each, output.children, nameless, order)
    rows.movements += [
        (None, stock.lot_id, 0, order.production_id, stock.location_id, stock.quantity_micro,
         "production", None)
        for stock in output.stock
    ]  # fmt: skip
    return rows


def _add_scrap_and_owed(
    rows: _Ledger,
    order: OrderFacts,
    each: Draw,
    issued: int,
    shortfalls: dict[int, Shortfall],
    request: ReportRequest,
) -> None:
    """Add planned scrap, and what was not covered: owed, or drawn below zero by policy (BF-20)."""
    line, scrapped = each.line, 0
    for piece in each.scrap:
        scrapped += piece.quantity_micro
        rows.movements.append(_scrap_movement(order, line, piece))
        rows.stock_in.append(_scrap_stock(order, piece, request.scan.event_time))
    owed, owed_scrap = each.net_missing_micro, each.scrap_missing_micro
    if (owed or owed_scrap) and line.shortage_policy == "negative":
        nameless_id = shortfalls[line.line_id].nameless_lot_id
        rows.movements += _negative_movements(order, each, nameless_id)
        rows.stock_in += _negative_stock(order, each, nameless_id, request)
        issued, scrapped, owed, owed_scrap = issued + owed, scrapped + owed_scrap, 0, 0
    rows.totals.append((issued, scrapped, owed, owed_scrap, line.line_id))


def _scrap_movement(order: OrderFacts, line: LineFacts, piece: Piece) -> MovementRow:
    source = piece.source
    return (line.line_id, source.lot_id, source.container_id, line.location_id,
            order.scrap_location_id, piece.quantity_micro, "scrap", None)  # fmt: skip


def _scrap_stock(order: OrderFacts, piece: Piece, arrived_at: str) -> StockIn:
    source = piece.source
    return StockIn(
        source.lot_id,
        order.scrap_location_id,
        piece.quantity_micro,
        arrived_at,
        source.container_id,
    )


def _negative_movements(order: OrderFacts, each: Draw, nameless_id: int) -> list[MovementRow]:
    line = each.line
    rows: list[MovementRow] = []
    if each.net_missing_micro:
        rows.append((line.line_id, nameless_id, 0, line.location_id, order.production_id,
                     each.net_missing_micro, "issue", line.location_rule))  # fmt: skip
    if each.scrap_missing_micro:
        rows.append((line.line_id, nameless_id, 0, line.location_id, order.scrap_location_id,
                     each.scrap_missing_micro, "scrap", None))  # fmt: skip
    return rows


def _negative_stock(
    order: OrderFacts, each: Draw, nameless_id: int, request: ReportRequest
) -> list[StockIn]:
    line, at = each.line, request.scan.event_time
    out = each.net_missing_micro + each.scrap_missing_micro
    rows = [StockIn(nameless_id, line.location_id, -out, at)]
    if each.scrap_missing_micro:
        rows.append(StockIn(nameless_id, order.scrap_location_id, each.scrap_missing_micro, at))
    return rows


def _actuals(
    draws: list[Draw], order: OrderFacts
) -> tuple[list[Consumed], list[Consumed], list[MaterialActual | LineActual]]:
    """Return what was consumed and scrapped, for the outcome and for the event."""
    consumed: list[Consumed] = []
    scrapped: list[Consumed] = []
    actuals: list[MaterialActual | LineActual] = []
    for each in draws:
        line = each.line
        for lot, certainty, micro in _by_lot(each.net, each.net_missing_micro, line):
            quantity = format_quantity(micro)
            consumed.append(
                Consumed(line.line, line.item, lot, None, line.location, quantity, line.uom,
                         certainty)
            )  # fmt: skip
            actuals.append(
                LineActual("Consumed", line.item, lot, None, quantity, line.uom, line.location,
                           line.line, line.erp_ref, "backflushed", certainty)
            )  # fmt: skip
        if not (each.scrap or each.scrap_missing_micro):
            continue
        for lot, certainty, micro in _by_lot(each.scrap, each.scrap_missing_micro, line):
            quantity = format_quantity(micro)
            scrapped.append(
                Consumed(line.line, line.item, lot, None, order.scrap_location, quantity,
                         line.uom, certainty)
            )  # fmt: skip
            actuals.append(
                LineActual("Scrapped", line.item, lot, None, quantity, line.uom, line.location,
                           line.line, line.erp_ref, "backflushed", certainty)
            )  # fmt: skip
    return consumed, scrapped, actuals


def _by_lot(
    pieces: list[Piece], missing_micro: int, line: LineFacts
) -> list[tuple[str | None, Certainty | None, int]]:
    """Return (lot, certainty, quantity) in the order drawn; containers of one lot count together.

    What is missing of an untracked item that may go negative was drawn all the same (BF-20).
    """
    if len(pieces) == 1 and not missing_micro:
        piece = pieces[0]
        return [(piece.source.lot or None, piece.certainty, piece.quantity_micro)]
    negative_micro = missing_micro if line.shortage_policy == "negative" else 0
    merged: dict[str | None, tuple[Certainty | None, int]] = {}
    for piece in pieces:
        lot = piece.source.lot or None
        sure, quantity = merged.get(lot, (piece.certainty, 0))
        if sure is not None and piece.certainty is not None:
            sure = weaker(sure, piece.certainty)
        merged[lot] = (sure, quantity + piece.quantity_micro)
    if negative_micro:
        merged[None] = (None, merged.get(None, (None, 0))[1] + negative_micro)
    return [(lot, sure, quantity) for lot, (sure, quantity) in merged.items()]


def _event(
    order: OrderFacts,
    request: ReportRequest,
    output: Output,
    actuals: list[MaterialActual | LineActual],
    opened: list[OpenedException],
    rows: _Ledger,
) -> EventDraft:
    scan = request.scan
    produced: list[Any] = [
        MaterialActual("Produced", made.item, made.lot, made.serial, made.quantity, made.uom,
                       made.location)
        for made in output.produced
    ]  # fmt: skip
    return EventDraft(
        type="production.completed",
        subject=order.work_order,
        partition_key=order.work_order,
        event_time=scan.event_time,
        data=ReportData(
            report_id=scan.scan_id,
            scan_id=scan.scan_id,
            work_order=order.work_order,
            final=request.closes,
            person=request.person,
            station=request.station,
            master_data_version=request.master_data_version,
            event_time=scan.event_time,
            material_actuals=produced + actuals,
            exceptions=opened,
        ),
        upstream=True,
        person=request.person,
        reason=request.short_reason,
        movements=rows.movements,
        edges=rows.edges,
    )


def _outcome(
    order: OrderFacts,
    request: ReportRequest,
    output: Output,
    consumed: list[Consumed],
    scrapped: list[Consumed],
    opened: list[OpenedException],
    status: str,
) -> Outcome:
    quantity = format_quantity(request.good_micro)
    serial = request.units[0].serial if len(request.units) == 1 else None
    return Outcome(
        scan_id=request.scan.scan_id,
        code=request.code,
        outcome="completed",
        message=_message(order, request, opened, quantity),
        hint="Scan the next traveller" if request.closes else "Scan the next unit",
        work_order=order.work_order,
        order_status=status,
        item=order.item,
        quantity=quantity,
        lot=output.lot,
        serial=serial,
        report_id=request.scan.scan_id,
        consumed=consumed,
        produced=output.produced,
        scrapped=scrapped,
        exceptions=opened,
    )


def _message(
    order: OrderFacts, request: ReportRequest, opened: list[OpenedException], quantity: str
) -> str:
    done = order.good_micro + request.good_micro
    if request.short_reason is not None:
        said = f"{order.work_order} closed short at {format_quantity(done)}"
    elif request.closes:
        said = f"{order.work_order} closed: {quantity} {order.item}"
    else:
        total = format_quantity(order.quantity_micro)
        said = f"{order.work_order}: {quantity} {order.item}, {format_quantity(done)} of {total}"
    short = [f"{each.item} is {each.quantity} short" for each in opened if each.kind == "shortage"]
    by_hand = [f"{each.item} not issued" for each in opened if each.kind == "consumption"]
    return "; ".join([said, *short, *by_hand])

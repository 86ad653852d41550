"""The ruling on a report: from the order, what it reports and the draws to every row to write.

Pure. One report receives the good units, posts what each line drew, books what is missing as owed
with one exception a line (BF-20), names the genealogy (BF-37) and is told by one event (BF-12).
"""

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.backflush import Draw, Piece
from mes_terminal.domain.by_products import full_edges, other_outputs
from mes_terminal.domain.genealogy import edges_of, with_other_edges
from mes_terminal.domain.instants import NOT_ARRIVED
from mes_terminal.domain.order import LineFacts, OrderFacts
from mes_terminal.domain.outcome import OpenedException
from mes_terminal.domain.output_lots import Output, output_of, process_expiry, shortened_lots
from mes_terminal.domain.posting import EdgeRow, MovementRow
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_exceptions import exceptions_of
from mes_terminal.domain.report_plan import (
    ExceptionDraft,
    ReportPlan,
    ReportRequest,
    Shortfall,
    StockIn,
)
from mes_terminal.domain.report_told import Told, actuals_of, event_of, outcome_of


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
    exceptions = exceptions_of(order, draws, lines, shortfalls, request)
    rows = _ledger(order, draws, shortfalls, output, request)
    if request.outputs:
        output = _with_others(rows, order, output, request)
    opened = _opened(exceptions)
    status = "closed" if request.closes else "started"
    wanted = request.wanted
    told = Told(*actuals_of(draws, order), opened, output)
    return ReportPlan(
        outcome=outcome_of(order, request, told, status),
        event=event_of(order, request, told, rows.movements, rows.edges),
        kind=wanted.kind,
        order_status=status,
        good_micro=wanted.good_micro,
        scrapped_micro=wanted.scrapped_micro,
        operation=request.operation,
        gains=request.gains,
        lot_id=output.lot_id,
        new_lots=output.new_lots,
        expires_on=output.expires_on,
        expires_before=order.output.expires_on,
        shortened=shortened_lots(order, output),
        process_expires_on=process_expiry(order, draws, request),
        line_issues=rows.issues,
        line_totals=rows.totals,
        balances=[(left, balance) for balance, left in left_micro.items() if left],
        emptied=[(balance,) for balance, left in left_micro.items() if not left],
        stock_in=rows.stock_in + output.stock,
        arrivals=rows.arrivals,
        exceptions=exceptions,
        substitutions=rows.substitutions,
        lot_gains=rows.gains,
        built_in=[fill.source.lot_id for fill, _ in wanted.seated],
        unit_ids=[unit.unit_id for unit in wanted.units],
    )


def _with_others(
    rows: "_Ledger", order: OrderFacts, output: Output, request: ReportRequest
) -> Output:
    """Receive by- and co-products too (BF-30); return the output with theirs."""
    others = other_outputs(
        request.outputs,
        order,
        request.wanted.good_micro,
        event_time=request.scan.event_time,
        today=request.today,
        next_lot_id=order.next_lot_id + len(output.new_lots),
    )
    stock = [each.stock for each in others]
    rows.movements += _received(order, stock)
    rows.edges += full_edges(rows.edges, others)
    rows.arrivals += [each.arrival for each in others]
    return replace(
        output,
        new_lots=output.new_lots + [new for each in others for new in each.new_lots],
        stock=output.stock + stock,
        produced=output.produced + [each.produced for each in others],
    )


def _opened(exceptions: list[ExceptionDraft]) -> list[OpenedException]:
    return [
        OpenedException(
            draft.exception_id,
            draft.kind,
            draft.line.line,
            draft.line.item,
            format_quantity(draft.quantity_micro),
        )
        for draft in exceptions
    ]


def _received(order: OrderFacts, stock: list[StockIn]) -> list[MovementRow]:
    return [
        (None, each.lot_id, 0, order.production_id, each.location_id, each.quantity_micro,
         "production", None)
        for each in stock
    ]  # fmt: skip


class _Ledger(Struct):
    """The ledger rows of a report, what each line's totals grow by, and stock that arrives."""

    movements: list[MovementRow] = []
    edges: list[EdgeRow] = []
    issues: list[tuple[int, int]] = []
    totals: list[tuple[int, int, int, int, int]] = []
    stock_in: list[StockIn] = []
    substitutions: list[tuple[int, int, int]] = []
    gains: list[tuple[int, int, int]] = []
    arrivals: list[tuple[int, int, int]] = []


def _ledger(
    order: OrderFacts,
    draws: list[Draw],
    shortfalls: dict[int, Shortfall],
    output: Output,
    request: ReportRequest,
) -> _Ledger:
    rows = _Ledger()
    production_id = order.production_id
    only_child = output.children[0].lot_id if len(output.children) == 1 else None
    for each in draws:
        line, whole = each.line, each.whole
        if whole is not None and only_child is not None:
            quantity, sure = whole.quantity_micro, whole.certainty
            rows.issues.append((quantity, line.line_id))
            rows.movements.append(_issue_movement(production_id, line, whole))
            if sure:
                rows.edges.append((only_child, whole.source.lot_id, line.line_id, quantity, sure))
            continue
        issued = 0
        for piece in each.net:
            issued += piece.covers_micro
            if piece.gain_micro or piece.substitute is not None:
                _note(rows, order, line, piece)
            rows.movements.append(_issue_movement(production_id, line, piece))
        missing = each.net_missing_micro or each.scrap_missing_micro
        if each.scrap or missing:
            _add_scrap_and_owed(rows, order, each, issued, shortfalls, request)
        else:
            rows.issues.append((issued, line.line_id))
        if line.tracking != "none" or any(piece.certainty for piece in each.net):
            nameless = shortfalls[line.line_id].nameless_lot_id if missing else 0
            rows.edges += edges_of(each, output.children, nameless, request)
    rows.movements += _received(order, output.stock)
    for last in output.stock[-1:]:
        rows.arrivals.append((order.item_id, last.location_id, last.lot_id))
    rows.edges = with_other_edges(rows.edges, order, output.children, request)
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
        scrapped += piece.covers_micro
        if piece.gain_micro or piece.substitute is not None:
            _note(rows, order, line, piece)
        rows.movements.append(_scrap_movement(order, line, piece))
        rows.stock_in.append(_scrap_stock(order, piece, request.scan.event_time))
    owed, owed_scrap = each.net_missing_micro, each.scrap_missing_micro
    if (owed or owed_scrap) and line.shortage_policy == "negative":
        nameless_id = shortfalls[line.line_id].nameless_lot_id
        rows.movements += _negative_movements(order, each, nameless_id)
        rows.stock_in += _negative_stock(order, each, nameless_id, request)
        issued, scrapped, owed, owed_scrap = issued + owed, scrapped + owed_scrap, 0, 0
    rows.totals.append((issued, scrapped, owed, owed_scrap, line.line_id))


def _note(rows: _Ledger, order: OrderFacts, line: LineFacts, piece: Piece) -> None:
    """Before the movement of a piece: add what its container gained (BF-17), and note how much of
    the component a substitute covers (BF-29)."""
    source, gain = piece.source, piece.gain_micro
    if gain:
        rows.movements.append(
            (None, source.lot_id, source.container_id, order.adjustment_id, line.location_id, gain,
             "adjustment", None)
        )  # fmt: skip
        rows.gains.append((source.lot_id, source.container_id, gain))
    if piece.substitute is not None:
        rows.substitutions.append((len(rows.movements), line.line_id, piece.substituted_micro))


def _issue_movement(production_id: int, line: LineFacts, piece: Piece) -> MovementRow:
    source = piece.source
    return (line.line_id, source.lot_id, source.container_id, line.location_id, production_id,
            piece.quantity_micro, "issue", line.location_rule)  # fmt: skip


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
    rows = [StockIn(nameless_id, line.location_id, -out, NOT_ARRIVED)]
    if each.scrap_missing_micro:
        rows.append(StockIn(nameless_id, order.scrap_location_id, each.scrap_missing_micro, at))
    return rows

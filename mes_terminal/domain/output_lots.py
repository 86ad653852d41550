"""What the good units of a report become: lot or serials, stock, expiry (BF-39). Pure."""

from collections.abc import Iterable

from msgspec import Struct

from mes_terminal.domain.backflush import Draw
from mes_terminal.domain.genealogy import Child
from mes_terminal.domain.instants import NO_EXPIRY
from mes_terminal.domain.order import OrderFacts, is_lot_known
from mes_terminal.domain.outcome import Produced
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.report_plan import NewLot, ReportRequest, StockIn, Wanted


class Output(Struct, frozen=True):
    """Where the good units go: lots to make, genealogy children, stock, and its words."""

    new_lots: list[NewLot]
    children: list[Child]
    stock: list[StockIn]
    produced: list[Produced]
    lot_id: int | None
    lot: str | None
    expires_on: str | None


def output_of(order: OrderFacts, draws: list[Draw], request: ReportRequest) -> Output:
    """Return what the reported units become; nothing if none are (a short close)."""
    wanted = request.wanted
    if not wanted.good_micro:
        return _no_stock(order, wanted)
    expires_on = _expiry(order, draws, request)
    if order.tracking == "serial":
        return _serial_output(order, request, expires_on)
    next_id = order.next_lot_id
    new_lots: list[NewLot] = []
    lot_id = order.output.lot_id
    if lot_id is None:
        lot_id = next_id
        new_lots.append(NewLot(lot_id, order.output.lot, "", 0))
        next_id += 1
    child_id = lot_id
    if order.tracking == "none":
        child_id = order.output.node_id or next_id
        if order.output.node_id is None:
            new_lots.append(NewLot(child_id, "", "", order.work_order_id))
    lot = order.output.lot or None
    stock = _stock(order, lot_id, wanted.good_micro, request)
    return Output(
        new_lots,
        [Child(child_id, wanted.good_micro)],
        [stock],
        [_produced(order, lot, None, wanted.good_micro)],
        lot_id,
        lot,
        expires_on,
    )


def process_expiry(order: OrderFacts, draws: list[Draw], request: ReportRequest) -> str | None:
    """Return the earliest expiry of what the order's operations took, this report's too: what is
    made of it later is no fresher (BF-11, BF-39)."""
    if not order.inherit_expiry or request.wanted.kind != "operation":
        return order.process_expires_on
    return _earliest([order.process_expires_on, _earliest_used(draws, request)])


def shortened_lots(order: OrderFacts, output: Output) -> list[int]:
    """Return the lots of the output that exist already and may expire sooner now; serials exist
    that were made before and taken back."""
    if not output.stock or output.expires_on is None or order.tracking == "none":
        return []
    if order.tracking == "lot" and output.expires_on == order.output.expires_on:
        return []
    new = {each.lot_id for each in output.new_lots}
    return [child.lot_id for child in output.children if child.lot_id not in new]


def _no_stock(order: OrderFacts, wanted: Wanted) -> Output:
    """Return what genealogy hangs on when nothing is received: units in process, or scrapped.

    Units in process are of the lot that the order names, else of the order's own node; scrapped
    units are themselves, or that node.
    """
    output = Output([], [], [], [], None, None, order.output.expires_on)
    quantity = wanted.units_micro
    if not quantity:
        return output
    next_id = order.next_lot_id
    if wanted.units:
        for unit in wanted.units:
            lot_id = unit.lot_id
            if lot_id is None:
                lot_id, next_id = next_id, next_id + 1
                output.new_lots.append(NewLot(lot_id, "", unit.serial, 0))
            output.children.append(Child(lot_id, quantity // len(wanted.units)))
        return output
    if wanted.kind == "operation" and is_lot_known(order):
        child_id, new = order.output.lot_id, NewLot(next_id, order.output.lot, "", 0)
    else:
        child_id, new = order.output.node_id, NewLot(next_id, "", "", order.work_order_id)
    if child_id is None:
        output.new_lots.append(new)
    output.children.append(Child(child_id or next_id, quantity))
    return output


def _serial_output(order: OrderFacts, request: ReportRequest, expires_on: str | None) -> Output:
    output = Output([], [], [], [], None, None, expires_on)
    next_id = order.next_lot_id
    for unit in request.wanted.units:
        lot_id = unit.lot_id
        if lot_id is None:
            lot_id = next_id
            next_id += 1
            output.new_lots.append(NewLot(lot_id, "", unit.serial, 0))
        one = request.wanted.good_micro // len(request.wanted.units)
        output.children.append(Child(lot_id, one))
        output.stock.append(_stock(order, lot_id, one, request))
        output.produced.append(_produced(order, None, unit.serial, one))
    return output


def _stock(order: OrderFacts, lot_id: int, quantity_micro: int, request: ReportRequest) -> StockIn:
    return StockIn(lot_id, order.output_location_id, quantity_micro, request.scan.event_time)


def _produced(
    order: OrderFacts, lot: str | None, serial: str | None, quantity_micro: int
) -> Produced:
    quantity = format_quantity(quantity_micro)
    return Produced(order.item, lot, serial, order.output_location, quantity, order.uom)


def _expiry(order: OrderFacts, draws: list[Draw], request: ReportRequest) -> str | None:
    """Return the shortest of own shelf life, inherited expiry and what the lot had (BF-39)."""
    days = [request.expires_on, order.output.expires_on]
    if order.inherit_expiry:
        days += [order.process_expires_on, _earliest_used(draws, request)]
    return _earliest(days)


def _earliest_used(draws: list[Draw], request: ReportRequest) -> str | None:
    """Return the earliest expiry of what the report takes itself, substitutes too."""
    return _earliest(
        [*request.inherits, *(piece.source.expires_on for each in draws for piece in each.net)]
    )


def _earliest(days: Iterable[str | None]) -> str | None:
    return min((day for day in days if day and day != NO_EXPIRY), default=None)

"""By- and co-products: what a report receives beside its product (BF-30). Pure.

Their quantity follows the good units, cumulatively, rounded down to the step: an output is never
rounded up (BF-5). What a reversal left of them beyond that, or took too much, the next report makes
up for (BF-31). Each has a lot of its own, named as the product's is, and every input of the
report is an input of theirs too.
"""

from collections.abc import Sequence
from typing import Protocol

from msgspec import Struct

from mes_terminal.domain.genealogy import Child
from mes_terminal.domain.instants import day_plus
from mes_terminal.domain.order import OrderFacts, OutputFacts
from mes_terminal.domain.outcome import Produced
from mes_terminal.domain.posting import EdgeRow
from mes_terminal.domain.quantity import floor_to_step, format_quantity
from mes_terminal.domain.report_plan import NewLot, StockIn


class Share(Protocol):
    """What the quantity of an output follows from, in micro-units of its item."""

    @property
    def per_unit(self) -> int:
        """0: it comes once for the order."""

    @property
    def net_num(self) -> int:
        """Per micro-unit of the product, as a fraction: this."""

    @property
    def net_den(self) -> int:
        """Over this."""

    @property
    def step_micro(self) -> int:
        """Its smallest amount."""


class Received(Struct, frozen=True):
    """What one of them becomes."""

    new_lots: list[NewLot]
    child: Child
    stock: StockIn
    produced: Produced
    arrival: tuple[int, int, int]
    """item, location, lot."""


def other_outputs(
    outputs: Sequence[OutputFacts],
    order: OrderFacts,
    good_micro: int,
    *,
    event_time: str,
    today: str,
    next_lot_id: int,
) -> list[Received]:
    """Return what is received beside `good_micro` more units of the product."""
    found: list[Received] = []
    for each in outputs:
        quantity = _wanted(each, order, good_micro)
        if quantity <= 0:
            continue
        new_lots: list[NewLot] = []
        life = each.shelf_life_days
        expires_on = None if life is None else day_plus(today, life)
        status = each.output_status
        lot_id = each.lot_id
        if lot_id is None:
            lot_id, next_lot_id = next_lot_id, next_lot_id + 1
            new_lots.append(NewLot(lot_id, each.lot, "", 0, each.item_id, status, expires_on))
        child_id = lot_id if each.tracking != "none" else each.node_id
        if child_id is None:
            child_id, next_lot_id = next_lot_id, next_lot_id + 1
            node = NewLot(child_id, "", "", order.work_order_id, each.item_id, status)
            new_lots.append(node)
        location_id = order.output_location_id
        text = format_quantity(quantity)
        lot = each.lot or None
        found.append(
            Received(
                new_lots,
                Child(child_id, quantity),
                StockIn(lot_id, location_id, quantity, event_time),
                Produced(each.item, lot, None, order.output_location, text, each.uom),
                (each.item_id, location_id, lot_id),
            )
        )
    return found


def _wanted(each: OutputFacts, order: OrderFacts, good_micro: int) -> int:
    more = target_micro(each, order.good_micro + good_micro) - target_micro(each, order.good_micro)
    return more - each.ahead_micro


def full_edges(edges: Sequence[EdgeRow], others: Sequence[Received]) -> list[EdgeRow]:
    """Return the same inputs for each of the other outputs."""
    if not others:
        return []
    inputs: dict[tuple[int, int], EdgeRow] = {}
    for child_id, parent_id, line_id, quantity, certainty in edges:
        known = inputs.get((parent_id, line_id))
        quantity += known[3] if known is not None else 0
        inputs[parent_id, line_id] = (child_id, parent_id, line_id, quantity, certainty)
    return [
        (each.child.lot_id, parent_id, line_id, quantity, certainty)
        for each in others
        for _, parent_id, line_id, quantity, certainty in inputs.values()
    ]


def ahead_after(
    outputs: Sequence[OutputFacts], order: OrderFacts, good_micro: int
) -> list[tuple[str, int]]:
    """Return, by line, what is then received beyond what the good units bring, where it changes."""
    return [
        (each.line, max(0, -_wanted(each, order, good_micro)))
        for each in outputs
        if each.ahead_micro
    ]


def target_micro(each: Share, good_micro: int) -> int:
    """Return what so many good units bring of it."""
    counted = good_micro if each.per_unit else int(good_micro > 0)
    return floor_to_step(each.net_num * counted, each.net_den, each.step_micro)

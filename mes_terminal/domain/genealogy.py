"""Genealogy edges of a report: from each lot consumed to what was made of it (BF-37). Pure.

With several children (serials) each line's draw is dealt out as if the units had been reported one
by one: unit k takes what the line's target grows by, from the pieces in the order drawn.
"""

from collections.abc import Iterator

from msgspec import Struct

from mes_terminal.domain.backflush import Draw, Piece, weaker
from mes_terminal.domain.order import OrderFacts, net_target_micro
from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.posting import EdgeRow


class Child(Struct, frozen=True):
    """A produced lot or serial, and how much of it the report made."""

    lot_id: int
    quantity_micro: int


def edges_of(
    each: Draw, children: list[Child], nameless_lot_id: int, order: OrderFacts
) -> list[EdgeRow]:
    """Return the edges of one line; what is owed hangs on the item's nameless lot (BF-21)."""
    line_id = each.line.line_id
    if len(children) == 1:
        child_id = children[0].lot_id
        if len(each.net) == 1 and not each.net_missing_micro:
            piece = each.net[0]
            return [_edge(child_id, piece.source.lot_id, line_id, piece)]
        return _merge(
            (child_id, parent_id, line_id, quantity, certainty)
            for parent_id, quantity, certainty in _parents(each, nameless_lot_id)
        )
    return _merge(_dealt_out(each, children, nameless_lot_id, order))


def _edge(child_id: int, parent_id: int, line_id: int, piece: Piece) -> EdgeRow:
    return child_id, parent_id, line_id, piece.quantity_micro, piece.certainty or "unknown"


def _parents(each: Draw, nameless_lot_id: int) -> Iterator[tuple[int, int, Certainty]]:
    for piece in each.net:
        yield piece.source.lot_id, piece.quantity_micro, piece.certainty or "unknown"
    if each.net_missing_micro:
        yield nameless_lot_id, each.net_missing_micro, "unknown"


def _dealt_out(
    each: Draw, children: list[Child], nameless_lot_id: int, order: OrderFacts
) -> Iterator[EdgeRow]:
    parents = _parents(each, nameless_lot_id)
    parent_id, left, certainty = next(parents, (0, 0, "unknown"))
    reported = order.good_micro + order.scrapped_micro
    taken = net_target_micro(each.line, reported)
    total = sum(piece.quantity_micro for piece in each.net) + each.net_missing_micro
    for position, child in enumerate(children, 1):
        reported += child.quantity_micro
        target = net_target_micro(each.line, reported)
        wanted = min(target - taken, total) if position < len(children) else total
        taken = target
        total -= wanted
        while wanted and left:
            part = min(wanted, left)
            yield child.lot_id, parent_id, each.line.line_id, part, certainty
            wanted -= part
            left -= part
            if not left:
                parent_id, left, certainty = next(parents, (0, 0, "unknown"))


def _merge(edges: Iterator[EdgeRow]) -> list[EdgeRow]:
    """Return one edge a child and parent, with the weaker certainty."""
    merged: dict[tuple[int, int], EdgeRow] = {}
    for child_id, parent_id, line_id, quantity, certainty in edges:
        known = merged.get((child_id, parent_id))
        if known is not None:
            quantity, certainty = quantity + known[3], weaker(certainty, known[4])
        merged[child_id, parent_id] = (child_id, parent_id, line_id, quantity, certainty)
    return list(merged.values())

"""Genealogy edges of a report: from each lot consumed to what was made of it (BF-37). Pure.

With several children (serials) each line's draw is dealt out as if the units had been reported one
by one: unit k takes what the line's target grows by, from the pieces in the order drawn.
"""

from collections.abc import Iterator

from msgspec import Struct

from mes_terminal.domain.backflush import Draw, Piece, weaker
from mes_terminal.domain.order import OrderFacts, is_lot_known, net_target_micro
from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.posting import EdgeRow
from mes_terminal.domain.quantity import MICRO, floor_to_step
from mes_terminal.domain.report_plan import ReportRequest


class Child(Struct, frozen=True):
    """A produced lot or serial, and how much of it the report made."""

    lot_id: int
    quantity_micro: int


def edges_of(
    each: Draw, children: list[Child], nameless_lot_id: int, request: ReportRequest
) -> list[EdgeRow]:
    """Return the edges of one line; what is owed hangs on the item's nameless lot (BF-21).

    What stood in for the component is in its own lot and units (BF-29).
    """
    line_id = each.line.line_id
    if each.line.tracking == "serial" and len(children) > 1:
        place = {fill.source.lot_id: unit for fill, unit in request.wanted.seated}
        return [
            _edge(children[place[piece.source.lot_id]].lot_id, piece.source.lot_id, line_id, piece)
            for piece in each.net
        ] + [
            (children[slot.place].lot_id, nameless_lot_id, line_id, slot.count * MICRO, "unknown")
            for slot in request.wanted.empty
            if slot.line_id == line_id
        ]
    if len(children) == 1:
        child_id = children[0].lot_id
        return _merge(
            (child_id, part.lot_id, line_id, part.quantity_micro, part.certainty)
            for part in _parents(each, nameless_lot_id)
            if part.certainty
        )
    return _merge(_dealt_out(each, children, nameless_lot_id, request.before.of(each.line)))


def with_other_edges(
    edges: list[EdgeRow], order: OrderFacts, children: list[Child], request: ReportRequest
) -> list[EdgeRow]:
    """Return the lines' edges with those of what no line drew now: hand issues (BF-10), and units
    in process whose parts were posted at an earlier operation (BF-11)."""
    if not (request.hand_issues or order.has_operations):
        return edges
    others = _other_edges(order, children, request)
    return _merge(iter(edges + others)) if others else edges


def _other_edges(order: OrderFacts, children: list[Child], request: ReportRequest) -> list[EdgeRow]:
    total = sum(child.quantity_micro for child in children)
    edges: list[EdgeRow] = []
    sure: Certainty = "exact" if total <= MICRO else "pooled"
    for each in request.hand_issues:
        left = each.quantity_micro
        for position, child in enumerate(children, 1):
            share = floor_to_step(
                each.quantity_micro * child.quantity_micro, total, each.step_micro
            )
            part = left if position == len(children) else min(share, left)
            left -= part
            if part:
                edges.append((child.lot_id, each.lot_id, each.line_id, part, sure))
    node_id = order.output.node_id
    in_node = order.has_operations and not is_lot_known(order) and request.wanted.good_micro
    if in_node and node_id is not None and not any(child.lot_id == node_id for child in children):
        edges += [
            (child.lot_id, node_id or 0, 0, child.quantity_micro, "pooled") for child in children
        ]
    return edges


def _edge(child_id: int, parent_id: int, line_id: int, piece: Piece) -> EdgeRow:
    return child_id, parent_id, line_id, piece.quantity_micro, piece.certainty or "unknown"


class _Parent(Struct, frozen=True):
    """What of a lot goes into the units, in its own units and in those of the component."""

    lot_id: int
    quantity_micro: int
    covers_micro: int
    certainty: Certainty | None
    """`None`: not tracked, so it has no edge."""

    def share(self, before: int, after: int) -> int:
        """Return what of it covers so much of the component beyond so much; the shares add up."""
        return (
            self.quantity_micro * after // self.covers_micro
            - self.quantity_micro * before // self.covers_micro
        )


def _parents(each: Draw, nameless_lot_id: int) -> Iterator[_Parent]:
    for piece in each.net:
        yield _Parent(
            piece.source.lot_id, piece.quantity_micro, piece.covers_micro, piece.certainty
        )
    missing = each.net_missing_micro
    if missing:
        sure: Certainty | None = "unknown" if each.line.tracking != "none" else None
        yield _Parent(nameless_lot_id, missing, missing, sure)


def _dealt_out(
    each: Draw, children: list[Child], nameless_lot_id: int, reported: int
) -> Iterator[EdgeRow]:
    parents = _parents(each, nameless_lot_id)
    nothing = _Parent(0, 0, 0, None)
    parent = next(parents, nothing)
    used = 0
    taken = net_target_micro(each.line, reported)
    total = sum(piece.covers_micro for piece in each.net) + each.net_missing_micro
    for position, child in enumerate(children, 1):
        reported += child.quantity_micro
        target = net_target_micro(each.line, reported)
        wanted = min(target - taken, total) if position < len(children) else total
        taken = target
        total -= wanted
        while wanted and parent.covers_micro:
            part = min(wanted, parent.covers_micro - used)
            share = parent.share(used, used + part)
            if parent.certainty and share:
                yield child.lot_id, parent.lot_id, each.line.line_id, share, parent.certainty
            wanted -= part
            used += part
            if used == parent.covers_micro:
                parent, used = next(parents, nothing), 0


def _merge(edges: Iterator[EdgeRow]) -> list[EdgeRow]:
    """Return one edge a child, parent and line, with the weaker certainty."""
    merged: dict[tuple[int, int, int], EdgeRow] = {}
    for child_id, parent_id, line_id, quantity, certainty in edges:
        known = merged.get((child_id, parent_id, line_id))
        if known is not None:
            quantity, certainty = quantity + known[3], weaker(certainty, known[4])
        merged[child_id, parent_id, line_id] = (child_id, parent_id, line_id, quantity, certainty)
    return list(merged.values())

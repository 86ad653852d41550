"""What a lot was made from, or went into: the genealogy walked, any depth (BF-37). Pure.

`walk` finds what is reached, `Trace` is the answer as JSON reads, `pairs` and `branches` are what
people are shown of it. Made by `usecases.trace`; drawn by the command line and the screen.
"""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec
from msgspec import Struct

from mes_terminal.domain.backflush import WEAKEST_LAST
from mes_terminal.domain.outcome import Certainty
from mes_terminal.domain.quantity import format_quantity, parse_quantity

LEVELS_DRAWN_MAX: Final = 8
"""Levels a tree is indented by; deeper ones say their number, so that a line keeps its room."""


class EdgeFact(NamedTuple):
    """A row of the genealogy as it is stored."""

    child_id: int
    parent_id: int
    report_seq: int
    line_id: int
    quantity_micro: int
    certainty: Certainty


class Subject(Struct, frozen=True):
    """What was asked for."""

    item: str
    lot: str | None
    serial: str | None


class TraceNode(Struct, frozen=True):
    """A lot, a serial, an item's nameless lot (no name at all), or an order's untracked output.

    `depth` is the least number of steps from what was asked for.
    """

    item: str
    lot: str | None
    serial: str | None
    work_order: str | None
    depth: int


class TraceEdge(Struct, frozen=True, rename={"origin": "from", "target": "to"}):
    """What one line of one report put of a component (`from`) into a product (`to`).

    Both are positions in the nodes. The quantity is negative in a reversal; `report_id` is absent
    where no scan led to it.
    """

    origin: int
    target: int
    quantity: str
    uom: str
    certainty: Certainty
    report_id: str | None


class Trace(Struct, frozen=True):
    """The answer; its fields are the JSON keys of `trace`, in order."""

    item: str
    lot: str | None
    serial: str | None
    nodes: list[TraceNode]
    edges: list[TraceEdge]


class TraceRow(Struct, frozen=True, omit_defaults=True):
    """A part of an answer on its way: the subject first, then each node, then each edge."""

    subject: Subject | None = None
    node: TraceNode | None = None
    edge: TraceEdge | None = None


class Reach(Struct, frozen=True):
    """What is reached: each lot with its depth, and the edges between them."""

    depths: dict[int, int]
    edges: list[EdgeFact]


class Pair(Struct, frozen=True):
    """All edges between the same two nodes: their sum, and the least certain of what is in it."""

    origin: int
    target: int
    quantity: str
    uom: str
    certainty: Certainty


class Branch(Struct, frozen=True):
    """One line of a tree. `pair` leads to it from the line it hangs on; the first has none."""

    node: int
    level: int
    rails: tuple[bool, ...]
    """For each level, at most `LEVELS_DRAWN_MAX`, whether more of its branches follow below."""
    pair: Pair | None
    is_repeated: bool
    """What hangs on it stands further up, where it came first."""


def walk(
    roots: Iterable[int], edges: Sequence[EdgeFact], *, forward: bool, show_all: bool
) -> Reach:
    """Return what the roots lead to: into products (`forward`), else down to components.

    A pair whose quantities sum to zero leads nowhere and is left out, unless `show_all`.
    """
    sums: dict[tuple[int, int], int] = {}
    for edge in edges:
        key = (edge.child_id, edge.parent_id)
        sums[key] = sums.get(key, 0) + edge.quantity_micro
    kept = {key for key, micro in sums.items() if show_all or micro}
    further: dict[int, list[int]] = {}
    for child_id, parent_id in kept:
        near_id, far_id = (parent_id, child_id) if forward else (child_id, parent_id)
        further.setdefault(near_id, []).append(far_id)
    depths = dict.fromkeys(roots, 0)
    waiting = deque(depths)
    while waiting:
        near_id = waiting.popleft()
        for far_id in further.get(near_id, ()):
            if far_id not in depths:
                depths[far_id] = depths[near_id] + 1
                waiting.append(far_id)
    near = 1 if forward else 0  # the field of an edge that must be reached for it to count
    return Reach(
        depths,
        [edge for edge in edges if edge[near] in depths and (edge[0], edge[1]) in kept],
    )


def assembled(rows: Iterable[bytes]) -> Trace:
    """Return the answer whose parts, as JSON objects, are `rows`."""
    decode = msgspec.json.Decoder(TraceRow).decode
    subject = Subject("", None, None)
    nodes: list[TraceNode] = []
    edges: list[TraceEdge] = []
    for raw in rows:
        row = decode(raw)
        if row.edge is not None:
            edges.append(row.edge)
        elif row.node is not None:
            nodes.append(row.node)
        elif row.subject is not None:
            subject = row.subject
    return Trace(subject.item, subject.lot, subject.serial, nodes, edges)


def pairs(trace: Trace) -> list[Pair]:
    """Return each pair of linked nodes once, in the order of its first edge."""
    found: dict[tuple[int, int], list[TraceEdge]] = {}
    for edge in trace.edges:
        found.setdefault((edge.origin, edge.target), []).append(edge)
    return [_pair(edges) for edges in found.values()]


def branches(trace: Trace, *, forward: bool) -> Iterator[Branch]:
    """Yield the lines of the tree from the top, one for what was asked for and one a pair."""
    hanging: dict[int, list[tuple[int, Pair]]] = {}
    for pair in pairs(trace):
        near, far = (pair.origin, pair.target) if forward else (pair.target, pair.origin)
        hanging.setdefault(near, []).append((far, pair))
    shown: set[int] = set()
    for node, each in enumerate(trace.nodes):
        if each.depth == 0 and node not in shown:
            yield from _tree(node, hanging, shown)


class _Open(Struct):
    """A line of the tree whose branches are being yielded."""

    branches: Iterator[tuple[int, Pair]]
    left: int
    rails: tuple[bool, ...]


def _tree(
    root: int, hanging: dict[int, list[tuple[int, Pair]]], shown: set[int]
) -> Iterator[Branch]:
    """Yield one tree, depth first, without recursion: a chain may be of any length."""
    shown.add(root)
    yield Branch(root, 0, (), None, is_repeated=False)
    opened = [_opened(hanging.get(root, []), ())]
    while opened:
        above = opened[-1]
        found = next(above.branches, None)
        if found is None:
            opened.pop()
            continue
        node, pair = found
        above.left -= 1
        level, rails = len(opened), above.rails
        if level <= LEVELS_DRAWN_MAX:
            rails = (*rails, above.left > 0)
        below = hanging.get(node, [])
        yield Branch(node, level, rails, pair, is_repeated=bool(below) and node in shown)
        if node not in shown:
            shown.add(node)
            opened.append(_opened(below, rails))


def _opened(below: list[tuple[int, Pair]], rails: tuple[bool, ...]) -> _Open:
    return _Open(iter(below), len(below), rails)


def _pair(edges: list[TraceEdge]) -> Pair:
    """Return the sum of edges between two nodes; what was taken back makes nothing less certain."""
    sums: dict[Certainty, int] = {}
    for edge in edges:
        micro = parse_quantity(edge.quantity)
        sums[edge.certainty] = sums.get(edge.certainty, 0) + micro
    first = edges[0]
    present = [certainty for certainty, micro in sums.items() if micro] or list(sums)
    return Pair(
        first.origin,
        first.target,
        format_quantity(sum(sums.values())),
        first.uom,
        max(present, key=WEAKEST_LAST.index),
    )

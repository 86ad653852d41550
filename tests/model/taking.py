"""What a line takes from which heap, step by step (BF-15, BF-17)."""

from dataclasses import dataclass, field
from fractions import Fraction

from tests.model.values import Heap, StandIn, StayKey, Take

Place = tuple[str, str, str, str]
Allowances = dict[Place, tuple[StayKey, Fraction]]
"""Heap by its place → whose gain it is, and how much it may give beyond its books."""
Parts = list[tuple[Heap, Fraction]]


@dataclass
class Cover:
    """A line as it is covered: the units first, then its scrap."""

    take: Take
    found: list[Heap]
    standing: list[tuple[StandIn, list[Heap]]]
    wanted: list[Fraction]
    parts: tuple[Parts, Parts] = field(default_factory=lambda: ([], []))
    added: list[Fraction] = field(default_factory=lambda: [Fraction(0), Fraction(0)])
    """How much more than their quantities the parts count."""
    is_sized: bool = False
    """It is known how much the container in its position holds."""


def place_of(heap: Heap) -> Place:
    """Return where a heap is among all."""
    return heap.item, heap.lot, heap.container, heap.place


def distinct(heaps: list[Heap]) -> int:
    """Return how many lots and containers these are."""
    return len({(heap.item, heap.lot, heap.container) for heap in heaps})


def available(left: dict[Place, Fraction], more: Allowances, heap: Heap) -> Fraction:
    """Return what is left of a heap, with what it may give beyond its books."""
    place = place_of(heap)
    return left[place] + (more[place][1] if place in more else 0)


def draw_on(
    left: dict[Place, Fraction], more: Allowances, take: Take, heaps: list[Heap], parts: Parts,
    wanted: Fraction,
) -> Fraction:  # fmt: skip
    """Take from these heaps in turn, beyond their books where `more` says so; return how much."""
    drawn = Fraction(0)
    for heap in heaps:
        part = min(available(left, more, heap), wanted - drawn)
        if part <= 0:
            continue
        place = place_of(heap)
        gain = max(Fraction(0), part - left[place])
        left[place] -= part - gain
        if gain:
            key, allowed = more[place]
            more[place] = key, allowed - gain
            take.gains.append((heap, gain, key))
        parts.append((heap, part))
        drawn += part
    return drawn

"""Exact unit conversions (BF-2): an item's own before the global ones, chains unrounded.

A conversion implies its inverse. The shortest chain wins; chains of one level that disagree are a
fault that names them. Pure; used when master data is checked and by whoever reads a quantity in
another unit.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

from msgspec import Struct

_Graph = dict[str, dict[str, Fraction]]

ONE: Final = Fraction(1)


class Conversion(Struct, frozen=True):
    """One `from_uom` is `factor` `to_uom`, for `item` (empty: every item)."""

    item: str
    from_uom: str
    to_uom: str
    factor: Fraction


class ConversionFault(Struct, frozen=True):
    """Why a quantity cannot be converted, as a sentence with the mend."""

    message: str


class Contradiction(Struct, frozen=True):
    """A conversion that disagrees with a chain of others of its level."""

    conversion: Conversion
    message: str


class Conversions:
    """Every conversion known, ready to be asked. Immutable once made."""

    def __init__(self, conversions: Iterable[Conversion]) -> None:
        self._levels: dict[str, _Graph] = defaultdict(lambda: defaultdict(dict))
        self._merged: dict[str, _Graph] = {}
        self._answers: dict[tuple[str, str, str], Fraction | ConversionFault] = {}
        self.contradictions: list[Contradiction] = []
        for conversion in conversions:
            self._add(conversion)

    def factor(self, item: str, from_uom: str, to_uom: str) -> Fraction | ConversionFault:
        """Return how many `to_uom` one `from_uom` of `item` is, exactly."""
        if from_uom == to_uom:
            return ONE
        key = ("", from_uom, to_uom) if item not in self._levels else (item, from_uom, to_uom)
        if key not in self._answers:
            self._answers[key] = self._find(*key)
        answer = self._answers[key]
        if isinstance(answer, ConversionFault):
            return ConversionFault(answer.message.replace("\0", item))
        return answer

    def _add(self, conversion: Conversion) -> None:
        graph = self._levels[conversion.item]
        known = _chains(graph, conversion.from_uom, conversion.to_uom)
        if known and known != {conversion.factor}:
            others = " and ".join(_text(product) for product in sorted(known))
            self.contradictions.append(
                Contradiction(
                    conversion,
                    f"1 {conversion.from_uom} is {_text(conversion.factor)} {conversion.to_uom} "
                    f"here, but {others} by other conversions; correct one of them",
                )
            )
        graph[conversion.from_uom][conversion.to_uom] = conversion.factor
        graph[conversion.to_uom][conversion.from_uom] = 1 / conversion.factor

    def _find(self, item: str, from_uom: str, to_uom: str) -> Fraction | ConversionFault:
        own = _chains(self._levels.get(item, {}), from_uom, to_uom)
        products = own or _chains(self._merged_graph(item), from_uom, to_uom)
        if len(products) == 1:
            return next(iter(products))
        if products:
            found = " and ".join(_text(product) for product in sorted(products))
            return ConversionFault(
                f"1 {from_uom} is {found} {to_uom} by different conversions; correct one of them"
            )
        return ConversionFault(
            f"\0 has no conversion from {from_uom} to {to_uom}; add one to unit_conversions.csv"
        )

    def _merged_graph(self, item: str) -> _Graph:
        if item not in self._merged:
            merged: _Graph = {uom: dict(edges) for uom, edges in self._levels.get("", {}).items()}
            for uom, edges in self._levels.get(item, {}).items():
                merged.setdefault(uom, {}).update(edges)
            self._merged[item] = merged
        return self._merged[item]


def _chains(graph: _Graph, from_uom: str, to_uom: str) -> set[Fraction]:
    """Return the products of the shortest chains between two units; empty if there is none."""
    for level in _breadth_first(graph, from_uom):
        if to_uom in level:
            return level[to_uom]
    return set()


def _breadth_first(graph: _Graph, start: str) -> Iterator[dict[str, set[Fraction]]]:
    seen = {start}
    level: dict[str, set[Fraction]] = {start: {ONE}}
    while level:
        yield level
        following: dict[str, set[Fraction]] = defaultdict(set)
        for uom, products in level.items():
            for neighbour, factor in graph.get(uom, {}).items():
                if neighbour not in seen:
                    following[neighbour] |= {product * factor for product in products}
        seen |= following.keys()
        level = dict(following)


def _text(factor: Fraction) -> str:
    return str(factor)

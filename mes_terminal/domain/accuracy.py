"""How right the books were when they were counted: by place and class of item (BF-32). Pure.

A count of an item is one comparison. It is within the tolerance if nobody had to approve what it
found. Differences add up in two ways: without their sign, how far the books were off; with it,
which way. Quantities are added within one unit, values at standard cost.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final

from msgspec import Struct

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.worth import money

SHARE_PLACES: Final = 2
"""Decimal places of a share in percent, a half rounded up."""


class CountedOnce(Struct, frozen=True):
    """What one count of an item came to. Quantities in micro-units, the cost in millionths of the
    currency for so many of them."""

    location: str
    item_class: str | None
    uom: str
    expected_micro: int
    counted_micro: int
    was_within: int
    cost_micro: int | None
    per_micro: int


class Variance(Struct, frozen=True):
    """What counts found against what was expected, of one unit."""

    uom: str
    expected: str
    absolute: str
    net: str


class AccuracyRow(Struct, frozen=True):
    """How right the books were at a place, of a class of items."""

    location: str
    item_class: str | None
    counts: int
    within: int
    share_pct: str
    quantities: list[Variance]
    """By unit."""
    value_absolute: str | None
    """`None`: no counted item that was off has a standard cost."""
    value_net: str | None
    currency: str | None
    unvalued: int
    """Counts with a difference whose item has no standard cost: they are in no value."""


def accuracy_of(counted: Iterable[CountedOnce], *, currency: str) -> Iterator[AccuracyRow]:
    """Yield a row for each place and class, by their names, those without a class first."""
    sums: dict[tuple[str, str], _Sum] = {}
    for each in counted:
        sums.setdefault((each.location, each.item_class or ""), _Sum()).add(each)
    for (location, item_class), found in sorted(sums.items(), key=lambda entry: entry[0]):
        yield found.row(location, item_class or None, currency)


class _Sum:
    """What the counts of one place and class add up to."""

    def __init__(self) -> None:
        self._counts = self._within = self._valued = self._unvalued = 0
        self._by_unit: dict[str, list[int]] = {}
        self._absolute = self._net = Fraction(0)

    def add(self, each: CountedOnce) -> None:
        difference = each.counted_micro - each.expected_micro
        self._counts += 1
        self._within += each.was_within
        unit = self._by_unit.setdefault(each.uom, [0, 0, 0])
        for place, micro in enumerate((each.expected_micro, abs(difference), difference)):
            unit[place] += micro
        if difference and each.cost_micro is None:
            self._unvalued += 1
        elif each.cost_micro is not None:
            worth = Fraction(difference * each.cost_micro, each.per_micro)
            self._valued += 1
            self._absolute += abs(worth)
            self._net += worth

    def row(self, location: str, item_class: str | None, currency: str) -> AccuracyRow:
        is_valued = bool(self._valued)
        return AccuracyRow(
            location=location,
            item_class=item_class,
            counts=self._counts,
            within=self._within,
            share_pct=_percent(self._within, self._counts),
            quantities=[
                Variance(uom, *map(format_quantity, micro))
                for uom, micro in sorted(self._by_unit.items())
            ],
            value_absolute=money(self._absolute, currency) if is_valued else None,
            value_net=money(self._net, currency) if is_valued else None,
            currency=currency if is_valued else None,
            unvalued=self._unvalued,
        )


def _percent(part: int, whole: int) -> str:
    scale = 10**SHARE_PLACES
    hundredths = (200 * scale * part + whole) // (2 * whole)
    return format_quantity(hundredths * 10 ** (6 - SHARE_PLACES))

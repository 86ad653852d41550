"""What is left of a production's plan after a report: Tryton's planning reads it from there. Pure.

The production of the order keeps its quantity, which is what was ordered. Its planned moves are
what is still to be consumed and made, so each report takes its own from them, and a reversal gives
it back.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

from msgspec import Struct

Side = Literal["inputs", "outputs"]


class Unit(Struct, frozen=True):
    """A unit of measure: `factor` of it is one of its category's own."""

    id: int
    category: int
    factor: Decimal
    digits: int


class Planned(Struct, frozen=True):
    """A planned move of a production."""

    id: int
    side: Side
    product: int
    unit: Unit
    quantity: Decimal


class Done(Struct, frozen=True):
    """What a report did of a product."""

    side: Side
    product: int
    unit: Unit
    quantity: Decimal


class PlanChange(Struct, frozen=True):
    """What becomes of the planned moves."""

    quantities: Mapping[Side, Mapping[int, Decimal]]
    """Move id → what is left, of those that change."""
    deleted: Mapping[Side, Sequence[int]]
    """Those of which nothing is left."""
    added: Sequence[Done] = ()
    """What a reversal gives back that no planned move is there for any more."""


def take_from_plan(planned: Sequence[Planned], done: Iterable[Done]) -> PlanChange:
    """Return what is left to do after a report; never below nothing."""
    left = {each.id: each.quantity for each in planned}
    for report in done:
        rest = report.quantity
        for each in _of(planned, report):
            took = min(left[each.id], convert(rest, report.unit, each.unit))
            left[each.id] -= took
            rest -= convert(took, each.unit, report.unit)
    return _change(planned, left)


def give_to_plan(planned: Sequence[Planned], back: Iterable[Done]) -> PlanChange:
    """Return what is to be done after `back` was taken back."""
    left = {each.id: each.quantity for each in planned}
    added: list[Done] = []
    for one in back:
        of_it = next(iter(_of(planned, one)), None)
        if of_it is None:
            added.append(one)
        else:
            left[of_it.id] += convert(one.quantity, one.unit, of_it.unit)
    change = _change(planned, left)
    return PlanChange(change.quantities, change.deleted, _merged(added))


def convert(quantity: Decimal, unit: Unit, into: Unit) -> Decimal:
    """Return a quantity in another unit of the same category, to that unit's digits."""
    if unit.id == into.id:
        return quantity
    step = Decimal(1).scaleb(-into.digits)
    return (quantity * unit.factor / into.factor).quantize(step, ROUND_HALF_UP)


def _of(planned: Sequence[Planned], done: Done) -> Iterable[Planned]:
    return (
        each
        for each in planned
        if (each.side, each.product, each.unit.category)
        == (done.side, done.product, done.unit.category)
    )


def _change(planned: Sequence[Planned], left: Mapping[int, Decimal]) -> PlanChange:
    quantities: dict[Side, dict[int, Decimal]] = {"inputs": {}, "outputs": {}}
    deleted: dict[Side, list[int]] = {"inputs": [], "outputs": []}
    for each in planned:
        if not left[each.id]:
            deleted[each.side].append(each.id)
        elif left[each.id] != each.quantity:
            quantities[each.side][each.id] = left[each.id]
    return PlanChange(quantities, deleted)


def _merged(added: Iterable[Done]) -> list[Done]:
    sums: dict[tuple[Side, int, int], Done] = {}
    for each in added:
        key = (each.side, each.product, each.unit.id)
        before = sums[key].quantity if key in sums else Decimal(0)
        sums[key] = Done(each.side, each.product, each.unit, before + each.quantity)
    return list(sums.values())

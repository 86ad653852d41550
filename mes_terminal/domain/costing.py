"""What an order costs (BF-38): facts in, a cost sheet out. Pure.

Material at standard, labour and overhead at the work centre's rates, scrap and rework in lines of
their own, credits for by-products, and what more was used than the snapshot requires. Everything
is a fraction until the end; then the *running total* is rounded to the minor unit of the currency
and each line shows by how much it grew, so the lines always sum to the total (as BF-4 rounds).

What depends on sums alone cannot depend on how an order was split into reports, nor on their
order. Called by `usecases.order_costs`; `store.costs` reads the facts.
"""

from collections.abc import Iterable, Iterator
from fractions import Fraction
from typing import Final, Literal, get_args

from msgspec import Struct

from mes_terminal.domain.bom import line_order
from mes_terminal.domain.cost_facts import CostedOperation, CostFacts, Need, Price
from mes_terminal.domain.cost_needs import (
    reach_of_line,
    reach_of_operation,
    required_micro,
    without_report,
)
from mes_terminal.domain.labour import labour_of
from mes_terminal.domain.quantity import MICRO

MINUTES_AN_HOUR: Final = 60
PERCENT_MICRO: Final = 100_000_000
"""100 % in micro-percent."""

CostKind = Literal[
    "material", "owed", "planned_scrap", "reported_scrap", "extra", "setup", "labour", "overhead",
    "unit_scrap", "rework", "by_product", "co_product",
]  # fmt: skip
KINDS: Final[tuple[CostKind, ...]] = get_args(CostKind)
"""In the order of a sheet."""
Element = Literal["material", "labour", "overhead"]


Lacking = Literal["standard_cost", "labour_rate", "overhead_rate", "work_centre"]


class CostLine(Struct, frozen=True, kw_only=True):
    """One line of a sheet. `cost`: millionths of the currency, `None` where a price is missing."""

    kind: CostKind
    element: Element | None
    line: str | None = None
    item: str | None = None
    operation: str | None = None
    work_centre: str | None = None
    quantity_micro: Fraction
    uom: str
    rate_micro: int | None
    per_micro: int | None
    cost: Fraction | None


class Missing(Struct, frozen=True, order=True):
    """A price that is not there."""

    what: Literal["item", "operation", "work_centre"]
    key: str
    missing: Lacking


class CostSheet(Struct, frozen=True, kw_only=True):
    """What an order costs, in minor units of the currency. Lines and their costs sum to `total`.

    With anything in `missing` every figure holds only what could be valued.
    """

    lines: tuple[tuple[CostLine, int | None], ...]
    total: int
    standard: int
    """What the good units should have cost by the snapshot."""
    usage_variance: int
    """Material taken, less what the snapshot requires for the units reported."""
    missing: tuple[Missing, ...]

    @property
    def variance(self) -> int:
        """What it cost beyond the standard of the good units."""
        return self.total - self.standard


def cost_sheet(facts: CostFacts, *, places: int) -> CostSheet:
    """Return the costs of an order in a currency with `places` decimal places (BF-38)."""
    lines = [*_material_lines(facts), *_operation_lines(facts)]
    lines += _credits(facts, _value(lines), _received(facts))
    lines.sort(key=_sheet_order)
    required = [_required_line(facts, need) for need in facts.needs]
    used = [line for line in lines if _is_usage(line)]
    standard = [_standard_line(facts, need) for need in facts.needs]
    standard += _standard_operations(facts)
    standard += _credits(facts, _value(standard), _expected(facts))
    valued = [*lines, *required, *standard]
    return CostSheet(
        lines=tuple(_rounded_cumulatively(lines, places)),
        total=minor_units(_value(lines), places),
        standard=minor_units(_value(standard), places),
        usage_variance=minor_units(_value(used) - _value(required), places),
        missing=tuple(sorted({one for line in valued for one in _missing(line)})),
    )


def _material_lines(facts: CostFacts) -> Iterator[CostLine]:
    """Yield what was taken of each item; the part of scrapped units stands by itself (BF-26)."""
    needs = {need.line: need for need in facts.needs}
    taken: dict[tuple[CostKind, str | None, Price], Fraction] = {}
    for issue in [*facts.issues, *without_report(facts)]:
        lost = Fraction(0)
        need = needs.get(issue.line or "")
        if issue.use in ("issue", "owed") and need and need.per_unit:
            reach = reach_of_line(facts, need.operation)
            if reach.units_micro:
                lost = Fraction(issue.quantity_micro * reach.lost_micro, reach.units_micro)
        kind: CostKind = "material" if issue.use == "issue" else issue.use
        parts: tuple[tuple[CostKind, Fraction], ...] = (
            (kind, issue.quantity_micro - lost),
            ("unit_scrap", lost),
        )
        for part, micro in parts:
            key = (part, issue.line, issue.price)
            taken[key] = taken.get(key, Fraction(0)) + micro
    for (kind, line, price), micro in taken.items():
        need = needs.get(line or "")
        yield from _items(kind, price, micro, line, need.operation if need else None)


def _items(
    kind: CostKind,
    price: Price,
    quantity: Fraction | int,
    line: str | None,
    operation: str | None = None,
) -> Iterator[CostLine]:
    if not quantity:
        return
    micro = Fraction(quantity)
    yield CostLine(
        kind=kind,
        element="material",
        line=line,
        item=price.item,
        operation=operation,
        quantity_micro=micro,
        uom=price.uom,
        rate_micro=price.cost_micro,
        per_micro=price.per_micro,
        cost=None if price.cost_micro is None else micro * price.cost_micro / price.per_micro,
    )


def _operation_lines(facts: CostFacts) -> Iterator[CostLine]:
    for each in facts.operations:
        reach = reach_of_operation(facts, each)
        setup = _setup_hours(facts, each, reach.units_micro)
        run = _run_hours(facts, each, reach.units_micro - reach.lost_micro)
        yield from _hours("setup", "labour", each, setup)
        yield from _hours("labour", "labour", each, run)
        yield from _hours("overhead", "overhead", each, setup + run)
        lost = _run_hours(facts, each, reach.units_micro) - run
        yield from _hours("unit_scrap", "labour", each, lost)
        yield from _hours("unit_scrap", "overhead", each, lost)


def _setup_hours(facts: CostFacts, operation: CostedOperation, units_micro: int) -> Fraction:
    """Return the hours of set-up, in millionths: once, with the first unit of the order."""
    if not units_micro or facts.before_micro:
        return Fraction(0)
    return Fraction(operation.setup_minutes_micro, MINUTES_AN_HOUR)


def _run_hours(facts: CostFacts, operation: CostedOperation, units_micro: int) -> Fraction:
    """Return the hours of run time, in millionths: exactly those that the events told."""
    before = facts.before_micro
    minutes = labour_of(operation, before, before + units_micro).run_micro
    return Fraction(minutes, MINUTES_AN_HOUR)


def _hours(
    kind: CostKind, element: Element, operation: CostedOperation, hours: Fraction
) -> Iterator[CostLine]:
    if not hours:
        return
    rate = operation.labour_rate_micro if element == "labour" else operation.overhead_rate_micro
    yield CostLine(
        kind=kind,
        element=element,
        operation=operation.operation,
        work_centre=operation.work_centre,
        quantity_micro=hours,
        uom="h",
        rate_micro=rate,
        per_micro=MICRO,
        cost=None if rate is None else hours * rate / MICRO,
    )


def _received(facts: CostFacts) -> list[Fraction]:
    return [Fraction(output.quantity_micro) for output in facts.outputs]


def _expected(facts: CostFacts) -> list[Fraction]:
    """Return what the good units should have brought of each by- and co-product."""
    return [
        output.net * facts.good_micro
        if output.per_unit
        else output.net * bool(facts.good_micro and not facts.before_micro)
        for output in facts.outputs
    ]


def _credits(facts: CostFacts, cost: Fraction, quantities: list[Fraction]) -> list[CostLine]:
    """Return what `quantities` of the outputs take off `cost`: the standard cost of some first,
    then the shares of the others in what is left (BF-30)."""
    lines: list[CostLine] = []
    for output, quantity in zip(facts.outputs, quantities, strict=True):
        if output.share_pct_micro is None:
            lines += _items(output.role, output.price, -quantity, output.line)
    left = cost + _value(lines)
    for output, quantity in zip(facts.outputs, quantities, strict=True):
        if output.share_pct_micro is not None and quantity:
            lines.append(
                CostLine(
                    kind=output.role,
                    element=None,
                    line=output.line,
                    item=output.price.item,
                    quantity_micro=-quantity,
                    uom=output.price.uom,
                    rate_micro=None,
                    per_micro=None,
                    cost=-left * output.share_pct_micro / PERCENT_MICRO,
                )
            )
    return lines


def _required_line(facts: CostFacts, need: Need) -> CostLine:
    """Return what the snapshot requires for the units that the line worked for."""
    return _demanded(facts, need, reach_of_line(facts, need.operation).units_micro)


def _standard_line(facts: CostFacts, need: Need) -> CostLine:
    """Return what the snapshot requires for the good units."""
    return _demanded(facts, need, facts.good_micro)


def _demanded(facts: CostFacts, need: Need, units: int) -> CostLine:
    before = facts.before_micro
    if need.bulk:
        micro = Fraction(0)
    elif need.net:
        micro = required_micro(need, before + units) - required_micro(need, before)
    else:  # it was right to take what it took before it was taken out of the order
        uses = ("issue", "owed", "planned_scrap")
        taken = [each for each in facts.issues if each.line == need.line and each.use in uses]
        micro = Fraction(sum(each.quantity_micro for each in taken))
    return next(
        _items("material", need.price, micro, need.line, need.operation),
        _NOTHING,
    )


_NOTHING: Final = CostLine(
    kind="material", element="material", quantity_micro=Fraction(0), uom="", rate_micro=None,
    per_micro=None, cost=Fraction(0),
)  # fmt: skip


def _standard_operations(facts: CostFacts) -> Iterator[CostLine]:
    for each in facts.operations:
        setup = _setup_hours(facts, each, facts.good_micro)
        run = _run_hours(facts, each, facts.good_micro)
        yield from _hours("labour", "labour", each, setup + run)
        yield from _hours("overhead", "overhead", each, setup + run)


def _is_usage(line: CostLine) -> bool:
    return line.element == "material" and line.kind not in ("by_product", "co_product")


def _missing(line: CostLine) -> Iterator[Missing]:
    if line.cost is not None:
        return
    if line.item is not None:
        yield Missing("item", line.item, "standard_cost")
    elif line.work_centre is None:
        yield Missing("operation", line.operation or "", "work_centre")
    else:
        rate: Lacking = "labour_rate" if line.element == "labour" else "overhead_rate"
        yield Missing("work_centre", line.work_centre, rate)


def _value(lines: Iterable[CostLine]) -> Fraction:
    return sum((line.cost for line in lines if line.cost is not None), Fraction(0))


def _sheet_order(line: CostLine) -> tuple[object, ...]:
    place = line.line or line.operation
    return (
        KINDS.index(line.kind),
        line.element != "material",
        line_order(place) if place else (),  # without a line first
        line.item or "",
        line.element or "",
    )


def _rounded_cumulatively(
    lines: Iterable[CostLine], places: int
) -> Iterator[tuple[CostLine, int | None]]:
    """Yield each line with what it adds to the rounded running total (BF-38)."""
    exact, told = Fraction(0), 0
    for line in lines:
        if line.cost is None:
            yield line, None
            continue
        exact += line.cost
        now = minor_units(exact, places)
        yield line, now - told
        told = now


def minor_units(cost: Fraction, places: int) -> int:
    """Return millionths of the currency in minor units, a half rounded away from zero."""
    scale: int = 10**places
    minor = abs(cost) * scale / MICRO
    rounded = (2 * minor.numerator + minor.denominator) // (2 * minor.denominator)
    return rounded if cost >= 0 else -rounded

"""What orders cost (BF-38), computed from the ledger when it is asked for.

Nothing is kept for it and no scan pays for it. Rows are values whose fields are the JSON keys of
`orders cost`; docs/costs.md tells what each holds. Called by the lists.
"""

import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Final

from msgspec import Struct

from mes_terminal.domain.costing import CostLine, CostSheet, Missing, cost_sheet
from mes_terminal.domain.currency import DEFAULT_CURRENCY, format_money, minor_places
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.errors import InputError
from mes_terminal.store.costs import CostedOrder, orders_with_reports, read_costed_order
from mes_terminal.store.database import Database

FILTERS: Final = frozenset(("work_order", "currency"))
_CURRENCY: Final = re.compile(r"[A-Z]{3}\Z")


class CostLineRow(Struct, frozen=True):
    """One line of a cost sheet: `cost` is `quantity` times `rate` by `per`, but for rounding."""

    kind: str
    element: str | None
    line: str | None
    item: str | None
    operation: str | None
    work_centre: str | None
    quantity: str
    uom: str
    rate: str | None
    per: str | None
    cost: str | None


class OrderCostRow(Struct, frozen=True):
    """The cost sheet of an order; `incomplete` lists the prices that are missing."""

    work_order: str
    item: str
    uom: str
    good: str
    scrapped: str
    currency: str
    lines: list[CostLineRow]
    total: str
    per_unit: str | None
    standard: str
    usage_variance: str
    variance: str
    incomplete: list[Missing]


def order_costs(database: Database, filters: Mapping[str, str]) -> Iterator[OrderCostRow]:
    """Yield the cost sheet of one order (`work_order`), else of each that has reports, by number.

    Figures are in `currency`. Raises `InputError` for an order or a filter that is not known.
    """
    if unknown := set(filters) - FILTERS:
        raise InputError(f"order_costs has no filter {min(unknown)!r}.")
    currency = filters.get("currency", DEFAULT_CURRENCY)
    if not _CURRENCY.match(currency):
        raise InputError(f"{currency[:40]!r} is no currency. Write one like EUR.")
    number = filters.get("work_order")
    numbers = orders_with_reports(database) if number is None else [number]
    for each in numbers:
        order = read_costed_order(database, each)
        if order is None:
            raise InputError(
                f"There is no work order {each[:64]!r}. mes-terminal orders lists the numbers.",
                reason="order_unknown",
            )
        yield _row(order, currency)


def _row(order: CostedOrder, currency: str) -> OrderCostRow:
    places = minor_places(currency)
    sheet = cost_sheet(order.facts, places=places)
    return OrderCostRow(
        work_order=order.work_order,
        item=order.item,
        uom=order.uom,
        good=format_quantity(order.facts.good_micro),
        scrapped=format_quantity(order.facts.scrapped_micro),
        currency=currency,
        lines=[_line(line, cost, places) for line, cost in sheet.lines],
        total=format_money(sheet.total, places),
        per_unit=_per_unit(sheet, order.facts.good_micro, places),
        standard=format_money(sheet.standard, places),
        usage_variance=format_money(sheet.usage_variance, places),
        variance=format_money(sheet.variance, places),
        incomplete=list(sheet.missing),
    )


def _line(line: CostLine, cost: int | None, places: int) -> CostLineRow:
    return CostLineRow(
        kind=line.kind,
        element=line.element,
        line=line.line,
        item=line.item,
        operation=line.operation,
        work_centre=line.work_centre,
        quantity=_six_places(line.quantity_micro),
        uom=line.uom,
        rate=None if line.rate_micro is None else format_quantity(line.rate_micro),
        per=None if line.per_micro is None else format_quantity(line.per_micro),
        cost=None if cost is None else format_money(cost, places),
    )


def _per_unit(sheet: CostSheet, good_micro: int, places: int) -> str | None:
    if good_micro <= 0:
        return None
    return _six_places(Fraction(sheet.total * MICRO * MICRO, good_micro * 10**places))


def _six_places(micro: Fraction) -> str:
    """Return micro-units as text, a half of the sixth place rounded away from zero."""
    rounded = (2 * abs(micro.numerator) + micro.denominator) // (2 * micro.denominator)
    return format_quantity(rounded if micro >= 0 else -rounded)

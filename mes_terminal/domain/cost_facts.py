"""The facts an order's costs follow from (BF-38), as values.

`store.costs` fills them in; `domain.costing` makes the sheet. Quantities are micro-units, times
micro-minutes, prices and rates millionths of the currency.
"""

from fractions import Fraction
from typing import Literal

from msgspec import Struct

from mes_terminal.domain.quantity import MICRO

Use = Literal["issue", "owed", "planned_scrap", "reported_scrap", "extra", "rework"]
"""Why a component was taken. `issue`: for the units, by backflush or by hand; `extra`: beyond what
the line requires (BF-10), and `rework`: such a part that a pass of rework took in (BF-28); `owed`:
in the units, not yet in the books (BF-20)."""


class Price(Struct, frozen=True):
    """An item at standard: `cost_micro` millionths of the currency for `per_micro` of it."""

    item: str
    uom: str
    cost_micro: int | None
    per_micro: int = MICRO


class Need(Struct, frozen=True, kw_only=True):
    """An order line: what the snapshot requires for the units (BF-3, BF-7), in micro-units.

    `since_micro` units were reported before this version of the line began to count; by then it
    had taken `carried_micro`. A line with `net` 0 was taken out of the order and asks no more.
    """

    line: str
    price: Price
    operation: str | None = None
    per_unit: bool = True
    net: Fraction
    gross: Fraction
    step_micro: int
    since_micro: int = 0
    carried_micro: int = 0
    bulk: bool = False
    """Shown and never posted: its cost is in the overhead, not in the order."""
    issued_micro: int | None = None
    """The line's own total without scrap, go-live included: what it says beyond the issues that are
    named was booked without a report. `None`: the issues are all there is."""
    scrapped_micro: int | None = None
    """The same of its scrap: what it says beyond the planned share was scrapped by scan (BF-27)."""


class Issue(Struct, frozen=True):
    """What was taken of an item, less what was given back; extra parts need no line."""

    line: str | None
    price: Price
    use: Use
    quantity_micro: int
    covers_micro: int | None = None
    """What a substitute stood for in units of the line's component (BF-29); `None`: as much."""


class CostedOperation(Struct, frozen=True, kw_only=True):
    """An operation of the order's routing: its times, its rates an hour, what passed it here."""

    operation: str
    position: int
    is_backflush_point: bool = True
    work_centre: str | None = None
    setup_minutes_micro: int = 0
    run_minutes_micro: int = 0
    run_basis_micro: int = MICRO
    labour_rate_micro: int | None = None
    overhead_rate_micro: int | None = None
    good_micro: int
    """Units that passed it, those scrapped at a later one included (BF-11)."""
    scrapped_micro: int = 0
    """Units that ended at it."""


class OutputFacts(Struct, frozen=True, kw_only=True):
    """A by- or co-product (BF-30): what was received of it, and what the snapshot expects."""

    line: str
    role: Literal["by_product", "co_product"]
    price: Price
    per_unit: bool = True
    net: Fraction
    quantity_micro: int
    share_pct_micro: int | None = None
    """Its share of the order's cost; `None`: it is credited at its standard cost."""


class CostFacts(Struct, frozen=True, kw_only=True):
    """Everything an order's costs follow from; units are those reported at this station."""

    good_micro: int
    scrapped_micro: int = 0
    before_micro: int = 0
    """Units reported before go-live: they cost nothing here, and the set-up was theirs."""
    needs: tuple[Need, ...] = ()
    issues: tuple[Issue, ...] = ()
    operations: tuple[CostedOperation, ...] = ()
    """In the order of the routing."""
    outputs: tuple[OutputFacts, ...] = ()

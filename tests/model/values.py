"""The words of the model: lines, orders, movements, reports, edges, and texts of quantities."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any

NEVER = "9999-12-31"

StayKey = tuple[str, str]
"""("", container), or (position, number) of the stay of a bare lot: whose gains are counted."""


@dataclass(frozen=True)
class Movement:
    """So much of a lot (of a container, or of none) went from one place to another."""

    item: str
    lot: str
    container: str
    source: str
    target: str
    quantity: Fraction


@dataclass(frozen=True)
class Heap:
    """What lies at a place of one lot in one container, at a moment."""

    item: str
    lot: str
    container: str
    place: str
    quantity: Fraction


@dataclass(frozen=True)
class StandIn:
    """An item that may stand in for a component (BF-29): so many units of it for one."""

    item: str
    ratio: Fraction
    needs_approval: bool
    automatic: bool


@dataclass(frozen=True)
class Line:
    """A line of an order's snapshot (BF-7); the ratios are per unit, or for the whole order."""

    path: str
    item: str
    basis: str
    net: Fraction
    gross: Fraction
    method: str
    place: str
    mount: str
    position: str
    is_named: bool
    """The BOM line names the position; else it is called like the item."""
    substitutes: tuple[StandIn, ...] = ()
    """In the order of choice."""
    operation: str = ""
    """The one that takes it; empty: due at completion (BF-11)."""


@dataclass(frozen=True)
class Operation:
    """An operation of an order's snapshot."""

    name: str
    is_point: bool
    """A backflush point: it posts."""
    overlap: bool


@dataclass(frozen=True)
class Passed:
    """What an operation gained: units that passed it, and units that ended at it."""

    operation: str
    good: Fraction
    scrapped: Fraction


@dataclass
class Order:
    """An order: what the file said, its snapshot, and how it stands."""

    number: str
    item: str
    quantity: Fraction
    due_at: str
    lot: str
    replace_scrap: bool
    status: str
    lines: list[Line]
    completed_before: Fraction
    scrapped_before: Fraction
    operations: list[Operation] = field(default_factory=list)


@dataclass
class Take:
    """What one line took for one report."""

    line: Line
    net: list[tuple[Heap, Fraction, str | None]] = field(default_factory=list)
    scrap: list[tuple[Heap, Fraction, str | None]] = field(default_factory=list)
    owed: Fraction = Fraction(0)
    owed_scrap: Fraction = Fraction(0)
    net_more: Fraction = Fraction(0)
    """By how much more of the component the net parts count than their quantities say (BF-29)."""
    scrap_more: Fraction = Fraction(0)
    gains: list[tuple[Heap, Fraction, StayKey]] = field(default_factory=list)
    """What of it mounted containers gave beyond their books (BF-17)."""
    overdrawn: Fraction = Fraction(0)
    """What they should have given and could not."""


@dataclass
class Report:
    """A report of production, as recorded."""

    order: str
    good: Fraction
    person: str | None
    at: str
    status_before: str
    takes: list[Take]
    movements: list[Movement]
    produced: tuple[str, str] | None
    expires_on: str
    manual: list[tuple[Line, Fraction]]
    child: str = ""
    """The lot that genealogy hangs on (an untracked product, scrapped units: the order)."""
    is_lot: bool = False
    scrapped: Fraction = Fraction(0)
    passed: Fraction = Fraction(0)
    """Units that an operation report was about."""
    gains: tuple[Passed, ...] = ()
    taken_in: list[tuple[Line | None, str, str, Fraction]] = field(default_factory=list)
    """What of it was issued by hand before: line (None: extra), item, lot, quantity (BF-10)."""
    standing: bool = True

    @property
    def units(self) -> Fraction:
        """How many units it was about."""
        return self.good or self.scrapped or self.passed


@dataclass(frozen=True)
class ByHand:
    """A part of an issue by hand; `line` None: an extra part."""

    order: str
    line: Line | None
    item: str
    lot: str
    quantity: Fraction


@dataclass(frozen=True)
class Edge:
    """Genealogy: a component's lot in a product's lot (an untracked product: its order)."""

    child: str
    parent: str
    line: str
    quantity: Fraction
    certainty: str
    item: str
    """Of the component's lot."""
    is_lot: bool
    """The child is a lot; else an order, whose number a lot may have too."""
    product: str
    """The item that the order makes: lots of two items may have one name."""


@dataclass(frozen=True)
class Mount:
    """What is in a position."""

    item: str
    lot: str
    container: str
    place: str


@dataclass(frozen=True)
class Answer:
    """What the station must say."""

    outcome: str
    reason: str | None = None
    work_order: str | None = None
    quantity: str | None = None
    consumed: tuple[tuple[Any, ...], ...] = ()
    scrapped: tuple[tuple[Any, ...], ...] = ()
    produced: tuple[tuple[Any, ...], ...] = ()
    exceptions: tuple[tuple[Any, ...], ...] = ()


def text(quantity: Fraction) -> str:
    """Return the shortest decimal text of at most six places."""
    micro = quantity * 10**6
    assert micro.denominator == 1, f"{quantity} has more than six places"
    sign = "-" if micro < 0 else ""
    digits = f"{abs(micro.numerator):07d}"
    return (sign + digits[:-6] + "." + digits[-6:]).rstrip("0").rstrip(".")


def later_day(day: str, days: int) -> str:
    """Return the day so many days later."""
    return str(date.fromisoformat(day) + timedelta(days=days))


def moment(instant: str) -> datetime:
    """Return the point in time of a text."""
    return datetime.fromisoformat(instant)


def path_of(line: str) -> list[int]:
    """Return the parts of a line's path, to sort by as numbers (BF-6)."""
    return [int(part) for part in line.split(".")]


def moved(heap: Heap, target: str, quantity: Fraction) -> Movement:
    return Movement(heap.item, heap.lot, heap.container, heap.place, target, quantity)


def weaker(one: str | None, other: str | None) -> Any:
    order = (None, "exact", "sole", "pooled", "assumed", "unknown")
    return max(one, other, key=order.index)

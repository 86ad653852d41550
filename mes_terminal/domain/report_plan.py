"""What a report is asked for and every row it writes: the values around `domain.completion`.

Quantities are micro-units. Filled by the use case, ruled on by the domain, written by `store`.
"""

from typing import Literal

from msgspec import Struct

from mes_terminal.domain.consumption import OffTarget
from mes_terminal.domain.hand_issues import Waiting
from mes_terminal.domain.operations import Gain, Reported
from mes_terminal.domain.order import LineFacts, OutputFacts
from mes_terminal.domain.outcome import ExceptionKind, Outcome
from mes_terminal.domain.posting import EventDraft
from mes_terminal.domain.scan import Scan
from mes_terminal.domain.slots import EmptySlots, Filled

ReportKind = Literal["completion", "short_close", "operation", "scrap"]


class Unit(Struct, frozen=True):
    """A planned unit that the report completes."""

    unit_id: int
    serial: str
    lot_id: int | None
    """Its stock identity, if an undone report made it before."""


class Wanted(Struct, frozen=True, kw_only=True):
    """What a scan asks to be reported."""

    kind: ReportKind = "completion"
    good_micro: int = 0
    scrapped_micro: int = 0
    units: list[Unit] = []
    """For a serial-tracked product the units that are good or scrapped."""
    position: int = 0
    """The operation reported, or scrapped at; 0: completion."""
    passed_micro: int = 0
    """Units that passed the operation, of an operation report; below zero: those that had passed it
    and are scrapped."""
    seated: list[tuple[Filled, int]] = []
    """Components with serials, each with the place of its unit in `units` (BF-18)."""
    empty: list[EmptySlots] = []
    """Slots that stay empty: somebody let that pass (BF-24)."""
    reason: str | None = None
    """Why scrapped, or closed short."""

    @property
    def units_micro(self) -> int:
        """How many units the report is about."""
        return self.good_micro or self.scrapped_micro or self.passed_micro


class OpenPart(Struct, frozen=True, array_like=True):
    """An exception that is open, and by how much."""

    exception_id: int
    quantity_micro: int


class Shortfall(Struct, frozen=True):
    """What the database knows of a line that was not covered as it should be."""

    nameless_lot_id: int
    cause: str
    open: dict[ExceptionKind, OpenPart] = {}
    """The open exceptions of the line, which grow, by kind."""


class ReportRequest(Struct, frozen=True, kw_only=True):
    """What is to be reported, by whom."""

    scan: Scan
    code: str
    wanted: Wanted
    gains: list[Gain]
    """What the operations gain."""
    before: Reported
    due: Reported
    """What lines were due for, and are with this report."""
    operation: str | None = None
    """The operation reported, or scrapped at, by name."""
    outputs: list[OutputFacts] = []
    """By- and co-products of the order (BF-30)."""
    today: str = ""
    off_target: list[OffTarget] = []
    """What the order took more or less of than it should, where the report ends it (BF-24)."""
    hand_issues: list[Waiting] = []
    """What was issued by hand that this report's units are made from."""
    closes: bool
    """Does the order end with this report (complete, or short)?"""
    person: str | None
    station: str
    master_data_version: str
    expires_on: str | None
    """The output's own shelf life; components may shorten it (BF-39)."""
    inherits: list[str] = []
    """The expiry of what was issued by hand and is in the units (BF-10, BF-39)."""


class ExceptionDraft(Struct, frozen=True):
    """An exception to open, or to raise by `quantity_micro`."""

    exception_id: int
    is_new: bool
    kind: ExceptionKind
    line: LineFacts
    quantity_micro: int
    scrap_micro: int
    cause_code: str
    """The kind and a stable word: `shortage:expired`."""
    cause: str
    lot_id: int | None = None
    """The lot it is about, if it is about one."""


class StockIn(Struct, frozen=True):
    """Stock that arrives at a real location; negative where the policy allows it (BF-20)."""

    lot_id: int
    location_id: int
    quantity_micro: int
    arrived_at: str
    container_id: int = 0


class NewLot(Struct, frozen=True):
    """A lot, serial or genealogy node that the report makes."""

    lot_id: int
    lot: str
    serial: str
    work_order_id: int
    item_id: int | None = None
    """`None`: the product; else another output, with the next two (BF-30)."""
    status: str | None = None
    expires_on: str | None = None


class ReportPlan(Struct, frozen=True, kw_only=True):
    """Everything one report writes."""

    outcome: Outcome
    event: EventDraft
    kind: ReportKind
    order_status: str
    good_micro: int
    scrapped_micro: int
    operation: str | None
    gains: list[Gain]
    lot_id: int | None
    new_lots: list[NewLot]
    expires_on: str | None
    expires_before: str | None
    shortened: list[int]
    """Lots that exist already and expire with `expires_on` now, if not sooner (BF-39)."""
    process_expires_on: str | None
    """What the order keeps of the expiry of what its operations took."""
    line_issues: list[tuple[int, int]]
    """(issued, line id) of lines that were covered and scrap nothing: most of them."""
    line_totals: list[tuple[int, int, int, int, int]]
    """(issued, scrapped, owed, owed scrap, line id) of the others."""
    balances: list[tuple[int, int]]
    """(left, balance id) of what still has stock."""
    emptied: list[tuple[int]]
    stock_in: list[StockIn]
    """What arrives at real locations: planned scrap, then the output."""
    arrivals: list[tuple[int, int, int]]
    """(item, location, lot) of what was received; of several serials the last."""
    exceptions: list[ExceptionDraft]
    substitutions: list[tuple[int, int, int]]
    """(place among the movements from 0, line id, what it covered of the component) of what stood
    in for a component (BF-29)."""
    lot_gains: list[tuple[int, int, int]]
    """(lot, container, quantity) that mounted containers gave beyond their books (BF-17)."""
    built_in: list[int]
    """Lot ids of the serials that leave their slots for the units."""
    unit_ids: list[int]
    """The planned units that this report makes or scraps."""

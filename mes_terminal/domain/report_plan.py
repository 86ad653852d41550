"""What a report is asked for and every row it writes: the values around `domain.completion`.

Quantities are micro-units. Filled by the use case, ruled on by the domain, written by `store`.
"""

from typing import Literal

from msgspec import Struct

from mes_terminal.domain.order import LineFacts
from mes_terminal.domain.outcome import ExceptionKind, Outcome
from mes_terminal.domain.posting import EventDraft
from mes_terminal.domain.scan import Scan


class Unit(Struct, frozen=True):
    """A planned unit that the report completes."""

    unit_id: int
    serial: str
    lot_id: int | None
    """Its stock identity, if an undone report made it before."""


class Shortfall(Struct, frozen=True):
    """What the database knows of a line that was not covered."""

    nameless_lot_id: int
    cause: str
    exception_id: int | None
    """The open exception of the line, which grows."""


class ReportRequest(Struct, frozen=True, kw_only=True):
    """What is to be reported, by whom."""

    scan: Scan
    code: str
    good_micro: int
    units: list[Unit]
    """For a serial-tracked product the units of `good_micro`."""
    closes: bool
    """Does the order end with this report (complete, or short)?"""
    short_reason: str | None = None
    person: str | None
    station: str
    master_data_version: str
    expires_on: str | None
    """The output's own shelf life; components may shorten it (BF-39)."""


class ExceptionDraft(Struct, frozen=True):
    """An exception to open, or to raise by `quantity_micro`."""

    exception_id: int
    is_new: bool
    kind: ExceptionKind
    line: LineFacts
    quantity_micro: int
    scrap_micro: int
    cause: str


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


class ReportPlan(Struct, frozen=True, kw_only=True):
    """Everything one report writes."""

    outcome: Outcome
    event: EventDraft
    kind: Literal["completion", "short_close"]
    order_status: str
    good_micro: int
    lot_id: int | None
    new_lots: list[NewLot]
    expires_on: str | None
    expires_before: str | None
    shortens_expiry: bool
    line_issues: list[tuple[int, int]]
    """(issued, line id) of lines that were covered and scrap nothing: most of them."""
    line_totals: list[tuple[int, int, int, int, int]]
    """(issued, scrapped, owed, owed scrap, line id) of the others."""
    balances: list[tuple[int, int]]
    """(left, balance id) of what still has stock."""
    emptied: list[tuple[int]]
    stock_in: list[StockIn]
    """What arrives at real locations: planned scrap, then the output."""
    output: StockIn | None
    """The last lot or serial received, if any."""
    exceptions: list[ExceptionDraft]
    unit_ids: list[int]

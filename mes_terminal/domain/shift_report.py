"""What a shift leaves behind: what is open at its end, and what was done in it. Pure.

Shown at `%END`, kept in the event `shift.ended`, printed on the shift report. Quantities are
decimal texts, instants UTC texts, absent is `None`.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.quantity import format_quantity

ORDERS_NAMED_MAX: Final = 3
"""Orders named in the sentence; the others are counted."""


class OrderInProcess(Struct, frozen=True):
    """An order that is begun: `units` passed an operation and not the last one, or were begun."""

    work_order: str
    item: str
    units: str
    remaining: str
    uom: str


class LeftContainer(Struct, frozen=True):
    """A lot or container that stays at the line; without a position it is set aside."""

    position: str | None
    item: str
    lot: str | None
    container: str | None
    left: str
    uom: str


class OpenKind(Struct, frozen=True):
    """Open exceptions of a kind; `unnamed` of them belong to no person by name."""

    kind: ExceptionKind
    count: int
    unnamed: int


class LeftOpen(Struct, frozen=True, kw_only=True):
    """What is open at the end of a shift."""

    exceptions: list[OpenKind]
    approvals: int
    """Questions that wait for a supervisor."""
    count: str | None
    """The location whose count is open (BF-32)."""
    calls: int
    """Calls for material that nobody has answered."""
    stopped: str | None
    """Why the line stands; `None`: it runs."""
    in_process: list[OrderInProcess]
    in_process_orders: int
    mounted: list[LeftContainer]
    set_aside: list[LeftContainer]
    unsent: int
    """Postings that upstream has not acknowledged."""
    unsent_since: str | None

    @property
    def exceptions_open(self) -> int:
        """How many exceptions are open."""
        return sum(each.count for each in self.exceptions)

    @property
    def unnamed(self) -> int:
        """How many of them belong to no person by name."""
        return sum(each.unnamed for each in self.exceptions)

    @property
    def is_nothing(self) -> bool:
        """Is nothing left for a person to see to?"""
        waits = self.approvals or self.count or self.calls or self.stopped
        return not (self.exceptions_open or waits)


class ItemTotal(Struct, frozen=True):
    """What was made of a product; what was taken back is taken off."""

    item: str
    uom: str
    good: str
    scrapped: str
    reports: int


class StopTotal(Struct, frozen=True):
    """How long the line stood for a reason, within the shift."""

    reason: str
    stops: int
    minutes: str


class Totals(Struct, frozen=True, kw_only=True):
    """What was done in a shift."""

    reports: int
    taken_back: int
    items: list[ItemTotal]
    opened: int
    """Exceptions opened."""
    ended: int
    """Exceptions ended, whenever they were opened."""
    stops: list[StopTotal]
    calls: int


class ShiftNow(Struct, frozen=True, kw_only=True):
    """What a sign-off would end now."""

    production_day: str
    """`YYYYMMDD`: a night shift belongs to the day it began (BF-33)."""
    shift: str | None
    began_at: str
    """When the shift before was signed off; the first entry of the log where none was."""
    at: str
    blocked: str | None
    """Why it cannot be ended now, as a sentence."""
    zero_open: bool
    open: LeftOpen
    totals: Totals


class HandedOver(Struct, frozen=True):
    """Open exceptions that a sign-off hands over by name."""

    badge: str
    name: str
    count: int


class Anchor(Struct, frozen=True):
    """Where the log stood: what comes later cannot change what was before."""

    sequence: int
    hash: str


class ShiftReport(Struct, frozen=True, kw_only=True):
    """A shift that was signed off."""

    id: int
    station: str
    production_day: str
    shift: str | None
    began_at: str
    ended_at: str
    person: str
    person_name: str
    handed_over: HandedOver | None
    open: LeftOpen
    totals: Totals
    anchor: Anchor
    """The entry of the signature, the last one of the shift."""


def open_in_words(left: LeftOpen) -> str:
    """Return what is open as one phrase, `zero open` first where nothing waits for a person."""
    parts = _waiting(left)
    if left.in_process:
        named = [
            each.work_order + (f" with {each.units} {each.uom}" if each.units != "0" else "")
            for each in left.in_process[:ORDERS_NAMED_MAX]
        ]
        more = left.in_process_orders - len(named)
        parts.append(f"in process {', '.join(named)}" + (f" and {more} more" if more else ""))
    if left.set_aside:
        parts.append(f"{len(left.set_aside)} set aside")
    if left.mounted:
        parts.append(f"{len(left.mounted)} mounted")
    if left.unsent:
        parts.append(_many(left.unsent, "posting", "unsent"))
    return "; ".join(parts)


def _waiting(left: LeftOpen) -> list[str]:
    if left.is_nothing:
        return ["zero open"]
    parts = []
    if left.exceptions_open:
        kinds = ", ".join(f"{each.kind} {each.count}" for each in left.exceptions)
        parts.append(f"{_many(left.exceptions_open, 'exception', 'open')} ({kinds})")
    if left.approvals:
        parts.append(_many(left.approvals, "approval", "open"))
    if left.count is not None:
        parts.append(f"the count of {left.count} open")
    if left.calls:
        parts.append(_many(left.calls, "call for material", "open", "calls for material"))
    if left.stopped is not None:
        parts.append(f"the line stands ({left.stopped})")
    return parts


def minutes_text(seconds: float) -> str:
    """Return minutes as decimal text to a tenth, rounded half up; never below zero."""
    tenths = (max(0, int(seconds)) + 3) // 6
    return format_quantity(tenths * 100_000)


def stop_totals(stops: Sequence[tuple[str, float]]) -> list[StopTotal]:
    """Return how often and how long by reason, the longest first, from (reason, seconds)."""
    seconds: dict[str, float] = {}
    times: dict[str, int] = {}
    for reason, lasted in stops:
        seconds[reason] = seconds.get(reason, 0) + max(0, lasted)
        times[reason] = times.get(reason, 0) + 1
    ranked = sorted(seconds, key=lambda reason: (-seconds[reason], reason))
    return [StopTotal(reason, times[reason], minutes_text(seconds[reason])) for reason in ranked]


def _many(count: int, what: str, how: str, plural: str | None = None) -> str:
    return f"{count} {what if count == 1 else plural or what + 's'} {how}"

"""What the supervisor sees in the morning, without a scan: one value, made by `usecases.morning`.

Quantities and values are decimal texts, instants UTC texts, days `YYYY-MM-DD`, absent is `None`.
"""

from msgspec import Struct

from mes_terminal.domain.desk import ExceptionStory, KindGroup, Proposal
from mes_terminal.domain.figures import DayFigures
from mes_terminal.domain.view import ScannerView


class LackView(Struct, frozen=True):
    """A component of which there is too little for an order."""

    item: str
    quantity: str
    """How much is missing."""
    uom: str
    lasts_for: str
    """For how many units of the order there is enough."""


class QueuedOrder(Struct, frozen=True, kw_only=True):
    """An order of the queue and what a close of it would do, after those before it were closed."""

    work_order: str
    item: str
    description: str
    remaining: str
    uom: str
    status: str
    due_at: str | None
    is_late: bool
    lines_post: int
    lines_short: int
    lacks: list[LackView]
    lasts_for: str | None
    """Units until the first component runs out; `None`: none does."""
    refused: str | None
    """Why nothing of it could be posted, as a sentence."""


class Queue(Struct, frozen=True, kw_only=True):
    """The pre-flight of the orders that are open, in sequence."""

    orders: list[QueuedOrder]
    open_count: int
    """How many orders are open; the pre-flight looks at the first of them."""


class MorningGroup(Struct, frozen=True):
    """What is open of one cause, and the oldest of it."""

    group: KindGroup
    oldest: ExceptionStory | None
    """`None`: it has just ended."""

    @property
    def due_at(self) -> str | None:
        """When the oldest is due."""
        return self.oldest.due_at if self.oldest is not None else None

    @property
    def proposal(self) -> Proposal | None:
        """What is likeliest to end the oldest."""
        return next(iter(self.oldest.proposals), None) if self.oldest is not None else None


class OpenWork(Struct, frozen=True, kw_only=True):
    """What is open, by cause."""

    count: int
    oldest_at: str | None
    overdue: int
    value: str | None
    currency: str
    groups: list[MorningGroup]
    """Those that stop the line first, then the most valuable."""
    groups_count: int


class ExpiringLot(Struct, frozen=True, kw_only=True):
    """A lot on the line that expires soon, or has."""

    item: str
    lot: str
    location: str
    quantity: str
    uom: str
    expires_on: str
    is_mounted: bool


class Watch(Struct, frozen=True, kw_only=True):
    """What else is to be seen to."""

    expiring: list[ExpiringLot]
    """The first to expire first."""
    expiring_count: int
    counts_due: int
    postings_waiting: int
    oldest_waiting_at: str | None
    scanners_not_ready: list[ScannerView] = []


class Morning(Struct, frozen=True, kw_only=True):
    """One screen."""

    now: str
    today: str
    """The production day."""
    queue: Queue
    work: OpenWork
    yesterday: DayFigures | None
    """The last day before today on which something was reported; `None`: none within two weeks."""
    day_before: DayFigures | None
    """And the last one before that."""
    watch: Watch

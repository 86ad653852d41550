"""What the supervisor's desk shows of exceptions: groups with their age, and each one's story.

Made by `usecases.exception_groups`, sent over the link, drawn by `tui`. Quantities are decimal
texts, instants UTC texts, absent is `None`.
"""

from typing import Literal

from msgspec import Struct

from mes_terminal.domain.delivery import Answer
from mes_terminal.domain.outcome import ExceptionKind

GroupBy = Literal["kind", "cause", "owner", "order"]
ProposalHow = Literal[
    "post", "lot", "item", "mount", "move", "count", "scan_again", "load", "mend", "confirm_clock",
    "write_off",
]  # fmt: skip


class KindGroup(Struct, frozen=True):
    """Exceptions that belong together: how many, when the oldest was opened, what they are worth.

    Together by their kind; asked for by cause, by owner or by order.
    """

    kind: ExceptionKind
    """Of a group by owner or order, which may hold several kinds: the kind of the oldest."""
    severity: str
    """The gravest of them: `stop`, `warn` or `info`."""
    count: int
    oldest_at: str
    key: str = ""
    """What names the group among those of its sort: asked for its rows with `by` and `key`."""
    cause_code: str | None = None
    """Of a group by cause."""
    item: str | None = None
    """Of a group by cause."""
    owner: str | None = None
    """Of a group by owner: the name of a person or a role; `None`: nobody's."""
    work_order: str | None = None
    """Of a group by order; `None`: of no order."""
    value: str | None = None
    """Of what is open, at standard cost; `None` where no cost is known."""
    currency: str | None = None
    overdue: int = 0
    """How many are past their due time."""


class Suggestion(Struct, frozen=True):
    """Stock that may mend a shortage."""

    lot: str | None
    quantity: str
    location: str
    instead: str | None
    """The item, where it is not the component itself."""
    uom: str


class Proposal(Struct, frozen=True, kw_only=True):
    """One way to end an exception.

    `post`, `lot`, `item` and `write_off` are decisions of `exception resolve`. The others are done
    at the line or in the office: `mount` or `move` stock, `count` it, `load` master data, `mend`
    what is broken, `scan_again`, `confirm_clock`.
    """

    how: ProposalHow
    why: str
    """A sentence: what it does or what speaks for it."""
    lot: str | None = None
    item: str | None = None
    quantity: str | None = None
    """How much there is for it."""
    uom: str | None = None
    location: str | None = None


class RefusedPosting(Struct, frozen=True, kw_only=True):
    """The posting that an exception is about, and what became of it (UP-4, UP-8)."""

    sequence: int
    id: str
    type: str
    """Without prefix and version: `production.completed`."""
    status: Literal["waiting", "delivered", "refused", "parked"]
    attempts: int
    document: str | None
    """The receiver's number of what it made of it."""
    answer: Answer | None
    """The receiver's last answer."""
    parked: int
    """How many postings wait for it."""


class ExceptionStory(Struct, frozen=True):
    """One exception with all that tells a person how it came and what may end it (BF-22, BF-23)."""

    id: int
    kind: ExceptionKind
    status: str
    severity: str
    work_order: str | None
    line: str | None
    item: str | None
    lot: str | None
    quantity: str | None
    """What is still open."""
    uom: str | None
    tracking: str | None
    """How the item is tracked: `none`, `lot` or `serial`."""
    location: str | None
    """Where the order line takes it from."""
    opened_at: str
    person: str | None
    """Who scanned what opened it, by name."""
    cause: str | None
    suggestions: list[Suggestion]
    """The likeliest first."""
    resolution: str | None
    cause_code: str = ""
    """Why it was opened, in a stable word: `shortage:expired`."""
    blocking: str | None = None
    """What keeps it open, as a sentence."""
    owner: str | None = None
    """Whose it is: the person it was assigned to, by name, else whom the settings name."""
    assigned: str | None = None
    """The badge of the person it was assigned to."""
    due_at: str | None = None
    escalated_to: str | None = None
    """Whom the settings name for what is past its due time."""
    value: str | None = None
    """What is open, at standard cost; `None` where no cost is known."""
    currency: str | None = None
    tries: int = 0
    """How often it was tried again, or scanned, without ending."""
    shift: str | None = None
    production_day: str | None = None
    """`YYYYMMDD`: a night shift belongs to the day it began (BF-33)."""
    scan_code: str | None = None
    """The code whose scan opened it; bytes that are no UTF-8 as U+FFFD."""
    scan_id: str | None = None
    scanned_at: str | None = None
    device: str | None = None
    station: str | None = None
    proposals: list[Proposal] = []
    """The ways to end it, the likeliest first."""
    posting: RefusedPosting | None = None
    """Of a posting that was refused."""

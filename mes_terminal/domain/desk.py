"""What the supervisor's desk shows of exceptions: groups with their age, and each one's story.

Made by `usecases.exception_groups`, sent over the link, drawn by `tui`. Quantities are decimal
texts, instants UTC texts, absent is `None`.
"""

from msgspec import Struct

from mes_terminal.domain.outcome import ExceptionKind


class KindGroup(Struct, frozen=True):
    """The exceptions of one kind: how many, and when the oldest was opened."""

    kind: ExceptionKind
    severity: str
    """The gravest of them: `stop`, `warn` or `info`."""
    count: int
    oldest_at: str


class Suggestion(Struct, frozen=True):
    """Stock that may mend a shortage."""

    lot: str | None
    quantity: str
    location: str
    instead: str | None
    """The item, where it is not the component itself."""
    uom: str


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

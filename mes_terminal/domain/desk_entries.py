"""What the desk lists of counts, postings, the audit trail and people: a row each, and its story.

Made by the lists of `usecases.desk_counts`, `desk_outbox`, `desk_audit` and `desk_people`, sent
over the link, drawn by `tui`. Quantities and values are decimal texts, instants UTC texts, absent
is `None`.
"""

from typing import Literal

from msgspec import Raw, Struct

from mes_terminal.domain.delivery import Answer
from mes_terminal.domain.people import Role
from mes_terminal.domain.shift_report import ShiftNow, ShiftReport

CountState = Literal["due", "open", "waiting", "corrected", "right", "refused", "dropped"]
"""`due`: to be counted; `open`: being counted; `waiting`: a variance that nobody has approved yet;
the others are how it ended."""
DueReason = Literal["negative", "exception", "empty", "never", "rhythm"]
"""Why an item is to be counted, the weightiest first."""
PostingStatus = Literal["waiting", "delivered", "refused", "parked"]


class CountEntry(Struct, frozen=True, kw_only=True):
    """An item that is to be counted at a place, or what a count of it came to (BF-32)."""

    key: str
    """Its place in the list: what a page that follows is asked for after."""
    state: CountState
    location: str
    item: str
    description: str
    uom: str
    item_class: str | None
    reason: DueReason | None = None
    """Of a due one."""
    counted_at: str | None = None
    """When it was counted last, or by this count."""
    count: int | None = None
    """The number of the count; `None`: due."""
    expected: str | None = None
    counted: str | None = None
    difference: str | None = None
    owed: str | None = None
    """What open shortages owed of it when it was counted."""
    in_process: str | None = None
    """What units in process held of it then."""
    value: str | None = None
    """The difference at standard cost; `None` where no cost is known."""
    currency: str | None = None
    exception: int | None = None
    """The exception that it waits, or waited, for."""
    resolution: str | None = None
    """How that ended: who decided, and what."""
    person: str | None = None
    """Who counted, by name."""
    started_at: str | None = None


class Looked(Struct, frozen=True):
    """How far a list has been looked through: as far as this one, of so many in all."""

    at: int
    total: int


class Posting(Struct, frozen=True, kw_only=True):
    """What goes upstream, or went; the document itself is asked for alone (`PostingDocument`).

    With `looked` it is none: the list was looked through as far as that, and goes on after it.
    """

    sequence: int
    type: str = ""
    """Without prefix and version: `production.completed`."""
    subject: str = ""
    status: PostingStatus = "waiting"
    attempts: int = 0
    queued_at: str = ""
    delivered_at: str | None = None
    last_error: str | None = None
    bytes: int = 0
    """The length of its document."""
    looked: Looked | None = None


class PostingDocument(Struct, frozen=True):
    """The document of a posting, exactly as it is sent."""

    sequence: int
    event_id: str
    document: Raw
    upstream_document: str | None = None
    """The receiver's number of what it made of it (UP-8)."""
    answer: Answer | None = None
    """The receiver's last answer."""
    let_go: bool = False
    """Refused, and so it stays: a person said so, or it was taken back here."""
    behind: int | None = None
    """Of a parked one: the refused posting that it waits for (UP-3)."""


class PostingTotals(Struct, frozen=True, kw_only=True):
    """How many postings are not delivered, and since when the oldest waits."""

    count: int
    """Of those that the filters keep; without a text."""
    waiting: int
    refused: int
    parked: int
    oldest_at: str | None


class OutboxHead(Struct, frozen=True, kw_only=True):
    """What the outbox comes to: what is not delivered, and the difference that it makes."""

    totals: PostingTotals
    differing: int | None = None
    """Items of which upstream has another stock; `None`: its figures are not known."""
    unexplained: int | None = None


class AuditEntry(Struct, frozen=True, kw_only=True):
    """An entry of the log; what it says is asked for alone (`AuditDocument`).

    With `looked` it is none: the list was looked through as far as that, and goes on before it.
    """

    sequence: int
    type: str = ""
    """Without prefix and version: `operator.disabled`."""
    subject: str = ""
    event_time: str = ""
    recorded_at: str = ""
    person: str | None = None
    """The badge; `person_name` is who that is, where it is known."""
    person_name: str | None = None
    second_person: str | None = None
    second_name: str | None = None
    reason: str | None = None
    looked: Looked | None = None


class RawScan(Struct, frozen=True, kw_only=True):
    """The scan that led to an entry, as the journal has it."""

    sequence: int
    scan_id: str
    code: str
    """Bytes that are no UTF-8 as U+FFFD."""
    hex: str
    device: str
    received_at: str


class AuditDocument(Struct, frozen=True, kw_only=True):
    """All that an entry of the log holds, and both ends of its link in the chain."""

    sequence: int
    utc_offset: str | None
    """What the site's clocks were ahead of UTC when it was recorded: `+01:00`."""
    clock_in_doubt: bool
    software: str | None
    """The version of the program that wrote it."""
    master_data: str | None
    """The version of the master data then."""
    scan: RawScan | None
    outbox_sequence: int | None
    previous_hash: str
    hash: str
    data: Raw


class DeskPerson(Struct, frozen=True, kw_only=True):
    """A person who may work here, or might once; never a PIN or its hash."""

    badge: str
    name: str
    role: Role
    language: str | None
    has_pin: bool
    locked_until: str | None
    disabled_at: str | None
    seen_at: str | None
    """When they signed in or proved a PIN here last."""


class PeopleTotals(Struct, frozen=True):
    """How many people the filters keep, and whether a supervisor has a PIN yet."""

    count: int
    is_set_up: bool


class ShiftEntry(Struct, frozen=True):
    """The shift that could be signed off now, or one that was."""

    key: str
    at_hand: ShiftNow | None = None
    ended: ShiftReport | None = None

"""What goes between a station and whoever receives its postings, as values (UP-1 ... UP-9). Pure.

The relay takes `QueuedPosting`s from the outbox and gets an `Answer` for each; `Hello` and
`Greeting` open the talk; `DownDocument`s come the other way and are answered by `Confirmation`s.
Everything but `QueuedPosting` travels as JSON in these keys.
"""

from typing import Annotated, Final, Literal

from msgspec import Meta, Raw, Struct

AnswerOutcome = Literal["accepted", "refused", "deferred"]
"""`accepted`: it has its effect, for good. `refused`: stored without effect, and judged again when
it comes again (UP-2). `deferred`: not stored, since an earlier one of its order was refused."""
DownKind = Literal["tables", "lot_status", "conflict", "conflict_ended"]
ConfirmedOutcome = Literal["applied", "not_here", "refused"]

Number = Annotated[int, Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""A sequence or version as it travels: what both databases hold. Others are not read."""

OTHER_CONTENT: Final = "other_content"
"""Why a posting was refused whose key the receiver has with other bytes: never overwritten."""


class Material(Struct, frozen=True, gc=False):
    """What a posting brings or uses: stock that another posting may wait for (UP-3)."""

    item: str
    lot: str | None
    serial: str | None


EXCEPTIONS_MAX: Final = 5000
"""So many open exceptions of all stations are shown at one of them; the site has them all."""


class QueuedPosting(Struct, frozen=True, kw_only=True, gc=False):
    """A posting that waits in the outbox, with what the order of delivery follows from.

    Thousands stand in the relay's window, and none in a circle: the collector looks at none.
    """

    sequence: int
    id: str
    source: str
    epoch: str
    lane: str
    """Its `partitionkey`: what is kept in order (UP-3)."""
    type: str
    recorded_at: str
    body: bytes
    """The event exactly as stored; these bytes are sent."""
    attempts: int = 0
    brings: frozenset[Material] = frozenset()
    uses: frozenset[Material] = frozenset()


class Answer(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the receiver did with a posting (UP-2, UP-8)."""

    source: str
    epoch: str
    sequence: Number
    outcome: AnswerOutcome
    reason: str | None = None
    """A stable word, of a refusal: `order_closed`, `period_closed`, `lot_blocked`, `malformed`,
    `other_content`, ..."""
    sentence: str | None = None
    """What a supervisor reads about a refusal."""
    document: str | None = None
    """The receiver's number of what it made of the posting."""
    repeated: bool = False
    """The stored outcome of an earlier delivery."""


class Hello(Struct, frozen=True, kw_only=True):
    """Who begins to send: asked for before the first posting and after every lost connection."""

    source: str
    station: str
    epoch: str
    first_sequence: Number
    """The first posting of this epoch."""
    last_sequence: Number
    """The newest posting of the outbox."""
    head: str
    """The hash of the newest entry of the station's log (UP-8)."""
    head_sequence: Number
    """The log sequence of that entry."""
    down_version: Number
    """Up to where documents from above have been applied (UP-9)."""
    software: str


class Greeting(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the receiver has of this source and epoch (UP-5)."""

    receiver: str
    watermark: Number
    """Everything up to here is there, accepted or refused."""
    highest: Number
    """The highest that is there; `watermark` where there is no gap."""
    missing: list[tuple[Number, Number]] = []
    """The gaps between them, first and last; the first thousand."""
    behind_s: float | None = None
    """How far the ERP behind the receiver is behind it, in seconds; `None`: there is none."""


class DownDocument(Struct, frozen=True, kw_only=True):
    """What comes down to the stations: applied in the order of `version`, in one transaction."""

    version: Number
    key: str
    """What it is about; a later document of the same key takes its place."""
    kind: DownKind
    sent_at: str
    stations: list[str] = []
    """The sources it is for; empty: all."""
    data: Raw


class TablesData(Struct, frozen=True):
    """Master data, orders and receipts: rows by table, cells as in the CSV files."""

    tables: dict[str, list[dict[str, str]]]


class LotStatusData(Struct, frozen=True, kw_only=True):
    """A lot (or a serial) is held, released or rejected everywhere."""

    item: str
    lot: str | None
    serial: str | None = None
    status: Literal["available", "hold", "rejected"]
    person: str | None = None
    reason: str | None = None


class ConflictData(Struct, frozen=True, kw_only=True):
    """Something that no station alone can see, or that it no longer holds."""

    conflict: Number
    """The receiver's number of it."""
    kind: str
    """`serial_twice`, `order_over_completed`, `beyond_receipts`, `location_two_writers`,
    `same_identity`, `lost_postings`, `erp_refused`."""
    sentence: str
    work_order: str | None = None
    item: str | None = None
    lot: str | None = None
    serial: str | None = None
    quantity: str | None = None
    postings: list[str] = []
    """The ids of the postings behind it."""


class Confirmation(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a station did with the documents up to `version`."""

    source: str
    version: Number
    at: str
    outcome: ConfirmedOutcome = "applied"
    sentence: str | None = None
    """Why it was refused; the documents stay, and are tried again with the next ones."""


class UpstreamStock(Struct, frozen=True, kw_only=True):
    """Stock as the receiver has it."""

    item: str
    lot: str | None
    serial: str | None
    location: str
    quantity: str
    uom: str


class StockReading(Struct, frozen=True, kw_only=True):
    """The receiver's stock at the locations that this station wrote to."""

    as_of: str
    watermark: Number
    """It includes what the receiver has of this source and epoch up to here, without gaps."""
    stock: list[UpstreamStock]
    beyond: list[tuple[Number, Number]] = []
    """What else of them it includes, behind gaps: first and last, the first thousand."""


class SiteException(Struct, frozen=True, kw_only=True):
    """An open exception of any station, as its postings told the receiver."""

    number: Number
    """The receiver's own number of it: grows in the order of arrival."""
    station: str
    source: str
    id: Number | None
    """The station's number of it; `None` where its postings do not tell."""
    kind: str
    """One of `outcome.ExceptionKind`, or one that a newer station has."""
    work_order: str | None
    line: str | None
    item: str | None
    lot: str | None
    quantity: str | None
    """What is still open."""
    opened_at: str | None
    cause: str | None
    status: str = "open"

    @property
    def key(self) -> str:
        """What pages go on after: the oldest first."""
        return f"{self.opened_at or ''} {self.number:012d}"

"""The particulars of postings that are plain facts: what stands in their `data.detail`. Pure.

Descriptions for readers: `posting_schemas` makes the JSON Schemas of them. An exception that opens
is told by its kind.
"""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, Struct, UnsetType

from mes_terminal.domain.posting_texts import (
    Day,
    Hash,
    Hex,
    Instant,
    Minutes,
    Name,
    ProductionDay,
    Quantity,
    SequenceText,
)
from mes_terminal.domain.shift_report import HandedOver, LeftOpen, Totals

LotStatus = Literal["available", "hold", "rejected"]
Count = Annotated[int, Meta(ge=0)]


class CallMade(Struct, frozen=True):
    """What is called for: an item, or whatever an order lacks, or anything."""

    item: Name | None
    work_order: Name | None
    location: Name | None
    times: Annotated[int, Meta(ge=1, description="How often it was called for by now.")]


class CallEnded(Struct, frozen=True):
    """The call that ended, and what answered it."""

    item: Name | None
    work_order: Name | None
    location: Name | None
    times: Annotated[int, Meta(ge=1)]
    called_at: Instant
    by: Literal["mounted", "received", "supervisor"]


class LineStopped(Struct, frozen=True):
    """Why the line stands."""

    reason: Name


class LineStarted(Struct, frozen=True):
    """Why the line stood, and for how long."""

    reason: Name
    stopped_at: Instant
    minutes: Minutes


class LotStatusChanged(Struct, frozen=True):
    """What may be done with a lot or serial, before and from now on."""

    item: Name
    lot: Name | None
    serial: Name | None
    before: LotStatus
    status: LotStatus
    down_version: Annotated[int, Meta(description="What came down and said so.")] | UnsetType = (
        UNSET
    )


class LogPlace(Struct, frozen=True):
    """The entry of the log that a sign-off follows."""

    sequence: Count
    hash: Hash


class ShiftEnded(Struct, frozen=True):
    """What a shift leaves behind, and what was done in it."""

    production_day: ProductionDay
    shift: Name | None
    began_at: Instant
    handed_over: HandedOver | None
    log_head: LogPlace
    open: LeftOpen
    totals: Totals


class Signature(Struct, frozen=True):
    """Who signed which entry of the log, and what it means."""

    name: str
    badge: Name
    role: Name
    meaning: Name
    local_time: str
    clock: Literal["in_order", "in_doubt"]
    signed_hash: Hash
    signed_sequence: SequenceText
    signed_type: Name


class Opened(Struct, frozen=True):
    """What each says that opens."""

    exception_id: Annotated[int, Meta(ge=1, description="Its number: its end has the same.")]


class ClockSetBack(Opened, frozen=True):
    """The clock reads less than it did."""

    kind: Literal["clock"]
    reads: Instant
    not_before: Instant


class ScannerTroubled(Opened, frozen=True):
    """A scanner does not work, or not well."""

    kind: Literal["scanner"]
    scanner: Name
    trouble: Name
    cause: str


class ScanFailed(Opened, frozen=True):
    """A scan that the station could not handle."""

    kind: Literal["failed_scan"]
    hex: Hex
    error: str


class CodeUnknown(Opened, frozen=True):
    """A code that no rule reads."""

    kind: Literal["unknown_code"]
    code: str
    hex: Hex


class LabelDiffers(Opened, frozen=True):
    """A label with another expiry than the record of its lot."""

    kind: Literal["label_mismatch"]
    item: Name
    lot: Name | None
    label: Day
    record: Day | None


class ConversionMissing(Opened, frozen=True):
    """A label in a unit that its item has no conversion from."""

    kind: Literal["conversion_missing"]
    uom: Name
    hex: Hex


class UsedInSpite(Opened, frozen=True):
    """What was used although something was against it, and a supervisor or the policy let it."""

    kind: Literal["lot_expired", "lot_on_hold", "substitution", "component_serial"]
    line: Name
    item: Name
    quantity: Quantity
    cause: str


class LotOverdrawn(Opened, frozen=True):
    """A container that held another quantity than the books said."""

    kind: Literal["lot_overdrawn"]
    item: Name
    lot: Name | None
    container: Name | None
    left: Quantity
    books: Quantity


class CountDiffers(Opened, frozen=True):
    """A count that found another quantity than the books said."""

    kind: Literal["count_variance"]
    item: Name
    location: Name
    counted: Quantity
    expected: Quantity


class PostingRefused(Opened, frozen=True):
    """A posting that the receiver refused."""

    kind: Literal["posting_refused"]
    posting: Annotated[Name, Meta(description="Its id: epoch and sequence.")]
    type: Name
    lane: Annotated[Name, Meta(description="What it is kept in order with: its partitionkey.")]
    reason: Annotated[Name, Meta(description="The receiver's word for it.")]
    cause: Name


OPENED = (
    ClockSetBack, ScannerTroubled, ScanFailed, CodeUnknown, LabelDiffers, ConversionMissing,
    UsedInSpite, LotOverdrawn, CountDiffers, PostingRefused,
)  # fmt: skip
"""What an exception that no report carries says when it opens, by its kind."""

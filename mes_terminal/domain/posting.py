"""The documents of the log: one CloudEvents envelope around one small document in ISA-95 words.

Pure: builds the exact bytes that are stored, hashed and later sent. The chain is
`hash = SHA-256(previous hash ‖ stored bytes)`; an envelope also carries the SHA-256 of its data, of
the scan's journal row and of the ledger rows it explains, so that one chain covers everything.
Source of the shapes: CloudEvents 1.0, IEC 62264-2 (material actuals).
"""

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import UNSET, Struct, UnsetType

from mes_terminal.domain.outcome import Certainty, OpenedException
from mes_terminal.domain.posting_texts import (
    Epoch,
    Hash,
    How,
    Instant,
    Minutes,
    Name,
    Quantity,
    SequenceText,
    Source,
    Use,
    UtcOffset,
    Uuid,
    Version,
)

FIRST_HASH: Final = "0" * 64
"""What stands for the hash before the first entry."""

TYPE_PREFIX: Final = "io.mes-terminal."
TYPE_SUFFIX: Final = ".v1"

MovementRow = tuple[int | None, int, int, int, int, int, str, str | None]
"""line_id, lot_id, container_id, from_location_id, to_location_id, quantity_micro, kind, rule."""

EdgeRow = tuple[int, int, int, int, Certainty]
"""child_id, parent_id, line_id, quantity_micro, certainty."""

_encode = msgspec.json.Encoder().encode


class MaterialActual(Struct, frozen=True, omit_defaults=False):
    """Material produced, received, moved or adjusted. Quantities are decimal texts."""

    use: Use
    item: Name
    lot: str | None
    serial: str | None
    quantity: Quantity
    uom: Name
    location: Name
    from_location: Name | UnsetType = UNSET


class LineActual(Struct, frozen=True, gc=False):
    """Material consumed or scrapped for an order line."""

    use: Use
    item: Name
    lot: str | None
    serial: str | None
    quantity: Quantity
    uom: Name
    location: Name
    order_line: Name
    erp_ref: str | None
    how: How
    certainty: Certainty | None


class OperationActual(Struct, frozen=True):
    """What an operation gained by a report, swept ones included, and its time at standard: what
    labour and overhead are paid for (BF-11, BF-38). Decimal texts; below zero in a reversal."""

    operation: Name
    work_centre: str | None
    good: Quantity
    scrapped: Quantity
    setup_minutes: Minutes
    run_minutes: Minutes


class ReportData(Struct, frozen=True, kw_only=True):
    """What a report of production says upstream."""

    report_id: Uuid
    scan_id: Uuid
    work_order: Name
    operation: str | None = None
    final: bool
    person: str | None
    station: Name
    master_data_version: Version
    event_time: Instant
    reverses: Uuid | None = None
    scrapped_quantity: Quantity = "0"
    scrapped_serials: list[str] = []
    reason: str | None = None
    material_actuals: list[MaterialActual | LineActual]
    labour_actuals: list[OperationActual] = []
    exceptions: list[OpenedException] = []


class MaterialData(Struct, frozen=True, kw_only=True):
    """What a receipt, a move, an issue by hand or an adjustment of material says upstream."""

    scan_id: Uuid | None = None
    reference: str | None = None
    work_order: str | None = None
    reason: str | None = None
    person: str | None = None
    station: Name
    master_data_version: Version
    event_time: Instant
    material_actuals: Sequence[MaterialActual | LineActual]


class Fact(Struct, frozen=True, kw_only=True):
    """Any other thing that happened: who, where, when and its particulars."""

    scan_id: Uuid | None = None
    person: str | None = None
    station: Name
    event_time: Instant
    detail: dict[str, Any] = {}


class ReportRow(Struct, frozen=True, kw_only=True):
    """A report as the ledger keeps it, but for what its event and its scan say. In micro-units."""

    work_order_id: int
    kind: str
    good_micro: int
    scrapped_micro: int
    lot_id: int | None
    order_status_before: str
    lot_expires_before: str | None
    reverses: int | None = None
    operation: str | None = None
    passed: str | None = None
    """JSON [[position, good, scrapped]]: what operations gained."""
    reversed_micro: int | None = None
    reverses_rest: int = 0


class EventDraft(Struct, frozen=True, kw_only=True):
    """An event before it has its place in the log, with the ledger rows it explains."""

    type: str
    """Without prefix and version: `production.completed`."""
    subject: str
    partition_key: str
    event_time: str
    data: Any
    upstream: bool
    person: str | None = None
    second_person: str | None = None
    reason: str | None = None
    movements: Sequence[MovementRow] = ()
    edges: Sequence[EdgeRow] = ()
    report: ReportRow | None = None


class LogHead(Struct, frozen=True):
    """Where the log stands: what the next event follows."""

    epoch: str
    event_seq: int
    hash: str
    outbox_seq: int
    movement_seq: int
    journal_hash: str
    """The newest entry of the journal's own chain (`outcome_hash`)."""
    master_data_version: int = 0
    clock_in_doubt: bool = False
    """The clock jumped, and nobody has confirmed it since (BF-33)."""


class Envelope(Struct, frozen=True, kw_only=True):
    """The CloudEvents 1.0 envelope and its extension attributes. Encoded in this order."""

    specversion: str = "1.0"
    type: str
    source: Source
    id: str
    sequence: SequenceText | UnsetType = UNSET
    partitionkey: Name
    subject: Name
    time: Instant
    datacontenttype: str = "application/json"
    recordedtime: Instant
    utcoffset: UtcOffset
    clockstate: Literal["in_doubt"] | UnsetType = UNSET
    softwareversion: Name
    masterdataversion: Version
    person: str | UnsetType = UNSET
    secondperson: str | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    epoch: Epoch
    logsequence: SequenceText
    previoushash: Hash
    journalhash: Hash
    scanhash: Hash | UnsetType = UNSET
    ledgerhash: Hash | UnsetType = UNSET
    datahash: Hash
    data: msgspec.Raw


def full_type(kind: str) -> str:
    """Return a type as the envelope has it: `io.mes-terminal.production.completed.v1`."""
    return f"{TYPE_PREFIX}{kind}{TYPE_SUFFIX}"


def short_type(name: str) -> str:
    """Return a type without prefix and version, whichever way it is given."""
    return name.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)


def event_body(
    draft: EventDraft,
    head: LogHead,
    *,
    source: str,
    software: str,
    recorded_at: str,
    utc_offset: str,
    scan_hash: str | None,
    ledger: bytes | None,
) -> bytes:
    """Return the exact bytes of the event that follows `head`, recorded at `recorded_at`.

    `software` is the version of the program, `utc_offset` what the site's clocks were ahead of UTC
    (`+01:00`), `scan_hash` that of the journal row that caused it, `ledger` what `ledger_bytes`
    made of its rows; `None` where there is none.
    """
    data = _encode(draft.data)
    log_sequence = f"{head.event_seq + 1:012d}"
    sequence = f"{head.outbox_seq + 1:012d}" if draft.upstream else None
    return _encode(
        Envelope(
            type=f"{TYPE_PREFIX}{draft.type}{TYPE_SUFFIX}",
            source=source,
            id=f"{head.epoch}:{sequence or 'L' + log_sequence}",
            sequence=sequence or UNSET,
            partitionkey=draft.partition_key,
            subject=draft.subject,
            time=draft.event_time,
            recordedtime=recorded_at,
            utcoffset=utc_offset,
            clockstate="in_doubt" if head.clock_in_doubt else UNSET,
            softwareversion=software,
            masterdataversion=str(head.master_data_version),
            person=UNSET if draft.person is None else draft.person,
            secondperson=UNSET if draft.second_person is None else draft.second_person,
            reason=UNSET if draft.reason is None else draft.reason,
            epoch=head.epoch,
            logsequence=log_sequence,
            previoushash=head.hash,
            journalhash=head.journal_hash,
            scanhash=scan_hash or UNSET,
            ledgerhash=sha256(ledger) if ledger is not None else UNSET,
            datahash=sha256(data),
            data=msgspec.Raw(data),
        )
    )


def ledger_bytes(movements: Sequence[Any], edges: Sequence[Any], report: Sequence[Any]) -> bytes:
    """Return the canonical bytes of an event's ledger rows, as they stand in the tables.

    `movements` are whole rows in order of `movement_seq`, `edges` whole rows in key order,
    `report` the row of the report that the event is, if it is one.
    """
    return _encode((movements, edges, report))


def scan_bytes(row: Sequence[Any]) -> bytes:
    """Return the canonical bytes of a journal row (all columns, in order; `raw` as base64)."""
    return _encode(row)


def outcome_hash(previous_hash: str, scan_hash: str, outcome: Sequence[Any]) -> str:
    """Return the hash of a concluded scan: over the one before, its journal row's, and its outcome
    row (all columns but the hash). The next event carries it, so the journal hangs on the log."""
    return chain(previous_hash, _encode((scan_hash, outcome)))


def chain(previous_hash: str, body: bytes) -> str:
    """Return the hash of a log entry: SHA-256 over the previous hash (ASCII) and the body."""
    return sha256(previous_hash.encode("ascii") + body)


def sha256(data: bytes) -> str:
    """Return the lower-case hexadecimal SHA-256 of `data`."""
    return hashlib.sha256(data).hexdigest()

"""A posting taken apart: from the bytes that came to what the site reads of it (UP-2). Pure.

Whatever the bytes are, the result is a value: a posting, a posting that is malformed but names its
key, or nothing that could be named. Nothing that is no posting of ours reaches the database as one.
"""

import re
from datetime import datetime
from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.posting import TYPE_PREFIX, TYPE_SUFFIX, chain, sha256
from mes_terminal.domain.posting_texts import UseWord
from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.exchange.posting_schemas import POSTINGS

NAME_MAX: Final = 300
"""Characters of a name: what an index of the database takes, with room."""
BODY_BYTES_MAX: Final = 16 * 1024 * 1024
"""A larger body is no posting: a report of 50,000 lines has less."""
SEQUENCE_MAX: Final = 2**62
CERTAINTIES: Final = frozenset({"exact", "sole", "assumed", "pooled", "unknown"})

_SOURCE: Final = re.compile(r"urn:mes-terminal:[^:\x00-\x20]+:[^:\x00-\x20]+")
_EPOCH: Final = re.compile(r"[0-9a-f]{16}")
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
_DIGITS: Final = re.compile(r"[0-9]{12,19}")


class Key(Struct, frozen=True, order=True):
    """What a posting is known by: with its hash, all of its identity."""

    source: str
    epoch: str
    sequence: int


class Actual(Struct, frozen=True):
    """Material of a posting: what the two kinds of actuals share, and what only one has."""

    use: UseWord
    item: str
    lot: str | None
    serial: str | None
    quantity: str
    uom: str
    location: str
    from_location: str | None = None
    order_line: str | None = None
    certainty: str | None = None


class Told(Struct, frozen=True):
    """An exception as a posting tells it; `quantity` is what it grows by."""

    id: int
    kind: str
    line: str | None
    item: str | None
    quantity: str | None


class Decision(Struct, frozen=True):
    """How a person ended an exception."""

    reason: str | None = None


class PostingData(Struct, frozen=True, kw_only=True):
    """What the site reads of any posting's data; a key that a type does not have is absent."""

    event_time: str
    report_id: str | None = None
    """Its own, of a report; else the report that it is about."""
    work_order: str | None = None
    final: bool = False
    station: str
    decision: Decision | None = None
    person: str | None = None
    reverses: str | None = None
    scrapped_quantity: str = "0"
    scrapped_serials: list[str] = []
    material_actuals: list[Actual] = []
    exceptions: list[Told] = []
    detail: dict[str, object] = {}


REPORTS: Final = frozenset({
    "production.completed", "production.scrapped", "production.reworked", "operation.completed",
    "report.reversed",
})  # fmt: skip
"""Types whose `report_id` is their own."""


class Posting(Struct, frozen=True, kw_only=True):
    """A posting as the site handles it."""

    key: Key
    id: str
    kind: str
    """Its type without prefix and version."""
    lane: str
    subject: str
    event_time: str
    recorded_at: str
    body: bytes
    hash: bytes
    log_sequence: int
    log_hash: str
    data: PostingData

    @property
    def report_id(self) -> str | None:
        """The id of the report that it is."""
        return self.data.report_id if self.kind in REPORTS else None


class Malformed(Struct, frozen=True):
    """Bytes that are no posting, and why. Without a key there is no way to answer for them."""

    key: Key | None
    lane: str | None
    body: bytes
    hash: bytes
    sentence: str


class _Envelope(Struct, frozen=True):
    """What the site reads of an envelope; every key must be there."""

    specversion: str
    type: str
    source: str
    id: str
    sequence: str
    partitionkey: str
    subject: str
    time: str
    recordedtime: str
    epoch: str
    logsequence: str
    previoushash: str
    datahash: str
    data: msgspec.Raw


class _Named(Struct, frozen=True):
    """What a malformed posting may still be known by."""

    source: str
    epoch: str
    sequence: str
    partitionkey: str = ""


class _FaultError(Exception):
    """Why it is no posting; never leaves this module."""


_decode_envelope: Final = msgspec.json.Decoder(_Envelope).decode
_decode_named: Final = msgspec.json.Decoder(_Named).decode
_decode_data: Final = msgspec.json.Decoder(PostingData).decode
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_WHAT: Final = "is no posting of this program"


def read_posting(body: bytes) -> Posting | Malformed:
    """Take the bytes apart; never raises for what is in them."""
    try:
        if len(body) > BODY_BYTES_MAX:
            raise _FaultError(f"it is larger than {BODY_BYTES_MAX} bytes")
        return _read(body)
    except (msgspec.MsgspecError, _FaultError, UnicodeError, RecursionError) as fault:
        key, lane = _named(body)
        sentence = f"This {_WHAT}: {' '.join(str(fault).split())[:200]}."
        return Malformed(key, lane, body, bytes.fromhex(sha256(body)), sentence)


def is_name(said: object) -> bool:
    """Tell whether something is a name that the database takes."""
    return isinstance(said, str) and 0 < len(said) <= NAME_MAX and "\0" not in said


def _read(body: bytes) -> Posting:
    envelope = _decode_envelope(body)
    kind = envelope.type.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)
    if envelope.specversion != "1.0":
        raise _FaultError(f"CloudEvents {envelope.specversion[:20]!r} is not 1.0")
    if kind not in POSTINGS or envelope.type != f"{TYPE_PREFIX}{kind}{TYPE_SUFFIX}":
        raise _FaultError(
            f"its type {envelope.type[:80]!r} is not known here; the site may need an update"
        )
    key = _key(envelope.source, envelope.epoch, envelope.sequence)
    if envelope.id != f"{envelope.epoch}:{envelope.sequence}":
        raise _FaultError("its id is not its epoch and sequence")
    if not _DIGITS.fullmatch(envelope.logsequence) or not _HASH.fullmatch(envelope.previoushash):
        raise _FaultError("its place in the station's log is missing")
    raw = bytes(envelope.data)
    if sha256(raw) != envelope.datahash:
        raise _FaultError("its data is not what its hash says")
    _name("partitionkey", envelope.partitionkey)
    data = _decode_data(raw)
    _check(data)
    return Posting(
        key=key,
        id=envelope.id,
        kind=kind,
        lane=envelope.partitionkey,
        subject=envelope.subject,
        event_time=_instant(data.event_time),
        recorded_at=_instant(envelope.recordedtime),
        body=body,
        hash=bytes.fromhex(sha256(body)),
        log_sequence=int(envelope.logsequence),
        log_hash=chain(envelope.previoushash, body),
        data=data,
    )


def _key(source: str, epoch: str, sequence: str) -> Key:
    if len(source) > NAME_MAX or not _SOURCE.fullmatch(source):
        raise _FaultError("its source is none of a station")
    if not _EPOCH.fullmatch(epoch):
        raise _FaultError("its epoch is none")
    if not _DIGITS.fullmatch(sequence) or not 0 < int(sequence) <= SEQUENCE_MAX:
        raise _FaultError("its sequence is none")
    return Key(source, epoch, int(sequence))


def _named(body: bytes) -> tuple[Key | None, str | None]:
    if len(body) > BODY_BYTES_MAX:
        return None, None
    try:
        named = _decode_named(body)
        return _key(named.source, named.epoch, named.sequence), named.partitionkey
    except (msgspec.MsgspecError, _FaultError, UnicodeError, RecursionError):
        return None, None


def _check(data: PostingData) -> None:
    for what in ("station", "report_id", "work_order", "person", "reverses"):
        said = getattr(data, what)
        if said is not None:
            _name(what, said)
    _quantity("scrapped_quantity", data.scrapped_quantity)
    for serial in data.scrapped_serials:
        _name("scrapped_serials", serial)
    for actual in data.material_actuals:
        _check_actual(actual)
    for each in data.exceptions:
        for what in ("kind", "line", "item"):
            said = getattr(each, what)
            if said is not None:
                _name(what, said)
        if not 0 <= each.id <= SEQUENCE_MAX:
            raise _FaultError("the number of an exception is none")
        if each.quantity is not None:
            _quantity("quantity", each.quantity)


def _check_actual(actual: Actual) -> None:
    if actual.certainty is not None and actual.certainty not in CERTAINTIES:
        raise _FaultError(f"the certainty {actual.certainty[:40]!r} is not known here")
    for what in ("item", "uom", "location"):
        _name(what, getattr(actual, what))
    for what in ("lot", "serial", "from_location", "order_line"):
        said = getattr(actual, what)
        if said is not None:
            _name(what, said)
    _quantity("quantity", actual.quantity)


def _name(what: str, said: str) -> None:
    if not is_name(said):
        raise _FaultError(f"its {what} is empty, longer than {NAME_MAX} characters or holds a NUL")


def _quantity(what: str, said: str) -> None:
    try:
        parse_quantity(said)
    except QuantityError as error:
        raise _FaultError(f"its {what}: {error}") from None


def _instant(said: str) -> str:
    """Return an instant that the database takes."""
    try:
        if not _INSTANT.fullmatch(said):
            raise ValueError
        datetime.fromisoformat(said)
    except ValueError:
        raise _FaultError(f"{said[:40]!r} is no instant in UTC") from None
    return said

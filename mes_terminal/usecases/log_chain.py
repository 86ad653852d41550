"""Prove the log: every hash recomputed from the stored bytes, in one pass by sequence.

Covers the chain itself, the data, the scan that caused an event, the ledger rows it explains and
the journal, whose own chain every event names: a byte changed in any of them, or a row added or
taken away, is found. What a signature signs must be in the log before it. A chain alone does not
show that its end was cut off. Called by `usecases.doctor`, and by the desk step by step.
"""

from collections.abc import Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from mes_terminal.domain.posting import (
    FIRST_HASH,
    TYPE_PREFIX,
    TYPE_SUFFIX,
    chain,
    ledger_bytes,
    outcome_hash,
    scan_bytes,
    sha256,
)
from mes_terminal.store import checks
from mes_terminal.store.database import Database
from mes_terminal.store.desk_audit import last_sequence

PROVING_ENTRIES: Final = 500
"""Entries between two answers of how far it is: some 20 ms."""


class _Told(Struct):
    """What an envelope says of itself, and its data as the bytes that stand in it."""

    type: str
    time: str
    logsequence: str
    previoushash: str
    datahash: str
    data: Raw
    recordedtime: str
    journalhash: str
    sequence: str | None = None
    person: str | None = None
    secondperson: str | None = None
    reason: str | None = None
    scanhash: str | None = None
    ledgerhash: str | None = None


class _Signed(Struct):
    """What a signature says of what it signs."""

    signed_hash: str
    signed_sequence: str
    badge: str


class _Signature(Struct):
    """The data of a signature, as far as it is proved."""

    detail: _Signed


_envelope: Final = msgspec.json.Decoder(_Told)
_signature: Final = msgspec.json.Decoder(_Signature)


class _Rows:
    """Groups of ledger rows, taken event by event as the log is read."""

    def __init__(self, rows: Iterator[tuple[Any, ...]], event_column: int) -> None:
        self._groups = groupby(rows, itemgetter(event_column))
        self._key: int | None = None
        self._rows: list[tuple[Any, ...]] = []
        self._advance()

    @property
    def next_event(self) -> int | None:
        """The event that the next rows belong to, `None` at the end."""
        return self._key

    def take(self, event_seq: int) -> list[tuple[Any, ...]]:
        """Return the rows of that event, if they are the next ones."""
        if self._key != event_seq:
            return []
        taken = self._rows
        self._advance()
        return taken

    def _advance(self) -> None:
        self._key, group = next(self._groups, (None, iter(())))
        self._rows = list(group)


class _Journal:
    """The journal's own chain, recomputed as far as the log has named it."""

    def __init__(self, rows: Iterator[tuple[Any, ...]]) -> None:
        self._rows = rows
        self._hash = FIRST_HASH
        self._fault: str | None = None

    def reaches(self, digest: str) -> bool:
        """Tell whether the chain comes to this hash, now or further on."""
        while self._hash != digest and self._step():
            pass
        return self._hash == digest

    def first_fault(self) -> str | None:
        """Return a sentence about the first scan that is not as it was concluded."""
        while self._step():
            pass
        return self._fault

    def _step(self) -> bool:
        row = next(self._rows, None)
        if row is None:
            return False
        self._hash = outcome_hash(self._hash, sha256(scan_bytes(row[8:])), row[:7])
        if row[7] != self._hash and self._fault is None:
            self._fault = f"scan {row[0]} is not as it was journalled and concluded"
        return True


class Proving(Struct, frozen=True):
    """How far the log has been recomputed without a fault: so many entries of so many."""

    proved: int
    of: int


class Proof(Struct, frozen=True):
    """What recomputing the log came to."""

    ok: bool
    entries: int
    """Entries that hold, from the first on."""
    head: str
    """The hash of the last of them: what an anchor notes."""
    fault: str | None
    """A sentence about the first entry that does not hold."""


def prove(database: Database, anchor: str | None = None) -> Proof:
    """Recompute the whole log; with `anchor`, a hash noted earlier, it must still be in it."""
    *_, proof = proving(database, anchor)
    assert isinstance(proof, Proof)
    return proof


def proving(database: Database, anchor: str | None = None) -> Iterator[Proving | Proof]:
    """Recompute the log as `prove` does: yield how far it has come again and again, the proof last.

    What is recorded meanwhile is not looked at.
    """
    total = last_sequence(database)
    head, entries, seen = FIRST_HASH, 0, anchor is None
    ledger = {
        "movement": _Rows(checks.rows(database, checks.MOVEMENTS), 1),
        "genealogy edge": _Rows(checks.rows(database, checks.EDGES), 2),
        "report": _Rows(checks.rows(database, checks.REPORTS), 0),
    }
    journal = _Journal(checks.rows(database, checks.OUTCOMES))
    for row in checks.rows(database, checks.EVENTS):
        fault = _fault_at(row, entries + 1, head, ledger, journal)
        if fault is None and row[1] == "signature.given":
            fault = _signature_fault(database, row)
        if fault is not None:
            yield Proof(False, entries, head, fault)
            return
        head, entries = row[4], entries + 1
        seen = seen or head == anchor
        if not entries % PROVING_ENTRIES:
            yield Proving(entries, total)
    fault = _left_over(ledger) or journal.first_fault()
    if fault is None and not seen:
        fault = "the anchored entry is not in the log: its end was cut off or rewritten"
    yield Proof(fault is None, entries, head, fault)


def _fault_at(
    row: tuple[Any, ...], expected: int, previous: str, ledger: Mapping[str, _Rows],
    journal: _Journal,
) -> str | None:  # fmt: skip
    event_seq = row[0]
    if event_seq != expected:
        return f"entry {event_seq} stands where {expected} is expected"
    for name, rows in ledger.items():
        if rows.next_event is not None and rows.next_event < event_seq:
            return f"a {name} of entry {rows.next_event} is not where it was written"
    taken = [rows.take(event_seq) for rows in ledger.values()]
    fault = _entry_fault(row, previous, taken, journal)
    return f"entry {event_seq} {fault}" if fault else None


def _signature_fault(database: Database, row: tuple[Any, ...]) -> str | None:
    """Return what is wrong with a signature: it signs nothing that stands before it, or is not that
    of the person it names."""
    event_seq, person = row[0], row[7]
    try:
        signed = _signature.decode(bytes(_envelope.decode(row[5]).data)).detail
        sequence = int(signed.signed_sequence)
    except (msgspec.DecodeError, ValueError) as error:
        return f"entry {event_seq} is no signature: {error}"
    if sequence >= event_seq or checks.event_hash(database, sequence) != signed.signed_hash:
        return f"entry {event_seq} signs an entry that is not in the log"
    if person != signed.badge:
        return f"entry {event_seq} is the signature of somebody else"
    return None


def _left_over(ledger: Mapping[str, _Rows]) -> str | None:
    for name, rows in ledger.items():
        if rows.next_event is not None:
            return f"a {name} belongs to entry {rows.next_event}, which is not its own"
    return None


def _entry_fault(
    row: tuple[Any, ...], previous: str, ledger: list[list[Any]], journal: _Journal
) -> str | None:
    event_seq, kind, event_time, outbox_seq, own_hash, body, *who, scan_seq = row[:11]
    stored = body.encode()
    if chain(previous, stored) != own_hash:
        return "has a hash that is not that of its bytes and the entry before"
    try:
        told = _envelope.decode(stored)
    except msgspec.DecodeError as error:
        return f"is no event document: {error}"
    if told.previoushash != previous:
        return "names another entry before it"
    if sha256(bytes(told.data)) != told.datahash:
        return "has a datahash that is not that of its data"
    if told.scanhash != (None if scan_seq is None else sha256(scan_bytes(row[11:]))):
        return f"was caused by scan {scan_seq}, which is not as it was journalled"
    if told.ledgerhash != (sha256(ledger_bytes(*ledger)) if any(ledger) else None):
        return "does not match its movements, genealogy edges and report"
    columns = (f"{TYPE_PREFIX}{kind}{TYPE_SUFFIX}", event_time, event_seq, outbox_seq, *who)
    said = (
        told.type,
        told.time,
        int(told.logsequence),
        told.sequence and int(told.sequence),
        told.recordedtime,
        told.person,
        told.secondperson,
        told.reason,
    )
    if columns != said:
        return "stands in columns that do not say what its bytes say"
    if not journal.reaches(told.journalhash):
        return "names a journal that is not this one"
    return None

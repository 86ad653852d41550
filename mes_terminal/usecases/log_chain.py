"""Prove the log: every hash recomputed from the stored bytes, in one pass by sequence.

Covers the chain itself, the data, the scan that caused an event and the ledger rows it explains
(`settled.md`, Events): a byte changed in any of them, or a row added or taken away, is found. A
chain alone does not show that its end was cut off. Called by `usecases.doctor`.
"""

from collections.abc import Iterator
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
    scan_bytes,
    sha256,
)
from mes_terminal.store import checks
from mes_terminal.store.database import Database


class _Told(Struct):
    """What an envelope says of itself, and its data as the bytes that stand in it."""

    type: str
    time: str
    logsequence: str
    previoushash: str
    datahash: str
    data: Raw
    sequence: str | None = None
    scanhash: str | None = None
    ledgerhash: str | None = None


_envelope: Final = msgspec.json.Decoder(_Told)


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


def first_fault(database: Database) -> str | None:
    """Return a sentence about the first entry that does not hold, `None` if the log is whole."""
    previous, expected = FIRST_HASH, 1
    movements = _Rows(checks.rows(database, checks.MOVEMENTS), 1)
    edges = _Rows(checks.rows(database, checks.EDGES), 2)
    for row in checks.rows(database, checks.EVENTS):
        event_seq = row[0]
        if event_seq != expected:
            return f"entry {event_seq} stands where {expected} is expected"
        for name, ledger in (("movement", movements), ("genealogy edge", edges)):
            if ledger.next_event is not None and ledger.next_event < event_seq:
                return f"a {name} of entry {ledger.next_event} is not where it was written"
        fault = _entry_fault(row, previous, movements.take(event_seq), edges.take(event_seq))
        if fault:
            return f"entry {event_seq} {fault}"
        previous, expected = row[5], expected + 1
    for name, ledger in (("movement", movements), ("genealogy edge", edges)):
        if ledger.next_event is not None:
            return f"a {name} belongs to entry {ledger.next_event}, which is not its own"
    return None


def _entry_fault(
    row: tuple[Any, ...], previous: str, movements: list[Any], edges: list[Any]
) -> str | None:
    event_seq, kind, event_time, person, outbox_seq, own_hash, body, scan_seq = row[:8]
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
    if told.scanhash != (None if scan_seq is None else sha256(scan_bytes(row[8:]))):
        return f"was caused by scan {scan_seq}, which is not as it was journalled"
    ledger = ledger_bytes(movements, edges) if movements or edges else None
    if told.ledgerhash != (None if ledger is None else sha256(ledger)):
        return "does not match its movements and genealogy edges"
    columns = (f"{TYPE_PREFIX}{kind}{TYPE_SUFFIX}", event_time, event_seq, outbox_seq)
    said = (told.type, told.time, int(told.logsequence), told.sequence and int(told.sequence))
    if columns != said:
        return "stands in columns that do not say what its bytes say"
    if person != _person_of(told.data, person):
        return "names another person than its bytes do"
    return None


def _person_of(data: Raw, otherwise: str | None) -> str | None:
    """Return the person the data names; `otherwise` where such data name nobody."""
    told = msgspec.json.decode(data)
    if isinstance(told, dict) and "person" in told:
        named: str | None = told["person"]
        return named
    return otherwise

"""The audit trail on the supervisor's desk, the newest entry first, and each entry whole.

Without a filter a page is read where it begins. With one the log is looked through a bounded way
back: how far is told in a last row, and the page after that row goes on from there.
Called through `usecases.lists.LISTS`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from mes_terminal.domain.desk_entries import AuditDocument, AuditEntry, Looked, RawScan
from mes_terminal.errors import InputError
from mes_terminal.store import desk_audit as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream
from mes_terminal.usecases.desk_counts import DeskCount
from mes_terminal.usecases.desk_filters import check_filters, number_after, page, page_rows, sought
from mes_terminal.usecases.filters import whole_number

TEXT_ENTRIES_MAX: Final = 25_000
"""Entries that a text is looked for in at a time: some 0.1 s."""
ENTRIES_MAX: Final = 50_000
"""Entries that are looked at where no text is looked for: some 0.1 s."""
FILTERS: Final = ("type", "person", "text", "from_at", "until_at", "after", "limit")
_NARROWING: Final = frozenset(("type", "person", "text", "from_at", "until_at"))


class _Named(Struct):
    """What a row needs of a document."""

    subject: str = ""


class _Told(Struct):
    """What a story needs of a document."""

    previoushash: str
    data: Raw
    utcoffset: str | None = None
    clockstate: str | None = None
    softwareversion: str | None = None
    masterdataversion: str | None = None


_named: Final = msgspec.json.Decoder(_Named)
_told: Final = msgspec.json.Decoder(_Told)


def desk_audit(database: Database, filters: Mapping[str, str]) -> Iterator[AuditEntry]:
    """Yield a page of entries, and how far was looked where more may be found before that.

    `type` is how types begin, `from_at` and `until_at` are instants of recording. Raises
    `InputError` for a filter it lacks.
    """
    check_filters("desk_audit", filters, FILTERS)
    total = store.last_sequence(database)
    newest = min(total, number_after(filters, total + 1) - 1)
    is_narrowed = any(filters.get(name) for name in _NARROWING)
    entries_max = TEXT_ENTRIES_MAX if filters.get("text") else ENTRIES_MAX
    oldest = max(1, newest - entries_max + 1) if is_narrowed else 1
    rows = stream(database, store.ENTRIES, _asked(filters, oldest=oldest, newest=newest))
    shown = 0
    for row in page(rows, filters):
        shown += 1
        yield _entry(*row)
    if oldest > 1 and shown < page_rows(filters):
        yield AuditEntry(sequence=oldest, looked=Looked(oldest, total))


def desk_audit_count(database: Database, filters: Mapping[str, str]) -> Iterator[DeskCount]:
    """Yield how many entries there are; nothing for a part of them, which nobody has counted."""
    check_filters("desk_audit_count", filters, FILTERS)
    if not any(filters.get(name) for name in _NARROWING):
        yield DeskCount(store.last_sequence(database))


def desk_audit_entry(database: Database, filters: Mapping[str, str]) -> Iterator[AuditDocument]:
    """Yield the entry `sequence` whole. Raises `InputError` without it."""
    check_filters("desk_audit_entry", filters, ("sequence",))
    if "sequence" not in filters:
        raise InputError("desk_audit_entry needs a sequence.")
    row = store.document(database, whole_number("sequence", filters["sequence"]))
    if row is not None:
        yield _document(*row)


def _asked(filters: Mapping[str, str], *, oldest: int, newest: int) -> dict[str, str | int | None]:
    text = filters.get("text") or None
    return {
        "oldest": oldest,
        "newest": newest,
        "type": filters.get("type") or None,
        "person": filters.get("person") or None,
        "from_at": filters.get("from_at") or None,
        "until_at": filters.get("until_at") or None,
        "text": sought(filters),
        "hash": text.lower() if text else None,
    }


def _entry(
    sequence: int,
    kind: str,
    event_time: str,
    recorded_at: str,
    person: str | None,
    person_name: str | None,
    second_person: str | None,
    second_name: str | None,
    reason: str | None,
    body: str,
) -> AuditEntry:
    return AuditEntry(
        sequence=sequence,
        type=kind,
        subject=_named.decode(body).subject,
        event_time=event_time,
        recorded_at=recorded_at,
        person=person,
        person_name=person_name,
        second_person=second_person,
        second_name=second_name,
        reason=reason,
    )


def _document(
    sequence: int, outbox_sequence: int | None, own_hash: str, body: str, *scanned: Any
) -> AuditDocument:
    told = _told.decode(body)
    scan = None
    if scanned[0] is not None:
        scan_seq, scan_id, raw, device, received_at = scanned
        scan = RawScan(
            sequence=scan_seq,
            scan_id=scan_id,
            code=raw.decode("utf-8", errors="replace"),
            hex=raw.hex(),
            device=device,
            received_at=received_at,
        )
    return AuditDocument(
        sequence=sequence,
        utc_offset=told.utcoffset,
        clock_in_doubt=told.clockstate == "in_doubt",
        software=told.softwareversion,
        master_data=told.masterdataversion,
        scan=scan,
        outbox_sequence=outbox_sequence,
        previous_hash=told.previoushash,
        hash=own_hash,
        data=told.data,
    )

"""The outbox on the supervisor's desk: what waits, what was refused or parked, what was sent.

With `open` what is not delivered, the oldest first, as it is sent; else everything, the newest
first. A text is looked for a bounded way: how far is told in a last row, and the page after that
row goes on from there. Called through `usecases.lists.LISTS`.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from mes_terminal.domain.delivery import Answer
from mes_terminal.domain.desk_entries import Looked, Posting, PostingDocument, PostingTotals
from mes_terminal.errors import InputError
from mes_terminal.store import desk_outbox as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream
from mes_terminal.usecases.desk_filters import check_filters, number_after, page, page_rows, sought
from mes_terminal.usecases.filters import whole_number

FILTERS: Final = ("open", "status", "text", "after", "limit")
TEXT_POSTINGS_MAX: Final = 50_000
"""Postings that a text is looked for in at a time: some 0.1 s."""


class _Named(Struct):
    """What a row needs of a document."""

    id: str
    subject: str = ""


_envelope: Final = msgspec.json.Decoder(_Named)
_answer: Final = msgspec.json.Decoder(Answer)


def desk_outbox(database: Database, filters: Mapping[str, str]) -> Iterator[Posting]:
    """Yield a page of postings. Raises `InputError` for a filter it lacks."""
    check_filters("desk_outbox", filters, FILTERS)
    total = store.last_sequence(database)
    is_open = "open" in filters
    first, last = _span(filters, total)
    asked: dict[str, str | int | None] = {
        "first": first,
        "last": last,
        "status": filters.get("status"),
        "text": sought(filters),
    }
    shown = 0
    for row in page(stream(database, store.OPEN if is_open else store.EVERY, asked), filters):
        shown += 1
        yield _posting(*row)
    more = last < total if is_open else first > 1
    if more and shown < page_rows(filters):
        end = last if is_open else first
        yield Posting(sequence=end, looked=Looked(end, total))


def desk_outbox_count(database: Database, filters: Mapping[str, str]) -> Iterator[PostingTotals]:
    """Yield what is not delivered, in one row; nothing where a text is looked for."""
    check_filters("desk_outbox_count", filters, FILTERS)
    if filters.get("text") or "status" in filters:
        return
    undelivered, refused, parked, oldest_at = store.totals(database)
    yield PostingTotals(
        count=undelivered if "open" in filters else store.last_sequence(database),
        waiting=undelivered - refused - parked,
        refused=refused,
        parked=parked,
        oldest_at=oldest_at,
    )


def desk_posting(database: Database, filters: Mapping[str, str]) -> Iterator[PostingDocument]:
    """Yield the document of the posting `sequence`. Raises `InputError` without it."""
    check_filters("desk_posting", filters, ("sequence",))
    if "sequence" not in filters:
        raise InputError("desk_posting needs a sequence.")
    row = store.document(database, whole_number("sequence", filters["sequence"]))
    if row is not None:
        sequence, body, document, answer, behind, let_go = row
        yield PostingDocument(
            sequence,
            _envelope.decode(body).id,
            Raw(body.encode()),
            upstream_document=document,
            answer=None if answer is None else _answer.decode(answer),
            let_go=bool(let_go),
            behind=behind,
        )


def _span(filters: Mapping[str, str], total: int) -> tuple[int, int]:
    """Return the first and the last posting that a page looks at: all that follow, unless a text is
    looked for."""
    most = TEXT_POSTINGS_MAX if filters.get("text") else total
    if "open" in filters:
        first = number_after(filters, 0) + 1
        return first, min(total, first + most - 1)
    last = min(total, number_after(filters, total + 1) - 1)
    return max(1, last - most + 1), last


def _posting(
    sequence: int,
    kind: str,
    status: Any,
    attempts: int,
    queued_at: str,
    delivered_at: str | None,
    last_error: str | None,
    body: str,
) -> Posting:
    return Posting(
        sequence=sequence,
        type=kind,
        subject=_envelope.decode(body).subject,
        status=status,
        attempts=attempts,
        queued_at=queued_at,
        delivered_at=delivered_at,
        last_error=last_error,
        bytes=len(body.encode()),
    )

"""What the receiver answered, noted with the postings in one transaction (UP-2, UP-4, UP-8).

Accepted is for good. A refusal opens an exception and parks what follows it; an acceptance after
that ends it and lets what is parked go on. Answers that come late, twice, or for another epoch
change nothing. Called by the relay.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivering import (
    Blocks,
    PostingKey,
    key_of,
    queued_posting,
    read_posting,
)
from mes_terminal.domain.delivery import Answer
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import delivery as store
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.delivery import Row
from mes_terminal.usecases.refused_postings import Refused, end_accepted, open_refused

_encode: Final = msgspec.json.Encoder().encode


class Noted(Struct, frozen=True, kw_only=True):
    """What answers came to."""

    delivered: int = 0
    refused: list[int] = []
    """Refused now: what follows them waits."""
    parked: list[int] = []
    """Deferred by the receiver, and parked."""
    released: bool = False
    """Something that was parked waits to be sent again."""


class _Sorted(Struct, frozen=True):
    """Answers by what they change."""

    accepted: list[tuple[Row, Answer]]
    refused: list[Refused]
    deferred: list[Row]
    unblocked: list[int]
    """Refused ones that hold back less now: they were accepted, or one that waited for them was
    answered."""


def note_answers(
    db: Database, answers: Sequence[Answer], *, rules: StationRules, now: str
) -> Noted:
    """Note what became of postings, in one transaction."""
    with db.transaction() as conn:
        told = _by_sequence(answers)
        sorted_ = _sort(store.read_answered(conn, told), told)
        released = 0
        if sorted_.accepted:
            store.accept(conn, [_row(now, answer) for _, answer in sorted_.accepted])
            end_accepted(conn, sorted_.accepted, rules=rules, now=now)
        if sorted_.unblocked:
            released = store.release(conn, sorted_.unblocked)
        if sorted_.refused:
            rows = [_row(each.sentence, each.answer) for each in sorted_.refused]
            store.refuse(conn, rows)
            open_refused(conn, sorted_.refused, rules=rules, now=now)
        parked = _park(conn, sorted_.deferred) if sorted_.deferred else []
        store.note_contact(conn, now)
    return Noted(
        delivered=len(sorted_.accepted),
        refused=[each.sequence for each in sorted_.refused],
        parked=parked,
        released=released > 0,
    )


def _by_sequence(answers: Iterable[Answer]) -> dict[int, Answer]:
    """Return an answer for each posting; that it was accepted is stronger than any other."""
    told: dict[int, Answer] = {}
    for each in answers:
        known = told.get(each.sequence)
        if known is None or known.outcome != "accepted":
            told[each.sequence] = each
    return told


def _sort(rows: Iterable[Row], told: Mapping[int, Answer]) -> _Sorted:
    sorted_ = _Sorted([], [], [], [])
    for row in rows:
        answer = told[row.sequence]
        if row.status == "delivered" or key_of(row.body) != PostingKey(answer.source, answer.epoch):
            continue
        if answer.outcome == "accepted":
            sorted_.accepted.append((row, answer))
            if row.status == "refused" or row.behind is not None:
                sorted_.unblocked.append(row.behind or row.sequence)
        elif row.status != "refused" and answer.outcome == "refused":
            sorted_.refused.append(Refused(row.sequence, read_posting(row.body), answer))
            if row.behind is not None:  # what waits for it waits for it, not for that one
                sorted_.unblocked.append(row.behind)
        elif row.status == "waiting":
            sorted_.deferred.append(row)
    return sorted_


def _row(first: str, answer: Answer) -> tuple[str, str | None, str, int]:
    return first, answer.document, _encode(answer).decode(), answer.sequence


def _park(conn: Connection, deferred: Iterable[Row]) -> list[int]:
    """Park what the receiver deferred, where it is known what stands in its way."""
    held = store.read_open(conn, "refused", after=0, limit=-1)
    blocks = Blocks(queued_posting(*each, with_body=False) for each in held)
    behind = []
    for row in deferred:
        posting = queued_posting(row.sequence, row.body.encode(), with_body=False)
        root = blocks.root_of(posting)
        if root is not None:
            blocks.hold(posting, root)
            behind.append((row.sequence, root))
    store.park(conn, behind)
    return [sequence for sequence, _ in behind]

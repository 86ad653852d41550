"""The exceptions of postings that were refused upstream: one each, until it is accepted (UP-4).

What it says goes upstream in a lane of its own, so that it waits behind nothing that was refused.
If that is refused too, its exception is told here only: the chain ends there.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivering import Actual, PostingEnvelope, read_posting
from mes_terminal.domain.delivery import Answer
from mes_terminal.domain.desk import RefusedPosting
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.posting import EventDraft, Fact, short_type
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import delivery
from mes_terminal.store.database import Connection
from mes_terminal.store.delivery import Row
from mes_terminal.store.events import append_events
from mes_terminal.store.exceptions import (
    OpenSubject,
    find_named,
    next_number,
    open_exception,
    open_subjects,
    tell_open_again,
)
from mes_terminal.usecases.end_by_itself import end_by_itself

KIND: Final[ExceptionKind] = "posting_refused"
PREFIX: Final = "posting:"
SENTENCE_MAX: Final = 500
"""Characters of a receiver's sentence that are kept."""
PARKED_COUNTED: Final = 1_000
"""More postings behind one are not counted further."""
_answer: Final = msgspec.json.Decoder(Answer)
_WORD: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Refused(Struct, frozen=True):
    """A posting with the answer that refused it."""

    sequence: int
    told: PostingEnvelope
    answer: Answer

    @property
    def reason(self) -> str:
        """The receiver's word for it; `other` where that is no word."""
        reason = self.answer.reason or ""
        return reason if _WORD.fullmatch(reason) else "other"

    @property
    def sentence(self) -> str:
        """What a supervisor reads."""
        return sentence_of(self.answer)


def sentence_of(answer: Answer) -> str:
    """Return what a receiver said of a refusal, or that it said nothing."""
    said = " ".join((answer.sentence or "").split())
    return said[:SENTENCE_MAX] or f"The receiver refused it: {answer.reason or 'no reason given'}"


def subject_of(sequence: int) -> str:
    """Return what the exception of a posting is about; its events have a lane of that name."""
    return f"{PREFIX}{sequence}"


def sequence_of(subject: str) -> int:
    """Return the posting that an exception is about; 0: none of the outbox."""
    digits = subject.removeprefix(PREFIX)
    return int(digits) if digits.isdecimal() else 0


def refused_posting(conn: Connection, subject: str) -> RefusedPosting | None:
    """Return what became of the posting that an exception is about; `None`: it is about none."""
    state = delivery.read_state(conn, sequence_of(subject))
    if state is None:
        return None
    told = read_posting(state.body)
    return RefusedPosting(
        sequence=state.sequence,
        id=told.id,
        type=short_type(told.type),
        status=state.status,
        attempts=state.attempts,
        document=state.document,
        answer=None if state.answer is None else _answer.decode(state.answer),
        parked=delivery.parked_behind(conn, state.sequence, limit=PARKED_COUNTED),
    )


def tells_of_refusal(told: PostingEnvelope) -> bool:
    """Tell whether a posting only says that another one was refused, or is no longer."""
    return told.partitionkey.startswith(PREFIX) and told.partitionkey == told.subject


def open_refused(
    conn: Connection, refused: Sequence[Refused], *, rules: StationRules, now: str
) -> None:
    """Open the exception of each, or say again of an open one that it was refused."""
    known = {each.subject for each in open_subjects(conn, KIND)}
    for each in refused:
        if subject_of(each.sequence) in known:
            tell_open_again(
                conn,
                kind=KIND,
                subject=subject_of(each.sequence),
                cause_code=each.reason,
                cause=each.sentence,
            )
    new = [each for each in refused if subject_of(each.sequence) not in known]
    numbered = list(enumerate(new, next_number(conn)))
    drafts = [_opened(each, number, rules, now) for number, each in numbered]
    events = append_events(conn, drafts, rules=rules, recorded_at=now)
    for (number, each), event_seq in zip(numbered, events, strict=True):
        _insert(conn, each, number, event_seq, now)


def end_accepted(
    conn: Connection,
    accepted: Iterable[tuple[Row, Answer]],
    *,
    rules: StationRules,
    now: str,
) -> None:
    """End the exceptions of postings that were accepted after all."""
    known = {each.subject: each for each in open_subjects(conn, KIND)}
    if not known:
        return
    for row, answer in accepted:
        found = known.get(subject_of(row.sequence))
        if found is not None:
            document = f" as {answer.document}" if answer.document else ""
            how = f"accepted upstream{document}"
            end_one(conn, found, read_posting(row.body), how, rules=rules, now=now)


def end_one(
    conn: Connection,
    found: OpenSubject,
    told: PostingEnvelope,
    resolution: str,
    *,
    rules: StationRules,
    now: str,
) -> None:
    """End the exception of a posting that nothing stands in the way of any more."""
    end_by_itself(
        conn,
        KIND,
        found,
        about=found.subject,
        resolution=resolution,
        rules=rules,
        now=now,
        lane=found.subject,
        upstream=not tells_of_refusal(told),
    )


def _opened(each: Refused, number: int, rules: StationRules, now: str) -> EventDraft:
    subject = subject_of(each.sequence)
    return EventDraft(
        type="exception.opened",
        subject=subject,
        partition_key=subject,
        event_time=now,
        data=Fact(
            station=rules.station,
            event_time=now,
            detail={
                "exception_id": number,
                "kind": KIND,
                "posting": each.told.id,
                "type": each.told.type,
                "lane": each.told.partitionkey,
                "reason": each.reason,
                "cause": each.sentence,
            },
        ),
        upstream=not tells_of_refusal(each.told),
    )


def _insert(conn: Connection, each: Refused, number: int, event_seq: int, now: str) -> None:
    about = _about(each.told.data.material_actuals)
    named = find_named(
        conn,
        work_order=each.told.data.work_order,
        item=about.item if about else None,
        lot=about.lot if about else None,
        serial=about.serial if about else None,
    )
    open_exception(
        conn,
        exception_id=number,
        kind=KIND,
        severity="stop",
        subject=subject_of(each.sequence),
        quantity_micro=None,
        opened_at=now,
        event_seq=event_seq,
        cause_code=each.reason,
        cause=each.sentence,
        item_id=named.item_id,
        lot_id=named.lot_id,
        work_order_id=named.work_order_id,
    )


def _about(actuals: Sequence[Actual]) -> Actual | None:
    """Return what a posting is about first: what it produced, else what it names first."""
    produced = (each for each in actuals if each.use == "Produced")
    return next(produced, actuals[0] if actuals else None)

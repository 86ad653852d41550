"""What the receiver found over all stations, as exceptions here: one a conflict, by its number.

They come down from the site (UP-9). A person ends one at any station, which the site hears by the
posting of that decision; the site ends it at the others. Inside the caller's transaction.
"""

from typing import Final

from mes_terminal.domain.delivery import ConflictData
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_events
from mes_terminal.store.exceptions import (
    find_named,
    next_number,
    open_exception,
    open_subject,
    tell_open_again,
    was_about,
)
from mes_terminal.usecases.end_by_itself import end_by_itself
from mes_terminal.usecases.refused_postings import SENTENCE_MAX

KIND: Final[ExceptionKind] = "site_conflict"
STOPS: Final = frozenset({"serial_twice", "same_identity", "lost_postings", "erp_refused"})
"""Conflicts in which records are wrong or missing, not only quantities."""


def open_conflict(conn: Connection, data: ConflictData, *, rules: StationRules, now: str) -> None:
    """Open the exception of a conflict, or say of an open one what is known now. One that was ended
    here is not opened again."""
    subject = _subject(data.conflict)
    sentence = _sentence(data.sentence)
    if open_subject(conn, KIND, subject) is not None:
        tell_open_again(conn, kind=KIND, subject=subject, cause_code=data.kind, cause=sentence)
        return
    if was_about(conn, KIND, subject):
        return
    number = next_number(conn)
    draft = _opened(data, number, sentence, rules, now)
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
    named = find_named(
        conn, work_order=data.work_order, item=data.item, lot=data.lot, serial=data.serial
    )
    open_exception(
        conn,
        exception_id=number,
        kind=KIND,
        severity="stop" if data.kind in STOPS else "warn",
        subject=subject,
        quantity_micro=None,
        opened_at=now,
        event_seq=event_seq,
        cause_code=data.kind,
        cause=sentence,
        item_id=named.item_id,
        lot_id=named.lot_id,
        work_order_id=named.work_order_id,
    )


def end_conflict(
    conn: Connection, conflict: int, *, resolution: str, rules: StationRules, now: str
) -> None:
    """End the exception of a conflict that is none any more, if it is open here."""
    subject = _subject(conflict)
    found = open_subject(conn, KIND, subject)
    if found is not None:
        end_by_itself(
            conn,
            KIND,
            found,
            about=subject,
            resolution=_sentence(resolution),
            rules=rules,
            now=now,
            lane=subject,
            upstream=False,
        )


def _subject(conflict: int) -> str:
    return f"conflict:{conflict}"


def _sentence(text: str) -> str:
    return " ".join(text.split())[:SENTENCE_MAX]


def _opened(
    data: ConflictData, number: int, sentence: str, rules: StationRules, now: str
) -> EventDraft:
    return EventDraft(
        type="exception.opened",
        subject=_subject(data.conflict),
        partition_key=_subject(data.conflict),
        event_time=now,
        data=Fact(
            station=rules.station,
            event_time=now,
            detail={
                "exception_id": number,
                "kind": KIND,
                "conflict": data.kind,
                "number": data.conflict,
                "cause": sentence,
                "work_order": data.work_order,
                "item": data.item,
                "lot": data.lot,
                "serial": data.serial,
                "quantity": data.quantity,
                "postings": data.postings,
            },
        ),
        upstream=False,
    )

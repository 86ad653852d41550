"""A person decides about a posting that was refused upstream (UP-4, BF-23).

Mended where it was refused, it is sent again with the same key: it ends when it is accepted.
Written off, it stays refused for good, and what waits behind it goes on. Inside the caller's
transaction.
"""

from typing import Final

from msgspec.structs import replace

from mes_terminal.domain.delivering import read_posting
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.resolving import (
    Decided,
    OpenException,
    Resolved,
    ResolvedOutcome,
    ended_event,
    written_off_by,
)
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import delivery, resolutions
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_events
from mes_terminal.usecases.refused_postings import sequence_of, tells_of_refusal

SENDS_IT: Final = "sends the posting again"
"""What the signature of that decision stands for."""
_NEVER_CHANGED: Final = (
    "A posting is never changed. Mend what refused it and post it again, reverse it at the line, "
    "or write it off with a reason"
)


def resolve_posting(
    conn: Connection, found: OpenException, decided: Decided, rules: StationRules
) -> Resolved:
    """Send a refused posting again, or leave it refused for good."""
    match decided.decision.how:
        case "post":
            return _send_again(conn, found, decided, rules)
        case "write_off":
            return _let_go(conn, found, decided, rules)
        case "change":
            return _answer(found, "refused", _NEVER_CHANGED)


def is_sent(found: OpenException) -> bool:
    """Tell whether a decision has left the exception of a posting open: it is sent again."""
    return found.kind == "posting_refused" and found.status == "open"


def _send_again(
    conn: Connection, found: OpenException, decided: Decided, rules: StationRules
) -> Resolved:
    sequence = sequence_of(found.subject)
    if not delivery.wait_again(conn, sequence):
        state = delivery.read_state(conn, sequence)
        if state is not None and (state.status == "waiting" or state.behind is not None):
            said = f"Posting {sequence} waits to be sent again already"
            return _answer(found, "already_done", said)
        return _answer(found, "refused", f"Posting {sequence} is not to be sent from here")
    delivery.release(conn, [sequence])
    append_events(
        conn, [_sent_again(found, sequence, decided)], rules=rules, recorded_at=decided.at
    )
    said = f"Posting {sequence} is sent again; this ends when it is accepted"
    return _answer(found, "sent_again", said)


def _let_go(
    conn: Connection, found: OpenException, decided: Decided, rules: StationRules
) -> Resolved:
    sequence = sequence_of(found.subject)
    resolution = written_off_by(decided)
    state = delivery.read_state(conn, sequence)
    delivery.let_go(conn, sequence, resolution)
    behind = state.behind if state is not None else None
    freed = delivery.release(conn, [sequence] if behind is None else [sequence, behind])
    draft = ended_event(found, decided)
    if state is not None and tells_of_refusal(read_posting(state.body)):
        draft = replace(draft, upstream=False)
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=decided.at)
    resolutions.end_exception(conn, found, event_seq, resolution=resolution)
    goes_on = f"; {freed} behind it go on" if freed else ""
    said = f"Posting {sequence} stays refused: {decided.decision.reason}{goes_on}"
    return _answer(found, "written_off", said)


def _sent_again(found: OpenException, sequence: int, decided: Decided) -> EventDraft:
    return EventDraft(
        type="posting.sent_again",
        subject=found.subject,
        partition_key=found.subject,
        event_time=decided.at,
        data=Fact(
            person=decided.person,
            station=decided.station,
            event_time=decided.at,
            detail={"exception": found.exception_id, "posting": sequence},
        ),
        upstream=False,
        person=decided.person,
    )


def _answer(found: OpenException, outcome: ResolvedOutcome, said: str) -> Resolved:
    return Resolved(id=found.exception_id, outcome=outcome, message=said)

"""A supervisor answers what the station asked: approves it, or refuses it (BF-24).

Who decides has proved by badge and PIN who it is (`usecases.authenticate`), and signs: the decision
is an event, its signature the next one, both durable before anything is scanned again. An approval
is a permit: without a box for just what was asked, once, until the end of the shift; with one until
its time or its quantity is over. Nobody approves a deviation of their own.
"""

from typing import Any, Final, Literal

from msgspec import Struct

from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.session import Person
from mes_terminal.errors import InputError
from mes_terminal.store import approvals
from mes_terminal.store.approvals import Request
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.permits import Scope
from mes_terminal.store.session import read_session, write_session
from mes_terminal.usecases.context import changed
from mes_terminal.usecases.grant_permit import (
    Wanted,
    box_of,
    check_reason,
    decided,
    decimal,
    supervisor_of,
    write_permit,
)
from mes_terminal.usecases.hear_answer import open_question
from mes_terminal.usecases.signatures import sign_newest

APPROVES: Final = "approves the deviation"
REFUSES: Final = "refuses the deviation"
"""What the signatures stand for."""

AnsweredOutcome = Literal["approved", "refused", "already_done", "expired"]


class Answered(Struct, frozen=True, kw_only=True):
    """What became of a question."""

    id: int
    outcome: AnsweredOutcome
    message: str
    permit: int | None = None
    until: str | None = None
    quantity: str | None = None
    again: bytes | None = None
    """The code that the station still waits with: it is to be handled again now."""


def answer_request(
    db: Database,
    approval_id: int | None,
    *,
    approves: bool,
    wanted: Wanted,
    by: str,
    rules: StationRules,
    now: str,
) -> Answered:
    """Approve or refuse a question, by its id or the one that the station asks now.

    Raises `InputError`: no such question, a box that is none, nobody who may.
    """
    with db.transaction() as conn:
        session = read_session(conn)[0]
        asked = open_question(session)
        standing = asked.approval_id if asked is not None else None
        request = _request(conn, approval_id if approval_id is not None else standing)
        person = supervisor_of(conn, by)
        if person.badge == request.person:
            raise InputError(
                "Nobody approves a deviation of their own. Let another supervisor do it.",
                reason="not_authorised",
            )
        over = _is_over(request, now)
        if over is not None:
            return over
        is_asked_now = standing == request.approval_id and now <= (session.confirm_until or "")
        if approves:
            return _approve(conn, request, wanted, person, rules, now, is_asked_now=is_asked_now)
        if standing == request.approval_id:
            dropped = changed(session, confirm_reason=None, confirm_code=None, confirm_until=None)
            write_session(conn, dropped)
        return _refuse(conn, request, wanted, person, rules, now)


def _request(conn: Connection, approval_id: int | None) -> Request:
    if approval_id is None:
        raise InputError("The station asks nothing now. See: mes-terminal approvals.")
    found = approvals.read_request(conn, approval_id)
    if found is None:
        raise InputError(f"There is no question {approval_id}. See: mes-terminal approvals.")
    return found


def _is_over(request: Request, now: str) -> Answered | None:
    """Return what to say about a question that waits for nobody any more."""
    if request.status != "open":
        by = f" by {request.answered_by}" if request.answered_by else ""
        said = f"It was {request.status}{by}"
        return Answered(id=request.approval_id, outcome="already_done", message=said)
    if request.expires_at <= now:
        said = "Its shift is over. Let it be scanned again"
        return Answered(id=request.approval_id, outcome="expired", message=said)
    return None


def _approve(
    conn: Connection,
    request: Request,
    wanted: Wanted,
    person: Person,
    rules: StationRules,
    now: str,
    *,
    is_asked_now: bool,
) -> Answered:
    check_reason(conn, wanted.reason)
    scope = Scope(
        situation=request.situation,
        item=request.item,
        lot=request.lot or None,
        work_order=request.work_order or None,
    )
    box = box_of(conn, wanted, rules, now, asked=request.quantity)
    about = _told_of(request)
    permit_id = write_permit(
        conn, "deviation.approved", scope, box, wanted.reason, person, rules, now, **about
    )
    sign_newest(conn, person=person, meaning=APPROVES, rules=rules, now=now)
    approvals.note_answer(
        conn,
        request.approval_id,
        status="approved",
        by=person.badge,
        at=now,
        expires_at=box.until,
        permit_id=permit_id,
    )
    return Answered(
        id=request.approval_id,
        outcome="approved",
        message=f"{request.said}. {person.name} approves it",
        permit=permit_id,
        until=box.until,
        quantity=decimal(box.quantity_micro),
        again=request.code if is_asked_now else None,
    )


def _refuse(
    conn: Connection,
    request: Request,
    wanted: Wanted,
    person: Person,
    rules: StationRules,
    now: str,
) -> Answered:
    if wanted.until is not None or wanted.quantity is not None:
        raise InputError("A refusal has no --until and no --quantity.")
    check_reason(conn, wanted.reason)
    subject = request.work_order or request.item
    told = _told_of(request) | {"reason": wanted.reason}
    draft = decided("deviation.refused", subject, person, rules, now, wanted.reason, **told)
    append_events(conn, [draft], rules=rules, recorded_at=now)
    sign_newest(conn, person=person, meaning=REFUSES, rules=rules, now=now)
    approvals.note_answer(
        conn,
        request.approval_id,
        status="refused",
        by=person.badge,
        at=now,
        expires_at=request.expires_at,
        permit_id=None,
    )
    said = f"{request.said}. {person.name} refuses it"
    return Answered(id=request.approval_id, outcome="refused", message=said)


def _told_of(request: Request) -> dict[str, Any]:
    """Return what the event of an answer says of the question."""
    return {"approval": request.approval_id, "said": request.said, "asked": request.person or None}

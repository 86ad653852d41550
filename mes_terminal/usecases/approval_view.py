"""What the operator's screen shows of approvals (BF-24): what is asked now, what was answered."""

from typing import Final

from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.session import Session
from mes_terminal.domain.view import AnswerView, ApprovalView
from mes_terminal.store import approvals
from mes_terminal.store.database import Connection
from mes_terminal.store.session import operator_of
from mes_terminal.usecases.hear_answer import open_question

ANSWERS_SHOWN: Final = 3
REFUSED_SHOWN_S: Final = 600
"""How long a refusal stays on the screen: until the operator has come back to it."""


def asked_now(conn: Connection, session: Session, *, now: str) -> ApprovalView | None:
    """Return what the station asks a supervisor; nothing is read where it asks nothing."""
    asked, until = open_question(session), session.confirm_until or ""
    if asked is None or asked.approval_id is None or now > until:
        return None
    request = approvals.read_request(conn, asked.approval_id)
    if request is None or request.status != "open":
        return None
    person = operator_of(conn, asked.approver) if asked.approver is not None else None
    return ApprovalView(
        id=request.approval_id,
        situation=request.situation,
        item=request.item,
        lot=request.lot or None,
        work_order=request.work_order or None,
        quantity=request.quantity or None,
        said=request.said,
        until=until,
        approver=person.badge if person else None,
        approver_name=person.name if person else None,
    )


def answered(conn: Connection, *, now: str) -> list[AnswerView]:
    """Return what supervisors answered and nobody has used yet."""
    since = plus_seconds(now, -REFUSED_SHOWN_S)
    return [
        AnswerView(
            each.approval_id,
            each.status,
            each.name,
            each.code.decode("utf-8", "replace"),
            each.said,
        )
        for each in approvals.read_told(conn, now=now, refused_since=since, limit=ANSWERS_SHOWN)
    ]

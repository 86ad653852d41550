"""The answer to a question of the control matrix: the same code, a reason or a badge (BF-24).

Within its time an answer brings the code back that the station asked about, with what was said to
it. Any other code but `%HELP`, and a frame that is no code, drops the question: nothing that was
asked about one quantity is ever posted for another.

A supervisor's badge approves by itself only where that person has no PIN; else the screen asks for
the PIN, which never passes the journal (`usecases.approve`). Once it is proved the station journals
the same bytes again, from the device `approval`: a scan of its own, for who was asked, that finds
the permit.
"""

from typing import Final, assert_never

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.barcodes.decode import decode
from mes_terminal.barcodes.payload import Payload
from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.intent import Meaning
from mes_terminal.domain.policy import APPROVAL_DEVICE, Consent, Question
from mes_terminal.domain.session import Person, Session
from mes_terminal.store.approvals import withdraw
from mes_terminal.store.database import Connection
from mes_terminal.store.orders import reason_known
from mes_terminal.store.people import has_pin
from mes_terminal.store.policy import asked_scan
from mes_terminal.store.session import operator_of
from mes_terminal.usecases.context import Answer, Context, answer, changed
from mes_terminal.usecases.read_code import read_code

PIN_S: Final = 60
"""How long the station waits for the PIN of the badge that was scanned: time to walk to the screen,
and to type it a second time."""
_LEAVE_IT = frozenset({"HELP", "CANCEL"})
"""Commands that do not drop the question by themselves; `%CANCEL` says so in its own words."""

_question = msgspec.json.Decoder(Question)


class Heard(Struct, frozen=True):
    """What is to be handled: the code as scanned, or the one that was answered about."""

    payload: Payload
    meanings: list[Meaning]
    context: Context


def hear(
    conn: Connection, payload: Payload, meanings: list[Meaning], context: Context
) -> Heard | Answer:
    """Return what is to be handled now, or the answer to somebody who may not say it."""
    session, scan = context.session, context.scan
    asked = open_question(session)
    if scan.device == APPROVAL_DEVICE:
        return _approved(conn, asked, payload, meanings, context)
    if asked is None or context.scan_by_nobody:
        return Heard(payload, meanings, context)
    if payload.kind == "command" and payload.name == "CANCEL" and asked.approval_id is not None:
        withdraw(conn, asked.approval_id)
    if payload.kind == "reject" or (payload.kind == "command" and payload.name in _LEAVE_IT):
        return Heard(payload, meanings, context)
    code = session.confirm_code or b""
    context = replace(context, session=_without_question(session))
    if scan.event_time <= (session.confirm_until or ""):
        said = _consent(conn, asked, payload, meanings, session, context)
        if isinstance(said, Answer):
            return said
        if said is not None:
            context = replace(context, consents=(*asked.given, said), asked_code=code)
            return _brought_back(conn, asked, payload, meanings, context)
        if asked.level == "approve" and scan.raw == code:
            context = replace(context, consents=asked.given)
    return Heard(payload, meanings, context)


def _consent(
    conn: Connection,
    asked: Question,
    payload: Payload,
    meanings: list[Meaning],
    session: Session,
    context: Context,
) -> Consent | Answer | None:
    """Return what the code says to the question; `None` if it is no answer to it."""
    match asked.level:
        case "confirm":
            same = context.scan.raw == session.confirm_code
            return Consent(asked.situation, "confirm", lot=asked.lot) if same else None
        case "reason":
            return _reason(conn, asked, payload, meanings, session, context)
        case "approve":
            return _approval(conn, asked, meanings, session, context)
        case "allow" | "block":
            return None  # nothing is ever asked
        case _:
            assert_never(asked.level)


def _reason(
    conn: Connection,
    asked: Question,
    payload: Payload,
    meanings: list[Meaning],
    session: Session,
    context: Context,
) -> Consent | Answer | None:
    """Any code that means nothing else is a reason; where `reasons.csv` lists some, one of them."""
    if meanings or payload.kind == "command":
        return None
    if reason_known(conn, payload.text, "deviation"):
        return Consent(asked.situation, "reason", reason=payload.text, lot=asked.lot)
    return answer(
        context,
        "rejected",
        f"{payload.text} is no reason for a deviation. Nothing was booked",
        "Scan a reason of the kind deviation, or CANCEL",
        reason="reason_missing",
        session=session,
    )


def _approval(
    conn: Connection,
    asked: Question,
    meanings: list[Meaning],
    session: Session,
    context: Context,
) -> Consent | Answer | None:
    if len(meanings) != 1 or meanings[0].kind != "badge":
        return None
    person = operator_of(conn, meanings[0].key)
    if person is not None and person.supervises and person.badge != asked.person:
        if has_pin(conn, person.badge):
            return _ask_pin(asked, person, session, context)
        return Consent(asked.situation, "approve", second_person=person.badge, lot=asked.lot)
    own = person is not None and person.supervises
    said = "Nobody approves a deviation of their own" if own else "Only a supervisor approves this"
    return answer(
        context,
        "rejected",
        f"{said}. Nothing was booked",
        "Scan the badge of another person, a supervisor, or CANCEL",
        reason="not_authorised",
        session=session,
    )


def _ask_pin(asked: Question, person: Person, session: Session, context: Context) -> Answer:
    """Ask for the PIN of the badge, and wait for it: only both together sign."""
    waits = replace(asked, approver=person.badge)
    return answer(
        context,
        "needs",
        f"{person.name} approves this with a PIN",
        "Enter your PIN at the screen, or scan CANCEL",
        reason="approval",
        session=changed(
            session,
            confirm_reason=msgspec.json.encode(waits).decode(),
            confirm_until=plus_seconds(context.scan.event_time, PIN_S),
        ),
    )


def _approved(
    conn: Connection,
    asked: Question | None,
    payload: Payload,
    meanings: list[Meaning],
    context: Context,
) -> Heard | Answer:
    """Bring back the code that was approved, as it was asked about; unless the station went on."""
    session, scan = context.session, context.scan
    if (
        asked is None
        or asked.level != "approve"
        or scan.raw != session.confirm_code
        or scan.event_time > (session.confirm_until or "")
    ):
        return answer(
            context,
            "rejected",
            f"{context.code} is approved, and the station has gone on. Nothing was booked",
            "Scan it again",
            reason="no_effect",
        )
    context = replace(
        context, session=_without_question(session), consents=asked.given, asked_code=scan.raw
    )
    return _brought_back(conn, asked, payload, meanings, context)


def _brought_back(
    conn: Connection,
    asked: Question,
    payload: Payload,
    meanings: list[Meaning],
    context: Context,
) -> Heard:
    """Return the code that was asked about, for who was asked."""
    if asked.level == "confirm":
        return Heard(payload, meanings, context)
    first = asked_scan(conn, context.asked_code or b"", context.scan.scan_seq)
    if first is None:
        raise LookupError(context.asked_code)  # it is in the journal: the station asked about it
    payload = decode(
        first.raw,
        context.rules.code_rules(first.device),
        truncated=first.truncated,
        fault=first.fault,
        key=first.fault_key,
    )
    person = operator_of(conn, asked.person) if asked.person is not None else None
    return Heard(payload, read_code(conn, payload), replace(context, person=person))


def open_question(session: Session) -> Question | None:
    """Return what the matrix asked, whether or not its time is over; other questions are plain
    words."""
    if session.confirm_reason is None or not session.confirm_reason.startswith("{"):
        return None
    return _question.decode(session.confirm_reason)


def _without_question(session: Session) -> Session:
    return changed(session, confirm_reason=None, confirm_code=None, confirm_until=None)

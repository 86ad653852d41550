"""Act on the control matrix: refuse a deviation, ask about it, record who let it pass (BF-24).

A use case that meets deviations calls `stopped` before it posts and `accepted` afterwards. What the
station asked stands in its state, so that a restart finds it; `hear` takes the answer. What only a
supervisor answers is a request besides (`usecases.requests`), and what one let pass ahead is a
permit (`usecases.permits`).
"""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec.structs import replace

from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.order import OrderFacts
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.policy import (
    BLOCKED,
    REFUSALS,
    Consent,
    ControlLevel,
    Deviation,
    Question,
    asked_as,
)
from mes_terminal.domain.policy import BUILT_IN as LEVELS_BUILT_IN
from mes_terminal.store.database import Connection
from mes_terminal.store.events import append_event, read_head
from mes_terminal.usecases.context import Answer, Context, answer, changed, fact
from mes_terminal.usecases.permits import permitted, use, used_by
from mes_terminal.usecases.requests import note_accepted, note_asked

CONFIRM_S = 10
"""How long the station waits for the same code again, a reason or a badge (BF-24)."""
ASKED, ACCEPTED = "deviation.asked", "deviation.accepted"
"""The types of the events that tell of it."""

_ASKS = {
    "confirm": ("Is that right?", "Scan the same code again if it is; CANCEL if it is not"),
    "reason": ("Why?", "Scan a reason for the deviation, or CANCEL"),
    "approve": ("A supervisor must approve", "Scan the badge of another person, a supervisor"),
}


def is_blocked(met: Sequence[Deviation], context: Context) -> bool:
    """Tell whether the matrix blocks any of these."""
    return any(_level(each, context) == "block" for each in met)


def stopped(
    conn: Connection, met: Sequence[Deviation], context: Context, **about: Any
) -> Answer | None:
    """Return the refusal of what is blocked, else the first question that is still open; `None` if
    the scan may go on. `about` are keys of the outcome.
    """
    refusal = blocked(met, context, **about)
    if refusal is not None:
        return refusal
    planned: dict[int, tuple[int, int]] = {}
    for each in met:
        level = _level(each, context)
        if level == "allow" or _consent(each, level, context) is not None:
            continue
        if permitted(conn, each, level, about.get("work_order"), context, planned) is None:
            return _ask(conn, each, level, context, about)
    return None


def lasting(
    conn: Connection, met: Sequence[Deviation], work_order: str | None, context: Context
) -> list[Deviation]:
    """Return those of the deviations let pass that stay so as long as a lot stays where it is: not
    those that a permit with a box let pass, whose draws are judged one by one."""
    planned: dict[int, tuple[int, int]] = {}
    found = []
    for each in met:
        level = _level(each, context)
        given = None
        if level != "allow" and _consent(each, level, context) is None:
            given = permitted(conn, each, level, work_order, context, planned)
        if given is None or given.lasts:
            found.append(each)
    return found


def blocked(met: Sequence[Deviation], context: Context, **about: Any) -> Answer | None:
    """Return the refusal of the first of these that the matrix blocks; `None` if it blocks none."""
    for each in met:
        if _level(each, context) == "block":
            return answer(
                context,
                "rejected",
                f"{each.said}. {BLOCKED}",
                each.hint,
                reason=REFUSALS[each.situation],
                **about,
            )
    return None


def accepted(
    conn: Connection, met: Sequence[Deviation], posted: Answer, subject: str, context: Context
) -> None:
    """Record each deviation of what was posted: who did it, who approved it, and why.

    A situation that is allowed as it always was leaves no entry of its own.
    """
    if posted.event_seq is None:
        return
    for each in met:
        level = _level(each, context)
        if level == LEVELS_BUILT_IN[each.situation] == "allow":
            continue
        order = posted.outcome.work_order
        given = (
            _consent(each, level, context)
            or permitted(conn, each, level, order, context, {})
            or used_by(conn, each, level, posted.event_seq)
            or Consent(each.situation, level)
        )
        left = None
        if given.permit is not None:
            left = use(conn, given.permit, each, posted.event_seq)
        _tell(conn, ACCEPTED, subject, each, given, context, left)
        if level == "approve" and given.permit is None:
            note_accepted(conn, each, order, given.second_person, context)


def reason_given(context: Context) -> str | None:
    """Return the reason that a person gave for a deviation of this scan."""
    return next((each.reason for each in context.consents if each.reason), None)


def is_question(outcome: Outcome) -> bool:
    """Tell whether the station waits for a word on the same code: what led to it must stay."""
    asks = (outcome.reason or "").startswith("confirm") or outcome.reason in ("reason", "approval")
    return outcome.outcome == "needs" and asks


def of_order(order: OrderFacts) -> dict[str, Any]:
    """Return the keys of an outcome that tell of the order."""
    return {
        "work_order": order.work_order, "order_status": order.status, "item": order.item
    }  # fmt: skip


def _level(deviation: Deviation, context: Context) -> ControlLevel:
    return context.rules.policy.level(deviation.situation, deviation.item_class)


def _consent(deviation: Deviation, level: ControlLevel, context: Context) -> Consent | None:
    wanted = (deviation.situation, level, deviation.lot)
    return next(
        (one for one in context.consents if (one.situation, one.level, one.lot) == wanted), None
    )


def _ask(
    conn: Connection,
    deviation: Deviation,
    level: ControlLevel,
    context: Context,
    about: dict[str, Any],
) -> Answer:
    asks, hint = _ASKS[level]
    work_order = about.get("work_order")
    consent = Consent(deviation.situation, level)
    event_seq = _tell(conn, ASKED, work_order or deviation.item, deviation, consent, context)
    approval_id = None
    if level == "approve":
        approval_id = note_asked(conn, deviation, work_order, event_seq, context)
    question = Question(
        situation=deviation.situation,
        level=level,
        person=context.badge,
        given=context.consents,
        lot=deviation.lot,
        approval_id=approval_id,
    )
    return answer(
        context,
        "needs",
        f"{deviation.said}. {asks}",
        hint,
        reason=asked_as(deviation.situation, level),
        event_seq=event_seq,
        session=changed(
            context.session,
            confirm_reason=msgspec.json.encode(question).decode(),
            confirm_code=context.asked_code or context.scan.raw,
            confirm_until=plus_seconds(context.scan.event_time, CONFIRM_S),
        ),
        **about,
    )


def _tell(
    conn: Connection,
    kind: str,
    subject: str,
    deviation: Deviation,
    given: Consent,
    context: Context,
    left: str | None = None,
) -> int:
    """Append the event of a question or of what was let pass; `left`: of the permit's quantity."""
    by_permit = {} if given.permit is None else {"permit": given.permit, "permit_left": left}
    draft = fact(
        context,
        kind,
        subject,
        situation=deviation.situation,
        level=given.level,
        item=deviation.item,
        item_class=deviation.item_class,
        quantity=deviation.quantity,
        said=deviation.said,
        reason=given.reason,
        second_person=given.second_person,
        **({} if deviation.lot is None else {"lot": deviation.lot}),
        **by_permit,
    )
    draft = replace(draft, reason=given.reason, second_person=given.second_person)
    return append_event(conn, draft, read_head(conn), context.scan, rules=context.rules)

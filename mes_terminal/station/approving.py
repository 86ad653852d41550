"""What a desk, or the operator's screen, asks about approvals, in the words of the link (BF-24).

`approve` answers a question that the station asked; `permit` grants or ends a permit. Each is a
value that both ways of asking share: through the running core (`station.answers`), and as the core
for the moment (`cli.desk`). `proof` names the badge that must be proved by its PIN first.

An approval is durable before the code is scanned again. That scan is one like any other, from the
device `approval`: where the core stops in between, the permit is there, and the operator's next
scan of the code passes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec
from msgspec import Struct

from mes_terminal.domain.outcome import Outcome  # noqa: TC001  read when an answer comes in
from mes_terminal.domain.permits import time_of_day
from mes_terminal.domain.policy import APPROVAL_DEVICE
from mes_terminal.errors import InputError
from mes_terminal.station.clock import given_instant, utc_now
from mes_terminal.store.permits import Scope
from mes_terminal.usecases.approve import Answered, answer_request
from mes_terminal.usecases.grant_permit import (
    Granted,
    Wanted,
    end_permit,
    grant_permit,
    is_situation,
)

if TYPE_CHECKING:
    from mes_terminal.domain.scan import ScanRequest
    from mes_terminal.station.booking import Booking


class ApproveOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Answer a question: approve it or refuse it."""

    id: int | None = None
    """`None`: what the station asks now."""
    answer: Literal["approve", "refuse"] = "approve"
    badge: str
    pin: str = ""
    until: str | None = None
    """As a person wrote it; without an offset in the site's time."""
    quantity: str | None = None
    reason: str | None = None

    @property
    def proof(self) -> str:
        """Whose PIN must be right."""
        return self.badge


class PermitOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Grant a permit, or end one by its id."""

    badge: str
    pin: str = ""
    end: int | None = None
    situation: str = ""
    item: str = ""
    lot: str | None = None
    work_order: str | None = None
    until: str | None = None
    quantity: str | None = None
    reason: str | None = None

    @property
    def proof(self) -> str:
        """Whose PIN must be right."""
        return self.badge


class Approval(Struct, frozen=True, kw_only=True):
    """What became of a question, in the keys of `approve --json`."""

    id: int
    outcome: str
    message: str
    permit: int | None
    until: str | None
    quantity: str | None
    scan: Outcome | None
    """What became of the code that the station waited with; `None`: scan it again."""


class PermitDone(Struct, frozen=True, kw_only=True):
    """What became of a permit, in the keys of `permit --json`."""

    permit: int
    message: str
    until: str | None = None
    quantity: str | None = None


def approve(booking: Booking, order: ApproveOrder) -> Answered:
    """Answer a question; the badge is proved. Raises `InputError` for what may not be."""
    return answer_request(
        booking.db,
        order.id,
        approves=order.answer == "approve",
        wanted=_wanted(booking, order),
        by=order.badge,
        rules=booking.rules,
        now=utc_now(),
    )


def scan_again(booking: Booking, answered: Answered) -> ScanRequest:
    """Return the scan of the code that is approved, of which the station waits."""
    assert answered.again is not None
    return booking.request_for(answered.again, device=APPROVAL_DEVICE)


def told(answered: Answered, outcome: Outcome | None) -> Approval:
    """Return what became of a question and of its code."""
    fields = {name: getattr(answered, name) for name in Answered.__struct_fields__}
    del fields["again"]
    return Approval(**fields, scan=outcome)


def change_permit(booking: Booking, order: PermitOrder) -> PermitDone:
    """Grant or end a permit; the badge is proved. Raises `InputError` for what may not be."""
    db, rules, now = booking.db, booking.rules, utc_now()
    if order.end is not None:
        said = end_permit(db, order.end, by=order.badge, rules=rules, now=now)
        return PermitDone(permit=order.end, message=said)
    scope = Scope(
        situation=is_situation(order.situation),
        item=order.item,
        lot=order.lot,
        work_order=order.work_order,
    )
    wanted = _wanted(booking, order)
    granted: Granted = grant_permit(db, scope, wanted, by=order.badge, rules=rules, now=now)
    return msgspec.convert(msgspec.to_builtins(granted), PermitDone)


def _wanted(booking: Booking, order: ApproveOrder | PermitOrder) -> Wanted:
    until = _instant(order.until, booking) if order.until is not None else None
    return Wanted(until=until, quantity=order.quantity, reason=order.reason)


def _instant(text: str, booking: Booking) -> str:
    zone = booking.rules.zone
    try:
        return time_of_day(text, utc_now(), zone) or given_instant(text, zone)
    except InputError as error:
        raise InputError(
            f"{text[:40]!r} is no time. Write --until 14:00, or --until 2026-11-20T14:00.",
            reason="time",
        ) from error

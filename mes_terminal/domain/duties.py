"""Whose an exception is, until when it is due, and to whom it goes after that. Pure.

The settings name an owner, a time and an escalation for each kind; a person it was assigned to
comes before the owner of its kind. Called by the lists of the desk and by what is told of a shift.
"""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.outcome import ExceptionKind

HOUR_S: Final = 3600


class DutyRule(Struct, frozen=True, kw_only=True):
    """What the settings say of one kind: `exceptions.<kind>`."""

    owner: str | None = None
    """A person or a role, as the plant calls it."""
    due_h: int | None = None
    escalate_to: str | None = None


DutyRules = Mapping[ExceptionKind, DutyRule]
"""What the settings say, by kind."""

_NO_RULE: Final = DutyRule()


class Duty(Struct, frozen=True):
    """Who has to see to an exception, and until when."""

    owner: str | None
    due_at: str | None
    is_overdue: bool
    escalated_to: str | None
    """Whom it has gone to because it is overdue."""


def duty_of(
    kind: ExceptionKind,
    opened_at: str,
    *,
    settings: DutyRules,
    assigned: str | None,
    now: str,
) -> Duty:
    """Return the duty of an open exception at `now`. `assigned` is the person it was assigned to.

    It is due `due_h` hours after it was opened, whoever has it; from that instant on it is overdue.
    """
    rule = settings.get(kind, _NO_RULE)
    due_at = None
    if rule.due_h is not None:
        due_at = plus_seconds(opened_at, rule.due_h * HOUR_S)
    is_overdue = due_at is not None and due_at <= now
    return Duty(
        owner=assigned or rule.owner,
        due_at=due_at,
        is_overdue=is_overdue,
        escalated_to=rule.escalate_to if is_overdue else None,
    )


def overdue_before(kind: ExceptionKind, *, settings: DutyRules, now: str) -> str | None:
    """Return the instant up to which an exception of a kind was opened that is overdue at `now`;
    `None`: none is ever."""
    due_h = settings.get(kind, _NO_RULE).due_h
    return None if due_h is None else plus_seconds(now, -due_h * HOUR_S)


def owned_kinds(owner: str, settings: DutyRules) -> list[ExceptionKind]:
    """Return the kinds that are an owner's while they are assigned to nobody."""
    return [kind for kind, rule in settings.items() if rule.owner == owner]

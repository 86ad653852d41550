"""Exceptions are given to a person by name: one by one, or all that is open at the end of a shift.

Who may end an exception may assign it; who gets it is anybody who works here. The log tells who
gave what to whom, by the event `exception.assigned`. Who asks has proved by badge and PIN who it
is; like other inputs it can be replayed, with no chance and no clock in it.
"""

from collections.abc import Sequence
from typing import Final, get_args

from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.resolving import EXCEPTIONS_MAX, Assigned, OpenException, may_decide
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.session import Person
from mes_terminal.errors import InputError
from mes_terminal.store import assignments, resolutions
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.session import operator_of

_KINDS: Final[tuple[ExceptionKind, ...]] = get_args(ExceptionKind)


def assign_exceptions(
    db: Database, ids: Sequence[int], *, to: str, by: str, rules: StationRules, now: str
) -> list[Assigned]:
    """Assign exceptions to the person of the badge `to`; return what became of each.

    All that may be are assigned in one transaction. Raises `InputError`: an exception or a badge
    that there is not, or too many at a time.
    """
    with db.transaction() as conn:
        receiver, giver = _person(conn, to), _person(conn, by)
        if not 0 < len(ids) <= EXCEPTIONS_MAX:
            raise InputError(f"Name 1 to {EXCEPTIONS_MAX} exceptions at a time.")
        told = [_judged(conn, each, receiver, giver) for each in dict.fromkeys(ids)]
        given = [each.id for each in told if each.outcome == "assigned"]
        if given:
            draft = _event(giver, receiver, rules, now, exceptions=given)
            append_events(conn, [draft], rules=rules, recorded_at=now)
            assignments.assign(conn, given, receiver.badge)
    return told


def hand_over(conn: Connection, *, to: str, by: str, rules: StationRules, now: str) -> int:
    """Assign what is open and is nobody's by name, or that of the badge `by`, to that of `to`, as
    far as `by` may end it; return how many those were. What is another's by name stays theirs.

    Inside the caller's transaction.

    Raises `InputError` for a badge that there is not.
    """
    receiver, giver = _person(conn, to), _person(conn, by)
    kinds = [kind for kind in _KINDS if may_decide(giver.role, kind)]
    if not assignments.has_open(conn, kinds, giver=giver.badge):
        return 0
    draft = _event(giver, receiver, rules, now, all_open_of=kinds)
    append_events(conn, [draft], rules=rules, recorded_at=now)
    return assignments.assign_open(conn, kinds, receiver.badge, giver=giver.badge)


def _person(conn: Connection, badge: str) -> Person:
    person = operator_of(conn, badge)
    if person is None:
        raise InputError(
            f"The badge {badge[:64]!r} is not known here. See: mes-terminal operator list.",
            reason="not_authorised",
        )
    return person


def _judged(conn: Connection, exception_id: int, to: Person, by: Person) -> Assigned:
    found = resolutions.read_exception(conn, exception_id)
    if found is None:
        raise InputError(
            f"There is no exception {exception_id}. See: mes-terminal exceptions --open."
        )
    refusal = _why_not(found, by)
    if refusal is not None:
        return refusal
    return Assigned(id=exception_id, outcome="assigned", message=f"{found.kind} goes to {to.name}")


def _why_not(found: OpenException, by: Person) -> Assigned | None:
    exception_id = found.exception_id
    if found.status != "open":
        how = found.resolution or found.status
        return Assigned(id=exception_id, outcome="already_done", message=f"It has ended: {how}")
    if not may_decide(by.role, found.kind):
        said = f"{by.name} may not end {found.kind}, nor assign it. Call a supervisor"
        return Assigned(id=exception_id, outcome="refused", message=said)
    return None


def _event(
    by: Person, to: Person, rules: StationRules, now: str, **which: Sequence[int] | Sequence[str]
) -> EventDraft:
    return EventDraft(
        type="exception.assigned",
        subject=to.badge,
        partition_key=to.badge,
        event_time=now,
        data=Fact(
            person=by.badge,
            station=rules.station,
            event_time=now,
            detail={"to": to.badge, **which},
        ),
        upstream=False,
        person=by.badge,
    )

"""A person ends an exception: posts it, changes it, or writes it off (BF-23).

One exception is one transaction. Who asks has proved by badge and PIN who it is
(`usecases.authenticate`); here it is judged whether that person may. Inputs of this function, like
scans and loads, are all that a replay needs (invariant 5): no PIN and no chance is in them.
"""

from collections.abc import Callable, Sequence
from typing import Final

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.instants import local_day
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.quantity import QuantityError, format_quantity, parse_quantity
from mes_terminal.domain.resolving import (
    EXCEPTIONS_MAX,
    Decided,
    OpenException,
    Resolved,
    ended_event,
    may_decide,
    written_off_by,
)
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan
from mes_terminal.domain.session import Person
from mes_terminal.errors import InputError
from mes_terminal.store import resolutions
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events, read_head
from mes_terminal.store.master_data import read_version
from mes_terminal.store.orders import reason_known
from mes_terminal.store.session import operator_of
from mes_terminal.usecases.handle_scan import rehearse_scan
from mes_terminal.usecases.resolve_count import resolve_count
from mes_terminal.usecases.resolve_posting import SENDS_IT, is_sent, resolve_posting
from mes_terminal.usecases.resolve_shortage import resolve_shortage
from mes_terminal.usecases.retry_scan import ENDS_IT, is_retry, rehearse_retry
from mes_terminal.usecases.signatures import sign_newest
from mes_terminal.usecases.watch_clock import confirm_from_desk

_SOMEBODY: Final = Person("", "", "supervisor", None)
"""Who decides in a rehearsal before a badge was scanned: somebody who may."""


def check_decision(db: Database, ids: Sequence[int], decision: Decision, *, by: str | None) -> None:
    """Refuse what no exception could be ended by, before any is touched.

    `by` is `None` while nobody has said who decides: then only a rehearsal may follow.

    Raises `InputError`: an exception or a badge that does not exist, a decision that says nothing
    or two things at once, a reason that is none.
    """
    _check_shape(decision)
    if by is not None and operator_of(db.conn, by) is None:
        raise InputError(
            f"The badge {by[:64]!r} is not known here. See: mes-terminal operator list.",
            reason="not_authorised",
        )
    if not 0 < len(ids) <= EXCEPTIONS_MAX:
        raise InputError(f"Name 1 to {EXCEPTIONS_MAX} exceptions at a time.")
    for each in ids:
        if resolutions.read_exception(db.conn, each) is None:
            raise InputError(f"There is no exception {each}. See: mes-terminal exceptions --open.")
    if decision.how == "write_off" and not reason_known(
        db.conn, decision.reason or "", "write_off"
    ):
        raise InputError(
            f"{(decision.reason or '')[:64]!r} is no reason for a write-off. Give one of the kind "
            "write_off from reasons.csv.",
            reason="reason_missing",
        )


def resolve_exception(
    db: Database,
    exception_id: int,
    decision: Decision,
    *,
    by: str,
    rules: StationRules,
    now: str,
) -> Resolved:
    """End an exception as the person of the badge `by` decides, or say why that cannot be.

    `now` is the clock's reading. `check_decision` has passed. That a failed scan is handled again
    takes more than a transaction: see `usecases.retry_scan`.
    """
    with db.transaction() as conn:
        before = read_head(conn).event_seq
        resolved = _resolve(conn, exception_id, decision, by=by, rules=rules, now=now)
        person = operator_of(conn, by)
        if person is not None and read_head(conn).event_seq > before:
            left = resolutions.read_exception(conn, exception_id)
            meaning = SENDS_IT if left is not None and is_sent(left) else ENDS_IT
            sign_newest(conn, person=person, meaning=meaning, rules=rules, now=now)
        return resolved


def rehearse_resolutions(
    db: Database,
    ids: Sequence[int],
    decision: Decision,
    *,
    by: str | None,
    rules: StationRules,
    now: str,
    handle: Callable[[Connection, Scan], Outcome] | None = None,
) -> list[Resolved]:
    """Return what ending these exceptions one after the other would do; nothing of it stays.

    Without `by` it is what would become of them if somebody decides who may. `handle` handles the
    scan that is made of a failed one and answers whatever happens; without it a fault is raised.
    """
    handled = handle or (lambda conn, scan: rehearse_scan(conn, scan, rules))
    with db.rehearsal() as conn:
        return [
            rehearse_retry(conn, each, by=by, now=now, handle=handled)
            if is_retry(conn, each, decision)
            else _resolve(conn, each, decision, by=by, rules=rules, now=now)
            for each in ids
        ]


def _check_shape(decision: Decision) -> None:
    changes = (decision.lot, decision.item, decision.quantity)
    named = [each for each in changes if each is not None]
    writes_off = decision.how == "write_off"
    if (decision.how == "change") != bool(named) or writes_off != bool(decision.reason):
        raise InputError(
            "Say one thing: post as it was, from which lot, which item instead, how much was used, "
            "or a reason to write it off."
        )
    if decision.item is not None and decision.quantity is not None:
        raise InputError("Name the item that was used, or how much of the component; not both.")
    if decision.quantity is not None:
        _check_quantity(decision.quantity)


def _check_quantity(text: str) -> None:
    try:
        micro = parse_quantity(text)
    except QuantityError as error:
        raise InputError(f"{error}.", reason="quantity") from error
    if micro <= 0:
        raise InputError(
            "Say how much was really used, more than 0. Nothing at all: write it off.",
            reason="quantity",
        )


def _resolve(
    conn: Connection,
    exception_id: int,
    decision: Decision,
    *,
    by: str | None,
    rules: StationRules,
    now: str,
) -> Resolved:
    found = resolutions.read_exception(conn, exception_id)
    person = operator_of(conn, by) if by is not None else _SOMEBODY
    if found is None or person is None:  # `check_decision` saw both; nothing is ever deleted
        raise InputError(f"Exception {exception_id} or badge {by!r:.64} is not known here.")
    if found.status != "open":
        how = found.resolution or found.status
        return Resolved(id=exception_id, outcome="already_done", message=f"It has ended: {how}")
    if not may_decide(person.role, found.kind):
        return _refused(found, f"{person.name} may not end {found.kind}. Call a supervisor")
    decided = Decided(
        decision=decision,
        person=person.badge,
        at=now,
        station=rules.station,
        master_data_version=str(read_version(conn)),
    )
    if found.kind in ("shortage", "component_serial"):
        return resolve_shortage(conn, found, decided, rules, lambda at: local_day(at, rules.zone))
    if found.kind == "count_variance" and decision.how == "post":
        return resolve_count(conn, found, decided, rules)
    if found.kind == "clock" and decision.how == "post":
        return _confirm_clock(conn, found, decided, rules)
    if found.kind == "posting_refused":
        return resolve_posting(conn, found, decided, rules)
    return _acknowledge(conn, found, decided, rules)


def _confirm_clock(
    conn: Connection, found: OpenException, decided: Decided, rules: StationRules
) -> Resolved:
    """The clock is right as it reads now: what can expire is used again (BF-33)."""
    confirm_from_desk(conn, decided.person, rules, now=decided.at)
    return Resolved(
        id=found.exception_id,
        outcome="posted",
        message=f"The clock reads {decided.at}, and that is right",
    )


def _acknowledge(
    conn: Connection, found: OpenException, decided: Decided, rules: StationRules
) -> Resolved:
    """End an exception that posts nothing: a person has looked at it and says why it may end."""
    if found.kind == "clock":
        said = "A clock cannot be written off. Set it, or say that it is right: post it"
        return _refused(found, said)
    if decided.decision.how != "write_off":
        what = f"There is nothing to post for {found.kind}. See to it, then"
        if found.kind == "failed_scan":
            what = "A failed scan is handled again as it is: post it, or"
        return _refused(found, f"{what} write this off with a reason")
    (event_seq,) = append_events(
        conn, [ended_event(found, decided)], rules=rules, recorded_at=decided.at
    )
    resolutions.end_exception(conn, found, event_seq, resolution=written_off_by(decided))
    quantity = found.quantity_micro
    return Resolved(
        id=found.exception_id,
        outcome="written_off",
        message=f"{found.kind} written off: {decided.decision.reason}",
        written_off=None if quantity is None else format_quantity(quantity),
    )


def _refused(found: OpenException, said: str) -> Resolved:
    return Resolved(id=found.exception_id, outcome="refused", message=said)

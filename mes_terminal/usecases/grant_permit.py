"""Permits: a supervisor lets a deviation pass ahead of its being met, and ends that again (BF-24).

Who decides has proved by badge and PIN who it is (`usecases.authenticate`), and signs. A permit of
one's own lets nothing pass for oneself, none lets pass what the matrix blocks, and none what
quality rejected. The parts that an approval shares stand here too (`usecases.approve`).
"""

from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.permits import Box, latest_until
from mes_terminal.domain.policy import SITUATIONS, Situation
from mes_terminal.domain.posting import EventDraft, Fact
from mes_terminal.domain.quantity import QuantityError, format_quantity, parse_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.session import Person
from mes_terminal.domain.shifts import shift_end
from mes_terminal.errors import InputError
from mes_terminal.store import permits, policy
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.events import append_events
from mes_terminal.store.orders import read_shifts, reason_known
from mes_terminal.store.permits import Scope
from mes_terminal.store.session import operator_of
from mes_terminal.usecases.signatures import sign_newest

GRANTS: Final = "grants the permit"
ENDS: Final = "ends the permit"
"""What the signatures stand for."""


class Wanted(Struct, frozen=True, kw_only=True):
    """How far an approval or a permit is to go, as a person said; `None`: not said."""

    until: str | None = None
    """An instant."""
    quantity: str | None = None
    reason: str | None = None


class Granted(Struct, frozen=True, kw_only=True):
    """A permit that was granted, in the keys of `permit add --json`."""

    permit: int
    message: str
    until: str
    quantity: str | None


def grant_permit(
    db: Database, scope: Scope, wanted: Wanted, *, by: str, rules: StationRules, now: str
) -> Granted:
    """Let something pass ahead of being asked.

    Raises `InputError`: no such item, lot or order, a box that is none, a situation that the matrix
    blocks, nobody who may.
    """
    with db.transaction() as conn:
        person = supervisor_of(conn, by)
        _check_scope(conn, scope, rules)
        check_reason(conn, wanted.reason)
        if wanted.reason is None:
            raise InputError("Give a reason with --reason.", reason="reason_missing")
        box = box_of(conn, wanted, rules, now, asked=None)
        permit_id = write_permit(
            conn, "permit.granted", scope, box, wanted.reason, person, rules, now
        )
        sign_newest(conn, person=person, meaning=GRANTS, rules=rules, now=now)
        quantity = decimal(box.quantity_micro)
        amount = f" or for {quantity}" if quantity is not None else ""
        said = f"{scope.situation} of {scope.item} is let pass until {box.until}{amount}"
        return Granted(permit=permit_id, message=said, until=box.until, quantity=quantity)


def end_permit(db: Database, permit_id: int, *, by: str, rules: StationRules, now: str) -> str:
    """End a permit before its time; return the sentence about it. Raises `InputError`."""
    with db.transaction() as conn:
        person = supervisor_of(conn, by)
        found = permits.read_granted(conn, permit_id)
        if found is None:
            raise InputError(f"There is no permit {permit_id}. See: mes-terminal permit list.")
        if found.is_ended:
            return f"Permit {permit_id} has been ended already"
        draft = decided("permit.ended", f"permit:{permit_id}", person, rules, now, permit=permit_id)
        (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
        permits.end(conn, permit_id, event_seq)
        sign_newest(conn, person=person, meaning=ENDS, rules=rules, now=now)
        return f"Permit {permit_id} for {found.item} lets nothing pass any more"


def is_situation(text: str) -> Situation:
    """Return the situation that a text names. Raises `InputError`."""
    for each in SITUATIONS:
        if each == text:
            return each
    raise InputError(f"{text[:40]!r} is no situation. The situations: {', '.join(SITUATIONS)}.")


def supervisor_of(conn: Connection, by: str) -> Person:
    """Return the supervisor of a badge. Raises `InputError`: it is nobody's who may decide."""
    person = operator_of(conn, by)
    if person is None or not person.supervises:
        raise InputError(
            "Only a supervisor does that: give --as with the badge, and the PIN.",
            reason="not_authorised",
        )
    return person


def write_permit(
    conn: Connection,
    kind: str,
    scope: Scope,
    box: Box,
    reason: str | None,
    person: Person,
    rules: StationRules,
    now: str,
    **about: Any,
) -> int:
    """Write the event and the permit of it; return the permit's id."""
    permit_id = permits.next_id(conn)
    draft = decided(
        kind,
        scope.work_order or scope.item,
        person,
        rules,
        now,
        reason,
        permit=permit_id,
        situation=scope.situation,
        item=scope.item,
        lot=scope.lot,
        work_order=scope.work_order,
        until=box.until,
        quantity=decimal(box.quantity_micro),
        once=box.once,
        reason=reason,
        **about,
    )
    (event_seq,) = append_events(conn, [draft], rules=rules, recorded_at=now)
    return permits.grant(
        conn, scope, box, by=person.badge, at=now, reason=reason, event_seq=event_seq
    )


def decided(
    kind: str,
    subject: str,
    person: Person,
    rules: StationRules,
    now: str,
    why: str | None = None,
    /,
    **detail: Any,
) -> EventDraft:
    """Return the event of what a person decided, and why."""
    return EventDraft(
        type=kind,
        subject=subject,
        partition_key=subject,
        event_time=now,
        data=Fact(person=person.badge, station=rules.station, event_time=now, detail=detail),
        upstream=False,
        person=person.badge,
        reason=why,
    )


def check_reason(conn: Connection, reason: str | None) -> None:
    """Raise `InputError` for a reason that is none of a deviation."""
    if reason is not None and not reason_known(conn, reason, "deviation"):
        raise InputError(
            f"{reason[:64]!r} is no reason for a deviation. Give one of the kind deviation from "
            "reasons.csv.",
            reason="reason_missing",
        )


def box_of(
    conn: Connection, wanted: Wanted, rules: StationRules, now: str, *, asked: str | None
) -> Box:
    """Return the box that was asked for.

    `asked` is the quantity of the question that is approved (`""`: none lies in it): without a box
    that is for just what was asked, once. Raises `InputError`.
    """
    until = wanted.until
    if until is not None and not now < until <= latest_until(now):
        raise InputError("A permit ends later than now, and within 31 days. Give another --until.")
    if until is None:
        until = shift_end(now, read_shifts(conn), rules.zone)
    if wanted.until is None and wanted.quantity is None and asked is not None:
        exactly = parse_quantity(asked) if asked else 0
        return Box(until=until, quantity_micro=exactly if exactly > 0 else None, once=True)
    micro = _micro(wanted.quantity) if wanted.quantity is not None else None
    return Box(until=until, quantity_micro=micro)


def decimal(micro: int | None) -> str | None:
    """Return a quantity as text; `None` where there is none."""
    return None if micro is None else format_quantity(micro)


def _check_scope(conn: Connection, scope: Scope, rules: StationRules) -> None:
    if scope.situation not in SITUATIONS:
        raise InputError(
            f"{scope.situation[:40]!r} is no situation. The situations: {', '.join(SITUATIONS)}."
        )
    found = permits.read_scope(conn, scope)
    if not found.is_item:
        raise InputError(f"There is no item {scope.item[:64]!r}.")
    if scope.lot is not None and found.lot_status is None:
        raise InputError(f"{scope.item} has no lot or serial {scope.lot[:64]!r}.")
    if found.lot_status == "rejected":
        raise InputError(f"{scope.lot} of {scope.item} is rejected: no permit lets that pass.")
    if scope.work_order is not None and not found.is_order:
        raise InputError(f"There is no work order {scope.work_order[:64]!r}.")
    item_class = policy.class_of_item(conn, scope.item)
    if rules.policy.level(scope.situation, item_class) == "block":
        raise InputError(
            f"This station blocks {scope.situation} of {scope.item}: a permit would let nothing "
            f"pass. The settings decide: policy.{scope.situation}."
        )


def _micro(text: str) -> int:
    try:
        micro = parse_quantity(text)
    except QuantityError as error:
        raise InputError(f"{error}.", reason="quantity") from error
    if micro <= 0:
        raise InputError("A permit is for more than 0. Give another --quantity.", reason="quantity")
    return micro

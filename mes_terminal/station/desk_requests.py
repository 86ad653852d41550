"""What a desk asks for beside scans, in the words of the link: exceptions ended, people changed.

Each request is a value that both ways of asking share: through the running core
(`station.answers`), and as the core for the moment (`cli.desk`). `proof` names the badge that must
be proved by its PIN first.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Annotated, Literal

from msgspec import Meta, Struct

from mes_terminal.domain.healing import Decision  # noqa: TC001  read when a request comes in
from mes_terminal.domain.resolving import Resolved
from mes_terminal.errors import InputError
from mes_terminal.station import signing
from mes_terminal.station.clock import utc_now
from mes_terminal.usecases import people
from mes_terminal.usecases.assign_exceptions import assign_exceptions
from mes_terminal.usecases.resolve_exceptions import (
    check_decision,
    rehearse_resolutions,
    resolve_exception,
)
from mes_terminal.usecases.retry_scan import begin_retry, end_retry, is_retry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.domain.resolving import Assigned
    from mes_terminal.station.booking import Booking


ExceptionId = Annotated[int, Meta(ge=1, le=2**53)]
"""What the database can hold, and JSON."""


class ResolveOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End these exceptions, or only say what would become of them."""

    ids: list[ExceptionId]
    decision: Decision
    badge: str | None = None
    """Who decides. Only a preview goes without."""
    preview: bool = False
    pin: str = ""

    @property
    def proof(self) -> str | None:
        """Whose PIN must be right; a preview changes nothing and needs none."""
        return None if self.preview else self.badge


class AssignOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Give these exceptions to a person."""

    ids: list[ExceptionId]
    to: str
    """Whose they are from now on: a badge."""
    badge: str
    """Who gives them."""
    pin: str = ""

    @property
    def proof(self) -> str:
        """Whose PIN must be right."""
        return self.badge


class PeopleOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Change a person: give a PIN, add, disable."""

    change: Literal["pin", "add", "disable"]
    badge: str
    by: str | None = None
    pin: str = ""
    """The PIN of `by`."""
    new_pin: str = ""
    new_pin_again: str | None = None
    """Given where it was asked twice: one that is mistyped locks its owner out."""
    name: str = ""
    role: str = "operator"
    language: str | None = None

    @property
    def proof(self) -> str | None:
        """Whose PIN must be right: nobody's while the station is being set up."""
        return self.by


def resolve(booking: Booking, order: ResolveOrder) -> Iterator[Resolved]:
    """Yield what became of each exception, one transaction a step; the badge is proved."""
    if order.badge is None and not order.preview:
        raise InputError("Say who decides: a badge, and its PIN.", reason="not_authorised")
    check_decision(booking.db, order.ids, order.decision, by=order.badge)
    ids = list(dict.fromkeys(order.ids))
    if order.preview:
        yield from rehearse_resolutions(
            booking.db,
            ids,
            order.decision,
            by=order.badge,
            rules=booking.rules,
            now=utc_now(),
            handle=booking.rehearse,
        )
        return
    assert order.badge is not None
    for each in ids:
        if is_retry(booking.db.conn, each, order.decision):
            yield _handle_again(booking, each, order.decision, by=order.badge)
        else:
            yield resolve_exception(
                booking.db, each, order.decision, by=order.badge, rules=booking.rules, now=utc_now()
            )


def _handle_again(booking: Booking, exception_id: int, decision: Decision, *, by: str) -> Resolved:
    """Let a failed scan be handled again, as a scan of its own."""
    db, rules = booking.db, booking.rules
    begun = begin_retry(
        db,
        exception_id,
        decision,
        by=by,
        rules=rules,
        now=booking.read_clock(),
        new_id=booking.new_id,
    )
    if isinstance(begun, Resolved):
        return begun
    outcome = booking.handle(begun, time.monotonic())
    return end_retry(db, exception_id, outcome, decision, by=by, rules=rules, now=utc_now())


def assign(booking: Booking, order: AssignOrder) -> list[Assigned]:
    """Assign exceptions; the badge is proved. Raises `InputError` for what there is not."""
    return assign_exceptions(
        booking.db, order.ids, to=order.to, by=order.badge, rules=booking.rules, now=utc_now()
    )


def new_hash(order: PeopleOrder) -> str:
    """Return the hash of the PIN that an order gives; empty for one that gives none.

    Raises `InputError` for a PIN that is none, or where the two are not the same.
    """
    if order.new_pin_again not in (None, order.new_pin):
        raise InputError("The two new PINs are not the same. Nothing was done.")
    return signing.hash_of(order.new_pin) if order.change == "pin" else ""


def change_people(booking: Booking, order: PeopleOrder, pin_hash: str) -> None:
    """Change a person; the badge of `by` is proved. Raises `InputError` for what may not be."""
    db, rules, now = booking.db, booking.rules, utc_now()
    if order.by is None and people.is_set_up(db):
        raise InputError(
            "Only a supervisor does that: give --as with the badge, and the PIN.",
            reason="not_authorised",
        )
    match order.change:
        case "pin":
            people.set_pin(db, order.badge, pin_hash, by=order.by, rules=rules, now=now)
        case "add":
            people.add_person(
                db, order.badge, name=order.name, role=order.role, language=order.language,
                by=order.by, rules=rules, now=now,
            )  # fmt: skip
        case "disable":
            people.disable_person(db, order.badge, by=order.by, rules=rules, now=now)

"""What a desk asks for beside scans, in the words of the link: exceptions ended, people changed.

Each request is a value that both ways of asking share: through the running core
(`station.answers`), and as the core for the moment (`cli.desk`). `proof` names the badge that must
be proved by its PIN first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from msgspec import Struct

from mes_terminal.domain.healing import Decision  # noqa: TC001  read when a request comes in
from mes_terminal.errors import InputError
from mes_terminal.station import signing
from mes_terminal.station.clock import utc_now
from mes_terminal.usecases import people
from mes_terminal.usecases.resolve_exceptions import (
    check_decision,
    rehearse_resolutions,
    resolve_exception,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.domain.resolving import Resolved
    from mes_terminal.station.booking import Booking


class ResolveOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """End these exceptions, or only say what would become of them."""

    ids: list[int]
    decision: Decision
    badge: str | None = None
    """Who decides. Only a preview goes without."""
    preview: bool = False
    pin: str = ""

    @property
    def proof(self) -> str | None:
        """Whose PIN must be right; a preview changes nothing and needs none."""
        return None if self.preview else self.badge


class PeopleOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Change a person: give a PIN, add, disable."""

    change: Literal["pin", "add", "disable"]
    badge: str
    by: str | None = None
    pin: str = ""
    """The PIN of `by`."""
    new_pin: str = ""
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
            booking.db, ids, order.decision, by=order.badge, rules=booking.rules, now=utc_now()
        )
        return
    assert order.badge is not None
    for each in ids:
        yield resolve_exception(
            booking.db, each, order.decision, by=order.badge, rules=booking.rules, now=utc_now()
        )


def new_hash(order: PeopleOrder) -> str:
    """Return the hash of the PIN that an order gives; empty for one that gives none."""
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

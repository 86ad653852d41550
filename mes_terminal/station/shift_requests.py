"""What ends a shift, or a call for material, beside scans: each request a value as in
`desk_requests`, which both ways of asking share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from mes_terminal.station.clock import utc_now
from mes_terminal.usecases.call_material import acknowledge_call
from mes_terminal.usecases.shift_end import end_shift

if TYPE_CHECKING:
    from mes_terminal.domain.shift_report import ShiftReport
    from mes_terminal.station.booking import Booking


class EndShiftOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sign the shift off."""

    badge: str
    """Who signs."""
    pin: str = ""
    hand_over: str | None = None
    """Whose the open exceptions are from now on: a badge."""

    @property
    def proof(self) -> str:
        """Whose PIN must be right."""
        return self.badge


class EndCallOrder(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Acknowledge a call for material."""

    id: int
    badge: str
    pin: str = ""

    @property
    def proof(self) -> str:
        """Whose PIN must be right."""
        return self.badge


def sign_off(booking: Booking, order: EndShiftOrder) -> ShiftReport:
    """End the shift; the badge is proved. Raises `InputError` for what may not be."""
    return end_shift(
        booking.db, by=order.badge, to=order.hand_over, rules=booking.rules, now=utc_now()
    )


def end_call(booking: Booking, order: EndCallOrder) -> None:
    """Acknowledge a call; the badge is proved. Raises `InputError` for what may not be."""
    acknowledge_call(booking.db, order.id, by=order.badge, rules=booking.rules, now=utc_now())

"""PINs as Argon2id hashes: made, and compared in constant time. The only place that sees both.

The cost is the library's own for small machines (RFC 9106, second recommendation: 64 MiB, three
passes): a tenth of a second, so never on the thread that books scans.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from mes_terminal.domain.people import is_pin
from mes_terminal.errors import InputError
from mes_terminal.station.clock import utc_now
from mes_terminal.usecases.authenticate import begin_try, end_try

if TYPE_CHECKING:
    from mes_terminal.station.booking import Booking
    from mes_terminal.usecases.authenticate import Try


class Signed(Protocol):
    """What is asked for by badge and PIN."""

    @property
    def proof(self) -> str | None:
        """The badge whose PIN must be right; `None`: nobody's."""

    @property
    def pin(self) -> str:
        """The PIN that was given for it."""


def hash_of(pin: str) -> str:
    """Return the hash of a new PIN. Raises `InputError` for what is none."""
    _check(pin)
    from argon2 import PasswordHasher

    return PasswordHasher().hash(pin)


def is_right(pin_hash: str, pin: str) -> bool:
    """Tell whether the hash is that of the PIN."""
    from argon2 import PasswordHasher
    from argon2.exceptions import VerificationError

    try:
        return PasswordHasher().verify(pin_hash, pin)
    except VerificationError:
        return False


def begin(booking: Booking, badge: str, pin: str) -> Try:
    """Begin to prove who holds a badge. Raises `InputError` where no PIN can be tried."""
    _check(pin)
    return begin_try(booking.db, badge, now=utc_now())


def end(booking: Booking, tried: Try, *, right: bool) -> None:
    """Conclude it. Raises `InputError` if the PIN was wrong."""
    end_try(booking.db, tried, right=right, rules=booking.rules, now=utc_now())


def sign(booking: Booking, badge: str, pin: str) -> None:
    """Prove who holds a badge, for a command that is the core for the moment."""
    tried = begin(booking, badge, pin)
    end(booking, tried, right=is_right(tried.pin_hash, pin))


def _check(pin: str) -> None:
    if not is_pin(pin):
        raise InputError("A PIN is 4 to 12 digits. Nothing was done.", reason="not_authorised")

"""Who works at the station and what it waits for: the state that a restart must find.

One row in the database, read with each scan; a ruling returns the session as it is afterwards.
"""

from typing import Final

from msgspec import Struct

AWAITS_SERIAL: Final = "SERIAL"
"""What waits after an order asked for the serial of a new unit (BF-39); no command of a card."""


class Session(Struct, frozen=True, kw_only=True):
    """The station's state when a scan arrives."""

    badge: str | None = None
    """Who is signed in at the station."""
    signed_in_at: str | None = None
    work_order_id: int | None = None
    """The order shown as the current one."""
    unit_id: int | None = None
    """The unit at hand, whose slots are being filled (BF-18)."""
    next_unit: bool = False
    """The unit at hand is the next one of the current order: it has no serial of its own."""
    stock_count_id: int | None = None
    """The count that is open (BF-32)."""
    pending_verb: str | None = None
    """What waits for its code: a command such as `SHORT`, `SCRAP` or `EMPTY`, or `AWAITS_SERIAL`
    with the order as its argument."""
    pending_argument: str | None = None
    pending_quantity_micro: int | None = None
    """What `%QTY` said, in micro-units."""
    confirm_reason: str | None = None
    """Why the station asked; the same code again until `confirm_until` means yes."""
    confirm_code: bytes | None = None
    confirm_until: str | None = None
    recovered_code: bytes | None = None
    """Booked before the stop, a line each: seen again before `recovered_until` a code asks once
    (BF-13)."""
    recovered_until: str | None = None
    clock_in_doubt: bool = False
    master_data_version: int = 0
    anything_mounted: bool = False
    line_stop_id: int | None = None
    """The stop that lasts: it ends with the next good report."""
    anything_called: bool = False
    """Somebody called for material that nobody has brought yet."""


class Person(Struct, frozen=True):
    """Who scans: by badge for this scan, or signed in."""

    badge: str
    name: str
    role: str
    language: str | None

    @property
    def supervises(self) -> bool:
        """May this person decide what an operator may not?"""
        return self.role == "supervisor"

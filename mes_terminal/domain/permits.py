"""Permits: what a supervisor lets pass, for what, how long and how much (BF-24). Pure.

A permit names a situation and an item, and may name a lot or serial and an order. It holds for
events before `until`. One that answers a question lets pass just what was asked, once; one with a
box lets pass again and again until its time or its quantity is over, whichever comes first. What
it counts is what was posted: mounting a lot uses nothing, drawing from it does. What a level
`block` refuses, and what quality rejected, no permit lets pass.
"""

import re
from datetime import timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.domain.instants import format_instant, plus_seconds, to_datetime
from mes_terminal.domain.policy import Deviation
from mes_terminal.domain.quantity import parse_quantity

DAYS_MAX: Final = 31
"""How far ahead a permit may hold, in days: what lasts longer is a rule, and belongs to the
settings."""

NIGHT_HOURS: Final = 12
"""How far ahead a time of the next day may lie: `02:00` said at 22:00."""
_TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", re.ASCII)

PermitStatus = Literal["standing", "used", "ended", "over"]


class ApprovalRow(Struct, frozen=True, kw_only=True):
    """A question or a permit, as the list `approvals` tells it. Quantities are decimal texts."""

    key: str
    """Where it stands in the list: `after` of the next page."""
    kind: str
    """`question` or `permit`."""
    id: int
    at: str
    """When it was asked last, or granted."""
    situation: str
    item: str
    lot: str | None
    work_order: str | None
    quantity: str | None
    """Of a question: by how much. Of a permit: for how much in all."""
    said: str | None
    person: str | None
    """Who was asked."""
    status: str
    """Of a question `open`, `approved`, `refused`, `used`, `withdrawn` or `expired`; of a permit
    `standing`, `used`, `ended` or `over`."""
    until: str
    by: str | None
    """Who answered or granted it."""
    permit: int | None
    """The permit that a question was answered with."""
    once: bool | None
    used: str | None
    left: str | None
    reason: str | None


class Box(Struct, frozen=True, kw_only=True):
    """How far a permit goes: until when, and for how much in all."""

    until: str
    """An instant; events before it."""
    quantity_micro: int | None = None
    once: bool = False
    """Its first use ends it."""


class Permit(Struct, frozen=True, kw_only=True):
    """A permit that nobody has ended, with what it has let pass so far."""

    permit_id: int
    granted_by: str
    lot: str | None
    work_order: str | None
    until: str
    quantity_micro: int | None
    once: bool
    reason: str | None
    used_micro: int
    uses: int

    def covers(
        self,
        met: Deviation,
        *,
        work_order: str | None,
        person: str | None,
        planned: "Planned",
    ) -> bool:
        """Tell whether it lets the deviation pass, of this order and for this person.

        Nobody uses a permit of their own. `planned` is what the same scan takes of it already.
        Where the scan names no order yet, only its use does.
        """
        fits = (
            self.lot in (None, met.lot)
            and (work_order is None or self.work_order in (None, work_order))
            and self.granted_by != person
        )
        return fits and self._has_room(met, planned)

    def _has_room(self, met: Deviation, planned: "Planned") -> bool:
        micro, uses = planned.get(self.permit_id, (0, 0))
        if self.once and self.uses + uses:
            return False
        if self.quantity_micro is None:
            return True
        left = self.quantity_micro - self.used_micro - micro
        wanted = measured_micro(met)
        return left >= wanted if wanted else left > 0


Planned = dict[int, tuple[int, int]]
"""What one scan takes of permits: id → (micro-units, uses)."""


def measured_micro(met: Deviation) -> int:
    """Return what letting the deviation pass uses of a quantity; 0 where nothing is used yet."""
    return parse_quantity(met.quantity) if met.quantity is not None else 0


def time_of_day(text: str, now: str, zone: ZoneInfo) -> str | None:
    """Return the instant of a time such as `14:00`; `None` for any other text.

    It is today's, or the next night's: tomorrow's where that is within 12 hours.
    """
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    local = to_datetime(now).astimezone(zone)
    at = local.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    if at <= local and (at + timedelta(days=1)) - local <= timedelta(hours=NIGHT_HOURS):
        at += timedelta(days=1)
    return format_instant(at)


def latest_until(now: str) -> str:
    """Return the instant until which a permit that is granted now may hold."""
    return plus_seconds(now, DAYS_MAX * 24 * 3600)


def status_of(
    *,
    ended: bool,
    until: str,
    quantity_micro: int | None,
    used_micro: int,
    once: bool,
    uses: int,
    now: str,
) -> PermitStatus:
    """Return what has become of a permit by `now`."""
    if ended:
        return "ended"
    if (once and uses) or (quantity_micro is not None and used_micro >= quantity_micro):
        return "used"
    return "standing" if now < until else "over"

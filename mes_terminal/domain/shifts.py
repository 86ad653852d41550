"""Production day and shift: a night shift belongs to the day it began (BF-33). Pure."""

from datetime import timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.domain.instants import to_datetime


class Shift(Struct, frozen=True):
    """A shift: minutes of the local day; `days` has bit 0 for Monday … bit 6 for Sunday."""

    shift: str
    start_minute: int
    end_minute: int
    days: int


def production_day(instant: str, shifts: list[Shift], zone: ZoneInfo) -> tuple[str, str | None]:
    """Return the production day `YYYYMMDD` and the shift; outside every shift the calendar day."""
    local = to_datetime(instant).astimezone(zone)
    minute = local.hour * 60 + local.minute
    for shift in shifts:
        over_midnight = shift.end_minute <= shift.start_minute
        began = local
        if over_midnight and minute < shift.end_minute:
            began = local - timedelta(days=1)
        elif minute < shift.start_minute or (not over_midnight and minute >= shift.end_minute):
            continue
        if shift.days >> began.weekday() & 1:
            return began.strftime("%Y%m%d"), shift.shift
    return local.strftime("%Y%m%d"), None

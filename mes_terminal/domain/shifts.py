"""Production day and shift: a night shift belongs to the day it began (BF-33). Pure."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.domain.instants import format_instant, to_datetime


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


def shift_end(instant: str, shifts: list[Shift], zone: ZoneInfo) -> str:
    """Return when the shift that runs at an instant ends; outside every shift the calendar day."""
    day, name = production_day(instant, shifts, zone)
    began = datetime.strptime(day, "%Y%m%d").replace(tzinfo=zone)
    running = next((each for each in shifts if each.shift == name), None)
    if running is None:
        return format_instant(began + timedelta(days=1))
    over_midnight = running.end_minute <= running.start_minute
    ends = began + timedelta(days=int(over_midnight), minutes=running.end_minute)
    return format_instant(ends)

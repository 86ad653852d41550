"""Which shift a sign-off ends: the one of `shifts.csv` whose end is nearest (BF-33). Pure.

A sign-off comes a little before or after the hour, so it ends the shift whose end is nearest of
those that have begun and have not been signed off. A shift ends once; what comes after the sign-off
belongs to the next one. Outside every shift, and without any, it ends the time since the last one.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.domain.instants import format_instant, seconds_between, to_datetime
from mes_terminal.domain.shifts import Shift


class Ending(Struct, frozen=True):
    """The shift that a sign-off ends; without a name it is no shift of `shifts.csv`."""

    production_day: str
    shift: str | None
    due_at: str | None
    """When it is to end."""


def shift_to_end(
    now: str, shifts: list[Shift], zone: ZoneInfo, *, began_at: str, last_due_at: str | None
) -> Ending | None:
    """Return what a sign-off at `now` ends; `None` where the running shift is signed off already.

    `began_at` is when the time began that is not signed off, `last_due_at` when the shift that was
    signed off last was to end.
    """
    begun = [each for each in _spans(now, shifts, zone) if each[0] <= now]
    signed_until = max(began_at, last_due_at or began_at)
    left = [each for each in begun if each[1] > signed_until]
    if left:
        _, due_at, day, name = min(left, key=lambda each: (_far(now, each[1]), each[1] < now))
        return Ending(day, name, due_at)
    if any(now < due_at for _, due_at, _, _ in begun):
        return None
    return Ending(to_datetime(now).astimezone(zone).strftime("%Y%m%d"), None, None)


def _spans(now: str, shifts: list[Shift], zone: ZoneInfo) -> Iterator[tuple[str, str, str, str]]:
    """Yield (start, end, production day, name) of the shifts of today and yesterday."""
    today = to_datetime(now).astimezone(zone).date()
    for date in (today - timedelta(days=1), today):
        midnight = datetime(date.year, date.month, date.day, tzinfo=zone)
        for each in shifts:
            if not each.days >> date.weekday() & 1:
                continue
            end_minute = each.end_minute
            if end_minute <= each.start_minute:
                end_minute += 24 * 60
            start = midnight + timedelta(minutes=each.start_minute)
            end = midnight + timedelta(minutes=end_minute)  # wall time: a change of clocks is in it
            yield format_instant(start), format_instant(end), date.strftime("%Y%m%d"), each.shift


def _far(now: str, instant: str) -> float:
    return abs(seconds_between(now, instant))

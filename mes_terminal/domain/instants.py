"""Instants and days: UTC texts in the database, the site's time zone for days and shifts (BF-33).

An instant is `YYYY-MM-DDTHH:MM:SS.ffffffZ`, so instants sort as text. Pure: the clock is read by
the station only.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

NO_EXPIRY: Final = "9999-12-31"
"""Stands in indexes for a lot that never expires, so that it sorts last (BF-15)."""
NOT_ARRIVED: Final = "9999-12-31T00:00:00.000000Z"
"""Stands for the arrival of stock that was only ever drawn, below zero (BF-16, BF-20)."""


def format_instant(moment: datetime) -> str:
    """Return `moment` (aware) as UTC text with microseconds."""
    text = moment.astimezone(UTC).isoformat(timespec="microseconds")
    return text[:26] + "Z"


def to_datetime(instant: str) -> datetime:
    """Return the aware datetime of an instant this module wrote."""
    return datetime.fromisoformat(instant)


def parse_instant(text: str, zone: ZoneInfo) -> str:
    """Return the UTC text of an ISO 8601 instant or day; without an offset it is in `zone`.

    A bare day is its start. Raises `ValueError`.
    """
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return format_instant(moment)


def local_day(instant: str, zone: ZoneInfo) -> str:
    """Return the calendar day `YYYY-MM-DD` of an instant in `zone`.

    A lot is usable while `local_day(event, zone) <= expires_on` (BF-16).
    """
    return to_datetime(instant).astimezone(zone).date().isoformat()


def day_plus(day: str, days: int) -> str:
    """Return the day `days` after `day`."""
    return (date.fromisoformat(day) + timedelta(days=days)).isoformat()


def seconds_between(earlier: str, later: str) -> float:
    """Return how many seconds lie between two instants; negative if they are the other way."""
    return (to_datetime(later) - to_datetime(earlier)).total_seconds()


def utc_offset(instant: str, zone: ZoneInfo) -> str:
    """Return what the clocks of `zone` were ahead of UTC at an instant: `+01:00`."""
    return to_datetime(instant).astimezone(zone).isoformat()[-6:]


def plus_seconds(instant: str, seconds: float) -> str:
    """Return the instant `seconds` after `instant`."""
    return format_instant(to_datetime(instant) + timedelta(seconds=seconds))

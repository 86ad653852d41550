"""The key figures of production days, as the lists tell and the desk draws them.

Made by `usecases.figures`; `docs/figures.md` says what each one is exactly. Quantities, values and
percentages are decimal texts, instants UTC texts, days `YYYY-MM-DD`, absent is `None`.
"""

from typing import Literal

from msgspec import Struct

WrongBy = Literal["exception", "write_off", "reversal", "count"]


class Made(Struct, frozen=True):
    """Units of products that are counted in one unit of measure, as they stand."""

    uom: str
    good: str
    scrapped: str


class HourMade(Struct, frozen=True):
    """What was reported of one order in one hour of the clock on the wall, as it stands."""

    start_at: str
    """When the hour began."""
    shift: str | None
    work_order: str
    item: str
    uom: str
    good: str
    scrapped: str


class WrongCount(Struct, frozen=True):
    """How many reports were wrong by one sign; a report may bear several."""

    by: WrongBy
    reports: int


class Tally(Struct, frozen=True, kw_only=True):
    """A production day, or one shift of it, in figures."""

    shift: str | None = None
    """`None`: the whole day."""
    reports: int = 0
    wrong: int = 0
    """Of them those that bear a sign that the books did not match the line."""
    error_pct: str | None = None
    wrong_by: list[WrongCount] = []
    made: list[Made] = []
    """Most reports first."""
    reworked: str = "0"
    first_pass_pct: str | None = None
    opened: int = 0
    ended: int = 0
    resolve_median_s: int | None = None
    """From the opening to the end, of the exceptions that ended."""
    resolve_longest_s: int | None = None


class CauseShare(Struct, frozen=True):
    """Exceptions of one cause among all that were opened."""

    cause_code: str
    count: int
    value: str | None
    """Of what they were opened for, at standard cost; `None` where no cost is known."""
    cumulative_pct: str
    """Of all, this and those before it."""


class DayFigures(Struct, frozen=True, kw_only=True):
    """A production day (BF-33)."""

    day: str
    total: Tally
    shifts: list[Tally]
    """In the order of their beginning; what is outside every shift is in the total only."""
    hours: list[HourMade]
    """By hour, then order."""
    causes: list[CauseShare]
    """Most first."""
    currency: str


class AgeBucket(Struct, frozen=True):
    """Exceptions that are open now and older than those of the bucket before."""

    up_to_s: int | None
    """Younger than this; `None`: without a limit."""
    count: int

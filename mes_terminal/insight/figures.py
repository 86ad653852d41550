"""Key figures of a production day and its shifts, exact: integers and fractions, never a float.

Pure: rows in, figures out. `docs/figures.md` defines each figure in the same words.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from statistics import median_low
from typing import Final, TypeVar, get_args
from zoneinfo import ZoneInfo

from mes_terminal.domain.figures import (
    AgeBucket,
    CauseShare,
    DayFigures,
    HourMade,
    Made,
    Tally,
    WrongBy,
    WrongCount,
)
from mes_terminal.domain.instants import format_instant, seconds_between, to_datetime
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.shifts import Shift, production_day
from mes_terminal.domain.worth import money
from mes_terminal.insight.facts import DayFacts, EndedFact, OpenedFact, ReportFact

Fact = TypeVar("Fact")

AGE_LIMITS_S: Final = (3600, 4 * 3600, 8 * 3600, 24 * 3600, 3 * 86400, 7 * 86400)
"""An hour, half a shift, a shift, a day, three days, a week."""
_HUNDREDTHS: Final = 10_000
"""Micro-percent in a hundredth of a percent."""


def day_window(day: str, zone: ZoneInfo) -> tuple[str, str]:
    """Return instants between which everything of a production day lies: its own midnight, and the
    one after the next, as a night shift belongs to the day it began (BF-33)."""
    first = datetime.combine(date.fromisoformat(day), datetime.min.time(), zone)
    last = datetime.combine(first.date() + timedelta(days=2), datetime.min.time(), zone)
    return format_instant(first), format_instant(last)


def day_of(instant: str, shifts: list[Shift], zone: ZoneInfo) -> tuple[str, str | None]:
    """Return the production day `YYYY-MM-DD` and the shift of an instant (BF-33)."""
    day, shift = production_day(instant, shifts, zone)
    return f"{day[:4]}-{day[4:6]}-{day[6:]}", shift


def figures_of(
    day: str, facts: DayFacts, shifts: list[Shift], *, zone: ZoneInfo, currency: str
) -> DayFigures:
    """Return the figures of a production day from facts of at least its window."""

    def on(at: Callable[[Fact], str], found: Iterable[Fact]) -> list[tuple[str | None, Fact]]:
        placed = ((day_of(at(each), shifts, zone), each) for each in found)
        return [(shift, each) for (its_day, shift), each in placed if its_day == day]

    reports = on(lambda each: each.event_time, facts.reports)
    opened = on(lambda each: each.opened_at, facts.opened)
    ended = on(lambda each: each.ended_at, facts.ended)
    names = {shift for found in (reports, opened, ended) for shift, _ in found} - {None}
    return DayFigures(
        day=day,
        total=_tally(None, _all(reports), _all(opened), _all(ended)),
        shifts=[
            _tally(
                each.shift,
                _of(each.shift, reports), _of(each.shift, opened), _of(each.shift, ended),
            )
            for each in sorted(shifts, key=lambda each: (each.start_minute, each.shift))
            if each.shift in names
        ],
        hours=_hours(reports, zone),
        causes=pareto(_all(opened), currency),
        currency=currency,
    )  # fmt: skip


def percent(part: int, whole: int) -> str:
    """Return the percentage to two places, half a hundredth rounded up. `whole` > 0."""
    return format_quantity((part * 20_000 + whole) // (2 * whole) * _HUNDREDTHS)


def pareto(opened: Sequence[OpenedFact], currency: str) -> list[CauseShare]:
    """Return the causes, most first, each with the share that it and those before it have."""
    by_cause: dict[str, list[OpenedFact]] = {}
    for each in opened:
        by_cause.setdefault(each.cause_code, []).append(each)
    shares, so_far = [], 0
    for code, found in sorted(by_cause.items(), key=lambda pair: (-len(pair[1]), pair[0])):
        so_far += len(found)
        known = [each.value for each in found if each.value is not None]
        value = money(sum(known, Fraction(0)) if known else None, currency)
        shares.append(CauseShare(code, len(found), value, percent(so_far, len(opened))))
    return shares


def age_limits(now: str) -> list[str]:
    """Return before which instants an exception was opened that is too old for each bucket."""
    at = to_datetime(now)
    return [format_instant(at - timedelta(seconds=limit)) for limit in AGE_LIMITS_S]


def ages_of(counts: Sequence[int]) -> list[AgeBucket]:
    """Return the buckets from how many are in each, the youngest first."""
    return [
        AgeBucket(limit, count) for limit, count in zip((*AGE_LIMITS_S, None), counts, strict=True)
    ]


def hour_start(instant: str, zone: ZoneInfo) -> str:
    """Return when the hour of the clock on the wall began; the hour that the end of summer time
    repeats is two."""
    local = to_datetime(instant).astimezone(zone)
    return format_instant(local.replace(minute=0, second=0, microsecond=0).astimezone(UTC))


def _all(placed: list[tuple[str | None, Fact]]) -> list[Fact]:
    return [each for _, each in placed]


def _of(shift: str, placed: list[tuple[str | None, Fact]]) -> list[Fact]:
    return [each for name, each in placed if name == shift]


def _tally(
    shift: str | None,
    reports: list[ReportFact],
    opened: list[OpenedFact],
    ended: list[EndedFact],
) -> Tally:
    judged = [each for each in reports if each.backflushes]
    wrong = [each for each in judged if each.wrong_by]
    good = sum(each.good_micro for each in reports)
    scrapped = sum(each.scrapped_micro for each in reports)
    reworked = sum(each.reworked_micro for each in reports)
    finished = good + scrapped
    took = [max(0, int(seconds_between(each.opened_at, each.ended_at))) for each in ended]
    return Tally(
        shift=shift,
        reports=len(judged),
        wrong=len(wrong),
        error_pct=percent(len(wrong), len(judged)) if judged else None,
        wrong_by=[
            WrongCount(by, count)
            for by in get_args(WrongBy)
            if (count := sum(by in each.wrong_by for each in wrong))
        ],
        made=_made(reports),
        reworked=format_quantity(reworked),
        first_pass_pct=percent(max(0, good - reworked), finished) if finished > 0 else None,
        opened=len(opened),
        ended=len(ended),
        resolve_median_s=median_low(took) if took else None,
        resolve_longest_s=max(took, default=None),
    )


def _made(reports: list[ReportFact]) -> list[Made]:
    sums: dict[str, list[int]] = {}
    for each in reports:
        if each.good_micro or each.scrapped_micro:
            found = sums.setdefault(each.uom, [0, 0, 0])
            found[0] += 1
            found[1] += each.good_micro
            found[2] += each.scrapped_micro
    ranked = sorted(sums.items(), key=lambda pair: (-pair[1][0], pair[0]))
    return [
        Made(uom, format_quantity(good), format_quantity(scrapped))
        for uom, (_, good, scrapped) in ranked
    ]


def _hours(reports: list[tuple[str | None, ReportFact]], zone: ZoneInfo) -> list[HourMade]:
    sums: dict[tuple[str, str, str, str, str], list[int]] = {}
    for shift, each in reports:
        if each.good_micro or each.scrapped_micro:
            start = hour_start(each.event_time, zone)
            key = (start, shift or "", each.work_order, each.item, each.uom)
            found = sums.setdefault(key, [0, 0])
            found[0] += each.good_micro
            found[1] += each.scrapped_micro
    return [
        HourMade(start, shift or None, order, item, uom,
                 format_quantity(good), format_quantity(scrapped))
        for (start, shift, order, item, uom), (good, scrapped) in sorted(sums.items())
    ]  # fmt: skip

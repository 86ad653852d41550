"""Key figures beside a slow obvious model: around midnight, shifts and the change of the clocks."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from mes_terminal.domain.figures import DayFigures
from mes_terminal.domain.instants import format_instant, to_datetime
from mes_terminal.domain.quantity import MICRO, format_quantity, parse_quantity
from mes_terminal.domain.shifts import Shift
from mes_terminal.insight.facts import DayFacts, EndedFact, OpenedFact, ReportFact
from mes_terminal.insight.figures import ages_of, day_window, figures_of, hour_start, percent

BERLIN: Final = ZoneInfo("Europe/Berlin")
ZONES: Final = (BERLIN, ZoneInfo("UTC"), ZoneInfo("America/St_Johns"), ZoneInfo("Australia/Sydney"))
EVERY_DAY: Final = 0b1111111
SHIFTS: Final[tuple[list[Shift], ...]] = (
    [],
    [Shift("EARLY", 360, 840, 0b11111), Shift("LATE", 840, 1320, 0b11111)],
    [Shift("DAY", 360, 1320, EVERY_DAY), Shift("NIGHT", 1320, 360, EVERY_DAY)],
    [Shift("ODD", 1380, 150, 0b1010101), Shift("REST", 150, 600, EVERY_DAY)],
)
"""None, two on working days, round the clock, and borders within the repeated hour."""
SUMMER_ENDS: Final = datetime(2026, 10, 25, 1, tzinfo=UTC)
SUMMER_BEGINS: Final = datetime(2026, 3, 29, 1, tzinfo=UTC)


def _instants() -> st.SearchStrategy[str]:
    near = st.sampled_from((SUMMER_ENDS, SUMMER_BEGINS))
    minutes = st.integers(-3000, 3000) | st.sampled_from((-120, -60, -1, 0, 1, 60, 120))
    seconds = st.sampled_from((0, 1, 59))
    return st.builds(
        lambda middle, minute, second: format_instant(
            middle + timedelta(minutes=minute, seconds=second)
        ),
        near, minutes, seconds,
    )  # fmt: skip


@st.composite
def _facts(draw: st.DrawFn) -> DayFacts:
    numbers = st.integers(0, 9).map(lambda units: units * MICRO)
    reports = [
        ReportFact(
            report_seq=place,
            event_time=draw(_instants()),
            work_order=draw(st.sampled_from(("WO-1", "WO-2"))),
            item="CHAIR",
            uom=draw(st.sampled_from(("pcs", "m"))),
            backflushes=draw(st.booleans()),
            good_micro=draw(numbers),
            scrapped_micro=draw(numbers),
            reworked_micro=draw(numbers),
            wrong_by=draw(st.frozensets(st.sampled_from(("exception", "reversal", "count")))),
        )
        for place in range(draw(st.integers(0, 12)))
    ]
    opened = [
        OpenedFact(draw(_instants()), place, draw(st.sampled_from(("a:x", "a:y", "b:x"))), None)
        for place in range(draw(st.integers(0, 8)))
    ]
    ended = [
        EndedFact(*sorted((draw(_instants()), draw(_instants()))))
        for _ in range(draw(st.integers(0, 6)))
    ]
    return DayFacts(reports, opened, ended)


def model_day(instant: str, shifts: list[Shift], zone: ZoneInfo) -> tuple[str, str | None]:
    """The first shift whose stretch on the wall's clock holds the instant; else the day there."""
    wall = to_datetime(instant).astimezone(zone).replace(tzinfo=None)
    for shift in shifts:
        for began in (wall.date() - timedelta(days=1), wall.date()):
            midnight = datetime.combine(began, datetime.min.time())
            start = midnight + timedelta(minutes=shift.start_minute)
            end = midnight + timedelta(minutes=shift.end_minute)
            if end <= start:
                end += timedelta(days=1)
            if shift.days >> began.weekday() & 1 and start <= wall < end:
                return began.isoformat(), shift.shift
    return wall.date().isoformat(), None


def model_percent(part: int, whole: int) -> str:
    exact = Decimal(part) * 100 / Decimal(whole)
    return format_quantity(int(exact.quantize(Decimal("0.01"), ROUND_HALF_UP) * MICRO))


def _on(day: str, at: Callable[[str], tuple[str, str | None]], instant: str) -> bool:
    return at(instant)[0] == day


def _all_days(facts: DayFacts, shifts: list[Shift], zone: ZoneInfo) -> list[DayFigures]:
    instants = [each.event_time for each in facts.reports]
    instants += [each.opened_at for each in facts.opened] + [each.ended_at for each in facts.ended]
    days = sorted({model_day(instant, shifts, zone)[0] for instant in instants})
    return [figures_of(day, facts, shifts, zone=zone, currency="EUR") for day in days]


@settings(max_examples=250, deadline=None)
@given(_facts(), st.sampled_from(SHIFTS), st.sampled_from(ZONES))
def test_a_day_and_its_shifts_have_what_happened_in_them(
    facts: DayFacts, shifts: list[Shift], zone: ZoneInfo
) -> None:
    """BF-33: a night shift belongs to the day it began; each instant to one day and one shift."""
    for told in _all_days(facts, shifts, zone):
        mine = [
            (each, model_day(each.event_time, shifts, zone)[1])
            for each in facts.reports
            if model_day(each.event_time, shifts, zone)[0] == told.day
        ]
        for tally in (told.total, *told.shifts):
            chosen = [each for each, shift in mine if tally.shift in (None, shift)]
            judged = [each for each in chosen if each.backflushes]
            wrong = [each for each in judged if each.wrong_by]
            good = sum(each.good_micro for each in chosen)
            scrapped = sum(each.scrapped_micro for each in chosen)
            reworked = sum(each.reworked_micro for each in chosen)
            assert (tally.reports, tally.wrong) == (len(judged), len(wrong))
            assert tally.error_pct == (model_percent(len(wrong), len(judged)) if judged else None)
            assert tally.first_pass_pct == (
                model_percent(max(0, good - reworked), good + scrapped)
                if good + scrapped else None
            )  # fmt: skip
            assert sum(parse_quantity(made.good) for made in tally.made) == good
            assert sum(parse_quantity(made.scrapped) for made in tally.made) == scrapped


@settings(max_examples=150, deadline=None)
@given(_facts(), st.sampled_from(SHIFTS), st.sampled_from(ZONES))
def test_the_days_share_out_everything_once(
    facts: DayFacts, shifts: list[Shift], zone: ZoneInfo
) -> None:
    """Nothing is in two days, nothing in none; the hours of a day add up to it."""
    days = _all_days(facts, shifts, zone)
    assert sum(each.total.opened for each in days) == len(facts.opened)
    assert sum(each.total.ended for each in days) == len(facts.ended)
    assert sum(each.total.reports for each in days) == sum(
        each.backflushes for each in facts.reports
    )
    for told in days:
        by_uom: dict[str, int] = {}
        for hour in told.hours:
            by_uom[hour.uom] = by_uom.get(hour.uom, 0) + parse_quantity(hour.good)
            assert _on(told.day, lambda at: model_day(at, shifts, zone), hour.start_at) or shifts
        assert by_uom == {made.uom: parse_quantity(made.good) for made in told.total.made}
        shares = [parse_quantity(each.cumulative_pct) for each in told.causes]
        counts = [each.count for each in told.causes]
        assert shares == sorted(shares)
        assert counts == sorted(counts, reverse=True)
        assert shares[-1:] in ([], [100 * MICRO])
        assert sum(counts) == told.total.opened


@settings(max_examples=200, deadline=None)
@given(_instants(), st.sampled_from(SHIFTS), st.sampled_from(ZONES))
def test_the_window_of_a_day_holds_all_of_it(
    instant: str, shifts: list[Shift], zone: ZoneInfo
) -> None:
    """BF-33: what is read for a day is enough, on days of 23 and of 25 hours too."""
    day, _ = model_day(instant, shifts, zone)
    start, end = day_window(day, zone)
    assert start <= instant < end


@settings(max_examples=200, deadline=None)
@given(_instants(), st.sampled_from(ZONES))
def test_an_hour_is_one_of_the_clock_on_the_wall(instant: str, zone: ZoneInfo) -> None:
    """The hour that the end of summer time repeats is two: no instant is in both."""
    start = hour_start(instant, zone)
    wall = to_datetime(start).astimezone(zone)
    later = to_datetime(instant).astimezone(zone)
    assert start <= instant
    assert (wall.minute, wall.second) == (0, 0)
    assert (to_datetime(instant) - to_datetime(start)) < timedelta(hours=1)
    assert wall.hour == later.hour


def test_the_repeated_hour_is_told_twice() -> None:
    """2026-10-25 in Berlin: 02:30 summer time and 02:30 winter time are an hour apart."""
    summer, winter = "2026-10-25T00:30:00.000000Z", "2026-10-25T01:30:00.000000Z"
    starts = [hour_start(each, BERLIN) for each in (summer, winter)]
    assert starts == ["2026-10-25T00:00:00.000000Z", "2026-10-25T01:00:00.000000Z"]


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_percentages_are_rounded_as_people_round(part: int, whole: int) -> None:
    """Half a hundredth goes up, and nothing is a float on the way."""
    assert percent(part, whole) == model_percent(part, whole)


def test_every_bucket_of_age_has_its_count() -> None:
    assert [(each.up_to_s, each.count) for each in ages_of((1, 2, 3, 4, 5, 6, 7))][-1] == (None, 7)

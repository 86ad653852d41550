"""The key figures of production days, and how old is what is open now (docs/figures.md).

Read-only; called as the other lists are (`usecases.lists`), and by `usecases.morning`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from fractions import Fraction
from typing import Final

from mes_terminal.domain.figures import AgeBucket, DayFigures, WrongBy
from mes_terminal.domain.instants import day_plus
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.worth import worth_of
from mes_terminal.errors import InputError
from mes_terminal.insight import figures as insight
from mes_terminal.insight.facts import DayFacts, EndedFact, OpenedFact, ReportFact
from mes_terminal.store import figures as store
from mes_terminal.store.database import Connection, Database
from mes_terminal.store.orders import read_shifts
from mes_terminal.usecases.filters import whole_number

DAYS_MAX: Final = 92
"""Days asked for at a time: a quarter."""
_BACKFLUSHES: Final = ("completion", "operation", "scrap")


def day_figures(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[DayFigures]:
    """Yield the figures of the `days` (1) that end with `day` (today), the earliest first.

    Raises `InputError` for a filter it lacks, or a day that is none.
    """
    if not set(filters) <= {"day", "days"}:
        raise InputError("figures has the filters day and days.")
    last = _day(filters["day"]) if "day" in filters else today_of(database.conn, rules, now=now)
    count = whole_number("days", filters.get("days", "1"))
    if not 1 <= count <= DAYS_MAX:
        raise InputError(f"days must be from 1 to {DAYS_MAX}.")
    for back in range(count - 1, -1, -1):
        yield figures_of_day(database.conn, day_plus(last, -back), rules)


def open_ages(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[AgeBucket]:
    """Yield how many exceptions are open now, by their age. Raises `InputError` for a filter."""
    del rules
    if filters:
        raise InputError("open_ages has no filters.")
    limits = insight.age_limits(now)
    return iter(insight.ages_of(store.count_ages(database.conn, limits)))


def today_of(conn: Connection, rules: StationRules, *, now: str) -> str:
    """Return the production day of this moment (BF-33)."""
    return insight.day_of(now, read_shifts(conn), rules.zone)[0]


def figures_of_day(conn: Connection, day: str, rules: StationRules) -> DayFigures:
    """Return the figures of one production day."""
    start, end = insight.day_window(day, rules.zone)
    opened = [
        OpenedFact(each.opened_at, each.opened_event_seq, each.cause_code, _worth(each))
        for each in store.read_opened(conn, start, end)
    ]
    facts = DayFacts(
        reports=_reports(conn, start, end, {each.opened_event_seq for each in opened}),
        opened=opened,
        ended=[EndedFact(*each) for each in store.read_ended(conn, start, end)],
    )
    return insight.figures_of(
        day, facts, read_shifts(conn), zone=rules.zone, currency=rules.currency
    )


def _reports(conn: Connection, start: str, end: str, opening: set[int]) -> list[ReportFact]:
    reports = store.read_reports(conn, start, end)
    counted = store.read_charged(conn, start) if reports else set()
    return [
        ReportFact(
            report_seq=each.report_seq,
            event_time=each.event_time,
            work_order=each.work_order,
            item=each.item,
            uom=each.uom,
            backflushes=each.kind in _BACKFLUSHES,
            good_micro=each.good_micro,
            scrapped_micro=each.scrapped_micro,
            reworked_micro=each.reworked_micro,
            wrong_by=_wrong_by(
                each,
                opened=each.report_seq in opening,
                counted=each.report_seq in counted,
            ),
        )
        for each in reports
    ]


def _wrong_by(report: store.ReportRead, *, opened: bool, counted: bool) -> frozenset[WrongBy]:
    signs: dict[WrongBy, bool] = {
        "exception": opened or bool(report.owed),
        "write_off": bool(report.written_off),
        "reversal": bool(report.reversed),
        "count": counted,
    }
    return frozenset(by for by, is_so in signs.items() if is_so)


def _worth(opened: store.OpenedRead) -> Fraction | None:
    return worth_of(
        opened.kind, opened.quantity_micro, opened.standard_cost_micro, opened.cost_per_micro
    )


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(f"{text[:40]!r} is no day. Write one like 2026-11-20.") from error

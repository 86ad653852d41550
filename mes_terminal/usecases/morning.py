"""The supervisor's morning, without a scan: what stops today, what is open, yesterday, what else.

Read-only but for the pre-flight of the queue, which `usecases.rehearse_queue` makes on the writing
connection and takes back. Called by the core for the desk, and by `insight morning`.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

from mes_terminal.domain.desk import KindGroup
from mes_terminal.domain.figures import DayFigures
from mes_terminal.domain.instants import day_plus, local_day
from mes_terminal.domain.morning import (
    ExpiringLot,
    Morning,
    MorningGroup,
    OpenWork,
    Queue,
    Watch,
)
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.worth import money
from mes_terminal.insight.figures import day_window
from mes_terminal.store import morning as store
from mes_terminal.store.database import Database
from mes_terminal.store.figures import oldest_open, read_reports
from mes_terminal.store.station_view import read_unsent
from mes_terminal.usecases.exception_groups import exception_groups, exception_rows
from mes_terminal.usecases.figures import figures_of_day, today_of
from mes_terminal.usecases.lists import read_list

GROUPS_MAX: Final = 12
"""Causes told: more than that is a list, and the desk has it."""
EXPIRING_MAX: Final = 12
EXPIRING_DAYS: Final = 3
"""What expires so soon is told: a weekend ahead."""
DAYS_BACK_MAX: Final = 14
"""So far back the last days with reports are looked for: a plant that was shut for a week."""
_GRAVITY: Final = {"stop": 0, "warn": 1, "info": 2}


def morning_of(db: Database, queue: Queue, rules: StationRules, *, now: str) -> Morning:
    """Return what the supervisor sees; the core adds the scanners."""
    today = today_of(db.conn, rules, now=now)
    days = _days_with_reports(db, today, rules)
    return Morning(
        now=now,
        today=today,
        queue=queue,
        work=_open_work(db, rules, now=now),
        yesterday=next(days, None),
        day_before=next(days, None),
        watch=_watch(db, rules, now=now),
    )


def _days_with_reports(db: Database, today: str, rules: StationRules) -> Iterator[DayFigures]:
    for back in range(1, DAYS_BACK_MAX + 1):
        day = day_plus(today, -back)
        if not read_reports(db.conn, *day_window(day, rules.zone)):
            continue
        figures = figures_of_day(db.conn, day, rules)
        if figures.total.reports or figures.hours:
            yield figures


def _open_work(db: Database, rules: StationRules, *, now: str) -> OpenWork:
    asked = {"open": "1", "by": "cause"}
    groups = list(exception_groups(db, asked, rules=rules, now=now))
    known = [Fraction(each.value) * MICRO for each in groups if each.value is not None]
    ranked = sorted(groups, key=_weight)
    return OpenWork(
        count=sum(each.count for each in groups),
        oldest_at=oldest_open(db.conn),
        overdue=sum(each.overdue for each in groups),
        value=money(sum(known, Fraction(0)) if known else None, rules.currency),
        currency=rules.currency,
        groups=[_with_oldest(db, each, rules, now=now) for each in ranked[:GROUPS_MAX]],
        groups_count=len(groups),
    )


def _weight(group: KindGroup) -> tuple[int, Fraction, str]:
    return _GRAVITY[group.severity], -Fraction(group.value or "0"), group.oldest_at


def _with_oldest(db: Database, group: KindGroup, rules: StationRules, *, now: str) -> MorningGroup:
    asked = {"open": "1", "by": "cause", "key": group.key, "limit": "1"}
    return MorningGroup(group, next(exception_rows(db, asked, rules=rules, now=now), None))


def _watch(db: Database, rules: StationRules, *, now: str) -> Watch:
    until = day_plus(local_day(now, rules.zone), EXPIRING_DAYS)
    waiting, oldest_at = read_unsent(db.conn)
    due = read_list(db, "counts_due", {}, rules=rules, now=now)
    return Watch(
        expiring=[
            ExpiringLot(
                item=each.item,
                lot=each.lot,
                location=each.location,
                quantity=format_quantity(each.quantity_micro),
                uom=each.uom,
                expires_on=each.expires_on,
                is_mounted=bool(each.is_mounted),
            )
            for each in store.read_expiring(db.conn, until=until, limit=EXPIRING_MAX)
        ],
        expiring_count=store.count_expiring(db.conn, until=until),
        counts_due=sum(1 for _ in due),
        postings_waiting=waiting,
        oldest_waiting_at=oldest_at,
    )

"""The lists of shifts: what a sign-off would end now, past shifts, line stops, calls for material.

The past ones begin with the newest; a page begins after the id of the last row seen (`after`).
"""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.shift_report import (
    Anchor,
    HandedOver,
    LeftOpen,
    ShiftNow,
    ShiftReport,
    Totals,
    minutes_text,
)
from mes_terminal.errors import InputError
from mes_terminal.store import line_state, shift_ends
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream
from mes_terminal.usecases.filters import whole_number
from mes_terminal.usecases.shift_end import shift_now


class StopRow(Struct, frozen=True):
    """A line stop; without an end the line stands."""

    id: int
    reason: str
    description: str | None
    work_order: str | None
    person: str | None
    person_name: str | None
    stopped_at: str
    ended_at: str | None
    minutes: str
    """Until its end, or until now."""


class CallRow(Struct, frozen=True):
    """A call for material; without an end nobody has brought it."""

    id: int
    item: str | None
    description: str | None
    work_order: str | None
    location: str | None
    times: int
    person: str | None
    person_name: str | None
    called_at: str
    ended_at: str | None
    ended_by: str | None


class _Told(Struct):
    """What the event of a sign-off says."""

    handed_over: HandedOver | None
    open: LeftOpen
    totals: Totals


_told = msgspec.json.Decoder(_Told)


def list_shift_now(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[ShiftNow]:
    """Yield the one row of what a sign-off would end now."""
    _paged("shift_now", filters, ())
    yield shift_now(database.conn, rules, now=now)


def list_shifts(database: Database, filters: Mapping[str, str]) -> Iterator[ShiftReport]:
    """Yield the shifts that were signed off, the newest first."""
    asked, limit = _paged("shifts", filters, ("id", "after", "limit"))
    return islice((_shift(*row) for row in stream(database, shift_ends.SHIFTS, asked)), limit)


def list_stops(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[StopRow]:
    """Yield the line stops, the newest first."""
    del rules
    asked, limit = _paged("line_stops", filters, ("after", "limit"))
    rows = stream(database, line_state.STOPS, asked)
    return islice((_stop(*row, now=now) for row in rows), limit)


def list_calls(database: Database, filters: Mapping[str, str]) -> Iterator[CallRow]:
    """Yield the calls for material, the newest first."""
    asked, limit = _paged("material_calls", filters, ("open", "after", "limit"))
    return islice((CallRow(*row) for row in stream(database, line_state.CALLS, asked)), limit)


def _paged(
    name: str, filters: Mapping[str, str], offered: tuple[str, ...]
) -> tuple[dict[str, str | int | None], int | None]:
    """Return the parameters of the statement, and how many rows are asked for."""
    for each in filters:
        if each not in offered:
            has = f"It has: {', '.join(offered)}." if offered else "It has none."
            raise InputError(f"{name} has no filter {each!r}. {has}")
    asked: dict[str, str | int | None] = {each: filters.get(each) for each in offered}
    for each in ("id", "after", "limit"):
        if asked.get(each) is not None:
            asked[each] = whole_number(each, filters[each])
    limit = asked.pop("limit", None)
    return asked, int(limit) if limit is not None else None


def _stop(*row: Any, now: str) -> StopRow:
    begin, end = row[-2:]
    lasted = minutes_text(seconds_between(begin, end or now))
    return StopRow(*(*row, lasted))


def _shift(
    shift_end_id: int,
    production_day: str,
    shift: str | None,
    began_at: str,
    ended_at: str,
    person: str,
    person_name: str,
    station: str,
    detail: str,
    anchor_seq: int,
    anchor_hash: str,
) -> ShiftReport:
    told: Any = _told.decode(detail)
    return ShiftReport(
        id=shift_end_id,
        station=station,
        production_day=production_day,
        shift=shift,
        began_at=began_at,
        ended_at=ended_at,
        person=person,
        person_name=person_name,
        handed_over=told.handed_over,
        open=told.open,
        totals=told.totals,
        anchor=Anchor(anchor_seq, anchor_hash),
    )

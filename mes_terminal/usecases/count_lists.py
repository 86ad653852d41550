"""The lists of counts: what each came to, and what is due to be counted and why (BF-32).

A count is due where the books cannot be right (below zero, or a report would have brought them
there), where a line waits and the books say there is nothing, where an exception asks, and by the
rhythm of the item's class.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from mes_terminal.domain.accuracy import AccuracyRow, CountedOnce, accuracy_of
from mes_terminal.domain.instants import parse_instant, seconds_between
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import count_lists as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream

DAY_S: Final = 86_400
_FILTERS: Final = ("item", "location")


class CountRow(Struct, frozen=True):
    """What the count of an item came to."""

    count: int
    location: str
    item: str
    uom: str
    expected: str | None
    counted: str | None
    difference: str | None
    owed: str
    in_process: str
    status: str
    """`open`, `dropped`, `right`, `corrected`, `waiting` for approval, or `refused`."""
    exception: int | None
    person: str | None
    started_at: str
    ended_at: str | None


class DueRow(Struct, frozen=True):
    """An item that is due to be counted at a place."""

    location: str
    item: str
    item_class: str | None
    reason: str
    """`negative`, `exception`, `empty`, `never` or `rhythm`: the weightiest."""
    counted_at: str | None


def counts(database: Database, filters: Mapping[str, str]) -> Iterator[CountRow]:
    """Yield the items of every count, by count and item. Raises `InputError` for a filter it
    lacks."""
    for row in stream(database, store.COUNTS, _asked(filters, _FILTERS)):
        (count, location, count_status, started, ended, person, item, uom, expected, counted, owed,
         in_process, posted, exception, exception_status) = row  # fmt: skip
        difference = None if counted is None else counted - expected
        yield CountRow(
            count, location, item, uom, _told(expected), _told(counted), _told(difference),
            format_quantity(owed), format_quantity(in_process),
            _status(count_status, difference, posted, exception_status), exception, person,
            started, ended,
        )  # fmt: skip


def due(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[DueRow]:
    """Yield what is due at `now`, by place and item. Raises `InputError` for a filter it lacks."""
    for row in stream(database, store.DUE, _asked(filters, _FILTERS)):
        location, item, item_class, whole, rest, is_needed, is_asked, lacked, counted_at = row
        days = rules.count_days[item_class or "default"]
        book = whole * MICRO + rest
        if book < 0 or lacked:
            reason = "negative"
        elif is_asked:
            reason = "exception"
        elif is_needed and not book:
            reason = "empty"
        elif counted_at is None:
            reason = "never"
        elif seconds_between(counted_at, now) > days * DAY_S:
            reason = "rhythm"
        else:
            continue
        yield DueRow(location, item, item_class, reason, counted_at)


def accuracy(
    database: Database,
    filters: Mapping[str, str],
    *,
    rules: StationRules,
    now: str,  # noqa: ARG001
) -> Iterator[AccuracyRow]:
    """Yield how right the books were when they were counted, by place and class of item; `since` is
    an instant or a day from which on counts are judged. Raises `InputError` for a filter it lacks.
    """
    asked = _asked(filters, (*_FILTERS, "since"))
    if (since := filters.get("since")) is not None:
        try:
            asked["since"] = parse_instant(since, rules.zone)
        except ValueError:
            raise InputError(
                f"since is {since[:40]!r}, which is no day. Write one like 2026-11-20."
            ) from None
    found = stream(database, store.ACCURACY, asked)
    return accuracy_of((CountedOnce(*row) for row in found), currency=rules.currency)


def _asked(filters: Mapping[str, str], known: tuple[str, ...]) -> dict[str, str | int | None]:
    for name in filters:
        if name not in known:
            raise InputError(f"This list has no filter {name!r}. It has: {', '.join(known)}.")
    return {name: filters.get(name) for name in known}


def _told(micro: int | None) -> str | None:
    return None if micro is None else format_quantity(micro)


def _status(
    count_status: str, difference_micro: int | None, posted: int, exception_status: str | None
) -> str:
    if count_status != "ended":
        return count_status
    if not difference_micro:
        return "right"
    if exception_status == "open":
        return "waiting"
    return "corrected" if posted else "refused"

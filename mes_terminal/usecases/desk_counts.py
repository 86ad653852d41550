"""The counts on the supervisor's desk: what is to be counted and why, then what counts came to.

With `open` only what needs a person: due, being counted, waiting for a decision (BF-32). Called
through `usecases.lists.read_list`.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import chain
from typing import Any, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.desk_entries import CountEntry, CountState, DueReason
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.worth import money
from mes_terminal.errors import InputError
from mes_terminal.store import desk_counts as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream
from mes_terminal.usecases.count_lists import DueRow, due
from mes_terminal.usecases.desk_filters import check_filters, page, sought

FILTERS: Final = ("open", "text", "after", "limit")
_REASONS: Final[tuple[DueReason, ...]] = ("negative", "exception", "empty", "never", "rhythm")
_NEWEST: Final = 1 << 62
"""After the newest count that there can be."""

DueKey = tuple[int, str, str]
"""Where a due one stands: the weight of its reason, the place, the item."""
CountKey = tuple[int, int]
"""Where a counted one stands: the count, the item."""
_BEFORE_ALL: Final[DueKey] = (-1, "", "")


class DeskCount(Struct, frozen=True):
    """How many rows a list has."""

    count: int


def desk_counts(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[CountEntry]:
    """Yield what is due, the weightiest first, then the counts, the newest first.

    Raises `InputError` for a filter it lacks.
    """
    check_filters("desk_counts", filters, FILTERS)
    after = _place(filters.get("after"))
    rows = _counted(database, filters, rules, after)
    if len(after) == 3:
        rows = chain(_due(database, filters, rules, now, after), rows)
    return page(rows, filters)


def desk_counts_count(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[DeskCount]:
    """Yield how many rows `desk_counts` has for the same filters; nothing where that takes long:
    it is counted for what needs a person, and for everything."""
    check_filters("desk_counts_count", filters, FILTERS)
    if filters.get("text"):
        return
    total = sum(1 for _ in _due(database, filters, rules, now, _BEFORE_ALL))
    if "open" in filters:
        total += sum(1 for _ in _counted(database, filters, rules, _BEFORE_ALL))
    else:
        total += next(stream(database, store.TOTAL, {}))[0]
    yield DeskCount(total)


def _place(after: str | None) -> DueKey | CountKey:
    """Return where the list goes on. Raises `InputError` for a key that is none of its."""
    match _decoded(after) if after else list(_BEFORE_ALL):
        case [int(weight), str(location), str(item)]:
            return weight, location, item
        case [int(count), int(item_id)]:
            return count, item_id
    raise InputError(f"after is no key of this list: {str(after)[:40]!r}.")


def _decoded(key: str) -> object:
    try:
        return msgspec.json.decode(key)
    except msgspec.DecodeError:
        return None


def _due(
    database: Database, filters: Mapping[str, str], rules: StationRules, now: str, after: DueKey
) -> Iterator[CountEntry]:
    """Yield what is to be counted, sorted anew for each page: a row for each item and place of the
    line at most."""
    found = due(database, {}, rules=rules, now=now)
    rows = sorted((_due_key(row), row.item_class, row.counted_at) for row in found)
    text = filters.get("text", "").casefold()
    for key, item_class, counted_at in rows:
        weight, location, item = key
        if key <= after:
            continue
        description, uom = next(stream(database, store.ITEM, {"item": item}))
        if text in f"{item}\n{location}\n{description}".casefold():
            yield CountEntry(
                key=_text_of(key), state="due", location=location, item=item,
                description=description, uom=uom, item_class=item_class, reason=_REASONS[weight],
                counted_at=counted_at,
            )  # fmt: skip


def _due_key(row: DueRow) -> DueKey:
    return _REASONS.index(row.reason), row.location, row.item


def _text_of(key: DueKey | CountKey) -> str:
    return msgspec.json.encode(key).decode()


def _counted(
    database: Database, filters: Mapping[str, str], rules: StationRules, after: CountKey | DueKey
) -> Iterator[CountEntry]:
    count, item_id = (_NEWEST, 0) if len(after) == 3 else after
    statement = store.TO_DO if "open" in filters else store.COUNTS
    asked: dict[str, Any] = {"count": count, "item_id": item_id, "text": sought(filters)}
    return (_entry(rules, *row) for row in stream(database, statement, asked))


def _entry(rules: StationRules, *row: Any) -> CountEntry:
    (count, item_id, status, location, item, description, uom, item_class, started_at, ended_at,
     person, expected, counted, owed, in_process, is_posted, exception, exception_status,
     resolution, cost_micro, per_micro) = row  # fmt: skip
    difference = None if counted is None else counted - expected
    value = None
    if difference is not None and cost_micro is not None:
        value = money(Fraction(difference * cost_micro, per_micro), rules.currency)
    return CountEntry(
        key=_text_of((count, item_id)),
        state=_state(status, difference, exception_status, is_posted=bool(is_posted)),
        location=location,
        item=item,
        description=description,
        uom=uom,
        item_class=item_class,
        counted_at=ended_at,
        count=count,
        expected=_told(expected),
        counted=_told(counted),
        difference=_told(difference),
        owed=_told(owed),
        in_process=_told(in_process),
        value=value,
        currency=rules.currency if value is not None else None,
        exception=exception,
        resolution=resolution,
        person=person,
        started_at=started_at,
    )


def _told(micro: int | None) -> str | None:
    return None if micro is None else format_quantity(micro)


def _state(
    status: str, difference_micro: int | None, exception_status: str | None, *, is_posted: bool
) -> CountState:
    if status != "ended":
        return "open" if status == "open" else "dropped"
    if not difference_micro:
        return "right"
    if exception_status == "open":
        return "waiting"
    return "corrected" if is_posted else "refused"

"""The difference to upstream's stock on the supervisor's desk, page by page, and in one line at the
outbox.

A comparison reads everything that is not delivered, so it is kept for a moment: the desk asks for
it every other second. Called through `usecases.lists.RULED_LISTS`.
"""

from collections.abc import Iterator, Mapping
from typing import Final
from weakref import WeakKeyDictionary

from msgspec import Struct

from mes_terminal.domain.desk_entries import OutboxHead
from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.reconcile import Difference, Summary, summary_of
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import reconcile as store
from mes_terminal.store.database import Database
from mes_terminal.usecases.desk_filters import check_filters, page
from mes_terminal.usecases.desk_outbox import desk_outbox_count
from mes_terminal.usecases.reconcile import Compared, compare

FILTERS: Final = ("by", "differing", "text", "after", "limit")
KEPT_S: Final = 10.0
"""How long a comparison is told again."""
KEPT_LONG_S: Final = 60.0
LONG_POSTINGS: Final = 5_000
"""From so many postings on it is kept longer: some 0.03 ms each."""


class _Kept(Struct, frozen=True):
    stamp: tuple[object, ...]
    at: str
    compared: Compared


_KEPT: Final[WeakKeyDictionary[Database, dict[str, _Kept]]] = WeakKeyDictionary()


def desk_reconcile(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[Difference]:
    """Yield a page of the comparison; nothing while upstream's figures are not known. Raises
    `InputError` for a filter it lacks."""
    check_filters("desk_reconcile", filters, FILTERS)
    found = _compared(database, filters.get("by", "item"), rules, now)
    rows = _meant(found, filters)
    after = filters.get("after")
    if after:
        rows = iter([row for row in rows if row.key > after])
    yield from page(rows, filters)


def desk_reconcile_count(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[Summary]:
    """Yield how the comparison came out, in one row."""
    check_filters("desk_reconcile_count", filters, FILTERS)
    found = _compared(database, filters.get("by", "item"), rules, now)
    if found is None:
        yield summary_of([], None)
    else:
        count = sum(1 for _ in _meant(found, filters))
        yield summary_of(found.rows, found.as_of, count=count)


def desk_outbox_head(
    database: Database, filters: Mapping[str, str], *, rules: StationRules, now: str
) -> Iterator[OutboxHead]:
    """Yield what the outbox comes to, in one row."""
    check_filters("desk_outbox_head", filters, ())
    found = _compared(database, "item", rules, now)
    summary = None if found is None else summary_of(found.rows, found.as_of)
    for totals in desk_outbox_count(database, {"open": "1"}):
        yield OutboxHead(
            totals=totals,
            differing=None if summary is None else summary.differing,
            unexplained=None if summary is None else summary.unexplained,
        )


def _compared(database: Database, by: str, rules: StationRules, now: str) -> Compared | None:
    stamp = store.stamp(database)
    if stamp[0] is None:
        return None
    kept = _KEPT.setdefault(database, {})
    known = kept.get(by)
    if known is not None:
        limit_s = KEPT_LONG_S if known.compared.postings > LONG_POSTINGS else KEPT_S
        if known.stamp == stamp or 0 <= seconds_between(known.at, now) < limit_s:
            return known.compared
    found = compare(database, {"by": by}, rules=rules, now=now)
    kept[by] = _Kept(stamp, now, found)
    return found


def _meant(found: Compared | None, filters: Mapping[str, str]) -> Iterator[Difference]:
    """Yield the rows that have the text, and differ if only those are asked for."""
    text = filters.get("text", "").casefold()
    for row in found.rows if found is not None else ():
        if "differing" in filters and row.is_nothing:
            continue
        names = (row.item, row.lot, row.serial, row.location)
        if not text or any(text in name.casefold() for name in names if name):
            yield row

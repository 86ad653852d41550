"""Shifts on the supervisor's desk: what a sign-off would end now, then those that were signed off.

Called through `usecases.lists.read_list`.
"""

from collections.abc import Iterator, Mapping
from itertools import chain

from mes_terminal.domain.desk_entries import ShiftEntry
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Database
from mes_terminal.usecases.desk_filters import check_filters, page
from mes_terminal.usecases.shift_lists import list_shift_now, list_shifts

NOW_KEY = "now"


def desk_shifts(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[ShiftEntry]:
    """Yield a page, the newest first. Raises `InputError` for a filter it lacks."""
    check_filters("desk_shifts", filters, ("after", "limit"))
    after = filters.get("after")
    asked = {} if after in (None, "", NOW_KEY) else {"after": str(after)}
    ended = (ShiftEntry(str(each.id), ended=each) for each in list_shifts(database, asked))
    if after:
        return page(ended, filters)
    at_hand = list_shift_now(database, {}, rules=rules, now=now)
    return page(chain((ShiftEntry(NOW_KEY, at_hand=each) for each in at_hand), ended), filters)

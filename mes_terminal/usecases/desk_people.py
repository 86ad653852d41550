"""People on the supervisor's desk, by badge: who may work here, who is locked, who was seen when.

Called through `usecases.lists.LISTS`; what changes people is `usecases.people`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from mes_terminal.domain.desk_entries import DeskPerson, PeopleTotals
from mes_terminal.store import desk_people as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream
from mes_terminal.usecases.desk_filters import check_filters, page, sought
from mes_terminal.usecases.people import is_set_up

FILTERS: Final = ("enabled", "text", "after", "limit")


def desk_people(database: Database, filters: Mapping[str, str]) -> Iterator[DeskPerson]:
    """Yield a page of people; with `enabled` only those who may work here. Raises `InputError` for
    a filter it lacks."""
    check_filters("desk_people", filters, FILTERS)
    asked = _asked(filters) | {"after": filters.get("after", "")}
    for row in page(stream(database, store.PEOPLE, asked), filters):
        badge, name, role, language, has_pin, locked_until, disabled_at, seen_at = row
        yield DeskPerson(
            badge=badge,
            name=name,
            role=role,
            language=language,
            has_pin=bool(has_pin),
            locked_until=locked_until,
            disabled_at=disabled_at,
            seen_at=seen_at,
        )


def desk_people_count(database: Database, filters: Mapping[str, str]) -> Iterator[PeopleTotals]:
    """Yield how many people the filters keep."""
    check_filters("desk_people_count", filters, FILTERS)
    ((count,),) = stream(database, store.TOTAL, _asked(filters))
    yield PeopleTotals(count, is_set_up(database))


def _asked(filters: Mapping[str, str]) -> dict[str, str | int | None]:
    return {"enabled": filters.get("enabled"), "text": sought(filters)}

"""What stood mounted where and how long, and which units each container covered (BF-17).

Called by the core's reading thread and by the command line, through `usecases.lists.LISTS`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from msgspec import Struct

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.errors import InputError
from mes_terminal.store.database import Database
from mes_terminal.store.mount_spans import Stay, read_stays
from mes_terminal.usecases.filters import whole_number
from mes_terminal.usecases.named_lots import ids_of_lot, known_item

_FILTERS: Final = frozenset({"item", "lot", "since", "limit"})


class Units(Struct, frozen=True):
    """The units of an order that were made meanwhile: those after `after`, up to `through`."""

    work_order: str
    after: str
    through: str


class StayRow(Struct, frozen=True):
    """One stay of a lot or container in a position; it goes on while `ended_at` is absent."""

    sequence: int
    position: str
    item: str
    lot: str | None
    container: str | None
    location: str
    mounted_at: str
    ended_at: str | None
    ended_by: str | None
    left: str | None
    gained: str
    uom: str
    units: list[Units]


def list_stays(database: Database, filters: Mapping[str, str]) -> Iterator[StayRow]:
    """Return the stays of an item, or of one `lot` of it, oldest first.

    Raises `InputError` for an item or lot that is not known.
    """
    if "item" not in filters or not set(filters) <= _FILTERS:
        raise InputError("The list of containers needs an item, and takes lot, since and limit.")
    item, lot = filters["item"], filters.get("lot")
    known_item(database, item)
    if lot is not None:
        ids_of_lot(database, item, lot)
    since = whole_number("since", filters.get("since", "0"))
    limit = whole_number("limit", filters["limit"]) if "limit" in filters else None
    return map(_row, read_stays(database, item, lot, since=since, limit=limit))


def _row(stay: Stay) -> StayRow:
    return StayRow(
        stay.mount_span_id,
        stay.position,
        stay.item,
        stay.lot,
        stay.container,
        stay.location,
        stay.mounted_at,
        stay.ended_at,
        stay.ended_by,
        None if stay.left_micro is None else format_quantity(stay.left_micro),
        format_quantity(stay.gained_micro),
        stay.uom,
        [
            Units(
                each.work_order,
                format_quantity(each.before_micro),
                format_quantity(each.through_micro),
            )
            for each in stay.covered
        ],
    )

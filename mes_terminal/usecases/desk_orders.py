"""The orders on the supervisor's desk: the queue in its sequence, in pages (screens 9, 11).

`open` keeps what is in the queue, `late` what should have been done by now. Called through
`usecases.lists.read_list`.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import msgspec

from mes_terminal.domain.desk_plant import QueuedOrder, RowCount
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store import desk_orders as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream
from mes_terminal.usecases.desk_filters import check_filters, page, sought

COUNT_FILTERS: Final = ("open", "late", "text")
FILTERS: Final = (*COUNT_FILTERS, "after", "limit")
_FIRST: Final = ("", 0, "")
_key: Final = msgspec.json.Decoder(tuple[str, int, str])


def desk_orders(
    database: Database,
    filters: Mapping[str, str],
    /,
    *,
    rules: StationRules,  # noqa: ARG001
    now: str,
) -> Iterator[QueuedOrder]:
    """Yield a page of orders. Raises `InputError` for a filter it lacks, or a key it did not make.

    The key is the place in the queue: due time, sequence, number.
    """
    check_filters("desk_orders", filters, FILTERS)
    due, sequence, work_order = _after(filters)
    asked = _asked(filters, now)
    asked |= {"due": due, "sequence": sequence, "work_order": work_order}
    for row in page(stream(database, store.ORDERS, asked), filters):
        yield _order(*row)


def desk_orders_count(
    database: Database,
    filters: Mapping[str, str],
    /,
    *,
    rules: StationRules,  # noqa: ARG001
    now: str,
) -> Iterator[RowCount]:
    """Yield how many orders the filters keep."""
    check_filters("desk_orders_count", filters, COUNT_FILTERS)
    ((count,),) = stream(database, store.ORDER_COUNT, _asked(filters, now))
    yield RowCount(count)


def _asked(filters: Mapping[str, str], now: str) -> dict[str, str | int | None]:
    return {
        "open": filters.get("open"),
        "late": filters.get("late"),
        "text": sought(filters),
        "now": now,
    }


def _after(filters: Mapping[str, str]) -> tuple[str, int, str]:
    if not filters.get("after"):
        return _FIRST
    try:
        return _key.decode(filters["after"])
    except msgspec.MsgspecError as error:
        raise InputError("after must be the key of a row of desk_orders.") from error


def _order(
    work_order: str,
    item: str,
    description: str,
    uom: str,
    quantity: int,
    good: int,
    scrapped: int,
    replace_scrap: int,
    status: str,
    sequence: int | None,
    due_at: str | None,
    exceptions: int,
    stops: int,
) -> QueuedOrder:
    key = (due_at or store.NEVER, store.LAST if sequence is None else sequence, work_order)
    remaining = max(0, quantity - good - (0 if replace_scrap else scrapped))
    return QueuedOrder(
        key=msgspec.json.encode(key).decode(),
        work_order=work_order,
        item=item,
        description=description,
        uom=uom,
        quantity=format_quantity(quantity),
        completed=format_quantity(good),
        scrapped=format_quantity(scrapped),
        remaining=format_quantity(remaining),
        status=status,
        sequence=sequence,
        due_at=due_at,
        exceptions=exceptions,
        stops=stops,
    )

"""The yield of each order: of the units that ended, how many are good, and why the others are not.

Units in rework are good units still (BF-28); first-pass yield leaves out those that were sent
there.
"""

from collections.abc import Iterator, Mapping

from msgspec import Struct

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.errors import InputError
from mes_terminal.insight.figures import percent
from mes_terminal.store import order_yield as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import has_work_order, stream


class ScrapReason(Struct, frozen=True):
    """Units scrapped for one reason."""

    reason: str
    quantity: str


class YieldRow(Struct, frozen=True):
    """What became of the units of an order; percentages to two places."""

    work_order: str
    item: str
    uom: str
    good: str
    scrapped: str
    reworked: str
    """Sent to rework, a unit as often as it was."""
    yield_pct: str
    first_pass_pct: str
    scrap: list[ScrapReason]
    """By reason, most first; what was scrapped before go-live has none."""


def order_yield(database: Database, filters: Mapping[str, str]) -> Iterator[YieldRow]:
    """Yield the rows by number, of one order (`work_order`) or of all with units that ended.

    Raises `InputError` for an order or a filter that is not known.
    """
    if not set(filters) <= {"work_order"}:
        raise InputError("order_yield has one filter: work_order.")
    number = filters.get("work_order")
    if number is not None and not has_work_order(database, number):
        raise InputError(
            f"There is no work order {number[:64]!r}. mes-terminal orders lists the numbers.",
            reason="order_unknown",
        )
    for order_id, order, item, uom, good, scrapped, reworked in stream(
        database, store.ORDERS, {"work_order": number}
    ):
        reasons = stream(database, store.SCRAP, {"work_order_id": order_id})
        yield YieldRow(
            order, item, uom, format_quantity(good), format_quantity(scrapped),
            format_quantity(reworked), percent(good, good + scrapped),
            percent(max(0, good - reworked), good + scrapped),
            [ScrapReason(reason, format_quantity(micro)) for reason, micro in reasons],
        )  # fmt: skip

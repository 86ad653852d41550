"""One posting into Tryton's stock, exactly once however often it is called (UP-7).

Tryton has no unique key of ours, so the posting's id stands in `reference` of every document made
for it, and each step begins by asking what is there already: after a crash, a time-out or a second
call it goes on from where it was. A call that Tryton still executes after we gave up on it leaves
at worst an empty draft; stock moves only in a document that was found by its key afterwards.

A report becomes a production of its own (`productions`), everything else that moves stock an
internal shipment (`shipments`); what moves nothing becomes nothing.
"""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from msgspec import Struct

from mes_terminal.site.tryton.catalogue import UNKNOWN_LOT, Catalogue
from mes_terminal.site.tryton.client import ErpRefusedError, TrytonClient
from mes_terminal.site.tryton.movements import (
    Movement,
    Posting,
    Special,
    movements_of,
)
from mes_terminal.site.tryton.order_plan import keep_plan
from mes_terminal.site.tryton.productions import end_order, post_production, withdraw
from mes_terminal.site.tryton.shipments import post_shipments, withdraw_shipments
from mes_terminal.site.tryton.stock_move import StockMove


class Posted(Struct, frozen=True):
    """What became of a posting."""

    document: str | None
    """Tryton's number of its first document; `None`: it moves nothing."""
    is_production: bool = False
    """There is a production that holds it."""


def post(
    client: TrytonClient,
    catalogue: Catalogue,
    posting: Posting,
    *,
    carrier: str | None = None,
) -> Posted:
    """Bring a posting into Tryton's stock. `carrier` is our reference of the production that holds
    the report which the posting takes back, if there is one.

    Raises `ErpRefusedError` when Tryton does not take it as it is now (a sentence for a person),
    `TransportError` when nobody knows whether it did (call again), `ErpDeniedError` when the bridge
    itself may not.
    """
    movements = movements_of(posting)
    if not movements and not posting.data.final:
        return Posted(None)
    is_production = posting.data.final
    try:
        moves = stock_moves(catalogue, movements, catalogue.company.day_of(posting.time))
        made = [each for each in moves if each.is_production]
        moved = [each for each in moves if not each.is_production]
        documents = post_shipments(client, catalogue, posting, moved)
        is_production = is_production or bool(made)
        if is_production:
            number = post_production(client, catalogue, posting, made, carrier=carrier)
            documents.insert(0, number)
    except ErpRefusedError as error:
        raise _told(error, catalogue, posting) from error
    return Posted(documents[0] if documents else None, is_production=is_production)


def keep(client: TrytonClient, catalogue: Catalogue, postings: Sequence[Posting]) -> None:
    """Keep the plan of the order of these postings, which are in Tryton's stock already, and end it
    if one of them did. Repeatable; raises as `post`."""
    for work_order in dict.fromkeys(each.data.work_order for each in postings):
        if work_order is not None:
            keep_plan(client, catalogue, work_order)
    for each in postings:
        if each.data.final:
            end_order(client, each)


def take_back(client: TrytonClient, posting: Posting) -> None:
    """Cancel what a refused posting has begun in Tryton. Repeatable; raises as `post`."""
    withdraw(client, posting)
    withdraw_shipments(client, posting)


def cancel_out(postings: Sequence[Posting]) -> bool:
    """Tell whether what these postings move is nothing, all in all."""
    sums: dict[tuple[str, str | None, str, str], Decimal] = {}
    for posting in postings:
        for each in movements_of(posting):
            for place, sign in ((each.origin, -1), (each.target, 1)):
                key = (each.item, each.lot, each.uom, str(place))
                sums[key] = sums.get(key, Decimal(0)) + sign * each.quantity
    return not any(sums.values())


def stock_moves(catalogue: Catalogue, movements: Sequence[Movement], on: date) -> list[StockMove]:
    """Return the movements of a day in Tryton's ids; lots that it lacks are created."""
    products = catalogue.products(each.item for each in movements)
    places = {place: catalogue.place(place)
              for each in movements for place in (each.origin, each.target)}  # fmt: skip
    numbers: list[str | None] = []
    for each in movements:
        wanted = products[each.item].lot_required
        types = {places[each.origin].type, places[each.target].type}
        numbers.append(each.lot or (UNKNOWN_LOT if wanted & types else None))
    keys = [
        None if number is None else (products[each.item].id, number)
        for each, number in zip(movements, numbers, strict=True)
    ]
    made = {
        key: on
        for each, key in zip(movements, keys, strict=True)
        if key is not None and each.origin is Special.PRODUCTION and products[each.item].producible
    }
    lots = catalogue.lots((key for key in keys if key is not None), made)
    return [
        StockMove(
            product=products[each.item].id,
            producible=products[each.item].producible,
            lot=None if key is None else lots[key],
            quantity=each.quantity,
            unit=catalogue.unit(each.uom),
            origin=places[each.origin],
            target=places[each.target],
            is_production=Special.PRODUCTION in (each.origin, each.target),
        )
        for each, key in zip(movements, keys, strict=True)
    ]


def _told(error: ErpRefusedError, catalogue: Catalogue, posting: Posting) -> ErpRefusedError:
    """Return a refusal with the stable word for a closed period, where that is why."""
    if error.reason != "erp_refused":
        return error
    if catalogue.is_closed(catalogue.company.day_of(posting.time)):
        return ErpRefusedError(error.sentence, reason="period_closed")
    return error

"""Stock, lots and mounted containers on the supervisor's desk, in pages (screens 9, 11).

Stock is by item and place, with its value; a lot with its status, its expiry and what is on hand; a
position with what is left in it and what follows. Called through `usecases.lists.read_list`.
"""

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import Any, Final

import msgspec

from mes_terminal.domain.desk_plant import (
    DeskLot,
    DeskMount,
    LotHeld,
    LotPlace,
    LotStock,
    PlaceStock,
    RowCount,
)
from mes_terminal.domain.instants import local_day
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.worth import money
from mes_terminal.errors import InputError
from mes_terminal.store import desk_stock as store
from mes_terminal.store.database import Database
from mes_terminal.store.lists import stream
from mes_terminal.usecases.desk_filters import check_filters, page, sought

HELD_ENTRIES_MAX: Final = 25_000
"""So many of the newest entries of the log are looked through for who holds a lot."""
_LOT_FILTERS: Final = ("on_hand", "held", "expired", "text")
_pair: Final = msgspec.json.Decoder(tuple[str, str])


def desk_stock(
    database: Database,
    filters: Mapping[str, str],
    /,
    *,
    rules: StationRules,
    now: str,  # noqa: ARG001
) -> Iterator[PlaceStock]:
    """Yield a page of what there is by item and place. Raises `InputError` for a filter it lacks,
    or a key it did not make."""
    check_filters("desk_stock", filters, ("text", "after", "limit"))
    item, location = _after("desk_stock", filters)
    found = store.read_places(database, sought(filters), item=item, location=location)
    for row in page(found, filters):
        yield _place(*row, currency=rules.currency)


def desk_stock_count(database: Database, filters: Mapping[str, str]) -> Iterator[RowCount]:
    """Yield how many items and places the filters keep."""
    check_filters("desk_stock_count", filters, ("text",))
    yield _counted(database, store.STOCK_COUNT, {"text": sought(filters)})


def desk_stock_lots(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[LotStock]:
    """Yield the lots, serials and containers of an `item` at a `location`, the next one first."""
    check_filters("desk_stock_lots", filters, ("item", "location", "limit"))
    asked = {"item": filters.get("item"), "location": filters.get("location")}
    today = local_day(now, rules.zone)
    for lot, serial, container, micro, *rest in page(
        stream(database, store.STOCK_LOTS, asked), filters
    ):
        status, expires_on, received_at = rest
        yield LotStock(
            lot=lot,
            serial=serial,
            container=container,
            quantity=format_quantity(micro),
            status=status,
            expires_on=expires_on,
            expired=expires_on is not None and expires_on < today,
            received_at=received_at,
        )


def desk_lots(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[DeskLot]:
    """Yield a page of lots by item and lot: with `on_hand` those that are there, with `held` those
    that may not be used, with `expired` those that are too old."""
    check_filters("desk_lots", filters, (*_LOT_FILTERS, "after", "limit"))
    item, lot = _after("desk_lots", filters)
    today = local_day(now, rules.zone)
    asked = _lots_asked(filters, today) | {"item": item, "lot": lot}
    for row in page(stream(database, store.LOTS, asked), filters):
        yield _lot(*row, today=today)


def desk_lots_count(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[RowCount]:
    """Yield how many lots the filters keep."""
    check_filters("desk_lots_count", filters, _LOT_FILTERS)
    asked = _lots_asked(filters, local_day(now, rules.zone))
    yield _counted(database, store.LOT_COUNT, asked)


def desk_lot_places(database: Database, filters: Mapping[str, str]) -> Iterator[LotPlace]:
    """Yield where something of the `lot` of an `item` is, by location, container and serial."""
    check_filters("desk_lot_places", filters, ("item", "lot", "limit"))
    asked = {"item": filters.get("item"), "lot": filters.get("lot")}
    for location, container, serial, micro in page(
        stream(database, store.LOT_PLACES, asked), filters
    ):
        yield LotPlace(
            location=location, container=container, serial=serial, quantity=format_quantity(micro)
        )


def desk_lot_held(database: Database, filters: Mapping[str, str]) -> Iterator[LotHeld]:
    """Yield who changed the status of the `lot` of an `item` last, when and why; nothing where the
    newest entries of the log do not have it, as of a lot that was loaded as held."""
    check_filters("desk_lot_held", filters, ("item", "lot"))
    asked = {"item": filters.get("item"), "lot": filters.get("lot"), "entries": HELD_ENTRIES_MAX}
    for at, person, reason in stream(database, store.LOT_HELD, asked):
        yield LotHeld(at=at, person=person, reason=reason)


def desk_mounts(
    database: Database, filters: Mapping[str, str], /, *, rules: StationRules, now: str
) -> Iterator[DeskMount]:
    """Yield a page of what is mounted, by position; the key is the position."""
    check_filters("desk_mounts", filters, ("text", "after", "limit"))
    asked = {"text": sought(filters), "position": filters.get("after", "")}
    today = local_day(now, rules.zone)
    for row in page(stream(database, store.MOUNTS, asked), filters):
        yield _mount(*row, today=today)


def desk_mounts_count(database: Database, filters: Mapping[str, str]) -> Iterator[RowCount]:
    """Yield how many positions the filters keep."""
    check_filters("desk_mounts_count", filters, ("text",))
    yield _counted(database, store.MOUNT_COUNT, {"text": sought(filters), "position": ""})


def _counted(database: Database, statement: str, asked: Mapping[str, str | int | None]) -> RowCount:
    ((count,),) = stream(database, statement, asked)
    return RowCount(count)


def _after(name: str, filters: Mapping[str, str]) -> tuple[str, str]:
    if not filters.get("after"):
        return "", ""
    try:
        return _pair.decode(filters["after"])
    except msgspec.MsgspecError as error:
        raise InputError(f"after must be the key of a row of {name}.") from error


def _lots_asked(filters: Mapping[str, str], today: str) -> dict[str, str | int | None]:
    held, expired = filters.get("held"), filters.get("expired")
    return {
        "on_hand": filters.get("on_hand") or held or expired,
        "held": held,
        "expired": expired,
        "today": today,
        "text": sought(filters),
    }


def _place(
    item: str,
    description: str,
    uom: str,
    cost_micro: int | None,
    cost_per_micro: int,
    location: str,
    kind: str,
    *sums: int,
    currency: str,
) -> PlaceStock:
    whole, rest, held_whole, held_rest, lots = sums
    micro = whole * MICRO + rest
    worth = None if cost_micro is None else Fraction(micro * cost_micro, cost_per_micro)
    return PlaceStock(
        key=msgspec.json.encode((item, location)).decode(),
        item=item,
        description=description,
        location=location,
        place=kind,
        quantity=format_quantity(micro),
        uom=uom,
        held=format_quantity(held_whole * MICRO + held_rest),
        lots=lots,
        value=money(worth, currency),
        currency=None if worth is None else currency,
    )


def _lot(
    item: str,
    description: str,
    uom: str,
    lot: str,
    status: str,
    expires_on: str | None,
    received_at: str | None,
    supplier: str | None,
    supplier_lot: str | None,
    _first_serial: str,
    *counted: Any,
    today: str,
) -> DeskLot:
    whole, rest, containers, mounted = counted
    return DeskLot(
        key=msgspec.json.encode((item, lot)).decode(),
        item=item,
        description=description,
        lot=lot,
        status=status,
        expires_on=expires_on,
        expired=expires_on is not None and expires_on < today,
        received_at=received_at,
        supplier=supplier,
        supplier_lot=supplier_lot,
        on_hand=format_quantity(whole * MICRO + rest),
        uom=uom,
        containers=containers,
        mounted=mounted,
    )


def _mount(
    position: str,
    item: str,
    description: str,
    uom: str,
    lot: str | None,
    serial: str | None,
    container: str | None,
    location: str,
    mounted_at: str,
    *of_lot: Any,
    today: str,
) -> DeskMount:
    status, expires_on, left_micro, then_lot, then_micro = of_lot
    return DeskMount(
        key=position,
        position=position,
        item=item,
        description=description,
        lot=lot,
        serial=serial,
        container=container,
        location=location,
        left=format_quantity(left_micro),
        uom=uom,
        mounted_at=mounted_at,
        status=status,
        expires_on=expires_on,
        expired=expires_on is not None and expires_on < today,
        then_lot=then_lot or None,
        then_quantity=None if then_micro is None else format_quantity(then_micro),
    )

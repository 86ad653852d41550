"""What the supervisor's desk shows of orders, stock, lots and mounted containers: the lists' rows.

Made by `usecases.desk_orders` and `usecases.desk_stock`, sent over the link, drawn by `tui`.
Quantities and values are decimal texts, instants UTC texts, days `YYYY-MM-DD`, absent is `None`.
`key` is what the next page is asked `after`.
"""

from msgspec import Struct


class RowCount(Struct, frozen=True):
    """How many rows a list has with the same filters."""

    count: int


class QueuedOrder(Struct, frozen=True, kw_only=True):
    """One row of `desk_orders`: an order in the queue of the station."""

    key: str
    work_order: str
    item: str
    description: str
    uom: str
    quantity: str
    completed: str
    scrapped: str
    remaining: str
    status: str
    sequence: int | None
    due_at: str | None
    exceptions: int
    """How many are open on it."""
    stops: int
    """How many of those stop the line."""


class PlaceStock(Struct, frozen=True, kw_only=True):
    """One row of `desk_stock`: what there is of an item at a place."""

    key: str
    item: str
    description: str
    location: str
    place: str
    """The kind of the location."""
    quantity: str
    uom: str
    held: str
    """How much of it may not be used: on hold or rejected."""
    lots: int
    """Lots and serials; 0 of an item that is not tracked."""
    value: str | None
    """At standard cost; `None` where no cost is known."""
    currency: str | None


class LotStock(Struct, frozen=True, kw_only=True):
    """One row of `desk_stock_lots`: a lot, serial or container at a place, the next one first."""

    lot: str | None
    serial: str | None
    container: str | None
    quantity: str
    status: str
    expires_on: str | None
    expired: bool
    received_at: str | None


class DeskLot(Struct, frozen=True, kw_only=True):
    """One row of `desk_lots`."""

    key: str
    item: str
    description: str
    lot: str
    status: str
    expires_on: str | None
    expired: bool
    received_at: str | None
    supplier: str | None
    supplier_lot: str | None
    on_hand: str
    uom: str
    containers: int
    """Those that still hold something."""
    mounted: str | None
    """The position it is mounted at; the first of several."""


class LotPlace(Struct, frozen=True, kw_only=True):
    """One row of `desk_lot_places`: where something of a lot is."""

    location: str
    container: str | None
    serial: str | None
    quantity: str


class LotHeld(Struct, frozen=True, kw_only=True):
    """One row of `desk_lot_held`: who holds a lot, at this station or at the site."""

    at: str
    person: str | None
    """The name, or the badge where no name is known here."""
    reason: str | None


class DeskMount(Struct, frozen=True, kw_only=True):
    """One row of `desk_mounts`: a position, what hangs there and what follows."""

    key: str
    position: str
    item: str
    description: str
    lot: str | None
    serial: str | None
    container: str | None
    location: str
    left: str
    """What its books have left; below nothing where more was used."""
    uom: str
    mounted_at: str
    status: str
    """Of the lot."""
    expires_on: str | None
    expired: bool
    then_lot: str | None
    """The lot that the rules would take next."""
    then_quantity: str | None

"""What a load changes, for the person who has to agree to it: rows, BOMs, orders, stock.

Made by `usecases.load_diff` before anything is applied; printed by `load --diff`, kept with a
proposal and drawn on the desk. Quantities and money are decimal texts. Pure.
"""

from typing import Any, Literal

from msgspec import Struct

Effect = Literal["now", "next_unit", "at_release", "kept"]
"""How an open order takes a change (BF-7): at once; from its next unit on, as a new version of its
lines; when it is released; not at all, because its lines are frozen."""


class RowDiff(Struct, frozen=True):
    """One row: its file, key and, per column, the old and new value."""

    table: str
    key: str
    change: Literal["added", "changed", "removed"]
    columns: dict[str, tuple[Any, Any]]


class BomPart(Struct, frozen=True):
    """A line of a BOM: of which component how much."""

    line: str
    component: str
    quantity: str


class BomDiff(Struct, frozen=True, kw_only=True):
    """The lines of one revision as a set: those that come, go and stay with other values."""

    item: str
    revision: str
    added: list[BomPart]
    removed: list[BomPart]
    changed: list[BomPart]
    """As they will be; the rows name each column's old and new value."""


class TouchedOrder(Struct, frozen=True):
    """An open order, what of it or of its master data changes, and how it takes that."""

    work_order: str
    item: str
    status: str
    effect: Effect
    what: str
    """Columns of the order, `lines`, `serials`, or what it is made by: `CHAIR A`."""


class Place(Struct, frozen=True):
    """Stock of a leaving part at a place."""

    location: str
    lot: str | None
    quantity: str


class LeavingPart(Struct, frozen=True, kw_only=True):
    """A component that leaves a BOM, and what there is of it."""

    item: str
    product: str
    revision: str
    line: str
    instead: str | None
    """The component that takes its line; `None`: the line goes."""
    on_hand: str
    uom: str
    value: str | None
    """Of what is on hand, at standard cost; `None`: the item has none."""
    places: list[Place]
    """The largest first."""
    places_total: int
    still_used_by: list[str]
    """Other products whose BOMs take it."""
    substitutes: list[str]
    """What the line lists in its component's stead after the load."""


class LoadDiff(Struct, frozen=True, kw_only=True):
    """What a load would change. Each list is bounded; its `…total` says how many there are."""

    rows: list[RowDiff]
    total: int
    open_orders: list[str]
    """The open orders for which something changes; frozen ones that keep their lines are not."""
    boms: list[BomDiff] = []
    boms_total: int = 0
    orders: list[TouchedOrder] = []
    orders_total: int = 0
    leaving: list[LeavingPart] = []
    leaving_total: int = 0
    currency: str | None = None

"""The rows from which labels and cards are printed, read as the lists are."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import Struct

from mes_terminal.store import lists as store
from mes_terminal.store import printables
from mes_terminal.store.database import Database


class ItemRow(Struct, frozen=True):
    """What labels say of an item."""

    item: str
    description: str
    uom: str
    tracking: str
    gtin: str | None


class OperatorRow(Struct, frozen=True):
    """A person with a badge."""

    badge: str
    name: str
    role: str


class LocationRow(Struct, frozen=True):
    """A place."""

    location: str
    kind: str
    description: str


class ReasonRow(Struct, frozen=True):
    """A reason for scrap, rework and the like."""

    code: str
    kind: str
    description: str


class OperationRow(Struct, frozen=True):
    """One operation of an order's routing."""

    operation: str
    description: str
    work_centre: str | None


class UnitRow(Struct, frozen=True):
    """A planned or finished unit."""

    item: str
    serial: str
    work_order: str
    lot: str | None


class Printable(Struct, frozen=True):
    """A statement, its rows and the filters it knows."""

    statement: str
    row: Callable[..., Struct]
    filters: tuple[str, ...] = ()

    def __call__(self, database: Database, filters: Mapping[str, str]) -> Iterator[Struct]:
        """Yield the rows."""
        asked = {name: filters.get(name) for name in self.filters}
        return (self.row(*found) for found in store.stream(database, self.statement, asked))


PRINTABLES: Final[dict[str, Callable[[Database, Mapping[str, str]], Iterator[Struct]]]] = {
    "items": Printable(printables.ITEMS, ItemRow, ("item",)),
    "operators": Printable(printables.OPERATORS, OperatorRow),
    "locations": Printable(printables.LOCATIONS, LocationRow),
    "reasons": Printable(printables.REASONS, ReasonRow),
    "operations": Printable(printables.OPERATIONS, OperationRow, ("work_order",)),
    "units": Printable(printables.UNITS, UnitRow, ("item", "work_order")),
}
"""By name, as `session.rows` asks for them."""

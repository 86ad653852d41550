"""What a posting moves, in the ERP's view: so much of an item, from one place to another. Pure.

ISA-95 tells what was done at one place (`Consumed` at LINE, signed); an ERP wants both ends of a
movement and no sign. The same for what a reversal tells below zero: it goes the other way.
"""

from decimal import Decimal
from enum import Enum
from typing import Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.posting import TYPE_PREFIX, TYPE_SUFFIX

REFERENCE: Final = "mes:"
"""What our key begins with in the field `reference`."""
FROM_ERP: Final = "tryton:"
"""What the reference of a receipt begins with that the ERP itself sent down."""


class Special(Enum):
    """A place that no station names: Tryton has its own for it."""

    PRODUCTION = "production"
    LOST = "lost"
    """What was found or missed, and what came without the ERP knowing where from."""
    WASTE = "waste"


Place = str | Special


class Actual(Struct, frozen=True, kw_only=True):
    """A material actual of a posting."""

    use: str
    item: str
    lot: str | None = None
    serial: str | None = None
    quantity: str
    uom: str
    location: str
    from_location: str | None = None


class Told(Struct, frozen=True, kw_only=True):
    """What of a posting's data matters to stock."""

    report_id: str | None = None
    work_order: str | None = None
    reference: str | None = None
    reverses: str | None = None
    final: bool = False
    material_actuals: list[Actual] = []


class Posting(Struct, frozen=True, kw_only=True):
    """A posting as it was sent."""

    type: str
    source: str
    id: str
    epoch: str
    sequence: str
    partitionkey: str
    time: str
    data: Told

    @property
    def reference(self) -> str:
        """Our key as Tryton keeps it."""
        return f"{REFERENCE}{self.id}"

    @property
    def kind(self) -> str:
        """The type without prefix and version."""
        return self.type.removeprefix(TYPE_PREFIX).removesuffix(TYPE_SUFFIX)


class Movement(Struct, frozen=True, kw_only=True):
    """So much of an item goes from one place to another."""

    item: str
    lot: str | None
    """Its lot or serial; `None`: it has none, or nobody knows it."""
    quantity: Decimal
    """Above zero."""
    uom: str
    origin: Place
    target: Place


_decode = msgspec.json.Decoder(Posting).decode


def read_posting(body: bytes) -> Posting:
    """Return a posting from its bytes; raises `msgspec.DecodeError`."""
    return _decode(body)


def movements_of(posting: Posting) -> list[Movement]:
    """Return what a posting moves, merged by material and places, in the order told.

    A receipt that the ERP sent down moves nothing: it is there already.
    """
    told = posting.data
    if (told.reference or "").startswith(FROM_ERP):
        return []
    sums: dict[tuple[str, str | None, str, Place, Place], Decimal] = {}
    for each in told.material_actuals:
        quantity = Decimal(each.quantity)
        origin, target = _places(each, in_order=told.work_order is not None)
        if quantity < 0:
            origin, target = target, origin
        if quantity and origin != target:
            key = (each.item, each.serial or each.lot, each.uom, origin, target)
            sums[key] = sums.get(key, Decimal(0)) + abs(quantity)
    return [
        Movement(item=item, lot=lot, quantity=quantity, uom=uom, origin=origin, target=target)
        for (item, lot, uom, origin, target), quantity in sums.items()
    ]


def _places(each: Actual, *, in_order: bool) -> tuple[Place, Place]:
    match each.use:
        case "Produced":
            return Special.PRODUCTION, each.location
        case "Consumed":
            return each.location, Special.PRODUCTION if in_order else Special.LOST
        case "Scrapped":
            return each.location, Special.PRODUCTION if in_order else Special.WASTE
        case "Moved":
            return each.from_location or each.location, each.location
        case _:  # Received, Adjusted
            return Special.LOST, each.location

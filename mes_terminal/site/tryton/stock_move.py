"""A movement in Tryton's ids."""

from decimal import Decimal
from typing import Final

from msgspec import Struct

from mes_terminal.site.tryton.catalogue import Location
from mes_terminal.site.tryton.plan import Unit

STEPS_MAX: Final = 8
"""More states than a document of Tryton's goes through."""


class StockMove(Struct, frozen=True, kw_only=True):
    """So much of a product goes from one place to another."""

    product: int
    producible: bool
    lot: int | None
    quantity: Decimal
    unit: Unit
    origin: Location
    target: Location
    is_production: bool
    """Into a production, or out of one."""

    @property
    def is_output(self) -> bool:
        """It comes out of a production."""
        return self.is_production and self.origin.type == "production"

    @property
    def inner(self) -> Location:
        """The place in the warehouse: not the production."""
        return self.target if self.is_output else self.origin

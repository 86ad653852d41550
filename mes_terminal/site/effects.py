"""What a posting does to the ledger of the site, as values. Pure; quantities in micro-units.

The same function as the station's own comparison says what an actual does to stock. What lies in a
scrap location is not stock here: a posting says where scrap was taken from, not where it lies.
"""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from mes_terminal.domain.quantity import parse_quantity
from mes_terminal.domain.reconcile import changes
from mes_terminal.site.reading import Actual


class Effect(NamedTuple):
    """What one location gains of one material; '' for no lot, no serial."""

    item: str
    lot: str
    serial: str
    location: str
    quantity_micro: int
    actual: int
    """Position of the actual that says so."""


def net_effects(actuals: Iterable[Actual]) -> Iterator[Effect]:
    """Yield what each actual does; a move is two. What is below zero takes back."""
    for position, each in enumerate(actuals):
        micro = parse_quantity(each.quantity)
        for location, change in changes(each.use, micro, each.location, each.from_location):
            lot, serial = each.lot or "", each.serial or ""
            yield Effect(each.item, lot, serial, location, change, position)

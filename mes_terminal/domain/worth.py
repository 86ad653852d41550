"""What an open exception is worth: how much is open, at standard cost (BF-38). Pure.

A missing part is worth what the component costs, what was made beyond an order what the product
costs. An exception that counts scans is worth nothing, and one whose item has no cost nobody knows
what.
"""

from fractions import Fraction
from typing import Final

from mes_terminal.domain.costing import minor_units
from mes_terminal.domain.currency import format_money, minor_places
from mes_terminal.domain.outcome import ExceptionKind

COUNTS_SCANS: Final[frozenset[ExceptionKind]] = frozenset(
    {"unknown_code", "failed_scan", "label_mismatch", "scanner", "clock", "conversion_missing"}
)
"""Kinds whose quantity, where they have one, is no quantity of material."""


def worth_of(
    kind: ExceptionKind, quantity_micro: int | None, cost_micro: int | None, per_micro: int | None
) -> Fraction | None:
    """Return what a quantity is worth, in millionths of the currency; `None` where nobody knows."""
    if quantity_micro is None or cost_micro is None or not per_micro or kind in COUNTS_SCANS:
        return None
    return Fraction(abs(quantity_micro) * cost_micro, per_micro)


def money(worth: Fraction | None, currency: str) -> str | None:
    """Return a worth as text of the currency, a half of its minor unit rounded up."""
    if worth is None:
        return None
    places = minor_places(currency)
    return format_money(minor_units(worth, places), places)

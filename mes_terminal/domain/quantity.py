"""Exact quantities: integers in micro-units (10⁻⁶) of an item's base unit (BF-1, BF-2).

Every quantity the database holds or a report posts is such an integer, and every ratio is a pair of
integers. Nothing here uses a float. Pure; used by everything that counts.
"""

import re
from fractions import Fraction
from typing import Final

MICRO: Final = 1_000_000
"""Micro-units in one base unit."""

QUANTITY_MAX_MICRO: Final = 2**63 - 1
"""What a 64-bit column holds; more is refused when it is read (BF-1)."""

_DECIMAL: Final = re.compile(r"(-?)(\d{1,19})(?:\.(\d{1,6})0*)?\Z", re.ASCII)


class QuantityError(ValueError):
    """A text that is no exact quantity of at most six places within 64 bits."""


class QuantityTooLargeError(QuantityError):
    """A number beyond 64 bits."""


def parse_quantity(text: str) -> int:
    """Return the micro-units that `text` states, exactly.

    Raises `QuantityError` with a sentence for a person: no number, more than six places, too large.
    """
    match = _DECIMAL.match(text)
    if match is None:
        raise QuantityError(f"{text[:40]!r} is no number with at most six decimal places")
    sign, whole, places = match.groups()
    micro = int(whole) * MICRO + int((places or "").ljust(6, "0"))
    if micro > QUANTITY_MAX_MICRO:
        raise QuantityTooLargeError(f"{text[:40]!r} is too large")
    return -micro if sign else micro


def format_quantity(micro: int) -> str:
    """Return the shortest decimal text of `micro` micro-units: `"1.5"`, `"100"`, `"-3"`."""
    whole, rest = divmod(micro if micro >= 0 else -micro, MICRO)
    if not rest:
        return str(micro // MICRO) if micro >= 0 else f"-{whole}"
    text = f"{whole}.{rest:06d}".rstrip("0")
    return text if micro >= 0 else f"-{text}"


def step_micro(decimals: int) -> int:
    """Return the smallest amount of an item with `decimals` places, in micro-units (BF-2)."""
    return int(10 ** (6 - decimals))


def ceil_to_step(numerator: int, denominator: int, step: int) -> int:
    """Return `numerator / denominator` micro-units, rounded up to a multiple of `step`."""
    return -(-numerator // (denominator * step)) * step


def floor_to_step(numerator: int, denominator: int, step: int) -> int:
    """Return `numerator / denominator` micro-units, rounded down to a multiple of `step`."""
    return numerator // (denominator * step) * step


def fits_64_bits(ratio: Fraction) -> bool:
    """Tell whether both parts of `ratio` fit a 64-bit column."""
    return abs(ratio.numerator) <= QUANTITY_MAX_MICRO and ratio.denominator <= QUANTITY_MAX_MICRO

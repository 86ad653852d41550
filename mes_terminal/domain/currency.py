"""Currencies: how many decimal places the minor unit of each has (ISO 4217)."""

from typing import Final

DEFAULT_CURRENCY: Final = "EUR"

_PLACES_USUAL: Final = 2
_PLACES: Final = {
    **dict.fromkeys(
        ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI",
         "VND", "VUV", "XAF", "XOF", "XPF"),
        0,
    ),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
    **dict.fromkeys(("CLF", "UYW"), 4),
}  # fmt: skip
"""Those of ISO 4217 that do not have two."""


def minor_places(currency: str) -> int:
    """Return the decimal places of a currency's minor unit: 2 for `EUR`, 0 for `JPY`."""
    return _PLACES.get(currency, _PLACES_USUAL)


def format_money(minor: int, places: int) -> str:
    """Return minor units as text with all their places: `"-12.50"`."""
    sign = "-" if minor < 0 else ""
    whole, rest = divmod(abs(minor), 10**places)
    return f"{sign}{whole}.{rest:0{places}d}" if places else f"{sign}{whole}"

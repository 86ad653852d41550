"""A value of a TOML file as a sentence about a mistake shows it. Pure."""

from decimal import Decimal
from typing import Any, Final

SHOWN_MAX: Final = 80
"""Characters; more of a wrong value helps nobody."""
DIGITS_MAX: Final = 20


def said_value(raw: Any) -> str:
    """Return a value in one line, with nothing in it that a terminal would obey."""
    match raw:
        case bool():
            return str(raw).lower()
        case int() if abs(raw) >= 10**DIGITS_MAX:
            return "a number without end"
        case int() | float() | Decimal():
            return str(raw)[:SHOWN_MAX]
        case str():
            text = raw[:SHOWN_MAX]
            return (repr(text) if text.isprintable() else ascii(text))[:SHOWN_MAX]
        case dict():
            return "a table"
        case list():
            return "a list"
        case _:
            return f"a {type(raw).__name__}"

"""Values as TOML: for the lines of settings that set-up and discovery propose. Pure."""

import re
from collections.abc import Mapping
from typing import Final

BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


def toml_value(value: str | int | Mapping[str, str]) -> str:
    """A text, a whole number or a small table of texts, on one line."""
    if isinstance(value, str):
        return f'"{"".join(map(_character, value))}"'
    if isinstance(value, int):
        return str(value)
    pairs = (f"{toml_key(key)} = {toml_value(text)}" for key, text in sorted(value.items()))
    return f"{{ {', '.join(pairs)} }}"


def toml_key(key: str) -> str:
    """A key, in quotes where it needs them."""
    return key if BARE_KEY.fullmatch(key) else toml_value(key)


def _character(character: str) -> str:
    if character in '"\\':
        return "\\" + character
    if character < " " or "\x7f" <= character < "\xa0":
        return f"\\u{ord(character):04x}"
    return character

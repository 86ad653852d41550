"""Grammars of the configuration for plain text: delimited, key=value, bare data identifiers."""

from mes_terminal.barcodes.iso15434 import COUNTS, pair
from mes_terminal.barcodes.payload import Payload


def read_grammars(text: str, grammars: tuple[str, ...]) -> Payload | None:
    """Return the payload of the first grammar that reads the text: `delim:|`, `kv:;=`.

    The settings let no grammar pass that lacks its marks; one that does reads nothing.
    """
    for grammar in grammars:
        kind, _, marks = grammar.partition(":")
        if kind == "delim" and marks and marks in text:
            return Payload("delimited", text, rule="structured", fields=text.split(marks))
        if kind == "kv" and len(marks) > 1:
            fields = _key_values(text, marks[0], marks[1:])
            if fields is not None:
                return Payload("kv", text, rule="structured", fields=fields)
    return None


def _key_values(text: str, between: str, equals: str) -> dict[str, str] | None:
    """Return the fields; `None` if a part has no key, or two have the same."""
    fields: dict[str, str] = {}
    for part in text.removesuffix(between).split(between):
        key, found, value = part.partition(equals)
        if not found or not key or key in fields:
            return None
        fields[key] = value
    return fields


def read_bare_identifier(text: str, allowed: tuple[str, ...]) -> Payload | None:
    """Return the payload of one data identifier without an envelope, where it is allowed.

    A count must be one: `QUALITY` is no quantity.
    """
    found = pair(text)
    if found is None or found[0] not in allowed or found[1] == "":
        return None
    if found[0] in COUNTS and not isinstance(found[1], int):
        return None
    return Payload("di", text, rule="structured", fields=[found])

"""The lots that the words of a command name: an item, and a lot or a serial number of it."""

from typing import Final

from mes_terminal.errors import InputError
from mes_terminal.store import genealogy
from mes_terminal.store.database import Database

SHOWN_MAX: Final = 64
"""Characters of a name in an error's sentence."""


def known_item(database: Database, item: str) -> None:
    """Raise `InputError` for an item that is not known."""
    if not genealogy.has_item(database, item):
        raise InputError(
            f"There is no item {item[:SHOWN_MAX]!r}. mes-terminal lots lists items and lots.",
            reason="item_unknown",
        )


def ids_of_lot(database: Database, item: str, lot: str) -> list[int]:
    """Return the ids of a lot of a known item. Raises `InputError` where there is none."""
    if found := genealogy.ids_of_lot(database, item, lot):
        return found
    raise InputError(
        f"{item[:SHOWN_MAX]!r} has no lot {lot[:SHOWN_MAX]!r}. "
        "mes-terminal lots --item lists them.",
        reason="lot_unknown",
    )

"""Tables that come down to a station, as the files that a load takes. Pure.

A document has the rows of one thing: an order with its lines, an item with its codes. Documents are
loaded together as far as their tables have the same columns, because a column that a file lacks
says nothing, while an empty cell says that there is nothing (docs/upstream.md).
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.exchange.csv_line import csv_line
from mes_terminal.exchange.tables import TABLES

Rows = Mapping[str, Sequence[Mapping[str, str]]]
"""Rows by table, each a cell by column."""

_ORDER: Final = {name: place for place, name in enumerate(TABLES)}
"""The files in order of reference."""


class Together(Struct, frozen=True):
    """Documents, by their place, that make one load; and its files."""

    places: list[int]
    files: dict[str, bytes]


def loads_of(documents: Sequence[Rows]) -> Iterator[Together]:
    """Yield the loads that these documents make, in order."""
    places: list[int] = []
    columns: dict[str, tuple[str, ...]] = {}
    rows: dict[str, list[list[str]]] = {}
    for place, document in enumerate(documents):
        parts = {
            (name, tuple(sorted(row))): None for name, part in document.items() for row in part
        }
        if places and not _fit(parts, columns):
            yield Together(places, _files(columns, rows))
            places, columns, rows = [], {}, {}
        if not _fit(parts, {}):  # rows of one table with other columns: nothing can tell them apart
            columns |= _widest(parts)
        for name, names in parts:
            columns.setdefault(name, names)
        places.append(place)
        for name, part in document.items():
            for row in part:
                rows.setdefault(name, []).append([row.get(one, "") for one in columns[name]])
    if places:
        yield Together(places, _files(columns, rows))


def rows_of(tables: Rows) -> list[Rows]:
    """Return the rows of whole files as documents, one thing each, in an order in which each refers
    to what stands before it."""
    things: dict[tuple[int, str], dict[str, list[Mapping[str, str]]]] = {}
    for name in sorted(tables, key=_place):
        head, key = _thing(name)
        for row in tables[name]:
            about = "\x1f".join(row.get(each, "") for each in key)
            thing = things.setdefault((_place(head), about), {})
            thing.setdefault(name, []).append(row)
    return [things[each] for each in sorted(things, key=lambda one: one[0])]


def key_of(document: Rows) -> str:
    """Return what a document of one thing is about: a later one of this key takes its place."""
    name = min(document, key=_place)
    head, key = _thing(name)
    row = document[name][0]
    return ":".join([head, *(row.get(each, "") for each in key)])


_PART_OF: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "item_codes": ("item_codes", ("code",)),
    "bom_lines": ("boms", ("item", "revision")),
    "bom_substitutes": ("boms", ("item", "revision")),
    "routings": ("boms", ("item", "revision")),
    "work_order_lines": ("work_orders", ("work_order",)),
    "work_order_serials": ("work_orders", ("work_order",)),
}
"""Tables whose rows go with the thing they are a part of, and by which columns they name it."""


def _place(name: str) -> int:
    return _ORDER.get(name, len(_ORDER))


def _thing(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the table of the thing that rows of a table are about, and the columns of its key."""
    if name in _PART_OF:
        return _PART_OF[name]
    table = TABLES.get(name)
    return name, table.key if table is not None else ()


def _fit(
    parts: Mapping[tuple[str, tuple[str, ...]], None], columns: Mapping[str, tuple[str, ...]]
) -> bool:
    seen = dict(columns)
    return all(seen.setdefault(name, names) == names for name, names in parts)


def _widest(parts: Mapping[tuple[str, tuple[str, ...]], None]) -> dict[str, tuple[str, ...]]:
    every: dict[str, set[str]] = {}
    for name, names in parts:
        every.setdefault(name, set()).update(names)
    return {name: tuple(sorted(names)) for name, names in every.items()}


def _files(
    columns: Mapping[str, Sequence[str]], rows: Mapping[str, Sequence[Sequence[str]]]
) -> dict[str, bytes]:
    return {f"{name}.csv": _csv(columns[name], part) for name, part in rows.items()}


def _csv(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> bytes:
    return "".join(f"{csv_line(row)}\n" for row in (columns, *rows)).encode()

"""The plant as it will be: what the files say over what earlier loads said, and the difference.

A file's row replaces what is remembered under its key; a column that the file lacks keeps its
value; a set file replaces the whole set of its parents. Nothing here writes. Called by the load.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from fractions import Fraction
from typing import Any, TypeVar, cast

import msgspec
from msgspec import Struct

from mes_terminal.domain.quantity import format_quantity
from mes_terminal.exchange import cells
from mes_terminal.exchange.csv_folder import ParsedFolder, ParsedTable
from mes_terminal.exchange.rows import Row
from mes_terminal.exchange.tables import TABLES, Table
from mes_terminal.store import loaded_rows, receipts
from mes_terminal.store.database import Connection

Key = tuple[str, ...]
RowT = TypeVar("RowT", bound=Row)

ORDER_TABLES = ("work_orders", "work_order_lines", "work_order_serials")
_NOT_CONTENT = frozenset(("at", "faulty"))
_encode = msgspec.json.Encoder().encode


class RowChange(Struct, frozen=True):
    """One row that differs; `old` None: added, `new` None: gone from its set."""

    key: Key
    old: Row | None
    new: Row | None


class MergedTable(Struct, frozen=True):
    """A table's rows as they will be, by key, and what changes."""

    table: Table
    rows: dict[Key, Row]
    changes: list[RowChange]
    unchanged: int

    def written(self) -> Iterator[RowChange]:
        """Yield the changes that add or alter a row."""
        return (change for change in self.changes if change.new is not None)


class Merged(Struct, frozen=True):
    """Every table; of receipts, lots and orders only the rows that the files touch."""

    tables: dict[str, MergedTable]

    def rows(self, name: str, row_type: type[RowT]) -> dict[Key, RowT]:
        """Return the rows of a table; `row_type` is that table's."""
        assert TABLES[name].row is row_type
        return cast("dict[Key, RowT]", self.tables[name].rows)

    def changed(self, *names: str) -> bool:
        """Tell whether any of these tables changes."""
        return any(self.tables[name].changes for name in names)


def merge(conn: Connection, parsed: ParsedFolder) -> Merged:
    """Read what is remembered and lay the files over it."""
    orders = _orders_in_play(parsed)
    tables = {}
    for name, table in TABLES.items():
        remembered = _remembered(conn, table, parsed.tables.get(name), orders)
        tables[name] = _lay_over(table, remembered, parsed.tables.get(name))
    _drop_orphaned_substitutes(tables)
    return Merged(tables)


def key_text(key: Key) -> str:
    """Return a key as it is remembered."""
    return json.dumps(key, ensure_ascii=False, separators=(",", ":"))


def content_text(row: Row) -> str:
    """Return a row as it is remembered, without its place in the file."""
    return _encode(msgspec.structs.replace(row, at=0, faulty=False)).decode()


def differences(change: RowChange) -> dict[str, tuple[Any, Any]]:
    """Return {column: (old, new)} of a change."""
    old = msgspec.structs.asdict(change.old) if change.old else {}
    new = msgspec.structs.asdict(change.new) if change.new else {}
    return {
        name: (old.get(name), new.get(name))
        for name in (new or old)
        if name not in _NOT_CONTENT and old.get(name) != new.get(name)
    }


def _orders_in_play(parsed: ParsedFolder) -> set[str]:
    return {
        cast("Any", row).work_order
        for name in ORDER_TABLES
        if name in parsed.tables
        for row in parsed.tables[name].rows
    }


def _key(table: Table, row: Row) -> Key:
    return tuple(getattr(row, name) for name in table.key)


def _remembered(
    conn: Connection, table: Table, parsed: ParsedTable | None, orders: Iterable[str]
) -> dict[Key, Row]:
    if table.name == "receipts":
        found = receipts.read_contents(
            conn, [_key(table, row)[0] for row in parsed.rows] if parsed else []
        )
    elif table.name == "lots":
        keys = [key_text(_key(table, row)) for row in parsed.rows] if parsed else []
        found = loaded_rows.read_keys(conn, table.name, keys)
    elif table.name == "work_orders":
        found = loaded_rows.read_keys(conn, table.name, [key_text((one,)) for one in orders])
    elif table.name in ORDER_TABLES:
        prefixes = [key_text((one,))[:-1] + "," for one in orders]
        found = loaded_rows.read_below(conn, table.name, prefixes)
    else:
        found = loaded_rows.read_table(conn, table.name)
    decode = msgspec.json.Decoder(table.row).decode
    rows = (decode(content) for _, content in found)
    return {_key(table, row): row for row in rows}


def _lay_over(table: Table, remembered: dict[Key, Row], parsed: ParsedTable | None) -> MergedTable:
    rows: dict[Key, Row] = dict(remembered)
    if parsed is None:
        return MergedTable(table, rows, [], 0)
    lacking = [column.name for column in table.columns if column.name not in parsed.columns]
    changes = []
    in_file = set()
    for row in parsed.rows:
        key = _key(table, row)
        in_file.add(key)
        old = remembered.get(key)
        if old is not None and lacking:
            kept = {name: getattr(old, name) for name in lacking}
            row = msgspec.structs.replace(row, **kept)
        rows[key] = row
        if old is None or not _same(old, row):
            changes.append(RowChange(key, old, row))
    unchanged = len(in_file) - len(changes)
    if table.parent:
        changes += _gone(table, remembered, in_file, rows)
    return MergedTable(table, rows, changes, unchanged)


def _same(old: Row, new: Row) -> bool:
    return old == msgspec.structs.replace(new, at=0, faulty=False)


def _gone(
    table: Table, remembered: Mapping[Key, Row], in_file: set[Key], rows: dict[Key, Row]
) -> list[RowChange]:
    parents = {key[: table.parent] for key in in_file}
    gone = [
        RowChange(key, row, None)
        for key, row in remembered.items()
        if key[: table.parent] in parents and key not in in_file
    ]
    for change in gone:
        del rows[change.key]
    return gone


def _drop_orphaned_substitutes(tables: dict[str, MergedTable]) -> None:
    """Substitutes go with a line that its set no longer has, unless the files name them anew."""
    gone = {change.key for change in tables["bom_lines"].changes if change.new is None}
    if not gone:
        return
    substitutes = tables["bom_substitutes"]
    for key, row in list(substitutes.rows.items()):
        if key[:3] in gone and not row.at:
            del substitutes.rows[key]
            substitutes.changes.append(RowChange(key, row, None))


def display_of(name: str, column: str, value: Any) -> Any:
    """Return a cell's value as a person writes it."""
    read = {one.name: one.read for one in TABLES[name].columns}[column]
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return str(Fraction(*value))
    if read in (cells.amount, cells.positive) and isinstance(value, int):
        return format_quantity(value)
    return value

"""What a load would change, row by row, and which open orders it touches (`load --diff`)."""

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from msgspec import Struct

from mes_terminal.exchange.rows import Row
from mes_terminal.store import order_snapshot
from mes_terminal.store.database import Connection
from mes_terminal.usecases.merged_rows import (
    ORDER_TABLES,
    Merged,
    RowChange,
    differences,
    display_of,
)

CHANGES_MAX = 10_000
"""Rows shown; a first load is all changes."""

_BOM_TABLES = ("boms", "bom_lines", "bom_substitutes", "routings")


class RowDiff(Struct, frozen=True):
    """One row: its file, key and, per column, the old and new value."""

    table: str
    key: str
    change: Literal["added", "changed", "removed"]
    columns: dict[str, tuple[Any, Any]]


class LoadDiff(Struct, frozen=True):
    """The first rows that differ, how many there are, and the open orders concerned."""

    rows: list[RowDiff]
    total: int
    open_orders: list[str]


def diff_of(conn: Connection, merged: Merged) -> LoadDiff:
    """Return what would change. An unreleased order is touched by a change of its BOM too."""
    shown: list[RowDiff] = []
    total = 0
    for name, table in merged.tables.items():
        total += len(table.changes)
        room = max(0, CHANGES_MAX - len(shown))
        shown += [_row_diff(name, change) for change in table.changes[:room]]
    return LoadDiff(shown, total, sorted(set(_open_orders(conn, merged))))


def _row_diff(name: str, change: RowChange) -> RowDiff:
    kind: Literal["added", "changed", "removed"] = "changed"
    if change.old is None:
        kind = "added"
    elif change.new is None:
        kind = "removed"
    row = change.new or change.old
    assert isinstance(row, Row)
    columns = {
        column: (display_of(name, column, old), display_of(name, column, new))
        for column, (old, new) in differences(change).items()
    }
    return RowDiff(name, " ".join(filter(None, change.key)), kind, columns)


def _open_orders(conn: Connection, merged: Merged) -> Iterator[str]:
    changed_orders = _keys(merged, ORDER_TABLES)
    changed_items = _keys(merged, _BOM_TABLES)
    for work_order, item, snapshot_version in order_snapshot.open_orders(conn):
        if work_order in changed_orders or (not snapshot_version and item in changed_items):
            yield work_order


def _keys(merged: Merged, names: Iterable[str]) -> set[str]:
    return {change.key[0] for name in names for change in merged.tables[name].changes}

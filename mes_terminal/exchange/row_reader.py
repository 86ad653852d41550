"""Cells to the rows of one table, and faults in the words of the file that has them.

A table's rows may come from several files, and their columns may be called otherwise there
(`mapping.toml`). A row's `at` is its line behind those of the files before, so that whatever is
found wrong with it later leads back to its file, line and column. Called by `csv_folder` and
`mapped_files`. Pure.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.exchange.cells import CellError, instant
from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.tables import Column, Table

if TYPE_CHECKING:
    from mes_terminal.exchange.rows import Row

ROWS_MAX: Final = 5_000_000
"""Rows of one table; more is no master data of one station."""

Cell = tuple[Column, str | CellError]


class Origin(Struct, frozen=True):
    """A file that rows come from: what `at` adds to its lines, and its names of the columns."""

    before: int
    file: str
    names: Mapping[str, str]


def original(fault: Fault, origins: Sequence[Origin]) -> Fault:
    """Return a fault of a table's row as one of the file that the row is from."""
    if fault.line is None:
        one_file = len({origin.file for origin in origins}) == 1
        return _renamed(fault, origins[0], None) if one_file else fault
    origin = origins[bisect_right(origins, fault.line - 1, key=lambda one: one.before) - 1]
    return _renamed(fault, origin, fault.line - origin.before)


def _renamed(fault: Fault, origin: Origin, line: int | None) -> Fault:
    column = fault.column and origin.names.get(fault.column, fault.column)
    return Fault(origin.file, line, column, fault.message)


class TableReader:
    """Reads the rows of one table, file after file; remembers the keys it has seen."""

    def __init__(
        self, table: Table, zone: ZoneInfo, faults: list[Fault], *, keep: bool = False
    ) -> None:
        self.table = table
        self.rows: list[Row] = []
        self.texts: list[dict[str, str]] = []
        """The cells of the rows, where they are kept: all columns, times in UTC."""
        self._keep = keep
        self.columns: frozenset[str] = frozenset()
        self.whole = True
        """Every row could be read. Where one could not, what others refer to may be in it."""
        self.origins: list[Origin] = []
        self._zone = zone
        self._faults = faults
        self._seen: dict[tuple[str, ...], int] = {}
        self._said: dict[tuple[str, ...], dict[str, Any]] = {}
        self._texts: set[tuple[str, ...]] = set()
        self._distinct = False
        self._last = 0
        self._required = [column for column in table.columns if column.required]
        self._key_may_be_empty = {c.name for c in table.columns if not c.required}

    def begin(
        self,
        file: str,
        columns: frozenset[str],
        names: Mapping[str, str],
        *,
        distinct: bool = False,
    ) -> None:
        """Say whose rows come next. Every file of a table has the same `columns`.

        `names`: what they are called there. `distinct`: a row that is there again, all equal, is
        the same row.
        """
        if self.origins and columns != self.columns:
            odd = ", ".join(sorted(columns ^ self.columns))
            message = (
                f"{self.table.name} is also read from {self.origins[-1].file}, and only one of "
                f"the two has {odd}; give both the same columns"
            )
            self._faults.append(Fault(file, None, None, message))
        self.columns = columns
        self.origins.append(Origin(self._last, file, names))
        self._distinct = distinct

    def read(self, line: int, cells: Iterable[Cell]) -> bool:
        """Read a row of the file begun; tell whether there may be more."""
        cells = list(cells)
        if self._distinct:
            texts = tuple(str(text) for _, text in cells)
            if texts in self._texts:
                return True
            self._texts.add(texts)
        if len(self.rows) == ROWS_MAX:
            self._fault(line, None, f"more than {ROWS_MAX} rows; split it")
            self.whole = False
            return False
        at = self._last = self.origins[-1].before + line
        values: dict[str, Any] = {}
        faulty = False
        for column, text in cells:
            if not isinstance(text, str):
                self._unreadable(line, column, text, values)
                faulty = True
                self.whole &= column.name not in self.table.key
            elif text:
                try:
                    values[column.name] = column.read(text, self._zone)
                except CellError as error:
                    self._unreadable(line, column, error, values)
                    faulty = True
        for column in self._required:
            if column.name not in values:
                self._fault(line, column.name, "the cell is empty; fill it")
                values[column.name] = column.stand_in
                faulty = True
        if self._is_new(at, values):
            self.rows.append(self.table.row(at=at, faulty=faulty, **values))
            if self._keep:
                self.texts.append(self._clean(cells, values))
        return True

    def _clean(self, cells: Iterable[Cell], values: Mapping[str, Any]) -> dict[str, str]:
        clean = dict.fromkeys((one.name for one in self.table.columns), "")
        for column, text in cells:
            is_instant = column.read is instant and column.name in values
            clean[column.name] = values[column.name] if is_instant else str(text)
        return {name: text for name, text in clean.items() if name in self.columns}

    def _unreadable(
        self, line: int, column: Column, error: CellError, values: dict[str, Any]
    ) -> None:
        self._fault(line, column.name, str(error))
        if column.stand_in is not None:
            values[column.name] = column.stand_in

    def _is_new(self, at: int, values: dict[str, Any]) -> bool:
        """Tell whether the row has a key that no row before had; a fault if one had it."""
        if not self.table.key:
            return True
        key = tuple([str(values.get(name, "")) for name in self.table.key])
        if not all(key):
            for name, cell in zip(self.table.key, key, strict=True):
                if not cell and name not in self._key_may_be_empty:
                    return False
        before = self._seen.setdefault(key, at)
        if before == at:
            if self._distinct:
                self._said[key] = values
            return True
        said = self._said.get(key, {}) if self._distinct else {}
        odd = next((n for n in {**said, **values} if said.get(n) != values.get(n)), None)
        if odd is None:
            return False
        there = f"{' '.join(filter(None, key))} is in {self._place(before)} already"
        line = at - self.origins[-1].before
        if said:
            self._fault(line, odd, f"{there}, with another one; give both the same")
        else:
            self._fault(line, self.table.key[-1], f"{there}; remove one")
        return False

    def _place(self, at: int) -> str:
        found = original(Fault(self.table.file, at, None, ""), self.origins)
        here = found.file == self.origins[-1].file
        return f"line {found.line}" if here else f"{found.file} line {found.line}"

    def _fault(self, line: int, column: str | None, message: str) -> None:
        here = self.origins[-1]
        named = here.names.get(column, column) if column else None
        self._faults.append(Fault(here.file, line, named, message))

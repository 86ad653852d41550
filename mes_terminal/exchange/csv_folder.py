"""A folder of CSV files to typed rows and faults (RFC 4180, UTF-8, comma or semicolon).

Pure: takes the bytes of each file. Never stops at a fault: an unreadable cell gets a stand-in that
causes no further faults, and its row is marked `faulty`. Called by `load`.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.exchange.cells import CellError
from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.rows import Row
from mes_terminal.exchange.tables import TABLES, Column, Table

MAPPING_FILE: Final = "mapping.toml"

ROWS_MAX: Final = 5_000_000
"""Rows of one file; more is no master data of one station."""


class ParsedTable(Struct, frozen=True):
    """The rows of a file and the columns it has; a column it lacks says nothing.

    `whole`: every row could be read. Where one could not, what others refer to may be in it.
    """

    table: Table
    columns: frozenset[str]
    rows: list[Row]
    whole: bool = True


class ParsedFolder(Struct, frozen=True):
    """Every file that was there, and every fault found in reading."""

    tables: dict[str, ParsedTable]
    faults: list[Fault]


def parse_folder(files: Mapping[str, bytes], zone: ZoneInfo) -> ParsedFolder:
    """Read every file; times without an offset are in `zone`."""
    faults = [
        Fault(name, None, None, _unknown_file(name))
        for name in sorted(files)
        if name.removesuffix(".csv") not in TABLES or not name.endswith(".csv")
    ]
    tables = {}
    for table in TABLES.values():
        if table.file in files:
            tables[table.name] = _parse_table(table, files[table.file], zone, faults)
    return ParsedFolder(tables, faults)


def _unknown_file(name: str) -> str:
    if name == MAPPING_FILE:
        return "mapping is not supported yet; export the files with the names and formats asked for"
    return f"this file is unknown; remove it, or name it one of {', '.join(TABLES)} with .csv"


def _parse_table(table: Table, content: bytes, zone: ZoneInfo, faults: list[Fault]) -> ParsedTable:
    nothing = ParsedTable(table, frozenset(), [], whole=False)
    decoded = _decode(table, content, faults)
    if decoded is None:
        return nothing
    before = len(faults)
    records = _records(table, decoded, faults)
    _, header = next(records, (1, []))
    layout = _layout(table, [cell.strip() for cell in header], faults)
    if layout is None:
        return nothing
    reader = _RowReader(table, layout, zone, faults)
    rows: list[Row] = []
    for line, record in records:
        if len(rows) == ROWS_MAX:
            faults.append(Fault(table.file, line, None, f"more than {ROWS_MAX} rows; split it"))
            break
        row = reader.read(line, record)
        if row is not None:
            rows.append(row)
    whole = all(fault.column or fault.line == 1 for fault in faults[before:])
    columns = frozenset(column.name for column in layout if column)
    return ParsedTable(table, columns, rows, whole)


def _decode(table: Table, content: bytes, faults: list[Fault]) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.append(
            Fault(table.file, line, None, "the file is no UTF-8; save it with that encoding")
        )
        return None


def _records(table: Table, content: str, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line it begins on, cells) of each record that is not blank."""
    header = content.split("\n", 1)[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            faults.append(
                Fault(
                    table.file,
                    begins,
                    None,
                    f"the row cannot be read ({error}); check its quotation marks",
                )
            )
            return
        if record is None:
            return
        if any(map(str.strip, record)):
            yield begins, record
        begins = reader.line_num + 1


def _layout(table: Table, header: Sequence[str], faults: list[Fault]) -> list[Column | None] | None:
    """Return the column at each place; None if the header cannot be used."""
    known = {column.name: column for column in table.columns}
    found: list[Column | None] = []
    for name in header:
        column = known.get(name)
        if column is None:
            names = ", ".join(known)
            message = f"the column is unknown; remove it, or name it one of {names}"
            faults.append(Fault(table.file, 1, name or None, message))
        elif column in found:
            faults.append(Fault(table.file, 1, name, "the column is there twice; remove one"))
            column = None
        found.append(column)
    missing = [one for one in table.columns if one.required and one not in found]
    faults += [Fault(table.file, 1, one.name, "the column is missing; add it") for one in missing]
    return None if missing else found


class _RowReader:
    """Reads the rows of one file; remembers the keys it has seen."""

    def __init__(
        self,
        table: Table,
        layout: Sequence[Column | None],
        zone: ZoneInfo,
        faults: list[Fault],
    ) -> None:
        self._table = table
        self._layout = layout
        self._zone = zone
        self._faults = faults
        self._seen: dict[tuple[str, ...], int] = {}
        self._key_may_be_empty = {c.name for c in table.columns if not c.required}

    def read(self, line: int, record: Sequence[str]) -> Row | None:
        """Return the row, or None if it has no usable key."""
        if len(record) > len(self._layout) and any(map(str.strip, record[len(self._layout) :])):
            self._fault(line, None, f"has {len(record)} cells for {len(self._layout)} columns; "
                        "quote cells that hold the delimiter")  # fmt: skip
            return None
        values: dict[str, Any] = {}
        faulty = False
        for column, raw in zip(self._layout, record, strict=False):
            cell = raw.strip()
            if column is None or not cell:
                continue
            try:
                values[column.name] = column.read(cell, self._zone)
            except CellError as error:
                self._fault(line, column.name, str(error))
                faulty = True
                if column.stand_in is not None:
                    values[column.name] = column.stand_in
        for column in self._table.columns:
            if column.required and column.name not in values:
                self._fault(line, column.name, "the cell is empty; fill it")
                values[column.name] = column.stand_in
                faulty = True
        return self._keyed(line, values, faulty)

    def _keyed(self, line: int, values: dict[str, Any], faulty: bool) -> Row | None:
        key = tuple(str(values.get(name, "")) for name in self._table.key)
        for name, cell in zip(self._table.key, key, strict=True):
            if not cell and name not in self._key_may_be_empty:
                return None
        if key in self._seen:
            self._fault(
                line,
                self._table.key[-1],
                f"{' '.join(filter(None, key))} is in line {self._seen[key]} already; remove one",
            )
            return None
        self._seen[key] = line
        return self._table.row(at=line, faulty=faulty, **values)

    def _fault(self, line: int, column: str | None, message: str) -> None:
        self._faults.append(Fault(self._table.file, line, column, message))

"""A folder of CSV files to typed rows and faults (RFC 4180, UTF-8, comma or semicolon).

Pure: takes the bytes of each file. Never stops at a fault: an unreadable cell gets a stand-in that
causes no further faults, and its row is marked `faulty`. Where `mapping.toml` is among the files,
those that it names are read as it says, the others as ever. Called by `load`.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.mapped_files import read_mapped
from mes_terminal.exchange.mapped_words import matcher
from mes_terminal.exchange.mapping import MAPPING_FILE
from mes_terminal.exchange.mapping_reading import read_mapping
from mes_terminal.exchange.row_reader import Origin, TableReader, original
from mes_terminal.exchange.rows import Row
from mes_terminal.exchange.tables import TABLES, Column, Table

_NAMES: Final = ", ".join(TABLES)


class ParsedTable(Struct, frozen=True):
    """The rows of a table and the columns it has; a column it lacks says nothing.

    `whole`: every row could be read. Where one could not, what others refer to may be in it.
    """

    table: Table
    columns: frozenset[str]
    rows: list[Row]
    whole: bool = True
    origins: Sequence[Origin] = ()
    """The files it was read from, in the order of their rows."""


class ParsedFolder(Struct, frozen=True):
    """Every table that was there, and every fault found in reading."""

    tables: dict[str, ParsedTable]
    faults: list[Fault]

    def original(self, fault: Fault) -> Fault:
        """Return a fault found in a table's row in the words of the file that has the row."""
        table = self.tables.get(fault.file.removesuffix(".csv"))
        return original(fault, table.origins) if table and table.origins else fault


def parse_folder(files: Mapping[str, bytes], zone: ZoneInfo) -> ParsedFolder:
    """Read every file; times without an offset are in `zone`."""
    readers, faults = _read_all(files, zone, keep=False)
    tables = {
        name: ParsedTable(one.table, one.columns, one.rows, one.whole, one.origins)
        for name, one in readers.items()
    }
    return ParsedFolder(tables, faults)


def read_cells(
    files: Mapping[str, bytes], zone: ZoneInfo
) -> tuple[dict[str, list[dict[str, str]]], list[Fault]]:
    """Return the cells of every row, by table, as a clean file has them, and every fault.

    A row has a cell, maybe an empty one, for each column that its file has. Times are in UTC.
    """
    readers, faults = _read_all(files, zone, keep=True)
    return {name: one.texts for name, one in readers.items()}, faults


def _read_all(
    files: Mapping[str, bytes], zone: ZoneInfo, *, keep: bool
) -> tuple[dict[str, TableReader], list[Fault]]:
    """Return what read each table that is there, in the order in which they are applied."""
    faults: list[Fault] = []
    readers = {name: TableReader(table, zone, faults, keep=keep) for name, table in TABLES.items()}
    unmapped = dict(files)
    touched: set[str] = set()
    content = unmapped.pop(MAPPING_FILE, None)
    if content is not None:
        mapping, found = read_mapping(content)
        faults += found
        if mapping is None:
            for reader in readers.values():
                reader.whole = False
            return readers, faults
        touched = read_mapped(mapping, unmapped, readers, zone, faults)
        ignored = matcher(mapping.ignore)
        unmapped = {name: unmapped[name] for name in unmapped if not ignored(name)}
    known = {table.file: table for table in TABLES.values()}
    for name in sorted(unmapped.keys() - known.keys()):
        faults.append(Fault(name, None, None, _unknown_file(mapped=content is not None)))
    for table in TABLES.values():
        if table.file in unmapped:
            touched.add(table.name)
            read_table(readers[table.name], unmapped[table.file], faults)
    return {name: readers[name] for name in TABLES if name in touched}, faults


def _unknown_file(*, mapped: bool) -> str:
    if mapped:
        return (
            f"{MAPPING_FILE} has no [[file]] for this file; add one, name it in ignore, or remove "
            "the file"
        )
    return (
        f"this file is unknown; remove it, name it one of {_NAMES} with .csv, or say in "
        f"{MAPPING_FILE} how it is read"
    )


def read_table(reader: TableReader, content: bytes, faults: list[Fault]) -> None:
    """Read a clean file of one table, to its end whatever is wrong with it."""
    table = reader.table
    decoded = _decode(table, content, faults)
    if decoded is None:
        reader.whole = False
        return
    records = _records(reader, decoded, faults)
    _, header = next(records, (1, []))
    layout = _layout(table, [cell.strip() for cell in header], faults)
    if layout is None:
        reader.whole = False
        return
    reader.begin(table.file, frozenset(column.name for column in layout if column), {})
    width = len(layout)
    for line, record in records:
        if len(record) > width and any(map(str.strip, record[width:])):
            message = (
                f"has {len(record)} cells for {width} columns; quote cells that hold the delimiter"
            )
            faults.append(Fault(table.file, line, None, message))
            reader.whole = False
            continue
        cells = [
            (column, raw.strip())
            for column, raw in zip(layout, record, strict=False)
            if column is not None
        ]
        if not reader.read(line, cells):
            return


def _decode(table: Table, content: bytes, faults: list[Fault]) -> str | None:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        faults.append(
            Fault(table.file, line, None, "the file is no UTF-8; save it with that encoding")
        )
        return None


def _records(to: TableReader, content: str, faults: list[Fault]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line it begins on, cells) of each record that is not blank."""
    header = content.split("\n", 1)[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            message = f"the row cannot be read ({error}); check its quotation marks"
            faults.append(Fault(to.table.file, begins, None, message))
            to.whole = False
            begins = reader.line_num + 1
            continue
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

"""Stock as an ERP exports it: a CSV file to pieces of stock, with every fault that it has. Pure.

Columns: `item` and `quantity`, and where the ERP has them `lot`, `serial`, `location`, `uom`. It is
read like the clean files of a load, or by the `[[file]]` of a mapping that becomes the table
`stock`. Called by `usecases.reconcile`.
"""

from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct

from mes_terminal.domain.reconcile import StockKey, stock_key
from mes_terminal.exchange.csv_folder import read_table
from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.mapped_files import read_mapped
from mes_terminal.exchange.mapped_words import matcher
from mes_terminal.exchange.mapping import MAPPING_FILE
from mes_terminal.exchange.mapping_reading import read_mapping
from mes_terminal.exchange.row_reader import TableReader
from mes_terminal.exchange.rows import StockRow
from mes_terminal.exchange.tables import STOCK

_NO_FILE: Final = (
    f"{MAPPING_FILE} has no [[file]] of this name that becomes the table stock; add one, or name "
    "another file"
)


class StockPiece(Struct, frozen=True):
    """A row of the file; `line` is where it stands."""

    key: StockKey
    quantity_micro: int
    uom: str | None
    line: int


def read_stock(
    content: bytes, name: str, *, mapping: bytes | None, zone: ZoneInfo
) -> tuple[list[StockPiece], list[Fault]]:
    """Return the pieces of stock of the file called `name`, and what is wrong with it.

    `mapping`: the text of a mapping; without one the file is clean. The pieces are of use only
    where there is no fault.
    """
    faults: list[Fault] = []
    reader = TableReader(STOCK, zone, faults)
    if mapping is None:
        read_table(reader, content, faults)
        faults = [msgspec.structs.replace(fault, file=name) for fault in faults]
    else:
        _read_mapped(reader, content, name, mapping, zone, faults)
    rows = [row for row in reader.rows if isinstance(row, StockRow)]
    return [_piece(row) for row in rows], sorted(faults, key=lambda one: one.line or 0)


def _read_mapped(
    reader: TableReader, content: bytes, name: str, text: bytes, zone: ZoneInfo, faults: list[Fault]
) -> None:
    mapping, found = read_mapping(text)
    faults += found
    if mapping is None:
        return
    becomes_stock = [rule for rule in mapping.file if rule.table[0].name == STOCK.name]
    if not any(matcher([rule.name])(name) for rule in becomes_stock):
        faults.append(Fault(name, None, None, _NO_FILE))
        return
    meant = [rule for rule in becomes_stock if matcher([rule.name])(name)]
    asked = msgspec.structs.replace(mapping, file=tuple(meant))
    read_mapped(asked, {name: content}, {STOCK.name: reader}, zone, faults)


def _piece(row: StockRow) -> StockPiece:
    key = stock_key(row.item, row.lot, row.serial, row.location)
    return StockPiece(key, row.quantity, row.uom, row.at)

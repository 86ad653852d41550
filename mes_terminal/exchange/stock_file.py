"""Stock as an ERP exports it: a CSV file to pieces of stock (RFC 4180, UTF-8, decimal point). Pure.

Columns: `item` and `quantity`, and where the ERP has them `lot`, `serial`, `location`, `uom`; with
commas or semicolons. Called by `usecases.reconcile`.
"""

import csv
import io
from typing import Final

from msgspec import Struct

from mes_terminal.domain.quantity import QuantityError, parse_quantity
from mes_terminal.domain.reconcile import StockKey, stock_key
from mes_terminal.errors import InputError

COLUMNS: Final = ("item", "lot", "serial", "location", "quantity", "uom")
REQUIRED: Final = ("item", "quantity")
ROWS_MAX: Final = 1_000_000
"""Rows of one file; more is no stock of one station."""


class StockPiece(Struct, frozen=True):
    """A row of the file; `line` is where it stands."""

    key: StockKey
    quantity_micro: int
    uom: str | None
    line: int


def parse_stock(content: bytes, name: str) -> list[StockPiece]:
    """Return the pieces of stock of the file called `name`. Raises `InputError` at the first fault,
    with its line."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _fault(name, line, "the file is no UTF-8; save it with that encoding") from None
    header = text.split("\n", 1)[0]
    delimiter = ";" if header.count(";") > header.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: list[StockPiece] = []
    try:
        columns = _layout(name, [cell.strip() for cell in next(reader, [])])
        for record in reader:
            if any(map(str.strip, record)):
                if len(found) == ROWS_MAX:
                    raise _fault(name, reader.line_num, f"more than {ROWS_MAX} rows; split it")
                found.append(_piece(name, reader.line_num, columns, record))
    except csv.Error as error:
        sentence = f"the row cannot be read ({error}); check its quotation marks"
        raise _fault(name, reader.line_num, sentence) from None
    return found


def _layout(name: str, header: list[str]) -> list[str]:
    for column in header:
        if column not in COLUMNS or header.count(column) > 1:
            sentence = f"the column {column[:40]!r} is unknown or there twice; it may have "
            raise _fault(name, 1, sentence + ", ".join(COLUMNS))
    missing = [column for column in REQUIRED if column not in header]
    if missing:
        raise _fault(name, 1, f"the column {missing[0]} is missing; add it")
    return header


def _piece(name: str, line: int, columns: list[str], record: list[str]) -> StockPiece:
    if len(record) > len(columns) and any(map(str.strip, record[len(columns) :])):
        sentence = f"{len(record)} cells for {len(columns)} columns; quote cells with the delimiter"
        raise _fault(name, line, sentence)
    cells = dict(zip(columns, map(str.strip, record), strict=False))
    if not cells.get("item"):
        raise _fault(name, line, "the item is missing")
    try:
        micro = parse_quantity(cells.get("quantity", ""))
    except QuantityError as error:
        raise _fault(name, line, f"{error}; write it with a decimal point") from None
    lot, serial, location = (cells.get(column) for column in ("lot", "serial", "location"))
    key = stock_key(cells["item"], lot, serial, location)
    return StockPiece(key, micro, cells.get("uom") or None, line)


def _fault(name: str, line: int, sentence: str) -> InputError:
    return InputError(f"{name}, line {line}: {sentence}.", reason="stock_file")

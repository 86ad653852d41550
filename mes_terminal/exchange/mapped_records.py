"""The bytes of an exported file to its columns and records, as `mapping.toml` says it is written.

Takes any bytes. Titles above the header, dashes, repeated headers, totals at the end, borders of
`|` and lines without any are left out; what remains keeps the number of its line. Pure; called by
`mapped_files`.
"""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from msgspec import Struct

from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.mapped_words import matcher
from mes_terminal.exchange.mapping import MAPPING_FILE, FileRule, Written

HEADER_LINES_MAX: Final = 1_000
"""Lines searched for the header; an export that begins later is another one."""
DELIMITERS: Final = ";\t|,"
BORDER: Final = "|"

_RULED: Final = re.compile(r"[-=_+|\s]*\Z")
_CELL_ENDS: Final = re.compile(r"[;\t|,]")


class Records(Struct):
    """An opened file: its columns by place (empty: nameless), and what follows."""

    names: list[str]
    line: int
    """Of the header; 1 where there is none."""
    rows: Iterator[tuple[int, list[str]]]
    """(line it begins on, a cell for each name) of each record that is not blank."""
    whole: bool = True
    """Every record so far could be taken apart."""


class _Lines:
    """The lines of a text for the CSV reader, counted; no record begins with an ignored one."""

    def __init__(self, text: str, rule: FileRule, written: Written) -> None:
        self.number = 0
        self.began = 1
        self.starts = True
        self.ruled = False
        self.bordered = False
        self._lines: Iterator[str] = io.StringIO(text, newline="")
        if rule.skip_last:
            every = list(self._lines)
            while every and not every[-1].strip():
                every.pop()
            self._lines = iter(every[: -rule.skip_last])
        self._ignored = matcher(written.ignore_lines) if written.ignore_lines else None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            self.number += 1
            if self.starts and self._is_left_out(line):
                continue
            if self.starts:
                self.starts, self.began = False, self.number
            return line
        raise StopIteration

    def skip_to(self, header: int | str, delimiter: str) -> str | None:
        """Go to the header and return its line, which is read again; `None` if there is none."""
        for line in self._lines:
            found = (
                self.number + 1 == header
                if isinstance(header, int)
                else _has_cell(line, header, delimiter)
            )
            if found:
                self._lines = chain([line], self._lines)
                return line
            self.number += 1
            if self.number == HEADER_LINES_MAX:
                break
        return None

    def _is_left_out(self, line: str) -> bool:
        if self.ruled and _RULED.match(line):
            return True
        if self.bordered and BORDER not in line:
            return True
        return self._ignored is not None and self._ignored(line.strip())


def open_records(
    file: str, content: bytes, rule: FileRule, written: Written, faults: list[Fault]
) -> Records | None:
    """Return the columns and rows of a file; `None`, and a fault, if it cannot be read."""
    text = _decoded(file, content, written, faults)
    if text is None:
        return None
    lines = _Lines(text, rule, written)
    first = lines.skip_to(1 if rule.names else rule.header, written.delimiter)
    if first is None:
        faults.append(Fault(file, None, None, _no_header(rule)))
        return None
    delimiter = _delimiter(first) if written.delimiter == "auto" else written.delimiter
    lines.ruled = delimiter == BORDER
    lines.bordered = lines.ruled and first.lstrip().startswith(BORDER)
    quote = _quote(delimiter) if written.quote is None else written.quote
    reader = csv.reader(
        lines,
        delimiter=delimiter,
        quotechar=quote or None,
        quoting=csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE,
        strict=True,
    )
    opened = Records([], 1, iter(()))
    records = _records(file, reader, lines, opened, faults)
    if rule.names:
        opened.names = list(rule.names)
        opened.rows = _rows(file, records, opened, None, rule.fill_down, faults)
        return opened
    found = next(records, None)
    if found is None:
        faults.append(Fault(file, lines.number or None, None, _no_header(rule)))
        return None
    opened.line, header = found
    opened.names = _named(header)
    opened.rows = _rows(file, records, opened, header, rule.fill_down, faults)
    return opened


def _decoded(file: str, content: bytes, written: Written, faults: list[Fault]) -> str | None:
    encoding = "utf-8-sig" if written.encoding == "utf-8" else written.encoding
    try:
        return content.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "ignore")
        message = (
            f"the file is no {written.encoding}; name its encoding in {MAPPING_FILE}, or save it "
            "with that one"
        )
        faults.append(Fault(file, before.count("\n") + 1, None, message))
        return None


def _no_header(rule: FileRule) -> str:
    if rule.names:
        return "the file is empty; export it again"
    where = f"line {rule.header}" if isinstance(rule.header, int) else f"a cell {rule.header!r}"
    return f"the file has no header with {where}; export it again, or mend header in {MAPPING_FILE}"


def _has_cell(line: str, cell: str, delimiter: str) -> bool:
    cells = _CELL_ENDS.split(line) if delimiter == "auto" else line.split(delimiter)
    return any(one.strip().strip("\"'").strip() == cell for one in cells)


def _delimiter(header: str) -> str:
    return max(DELIMITERS, key=header.count)


def _quote(delimiter: str) -> str:
    return "" if delimiter == BORDER else '"'


def _records(
    file: str, reader: Iterator[list[str]], lines: _Lines, opened: Records, faults: list[Fault]
) -> Iterator[tuple[int, list[str]]]:
    while True:
        lines.starts = True
        try:
            record = next(reader, None)
        except csv.Error as error:
            message = (
                f"the row cannot be read ({error}); check its quotation marks, or set quote in "
                f"{MAPPING_FILE}"
            )
            faults.append(Fault(file, lines.began, None, message))
            opened.whole = False
            continue
        if record is None:
            return
        if any(map(str.strip, record)):
            yield lines.began, record


def _named(header: Sequence[str]) -> list[str]:
    """Return the names of the columns; one that is there again is the second: `Unit (2)`."""
    found: list[str] = []
    times: dict[str, int] = {}
    for cell in header:
        name = " ".join("".join(c if c.isprintable() else " " for c in cell).split())
        times[name] = times.get(name, 0) + 1
        found.append(f"{name} ({times[name]})" if name and times[name] > 1 else name)
    return found


def _rows(
    file: str,
    records: Iterator[tuple[int, list[str]]],
    opened: Records,
    header: list[str] | None,
    fill_down: Sequence[str],
    faults: list[Fault],
) -> Iterator[tuple[int, list[str]]]:
    """Yield what is a row, with a cell for each name."""
    names = opened.names
    width = len(names)
    nameless = [place for place, name in enumerate(names) if not name]
    filled = [names.index(name) for name in fill_down if name in names]
    above: list[str] = []
    for line, record in records:
        if record == header:
            continue
        wrong = _wrong_width(record, width, nameless)
        if wrong:
            faults.append(Fault(file, line, None, wrong))
            opened.whole = False
            continue
        record += [""] * (width - len(record))
        if filled:
            if record[filled[0]].strip():
                above = [record[place] for place in filled]
            for place, cell in zip(filled, above, strict=False):
                record[place] = record[place].strip() or cell
        yield line, record


def _wrong_width(record: Sequence[str], width: int, nameless: Sequence[int]) -> str | None:
    if len(record) > width and any(map(str.strip, record[width:])):
        return f"has {len(record)} cells for {width} columns; take the delimiter out of its cells"
    for place in nameless:
        if place < len(record) and record[place].strip():
            return (
                f"holds {record[place].strip()[:40]!r} in column {place + 1}, which has no name; "
                "take the delimiter out of its cells, or name the column in the header"
            )
    return None

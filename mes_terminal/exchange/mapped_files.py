"""The files that `mapping.toml` names to rows of the tables that it makes of them.

Nothing is written out and read again: each record becomes the cells of its rows at once, and keeps
its file, line and column names for whatever is found wrong with it, now or later. Pure; called by
`csv_folder`.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.mapped_cells import RowMaker, record_filter
from mes_terminal.exchange.mapped_records import Records, open_records
from mes_terminal.exchange.mapped_words import matcher
from mes_terminal.exchange.mapping import (
    MAPPING_FILE,
    ColumnRule,
    FileRule,
    TableRule,
)
from mes_terminal.exchange.mapping import Mapping as FileMapping
from mes_terminal.exchange.row_reader import TableReader

NAMED_MAX: Final = 20
"""Columns told when one is looked for."""


def read_mapped(
    mapping: FileMapping,
    files: dict[str, bytes],
    readers: Mapping[str, TableReader],
    zone: ZoneInfo,
    faults: list[Fault],
) -> set[str]:
    """Read every file that the mapping names, and take it out of `files`. `zone`: of the site.

    One that becomes a table without a reader is not for whoever asks, and only taken out. Returns
    the tables that were read, or should have been.
    """
    touched: set[str] = set()
    by_rule: dict[str, FileRule] = {}
    for rule in mapping.file:
        is_asked = all(table.name in readers for table in rule.table)
        touched.update(table.name for table in rule.table if is_asked)
        found = [name for name in sorted(files) if matcher([rule.name])(name)]
        if is_asked and not found and not rule.optional:
            _tell_missing(rule, readers, faults)
        for name in found:
            other = by_rule.setdefault(name, rule)
            if other is not rule:
                message = f"{other.name} and {rule.name} both mean this file; let only one mean it"
                faults.append(Fault(name, None, None, message))
            elif is_asked:
                _MappedFile(name, rule, mapping, readers, zone, faults).read(files[name])
    for name in by_rule:
        del files[name]
    return touched


def _tell_missing(rule: FileRule, readers: Mapping[str, TableReader], faults: list[Fault]) -> None:
    message = "the file is missing; export it, or say optional = true for it"
    faults.append(Fault(rule.name, None, None, f"{message} in {MAPPING_FILE}"))
    for table in rule.table:
        readers[table.name].whole = False


class _MappedFile:
    """Reads one file."""

    def __init__(
        self, name: str, rule: FileRule, mapping: FileMapping,
        readers: Mapping[str, TableReader], zone: ZoneInfo, faults: list[Fault],
    ) -> None:  # fmt: skip
        self._name = name
        self._rule = rule
        self._mapping = mapping
        self._written = rule.written(mapping.defaults)
        self._readers = readers
        self._zone = zone
        self._faults = faults

    def read(self, content: bytes) -> None:
        opened = open_records(self._name, content, self._rule, self._written, self._faults)
        if opened is None or not self._has_columns(opened):
            self._not_whole()
            return
        places = {name: place for place, name in enumerate(opened.names) if name}
        counts = record_filter(self._rule.only, self._rule.skip, places)
        into = [self._table(table, places) for table in self._rule.table]
        # a table is read to its end before the next: their rows are numbered one after the other
        if len(into) == 1:
            self._fill(into[0], (one for one in opened.rows if counts(one[1])))
        else:
            records = [one for one in opened.rows if counts(one[1])]
            for one in into:
                self._fill(one, records)
        if not opened.whole:
            self._not_whole()

    def _not_whole(self) -> None:
        for table in self._rule.table:
            self._readers[table.name].whole = False

    def _table(
        self, rule: TableRule, places: Mapping[str, int]
    ) -> tuple[TableRule, RowMaker, Callable[[Sequence[str]], bool]]:
        maker = RowMaker(
            self._readers[rule.name].table,
            rule,
            self._written,
            self._mapping.values,
            places,
            self._zone,
        )
        return rule, maker, record_filter(rule.only, rule.skip, places)

    def _fill(
        self,
        into: tuple[TableRule, RowMaker, Callable[[Sequence[str]], bool]],
        records: Iterable[tuple[int, list[str]]],
    ) -> None:
        rule, maker, counts = into
        rules = rule.rules()
        names = {name: _source_name(name, one) for name, one in rules.items()}
        reader = self._readers[rule.name]
        reader.begin(self._name, frozenset(rules), names, distinct=rule.distinct)
        for line, record in records:
            if counts(record) and not reader.read(line, maker.cells(record)):
                return

    def _has_columns(self, opened: Records) -> bool:
        """Tell whether the file has the columns that are asked of it; a fault for each that not."""
        used = dict.fromkeys(_columns_used(self._rule))
        missing = [name for name in used if name not in opened.names]
        for name in missing:
            self._tell_column(opened, name, _missing(name, opened.names))
        ignored = matcher(self._written.ignore_columns)
        for name in dict.fromkeys(opened.names):
            if name and name not in used and not ignored(name):
                message = "nothing is taken from the column; map it, or name it in ignore_columns"
                self._tell_column(opened, name, message)
        return not missing

    def _tell_column(self, opened: Records, name: str, message: str) -> None:
        self._faults.append(Fault(self._name, opened.line, name, message))


def _columns_used(rule: FileRule) -> Iterator[str]:
    yield from rule.only
    yield from rule.skip
    yield from rule.fill_down
    for table in rule.table:
        yield from table.only
        yield from table.skip
        for one in table.rules().values():
            yield from one.sources


def _missing(name: str, names: Iterable[str]) -> str:
    known = [one for one in names if one]
    close = difflib.get_close_matches(name, known, n=1)
    there = f"did you mean {close[0]}?" if close else f"it has {', '.join(known[:NAMED_MAX])}"
    return f"the column is missing; export it, or mend {MAPPING_FILE} ({there})"


def _source_name(name: str, rule: ColumnRule) -> str:
    return " + ".join(rule.sources) or f"{name} (of {MAPPING_FILE})"

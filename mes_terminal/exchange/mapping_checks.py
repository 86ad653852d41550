"""What is wrong with a mapping whose keys and types are right: it fits no table, or cannot work.

Pure; called by `mapping_reading`.
"""

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Final
from zoneinfo import ZoneInfo

from mes_terminal.exchange.cells import CellError, is_zone, ratio
from mes_terminal.exchange.expressions import may_take_hours
from mes_terminal.exchange.mapped_cells import is_date, is_number
from mes_terminal.exchange.mapped_values import date_pattern
from mes_terminal.exchange.mapping import ColumnRule, FileRule, Mapping, TableRule
from mes_terminal.exchange.tables import STOCK, TABLES, Column, Table

_ANY_ZONE: Final = ZoneInfo("UTC")
_TABLES: Final = {**TABLES, STOCK.name: STOCK}

Mistake = tuple[str, str]
"""The way to a key, and what is wrong with it."""


def mistakes(mapping: Mapping) -> Iterator[Mistake]:
    """Yield all that is wrong, in the order of the file."""
    yield from _dates("defaults", mapping.defaults.dates or ())
    for rule in mapping.file:
        where = f"file.{rule.name}"
        yield from _of_file(rule, mapping, where)
        if not rule.table:
            yield f"{where}.table", "the file becomes no table; add a [[file.table]]"
        elif len({one.name == STOCK.name for one in rule.table}) > 1:
            yield f"{where}.table", "stock is compared and not loaded; give it a file of its own"
        for table in rule.table:
            yield from _of_table(table, mapping, f"{where}.table.{table.name}")


def _of_file(rule: FileRule, mapping: Mapping, where: str) -> Iterator[Mistake]:
    written = rule.written(mapping.defaults)
    if written.decimal == written.thousands:
        yield f"{where}.thousands", "is the decimal sign too; name another one"
    yield from _dates(where, rule.dates or ())
    if written.zone is not None and not is_zone(written.zone):
        yield f"{where}.zone", f"{written.zone!r} is no time zone; write it like Europe/Berlin"
    if rule.names is not None and (not rule.names or len(set(rule.names)) < len(rule.names)):
        yield f"{where}.names", "every column needs a name of its own; name each once"
    if rule.names is not None and rule.header != 1:
        yield f"{where}.names", "the file has names and a header; leave one out"


def _of_table(rule: TableRule, mapping: Mapping, where: str) -> Iterator[Mistake]:
    table = _TABLES.get(rule.name)
    if table is None:
        yield where, f"there is no such table; {_nearest(rule.name, _TABLES)}"
        return
    columns = {column.name: column for column in table.columns}
    rules = rule.rules()
    for name, one in rules.items():
        place = f"{where}.columns.{name}"
        if name not in columns:
            yield place, f"{table.name} has no such column; {_nearest(name, columns)}"
        else:
            yield from _of_column(one, columns[name], table, mapping, place)
    for column in table.columns:
        if column.required and column.name not in rules:
            yield f"{where}.columns", f"{table.name} needs {column.name}; add it"
    if rule.distinct and any(one.count is not None for one in rules.values()):
        yield f"{where}.distinct", "rows that are counted are never equal; leave one out"


def _of_column(
    rule: ColumnRule, column: Column, table: Table, mapping: Mapping, where: str
) -> Iterator[Mistake]:
    ways = (rule.from_ is not None, rule.constant is not None, rule.count is not None)
    if sum(ways) != 1:
        yield where, "has to come from one of from, constant and count; give one of them"
    if rule.from_ == ():
        yield f"{where}.from", "names no column; name one"
    if rule.count is not None and (not table.parent or column.name != table.key[-1]):
        yield f"{where}.count", "only lines of a BOM, a routing or an order are counted; use from"
    yield from _of_words(rule, mapping, where)
    if rule.pick is not None and not _is_expression(rule.pick):
        yield f"{where}.pick", f"{rule.pick!r} is no regular expression; mend it"
    elif rule.pick is not None and may_take_hours(rule.pick):
        yield (
            f"{where}.pick",
            f"{rule.pick!r} repeats what repeats or has a choice in itself, which may take hours; "
            "write it without",
        )
    if rule.times is not None and not _is_factor(str(rule.times)):
        yield f"{where}.times", f"{rule.times!r} is no factor; write a number or 1/60"
    if (rule.times is not None or rule.implied_decimals is not None) and not is_number(column):
        yield where, f"{column.name} is no number; leave times and implied_decimals out"
    if rule.dates is not None and not is_date(column):
        yield f"{where}.dates", f"{column.name} is no date; leave dates out"
    yield from _dates(where, rule.dates or ())


def _of_words(rule: ColumnRule, mapping: Mapping, where: str) -> Iterator[Mistake]:
    if isinstance(rule.values, str) and rule.values not in mapping.values:
        there = _nearest(rule.values, mapping.values) if mapping.values else "add it"
        yield f"{where}.values", f"[values] has no list {rule.values}; {there}"
    if rule.values is None and (rule.otherwise is not None or rule.keep_others):
        yield where, "has otherwise or keep_others, but no values; add values, or leave them out"
    if rule.otherwise is not None and rule.keep_others:
        yield where, "has otherwise and keep_others; leave one out"


def _dates(where: str, formats: Iterable[str]) -> Iterator[Mistake]:
    for form in formats:
        try:
            date_pattern(form)
        except CellError as error:
            yield f"{where}.dates", str(error)


def _is_expression(text: str) -> bool:
    try:
        re.compile(text)
    except (re.error, RecursionError, OverflowError):
        return False
    return True


def _is_factor(text: str) -> bool:
    try:
        ratio(text, _ANY_ZONE)
    except CellError:
        return False
    return True


def _nearest(name: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(name.lower(), list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"

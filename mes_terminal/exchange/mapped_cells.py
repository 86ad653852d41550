"""Rules of `mapping.toml` made ready to run: a record of the file in, cells of a table's row out.

Everything that can be known before the first row is worked out once; a text that comes again in a
column is looked up. Pure; called by `mapped_files`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from mes_terminal.domain.instants import parse_instant
from mes_terminal.exchange import cells
from mes_terminal.exchange.cells import CellError
from mes_terminal.exchange.mapped_values import (
    Convert,
    date_reader,
    fraction_reader,
    multiplied,
    number_reader,
    remembering,
    shift_point,
)
from mes_terminal.exchange.mapped_words import matcher, translator
from mes_terminal.exchange.mapping import ColumnRule, Filter, TableRule, Value, Written
from mes_terminal.exchange.row_reader import Cell
from mes_terminal.exchange.tables import Column, Table

Record = Sequence[str]
Words = Mapping[str, Mapping[str, Value]]
Zones = tuple[ZoneInfo | None, ZoneInfo]
"""Where times of the file are meant, if it says so, and where the site is."""

_ANY_ZONE: Final = ZoneInfo("UTC")
PICK_MAX: Final = 500
"""Characters of a cell that are searched; an expression may take their number squared."""
_NUMBERS: Final = (cells.amount, cells.positive, cells.signed, cells.ratio)


def is_number(column: Column) -> bool:
    """Tell whether a column holds a number, which may be written in a foreign way."""
    return column.read in _NUMBERS or isinstance(column.read, cells.Whole)


def is_date(column: Column) -> bool:
    """Tell whether a column holds a day or an instant."""
    return column.read in (cells.day, cells.instant)


def record_filter(
    only: Filter, skip: Filter, places: Mapping[str, int]
) -> Callable[[Record], bool]:
    """Return what tells whether a record counts: `only` some words in a column, `skip` others."""
    wanted = [(places[name], matcher(_listed(words))) for name, words in only.items()]
    unwanted = [(places[name], matcher(_listed(words))) for name, words in skip.items()]
    if not wanted and not unwanted:
        return lambda _: True
    return lambda record: (
        all(fits(record[place].strip()) for place, fits in wanted)
        and not any(fits(record[place].strip()) for place, fits in unwanted)
    )


class RowMaker:
    """Makes the cells of one table's rows; counts the rows of each parent where it is asked to."""

    def __init__(
        self, table: Table, rule: TableRule, written: Written, words: Words,
        places: Mapping[str, int], site: ZoneInfo,
    ) -> None:  # fmt: skip
        rules = rule.rules()
        zones = ZoneInfo(written.zone) if written.zone else None, site
        self._columns = [
            (column, _reader(column, rules[column.name], written, words, places, zones))
            for column in table.columns
            if column.name in rules
        ]
        self._parents = frozenset(table.key[: table.parent])
        self._counted: int | None = None
        self._step = 0
        for place, (column, _) in enumerate(self._columns):
            if (step := rules[column.name].count) is not None:
                self._counted, self._step = place, step
        self._numbers: dict[tuple[str, ...], int] = {}

    def cells(self, record: Record) -> list[Cell]:
        """Return the cells of the row that a record is."""
        made: list[Cell] = []
        for column, read in self._columns:
            try:
                made.append((column, read(record)))
            except CellError as error:
                made.append((column, error))
        if self._counted is not None:
            parent = tuple(str(text) for column, text in made if column.name in self._parents)
            number = self._numbers[parent] = self._numbers.get(parent, 0) + self._step
            made[self._counted] = (made[self._counted][0], str(number))
        return made


def _reader(
    column: Column, rule: ColumnRule, written: Written, words: Words, places: Mapping[str, int],
    zones: Zones,
) -> Callable[[Record], str]:  # fmt: skip
    if rule.from_ is None:
        fixed = "" if rule.constant is None else str(rule.constant)
        return lambda _: fixed
    steps = _steps(column, rule, written, words, zones)
    instead = "" if rule.if_empty is None else str(rule.if_empty)
    part = _part_reader(rule, frozenset(written.empty))
    at = [places[name] for name in rule.sources]
    convert = _chain(steps)
    if len(at) > 1:
        return _joined(rule, at, part, convert, instead)
    place = at[0]
    if convert is None:
        return lambda record: part(record[place].strip()) or instead
    done = convert

    def read(record: Record) -> str:
        text = part(record[place].strip())
        return (done(text) if text else "") or instead

    return read


def _joined(
    rule: ColumnRule, at: Sequence[int], part: Convert, convert: Convert | None, instead: str
) -> Callable[[Record], str]:
    def read(record: Record) -> str:
        texts = [part(record[place].strip()) for place in at]
        if not any(texts):
            return instead
        if not all(texts):
            lacking = rule.sources[texts.index("")]
            raise CellError(f"{lacking} is empty and the other part is not; fill it")
        text = rule.between.join(texts)
        return (text if convert is None else convert(text)) or instead

    return read


def _part_reader(rule: ColumnRule, empty: frozenset[str]) -> Convert:
    def read(cell: str) -> str:
        if cell in empty:
            return ""
        return cell.lstrip("0") or "0" if rule.strip_zeros and cell.isdecimal() else cell

    if empty or rule.strip_zeros:
        return read
    return lambda cell: cell


def _steps(
    column: Column, rule: ColumnRule, written: Written, words: Words, zones: Zones
) -> list[Convert]:
    steps: list[Convert] = []
    if rule.pick is not None:
        steps.append(_picked(rule.pick))
    if rule.values is not None:
        named = rule.values
        steps.append(_translated(words[named] if isinstance(named, str) else named, rule))
    if rule.prefix or rule.suffix:
        steps.append(lambda text: f"{rule.prefix}{text}{rule.suffix}")
    if is_number(column):
        steps += _number_steps(column, rule, written)
    elif is_date(column):
        steps += _date_steps(column, rule, written, zones)
    return steps


def _factor(times: Value) -> Fraction:
    """Return a factor that the mapping's checks have let pass."""
    return Fraction(*cells.ratio(str(times), _ANY_ZONE))


def _number_steps(column: Column, rule: ColumnRule, written: Written) -> list[Convert]:
    number = number_reader(
        decimal=written.decimal,
        thousands=written.thousands,
        trailing_minus=written.trailing_minus,
    )
    steps = [fraction_reader(number) if column.read is cells.ratio else number]
    places = rule.implied_decimals
    if places is not None:
        steps.append(lambda text: shift_point(text, places))
    if rule.times is not None:
        factor = _factor(rule.times)
        steps.append(lambda text: multiplied(text, factor))
    return steps


def _date_steps(column: Column, rule: ColumnRule, written: Written, zones: Zones) -> list[Convert]:
    zone, site = zones
    with_time = column.read is cells.instant
    formats = rule.dates or written.dates
    if formats:
        return [date_reader(formats, with_time=with_time, zone=zone, site=site)]
    if zone is None or not with_time:
        return []
    return [lambda text: _in_zone(text, zone)]


def _in_zone(text: str, zone: ZoneInfo) -> str:
    """Return an ISO instant with its offset; what is none is left to be told as it is."""
    try:
        datetime.fromisoformat(text)
        return parse_instant(text, zone)
    except (ValueError, OverflowError):
        return text


def _picked(expression: str) -> Convert:
    pattern = re.compile(expression)

    def pick(text: str) -> str:
        if len(text) > PICK_MAX:
            raise CellError(
                f"has {len(text)} characters, and pick searches {PICK_MAX} at most; shorten it, or "
                "leave pick out"
            )
        match = pattern.search(text)
        if match is None:
            raise CellError(
                f"{text[:40]!r} has nothing that pick looks for; mend the cell, or pick in "
                "mapping.toml"
            )
        return (match[1 if pattern.groups else 0] or "").strip()

    return pick


def _translated(words: Mapping[str, Value], rule: ColumnRule) -> Convert:
    translate = translator(words)
    otherwise = None if rule.otherwise is None else str(rule.otherwise)

    def look_up(text: str) -> str:
        found = translate(text)
        if found is not None:
            return found
        if rule.keep_others:
            return text
        if otherwise is None:
            raise CellError(
                f"{text[:40]!r} is none of the words of mapping.toml ({', '.join(words)[:200]}); "
                "add it to values"
            )
        return otherwise

    return look_up


def _chain(steps: Sequence[Convert]) -> Convert | None:
    """Return one step that is all of them; it ends where nothing is left."""
    if not steps:
        return None

    def convert(text: str) -> str:
        for step in steps:
            text = step(text)
            if not text:
                break
        return text

    return remembering(convert)


def _listed(words: str | Sequence[str]) -> Sequence[str]:
    return (words,) if isinstance(words, str) else words

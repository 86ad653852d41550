"""Rows as an aligned table for people, on any terminal and however long.

Texts from scans and files are shown by `safe` only: no control, escape or bidi character of a
barcode reaches the terminal. Widths follow from the first rows, so a table of any length streams.
Called by the list commands.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, Final

import click
import msgspec

from mes_terminal.cli.session import print_json_array
from mes_terminal.tui.safe_text import column_count, safe

WIDTH_SAMPLE_ROWS: Final = 200
"""Rows read before the first is printed: enough to know the columns, soon enough to be quick."""

CELL_MAX_COLUMNS: Final = 60
"""A longer text is cut and ends in `…`; `--json` has it whole."""

_GAP: Final = "  "
_LEVELS: Final = ("order_line", "bom_line", "operation", "work_centre", "item", "station")


def print_rows(rows: Iterable[bytes], columns: tuple[str, ...], *, as_json: bool) -> None:
    """Print rows that are JSON objects: as one array, or as a table of `columns`."""
    if as_json:
        print_json_array(rows)
        return
    for line in render_table(rows, columns):
        click.echo(line)


def render_table(rows: Iterable[bytes], columns: tuple[str, ...]) -> Iterator[str]:
    """Yield the lines of a table of `columns` from rows that are JSON objects.

    Columns that hold figures only are set right. Without rows it yields one line that says so.
    """
    cells = (_cells(msgspec.json.decode(row), columns) for row in rows)
    sample = list(islice(cells, WIDTH_SAMPLE_ROWS))
    if not sample:
        yield "Nothing to show."
        return
    heads = [name.replace("_", " ").upper() for name in columns]
    widths = [max(column_count(row[i]) for row in [heads, *sample]) for i in range(len(columns))]
    right = [all(_is_figure(row[i]) for row in sample) for i in range(len(columns))]
    for row in chain([heads, ["─" * width for width in widths]], sample, cells):
        yield _GAP.join(map(_padded, row, widths, right)).rstrip()


def _cells(row: dict[str, Any], columns: tuple[str, ...]) -> list[str]:
    return [_text(row.get(name)) for name in columns]


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case list():
            return safe("; ".join(map(str, value)), CELL_MAX_COLUMNS)
        case dict():
            return _grouped(value)
        case _:
            return safe(str(value), CELL_MAX_COLUMNS)


def _grouped(levels: dict[str, str]) -> str:
    """Return what each level decided, in few words: `item: mount; station: all else`."""
    found: dict[str, list[str]] = {}
    for policy, level in levels.items():
        found.setdefault(level, []).append(policy)
    ranked = sorted(found.items(), key=lambda each: _LEVELS.index(each[0]))
    if len(ranked) > 1 and ranked[-1][0] == "station":
        ranked[-1] = ("station", ["all else"])
    return "; ".join(f"{safe(level)}: {safe(', '.join(names))}" for level, names in ranked)


def _is_figure(text: str) -> bool:
    return text.removeprefix("-").replace(".", "", 1).isdigit() or not text


def _padded(text: str, width: int, right: bool) -> str:
    fill = " " * (width - column_count(text))
    return fill + text if right else text + fill

"""Cost sheets as text for people, readable at 80 columns. Called by `orders cost`.

Names of items and work centres are shown by `safe` only, and cut where a line would be longer.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from mes_terminal.tui.safe_text import column_count, safe

LINE_COLUMNS: Final = 80
NAME_COLUMNS_MIN: Final = 8
"""However long the figures are, so much of a name is shown."""

_GAP: Final = "  "
_HEADS: Final = ("KIND", "AT", "WHAT", "QUANTITY", "RATE", "COST")
_NAME: Final = 2
_RIGHT: Final = (False, False, False, True, True, True)
_NO_COST: Final = "?"
_SUMS: Final = (
    ("total", "total"),
    ("per_unit", "per unit"),
    ("standard", "standard"),
    ("usage_variance", "usage variance"),
    ("variance", "variance"),
)


def render_costs(rows: Iterable[bytes]) -> Iterator[str]:
    """Yield the lines of one sheet after the other from rows that are JSON objects."""
    first = True
    for row in rows:
        if not first:
            yield ""
        yield from _sheet(msgspec.json.decode(row))
        first = False
    if first:
        yield "Nothing to show."


def _sheet(order: dict[str, Any]) -> Iterator[str]:
    scrapped = "" if order["scrapped"] == "0" else f", {order['scrapped']} scrapped"
    made = f"{order['good']} {safe(order['uom'], 8)} {safe(order['item'], 30)}{scrapped}"
    yield f"{safe(order['work_order'], 30)}: {made}, in {order['currency']}"
    cells = [_HEADS, *(_cells(line) for line in order["lines"])]
    widths = [max(column_count(row[i]) for row in cells) for i in range(len(_HEADS))]
    widths[-1] = max(widths[-1], *(column_count(order[key] or "") for key, _ in _SUMS))
    over = sum(widths) + len(_GAP) * (len(widths) - 1) - LINE_COLUMNS
    widths[_NAME] = max(min(NAME_COLUMNS_MIN, widths[_NAME]), widths[_NAME] - max(0, over))
    for row in (_HEADS, tuple("─" * width for width in widths), *cells[1:]):
        yield _GAP.join(map(_padded, row, widths, _RIGHT)).rstrip()
    label_columns = sum(widths[:-1]) + len(_GAP) * (len(widths) - 2)
    for key, label in _SUMS:
        figure = order[key] or "none"
        yield f"{label:>{label_columns}}{_GAP}{figure:>{widths[-1]}}"
    for missing in order["incomplete"]:
        yield f"Incomplete: {_lack(missing)}"


def _cells(line: dict[str, Any]) -> tuple[str, ...]:
    what = line["item"] or line["work_centre"] or "no work centre"
    if line["item"] is None and line["kind"] == "unit_scrap":
        what = f"{line['element']} {what}"
    return (
        line["kind"].replace("_", " "),
        safe(line["line"] or line["operation"] or "", 12),
        safe(what, LINE_COLUMNS),
        f"{line['quantity']} {safe(line['uom'], 8)}",
        _rate(line),
        line["cost"] or _NO_COST,
    )


def _rate(line: dict[str, Any]) -> str:
    if line["rate"] is None:
        return ""
    return line["rate"] if line["per"] == "1" else f"{line['rate']}/{line['per']}"


def _lack(missing: dict[str, str]) -> str:
    name = safe(missing["key"], 40)
    return f"{missing['what'].replace('_', ' ')} {name} has no {missing['missing']}"


def _padded(text: str, width: int, right: bool) -> str:
    shown = safe(text, width)
    fill = " " * (width - column_count(shown))
    return fill + shown if right else shown + fill

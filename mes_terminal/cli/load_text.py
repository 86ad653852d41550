"""A load in lines for people: its tables, its faults, and what it would change.

Takes the JSON values of the result. Texts of the files pass `safe`. Called by `load`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from mes_terminal.tui.safe_text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

Row = dict[str, Any]

ROWS_SHOWN_MAX: Final = 50
"""Entries of a list printed; `--json` has the others."""
TEXT_COLUMNS: Final = 60
EFFECTS: Final = {
    "now": "takes it at once",
    "next_unit": "takes it from the next unit on",
    "at_release": "takes it when it is released",
    "kept": "keeps its lines, which are frozen",
}


def fault_line(fault: Row) -> str:
    """Return `items.csv:7: uom: what is wrong`, as far as the fault has a line and a column."""
    place = f"{fault['file']}:"
    place += f"{fault['line']}:" if fault["line"] else ""
    place += f" {fault['column']}:" if fault["column"] else ""
    return f"{place} {fault['message']}"


def table_lines(tables: dict[str, dict[str, int]], *, verb: str) -> Iterator[str]:
    """Yield a line a table; `verb` stands before what is done: `would be `."""
    for name, counts in tables.items():
        yield (
            f"{name:<18} {counts['added']} {verb}added, {counts['changed']} {verb}changed, "
            f"{counts['unchanged']} unchanged"
        )


def diff_lines(diff: Row) -> Iterator[str]:
    """Yield what would change: rows, BOMs, open orders, what leaves and is on hand."""
    yield from _section("Rows", diff["rows"], diff["total"], _row_lines)
    yield from _section("BOMs", diff["boms"], diff["boms_total"], _bom_lines)
    yield from _section("Open orders", diff["orders"], diff["orders_total"], _order_lines)
    currency = diff["currency"] or ""
    yield from _section(
        "Parts that leave", diff["leaving"], diff["leaving_total"],
        lambda part: _part_lines(part, currency),
    )  # fmt: skip
    orders = _named(diff["open_orders"])
    yield f"Open orders touched: {orders or 'none'}"


def _section(title: str, entries: Sequence[Row], total: int, lines: Any) -> Iterator[str]:
    if not total:
        return
    yield f"{title}: {total}"
    for entry in entries[:ROWS_SHOWN_MAX]:
        yield from (f"  {line}" for line in lines(entry))
    if total > min(len(entries), ROWS_SHOWN_MAX):
        yield f"  and {total - min(len(entries), ROWS_SHOWN_MAX)} more"


def _row_lines(row: Row) -> Iterator[str]:
    yield f"{row['table']} {_text(row['key'])} {row['change']}"
    if row["change"] == "changed":
        for column, (old, new) in row["columns"].items():
            yield f"  {column}: {_value(old)} → {_value(new)}"


def _bom_lines(bom: Row) -> Iterator[str]:
    yield f"{_text(bom['item'])} {_text(bom['revision'])}"
    for word in ("added", "removed", "changed"):
        for part in bom[word]:
            yield f"  {word} {part['line']}: {part['quantity']} {_text(part['component'])}"


def _order_lines(order: Row) -> Iterator[str]:
    what = _text(order["what"])
    yield f"{_text(order['work_order'])} ({order['status']}) {EFFECTS[order['effect']]}: {what}"


def _part_lines(part: Row, currency: str) -> Iterator[str]:
    instead = f", {_text(part['instead'])} in its stead" if part["instead"] else ""
    yield (
        f"{_text(part['item'])} leaves {_text(part['product'])} {_text(part['revision'])} line "
        f"{part['line']}{instead}"
    )
    worth = f", worth {part['value']} {currency}" if part["value"] is not None else ""
    yield f"  on hand: {part['on_hand']} {part['uom']}{worth}"
    for place in part["places"]:
        lot = f" {_text(place['lot'])}" if place["lot"] else ""
        yield f"    {_text(place['location'])}{lot}: {place['quantity']}"
    if part["places_total"] > len(part["places"]):
        yield f"    and {part['places_total'] - len(part['places'])} more places"
    for word, names in (("still used by", part["still_used_by"]),
                        ("substitutes", part["substitutes"])):  # fmt: skip
        if names:
            yield f"  {word}: {_named(names)}"


def _named(names: Iterable[str]) -> str:
    every = list(names)
    shown = ", ".join(map(_text, every[:ROWS_SHOWN_MAX]))
    more = len(every) - ROWS_SHOWN_MAX
    return f"{shown} and {more} more" if more > 0 else shown


def _value(value: Any) -> str:
    return "nothing" if value is None or value == "" else _text(str(value))


def _text(text: str) -> str:
    return safe(text, TEXT_COLUMNS)

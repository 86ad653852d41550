"""The books of a shift, and how those of a bad shift differ from those of a good one.

Read from the database file by SQL of its own; the program's lists have no part in it.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from tests.architecture.source import ROOT
from tests.e2e.station_process import Station

Key = tuple[Any, ...]
Sums = dict[Key, Fraction]
LOAD: Final = ("load", str(ROOT / "config" / "late-papers"))
DEMO: Final = ("--config", str(ROOT / "config" / "simulated.toml"))

STOCK: Final = """
    SELECT i.item, l.lot || l.serial, o.location, sum(b.quantity_micro)
      FROM balance b JOIN lot l USING (lot_id) JOIN item i ON i.item_id = l.item_id
      JOIN location o USING (location_id)
     GROUP BY 1, 2, 3
"""
ISSUED: Final = """
    SELECT w.work_order, l.line, i.item, l.issued_micro + l.scrapped_micro
      FROM order_line l JOIN work_order w USING (work_order_id)
      JOIN item i ON i.item_id = l.component_id
"""
EDGES: Final = """
    SELECT w.work_order, c.lot || c.serial, n.line, i.item, p.lot || p.serial,
           sum(e.quantity_micro)
      FROM edge e JOIN lot c ON c.lot_id = e.child_id JOIN lot p ON p.lot_id = e.parent_id
      JOIN item i ON i.item_id = p.item_id
      LEFT JOIN order_line n USING (line_id) LEFT JOIN work_order w ON
           w.work_order_id = n.work_order_id
     GROUP BY 1, 2, 3, 4, 5
"""
MADE: Final = "SELECT work_order, status, good_micro, scrapped_micro FROM work_order"


@dataclass(frozen=True)
class Books:
    """What a shift left: stock by item, lot and place; issued by order line; what is in what."""

    stock: Sums
    issued: Sums
    edges: Sums
    made: dict[str, Key]

    @classmethod
    def of(cls, database: Path) -> "Books":
        """Read them; nothing else may write meanwhile."""
        with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as conn:
            return cls(
                _sums(conn, STOCK),
                _sums(conn, ISSUED),
                _sums(conn, EDGES),
                {row[0]: row[1:] for row in conn.execute(MADE)},
            )


@dataclass
class WrittenOff:
    """What was written off of order lines: (order, line, item) → quantity."""

    of_lines: Sums = field(default_factory=lambda: defaultdict(Fraction))

    def add(self, exceptions: Iterable[dict[str, Any]]) -> None:
        """Note these as written off with what is open of them; only what a line owes counts."""
        for each in exceptions:
            if each["kind"] in ("shortage", "component_serial"):
                key = (each["work_order"], each["line"], each["item"])
                self.of_lines[key] += Fraction(each["quantity"])

    def of_item(self, item: str) -> Fraction:
        """Return what was written off of an item, over all lines."""
        return sum((q for key, q in self.of_lines.items() if key[2] == item), Fraction(0))


def play(station: Station, scenario: str, *, papers_first: bool) -> None:
    """Play a shift of the demo at the sample plant."""
    station.run("load", str(ROOT / "config" / "sample-plant"))
    if papers_first:
        station.run(*LOAD)
    file = ROOT / "config" / "scenarios" / scenario
    station.run(*DEMO, "simulate", str(file), code=1)  # some are asked for twice


def differences(good: Books, bad: Books, written: WrittenOff) -> list[str]:
    """Return, in words, where the bad shift's books are not the good one's plus what was written
    off of them: that lies in stock still, no line was issued it, and no unit has it by name."""
    found = [f"order {key}: {good.made[key]}, {bad.made[key]}"
             for key in good.made if good.made[key] != bad.made[key]]  # fmt: skip
    owed = dict(written.of_lines)
    found += [
        f"issued {key}: {good.issued.get(key)}, {bad.issued.get(key)}"
        for key in good.issued.keys() | bad.issued.keys()
        if good.issued.get(key, 0) - bad.issued.get(key, 0) != owed.get(key, 0)
    ]
    more: Sums = defaultdict(Fraction)
    for key in good.stock.keys() | bad.stock.keys():
        item, _, place = key
        extra = bad.stock.get(key, Fraction(0)) - good.stock.get(key, Fraction(0))
        more[item,] += extra
        if extra and (not written.of_item(item) or place != "LINE"):
            found.append(f"stock {key}: {good.stock.get(key)}, {bad.stock.get(key)}")
    found += [
        f"stock of {item}: {extra} more, {written.of_item(item)} written off"
        for (item,), extra in more.items()
        if extra != written.of_item(item)
    ]
    return found + _edge_differences(good, bad, owed)


def _edge_differences(good: Books, bad: Books, owed: Sums) -> list[str]:
    """A line of which something was written off has that much from nobody knows where, and less by
    name; every other edge is the same."""
    found = []
    unknown: Sums = defaultdict(Fraction)
    named: Sums = defaultdict(Fraction)
    for key in good.edges.keys() | bad.edges.keys():
        order, _, line, item, parent = key
        less = good.edges.get(key, Fraction(0)) - bad.edges.get(key, Fraction(0))
        if less and (order, line, item) not in owed:
            found.append(f"edge {key}: {good.edges.get(key)}, {bad.edges.get(key)}")
        (named if parent else unknown)[order, line, item] += less
    return found + [
        f"edges of {key}: {named[key]} less by name, {-unknown[key]} unknown, {quantity} owed"
        for key, quantity in owed.items()
        if item_has_edges(good, key) and (named[key], -unknown[key]) != (quantity, quantity)
    ]


def item_has_edges(books: Books, line: Key) -> bool:
    """Tell whether an item is tracked, so that what an order line took of it has edges."""
    return any((key[0], key[2], key[3]) == line for key in books.edges)


def _sums(conn: sqlite3.Connection, statement: str) -> Sums:
    return {tuple(row[:-1]): Fraction(row[-1], 10**6) for row in conn.execute(statement) if row[-1]}

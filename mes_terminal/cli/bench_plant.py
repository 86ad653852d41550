"""What the benchmarks share: plants of their own, and the rows that they report.

Products of lot-tracked parts, all in stock, and orders for them. Called by the `cli.bench_…`
modules.
"""

from __future__ import annotations

import math
import statistics
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import StationError
from mes_terminal.station.booking import Booking
from mes_terminal.station.clock import utc_now
from mes_terminal.store.bench_floors import empty_wal
from mes_terminal.store.bench_lean import UNITS_PER_ORDER
from mes_terminal.usecases.load_master_data import load_folder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

WARM_UP_ROUNDS: Final = 5
"""Rounds that are run and not counted: statements are prepared, pages are read."""
STOCK_PER_COMPONENT: Final = 1_000_000_000
RULES: Final = StationRules(station="BENCH", site="BENCH", mode="test")

Tables = dict[str, list[str]]
"""Lines of CSV, the header first, by file name."""


class Figure(Struct, frozen=True, kw_only=True):
    """One row of a benchmark: ours, against a floor where there is one. Times are milliseconds."""

    case: str
    floor: str | None = None
    components: int
    edges: int
    n: int
    p50_ms: float
    p99_ms: float
    floor_p50_ms: float | None = None
    floor_p99_ms: float | None = None
    ratio: float | None = None
    """Our median over the floor's."""
    statements: int | None = None
    """Calls of `execute` and `executemany`, transaction control included: the most seen."""
    syncs: int | None = None
    """Commits written to the WAL, each synced once: the most seen."""


def figure_of(
    case: str,
    floor: str,
    *,
    components: int,
    edges: int,
    ours: Sequence[float],
    floors: Sequence[float],
    statements: int,
    syncs: int,
) -> Figure:
    """Return the row of a case against a floor, from the milliseconds of each."""
    p50, floor_p50 = statistics.median(ours), statistics.median(floors)
    return Figure(
        case=case,
        floor=floor,
        components=components,
        edges=edges,
        n=len(ours),
        p50_ms=round(p50, 3),
        p99_ms=round(p99(ours), 3),
        floor_p50_ms=round(floor_p50, 3),
        floor_p99_ms=round(p99(floors), 3),
        ratio=round(p50 / floor_p50, 2),
        statements=statements,
        syncs=syncs,
    )


def p99(times: Sequence[float]) -> float:
    """Return the 99th percentile: of 200 the third largest."""
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def load_plant(folder: Path, components: Sequence[int], orders: int) -> Path:
    """Make a database with a product, its lots in stock and the orders for each size.

    The orders are `WO-<size>-<number>`, counted from 0.
    """
    tables = _no_rows()
    for size in components:
        _add_product(tables, f"PRODUCT-{size}", size, tracking="lot")
        tables["work_orders.csv"] += [
            f"WO-{size}-{number},PRODUCT-{size},{UNITS_PER_ORDER},released"
            for number in range(orders)
        ]
    return _loaded(folder, tables)


def load_routed_plant(folder: Path, components: Sequence[int], orders: int) -> Path:
    """As `load_plant`, with a routing of three operations.

    Orders `OP-<size>-<number>` take all lines at operation 10, a backflush point; orders `SWEEP-…`
    take half of them at 10, which is none, and half at 20, which is one.
    """
    tables = _no_rows()
    tables["routings.csv"] = ["item,revision,operation,backflush_point"]
    for size in components:
        for kind, early, is_point in (("OP", size, "yes"), ("SWEEP", size // 2, "no")):
            product = f"{kind}-PRODUCT-{size}"
            _add_product(tables, product, size, tracking="lot", early=early)
            tables["routings.csv"] += [
                f"{product},A,10,{is_point}", f"{product},A,20,yes", f"{product},A,30,yes"
            ]  # fmt: skip
            tables["work_orders.csv"] += [
                f"{kind}-{size}-{number},{product},{UNITS_PER_ORDER},released"
                for number in range(orders)
            ]
    return _loaded(folder, tables)


def load_engine_plant(folder: Path, engines: Sequence[Engine]) -> Path:
    """Make a database with an order for serial-tracked engines of each kind."""
    tables = _no_rows()
    tables["work_order_serials.csv"] = ["work_order,serial"]
    for engine in engines:
        _add_product(tables, engine.item, engine.lines, tracking="serial")
        part = f"{engine.item}-INJECTOR"
        tables["items.csv"].append(f"{part},serial,purchased")
        tables["bom_lines.csv"].append(f"{engine.item},A,9999,{part},{engine.slots},")
        tables["work_orders.csv"].append(f"{engine.order},{engine.item},{engine.units},released")
        for unit in range(engine.units):
            tables["work_order_serials.csv"].append(f"{engine.order},{engine.unit(unit)}")
            tables["receipts.csv"] += [
                f"R-{serial},{part},,{serial},{RULES.supply_location},1"
                for serial in engine.serials(unit)
            ]
    return _loaded(folder, tables)


class Engine(Struct, frozen=True):
    """A product that is made by serial, of lot-tracked lines and slots for serials (BF-18)."""

    item: str
    lines: int
    slots: int
    units: int

    @property
    def order(self) -> str:
        """The order for all of its units."""
        return f"WO-{self.item}"

    def unit(self, number: int) -> str:
        """Return the serial of a unit, counted from 0."""
        return f"{self.item}-U{number}"

    def serials(self, number: int) -> Iterator[str]:
        """Yield the serials for the slots of a unit."""
        for slot in range(self.slots):
            yield f"{self.item}-I{number}-{slot}"


def _no_rows() -> Tables:
    return {
        "items.csv": ["item,tracking,kind"],
        "boms.csv": ["item,revision"],
        "bom_lines.csv": ["item,revision,line,component,quantity,operation"],
        "receipts.csv": ["reference,item,lot,serial,location,quantity"],
        "work_orders.csv": ["work_order,item,quantity,status"],
    }


def _add_product(
    tables: Tables, product: str, size: int, *, tracking: str, early: int | None = None
) -> None:
    """Add a product of so many lot-tracked parts with stock for good.

    `early`: so many lines are taken at operation 10, the others at 20; `None`: it has no routing.
    """
    tables["items.csv"].append(f"{product},{tracking},manufactured")
    tables["boms.csv"].append(f"{product},A")
    for line in range(1, size + 1):
        part = f"{product}-PART-{line}"
        operation = "" if early is None else 10 if line <= early else 20
        tables["items.csv"].append(f"{part},lot,purchased")
        tables["bom_lines.csv"].append(f"{product},A,{line * 10},{part},{1 + line % 4},{operation}")
        tables["receipts.csv"].append(
            f"R-{part},{part},L-{part},,{RULES.supply_location},{STOCK_PER_COMPONENT}"
        )


def _loaded(folder: Path, tables: Tables) -> Path:
    """Load the tables into a new database, which can be copied afterwards."""
    files = {name: "\n".join(rows).encode() for name, rows in tables.items()}
    path = folder / "plant.db"
    booking = Booking(path, RULES)
    loaded = load_folder(booking.db, files, rules=RULES, now=utc_now(), at=None)
    if loaded.faults:
        raise StationError(f"The benchmark's own plant was refused: {loaded.faults[0]}")
    empty_wal(booking.db)
    booking.close()
    return path

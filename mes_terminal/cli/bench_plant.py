"""What the benchmarks share: a plant of their own, and the rows that they report.

A product of so many lot-tracked parts, all in stock, and orders that are closed in one scan each.
Called by `cli.bench_close` and `cli.bench_screen`.
"""

from __future__ import annotations

import math
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
    from collections.abc import Sequence
    from pathlib import Path

WARM_UP_ROUNDS: Final = 5
"""Rounds that are run and not counted: statements are prepared, pages are read."""
STOCK_PER_COMPONENT: Final = 1_000_000_000
RULES: Final = StationRules(station="BENCH", site="BENCH", mode="test")


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
    """Calls of `execute` and `executemany` a close, transaction control included: the most seen."""
    syncs: int | None = None
    """Commits written to the WAL a close, each synced once: the most seen."""


def p99(times: Sequence[float]) -> float:
    """Return the 99th percentile: of 200 the third largest."""
    return sorted(times)[math.ceil(len(times) * 0.99) - 1]


def load_plant(folder: Path, components: Sequence[int], orders: int) -> Path:
    """Make a database with a product, its lots in stock and the orders for each size.

    The orders are `WO-<size>-<number>`, counted from 0.
    """
    tables = {
        "items.csv": ["item,tracking,kind"],
        "boms.csv": ["item,revision"],
        "bom_lines.csv": ["item,revision,line,component,quantity"],
        "receipts.csv": ["reference,item,lot,location,quantity"],
        "work_orders.csv": ["work_order,item,quantity,status"],
    }
    for size in components:
        product = f"PRODUCT-{size}"
        tables["items.csv"].append(f"{product},lot,manufactured")
        tables["boms.csv"].append(f"{product},A")
        for line in range(1, size + 1):
            part = f"PART-{size}-{line}"
            tables["items.csv"].append(f"{part},lot,purchased")
            tables["bom_lines.csv"].append(f"{product},A,{line * 10},{part},{1 + line % 4}")
            tables["receipts.csv"].append(
                f"R-{part},{part},L-{part},{RULES.supply_location},{STOCK_PER_COMPONENT}"
            )
        tables["work_orders.csv"] += [
            f"WO-{size}-{number},{product},{UNITS_PER_ORDER},released" for number in range(orders)
        ]
    files = {name: "\n".join(rows).encode() for name, rows in tables.items()}
    path = folder / "plant.db"
    booking = Booking(path, RULES)
    loaded = load_folder(booking.db, files, rules=RULES, now=utc_now(), at=None)
    if loaded.faults:
        raise StationError(f"The benchmark's own plant was refused: {loaded.faults[0]}")
    empty_wal(booking.db)
    booking.close()
    return path

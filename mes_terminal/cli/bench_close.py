"""What one close costs on this machine, against two floors, in one interleaved run.

Each round closes one order of every case four ways, one after the other: the three of
`cli.bench_twins`, and the lean close, which is checkpointed as they are. Called by `cli.bench`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from mes_terminal.cli.bench_plant import WARM_UP_ROUNDS, Figure, load_plant
from mes_terminal.cli.bench_twins import Case, Twins, milliseconds
from mes_terminal.station.booking import collect_only_between_scans
from mes_terminal.store.bench_lean import LeanStation

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path


class _Close(Struct):
    """What was measured of one case."""

    case: Case
    lean: list[float]


class _Bench(Struct):
    """The four databases with one amount of history."""

    twins: Twins
    lean: LeanStation

    def close_order(self, number: str, close: _Close) -> None:
        """Close one order in each of the four ways and note what it cost."""
        close.case.scans.append(self.twins.scan(number))
        scan_id = self.twins.new_id()
        close.lean.append(milliseconds(lambda: self.lean.close_order(number, scan_id)))
        self.lean.checkpoint()

    def finish(self) -> None:
        """Prove the replay and close everything."""
        self.twins.finish()
        self.lean.close()


def bench_close(
    folder: Path,
    *,
    rounds: int,
    components: Sequence[int],
    edges: Sequence[int],
    tell: Callable[[str], None],
) -> list[Figure]:
    """Return the figures: two rows (one a floor) for each number of components and edges.

    Works in `folder`, which must be on the disk to be measured. `tell` is told what goes on.
    """
    orders = rounds + WARM_UP_ROUNDS
    tell(f"Loading {orders * len(components)} orders")
    plant = load_plant(folder, components, orders)
    benches: list[_Bench] = []
    for count in edges:
        tell(f"Preparing four databases with {count} genealogy edges")
        lean = LeanStation(
            folder / f"lean-{count}.db", sizes=components, orders=orders, edges=count
        )
        benches.append(_Bench(Twins(plant, edges=count), lean))
    keys = [(count, size) for count in edges for size in components]
    closes = {key: _Close(Case(), []) for key in keys}
    tell(f"Closing {orders * len(keys) * 4} orders")
    collect_only_between_scans()
    for number in range(orders):
        if number == WARM_UP_ROUNDS:
            closes = {key: _Close(Case(), []) for key in keys}
        for bench in benches:
            for size in components:
                bench.close_order(f"WO-{size}-{number}", closes[bench.twins.edges, size])
    for bench in benches:
        bench.finish()
    return [
        figure
        for (count, size), close in closes.items()
        for figure in (
            close.case.figure("close", components=size, edges=count),
            close.case.against("lean", close.lean, case="close", components=size, edges=count),
        )
    ]

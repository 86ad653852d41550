"""What one close costs on this machine, against two floors, in one interleaved run.

`ours` is the station's own way from received bytes to a durable outcome: the journal's commit and
the report's. Each round closes one order of every case four ways, one after the other: timed on
database A; recorded on its twin R (untimed: statements and syncs are counted there); those very
statements replayed bare on R's copy B; and the lean close. All four are checkpointed between
scans, outside the timing, as the station does. Called by `cli.bench`.
"""

from __future__ import annotations

import shutil
import statistics
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from mes_terminal.cli.bench_plant import RULES, WARM_UP_ROUNDS, Figure, load_plant, p99
from mes_terminal.errors import StationError
from mes_terminal.station.booking import Booking, collect_only_between_scans
from mes_terminal.store.bench_floors import (
    Recorder,
    add_history,
    empty_wal,
    replay,
    synced_commits,
    without_control,
)
from mes_terminal.store.bench_lean import LeanStation
from mes_terminal.store.database import open_database
from mes_terminal.store.events import read_head

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class _Times(Struct):
    """What was measured of one case."""

    ours: list[float]
    replay: list[float]
    lean: list[float]
    statements: int = 0
    syncs: int = 0


class _Bench:
    """The four databases with one amount of history."""

    def __init__(self, plant: Path, *, edges: int, components: Sequence[int], orders: int) -> None:
        self.edges = edges
        folder = plant.parent
        base = folder / f"base-{edges}.db"
        shutil.copyfile(plant, base)
        if edges:
            with_history = open_database(base)
            add_history(with_history, edges)
            empty_wal(with_history)
            with_history.close()
        twin, copy = folder / f"twin-{edges}.db", folder / f"copy-{edges}.db"
        shutil.copyfile(base, twin)
        self.ours = Booking(base, RULES)
        self.twin = Booking(twin, RULES)
        empty_wal(self.ours.db)
        empty_wal(self.twin.db)
        shutil.copyfile(twin, copy)
        self.copy = open_database(copy)
        self.recorder = Recorder(self.twin.db.conn)
        self.twin.db.conn = self.recorder  # type: ignore[assignment]
        self.lean = LeanStation(
            folder / f"lean-{edges}.db", sizes=components, orders=orders, edges=edges
        )

    def close_order(self, number: str, times: _Times) -> None:
        """Close one order in each of the four ways and note what it cost.

        The untimed twin goes first, so that the timed ones start from equally warm caches.
        """
        empty_wal(self.twin.db)
        self.recorder.taken()
        _book(self.twin, number)
        recorded = self.recorder.taken()
        times.statements = max(times.statements, len(recorded))
        times.syncs = max(times.syncs, synced_commits(self.twin.db.path))
        bare = without_control(recorded)
        times.ours.append(_milliseconds(lambda: _book(self.ours, number)))
        self.ours.tidy(idle=True)
        times.replay.append(_milliseconds(lambda: replay(self.copy.conn, bare)))
        self.copy.checkpoint()
        scan_id = self.ours.new_id()
        times.lean.append(_milliseconds(lambda: self.lean.close_order(number, scan_id)))
        self.lean.checkpoint()

    def finish(self) -> None:
        """Prove that the replay did what the station did, and close everything."""
        same = read_head(self.copy.conn).hash == read_head(self.twin.db.conn).hash
        self.ours.close()
        self.twin.close()
        self.copy.close()
        self.lean.close()
        if not same:
            raise StationError("The replay ended with another log than the station: no figures.")


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
    benches = []
    for count in edges:
        tell(f"Preparing four databases with {count} genealogy edges")
        benches.append(_Bench(plant, edges=count, components=components, orders=orders))
    times = {(bench.edges, size): _Times([], [], []) for bench in benches for size in components}
    tell(f"Closing {orders * len(times) * 4} orders")
    collect_only_between_scans()
    for number in range(orders):
        if number == WARM_UP_ROUNDS:
            for each in times.values():
                each.ours, each.replay, each.lean = [], [], []
        for bench in benches:
            for size in components:
                bench.close_order(f"WO-{size}-{number}", times[bench.edges, size])
    for bench in benches:
        bench.finish()
    return [
        figure
        for (count, size), measured in times.items()
        for figure in _figures(count, size, measured)
    ]


def _figures(edges: int, components: int, times: _Times) -> Iterator[Figure]:
    ours_p50 = statistics.median(times.ours)
    for floor, floor_times in (("replay", times.replay), ("lean", times.lean)):
        floor_p50 = statistics.median(floor_times)
        yield Figure(
            case="close",
            floor=floor,
            components=components,
            edges=edges,
            n=len(times.ours),
            p50_ms=round(ours_p50, 3),
            p99_ms=round(p99(times.ours), 3),
            floor_p50_ms=round(floor_p50, 3),
            floor_p99_ms=round(p99(floor_times), 3),
            ratio=round(ours_p50 / floor_p50, 2),
            statements=times.statements,
            syncs=times.syncs,
        )


def _milliseconds(action: Callable[[], object]) -> float:
    began_ns = time.perf_counter_ns()
    action()
    return (time.perf_counter_ns() - began_ns) / 1_000_000


def _book(booking: Booking, number: str) -> None:
    request = booking.request_for(number.encode(), device="bench", badge=None, at=None)
    outcome = booking.book(request)
    if outcome.outcome != "completed" or outcome.exceptions:
        raise StationError(f"{number} was not closed cleanly: {outcome.message}")

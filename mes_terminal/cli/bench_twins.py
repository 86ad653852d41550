"""How `bench` measures a scan: the station's own way, against its statements replayed bare.

Three databases with one content: the station's A, its twin R and R's copy B. Each scan goes first
to R, untimed, where its statements and syncs are counted; then, timed, to A, from the received
bytes to the durable outcome; then its very statements, timed, to B in one transaction. All three
are checkpointed after each scan, outside the timing, as the station does. Called by the
`cli.bench_…` modules.
"""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

from msgspec import Struct

from mes_terminal.cli.bench_plant import RULES, Figure, figure_of
from mes_terminal.errors import StationError
from mes_terminal.station.booking import Booking
from mes_terminal.store.bench_floors import (
    Recorder,
    add_history,
    empty_wal,
    replay,
    synced_commits,
    without_control,
)
from mes_terminal.store.database import open_database
from mes_terminal.store.events import read_head

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mes_terminal.domain.outcome import OutcomeKind


class Scanned(Struct, frozen=True):
    """What one scan cost, or several together."""

    ours_ms: float
    replay_ms: float
    statements: int
    syncs: int

    def __add__(self, other: Scanned) -> Scanned:
        return Scanned(
            self.ours_ms + other.ours_ms,
            self.replay_ms + other.replay_ms,
            self.statements + other.statements,
            self.syncs + other.syncs,
        )


class Case(Struct):
    """What was measured of one case."""

    scans: list[Scanned] = []

    def figure(self, case: str, *, components: int, edges: int) -> Figure:
        """Return its row against the replay."""
        return self.against(
            "replay",
            [each.replay_ms for each in self.scans],
            case=case,
            components=components,
            edges=edges,
        )

    def against(
        self, floor: str, floors: list[float], *, case: str, components: int, edges: int
    ) -> Figure:
        """Return its row against any floor."""
        return figure_of(
            case,
            floor,
            components=components,
            edges=edges,
            ours=[each.ours_ms for each in self.scans],
            floors=floors,
            statements=max(each.statements for each in self.scans),
            syncs=max(each.syncs for each in self.scans),
        )


class Twins:
    """The three databases, made from one plant, with one amount of history."""

    def __init__(self, plant: Path, *, edges: int) -> None:
        self.edges = edges
        base = plant.with_name(f"base-{edges}.db")
        shutil.copyfile(plant, base)
        if edges:
            with_history = open_database(base)
            add_history(with_history, edges)
            empty_wal(with_history)
            with_history.close()
        twin, copy = base.with_name(f"twin-{edges}.db"), base.with_name(f"copy-{edges}.db")
        shutil.copyfile(base, twin)
        self._ours = Booking(base, RULES)
        self._twin = Booking(twin, RULES)
        empty_wal(self._ours.db)
        empty_wal(self._twin.db)
        shutil.copyfile(twin, copy)
        self._copy = open_database(copy)
        self._recorder = Recorder(self._twin.db.conn)
        self._twin.db.conn = self._recorder  # type: ignore[assignment]

    def scan(self, code: str, *, outcome: OutcomeKind = "completed") -> Scanned:
        """Scan a code in each of the three ways. Raises `StationError` for another outcome."""
        empty_wal(self._twin.db)
        self._recorder.taken()
        book(self._twin, code, outcome)
        recorded = self._recorder.taken()
        syncs = synced_commits(self._twin.db.path)
        bare = without_control(recorded)
        ours_ms = milliseconds(lambda: book(self._ours, code, outcome))
        self._ours.tidy(idle=True)
        replay_ms = milliseconds(lambda: replay(self._copy.conn, bare))
        self._copy.checkpoint()
        return Scanned(ours_ms, replay_ms, len(recorded), syncs)

    def new_id(self) -> str:
        """Return an id as the station makes them."""
        return self._ours.new_id()

    def finish(self) -> None:
        """Prove that the replay did what the station did, and close everything."""
        same = read_head(self._copy.conn).hash == read_head(self._twin.db.conn).hash
        self._ours.close()
        self._twin.close()
        self._copy.close()
        if not same:
            raise StationError("The replay ended with another log than the station: no figures.")


def book(booking: Booking, code: str, outcome: OutcomeKind = "completed") -> None:
    """Scan a code. Raises `StationError` if it does not end as it should."""
    request = booking.request_for(code.encode(), device="bench", badge=None, at=None)
    found = booking.book(request)
    if found.outcome != outcome or found.exceptions:
        raise StationError(f"{code} was not booked cleanly: {found.message}")


def milliseconds(action: Callable[[], object]) -> float:
    """Return how long something took."""
    began_ns = time.perf_counter_ns()
    action()
    return (time.perf_counter_ns() - began_ns) / 1_000_000

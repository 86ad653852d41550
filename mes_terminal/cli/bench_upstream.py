"""What a relay costs a scan: the same station closing orders without one and with one, in turns.

One store thread, as in the core, closes orders of ten lines at a steady rate. In every other block
a relay runs beside it, as in the core, against a simulated receiver: one that is dead, one that
answers after two seconds, and one that takes 50,000 postings that wait as fast as they come. What
is timed is a scan from its handing over until its outcome is durable. Called by `cli.bench`.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import threading
import time
from typing import TYPE_CHECKING, Final

import msgspec

from mes_terminal.cli.bench_plant import RULES, WARM_UP_ROUNDS, Figure, load_plant, p99
from mes_terminal.domain.posting import EventDraft
from mes_terminal.errors import StationError
from mes_terminal.settings.tables import Settings, StationTable
from mes_terminal.settings.upstream_tables import SimulatedTable, UpstreamTable
from mes_terminal.station.booking import collect_only_between_scans
from mes_terminal.station.clock import utc_now
from mes_terminal.station.core import READER_TURN_S
from mes_terminal.station.upstream import Upstream, make_connector
from mes_terminal.station.worker import Worker
from mes_terminal.store.events import append_events
from mes_terminal.usecases.deliver import waiting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mes_terminal.domain.outcome import Outcome
    from mes_terminal.domain.scan import Scan
    from mes_terminal.station.booking import Booking
    from mes_terminal.upstream.connector import Connector

COMPONENTS: Final = 10
BLOCK: Final = 25
"""Scans in a row without a relay, and then with one: both meet the same noise of the machine."""
SLOW_MS: Final = 2000
APPENDED: Final = 1000
"""Postings made in one transaction while the benchmark prepares."""

CASES: Final = {
    "dead": SimulatedTable(is_offline=True),
    "slow": SimulatedTable(delay_ms=SLOW_MS),
    "catch_up": SimulatedTable(),
}


class Station:
    """A store thread, and a loop for the relay, as the core has them."""

    def __init__(self, database: Path, settings: Settings, connector: Connector) -> None:
        self._database = database
        self._settings = settings
        self._connector = connector
        self._upstream: Upstream | None = None
        self._number = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loop", daemon=True)
        self._thread.start()
        self.worker = Worker(
            database, RULES, heard=self._heard, waiting=lambda _: None, settled=lambda _: None,
            died=_tell_death, rested=self._rested,
        )  # fmt: skip
        self.worker.start()
        self.worker.ready.result()

    def close_order(self) -> float:
        """Close the next order; return the milliseconds until its outcome."""
        code = f"WO-{COMPONENTS}-{self._number}".encode()
        self._number += 1
        began_ns = time.perf_counter_ns()
        outcome = self.worker.scan(lambda booking: booking.request_for(code, device="b")).result()
        took_ms = (time.perf_counter_ns() - began_ns) / 1_000_000
        if outcome.outcome != "completed":
            raise StationError(f"{outcome.code} was not closed: {outcome.message}")
        return took_ms

    def begin_relay(self) -> None:
        """Run a relay beside the scans."""

        async def begin() -> Upstream:
            upstream = Upstream(
                self._database,
                self._settings,
                self.worker,
                changed=lambda: None,
                loading=asyncio.Lock(),
                make=lambda _settings, _database: self._connector,
            )
            upstream.start()
            return upstream

        self._upstream = asyncio.run_coroutine_threadsafe(begin(), self._loop).result()

    def end_relay(self) -> None:
        """Stop it."""
        upstream, self._upstream = self._upstream, None
        assert upstream is not None
        asyncio.run_coroutine_threadsafe(upstream.stop(), self._loop).result()

    def finish(self) -> None:
        """Stop everything."""
        self.worker.stop()
        self.worker.join()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _heard(self, _scan: Scan, _outcome: Outcome) -> None:
        if self._upstream is not None:
            self._upstream.heard()

    def _rested(self, booking: Booking) -> None:
        if self._upstream is not None:
            self._upstream.settled(booking)


def _tell_death(error: BaseException) -> None:
    sys.stderr.write(f"{error}\n")


def bench_upstream(
    folder: Path, *, rounds: int, rate: int, backlog: int, tell: Callable[[str], None]
) -> list[Figure]:
    """Return a row for each case, against the same station without a relay (`off`).

    `rounds` closes are measured of each, `rate` a second; `backlog` postings wait in `catch_up`.
    """
    sys.setswitchinterval(READER_TURN_S)
    collect_only_between_scans()
    figures = []
    for case, table in CASES.items():
        tell(f"Loading {2 * rounds} orders for {case}")
        place = folder / case
        place.mkdir()
        database = load_plant(place, [COMPONENTS], 2 * rounds + BLOCK + WARM_UP_ROUNDS)
        settings = Settings(
            station=StationTable(id=RULES.station, site=RULES.site, mode="test"),
            upstream=UpstreamTable(kind="simulated", simulated=table),
        )
        station = Station(database, settings, make_connector(settings, database))
        try:
            figures.append(_measure(station, case, rounds, rate, backlog, tell))
        finally:
            station.finish()
    return figures


def _measure(
    station: Station, case: str, rounds: int, rate: int, backlog: int, tell: Callable[[str], None]
) -> Figure:
    for _ in range(WARM_UP_ROUNDS):
        station.close_order()
    if case == "catch_up":
        tell(f"Making {backlog} postings")
        _add_postings(station, backlog)
    tell(f"Closing {2 * rounds} orders, {rate} a second")
    times: dict[bool, list[float]] = {False: [], True: []}
    while len(times[True]) < rounds:
        for with_relay in (False, True):
            times[with_relay] += _block(station, rate, with_relay=with_relay)
    off, ours = times[False], times[True]
    p50, floor_p50 = statistics.median(ours), statistics.median(off)
    return Figure(
        case=case,
        floor="off",
        components=COMPONENTS,
        edges=0,
        n=len(ours),
        p50_ms=round(p50, 3),
        p99_ms=round(p99(ours), 3),
        floor_p50_ms=round(floor_p50, 3),
        floor_p99_ms=round(p99(off), 3),
        ratio=round(p50 / floor_p50, 2),
    )


def _block(station: Station, rate: int, *, with_relay: bool) -> list[float]:
    if with_relay:
        station.begin_relay()
    times = []
    due_s = time.monotonic()
    for _ in range(BLOCK):
        due_s += 1 / rate
        time.sleep(max(0.0, due_s - time.monotonic()))
        times.append(station.close_order())
    if with_relay:
        station.end_relay()
    return times


def _add_postings(station: Station, count: int) -> None:
    """Queue postings as large as those of the orders, in five hundred lanes."""

    def add(booking: Booking, first: int) -> None:
        newest = waiting(booking.db, after=0, limit=1_000, bytes_max=1_000_000_000)[-1]
        data = msgspec.json.decode(newest.body, type=dict[str, msgspec.Raw])["data"]
        drafts = [
            EventDraft(
                type="production.completed", subject=f"OLD-{number % 500}",
                partition_key=f"OLD-{number % 500}", event_time=utc_now(), data=data, upstream=True,
            )
            for number in range(first, min(first + APPENDED, count))
        ]  # fmt: skip
        with booking.db.transaction() as conn:
            append_events(conn, drafts, rules=RULES, recorded_at=utc_now())
        booking.db.checkpoint()

    for first in range(0, count, APPENDED):
        station.worker.do(lambda booking, first=first: add(booking, first)).result()  # type: ignore[misc]

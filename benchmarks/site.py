"""How many postings a second the site's inbox takes, and what it waits for.

    .venv/bin/python -m benchmarks.site [--seconds 5] [--stations 1 10 50] [--batch 1 10 100]

Starts a PostgreSQL of its own in a temporary folder, with its real commits. Each station posts from
a thread of its own, batch after batch: reports of one unit of an order with five components by lot
(six ledger rows, six links), among twenty orders. `shared`: all stations report the same orders and
draw the same lots. A row a case: postings a second, milliseconds of a batch, and where the time of
two processors went: this process, PostgreSQL, and commits (the same again without waiting for the
disk, `synchronous_commit = off`).
"""

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, product
from pathlib import Path
from typing import Final, NamedTuple

import psycopg

from mes_terminal.cli.local_servers import Postgres
from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.inbox import Inbox, SiteBusyError
from tests.upstream.posting_station import PostingStation, made, used

COMPONENTS: Final = 5
ORDERS: Final = 20
POSTINGS_MAX: Final = 4000
"""Made beforehand for each station: more than it gets rid of in the time."""
HEAD: Final = (
    "stations", "batch", "commit", "rows", "postings/s", "p50 ms", "p99 ms", "here %", "postgres %",
)  # fmt: skip

_names = count(1)


class Case(NamedTuple):
    """What is measured."""

    stations: int
    batch: int
    waits_for_disk: bool
    shared: bool


class Figures(NamedTuple):
    """What came out."""

    per_second: float
    p50_ms: float
    p99_ms: float
    here: float
    """Processors that this process kept busy."""
    postgres: float


def bodies_of(station: str, number: int, postings: int, *, shared: bool) -> list[bytes]:
    """Return the postings of a station."""
    mine = "" if shared else f"-{station}"
    posting = PostingStation(station, epoch=f"{number:016x}")
    for unit in range(postings):
        order = f"WO-{unit % ORDERS}{mine}"
        lots = [
            used(f"PART-{part}", "4", f"LINE{mine}", lot=f"L-{part}{mine}", line=f"{part}0")
            for part in range(COMPONENTS)
        ]
        posting.report(order, made("CHAIR", "1", f"FG{mine}", lot=order), *lots)
    return posting.bodies


def measure(server: Postgres, case: Case, seconds: float) -> Figures:
    """Run one case on a database of its own."""
    name = f"bench_{next(_names)}"
    url = server.new_database(name)
    if not case.waits_for_disk:
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
    database = SiteDatabase(url)
    database.migrate()
    inbox = Inbox(database)
    each = min(POSTINGS_MAX, max(200, POSTINGS_MAX * 4 // case.stations), case.batch * 400)
    queues = [
        bodies_of(f"S{number}", number, each, shared=case.shared) for number in range(case.stations)
    ]
    postmaster = _postmaster(url)
    began = threading.Barrier(case.stations + 1)
    ends_at = [0.0]

    def post(bodies: list[bytes]) -> tuple[int, list[float]]:
        took: list[float] = []
        began.wait()
        done = 0
        while time.perf_counter() < ends_at[0] and done < len(bodies):
            start = time.perf_counter()
            try:
                answers = inbox.take(bodies[done : done + case.batch])
            except SiteBusyError:
                continue
            took.append(time.perf_counter() - start)
            assert {one.outcome for one in answers} == {"accepted"}
            done += len(answers)
        return done, took

    with ThreadPoolExecutor(case.stations) as pool:
        futures = [pool.submit(post, bodies) for bodies in queues]
        here, there, start = time.process_time(), _cpu_of(postmaster), time.perf_counter()
        ends_at[0] = start + seconds
        began.wait()
        results = [future.result() for future in futures]
        took_s = time.perf_counter() - start
        here, there = time.process_time() - here, _cpu_of(postmaster) - there
    database.close()
    batches = sorted(each for _, took in results for each in took)
    return Figures(
        sum(done for done, _ in results) / took_s,
        statistics.median(batches) * 1e3,
        batches[min(len(batches) - 1, len(batches) * 99 // 100)] * 1e3,
        here / took_s,
        there / took_s,
    )


def _postmaster(url: str) -> int:
    """Return the process that all of the server's processes come from."""
    with psycopg.connect(url) as conn:
        row = conn.execute("SELECT pg_backend_pid()").fetchone()
        assert row is not None
        stat = Path(f"/proc/{row[0]}/stat").read_text()
    return int(stat.rpartition(")")[2].split()[1])


def _cpu_of(postmaster: int) -> float:
    """Return the processor seconds of a server, processes that have ended included."""
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == postmaster:
            ticks += int(fields[11]) + int(fields[12])
        if stat.parent.name == str(postmaster):
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def main(arguments: list[str]) -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--stations", type=int, nargs="+", default=[1, 10, 50])
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 10, 100])
    asked = parser.parse_args(arguments)
    print("  ".join(f"{each:>10}" for each in HEAD))
    with tempfile.TemporaryDirectory() as folder:
        server = Postgres(Path(folder) / "postgres")
        server.start()
        try:
            for stations, batch, waits, shared in product(
                asked.stations, asked.batch, (True, False), (False, True)
            ):
                if shared and (stations == 1 or not waits):
                    continue
                case = Case(stations, batch, waits, shared)
                figures = measure(server, case, asked.seconds)
                cells = [
                    stations, batch, "disk" if waits else "memory", "shared" if shared else "own",
                    f"{figures.per_second:.0f}", f"{figures.p50_ms:.1f}", f"{figures.p99_ms:.1f}",
                    f"{figures.here * 100:.0f}", f"{figures.postgres * 100:.0f}",
                ]  # fmt: skip
                print("  ".join(f"{each!s:>10}" for each in cells), flush=True)
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

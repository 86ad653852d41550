"""What a trace costs when years of genealogy are there.

    .venv/bin/python -m benchmarks.trace 1000000
    .venv/bin/python -m benchmarks.trace 100000 10000000 --folder /var/tmp

For each number of edges it makes a database of its own and prints how large it is, what a trace
takes backward and forward, cold (the file is dropped from memory first) and warm, and what writing
one report's edges takes. Lots stand in seven levels; a unit is made of sixty lots, those of twenty
each and so on, so that its trace meets a few thousand. Nothing of the station is touched.
"""

import argparse
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from mes_terminal.store.database import Database, open_database, open_reader
from mes_terminal.usecases.trace import trace_rows

LEVELS = 7
PARENTS = (60, 20, 6, 2, 2, 2)
"""How many lots one lot is made of, by its level from the top."""
REPORT_EDGES = 60
ROUNDS = 20
WRITES = 200
NEW_REPORT = 10_000_000_000
"""Of the edges that are written while it is measured."""
PAIR_MICRO = 4_000_000


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("edges", type=int, nargs="+", help="how many edges the ledger has")
    parser.add_argument("--folder", type=Path, help="on which disk; without it the temporary one")
    arguments = parser.parse_args()
    for edges in arguments.edges:
        folder = Path(tempfile.mkdtemp(dir=arguments.folder, prefix="trace-"))
        try:
            measure(folder / "station.db", edges)
        finally:
            shutil.rmtree(folder)
    return 0


def measure(path: Path, edges: int) -> None:
    """Make a ledger of `edges` edges and print what it costs."""
    database = open_database(path)
    began_s = time.perf_counter()
    products = fill(database, edges)
    took_s = time.perf_counter() - began_s
    database.checkpoint()
    print(f"{edges} edges, {path.stat().st_size / 1e6:.0f} MB, made in {took_s:.0f} s")
    print_writes(database)
    chosen = [products * n // ROUNDS for n in range(ROUNDS)]
    traces = {
        "a unit backward": [("L0", n, "backward") for n in chosen],
        "a lot of level 3 backward": [("L3", n, "backward") for n in chosen],
        "a lot of level 3 forward": [("L3", n, "forward") for n in chosen],
    }
    for name, asked in traces.items():
        print_trace(path, name, asked)
    database.close()


def level_sizes(edges: int) -> list[int]:
    """Return how many lots each level has, from the top, so that the edges are as many as asked.

    Each level has as many lots as the one above, but the lowest: purchased lots are few.
    """
    lots = max(1, round(edges / sum(PARENTS)))
    return [lots] * (LEVELS - 1) + [max(1, lots // 10)]


def fill(database: Database, edges: int) -> int:
    """Write items, lots, reports and edges; return how many units the top level has."""
    conn = database.conn
    sizes = level_sizes(edges)
    (index,) = conn.execute("SELECT sql FROM sqlite_schema WHERE name = 'edge_forward'").fetchone()
    conn.execute("PRAGMA foreign_keys = OFF")
    with database.transaction():
        conn.executemany(
            "INSERT INTO item (item_id, item, kind) VALUES (?, ?, 'manufactured')",
            [(level + 1, f"L{level}") for level in range(LEVELS)],
        )
        conn.executemany(
            "INSERT INTO lot (lot_id, item_id, lot) VALUES (?, ?, ?)",
            (
                (lot_id(level, number), level + 1, str(number))
                for level, size in enumerate(sizes)
                for number in range(size)
            ),
        )
        conn.execute("DROP INDEX edge_forward")
        conn.executemany("INSERT INTO edge VALUES (?, ?, ?, 1, ?, 'assumed')", rows(sizes))
        conn.execute(index)
        reports = edges // REPORT_EDGES + 1
        conn.executemany(
            "INSERT INTO scan_journal (scan_seq, scan_id, received_at, device, raw, truncated) "
            "VALUES (?, ?, '', 'bench', x'00', 0)",
            ((n, f"01a1fd14-5fa7-771b-b41a-{n:012d}") for n in range(1, reports + 1)),
        )
        conn.executemany(
            "INSERT INTO event (event_seq, type, event_time, recorded_at, scan_seq, hash, body) "
            "VALUES (?, 'production.completed', '', '', ?, '', '')",
            ((n, n) for n in range(1, reports + 1)),
        )
    conn.execute("PRAGMA foreign_keys = ON")
    return sizes[0]


def rows(sizes: list[int]) -> Iterator[tuple[int, int, int, int]]:
    """Yield child, parent, report and quantity in key order; spread without chance."""
    written = 0
    for level, count in enumerate(PARENTS):
        below = sizes[level + 1]
        for number in range(sizes[level]):
            # lots that were used about the same time: neighbours, a little apart
            first = number * below // sizes[level]
            parents = sorted({(first + n * 7 + number % 5) % below for n in range(count)})
            for parent in parents:
                written += 1
                report = 1 + written // REPORT_EDGES
                yield lot_id(level, number), lot_id(level + 1, parent), report, PAIR_MICRO


def lot_id(level: int, number: int) -> int:
    """Return the id of a lot; the levels' lots lie among each other, as time goes on in a plant."""
    return 1 + number * LEVELS + level


def print_trace(path: Path, name: str, asked: list[tuple[str, int, str]]) -> None:
    """Print the size and times of like traces."""
    cold_ms: list[float] = []
    warm_ms: list[float] = []
    found: list[int] = []
    for item, number, direction in asked:
        forget(path)
        reader = open_reader(path)
        filters = {"item": item, "lot": str(number), "direction": direction}
        for times in (cold_ms, warm_ms):
            began_s = time.perf_counter()
            answer = sum(1 for _ in trace_rows(reader, filters)) - 1
            times.append((time.perf_counter() - began_s) * 1000)
        found.append(answer)
        reader.close()
    print(
        f"  {name}: {statistics.median(found):.0f} rows, cold {statistics.median(cold_ms):.1f} ms, "
        f"warm {statistics.median(warm_ms):.1f} ms"
    )


def print_writes(database: Database) -> None:
    """Print what the edges of one report take, committed and synced."""
    conn = database.conn
    (last,) = conn.execute("SELECT max(lot_id) FROM lot").fetchone()
    conn.executemany(
        "INSERT INTO lot (lot_id, item_id, lot) VALUES (?, 1, ?)",
        [(last + 1 + number, f"NEW-{number}") for number in range(WRITES)],
    )
    times_ms = []
    for number in range(WRITES):
        spread = [1 + (number * 7919 + n * 104_729) % last for n in range(REPORT_EDGES)]
        edges = [(last + 1 + number, each, NEW_REPORT, PAIR_MICRO) for each in sorted(set(spread))]
        began_s = time.perf_counter()
        with database.transaction():
            conn.executemany("INSERT INTO edge VALUES (?, ?, ?, 1, ?, 'assumed')", edges)
        times_ms.append((time.perf_counter() - began_s) * 1000)
        database.checkpoint()
    print(f"  writing {REPORT_EDGES} edges: p50 {statistics.median(times_ms):.2f} ms, "
          f"p99 {sorted(times_ms)[-WRITES // 100]:.2f} ms")  # fmt: skip


def forget(path: Path) -> None:
    """Ask the kernel to drop the file from memory."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
        os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main())

"""How many postings a second one station brings through each door, and how long one takes.

`python -m benchmarks.upstream_doors [http nats mqtt nats-hub-1 nats-hub-3 nats-leaf-3]`: real
PostgreSQL, NATS and Mosquitto on this machine, the receiver in a process of its own. `nats-hub-N`
is a cluster of three servers of which N keep each message, `nats-leaf-N` the same through a leaf
node. A table in Markdown on standard output.
"""

import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from mes_terminal.domain.delivery import QueuedPosting
from mes_terminal.upstream.connector import Connector
from tests.upstream.connector_bench import BENCHES, Bench
from tests.upstream.made_postings import made
from tests.upstream.nats_cluster import HubBench, LeafServer, NatsHub, ways_to
from tests.upstream.servers import Postgres, Server

BATCHES = (1, 10, 50, 250)
POSTINGS = 2000
SINGLE = 200
IN_FLIGHT = 4
HUBS = ("nats-hub-1", "nats-hub-3", "nats-leaf-3")


@contextmanager
def bench_of(kind: str, folder: Path, postgres: Postgres) -> Iterator[Bench]:
    """Give a bench with its broker and receiver running."""
    database = postgres.new_database(f"bench_{kind.replace('-', '_')}")
    if kind in HUBS:
        with _hub_bench(kind, folder, database) as found:
            yield found
        return
    started: list[Server] = []

    def start(server: type[Server]) -> Server:
        started.append(server(folder / server.__name__.lower()))
        started[-1].start()
        return started[-1]

    bench = BENCHES[kind](folder, database, start)
    bench.start()
    try:
        yield bench
    finally:
        bench.stop()
        for each in started:
            each.stop()


@contextmanager
def _hub_bench(kind: str, folder: Path, database: str) -> Iterator[Bench]:
    """Give a bench before a cluster of three."""
    hub = NatsHub(folder)
    leaf = LeafServer(folder / "leaf", ways_to(hub)) if "leaf" in kind else None
    try:
        hub.start()
        asyncio.run(hub.ready())
        if leaf is not None:
            leaf.join()
            leaf.start()
        bench = HubBench(folder, database, hub, leaf, replicas=int(kind[-1]))
        bench.start()
        try:
            yield bench
        finally:
            bench.stop()
    finally:
        if leaf is not None:
            leaf.stop()
            leaf.cut_off()
        hub.stop()


async def rate(connector: Connector, postings: Sequence[QueuedPosting], batch: int) -> float:
    """Return postings a second, so many calls side by side as the connector takes."""
    batches = iter([list(postings[at : at + batch]) for at in range(0, len(postings), batch)])

    async def work() -> None:
        for each in batches:
            answers = await connector.deliver(each)
            assert len(answers) == len(each)

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(min(IN_FLIGHT, connector.parallel_max))))
    return len(postings) / (time.perf_counter() - began)


async def measure(bench: Bench) -> list[str]:
    """Return the cells of a connector's row."""
    connector = await bench.open()
    epochs = iter(f"{number:016x}" for number in range(1, 100))
    await rate(connector, made(50, lanes=50, epoch=next(epochs)), 50)
    took = []
    for posting in made(SINGLE, lanes=SINGLE, epoch=next(epochs)):
        began = time.perf_counter()
        await connector.deliver([posting])
        took.append((time.perf_counter() - began) * 1000)
    cells = [f"{statistics.median(took):.0f}", f"{sorted(took)[int(SINGLE * 0.95)]:.0f}"]
    for batch in BATCHES:
        if batch > connector.batch_max:
            cells.append("")
            continue
        count = min(POSTINGS, batch * 100)
        found = made(count, lanes=count, epoch=next(epochs))
        cells.append(f"{await rate(connector, found, batch):.0f}")
    size = len(msgspec.json.encode(msgspec.Raw(made(1)[0].body)))
    print(f"<!-- {bench.kind}: bodies of {size} bytes -->", flush=True)
    await bench.close()
    return cells


def main() -> None:
    """Measure and print."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    postgres = Postgres(folder / "postgres")
    postgres.start()
    print("| connector | p50 ms | p95 ms | " + " | ".join(f"{n} a call" for n in BATCHES) + " |")
    print("| --- " * (3 + len(BATCHES)) + "|")
    try:
        for kind in sys.argv[1:] or sorted(BENCHES):
            (folder / kind).mkdir()
            with bench_of(kind, folder / kind, postgres) as bench:
                cells = asyncio.run(measure(bench))
            print(f"| `{kind}` | " + " | ".join(cells) + " |", flush=True)
    finally:
        postgres.stop()


if __name__ == "__main__":
    main()

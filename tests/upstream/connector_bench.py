"""A connector with the real server behind it: broker, receiver and database, each to be killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import psycopg

from mes_terminal.domain.delivery import Answer, Hello, QueuedPosting
from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import (
    FileConnectorTable,
    HttpConnectorTable,
    MqttTable,
    NatsTable,
    UpstreamTable,
)
from mes_terminal.upstream.connector import Connector, StationIdentity
from mes_terminal.upstream.connectors import connector_of
from tests.architecture.source import ROOT
from tests.upstream.made_postings import EPOCH, source_of
from tests.upstream.servers import Mosquitto, NatsServer, Server, free_port

READY_MAX_S = 30.0
DELIVER_MAX_S = 90.0
BACK_OFF_S = 0.05
StartServer = Callable[[type[Server]], Server]


class Bench:
    """What the contract suite needs of a connector; one subclass for each."""

    kind = ""
    judges = True
    """Whether the answers are the receiver's; else it takes in later what has been answered."""

    def __init__(self, folder: Path, database: str, start: StartServer) -> None:
        self.folder = folder
        self.database = database
        self.broker = self.start_broker(start)
        self._receiver: subprocess.Popen[bytes] | None = None
        self._connectors: list[Connector] = []

    def start_broker(self, start: StartServer) -> Server | None:
        """Start what stands between station and receiver, if anything does."""
        return None

    def upstream(self) -> UpstreamTable:
        """Return the station's settings."""
        raise NotImplementedError

    def site(self) -> dict[str, Any]:
        """Return the receiver's settings."""
        raise NotImplementedError

    async def started(self, *, die_after_commits: int | None = None) -> Connector:
        """Start the receiver and return a connector."""
        self.start(die_after_commits=die_after_commits)
        return await self.open()

    async def open(self, station: str = "ST-1") -> Connector:
        """Return a connector of a station."""
        connector = self.connector(station)
        await connector.open()
        return connector

    def connector(self, station: str = "ST-1", upstream: UpstreamTable | None = None) -> Connector:
        """Return a connector that is not open yet; it is closed at the end."""
        identity = StationIdentity(
            source=source_of(station), site="PLANT", station=station,
            database=self.folder / "station.db",
        )  # fmt: skip
        connector = connector_of(upstream or self.upstream(), identity)
        self._connectors.append(connector)
        return connector

    def start(self, *, die_after_commits: int | None = None) -> None:
        """Start the receiver and wait until it takes postings."""
        wanted = {"kind": self.kind, "site": {"database": self.database, **self.site()},
                  "die_after_commits": die_after_commits}  # fmt: skip
        with (self.folder / "receiver.log").open("ab") as log:
            self._receiver = subprocess.Popen(
                [sys.executable, "-m", "tests.upstream.receiver_process", json.dumps(wanted)],
                cwd=ROOT, stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        assert self._receiver.stdout is not None
        said = self._receiver.stdout.readline()
        assert said == b"ready\n", (self.folder / "receiver.log").read_text()[-3000:]

    def kill(self) -> None:
        """End the receiver as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let the receiver end by itself."""
        self._end(signal.SIGTERM)

    def wait_dead(self) -> None:
        """Wait until the receiver has died by itself."""
        assert self._receiver is not None
        self._receiver.wait(READY_MAX_S)
        self.kill()

    async def close(self) -> None:
        """End everything."""
        for each in self._connectors:
            await each.close()
        self.kill()

    def _end(self, number: signal.Signals) -> None:
        if self._receiver is not None:
            if self._receiver.poll() is None:
                os.kill(self._receiver.pid, number)
            self._receiver.wait(READY_MAX_S)
            assert self._receiver.stdout is not None
            self._receiver.stdout.close()
            self._receiver = None

    async def settle(self, connector: Connector) -> None:
        """Wait until the receiver has what was answered."""

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Return what the receiver's database says."""
        with psycopg.connect(self.database) as conn:
            return conn.execute(sql).fetchall()

    def change(self, sql: str) -> None:
        """Change the receiver's database, as the ERP would."""
        with psycopg.connect(self.database) as conn:
            conn.execute(sql)

    def pieces(self) -> int:
        """Return the pieces that are in stock at the receiver: one for each effect."""
        return int(self.rows("SELECT coalesce(sum(quantity_micro), 0) FROM balance")[0][0]) // 10**6

    def lanes(self) -> list[tuple[str, int]]:
        """Return lane and sequence of all that arrived, in the order in which it took effect."""
        return self.rows("SELECT work_order, sequence FROM posting ORDER BY decided_at, posting_id")


class HttpBench(Bench):
    """`http` with the site's door for HTTP."""

    kind = "http"

    def __init__(self, folder: Path, database: str, start: StartServer) -> None:
        super().__init__(folder, database, start)
        self.port = free_port()

    def upstream(self) -> UpstreamTable:
        return UpstreamTable(
            kind="http", http=HttpConnectorTable(url=f"http://127.0.0.1:{self.port}")
        )

    def site(self) -> dict[str, Any]:
        return {"listen": f"127.0.0.1:{self.port}"}


class NatsBench(Bench):
    """`nats` with a JetStream server and the site's door for it."""

    kind = "nats"
    duplicate_window_s = 120

    def start_broker(self, start: StartServer) -> Server:
        return start(NatsServer)

    def upstream(self) -> UpstreamTable:
        assert isinstance(self.broker, NatsServer)
        return UpstreamTable(kind="nats", nats=NatsTable(url=self.broker.url))

    def site(self) -> dict[str, Any]:
        assert isinstance(self.broker, NatsServer)
        return {"nats": {"url": self.broker.url, "duplicate_window_s": self.duplicate_window_s}}


class MqttBench(Bench):
    """`mqtt` with Mosquitto and the site's door for it."""

    kind = "mqtt"

    def start_broker(self, start: StartServer) -> Server:
        return start(Mosquitto)

    def upstream(self) -> UpstreamTable:
        assert isinstance(self.broker, Mosquitto)
        return UpstreamTable(kind="mqtt", mqtt=MqttTable(url=self.broker.url))

    def site(self) -> dict[str, Any]:
        assert isinstance(self.broker, Mosquitto)
        return {"mqtt": {"url": self.broker.url}}


class FileBench(Bench):
    """`file` with the site's reader of folders."""

    kind = "file"
    judges = False

    def upstream(self) -> UpstreamTable:
        table = FileConnectorTable(folder=str(self.folder / "outbox"), seal_s=1)
        return UpstreamTable(kind="file", file=table)

    def site(self) -> dict[str, Any]:
        return {"folders": [str(self.folder / "outbox")]}

    async def settle(self, connector: Connector) -> None:
        await connector.close()  # seals the open file
        deadline = time.monotonic() + DELIVER_MAX_S
        while left := list((self.folder / "outbox").glob("????/*.jsonl")):
            assert time.monotonic() < deadline, f"not taken: {left}"
            await asyncio.sleep(BACK_OFF_S)


BENCHES: dict[str, type[Bench]] = {
    "file": FileBench, "http": HttpBench, "mqtt": MqttBench, "nats": NatsBench,
}  # fmt: skip


def hello_of(postings: Sequence[QueuedPosting]) -> Hello:
    """Return what a station with these postings says first."""
    first = postings[0]
    return Hello(
        source=first.source, station=first.source.rpartition(":")[2], epoch=first.epoch,
        first_sequence=1, last_sequence=postings[-1].sequence, head="0" * 64,
        head_sequence=postings[-1].sequence, down_version=0, software="0.1.0",
    )  # fmt: skip


def next_batch(connector: Connector, waiting: Sequence[QueuedPosting]) -> list[QueuedPosting]:
    """Return what a relay would send next."""
    batch: list[QueuedPosting] = []
    lanes: set[str] = set()
    for each in waiting:
        if len(batch) < connector.batch_max and not (connector.one_per_lane and each.lane in lanes):
            batch.append(each)
        lanes.add(each.lane)
    return batch


async def deliver_all(
    connector: Connector, postings: Sequence[QueuedPosting], *, batches_max: int | None = None,
    after_batch: Callable[[int], None] | None = None,
) -> dict[int, Answer]:  # fmt: skip
    """Deliver as a relay does, trying again after every fault; return the last answers.

    What stands behind a refused one of its lane is not sent. `after_batch` is told how many
    batches were answered.
    """
    told: dict[int, Answer] = {}
    waiting = list(postings)
    deadline = time.monotonic() + DELIVER_MAX_S
    batches = 0
    trouble: TransportError | None = None
    while waiting and (batches_max is None or batches < batches_max):
        assert time.monotonic() < deadline, f"{len(waiting)} still wait: {trouble}"
        try:
            answers = await connector.deliver(next_batch(connector, waiting))
        except TransportError as error:
            trouble = error
            await asyncio.sleep(BACK_OFF_S)
            continue
        batches += 1
        told |= {each.sequence: each for each in answers}
        refused = {each.sequence for each in told.values() if each.outcome == "refused"}
        stuck = {each.lane for each in postings if each.sequence in refused}
        waiting = [
            each
            for each in waiting
            if each.lane not in stuck and told.get(each.sequence, _NONE).outcome != "accepted"
        ]
        if after_batch is not None:
            after_batch(batches)
    return told


_NONE = Answer(source="", epoch=EPOCH, sequence=0, outcome="deferred")

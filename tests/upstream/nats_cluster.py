"""NATS beyond one server: a hub of three, and a leaf node at a line's gateway in front of it.

The way from the leaf to the hub is a proxy, so that it can be cut while both live.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import ClusterInfo

from mes_terminal.settings.upstream_tables import NatsTable, UpstreamTable
from tests.upstream.connector_bench import Bench
from tests.upstream.faulty_proxy import READ_BYTES, FaultyProxy
from tests.upstream.servers import NatsServer, Server, free_port

READY_MAX_S = 60.0
LOOK_EVERY_S = 0.05
HUB_DOMAIN = "hub"
T = TypeVar("T")


class HubServer(NatsServer):
    """One of the hub's three."""

    def __init__(self, folder: Path, number: int) -> None:
        super().__init__(folder)
        self.server_name = f"hub-{number}"
        self.cluster_port = free_port()
        self.leaf_port = free_port()
        self.routes: Sequence[str] = ()

    def prepare(self) -> None:
        (self.folder / "nats.conf").write_text(
            f"server_name: {self.server_name}\n"
            f"jetstream {{ domain: {HUB_DOMAIN} }}\n"
            f'cluster {{ name: hub, listen: "127.0.0.1:{self.cluster_port}", '
            f"routes: [{', '.join(self.routes)}] }}\n"
            f'leafnodes {{ listen: "127.0.0.1:{self.leaf_port}", no_advertise: true }}\n'
        )

    def command(self) -> list[str]:
        return [*super().command(), "-c", str(self.folder / "nats.conf")]


class NatsHub:
    """Three servers with JetStream; each to be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.servers = [HubServer(folder / f"hub{number}", number) for number in (1, 2, 3)]
        for each in self.servers:
            each.routes = [f'"nats://127.0.0.1:{other.cluster_port}"' for other in self.servers]

    @property
    def url(self) -> str:
        """Where clients connect to: all three, as settings name them."""
        return ",".join(each.url for each in self.servers)

    def start(self) -> None:
        """Start all; `ready` tells when they have agreed on who leads."""
        for each in self.servers:
            each.start()

    def stop(self) -> None:
        """End all."""
        for each in self.servers:
            each.kill()

    async def connect(self) -> Client:
        """Return a client of the hub that finds whichever server lives."""
        return await nats.connect(
            [each.url for each in self.servers], max_reconnect_attempts=-1, reconnect_time_wait=0.1
        )

    async def ready(self) -> None:
        """Wait until JetStream takes requests."""
        await self._until(lambda stream: stream.account_info())

    async def leader(self, stream: str) -> HubServer:
        """Return the server that leads a stream."""
        return await self._of(stream, leads=True)

    async def follower(self, stream: str) -> HubServer:
        """Return another one that has its copy."""
        return await self._of(stream, leads=False)

    async def caught_up(self, stream: str) -> None:
        """Wait until every server has all of a stream."""
        await self._cluster(stream)

    async def replicas(self, stream: str) -> int:
        """Return how many copies a stream is to have."""
        info = await self._until(lambda context: context.stream_info(stream))
        return info.config.num_replicas or 0

    async def _of(self, stream: str, *, leads: bool) -> HubServer:
        name = (await self._cluster(stream)).leader
        return next(each for each in self.servers if (each.server_name == name) == leads)

    async def _cluster(self, stream: str) -> ClusterInfo:
        async def look(context: JetStreamContext) -> ClusterInfo | None:
            found = (await context.stream_info(stream)).cluster
            others = (found.replicas if found else None) or []
            whole = len(others) == len(self.servers) - 1 and all(each.current for each in others)
            return found if whole and found and found.leader else None

        return await self._until(look)

    async def _until(self, look: Callable[[JetStreamContext], Awaitable[T | None]]) -> T:
        """Return what is seen as soon as something is."""
        deadline = time.monotonic() + READY_MAX_S
        client = await self.connect()
        try:
            while True:
                with contextlib.suppress(nats.errors.Error, nats.js.errors.Error, TimeoutError):
                    found = await look(client.jetstream(timeout=1))
                    if found is not None:
                        return found
                assert time.monotonic() < deadline, "the hub does not find itself"
                await asyncio.sleep(LOOK_EVERY_S)
        finally:
            await client.close()


class LeafServer(NatsServer):
    """The server at a line's gateway, which reaches the hub by `ways`. With `domain` it has a
    JetStream of its own."""

    def __init__(
        self, folder: Path, ways: Sequence[FaultyProxy], *, domain: str | None = None
    ) -> None:
        super().__init__(folder)
        self._ways = ways
        self._domain = domain
        self._is_joined = False

    def prepare(self) -> None:
        urls = ", ".join(f'"nats://127.0.0.1:{each.port}"' for each in self._ways)
        own = (
            f'jetstream {{ domain: {self._domain}, store_dir: "{self.folder / "data"}" }}\n'
            if self._domain
            else ""
        )
        (self.folder / "nats.conf").write_text(
            f"server_name: leaf\n{own}"
            f"leafnodes {{ reconnect: 1, remotes: [ {{ urls: [{urls}] }} ] }}\n"
        )

    def command(self) -> list[str]:
        return ["nats-server", "-a", "127.0.0.1", "-p", str(self.port),
                "-c", str(self.folder / "nats.conf")]  # fmt: skip

    def cut_off(self) -> None:
        """Cut every way to the hub."""
        for each in self._ways if self._is_joined else ():
            each.stop()
        self._is_joined = False

    def join(self) -> None:
        """Open the ways; the leaf node finds them by itself."""
        for each in () if self._is_joined else self._ways:
            each.start()
        self._is_joined = True


async def _as_they_come(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield bytes that nobody looks at, for `FaultyProxy`."""
    while part := await reader.read(READ_BYTES):
        yield part, False


def ways_to(hub: NatsHub) -> list[FaultyProxy]:
    """Return the ways of leaf nodes to the servers of a hub, not open yet."""
    return [
        FaultyProxy(("127.0.0.1", each.leaf_port), _as_they_come, port=free_port())
        for each in hub.servers
    ]


class HubBench(Bench):
    """The `nats` connector before a hub, through a leaf node if one is given."""

    kind = "nats"

    def __init__(
        self, folder: Path, database: str, hub: NatsHub, leaf: LeafServer | None,
        *, replicas: int = 3,
    ) -> None:  # fmt: skip
        super().__init__(folder, database, _nothing)
        self.hub = hub
        self._leaf = leaf
        self._replicas = replicas

    def upstream(self) -> UpstreamTable:
        if self._leaf is None:
            return UpstreamTable(kind="nats", nats=NatsTable(url=self.hub.url))
        return UpstreamTable(kind="nats", nats=NatsTable(url=self._leaf.url, domain=HUB_DOMAIN))

    def site(self) -> dict[str, Any]:
        return {"nats": {"url": self.hub.url, "replicas": self._replicas}}


def _nothing(kind: type[Server]) -> Server:
    raise AssertionError(f"{kind} is started by whoever makes the bench")

"""NATS as a plant has it: three servers at the hub, three replicas, and the station behind a leaf
node. Servers are killed and the way between leaf and hub is cut; one piece in stock is one effect.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Literal

import pytest
import pytest_asyncio
from nats.js.errors import BadRequestError

from mes_terminal.domain.delivery import QueuedPosting
from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import SiteNatsTable
from mes_terminal.site.doors import Offers
from mes_terminal.site.doors import nats as door
from mes_terminal.upstream.connector import Connector
from mes_terminal.upstream.connectors.addresses import DOWN_BUCKET, POST_STREAM
from mes_terminal.upstream.connectors.nats import NatsConnector
from tests.unit.memory_inbox import MemoryInbox
from tests.upstream.connector_bench import deliver_all, next_batch
from tests.upstream.made_postings import lanes_in_order, made
from tests.upstream.nats_cluster import (
    HUB_DOMAIN,
    HubBench,
    HubServer,
    LeafServer,
    NatsHub,
    ways_to,
)
from tests.upstream.servers import NatsServer
from tests.upstream.test_nats_stream import Door, MemoryDown, connector_to, until

BUCKET_STREAM = f"KV_{DOWN_BUCKET}"
LEAF_DOMAINS = {"without JetStream": None, "with a JetStream of its own": "line3"}


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[NatsHub]:
    """Three servers, each to be killed."""
    if missing := NatsServer.missing():
        pytest.skip(missing)
    found = NatsHub(tmp_path)
    found.start()
    yield found
    found.stop()


@pytest.fixture
def leaf(request: pytest.FixtureRequest, tmp_path: Path, hub: NatsHub) -> Iterator[LeafServer]:
    """A leaf node before the hub."""
    found = LeafServer(tmp_path / "leaf", ways_to(hub), domain=getattr(request, "param", None))
    found.join()
    found.start()
    yield found
    found.stop()
    found.cut_off()


@pytest_asyncio.fixture
async def bench(
    tmp_path: Path, site_database: str, hub: NatsHub, leaf: LeafServer
) -> AsyncIterator[HubBench]:
    """The receiver runs, and the stream has its three copies."""
    await hub.ready()
    found = HubBench(tmp_path, site_database, hub, leaf)
    found.start()
    yield found
    await found.close()


async def deliver_and_kill(
    connector: Connector, postings: list[QueuedPosting], server: HubServer
) -> None:
    """Deliver, and kill a server while the third batch is on its way."""
    two_are_answered = asyncio.Event()

    async def strike() -> None:
        await two_are_answered.wait()
        await asyncio.to_thread(server.kill)

    striking = asyncio.create_task(strike())
    told = await deliver_all(
        connector, postings,
        after_batch=lambda batches: two_are_answered.set() if batches == 2 else None,
    )  # fmt: skip
    await striking
    assert {each.outcome for each in told.values()} == {"accepted"}


async def test_a_hub_that_loses_one_server_after_another_loses_and_doubles_nothing(
    bench: HubBench,
) -> None:
    """UP-2, UP-3, UP-4: one that follows, then the one that leads, each killed in the midst of a
    batch and started again; the station posts through the leaf node all the time."""
    connector = await bench.open()
    postings = made(600, lanes=20)
    for part in range(2):
        found = bench.hub.follower if part == 0 else bench.hub.leader
        server = await found(POST_STREAM)
        await deliver_and_kill(connector, postings[part * 200 : part * 200 + 200], server)
        assert bench.pieces() == (part + 1) * 200
        server.start()
        await bench.hub.caught_up(POST_STREAM)
    await deliver_all(connector, postings[400:])
    assert bench.pieces() == 600
    assert lanes_in_order(bench.lanes())


async def test_a_leaf_that_loses_the_hub_goes_on_when_it_is_back(
    bench: HubBench, leaf: LeafServer
) -> None:
    """UP-4, UP-6: what is on its way when the way is cut, and what is scanned while it is."""
    connector = await bench.open()
    postings = made(200, lanes=20)
    await deliver_all(connector, postings, batches_max=2)
    going = asyncio.create_task(connector.deliver(next_batch(connector, postings[40:])))
    leaf.cut_off()
    with contextlib.suppress(TransportError):
        await going
    with pytest.raises(TransportError) as fault:
        await connector.deliver(next_batch(connector, postings[60:]))
    assert fault.value.reason in {"no_site", "not_stored"}
    assert "whether the leaf node reaches its hub" in fault.value.sentence
    leaf.join()
    told = await deliver_all(connector, postings)
    assert {each.outcome for each in told.values()} == {"accepted"}
    assert bench.pieces() == 200
    assert lanes_in_order(bench.lanes())


def station_at(leaf: LeafServer) -> NatsConnector:
    return connector_to(leaf, domain=HUB_DOMAIN)


def site_at(hub: NatsHub, *, replicas: Literal[1, 3] = 3) -> SiteNatsTable:
    return SiteNatsTable(url=hub.url, replicas=replicas, duplicate_window_s=1)


@pytest.mark.parametrize(
    "leaf", LEAF_DOMAINS.values(), ids=LEAF_DOMAINS.keys(), indirect=True
)  # fmt: skip
async def test_holds_come_down_through_a_leaf_also_those_of_while_it_was_cut_off(
    hub: NatsHub, leaf: LeafServer
) -> None:
    """UP-9: the bucket is the hub's, whatever the leaf node has itself."""
    await hub.ready()
    down = MemoryDown()
    down.put(1, "hold:L-77")
    connector = station_at(leaf)
    async with Door(hub, MemoryInbox(), Offers(down=down), table=site_at(hub)):
        assert [each.version for each in await until(connector, 0, 1)] == [1]
        waiting = asyncio.create_task(connector.fetch(1, wait_s=30))
        down.put(2, "hold:L-78")
        assert [each.version for each in await waiting] == [2]
        leaf.cut_off()
        down.put(3, "hold:L-79")
        leaf.join()
        assert [each.version for each in await until(connector, 2, 1)] == [3]
    await connector.close()


async def test_a_station_that_does_not_name_the_hub_s_domain_is_told_so(
    hub: NatsHub, leaf: LeafServer
) -> None:
    """Its postings reach the hub without; what comes down does not."""
    await hub.ready()
    connector = connector_to(leaf)
    async with Door(hub, MemoryInbox(), Offers(down=MemoryDown()), table=site_at(hub)):
        assert len(await deliver_all(connector, made(2, lanes=2))) == 2
        with pytest.raises(TransportError, match=r"leaf node, name .* upstream\.nats\.domain"):
            await connector.fetch(0, wait_s=0.1)
    await connector.close()


async def test_a_hold_comes_down_while_the_hub_chooses_a_new_leader(
    hub: NatsHub, leaf: LeafServer
) -> None:
    """UP-9: the server that leads the bucket is killed, and does not come back."""
    await hub.ready()
    down = MemoryDown()
    connector = station_at(leaf)
    async with Door(hub, MemoryInbox(), Offers(down=down), table=site_at(hub)):
        down.put(1, "hold:L-77")
        await until(connector, 0, 1)
        (await hub.leader(BUCKET_STREAM)).kill()
        down.put(2, "hold:L-78")
        assert [each.version for each in await until(connector, 1, 1)] == [2]
    await connector.close()


async def test_more_replicas_are_made_of_what_is_there(hub: NatsHub) -> None:
    """`site.nats.replicas` is raised when the second and third server have come."""
    await hub.ready()
    connector = connector_to(hub)
    replicas: Literal[1, 3]
    for replicas in (1, 3):
        offers = Offers(down=MemoryDown())
        async with Door(hub, MemoryInbox(), offers, table=site_at(hub, replicas=replicas)):
            assert await hub.replicas(POST_STREAM) == await hub.replicas(BUCKET_STREAM) == replicas
            number = (1, 3).index(replicas)
            assert len(await deliver_all(connector, made(20, lanes=20)[10 * number :][:10])) == 10
    await connector.close()


async def test_a_hub_whose_third_server_has_not_come_yet_is_no_wrong_setting(
    tmp_path: Path,
) -> None:
    """The site tries again until three copies can be kept, instead of ending."""
    if missing := NatsServer.missing():
        pytest.skip(missing)
    hub = NatsHub(tmp_path)
    try:
        for each in hub.servers[:2]:
            each.start()
        await hub.ready()
        client = await hub.connect()
        with pytest.raises(BadRequestError, match="no suitable peers"):
            await door.make_stream(client.jetstream(), site_at(hub))
        await client.close()
        hub.servers[2].start()
        async with Door(hub, MemoryInbox(), table=site_at(hub)):
            assert await hub.replicas(POST_STREAM) == 3
    finally:
        hub.stop()

"""What is particular to NATS: the short memory of the stream, what the broker has while the site is
away, and the bucket for what goes down."""

import asyncio
import json
import re
import shutil
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Protocol

import msgspec
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.js.api import PubAck

from mes_terminal.domain.delivery import (
    EXCEPTIONS_MAX,
    Confirmation,
    DownDocument,
    Greeting,
    Hello,
)
from mes_terminal.errors import InputError, TransportError
from mes_terminal.settings.upstream_tables import NatsTable, SiteNatsTable, SiteTable, UpstreamTable
from mes_terminal.site.database import SiteDatabase
from mes_terminal.site.doors import Offers
from mes_terminal.site.doors import nats as door
from mes_terminal.site.down import DownRoad
from mes_terminal.upstream.connector import Inbound, StationIdentity
from mes_terminal.upstream.connectors import connector_of
from mes_terminal.upstream.connectors.addresses import DOWN_BUCKET, POST_STREAM, subject
from mes_terminal.upstream.connectors.nats import MSG_ID, NatsConnector
from tests.architecture.source import ROOT
from tests.unit.memory_inbox import MemoryInbox
from tests.unit.test_http_door import as_told
from tests.upstream.connector_bench import NatsBench, deliver_all, hello_of
from tests.upstream.made_postings import AT, made, source_of
from tests.upstream.servers import NatsServer, Server, free_port

StartServer = Callable[[type[Server]], Server]


@pytest.fixture
def server(own_server: StartServer) -> NatsServer:
    found = own_server(NatsServer)
    assert isinstance(found, NatsServer)
    return found


@pytest_asyncio.fixture
async def client(server: NatsServer) -> AsyncIterator[Client]:
    found = await nats.connect(server.url)
    yield found
    await found.close()


class Reached(Protocol):
    """A server, or several, with the address for clients."""

    @property
    def url(self) -> str: ...


class Door:
    """The site's door in this process."""

    def __init__(
        self,
        server: Reached,
        inbox: MemoryInbox,
        offers: Offers | None = None,
        *,
        table: SiteNatsTable | None = None,
    ) -> None:
        self._site = SiteTable(nats=table or SiteNatsTable(url=server.url, duplicate_window_s=1))
        self._inbox = inbox
        self._offers = offers or Offers()

    async def __aenter__(self) -> "Door":
        self._stopping, ready = asyncio.Event(), asyncio.Event()
        self._door = asyncio.create_task(
            door.serve(self._inbox, self._site, self._stopping, offers=self._offers, ready=ready)
        )
        waiting = asyncio.create_task(ready.wait())
        await asyncio.wait((self._door, waiting), timeout=60, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if self._door.done():
            self._door.result()
        assert ready.is_set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._stopping.set()
        await asyncio.wait_for(self._door, 20)


def connector_to(server: Reached, *, station: str = "ST-1", **login: str) -> NatsConnector:
    """Return a connector that is not open yet."""
    found = connector_of(
        UpstreamTable(kind="nats", nats=NatsTable(url=server.url, **login)),
        StationIdentity(
            source=source_of(station), site="PLANT", station=station, database=Path("station.db")
        ),
    )
    assert isinstance(found, NatsConnector)
    assert isinstance(found, Inbound)
    return found


async def pending(client: Client) -> int:
    """Return how many messages the stream has."""
    return int((await client.jetstream().stream_info(POST_STREAM)).state.messages)


async def test_the_stream_forgets_an_id_and_the_inbox_does_not(
    tmp_path: Path, site_database: str, own_server: StartServer
) -> None:
    """UP-2: the id makes a short window only; after it the stream takes the message once more, and
    the inbox alone makes that one effect."""
    bench = NatsBench(tmp_path, site_database, own_server)
    bench.duplicate_window_s = 1
    bench.start()
    posting = made(1)[0]
    await deliver_all(await bench.open(), [posting])
    assert isinstance(bench.broker, NatsServer)
    raw = await nats.connect(bench.broker.url)
    stream = raw.jetstream()

    async def publish() -> PubAck:
        headers = {MSG_ID: "one and the same"}
        return await stream.publish(subject("post", "ST-1"), posting.body, headers=headers)

    assert not (await publish()).duplicate
    assert (await publish()).duplicate
    while (await publish()).duplicate:  # until the window has passed
        await asyncio.sleep(0.1)
    while await pending(raw):
        await asyncio.sleep(0.05)
    assert bench.pieces() == 1
    assert bench.rows("SELECT count(*) FROM posting") == [(1,)]
    await raw.close()
    await bench.close()


async def test_while_the_site_is_away_a_posting_lies_at_the_broker_once(
    server: NatsServer, client: Client
) -> None:
    """UP-4: tried again and again, and not sent again."""
    async with Door(server, MemoryInbox()):
        pass  # it made the stream
    connector = connector_to(server)
    postings = made(5, lanes=5)
    for _ in range(4):
        with pytest.raises(TransportError) as fault:
            await connector.deliver(postings)
        assert fault.value.reason == "no_site"
        await asyncio.sleep(0.4)  # the ids are forgotten in between
    assert await pending(client) == 5
    inbox = MemoryInbox()
    async with Door(server, inbox):
        told = await deliver_all(connector, postings)
        assert len(told) == 5
        async with asyncio.timeout(30):
            while await pending(client):  # what is acknowledged leaves the stream
                await asyncio.sleep(0.05)
    await connector.close()


def rights_of_the_docs() -> tuple[list[str], list[str]]:
    """Return what docs/upstream.md lets a station ST-1 publish and subscribe."""
    told = (ROOT / "docs" / "upstream.md").read_text(encoding="utf-8")
    rights = re.search(r"    publish: +(.*?)\n    subscribe: +(.*?)\n\n", told, re.DOTALL)
    assert rights is not None
    publish, subscribe = (re.findall(r"[^\s,]+", each) for each in rights.groups())
    return publish, subscribe


class RightsNats(NatsServer):
    """NATS where the station may do what docs/upstream.md lists, and nothing else."""

    def prepare(self) -> None:
        super().prepare()
        publish, subscribe = map(json.dumps, rights_of_the_docs())
        (self.folder / "nats.conf").write_text(
            'authorization { users: [ {user: "site", password: "site"}, {user: "st", '
            f'password: "st", permissions: {{publish: {publish}, subscribe: {subscribe}}}}} ] }}\n'
        )

    def command(self) -> list[str]:
        return [*super().command(), "-c", str(self.folder / "nats.conf")]


async def test_a_station_needs_the_rights_that_the_docs_list(own_server: StartServer) -> None:
    """Post, greet, ask, and what comes down; publishing for another station is not among them."""
    server = own_server(RightsNats)
    assert isinstance(server, NatsServer)
    down = MemoryDown()
    down.put(1, "items:A")
    login = {"user": "st", "password": "st"}
    connector = connector_to(server, **login)
    as_site = SiteNatsTable(url=server.url, user="site", password="site")
    async with Door(server, MemoryInbox(), Offers(down=down), table=as_site):
        assert len(await deliver_all(connector, made(3, lanes=3))) == 3
        assert [each.version for each in await until(connector, 0, 1)] == [1]
        down.put(2, "items:B")
        assert [each.version for each in await until(connector, 1, 1)] == [2]
        await connector.confirm(Confirmation(source=source_of(), version=2, at=AT))
        other = connector_to(server, station="ST-2", **login)
        with pytest.raises(TransportError) as fault:
            await other.deliver(made(1, station="ST-2"))
        assert fault.value.reason == "not_authorised"
        assert subject("post", "ST-2").lower() in fault.value.sentence
        await other.close()
    await connector.close()


async def test_without_a_stream_it_is_said_who_makes_it(server: NatsServer) -> None:
    connector = connector_to(server)
    with pytest.raises(TransportError) as fault:
        await connector.deliver(made(1))
    assert "Start mes-terminal site once" in fault.value.sentence
    await connector.close()


async def test_a_busy_receiver_keeps_what_it_has_at_hand(server: NatsServer) -> None:
    """UP-4: the database is away for a moment; nothing is answered, nothing comes twice."""
    inbox = MemoryInbox()
    connector = connector_to(server)
    async with Door(server, inbox):
        await connector.open()
        inbox.busy = 1
        told = await deliver_all(connector, made(3, lanes=3))
        assert {each.repeated for each in told.values()} <= {False, True}
        assert len(inbox.bodies) == 3
    await connector.close()


async def test_a_posting_under_another_stations_subject_is_refused(
    server: NatsServer, client: Client
) -> None:
    """Whoever may publish for one station cannot post for another."""
    inbox = MemoryInbox()
    async with Door(server, inbox):
        answers = await client.subscribe(subject("ack", "ST-2"))
        posting = made(1)[0]
        await client.jetstream().publish(
            subject("post", "ST-2"), posting.body, headers={MSG_ID: f"{posting.id}:x"}
        )
        told = msgspec.json.decode((await answers.next_msg(10)).data)
        assert [each["reason"] for each in told["unfit"]] == ["not_authorised"]
        reply = await client.request(
            subject("ask", "ST-2"),
            msgspec.json.encode({"source": source_of(), "epoch": posting.epoch, "sequences": [1]}),
        )
        assert msgspec.json.decode(reply.data)["reason"] == "not_authorised"
    assert inbox.bodies == {}


async def test_a_posting_larger_than_a_message_is_refused_with_the_mend(
    server: NatsServer,
) -> None:
    """The supervisor has the limit raised, and posts again."""
    posting = made(1)[0]
    large = msgspec.structs.replace(posting, body=posting.body + b" " * (1 << 20))
    connector = connector_to(server)
    async with Door(server, MemoryInbox()):
        (answer,) = await connector.deliver([large])
    assert (answer.outcome, answer.reason) == ("refused", "too_large")
    assert "max_payload" in str(answer.sentence)
    await connector.close()


async def test_replicas_without_a_cluster_are_named(server: NatsServer) -> None:
    site = SiteTable(nats=SiteNatsTable(url=server.url, replicas=3))
    with pytest.raises(InputError) as fault:
        await door.serve(MemoryInbox(), site, asyncio.Event())
    assert "site.nats.replicas" in fault.value.sentence


class MemoryDown:
    """What goes down, in memory."""

    def __init__(self) -> None:
        self.documents: dict[str, DownDocument] = {}
        self.confirmed: list[Confirmation] = []
        self._waiting: list[asyncio.Future[None]] = []

    def fetch(self, source: str | None, after: int, limit: int) -> list[DownDocument]:
        found = [each for each in self.documents.values() if each.version > after]
        return sorted(found, key=lambda each: each.version)[:limit]

    def gone(self, versions: Sequence[int]) -> set[int]:
        return set(versions) - {each.version for each in self.documents.values()}

    def confirm(self, confirmation: Confirmation) -> None:
        self.confirmed.append(confirmation)

    def changed(self) -> asyncio.Future[None]:
        self._waiting.append(asyncio.get_running_loop().create_future())
        return self._waiting[-1]

    def put(self, version: int, key: str, *, stations: tuple[str, ...] = ()) -> None:
        self.documents[key] = DownDocument(
            version=version, key=key, kind="tables", sent_at=AT, stations=list(stations),
            data=msgspec.Raw(b'{"tables":{}}'),
        )  # fmt: skip
        for each in self._waiting:
            each.set_result(None)
        self._waiting = []


async def test_documents_come_down_at_once_and_a_later_one_takes_the_place_of_its_key(
    server: NatsServer,
) -> None:
    """UP-9: in order of version, those of other stations left out, over a restart of the broker."""
    down = MemoryDown()
    down.put(1, "items:A*.>ä")
    down.put(2, "items:B")
    connector = connector_to(server)
    async with Door(server, MemoryInbox(), Offers(down=down)):
        first = await until(connector, 0, 2)
        assert [(each.version, each.key) for each in first] == [(1, "items:A*.>ä"), (2, "items:B")]
        waiting = asyncio.create_task(connector.fetch(2, wait_s=20))
        await asyncio.sleep(0.2)
        down.put(3, "for others", stations=("urn:other",))
        down.put(4, "items:B")
        assert [each.version for each in await asyncio.wait_for(waiting, 10)] == [4]
        await connector.confirm(Confirmation(source=source_of(), version=4, at=AT))
        assert [each.version for each in down.confirmed] == [4]
        server.kill()
        server.start()
        down.put(5, "for us", stations=(source_of(),))
        assert [each.version for each in await until(connector, 4, 1)] == [5]
    late = connector_to(server)
    assert [each.version for each in await until(late, 0, 3)] == [1, 4, 5]
    await connector.close()
    await late.close()


async def test_a_door_that_starts_again_goes_on_where_the_bucket_ends(
    server: NatsServer, client: Client
) -> None:
    down = MemoryDown()
    connector = connector_to(server)
    for version in (1, 2, 3):
        async with Door(server, MemoryInbox(), Offers(down=down)):
            down.put(version, f"k{version}")
            await until(connector, version - 1, 1)
    bucket = await client.jetstream().key_value(DOWN_BUCKET)
    assert (await bucket.status()).stream_info.state.last_seq == 3
    await connector.close()


async def test_a_site_whose_database_was_made_anew_mends_the_bucket(
    server: NatsServer, site_database: str
) -> None:
    """UP-9: what it hands out is above what stations have, and what it no longer has is taken out:
    a station that is new must not get it."""
    before = MemoryDown()
    for version in range(1, 6):
        before.put(version, f"items:{version}")
    connector, late = connector_to(server), connector_to(server)
    async with Door(server, MemoryInbox(), Offers(down=before)):
        await until(connector, 0, 5)
    database = SiteDatabase(site_database)
    database.migrate()
    anew = DownRoad(database)
    anew.publish_tables([{"items": [{"item": name, "uom": "pcs"}]} for name in ("5", "LEG")])
    for _ in range(2):  # and a door that starts again takes nothing out
        async with Door(server, MemoryInbox(), Offers(down=anew)):
            found = await until(connector, 5, 2)
            assert [(each.version, each.key) for each in found] == [
                (6, "items:5"), (7, "items:LEG"),
            ]  # fmt: skip
    assert [each.version for each in await until(late, 0, 2)] == [6, 7]
    await connector.close()
    await late.close()
    database.close()


async def test_what_a_server_forgot_without_power_is_put_into_the_bucket_again(
    server: NatsServer, tmp_path: Path
) -> None:
    """UP-9: a hold that the server had confirmed and not written to its disk."""
    down = MemoryDown()
    down.put(1, "items:A")
    early, late = connector_to(server), connector_to(server)
    data = server.folder / "data"
    async with Door(server, MemoryInbox(), Offers(down=down)):
        await until(early, 0, 1)
        server.stop()
        shutil.copytree(data, tmp_path / "on disk")
        server.start()
        down.put(2, "hold:L-77")
        await until(early, 1, 1)
        server.kill()
        shutil.rmtree(data)
        shutil.copytree(tmp_path / "on disk", data)
        server.start()
        assert [each.version for each in await until(late, 0, 2)] == [1, 2]
    await early.close()
    await late.close()


class WatchedNats(NatsServer):
    """NATS that says how many subscriptions it has."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._monitor = f"127.0.0.1:{free_port()}"

    def command(self) -> list[str]:
        return [*super().command(), "-m", self._monitor.rpartition(":")[2]]

    def subscriptions(self) -> int:
        with urllib.request.urlopen(f"http://{self._monitor}/subsz", timeout=10) as told:
            return int(json.load(told)["num_subscriptions"])


async def test_a_call_leaves_no_subscription_at_the_server(own_server: StartServer) -> None:
    """A station posts for months on one connection."""
    server = own_server(WatchedNats)
    assert isinstance(server, WatchedNats)
    connector = connector_to(server)
    async with Door(server, MemoryInbox()):
        first, *others = made(6, lanes=6)
        await connector.deliver([first])
        before = server.subscriptions()
        for each in others:
            await connector.deliver([each])
        assert server.subscriptions() == before
    await connector.close()


async def test_the_exceptions_of_all_stations_come_in_pages_that_fit_a_message(
    server: NatsServer,
) -> None:
    """A message has a megabyte; more than are shown are not asked for."""
    there = [as_told(number, "ST-2", cause="x" * 1000) for number in range(1, 6001)]
    asked: list[tuple[int, int]] = []

    def offered(after: int, limit: int) -> list[dict[str, object]]:
        asked.append((after, limit))
        return there[after : after + limit]

    connector, other = connector_to(server), connector_to(server, station="ST-2")
    async with Door(server, MemoryInbox(), Offers(exceptions=offered)):
        found = await connector.exceptions()
        assert [each.number for each in found] == list(range(1, EXCEPTIONS_MAX + 2))
        assert all(limit <= door.EXCEPTIONS_PAGE for _, limit in asked)
        assert len(asked) > EXCEPTIONS_MAX / door.EXCEPTIONS_PAGE
        del there[3:]
        assert [each.number for each in await other.exceptions()] == [1, 2, 3]
    async with Door(server, MemoryInbox()):
        with pytest.raises(TransportError) as fault:
            await connector.exceptions()
        assert fault.value.reason == "not_offered"
    await connector.close()
    await other.close()


async def test_a_site_without_a_road_down_says_so(server: NatsServer) -> None:
    connector = connector_to(server)
    async with Door(server, MemoryInbox()):
        with pytest.raises(TransportError) as fault:
            await connector.fetch(0, wait_s=0.1)
        assert fault.value.reason == "not_offered"
        with pytest.raises(TransportError) as fault:
            await connector.stock()
        assert fault.value.reason == "not_offered"
    await connector.close()


async def test_a_fault_of_the_site_is_an_answer_too(server: NatsServer) -> None:
    """UP-4: nobody waits for it until time is up."""

    class Buggy(MemoryInbox):
        def greet(self, hello: Hello) -> Greeting:
            raise KeyError(hello.station)

    connector = connector_to(server)
    async with Door(server, Buggy()):
        with pytest.raises(TransportError, match=r"a fault of the site, KeyError") as fault:
            await connector.greet(hello_of(made(1)))
        assert fault.value.reason == "fault"
    await connector.close()


async def until(connector: NatsConnector, after: int, count: int) -> list[DownDocument]:
    """Return the documents above a version as soon as there are so many."""
    async with asyncio.timeout(30):
        while True:
            try:
                found = await connector.fetch(after, wait_s=1)
            except TransportError:
                await asyncio.sleep(0.1)
                continue
            if len(found) >= count:
                return found

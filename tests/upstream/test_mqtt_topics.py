"""What is particular to MQTT: properties of a posting, retained states, sessions that last."""

import asyncio
import gc
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast

import aiomqtt
import msgspec
import pytest

from mes_terminal.domain.delivery import Answer
from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import MqttTable, SiteTable, UpstreamTable
from mes_terminal.site.doors import mqtt as door
from mes_terminal.upstream.connector import StationIdentity
from mes_terminal.upstream.connectors import connector_of, mqtt_link
from mes_terminal.upstream.connectors import mqtt as connectors_mqtt
from mes_terminal.upstream.connectors.mqtt import MqttConnector
from mes_terminal.upstream.connectors.mqtt_link import IN_FLIGHT_MAX, Client, Message, MqttLink
from mes_terminal.upstream.wire import Answers
from tests.unit.memory_inbox import MemoryInbox
from tests.upstream.connector_bench import deliver_all
from tests.upstream.made_postings import made, source_of
from tests.upstream.servers import Mosquitto, Server

StartServer = Callable[[type[Server]], Server]


@pytest.fixture
def server(own_server: StartServer) -> Mosquitto:
    found = own_server(Mosquitto)
    assert isinstance(found, Mosquitto)
    return found


@asynccontextmanager
async def opened(server: Mosquitto, inbox: MemoryInbox) -> AsyncIterator[None]:
    """Open the site's door."""
    stopping, ready = asyncio.Event(), asyncio.Event()
    site = SiteTable(mqtt=MqttTable(url=server.url))
    running = asyncio.create_task(door.serve(inbox, site, stopping, ready=ready))
    await asyncio.wait_for(ready.wait(), 20)
    yield
    stopping.set()
    await asyncio.wait_for(running, 20)


def connector_to(server: Mosquitto) -> MqttConnector:
    found = connector_of(
        UpstreamTable(kind="mqtt", mqtt=MqttTable(url=server.url)),
        StationIdentity(
            source=source_of(), site="PLANT", station="ST-1", database=Path("station.db")
        ),
    )
    assert isinstance(found, MqttConnector)
    return found


@asynccontextmanager
async def listener(server: Mosquitto, topics: str) -> AsyncIterator[aiomqtt.Client]:
    """Give a client that hears these topics."""
    client = aiomqtt.Client("127.0.0.1", server.port, protocol=aiomqtt.ProtocolVersion.V5)
    async with client:
        await client.subscribe(topics, qos=1)
        yield client


async def next_of(client: aiomqtt.Client) -> aiomqtt.Message:
    """Return the next message."""
    async with asyncio.timeout(10):
        return await anext(aiter(client.messages))


async def test_a_posting_carries_the_event_in_its_properties_and_its_bytes_as_payload(
    server: Mosquitto,
) -> None:
    """CloudEvents 1.0, MQTT binding."""
    posting = made(1)[0]
    connector = connector_to(server)
    async with opened(server, MemoryInbox()), listener(server, "mes/v1/post/+") as client:
        await deliver_all(connector, [posting])
        message = await next_of(client)
    assert message.payload == posting.body
    assert message.properties is not None
    told = dict(message.properties.UserProperty)  # type: ignore[attr-defined]
    assert told["id"] == posting.id
    assert told["source"] == posting.source
    assert told["specversion"] == "1.0"
    assert message.properties.CorrelationData == posting.id.encode()  # type: ignore[attr-defined]
    await connector.close()


async def test_the_state_of_a_station_is_kept_at_the_broker(server: Mosquitto) -> None:
    """Online, offline when it leaves, and lost when nobody heard it leave."""
    connector = connector_to(server)
    await connector.open()
    async with listener(server, "mes/v1/state/+") as client:
        assert msgspec.json.decode((await next_of(client)).payload or b"") == {
            "source": source_of(), "state": "online",
        }  # fmt: skip
        await connector.close()
        assert b"offline" in ((await next_of(client)).payload or b"")
        await connector.open()
        assert b"online" in ((await next_of(client)).payload or b"")
        assert connector._client is not None
        line = cast("socket.socket", connector._client._client.socket())
        line.shutdown(socket.SHUT_RDWR)  # as a cable that is pulled
        assert b"lost" in ((await next_of(client)).payload or b"")
    await connector.close()


async def test_what_was_posted_while_the_site_was_away_waits_at_the_broker(
    server: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The session of the site outlives it; that the broker has a posting is no delivery."""
    monkeypatch.setattr(connectors_mqtt, "ANSWER_MAX_S", 0.3)
    inbox = MemoryInbox()
    async with opened(server, inbox):
        pass
    connector = connector_to(server)
    with pytest.raises(TransportError) as fault:
        await connector.deliver(made(3, lanes=3))
    assert fault.value.reason == "no_site"
    await connector.close()
    async with opened(server, inbox):
        async with asyncio.timeout(10):
            while len(inbox.bodies) < 3:
                await asyncio.sleep(0.02)


async def test_a_site_that_is_silent_leaves_nothing_in_the_log(
    server: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The relay tells of it in one sentence; asyncio has nothing to complain of."""
    monkeypatch.setattr(connectors_mqtt, "ANSWER_MAX_S", 0.3)
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: complaints.append(what))
    async with opened(server, MemoryInbox()):
        pass
    connector = connector_to(server)
    with pytest.raises(TransportError):
        await connector.deliver(made(3, lanes=3))
    await connector.close()
    gc.collect()
    assert complaints == []


async def test_a_posting_on_another_stations_topic_is_refused(server: Mosquitto) -> None:
    """Whoever may publish for one station cannot post for another."""
    inbox = MemoryInbox()
    async with opened(server, inbox), listener(server, "mes/v1/ack/ST-2") as client:
        await client.publish("mes/v1/post/ST-2", made(1)[0].body, qos=1)
        told = msgspec.json.decode((await next_of(client)).payload or b"")
        assert [each["reason"] for each in told["unfit"]] == ["not_authorised"]
    assert inbox.bodies == {}


async def test_what_nests_without_end_does_not_close_the_door(server: Mosquitto) -> None:
    """UP-4: poison. No message that somebody sends ends the site's door for the others."""
    deep = b'{"key that nobody knows": ' + b"[" * 100_000
    posting = made(1)[0]
    inbox, connector = MemoryInbox(), connector_to(server)
    async with opened(server, inbox), listener(server, "mes/v1/ack/+") as client:
        for topic in ("mes/v1/hello/ST-1", "mes/v1/post/ST-1"):
            await client.publish(topic, deep, qos=1)
        answers = await deliver_all(connector, [posting])
    assert [each.outcome for each in answers.values()] == ["accepted"]
    assert inbox.bodies == {(posting.source, posting.epoch, posting.sequence): posting.body}
    await connector.close()


async def test_a_busy_receiver_gets_it_again(
    server: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-4: what was dropped while the database was away is published again."""
    monkeypatch.setattr(connectors_mqtt, "ANSWER_MAX_S", 0.5)
    inbox = MemoryInbox(busy=1)
    connector = connector_to(server)
    async with opened(server, inbox):
        told = await deliver_all(connector, made(3, lanes=3))
    assert {each.outcome for each in told.values()} == {"accepted"}
    assert len(inbox.bodies) == 3
    await connector.close()


class StrictMosquitto(Mosquitto):
    """A broker that takes seven messages at once, and whose stations may not publish postings."""

    def prepare(self) -> None:
        super().prepare()
        acl = self.folder / "acl"
        acl.write_text("topic readwrite free/#\ntopic read mes/#\ntopic write mes/v1/state/+\n")
        acl.chmod(0o644)
        path = self.folder / "mosquitto.conf"
        settings = path.read_text().replace("max_inflight_messages 0", "max_inflight_messages 7")
        path.write_text(f"{settings}acl_file {acl}\n")


@pytest.fixture
def strict(own_server: StartServer) -> StrictMosquitto:
    found = own_server(StrictMosquitto)
    assert isinstance(found, StrictMosquitto)
    return found


class CountingClient(Client):
    """Notes how many messages were on their way at most."""

    most = 0

    def _send(self, *arguments: Any) -> None:
        super()._send(*arguments)
        self.most = max(self.most, len(self._unconfirmed))


@pytest.mark.parametrize(("kind", "most"), [("server", IN_FLIGHT_MAX), ("strict", 7)])
async def test_no_more_is_on_its_way_than_the_broker_takes(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, kind: str, most: int
) -> None:
    """MQTT 5, 3.3.4: its Receive Maximum, over all calls that run side by side."""
    monkeypatch.setattr(mqtt_link, "Client", CountingClient)
    table = MqttTable(url=request.getfixturevalue(kind).url)
    link = MqttLink(table, "upstream.mqtt", identifier="counting")
    client = cast("CountingClient", await link.connect())
    messages = [Message(topic="free/a", content=b"x" * 1200)] * 300
    faults = await asyncio.gather(*(client.publish_all(messages) for _ in range(2)))
    assert faults == [[None] * 300, [None] * 300]
    assert client.most == most
    await link.disconnect(client)


async def test_a_broker_that_does_not_let_a_station_post_is_named(strict: StrictMosquitto) -> None:
    """UP-4: at once, and not as a site that is away."""
    connector = connector_to(strict)
    with pytest.raises(TransportError, match=r"what the broker allows\. Postings wait\.") as fault:
        await connector.deliver(made(1))  # of more the broker reads no further, and hangs up
    assert fault.value.reason == "not_authorised"
    await connector.close()


class Recorder:
    """A client that keeps what it is to publish."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    async def publish_all(
        self, messages: list[Message], *, confirm_max_s: float
    ) -> list[aiomqtt.MqttError | None]:
        self.messages += messages
        return [None] * len(messages)


async def test_the_answers_for_a_station_come_together() -> None:
    """Each message costs both sides as much as a posting; none grows without a bound."""
    told = [
        (arrived, Answers(answers=[accepted(number)]))
        for station, count in (("ST-1", door.TOLD_MAX + 30), ("ST-2", 1))
        for number in range(1, count + 1)
        for arrived in [
            aiomqtt.Message(f"mes/v1/post/{station}", b"", 1, retain=False, mid=1, properties=None)
        ]
    ]
    client = Recorder()
    await door._Door(MemoryInbox(), "mes/v1")._tell(cast("Client", client), told)
    heard = [
        (
            each.topic,
            [answer.sequence for answer in msgspec.json.decode(each.content, type=Answers).answers],
        )
        for each in client.messages
    ]
    assert heard == [
        ("mes/v1/ack/ST-1", list(range(1, door.TOLD_MAX + 1))),
        ("mes/v1/ack/ST-1", list(range(door.TOLD_MAX + 1, door.TOLD_MAX + 31))),
        ("mes/v1/ack/ST-2", [1]),
    ]


def accepted(number: int) -> Answer:
    return Answer(source=source_of(), epoch="7f3a91c0d2e84b55", sequence=number, outcome="accepted")

"""The `mqtt` connector (extra): postings as MQTT 5 messages, the receiver's answers on a topic.

That the broker confirms a message (PUBACK) says only that the broker has it. A posting counts as
delivered when the receiver answers on the station's topic; one without an answer is sent again, and
the receiver knows it by its key.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final

import aiomqtt
import msgspec

from mes_terminal.domain.delivery import Answer, Greeting
from mes_terminal.errors import TransportError
from mes_terminal.upstream.connectors.addresses import topic, word_of
from mes_terminal.upstream.connectors.mqtt_link import (
    Client,
    Message,
    MqttLink,
    bytes_of,
    correlation_of,
    publish,
)
from mes_terminal.upstream.wire import UNREADABLE, Answers, fault_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mes_terminal.domain.delivery import Hello, QueuedPosting
    from mes_terminal.settings.upstream_tables import UpstreamTable
    from mes_terminal.upstream.connector import StationIdentity

WHERE: Final = "upstream.mqtt"
ANSWER_MAX_S: Final = 10.0
"""How long the receiver's answers are waited for before the postings are sent again."""
SUBSCRIBE_MAX_S: Final = 5.0
EVENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
GREETING_ID: Final = "hello"


def connect(upstream: UpstreamTable, identity: StationIdentity) -> MqttConnector:
    """Return the connector, with its files read once. Raises `InputError`."""
    link = MqttLink(upstream.mqtt, WHERE, identifier=f"mes-terminal-{word_of(identity.source)}")
    return MqttConnector(link, identity, upstream.mqtt.prefix)


class MqttConnector:
    """Publishes postings and hears the receiver; see `Connector`."""

    batch_max = 256
    batch_max_bytes = 2 << 20
    one_per_lane = True
    parallel_max = 2

    def __init__(self, link: MqttLink, identity: StationIdentity, prefix: str) -> None:
        self._link = link
        self._source = identity.source
        self._station = identity.station
        self._prefix = prefix
        self._client: Client | None = None
        self._listening: asyncio.Task[None] | None = None
        self._connecting = asyncio.Lock()
        self._fault: TransportError | None = None
        """Why the connection was lost."""
        self._answers: dict[tuple[str, int], asyncio.Future[Answer]] = {}
        """What is waited for, by epoch and sequence."""
        self._greetings: dict[bytes, asyncio.Future[bytes]] = {}
        self._asked = 0

    async def open(self) -> None:
        """Connect to the broker. Raises `TransportError`."""
        await self._connected()

    async def greet(self, hello: Hello) -> Greeting:
        """Say who sends and hear what is there."""
        client = await self._connected()
        self._asked += 1
        correlation = f"{GREETING_ID}:{hello.epoch}:{self._asked}".encode()
        heard = self._greetings[correlation] = asyncio.get_running_loop().create_future()
        try:
            await publish(
                client,
                Message(
                    topic=self._topic("hello"), content=msgspec.json.encode(hello),
                    correlation=correlation, response_topic=self._topic("greeting"),
                ),
            )  # fmt: skip
            await self._hear([heard])
        except aiomqtt.MqttError as error:
            raise self._link.away(error) from error
        finally:
            del self._greetings[correlation]
        if heard.cancelled():
            raise self._silent()
        return self._greeting(heard.result())

    async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        """Publish postings and wait for what the receiver says of each."""
        client = await self._connected()
        loop = asyncio.get_running_loop()
        mine: dict[tuple[str, int], asyncio.Future[Answer]] = {
            (each.epoch, each.sequence): loop.create_future() for each in postings
        }
        self._answers.update(mine)
        try:
            faults = await client.publish_all([self._message(each) for each in postings])
            if None not in faults:
                if self._listening is not None:
                    self._listening.cancel()  # the connection is made anew
                said = [each for each in faults if isinstance(each, aiomqtt.MqttCodeError)]
                error = (said or faults)[0]
                assert error is not None
                raise self._link.away(error) from error
            for future, fault in zip(mine.values(), faults, strict=True):
                if fault is not None:
                    future.cancel()  # it is sent again, and holds up no other answer
            await self._hear(list(mine.values()))
        finally:
            for key, future in mine.items():
                if self._answers.get(key) is future:
                    del self._answers[key]
        told = [each.result() for each in mine.values() if not each.cancelled()]
        if not told:
            raise self._silent()
        return told

    async def close(self) -> None:
        """Say that the station leaves, and disconnect."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(TransportError):
                await self._say(client, "offline")
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            await asyncio.gather(listening, return_exceptions=True)
        if client is not None:
            await self._link.disconnect(client)

    async def _connected(self) -> Client:
        """Return the client, connected, with the receiver's topics subscribed."""
        async with self._connecting:
            if self._listening is not None and self._listening.done():
                await self.close()
            if self._client is None:
                will = aiomqtt.Will(self._topic("state"), self._state("lost"), 1, True)
                client = await self._link.connect(will=will)
                try:
                    for what in ("ack", "greeting"):
                        await client.subscribe(self._topic(what), qos=1, timeout=SUBSCRIBE_MAX_S)
                    await self._say(client, "online")
                except aiomqtt.MqttError as error:
                    await self._link.disconnect(client)
                    raise self._link.away(error) from error
                except BaseException:
                    await self._link.disconnect(client)
                    raise
                self._client = client
                self._listening = asyncio.create_task(self._listen(client))
            return self._client

    async def _listen(self, client: Client) -> None:
        """Hand on what the receiver says until the connection is lost."""
        self._fault = None
        try:
            async for message in client.messages:
                path = message.topic.value
                if path == self._topic("greeting"):
                    heard = self._greetings.get(correlation_of(message))
                    if heard is not None and not heard.done():
                        heard.set_result(bytes_of(message))
                elif path == self._topic("ack"):
                    self._note(bytes_of(message))
        except (aiomqtt.MqttError, OSError) as error:
            self._fault = self._link.away(error)

    def _note(self, content: bytes) -> None:
        """Note answers that somebody still waits for."""
        try:
            told = msgspec.json.decode(content, type=Answers)
        except UNREADABLE:
            return
        for answer in told.answers:
            if answer.source == self._source:
                self._settle(answer)
        for unfit in told.unfit:
            epoch, _, number = unfit.id.rpartition(":")
            if number.isascii() and number.isdigit():
                self._settle(
                    Answer(
                        source=self._source, epoch=epoch, sequence=int(number), outcome="refused",
                        reason=unfit.reason, sentence=unfit.sentence,
                    )
                )  # fmt: skip

    def _settle(self, answer: Answer) -> None:
        future = self._answers.get((answer.epoch, answer.sequence))
        if future is not None and not future.done():
            future.set_result(answer)

    def _message(self, posting: QueuedPosting) -> Message:
        return Message(
            topic=self._topic("post"), content=posting.body, correlation=posting.id.encode(),
            content_type=EVENT_TYPE,
            user=[
                ("specversion", "1.0"), ("type", posting.type), ("source", posting.source),
                ("id", posting.id), ("partitionkey", posting.lane),
            ],
        )  # fmt: skip

    async def _hear(self, futures: Sequence[asyncio.Future[Any]]) -> None:
        """Wait for answers while they may come; what was not answered is cancelled then."""
        hearing = asyncio.gather(*futures, return_exceptions=True)
        assert self._listening is not None
        try:
            await asyncio.wait(
                (hearing, self._listening),
                timeout=ANSWER_MAX_S,
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            hearing.cancel()  # and with it what was not answered
            await asyncio.gather(hearing, return_exceptions=True)

    async def _say(self, client: Client, state: str) -> None:
        """Tell everybody how the station is, for good. Raises `TransportError`."""
        try:
            await publish(
                client,
                Message(topic=self._topic("state"), content=self._state(state), retain=True),
            )
        except aiomqtt.MqttError as error:
            raise self._link.away(error) from error

    def _state(self, state: str) -> bytes:
        return msgspec.json.encode({"source": self._source, "state": state})

    def _topic(self, what: str) -> str:
        return topic(self._prefix, what, self._station)

    def _greeting(self, content: bytes) -> Greeting:
        try:
            return msgspec.json.decode(content, type=Greeting)
        except UNREADABLE as error:
            fault = fault_of(content)
            sentence = fault.sentence if fault else "an answer that cannot be read."
            raise TransportError(
                f"The site behind {self._link.shown}: {sentence} Postings wait.",
                reason=fault.reason if fault else "strange",
            ) from error

    def _silent(self) -> TransportError:
        """Return why nothing was answered."""
        return self._fault or TransportError(
            f"The MQTT broker at {self._link.shown} answers, but no site behind it. Look whether "
            "mes-terminal site runs. Postings wait.",
            reason="no_site",
        )

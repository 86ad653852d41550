"""The door for MQTT 5: hears the stations' topics in a lasting session, answers on theirs.

A station publishes again what was not answered, so the broker's own confirmations count for
nothing: a message that is lost here, or dropped while the receiver is busy, comes again.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import aiomqtt
import msgspec

from mes_terminal import logs
from mes_terminal.domain.delivery import Greeting, Hello
from mes_terminal.errors import TransportError
from mes_terminal.site.doors import ONLY_POSTINGS, SiteBusyError, impostor, unreadable
from mes_terminal.upstream.connectors.addresses import (
    last_word,
    station_of,
    topic_of_word,
    word_of,
)
from mes_terminal.upstream.connectors.mqtt_link import (
    Client,
    Message,
    MqttLink,
    bytes_of,
    correlation_of,
    publish,
)
from mes_terminal.upstream.wire import UNREADABLE, Answers, Fault

if TYPE_CHECKING:
    from mes_terminal.domain.delivery import Answer
    from mes_terminal.settings.upstream_tables import SiteTable
    from mes_terminal.site.doors import Offers, Receiver

WHERE: Final = "site.mqtt"
IDENTIFIER: Final = "mes-terminal-site"
BATCH: Final = 256
"""Messages that are handed to the receiver together; as many as wait, never waited for."""
QUEUE_MAX: Final = 10_000
"""Messages that wait here; a later one is dropped, and published again by its station."""
AGAIN_S: Final = 1.0
"""The pause before a broker is tried again."""
SUBSCRIBE_MAX_S: Final = 5.0
TOLD_MAX: Final = 100
"""Answers in one message: some 20 kB, which every broker takes."""
TELL_MAX_S: Final = 10.0
"""How long the broker may take to confirm an answer before the connection is made anew."""


async def serve(
    inbox: Receiver,
    site: SiteTable,
    stopping: asyncio.Event,
    *,
    offers: Offers = ONLY_POSTINGS,
    ready: asyncio.Event | None = None,
) -> None:
    """Hear the stations until `stopping` is set; a broker that is away is tried for ever. Raises
    `InputError` for wrong settings. `offers` have no road over MQTT."""
    del offers
    link = MqttLink(site.mqtt, WHERE, identifier=IDENTIFIER)
    door = _Door(inbox, site.mqtt.prefix)
    while not stopping.is_set():
        try:
            client = await link.connect()
            try:
                await door.run(client, stopping, ready)
            finally:
                await link.disconnect(client)
        except TransportError as error:
            logs.write("site.mqtt", trouble=error.sentence)
        except (aiomqtt.MqttError, OSError) as error:
            logs.write("site.mqtt", trouble=link.away(error).sentence)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stopping.wait(), AGAIN_S)


class _Door:
    """What is heard, and how it is answered."""

    def __init__(self, inbox: Receiver, prefix: str) -> None:
        self._inbox = inbox
        self._prefix = prefix.strip("/")

    async def run(
        self, client: Client, stopping: asyncio.Event, ready: asyncio.Event | None
    ) -> None:
        """Subscribe and hear, until told to stop or the connection is lost."""
        for what in ("post", "hello"):
            await client.subscribe(f"{self._prefix}/{what}/+", qos=1, timeout=SUBSCRIBE_MAX_S)
        if ready is not None:
            ready.set()
        waiting: asyncio.Queue[aiomqtt.Message] = asyncio.Queue(QUEUE_MAX)
        hearing = asyncio.create_task(_hear(client, waiting))
        answering = asyncio.create_task(self._answer(client, waiting, stopping))
        stop = asyncio.create_task(stopping.wait())
        tasks = (hearing, answering, stop)
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            hearing.cancel()
            if not stopping.is_set():
                answering.cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
        for fault in found:
            if isinstance(fault, Exception):
                raise fault

    async def _answer(
        self, client: Client, waiting: asyncio.Queue[aiomqtt.Message],
        stopping: asyncio.Event,
    ) -> None:  # fmt: skip
        """Answer what waits, as much as there is at a time."""
        telling: asyncio.Task[None] | None = None
        try:
            while not stopping.is_set():
                messages = await _next(waiting)
                posts = [each for each in messages if _what(each) == "post"]
                try:
                    for each in messages:
                        if _what(each) == "hello":
                            await self._greet(client, each)
                    told = await self._take(posts)
                except SiteBusyError as error:
                    logs.write("site.mqtt", busy=error.sentence, dropped=len(posts))
                    continue
                if telling is not None:
                    await telling
                telling = asyncio.create_task(self._tell(client, told))
        finally:
            if telling is not None:
                await telling

    async def _greet(self, client: Client, message: aiomqtt.Message) -> None:
        word = last_word(message.topic.value)
        content: Greeting | Fault
        try:
            hello = msgspec.json.decode(bytes_of(message), type=Hello)
            if word_of(station_of(hello.source)) == word:
                content = await asyncio.to_thread(self._inbox.greet, hello)
            else:
                content = Fault(
                    reason="not_authorised",
                    sentence=f"{hello.source} does not speak on this topic.",
                )
        except SiteBusyError as error:
            content = Fault(reason="busy", sentence=error.sentence)
        except UNREADABLE as error:
            content = Fault(reason="malformed", sentence=f"The request is wrong: {error}.")
        await publish(
            client,
            Message(
                topic=topic_of_word(self._prefix, "greeting", word),
                content=msgspec.json.encode(content),
                correlation=correlation_of(message),
            ),
        )

    async def _take(self, messages: list[aiomqtt.Message]) -> list[_Told]:
        """Hand messages to the receiver; return what each is answered with."""
        told: list[_Told] = []
        fit: list[aiomqtt.Message] = []
        for message in messages:
            unfit = impostor(bytes_of(message), _id(message), last_word(message.topic.value))
            if unfit is None:
                fit.append(message)
            else:
                logs.write("site.mqtt", unfit=unfit.sentence, topic=message.topic.value)
                told.append((message, Answers(unfit=[unfit])))
        if fit:
            answers = await asyncio.to_thread(self._inbox.take, [bytes_of(each) for each in fit])
            told += [
                (message, _answers(message, answer))
                for message, answer in zip(fit, answers, strict=True)
            ]
        return told

    async def _tell(self, client: Client, told: list[_Told]) -> None:
        """Publish the receiver's answers, those of a station together, while it has the next
        messages already. Raises `aiomqtt.MqttError`: the connection is made anew."""
        by_word: dict[str, list[_Told]] = {}
        for each in told:
            by_word.setdefault(last_word(each[0].topic.value), []).append(each)
        messages = [
            Message(
                topic=topic_of_word(self._prefix, "ack", word),
                content=msgspec.json.encode(_together(some)),
                correlation=correlation_of(some[0][0]) if len(some) == 1 else None,
            )
            for word, all_told in by_word.items()
            for some in (all_told[at : at + TOLD_MAX] for at in range(0, len(all_told), TOLD_MAX))
        ]
        for fault in await client.publish_all(messages, confirm_max_s=TELL_MAX_S):
            if fault is not None:
                raise fault


_Told = tuple[aiomqtt.Message, Answers]
"""A message, and what it is answered with."""


def _together(told: list[_Told]) -> Answers:
    return Answers(
        answers=[answer for _, each in told for answer in each.answers],
        unfit=[unfit for _, each in told for unfit in each.unfit],
    )


async def _next(waiting: asyncio.Queue[aiomqtt.Message]) -> list[aiomqtt.Message]:
    """Return what waits, once there is something; nothing after a pause."""
    try:
        messages = [await asyncio.wait_for(waiting.get(), AGAIN_S)]
    except TimeoutError:
        return []
    while len(messages) < BATCH and not waiting.empty():
        messages.append(waiting.get_nowait())
    return messages


async def _hear(client: Client, waiting: asyncio.Queue[aiomqtt.Message]) -> None:
    """Queue what comes until the connection is lost."""
    async for message in client.messages:
        try:
            waiting.put_nowait(message)
        except asyncio.QueueFull:
            logs.write("site.mqtt", busy="The queue is full.", dropped=1)


def _what(message: aiomqtt.Message) -> str:
    return message.topic.value.split("/")[-2]


def _id(message: aiomqtt.Message) -> str:
    return correlation_of(message).decode("utf-8", "replace")


def _answers(message: aiomqtt.Message, answer: Answer) -> Answers:
    unfit = unreadable(_id(message), answer)
    return Answers(unfit=[unfit]) if unfit is not None else Answers(answers=[answer])

"""The door for NATS JetStream: reads the stream durably, answers on the station's subject.

The stream, its consumer and the bucket for what goes down are made here, and mended where their
options differ. A message is acknowledged after the receiver has committed; while the receiver is
busy the messages at hand are kept, and their time is extended. What is no posting of its station
is terminated and answered so that it does not come again.
"""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import msgspec
import nats.errors
import nats.js.errors
from nats.js import api

from mes_terminal import logs
from mes_terminal.domain.delivery import Confirmation, Hello
from mes_terminal.errors import InputError, TransportError
from mes_terminal.site.doors import ONLY_POSTINGS, SiteBusyError, impostor, unreadable
from mes_terminal.site.doors.nats_down import fill_bucket, make_bucket
from mes_terminal.upstream.connectors.addresses import (
    POST_CONSUMER,
    POST_STREAM,
    all_of,
    last_word,
    station_of,
    subject_of_word,
    word_of,
)
from mes_terminal.upstream.connectors.nats_link import NatsLink
from mes_terminal.upstream.wire import UNREADABLE, Answers, Fault, Question, Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js import JetStreamContext

    from mes_terminal.domain.delivery import Answer
    from mes_terminal.settings.upstream_tables import SiteNatsTable, SiteTable
    from mes_terminal.site.doors import Offers, Receiver

WHERE: Final = "site.nats"
BATCH: Final = 256
"""Messages that are handed to the receiver together; as many as wait, never waited for."""
FETCH_S: Final = 1.0
"""How long the stream is asked to wait for a message: how soon the door ends."""
ACK_WAIT_S: Final = 30.0
"""After so long without a word the stream gives a message out again."""
ACK_PENDING_MAX: Final = 4 * BATCH
BUSY_S: Final = 5.0
"""The longest pause before a busy receiver is tried again; far below `ACK_WAIT_S`."""
AGAIN_S: Final = 1.0
"""The pause before a broker is tried again."""
EXCEPTIONS_PAGE: Final = 1000
EXCEPTIONS_PAGE_BYTES: Final = 512 << 10
"""A page of exceptions is one message, and a server's `max_payload` is a megabyte by default."""
QUEUE: Final = "site"
NO_CLUSTER: Final = 10074
"""The server's code for replicas where there is one server only."""
NO_PEERS: Final = 10005
"""The same for a cluster of which too few servers are there now."""

T = TypeVar("T")


async def serve(
    inbox: Receiver,
    site: SiteTable,
    stopping: asyncio.Event,
    *,
    offers: Offers = ONLY_POSTINGS,
    ready: asyncio.Event | None = None,
) -> None:
    """Read the stream until `stopping` is set; a broker that is away is tried for ever. Raises
    `InputError` for wrong settings."""
    link = NatsLink(site.nats, WHERE, name="mes-terminal site")
    door = _Door(link, inbox, site.nats, offers, stopping)
    try:
        while not stopping.is_set():
            try:
                await door.run(ready)
            except TransportError as error:
                logs.write("site.nats", trouble=error.sentence)
            except (nats.errors.Error, nats.js.errors.Error, OSError) as error:
                logs.write("site.nats", trouble=str(error)[:300])
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stopping.wait(), AGAIN_S)
    finally:
        await link.close()


class _Door:
    """One life of a connection: what is subscribed, and the reading of the stream."""

    def __init__(
        self, link: NatsLink, inbox: Receiver, table: SiteNatsTable, offers: Offers,
        stopping: asyncio.Event,
    ) -> None:  # fmt: skip
        self._link = link
        self._inbox = inbox
        self._table = table
        self._offers = offers
        self._stopping = stopping

    async def run(self, ready: asyncio.Event | None) -> None:
        """Make what is missing, then read until told to stop or the connection is another one: a
        server that comes back may have forgotten what it had not written yet."""
        client = await self._link.client()
        connection = self._link.connections
        stream = await self._link.jetstream()
        await make_stream(stream, self._table)
        reading = await stream.pull_subscribe_bind(consumer=POST_CONSUMER, stream=POST_STREAM)
        answering = {"hello": self._hello, "ask": self._ask, "confirm": self._confirm,
                     "stock": self._stock, "exceptions": self._exceptions}  # fmt: skip
        subscriptions = [
            await client.subscribe(all_of(what), queue=QUEUE, cb=partial(self._reply, answer))
            for what, answer in answering.items()
        ]
        down = None
        if self._offers.down is not None:
            bucket = await make_bucket(stream, self._table.replicas)
            down = asyncio.create_task(fill_bucket(bucket, self._offers.down, self._stopping))
        await client.flush()  # from here on the server knows of the subscriptions
        if ready is not None:
            ready.set()
        try:
            while not (
                self._stopping.is_set() or client.is_closed or self._link.connections != connection
            ):
                await self._read(client, reading)
                if down is not None and down.done():
                    down.result()  # its fault, if it had one
                    return
        finally:
            if down is not None:
                down.cancel()
                await asyncio.gather(down, return_exceptions=True)
            with contextlib.suppress(nats.errors.Error):
                await reading.unsubscribe()
                for subscription in subscriptions:
                    await subscription.unsubscribe()

    async def _read(self, client: Client, reading: JetStreamContext.PullSubscription) -> None:
        """Take what waits in the stream, and answer."""
        try:
            messages = await reading.fetch(BATCH, timeout=FETCH_S)
        except TimeoutError:
            return
        told: dict[str, Answers] = {}
        fit: list[Msg] = []
        for message in messages:
            unfit = impostor(message.data, _id(message), last_word(message.subject))
            if unfit is None:
                fit.append(message)
            else:
                logs.write("site.nats", unfit=unfit.sentence, subject=message.subject)
                await message.term()
                _tell(told, message, unfit=unfit)
        if fit:
            answers = await self._take(fit)
            for message, answer in zip(fit, answers, strict=False):
                await message.ack()
                _tell(told, message, answer=answer, unfit=unreadable(_id(message), answer))
        for word, each in told.items():
            await client.publish(subject_of_word("ack", word), msgspec.json.encode(each))

    async def _take(self, messages: list[Msg]) -> list[Answer]:
        """Return the receiver's answers; none if the door is to end while it is busy."""
        bodies = [message.data for message in messages]
        while True:
            taking = asyncio.create_task(asyncio.to_thread(self._inbox.take, bodies))
            try:
                while not (await asyncio.wait((taking,), timeout=ACK_WAIT_S / 3))[0]:
                    await _extend(messages)
                return taking.result()
            except SiteBusyError as error:
                logs.write("site.nats", busy=error.sentence)
                await _extend(messages)
                pause_s = min(error.retry_after_s, BUSY_S)
            try:
                await asyncio.wait_for(self._stopping.wait(), pause_s)
            except TimeoutError:
                continue
            for message in messages:
                await message.nak()
            return []

    async def _reply(self, answer: Callable[[str, bytes], Coroutine[None, None, object]],
                     message: Msg) -> None:  # fmt: skip
        """Answer a request; what goes wrong is an answer too."""
        try:
            content = await answer(last_word(message.subject), message.data)
        except SiteBusyError as error:
            content = Fault(reason="busy", sentence=error.sentence)
        except _RefusedError as error:
            content = error.fault
        except UNREADABLE as error:
            content = Fault(reason="malformed", sentence=f"The request is wrong: {error}.")
        except Exception as error:  # noqa: BLE001  who asks does not wait for our fault
            logs.say(f"A request by NATS failed by a fault of the program: {error!r}.")
            content = Fault(reason="fault", sentence=f"a fault of the site, {error!r}.")
        if message.reply:
            with contextlib.suppress(nats.errors.Error):
                await message.respond(msgspec.json.encode(content))

    async def _hello(self, word: str, content: bytes) -> object:
        hello = msgspec.json.decode(content, type=Hello)
        _check(word, hello.source)
        return await asyncio.to_thread(self._inbox.greet, hello)

    async def _ask(self, word: str, content: bytes) -> object:
        asked = msgspec.json.decode(content, type=Question)
        _check(word, asked.source)
        answers, unknown = await asyncio.to_thread(
            self._inbox.ask, asked.source, asked.epoch, asked.sequences
        )
        return Answers(answers=answers, unknown=unknown)

    async def _confirm(self, word: str, content: bytes) -> object:
        confirmation = msgspec.json.decode(content, type=Confirmation)
        _check(word, confirmation.source)
        await asyncio.to_thread(_offered(self._offers.down).confirm, confirmation)
        return {}

    async def _stock(self, word: str, content: bytes) -> object:
        source = msgspec.json.decode(content, type=_Asked).source
        _check(word, source)
        return await asyncio.to_thread(_offered(self._offers.stock), source)

    async def _exceptions(self, word: str, content: bytes) -> object:
        asked = msgspec.json.decode(content, type=_AskedExceptions)
        _check(word, asked.source)
        listed = _offered(self._offers.exceptions)
        limit = min(asked.limit, EXCEPTIONS_PAGE)
        rows = await asyncio.to_thread(listed, asked.after, limit)
        fit, size = 0, 0
        for row in rows:
            size += len(msgspec.json.encode(row))
            if fit and size > EXCEPTIONS_PAGE_BYTES:
                break
            fit += 1
        return {"exceptions": rows[:fit], "more": fit < len(rows) or len(rows) == limit}


class _Asked(msgspec.Struct):
    source: str


class _AskedExceptions(msgspec.Struct):
    source: str
    after: Annotated[int, msgspec.Meta(ge=0, le=10**18)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1)] = 1


class _RefusedError(Exception):
    """A request that is not answered with what it asks for."""

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = Fault(reason=reason, sentence=sentence)


async def make_stream(stream: JetStreamContext, table: SiteNatsTable) -> None:
    """Make the stream of postings and its consumer, or bring their options up to date.

    A message leaves the stream when it is acknowledged; a full stream refuses instead of
    forgetting. Raises `InputError` for options that the server cannot have.
    """
    wanted = api.StreamConfig(
        name=POST_STREAM,
        description="Postings of the stations, until the site has them",
        subjects=[all_of("post")],
        retention=api.RetentionPolicy.WORK_QUEUE,
        storage=api.StorageType.FILE,
        discard=api.DiscardPolicy.NEW,
        num_replicas=table.replicas,
        duplicate_window=float(table.duplicate_window_s),
    )
    try:
        try:
            found = (await stream.stream_info(POST_STREAM)).config
        except nats.js.errors.NotFoundError:
            await stream.add_stream(wanted)
        else:
            if (found.num_replicas, found.duplicate_window, found.subjects) != (
                wanted.num_replicas, wanted.duplicate_window, wanted.subjects
            ):  # fmt: skip
                await stream.update_stream(wanted)
    except (nats.js.errors.BadRequestError, nats.js.errors.ServerError) as error:
        passing = isinstance(error, nats.js.errors.ServerError) or error.err_code == NO_PEERS
        if passing and error.err_code != NO_CLUSTER:
            raise
        raise InputError(
            f"The NATS server does not make the stream {POST_STREAM}: {error.description}. "
            f"Check {WHERE}.replicas and {WHERE}.duplicate_window_s.",
            reason="settings",
        ) from error
    await stream.add_consumer(
        POST_STREAM,
        api.ConsumerConfig(
            durable_name=POST_CONSUMER,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=ACK_WAIT_S,
            max_ack_pending=ACK_PENDING_MAX,
        ),
    )


def _check(word: str, source: str) -> None:
    """Raise unless a source is that of the station whose subject it came by."""
    if word_of(station_of(source)) != word:
        raise _RefusedError("not_authorised", f"{source} does not post by this subject.")


def _offered(offer: T | None) -> T:
    if offer is None:
        raise _RefusedError("not_offered", "This site does not offer that.")
    return offer


async def _extend(messages: list[Msg]) -> None:
    """Tell the stream that these are in work."""
    with contextlib.suppress(nats.errors.Error):
        for message in messages:
            await message.in_progress()


def _id(message: Msg) -> str:
    return (message.headers or {}).get(api.Header.MSG_ID, "")


def _tell(
    told: dict[str, Answers], message: Msg, *, answer: Answer | None = None,
    unfit: Unfit | None = None,
) -> None:  # fmt: skip
    """Add to what a station is told."""
    each = told.setdefault(last_word(message.subject), Answers(answers=[], unfit=[]))
    if unfit is not None:
        each.unfit.append(unfit)
    elif answer is not None:
        each.answers.append(answer)

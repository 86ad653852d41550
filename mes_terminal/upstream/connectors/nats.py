"""The `nats` connector (extra): one message a posting into JetStream, the site's answers back.

The stream's own memory of message ids is short and saves traffic only: the receiver's inbox is what
makes a posting have its effect once. A posting counts as delivered when the site has answered to
its very bytes; that the stream has it only means not to send it again while the site is away. Where
an answer was lost, the posting is sent once more as a message of its own, and answered again.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
import nats.errors
import nats.js.errors

from mes_terminal.domain.delivery import (
    EXCEPTIONS_MAX,
    Answer,
    Greeting,
    SiteException,
    StockReading,
)
from mes_terminal.errors import TransportError
from mes_terminal.upstream.connectors.addresses import subject
from mes_terminal.upstream.connectors.nats_down import DownWatch
from mes_terminal.upstream.connectors.nats_link import REQUEST_MAX_S, NatsLink
from mes_terminal.upstream.wire import UNREADABLE, Answers, ExceptionPage, Question, fault_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg
    from nats.js.api import PubAck

    from mes_terminal.domain.delivery import Confirmation, DownDocument, Hello, QueuedPosting
    from mes_terminal.settings.upstream_tables import UpstreamTable
    from mes_terminal.upstream.connector import StationIdentity

WHERE: Final = "upstream.nats"
ANSWER_FIRST_S: Final = 2.0
"""How long the site's answer is waited for before it is asked."""
REPEATED_FIRST_S: Final = 0.1
"""The same, for what the stream had already: its answer may have come long ago."""
STORE_MAX_S: Final = 2.0
"""How long the stream may take to confirm; what it does not confirm is not waited for, and sent
again with the next call."""
ANSWER_MAX_S: Final = 30.0
"""How long `deliver` waits for the last answer."""
ASK_PAUSE_MAX_S: Final = 5.0
STORED_MAX: Final = 10_000
"""Ids remembered of what the stream has and the site did not answer yet."""
MSG_ID: Final = "Nats-Msg-Id"
HASH_DIGITS: Final = 32
HEADERS_MAX_BYTES: Final = 1024
"""What the headers of a message take of its bytes, at most."""

T = TypeVar("T")
Waiting = dict[tuple[str, int], "asyncio.Future[Answer]"]
"""The answers that are waited for, by epoch and sequence."""


def connect(upstream: UpstreamTable, identity: StationIdentity) -> NatsConnector:
    """Return the connector, with its files read once. Raises `InputError`."""
    link = NatsLink(upstream.nats, WHERE, name=f"mes-terminal {identity.source}")
    return NatsConnector(link, identity)


class NatsConnector:
    """Brings postings into the stream and hears the site; see `Connector` and `Inbound`."""

    batch_max = 256
    batch_max_bytes = 4 << 20
    one_per_lane = True
    parallel_max = 4

    def __init__(self, link: NatsLink, identity: StationIdentity) -> None:
        self._link = link
        self._source = identity.source
        self._station = identity.station
        self._down = DownWatch(link, identity.source)
        self._listening: Client | None = None
        self._waiting: Waiting = {}
        self._stored: OrderedDict[str, None] = OrderedDict()

    async def open(self) -> None:
        """Connect to the broker. Raises `TransportError`."""
        await self._client()

    async def greet(self, hello: Hello) -> Greeting:
        """Say who sends and hear what is there."""
        return await self._request("hello", msgspec.json.encode(hello), Greeting)

    async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        """Publish postings and wait for what the site says of each; where it says nothing, ask
        whether it has them, and publish those again."""
        await self._client()
        loop = asyncio.get_running_loop()
        mine: Waiting = {_key(each): loop.create_future() for each in postings}
        self._waiting.update(mine)
        try:
            repeated = await self._publish(postings)
            stored = [each for each in postings if each.id in self._stored]
            await self._hear(stored, mine, repeated=repeated)
        except TransportError:
            if not any(future.done() for future in mine.values()):
                raise
        finally:
            for key, future in mine.items():
                if self._waiting.get(key) is future:
                    del self._waiting[key]
        told = [(each, mine[_key(each)]) for each in postings if mine[_key(each)].done()]
        for posting, _ in told:
            self._stored.pop(posting.id, None)
        if not told:
            raise self._silent(len(postings))
        return [future.result() for _, future in told]

    async def close(self) -> None:
        """Disconnect."""
        await self._down.stop()
        self._listening = None
        await self._link.close()

    async def fetch(self, after: int, *, wait_s: float) -> list[DownDocument]:
        """Return the documents above a version; waits for the first."""
        return await self._down.fetch(after, wait_s=wait_s)

    async def confirm(self, confirmation: Confirmation) -> None:
        """Say what the station did with the documents."""
        await self._request("confirm", msgspec.json.encode(confirmation), dict)

    async def stock(self) -> StockReading:
        """Return the receiver's stock where this station works."""
        asked = msgspec.json.encode({"source": self._source})
        return await self._request("stock", asked, StockReading)

    async def exceptions(self) -> list[SiteException]:
        """Return the open exceptions of all stations, asked for page by page."""
        found: list[SiteException] = []
        more = True
        while more and len(found) <= EXCEPTIONS_MAX:
            asked = {
                "source": self._source,
                "after": found[-1].number if found else 0,
                "limit": EXCEPTIONS_MAX + 1 - len(found),
            }
            page = await self._request("exceptions", msgspec.json.encode(asked), ExceptionPage)
            found += page.exceptions
            more = page.more and bool(page.exceptions)
        return found

    async def _client(self) -> Client:
        """Return the client, connected, with the answers of the site subscribed."""
        client = await self._link.client()
        if self._listening is not client:
            await self._link.asking(
                client.subscribe(subject("ack", self._station), cb=self._on_answers)
            )
            await self._link.asking(client.flush())
            self._listening = client
        return client

    async def _on_answers(self, message: Msg) -> None:
        """Note what the site says; what nobody waits for any more was asked after meanwhile."""
        try:
            self._note(msgspec.json.decode(message.data, type=Answers))
        except UNREADABLE:
            return

    def _note(self, told: Answers) -> None:
        for answer in told.answers:
            if answer.source == self._source:
                self._settle(answer)
        for unfit in told.unfit:
            epoch, number = (*unfit.id.split(":"), "", "")[:2]
            if number.isascii() and number.isdigit():
                self._settle(
                    Answer(
                        source=self._source, epoch=epoch, sequence=int(number), outcome="refused",
                        reason=unfit.reason, sentence=unfit.sentence,
                    )
                )  # fmt: skip

    def _settle(self, answer: Answer) -> None:
        future = self._waiting.get((answer.epoch, answer.sequence))
        if future is not None and not future.done():
            future.set_result(answer)

    async def _publish(self, postings: Sequence[QueuedPosting], *, again: bool = False) -> bool:
        """Publish what the stream does not have yet, or all of it `again`; return whether it knew
        some of it already. Raises `TransportError` if it takes none."""
        stream = await self._link.jetstream()
        going: dict[str, asyncio.Future[PubAck]] = {}
        repeated = False
        trouble: BaseException | None = None
        for posting in postings:
            if posting.id in self._stored and not again:
                repeated = True
            elif len(posting.body) + HEADERS_MAX_BYTES > self._link.max_payload:
                self._settle(_too_large(posting, self._link.max_payload))
            else:
                headers = {MSG_ID: _message_id(posting, again=again)}
                try:
                    going[posting.id] = await self._link.asking(
                        stream.publish_async(
                            subject("post", self._station), posting.body, headers=headers
                        )
                    )
                except nats.js.errors.Error as error:
                    trouble = error
        if going:
            await asyncio.wait(going.values(), timeout=STORE_MAX_S)
        for id_, future in going.items():
            fault = TimeoutError() if future.cancel() else future.exception()
            if fault is None:
                self._remember(id_)
                repeated = repeated or bool(future.result().duplicate)
            trouble = fault or trouble
        if trouble is not None and not any(each.id in self._stored for each in postings):
            raise self._not_stored(trouble)
        return repeated

    def _remember(self, id_: str) -> None:
        self._stored[id_] = None
        while len(self._stored) > STORED_MAX:
            self._stored.popitem(last=False)

    async def _hear(
        self, postings: Sequence[QueuedPosting], mine: Waiting, *, repeated: bool
    ) -> None:
        """Wait until the site has answered for each, or for as long as it may take."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + ANSWER_MAX_S
        pause_s = REPEATED_FIRST_S if repeated else ANSWER_FIRST_S
        while waiting := [mine[_key(each)] for each in postings if not mine[_key(each)].done()]:
            await asyncio.wait(waiting, timeout=min(pause_s, max(0, deadline - loop.time())))
            unanswered = [each for each in postings if not mine[_key(each)].done()]
            if not unanswered:
                return
            known = await self._known(unanswered)
            if answered := [each for each in unanswered if _key(each) in known]:
                await self._publish(answered, again=True)
            if loop.time() >= deadline:
                for posting in unanswered:  # the stream may have lost it: publish it once more
                    if _key(posting) not in known:
                        self._stored.pop(posting.id, None)
                return
            pause_s = min(max(pause_s * 2, ANSWER_FIRST_S), ASK_PAUSE_MAX_S)

    async def _known(self, postings: Sequence[QueuedPosting]) -> set[tuple[str, int]]:
        """Ask the site which keys it has, under whatever bytes."""
        known: set[tuple[str, int]] = set()
        for epoch in sorted({each.epoch for each in postings}):
            question = Question(
                source=self._source,
                epoch=epoch,
                sequences=[each.sequence for each in postings if each.epoch == epoch],
            )
            told = await self._request("ask", msgspec.json.encode(question), Answers)
            known |= {(each.epoch, each.sequence) for each in told.answers}
        return known

    async def _request(self, what: str, content: bytes, wanted: type[T]) -> T:
        """Return what the site answers to a request. Raises `TransportError`."""
        client = await self._client()
        try:
            reply = await self._link.asking(
                client.request(subject(what, self._station), content, timeout=REQUEST_MAX_S)
            )
        except nats.errors.NoRespondersError as error:
            raise self._silent(0) from error
        try:
            if fault := fault_of(reply.data):
                raise TransportError(
                    f"The site behind {self._link.shown}: {fault.sentence} Postings wait.",
                    reason=fault.reason,
                )
            return msgspec.json.decode(reply.data, type=wanted)
        except UNREADABLE as error:
            raise TransportError(
                f"What answers for the site at {self._link.shown} cannot be read. "
                f"Check {WHERE}.url. Postings wait.",
                reason="strange",
            ) from error

    def _silent(self, waiting: int) -> TransportError:
        if forbidden := self._link.forbidden():
            return forbidden
        has = f"The broker has {waiting} postings for it. " if waiting else ""
        return TransportError(
            f"The NATS server at {self._link.shown} answers, but no site behind it. {has}"
            f"Look whether mes-terminal site runs{self._link.way_to_hub}. Postings wait.",
            reason="no_site",
        )

    def _not_stored(self, trouble: BaseException) -> TransportError:
        if forbidden := self._link.forbidden():
            return forbidden
        if isinstance(
            trouble, nats.js.errors.NoStreamResponseError | nats.errors.NoRespondersError
        ):
            why = (
                "has no stream for postings. Start mes-terminal site once: it makes it"
                f"{self._link.way_to_hub}"
            )
        elif isinstance(trouble, nats.js.errors.APIError):
            why = f"does not store postings ({trouble.description})"
        else:
            why = "does not confirm that it stored postings"
        return TransportError(
            f"The NATS server at {self._link.shown} {why}. Postings wait.", reason="not_stored"
        )


def _key(posting: QueuedPosting) -> tuple[str, int]:
    return posting.epoch, posting.sequence


def _message_id(posting: QueuedPosting, *, again: bool) -> str:
    """Return the id by which the stream knows a message again: of these bytes, not of the key
    alone, so that the stream never takes another content for a repeat."""
    found = f"{posting.id}:{hashlib.sha256(posting.body).hexdigest()[:HASH_DIGITS]}"
    return f"{found}:{secrets.token_hex(4)}" if again else found


def _too_large(posting: QueuedPosting, bytes_max: int) -> Answer:
    return Answer(
        source=posting.source, epoch=posting.epoch, sequence=posting.sequence, outcome="refused",
        reason="too_large",
        sentence=f"The posting has {len(posting.body)} bytes, and a message of the NATS server may "
        f"have {bytes_max}. Raise max_payload there, then post it again.",
    )  # fmt: skip

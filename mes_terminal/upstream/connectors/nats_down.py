"""What comes down over NATS: a key/value bucket that every station watches (UP-9).

The site puts documents in the order of their versions, so whatever has arrived is a first part of
all there is. A bucket is watched anew after every new connection, and when it went on without us.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final

import msgspec
import nats.errors
import nats.js.errors

from mes_terminal.domain.delivery import DownDocument
from mes_terminal.errors import TransportError
from mes_terminal.upstream.connectors.addresses import DOWN_BUCKET
from mes_terminal.upstream.wire import UNREADABLE

if TYPE_CHECKING:
    from nats.js.kv import KeyValue

    from mes_terminal.upstream.connectors.nats_link import NatsLink

FETCH_MAX: Final = 500
"""Documents that are returned together."""
SETTLE_S: Final = 0.05
"""How long more is waited for once something is there, so that it is applied together."""
LOOK_S: Final = 5.0
"""How often the bucket is asked whether it went on without us."""


class DownWatch:
    """The documents of the bucket that are for one station."""

    def __init__(self, link: NatsLink, source: str) -> None:
        self._link = link
        self._source = source
        self._bucket: KeyValue | None = None
        self._watcher: KeyValue.KeyWatcher | None = None
        self._connection = 0
        self._after = 0
        self._seen = 0
        """The revision that was seen last."""
        self._documents: dict[str, DownDocument] = {}

    async def fetch(self, after: int, *, wait_s: float) -> list[DownDocument]:
        """Return documents above a version in order, none if nothing comes in time. Raises
        `TransportError`."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + wait_s
        await self._link.client()
        if self._watcher is None or self._connection != self._link.connections \
                or after < self._after:  # fmt: skip
            await self._watch()
        self._after = after
        for key in [key for key, each in self._documents.items() if each.version <= after]:
            del self._documents[key]
        while len(self._documents) < FETCH_MAX:
            left_s = deadline - loop.time()
            pause_s = SETTLE_S if self._documents else min(max(left_s, SETTLE_S), LOOK_S)
            if not await self._hear(after, pause_s):
                if self._documents or left_s <= 0:
                    break
                if await self._went_on():
                    await self._watch()
        return sorted(self._documents.values(), key=lambda each: each.version)[:FETCH_MAX]

    async def stop(self) -> None:
        """Watch no longer."""
        watcher, self._watcher = self._watcher, None
        if watcher is not None:
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
                await watcher.stop()  # type: ignore[no-untyped-call]

    async def _watch(self) -> None:
        """Watch the bucket from its present state on."""
        await self.stop()
        stream = await self._link.jetstream()
        self._documents = {}
        self._seen = 0
        connection = self._link.connections
        try:
            self._bucket = await self._link.asking(stream.key_value(DOWN_BUCKET))
            self._watcher = await self._link.asking(self._bucket.watchall())
        except nats.js.errors.NotFoundError as error:
            raise TransportError(
                f"The site behind {self._link.shown} does not offer that. {self._link.at_a_leaf}",
                reason="not_offered",
            ) from error
        except (nats.js.errors.Error, nats.errors.NoRespondersError) as error:
            raise self._unwatched(error) from error
        self._connection = connection

    async def _hear(self, after: int, wait_s: float) -> bool:
        """Note what comes next; return whether anything came."""
        if self._watcher is None:
            return False
        try:
            entry = await self._watcher.updates(wait_s)  # type: ignore[no-untyped-call]
        except nats.errors.TimeoutError:
            return False
        if entry is None or entry.revision is None:
            return True
        self._seen = max(self._seen, entry.revision)
        if entry.operation is None and entry.value:
            document = self._read(entry.value)
            if document.version > after and (
                not document.stations or self._source in document.stations
            ):
                self._documents[entry.key] = document
        return True

    async def _went_on(self) -> bool:
        """Tell whether the bucket has what did not reach us, or is not the one that we saw."""
        if self._bucket is None or self._connection != self._link.connections:
            return True
        try:
            status = await self._link.asking(self._bucket.status())
        except (nats.js.errors.Error, nats.errors.NoRespondersError) as error:
            raise self._unwatched(error) from error
        return bool(status.stream_info.state.last_seq != self._seen)

    def _read(self, content: bytes) -> DownDocument:
        try:
            return msgspec.json.decode(content, type=DownDocument)
        except UNREADABLE as error:
            raise TransportError(
                f"A document in {DOWN_BUCKET} at {self._link.shown} cannot be read. It is newer "
                "than this program, or somebody else wrote it.",
                reason="strange",
            ) from error

    def _unwatched(self, error: Exception) -> TransportError:
        return TransportError(
            f"The NATS server at {self._link.shown} does not let us read {DOWN_BUCKET} "
            f"({str(error)[:200]}). {self._link.at_a_leaf}",
            reason="unreachable",
        )

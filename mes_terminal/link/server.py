"""The core's side of the link: a Unix socket that no client can hurt.

Guarantees: only this user and root are heard; a line that is too long or no request is answered
with an error and its client is cut off; a client that does not read is dropped when it is
`PUSHES_WAITING_MAX` messages behind. The core never waits for a client. Runs on the core's event
loop; `station` gives it the answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final

from mes_terminal import logs
from mes_terminal.errors import CoreError, InputError, StationError
from mes_terminal.link import protocol
from mes_terminal.link.places import may_talk

if TYPE_CHECKING:
    from pathlib import Path

    from mes_terminal.link.protocol import Request

Answer = Callable[["Request"], "Awaitable[object] | AsyncIterator[list[bytes]]"]
"""Answers one request: with a value, or with the pages of a list (rows as JSON objects)."""

CLIENTS_MAX: Final = 64
"""Screens and commands attached at a time: many more than a line has."""
FAREWELL_S: Final = 1.0
"""How long a client may take for what is still to be sent when the core stops."""


class LinkServer:
    """The listening socket and its clients."""

    def __init__(self, path: Path, answer: Answer) -> None:
        self.path = path
        self._answer = answer
        self._clients: set[_Client] = set()
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen. The caller holds the database's lock, so a socket found there is a dead one's."""
        self.path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = await asyncio.start_unix_server(
                self._meet, path=str(self.path), limit=protocol.REQUEST_MAX_BYTES
            )
        finally:
            os.umask(before)

    def push(self, kind: str, data: object) -> None:
        """Tell every subscriber. Never waits."""
        listeners = [client for client in self._clients if client.subscribed]
        if listeners:
            line = protocol.encode_push(kind, data)
            for client in listeners:
                client.send_now(line)

    @property
    def subscribers(self) -> int:
        """How many clients follow what happens."""
        return sum(client.subscribed for client in self._clients)

    async def close(self) -> None:
        """Stop listening, send what is still to be sent, and cut everyone off."""
        if self._server is not None:
            self._server.close()
        await asyncio.gather(*(client.finish() for client in tuple(self._clients)))
        self.path.unlink(missing_ok=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(reader, writer, self._answer)
        peer = writer.get_extra_info("socket")
        if len(self._clients) >= CLIENTS_MAX or not may_talk(peer):
            sentence = "The station does not talk to this user, or too many are attached."
            writer.write(protocol.encode_error(None, CoreError(sentence, reason="not_allowed")))
            writer.close()
            return
        self._clients.add(client)
        try:
            await client.serve()
        finally:
            self._clients.discard(client)


class _Client:
    """One connection: reads requests, works on them side by side, sends in order."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, answer: Answer
    ) -> None:
        self.subscribed = False
        self._reader = reader
        self._writer = writer
        self._answer = answer
        self._outgoing: asyncio.Queue[bytes] = asyncio.Queue(protocol.PUSHES_WAITING_MAX)
        self._free = asyncio.Semaphore(protocol.REQUESTS_WAITING_MAX)
        self._tasks: set[asyncio.Task[None]] = set()
        self._lists: dict[int, asyncio.Task[None]] = {}
        """The lists that are being sent, by the number of their request."""

    def send_now(self, line: bytes) -> None:
        """Queue a line; a client that is too far behind is dropped."""
        try:
            self._outgoing.put_nowait(line)
        except asyncio.QueueFull:
            logs.write("link.client_dropped", reason="it does not read")
            self._writer.transport.abort()

    async def serve(self) -> None:
        """Answer until the client leaves or misbehaves."""
        sender = asyncio.create_task(self._send())
        try:
            await self._read_requests()
        except (ConnectionError, OSError):
            pass
        finally:
            # what was asked before the client left is still done: a scan is never half taken
            await asyncio.gather(*self._tasks, return_exceptions=True)
            await self._flush()
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
            self._writer.close()

    async def finish(self) -> None:
        """Send what is queued, then close."""
        await asyncio.wait(self._tasks, timeout=FAREWELL_S) if self._tasks else None
        await self._flush()
        self._writer.close()
        self._reader.feed_eof()

    async def _read_requests(self) -> None:
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:
                return
            except asyncio.LimitOverrunError:
                self._refuse(InputError("The request is too long.", reason="too_long"))
                return
            try:
                request = protocol.decode_request(line)
            except InputError as error:
                self._refuse(error)
                return
            if request.do == "cancel":
                self._cancel(request)
                continue
            await self._free.acquire()
            task = asyncio.create_task(self._work(request))
            self._tasks.add(task)
            task.add_done_callback(self._done)

    def _cancel(self, request: Request) -> None:
        """End a list that the client wants no more of; nothing else can be cancelled, and nothing
        is answered."""
        number = request.params.get("request")
        task = self._lists.get(number) if isinstance(number, int) else None
        if task is not None:
            task.cancel()

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._free.release()

    def _refuse(self, error: StationError) -> None:
        logs.write("link.client_refused", reason=error.reason)
        self.send_now(protocol.encode_error(None, error))

    async def _work(self, request: Request) -> None:
        try:
            self.subscribed = self.subscribed or request.do == "subscribe"
            answer = self._answer(request)
            if isinstance(answer, AsyncIterator):
                await self._send_list(request.id, answer)
            else:
                await self._outgoing.put(protocol.encode_result(request.id, await answer))
        except StationError as error:
            await self._outgoing.put(protocol.encode_error(request.id, error))

    async def _send_list(self, number: int, pages: AsyncIterator[list[bytes]]) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._lists[number] = task
        try:
            await self._send_pages(number, pages)
        except asyncio.CancelledError:
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()
        finally:
            del self._lists[number]

    async def _send_pages(self, number: int, pages: AsyncIterator[list[bytes]]) -> None:
        async for rows in pages:
            await self._outgoing.put(protocol.encode_page(number, rows, more=True))
            await self._outgoing.join()  # one page in memory, however slow the client reads
        await self._outgoing.put(protocol.encode_page(number, [], more=False))

    async def _send(self) -> None:
        while True:
            line = await self._outgoing.get()
            with contextlib.suppress(ConnectionError, OSError):
                self._writer.write(line)
                await self._writer.drain()
            self._outgoing.task_done()

    async def _flush(self) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._outgoing.join(), FAREWELL_S)


def parameter(params: dict[str, Any], name: str, kind: type, default: Any = ...) -> Any:
    """Return a request's parameter. Raises `InputError` if it is missing or of another type."""
    value = params.get(name, default)
    if value is default and default is not ...:
        return value
    if not isinstance(value, kind):
        raise InputError(f"The request lacks {name!r}, or it is malformed.", reason="protocol")
    return value

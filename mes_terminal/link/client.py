"""The screen's side of the link: requests side by side, pushes, and attaching again by itself.

Raises the core's `StationError` as it was there, and `CoreError` when the core is gone: a screen
outlives a restart of the core. Commands use `blocking`.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from mes_terminal.errors import CoreError, StationError
from mes_terminal.link import protocol
from mes_terminal.link.blocking import gone, strange
from mes_terminal.link.places import is_trusted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator
    from pathlib import Path

    from mes_terminal.link.protocol import Message

T = TypeVar("T")

RETRY_FIRST_S: Final = 0.1
RETRY_MAX_S: Final = 2.0
"""Between attempts to attach again: short, for the core is on this machine."""
PUSHES_KEPT_MAX: Final = 1024
"""Pushes a screen may leave unread before the oldest are forgotten."""


class Subscription(msgspec.Struct, frozen=True):
    """What a new subscriber is told first."""

    view: msgspec.Raw
    recovered: list[msgspec.Raw] = []


class LinkClient:
    """A screen's connection: requests side by side, pushes, and attaching again.

    `async with LinkClient(path) as client:`; a request made while the core is away raises
    `CoreError` at once, so that a scan is never thought to be taken.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer: asyncio.StreamWriter | None = None
        self._number = 0
        self._answers: dict[int, asyncio.Queue[Message]] = {}
        self._pushes: asyncio.Queue[tuple[str, msgspec.Raw]] = asyncio.Queue()
        self._attached = asyncio.Event()
        self._subscribed = False
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> LinkClient:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def attached(self) -> bool:
        """Whether the core is there right now."""
        return self._attached.is_set()

    async def open(self) -> None:
        """Attach. Raises `CoreError` if there is no core; later losses are mended in silence."""
        reader = await self._connect()
        self._keeper = asyncio.create_task(self._keep(reader))

    async def close(self) -> None:
        """Leave the core."""
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.gather(self._keeper, return_exceptions=True)
        self._lose()

    async def request(self, do: str, **params: Any) -> msgspec.Raw:
        """Ask and return the answer's JSON. Raises the error the core met, or `CoreError`."""
        async with self._asking(do, params) as answers:
            message = await answers.get()
        return message.result

    async def ask(self, do: str, kind: type[T], **params: Any) -> T:
        """Ask and return the answer as a `kind`."""
        return msgspec.json.decode(await self.request(do, **params), type=kind)

    async def pages(self, do: str, **params: Any) -> AsyncGenerator[list[msgspec.Raw], None]:
        """Ask for a list and yield its pages: rows, each a JSON object.

        Who closes it early tells the core that no more is wanted.
        """
        async with self._asking(do, params) as answers:
            number, is_whole = self._number, False
            try:
                while True:
                    message = await answers.get()
                    is_whole = not message.more
                    if message.rows:
                        yield message.rows
                    if is_whole:
                        return
            finally:
                if not is_whole:
                    self._cancel(number)

    async def subscribe(self) -> AsyncIterator[tuple[str, msgspec.Raw]]:
        """Yield what the core pushes: its kind and its JSON.

        Kinds: `outcome`, `view`, `scans_waiting`, `refused`, `stopping`; `recovered` (a scan booked
        from the journal at the core's start); made here: `gone` when the core is lost, `attached`
        when it is back. A view comes at once; what happens meanwhile may come before it.
        """
        self._subscribed = True
        if self.attached:
            await self._begin()
        while True:
            yield await self._pushes.get()

    def _cancel(self, number: int) -> None:
        if self._writer is not None:
            self._number += 1
            self._writer.write(protocol.encode_request(self._number, "cancel", {"request": number}))

    @contextlib.asynccontextmanager
    async def _asking(self, do: str, params: dict[str, Any]) -> AsyncIterator[_Answers]:
        if self._writer is None:
            raise gone()
        self._number += 1
        number = self._number
        line = protocol.encode_request(number, do, params)
        queue: asyncio.Queue[Message] = asyncio.Queue()
        self._answers[number] = queue
        try:
            self._writer.write(line)
            yield _Answers(queue)
        finally:
            self._answers.pop(number, None)

    async def _keep(self, reader: asyncio.StreamReader) -> None:
        while True:
            with contextlib.suppress(OSError, ValueError, CoreError):
                await self._read(reader)
            self._lose()
            self._hear("gone", protocol.NULL)
            reader = await self._connect_again()
            if self._subscribed:
                asyncio.get_running_loop().create_task(self._subscribe_again())

    async def _subscribe_again(self) -> None:
        with contextlib.suppress(StationError):
            self._hear("attached", protocol.NULL)
            await self._begin()

    async def _begin(self) -> None:
        start = await self.ask("subscribe", Subscription)
        for outcome in start.recovered:
            self._hear("recovered", outcome)
        self._hear("view", start.view)

    async def _connect_again(self) -> asyncio.StreamReader:
        pause_s = RETRY_FIRST_S
        while True:
            await asyncio.sleep(pause_s)
            try:
                return await self._connect()
            except CoreError:
                pause_s = min(pause_s * 2, RETRY_MAX_S)

    async def _connect(self) -> asyncio.StreamReader:
        try:
            reader, self._writer = await asyncio.open_unix_connection(
                str(self._path), limit=protocol.MESSAGE_MAX_BYTES
            )
        except OSError as error:
            raise gone() from error
        if not is_trusted(self._writer.get_extra_info("socket")):
            self._writer.close()
            raise strange()
        self._attached.set()
        return reader

    async def _read(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            message = protocol.decode_message(line)
            if message.push is not None:
                self._hear(message.push, message.data)
            elif message.id in self._answers:
                self._answers[message.id].put_nowait(message)

    def _hear(self, kind: str, data: msgspec.Raw) -> None:
        if not self._subscribed:
            return
        if self._pushes.qsize() >= PUSHES_KEPT_MAX:
            self._pushes.get_nowait()
        self._pushes.put_nowait((kind, data))

    def _lose(self) -> None:
        self._attached.clear()
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        fault = protocol.Fault(reason="core_gone", sentence=gone().sentence, exit_code=2)
        for queue in self._answers.values():
            queue.put_nowait(protocol.Message(error=fault))


class _Answers:
    """The answers to one request, in order; an error among them is raised."""

    def __init__(self, queue: asyncio.Queue[Message]) -> None:
        self._queue = queue

    async def get(self) -> Message:
        message = await self._queue.get()
        if message.error is not None:
            protocol.raise_fault(message.error)
        return message

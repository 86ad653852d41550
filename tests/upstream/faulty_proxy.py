"""A network that misbehaves: a proxy between a client and a server, in a thread of its own.

It understands just enough of HTTP, NATS and MQTT to tell one message of the client from the next,
and drops, doubles, delays or swaps messages that carry postings, or cuts the connection before or
after one; what the server says may be cut off too. The same seed gives the same faults.
"""

import asyncio
import contextlib
import random
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

READ_BYTES = 65_536
Framing = Callable[[asyncio.StreamReader], AsyncIterator[tuple[bytes, bool]]]
"""From a client's stream to its messages, each with whether it carries postings."""


@dataclass
class Faults:
    """How often each fault comes, of a message that carries postings (0 to 1)."""

    drop: float = 0.0
    double: float = 0.0
    delay: float = 0.0
    swap: float = 0.0
    cut_before: float = 0.0
    cut_after: float = 0.0
    cut_answer: float = 0.0
    busy: float = 0.0
    """HTTP only: answered 429 with Retry-After, and not handed on."""
    broken: float = 0.0
    """HTTP only: handed on, and answered 500 whatever came of it."""
    delay_max_s: float = 0.02


NASTY = Faults(
    drop=0.02, double=0.03, delay=0.05, swap=0.02, cut_before=0.01, cut_after=0.02, cut_answer=0.01
)
"""For requests that carry hundreds of postings."""
NASTY_A_MESSAGE = Faults(
    drop=0.005, double=0.03, delay=0.03, swap=0.02, cut_before=0.003, cut_after=0.005,
    cut_answer=0.002,
)  # fmt: skip
"""For messages of one posting each."""


@dataclass
class FaultyProxy:
    """Between `port` here and the server at `target` (host, port). `start`, then `stop`."""

    target: tuple[str, int]
    framing: Framing
    faults: Faults = field(default_factory=Faults)
    seed: int = 1
    happened: Counter[str] = field(default_factory=Counter)
    port: int = 0

    def start(self) -> None:
        """Listen, and return when it does."""
        self._chance = random.Random(self.seed)
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run(ready)), daemon=True)
        self._thread.start()
        assert ready.wait(10)

    def stop(self) -> None:
        """End every connection."""
        self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(10)

    def cut_all(self) -> None:
        """Cut every connection now; new ones are taken."""
        self._loop.call_soon_threadsafe(lambda: [each.cancel() for each in self._open])

    async def _run(self, ready: threading.Event) -> None:
        self._loop = asyncio.get_running_loop()
        self._stopping = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()
        server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = server.sockets[0].getsockname()[1]
        ready.set()
        await self._stopping.wait()
        server.close()
        for each in self._open:
            each.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            with contextlib.suppress(OSError, EOFError, asyncio.CancelledError, _CutError):
                far_reader, far_writer = await asyncio.open_connection(*self.target)
                try:
                    up = asyncio.create_task(self._up(reader, far_writer, writer))
                    down = asyncio.create_task(self._down(far_reader, writer))
                    done, rest = await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
                    for each in rest:
                        each.cancel()
                    await asyncio.gather(*done, *rest, return_exceptions=True)
                finally:
                    far_writer.transport.abort()
        finally:
            self._open.discard(task)
            writer.transport.abort()

    async def _up(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        back: asyncio.StreamWriter,
    ) -> None:
        held: bytes | None = None
        async for message, carries in self.framing(reader):
            sent = [message]
            if carries and self._is("busy"):
                back.write(_BUSY)
                continue
            if carries and self._is("broken"):
                writer.write(message)
                await writer.drain()
                back.write(_BROKEN)
                raise _CutError  # the true answer is never seen
            if carries:
                sent = await self._misbehave(message)
                if held is None and sent and self._is("swap"):
                    held = b"".join(sent)
                    continue
            if held is not None:
                sent.append(held)
                held = None
            for each in sent:
                writer.write(each)
            await writer.drain()
            if carries and self._is("cut_after"):
                raise _CutError

    async def _misbehave(self, message: bytes) -> list[bytes]:
        if self._is("cut_before"):
            raise _CutError
        if self._is("drop"):
            return []
        if self._is("delay"):
            await asyncio.sleep(self._chance.random() * self.faults.delay_max_s)
        return [message, message] if self._is("double") else [message]

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while part := await reader.read(READ_BYTES):
            if self._is("cut_answer"):
                writer.write(part[: len(part) // 2])
                raise _CutError
            writer.write(part)
            await writer.drain()

    def _is(self, fault: str) -> bool:
        if self._chance.random() >= getattr(self.faults, fault):
            return False
        self.happened[fault] += 1
        return True


_BUSY = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
_BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _CutError(Exception):
    """The connection is cut here."""


async def http_messages(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield requests; those to the postings carry postings."""
    while True:
        head = await reader.readuntil(b"\r\n\r\n")
        length = 0
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.strip().lower() == b"content-length":
                length = int(value)
        body = await reader.readexactly(length)
        yield head + body, b"/v1/postings" in head.split(b"\r\n", 1)[0]


async def nats_messages(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield lines of the NATS protocol with their payload; publications of postings carry them."""
    while line := await reader.readuntil(b"\r\n"):
        words = line.split()
        verb = words[0].upper() if words else b""
        if verb in (b"PUB", b"HPUB"):
            payload = await reader.readexactly(int(words[-1]) + 2)
            yield line + payload, b".post." in words[1]
        else:
            yield line, False


async def mqtt_messages(reader: asyncio.StreamReader) -> AsyncIterator[tuple[bytes, bool]]:
    """Yield MQTT packets; a PUBLISH to a topic of postings carries one."""
    while True:
        head = await reader.readexactly(1)
        length, shift = 0, 0
        while True:
            byte = await reader.readexactly(1)
            head += byte
            length |= (byte[0] & 127) << shift
            shift += 7
            if not byte[0] & 128:
                break
        body = await reader.readexactly(length)
        yield head + body, head[0] >> 4 == 3 and b"/post/" in body[:300]

"""The link between a core and its clients: over a real socket, with answers made up here."""

import asyncio
import contextlib
import socket
import stat
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import msgspec
import pytest

from mes_terminal.errors import CoreError, InputError
from mes_terminal.link import protocol
from mes_terminal.link.blocking import Client
from mes_terminal.link.client import LinkClient
from mes_terminal.link.protocol import Request
from mes_terminal.link.server import LinkServer

LONG = "x" * 100_000
PATIENCE_S = 10.0


class Answers:
    """A core that echoes, counts pages, refuses, and can be made to wait."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.waiting = asyncio.Event()
        self.ended = asyncio.Event()

    def __call__(self, request: Request) -> Awaitable[object] | AsyncIterator[list[bytes]]:
        if request.do == "pages":
            return self._pages(request.params["pages"])
        if request.do == "endless":
            return self._endless()
        return self._value(request)

    async def _value(self, request: Request) -> object:
        match request.do:
            case "subscribe":
                return {"view": {"station": "S"}, "recovered": [{"code": "A"}]}
            case "refuse":
                raise InputError("No such thing.", reason="time")
            case "wait":
                self.waiting.set()
                await self.gate.wait()
        return request.params

    async def _endless(self) -> AsyncIterator[list[bytes]]:
        try:
            while True:
                yield [b"{}"]
                await asyncio.sleep(0)
        finally:
            self.ended.set()

    async def _pages(self, pages: int) -> AsyncIterator[list[bytes]]:
        for page in range(pages):
            yield [msgspec.json.encode({"page": page, "row": row}) for row in range(3)]


@contextlib.asynccontextmanager
async def serving(folder: Path) -> AsyncIterator[tuple[LinkServer, Answers]]:
    answers = Answers()
    server = LinkServer(folder / "s.sock", answers)
    await server.start()
    try:
        yield server, answers
    finally:
        await server.close()


async def raw_talk(path: Path, *lines: bytes) -> bytes:
    """Send lines as they are and read until the server ends the connection."""
    reader, writer = await asyncio.open_unix_connection(str(path))
    with contextlib.suppress(ConnectionError):
        writer.writelines(lines)
        await writer.drain()
    answer = await asyncio.wait_for(reader.read(), PATIENCE_S)
    writer.close()
    return answer


async def test_a_command_asks_and_is_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _):

        def command() -> tuple[dict[str, str], list[bytes]]:
            with Client(server.path) as client:
                return client.ask("echo", dict[str, str], a="b"), list(
                    client.pages("pages", pages=2)
                )

        value, rows = await asyncio.to_thread(command)
    assert value == {"a": "b"}
    assert rows[0] == b'{"page":0,"row":0}'
    assert len(rows) == 6


async def test_a_refusal_reaches_the_command_as_it_was(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _):

        def command() -> None:
            with Client(server.path) as client:
                client.request("refuse")

        with pytest.raises(InputError, match=r"No such thing\.") as caught:
            await asyncio.to_thread(command)
    assert caught.value.reason == "time"


async def test_a_list_that_is_closed_early_ends_at_the_core(tmp_path: Path) -> None:
    """Screens 11: what takes long can be cancelled, and the connection goes on."""
    async with serving(tmp_path) as (server, answers):
        client = LinkClient(server.path)
        await client.open()
        pages = client.pages("endless")
        async for page in pages:
            assert page
            break
        await pages.aclose()
        await asyncio.wait_for(answers.ended.wait(), PATIENCE_S)
        assert await client.ask("echo", dict[str, str], a="b") == {"a": "b"}
        await client.close()


@pytest.mark.parametrize("number", ["7", "null", "[1]", "{}"])
async def test_cancelling_what_there_is_not_does_nothing(tmp_path: Path, number: str) -> None:
    async with serving(tmp_path) as (server, _):
        cancel = f'{{"v":1,"id":1,"do":"cancel","params":{{"request":{number}}}}}\n'
        echo = protocol.encode_request(2, "echo", {"a": "b"})
        reader, writer = await asyncio.open_unix_connection(str(server.path))
        writer.write(cancel.encode() + echo)
        answer = await asyncio.wait_for(reader.readline(), PATIENCE_S)
        assert protocol.decode_message(answer).id == 2
        writer.close()


async def test_only_the_owner_may_open_the_socket(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _):
        assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
    assert not server.path.exists()


async def test_requests_of_one_client_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, answers), LinkClient(server.path) as client:
        slow = asyncio.create_task(client.ask("wait", dict[str, int], n=1))
        await asyncio.wait_for(answers.waiting.wait(), PATIENCE_S)
        assert await client.ask("echo", dict[str, int], n=2) == {"n": 2}
        assert not slow.done()
        answers.gate.set()
        assert await slow == {"n": 1}


@pytest.mark.parametrize(
    "line",
    [b"garbage\n", b"\x00" * 1000 + b"\n", b'{"v":9,"id":1,"do":"echo"}\n', b"x" * 200_000],
    ids=["garbage", "zeros", "version", "endless"],
)
async def test_a_hostile_client_hurts_only_itself(tmp_path: Path, line: bytes) -> None:
    async with serving(tmp_path) as (server, _), LinkClient(server.path) as client:
        answer = await raw_talk(server.path, line)
        assert b'"error"' in answer
        assert answer.count(b"\n") == 1
        assert await client.ask("echo", dict[str, int], n=1) == {"n": 1}


async def test_a_request_before_the_client_hangs_up_is_still_answered(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _):
        reader, writer = await asyncio.open_unix_connection(str(server.path))
        writer.write(protocol.encode_request(5, "echo", {"n": 1}))
        writer.write_eof()
        message = protocol.decode_message(await asyncio.wait_for(reader.readline(), PATIENCE_S))
        writer.close()
    assert message.id == 5


async def test_a_subscriber_is_told_what_happens_in_order(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _), LinkClient(server.path) as client:
        pushes = client.subscribe()
        first = [await asyncio.wait_for(anext(pushes), PATIENCE_S) for _ in range(2)]
        assert [kind for kind, _ in first] == ["recovered", "view"]
        for number in range(100):
            server.push("outcome", {"n": number})
        heard = [await asyncio.wait_for(anext(pushes), PATIENCE_S) for _ in range(100)]
    assert [msgspec.json.decode(data)["n"] for _, data in heard] == list(range(100))


async def test_a_subscriber_that_does_not_read_is_dropped_and_others_go_on(tmp_path: Path) -> None:
    async with serving(tmp_path) as (server, _), LinkClient(server.path) as client:
        pushes = client.subscribe()
        await anext(pushes)
        await anext(pushes)
        reader, writer = await asyncio.open_unix_connection(str(server.path))
        writer.write(protocol.encode_request(1, "subscribe", {}))
        await asyncio.wait_for(reader.readline(), PATIENCE_S)
        assert server.subscribers == 2
        for number in range(protocol.PUSHES_WAITING_MAX + 200):
            server.push("outcome", {"n": number, "long": LONG})
            _, data = await asyncio.wait_for(anext(pushes), PATIENCE_S)
            assert msgspec.json.decode(data)["n"] == number
        assert server.subscribers == 1
        writer.close()


async def test_a_screen_attaches_again_when_the_core_is_back(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        async with serving(tmp_path) as (server, _):
            client = await stack.enter_async_context(LinkClient(server.path))
            pushes = client.subscribe()
            await anext(pushes)
            await anext(pushes)
        assert (await asyncio.wait_for(anext(pushes), PATIENCE_S))[0] == "gone"
        with pytest.raises(CoreError):
            await client.request("echo")
        async with serving(tmp_path):
            kinds = [(await asyncio.wait_for(anext(pushes), PATIENCE_S))[0] for _ in range(3)]
            assert kinds == ["attached", "recovered", "view"]
            assert await client.ask("echo", dict[str, int], n=1) == {"n": 1}


async def test_a_request_under_way_fails_when_the_core_dies(tmp_path: Path) -> None:
    listening = await asyncio.start_unix_server(_cut_off, path=str(tmp_path / "s.sock"))
    async with LinkClient(tmp_path / "s.sock") as client:
        with pytest.raises(CoreError) as caught:
            await asyncio.wait_for(client.request("scan"), PATIENCE_S)
    listening.close()
    assert caught.value.reason == "core_gone"


async def _cut_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readline()
    writer.close()


def test_a_command_without_a_core_says_so(tmp_path: Path) -> None:
    with pytest.raises(CoreError):
        Client(tmp_path / "none.sock")


async def test_a_dead_cores_socket_is_taken_over(tmp_path: Path) -> None:
    dead = socket.socket(socket.AF_UNIX)
    dead.bind(str(tmp_path / "s.sock"))
    dead.close()
    async with serving(tmp_path) as (server, _), LinkClient(server.path) as client:
        assert await client.ask("echo", dict[str, int], n=1) == {"n": 1}

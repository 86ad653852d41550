"""HTTP between a station and a site: what is said of every fault, and what is waited for."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import httpx
import msgspec
import pytest

from mes_terminal.domain.delivery import (
    EXCEPTIONS_MAX,
    Confirmation,
    DownDocument,
    Hello,
    StockReading,
)
from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import HttpConnectorTable, SiteTable, UpstreamTable
from mes_terminal.site.doors import BATCH_MAX, BODY_MAX_BYTES, Offers, heads, http
from mes_terminal.upstream.connector import Inbound, StationIdentity
from mes_terminal.upstream.connectors import connector_of
from mes_terminal.upstream.connectors.http import HttpConnector
from tests.unit.memory_inbox import MemoryInbox
from tests.upstream.made_postings import AT, EPOCH, made, source_of
from tests.upstream.servers import free_port

HELLO = Hello(
    source=source_of(), station="ST-1", epoch=EPOCH, first_sequence=1, last_sequence=3,
    head="0" * 64, head_sequence=3, down_version=0, software="0.1.0",
)  # fmt: skip


class MemoryDown:
    """What goes down, in memory."""

    def __init__(self) -> None:
        self.documents: list[DownDocument] = []
        self.confirmed: list[Confirmation] = []
        self._waiting: list[asyncio.Future[None]] = []

    def fetch(self, source: str | None, after: int, limit: int) -> list[DownDocument]:
        return [each for each in self.documents if each.version > after][:limit]

    def gone(self, versions: Sequence[int]) -> set[int]:
        return set(versions) - {each.version for each in self.documents}

    def confirm(self, confirmation: Confirmation) -> None:
        self.confirmed.append(confirmation)

    def changed(self) -> asyncio.Future[None]:
        self._waiting.append(asyncio.get_running_loop().create_future())
        return self._waiting[-1]

    def put(self, version: int) -> None:
        self.documents.append(
            DownDocument(
                version=version, key=f"k{version}", kind="tables", sent_at=AT,
                data=msgspec.Raw(b'{"tables":{}}'),
            )
        )  # fmt: skip
        for each in self._waiting:
            each.set_result(None)
        self._waiting = []


@asynccontextmanager
async def opened(
    inbox: MemoryInbox, *, site: SiteTable | None = None, offers: Offers | None = None,
    **said: str,
) -> AsyncIterator[HttpConnector]:  # fmt: skip
    """Open a door and yield a connector to it."""
    port = free_port()
    stopping, ready = asyncio.Event(), asyncio.Event()
    table = msgspec.structs.replace(site or SiteTable(), listen=f"127.0.0.1:{port}")
    door = asyncio.create_task(
        http.serve(inbox, table, stopping, offers=offers or Offers(), ready=ready)
    )
    await asyncio.wait_for(ready.wait(), 10)
    connector = connected(f"http://127.0.0.1:{port}", **said)
    try:
        yield connector
    finally:
        await connector.close()
        stopping.set()
        await asyncio.wait_for(door, 20)


def connected(url: str, **said: str) -> HttpConnector:
    """Return a connector to an address."""
    found = connector_of(
        UpstreamTable(kind="http", http=HttpConnectorTable(url=url, **said)),
        StationIdentity(
            source=source_of(), site="PLANT", station="ST-1", database=Path("station.db")
        ),
    )
    assert isinstance(found, HttpConnector)
    assert isinstance(found, Inbound)
    return found


async def fault_of(work: Awaitable[object]) -> TransportError:
    """Return the fault; it must be a sentence for a person."""
    with pytest.raises(TransportError) as raised:
        await work
    assert raised.value.sentence.endswith(".")
    assert "\n" not in raised.value.sentence
    return raised.value


async def test_the_receiver_gets_the_very_bytes() -> None:
    """UP-1: what is stored is what is sent."""
    inbox = MemoryInbox()
    postings = made(5)
    async with opened(inbox) as connector:
        await connector.open()
        answers = await connector.deliver(postings)
    assert [each.document for each in answers] == ["M1", "M2", "M3", "M4", "M5"]
    assert list(inbox.bodies.values()) == [each.body for each in postings]
    assert inbox.batches == [5]


async def test_nobody_there_is_said_with_the_address() -> None:
    connector = connected("http://127.0.0.1:1")
    fault = await fault_of(connector.open())
    assert fault.sentence == (
        "The site at http://127.0.0.1:1 does not answer (connection refused). Postings wait."
    )
    assert fault.reason == "unreachable"
    await connector.close()


async def test_a_busy_receiver_says_when_to_come_again() -> None:
    """UP-4: Retry-After; nothing was stored."""
    inbox = MemoryInbox(busy=2)
    async with opened(inbox) as connector:
        for work in (connector.deliver(made(2)), connector.greet(HELLO)):
            fault = await fault_of(work)
            assert (fault.reason, fault.retry_after_s) == ("busy", 7)
            assert "The database is away." in fault.sentence
        assert inbox.bodies == {}
        assert len(await connector.deliver(made(2))) == 2


async def test_without_its_token_a_station_is_told_which_setting_to_mend(tmp_path: Path) -> None:
    """UP-4: nothing is lost; when the file is right, it goes on without a restart."""
    tokens, token = tmp_path / "tokens", tmp_path / "token"
    tokens.write_text(f"{source_of()} good-token\n{source_of('ST-2')} others-token\n")
    token.write_text("wrong-token")
    inbox = MemoryInbox()
    site = SiteTable(tokens_file=str(tokens))
    async with opened(inbox, site=site, token_file=str(token)) as connector:
        await connector.open()  # health is for everybody
        for wrong in ("wrong-token", "others-token"):
            token.write_text(wrong)
            for work in (connector.greet(HELLO), connector.deliver(made(1))):
                fault = await fault_of(work)
                assert fault.reason == "not_authorised"
                assert "upstream.http.token_file" in fault.sentence
                assert wrong not in fault.sentence
        assert inbox.bodies == {}
        token.write_text("good-token\n")
        assert (await connector.greet(HELLO)).receiver == "memory"
        assert len(await connector.deliver(made(1))) == 1


async def test_who_is_not_known_is_sent_away_before_anything_of_the_body_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-4: else anybody fills the memory of the site."""
    monkeypatch.setattr(http, "BODY_MAX_S", 3600.0)
    tokens = tmp_path / "tokens"
    tokens.write_text(f"{source_of()} secret\n")
    site = SiteTable(tokens_file=str(tokens))
    async with opened(MemoryInbox(), site=site, offers=Offers(down=MemoryDown())) as connector:
        for path in ("hello", "postings", "confirm"):
            head = (
                f"POST /v1/{path} HTTP/1.1\r\nHost: site\r\nAuthorization: Bearer guessed\r\n"
                f"Content-Type: application/cloudevents-batch+json\r\n"
                f"Content-Length: {BODY_MAX_BYTES}\r\n\r\n["
            )
            assert (await first_line(connector, head)).split()[1] == b"401"


@pytest.mark.parametrize("is_second", [False, True])
async def test_a_connection_that_does_not_say_what_it_wants_is_ended(
    monkeypatch: pytest.MonkeyPatch, *, is_second: bool
) -> None:
    """UP-4: thousands of them would shut every station out."""
    async with opened(MemoryInbox()) as connector:
        if not is_second:
            monkeypatch.setattr(heads, "HEAD_MAX_S", 0.1)
        reader, writer = await asyncio.open_connection(*address_of(connector))
        if is_second:
            writer.write(b"GET /v1/health HTTP/1.1\r\nHost: site\r\n\r\n")
            await asyncio.wait_for(reader.readuntil(b"}"), 60)
            monkeypatch.setattr(heads, "HEAD_MAX_S", 0.1)
        writer.write(b"POST /v1/postings HTTP/1.1\r\nHost: s")
        with suppress(ConnectionResetError):  # it was ended before we said that much
            assert await asyncio.wait_for(reader.read(), 60) == b""
        writer.close()
        with suppress(ConnectionResetError):
            await writer.wait_closed()


def address_of(connector: HttpConnector) -> tuple[str, int]:
    """Return host and port that a connector posts to."""
    url = httpx.URL(connector._url)
    assert url.port is not None
    return url.host, url.port


async def first_line(connector: HttpConnector, request: str) -> bytes:
    """Return the status line that a request gets."""
    reader, writer = await asyncio.open_connection(*address_of(connector))
    writer.write(request.encode())
    try:
        return (await asyncio.wait_for(reader.read(), 60)).partition(b"\r\n")[0]
    finally:
        writer.close()
        await writer.wait_closed()


async def test_documents_come_as_soon_as_there_are_some() -> None:
    """UP-9: a long poll ends with the first change."""
    down = MemoryDown()
    async with opened(MemoryInbox(), offers=Offers(down=down)) as connector:
        assert await connector.fetch(0, wait_s=0) == []
        waiting = asyncio.create_task(connector.fetch(0, wait_s=20))
        while not down._waiting:
            await asyncio.sleep(0.01)
        down.put(4)
        assert [each.version for each in await asyncio.wait_for(waiting, 10)] == [4]
        assert await connector.fetch(4, wait_s=0) == []
        await connector.confirm(Confirmation(source=source_of(), version=4, at=AT))
    assert [each.version for each in down.confirmed] == [4]


async def test_a_site_that_ends_does_not_wait_for_those_who_wait() -> None:
    down = MemoryDown()
    async with opened(MemoryInbox(), offers=Offers(down=down)) as connector:
        waiting = asyncio.create_task(connector.fetch(0, wait_s=25))
        while not down._waiting:
            await asyncio.sleep(0.01)
    await asyncio.gather(waiting, return_exceptions=True)


async def test_the_exceptions_of_all_stations_come_bounded_and_only_to_who_is_known(
    tmp_path: Path,
) -> None:
    asked: list[tuple[int, int]] = []

    def offered(after: int, limit: int) -> list[dict[str, object]]:
        asked.append((after, limit))
        return [as_told(after + 1, "A"), as_told(after + 2, "B", cause=None, id=None)]

    token, tokens = tmp_path / "token", tmp_path / "tokens"
    token.write_text("wrong")
    tokens.write_text(f"{source_of()} good-token\n")
    site = SiteTable(tokens_file=str(tokens))
    offers = Offers(exceptions=offered)
    async with opened(MemoryInbox(), offers=offers, site=site, token_file=str(token)) as connector:
        assert (await fault_of(connector.exceptions())).reason == "not_authorised"
        token.write_text("good-token")
        found = await connector.exceptions()
    assert [(each.number, each.station, each.id) for each in found] == [(1, "A", 1), (2, "B", None)]
    assert asked == [(0, EXCEPTIONS_MAX + 1)]


def as_told(number: int, station: str, **changes: object) -> dict[str, object]:
    """Return an exception as the site tells it."""
    return {
        "number": number, "station": station, "source": source_of(station), "id": number,
        "kind": "shortage", "work_order": "WO-1", "line": "10", "item": "LEG", "lot": None,
        "quantity": "4", "opened_at": AT, "cause": "no_stock", "status": "open", "ended_at": None,
        **changes,
    }  # fmt: skip


async def test_what_a_site_does_not_offer_is_said() -> None:
    async with opened(MemoryInbox()) as connector:
        for work in (
            connector.fetch(0, wait_s=0),
            connector.stock(),
            connector.exceptions(),
            connector.confirm(Confirmation(source=source_of(), version=1, at=AT)),
        ):
            assert (await fault_of(work)).reason == "not_offered"


async def test_stock_and_exceptions_are_read() -> None:
    reading = StockReading(as_of=AT, watermark=3, stock=[])
    offers = Offers(
        stock=lambda source: reading, exceptions=lambda _after, _limit: [{"kind": "shortage"}]
    )
    async with opened(MemoryInbox(), offers=offers) as connector:
        assert await connector.stock() == reading
        async with httpx.AsyncClient(trust_env=False) as client:
            got = await client.get(f"{connector._url}/v1/exceptions?open=1")
            assert got.json() == [{"kind": "shortage"}]


@pytest.mark.parametrize(
    ("headers", "content", "status", "reason"),
    [
        ({"Content-Type": http.BATCH_TYPE}, b"{}", 400, "malformed"),
        ({"Content-Type": http.BATCH_TYPE}, b"[1, 2", 400, "malformed"),
        ({"Content-Type": http.BATCH_TYPE}, b"\xff", 400, "malformed"),
        ({"Content-Type": http.BATCH_TYPE}, b"[" * 100_000, 400, "malformed"),
        ({"Content-Type": http.BATCH_TYPE, "Idempotency-Key": "0"}, b"[{}]", 400, "damaged"),
        ({"Content-Type": "text/plain"}, b"[]", 415, "malformed"),
        ({"Content-Type": http.BATCH_TYPE}, b"[" + b"0," * BATCH_MAX + b"0]", 413, "too_large"),
        ({"Content-Type": http.BATCH_TYPE}, b" " * (BODY_MAX_BYTES + 1), 413, "too_large"),
    ],
    ids=["object", "cut off", "no text", "deep", "damaged", "other type", "too many", "too large"],
)
async def test_what_is_no_batch_is_refused_whole(
    headers: dict[str, str], content: bytes, status: int, reason: str
) -> None:
    inbox = MemoryInbox()
    async with opened(inbox) as connector, httpx.AsyncClient(trust_env=False) as client:
        got = await client.post(f"{connector._url}/v1/postings", content=content, headers=headers)
        assert (got.status_code, got.json()["reason"]) == (status, reason)
    assert inbox.batches == []


async def test_one_event_may_come_by_itself() -> None:
    inbox = MemoryInbox()
    async with opened(inbox) as connector, httpx.AsyncClient(trust_env=False) as client:
        got = await client.post(
            f"{connector._url}/v1/postings", content=made(1)[0].body,
            headers={"Content-Type": "application/cloudevents+json; charset=utf-8"},
        )  # fmt: skip
        assert [each["outcome"] for each in got.json()["answers"]] == ["accepted"]


DEEP = b'{"key that nobody knows": ' + b"[" * 100_000
LONG = msgspec.json.encode({"reason": "fault", "sentence": "Traceback\n" * 100_000})


class Strange(BaseHTTPRequestHandler):
    """A server that is no receiver."""

    status: ClassVar[int] = 200
    headers_sent: ClassVar[dict[str, str]] = {}
    content: ClassVar[bytes] = b"<html>"
    seen: ClassVar[list[tuple[str, int]]] = []

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, len(msgspec.json.decode(body))))
        self.respond()

    def respond(self) -> None:
        self.send_response(self.status)
        for name, value in self.headers_sent.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def strange() -> Iterator[Callable[..., tuple[HttpConnector, type[Strange]]]]:
    """Return what makes a strange server and a connector to it."""
    servers: list[HTTPServer] = []

    def start(**said: object) -> tuple[HttpConnector, type[Strange]]:
        handler = type("Handler", (Strange,), {"seen": [], **said})
        server = HTTPServer(("127.0.0.1", 0), handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return connected(f"http://127.0.0.1:{server.server_address[1]}"), handler

    yield start
    for each in servers:
        each.shutdown()
        each.server_close()


Start = Callable[..., tuple[HttpConnector, type[Strange]]]


@pytest.mark.parametrize(
    ("said", "reason", "retry_after_s"),
    [
        ({"status": 200}, "strange", None),
        ({"status": 302, "headers_sent": {"Location": "/elsewhere"}}, "strange", None),
        ({"status": 404}, "strange", None),
        ({"status": 500}, "strange", None),
        ({"status": 502}, "busy", None),
        ({"status": 429, "headers_sent": {"Retry-After": "12"}}, "busy", 12),
        ({"status": 503, "headers_sent": {"Retry-After": "1e9"}}, "busy", 3600),
        ({"status": 503, "headers_sent": {"Retry-After": "nan"}}, "busy", None),
        ({"status": 503, "headers_sent": {"Retry-After": "soon"}}, "busy", None),
        ({"status": 503, "headers_sent": {"Retry-After": "Mon, 01 Jan 2001 00:00:00 GMT"}},
         "busy", None),
        ({"status": 429, "headers_sent": {"Retry-After": f"Mon, 01 Jan {'9' * 30} 00:00:00 GMT"}},
         "busy", None),
        ({"status": 429, "headers_sent": {"Retry-After": f"Mon, 01 Jan 2035 00:00:00 +{'9' * 30}"}},
         "busy", None),
        ({"status": 401}, "not_authorised", None),
        ({"status": 200, "content": b'{"answers": []}'}, "strange", None),
        ({"status": 200, "content": DEEP}, "strange", None),
        ({"status": 500, "content": DEEP}, "strange", None),
        ({"status": 500, "content": LONG}, "strange", None),
    ],
)  # fmt: skip
async def test_whatever_answers_the_postings_wait(
    strange: Start, said: dict[str, object], reason: str, retry_after_s: float | None
) -> None:
    """UP-4: a redirect is not followed, a wrong address is named, 5xx and 429 are tried again."""
    connector, handler = strange(**said)
    fault = await fault_of(connector.deliver(made(2)))
    assert (fault.reason, fault.retry_after_s) == (reason, retry_after_s)
    assert fault.sentence.endswith("Postings wait.")
    assert len(fault.sentence) < 1000
    assert len(handler.seen) == 1
    await connector.close()


@pytest.mark.parametrize(
    "said",
    [
        {"watermark": -(1 << 63) - 1, "highest": 0},
        {"watermark": 0, "highest": 1 << 63},
        {"watermark": 0, "highest": 0, "missing": [[1, 1 << 70]]},
    ],
    ids=["watermark", "highest", "missing"],
)
async def test_a_number_that_no_database_holds_is_no_greeting(
    strange: Start, said: dict[str, object]
) -> None:
    """UP-4: it is tried again, and does not end the relay."""
    connector, _ = strange(content=msgspec.json.encode({"receiver": "r"} | said))
    fault = await fault_of(connector.greet(HELLO))
    assert (fault.reason, fault.sentence[-14:]) == ("strange", "Postings wait.")
    await connector.close()


async def test_an_answer_without_an_end_is_cut_off(
    strange: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mes_terminal.upstream.connectors.http.RESPONSE_MAX_BYTES", 1000)
    connector, _ = strange(content=b" " * 200_000)
    assert "too long" in (await fault_of(connector.deliver(made(2)))).sentence
    await connector.close()


async def test_what_is_too_large_for_a_server_goes_in_halves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """UP-3: in order; the one that is too large by itself is refused, its lane is not passed."""
    postings = made(8, lanes=2)
    body = postings[3].body
    monkeypatch.setattr(http, "BODY_MAX_BYTES", 5 * len(body))
    postings[3] = msgspec.structs.replace(
        postings[3], body=body[:-1] + b" " * (5 * len(body)) + b"}"
    )
    inbox = MemoryInbox()
    async with opened(inbox) as connector:
        answers = await connector.deliver(postings)
    told = {each.sequence: (each.outcome, each.reason) for each in answers}
    assert told.pop(4) == ("refused", "too_large")
    assert told.pop(6) == told.pop(8) == ("deferred", None)
    assert {outcome for outcome, _ in told.values()} == {"accepted"}
    assert [number for _, _, number in inbox.bodies] == [1, 2, 3, 5, 7]


async def test_a_proxy_of_the_environment_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """Postings go where the settings say, or wait."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    async with opened(MemoryInbox()) as connector:
        assert len(await connector.deliver(made(2))) == 2

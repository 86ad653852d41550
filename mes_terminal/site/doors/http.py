"""The door for HTTP: what `docs/upstream.md` lists below `/v1`, on starlette and uvicorn.

A batch is answered after the receiver has committed it. Where the receiver is busy, or too many
wait for it, the answer is 503 with Retry-After and nothing was stored. Nobody beyond this machine
is let in without a token or a certificate.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from mes_terminal.domain.delivery import Confirmation, Hello
from mes_terminal.site.doors import (
    BATCH_MAX,
    BODY_MAX_BYTES,
    EXCEPTIONS_LIMIT,
    ONLY_POSTINGS,
    Offers,
    SiteBusyError,
)
from mes_terminal.site.doors.heads import HeadsInTime
from mes_terminal.site.doors.listening import listener, server_tls
from mes_terminal.site.doors.tokens import Tokens, may_speak
from mes_terminal.upstream.wire import UNREADABLE, DownBatch, Fault, Taken, key_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from starlette.requests import Request

    from mes_terminal.settings.upstream_tables import SiteTable
    from mes_terminal.site.doors import Receiver

BATCH_TYPE: Final = "application/cloudevents-batch+json"
EVENT_TYPE: Final = "application/cloudevents+json"
THREADS: Final = 8
"""Batches under way in the database side by side; more do not make it faster."""
WAITING_MAX: Final = 64
"""Requests that wait for a thread; a later one is told to come again."""
BODY_MAX_S: Final = 30.0
"""How long a request may take to arrive."""
WAIT_MAX_S: Final = 30.0
"""How long a question for documents waits for one."""
DOWN_LIMIT: Final = 500
"""Documents in one answer."""
CONNECTIONS_MAX: Final = 2000
DIGITS_MAX: Final = 18
"""A number in a query fits 64 bits."""
KEEP_ALIVE_S: Final = 75
"""Longer than the pauses of a station at work, so that it keeps its connection."""
UNREAD: Final = frozenset({401, 408})
"""Answers after which the rest of the request is not waited for. Who sent too much must hear so."""
GRACE_S: Final = 10
"""How long requests under way may take when the site stops."""

T = TypeVar("T")
Answering = tuple[int, object]
"""Status and body of an answer."""


async def serve(
    inbox: Receiver,
    site: SiteTable,
    stopping: asyncio.Event,
    *,
    offers: Offers = ONLY_POSTINGS,
    ready: asyncio.Event | None = None,
) -> None:
    """Listen at `site.listen` until `stopping` is set. Raises `InputError` for wrong settings."""
    tokens = Tokens(site.tokens_file) if site.tokens_file else None
    tls = server_tls(site)
    open_at = listener(site)
    with contextlib.closing(open_at), ThreadPoolExecutor(THREADS, "door-http") as threads:
        app = _Door(inbox, offers, tokens, stopping, threads).app()
        server = _Server(
            uvicorn.Config(
                app, loop="none", http=HeadsInTime, ws="none", lifespan="off", log_config=None,
                access_log=False, proxy_headers=False, server_header=False,
                limit_concurrency=CONNECTIONS_MAX, timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
                ssl_context_factory=None if tls is None else lambda _config, _default: tls,
            )
        )  # fmt: skip
        running = asyncio.create_task(server.serve(sockets=[open_at]))
        if ready is not None:
            ready.set()
        stop = asyncio.create_task(stopping.wait())
        try:
            await asyncio.wait((running, stop), return_when=asyncio.FIRST_COMPLETED)
        finally:
            stop.cancel()
            server.should_exit = True
            await running


class _Server(uvicorn.Server):
    """Leaves the signals to the program."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _RefusedError(Exception):
    """A request without effect: its status, and why."""

    def __init__(
        self, status: int, reason: str, sentence: str, retry_after_s: float | None = None
    ) -> None:
        super().__init__(sentence)
        self.status = status
        self.fault = Fault(reason=reason, sentence=sentence)
        self.retry_after_s = retry_after_s


class _Door:
    """The requests of the stations, and what is answered."""

    def __init__(
        self,
        inbox: Receiver,
        offers: Offers,
        tokens: Tokens | None,
        stopping: asyncio.Event,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._inbox = inbox
        self._offers = offers
        self._tokens = tokens
        self._stopping = stopping
        self._threads = threads
        self._waiting = 0

    def app(self) -> Starlette:
        """Return the application."""
        requests: dict[str, tuple[str, Callable[[Request], Any]]] = {
            "/v1/hello": ("POST", self.hello),
            "/v1/postings": ("POST", self.postings),
            "/v1/down": ("GET", self.down),
            "/v1/confirm": ("POST", self.confirm),
            "/v1/stock": ("GET", self.stock),
            "/v1/exceptions": ("GET", self.exceptions),
            "/v1/health": ("GET", self.health),
        }
        return Starlette(
            routes=[
                Route(path, _answering(answer), methods=[method])
                for path, (method, answer) in requests.items()
            ]
        )

    async def hello(self, request: Request) -> object:
        """Note who begins to send; say what is there of it."""
        hello = _read_as(Hello, await self._body(request))
        self._check(request, hello.source)
        return await self._run(lambda: self._inbox.greet(hello))

    async def postings(self, request: Request) -> object:
        """Hand a batch to the receiver."""
        bodies = _bodies(request, await self._body(request))
        self._check(request, *{key.source for key in map(key_of, bodies) if key is not None})
        return Taken(answers=await self._run(lambda: self._inbox.take(bodies)))

    async def down(self, request: Request) -> object:
        """Return documents for a station, waiting for the first."""
        down = _offered(self._offers.down)
        source = _said(request, "source")
        self._check(request, source)
        after = _number(request, "after")
        loop = asyncio.get_running_loop()
        deadline = loop.time() + min(_number(request, "wait"), WAIT_MAX_S)
        while True:
            changed = down.changed()
            documents = await self._run(lambda: down.fetch(source, after, DOWN_LIMIT))
            left_s = deadline - loop.time()
            if documents or left_s <= 0 or self._stopping.is_set():
                return DownBatch(documents=documents)
            stop = asyncio.create_task(self._stopping.wait())
            await asyncio.wait((changed, stop), timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            stop.cancel()

    async def confirm(self, request: Request) -> object:
        """Note what a station did with the documents."""
        down = _offered(self._offers.down)
        confirmation = _read_as(Confirmation, await self._body(request))
        self._check(request, confirmation.source)
        await self._run(lambda: down.confirm(confirmation))
        return {}

    async def stock(self, request: Request) -> object:
        """Return the receiver's stock where a station works."""
        reading = _offered(self._offers.stock)
        source = _said(request, "source")
        self._check(request, source)
        return await self._run(lambda: reading(source))

    async def exceptions(self, request: Request) -> object:
        """Return the open exceptions of all stations, to anybody who is known."""
        listed = _offered(self._offers.exceptions)
        self._check(request)
        after, limit = _number(request, "after"), _number(request, "limit") or EXCEPTIONS_LIMIT
        return await self._run(lambda: listed(after, limit))

    async def health(self, _request: Request) -> object:
        """Say that the door is open."""
        return {"ok": True}

    async def _body(self, request: Request) -> bytes:
        """Return the body of a request of somebody who is known: nobody else takes our memory."""
        self._check(request)
        return await _body(request)

    def _check(self, request: Request, *sources: str) -> None:
        """Raise unless the sender may speak for these sources."""
        if self._tokens is None:
            return
        known = self._tokens.sources_of(request.headers.get("authorization"))
        if not known:
            raise _RefusedError(
                401, "not_authorised", "The token is missing, or not in site.tokens_file."
            )
        for source in sources:
            if not may_speak(known, source):
                raise _RefusedError(
                    403, "not_authorised", f"This token may not speak for {source}."
                )

    async def _run(self, work: Callable[[], T]) -> T:
        """Do work of the receiver in a thread; the caller is sent away if too many wait."""
        if self._waiting >= THREADS + WAITING_MAX:
            raise _RefusedError(503, "busy", "Too many stations post at once.", 1.0)
        self._waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._threads, work)
        except SiteBusyError as error:
            raise _RefusedError(503, "busy", error.sentence, error.retry_after_s) from error
        finally:
            self._waiting -= 1


def _answering(answer: Callable[[Request], Any]) -> Callable[[Request], Any]:
    """Return what turns the outcome of a request into its response."""

    async def respond(request: Request) -> Response:
        try:
            return _response(200, await answer(request))
        except _RefusedError as refused:
            headers = {"Connection": "close"} if refused.status in UNREAD else {}
            if refused.retry_after_s is not None:
                headers["Retry-After"] = str(max(1, round(refused.retry_after_s)))
            return _response(refused.status, refused.fault, headers)

    return respond


def _response(status: int, content: object, headers: dict[str, str] | None = None) -> Response:
    return Response(
        msgspec.json.encode(content), status, headers=headers, media_type="application/json"
    )


async def _body(request: Request) -> bytes:
    """Return the body of a request, within its bounds of size and time."""
    parts = bytearray()
    try:
        async with asyncio.timeout(BODY_MAX_S):
            async for part in request.stream():
                parts += part
                if len(parts) > BODY_MAX_BYTES:
                    raise _RefusedError(
                        413, "too_large", f"A request may have {BODY_MAX_BYTES} bytes."
                    )
    except TimeoutError:
        raise _RefusedError(408, "too_slow", "The request did not arrive in time.") from None
    except ClientDisconnect:
        raise _RefusedError(400, "gone", "The sender went away.") from None
    return bytes(parts)


def _bodies(request: Request, body: bytes) -> list[bytes]:
    """Return the postings of a request, each in its exact bytes."""
    told = request.headers.get("idempotency-key")
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == EVENT_TYPE:
        bodies = [body]
    elif content_type == BATCH_TYPE:
        try:
            bodies = [bytes(each) for each in msgspec.json.decode(body, type=list[msgspec.Raw])]
        except UNREADABLE as error:
            raise _RefusedError(
                400, "malformed", "The body is no JSON array of events. Nothing was stored."
            ) from error
    else:
        raise _RefusedError(415, "malformed", f"Send {BATCH_TYPE} or {EVENT_TYPE}.")
    if len(bodies) > BATCH_MAX:
        raise _RefusedError(413, "too_large", f"A batch may have {BATCH_MAX} postings.")
    if told is not None and told != hashlib.sha256(b"".join(bodies)).hexdigest():
        raise _RefusedError(
            400, "damaged", "Idempotency-Key is not the SHA-256 of the postings: they were changed "
            "on their way. Nothing was stored.",
        )  # fmt: skip
    return bodies


def _read_as(wanted: type[T], body: bytes) -> T:
    try:
        return msgspec.json.decode(body, type=wanted)
    except UNREADABLE as error:
        raise _RefusedError(400, "malformed", f"The body is wrong: {error}.") from error


def _offered(offer: T | None) -> T:
    if offer is None:
        raise _RefusedError(404, "not_offered", "This site does not offer that.")
    return offer


def _said(request: Request, name: str) -> str:
    value = request.query_params.get(name)
    if not value:
        raise _RefusedError(400, "malformed", f"The query needs {name}=.")
    return value


def _number(request: Request, name: str) -> int:
    value = request.query_params.get(name, "0")
    if not value.isascii() or not value.isdigit() or len(value) > DIGITS_MAX:
        raise _RefusedError(400, "malformed", f"{name}= must be a whole number.")
    return int(value)

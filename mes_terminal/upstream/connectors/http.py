"""The `http` connector: batches of CloudEvents to a receiver such as `mes-terminal site`.

One client with connections that stay open; one request is one batch, which the receiver judges in
order. Answers are bounded in size and time, redirects are not followed, and proxies that the
environment names are not used: postings go where `upstream.http.url` says, or wait.
"""

from __future__ import annotations

import hashlib
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

import httpx
import msgspec

from mes_terminal.domain.delivery import (
    EXCEPTIONS_MAX,
    Answer,
    Confirmation,
    DownDocument,
    Greeting,
    SiteException,
    StockReading,
)
from mes_terminal.errors import InputError, TransportError
from mes_terminal.upstream.connectors.credentials import (
    address_of,
    client_tls,
    closed_words,
    secret_of,
    tls_mend,
    transport_words,
)
from mes_terminal.upstream.connectors.patience import Patience
from mes_terminal.upstream.wire import UNREADABLE, DownBatch, Fault, Taken, fault_of, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mes_terminal.domain.delivery import Hello, QueuedPosting
    from mes_terminal.settings.upstream_tables import HttpConnectorTable, UpstreamTable
    from mes_terminal.upstream.connector import StationIdentity

WHERE: Final = "upstream.http"
CONNECT_MAX_S: Final = 5.0
ANSWER_MAX_S: Final = 30.0
"""How long any other question than about postings may take, and how long the longest poll."""
KEEP_ALIVE_S: Final = 60.0
"""A connection that was not used for so long is closed: before the receiver does it."""
RESPONSE_MAX_BYTES: Final = 32 << 20
"""More than the stock of any station; a longer answer is not from a receiver."""
RETRY_AFTER_MAX_S: Final = 3600.0
BATCH_TYPE: Final = "application/cloudevents-batch+json"
EVENT_TYPE: Final = "application/cloudevents+json"

_BUSY: Final = frozenset({429, 502, 503, 504})

T = TypeVar("T")


def connect(upstream: UpstreamTable, identity: StationIdentity) -> HttpConnector:
    """Return the connector, with its files read once. Raises `InputError`."""
    table = upstream.http
    parts = address_of(table.url, WHERE, ("https", "http"), secret=f"{WHERE}.token_file")
    secret_of(table.token, table.token_file, f"{WHERE}.token")
    client_tls(table, WHERE)
    return HttpConnector(parts.geturl().rstrip("/"), table, identity.source)


class _Response(NamedTuple):
    """What is used of an answer."""

    status: int
    retry_after: str | None
    content: bytes


class HttpConnector:
    """Brings batches to a receiver over HTTP; see `Connector` and `Inbound`."""

    batch_max = 250
    batch_max_bytes = 1 << 20
    one_per_lane = False
    parallel_max = 4

    def __init__(self, url: str, table: HttpConnectorTable, source: str) -> None:
        self._url = url
        self._table = table
        self._source = source
        self._client: httpx.AsyncClient | None = None
        self._patience = Patience()
        self._token: str | None = None
        self._token_read = False
        """Whether the token is as the file says; it is read again after a refusal."""

    async def open(self) -> None:
        """Reach the receiver. Raises `TransportError`."""
        await self._ask("GET", "/v1/health")

    async def greet(self, hello: Hello) -> Greeting:
        """Say who sends and hear what is there."""
        return self._read(
            await self._ask("POST", "/v1/hello", msgspec.json.encode(hello)), Greeting
        )

    async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        """Send a batch as it stands; one that cannot be read or is too large goes in parts."""
        batch = list(postings)
        sick = next((at for at, each in enumerate(batch) if key_of(each.body) is None), None)
        if sick is not None and len(batch) > 1:  # in an array it would spoil the others
            return await self._in_order((batch[:sick], [batch[sick]], batch[sick + 1 :]))
        status, content = await self._post_batch(batch)
        if status == httpx.codes.OK:
            return self._answers(batch, self._read(content, Taken).answers)
        fault = self._fault(content)
        if len(batch) == 1:
            large = status == httpx.codes.REQUEST_ENTITY_TOO_LARGE
            return [_refused(batch[0], "too_large" if large else fault.reason, fault.sentence)]
        middle = len(batch) // 2
        return await self._in_order((batch[:middle], batch[middle:]))

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def fetch(self, after: int, *, wait_s: float) -> list[DownDocument]:
        """Return the documents above a version; waits for the first."""
        path = f"/v1/down?{httpx.QueryParams(source=self._source, after=after, wait=int(wait_s))}"
        content = await self._ask("GET", path, answer_max_s=wait_s + ANSWER_MAX_S)
        return self._read(content, DownBatch).documents

    async def confirm(self, confirmation: Confirmation) -> None:
        """Say what the station did with the documents."""
        await self._ask("POST", "/v1/confirm", msgspec.json.encode(confirmation))

    async def stock(self) -> StockReading:
        """Return the receiver's stock where this station works."""
        path = f"/v1/stock?{httpx.QueryParams(source=self._source)}"
        return self._read(await self._ask("GET", path), StockReading)

    async def exceptions(self) -> list[SiteException]:
        """Return the open exceptions of all stations."""
        path = f"/v1/exceptions?open=1&limit={EXCEPTIONS_MAX + 1}"
        return self._read(await self._ask("GET", path), list[SiteException])

    async def _in_order(self, parts: Iterable[list[QueuedPosting]]) -> list[Answer]:
        """Deliver parts of a batch one after the other; what stands behind a refused posting of
        its lane is not sent."""
        answers: list[Answer] = []
        stuck: set[str] = set()
        for part in parts:
            answers += [_deferred(each) for each in part if each.lane in stuck]
            going = [each for each in part if each.lane not in stuck]
            if not going:
                continue
            try:
                told = await self.deliver(going)
            except TransportError:
                if not answers:
                    raise
                return answers
            done = {(each.epoch, each.sequence) for each in told if each.outcome == "accepted"}
            stuck |= {each.lane for each in going if (each.epoch, each.sequence) not in done}
            answers += told
        return answers

    async def _post_batch(self, batch: Sequence[QueuedPosting]) -> tuple[int, bytes]:
        """Return the status and body that a batch was answered with: 200, 400 `malformed`, 413."""
        bodies = [each.body for each in batch]
        headers = {
            "Content-Type": BATCH_TYPE,
            "Idempotency-Key": hashlib.sha256(b"".join(bodies)).hexdigest(),
        }
        content = b"[" + b",".join(bodies) + b"]"
        if len(bodies) == 1 and key_of(bodies[0]) is None:
            headers["Content-Type"], content = EVENT_TYPE, bodies[0]
        response = await self._send_in_time(content, headers)
        status, told = response.status, response.content
        unreadable = status == httpx.codes.BAD_REQUEST and self._fault(told).reason == "malformed"
        if unreadable or status == httpx.codes.REQUEST_ENTITY_TOO_LARGE:
            return status, told
        self._raise_for(response)
        return status, told

    async def _send_in_time(self, content: bytes, headers: dict[str, str]) -> _Response:
        """Return the answer to postings; a silence is known from how long answers took before."""
        wait_s, begun_s = self._patience.wait_s, time.monotonic()
        try:
            response = await self._send("POST", "/v1/postings", content, headers, wait_s)
        except TransportError as error:
            if isinstance(error.__cause__, httpx.ReadTimeout):
                self._patience.silent(wait_s)
            raise
        self._patience.answered(time.monotonic() - begun_s)
        return response

    async def _ask(
        self, method: str, path: str, content: bytes | None = None, *,
        answer_max_s: float = ANSWER_MAX_S,
    ) -> bytes:  # fmt: skip
        """Return the body of an answer that is 200."""
        headers = {"Content-Type": "application/json"} if content is not None else {}
        response = await self._send(method, path, content, headers, answer_max_s)
        self._raise_for(response)
        return response.content

    async def _send(
        self, method: str, path: str, content: bytes | None, headers: dict[str, str],
        answer_max_s: float,
    ) -> _Response:  # fmt: skip
        """Return whatever is answered, within the bounds."""
        client = self._opened()
        if self._token is not None:
            headers = headers | {"Authorization": f"Bearer {self._token}"}
        timeout = httpx.Timeout(answer_max_s, connect=CONNECT_MAX_S)
        try:
            async with client.stream(
                method, self._url + path, content=content, headers=headers, timeout=timeout
            ) as response:
                body = bytearray()
                async for part in response.aiter_raw():
                    body += part
                    if len(body) > RESPONSE_MAX_BYTES:
                        raise self._strange("an answer that is too long")
                return _Response(
                    response.status_code, response.headers.get("retry-after"), bytes(body)
                )
        except httpx.HTTPError as error:
            raise await self._failed(error) from error

    def _opened(self) -> httpx.AsyncClient:
        """Return the client; makes it from the files as they are now where there is none."""
        try:
            if not self._token_read:
                table = self._table
                self._token = secret_of(table.token, table.token_file, f"{WHERE}.token")
                self._token_read = True
            if self._client is None:
                self._client = httpx.AsyncClient(
                    headers={"User-Agent": "mes-terminal", "Accept-Encoding": "identity"},
                    verify=client_tls(self._table, WHERE), trust_env=False, follow_redirects=False,
                    limits=httpx.Limits(
                        max_connections=self.parallel_max + 4, keepalive_expiry=KEEP_ALIVE_S
                    ),
                )  # fmt: skip
        except InputError as error:
            raise TransportError(
                f"{error.sentence} Postings wait.", reason="not_authorised"
            ) from error
        return self._client

    async def _failed(self, error: httpx.HTTPError) -> TransportError:
        """Return the fault of a request without an answer; after one of TLS the files are read
        again."""
        mend = tls_mend(error, WHERE)
        if mend is not None:
            await self.close()
        hint = mend
        if mend is None and self._url.startswith("https:"):
            hint = closed_words(error, WHERE, "cert_file")
        words = "no answer in time" if isinstance(error, httpx.TimeoutException) else None
        return TransportError(
            f"The site at {self._url} does not answer ({words or transport_words(error)}). "
            f"{hint + ' ' if hint else ''}Postings wait.",
            reason="tls" if mend else "unreachable",
        )

    def _raise_for(self, response: _Response) -> None:
        """Raise `TransportError` for an answer that is not 200."""
        status = response.status
        if status == httpx.codes.OK:
            return
        fault = self._fault(response.content)
        if status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
            self._token_read = False
            raise TransportError(
                f"The site at {self._url} does not let this station in ({status}: "
                f"{fault.sentence}) Check {WHERE}.token_file and the site's tokens. Postings wait.",
                reason="not_authorised",
            )
        if status in _BUSY:
            raise TransportError(
                f"The site at {self._url} is busy ({status}: {fault.sentence}) Postings wait.",
                reason="busy",
                retry_after_s=_retry_after(response.retry_after),
            )
        if fault.reason == "not_offered":
            raise TransportError(
                f"The site at {self._url} does not offer that.", reason="not_offered"
            )
        raise self._strange(f"{status}: {fault.sentence}")

    def _answers(self, batch: list[QueuedPosting], told: list[Answer]) -> list[Answer]:
        """Return the answers; one without a key is for the posting at its place."""
        if len(told) != len(batch):
            raise self._strange(f"{len(told)} answers to {len(batch)} postings")
        return [
            answer
            if answer.source
            else _refused(posting, answer.reason or "malformed", answer.sentence)
            for posting, answer in zip(batch, told, strict=True)
        ]

    def _fault(self, content: bytes) -> Fault:
        """Return why the receiver refused; something in between answers in words of its own."""
        return fault_of(content) or Fault(reason="unknown", sentence="no reason given.")

    def _read(self, content: bytes, wanted: type[T]) -> T:
        try:
            return msgspec.json.decode(content, type=wanted)
        except UNREADABLE as error:
            raise self._strange("an answer that cannot be read") from error

    def _strange(self, what: str) -> TransportError:
        return TransportError(
            f"What answers at {self._url} is no receiver, or a broken one ({what}). "
            f"Check {WHERE}.url. Postings wait.",
            reason="strange",
        )


def _refused(posting: QueuedPosting, reason: str, sentence: str | None) -> Answer:
    """Return the answer to a posting that the receiver cannot read, or that is too large."""
    return Answer(
        source=posting.source,
        epoch=posting.epoch,
        sequence=posting.sequence,
        outcome="refused",
        reason=reason,
        sentence=sentence,
    )


def _deferred(posting: QueuedPosting) -> Answer:
    return Answer(
        source=posting.source, epoch=posting.epoch, sequence=posting.sequence, outcome="deferred"
    )


def _retry_after(told: str | None) -> float | None:
    """Return the seconds of a Retry-After, which may be a date."""
    if told is None:
        return None
    try:
        seconds = float(told)
    except ValueError:
        try:
            at = parsedate_to_datetime(told)
        except (ValueError, OverflowError):  # the year or the zone is no number of a machine
            return None
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        seconds = (at - datetime.now(UTC)).total_seconds()
    return min(seconds, RETRY_AFTER_MAX_S) if seconds > 0 else None

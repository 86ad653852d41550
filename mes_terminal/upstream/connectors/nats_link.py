"""One connection to NATS, for the connector and for the site's door.

nats-py connects again by itself once it has been connected, and reads credentials anew each time.
While there is no connection every call fails at once with a sentence; nothing is buffered.
"""

from __future__ import annotations

import asyncio
import contextlib
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final, TypeVar

import nats
import nats.errors
import nats.js.errors
from nats.aio.client import Client

from mes_terminal.errors import InputError, TransportError
from mes_terminal.upstream.connectors.credentials import (
    address_of,
    client_tls,
    closed_words,
    readable,
    secret_of,
    tls_mend,
    transport_words,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable

    from nats.js import JetStreamContext

    from mes_terminal.settings.upstream_tables import NatsTable

CONNECT_MAX_S: Final = 5.0
REQUEST_MAX_S: Final = 5.0
"""How long the broker, or the site behind it, may take for one request."""
RECONNECT_S: Final = 0.5
PING_S: Final = 20
"""A connection that is dead without saying so is found after two of these."""
SERVERS_MAX: Final = 16
WHO_WE_ARE: Final = ("creds_file", "token_file", "user", "password_file", "cert_file")
"""The settings by which a server lets us in or not."""

T = TypeVar("T")


class NatsLink:
    """A connection that is made when it is first needed. Raises `InputError` for wrong settings;
    `where` is their table, `name` what the server lists it as."""

    def __init__(self, table: NatsTable, where: str, *, name: str) -> None:
        self._table = table
        self._where = where
        self._name = name
        urls: list[str | None] = [
            each.strip() for each in (table.url or "").split(",") if each.strip()
        ]
        self._parts = [
            address_of(url, where, ("nats", "tls"), secret=f"{where}.user and .password_file")
            for url in (urls[:SERVERS_MAX] or [None])
        ]
        self.shown = ", ".join(each.geturl() for each in self._parts)
        """The address, for sentences."""
        self._client: _Client | None = None
        self._stream: tuple[Client, JetStreamContext] | None = None
        self._trouble: Exception | None = None
        self._connecting = asyncio.Lock()
        self.connections = 0
        """How often it was connected: what was asked for before is to be asked again."""
        self._check()

    @property
    def at_a_leaf(self) -> str:
        """A hint for who finds a hub's JetStream missing."""
        if self._table.domain is None:
            return f"If it is a leaf node, name the hub's JetStream domain in {self._where}.domain."
        return f"Check {self._where}.domain{self.way_to_hub}."

    @property
    def way_to_hub(self) -> str:
        """What else is to be looked at before a hub; empty without one."""
        return "" if self._table.domain is None else ", and whether the leaf node reaches its hub"

    @property
    def max_payload(self) -> int:
        """The bytes that a message may have."""
        return self._client.max_payload if self._client is not None else 0

    async def client(self) -> Client:
        """Return the client, connected now. Raises `TransportError`."""
        async with self._connecting:
            if self._client is not None and self._client.is_closed:
                self._client = None
            if self._client is None:
                self._client = await self._connect()
            if not self._client.is_connected:
                raise self._away(self._trouble)
            return self._client

    async def jetstream(self) -> JetStreamContext:
        """Return the JetStream of the hub by the present client. Raises `TransportError`."""
        client = await self.client()
        if self._stream is None or self._stream[0] is not client:  # each subscribes for answers
            found = client.jetstream(timeout=REQUEST_MAX_S, domain=self._table.domain)
            self._stream = client, found
        return self._stream[1]

    async def asking(self, work: Awaitable[T]) -> T:
        """Return what a call of the client comes to. Raises `TransportError` for its faults, but
        lets through that nobody answers (`NoRespondersError`) and faults of JetStream."""
        try:
            async with asyncio.timeout(REQUEST_MAX_S):
                return await work
        except (nats.errors.NoRespondersError, nats.js.errors.Error):
            raise
        except (TimeoutError, nats.errors.Error, OSError) as error:
            raise self._away(error) from error

    def forbidden(self) -> TransportError | None:
        """Return the fault if the server has said that this user may not do something."""
        trouble, self._trouble = self._trouble, None
        if trouble is not None and "permissions violation" in str(trouble).lower():
            return self._away(trouble)
        return None

    async def close(self) -> None:
        """Close the connection; what is on its way may be lost."""
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(nats.errors.Error, OSError, TimeoutError):
                await client.close()

    def _check(self) -> None:
        """Read every file once."""
        self._tls()
        self._secret("token")
        password = self._secret("password")
        table = self._table
        if (table.user is None) != (password is None):
            raise InputError(
                f"{self._where}.user and {self._where}.password_file belong together. Name both, "
                "or neither.",
                reason="settings",
            )
        creds = readable(table.creds_file, f"{self._where}.creds_file")
        if creds is not None and find_spec("nkeys") is None:
            raise InputError(
                f"{self._where}.creds_file needs the package nkeys. Install it: "
                'pip install "nats-py[nkeys]"',
                reason="settings",
            )

    def _tls(self) -> ssl.SSLContext | None:
        """Return the TLS to use, `None` where nothing asks for it."""
        table = self._table
        asked = any(part.scheme == "tls" for part in self._parts)
        if asked or table.ca_file is not None or table.cert_file is not None or table.key_file:
            return client_tls(table, self._where)
        return None

    def _secret(self, name: str) -> str | None:
        table = self._table
        value, file = (
            (table.token, table.token_file)
            if name == "token"
            else (table.password, table.password_file)
        )
        return secret_of(value, file, f"{self._where}.{name}")

    async def _connect(self) -> _Client:
        """Return a new client, connected. One round over the servers, then `TransportError`."""
        failed = asyncio.Event()
        left = len(self._parts)

        async def note(error: Exception) -> None:
            nonlocal left
            self._trouble = error
            left -= 1
            if left <= 0:
                failed.set()

        async def connected_again() -> None:
            self.connections += 1

        try:
            client = _Client()
            arguments = self._arguments(client)
        except InputError as error:
            raise self._away(error) from error
        going = asyncio.create_task(
            client.connect(error_cb=note, reconnected_cb=connected_again, **arguments)  # type: ignore[arg-type]
        )
        hearing = asyncio.create_task(failed.wait())
        try:
            await asyncio.wait(
                (going, hearing), timeout=CONNECT_MAX_S, return_when=asyncio.FIRST_COMPLETED
            )
            if going.done() and going.exception() is None:
                self.connections += 1
                self._trouble = None
                return client
        finally:
            hearing.cancel()
            if not client.is_connected:
                going.cancel()
                with contextlib.suppress(asyncio.CancelledError, nats.errors.Error, OSError):
                    await going
                with contextlib.suppress(nats.errors.Error, OSError):
                    await client.close()
        raise self._away(self._trouble)

    def _arguments(self, client: _Client) -> dict[str, object]:
        table = self._table
        tls = self._tls()
        client.wants_tls = tls is not None
        found: dict[str, object] = {
            "servers": [each.geturl() for each in self._parts],
            "name": self._name,
            "connect_timeout": CONNECT_MAX_S,
            "reconnect_time_wait": RECONNECT_S,
            "max_reconnect_attempts": -1,
            "ping_interval": PING_S,
        }
        if tls is not None:
            found["tls"] = tls
        if table.creds_file is not None:
            found["user_credentials"] = str(readable(table.creds_file, f"{self._where}.creds_file"))
        if self._secret("token") is not None:
            found["token"] = lambda: self._secret("token") or ""
        if table.user is not None:
            found["user"] = table.user
            found["password"] = lambda: self._secret("password") or ""
        return found

    def _away(self, error: Exception | None) -> TransportError:
        """Return the fault of a broker that cannot be used now."""
        text = str(error).lower() if error is not None else ""
        if isinstance(error, InputError):
            return TransportError(f"{error.sentence} Postings wait.", reason="not_authorised")
        if "authorization" in text or "authentication" in text:
            return TransportError(
                f"The NATS server at {self.shown} does not let us in. Check {self._where}."
                "creds_file, .token_file, or .user and .password_file. Postings wait.",
                reason="not_authorised",
            )
        if "permissions violation" in text:
            return TransportError(
                f"The NATS server at {self.shown} does not allow this user what it needs "
                f"({str(error)[:200]}). Mend its permissions. Postings wait.",
                reason="not_authorised",
            )
        if isinstance(error, nats.errors.SecureConnWantedError):
            return TransportError(
                f"The NATS server at {self.shown} does not speak TLS, which {self._where} asks "
                "for; nothing was sent to it. Mend the server. Postings wait.",
                reason="tls",
            )
        mend = tls_mend(error, self._where) if error is not None else None
        words = transport_words(error) if error is not None else "no answer in time"
        hint = mend
        if mend is None and error is not None:
            hint = closed_words(error, self._where, *WHO_WE_ARE)
        return TransportError(
            f"The NATS server at {self.shown} does not answer ({words}). "
            f"{hint + ' ' if hint else ''}Postings wait.",
            reason="tls" if mend else "unreachable",
        )


class _Client(Client):
    """Says nothing about us to a server without TLS where TLS was asked for (nats-py does)."""

    wants_tls = False

    def _connect_command(self) -> bytes:
        if self.wants_tls and not self._server_info.get("tls_required"):
            raise nats.errors.SecureConnWantedError
        return super()._connect_command()

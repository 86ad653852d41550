"""One connection to an MQTT 5 broker, for the connector and for the site's door.

aiomqtt does not connect again by itself: a lost connection is found at the next use, and replaced.
The session outlives the connection, so the broker keeps what comes meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Any, Final

import aiomqtt
from msgspec import Struct
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from mes_terminal.errors import InputError, TransportError
from mes_terminal.upstream.connectors.credentials import (
    address_of,
    client_tls,
    secret_of,
    tls_mend,
    transport_words,
    unwelcome_words,
)

if TYPE_CHECKING:
    import ssl
    from collections.abc import Sequence

    from paho.mqtt.reasoncodes import ReasonCode

    from mes_terminal.settings.upstream_tables import MqttTable

CONNECT_MAX_S: Final = 5.0
PUBLISH_MAX_S: Final = 2.0
"""How long the broker may take to confirm that it has a message, or the next one of several."""
KEEP_ALIVE_S: Final = 20
SESSION_S: Final = 30 * 86_400
"""How long the broker keeps our session, and what came for us, while we are away."""
IN_FLIGHT_MAX: Final = 256
"""Messages on their way without a confirmation, in each direction."""
PLAIN_PORT: Final = 1883
TLS_PORT: Final = 8883
BAD_LOGIN: Final = frozenset({0x86, 0x87, 4, 5})
"""Reason codes of a broker that does not let us in."""

_silent: Final = logging.getLogger("mes_terminal.mqtt")


class MqttLink:
    """How to connect to the broker. Raises `InputError` for wrong settings; `where` is their
    table, `identifier` the name of the session."""

    def __init__(self, table: MqttTable, where: str, *, identifier: str) -> None:
        self._table = table
        self._where = where
        self._identifier = identifier
        self._parts = address_of(
            table.url, where, ("mqtt", "mqtts"), secret=f"{where}.user and .password_file"
        )
        self.shown = self._parts.geturl()
        """The address, for sentences."""
        self._tls()
        if (table.user is None) != (self._password() is None):
            raise InputError(
                f"{where}.user and {where}.password_file belong together. Name both, or neither.",
                reason="settings",
            )

    async def connect(self, *, will: aiomqtt.Will | None = None) -> Client:
        """Return a client, connected. Raises `TransportError`."""
        try:
            client = self._client(will)
        except InputError as error:
            raise TransportError(
                f"{error.sentence} Postings wait.", reason="not_authorised"
            ) from error
        try:
            await client.__aenter__()
        except aiomqtt.MqttError as error:
            client._client._sock_close()  # aiomqtt leaves it open where nothing was answered
            raise self.away(error) from error
        except asyncio.CancelledError:
            client._client._sock_close()
            raise
        return client

    async def disconnect(self, client: aiomqtt.Client) -> None:
        """Disconnect; the session stays. Never raises."""
        with contextlib.suppress(aiomqtt.MqttError, OSError):
            await client.__aexit__(None, None, None)

    def away(self, error: BaseException) -> TransportError:
        """Return the fault of a broker that cannot be used now."""
        code = getattr(getattr(error, "rc", None), "value", getattr(error, "rc", None))
        if code in BAD_LOGIN:
            return TransportError(
                f"The MQTT broker at {self.shown} does not let us in. Check {self._where}.user and "
                ".password_file, and what the broker allows. Postings wait.",
                reason="not_authorised",
            )
        mend = tls_mend(error, self._where)
        words = transport_words(error)
        if words == type(error).__name__:
            words = str(error).lower()[:200]
        hint = mend
        if mend is None and words == "no answer in time":
            # paho keeps to itself that the broker closed the connection
            shown = ("cert_file",) if self._parts.scheme == "mqtts" else ()
            hint = unwelcome_words(self._where, "user", "password_file", *shown)
        return TransportError(
            f"The MQTT broker at {self.shown} does not answer ({words}). "
            f"{hint + ' ' if hint else ''}Postings wait.",
            reason="tls" if mend else "unreachable",
        )

    def _client(self, will: aiomqtt.Will | None) -> Client:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S
        properties.ReceiveMaximum = IN_FLIGHT_MAX
        tls = self._tls()
        client = Client(
            str(self._parts.hostname),
            self._parts.port or (TLS_PORT if tls else PLAIN_PORT),
            username=self._table.user,
            password=self._password(),
            identifier=self._identifier,
            protocol=aiomqtt.ProtocolVersion.V5,
            clean_start=False,
            properties=properties,
            will=will,
            keepalive=KEEP_ALIVE_S,
            timeout=CONNECT_MAX_S,
            max_inflight_messages=IN_FLIGHT_MAX,
            tls_context=tls,
            logger=_silent,
            socket_options=((socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),),
        )
        _silent.disabled = True  # what it would say is in our own sentences
        client.pending_calls_threshold = 2 * IN_FLIGHT_MAX
        return client

    def _tls(self) -> ssl.SSLContext | None:
        table = self._table
        if self._parts.scheme == "mqtts":
            return client_tls(table, self._where)
        if table.ca_file or table.cert_file or table.key_file:
            raise InputError(
                f"{self._where}.url begins with mqtt://, which is without TLS, but a certificate "
                "is named. Write mqtts://, or take the certificate out.",
                reason="settings",
            )
        return None

    def _password(self) -> str | None:
        table = self._table
        return secret_of(table.password, table.password_file, f"{self._where}.password")


class Message(Struct, frozen=True, kw_only=True):
    """What is to be published."""

    topic: str
    content: bytes
    correlation: bytes | None = None
    content_type: str | None = None
    response_topic: str | None = None
    user: list[tuple[str, str]] | None = None
    retain: bool = False


class Client(aiomqtt.Client):
    """Publishes many messages together, never more at once than the broker takes: aiomqtt waits in
    a task for each, and paho does not heed the broker's Receive Maximum (MQTT 5, 3.3.4)."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.together_max = IN_FLIGHT_MAX
        """Messages that may be on their way without a confirmation."""
        self._unconfirmed: dict[int, _Round] = {}
        self._news: asyncio.Future[None] | None = None

    async def publish_all(
        self, messages: Sequence[Message], *, confirm_max_s: float = PUBLISH_MAX_S
    ) -> list[aiomqtt.MqttError | None]:
        """Publish, and wait until the broker has confirmed all, or nothing at all for so long;
        return for each what went wrong. That it has one says nothing of whoever reads it."""
        mine = _Round(len(messages))
        sent = 0
        try:
            while True:
                while sent < len(messages) and len(self._unconfirmed) < self.together_max:
                    self._send(messages[sent], mine, sent)
                    sent += 1
                is_done = sent == len(messages) and not mine.places
                if is_done or not await self._confirms(confirm_max_s):
                    return mine.faults
        finally:
            for mid in mine.places:
                del self._unconfirmed[mid]

    def _send(self, message: Message, mine: _Round, place: int) -> None:
        info = self._client.publish(
            message.topic, message.content, 1, message.retain, _properties(message)
        )
        if info.rc == MQTTErrorCode.MQTT_ERR_SUCCESS:
            mine.places[info.mid] = place
            self._unconfirmed[info.mid] = mine
        else:
            mine.faults[place] = aiomqtt.MqttCodeError(info.rc, "Could not publish message")

    async def _confirms(self, within_s: float) -> bool:
        """Wait until the broker confirms anything at all; return whether it did, `False` also for
        a connection that is lost."""
        if self._news is None or self._news.done():
            self._news = asyncio.get_running_loop().create_future()
        news = self._news  # another call may put a new one into its place
        await asyncio.wait(
            (news, self._disconnected),
            timeout=within_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        return news.done() and not self._disconnected.done()

    def _on_publish(
        self, client: Any, userdata: Any, mid: int, reason_code: ReasonCode, properties: Any
    ) -> None:
        del client, userdata, properties
        if self._news is not None and not self._news.done():
            self._news.set_result(None)
        theirs = self._unconfirmed.pop(mid, None)
        if theirs is not None:
            theirs.faults[theirs.places.pop(mid)] = (
                aiomqtt.MqttCodeError(reason_code, "refused") if reason_code.is_failure else None
            )

    def _on_connect(
        self, client: Any, userdata: Any, flags: Any, reason_code: ReasonCode,
        properties: Properties | None = None,
    ) -> None:  # fmt: skip
        allowed = getattr(properties, "ReceiveMaximum", IN_FLIGHT_MAX)
        self.together_max = min(allowed, IN_FLIGHT_MAX)
        super()._on_connect(client, userdata, flags, reason_code, properties)


class _Round:
    """The messages of one call: what went wrong with each, and which are not confirmed yet."""

    def __init__(self, count: int) -> None:
        self.faults: list[aiomqtt.MqttError | None] = [
            aiomqtt.MqttError("Operation timed out") for _ in range(count)
        ]
        self.places: dict[int, int] = {}
        """The place of each message, by its packet identifier."""


def _properties(message: Message) -> Properties:
    found = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if message.user:
        found.UserProperty = message.user
    if message.content_type is not None:
        found.ContentType = message.content_type
    if message.response_topic is not None:
        found.ResponseTopic = message.response_topic
    if message.correlation is not None:
        found.CorrelationData = message.correlation
    return found


async def publish(client: Client, message: Message) -> None:
    """Publish one message. Raises `aiomqtt.MqttError`."""
    (fault,) = await client.publish_all([message])
    if fault is not None:
        raise fault


def correlation_of(message: aiomqtt.Message) -> bytes:
    """Return what a message answers to, or is to be answered with."""
    found = getattr(message.properties, "CorrelationData", b"")
    return found if isinstance(found, bytes) else b""


def bytes_of(message: aiomqtt.Message) -> bytes:
    """Return what a message holds."""
    return message.payload if isinstance(message.payload, bytes) else b""

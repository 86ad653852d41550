"""One connection to an MQTT 5 broker, for the connector and for the site's door.

aiomqtt does not connect again by itself: a lost connection is found at the next use, and replaced.
The session outlives the connection, so the broker keeps what comes meanwhile.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from typing import TYPE_CHECKING, Final

import aiomqtt
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

    from mes_terminal.settings.upstream_tables import MqttTable

CONNECT_MAX_S: Final = 5.0
PUBLISH_MAX_S: Final = 2.0
"""How long the broker may take to confirm that it has a message."""
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

    async def connect(self, *, will: aiomqtt.Will | None = None) -> aiomqtt.Client:
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

    def _client(self, will: aiomqtt.Will | None) -> aiomqtt.Client:
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
        properties.SessionExpiryInterval = SESSION_S
        properties.ReceiveMaximum = IN_FLIGHT_MAX
        tls = self._tls()
        client = aiomqtt.Client(
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


async def publish(
    client: aiomqtt.Client, topic: str, content: bytes, *, retain: bool = False,
    user: list[tuple[str, str]] | None = None, content_type: str | None = None,
    response_topic: str | None = None, correlation: bytes | None = None,
    confirm_max_s: float = PUBLISH_MAX_S,
) -> None:  # fmt: skip
    """Publish and wait until the broker has it, which says nothing of whoever reads it. Raises
    `aiomqtt.MqttError`."""
    properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
    if user:
        properties.UserProperty = user
    if content_type is not None:
        properties.ContentType = content_type
    if response_topic is not None:
        properties.ResponseTopic = response_topic
    if correlation is not None:
        properties.CorrelationData = correlation
    await client.publish(
        topic, content, qos=1, retain=retain, properties=properties, timeout=confirm_max_s
    )


def correlation_of(message: aiomqtt.Message) -> bytes:
    """Return what a message answers to, or is to be answered with."""
    found = getattr(message.properties, "CorrelationData", b"")
    return found if isinstance(found, bytes) else b""


def bytes_of(message: aiomqtt.Message) -> bytes:
    """Return what a message holds."""
    return message.payload if isinstance(message.payload, bytes) else b""

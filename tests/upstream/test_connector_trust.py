"""TLS, certificates, tokens and passwords against real servers: who is let in, and what is said to
who is not. UP-4: whatever is wrong is tried for ever, and told with the setting to mend."""

import asyncio
import contextlib
import gc
import socket
import ssl
import struct
import subprocess
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import (
    HttpConnectorTable,
    MqttTable,
    NatsTable,
    SiteTable,
    UpstreamTable,
)
from mes_terminal.site.doors import http
from mes_terminal.upstream.connector import Connector, StationIdentity
from mes_terminal.upstream.connectors import connector_of
from tests.unit.memory_inbox import MemoryInbox
from tests.upstream.made_postings import made, source_of
from tests.upstream.servers import Mosquitto, NatsServer, Server, free_port

PASSWORD = "s3cret-of-the-station"
ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER that makes closing a reset: what the other side has not read yet is lost."""


class Papers:
    """An authority with a server's and a station's certificate, and a stranger's."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for authority in ("ca", "strange-ca"):
            self._run("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-keyout", f"{authority}.key", "-out", f"{authority}.pem",
                      "-days", "2", "-subj", f"/CN={authority}",
                      "-addext", "keyUsage=critical,keyCertSign")  # fmt: skip
        self._issue("server", "ca")
        self._issue("station", "ca")
        self._issue("stranger", "strange-ca")

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)

    def _issue(self, name: str, authority: str) -> None:
        self._run("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                  "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}",
                  "-addext", "subjectAltName=IP:127.0.0.1")  # fmt: skip
        self._run("x509", "-req", "-in", f"{name}.csr", "-CA", f"{authority}.pem", "-CAkey",
                  f"{authority}.key", "-CAcreateserial", "-days", "2", "-copy_extensions", "copy",
                  "-out", f"{name}.pem")  # fmt: skip

    def _run(self, *words: str) -> None:
        subprocess.run(["openssl", *words], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def papers(tmp_path_factory: pytest.TempPathFactory) -> Papers:
    return Papers(tmp_path_factory.mktemp("papers"))


class TlsNats(NatsServer):
    """NATS that wants a certificate and a password."""

    papers: Papers
    verify = True

    def prepare(self) -> None:
        super().prepare()
        papers = self.papers
        (self.folder / "nats.conf").write_text(
            f'authorization {{ user: "me", password: "{PASSWORD}" }}\n'
            f'tls {{ cert_file: "{papers["server.pem"]}", key_file: "{papers["server.key"]}", '
            f'ca_file: "{papers["ca.pem"]}", verify: {str(self.verify).lower()} }}\n'
        )

    def command(self) -> list[str]:
        return [*super().command(), "-c", str(self.folder / "nats.conf")]


class TokenNats(NatsServer):
    """NATS without TLS that wants a token."""

    def command(self) -> list[str]:
        return [*super().command(), "--auth", PASSWORD]


class TlsMosquitto(Mosquitto):
    """An MQTT broker that wants a certificate and a password."""

    papers: Papers

    def prepare(self) -> None:
        super().prepare()
        conf = self.folder / "mosquitto.conf"
        passwords = self.folder / "passwords"
        subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "me", PASSWORD], check=True)
        papers = self.papers
        conf.write_text(
            conf.read_text().replace("allow_anonymous true", "allow_anonymous false")
            + f"password_file {passwords}\ncafile {papers['ca.pem']}\n"
            f"certfile {papers['server.pem']}\nkeyfile {papers['server.key']}\n"
            "require_certificate true\n"
        )


@asynccontextmanager
async def connector(upstream: UpstreamTable) -> AsyncIterator[Connector]:
    """Give a connector of these settings, and close it."""
    found = connector_of(
        upstream,
        StationIdentity(
            source=source_of(), site="PLANT", station="ST-1", database=Path("station.db")
        ),
    )
    try:
        yield found
    finally:
        await found.close()


async def refused(upstream: UpstreamTable, reason: str, *words: str) -> None:
    """Check that the connector says why it is not let in, and shows no secret.

    Some servers just close the connection: then the settings to look at are named all the same.
    """
    async with connector(upstream) as found:
        with pytest.raises(TransportError) as fault:
            await found.open()
    assert fault.value.reason in (reason, "unreachable"), fault.value.sentence
    for word in words:
        assert word in fault.value.sentence
    assert fault.value.sentence.endswith("Postings wait.")
    assert PASSWORD not in fault.value.sentence


async def let_in(upstream: UpstreamTable) -> None:
    async with connector(upstream) as found:
        await found.open()


async def test_http_with_certificates_on_both_sides(papers: Papers) -> None:
    """A stranger's certificate, or none, is not let in; a strange server gets nothing."""
    port = free_port()
    site = SiteTable(
        listen=f"127.0.0.1:{port}", cert_file=papers["server.pem"], key_file=papers["server.key"],
        client_ca_file=papers["ca.pem"],
    )  # fmt: skip
    inbox = MemoryInbox()
    stopping, ready = asyncio.Event(), asyncio.Event()
    door = asyncio.create_task(http.serve(inbox, site, stopping, ready=ready))
    await ready.wait()
    good = HttpConnectorTable(
        url=f"https://127.0.0.1:{port}", ca_file=papers["ca.pem"],
        cert_file=papers["station.pem"], key_file=papers["station.key"],
    )  # fmt: skip

    def said(**changes: str | None) -> UpstreamTable:
        return UpstreamTable(kind="http", http=msgspec.structs.replace(good, **changes))

    async with connector(said()) as found:
        await found.open()
        assert len(await found.deliver(made(3))) == 3
    await refused(said(ca_file=papers["strange-ca.pem"]), "tls", "upstream.http.ca_file")
    await refused(said(ca_file=None), "tls", "upstream.http.ca_file")
    await refused(said(url=f"https://localhost:{port}"), "tls", "upstream.http.ca_file")
    await refused(said(cert_file=None, key_file=None), "tls", "upstream.http.cert_file")
    await refused(
        said(cert_file=papers["stranger.pem"], key_file=papers["stranger.key"]),
        "tls", "upstream.http.cert_file",
    )  # fmt: skip
    await refused(said(url=f"http://127.0.0.1:{port}"), "unreachable")
    stopping.set()
    await door
    assert len(inbox.bodies) == 3


async def test_nats_with_certificates_and_a_password(
    papers: Papers, tmp_path: Path, own_server: Callable[[type[Server]], Server]
) -> None:
    server = own_server(type("NatsHere", (TlsNats,), {"papers": papers}))
    secret = tmp_path / "password"
    secret.write_text(PASSWORD + "\n")
    good = NatsTable(
        url=f"tls://127.0.0.1:{server.port}", ca_file=papers["ca.pem"],
        cert_file=papers["station.pem"], key_file=papers["station.key"],
        user="me", password_file=str(secret),
    )  # fmt: skip

    def said(**changes: str | None) -> UpstreamTable:
        return UpstreamTable(kind="nats", nats=msgspec.structs.replace(good, **changes))

    await let_in(said())
    await refused(said(ca_file=papers["strange-ca.pem"]), "tls", "upstream.nats.ca_file")
    await refused(said(cert_file=None, key_file=None), "tls", "upstream.nats.", ".cert_file")
    await refused(said(user="nobody"), "not_authorised", "upstream.nats", "password_file")
    secret.write_text("wrong")
    await refused(said(), "not_authorised", "password_file")


async def test_nats_gets_no_secret_without_the_tls_that_was_asked_for(
    papers: Papers, own_server: Callable[[type[Server]], Server]
) -> None:
    """A server that does not offer TLS is told nothing; nats-py by itself would tell it all."""
    server = own_server(TokenNats)
    said = NatsTable(url=f"nats://127.0.0.1:{server.port}", token=PASSWORD)
    await let_in(UpstreamTable(kind="nats", nats=said))
    asked = msgspec.structs.replace(said, url=f"tls://127.0.0.1:{server.port}",
                                    ca_file=papers["ca.pem"])  # fmt: skip
    await refused(UpstreamTable(kind="nats", nats=asked), "tls", "does not speak TLS")
    wrong = msgspec.structs.replace(said, token="wrong")
    await refused(UpstreamTable(kind="nats", nats=wrong), "not_authorised", ".token_file")
    away = msgspec.structs.replace(said, url="nats://127.0.0.1:1")
    await refused(UpstreamTable(kind="nats", nats=away), "unreachable", "connection refused")


async def test_nats_tries_the_other_servers(own_server: Callable[[type[Server]], Server]) -> None:
    server = own_server(NatsServer)
    said = NatsTable(url=f"nats://127.0.0.1:1, nats://127.0.0.1:{server.port}")
    await let_in(UpstreamTable(kind="nats", nats=said))


# paho leaves a socket to the garbage collector where TLS does not come about
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_mqtt_with_certificates_and_a_password(
    papers: Papers, tmp_path: Path, own_server: Callable[[type[Server]], Server]
) -> None:
    server = own_server(type("MosquittoHere", (TlsMosquitto,), {"papers": papers}))
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)
    good = MqttTable(
        url=f"mqtts://127.0.0.1:{server.port}", ca_file=papers["ca.pem"],
        cert_file=papers["station.pem"], key_file=papers["station.key"],
        user="me", password_file=str(secret),
    )  # fmt: skip

    def said(**changes: str | None) -> UpstreamTable:
        return UpstreamTable(kind="mqtt", mqtt=msgspec.structs.replace(good, **changes))

    await let_in(said())
    await refused(said(ca_file=papers["strange-ca.pem"]), "tls", "upstream.mqtt.ca_file")
    await refused(said(user=None, password_file=None), "not_authorised", "upstream.mqtt.user")
    await refused(
        said(cert_file=papers["stranger.pem"], key_file=papers["stranger.key"]),
        "tls", "upstream.mqtt.", ".cert_file",
    )  # fmt: skip
    secret.write_text("wrong")
    await refused(said(), "not_authorised", ".password_file")
    await refused(said(url="mqtts://127.0.0.1:1"), "unreachable", "connection refused")
    gc.collect()  # here, and not in another test


@asynccontextmanager
async def rude_server(
    papers: Papers, *, says: bytes = b"", with_tls: bool = False
) -> AsyncIterator[int]:
    """Hear who calls, and reset the connection without a word about it."""
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH) if with_tls else None
    if tls is not None:
        tls.load_cert_chain(papers["server.pem"], papers["server.key"])

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            writer.write(says)
            await reader.read(4096)
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
        writer.transport.abort()

    server = await asyncio.start_server(meet, "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_nats_that_hangs_up_before_its_answer_is_read(papers: Papers) -> None:
    """It says that it does not let us in, and closes: a reset can overtake what it says."""
    said = b'INFO {"server_id":"X","version":"2.10","max_payload":1048576,"auth_required":true}\r\n'
    async with rude_server(papers, says=said) as port:
        away = NatsTable(url=f"nats://127.0.0.1:{port}", token=PASSWORD)
        await refused(
            UpstreamTable(kind="nats", nats=away), "unreachable",
            "upstream.nats.creds_file", ".token_file", ".user", ".password_file", ".cert_file",
        )  # fmt: skip


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("with_tls", [False, True])
async def test_mqtt_that_hangs_up(papers: Papers, *, with_tls: bool) -> None:
    async with rude_server(papers, with_tls=with_tls) as port:
        away = MqttTable(
            url=f"{'mqtts' if with_tls else 'mqtt'}://127.0.0.1:{port}",
            ca_file=papers["ca.pem"] if with_tls else None, user="me", password=PASSWORD,
        )  # fmt: skip
        named = ("upstream.mqtt.user", ".password_file", *((".cert_file",) if with_tls else ()))
        await refused(UpstreamTable(kind="mqtt", mqtt=away), "unreachable", *named)
    gc.collect()  # here, and not in another test


async def test_http_that_hangs_up(papers: Papers) -> None:
    async with rude_server(papers, with_tls=True) as port:
        away = HttpConnectorTable(
            url=f"https://127.0.0.1:{port}", ca_file=papers["ca.pem"], token=PASSWORD
        )
        await refused(
            UpstreamTable(kind="http", http=away), "unreachable", "upstream.http.cert_file"
        )

"""NATS run by an operator: accounts and users are signed tokens, and a station has a `.creds` file.

The tokens that the tool `nsc` writes are made here with the station's own library of keys.
"""

import base64
import json
import secrets
from pathlib import Path
from typing import Any

import nkeys
import pytest

from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import SiteNatsTable
from mes_terminal.site.doors import Offers
from tests.unit.memory_inbox import MemoryInbox
from tests.upstream.connector_bench import deliver_all
from tests.upstream.made_postings import made
from tests.upstream.servers import NatsServer
from tests.upstream.test_nats_stream import (
    Door,
    MemoryDown,
    StartServer,
    connector_to,
    rights_of_the_docs,
    until,
)

NO_LIMIT = -1
LIMITS = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn", "leaf"), NO_LIMIT)
STORAGE = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), NO_LIMIT)


class Identity:
    """A pair of keys: an operator, an account or a user."""

    def __init__(self, prefix: int) -> None:
        self.seed = nkeys.encode_seed(secrets.token_bytes(32), prefix)
        self.keys = nkeys.from_seed(bytearray(self.seed))
        self.name: str = self.keys.public_key.decode()

    def sign(self, other: "Identity", claims: dict[str, Any]) -> str:
        """Return the token by which this one answers for another."""
        told = {
            "jti": secrets.token_hex(16), "iat": 1_700_000_000, "iss": self.name,
            "sub": other.name, "name": other.name, "nats": {"version": 2, **claims},
        }  # fmt: skip
        signed = f"{_part({'typ': 'JWT', 'alg': 'ed25519-nkey'})}.{_part(told)}"
        return f"{signed}.{_text(self.keys.sign(signed.encode()))}"


def _part(content: dict[str, Any]) -> str:
    return _text(json.dumps(content).encode())


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


class OperatedNats(NatsServer):
    """A server that knows its operator and two accounts, and lets in whom an account has signed."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.operator = Identity(nkeys.PREFIX_BYTE_OPERATOR)
        self.account = Identity(nkeys.PREFIX_BYTE_ACCOUNT)
        self._system = Identity(nkeys.PREFIX_BYTE_ACCOUNT)

    def prepare(self) -> None:
        limits = {**LIMITS, "wildcards": True}
        tokens = {
            self.account.name: {"type": "account", "limits": {**limits, **STORAGE}},
            self._system.name: {"type": "account", "limits": limits},
        }
        signed = ", ".join(
            f"{each.name}: {self.operator.sign(each, tokens[each.name])}"
            for each in (self.account, self._system)
        )
        (self.folder / "nats.conf").write_text(
            f"operator: {self.operator.sign(self.operator, {'type': 'operator'})}\n"
            f"system_account: {self._system.name}\n"
            f"resolver: MEMORY\nresolver_preload: {{ {signed} }}\n"
        )

    def command(self) -> list[str]:
        return [*super().command(), "-c", str(self.folder / "nats.conf")]

    def credentials(self, name: str, signer: Identity | None = None, **rights: Any) -> str:
        """Write the file of a user; return its path."""
        user = Identity(nkeys.PREFIX_BYTE_USER)
        claims = {"type": "user", "subs": NO_LIMIT, "data": NO_LIMIT, "payload": NO_LIMIT, **rights}
        token = (signer or self.account).sign(user, claims)
        path = self.folder / f"{name}.creds"
        path.write_text(
            "".join(
                f"-----BEGIN {kind}-----\n{content}\n------END {kind}------\n\n"
                for kind, content in (
                    ("NATS USER JWT", token),
                    ("USER NKEY SEED", user.seed.decode()),
                )
            )
        )
        path.chmod(0o600)
        return str(path)


async def test_station_and_site_come_in_by_the_credentials_that_an_account_signed(
    own_server: StartServer,
) -> None:
    """UP-2, UP-9: with the rights that docs/upstream.md lists, and after the server restarts."""
    server = own_server(OperatedNats)
    assert isinstance(server, OperatedNats)
    publish, subscribe = rights_of_the_docs()
    station = server.credentials("st", pub={"allow": publish}, sub={"allow": subscribe})
    connector = connector_to(server, creds_file=station)
    down = MemoryDown()
    down.put(1, "hold:L-77")
    as_site = SiteNatsTable(url=server.url, creds_file=server.credentials("site"))
    postings = made(6, lanes=6)
    async with Door(server, MemoryInbox(), Offers(down=down), table=as_site):
        assert len(await deliver_all(connector, postings[:3])) == 3
        server.kill()
        server.start()
        assert len(await deliver_all(connector, postings[3:])) == 3
        assert [each.version for each in await until(connector, 0, 1)] == [1]
    await connector.close()


async def test_credentials_of_another_operator_s_account_are_named(
    own_server: StartServer,
) -> None:
    server = own_server(OperatedNats)
    assert isinstance(server, OperatedNats)
    stranger = server.credentials("stranger", Identity(nkeys.PREFIX_BYTE_ACCOUNT))
    connector = connector_to(server, creds_file=stranger)
    with pytest.raises(TransportError, match=r"creds_file.* Postings wait\.$") as fault:
        await connector.open()
    assert fault.value.reason == "not_authorised"
    await connector.close()

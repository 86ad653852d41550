"""The servers that the other tests stand on."""

from collections.abc import Callable

import psycopg
import pytest

from tests.upstream.servers import Mosquitto, NatsServer, Postgres, Server


@pytest.mark.parametrize("kind", [Postgres, NatsServer, Mosquitto])
def test_a_killed_server_comes_back_on_the_same_port(
    own_server: Callable[[type[Server]], Server], kind: type[Server]
) -> None:
    server = own_server(kind)
    server.kill()
    assert not server.answers()
    server.start()
    assert server.answers()


def test_a_database_of_its_own_is_empty(site_database: str) -> None:
    with psycopg.connect(site_database) as conn:
        found = conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        assert found.fetchone() == (0,)

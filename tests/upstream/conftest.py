"""Servers of the session: one of each, started when the first test asks for it.

A test that kills or fills a server starts one of its own (`servers`).
"""

from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest

from tests.upstream.servers import Mosquitto, NatsServer, Postgres, Server
from tests.upstream.tryton_fixtures import tryton, tryton_template

__all__ = ["tryton", "tryton_template"]

S = TypeVar("S", bound=Server)
_numbers = count(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here needs servers."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("upstream")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A PostgreSQL that stands for the session. Nobody cuts its power: what a test kills, it
    starts itself, and that one writes to the disk."""
    for server in _running(Postgres, tmp_path_factory):
        with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET fsync = off")
            conn.execute("SELECT pg_reload_conf()")
        yield server


@pytest.fixture(scope="session")
def nats_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    """A NATS server with JetStream that stands for the session."""
    yield from _running(NatsServer, tmp_path_factory)


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    """An MQTT broker that stands for the session."""
    yield from _running(Mosquitto, tmp_path_factory)


@pytest.fixture
def site_database(postgres: Postgres) -> str:
    """The URL of an empty database of its own."""
    return postgres.new_database(f"site_{next(_numbers)}")


def _running(kind: type[S], tmp_path_factory: pytest.TempPathFactory) -> Iterator[S]:
    missing = kind.missing()
    if missing:
        pytest.skip(missing)
    server = kind(tmp_path_factory.mktemp(kind.__name__.lower()))
    server.start()
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Callable[[type[Server]], Server]]:
    """Start a server of the test's own, which it may kill."""
    started: list[Server] = []

    def start(kind: type[Server]) -> Server:
        missing = kind.missing()
        if missing:
            pytest.skip(missing)
        server = kind(tmp_path / f"{kind.__name__.lower()}{len(started)}")
        started.append(server)
        server.start()
        return server

    yield start
    for each in started:
        each.stop()


@pytest.fixture
def close() -> Iterator[Callable[..., None]]:
    """Remember what is to be ended after the test."""
    things: list[object] = []
    yield lambda *more: things.extend(more)
    for each in reversed(things):
        each.close()  # type: ignore[attr-defined]

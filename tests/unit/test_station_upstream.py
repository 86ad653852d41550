"""The road upstream of a core: what becomes of a fault in it, and of who asks too early."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mes_terminal import logs
from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError, TransportError
from mes_terminal.settings import Settings
from mes_terminal.settings.upstream_tables import SimulatedTable
from mes_terminal.station.upstream import Upstream
from mes_terminal.station.worker import Worker
from mes_terminal.upstream.connector import Connector
from mes_terminal.upstream.connectors.simulated import SimulatedConnector, SimulatedReceiver


class Strange(SimulatedConnector):
    """Brings down what is no document, as only a fault of ours can."""

    async def fetch(self, after: int, *, wait_s: float) -> Any:
        return ["no document"]

    async def confirm(self, confirmation: Any) -> None:
        raise NotImplementedError

    async def stock(self) -> Any:
        raise NotImplementedError

    async def exceptions(self) -> Any:
        raise NotImplementedError


@asynccontextmanager
async def road(folder: Path, make: Callable[[], Connector]) -> AsyncIterator[Upstream]:
    """Give the road of a station, begun."""
    database = folder / "station.db"
    worker = Worker(
        database, StationRules(), heard=lambda *_: None, waiting=lambda _: None,
        settled=lambda _: None, died=lambda _: None,
    )  # fmt: skip
    worker.start()
    await asyncio.wrap_future(worker.ready)
    upstream = Upstream(
        database, Settings(), worker, changed=lambda: None, loading=asyncio.Lock(),
        make=lambda *_: make(),
    )  # fmt: skip
    upstream.start()
    try:
        async with asyncio.timeout(30):
            yield upstream
    finally:
        await upstream.stop()
        worker.stop()
        await asyncio.to_thread(worker.join)


async def test_a_fault_of_ours_in_what_comes_down_is_told_and_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-9: nothing ends in silence; postings go on."""
    said: asyncio.Queue[str] = asyncio.Queue()
    monkeypatch.setattr(logs, "say", said.put_nowait)
    async with road(tmp_path, lambda: Strange(SimulatedReceiver(), SimulatedTable())) as upstream:
        assert "Nothing comes down any more" in await said.get()
        told = [each async for each in upstream.sync(once=True)]
    assert (told[-1].waiting, told[-1].last_error) == (0, None)


async def test_who_asks_early_waits_for_the_connector_or_hears_why_there_is_none(
    tmp_path: Path,
) -> None:
    """Making it may take a while: it reads files, and packages."""
    made = SimulatedConnector(SimulatedReceiver(), SimulatedTable())
    async with road(tmp_path, lambda: made) as upstream:
        assert await upstream.connector() is made

    def wrong() -> Connector:
        raise InputError("upstream.http.url is missing.", reason="settings")

    async with road(tmp_path, wrong) as upstream:
        with pytest.raises(TransportError, match=r"http\.url is missing"):
            await upstream.connector()
        with pytest.raises(InputError, match=r"http\.url is missing"):
            _ = [each async for each in upstream.sync(once=True)]

"""The road upstream of a core: what becomes of a fault of the program in it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from mes_terminal import logs
from mes_terminal.domain.rules import StationRules
from mes_terminal.settings import Settings
from mes_terminal.settings.upstream_tables import SimulatedTable
from mes_terminal.station.upstream import Upstream
from mes_terminal.station.worker import Worker
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


async def test_a_fault_of_ours_in_what_comes_down_is_told_and_ends_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-9: nothing ends in silence; postings go on."""
    said: asyncio.Queue[str] = asyncio.Queue()
    monkeypatch.setattr(logs, "say", said.put_nowait)
    worker = Worker(
        tmp_path / "station.db", StationRules(), heard=lambda *_: None, waiting=lambda _: None,
        settled=lambda _: None, died=lambda _: None,
    )  # fmt: skip
    worker.start()
    await asyncio.wrap_future(worker.ready)
    upstream = Upstream(
        tmp_path / "station.db", Settings(), worker, changed=lambda: None, loading=asyncio.Lock(),
        make=lambda *_: Strange(SimulatedReceiver(), SimulatedTable()),
    )  # fmt: skip
    upstream.start()
    try:
        async with asyncio.timeout(30):
            assert "Nothing comes down any more" in await said.get()
            told = [each async for each in upstream.sync(once=True)]
        assert (told[-1].waiting, told[-1].last_error) == (0, None)
    finally:
        await upstream.stop()
        worker.stop()
        await asyncio.to_thread(worker.join)

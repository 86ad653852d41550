"""The desk on a real core: a plant that owes ten legs, and whoever sits there."""

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC
from pathlib import Path
from typing import Any

from mes_terminal.link.client import LinkClient
from mes_terminal.station.lock import find_core
from mes_terminal.tui.supervisor_app import SupervisorApp
from tests.e2e.station_process import Station
from tests.e2e.test_exception_command import PIN, SHORT
from tests.tui.test_desk import Desk


@asynccontextmanager
async def desk_on_core(
    folder: Path, *, unknown: str | None = None, **opens: Any
) -> AsyncIterator[Desk]:
    """Open the desk after ten chairs were made, ten of their 40 legs from no lot.

    `unknown`: a code that was scanned too, and that nothing reads. `opens`: `first`, the section
    that is opened, where it is not the desk's own choice.
    """
    station = Station(folder)
    plant = folder / "plant"
    plant.mkdir()
    for name, text in SHORT.items():
        (plant / f"{name}.csv").write_text(text)
    station.run("load", str(plant))
    station.scan("WO-1")
    if unknown is not None:
        station.scan(unknown, code=1)
    station.run("operator", "pin", "SUP-1", given=PIN)
    core = station.start_core()
    holder = find_core(station.database)
    assert holder is not None
    try:
        app = SupervisorApp(LinkClient(holder.socket), plain=False, zone=UTC, **opens)
        async with app.run_test(size=(120, 40)) as pilot:
            yield Desk(app, station, pilot)
    finally:
        if core.poll() is None:
            core.send_signal(signal.SIGTERM)
            core.wait(30)
        station.close()

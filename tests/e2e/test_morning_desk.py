"""The supervisor's morning on a real core: read without a scan, emptied by three letters."""

import signal
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import pytest

from mes_terminal.link.client import LinkClient
from mes_terminal.station.lock import find_core
from mes_terminal.tui.supervisor_app import SupervisorApp
from tests.e2e.station_process import Station
from tests.e2e.test_exception_command import PIN, SHORT
from tests.tui.test_desk import Desk


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """WO-1 owes ten legs, a code is unknown, and nothing is left for WO-2."""
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in SHORT.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.scan("WO-1")
    station.scan("NO-SUCH-CODE", code=1)
    station.run("operator", "pin", "SUP-1", given=PIN)
    core = station.start_core()
    holder = find_core(station.database)
    assert holder is not None
    try:
        app = SupervisorApp(LinkClient(holder.socket), plain=False, zone=UTC)
        async with app.run_test(size=(120, 40)) as pilot:
            yield Desk(app, station, pilot)
    finally:
        core.send_signal(signal.SIGTERM)
        core.wait(30)
        station.close()


async def test_the_morning_needs_no_scan_and_letters_empty_the_desk(desk: Desk) -> None:
    """What stops today is seen first; two groups are ended from there by badge and PIN (BF-23)."""
    station = desk.core
    movements = station.rows("movements")
    await desk.sees(
        "1 of 1 orders in sequence", "1 post, 1 not: LEG short 20 pcs, enough for 0", "2 open",
        "shortage LEG: no stock", "unknown code: not known",
    )  # fmt: skip
    assert station.rows("movements") == movements
    for _ in range(2):
        await desk.do("a")
        await desk.until(lambda: "FormScreen" in str(type(desk.app.top)))
        await desk.sees("Write off")
        written = desk.text().splitlines()
        (way,) = [line for line in written if "Write off" in line][:1]
        await desk.do(next(sign for sign in way if sign.isdigit()))
        await desk.sees("GONE")
        await desk.do("enter")
        await desk.sees("It would end.")
        await desk.do("enter", "SUP-1", "enter", PIN.decode().strip(), "enter")
        await desk.sees("It has ended.")
        await desk.do("enter")
    await desk.sees("Nothing is open.")
    assert station.rows("exceptions", "--open") == []
    station.run("doctor")
    await desk.do("home", "enter")
    await desk.sees("ORDERS", "only with WO-2")

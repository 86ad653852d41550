"""The genealogy view on a real core: scan, F6, and the lot is followed."""

import signal
from datetime import UTC
from pathlib import Path
from typing import Any, cast

from mes_terminal.link.client import LinkClient
from mes_terminal.station.lock import find_core
from mes_terminal.tui.app import OperatorApp
from tests.e2e.station_process import Station
from tests.tui.conftest import Desk


async def test_what_was_closed_is_followed_to_its_lots_and_back(tmp_path: Path) -> None:
    """BF-37: from the order's code to the lot of legs, and from a typed lot to the chairs."""
    station = Station(tmp_path)
    station.load_plant()
    core = station.start_core()
    holder = find_core(station.database)
    assert holder is not None
    try:
        app = OperatorApp(LinkClient(holder.socket), plain=False, zone=UTC, play=lambda _: None)
        async with app.run_test(size=(80, 24)) as pilot:
            desk = Desk(app, cast("Any", None), cast("Any", pilot))
            await desk.until(lambda: "Scan an order to begin" in desk.text())
            await desk.type("WO-1\r")
            await desk.until(lambda: "WO-1 is closed" in desk.text())
            await desk.pilot.press("f6")
            await desk.until(lambda: "CHAIR lot WO-1 · made from" in desk.text())
            assert "LEG lot L-1" in desk.text()
            assert "40 pcs  sole" in desk.text()
            for character in "L-1":
                await desk.type(character)
                await desk.pilot.pause(0.08)
            await desk.type("\r")
            await desk.until(lambda: "LEG lot L-1 · made from" in desk.text())
            await desk.pilot.press("right")
            await desk.until(lambda: "└ CHAIR lot WO-1" in desk.text())
            for character in "L-9":
                await desk.type(character)
                await desk.pilot.pause(0.08)
            await desk.type("\r")
            await desk.until(lambda: "'L-9' is no lot" in desk.text())
    finally:
        core.send_signal(signal.SIGTERM)
        core.wait(30)
        station.close()
    assert [row["code"] for row in station.rows("journal")] == ["WO-1"]

"""An approval at the line on a real core: badge, PIN at the screen, the code is booked (BF-24)."""

import signal
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.link.client import LinkClient
from mes_terminal.station.lock import find_core
from mes_terminal.tui import themes
from mes_terminal.tui.app import OperatorApp
from mes_terminal.tui.screens.approve import ApproveScreen
from tests.e2e.station_process import PLANT, Station
from tests.tui.conftest import Desk

SETTINGS = '[station]\nmode = "test"\n[policy.over_completion]\ndefault = "approve"\n'
PIN = "864200758642"
"""Of so many digits that no hash or id holds it by chance."""


@pytest.fixture
async def line(tmp_path: Path) -> AsyncIterator[tuple[Desk, Station]]:
    """Anna is signed in; ten chairs are ordered, and more take an approval. Bert has a PIN."""
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "station.toml").write_text(SETTINGS)
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in PLANT.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.run("operator", "pin", "SUP-1", given=f"{PIN}\n".encode())
    station.scan("B:OP-1")
    core = station.start_core()
    holder = find_core(station.database)
    assert holder is not None
    try:
        heard: list[Any] = []
        link: Any = LinkClient(holder.socket)
        app = OperatorApp(link, palette=themes.MANY, plain=False, zone=UTC, play=heard.append)
        async with app.run_test(size=(100, 30)) as pilot:
            desk = Desk(app, link, pilot, heard)
            await desk.until(lambda: "Anna" in desk.text())
            yield desk, station
    finally:
        if core.poll() is None:
            core.send_signal(signal.SIGTERM)
            core.wait(30)
        station.close()


async def by_hand(desk: Desk, text: str) -> None:
    for character in text:
        await desk.type(character)
        await desk.pilot.pause(0.08)


async def test_badge_and_pin_book_what_was_asked(line: tuple[Desk, Station]) -> None:
    """Part 4: the PIN is nowhere but in the request; the code is one scan more, for Anna."""
    desk, station = line
    await desk.type("%QTY 12\r")
    await desk.until(lambda: "12" in desk.text())
    await desk.type("WO-1\r")
    await desk.until(lambda: "A supervisor must approve" in desk.text())
    await desk.type("B:SUP-1\r")
    await desk.until(lambda: isinstance(desk.app.top, ApproveScreen))
    await by_hand(desk, "8643\r")
    await desk.until(lambda: "not the PIN of SUP-1" in desk.text())
    await by_hand(desk, f"{PIN}\r")
    await desk.until(lambda: not isinstance(desk.app.top, ApproveScreen))
    await desk.until(lambda: "WO-1 is closed: 12 CHAIR" in desk.text())
    journal = station.rows("journal")
    assert [row["code"] for row in journal] == ["B:OP-1", "%QTY 12", "WO-1", "B:SUP-1", "WO-1"]
    assert journal[-1]["device"] == "approval"
    (report,) = [row for row in station.rows("audit") if "production.completed" in row["type"]]
    assert report["person"] == "OP-1"
    assert station.rows("orders", "--work-order", "WO-1")[0]["completed"] == "12"
    everything = station.run("audit", "--json").stdout + station.run("journal", "--json").stdout
    assert PIN.encode() not in everything


async def test_what_a_desk_approves_is_told_at_the_line(line: tuple[Desk, Station]) -> None:
    """Part 4: Anna goes on, Bert decides at the desk, the code is scanned again."""
    desk, station = line
    for code in ("%QTY 12", "WO-1", "%QTY 1", "%CANCEL"):
        await desk.type(f"{code}\r")
        await desk.pilot.pause(0.7)
    (asked,) = station.rows("approvals", "--open")
    station.run("approve", "--id", str(asked["id"]), "--as", "SUP-1", given=f"{PIN}\n".encode())
    await desk.until(lambda: "Bert approves it" in desk.text())
    await desk.until(lambda: "Scan WO-1 again" in desk.text())

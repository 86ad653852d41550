"""The supervisor's desk on a real core: what is owed is seen, tried out and decided."""

import signal
from collections.abc import AsyncIterator
from datetime import UTC
from pathlib import Path

import pytest

from mes_terminal.errors import InputError
from mes_terminal.link.client import LinkClient
from mes_terminal.station.lock import find_core
from mes_terminal.store.database import open_database
from mes_terminal.tui import desk_control
from mes_terminal.tui.supervisor_app import SupervisorApp
from tests.e2e.desk_on_core import desk_on_core
from tests.e2e.station_process import Station
from tests.e2e.test_exception_command import LATER, PIN, SHORT
from tests.tui.test_desk import Desk


@pytest.fixture
async def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    """Ten chairs were made, ten of their 40 legs were in no lot; lot L-9 came after them."""
    monkeypatch.setattr(desk_control, "POLL_S", 0.2)
    async with desk_on_core(tmp_path, unknown="NO-SUCH-CODE", first="exceptions") as desk:
        await desk.sees("2 open", "shortage", "unknown code")
        yield desk


async def test_what_a_load_brings_is_suggested_and_posted_by_badge_and_pin(desk: Desk) -> None:
    """BF-22, BF-23."""
    station = desk.core
    await desk.sees("10 pcs LEG are owed", "Order WO-1, line 10.", "Scanned at")
    receipts = station.folder / "plant" / "receipts.csv"
    receipts.write_text(SHORT["receipts"] + LATER)
    station.run("load", str(receipts.parent))
    await desk.sees("1 Name L-9 at LINE if it was used")
    await desk.do("r")
    await desk.sees("From lot L-9 at LINE (50 pcs)")
    await desk.do("2")
    await desk.sees("It would end.", "posted: 10 pcs LEG L-9")
    assert station.rows("exceptions", "--open")[0]["quantity"] == "10"
    await desk.do("enter", "SUP-1", "enter", "1234", "enter")
    await desk.sees("That is not the PIN of SUP-1")
    await desk.do("SUP-1", "enter", PIN.decode().strip(), "enter")
    await desk.sees("It has ended.")
    await desk.do("enter")
    await desk.sees("1 open", "Scans of a code that nothing reads")
    await desk.do("r", "1")
    await desk.sees("GONE")
    await desk.do("enter")
    await desk.sees("written off: 1")
    await desk.do("enter", "OP-1", "enter", "1111", "enter")
    await desk.sees("Anna has no PIN")
    await desk.do("escape")
    station.run("doctor")
    everything = station.run("audit", "--json").stdout + station.run("journal", "--json").stdout
    assert PIN.strip() not in everything
    assert [row["code"] for row in station.rows("journal")] == ["WO-1", "NO-SUCH-CODE"]


async def test_what_heals_by_itself_leaves_the_desk(desk: Desk) -> None:
    """BF-22: a receipt from before the report."""
    station = desk.core
    receipts = station.folder / "plant" / "receipts.csv"
    receipts.write_text(SHORT["receipts"] + "R-8,LEG,L-1,LINE,50,2026-01-02\n")
    station.run("load", str(receipts.parent))
    await desk.sees("1 open")
    assert "shortage" not in desk.text()


async def test_every_section_opens_on_a_running_station(desk: Desk) -> None:
    """Issue 5, part 2: orders, stock, lots and mounted positions of a real core."""
    await desk.do("3")
    await desk.sees("ORDERS", "1 in the queue", "WO-2: released", "LEG short 20 pcs")
    await desk.do("o", "o")
    await desk.sees("2 in all", "WO-1")
    await desk.do("/", "WO-1", "enter")
    await desk.sees("WO-1: closed", "10 good", "One exception is open on it.", "made 10")
    await desk.do("e")
    await desk.sees("EXCEPTIONS", "only with WO-1", "1 open")
    await desk.do("4")
    await desk.sees("STOCK", "SEAT", "LINE", "90")
    await desk.scan("WO-1")
    await desk.sees("ORDERS", "only with WO-1")
    await desk.do("5")
    await desk.sees("LOTS", "on hand")
    await desk.do("o", "o", "o")
    await desk.sees("L-9", "0 pcs")
    await desk.do("5")
    await desk.sees("MOUNTED", "Nothing is mounted.")
    assert [row["code"] for row in desk.core.rows("journal")] == ["WO-1", "NO-SUCH-CODE"]


async def test_an_exception_is_given_to_a_person_by_badge_and_pin(desk: Desk) -> None:
    """Issue 5, part 1."""
    await desk.do("a")
    await desk.scan("SUP-2")
    await desk.scan("SUP-1")
    await desk.do(PIN.decode().strip(), "enter")
    await desk.sees("1 given.")
    await desk.do("enter")
    await desk.sees("Bea sees to it.")
    await desk.do("b", "b")
    await desk.sees("Whose", "Bea")


MANY_ORDERS = """
WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
INSERT INTO work_order (work_order, item_id, quantity_micro, status, output_location_id)
SELECT printf('MANY-%06d', i), item_id, 5000000, 'planned', output_location_id
FROM n, (SELECT item_id, output_location_id FROM work_order LIMIT 1)
"""


async def test_a_hundred_thousand_orders_are_paged_and_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Screens 11: on a real core, over the real link."""
    monkeypatch.setattr(desk_control, "POLL_S", 0.5)
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in SHORT.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    database = open_database(station.database)
    database.conn.execute(MANY_ORDERS)
    database.close()
    core = station.start_core()
    holder = find_core(station.database)
    assert holder is not None
    try:
        app = SupervisorApp(LinkClient(holder.socket), plain=False, zone=UTC, first="orders")
        async with app.run_test(size=(120, 40)) as pilot:
            desk = Desk(app, station, pilot)
            await desk.sees("WO-1")
            await desk.do("o", "o")
            await desk.sees("100 002 in all", "1 of 100 002", "MANY-000001")
            await desk.do("end")
            await desk.sees("200 of 100 002", "MANY-000200")
            await desk.do("end")
            await desk.sees("400 of 100 002", "MANY-000400")
            await desk.do("/", "many-0777", "enter")
            await desk.sees("100 in all", "MANY-077700")
    finally:
        if core.poll() is None:
            core.send_signal(signal.SIGTERM)
            core.wait(30)
        station.close()


async def test_a_preview_needs_nobody_and_a_decision_somebody(desk: Desk) -> None:
    """BF-23: who may is judged when somebody decides."""
    holder = find_core(desk.core.database)
    assert holder is not None
    async with LinkClient(holder.socket) as link:
        order = {"ids": [1], "decision": {"how": "write_off", "reason": "GONE"}}
        (seen,) = await link.ask("resolve", list[dict[str, object]], **order, preview=True)
        assert seen["outcome"] == "written_off"
        with pytest.raises(InputError, match="Say who decides"):
            await link.request("resolve", **order)
    assert len(desk.core.rows("exceptions", "--open")) == 2


async def test_a_core_that_stops_is_one_sentence(desk: Desk) -> None:
    holder = find_core(desk.core.database)
    assert holder is not None
    async with LinkClient(holder.socket) as link:
        await link.request("stop")
    await desk.sees("The station is not there. What is shown may be old")


def test_without_a_terminal_the_desk_says_what_to_use(tmp_path: Path) -> None:
    refused = Station(tmp_path).run("supervisor", code=2).stderr.decode()
    assert refused == (
        "mes-terminal: The desk needs a terminal. Without one use: mes-terminal exceptions "
        "--open.\n"
    )

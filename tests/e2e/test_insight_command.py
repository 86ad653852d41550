"""`insight` as a user calls it: through the running core, and as the core for the moment."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.link.client import LinkClient
from mes_terminal.station.lock import find_core
from tests.e2e.station_process import PATIENCE_S, PLANT, Station

SHORT = PLANT | {
    "receipts": "reference,item,lot,location,quantity,effective_at\n"
    "R-1,LEG,L-1,LINE,44,2026-01-01\nR-2,SEAT,,LINE,100,2026-01-01\n",
}


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """44 legs: WO-1 takes 40 of them, WO-2 needs 20."""
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in SHORT.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    yield station
    station.close()


def morning(station: Station) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(station.run("insight", "morning", "--json").stdout)
    return found


@pytest.mark.parametrize("with_core", [False, True])
def test_the_morning_says_what_stops_today(station: Station, with_core: bool) -> None:
    """What WO-1 leaves is too little for WO-2; nothing of the trial stays."""
    core = station.start_core() if with_core else None
    movements = station.rows("movements")
    told = morning(station)
    assert [(each["work_order"], each["lines_post"], each["lines_short"], each["lasts_for"])
            for each in told["queue"]["orders"]] == [
        ("WO-1", 2, 0, None), ("WO-2", 1, 1, "1"),
    ]  # fmt: skip
    assert told["queue"]["orders"][1]["lacks"] == [
        {"item": "LEG", "quantity": "16", "uom": "pcs", "lasts_for": "1"}
    ]
    assert station.rows("movements") == movements
    text = station.run("insight", "morning").stdout.decode()
    assert "STOPS TODAY: 1 of 2 orders" in text
    assert "LEG short 16 pcs: enough for 1" in text
    if core is not None:
        station.run("core", "--stop")
        assert core.wait(PATIENCE_S) == 0


@pytest.mark.parametrize("with_core", [False, True])
def test_figures_are_told_as_text_and_as_json(station: Station, with_core: bool) -> None:
    core = station.start_core() if with_core else None
    station.scan("WO-1")
    station.scan("WO-2")
    (today,) = station.rows("insight", "figures")
    assert (today["total"]["reports"], today["total"]["wrong"], today["total"]["error_pct"]) == (
        2, 1, "50",
    )  # fmt: skip
    assert today["total"]["made"] == [{"uom": "pcs", "good": "15", "scrapped": "0"}]
    days = station.rows("insight", "figures", "--day", today["day"], "--days", "3")
    assert [day["total"]["reports"] for day in days] == [0, 0, 2]
    text = station.run("insight", "figures").stdout.decode()
    assert "error rate %" in text
    assert "shortage:no_stock" in text
    assert "2026" in station.run("insight", "figures", "--days", "2").stdout.decode()
    if core is not None:
        station.run("core", "--stop")
        assert core.wait(PATIENCE_S) == 0


async def test_scans_go_on_while_mornings_are_told(station: Station) -> None:
    """The trial gives way to scans and is answered all the same; each scan is booked once."""
    core = station.start_core()
    holder = find_core(station.database)
    assert holder is not None
    async with LinkClient(holder.socket) as link:
        asked: list[Any] = []
        for _ in range(5):
            asked += [link.request("scan", code="%QTY 1"), link.request("scan", code="WO-1")]
            asked.append(link.request("morning"))
        answers = [json.loads(bytes(each)) for each in await asyncio.gather(*asked)]
    mornings, outcomes = answers[2::3], answers[1::3]
    assert [each["outcome"] for each in outcomes] == ["completed"] * 5
    assert all(each["queue"]["open_count"] == 2 for each in mornings)
    assert {each["queue"]["orders"][0]["remaining"] for each in mornings} <= {
        str(left) for left in range(5, 11)
    }
    (order, _) = station.rows("orders")
    assert order["completed"] == "5"
    core.terminate()
    assert core.wait(PATIENCE_S) == 0


def test_a_day_that_is_none_is_wrong_input(station: Station) -> None:
    station.run("insight", "figures", "--day", "soon", code=2)

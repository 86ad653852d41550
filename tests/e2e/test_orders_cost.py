"""`orders cost` as a user calls it, and the worked example of docs/costs.md as it is shown."""

import json
import re
import shlex
from pathlib import Path

from tests.e2e.station_process import Station

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "costs.md").read_text(encoding="utf-8")
PRICES = "item,standard_cost\nLEG,3.2\nSEAT,10\n"


def blocks() -> list[str]:
    """Return what the page shows set in, without the margin."""
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", PAGE, re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE).strip("\n") for block in found]


def with_prices(folder: Path, prices: str = PRICES) -> Station:
    """The small plant with what its parts cost; WO-1 is closed."""
    station = Station(folder)
    station.load_plant()
    (folder / "prices").mkdir()
    (folder / "prices" / "items.csv").write_text(prices)
    station.run("load", str(folder / "prices"))
    station.scan("WO-1")
    return station


def test_the_example_of_the_page_prints_what_the_page_shows(tmp_path: Path) -> None:
    """BF-38."""
    calls, printed = blocks()
    station = Station(tmp_path)
    (tmp_path / "config").symlink_to(ROOT / "config")
    shown = ""
    for call in calls.splitlines():
        shown = station.run(*shlex.split(call)[1:]).stdout.decode()
    assert shown.rstrip("\n") == printed
    assert max(map(len, printed.splitlines())) <= 80


def test_orders_are_costed_in_the_order_asked(tmp_path: Path) -> None:
    """BF-38: by head, 40 legs at 3.20 and 10 seats at 10."""
    station = with_prices(tmp_path)
    rows = station.rows("orders", "cost", "WO-2", "WO-1")
    assert [(row["work_order"], row["total"], row["good"]) for row in rows] == [
        ("WO-2", "0.00", "0"),
        ("WO-1", "228.00", "10"),
    ]
    assert [row["work_order"] for row in station.rows("orders", "cost")] == ["WO-1"]


def test_a_running_core_answers_the_same(tmp_path: Path) -> None:
    station = with_prices(tmp_path)
    alone = station.rows("orders", "cost", "WO-1")
    core = station.start_core()
    try:
        assert station.rows("orders", "cost", "WO-1") == alone
        assert station.rows("orders", "cost") == alone
        station.run("core", "--stop")
        core.wait(30)
    finally:
        station.close()


def test_an_unknown_order_prints_nothing_but_a_sentence(tmp_path: Path) -> None:
    station = with_prices(tmp_path)
    done = station.run("orders", "cost", "WO-1", "WO-9", "--json", code=2)
    assert done.stdout == b""
    assert b"WO-9" in done.stderr


def test_nothing_reported_is_said(tmp_path: Path) -> None:
    station = Station(tmp_path)
    station.load_plant()
    assert station.run("orders", "cost").stdout == b"Nothing to show.\n"
    assert json.loads(station.run("orders", "cost", "--json").stdout) == []


def test_the_currency_is_a_setting(tmp_path: Path) -> None:
    station = with_prices(tmp_path)
    station.environment["MES_TERMINAL_COSTS__CURRENCY"] = "JPY"
    (row,) = station.rows("orders", "cost", "WO-1")
    assert (row["currency"], row["total"]) == ("JPY", "228")
    station.environment["MES_TERMINAL_COSTS__CURRENCY"] = "yen"
    done = station.run("orders", "cost", "WO-1", code=2)
    assert b"costs.currency" in done.stderr


def test_a_missing_price_is_told_and_long_names_stay_within_eighty_columns(
    tmp_path: Path,
) -> None:
    """BF-38; what is loaded never reaches the terminal as it is."""
    name = "A-VERY-LONG-ITEM-NUMBER-OF-A-LARGE-COMPANY-THAT-LOVES-THEM"
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for table, content in {
        "items": f"item,uom,standard_cost\nCHAIR,,\n{name},kilogrammes,1234567.891\nSEAT,,\n",
        "boms": "item,revision\nCHAIR,A\n",
        "bom_lines": f"item,revision,line,component,quantity\nCHAIR,A,10,{name},4\n"
        "CHAIR,A,20,SEAT,1\n",
        "work_orders": "work_order,item,quantity,status\nWO-1,CHAIR,10,released\n",
        "receipts": f"reference,item,location,quantity\nR-1,{name},LINE,100\nR-2,SEAT,LINE,100\n",
    }.items():
        (folder / f"{table}.csv").write_text(content)
    station.run("load", str(folder))
    station.scan("WO-1")
    lines = station.run("orders", "cost", "WO-1").stdout.decode().splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[-1] == "Incomplete: item SEAT has no standard_cost"
    (seat,) = (line for line in lines if line.startswith("material") and " SEAT " in line)
    assert seat.endswith("?")
    (row,) = station.rows("orders", "cost", "WO-1")
    assert row["lines"][1]["cost"] is None
    assert row["total"] == "49382715.64"

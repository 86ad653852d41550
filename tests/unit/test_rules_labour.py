"""Labour at standard in the events of reports (BF-11, BF-38).

A table: 20 minutes of set-up and 5 a table at 10 (paint), 3 minutes for 2 tables at 20 (assembly).
"""

from pathlib import Path
from typing import Any

import pytest

from mes_terminal.store.folder import read_folder
from tests.plants import Row, Station, empty_database, open_station, plant

TABLE = plant(
    items="item,kind\nTABLE,manufactured\nTOP,",
    boms="item,revision\nTABLE,A",
    bom_lines="item,revision,line,component,quantity,operation\nTABLE,A,10,TOP,1,20",
    work_centres="work_centre,labour_rate,overhead_rate\nPAINT,60,12\nASSEMBLY,30,6",
    routings="""
        item,revision,operation,work_centre,setup_minutes,run_minutes,run_basis,backflush_point
        TABLE,A,10,PAINT,20,5,,no
        TABLE,A,20,ASSEMBLY,,3,2,yes
        """,
    receipts="reference,item,location,quantity,effective_at\nR1,TOP,LINE,100,2026-11-01",
    work_orders="work_order,item,quantity,status\nWO-1,TABLE,10,released",
    reasons="code,kind\nCRACK,scrap",
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, TABLE)


def labour(station: Station) -> list[Row]:
    """Return what the newest event says of labour."""
    event: dict[str, Any] = station.rows("outbox")[-1]["event"]
    return list(event["data"]["labour_actuals"])


def told(
    operation: str, centre: str, good: str, scrapped: str, setup: str, run: str
) -> dict[str, str]:
    return {
        "operation": operation,
        "work_centre": centre,
        "good": good,
        "scrapped": scrapped,
        "setup_minutes": setup,
        "run_minutes": run,
    }


def test_a_report_says_the_time_of_each_operation_swept_ones_included(station: Station) -> None:
    """BF-11: set-up with the first report of an operation, run time for what it gained."""
    station.scan("%QTY 3")
    station.scan("%OP 20 WO-1")
    assert labour(station) == [
        told("10", "PAINT", "3", "0", "20", "15"),
        told("20", "ASSEMBLY", "3", "0", "0", "4.5"),
    ]
    station.scan("WO-1")
    assert labour(station) == [
        told("10", "PAINT", "7", "0", "0", "35"),
        told("20", "ASSEMBLY", "7", "0", "0", "10.5"),
    ]


def test_a_scrapped_unit_took_its_time_and_one_that_had_passed_takes_none_again(
    station: Station,
) -> None:
    """BF-26: the table that ends at 10 after it had passed 10 is not worked on twice."""
    station.scan("%QTY 2")
    station.scan("%OP 10 WO-1")
    station.scan("%SCRAP CRACK")
    station.scan("%QTY 1")
    station.scan("WO-1")
    assert labour(station) == [told("10", "PAINT", "-1", "1", "0", "0")]
    station.scan("%SCRAP CRACK")
    station.scan("%QTY 4")
    station.scan("WO-1")
    gained = labour(station)
    assert sum(int(each["scrapped"]) for each in gained) == 4


def test_undo_gives_back_the_time_and_the_set_up_when_nothing_stands_any_more(
    station: Station,
) -> None:
    """BF-31: of two reports the second is taken back without its set-up, then the first with it."""
    for quantity in ("%QTY 3", "%QTY 2"):
        station.scan(quantity)
        station.scan("WO-1")
    assert labour(station)[0] == told("10", "PAINT", "2", "0", "0", "10")
    station.scan("%UNDO")
    assert labour(station) == [
        told("10", "PAINT", "-2", "0", "0", "-10"),
        told("20", "ASSEMBLY", "-2", "0", "0", "-3"),
    ]
    station.scan("%UNDO")
    assert labour(station) == [
        told("10", "PAINT", "-3", "0", "-20", "-15"),
        told("20", "ASSEMBLY", "-3", "0", "0", "-4.5"),
    ]
    station.scan("%QTY 1")
    station.scan("WO-1")
    assert labour(station)[0] == told("10", "PAINT", "1", "0", "20", "5")
    assert station.faults() == []


def test_an_operation_without_work_centre_says_so(tmp_path: Path) -> None:
    """BF-11: the time is told all the same."""
    files = TABLE | {"routings.csv": TABLE["routings.csv"].replace("ASSEMBLY", "")}
    station = open_station(tmp_path, files)
    station.scan("WO-1")
    assert [each["work_centre"] for each in labour(station)] == ["PAINT", None]


def test_the_bicycles_of_the_page(tmp_path: Path) -> None:
    """BF-11, docs/rules.md: 4 of 50 are assembled, then all are completed."""
    sample = read_folder(Path(__file__).parents[2] / "config" / "sample-plant")
    files = {name: text.decode() for name, text in sample.items()}
    station = open_station(tmp_path, files, template=empty_database())
    station.scan("%QTY 4")
    station.scan("%OP 20 WO-1003")
    assert minutes(station) == [("WC-PAINT", "15", "16"), ("WC-ASSEMBLY", "10", "72")]
    station.scan("WO-1003")
    assert minutes(station) == [
        ("WC-PAINT", "0", "184"), ("WC-ASSEMBLY", "0", "828"), ("WC-PACK", "0", "100"),
    ]  # fmt: skip


def minutes(station: Station) -> list[tuple[str, str, str]]:
    keys = ("work_centre", "setup_minutes", "run_minutes")
    return [tuple(each[key] for key in keys) for each in labour(station)]

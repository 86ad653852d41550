"""What the screen is told of the order at hand: its operations, the unit whose slots are filled."""

from pathlib import Path
from typing import Any

import pytest

from mes_terminal.usecases.station_view import station_view
from tests.plants import Files, Station, as_json, open_station, plant

DRILL: Files = plant(
    items="""
        item,kind,tracking
        DRILL,manufactured,serial
        CASE,,none
        MOTOR,,serial
        BATTERY,,serial
        LAMP,manufactured,none
        BULB,,serial
        """,
    boms="item,revision\nDRILL,A\nLAMP,A",
    bom_lines="""
        item,revision,line,component,quantity,operation
        DRILL,A,10,CASE,1,10
        DRILL,A,20,MOTOR,1,30
        DRILL,A,30,BATTERY,2,30
        LAMP,A,10,BULB,1,
        """,
    routings="""
        item,revision,operation,description,backflush_point
        DRILL,A,10,Mould,no
        DRILL,A,20,Paint,yes
        DRILL,A,30,Assemble,yes
        """,
    receipts="reference,item,serial,location,quantity,effective_at\n"
    + "\n".join(
        f"R{n},{item},{serial},LINE,1,2026-11-01"
        for n, (item, serial) in enumerate([
            ("MOTOR", "M-1"), ("MOTOR", "M-2"), ("BATTERY", "B-1"), ("BATTERY", "B-2"),
            ("BULB", "U-1"),
        ])
    )
    + "\nR9,CASE,,LINE,50,2026-11-01",
    work_orders="""
        work_order,item,quantity,status
        WO-1,DRILL,5,released
        WO-2,LAMP,5,released
        """,
    work_order_serials="work_order,serial\nWO-1,D-1\nWO-1,D-2\nWO-1,D-3\nWO-1,D-4\nWO-1,D-5",
)  # fmt: skip

COUNTED: Files = plant(
    items="item,tracking\nLEG,lot\nSCREW,none",
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,LEG,L-1,LINE,40,2026-11-01
        R2,LEG,L-2,LINE,60,2026-11-02
        R3,SCREW,,LINE,9,2026-11-02
        """,
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, DRILL)


def view(station: Station) -> dict[str, Any]:
    return dict(as_json(station_view(station.db, station.rules, now=station.now)))


def steps(station: Station) -> list[tuple[str, str, bool]]:
    return [
        (each["operation"], each["good"], each["swept_by"] is not None)
        for each in view(station)["operations"]
    ]


def test_the_operations_of_the_order_say_how_far_each_is_and_what_was_swept(
    station: Station,
) -> None:
    """BF-11: swept is what the last report passed without naming it."""
    station.scan("%START WO-1")
    assert steps(station) == [("10", "0", False), ("20", "0", False), ("30", "0", False)]
    station.scan("%QTY 2")
    report = station.scan("%OP 20 WO-1")
    assert steps(station) == [("10", "2", True), ("20", "2", False), ("30", "0", False)]
    assert view(station)["operations"][0]["swept_by"] == report.report_id
    station.scan("%QTY 1")
    station.scan("%OP 10 WO-1")
    assert steps(station) == [("10", "3", False), ("20", "2", False), ("30", "0", False)]
    station.scan("%START WO-2")
    assert view(station)["operations"] == []


def test_the_unit_at_hand_names_what_it_lacks_until_its_last_slot_is_full(
    station: Station,
) -> None:
    """BF-18: in the order of the lines, two batteries as two."""
    station.scan("%START WO-1")
    assert view(station)["unit"] is None
    station.scan("D-1")
    assert view(station)["unit"] == {
        "item": "DRILL", "serial": "D-1",
        "missing": [{"item": "MOTOR", "count": 1}, {"item": "BATTERY", "count": 2}],
    }  # fmt: skip
    station.scan("B-1")
    assert view(station)["unit"]["missing"] == [
        {"item": "MOTOR", "count": 1}, {"item": "BATTERY", "count": 1},
    ]  # fmt: skip
    station.scan("M-1")
    assert view(station)["unit"]["missing"] == [{"item": "BATTERY", "count": 1}]
    assert station.scan("B-2").outcome == "completed"
    assert view(station)["unit"] is None


def test_components_that_came_before_their_unit_are_told_too(station: Station) -> None:
    """BF-18: any order of scanning works, so the unit may not have a number yet."""
    station.scan("%START WO-1")
    station.scan("M-1")
    told = view(station)["unit"]
    assert (told["serial"], told["missing"]) == (None, [{"item": "BATTERY", "count": 2}])


def test_the_next_unit_of_a_product_without_serials_is_at_hand_too(station: Station) -> None:
    """BF-18."""
    station.scan("%START WO-2")
    station.scan("LAMP")
    told = view(station)["unit"]
    assert (told["item"], told["serial"], told["missing"]) == (
        "LAMP", None, [{"item": "BULB", "count": 1}],
    )  # fmt: skip


def test_an_order_that_is_held_is_no_longer_the_one_at_hand(station: Station) -> None:
    """No other order stands in its place."""
    station.scan("%START WO-1")
    station.load({"work_orders.csv": "work_order,item,quantity,status\nWO-1,DRILL,5,hold\n"})
    told = view(station)
    assert (told["order"], [each["work_order"] for each in told["next_orders"]]) == (
        None, ["WO-2"],
    )  # fmt: skip


def test_an_open_count_is_told_with_its_place_and_the_items_counted(tmp_path: Path) -> None:
    """BF-32: items, whatever number of lots each was counted in."""
    station = open_station(tmp_path, COUNTED)
    assert view(station)["count"] is None
    told = []
    for code in ("%COUNT LINE", "%QTY 40", "LEG|L-1", "%QTY 60", "LEG|L-2", "%QTY 9", "SCREW"):
        station.scan(code)
        told.append(view(station)["count"]["items"])
    assert told == [0, 0, 1, 1, 1, 1, 2]
    assert view(station)["count"]["location"] == "LINE"
    station.scan("%COUNT")
    assert view(station)["count"] is None

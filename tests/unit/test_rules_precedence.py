"""The nearest level that says something decides each policy of a line (BF-10, BF-14).

A box of one bottle, packed in one operation at `CELL`; the order belongs to the work centre `HALL`.
"""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.cli.lists import COLUMNS
from mes_terminal.cli.table import render_table
from tests.plants import TEST_RULES, Station, open_station, plant

LEVELS = ("station", "item", "work_centre", "operation", "bom_line", "order_line")
"""From the farthest to the nearest."""


def boxes(**says: str) -> dict[str, str]:
    """Return the plant, in which a level says what is given for it; else nothing."""
    cell = {name: says.get(name, "") for name in (
        "item_method", "hall_method", "cell_method", "operation_method", "bom_method",
        "hall_place", "cell_place", "bom_place", "item_mount", "bom_mount", "planned_scrap",
        "shortage", "overrun",
    )}  # fmt: skip
    files = plant(
        items="""
            item,kind,tracking,issue_method,mount,shortage_policy,lot_overrun_pct
            BOX,manufactured,,,,,
            BOTTLE,,lot,{item_method},{item_mount},{shortage},{overrun}
            """.format(**cell),
        locations="location,kind\nBOM-RACK,line_side\nCELL-RACK,line_side\nHALL-RACK,line_side\n"
        "OWN-RACK,line_side",
        work_centres="""
            work_centre,supply_location,issue_method
            CELL,{cell_place},{cell_method}
            HALL,{hall_place},{hall_method}
            """.format(**cell),
        boms="item,revision\nBOX,A",
        bom_lines="""
            item,revision,line,component,quantity,operation,issue_method,supply_location,mount,scrap_pct,planned_scrap
            BOX,A,10,BOTTLE,1,10,{bom_method},{bom_place},{bom_mount},50,{planned_scrap}
            """.format(**cell),
        routings="""
            item,revision,operation,work_centre,issue_method
            BOX,A,10,CELL,{operation_method}
            """.format(**cell),
        work_orders="work_order,item,quantity,status,work_centre\nWO-1,BOX,2,released,HALL",
    )
    if "order_method" in says or "order_place" in says:
        files["work_order_lines.csv"] = (
            "work_order,line,component,quantity,operation,issue_method,supply_location\n"
            f"WO-1,10,BOTTLE,2,10,{says.get('order_method', '')},{says.get('order_place', '')}\n"
        )
    return files


def stocked(station: Station) -> Station:
    """Put 10 bottles into every place."""
    places = ("LINE", "BOM-RACK", "CELL-RACK", "HALL-RACK", "OWN-RACK")
    rows = [f"R{n},BOTTLE,B-{place},{place},10,2026-11-01" for n, place in enumerate(places)]
    known = {row["location"] for row in station.rows("stock")}
    assert not known
    header = "reference,item,lot,location,quantity,effective_at"
    station.load({"receipts.csv": "\n".join([header, *rows])})
    return station


def decided(station: Station, policy: str) -> str:
    return str(station.line("WO-1", "10")["decided_by"][policy])


METHODS = ("item_method", "hall_method", "operation_method", "bom_method", "order_method")


@pytest.mark.parametrize("nearest", range(len(LEVELS)), ids=LEVELS)
def test_the_nearest_level_decides_the_issue_method(tmp_path: Path, nearest: int) -> None:
    """BF-10: the level says `backflush`, all that are farther say `manual`; nothing nearer says."""
    says = dict.fromkeys(METHODS[:nearest], "manual")
    if nearest:
        says[METHODS[nearest - 1]] = "backflush"
    station_says: Any = "manual" if nearest else "backflush"
    rules = msgspec.structs.replace(TEST_RULES, issue_method=station_says)
    station = stocked(open_station(tmp_path, boxes(**says), rules))
    assert decided(station, "issue_method") == LEVELS[nearest]
    assert station.line("WO-1", "10")["issue_method"] == "backflush"
    assert [each.item for each in station.scan("WO-1").consumed] == ["BOTTLE"]


def test_the_work_centre_of_the_operation_goes_before_that_of_the_order(tmp_path: Path) -> None:
    """BF-10, BF-14: where the line is used is nearer than where the order belongs."""
    says = {"cell_method": "backflush", "hall_method": "manual"}
    places = {"cell_place": "CELL-RACK", "hall_place": "HALL-RACK"}
    station = stocked(open_station(tmp_path, boxes(**says, **places)))
    assert (decided(station, "issue_method"), decided(station, "supply_location")) == (
        "work_centre", "work_centre",
    )  # fmt: skip
    assert [each.location for each in station.scan("WO-1").consumed] == ["CELL-RACK"]


@pytest.mark.parametrize(
    ("says", "place", "level", "rule"),
    [
        ({}, "LINE", "station", "station"),
        ({"hall_place": "HALL-RACK"}, "HALL-RACK", "work_centre", "work_centre"),
        ({"hall_place": "HALL-RACK", "cell_place": "CELL-RACK"}, "CELL-RACK", "work_centre",
         "work_centre"),
        ({"cell_place": "CELL-RACK", "bom_place": "BOM-RACK"}, "BOM-RACK", "bom_line", "line"),
        ({"bom_place": "BOM-RACK", "order_place": "OWN-RACK"}, "OWN-RACK", "order_line", "line"),
    ],
    ids=["station", "order-work-centre", "operation-work-centre", "bom-line", "order-line"],
)  # fmt: skip
def test_the_nearest_level_decides_the_supply_location(
    tmp_path: Path, says: dict[str, str], place: str, level: str, rule: str
) -> None:
    """BF-10, BF-14: and each issue keeps the rule that chose."""
    station = stocked(open_station(tmp_path, boxes(**says)))
    assert decided(station, "supply_location") == level
    assert {each.location for each in station.scan("WO-1").consumed} == {place}
    rules = {row["source_rule"] for row in station.rows("movements", kind="issue")}
    assert rules == {rule}


@pytest.mark.parametrize(
    ("says", "mount", "level"),
    [
        ({}, "optional", "item"),
        ({"item_mount": "required"}, "required", "item"),
        ({"item_mount": "required", "bom_mount": "optional"}, "optional", "bom_line"),
        ({"item_mount": "required", "order_method": "backflush"}, "required", "item"),
    ],
)
def test_the_bom_line_decides_mounting_before_the_item(
    tmp_path: Path, says: dict[str, str], mount: str, level: str
) -> None:
    """BF-10, BF-17: the order line has no such column; station and work centre neither."""
    station = stocked(open_station(tmp_path, boxes(**says)))
    assert decided(station, "mount") == level
    short = [each.kind for each in station.scan("WO-1").exceptions]
    assert (short == []) is (mount == "optional"), "nothing is mounted"


@pytest.mark.parametrize(
    ("line_says", "station_says", "scrapped", "level"),
    [
        ("", "posted", 1, "station"),
        ("", "planning_only", 0, "station"),
        ("planning_only", "posted", 0, "bom_line"),
        ("posted", "planning_only", 1, "bom_line"),
    ],
)
def test_the_bom_line_decides_planned_scrap_before_the_station(
    tmp_path: Path, line_says: str, station_says: Any, scrapped: int, level: str
) -> None:
    """BF-10, BF-27: 50 % of two bottles is one."""
    rules = msgspec.structs.replace(TEST_RULES, planned_scrap=station_says)
    station = stocked(open_station(tmp_path, boxes(planned_scrap=line_says), rules))
    assert decided(station, "planned_scrap") == level
    assert len(station.scan("WO-1").scrapped) == scrapped


@pytest.mark.parametrize(
    ("item_says", "station_says", "outcome", "level"),
    [
        ("", "block", "rejected", "station"),
        ("exception", "block", "completed", "item"),
        ("block", "exception", "rejected", "item"),
    ],
)
def test_the_item_decides_shortages_before_the_station(
    tmp_path: Path, item_says: str, station_says: Any, outcome: str, level: str
) -> None:
    """BF-10, BF-20: read when it is reported, not frozen: a later load of the item counts."""
    rules = msgspec.structs.replace(TEST_RULES, shortage_policy=station_says)
    station = open_station(tmp_path, boxes(shortage=item_says), rules)
    assert decided(station, "shortage_policy") == level
    assert station.scan("WO-1").outcome == outcome
    station.load({"items.csv": "item,shortage_policy\nBOTTLE,exception"})
    assert decided(station, "shortage_policy") == "item"


@pytest.mark.parametrize(("item_says", "gained", "level"), [("", 0, "station"), ("20", 2, "item")])
def test_the_item_decides_the_overrun_of_a_lot_before_the_station(
    tmp_path: Path, item_says: str, gained: int, level: str
) -> None:
    """BF-10, BF-17: a crate of 10 gives 12 where 20 % are allowed; the station allows 0."""
    rules = msgspec.structs.replace(TEST_RULES, lot_overrun_pct_micro=0)
    files = boxes(overrun=item_says, planned_scrap="planning_only")
    twelve = files["work_orders.csv"].replace("BOX,2,", "BOX,12,")
    station = open_station(tmp_path, files | {"work_orders.csv": twelve}, rules)
    station.load({
        "receipts.csv": "reference,item,lot,container,location,quantity,effective_at\n"
        "R1,BOTTLE,B-1,CRATE-1,LINE,10,2026-11-01"
    })  # fmt: skip
    station.scan("CRATE-1")
    assert decided(station, "lot_overrun_pct") == level
    station.scan("WO-1")
    assert len(station.rows("movements", kind="adjustment")) == bool(gained)
    assert station.faults() == []


def test_the_table_of_lines_says_what_decided(tmp_path: Path) -> None:
    """BF-10: nearest level first; what the station decided is not spelled out."""
    station = open_station(tmp_path, boxes(order_place="OWN-RACK", item_method="bulk"))
    rows = [msgspec.json.encode(row) for row in station.rows("order_lines", work_order="WO-1")]
    assert list(render_table(rows, COLUMNS["order_lines"]))[-1].endswith(
        "order_line: supply_location; item: issue_method, mount; station: all else"
    )

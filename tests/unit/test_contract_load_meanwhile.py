"""A load is planned and set down while scans go on, and holds the line up only to move its rows."""

from pathlib import Path

from mes_terminal.usecases import load_master_data
from mes_terminal.usecases.load_master_data import Staged
from tests.plants import Files, Station, open_station

PLANT = {
    "items.csv": "item,kind\nCHAIR,manufactured\nLEG,",
    "boms.csv": "item,revision\nCHAIR,A",
    "bom_lines.csv": "item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    "work_orders.csv": "work_order,item,quantity,status\nWO-1,CHAIR,10,released",
    "receipts.csv": "reference,item,location,quantity,effective_at\nR1,LEG,LINE,1000,2026-01-01",
}
NIGHTLY = {
    **PLANT,
    "work_orders.csv": (
        "work_order,item,quantity,status\nWO-1,CHAIR,10,released\nWO-2,CHAIR,5,released"
    ),
    "receipts.csv": "reference,item,location,quantity,effective_at\nR2,LEG,LINE,50,2026-01-01",
}


def staged(station: Station, files: Files) -> Staged:
    content = {name: text.encode() for name, text in files.items()}
    plan = load_master_data.stage(
        station.db.conn, content, rules=station.rules, load_time=station.now
    )
    assert plan.faults == []
    return plan


def applied(station: Station, plan: Staged) -> Staged:
    return load_master_data.apply(
        station.db, plan, rules=station.rules, now=station.now, load_time=station.now
    )


def test_scans_between_the_turns_of_a_load_are_booked_and_the_plan_holds(tmp_path: Path) -> None:
    station = open_station(tmp_path, PLANT)
    plan = staged(station, NIGHTLY)
    for _ in load_master_data.set_down(station.db, plan):
        assert station.scan("CHAIR").outcome == "completed"
    assert plan.reads.hold(station.db.conn)
    assert applied(station, plan) is plan
    assert station.order("WO-2")["status"] == "released"
    made = int(station.order("WO-1")["completed"])
    assert made >= 3
    assert station.stock("LEG") == str(1050 - 4 * made)
    assert station.faults() == []


def test_a_plan_that_no_longer_holds_is_made_again(tmp_path: Path) -> None:
    """The quantity falls to 4 in the file while the fifth chair is made: a fault, not a load."""
    station = open_station(tmp_path, PLANT)
    station.scan("%QTY 4")
    station.scan("WO-1")
    fewer = {"work_orders.csv": "work_order,item,quantity,status\nWO-1,CHAIR,4,released"}
    plan = staged(station, fewer)
    for _ in load_master_data.set_down(station.db, plan):
        pass
    station.scan("CHAIR")
    assert [fault.column for fault in applied(station, plan).faults] == ["quantity"]
    assert station.order("WO-1")["quantity"] == "10"


def test_what_one_load_set_down_is_not_applied_by_the_next(tmp_path: Path) -> None:
    station = open_station(tmp_path, PLANT)
    abandoned = load_master_data.set_down(station.db, staged(station, NIGHTLY))
    next(abandoned)
    station.load({"reasons.csv": "code,kind\nTORN,scrap"})
    assert [row["work_order"] for row in station.rows("orders")] == ["WO-1"]
    station.load(NIGHTLY)
    assert [row["work_order"] for row in station.rows("orders")] == ["WO-1", "WO-2"]

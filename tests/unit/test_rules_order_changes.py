"""Orders that upstream changes in mid order: what counts from when, and who is told (BF-7).

100 bicycles: a frame each, 1.4 m of chain with 2 % planned scrap. After 63 the chain is `CHAIN-B`.
"""

from pathlib import Path

import pytest

from mes_terminal.store.database import open_database
from mes_terminal.usecases.load_master_data import load_folder
from mes_terminal.usecases.station_view import station_view
from tests.plants import Files, Station, as_json, open_station, plant, said

PLANT: Files = plant(
    items="""
        item,kind,tracking,uom,decimals
        BICYCLE,manufactured,lot,,
        FRAME,,none,,
        CHAIN,,lot,m,3
        CHAIN-B,,lot,m,3
        """,
    work_orders="""
        work_order,item,quantity,status,due_at,sequence
        WO-1,BICYCLE,100,released,2026-11-20T16:00:00Z,5
        WO-2,BICYCLE,100,released,2026-11-21T16:00:00Z,6
        """,
    work_order_lines="""
        work_order,line,component,quantity,scrap_pct
        WO-1,10,FRAME,100,
        WO-1,30,CHAIN,140,2
        WO-2,10,FRAME,100,
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,FRAME,,LINE,500,2026-11-01
        R2,CHAIN,C-1,LINE,500,2026-11-01
        R3,CHAIN-B,B-1,LINE,500,2026-11-01
        """,
    reasons="code,kind\nMAT,short_close\nCRACK,scrap",
)
SWAPPED = "WO-1,10,FRAME,100,\nWO-1,30,CHAIN-B,140,2"


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, PLANT)


def lines(station: Station, changed: str) -> None:
    header = "work_order,line,component,quantity,scrap_pct"
    station.load({"work_order_lines.csv": f"{header}\n{changed}\n"})


def order(station: Station, quantity: int = 100, hour: int = 16, place: int = 5) -> None:
    """Load the order anew, as upstream has it now."""
    header = "work_order,item,quantity,due_at,sequence"
    row = f"WO-1,BICYCLE,{quantity},2026-11-20T{hour}:00:00Z,{place}"
    station.load({"work_orders.csv": f"{header}\n{row}\n"})


def notice(station: Station) -> list[dict[str, str]]:
    """Return what the screen shows of the order at hand."""
    view = as_json(station_view(station.db, station.rules, now=station.now))
    return list(view["order"]["changes"])


def report(station: Station, quantity: int) -> str:
    station.scan(f"%QTY {quantity}")
    return station.scan("WO-1").message


def test_a_part_swapped_at_unit_64_counts_from_there_and_the_station_says_so(
    station: Station,
) -> None:
    """BF-7: 63 bicycles took 88.2 m of the old chain (and 1.764 m of scrap), the other 37 take
    51.8 m of the new (and 1.036 m); the report that comes next tells it, and no later one."""
    report(station, 63)
    lines(station, SWAPPED)
    assert report(station, 1) == (
        "WO-1: 1 BICYCLE, 64 of 100; WO-1 changed: line 30 CHAIN-B instead of CHAIN from unit 64 on"
    )
    assert (station.stock("CHAIN", "C-1"), station.stock("CHAIN-B", "B-1")) == (
        "410.036", "498.572",
    )  # fmt: skip
    assert report(station, 36) == "WO-1 closed: 36 BICYCLE"
    assert (station.stock("CHAIN", "C-1"), station.stock("CHAIN-B", "B-1")) == (
        "410.036", "447.164",
    )  # fmt: skip
    assert station.stock("FRAME") == "400"
    assert (station.exceptions(), station.faults()) == ([], [])


def test_undo_across_the_change_gives_back_what_each_unit_took(station: Station) -> None:
    """BF-31: the first bicycle with the new chain is taken back, then the 63 with the old one."""
    report(station, 63)
    lines(station, SWAPPED)
    report(station, 1)
    station.scan("%UNDO")
    assert (station.stock("CHAIN", "C-1"), station.stock("CHAIN-B", "B-1")) == ("410.036", "500")
    station.scan("%UNDO")
    assert (station.stock("CHAIN", "C-1"), station.stock("FRAME")) == ("500", "500")
    assert station.faults() == []
    sums: dict[str, float] = {}
    for _, component, _, quantity, _ in station.edges():
        sums[component] = sums.get(component, 0) + float(quantity)
    assert {name for name, left in sums.items() if abs(left) > 1e-9} == set()


def test_the_trace_names_each_chain_with_what_the_bicycles_took_of_it(station: Station) -> None:
    """BF-37: both lots are in the lot of the order, the swap is no gap."""
    report(station, 63)
    lines(station, SWAPPED)
    station.scan("WO-1")
    taken = {
        (component, quantity)
        for _, component, line, quantity, _ in station.edges()
        if line.startswith("30")
    }
    assert taken == {("C-1", "88.2"), ("B-1", "51.8")}
    assert [station.line("WO-1", line)["component"] for line in ("30", "30/v1")] == [
        "CHAIN-B", "CHAIN",
    ]  # fmt: skip


def test_more_of_it_in_mid_order_is_told_once_and_made(station: Station) -> None:
    """BF-7: the quantity counts at once."""
    report(station, 63)
    order(station, 120, hour=18)
    assert notice(station) == [
        {"what": "quantity", "was": "100", "now": "120"},
        {"what": "due_at", "was": "2026-11-20T16:00:00.000000Z",
         "now": "2026-11-20T18:00:00.000000Z"},
    ]  # fmt: skip
    assert station.scan("WO-1").message == (
        "WO-1 closed: 57 BICYCLE; WO-1 changed: 120 instead of 100, "
        "due 2026-11-20T18:00:00.000000Z instead of 2026-11-20T16:00:00.000000Z"
    )
    assert (station.stock("FRAME"), station.stock("CHAIN", "C-1")) == ("380", "328.64")


def test_less_than_is_reported_is_refused_and_nothing_is_told(station: Station) -> None:
    """BF-7: down to what is reported, not below; nothing of such a load is applied."""
    report(station, 63)
    order(station, 64)
    order(station, 100)
    assert notice(station) == [], "it is as it was"
    files = {"work_orders.csv": b"work_order,item,quantity\nWO-1,BICYCLE,62\n"}
    result = load_folder(station.db, files, rules=station.rules, now=station.now, at=None)
    assert [fault.column for fault in result.faults] == ["quantity"]
    assert station.order("WO-1")["quantity"] == "100"
    assert notice(station) == []


def test_the_notice_stays_through_other_scans_and_a_restart_until_it_is_told(
    station: Station, tmp_path: Path
) -> None:
    """BF-7: it is a row. A report of another order does not take it away, `%START` of this one
    does: the order is asked for again, and says what changed."""
    report(station, 1)
    order(station, place=2)
    station.scan("%QTY 1")
    assert "changed" not in station.scan("WO-2").message
    station.scan("%HELP")
    station.scan("NOBODY-KNOWS")
    station.db.close()
    station.db = open_database(tmp_path / "station.db")
    started = station.scan("%START WO-1")
    assert started.message.endswith("WO-1 changed: place 2 in the queue instead of 5")
    assert notice(station) == []
    assert "changed" not in report(station, 1)


def test_an_order_that_nobody_has_begun_changes_without_a_word(station: Station) -> None:
    """BF-7: there is nobody who knew it otherwise; the order at hand is told even before its first
    unit."""
    order(station, 90)
    assert "changed" not in report(station, 1)
    station.scan("%START WO-2")
    station.load({"work_orders.csv": "work_order,item,quantity\nWO-2,BICYCLE,80\n"})
    station.scan("%QTY 1")
    assert station.scan("WO-2").message.endswith("WO-2 changed: 80 instead of 100")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("WO-1,10,FRAME,200,\nWO-1,30,CHAIN,140,2", "line 10 FRAME 2 instead of 1 from unit 3 on"),
        ("WO-1,10,FRAME,33.333333,\nWO-1,30,CHAIN,140,2",
         "line 10 FRAME in another quantity from unit 3 on"),
        ("WO-1,10,FRAME,100,", "no line 30 CHAIN from unit 3 on"),
        ("WO-1,10,FRAME,100,\nWO-1,30,CHAIN,140,2\nWO-1,40,CHAIN-B,10,",
         "line 40 CHAIN-B is new from unit 3 on"),
    ],
)  # fmt: skip
def test_each_kind_of_change_of_a_line_has_its_words(
    station: Station, changed: str, told: str
) -> None:
    """BF-7."""
    report(station, 2)
    lines(station, changed)
    assert report(station, 1) == f"WO-1: 1 BICYCLE, 3 of 100; WO-1 changed: {told}"


def test_what_several_loads_change_is_told_as_one(station: Station) -> None:
    """BF-7: from what the operator knew last to what holds now."""
    report(station, 2)
    for quantity in (110, 120):
        order(station, quantity)
    lines(station, "WO-1,10,FRAME,120,\nWO-1,30,CHAIN-B,168,2")
    assert report(station, 1) == (
        "WO-1: 1 BICYCLE, 3 of 120; WO-1 changed: 120 instead of 100, "
        "line 30 CHAIN-B instead of CHAIN from unit 3 on"
    )


def test_of_many_changed_lines_the_number_is_told(tmp_path: Path) -> None:
    """BF-7: sixty swapped lines are no sentence; a later change of one more counts too."""
    items = [f"P{n:02}" for n in range(61)]
    rows = [f"WO-1,{n},{item},10" for n, item in enumerate(items)]
    header = "work_order,line,component,quantity"
    station = open_station(tmp_path, {
        "items.csv": "\n".join(["item,kind", "ENGINE,manufactured", *(f"{i}," for i in items)]),
        "work_orders.csv": "work_order,item,quantity,status\nWO-1,ENGINE,10,released",
        "work_order_lines.csv": "\n".join([header, *rows]),
    })  # fmt: skip
    station.scan("ENGINE")
    doubled = [row.removesuffix("10") + "20" for row in rows]
    station.load({"work_order_lines.csv": "\n".join([header, *doubled[:60], rows[60]])})
    station.load({"work_order_lines.csv": "\n".join([header, *doubled])})
    assert len(notice(station)) == 2
    told = station.scan("ENGINE").message
    assert told.endswith("WO-1 changed: 60 lines are different, line 60 P60 2 instead of 1 from "
                         "unit 2 on")  # fmt: skip


def test_a_refused_scan_tells_nothing_away(station: Station) -> None:
    """BF-7, BF-25: the notice stays until something was reported."""
    report(station, 2)
    order(station, 60)
    station.scan("%QTY 99")
    assert said(station.scan("WO-1")) == ("rejected", "over_tolerance")
    assert notice(station) == [{"what": "quantity", "was": "100", "now": "60"}]


ROUTED: Files = plant(
    items="item,kind\nTABLE,manufactured\nTOP,\nLEG,\nTAG,",
    boms="item,revision\nTABLE,A",
    routings="""
        item,revision,operation,backflush_point
        TABLE,A,10,yes
        TABLE,A,20,yes
        """,
    work_orders="work_order,item,revision,quantity,status\nWO-1,TABLE,A,10,released",
    work_order_lines="""
        work_order,line,component,quantity,operation
        WO-1,10,TOP,10,10
        WO-1,20,LEG,40,20
        WO-1,30,TAG,10,
        """,
    receipts="""
        reference,item,location,quantity,effective_at
        R1,TOP,LINE,100,2026-11-01
        R2,LEG,LINE,100,2026-11-01
        R3,TAG,LINE,100,2026-11-01
        """,
    reasons="code,kind\nCRACK,scrap",
)


def test_a_line_of_an_operation_counts_from_what_has_passed_there(tmp_path: Path) -> None:
    """BF-7, BF-11: 4 tables passed operation 10, one of them ended there as scrap. Tops are swapped
    from the fifth table on; legs and tags, of which none is due yet, from the first."""
    station = open_station(tmp_path, ROUTED)
    station.scan("%QTY 4")
    station.scan("%OP 10 WO-1")
    station.scan("%SCRAP CRACK")
    station.scan("%QTY 1")
    station.scan("WO-1")
    station.load({
        "work_order_lines.csv": "work_order,line,component,quantity,operation\n"
        "WO-1,10,TOP,20,10\nWO-1,20,LEG,50,20\nWO-1,30,TAG,20,\n"
    })  # fmt: skip
    closed = station.scan("WO-1")
    assert closed.message.endswith(
        "WO-1 changed: line 10 TOP 2 instead of 1 from unit 5 on, "
        "line 20 LEG 5 instead of 4 from unit 1 on, line 30 TAG 2 instead of 1 from unit 1 on"
    )
    assert closed.order_status == "closed"
    assert [station.stock(item) for item in ("TOP", "LEG", "TAG")] == ["84", "55", "82"]
    assert station.faults() == []


DRILL: Files = plant(
    items="item,kind,tracking\nDRILL,manufactured,serial\nMOTOR,,serial\nMOTOR-B,,serial\nBATTERY,,serial",
    work_orders="work_order,item,quantity,status\nWO-1,DRILL,2,released",
    work_order_lines="""
        work_order,line,component,quantity
        WO-1,10,MOTOR,2
        WO-1,20,BATTERY,2
        """,
    work_order_serials="work_order,serial\nWO-1,D-1\nWO-1,D-2",
    receipts="""
        reference,item,serial,location,quantity,effective_at
        R1,MOTOR,M-1,LINE,1,2026-11-01
        R2,MOTOR,M-2,LINE,1,2026-11-01
        R3,MOTOR-B,MB-1,LINE,1,2026-11-01
        R4,MOTOR-B,MB-2,LINE,1,2026-11-01
        R5,BATTERY,B-1,LINE,1,2026-11-01
        R6,BATTERY,B-2,LINE,1,2026-11-01
        """,
)


@pytest.mark.parametrize("made", [False, True], ids=["before-the-first-unit", "after-it"])
def test_a_serial_in_a_slot_that_is_no_more_is_free_again(tmp_path: Path, made: bool) -> None:
    """BF-7, BF-18: the motor of the unit at hand is swapped while it waits for its battery."""
    station = open_station(tmp_path, DRILL)
    if made:
        for code in ("D-1", "M-1", "B-1"):
            station.scan(code)
    unit, motor, battery = ("D-2", "M-2", "B-2") if made else ("D-1", "M-1", "B-1")
    station.scan(unit)
    station.scan(motor)
    station.load({
        "work_order_lines.csv": "work_order,line,component,quantity\n"
        "WO-1,10,MOTOR-B,2\nWO-1,20,BATTERY,2\n"
    })  # fmt: skip
    assert station.scan(battery).outcome == "recorded"
    told = station.scan("MB-1")
    assert (told.outcome, told.serial) == ("completed", unit)
    assert "line 10 MOTOR-B instead of MOTOR" in told.message
    assert {each.serial for each in told.consumed} == {"MB-1", battery}
    assert station.scan(motor).reason == "wrong_component", "it sits nowhere"
    assert station.faults() == []


def test_what_heals_for_a_replaced_line_goes_upstream_by_the_name_it_had(tmp_path: Path) -> None:
    """BF-7, BF-22: the ERP knows line 30; `30/v1` is a name of this station."""
    short = plant(
        receipts="""
            reference,item,lot,location,quantity,effective_at
            R1,FRAME,,LINE,500,2026-11-01
            R2,CHAIN,C-1,LINE,80,2026-11-01
            """
    )
    station = open_station(tmp_path, {**PLANT, **short})
    report(station, 63)
    lines(station, SWAPPED)
    header = "reference,item,lot,location,quantity,effective_at"
    station.load({"receipts.csv": f"{header}\nR9,CHAIN,C-1,LINE,100,2026-11-01\n"})
    station.heal()
    (ended,) = station.rows("outbox", type="exception.resolved")
    actuals = ended["event"]["data"]["material_actuals"]
    assert {each["order_line"] for each in actuals} == {"30"}
    assert station.faults() == []

"""Products tracked by serial: planned units, their order and their turn (BF-34, BF-39)."""

import re
from pathlib import Path

import pytest
from msgspec.structs import replace

from mes_terminal.domain.policy import ControlMatrix
from mes_terminal.domain.rules import CodePattern, CodeRules, StationRules
from tests.plants import TEST_RULES, Station, open_station, plant, quantities, said

BIKE = plant(
    items="""
        item,tracking
        BIKE,serial
        EBIKE,serial
        FRAME,lot
        MOTOR,serial
        """,
    boms="item,revision\nBIKE,A\nEBIKE,A",
    bom_lines="""
        item,revision,line,component,quantity
        BIKE,A,10,FRAME,1.5
        EBIKE,A,10,FRAME,1
        EBIKE,A,20,MOTOR,1
        """,
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at
        R1,FRAME,F-1,,LINE,4,2026-11-01
        R2,FRAME,F-2,,LINE,40,2026-11-02
        R3,MOTOR,,M-1,LINE,1,2026-11-02
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-1,BIKE,5,released
        WO-2,EBIKE,2,released
        WO-3,BIKE,2,released
        """,
    work_order_serials="""
        work_order,serial
        WO-1,S-3
        WO-1,S-1
        WO-1,S-2
        WO-2,E-1
        """,
    operators="badge,name,role\nAK,Anna,operator",
)


def bikes(folder: Path, **changed: str) -> Station:
    """A bike takes a frame and a half; three of five have a serial planned."""
    return open_station(folder, BIKE | plant(**changed))


def test_an_order_code_completes_the_planned_serials_that_remain(tmp_path: Path) -> None:
    """BF-39: in the order of the file; the order stays open for the two without a serial."""
    station = bikes(tmp_path)
    outcome = station.scan("WO-1")
    assert (said(outcome), outcome.quantity, outcome.order_status) == (
        ("completed", None), "3", "started",
    )  # fmt: skip
    assert [(p.serial, p.lot, p.quantity) for p in outcome.produced] == [
        ("S-3", None, "1"), ("S-1", None, "1"), ("S-2", None, "1"),
    ]  # fmt: skip
    assert quantities(outcome) == [("10", "F-1", "4"), ("10", "F-2", "1")]
    assert said(station.scan("WO-1")) == ("needs", "serial")


def test_each_unit_is_made_of_what_its_turn_would_have_taken(tmp_path: Path) -> None:
    """BF-4, BF-37: 1.5 frames a bike, rounded up as they are made: 2, 1, 2."""
    station = bikes(tmp_path)
    station.scan("WO-1")
    assert station.edges() == [
        ("S-3", "F-1", "10", "2", "assumed"), ("S-1", "F-1", "10", "1", "assumed"),
        ("S-2", "F-1", "10", "1", "assumed"), ("S-2", "F-2", "10", "1", "assumed"),
    ]  # fmt: skip
    assert station.faults() == []


def test_a_unit_is_reported_by_its_serial_and_only_once(tmp_path: Path) -> None:
    """BF-34: again it says when and by whom."""
    station = bikes(tmp_path)
    outcome = station.scan("S-1", badge="AK")
    assert (said(outcome), outcome.serial, outcome.work_order) == (
        ("completed", None), "S-1", "WO-1",
    )  # fmt: skip
    before = station.ledger()
    again = station.scan("S-1")
    assert (said(again), again.serial) == (("already_done", None), "S-1")
    assert "AK" in again.message
    assert station.ledger() == before
    assert [p.serial for p in station.scan("WO-1").produced] == ["S-3", "S-2"]


def test_a_planned_unit_of_a_closed_order_is_refused(tmp_path: Path) -> None:
    """BF-34."""
    station = bikes(tmp_path)
    station.scan("%SHORT why")
    station.scan("WO-1")
    assert said(station.scan("S-1")) == ("rejected", "order_closed")


def test_a_serial_ignores_the_quantity(tmp_path: Path) -> None:
    station = bikes(tmp_path)
    station.scan("%QTY 2")
    assert station.scan("S-1").quantity == "1"
    assert station.scan("WO-1").quantity == "2", "it waited for the order"


@pytest.mark.parametrize(
    ("quantity", "answer"),
    [
        ("2", ("completed", None)), ("0.5", ("rejected", "not_a_step")),
        ("1.5", ("rejected", "not_a_step")), ("4", ("needs", "serial")),
        ("6", ("rejected", "over_tolerance")),
    ],
)  # fmt: skip
def test_a_quantity_of_an_order_of_serials_is_met_whole_or_not_at_all(
    tmp_path: Path, quantity: str, answer: tuple[str, str | None]
) -> None:
    """BF-5, BF-25, BF-39: three serials are planned of five bikes."""
    station = bikes(tmp_path)
    before = station.rows("stock")
    station.scan(f"%QTY {quantity}")
    assert said(station.scan("WO-1")) == answer
    assert (station.rows("stock") == before) is (answer[0] != "completed")


@pytest.mark.parametrize("code", ["WO-3", "BIKE"])
def test_without_a_planned_serial_it_is_needed(tmp_path: Path, code: str) -> None:
    """BF-39."""
    station = bikes(tmp_path, work_orders="work_order,item,quantity,status\nWO-3,BIKE,2,released",
                    work_order_serials="work_order,serial")  # fmt: skip
    assert said(station.scan(code)) == ("needs", "serial")


def test_a_bare_item_with_serials_lacks_one(tmp_path: Path) -> None:
    """BF-18: the system never chooses a motor."""
    assert said(bikes(tmp_path).scan("MOTOR")) == ("needs", "serial")


def test_an_undone_unit_is_planned_again(tmp_path: Path) -> None:
    """BF-31."""
    station = bikes(tmp_path)
    before = station.rows("stock")
    station.scan("WO-1")
    outcome = station.scan("%UNDO")
    assert (outcome.quantity, len(outcome.produced), outcome.serial) == ("-3", 3, None)
    assert station.rows("stock") == before
    assert station.faults() == []
    again = station.scan("S-2")
    assert (said(again), again.serial) == (("completed", None), "S-2")
    assert station.scan("%UNDO").serial == "S-2"


GTIN = "09506000134352"
GS = "\x1d"
NO_PLAN = plant(
    items=f"""
        item,tracking,gtin
        BIKE,serial,{GTIN}
        EBIKE,serial,
        TRIKE,serial,
        FRAME,lot,
        MOTOR,serial,
        """,
    boms="item,revision\nBIKE,A\nEBIKE,A\nTRIKE,A",
    bom_lines="""
        item,revision,line,component,quantity
        BIKE,A,10,FRAME,1
        EBIKE,A,10,FRAME,1
        EBIKE,A,20,MOTOR,2
        TRIKE,A,10,FRAME,1
        """,
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at
        R1,FRAME,F-1,,LINE,40,2026-11-01
        R2,MOTOR,,M-1,LINE,1,2026-11-02
        R3,MOTOR,,M-2,LINE,1,2026-11-02
        R4,MOTOR,,M-3,LINE,1,2026-11-02
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-1,BIKE,2,released
        WO-2,EBIKE,2,released
        WO-3,TRIKE,2,released
        WO-4,TRIKE,1,released
        """,
    work_order_serials="work_order,serial\nWO-3,T-1",
    operators="badge,name,role\nAK,Anna,operator\nSV,Sven,supervisor",
    locations="location,kind\nBENCH,rework",
    reasons="code,kind\nBROKEN,scrap",
)
WITH_SERIALS = replace(
    TEST_RULES,
    codes=CodeRules(patterns=(CodePattern("unit", re.compile(r"U:(?P<serial>.+)")),)),
)


def unplanned(folder: Path, rules: StationRules = TEST_RULES, **changed: str) -> Station:
    """A station whose orders WO-1 and WO-2 name no serials; WO-3 plans one of its two."""
    return open_station(folder, NO_PLAN | plant(**changed), rules)


def test_a_new_serial_that_the_station_waits_for_becomes_a_unit_of_the_order(
    tmp_path: Path,
) -> None:
    """BF-39: the order's code asks for it; one code is one unit, the next is asked for again."""
    station = unplanned(tmp_path)
    asked = station.scan("WO-1")
    assert (said(asked), asked.hint) == (("needs", "serial"), "Scan the serial of the unit")
    made = station.scan("B-1", badge="AK")
    assert (said(made), made.work_order, made.serial) == (("completed", None), "WO-1", "B-1")
    assert quantities(made) == [("10", "F-1", "1")]
    assert [(each.item, each.serial) for each in made.produced] == [("BIKE", "B-1")]
    assert station.edges() == [("B-1", "F-1", "10", "1", "sole")]
    again = station.scan("B-1")
    assert (said(again), again.serial) == (("already_done", None), "B-1")
    assert said(station.scan("B-2")) == ("unknown", None), "nothing waits for it"
    station.scan("WO-1")
    closed = station.scan("B-2")
    assert (closed.serial, closed.order_status) == ("B-2", "closed")
    assert said(station.scan("WO-1")) == ("already_done", "order_closed")
    assert station.faults() == []


def test_the_products_code_asks_for_a_new_serial_as_well(tmp_path: Path) -> None:
    """BF-39."""
    station = unplanned(tmp_path)
    assert said(station.scan("BIKE")) == ("needs", "serial")
    assert station.scan("B-1").work_order == "WO-1"


@pytest.mark.parametrize(
    "label", [f"]C101{GTIN}21B-7", f"]C1240BIKE{GS}21B-7", f"[)>\x1e06{GS}PBIKE{GS}SB-7\x1e\x04"]
)
def test_a_label_of_the_product_names_a_unit_of_the_order_that_is_started(
    tmp_path: Path, label: str
) -> None:
    """BF-39: item and serial in any grammar, each unit by its own label only."""
    station = unplanned(tmp_path)
    before = station.ledger()
    early = station.scan(label)
    assert (said(early), early.hint) == (
        ("rejected", "serial_unknown"), "Scan the order of BIKE first, then its serial",
    )  # fmt: skip
    assert station.ledger() == before
    station.scan("%START WO-1")
    made = station.scan(label)
    assert (said(made), made.work_order, made.serial) == (("completed", None), "WO-1", "B-7")
    assert said(station.scan(label)) == ("already_done", None)


def test_a_label_that_names_its_order_too_is_a_unit_of_that_order(tmp_path: Path) -> None:
    """BF-39: nothing needs to be started for it."""
    station = unplanned(tmp_path)
    made = station.scan(f"]C101{GTIN}21B-7{GS}93WO-1")
    assert (said(made), made.work_order, made.serial) == (("completed", None), "WO-1", "B-7")


def test_a_site_pattern_names_a_unit_of_the_active_order(tmp_path: Path) -> None:
    """BF-39: a pattern says that it is a serial; the order is the current one."""
    station = unplanned(tmp_path, WITH_SERIALS)
    assert said(station.scan("U:B-1")) == ("unknown", None)
    station.scan("%START WO-1")
    assert station.scan("U:B-1").serial == "B-1"
    assert said(station.scan("B-2")) == ("unknown", None), "any code is no serial"
    assert station.scan("U:B-2").order_status == "closed"


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("M-1", ("rejected", "wrong_component")), ("F-1", ("recorded", None)),
        ("T-1", ("completed", None)), (f"]C101{GTIN}", ("needs", "serial")),
        ("x" * 201, ("rejected", "malformed")), ("]C1240TRIKE" + GS + "21T-9",
        ("rejected", "serial_unknown")), ("]C12199", ("completed", None)),
    ],
)  # fmt: skip
def test_while_it_waits_other_codes_mean_what_they_always_mean(
    tmp_path: Path, code: str, answer: tuple[str, str | None]
) -> None:
    """BF-39: only a code that nobody knows is the serial."""
    orders = "work_order,item,quantity,status\nWO-1,BIKE,2,released\nWO-3,TRIKE,2,released"
    station = unplanned(tmp_path, work_orders=orders)
    station.scan("WO-1")
    assert said(station.scan(code)) == answer
    waits = answer[0] != "completed"
    assert said(station.scan("B-1")) == (("completed", None) if waits else ("unknown", None))
    assert station.faults() == []


@pytest.mark.parametrize("end", ["%CANCEL", "%START WO-2", "WO-4", "%SHORT late"])
def test_the_wait_for_a_serial_ends(tmp_path: Path, end: str) -> None:
    """BF-39: by CANCEL, another command or another order; it outlasts a restart."""
    station = unplanned(tmp_path)
    station.scan("WO-1")
    assert station.scan("%HELP").message == "WO-1 waits for the serial of a unit"
    station.scan(end)
    assert station.scan("B-1").work_order in (None, "WO-4")
    assert station.order("WO-1")["completed"] == "0"


def test_an_order_with_planned_serials_takes_no_others(tmp_path: Path) -> None:
    """BF-39: upstream says which units it is for, the ones it has not named yet included."""
    station = unplanned(tmp_path)
    label = f"]C1240TRIKE{GS}21T-9"
    station.scan("%START WO-3")
    assert said(station.scan(label)) == ("rejected", "serial_unknown")
    assert station.scan("WO-3").quantity == "1"
    asked = station.scan("WO-3")
    assert (said(asked), asked.hint) == (("needs", "serial"), "Ask planning for the other serials")
    assert said(station.scan("T-9")) == ("unknown", None)
    assert said(station.scan(label)) == ("rejected", "serial_unknown")


def test_no_more_new_units_than_the_order_is_for(tmp_path: Path) -> None:
    """BF-25, BF-39: over-completion as of any other report, and what is refused names no unit."""
    station = unplanned(tmp_path)
    for serial in ("B-1", "B-2"):
        station.scan(f"]C101{GTIN}21{serial}{GS}93WO-1")
    assert said(station.scan(f"]C101{GTIN}21B-3{GS}93WO-1")) == ("rejected", "order_closed")
    assert said(station.scan("B-3")) == ("unknown", None)
    assert station.faults() == []


def test_a_new_unit_beyond_the_tolerance_is_refused(tmp_path: Path) -> None:
    """BF-24, BF-25, BF-39: an order that may be opened again takes one more of two, and no fourth;
    what is refused before its slots are filled names no unit."""
    matrix = ControlMatrix({"reopen": {"default": "allow"}})
    rules = replace(TEST_RULES, policy=matrix, over_completion_pct_micro=50_000_000)
    station = unplanned(tmp_path, rules)
    label = f"]C101{GTIN}21B-{{}}{GS}93WO-1"
    assert [said(station.scan(label.format(n))) for n in range(1, 5)] == [
        ("completed", None), ("completed", None), ("completed", None),
        ("rejected", "over_tolerance"),
    ]  # fmt: skip
    assert said(station.scan("B-4")) == ("unknown", None)
    assert station.faults() == []


def test_what_the_control_matrix_asks_is_answered_for_a_new_unit(tmp_path: Path) -> None:
    """BF-24, BF-39: the same code again, or a supervisor; nothing of it stands before."""
    rules = replace(TEST_RULES, policy=ControlMatrix({"shortage": {"default": "confirm"}}))
    station = unplanned(
        tmp_path, rules, receipts="reference,item,lot,location,quantity\nR1,FRAME,F-1,STORE,1",
        locations="location,kind\nSTORE,store",
    )  # fmt: skip
    station.scan("WO-1")
    assert said(station.scan("B-1")) == ("needs", "confirm")
    assert said(station.scan("B-1")) == ("completed", None)
    assert station.faults() == []


def test_an_undone_new_unit_is_no_unit_any_more(tmp_path: Path) -> None:
    """BF-31, BF-39: planned no more, its serial free for any order of the product."""
    orders = "work_order,item,quantity,status\nWO-1,BIKE,2,released\nWO-5,BIKE,2,released"
    station = unplanned(tmp_path, work_orders=orders, work_order_serials="work_order,serial")
    books = station.rows("stock")
    station.scan("WO-1")
    station.scan("B-1")
    undone = station.scan("%UNDO")
    assert (undone.quantity, undone.serial) == ("-1", "B-1")
    assert station.rows("stock") == books
    assert said(station.scan("B-1")) == ("unknown", None)
    assert said(station.scan("WO-1")) == ("needs", "serial"), "nothing is planned"
    station.scan("%START WO-5")
    made = station.scan(f"]C101{GTIN}21B-1")
    assert (said(made), made.work_order) == (("completed", None), "WO-5")
    assert said(station.scan("%UNDO B-1")) == ("recorded", None)
    assert said(station.scan("%UNDO B-1")) == ("rejected", "nothing_to_undo")
    assert station.faults() == []


def test_a_new_unit_has_slots_as_a_planned_one(tmp_path: Path) -> None:
    """BF-18, BF-39: the unit first, the components first; CANCEL lets go of unit and serials."""
    station = unplanned(tmp_path)
    station.scan("WO-2")
    lacks = station.scan("E-1")
    assert (said(lacks), lacks.message) == (("needs", "component"), "Unit E-1 lacks 2 MOTOR")
    station.scan("M-1")
    station.scan("%CANCEL")
    assert said(station.scan("E-1")) == ("unknown", None)
    station.scan("M-1")
    station.scan("WO-2")
    assert station.scan("E-1").message == "Unit E-1 lacks MOTOR"
    assert said(station.scan("WO-2")) == ("needs", "serial"), "E-1 is not planned"
    assert said(station.scan("E-1")) == ("needs", "component"), "it is the unit at hand"
    made = station.scan("M-2")
    assert (said(made), made.serial) == (("completed", None), "E-1")
    assert sorted(edge[1] for edge in station.edges()) == ["F-1", "M-1", "M-2"]
    station.scan("%UNDO")
    assert said(station.scan("E-1")) == ("needs", "component"), "M-1 is still in its slot"
    assert station.scan("M-3").serial == "E-1"
    assert station.faults() == []


def test_a_serial_that_a_load_plans_later_is_planned(tmp_path: Path) -> None:
    """BF-39: what was taken back is no unit, so that upstream may plan it for any order."""
    station = unplanned(tmp_path)
    station.scan("WO-1")
    station.scan("B-1")
    station.scan("%UNDO")
    orders = "work_order,item,quantity,status\nWO-5,BIKE,2,released"
    station.load(plant(work_orders=orders, work_order_serials="work_order,serial\nWO-5,B-1"))
    made = station.scan("B-1")
    assert (said(made), made.work_order) == (("completed", None), "WO-5")
    undone = station.scan("%UNDO")
    assert undone.serial == "B-1"
    assert said(station.scan("B-1")) == ("completed", None), "it is still planned"


def test_a_new_unit_is_scrapped_by_its_serial(tmp_path: Path) -> None:
    """BF-26, BF-39: the order asks which unit it was."""
    station = unplanned(tmp_path)
    station.scan("%START WO-1")
    station.scan("%SCRAP BROKEN")
    assert said(station.scan("WO-1")) == ("needs", "serial")
    scrapped = station.scan(f"]C101{GTIN}21B-1")
    assert (said(scrapped), scrapped.produced) == (("completed", None), [])
    assert (station.order("WO-1")["scrapped"], station.order("WO-1")["remaining"]) == ("1", "1")
    assert said(station.scan(f"]C101{GTIN}21B-1")) == ("already_done", None)
    assert station.faults() == []

"""Slots: components with serials are scanned into the unit they are built into (BF-18)."""

from itertools import permutations
from pathlib import Path

import pytest
from msgspec.structs import replace

from mes_terminal.domain.policy import ControlMatrix
from tests.plants import TEST_RULES, Station, open_station, plant, said

EBIKE = plant(
    items="""
        item,tracking,shelf_life_days
        EBIKE,serial,
        PUMP,lot,
        FRAME,lot,
        MOTOR,serial,
        CELL,serial,
        HORN,serial,
        """,
    boms="item,revision\nEBIKE,A\nPUMP,A",
    bom_lines="""
        item,revision,line,component,quantity
        EBIKE,A,10,FRAME,1
        EBIKE,A,20,MOTOR,1
        EBIKE,A,30,CELL,2
        PUMP,A,10,MOTOR,1
        """,
    locations="location,kind\nSTORE,store\nBLOCKED,hold\nSCRAP,scrap",
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at,expires_on
        R0,FRAME,F-1,,LINE,40,2026-11-01,
        R1,MOTOR,,M-1,LINE,1,2026-11-02,
        R2,MOTOR,,M-2,LINE,1,2026-11-02,
        R3,MOTOR,,M-3,STORE,1,2026-11-02,
        R4,MOTOR,,M-OLD,LINE,1,2026-11-02,2026-11-10
        R5,MOTOR,,M-HELD,BLOCKED,1,2026-11-02,
        R6,CELL,,C-1,LINE,1,2026-11-02,
        R7,CELL,,C-2,LINE,1,2026-11-02,
        R8,CELL,,C-3,LINE,1,2026-11-02,
        R9,CELL,,C-4,LINE,1,2026-11-02,
        RA,HORN,,H-1,LINE,1,2026-11-02,
        """,
    work_orders="""
        work_order,item,quantity,status,due_at
        WO-1,EBIKE,2,released,2026-11-25
        WO-2,PUMP,3,released,2026-11-26
        """,
    work_order_serials="work_order,serial\nWO-1,E-1\nWO-1,E-2",
    operators="badge,name,role\nAK,Anna,operator",
    reasons="code,kind\nDENT,scrap",
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, EBIKE)


@pytest.mark.parametrize("codes", list(permutations(["E-1", "M-1", "C-1", "C-2"])))
def test_any_order_of_unit_and_components_completes_the_unit(
    tmp_path: Path, codes: tuple[str, ...]
) -> None:
    """BF-18, BF-37: the last of them reports it; each serial is surely in it."""
    station = open_station(tmp_path, EBIKE)
    for code in codes[:-1]:
        kind, reason = said(station.scan(code))
        assert (kind, reason) in (("recorded", None), ("needs", "component")), code
    done = station.scan(codes[-1])
    assert (said(done), done.quantity, done.serial) == (("completed", None), "1", "E-1")
    assert [(each.line, each.lot, each.serial, each.certainty) for each in done.consumed] == [
        ("10", "F-1", None, "sole"), ("20", None, "M-1", "exact"),
        ("30", None, "C-1" if codes.index("C-1") < codes.index("C-2") else "C-2", "exact"),
        ("30", None, "C-2" if codes.index("C-1") < codes.index("C-2") else "C-1", "exact"),
    ]  # fmt: skip
    assert [edge for edge in station.edges() if edge[2] != "10"] == [
        ("E-1", "M-1", "20", "1", "exact"), ("E-1", "C-1", "30", "1", "exact"),
        ("E-1", "C-2", "30", "1", "exact"),
    ]  # fmt: skip
    assert {row["serial"] for row in station.rows("stock")} >= {"E-1", "M-2", "C-3"}
    assert {row["serial"] for row in station.rows("stock")}.isdisjoint({"M-1", "C-1", "C-2"})
    assert station.faults() == []


def test_the_unit_says_what_it_lacks_and_each_serial_says_what_comes_next(
    station: Station,
) -> None:
    """BF-18: the next empty slot is shown."""
    asked = station.scan("E-1")
    assert (said(asked), asked.message) == (
        ("needs", "component"), "Unit E-1 lacks MOTOR, 2 CELL",
    )  # fmt: skip
    filled = station.scan("C-1")
    assert filled.message == "CELL C-1 is in slot 1 of 2 of unit E-1; it lacks MOTOR, CELL"
    assert (filled.item, filled.serial, filled.hint) == ("CELL", "C-1", "Scan the serial of MOTOR")


def test_a_serial_sits_in_one_parent_at_a_time(station: Station) -> None:
    """BF-18."""
    station.scan("E-1")
    station.scan("M-1")
    before = station.ledger()
    assert said(station.scan("M-1")) == ("already_done", None)
    station.scan("E-2")
    taken = station.scan("M-1")
    assert (said(taken), "sits in E-1" in taken.message) == (("rejected", "serial_in_use"), True)
    station.scan("E-1")
    for code in ("C-1", "C-2"):
        station.scan(code)
    assert said(station.scan("M-1")) == ("rejected", "serial_in_use"), "built in"
    assert before["balance"] != station.ledger()["balance"]


@pytest.mark.parametrize(
    ("code", "reason", "says"),
    [
        ("M-OLD", "lot_expired", "expired on 2026-11-10"),
        ("M-HELD", "serial_unknown", "not in stock here"),
        ("H-1", "wrong_component", "It takes no HORN"),
    ],
)
def test_what_may_not_be_built_in_is_refused_and_nothing_is_posted(
    station: Station, code: str, reason: str, says: str
) -> None:
    """BF-16, BF-18."""
    station.scan("E-1")
    before = station.ledger()
    refused = station.scan(code)
    assert (said(refused), says in refused.message) == (("rejected", reason), True)
    assert station.ledger() == before


def test_a_full_slot_takes_no_second_serial(station: Station) -> None:
    """BF-18."""
    station.scan("E-1")
    station.scan("M-1")
    second = station.scan("M-2")
    assert (said(second), second.hint) == (("rejected", "wrong_component"), "It lacks 2 CELL")


def test_without_an_open_order_a_serial_has_no_place(tmp_path: Path) -> None:
    """BF-18."""
    orders = "work_order,item,quantity,status\nWO-1,EBIKE,2,planned"
    station = open_station(tmp_path, EBIKE | plant(work_orders=orders, work_order_serials=
                           "work_order,serial\nWO-1,E-1"))  # fmt: skip
    assert said(station.scan("M-1")) == ("rejected", "wrong_component")
    assert said(station.scan("E-1")) == ("rejected", "not_released")


def test_a_serial_kept_elsewhere_is_brought_to_the_line(station: Station) -> None:
    """BF-14, BF-18: as mounting does."""
    station.scan("E-1")
    assert said(station.scan("M-3")) == ("recorded", None)
    places = {row["serial"]: row["location"] for row in station.rows("stock")}
    assert places["M-3"] == "LINE"
    assert station.faults() == []


def test_closing_an_order_with_empty_slots_is_refused(station: Station) -> None:
    """BF-18: it says how many units lack what."""
    station.scan("E-1")
    station.scan("M-1")
    before = station.ledger()
    refused = station.scan("WO-1")
    assert said(refused) == ("rejected", "component_serial_missing")
    assert refused.message == (
        "WO-1: 1 unit lacks MOTOR, 2 units lack CELL. "
        "Nothing was booked: this station does not allow that"
    )
    assert station.ledger() == before


def test_an_order_code_completes_the_units_whose_slots_are_full(station: Station) -> None:
    """BF-18, BF-37: each unit has its own serials."""
    for code in ("E-1", "M-1", "C-1", "E-2", "M-2", "C-3", "C-4"):
        station.scan(code)
    done = station.scan("E-1")
    assert said(done) == ("needs", "component")
    closed = station.scan("C-2")
    assert (said(closed), closed.serial, closed.order_status) == (
        ("completed", None), "E-1", "closed",
    )  # fmt: skip
    assert {edge[:2] for edge in station.edges() if edge[2] != "10"} == {
        ("E-1", "M-1"), ("E-1", "C-1"), ("E-1", "C-2"), ("E-2", "M-2"), ("E-2", "C-3"),
        ("E-2", "C-4"),
    }  # fmt: skip


def test_a_product_without_serials_has_a_next_unit(station: Station) -> None:
    """BF-18: the component first, or the product first; both work."""
    assert said(station.scan("%START WO-2")) == ("recorded", None)
    assert station.scan("M-1").message == "MOTOR M-1 is in slot 1 of 1 of the next PUMP"
    assert said(station.scan("PUMP")) == ("completed", None)
    asked = station.scan("PUMP")
    assert (said(asked), asked.message) == (("needs", "component"), "The next PUMP lacks MOTOR")
    done = station.scan("M-2")
    assert (said(done), done.item, done.quantity) == (("completed", None), "PUMP", "1")
    assert said(station.scan("WO-2")) == ("rejected", "component_serial_missing")


def test_cancel_empties_the_slots_of_the_unit_at_hand(station: Station) -> None:
    """BF-18: a serial scanned by mistake comes out again."""
    station.scan("E-1")
    station.scan("M-1")
    assert station.scan("%CANCEL").message == "Cancelled"
    assert station.scan("E-1").message == "Unit E-1 lacks MOTOR, 2 CELL"
    assert said(station.scan("M-1")) == ("recorded", None)


def test_undo_empties_the_slot_that_its_scan_filled(station: Station) -> None:
    """BF-18, BF-31: the others are full as they were before it."""
    for code in ("E-1", "M-1", "C-1"):
        station.scan(code)
    before = station.rows("stock")
    station.scan("C-2")
    undone = station.scan("%UNDO")
    assert (said(undone), undone.serial) == (("recorded", None), "E-1")
    assert [(each.serial, each.quantity) for each in undone.consumed if each.serial] == [
        ("M-1", "-1"), ("C-1", "-1"), ("C-2", "-1"),
    ]  # fmt: skip
    assert station.rows("stock") == before
    assert station.scan("E-1").message == "Unit E-1 lacks CELL"
    assert said(station.scan("C-2")) == ("completed", None)
    assert station.faults() == []


def test_a_scrapped_unit_takes_the_serials_scanned_for_it_and_no_others(station: Station) -> None:
    """BF-18, BF-26."""
    station.scan("E-1")
    station.scan("M-1")
    station.scan("%SCRAP DENT")
    scrapped = station.scan("E-1")
    assert (said(scrapped), scrapped.produced) == (("completed", None), [])
    assert [each.serial for each in scrapped.consumed] == [None, "M-1"]
    assert ("E-1", "M-1", "20", "1", "exact") in station.edges()
    assert station.order("WO-1")["remaining"] == "1"
    again = station.scan("E-1")
    assert (said(again), "scrapped" in again.message) == (("already_done", None), True)
    before = station.rows("stock")
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert station.rows("stock") != before
    assert station.scan("E-1").message == "Unit E-1 lacks 2 CELL"
    assert station.faults() == []


def test_the_preflight_says_what_is_to_be_scanned_first(station: Station) -> None:
    """BF-18: a close would be refused for it."""
    started = station.scan("%START WO-1")
    assert started.message == (
        "WO-1 started: 1 line would post, 2 not: MOTOR to be scanned for 2, "
        "CELL to be scanned for 2"
    )
    for code in ("E-1", "M-1", "C-1", "C-2"):
        station.scan(code)
    assert "MOTOR to be scanned for 1" in station.scan("%START WO-1").message


def test_a_last_serial_whose_report_is_refused_stays_where_it_is(tmp_path: Path) -> None:
    """BF-18, BF-20: nothing is booked, so the serial is neither moved nor in the slot; the same
    code again completes the unit once it may."""
    frames = EBIKE["items.csv"].replace("shelf_life_days", "shelf_life_days,shortage_policy")
    files = {**EBIKE, "items.csv": frames.replace("FRAME,lot,", "FRAME,lot,,block")}
    station = open_station(tmp_path, files)
    for code in ("%SCRAP DENT", "%QTY 40", "FRAME|F-1", "E-1", "C-1", "C-2"):
        station.scan(code)
    before = station.ledger()
    assert said(station.scan("M-3")) == ("rejected", "shortage_blocked")
    assert station.ledger() == before
    assert station.stock("MOTOR", None, "STORE") == "1"
    station.load(
        plant(receipts="reference,item,lot,location,quantity\nRF,FRAME,F-2,LINE,1"),
    )
    assert (done := station.scan("M-3")).outcome == "completed", done.message
    assert station.faults() == []


@pytest.mark.parametrize(("level", "word"), [("confirm", "M-3"), ("approve", "B:SO")])
def test_a_last_serial_that_was_asked_about_completes_the_unit(
    tmp_path: Path, level: str, word: str
) -> None:
    """BF-24, BF-18: what is asked about the report is answered with the code that filled the last
    slot."""
    rules = replace(TEST_RULES, policy=ControlMatrix(levels={"shortage": {"default": level}}))  # type: ignore[dict-item]
    people = "badge,name,role\nAK,Anna,operator\nSO,Sofia,supervisor\n"
    station = open_station(tmp_path, {**EBIKE, "operators.csv": people}, rules)
    for code in ("%SCRAP DENT", "%QTY 40", "FRAME|F-1", "E-1", "C-1", "C-2"):
        station.scan(code)
    assert station.scan("M-3").outcome == "needs"
    done = station.scan(word)
    assert (done.outcome, done.serial) == ("completed", "E-1"), done.message
    assert station.faults() == []

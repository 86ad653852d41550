"""Products tracked by serial: planned units, their order and their turn (BF-34, BF-39)."""

from pathlib import Path

import pytest

from tests.plants import Station, open_station, plant, quantities, said

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

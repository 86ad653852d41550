"""`%UNDO`: the last report is taken back from what was recorded, once (BF-31)."""

from pathlib import Path

import pytest

from tests.plants import Row, Station, open_station, plant, said

TABLE = plant(
    items="""
        item,tracking,kind
        TABLE,lot,
        TOP,lot,
        BOARD,lot,
        GLUE,none,
        """,
    boms="item,revision\nTABLE,A\nTOP,A",
    bom_lines="""
        item,revision,line,component,quantity,scrap_pct,supply_location
        TABLE,A,10,TOP,1,,FG
        TOP,A,10,BOARD,3,50,
        TOP,A,20,GLUE,1,,
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,BOARD,B-1,LINE,10,2026-11-01
        R2,BOARD,B-2,LINE,100,2026-11-02
        R3,GLUE,,LINE,4,2026-11-02
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-T,TABLE,5,released
        WO-P,TOP,5,released
        """,
    operators="badge,name,role\nAK,Anna,operator\nBO,Bo,operator\nSU,Sue,supervisor",
)


def tables(folder: Path, **changed: str) -> Station:
    """A table has a top, glued of three boards (half as many are scrapped); glue for four."""
    return open_station(folder, TABLE | plant(**changed))


def state(station: Station) -> dict[str, list[Row]]:
    rows = {name: station.rows(name) for name in ("stock", "orders")}
    rows["lines"] = [station.line("WO-P", line) for line in ("10", "20")]
    return rows


def test_after_an_undo_everything_is_as_before(tmp_path: Path) -> None:
    """Invariant 3: balances, order and lines; genealogy sums to zero and shows both."""
    station = tables(tmp_path)
    before = state(station)
    report = station.scan("WO-P", badge="AK")
    assert report.scrapped
    assert report.exceptions
    outcome = station.scan("%UNDO", badge="AK")
    assert said(outcome) == ("recorded", None)
    assert (outcome.quantity, outcome.order_status, outcome.report_id) == (
        "-5", "released", outcome.scan_id,
    )  # fmt: skip
    assert [(e.line, e.lot, e.quantity) for e in outcome.consumed] == [
        ("10", "B-1", "-10"), ("10", "B-2", "-5"), ("20", None, "-4"),
    ]  # fmt: skip
    assert [(e.lot, e.location, e.quantity) for e in outcome.scrapped] == [("B-2", "SCRAP", "-7")]
    assert [(e.lot, e.quantity) for e in outcome.produced] == [("WO-P", "-5")]
    assert state(station) == before
    assert [edge[3] for edge in station.edges()] == ["10", "5", "-10", "-5"]
    assert station.exceptions() == [("shortage", "voided", "20", "GLUE", "0")]
    assert [row["kind"] for row in station.rows("movements")][-5:] == ["reversal"] * 5
    assert station.faults() == []


def test_a_report_taken_back_can_be_made_again(tmp_path: Path) -> None:
    station = tables(tmp_path)
    first = station.scan("WO-P")
    station.scan("%UNDO")
    again = station.scan("WO-P")
    assert (again.consumed, again.produced) == (first.consumed, first.produced)
    assert station.exceptions(open="1")[-1] == ("shortage", "open", "20", "GLUE", "1")


def test_there_is_nothing_to_take_back(tmp_path: Path) -> None:
    station = tables(tmp_path)
    assert said(station.scan("%UNDO")) == ("rejected", "nothing_to_undo")
    station.scan("TOP")
    station.scan("%UNDO")
    assert said(station.scan("%UNDO")) == ("rejected", "nothing_to_undo"), "a report goes once"


def test_undo_goes_back_report_by_report(tmp_path: Path) -> None:
    station = tables(tmp_path)
    before = state(station)
    station.scan("TOP")
    station.scan("%QTY 3")
    station.scan("TOP")
    assert [station.scan("%UNDO").quantity for _ in range(2)] == ["-3", "-1"]
    assert state(station) == before


@pytest.mark.parametrize(("made_by", "undone_by"), [("AK", "BO"), ("AK", None), (None, "AK")])
def test_only_who_reported_may_take_it_back(
    tmp_path: Path, made_by: str | None, undone_by: str | None
) -> None:
    station = tables(tmp_path)
    station.scan("TOP", badge=made_by)
    before = station.ledger()
    assert said(station.scan("%UNDO", badge=undone_by)) == ("rejected", "not_authorised")
    assert station.ledger() == before
    assert said(station.scan("%UNDO", badge=made_by)) == ("recorded", None)


def test_after_the_grace_time_it_is_too_late(tmp_path: Path) -> None:
    """`report.undo_grace_s` = 120, to the second."""
    station = tables(tmp_path)
    station.scan("TOP")
    assert said(station.scan("%UNDO", after_s=120.000001)) == ("rejected", "undo_too_late")
    station.scan("TOP")
    assert said(station.scan("%UNDO", after_s=120)) == ("recorded", None)


def test_what_was_made_of_it_is_taken_back_first(tmp_path: Path) -> None:
    """Two of five tops went into tables; the tables go back before the tops do."""
    station = tables(tmp_path)
    before = state(station)
    station.scan("WO-P")
    station.scan("%QTY 2")
    station.scan("WO-T")
    assert station.stock("TOP", "WO-P", "FG") == "3"
    assert [station.scan("%UNDO").work_order for _ in range(2)] == ["WO-T", "WO-P"]
    assert state(station) == before


def test_a_lot_that_was_moved_on_blocks_the_undo(tmp_path: Path) -> None:
    """The tops were brought to the line where tables draw them."""
    station = tables(
        tmp_path,
        bom_lines="""
            item,revision,line,component,quantity,supply_location
            TABLE,A,10,TOP,1,LINE
            TOP,A,10,BOARD,3,
            """,
    )
    station.scan("WO-P")
    station.scan("TOP|WO-P")
    before = station.ledger()
    outcome = station.scan("%UNDO")
    assert said(outcome) == ("rejected", "has_dependents")
    assert "WO-P" in outcome.message
    assert station.ledger() == before


def test_part_of_an_exception_is_voided_with_its_report(tmp_path: Path) -> None:
    """BF-23: two reports lack glue, one is taken back."""
    station = tables(tmp_path)
    station.scan("%QTY 4")
    station.scan("WO-P")
    station.load(plant(work_orders="work_order,item,quantity,status\nWO-P,TOP,8,released"))
    station.scan("%QTY 2")
    station.scan("WO-P")
    station.scan("%QTY 1")
    station.scan("WO-P")
    assert station.exceptions() == [("shortage", "open", "20", "GLUE", "3")]
    station.scan("%UNDO")
    assert station.exceptions() == [("shortage", "open", "20", "GLUE", "2")]
    assert station.line("WO-P", "20")["owed"] == "2"


def test_a_short_close_is_taken_back_too(tmp_path: Path) -> None:
    station = tables(tmp_path)
    station.scan("TOP")
    station.scan("%SHORT why")
    station.scan("WO-P")
    outcome = station.scan("%UNDO")
    assert (said(outcome), outcome.quantity, outcome.order_status) == (
        ("recorded", None), "0", "started",
    )  # fmt: skip
    assert station.scan("WO-P").quantity == "4"


def test_undo_does_not_lift_a_hold(tmp_path: Path) -> None:
    """An order put on hold after the report stays on hold when the report is taken back."""
    station = tables(tmp_path)
    station.scan("TOP")
    station.load(plant(work_orders="work_order,item,quantity,status\nWO-P,TOP,5,hold"))
    outcome = station.scan("%UNDO")
    assert (said(outcome), outcome.order_status) == (("recorded", None), "hold")
    assert station.order("WO-P")["status"] == "hold"


def test_the_reversal_is_an_event_linked_to_its_report(tmp_path: Path) -> None:
    station = tables(tmp_path)
    report = station.scan("TOP")
    station.scan("%UNDO")
    event = station.rows("outbox")[-1]["event"]
    assert event["type"] == "io.mes-terminal.report.reversed.v1"
    assert event["data"]["reverses"] == report.report_id
    assert [a["quantity"] for a in event["data"]["material_actuals"]] == ["-1", "-3", "-1", "-1"]


def test_what_filled_a_hole_in_the_books_can_be_taken_back(tmp_path: Path) -> None:
    """BF-20, BF-31: four tops were used before they were booked. Five are reported, one is left in
    the books, and the report can be taken back as long as nobody has used that one."""
    station = tables(
        tmp_path,
        items="""
            item,tracking,kind,shortage_policy
            TABLE,lot,,
            TOP,none,,negative
            BOARD,lot,,
            GLUE,none,,
            """,
    )
    station.scan("%QTY 4")
    station.scan("WO-T")
    station.scan("WO-P")
    assert station.stock("TOP", location="FG") == "1"
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert station.stock("TOP", location="FG") == "-4"
    station.scan("WO-P")
    station.scan("%QTY 1")
    station.scan("WO-T")
    outcome = station.scan("%UNDO WO-P", badge="SU")
    assert said(outcome) == ("rejected", "has_dependents")
    assert station.faults() == []

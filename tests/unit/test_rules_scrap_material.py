"""Components that are scrapped by scan (BF-16, BF-27)."""

from pathlib import Path

import pytest

from mes_terminal.domain.outcome import Outcome
from tests.plants import Station, open_station, plant, said

RECEIPTS = """
    R1,CAST,C-1,,LINE,60,
    R2,CAST,C-2,BOX,STORE,20,
    R3,CAST,OLD,,LINE,5,2026-11-01
    R4,BOLT,,,LINE,500,
    """


def engines(folder: Path, *, start: bool = True) -> Station:
    """An engine takes one casting, of which 2 % are planned to be scrapped, and 4 bolts; 50 are
    ordered, so one casting is planned scrap."""
    files = plant(
        items="item,tracking\nENGINE,lot\nCAST,lot\nBOLT,none",
        boms="item,revision\nENGINE,A",
        bom_lines="""
            item,revision,line,component,quantity,scrap_pct
            ENGINE,A,10,CAST,1,2
            ENGINE,A,20,BOLT,4,
            """,
        receipts="reference,item,lot,container,location,quantity,expires_on" + RECEIPTS,
        work_orders="work_order,item,quantity,status\nWO-1,ENGINE,50,released",
        locations="location,kind\nSTORE,store\nSCRAP,scrap",
        reasons="code,kind\nCRACK,scrap",
    )
    station = open_station(folder, files)
    if start:
        station.scan("%START WO-1")
    return station


def scrap(station: Station, code: str, quantity: str | None = None) -> Outcome:
    assert said(station.scan("%SCRAP CRACK")) == ("recorded", None)
    if quantity is not None:
        station.scan(f"%QTY {quantity}")
    return station.scan(code)


def scrapped(station: Station) -> str:
    """Return what lies in scrap of castings."""
    lots = [row["quantity"] for row in station.rows("stock", item="CAST", location="SCRAP")]
    return str(sum(int(quantity) for quantity in lots))


def test_a_cracked_casting_goes_to_scrap_against_its_line(tmp_path: Path) -> None:
    """BF-27: with its reason, upstream too."""
    station = engines(tmp_path)
    outcome = scrap(station, "CAST|C-1", "2")
    assert (said(outcome), outcome.quantity, outcome.work_order) == (
        ("recorded", None), "2", "WO-1",
    )  # fmt: skip
    assert [(each.line, each.lot, each.location) for each in outcome.scrapped] == [
        ("10", "C-1", "SCRAP")
    ]
    assert (scrapped(station), station.stock("CAST", "C-1")) == ("2", "58")
    (event,) = [row["event"] for row in station.rows("outbox", type="material.scrapped")]
    (actual,) = event["data"]["material_actuals"]
    assert (actual["use"], actual["order_line"], event["data"]["reason"]) == (
        "Scrapped", "10", "CRACK",
    )  # fmt: skip
    assert station.faults() == []


@pytest.mark.parametrize(("reported", "in_all"), [(None, "1"), ("1", "1"), ("3", "3")])
def test_a_lines_scrap_is_the_larger_of_planned_and_reported(
    tmp_path: Path, reported: str | None, in_all: str
) -> None:
    """BF-27: one casting is planned scrap of 50 engines; what was reported is not added to it."""
    station = engines(tmp_path)
    if reported is not None:
        scrap(station, "CAST|C-1", reported)
    station.scan("WO-1")
    assert scrapped(station) == in_all
    assert station.line("WO-1", "10")["issued"] == str(50 + int(in_all))
    assert station.faults() == []


def test_what_is_scrapped_after_the_planned_part_was_posted_is_added(tmp_path: Path) -> None:
    """BF-27: the report had posted its one; nothing tells that the next is the same casting."""
    station = engines(tmp_path)
    station.scan("%QTY 49")
    station.scan("ENGINE")
    scrap(station, "CAST|C-1", "1")
    station.scan("WO-1")
    assert scrapped(station) == "1"
    assert station.faults() == []


def test_scrap_is_taken_from_where_the_box_is(tmp_path: Path) -> None:
    """BF-27."""
    station = engines(tmp_path)
    scrap(station, "BOX", "5")
    assert station.stock("CAST", "C-2", "STORE") == "15"
    assert scrapped(station) == "5"


def test_untracked_parts_are_scrapped_by_their_item(tmp_path: Path) -> None:
    """BF-27."""
    station = engines(tmp_path)
    assert scrap(station, "BOLT", "7").quantity == "7"
    assert station.stock("BOLT", location="SCRAP") == "7"
    assert station.faults() == []


def test_expired_and_held_lots_are_scrapped(tmp_path: Path) -> None:
    """BF-16."""
    station = engines(tmp_path)
    assert scrap(station, "CAST|OLD", "5").quantity == "5"
    station.scan("%HOLD")
    station.scan("CAST|C-1")
    assert scrap(station, "CAST|C-1", "5").quantity == "5"


def test_without_an_active_order_it_is_scrapped_for_none(tmp_path: Path) -> None:
    """BF-27: nothing counts for a line that comes later."""
    station = engines(tmp_path, start=False)
    outcome = scrap(station, "CAST|C-1", "1")
    assert (outcome.work_order, [each.line for each in outcome.scrapped]) == (None, [None])
    station.scan("WO-1")
    assert scrapped(station) == "2"
    assert station.faults() == []


def test_undoing_a_report_leaves_what_was_reported_as_scrap(tmp_path: Path) -> None:
    """BF-27, BF-31."""
    station = engines(tmp_path)
    scrap(station, "CAST|C-1", "1")
    station.scan("WO-1")
    station.scan("%UNDO")
    station.scan("WO-1")
    assert scrapped(station) == "1"
    assert station.faults() == []


@pytest.mark.parametrize(
    ("code", "quantity", "reason"),
    [
        ("CAST|C-1", None, "quantity"),
        ("CAST|C-1", "61", "shortage_blocked"),
        ("CAST|C-1", "0.5", "not_a_step"),
        ("CAST|NONE", "1", "lot_unknown"),
        ("CAST", "1", "lot"),
        ("L:LINE", None, "component"),
    ],
)
def test_wrong_use_says_one_sentence_and_books_nothing(
    tmp_path: Path, code: str, quantity: str | None, reason: str
) -> None:
    """BF-19, BF-27."""
    station = engines(tmp_path)
    before = station.ledger()
    outcome = scrap(station, code, quantity)
    assert (outcome.reason, outcome.message.count(". ") <= 1) == (reason, True)
    assert station.ledger() == before
    assert station.rows("journal")[-1]["reason"] == reason


@pytest.mark.parametrize("command", ["%SCRAP", "%SCRAP WHIM"])
def test_scrap_needs_a_reason(tmp_path: Path, command: str) -> None:
    """BF-27."""
    assert said(engines(tmp_path).scan(command)) == ("rejected", "reason_missing")

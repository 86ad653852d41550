"""By- and co-products: received with the report, each with its own lot and every input (BF-30)."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.plants import Station, memory_folder, open_station, plant, said

SAW = plant(
    items="""
        item,tracking,decimals,shelf_life_days,output_status
        BOARD,lot,,,
        SLAT,lot,,,
        CHIPS,none,3,,
        BARK,lot,,30,hold
        LOG,lot,,,
        GLUE,none,3,,
        """,
    boms="item,revision\nBOARD,A",
    bom_lines="""
        item,revision,line,component,quantity,role,cost_share_pct
        BOARD,A,10,LOG,1,component,
        BOARD,A,20,GLUE,0.1,component,
        BOARD,A,30,SLAT,0.4,co_product,20
        BOARD,A,40,CHIPS,0.25,by_product,5
        BOARD,A,50,BARK,2,by_product,
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,LOG,G-1,LINE,12,2026-11-01
        R2,LOG,G-2,LINE,100,2026-11-02
        R3,GLUE,,LINE,100,2026-11-01
        """,
    work_orders="""
        work_order,item,quantity,status,lot
        WO-1,BOARD,20,released,
        WO-2,BOARD,5,released,B-77
        """,
    operators="badge,name,role\nAK,Anna,operator",
    reasons="code,kind\nSPLIT,scrap",
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, SAW)


def test_a_report_receives_them_with_lots_of_their_own(station: Station) -> None:
    """BF-30, BF-39: named as the product's; held where their item is inspected."""
    outcome = station.scan("WO-1")
    assert [(each.item, each.lot, each.quantity, each.location) for each in outcome.produced] == [
        ("BOARD", "WO-1", "20", "FG"), ("SLAT", "WO-1", "8", "FG"), ("CHIPS", None, "5", "FG"),
        ("BARK", "WO-1", "40", "FG"),
    ]  # fmt: skip
    bark = station.rows("lots", item="BARK")[0]
    assert (bark["status"], bark["expires_on"], bark["on_hand"]) == ("hold", "2026-12-20", "40")
    assert station.faults() == []


def test_every_input_is_an_input_of_each(station: Station) -> None:
    """BF-30, BF-37: an untracked one hangs on the work order."""
    station.scan("WO-1")
    found = {(child, parent, quantity) for child, parent, _, quantity, _ in station.edges()}
    assert found == {
        (child, parent, quantity)
        for child in ("WO-1",)
        for parent, quantity in (("G-1", "12"), ("G-2", "8"))
    }
    assert len(station.edges()) == 8, "two lots of logs in each of four outputs"


def test_an_order_with_a_lot_of_its_own_names_theirs(station: Station) -> None:
    """BF-39."""
    assert {each.lot for each in station.scan("WO-2").produced} == {"B-77", None}


def test_scrapped_units_bring_none(station: Station) -> None:
    """BF-26, BF-30."""
    station.scan("%SCRAP SPLIT")
    assert station.scan("WO-1").produced == []


def test_taking_the_report_back_takes_them_back(station: Station) -> None:
    """BF-30, BF-31."""
    before = station.rows("stock")
    station.scan("WO-1")
    undone = station.scan("%UNDO")
    assert [(each.item, each.quantity) for each in undone.produced] == [
        ("BOARD", "-20"), ("SLAT", "-8"), ("CHIPS", "-5"), ("BARK", "-40"),
    ]  # fmt: skip
    assert station.rows("stock") == before
    assert station.faults() == []
    assert said(station.scan("WO-1")) == ("completed", None)


@settings(max_examples=15, deadline=None)
@given(parts=st.lists(st.integers(1, 6), max_size=6))
def test_any_split_brings_what_one_report_brings(parts: list[int]) -> None:
    """BF-4, BF-5, BF-30: cumulative, and never rounded up on the way."""
    with memory_folder() as folder:
        station = open_station(folder, SAW)
        for quantity in parts:
            station.scan(f"%QTY {quantity}")
            station.scan("WO-1")
        station.scan("%CANCEL")
        station.scan("WO-1")
        assert station.stock("SLAT", "WO-1", location="FG") == "8"
        assert station.stock("CHIPS", location="FG") == "5"
        assert station.faults() == []

"""The yield of an order: good, scrapped by reason, reworked; what was taken back counts no more."""

from pathlib import Path

import pytest

from mes_terminal.errors import InputError
from tests.plants import Row, Station, open_station, plant

CHAIRS = plant(
    items="item,tracking\nCHAIR,lot\nLEG,none",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    receipts="reference,item,location,quantity,effective_at\nR1,LEG,LINE,1000,2026-11-01",
    work_orders="""
        work_order,item,quantity,status,completed_so_far,scrapped_so_far
        WO-1,CHAIR,30,released,,
        WO-2,CHAIR,30,released,7,1
        WO-3,CHAIR,30,released,,
        """,
    locations="location,kind\nREWORK,rework",
    operators="badge,name,role\nSU,Sue,supervisor",
    reasons="code,kind\nCRACK,scrap\nPAINT,scrap\nSCRATCH,rework",
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, CHAIRS)


def told(station: Station, *codes: str) -> None:
    for code in codes:
        outcome = station.scan(code)
        assert outcome.outcome in ("recorded", "completed"), (code, outcome)


def yields(station: Station, **filters: str) -> list[Row]:
    return station.rows("order_yield", **filters)


def test_scrap_has_its_reasons_most_first(station: Station) -> None:
    """BF-26: 20 good, 1 cracked, 3 badly painted: 83.33 %."""
    told(station, "%QTY 20", "WO-1", "%SCRAP CRACK", "WO-1", "%QTY 3", "%SCRAP PAINT", "WO-1")
    assert yields(station, work_order="WO-1") == [
        {
            "work_order": "WO-1", "item": "CHAIR", "uom": "pcs", "good": "20", "scrapped": "4",
            "reworked": "0", "yield_pct": "83.33", "first_pass_pct": "83.33",
            "scrap": [{"reason": "PAINT", "quantity": "3"}, {"reason": "CRACK", "quantity": "1"}],
        }
    ]  # fmt: skip


def test_what_was_sent_to_rework_did_not_pass_at_first(station: Station) -> None:
    """BF-28: 2 of 20 good chairs were reworked, whether they are back or not."""
    told(station, "%QTY 20", "WO-1", "%REWORK SCRATCH", "%QTY 2", "CHAIR|WO-1")
    (row,) = yields(station, work_order="WO-1")
    assert (row["reworked"], row["yield_pct"], row["first_pass_pct"]) == ("2", "100", "90")
    told(station, "%UNDO")
    assert yields(station, work_order="WO-1")[0]["first_pass_pct"] == "100"


def test_what_is_taken_back_counts_no_more(station: Station) -> None:
    """BF-31: in part, and whole."""
    told(station, "%QTY 20", "WO-1", "%QTY 5", "%SCRAP CRACK", "WO-1")
    station.scan("%UNDO WO-1 3", badge="SU")
    (row,) = yields(station, work_order="WO-1")
    assert (row["scrapped"], row["scrap"]) == ("2", [{"reason": "CRACK", "quantity": "2"}])
    station.scan("%UNDO WO-1", badge="SU")
    assert yields(station, work_order="WO-1")[0]["scrap"] == []


def test_units_before_go_live_count_and_have_no_reason(station: Station) -> None:
    """Orders of which nothing ended are left out."""
    (row,) = yields(station)
    assert (row["work_order"], row["yield_pct"], row["scrap"]) == ("WO-2", "87.5", [])


def test_an_order_that_is_not_there_is_wrong_input(station: Station) -> None:
    with pytest.raises(InputError, match="no work order 'WO-9'"):
        yields(station, work_order="WO-9")

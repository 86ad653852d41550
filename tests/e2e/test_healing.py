"""Shortages heal by themselves, as the commands tell it (BF-22)."""

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.station.booking import Booking
from mes_terminal.station.loading import LoadOrder, load
from tests.e2e.station_process import PATIENCE_S, PLANT, Station

RECEIPT = "reference,item,lot,location,quantity,effective_at\nR-9,SEAT,,LINE,50,2026-01-02\n"
SHORT = "reference,item,lot,location,quantity,effective_at\nR-1,LEG,L-1,LINE,100,2026-01-01\n"


@pytest.fixture
def short(tmp_path: Path) -> Station:
    """Ten chairs are made and not one seat is in the books."""
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in (PLANT | {"receipts": SHORT}).items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.scan("WO-1")
    (folder / "receipts.csv").write_text(SHORT + RECEIPT.splitlines()[1] + "\n")
    (opened,) = station.rows("exceptions")
    assert (opened["status"], opened["quantity"]) == ("open", "10")
    return station


def healed(station: Station) -> None:
    (row,) = station.rows("exceptions")
    assert (row["status"], row["quantity"]) == ("resolved", "0")
    assert row["resolution"] == "posted after receipt R-9: 10 pcs"
    (stock,) = station.rows("stock", "--item", "SEAT")
    assert stock["quantity"] == "40"
    resolved = station.rows("outbox")[-1]
    assert resolved["type"] == "io.mes-terminal.exception.resolved.v1"
    data = resolved["event"]["data"]
    assert data["fixed_by"]["subject"] == "R-9"
    report = station.rows("journal")[0]["scan_id"]
    assert data["report_id"] == report
    assert station.rows("movements")[-1]["report_id"] == report
    station.run("doctor")


def test_a_load_of_receipts_heals_before_the_command_ends(short: Station) -> None:
    short.run("load", str(short.folder / "plant"))
    healed(short)


def test_a_load_through_the_running_core_heals_before_it_ends(short: Station) -> None:
    with short.start_core() as core:
        short.run("load", str(short.folder / "plant"))
        healed(short)
        core.terminate()
        assert core.wait(PATIENCE_S) == 0


def test_what_a_stop_left_to_heal_is_posted_at_the_next_start(short: Station) -> None:
    """BF-22: the change was applied, and the power failed before its exceptions were tried."""
    booking = Booking(short.database, StationRules(zone=ZoneInfo("Europe/Berlin")))
    folder = short.folder / "plant"
    assert load(booking, folder, LoadOrder(folder=str(folder))).faults == []
    booking.close()
    assert short.rows("exceptions")[0]["status"] == "open"
    short.scan("%HELP")
    healed(short)


NESTED = {
    "items": "item,tracking,kind\nTABLE,lot,\nTOP,none,\nBOARD,none,\n",
    "boms": "item,revision\nTABLE,A\nTOP,A\n",
    "bom_lines": "item,revision,line,component,quantity,supply_location\n"
    "TABLE,A,10,TOP,1,FG\nTOP,A,10,BOARD,1,\n",
    "receipts": "reference,item,location,quantity,effective_at\nR-1,BOARD,LINE,100,2026-01-01\n",
    "work_orders": "work_order,item,quantity,status\nWO-T,TABLE,6,released\nWO-P,TOP,9,released\n",
}


@pytest.mark.parametrize("with_core", [False, True])
def test_the_same_scans_heal_the_same_in_one_command_or_in_many(
    tmp_path: Path, with_core: bool
) -> None:
    """BF-22, invariant 5: what a scan lets heal is posted before the next scan is handled."""
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in NESTED.items():
        (folder / f"{name}.csv").write_text(text)
    codes = ["%QTY 4", "WO-T", "%QTY 3", "WO-P", "%QTY 1", "WO-T", "%QTY 5", "WO-P"]
    ledgers = []
    for name, groups in (("one", [codes]), ("many", [[code] for code in codes])):
        (tmp_path / name).mkdir()
        station = Station(tmp_path / name)
        station.run("load", str(folder))
        if with_core:
            with station.start_core() as core:
                for group in groups:
                    station.scan(*group)
                core.terminate()
                assert core.wait(PATIENCE_S) == 0
        else:
            for group in groups:
                station.scan(*group)
        keys = ("sequence", "item", "lot", "from", "to", "quantity", "kind")
        ledgers.append([[row[key] for key in keys] for row in station.rows("movements")])
        assert [row["status"] for row in station.rows("exceptions")] == ["resolved"]
        station.run("doctor")
    assert ledgers[0] == ledgers[1]

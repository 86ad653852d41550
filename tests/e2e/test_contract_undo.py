"""What `%UNDO` refuses, and what it says."""

from pathlib import Path

from tests.e2e.station_process import Station

NESTED = {
    "items": "item,tracking,kind\nFRAME,lot,manufactured\nBIKE,lot,manufactured\n"
    "TUBE,lot,purchased\n",
    "boms": "item,revision\nFRAME,A\nBIKE,A\n",
    "bom_lines": "item,revision,line,component,quantity\nFRAME,A,10,TUBE,2\nBIKE,A,10,FRAME,1\n",
    "work_orders": "work_order,item,quantity,status\nWO-F,FRAME,5,released\nWO-B,BIKE,5,released\n",
    "receipts": "reference,item,lot,location,quantity,effective_at\n"
    "R-1,TUBE,T-1,LINE,100,2026-01-01\n",
}


def test_what_was_taken_back_itself_is_no_dependent(tmp_path: Path) -> None:
    """BF-31: the message lists what depends on the report, not what did once."""
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in NESTED.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.scan("WO-F", "FRAME|WO-F", "WO-B")
    station.scan("%UNDO")
    (refused,) = station.scan("%UNDO", code=1)
    assert refused["reason"] == "has_dependents"
    assert "BIKE" not in refused["message"]

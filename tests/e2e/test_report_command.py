"""`report validation` as a user calls it, with and without a core."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.station_process import PLANT, Station


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """The small plant, all of its seats in the store."""
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in PLANT.items():
        (folder / f"{name}.csv").write_text(text.replace("SEAT,,LINE", "SEAT,,FG"))
    station.run("load", str(folder))
    yield station
    station.close()


@pytest.mark.parametrize("with_core", [False, True])
def test_it_says_what_is_wrong_and_ends_with_1_where_work_would_stop(
    station: Station, with_core: bool
) -> None:
    """Issue 5, part 7."""
    core = station.start_core() if with_core else None
    out = station.folder / "found.json"
    station.run("report", "validation", "--json", "--out", str(out), code=1)
    rows = json.loads(out.read_text())
    stops = [(row["check"], row["what"], row["where"]) for row in rows if row["severity"] == "stop"]
    assert stops == [("line_no_stock", "WO-1 20", "LINE"), ("line_no_stock", "WO-2 20", "LINE")]
    assert list(rows[0]) == ["severity", "check", "what", "where", "message", "mend"]
    text = station.run("report", "validation", code=1).stdout.decode().splitlines()
    assert text[1].startswith("2 stop, ")
    assert text[3].startswith("STOP  line_no_stock")
    assert "SUP-1" in next(line for line in text if "person_no_pin" in line)
    if core is not None:
        station.run("core", "--stop")


def test_what_stops_nothing_ends_with_0_and_a_place_that_cannot_be_written_is_told(
    station: Station,
) -> None:
    receipts = station.folder / "plant" / "receipts.csv"
    receipts.write_text(receipts.read_text() + "R-3,SEAT,,LINE,100,2026-01-01\n")
    station.run("load", str(station.folder / "plant"))
    assert b"0 stop" in station.run("report", "validation").stdout
    done = station.run("report", "validation", "--out", "/nowhere/x.txt", code=2)
    assert b"cannot be written" in done.stderr
    assert b"no database" in Station(station.folder / "plant").run(
        "report", "validation", code=2
    ).stderr  # fmt: skip

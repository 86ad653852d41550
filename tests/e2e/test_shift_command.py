"""`shift` as a user calls it, with and without a core (issue 5, part 2)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.station_process import PLANT, Station

LINE = PLANT | {
    "operators": PLANT["operators"] + "SUP-2,Bea,supervisor\nOLD,Max,operator\n",
    "reasons": "code,kind\nJAM,stop\n",
}
PIN, WRONG = b"4711\n", b"4712\n"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A line that made ten chairs, stands for a jam, and has one unknown code open."""
    station = Station(tmp_path)
    folder = tmp_path / "plant"
    folder.mkdir()
    for name, text in LINE.items():
        (folder / f"{name}.csv").write_text(text)
    station.run("load", str(folder))
    station.run("operator", "pin", "SUP-1", given=PIN)
    station.run("operator", "disable", "OLD", "--as", "SUP-1", given=PIN)
    station.run("scan", "WO-1", "%STOP JAM", "4711", code=1)
    yield station
    station.close()


def now(station: Station) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(station.run("shift", "--json").stdout)
    return found


@pytest.mark.parametrize("with_core", [False, True])
def test_a_shift_is_signed_off_by_badge_and_pin_and_printed(
    station: Station, with_core: bool
) -> None:
    """Issue 5, part 2: zero open or handed over by name; the anchor proves the log."""
    core = station.start_core() if with_core else None
    open_now = now(station)
    assert open_now["open"]["exceptions"] == [{"kind": "unknown_code", "count": 1, "unnamed": 1}]
    assert (open_now["zero_open"], open_now["open"]["stopped"]) == (False, "JAM")
    for words, given, says in (
        (["--as", "SUP-1"], PIN, b"1 of 1 open exceptions belong to nobody by name"),
        (["--as", "SUP-1", "--hand-over", "OLD"], PIN, b"The badge 'OLD' is not known here"),
        (["--as", "SUP-1", "--hand-over", "SUP-2"], WRONG, b"not the PIN of SUP-1"),
        (["--as", "OP-1", "--hand-over", "SUP-2"], PIN, b"has no PIN"),
    ):
        refused = station.run("shift", "end", *words, given=given, code=2)
        assert says in refused.stderr, refused.stderr
    assert station.rows("shift", "list") == []
    paper = station.folder / "shift.pdf"
    done = station.run(
        "shift", "end", "--as", "SUP-1", "--hand-over", "SUP-2", "--print", str(paper), "--json",
        given=PIN,
    )  # fmt: skip
    report = json.loads(done.stdout)
    assert report["handed_over"] == {"badge": "SUP-2", "name": "Bea", "count": 1}
    assert report["totals"]["items"][0]["good"] == "10"
    assert paper.read_bytes().startswith(b"%PDF")
    assert station.rows("shift", "list") == [report]
    station.run("audit", "verify", "--anchor", report["anchor"]["hash"])
    told = station.run("shift", "report", "1", "--print", str(station.folder / "shift.txt"))
    text = (station.folder / "shift.txt").read_bytes()
    assert told.stdout == text
    digest = report["anchor"]["hash"]
    assert b"  ".join(digest[at : at + 8].encode() for at in range(0, 32, 8)) in text
    station.run("shift", "report", "2", code=2)
    greeted = station.run("scan", "B:SUP-2").stdout
    assert b"Bea signed in. Handed over: unknown_code 1" in greeted
    if core is not None:
        core.terminate()


@pytest.mark.parametrize("with_core", [False, True])
def test_calls_are_acknowledged_and_stops_are_listed(station: Station, with_core: bool) -> None:
    """Issue 5, part 3: what the line called for, and how long it stood."""
    core = station.start_core() if with_core else None
    station.run("scan", "%CALL")
    (call,) = station.rows("shift", "calls", "--open")
    assert (call["times"], call["ended_by"]) == (1, None)
    refused = station.run("shift", "acknowledge", "1", "--as", "SUP-1", given=WRONG, code=2)
    assert b"not the PIN of SUP-1" in refused.stderr
    station.run("shift", "acknowledge", "1", "--as", "SUP-1", given=PIN)
    assert station.rows("shift", "calls", "--open") == []
    station.run("shift", "acknowledge", "1", "--as", "SUP-1", given=PIN, code=2)
    (stop,) = station.rows("shift", "stops")
    assert (stop["reason"], stop["ended_at"]) == ("JAM", None)
    station.run("scan", "WO-2")
    (stop,) = station.rows("shift", "stops", "--limit", "1")
    assert stop["ended_at"] is not None
    if core is not None:
        core.terminate()


def test_a_report_is_written_as_pdf_or_text_and_nothing_else(station: Station) -> None:
    """A wrong name of a file is refused before anybody signs."""
    refused = station.run(
        "shift", "end", "--as", "SUP-1", "--print", "shift.doc", given=PIN, code=2
    )
    assert b"Name a file .pdf or .txt" in refused.stderr
    lost = station.run(
        "shift", "end", "--as", "SUP-1", "--hand-over", "SUP-2", "--print", "/no/where.pdf",
        given=PIN, code=2,
    )  # fmt: skip
    assert b"shift report 1 --print" in lost.stderr
    assert len(station.rows("shift", "list")) == 1, "it is signed off all the same"

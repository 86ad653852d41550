"""Line stops and calls for material at the line (issue 5, part 3; screens: flows)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.store.database import open_database
from mes_terminal.usecases.call_material import acknowledge_call
from mes_terminal.usecases.prepare_station import prepare_station
from mes_terminal.usecases.station_view import station_view
from tests.plants import TEST_RULES, Station, open_station, plant, said

PLANT: Final = plant(
    items="item,tracking\nCHAIR,lot\nBENCH,lot\nLEG,lot\nSEAT,lot",
    boms="item,revision\nCHAIR,A\nBENCH,A",
    bom_lines="""
        item,revision,line,component,quantity,operation
        CHAIR,A,10,LEG,4,
        CHAIR,A,20,SEAT,1,
        BENCH,A,10,LEG,4,10
        """,
    routings="item,revision,operation,backflush_point\nBENCH,A,10,yes\nBENCH,A,20,yes",
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,5,released
        WO-2,BENCH,5,released
        """,
    locations="location,kind\nSTORE,store\nSCRAP,scrap",
    operators="badge,name,role\nanna,Anna,operator\nsue,Sue,supervisor",
    receipts="reference,item,lot,location,quantity\n1,LEG,L-1,LINE,400\n2,LEG,L-2,STORE,400",
    reasons="code,kind,description\nJAM,stop,Machine jammed\nTOOL,stop,\nDENT,scrap,",
)


def line(folder: Path, rules: StationRules = TEST_RULES) -> Station:
    """One line: chairs of legs and seats, of which there are no seats; benches by operations."""
    return open_station(folder, PLANT, rules)


def told(station: Station, kind: str) -> list[dict[str, Any]]:
    """Return what the events of a type say."""
    return [row["event"]["data"]["detail"] for row in station.rows("audit", type=kind)]


def stops(station: Station) -> list[tuple[str, str, bool]]:
    """Return (reason, minutes, whether it lasts), the newest first."""
    rows = station.rows("line_stops")
    return [(row["reason"], row["minutes"], row["ended_at"] is None) for row in rows]


def open_again(station: Station) -> Station:
    """Return the station after a restart."""
    db = open_database(station.db.path)
    prepare_station(db, station.rules)
    again = Station(db, station.rules)
    again.clock, again.scans = station.clock, station.scans
    return again


# Stops --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["%STOP", "%STOP NOWHERE", "%STOP DENT"])
def test_a_stop_takes_a_reason_of_its_kind(tmp_path: Path, code: str) -> None:
    """Missing, unknown, or of another kind: `reason_missing`, and the line runs."""
    station = line(tmp_path)
    assert said(station.scan(code)) == ("rejected", "reason_missing")
    assert station_view(station.db, station.rules, now=station.now).stopped is None


def test_any_text_is_a_reason_where_none_is_loaded(tmp_path: Path) -> None:
    """As for scrap and short closes; no text at all is none."""
    station = open_station(tmp_path, {k: v for k, v in PLANT.items() if k != "reasons.csv"})
    assert said(station.scan("%STOP")) == ("rejected", "reason_missing")
    assert said(station.scan("%STOP power cut")) == ("recorded", None)
    assert stops(station) == [("power cut", "0", True)]


def test_the_next_good_report_ends_the_stop_and_says_for_how_long(tmp_path: Path) -> None:
    """`line.stopped`, then `line.started` with the minutes, in the transaction of the report."""
    station = line(tmp_path)
    station.scan("B:anna")
    station.scan("%STOP JAM")
    station.scan("CHAIR", after_s=90)
    assert told(station, "line.stopped") == [{"reason": "JAM"}]
    assert [each["minutes"] for each in told(station, "line.started")] == ["1.5"]
    assert stops(station) == [("JAM", "1.5", False)]
    types = [row["type"].split(".", 1)[1] for row in station.rows("outbox")][-3:]
    assert types == [
        "mes-terminal.line.stopped.v1",
        "mes-terminal.production.completed.v1",
        "mes-terminal.line.started.v1",
    ]
    assert station.faults() == []


def test_an_operation_report_of_good_units_ends_it_too(tmp_path: Path) -> None:
    """BF-11: units that pass an operation are made at this line."""
    station = line(tmp_path)
    station.scan("%STOP TOOL")
    assert said(station.scan("%OP 10 WO-2")) == ("completed", None)
    assert stops(station) == [("TOOL", "0", False)]


@pytest.mark.parametrize(
    "codes",
    [
        ["LEG|L-1"],
        ["%START WO-1"],
        ["%SCRAP DENT", "%QTY 1", "WO-1"],
        ["nobody knows"],
        ["%END"],
        ["%HELP"],
    ],
    ids=lambda codes: codes[0],
)
def test_nothing_else_ends_it(tmp_path: Path, codes: list[str]) -> None:
    """Material, a start, scrap, a code that is no report: the line still stands."""
    station = line(tmp_path)
    station.scan("%STOP JAM")
    for code in codes:
        station.scan(code)
    assert [reason for reason, _, lasts in stops(station) if lasts] == ["JAM"]


def test_the_same_stop_again_is_already_done_and_another_reason_begins_another(
    tmp_path: Path,
) -> None:
    """The minutes until then stay with the first reason."""
    station = line(tmp_path)
    station.scan("%STOP JAM")
    assert said(station.scan("%STOP JAM", after_s=30)) == ("already_done", None)
    assert said(station.scan("%STOP TOOL", after_s=30)) == ("recorded", None)
    station.scan("CHAIR", after_s=120)
    assert stops(station) == [("TOOL", "2", False), ("JAM", "1", False)]


def test_a_report_that_ended_a_stop_and_is_taken_back_does_not_stop_the_line(
    tmp_path: Path,
) -> None:
    """BF-31 takes back what was booked; that the line ran again is no booking."""
    station = line(tmp_path)
    for code in ("%STOP JAM", "CHAIR", "%UNDO"):
        station.scan(code)
    assert stops(station) == [("JAM", "0", False)]
    assert station.faults() == []


def test_the_line_stands_across_a_restart(tmp_path: Path) -> None:
    """It is in the database; the screen says since when and why."""
    station = line(tmp_path)
    station.scan("%STOP JAM")
    station.db.close()
    again = open_again(station)
    stopped = station_view(again.db, again.rules, now=again.now).stopped
    assert stopped is not None
    assert (stopped.reason, stopped.description) == ("JAM", "Machine jammed")
    again.scan("CHAIR", after_s=60)
    assert stops(again) == [("JAM", "1", False)]


def test_a_stop_at_a_given_time_is_reckoned_by_it(tmp_path: Path) -> None:
    """`--at`: both ends by their event times; never below zero."""
    station = line(tmp_path)
    station.scan("%STOP JAM", at="2026-11-20T07:00:00.000000Z")
    station.scan("CHAIR", at="2026-11-20T06:00:00.000000Z")
    assert stops(station) == [("JAM", "0", False)]


# Calls --------------------------------------------------------------------------------------------


def calls(station: Station, **filters: str) -> list[tuple[Any, ...]]:
    """Return (item, order, times, what ended it), the newest first."""
    keys = ("item", "work_order", "times", "ended_by")
    return [tuple(row[key] for key in keys) for row in station.rows("material_calls", **filters)]


def test_a_call_names_what_the_active_order_lacks_first(tmp_path: Path) -> None:
    """By the real pre-flight; `material.requested` goes upstream."""
    station = line(tmp_path)
    station.scan("%START WO-1")
    assert said(station.scan("%CALL")) == ("recorded", None)
    assert calls(station) == [("SEAT", "WO-1", 1, None)]
    assert told(station, "material.requested") == [
        {"item": "SEAT", "work_order": "WO-1", "location": "LINE", "times": 1}
    ]
    assert station.rows("outbox")[-1]["type"] == "io.mes-terminal.material.requested.v1"


def test_a_second_call_for_the_same_cause_raises_its_counter(tmp_path: Path) -> None:
    """Screens 8: one alarm a cause with a counter."""
    station = line(tmp_path)
    station.scan("%START WO-1")
    for _ in range(3):
        station.scan("%CALL")
    assert calls(station) == [("SEAT", "WO-1", 3, None)]
    view = station_view(station.db, station.rules, now=station.now)
    assert [(each.item, each.times) for each in view.calls] == [("SEAT", 3)]
    assert station.rows("material_calls", open="1") == station.rows("material_calls")


def _mount(station: Station) -> None:
    station.load(plant(receipts="reference,item,lot,location,quantity\n9,SEAT,S-1,STORE,9"))
    assert calls(station, open="1"), "it has come to the store, not to the line"
    station.scan("SEAT|S-1")


def _receive(station: Station) -> None:
    station.load(plant(receipts="reference,item,lot,location,quantity\n9,SEAT,S-1,LINE,9"))


def _move(station: Station) -> None:
    station.load(plant(receipts="reference,item,lot,location,quantity\n9,SEAT,S-1,STORE,9"))
    station.scan("%MOVE LINE")
    station.scan("SEAT|S-1")


def _see(station: Station) -> None:
    station.scan("%CALL", badge="sue")


@pytest.mark.parametrize(
    ("comes", "by"),
    [(_mount, "mounted"), (_receive, "received"), (_move, "received"), (_see, "supervisor")],
)
def test_a_call_ends_when_its_item_comes_or_a_supervisor_sees_to_it(
    tmp_path: Path, comes: Callable[[Station], None], by: str
) -> None:
    """Mounted, moved, received where it is lacking, or acknowledged by a supervisor's `%CALL`."""
    station = line(tmp_path)
    for code in ("%START WO-1", "%CALL"):
        station.scan(code)
    comes(station)
    assert calls(station) == [("SEAT", "WO-1", 1, by)]
    assert [each["by"] for each in told(station, "material.call_ended")] == [by]
    assert station_view(station.db, station.rules, now=station.now).calls == []
    assert station.faults() == []


def test_other_material_does_not_answer_a_call(tmp_path: Path) -> None:
    """Legs are no seats."""
    station = line(tmp_path)
    for code in ("%START WO-1", "%CALL", "LEG|L-1"):
        station.scan(code)
    assert calls(station) == [("SEAT", "WO-1", 1, None)]


def test_with_nothing_short_the_call_is_for_the_order_and_ends_with_any_material(
    tmp_path: Path,
) -> None:
    """And without an order it is for the line."""
    station = line(tmp_path)
    station.scan("%CALL")
    for code in ("%START WO-2", "%CALL"):
        station.scan(code)
    assert calls(station) == [(None, "WO-2", 1, None), (None, None, 1, None)]
    station.scan("LEG|L-1")
    assert calls(station) == [(None, "WO-2", 1, "mounted"), (None, None, 1, "mounted")]


def test_a_supervisor_without_an_open_call_calls_too(tmp_path: Path) -> None:
    """The second scan then acknowledges it."""
    station = line(tmp_path)
    station.scan("B:sue")
    station.scan("%CALL")
    assert calls(station) == [(None, None, 1, None)]
    station.scan("%CALL")
    assert calls(station) == [(None, None, 1, "supervisor")]


def test_only_a_supervisor_acknowledges_from_the_desk_and_only_what_is_open(
    tmp_path: Path,
) -> None:
    """The use case behind `shift acknowledge`; badge and PIN are proved before."""
    station = line(tmp_path)
    station.scan("%CALL")
    db, rules, now = station.db, station.rules, station.now
    with pytest.raises(InputError, match="Only a supervisor"):
        acknowledge_call(db, 1, by="anna", rules=rules, now=now)
    acknowledge_call(db, 1, by="sue", rules=rules, now=now)
    assert calls(station) == [(None, None, 1, "supervisor")]
    with pytest.raises(InputError, match="no open call 1"):
        acknowledge_call(db, 1, by="sue", rules=rules, now=now)

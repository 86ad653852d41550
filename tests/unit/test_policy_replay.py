"""`policy --replay`: what another matrix would have done to the journal (BF-24)."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.policy import ControlMatrix
from mes_terminal.errors import InputError
from mes_terminal.store.database import open_reader
from mes_terminal.usecases.lists import LISTS
from mes_terminal.usecases.policy_replay import ReplayRow
from tests.plants import Station, open_station
from tests.unit.test_rules_policy import late, too_many, with_levels, with_short_legs
from tests.unit.test_rules_policy_levels import CASES, meet, station_with
from tests.unit.test_rules_slots import EBIKE

LONG_AGO = "2020-01-01T00:00:00.000000Z"


def replayed(station: Station, levels: Any, since: str = LONG_AGO) -> list[ReplayRow]:
    """Return what the other matrix would have answered otherwise; the reader cannot write."""
    matrix = msgspec.json.encode(ControlMatrix(levels)).decode()
    reader = open_reader(station.db.path)
    rows: list[Any] = list(LISTS["policy_replay"](reader, {"since": since, "matrix": matrix}))
    reader.close()
    return rows


def differences(station: Station, levels: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Return (code, situation, item, what it did, what it would have done)."""
    return [
        (
            row.code,
            row.situation,
            row.item,
            (row.outcome, row.reason),
            (row.would_outcome, row.would_reason),
        )
        for row in replayed(station, levels)
    ]


def test_the_same_matrix_differs_in_nothing(tmp_path: Path) -> None:
    """BF-24: whatever was met."""
    levels = {
        "over_completion": {"A": "approve", "default": "allow"},
        "implausible_close": {"default": "confirm"},
        "shortage": {"C": "reason"},
    }
    station = with_short_legs(tmp_path, levels)
    too_many(station, "AK")
    station.scan("B:SUE")
    station.scan("%QTY 12")
    station.scan("WO-2")
    station.scan("WO-2")
    station.scan("WO-6")
    station.scan("REPAIR")
    assert replayed(station, levels) == []


def test_what_was_refused_would_have_been_posted(tmp_path: Path) -> None:
    """BF-24."""
    station = with_levels(tmp_path, {})
    too_many(station, "AK")
    did = ("rejected", "over_tolerance")
    found = differences(station, {"over_completion": {"A": "allow"}})
    assert found == [("WO-1", "over_completion", "CHAIR", did, ("completed", None))]
    found = differences(station, {"over_completion": {"A": "approve"}})
    assert found == [("WO-1", "over_completion", "CHAIR", did, ("needs", "approval"))]
    assert differences(station, {"over_completion": {"B": "allow"}}) == []


def test_what_another_rule_refused_for_the_same_reason_is_no_deviation(tmp_path: Path) -> None:
    """BF-24, BF-26: more scrap than the order is for stays refused."""
    station = with_levels(tmp_path, {})
    station.scan("%QTY 500")
    station.scan("%SCRAP BROKEN")
    assert station.scan("WO-1").reason == "over_tolerance"
    assert differences(station, {"over_completion": {"default": "allow"}}) == []


def test_what_was_allowed_would_have_been_asked_about(tmp_path: Path) -> None:
    """BF-24: once, for the scan that was posted."""
    station = with_levels(tmp_path, {"over_completion": {"A": "allow"}})
    too_many(station, "AK")
    assert differences(station, {}) == [
        ("WO-1", "over_completion", "CHAIR", ("completed", None), ("rejected", "over_tolerance"))
    ]


def test_what_was_asked_about_is_judged_once(tmp_path: Path) -> None:
    """BF-24: the question is what differs, not the answer."""
    station = with_levels(tmp_path, {"over_completion": {"A": "approve"}})
    too_many(station, "AK")
    station.scan("B:SUE")
    assert differences(station, {"over_completion": {"A": "confirm"}}) == [
        ("WO-1", "over_completion", "CHAIR", ("needs", "approval"), ("needs", "confirm"))
    ]


def test_more_at_an_operation_is_found_too(tmp_path: Path) -> None:
    """BF-11, BF-24."""
    station = with_levels(tmp_path, {})
    station.scan("%START WO-2")
    station.scan("%QTY 12")
    station.scan("%OP 10")
    found = differences(station, {"over_completion": {"default": "confirm"}})
    assert [row[:3] for row in found] == [("%OP 10", "over_completion", "STOOL")]


@pytest.mark.parametrize("level", ["allow", "reason", "confirm", "approve"])
def test_a_late_reversal_that_was_refused_is_found(tmp_path: Path, level: str) -> None:
    """BF-24, BF-31."""
    station = late(tmp_path, None)
    station.scan("%UNDO", badge="AK")
    (row,) = replayed(station, {"late_reversal": {"A": level}})
    assert (row.code, row.situation, row.item_class, row.would_level) == (
        "%UNDO", "late_reversal", "A", level,
    )  # fmt: skip


def test_what_was_owed_is_found_in_the_reports(tmp_path: Path) -> None:
    """BF-20, BF-24."""
    station = with_short_legs(tmp_path, {})
    station.scan("WO-6")
    assert differences(station, {"shortage": {"C": "block"}}) == [
        ("WO-6", "shortage", "LEG", ("completed", None), ("rejected", "shortage_blocked"))
    ]
    assert differences(station, {"shortage": {"A": "block"}}) == [], "legs are of class C"


def test_what_the_matrix_blocked_for_a_shortage_is_found_and_the_policys_is_not(
    tmp_path: Path,
) -> None:
    """BF-20, BF-24."""
    station = with_short_legs(tmp_path, {"shortage": {"C": "block"}})
    station.scan("WO-6")
    assert [row[4] for row in differences(station, {})] == [("completed", None)]
    (tmp_path / "other").mkdir()
    other = with_short_legs(tmp_path / "other", {}, shortage_policy="block")
    other.scan("WO-6")
    assert differences(other, {"shortage": {"C": "confirm"}}) == []


CONFIRM = {"implausible_close": {"default": "confirm"}}


def test_a_close_of_a_moment_is_found_by_its_times(tmp_path: Path) -> None:
    """BF-24: never started; started long enough before; unit by unit; not long enough."""
    station = with_levels(tmp_path, {})
    station.scan("WO-2")
    station.scan("%START WO-3")
    station.scan("STOOL", after_s=20)
    station.scan("WO-3", after_s=20 * 60)
    assert [(row[0], row[4]) for row in differences(station, CONFIRM)] == [
        ("WO-2", ("needs", "confirm_close"))
    ]


def test_a_close_that_came_too_soon_after_the_start_is_found(tmp_path: Path) -> None:
    """BF-24: as the station itself judges it."""
    station = with_levels(tmp_path, {})
    station.scan("%START WO-2")
    station.scan("WO-2", after_s=19 * 60)
    station.scan("%START WO-3")
    station.scan("WO-3", after_s=20 * 60)
    assert [row[0] for row in differences(station, CONFIRM)] == ["WO-2"]


def test_only_what_was_scanned_since_is_judged(tmp_path: Path) -> None:
    """BF-24."""
    station = with_levels(tmp_path, {})
    too_many(station)
    since = station.now
    station.scan("%HELP")
    assert replayed(station, {"over_completion": {"A": "allow"}}, since) != []
    station.clock = station.clock.replace(hour=12)
    station.scan("%HELP")
    since = station.now
    assert replayed(station, {"over_completion": {"A": "allow"}}, since) == []
    assert replayed(station, {}, "2099-01-01T00:00:00.000000Z") == []


def test_a_filter_that_is_not_known_is_refused(tmp_path: Path) -> None:
    station = with_levels(tmp_path, {})
    with pytest.raises(InputError, match="two filters"):
        list(LISTS["policy_replay"](station.db, {"since": LONG_AGO}))
    with pytest.raises(InputError, match="cannot be read"):
        list(LISTS["policy_replay"](station.db, {"since": LONG_AGO, "matrix": "[]"}))


@pytest.mark.parametrize("name", CASES)
def test_what_was_refused_in_any_situation_is_found(tmp_path: Path, name: str) -> None:
    """BF-24: by the words of the refusal, with the item whose class decides. What was answered
    without a refusal, as before there was a matrix, is not."""
    case = CASES[name]
    station = station_with(tmp_path, case.situation, "block")
    meet(station, case)
    found = replayed(station, {case.situation: {"default": "approve"}})
    if case.blocked[0] != "rejected":
        assert found == []
        return
    (row,) = found
    item = {"substitute": ("PEG", "ROD"), "lot_on_hold": ("LEG", "MOTOR")}.get(case.situation)
    assert (row.situation, row.would_outcome, row.would_reason) == (
        case.situation, "needs", "approval",
    )  # fmt: skip
    assert (row.outcome, row.reason) == case.blocked
    assert item is None or row.item in item
    assert row.item_class == ("A" if case.situation == "reopen" else "C")


@pytest.mark.parametrize("level", ["allow", "approve"])
@pytest.mark.parametrize("name", CASES)
def test_what_was_let_pass_in_any_situation_would_have_been_refused(
    tmp_path: Path, name: str, level: str
) -> None:
    """BF-24: found once, as allowed or as asked about."""
    case = CASES[name]
    station = station_with(tmp_path, case.situation, level)
    meet(station, case)
    if level == "approve":
        station.scan("B:SUE")
    (row,) = replayed(station, {case.situation: {"default": "block"}})
    assert (row.situation, row.level, row.would_outcome) == (case.situation, level, "rejected")
    assert replayed(station, {case.situation: {"default": level}}) == []


def test_each_component_that_lacked_serials_is_judged(tmp_path: Path) -> None:
    """BF-18, BF-24: the strictest class decides."""
    station = open_station(tmp_path, EBIKE)
    station.scan("WO-1")
    (row,) = replayed(station, {"serial_missing": {"default": "allow"}})
    assert (row.situation, row.outcome, row.would_outcome) == (
        "serial_missing", "rejected", "completed",
    )  # fmt: skip
    assert row.item == "MOTOR"

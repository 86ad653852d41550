"""A scanner that stays away, or reads nothing readable, is an exception that ends by itself."""

from pathlib import Path

import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.scanner_health import (
    AWAY_MAX_S,
    UNREADABLE_MAX,
    ScannerHealth,
    changed,
    is_well,
    read,
    trouble_of,
)
from mes_terminal.domain.view import ScannerState
from mes_terminal.usecases.resolve_exceptions import resolve_exception
from mes_terminal.usecases.watch_scanners import note_scanners
from tests.plants import Station, open_station, plant

AT = "2026-11-20T08:00:00.000000Z"
LATER = plus_seconds(AT, AWAY_MAX_S + 1)
GONE = changed(ScannerHealth("ready", AT), "gone", "st10 was unplugged", now=AT)
PLANT = plant(
    items="item\nLEG",
    operators="badge,name,role\nSUP,Sue,supervisor",
    reasons="code,kind\nBROKEN,write_off",
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    return open_station(tmp_path, PLANT)


def watch(station: Station, health: dict[str, ScannerHealth], now: str) -> None:
    """Let the station look at its scanners."""
    troubles = {name: trouble_of(each, now=now) for name, each in health.items()}
    note_scanners(
        station.db,
        station.rules,
        troubles={name: each for name, each in troubles.items() if each is not None},
        well=[name for name, each in health.items() if is_well(each)],
        configured=list(health),
        now=now,
    )


@pytest.mark.parametrize("state", ["absent", "opening", "gone", "denied", "busy", "fault"])
def test_a_scanner_that_stays_away_is_opened_once(station: Station, state: ScannerState) -> None:
    """Issue 5, 1: `scanner`, at the moment it went, however long it lasts."""
    away = changed(ScannerHealth("ready", AT), state, "st10 does not answer", now=AT)
    watch(station, {"st10": away}, plus_seconds(AT, AWAY_MAX_S))
    assert station.rows("exceptions") == [], "a cable is plugged in again within a minute"
    for seconds in (61, 600, 6000):
        watch(station, {"st10": away}, plus_seconds(AT, seconds))
    (row,) = station.rows("exceptions")
    assert (row["kind"], row["severity"], row["opened_at"]) == ("scanner", "warn", AT)
    assert row["cause"] == "st10: st10 does not answer"
    (told,) = station.rows("exception_stories", ids="1")
    assert told["cause_code"] == f"scanner:{state}"
    assert told["proposals"][0]["how"] == "mend"
    (event,) = station.rows("outbox", type="exception.opened")
    assert event["event"]["data"]["detail"]["scanner"] == "st10"
    assert station.faults() == []


def test_it_ends_by_itself_and_says_how_long_it_was_away(station: Station) -> None:
    watch(station, {"st10": GONE}, LATER)
    back_at = plus_seconds(AT, 754)
    watch(station, {"st10": changed(GONE, "ready", "", now=back_at)}, back_at)
    (row,) = station.rows("exceptions")
    assert (row["status"], row["resolution"]) == (
        "resolved", "st10 works again, after 12 min 34 s",
    )  # fmt: skip
    (event,) = station.rows("outbox", type="exception.resolved")
    assert event["event"]["data"]["exceptions"][0]["id"] == row["id"]
    assert station.faults() == []


def test_states_between_do_not_begin_anew(station: Station) -> None:
    """It is away since it was last ready, whatever it tries meanwhile."""
    opening = changed(GONE, "opening", "", now=plus_seconds(AT, 50))
    watch(station, {"st10": opening}, LATER)
    assert [row["opened_at"] for row in station.rows("exceptions")] == [AT]


def test_reads_that_are_no_codes_are_told_and_end_with_the_first_code(station: Station) -> None:
    health = ScannerHealth("ready", AT)
    for _ in range(UNREADABLE_MAX - 1):
        health = read(health, is_code=False, now=AT)
    watch(station, {"st10": health}, LATER)
    assert station.rows("exceptions") == []
    health = read(health, is_code=False, now=AT)
    watch(station, {"st10": health}, LATER)
    (told,) = station.rows("exception_stories", ids="1")
    assert told["cause_code"] == "scanner:unreadable"
    assert told["cause"] == "st10: 10 reads in a row were no codes"
    watch(station, {"st10": read(health, is_code=True, now=LATER)}, LATER)
    assert station.rows("exceptions")[0]["status"] == "resolved"


def test_what_a_person_ended_is_not_told_again_until_it_was_there_in_between(
    station: Station,
) -> None:
    """BF-23: written off, because it is being mended elsewhere."""
    watch(station, {"st10": GONE}, LATER)
    decision = Decision(how="write_off", reason="BROKEN")
    resolve_exception(station.db, 1, decision, by="SUP", rules=station.rules, now=station.now)
    watch(station, {"st10": GONE}, plus_seconds(AT, 900))
    assert len(station.rows("exceptions")) == 1
    back_at = plus_seconds(AT, 1000)
    gone_at = plus_seconds(AT, 2000)
    again = changed(changed(GONE, "ready", "", now=back_at), "gone", "", now=gone_at)
    watch(station, {"st10": again}, plus_seconds(AT, 3000))
    assert [row["status"] for row in station.rows("exceptions")] == ["resolved", "open"]


def test_one_that_is_not_in_the_settings_any_more_is_nobodys_business(station: Station) -> None:
    watch(station, {"st10": GONE, "st20": GONE}, LATER)
    watch(station, {"st20": GONE}, plus_seconds(AT, 900))
    rows = {row["cause"][:4]: row for row in station.rows("exceptions")}
    assert rows["st10"]["resolution"] == "st10 is not in the settings any more, after 15 min 0 s"
    assert rows["st20"]["status"] == "open"


def test_where_nothing_changes_nothing_is_written(station: Station) -> None:
    before = station.ledger()
    watch(station, {"st10": ScannerHealth("ready", AT)}, LATER)
    assert station.ledger() == before

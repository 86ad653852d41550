"""What waited in the journal when the station stopped: booked once each, told, and asked about."""

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.station_process import Station


@pytest.fixture
def station(tmp_path: Path) -> Station:
    station = Station(tmp_path)
    station.load_plant()
    station.scan("%START WO-1")
    return station


def left_waiting(station: Station, *codes: bytes, at: datetime | None = None) -> None:
    """Journal codes as a station does that is killed before it handles them."""
    now = (at or datetime.now(UTC)).isoformat(timespec="microseconds")[:26] + "Z"
    with sqlite3.connect(station.database) as connection:
        connection.executemany(
            """
            INSERT INTO scan_journal (scan_seq, scan_id, received_at, device, raw, truncated)
            SELECT max(scan_seq) + 1, printf('0199aaaa-0000-7000-8000-%012d', max(scan_seq) + 1),
                   ?, 'cli', ?, 0
              FROM scan_journal
            """,
            [(now, code) for code in codes],
        )
    connection.close()


def test_equal_codes_that_waited_are_each_booked(station: Station) -> None:
    """BF-13, BF-34: an unserialised unit scanned twice before the stop is two units."""
    left_waiting(station, b"CHAIR", b"CHAIR", b"CHAIR")
    done = station.run("scan", "%HELP")
    assert done.stderr.count(b"Booked before the stop") == 3
    assert station.rows("orders")[0]["completed"] == "3"


def test_every_code_booked_before_the_stop_asks_once(station: Station) -> None:
    """BF-13: the first equal unserialised code within 60 s `needs`/`confirm_repeat`."""
    left_waiting(station, b"CHAIR", b"%QTY 2", b"WO-2")
    asked = station.scan("CHAIR", "CHAIR", "CHAIR", "WO-2", "WO-2", code=1)
    assert [(each["outcome"], each["reason"]) for each in asked] == [
        ("needs", "confirm_repeat"),
        ("completed", None),
        ("completed", None),
        ("needs", "confirm_repeat"),
        ("completed", None),
    ]


def test_a_minute_later_nothing_asks(station: Station) -> None:
    """BF-13: within 60 s only."""
    left_waiting(station, b"CHAIR")
    station.scan("%HELP")
    station.environment["MES_TERMINAL_STATION__MODE"] = "test"
    later = (datetime.now(UTC) + timedelta(seconds=75)).isoformat()
    assert station.scan("--at", later, "CHAIR")[0]["outcome"] == "completed"


def test_recovered_scans_are_told_on_standard_error_only(station: Station) -> None:
    """Never on standard output: one outcome a line for the codes given."""
    left_waiting(station, b"CHAIR", b"nonsense")
    done = station.run("scan", "--json", "%HELP")
    assert done.stdout.count(b"\n") == 1
    assert b"Do not scan it again" in done.stderr
    assert [row["status"] for row in station.rows("journal")] == ["done"] * 4


def test_who_confirmed_the_clock_stands_in_the_audit(station: Station) -> None:
    """BF-33: the supervisor whose badge it was, whoever is signed in."""
    station.scan("B:OP-1")
    left_waiting(station, b"%HELP", at=datetime.now(UTC) + timedelta(hours=2))
    station.scan("%HELP")
    station.scan("B:SUP-1", "B:SUP-1", code=1)
    entry = station.rows("audit")[-1]
    assert (entry["type"], entry["person"]) == ("io.mes-terminal.clock.confirmed.v1", "SUP-1")

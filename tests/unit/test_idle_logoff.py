"""Who has not scanned for long is signed out, by true readings of the clock only (BF-33; issue 5,
part 3)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pytest

from mes_terminal.domain.instants import format_instant
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.rules import StationRules
from mes_terminal.station import booking as booking_module
from mes_terminal.station.booking import Booking
from mes_terminal.store.database import SqliteError
from mes_terminal.usecases.station_view import station_view
from tests.plants import MORNING, memory_folder, open_station, plant

RULES: Final = StationRules(mode="test", idle_logoff_s=600)
PLANT: Final = plant(
    items="item,tracking\nCHAIR,lot\nLEG,lot",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,99,released",
    operators="badge,name,role\nanna,Anna,operator\nben,Ben,operator",
    receipts="reference,item,lot,location,quantity\n1,LEG,L-1,LINE,400",
)


class Desk:
    """A booking whose clock is the test's."""

    def __init__(self, folder: Path, rules: StationRules, clock: "Clock") -> None:
        self.folder, self.rules, self.clock = folder, rules, clock
        self.booking = Booking(folder / "station.db", rules)

    def scan(self, code: str, *, after_s: float = 1, **given: Any) -> Outcome:
        """Journal and handle one code, so much later by the clock."""
        self.clock.now += timedelta(seconds=after_s)
        request = self.booking.request_for(code.encode(), device="test", **given)
        return self.booking.book(request)

    def restart(self) -> None:
        """Close the database and open it again."""
        self.booking.close()
        self.booking = Booking(self.folder / "station.db", self.rules)

    def person(self) -> str | None:
        """Return who is signed in."""
        now = format_instant(self.clock.now)
        return station_view(self.booking.db, self.rules, now=now).person

    def sign_outs(self) -> list[tuple[str, str | None]]:
        """Return (event time, reason) of the events of signing out."""
        return self.booking.db.conn.execute(
            "SELECT event_time, reason FROM event WHERE type = 'signed_out' ORDER BY event_seq"
        ).fetchall()


class Clock:
    """What `utc_now` reads."""

    def __init__(self) -> None:
        self.now: datetime = MORNING


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    yield from opened(tmp_path, RULES, monkeypatch)


def opened(folder: Path, rules: StationRules, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Yield a booking at the plant above."""
    open_station(folder, PLANT, rules).db.close()
    clock = Clock()
    monkeypatch.setattr(booking_module, "utc_now", lambda: format_instant(clock.now))
    desk = Desk(folder, rules, clock)
    yield desk
    desk.booking.close()


def test_who_has_not_scanned_for_long_is_signed_out_before_the_next_scan(desk: Desk) -> None:
    """That scan is by nobody; the event says why and since when."""
    desk.scan("B:anna")
    desk.scan("CHAIR", after_s=599)
    assert desk.person() == "anna"
    desk.scan("CHAIR", after_s=600)
    assert desk.person() is None
    person: Any = desk.booking.db.conn.execute(
        "SELECT person FROM report ORDER BY report_seq DESC LIMIT 1"
    ).fetchone()
    assert person == (None,)
    assert desk.sign_outs() == [(format_instant(desk.clock.now), "idle")]


def test_where_signing_in_is_required_that_scan_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`report.require_sign_in`: nothing is booked under a name that may have gone."""
    rules = StationRules(mode="test", idle_logoff_s=600, require_sign_in=True)
    for desk in opened(tmp_path, rules, monkeypatch):
        desk.scan("B:anna")
        refused = desk.scan("CHAIR", after_s=601)
        assert (refused.outcome, refused.reason) == ("rejected", "not_authorised")
        assert desk.scan("B:anna").message == "Anna signed in"
        assert desk.scan("CHAIR").outcome == "completed"


def test_the_badge_after_an_idle_log_off_signs_in(desk: Desk) -> None:
    """Not out: nobody was signed in any more."""
    desk.scan("B:anna")
    assert desk.scan("B:anna", after_s=601).message == "Anna signed in"
    assert desk.person() == "anna"


def test_the_time_that_passes_signs_out_without_a_scan(desk: Desk) -> None:
    """The core's tick: once, and nobody is asked again before the next scan."""
    desk.scan("B:anna")
    desk.clock.now += timedelta(seconds=599)
    desk.booking.rest()
    assert desk.person() == "anna"
    desk.clock.now += timedelta(seconds=1)
    desk.booking.rest()
    assert desk.person() is None
    desk.clock.now += timedelta(seconds=600)
    desk.booking.rest()
    assert len(desk.sign_outs()) == 1


def test_zero_means_never(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`people.idle_logoff_s = 0`."""
    rules = StationRules(mode="test", idle_logoff_s=0)
    for desk in opened(tmp_path, rules, monkeypatch):
        desk.scan("B:anna")
        desk.scan("CHAIR", after_s=100_000)
        assert desk.person() == "anna"


def test_a_time_that_is_given_is_never_judged(desk: Desk) -> None:
    """BF-33: hours apart by `--at`, seconds apart by the clock."""
    desk.scan("B:anna", at="2026-11-20T05:00:00Z")
    desk.scan("CHAIR", at="2026-11-20T15:00:00Z")
    assert desk.person() == "anna"


def test_a_scan_under_another_badge_keeps_nobody_signed_in(desk: Desk) -> None:
    """`--as` is that person's scan, not the one's who is signed in."""
    desk.scan("B:anna")
    for _ in range(3):
        desk.scan("CHAIR", badge="ben", after_s=250)
    assert desk.person() is None


def test_a_clock_that_was_set_back_signs_nobody_out(desk: Desk) -> None:
    """BF-33: it is noticed, and no time has passed."""
    desk.scan("B:anna")
    desk.clock.now -= timedelta(hours=2)
    desk.scan("CHAIR")
    assert desk.person() == "anna"


def test_the_time_counts_across_a_restart(desk: Desk) -> None:
    """The journal has when the last scan was read."""
    desk.scan("B:anna")
    desk.scan("CHAIR", badge="ben", after_s=300)
    desk.restart()
    desk.clock.now += timedelta(seconds=300)
    desk.booking.rest()
    assert desk.person() is None


def test_a_scan_that_waited_at_a_stop_is_still_its_own(desk: Desk) -> None:
    """BF-13: it was journalled while she was there, and is booked under her name after it."""
    desk.scan("B:anna")
    request = desk.booking.request_for(b"CHAIR", device="test")
    desk.booking.journal([request])
    desk.clock.now += timedelta(hours=9)
    desk.restart()
    assert [each.outcome for each in desk.booking.recover()] == ["completed"]
    assert desk.booking.db.conn.execute("SELECT person FROM report").fetchall() == [("anna",)]
    desk.booking.rest()
    assert desk.person() is None


def test_a_disk_that_refuses_the_sign_out_ends_nothing(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The core goes on, tells that it is alive, and tries again."""

    def full(*_: object, **__: object) -> bool:
        raise SqliteError("database or disk is full")

    desk.scan("B:anna")
    desk.clock.now += timedelta(seconds=601)
    with monkeypatch.context() as patch:
        patch.setattr(booking_module, "sign_out_idle", full)
        desk.booking.rest()
    assert desk.person() == "anna"
    desk.booking.rest()
    assert desk.person() is None


def test_until_the_time_has_passed_it_costs_no_statement(desk: Desk) -> None:
    """The plain close is what it was."""
    desk.scan("B:anna")
    statements: list[str] = []
    desk.booking.db.conn.set_trace_callback(statements.append)
    desk.booking._sign_out_idle(format_instant(desk.clock.now))
    desk.booking.db.conn.set_trace_callback(None)
    assert statements == []


def test_replaying_the_scans_and_the_sign_outs_gives_the_same_ledger(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Invariant 5: by the readings of the journal alone, whether a scan or time noticed it."""
    for code, after_s in (
        *(("B:anna", 1), ("CHAIR", 601), ("B:anna", 5), ("CHAIR", 5)),
        *(("%STOP x", 700), ("B:ben", 1), ("CHAIR", 599), ("%CALL", 601)),
    ):
        desk.scan(code, after_s=after_s)
    readings: list[Any] = desk.booking.db.conn.execute(
        "SELECT received_at, raw FROM scan_journal ORDER BY scan_seq"
    ).fetchall()
    with memory_folder() as there:
        for second in opened(there, RULES, monkeypatch):
            for received_at, raw in readings:
                second.clock.now = datetime.fromisoformat(received_at)
                second.scan(raw.decode(), after_s=0)
            assert ledger(second) == ledger(desk)


def ledger(desk: Desk) -> dict[str, Any]:
    """Return what the scans led to; ids of scans are made anew."""
    conn = desk.booking.db.conn
    return {
        table: conn.execute(f"SELECT {columns} FROM {table}").fetchall()
        for table, columns in {
            "event": "type, event_time, recorded_at, person, reason",
            "report": "report_seq, kind, good_micro, person",
            "movement": "*",
            "scan_outcome": "outcome, reason, message, event_seq",
            "station_state": "*",
            "line_stop": "*",
        }.items()
    }

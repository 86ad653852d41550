"""The scanners of the settings are watched by the station: from their states to the exception."""

from pathlib import Path

import pytest

from hardware.frame import FrameKind, ScanFrame
from hardware.reconnect import ScannerState, StateChange
from mes_terminal.domain.instants import plus_seconds
from mes_terminal.domain.scanner_health import AWAY_MAX_S, UNREADABLE_MAX
from mes_terminal.settings.tables import ScannerTable, Settings, StationTable
from mes_terminal.station import scanners as module
from mes_terminal.station.booking import Booking
from mes_terminal.station.scanners import Scanners

AT = "2026-11-20T08:00:00.000000Z"


class Watched:
    """A station with one scanner, whose clock the test sets."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = AT
        monkeypatch.setattr(module, "utc_now", lambda: self.now)
        table = ScannerTable(driver="simulated", port=str(folder / "st10"))
        settings = Settings(station=StationTable(mode="test"), scanner={"st10": table})
        self.booking = Booking(folder / "station.db", settings.rules())
        self.taken: list[ScanFrame] = []
        self.scanners = Scanners(
            settings, scanned=self.taken.append, ignored=self.taken.append, changed=lambda: None
        )

    def change(self, state: ScannerState, *, after_s: float = 0) -> None:
        self.now = plus_seconds(self.now, after_s)
        self.scanners._change(StateChange("st10", state, state.value, f"st10 is {state.value}"))

    def read(self, frame: ScanFrame) -> None:
        self.scanners._take(frame)

    def exceptions(self, *, after_s: float = 0) -> list[tuple[str, str, str | None]]:
        """Let the station look, and return what stands on the desk."""
        self.now = plus_seconds(self.now, after_s)
        self.scanners.watch(self.booking)
        return list(
            self.booking.db.conn.execute("SELECT cause_code, status, resolution FROM exception")
        )


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Watched:
    return Watched(tmp_path, monkeypatch)


def test_one_that_was_never_there_is_told_after_a_minute(watched: Watched) -> None:
    """Issue 5, 1: it counts from the start of the station."""
    watched.change(ScannerState.ABSENT, after_s=30)
    assert watched.exceptions(after_s=AWAY_MAX_S - 31) == []
    assert watched.exceptions(after_s=2) == [("scanner:absent", "open", None)]


def test_one_that_comes_and_goes_is_told_only_when_it_stays_away(watched: Watched) -> None:
    for _ in range(3):
        watched.change(ScannerState.READY, after_s=40)
        watched.change(ScannerState.GONE, after_s=40)
    assert watched.exceptions(after_s=AWAY_MAX_S) == []
    assert watched.exceptions(after_s=1) == [("scanner:gone", "open", None)]
    watched.change(ScannerState.READY, after_s=9)
    assert watched.exceptions() == [
        ("scanner:gone", "resolved", "st10 works again, after 1 min 10 s")
    ]


def test_frames_that_are_no_codes_count_and_double_reads_do_not(watched: Watched) -> None:
    watched.change(ScannerState.READY)
    watched.read(ScanFrame(raw=b"WO-1", device="st10", at_s=0.0))
    half: FrameKind = "incomplete"
    for kind in ("duplicate", *[half] * (UNREADABLE_MAX - 1)):
        watched.read(ScanFrame(raw=b"?", device="st10", at_s=0.0, kind=kind))
    assert watched.exceptions() == []
    watched.read(ScanFrame(raw=b"NOREAD", device="st10", at_s=0.0, kind="noread"))
    assert watched.exceptions() == [("scanner:unreadable", "open", None)]

"""What the station does between scans, and not inside one."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import ScanRequest
from mes_terminal.station import healing
from mes_terminal.station.booking import GARBAGE_MIN, Booking
from mes_terminal.store.database import SqliteError


class Knot:
    """An object that refers to itself: only the collector can free it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture
def collector_off() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("collector_off")
def test_garbage_is_collected_between_scans_even_when_nobody_scans(tmp_path: Path) -> None:
    booking = Booking(tmp_path / "s.db", StationRules())
    first = weakref.ref(Knot())
    for _ in range(GARBAGE_MIN):
        Knot()
    assert first() is not None
    booking.tidy(idle=True)
    assert first() is None
    booking.close()


@pytest.mark.parametrize(
    ("fault", "tries"), [(SqliteError("database or disk is full"), 2), (KeyError("a bug"), 1)]
)
def test_a_healing_that_fails_harms_no_scan(
    fault: Exception, tries: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """BF-22: the disk is tried again after the next scan, a fault of ours at the next start."""
    tried: list[str] = []

    def failing(*_: object, now: str) -> bool:
        tried.append(now)
        raise fault

    monkeypatch.setattr(healing, "heal", failing)
    booking = Booking(tmp_path / "s.db", StationRules())
    for _ in range(2):
        booking.heal_all()
        outcome = booking.book(ScanRequest(raw=b"%HELP", device="test"))
        assert outcome.outcome == "recorded"
    assert len(tried) == tries
    booking.close()

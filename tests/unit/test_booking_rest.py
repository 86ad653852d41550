"""What the station does between scans, and not inside one."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.station.booking import GARBAGE_MIN, Booking


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

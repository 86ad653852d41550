"""A receiver that has no room, is busy or broken, and a station whose clock jumps (UP-4, UP-6)."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.upstream.faulty_proxy import Faults
from tests.upstream.floor import StationProcess, books_agree, wait_until
from tests.upstream.servers import Postgres, Server
from tests.upstream.test_faults import PLANT, Road, begin, work

Own = Callable[[type[Server]], Server]
ROOM = "160m"
"""What a new cluster takes, and some more."""


class SmallPostgres(Postgres):
    """A cluster on a file system of its own that is soon full."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.mount = Path(tempfile.mkdtemp(prefix="mes-small-"))
        owner = f"uid={self._user.pw_uid}," if self._user is not None else ""
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"{owner}size={ROOM},mode=0755", "tmpfs", self.mount],
            check=True,
        )
        self._data = self.mount / "data"

    @classmethod
    def missing(cls) -> str | None:
        return super().missing() or ("" if os.getuid() == 0 else "only root mounts a file system")

    def stop(self) -> None:
        super().stop()
        subprocess.run(["umount", self.mount], check=False)
        self.mount.rmdir()

    @contextmanager
    def full(self) -> Iterator[None]:
        """Leave no room for the block."""
        filler = self.mount / "filler"
        with filler.open("wb") as stream:
            try:
                while True:
                    stream.write(bytes(65_536))
                    stream.flush()
            except OSError:
                pass
        yield
        filler.unlink()


def test_a_receiver_without_room_takes_nothing_half(
    tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-4: the disk under PostgreSQL is full; stations keep what they have until there is room."""
    road = Road("http", tmp_path, own_server, postgres=SmallPostgres)
    small = road.postgres
    assert isinstance(small, SmallPostgres)
    road.site.start()
    station = road.station()
    close(road, station)
    station.start()
    work(station, 20)
    station.wait_delivered()
    with small.full():
        for _ in range(40):  # until what PostgreSQL had set aside is used up
            work(station, 20)
            if station.waiting() > 100:
                break
        assert station.waiting() > 0
    if not small.answers():  # it ended itself when it could not write its log
        small.start()
    station.wait_delivered(patience_s=120)
    books_agree(road.site, station)


def test_a_busy_and_a_broken_receiver_get_everything_once(
    tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-4: 429 with Retry-After is obeyed; 500 after the effect does not double it."""
    road, station = begin(
        "http", tmp_path, own_server, close, faults=Faults(busy=0.15, broken=0.15)
    )
    assert road.proxy is not None
    while not (road.proxy.happened["busy"] and road.proxy.happened["broken"]):
        work(station, 20)
        station.wait_delivered(patience_s=120)
    books_agree(road.site, station)


JUMPING = """
import sys
from datetime import timedelta
from pathlib import Path
import mes_terminal.station.clock as clock
offset = Path(sys.argv.pop(1))
class Jumping(clock.datetime):
    @classmethod
    def now(cls, zone=None):
        return super().now(zone) + timedelta(hours=float(offset.read_text()))
clock.datetime = Jumping
from mes_terminal.__main__ import main
main()
"""
"""The program with a wall clock that is ahead by the hours that a file says."""


class JumpingStation(StationProcess):
    """A station whose clock is set while it runs."""

    def command(self, *words: str) -> list[str]:
        offset = self.folder / "hours"
        if not offset.exists():
            offset.write_text("0")
        return [sys.executable, "-c", JUMPING, str(offset), "--config", str(self.config), *words]

    def set_clock(self, hours: float) -> None:
        """Set the clock so many hours ahead of what it was at first; below zero: back."""
        passing = self.folder / "hours.new"
        passing.write_text(str(hours))
        passing.replace(self.folder / "hours")


@pytest.mark.parametrize("kind", ["http", "nats"])
def test_a_clock_that_jumps_changes_nothing_of_the_delivery(
    kind: str, tmp_path: Path, own_server: Own, close: Callable[..., None]
) -> None:
    """UP-4: set back by days and ahead by weeks, with a receiver that is away in between."""
    road = Road(kind, tmp_path, own_server)
    road.site.start()
    station = JumpingStation(tmp_path, "LINE1", road.upstream, PLANT)
    close(road, station)
    station.start()
    for hours in (0, 30, -49, 24 * 20, -1):
        station.set_clock(hours)
        work(station, 15)
        road.site.kill()
        station.set_clock(hours + 5)
        work(station, 15)
        road.site.start()
    station.wait_delivered(patience_s=120)
    wait_until(
        lambda: any(row["kind"] == "clock" for row in station.rows("exceptions")),
        "nobody noticed that the clock went back",
    )
    station.wait_delivered()
    books_agree(road.site, station)

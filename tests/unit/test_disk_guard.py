"""The disk's room is watched: scanning stops in time and goes on by itself (UP-6)."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import ScanRequest
from mes_terminal.domain.view import DiskView, StationView
from mes_terminal.settings.tables import AlarmsTable
from mes_terminal.station.booking import Booking
from mes_terminal.station.disk import LOOK_EVERY_S, MEGABYTE, RESUME_MB, DiskGuard, free_bytes
from mes_terminal.station.worker import Worker
from mes_terminal.store.database import open_reader
from mes_terminal.tui import present_view as pv
from mes_terminal.tui.words import words_for
from mes_terminal.usecases.backup import make_backup
from mes_terminal.usecases.doctor import examine

RULES = StationRules(mode="test")
ALARMS = AlarmsTable(disk_warn_mb=100, disk_stop_mb=50, disk_reserve_mb=4)


class Disk:
    """A disk whose room the test says, in megabytes; the reserve takes its part of it."""

    def __init__(self, folder: Path, free_mb: float, *, alarms: AlarmsTable = ALARMS) -> None:
        self.folder = folder
        self.free_mb = free_mb
        self.asked = 0
        self.clock_s = 0.0
        self.reserve = folder / "station.db.reserve"
        self.guard = self.another(alarms, makes_reserve=True)

    def another(self, alarms: AlarmsTable = ALARMS, *, makes_reserve: bool = False) -> DiskGuard:
        """Return the guard of another process on this disk."""
        return DiskGuard(
            self.folder / "station.db", alarms, makes_reserve=makes_reserve, free=self._free,
            clock_s=lambda: self.clock_s,
        )  # fmt: skip

    def _free(self, folder: Path) -> int:
        assert folder == self.folder
        self.asked += 1
        taken = self.reserve.stat().st_size if self.reserve.exists() else 0
        return int(self.free_mb * MEGABYTE) - taken


def level_at(disk: Disk, free_mb: float) -> str:
    disk.free_mb = free_mb
    disk.guard.look()
    return disk.guard.level


def test_it_warns_stops_and_goes_on_by_itself(tmp_path: Path) -> None:
    """UP-6: at the marks, whatever the reserve does; and not back and forth at one."""
    disk = Disk(tmp_path, 1000)
    found = [
        (free_mb, level_at(disk, free_mb), disk.reserve.exists())
        for free_mb in (1000, 104, 103.9, 54, 53.9, 54, 54 + RESUME_MB - 0.1, 54 + RESUME_MB, 1000)
    ]
    assert found == [
        (1000, "room", True), (104, "room", True), (103.9, "warn", True), (54, "warn", True),
        (53.9, "stop", False), (54, "stop", False), (61.9, "stop", False), (62, "warn", True),
        (1000, "room", True),
    ]  # fmt: skip


def test_the_reserve_takes_its_room_and_is_private(tmp_path: Path) -> None:
    """Room that is only promised would be gone when it is needed."""
    disk = Disk(tmp_path, 1000)
    disk.guard.look()
    found = disk.reserve.stat()
    assert found.st_size == 4 * MEGABYTE
    assert found.st_blocks * 512 >= found.st_size
    assert found.st_mode & 0o777 == 0o600


def test_a_reserve_that_takes_no_room_or_another_is_made_anew(tmp_path: Path) -> None:
    """A copy of the folder by a program that leaves holes; another size in the settings."""
    disk = Disk(tmp_path, 1000)
    for size in (4 * MEGABYTE, 1000):
        disk.reserve.unlink(missing_ok=True)
        with disk.reserve.open("wb") as stream:
            stream.truncate(size)
        disk.guard.look()
        assert disk.reserve.stat().st_blocks * 512 >= 4 * MEGABYTE


def test_a_disk_too_small_for_the_reserve_stops_from_the_beginning(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 53)
    assert level_at(disk, 53) == "stop"
    assert not disk.reserve.exists()


def test_a_reserve_that_cannot_be_made_changes_no_mark(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "not here")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    disk = Disk(tmp_path, 1000)
    assert [level_at(disk, mb) for mb in (1000, 54, 53.9, 62)] == ["room", "warn", "stop", "warn"]
    assert not disk.reserve.exists()


def test_a_command_lets_the_reserve_go_and_never_makes_it(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 1000)
    command = disk.another()
    command.look()
    assert not disk.reserve.exists()
    disk.guard.look()
    disk.free_mb = 20
    command.look()
    assert (command.level, disk.reserve.exists()) == ("stop", False)


def test_marks_of_zero_stop_nothing_and_keep_no_reserve(tmp_path: Path) -> None:
    disk = Disk(tmp_path, 0, alarms=AlarmsTable(disk_warn_mb=0, disk_stop_mb=0))
    assert level_at(disk, 0) == "room"
    assert disk.guard.view() is None
    assert not disk.reserve.exists()


def test_a_disk_that_cannot_be_asked_leaves_what_was(tmp_path: Path) -> None:
    def refuse(_: Path) -> int:
        raise OSError(errno.EIO, "gone")

    guard = DiskGuard(tmp_path / "station.db", ALARMS, free=refuse)
    assert not guard.look()
    assert guard.level == "room"


def test_a_burst_of_scans_asks_the_disk_once_a_second(tmp_path: Path) -> None:
    """What a scan costs does not grow with how often it is scanned."""
    disk = Disk(tmp_path, 1000)
    for _ in range(100):
        assert not disk.guard.stops
    assert disk.asked == 1
    disk.clock_s += LOOK_EVERY_S
    assert not disk.guard.stops
    assert disk.asked == 2


@pytest.fixture
def disk(tmp_path: Path) -> Disk:
    return Disk(tmp_path, 1000)


@pytest.fixture
def booking(disk: Disk) -> Iterator[Booking]:
    booking = Booking(disk.folder / "station.db", RULES, disk.guard)
    yield booking
    booking.close()


def scan(booking: Booking, code: str) -> Outcome:
    return booking.book(booking.request_for(code.encode(), device="test"))


def scans(booking: Booking) -> int:
    found: int = booking.db.conn.execute("SELECT count(*) FROM scan_journal").fetchone()[0]
    return found


def test_a_scan_below_the_stop_mark_is_refused_with_what_to_do(
    disk: Disk, booking: Booking
) -> None:
    """UP-6, BF-13: nothing of it is kept, and the operator is told to scan it again."""
    assert scan(booking, "A").outcome == "unknown"
    level_at(disk, 30)
    refused = scan(booking, "B")
    assert (refused.outcome, refused.reason) == ("rejected", "disk")
    assert refused.message == (
        "NOT RECORDED: the disk is nearly full (26 MB left, scanning stops at 50 MB)"
    )
    assert "call the supervisor" in (refused.hint or "")
    assert "scan it again" in (refused.hint or "")
    assert scans(booking) == 1
    level_at(disk, 1000)
    assert scan(booking, "B").outcome == "unknown"
    assert scans(booking) == 2


def test_other_work_and_a_backup_go_on_while_scanning_has_stopped(
    disk: Disk, booking: Booking
) -> None:
    """UP-6: resolutions, approvals and a backup can finish."""
    scan(booking, "A")
    level_at(disk, 30)
    conn = booking.db.conn
    with booking.db.transaction():
        conn.execute("UPDATE exception SET status = 'resolved', resolution = 'seen'")
    made = make_backup(
        booking.db.path, disk.folder / "backups", name="s", at="2026-11-20T01:30:00.000000Z", keep=3
    )
    assert Path(made.file).exists()


def test_the_stop_is_told_to_the_scanner_and_the_screen_and_every_asker(disk: Disk) -> None:
    """A batch of scans, in the store thread of a core."""
    told: list[tuple[str, str | None]] = []
    worker = Worker(
        disk.folder / "station.db", RULES,
        heard=lambda scan, outcome: told.append((scan.device, outcome.reason)),
        waiting=lambda _: None, settled=lambda _: None, died=lambda _: None,
        refused=lambda device, outcome: told.append((device, outcome.reason)), disk=disk.guard,
    )  # fmt: skip
    disk.free_mb = 10
    answers = [
        worker.scan(lambda _, code=code: ScanRequest(raw=code, device="hand"))  # type: ignore[misc]
        for code in (b"A", b"B")
    ]
    worker.start()
    assert [each.result(30).reason for each in answers] == ["disk", "disk"]
    assert told == [("hand", "disk")] * 2
    disk.free_mb = 1000
    disk.guard.look()
    again = worker.scan(lambda _: ScanRequest(raw=b"A", device="hand"))
    assert again.result(30).outcome == "unknown"
    worker.stop()
    worker.join(30)


def test_the_status_line_warns_and_says_first_that_nothing_is_recorded(disk: Disk) -> None:
    """UP-6, screens 4: what needs a person comes first, in colour."""
    view = StationView(station="S", mode="live", now="2026-11-20T14:00:00.000000Z")
    for free_mb, english, german in (
        (1000, None, None),
        (80, "disk: 76 MB left", "Platte: noch 76 MB"),
        (30, "DISK FULL, NOTHING IS RECORDED: 26 MB left",
         "PLATTE VOLL, NICHTS WIRD GEBUCHT: noch 26 MB"),
    ):  # fmt: skip
        level_at(disk, free_mb)
        shown = StationView(
            station="S", mode="live", now=view.now, disk=disk.guard.view(), clock_in_doubt=True
        )
        for language, text in (("en", english), ("de", german)):
            first = pv.status_pieces(shown, words_for(language))[0]
            if text is None:
                assert "MB" not in first.text
            else:
                assert first.text == text
                assert first.emphasis == ("alert" if free_mb == 30 else "strong")
    assert disk.guard.view() == DiskView(left_mb=26, stop_mb=50, stopped=True)


def test_doctor_counts_the_reserve_as_taken(disk: Disk, booking: Booking) -> None:
    """What it calls a fault is what stops scanning."""
    reader = open_reader(booking.db.path)
    for free_mb, ok in ((1000, True), (80, True), (30, False), (56, True)):
        level_at(disk, free_mb)
        found = examine(
            reader, RULES, now="2099-01-01T00:00:00.000000Z",
            disk_free_bytes=disk.another().ask(), disk_stop_mb=50, disk_warn_mb=100,
        )  # fmt: skip
        assert {each.check: each.ok for each in found}["disk"] == ok, free_mb
    reader.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real disk of 24 MB, in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "mes-terminal-test", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_on_a_real_disk_that_fills_scanning_stops_and_comes_back(small_disk: Path) -> None:
    """UP-6, BF-13: another program fills it to the last byte; a resolution still ends."""
    alarms = AlarmsTable(disk_warn_mb=12, disk_stop_mb=6, disk_reserve_mb=2)
    clock = [0.0]
    guard = DiskGuard(
        small_disk / "station.db", alarms, makes_reserve=True, clock_s=lambda: clock[0]
    )
    booking = Booking(small_disk / "station.db", RULES, guard)
    reserve = small_disk / "station.db.reserve"
    assert scan(booking, "A").outcome == "unknown"
    assert reserve.exists()
    hog = fill(small_disk)
    clock[0] += LOOK_EVERY_S
    refused = scan(booking, "B")
    assert (refused.outcome, refused.reason) == ("rejected", "disk")
    assert "nearly full" in refused.message
    assert not reserve.exists()
    conn = booking.db.conn
    with booking.db.transaction():
        conn.execute("UPDATE exception SET status = 'resolved', resolution = 'seen'")
    hog.unlink()
    clock[0] += LOOK_EVERY_S
    assert scan(booking, "B").outcome == "unknown"
    assert reserve.exists()
    assert scans(booking) == 2
    found = examine(booking.db, RULES, now="2099-01-01T00:00:00.000000Z", disk_free_bytes=10**12)
    assert [each.detail for each in found if not each.ok] == []
    booking.close()


def test_a_station_starts_on_a_disk_that_is_full_to_the_last_byte(small_disk: Path) -> None:
    """UP-6: the reserve that an earlier core left gives SQLite the room that opening takes."""
    alarms = AlarmsTable(disk_warn_mb=12, disk_stop_mb=6, disk_reserve_mb=2)
    path = small_disk / "station.db"
    booking = Booking(path, RULES, DiskGuard(path, alarms, makes_reserve=True))
    scan(booking, "A")
    booking.close()
    fill(small_disk)
    again = Booking(path, RULES, DiskGuard(path, alarms))
    assert again.moved is None
    assert scan(again, "B").reason == "disk"
    assert scans(again) == 1
    again.close()


def fill(folder: Path) -> Path:
    """Fill a disk to its last byte with one file."""
    hog = folder / "hog"
    with hog.open("wb", buffering=0) as stream, suppress(OSError):
        while True:
            stream.write(bytes(4096))
    assert free_bytes(folder) == 0
    return hog

"""The disk's free space is watched: below the stop mark scanning stops, not halfway (UP-6).

While there is room a reserve lies beside the database, `<database>.reserve`. It is let go when
scanning stops, so that resolutions, approvals and a backup can finish, and made again before
scanning goes on, by itself, once there is room. What the reserve takes, or would take, never counts
as free. `look` from any thread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import time
from typing import TYPE_CHECKING, Final, Literal

from mes_terminal import logs
from mes_terminal.domain.view import DiskView
from mes_terminal.store.private_file import PRIVATE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mes_terminal.settings.tables import AlarmsTable

Level = Literal["room", "warn", "stop"]

MEGABYTE: Final = 1_000_000
LOOK_EVERY_S: Final = 1.0
"""A scan asks the disk when nobody has for so long: what a second can write fits the stop mark."""
WATCH_EVERY_S: Final = 3.0
"""While nothing is scanned."""
RESUME_MB: Final = 8
"""So much above the stop mark scanning goes on, lest it stop again with the next order."""


def free_bytes(folder: Path) -> int:
    """Return what is free for this program on the disk of a folder. Raises `OSError`."""
    volume = os.statvfs(folder)
    return volume.f_bavail * volume.f_frsize


class DiskGuard:
    """What the disk of one database has left. Made with the reserve's own state, then `look`."""

    def __init__(
        self,
        database: Path,
        alarms: AlarmsTable,
        *,
        makes_reserve: bool = False,
        free: Callable[[Path], int] = free_bytes,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        """`makes_reserve`: the core's does; a command's only lets go what it finds."""
        self._database = database
        self._reserve = database.with_name(f"{database.name}.reserve")
        self._stop = alarms.disk_stop_mb * MEGABYTE
        self._warn = alarms.disk_warn_mb * MEGABYTE
        self._reserve_bytes = alarms.disk_reserve_mb * MEGABYTE if self._stop else 0
        self._makes_reserve = makes_reserve
        self._free = free
        self._clock_s = clock_s
        self._looked_s = float("-inf")
        self._turn = threading.Lock()
        self.level: Level = "room"
        self.left_bytes = 0
        """Free beside the reserve, at the last look; below zero where that has no room."""

    @property
    def stops(self) -> bool:
        """Whether a scan is to be refused now; asks the disk if nobody has for a second."""
        if self._clock_s() - self._looked_s >= LOOK_EVERY_S:
            self.look()
        return self.level == "stop"

    def ask(self) -> int:
        """Return what is free beside the reserve, and change nothing. Raises `OSError`."""
        return max(0, self._left(self._reserve.exists()))

    def look(self) -> bool:
        """Ask the disk; return whether the level changed. What cannot be asked stays as it was."""
        with self._turn:
            before = self.level
            try:
                self._look()
            except OSError as error:
                logs.write("disk.not_read", error=error)
            self._looked_s = self._clock_s()
            if self.level != before:
                logs.write(f"disk.{self.level}", left_mb=self.left_bytes // MEGABYTE)
            return self.level != before

    def view(self) -> DiskView | None:
        """Return what the screen warns of; `None` while there is room."""
        if self.level == "room":
            return None
        return DiskView(
            left_mb=max(0, self.left_bytes // MEGABYTE),
            stop_mb=self._stop // MEGABYTE,
            stopped=self.level == "stop",
        )

    def sentence(self) -> str:
        """Say why nothing can be scanned."""
        left_mb, stop_mb = max(0, self.left_bytes // MEGABYTE), self._stop // MEGABYTE
        return f"the disk is nearly full ({left_mb} MB left, scanning stops at {stop_mb} MB)"

    def _look(self) -> None:
        has = self._has_reserve()
        self.left_bytes = self._left(has)
        mark = self._stop + RESUME_MB * MEGABYTE if self.level == "stop" else self._stop
        if self._stop and self.left_bytes < mark:
            self.level = "stop"
            if has:
                self._let_go()
            return
        if not has and self._reserve_bytes and self._makes_reserve:
            self._make()
        self.level = "warn" if self.left_bytes < self._warn else "room"

    def _left(self, has_reserve: bool) -> int:
        return self._free(self._database.parent) - (0 if has_reserve else self._reserve_bytes)

    def _has_reserve(self) -> bool:
        """Tell whether the reserve is there and takes what it says; a wrong one is let go."""
        try:
            found = self._reserve.stat()
        except FileNotFoundError:
            return False
        if found.st_size == self._reserve_bytes and found.st_blocks * 512 >= found.st_size:
            return self._reserve_bytes > 0
        self._let_go()
        return False

    def _make(self) -> None:
        descriptor = -1
        try:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
            descriptor = os.open(self._reserve, flags, PRIVATE)
            os.posix_fallocate(descriptor, 0, self._reserve_bytes)
        except OSError as error:  # it never counts as free, so nothing else changes
            logs.write("disk.no_reserve", error=error)
            if descriptor >= 0:
                self._let_go()
        finally:
            if descriptor >= 0:
                os.close(descriptor)

    def _let_go(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self._reserve.unlink()


async def watch_disk(guard: DiskGuard, changed: Callable[[], object]) -> None:
    """Look every few seconds until cancelled; `changed` is called when the level did."""
    while True:
        await asyncio.sleep(WATCH_EVERY_S)
        if await asyncio.to_thread(guard.look):
            changed()

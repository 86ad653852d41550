"""Backups of a station as its settings say: on demand, and once a day by the core (`backup.at`).

What is due is told from the files that are there, so a night that the station was stopped is made
up for after its next start. It is made on a thread and connections of its own; what cannot be made
is told, on the screen too, and tried again later.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mes_terminal import logs
from mes_terminal.domain.instants import format_instant, plus_seconds, to_datetime
from mes_terminal.errors import CoreError, InputError, NoDatabaseError, StationError
from mes_terminal.station.clock import utc_now
from mes_terminal.station.disk import MEGABYTE
from mes_terminal.store.backup import backup_name, backups_in
from mes_terminal.store.database import SqliteError
from mes_terminal.store.training_mark import is_training
from mes_terminal.usecases.backup import Backup, make_backup

if TYPE_CHECKING:
    from collections.abc import Callable
    from zoneinfo import ZoneInfo

    from mes_terminal.settings import Settings

LOOK_EVERY_S: Final = 30.0
RETRY_S: Final = 3_600
"""How long a backup that could not be made waits for its next try."""
PAUSE_S: Final = 0.02
"""Between two pieces of proving beside a station that scans: each takes as long."""
NEVER: Final = "none"
FOLDER: Final = "backups"
_ODD: Final = re.compile(r"[^A-Za-z0-9._-]")


def backup_folder(database: Path, settings: Settings) -> Path:
    """Return where backups are made."""
    folder = settings.backup.folder
    return Path(folder).expanduser() if folder is not None else database.with_name(FOLDER)


def name_of(database: Path, settings: Settings) -> str:
    """Return what the names of its backups begin with: stations may share a folder."""
    return f"{database.stem}-{_ODD.sub('_', settings.station.id)}"


def back_up(
    database: Path,
    settings: Settings,
    *,
    folder: Path | None = None,
    at: str,
    pause: Callable[[], None] = lambda: None,
) -> Backup:
    """Make a backup, dated `at`, in the folder of the settings, where the older ones go; or in
    `folder`, where all stay. `pause` is called now and then. Raises `InputError`,
    `DatabaseError`.
    """
    if not database.exists():
        raise NoDatabaseError.at(database)
    if is_training(database):
        raise InputError(f"{database} is a training copy: nothing of it counts, nothing is kept.")
    target = folder or backup_folder(database, settings)
    try:
        _require_room(database, target, settings)
        return make_backup(
            database,
            target,
            name=name_of(database, settings),
            at=at,
            keep=settings.backup.keep if folder is None else None,
            pause=pause,
        )
    except (OSError, SqliteError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise InputError(
            f"No backup can be made in {target}: {reason}. Mend that, or name another folder."
        ) from error


def _require_room(database: Path, target: Path, settings: Settings) -> None:
    """Raise `InputError` where a backup would leave less than the stop mark on its disk."""
    there = next(folder for folder in (target, *target.parents) if folder.exists())
    size = sum(
        part.stat().st_size
        for part in (database, database.with_name(f"{database.name}-wal"))
        if part.exists()
    )
    left = shutil.disk_usage(there).free - size
    if left < settings.alarms.disk_stop_mb * MEGABYTE:
        raise InputError(
            f"A backup in {target} would leave too little room on that disk. Make room, or name a "
            "folder on another disk (--to, backup.folder)."
        )


class NightlyBackup:
    """The backup of one core. `tick` as often as you like."""

    def __init__(
        self,
        database: Path,
        settings: Settings,
        zone: ZoneInfo,
        *,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """`changed` is called when `trouble` did."""
        self.trouble: str | None = None
        """Why the backup that is due could not be made."""
        self._changed = changed
        self._database = database
        self._settings = settings
        self._zone = zone
        self._not_before = ""
        self._stopping = threading.Event()

    async def run(self) -> None:
        """Look every half minute whether it is due, until cancelled."""
        try:
            while True:
                await asyncio.sleep(LOOK_EVERY_S)
                await self.tick(utc_now())
        finally:
            self._stopping.set()

    async def tick(self, now: str) -> Path | None:
        """Make the backup if it is due; return the file of a new one."""
        at = self._settings.backup.at
        if at == NEVER or now < self._not_before:
            return None
        if await asyncio.to_thread(self._is_there, due_since(now, at, self._zone)):
            self._tell(None)
            return None
        self._not_before = plus_seconds(now, RETRY_S)
        try:
            made = await asyncio.to_thread(
                back_up, self._database, self._settings, at=now, pause=self._pause
            )
        except StationError as error:
            logs.say(f"The nightly backup failed. {error.sentence}")
            self._tell(error.sentence)
            return None
        self._tell(None)
        logs.write("backup.made", file=made.file, entries=made.entries, head=made.head)
        return Path(made.file)

    def _tell(self, trouble: str | None) -> None:
        if trouble != self.trouble:
            self.trouble = trouble
            self._changed()

    def _pause(self) -> None:
        """Let the station have its turn. Raises `CoreError` when it stops."""
        if self._stopping.wait(PAUSE_S):
            raise CoreError("The station stops; the backup is made after its next start.")

    def _is_there(self, due: str) -> bool:
        """Tell whether there is a backup that is not older than `due`."""
        name = name_of(self._database, self._settings)
        try:
            found = backups_in(backup_folder(self._database, self._settings), name)
        except OSError:
            return False
        return bool(found) and found[-1].name >= backup_name(name, due)


def due_since(now: str, at: str, zone: ZoneInfo) -> str:
    """Return the newest moment at which the wall clock read `at` (HH:MM)."""
    local = to_datetime(now).astimezone(zone)
    hour, minute = map(int, at.split(":"))
    due = local.replace(hour=hour, minute=minute, second=0, microsecond=0)
    if due > local:
        due = datetime.combine(due.date() - timedelta(days=1), due.timetz())
    return format_instant(due.astimezone(UTC))

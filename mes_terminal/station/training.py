"""Training on a copy of the live database: made, opened for training only, thrown away.

The copy is a station of its own: another file, another epoch, another socket. Real scanners stay
with the live core; nothing of the copy is printed, reported or delivered. Called by `training` and
by the core.
"""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING, Final

import msgspec

from mes_terminal.errors import CoreError, InputError, NoDatabaseError
from mes_terminal.settings.tables import BackupTable, LabelsTable, ReportsTable
from mes_terminal.station import lock
from mes_terminal.station.clock import utc_now
from mes_terminal.store.training_mark import BESIDE, is_training

if TYPE_CHECKING:
    from pathlib import Path

    from mes_terminal.domain.view import StationView
    from mes_terminal.settings import Settings

ENDING: Final = ".training.db"
SIMULATED: Final = "simulated"
MEGABYTE: Final = 1_000_000


def copy_path(database: Path, folder: Path | None) -> Path:
    """Return where the training copy of a database is, or is to be made."""
    return (folder or database.parent) / f"{database.stem}{ENDING}"


def make_copy(database: Path, target: Path, settings: Settings) -> bool:
    """Make the training copy; false if there is one already, which goes on.

    Raises `InputError` for a file in its place that is none, and where the disk would run low.
    """
    from mes_terminal.store.training import copy_for_training  # a screen needs no SQLite

    if not database.exists():
        raise NoDatabaseError.at(database)
    if is_training(database):
        raise InputError(f"{database} is a training copy itself. Name the live one with --db.")
    if target.exists():
        if is_training(target):
            return False
        raise InputError(f"{target} is no training copy. Name another folder with --folder.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        left = shutil.disk_usage(target.parent).free - database.stat().st_size
        if left < settings.alarms.disk_warn_mb * MEGABYTE:
            raise InputError(
                f"A copy of {database} would leave too little room on the disk for the station. "
                "Name a folder on another disk with --folder."
            )
        copy_for_training(database, target, epoch=secrets.token_hex(8), now=utc_now())
    except OSError as error:
        raise InputError(f"{target} cannot be made: {error.strerror}.") from error
    return True


def remove_copy(target: Path) -> bool:
    """Throw a training copy away with all that lies beside it; false if there is none.

    Its lock's file stays, as every lock's does. Raises `InputError` for a file that is no training
    copy, `CoreError` while somebody trains on it.
    """
    if not target.exists():
        return False
    if not is_training(target):
        raise InputError(f"{target} is no training copy and stays. Nothing was deleted.")
    held = lock.take_lock(target)
    if held is None:
        raise CoreError(f"Somebody trains on {target}. Leave that screen first.", reason="held")
    try:
        for name in ("", *BESIDE, ".log", ".log.1", ".home", ".reserve"):
            target.with_name(target.name + name).unlink(missing_ok=True)
    finally:
        held.let_go()
    return True


def require_kind(database: Path, *, training: bool) -> None:
    """Raise `InputError` where a training copy is opened as the station, or the other way."""
    if is_training(database) and not training:
        raise InputError(
            f"{database} is a training copy, not the station's database. Correct database.path, "
            "or train with: mes-terminal training.",
            reason="training",
        )
    if training and not is_training(database):
        raise InputError(f"{database} is no training copy. Make one: mes-terminal training.")


def for_training(view: StationView) -> StationView:
    """Return what the screen shows of a training copy: that it is one, and that nothing waits."""
    return msgspec.structs.replace(
        view, mode="training", postings_waiting=0, oldest_waiting_at=None, upstream=None
    )


def training_settings(settings: Settings) -> Settings:
    """Return the settings of a training core: no real scanner, no printer, no report, no
    backup, no reserve."""
    scanners = {name: table for name, table in settings.scanner.items()
                if table.driver == SIMULATED}  # fmt: skip
    return msgspec.structs.replace(
        settings,
        scanner=scanners,
        labels=LabelsTable(),
        reports=ReportsTable(validation_at="none"),
        backup=BackupTable(at="none"),
        alarms=msgspec.structs.replace(settings.alarms, disk_reserve_mb=0),
    )

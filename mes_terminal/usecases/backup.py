"""Make a backup of a station's database, beside whoever writes to it, and prove it.

A backup has its name only when it is proved (SQLite's own quick check, every hash of the log). One
that does not hold is kept under another name: it may be all there is. Called by the station, once a
day and on demand.
"""

from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from mes_terminal.errors import DatabaseError
from mes_terminal.store import backup as files
from mes_terminal.store import checks
from mes_terminal.store.database import Database, SqliteError, open_reader
from mes_terminal.store.whole_file import sync
from mes_terminal.usecases.log_chain import Proof, proving


class Backup(Struct, frozen=True):
    """A backup that was made and proved."""

    file: str
    made_at: str
    bytes: int
    entries: int
    """Of the log; `head` is the newest one's hash."""
    head: str
    removed: list[str]
    """Older ones that were taken away, beyond those to keep."""


def make_backup(
    database: Path,
    folder: Path,
    *,
    name: str,
    at: str,
    keep: int | None,
    pause: Callable[[], None] = lambda: None,
) -> Backup:
    """Make a backup into `folder`, dated `at`; of those in it the newest `keep` stay.

    `name` begins the names of this station's backups, and of nobody else's in that folder. `keep`
    `None`: all stay. `pause` is called while the log is proved, again and again. Raises
    `DatabaseError` for a copy that does not hold, `InputError` and `OSError`.
    """
    target = folder / files.backup_name(name, at)
    passing = folder / f".{target.name}.part"
    try:
        files.copy_out(database, passing, at=at)
        proof = _proved(passing, pause)
        if isinstance(proof, str):
            faulty = _keep_faulty(passing, name)
            raise DatabaseError(
                f"The backup does not hold: {proof}. The database itself is damaged, or was "
                f"changed: run mes-terminal doctor. The copy is {faulty}; older backups stay.",
                reason="damaged",
            )
        passing.replace(target)
        sync(folder)
    finally:
        if folder.is_dir():
            files.clear(passing)
    removed = _remove_old(folder, name, keep) if keep is not None else []
    return Backup(
        str(target), at, target.stat().st_size, proof.entries, proof.head, [*map(str, removed)]
    )


def fault_in(database: Database) -> str | None:
    """Return the first fault that SQLite's own quick check finds; `None` if it finds none."""
    try:
        faults = checks.page_faults(database)
    except SqliteError as error:
        return f"it cannot be read ({error})"
    return f"SQLite finds it damaged ({faults[0]})" if faults else None


def _proved(passing: Path, pause: Callable[[], None]) -> Proof | str:
    """Prove a copy; return the fault that was found instead."""
    reader = open_reader(passing)
    try:
        fault = fault_in(reader)
        if fault is not None:
            return fault
        for step in proving(reader):
            if isinstance(step, Proof):
                return step if step.ok else step.fault or "its log does not hold"
            pause()
    except SqliteError as error:
        return f"it cannot be read ({error})"
    finally:
        reader.close()
    raise AssertionError("a proof ends with its result")


def _keep_faulty(passing: Path, name: str) -> Path:
    """Keep a copy that does not hold: one of them, lest every night adds another."""
    faulty = passing.with_name(f"{name}{files.FAULTY}")
    passing.replace(faulty)
    return faulty


def _remove_old(folder: Path, name: str, keep: int) -> list[Path]:
    old = files.backups_in(folder, name)[:-keep]
    for path in old:
        path.unlink(missing_ok=True)
    return old

"""Put a backup in the database's place: proved first, the present one set aside, a new epoch.

What the backup has not is told, never merged: the set-aside database has it. Called by `restore`,
under the database's lock.
"""

from pathlib import Path

from msgspec import Struct

from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import DatabaseError, InputError
from mes_terminal.store import backup as files
from mes_terminal.store import epochs
from mes_terminal.store.backup import Lost
from mes_terminal.store.database import Database
from mes_terminal.store.epochs import Epoch
from mes_terminal.store.training_mark import is_training
from mes_terminal.usecases.backup import fault_in
from mes_terminal.usecases.epoch import begin_epoch
from mes_terminal.usecases.log_chain import Proof, prove


class Restored(Struct, frozen=True):
    """What a restore came to."""

    file: str
    made_at: str | None
    """When the backup was made; `None` of a file that the program did not make."""
    database: str
    set_aside: str | None
    """Where the database that was there stands now; `None` if there was none."""
    epoch: str
    first_sequence: int
    entries: int
    lost: Lost | None
    """What only the set-aside database has; `None` if there is none, or it cannot be read."""


def restore_backup(
    backup: Path, database: Path, *, epoch: str, rules: StationRules, now: str
) -> Restored:
    """Put a backup in the database's place under a new `epoch`.

    Stopped at any moment, the database is the old one or the new one. Raises `InputError` for a
    file that is no backup, `DatabaseError` for one that does not hold or is newer than this
    program, `OSError`.
    """
    _require_backup(backup, database)
    passing = database.with_name(f".{database.name}.restore.part")
    aside = database.with_name(f"{database.name}{files.ASIDE}{files.stamp(now)}")
    passing.parent.mkdir(parents=True, exist_ok=True)
    try:
        with files.brought(backup, passing) as copy:
            proof = _require_whole(copy, backup)
            files.keep_log(database, aside)
            lost = files.lost_by(database, copy.conn) if database.exists() else None
            made_at = epochs.read_meta(copy.conn, epochs.BACKUP)
            begun = _begin(copy, epoch, made_at, rules=rules, now=now)
        set_aside = files.put_in_place(passing, database, aside)
    finally:
        files.clear(passing)
    return Restored(
        str(backup), made_at, str(database), str(set_aside) if set_aside else None, begun.epoch,
        begun.first_sequence, proof.entries, lost,
    )  # fmt: skip


def _require_backup(backup: Path, database: Path) -> None:
    if not backup.is_file() or not backup.stat().st_size:
        raise InputError(f"There is no backup at {backup}.")
    if database.exists() and backup.samefile(database):
        raise InputError(f"{backup} is the database itself. Name a backup of it.")
    if is_training(backup):
        raise InputError(f"{backup} is a training copy: nothing of it counts. Name a backup.")
    if is_training(database):
        raise InputError(f"{database} is a training copy. Name the station's database with --db.")


def _require_whole(copy: Database, backup: Path) -> Proof:
    fault = fault_in(copy)
    if fault is None:
        proof = prove(copy)
        if proof.ok:
            return proof
        fault = proof.fault
    raise DatabaseError(
        f"The backup {backup} does not hold: {fault}. Nothing was changed. Name an older one.",
        reason="damaged",
    )


def _begin(
    copy: Database, epoch: str, made_at: str | None, *, rules: StationRules, now: str
) -> Epoch:
    of = f"the backup of {made_at}" if made_at else "a copy that was made by hand"
    with copy.transaction() as conn:
        begun = begin_epoch(
            conn, epoch, why="restored", because=f"{of} was restored", rules=rules, now=now
        )
        epochs.write_meta(conn, epochs.BACKUP, None)
        epochs.write_meta(conn, epochs.HOME, None)  # at home where it is opened next
    return begun

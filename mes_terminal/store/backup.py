"""Backups as files: copied beside a running station, checked, and put in the database's place.

A backup is one file that SQLite itself wrote (`VACUUM INTO`), marked in `meta` as what it is, so
that opening it for writing begins a new epoch. Nothing here changes or deletes a database: what is
replaced stays under another name. Called by `usecases.backup` and `usecases.backup_restore`.
"""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from mes_terminal.errors import InputError, StationError
from mes_terminal.store import epochs
from mes_terminal.store.database import (
    APPLICATION_ID,
    Connection,
    Database,
    open_database,
    open_reader,
)
from mes_terminal.store.private_file import PRIVATE, PRIVATE_FOLDER
from mes_terminal.store.sqlite import sqlite
from mes_terminal.store.training_mark import BESIDE
from mes_terminal.store.whole_file import sync

ASIDE: Final = ".before-restore-"
FAULTY: Final = ".faulty"
ENTRIES: Final = (
    "SELECT coalesce(max(event_seq), 0) FROM event",
    "SELECT hash FROM event WHERE event_seq = ?",
)
SCANS: Final = (
    "SELECT coalesce(max(scan_seq), 0) FROM scan_journal",
    "SELECT scan_id FROM scan_journal WHERE scan_seq = ?",
)
"""The last of an append-only table, and what no other row of it has."""
_ID_OFFSET: Final = 68
"""Of the application id in the header (SQLite file format, 1.3.12)."""
_WAIT_MS: Final = 5_000


class Lost(Struct, frozen=True):
    """What a database has that a backup has not."""

    entries: int
    scans: int
    postings: int
    undelivered: int
    """Of the postings, those that nobody upstream has."""


def backup_name(name: str, at: str) -> str:
    """Return the file name of the backup of `name` that is made at the instant `at`."""
    return f"{name}-{stamp(at)}.db"


def stamp(at: str) -> str:
    """Return an instant as it stands in file names: `20261120T023000000000Z`."""
    return re.sub(r"[^0-9TZ]", "", at)


def backups_in(folder: Path, name: str) -> list[Path]:
    """Return the backups of `name` that are in a folder, the oldest first."""
    named = re.compile(rf"{re.escape(name)}-\d{{8}}T\d{{12}}Z\.db")
    found = folder.iterdir() if folder.is_dir() else iter(())
    return sorted(path for path in found if named.fullmatch(path.name))


def copy_out(source: Path, passing: Path, *, at: str) -> None:
    """Copy a database into a new file, whoever writes to it meanwhile, and mark it as a backup.

    Who may read the source may read it. Raises `InputError`, `DatabaseError` and `OSError`.
    """
    passing.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    clear(passing)
    mode = source.stat().st_mode & 0o777
    os.close(os.open(passing, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    with closing(open_reader(source)) as reader:
        reader.conn.execute("PRAGMA query_only = 0")  # VACUUM INTO counts as a write
        reader.conn.execute("VACUUM INTO ?", [str(passing)])
    with closing(sqlite.connect(str(passing), isolation_level=None)) as copy:
        copy.execute("PRAGMA journal_mode = MEMORY")
        copy.execute("BEGIN")
        epochs.write_meta(copy, epochs.BACKUP, at)
        epochs.write_meta(copy, epochs.HOME, None)
        copy.execute("COMMIT")
    sync(passing)


def clear(passing: Path) -> None:
    """Remove a file in the making, with all that lies beside it."""
    for name in ("", *BESIDE):
        passing.with_name(passing.name + name).unlink(missing_ok=True)
    for made in passing.parent.glob(f"{passing.name}.before-*"):  # by a migration
        made.unlink()


@contextmanager
def brought(backup: Path, passing: Path) -> Iterator[Database]:
    """Copy a backup beside the database and open the copy, brought up to date, for the block.

    Then it is one file, on the disk. Raises `InputError`, `DatabaseError` about the backup, and
    `OSError`.
    """
    clear(passing)
    os.close(os.open(passing, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE))
    shutil.copyfile(backup, passing)
    with suppress(FileNotFoundError):  # of a database that was copied by hand
        shutil.copyfile(f"{backup}-wal", f"{passing}-wal")
    try:
        if not _is_ours(passing):
            raise InputError(f"{passing} is no backup of a station. Name another file.")
        with closing(open_database(passing)) as copy:
            yield copy
            copy.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except StationError as error:
        sentence = error.sentence.replace(str(passing), str(backup))
        raise type(error)(sentence, reason=error.reason) from error
    sync(passing)


def keep_log(database: Path, aside: Path) -> None:
    """Copy what lies beside a database, before anybody opens that: it may be damaged."""
    for name in BESIDE:
        beside = database.with_name(database.name + name)
        if beside.exists():
            kept = aside.with_name(aside.name + name)
            shutil.copy2(beside, kept)
            sync(kept)


def lost_by(present: Path, copy: Connection) -> Lost | None:
    """Return what the present database has and the copy has not; `None` if it cannot be read."""
    try:
        with closing(open_reader(present)) as reader:
            conn = reader.conn
            entries = _shared(conn, copy, *ENTRIES)
            scans = _shared(conn, copy, *SCANS)
            return Lost(
                *conn.execute(
                    """
                    SELECT (SELECT count(*) FROM event WHERE event_seq > :entries),
                           (SELECT count(*) FROM scan_journal WHERE scan_seq > :scans),
                           (SELECT count(outbox_seq) FROM event WHERE event_seq > :entries),
                           (SELECT count(*) FROM event JOIN delivery USING (outbox_seq)
                             WHERE event_seq > :entries AND status <> 'delivered' AND let_go = 0)
                    """,
                    {"entries": entries, "scans": scans},
                ).fetchone()
            )
    except (StationError, sqlite.Error):
        return None


def put_in_place(passing: Path, database: Path, aside: Path) -> Path | None:
    """Put a file in the database's place, which stands as `aside` from then on; return that.

    What `keep_log` kept stays only of a damaged database. Whenever it is stopped, the database is
    the old one or the new one, whole. Raises `InputError` where another program has it open, and
    `OSError`.
    """
    _forget_links(database)
    if not database.exists():
        passing.replace(database)
        sync(database.parent)
        return None
    passing.chmod(database.stat().st_mode & 0o777)
    spare = aside
    try:
        if not _one_file(database):
            spare = database  # beside another one its log would be taken for that one's
    finally:
        for name in BESIDE:
            spare.with_name(spare.name + name).unlink(missing_ok=True)
    try:
        os.link(database, aside)
    except OSError:  # a file system without links
        shutil.copy2(database, aside)
        sync(aside)
    sync(database.parent)
    passing.replace(database)
    sync(database.parent)
    return aside


def _shared(one: Connection, other: Connection, last: str, row: str) -> int:
    """Return up to which sequence an append-only table is the same in two databases."""
    low, high = 0, min(conn.execute(last).fetchone()[0] for conn in (one, other))
    while low < high:
        middle = (low + high + 1) // 2
        if one.execute(row, [middle]).fetchone() == other.execute(row, [middle]).fetchone():
            low = middle
        else:
            high = middle - 1
    return low


def _is_ours(passing: Path) -> bool:
    try:
        with closing(sqlite.connect(str(passing), isolation_level=None)) as conn:
            found: int = conn.execute("PRAGMA application_id").fetchone()[0]
            return found == APPLICATION_ID
    except sqlite.Error:  # then opening it says what is wrong with it
        with passing.open("rb") as stream:
            stream.seek(_ID_OFFSET)
            return stream.read(4) == APPLICATION_ID.to_bytes(4, "big")


def _one_file(database: Path) -> bool:
    """Bring a database to rest in one file; false if it is damaged. Raises `InputError`."""
    try:
        with closing(sqlite.connect(str(database), isolation_level=None)) as conn:
            conn.execute(f"PRAGMA busy_timeout = {_WAIT_MS}")
            if conn.execute("PRAGMA journal_mode = DELETE").fetchone()[0] == "delete":
                return True
    except sqlite.OperationalError as error:
        if "locked" not in str(error):
            return False
    except sqlite.DatabaseError:
        return False
    raise InputError(f"{database} is open in another program. End that, then restore.")


def _forget_links(database: Path) -> None:
    """Remove what a restore that was stopped named aside, while it still is the database itself."""
    for link in database.parent.glob(f"{database.name}{ASIDE}*"):
        if database.exists() and link.samefile(database):
            link.unlink()

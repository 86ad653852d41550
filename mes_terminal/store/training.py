"""A copy of the live database for training: made beside the running station, marked for ever.

The mark stands twice: in `meta`, where the schema's own triggers keep every posting from being
delivered, and in the file's header (`training_mark`). Called by `station.training`.
"""

import os
from contextlib import closing
from pathlib import Path

from mes_terminal.store import epochs
from mes_terminal.store.database import Database, open_database, open_reader
from mes_terminal.store.training_mark import BESIDE, USER_VERSION


def copy_for_training(source: Path, target: Path, *, epoch: str, now: str) -> None:
    """Copy a database, whoever writes to it meanwhile, and mark the copy.

    The copy appears whole and marked, or not at all; it may be read by whom the source may. Raises
    `InputError`, `DatabaseError` and `OSError`.
    """
    passing = target.with_name(f".{target.name}.part")
    passing.unlink(missing_ok=True)
    mode = source.stat().st_mode & 0o777
    os.close(os.open(passing, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode))
    try:
        with closing(open_reader(source)) as reader:
            reader.conn.execute("PRAGMA query_only = 0")  # VACUUM INTO counts as a write
            reader.conn.execute("VACUUM INTO ?", [str(passing)])
        with closing(open_database(passing)) as copy:
            _mark(copy, source, epoch=epoch, now=now)
        passing.replace(target)
    finally:
        for name in ("", *BESIDE):
            passing.with_name(passing.name + name).unlink(missing_ok=True)


def read_marks(database: Database) -> dict[str, str]:
    """Return `training` (when it was copied) and `training_of`; nothing of a live database."""
    return dict(
        database.conn.execute("SELECT key, value FROM meta WHERE key LIKE 'training%'").fetchall()
    )


def _mark(copy: Database, source: Path, *, epoch: str, now: str) -> None:
    with copy.transaction() as conn:
        conn.execute("UPDATE delivery SET status = 'parked' WHERE status <> 'delivered'")
        first = epochs.next_sequence(conn)
        epochs.insert_epoch(conn, epochs.Epoch(epoch, first, now, "training"))
        epochs.write_meta(conn, epochs.HOME, None)
        conn.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)",
            [("training", now), ("training_of", str(source))],
        )
        conn.execute(f"PRAGMA user_version = {USER_VERSION}")
    copy.conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

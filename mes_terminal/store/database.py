"""Open, migrate and transact: the one place that knows how the station talks to SQLite.

Guarantees: WAL with synchronous=FULL, every pragma read back, `BEGIN IMMEDIATE` for every write,
and faults of the file told as `DatabaseError` or `InputError` with what to do. The core opens one
writing connection (`open_database`) and one reading connection (`open_reader`).
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlite_utils

from mes_terminal.domain.instants import format_instant
from mes_terminal.errors import DatabaseError, InputError, NoDatabaseError
from mes_terminal.store import migrations
from mes_terminal.store.private_file import make_private
from mes_terminal.store.sqlite import sqlite

Connection = sqlite.Connection
SqliteError = sqlite.Error

APPLICATION_ID: Final = 0x4D455354
"""`MEST`, in the file header: tells our databases from anybody else's."""

WRITER_PRAGMAS: Final[dict[str, int | str]] = {
    "journal_mode": "wal",
    "synchronous": 2,  # FULL: nothing acknowledged is lost in a power cut
    "foreign_keys": 1,
    "busy_timeout": 5000,
    "trusted_schema": 0,
    "cell_size_check": 1,
    "mmap_size": 0,
    "journal_size_limit": 64 * 1024 * 1024,
    "wal_autocheckpoint": 0,  # the station checkpoints between scans
    "temp_store": 2,
}
READER_PRAGMAS: Final[dict[str, int | str]] = {
    "query_only": 1,
    "busy_timeout": 5000,
    "trusted_schema": 0,
    "wal_autocheckpoint": 0,
}
STATEMENTS_CACHED: Final = 256
"""More than the station's distinct statements, so that none is prepared twice."""


class Transaction:
    """A `with` block that is committed whole, or rolled back whole when it raises."""

    __slots__ = ("_conn",)

    def __init__(self, connection: Connection) -> None:
        self._conn = connection

    def __enter__(self) -> Connection:
        self._conn.execute("BEGIN IMMEDIATE")
        return self._conn

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        try:
            if kind is None:
                self._conn.execute("COMMIT")
        finally:
            if self._conn.in_transaction:  # it raised; SQLite itself ends it when the disk is full
                self._conn.execute("ROLLBACK")


class Database:
    """One connection to the station's database. Not shared between threads."""

    def __init__(self, connection: Connection, path: Path) -> None:
        self.conn = connection
        self.path = path

    def transaction(self) -> "Transaction":
        """Return one `BEGIN IMMEDIATE` transaction for a `with` block; an exception rolls back."""
        return Transaction(self.conn)

    @contextmanager
    def rehearsal(self) -> Iterator[Connection]:
        """Run the block for real in a transaction and take all of it back (pre-flight)."""
        self.conn.execute("BEGIN IMMEDIATE")
        try:
            yield self.conn
        finally:
            self.conn.execute("ROLLBACK")

    def checkpoint(self) -> None:
        """Move what the WAL holds into the database, without waiting for readers."""
        self.conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()

    def close(self) -> None:
        """Close the connection; the last one to close removes the WAL."""
        self.conn.close()


@contextmanager
def attempt(conn: Connection) -> Iterator[Callable[[], None]]:
    """Give a part of a transaction that can be taken back: what it yields, called, undoes what the
    block wrote."""

    def take_back() -> None:
        conn.execute("ROLLBACK TO attempt")

    conn.execute("SAVEPOINT attempt")
    yield take_back
    conn.execute("RELEASE attempt")


def open_database(path: Path) -> Database:
    """Open the database for writing; make it, or migrate it after a backup, where needed.

    Raises `DatabaseError` for a damaged file or one newer than the program, `InputError` for one
    that is not ours or cannot be opened.
    """
    make_private(path)
    with _sentences_for(path):
        connection = _connect(str(path))
        _require_ours(connection, path)
        _apply(connection, WRITER_PRAGMAS)
        new = connection.execute("PRAGMA application_id").fetchone()[0] == 0
        migrations.migrate(_utils(connection), path, is_new=new)
        if new:
            _christen(connection)
    return Database(connection, path)


def open_reader(path: Path) -> Database:
    """Open an existing database for reading only. Raises `NoDatabaseError` and as
    `open_database`."""
    if not path.exists() or not path.stat().st_size:
        raise NoDatabaseError.at(path)
    with _sentences_for(path):
        connection = _connect(str(path))
        _require_ours(connection, path)
        migrations.require_current(_utils(connection), path)
        _apply(connection, READER_PRAGMAS)
    return Database(connection, path)


def pragmas_in_force(database: Database) -> dict[str, int | str]:
    """Return what the connection reports for each pragma of a writer."""
    return {name: _read_pragma(database.conn, name) for name in WRITER_PRAGMAS}


def _connect(target: str) -> Connection:
    return sqlite.connect(
        target,
        isolation_level=None,
        check_same_thread=False,
        cached_statements=STATEMENTS_CACHED,
    )


def _utils(connection: Connection) -> sqlite_utils.Database:
    return sqlite_utils.Database(connection, recursive_triggers=False, execute_plugins=False)


def _require_ours(connection: Connection, path: Path) -> None:
    found = connection.execute("PRAGMA application_id").fetchone()[0]
    tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
    if found != APPLICATION_ID and (found or tables):
        raise InputError(
            f"{path} is a database of another program. Name another file with --db.",
            reason="foreign_database",
        )


def _apply(connection: Connection, pragmas: dict[str, int | str]) -> None:
    for name, value in pragmas.items():
        connection.execute(f"PRAGMA {name} = {value}")
        if _read_pragma(connection, name) != value:
            raise InputError(
                f"SQLite did not accept {name} = {value}. Put the database on a local disk.",
                reason="pragma",
            )


def _read_pragma(connection: Connection, name: str) -> int | str:
    row: Any = connection.execute(f"PRAGMA {name}").fetchone()
    # mmap_size answers no row where memory-mapping is compiled out, which is what 0 means
    return row[0] if row else 0


def _christen(connection: Connection) -> None:
    epoch, now = secrets.token_hex(8), format_instant(datetime.now(UTC))
    connection.execute("BEGIN IMMEDIATE")
    if connection.execute("SELECT 1 FROM epoch").fetchone() is None:  # stopped here, perhaps
        connection.executemany(
            "INSERT INTO meta (key, value) VALUES (?, ?)", [("epoch", epoch), ("created_at", now)]
        )
        connection.execute(
            "INSERT INTO epoch (epoch, began_at, first_sequence, why) VALUES (?, ?, 1, 'made')",
            [epoch, now],
        )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("COMMIT")


@contextmanager
def _sentences_for(path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite.DatabaseError as error:
        if isinstance(error, sqlite.OperationalError):
            raise InputError(
                f"The database {path} cannot be opened: {error}. Check the disk and its rights.",
                reason="cannot_open",
            ) from error
        raise DatabaseError(
            f"The database {path} is damaged: {error}. Restore the newest backup.",
            reason="damaged",
        ) from error

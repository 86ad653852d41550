"""The site's PostgreSQL: the pool of connections, migrations, and one way to say it is away.

Whatever PostgreSQL does to us (away, out of disk, killed in the midst) is a `SiteBusyError`: the
transaction is gone, nothing is half there, and whoever asked tries again. Never logs or shows a
password. Used by everything of the site.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import ConnectionPool, PoolTimeout

from mes_terminal.errors import DatabaseError, InputError
from mes_terminal.site.doors import SiteBusyError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.settings.upstream_tables import SiteTable

Connection = psycopg.Connection[tuple[Any, ...]]

CONNECTIONS_MAX: Final = 12
"""Transactions at a time: more only wait for the same disk."""
WAIT_S: Final = 2.0
"""How long a request waits for a connection before the server is looked at."""
BUSY_TRIES: Final = 10
"""How often it waits so long while the server answers: then it is told to come again."""
CONNECT_TIMEOUT_S: Final = 5
MIGRATION_LOCK: Final = 0x6D65735F73697465
"""The advisory lock of migrations: "mes_site" in ASCII."""

_NOT_OURS: Final = (
    psycopg.DataError,
    psycopg.ProgrammingError,
    psycopg.IntegrityError,
    psycopg.NotSupportedError,
    psycopg.errors.ProgramLimitExceeded,
)
"""What says that a statement or its data are wrong, not that the server is."""


class SiteDatabase:
    """A pool of connections to the site's database. Thread-safe; opens no connection by itself."""

    def __init__(self, url: str, *, connections_max: int = CONNECTIONS_MAX) -> None:
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)  # each retry would be a line
        self.name = said_url(url)
        """The URL without its password, for people."""
        self._conninfo = _conninfo(url)
        self._pool: ConnectionPool[Connection] = ConnectionPool(
            self._conninfo,
            min_size=0,
            max_size=connections_max,
            timeout=WAIT_S,
            reconnect_timeout=WAIT_S,
            check=ConnectionPool.check_connection,
            configure=_configure,
            open=False,
        )
        self._is_open = False
        self.closed_because: str | None = None
        """While it is said, nobody gets a connection: `SiteBusyError` with these words. Said
        too when the tables are gone, as of a database made anew: who serves makes them."""

    def open(self) -> None:
        """Let it make connections when they are needed."""
        if not self._is_open:
            self._pool.open(wait=False)
            self._is_open = True

    def close(self) -> None:
        """End every connection."""
        if self._is_open:
            self._is_open = False
            self._pool.close(timeout=WAIT_S)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Give a connection in a transaction: committed at the end, gone with any error.

        Raises `SiteBusyError` if the database is away; errors of the statements' data as they are.
        """
        if self.closed_because is not None:
            raise SiteBusyError(self.closed_because)
        with self._connection() as conn:
            yield conn

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        self.open()
        try:
            conn = self._acquire()
            try:
                yield conn
                conn.commit()
            finally:
                self._pool.putconn(conn)  # rolls back what is not committed
        except psycopg.errors.UndefinedTable as error:
            self.closed_because = self._away(f"its tables are gone ({_first_line(error)})")
            raise SiteBusyError(self.closed_because) from error
        except _NOT_OURS:
            raise
        except psycopg.Error as error:
            raise SiteBusyError(self._away(_first_line(error))) from error

    def _acquire(self) -> Connection:
        """Return a connection; wait longer while others use them than while there is none."""
        for _ in range(BUSY_TRIES):
            try:
                return self._pool.getconn(WAIT_S)
            except PoolTimeout:
                psycopg.connect(self._conninfo).close()  # raises what the matter is
        raise SiteBusyError("The site has more to do than it can; come again.")

    def migrate(self) -> list[str]:
        """Bring the schema up to this program and return the names of what was applied.

        Raises `SiteBusyError`, and `DatabaseError` if the schema is newer than the program.
        """
        done: list[str] = []
        steps = migrations()
        with self._connection() as conn:
            conn.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
            try:
                conn.commit()
                for number, name, sql in _waiting(conn, steps, self.name):
                    conn.execute(sql)
                    conn.execute(
                        "INSERT INTO migration (number, name) VALUES (%s, %s)", [number, name]
                    )
                    conn.commit()
                    done.append(name)
            finally:
                conn.rollback()
                conn.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
        return done

    def _away(self, why: str) -> str:
        return (
            f"The site's database {self.name} is away: {why}. Start PostgreSQL, or mend "
            "site.database; nothing is lost meanwhile."
        )


def open_database(table: SiteTable) -> SiteDatabase:
    """Return the database of the settings. Raises `InputError` for a URL that is none."""
    password = table.password
    if password is None and table.password_file is not None:
        try:
            password = Path(table.password_file).expanduser().read_text().strip()
        except OSError as error:
            raise InputError(
                f"site.password_file: {error.strerror} ({table.password_file})."
            ) from error
    try:
        info = make_conninfo(table.database, **({"password": password} if password else {}))
    except psycopg.ProgrammingError as error:
        raise InputError(f"site.database is no PostgreSQL URL: {_first_line(error)}.") from error
    return SiteDatabase(info)


def migrations() -> list[tuple[int, str, bytes]]:
    """Return every migration of this program in order: number, name, SQL."""
    folder = resources.files(__package__).joinpath("migrations")
    found = sorted(each.name for each in folder.iterdir() if each.name.endswith(".sql"))
    return [
        (int(name.partition("_")[0]), name.removesuffix(".sql"), (folder / name).read_bytes())
        for name in found
    ]


def said_url(url: str) -> str:
    """Return where a database is, without its password."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "of site.database"
    host = parts.get("host") or "this machine"
    port = f":{parts['port']}" if parts.get("port") else ""
    return f"{parts.get('dbname') or os.environ.get('PGDATABASE', 'mes_site')} at {host}{port}"


def _conninfo(url: str) -> str:
    return make_conninfo(
        url, connect_timeout=CONNECT_TIMEOUT_S, application_name="mes-terminal site"
    )


def _configure(conn: Connection) -> None:
    conn.execute("SET TIME ZONE 'UTC'")
    conn.execute("SET lock_timeout = '20s'")
    conn.execute("SET idle_in_transaction_session_timeout = '60s'")
    conn.commit()


def _waiting(
    conn: Connection, steps: list[tuple[int, str, bytes]], where: str
) -> list[tuple[int, str, bytes]]:
    conn.execute(
        """
        CREATE TABLE IF NOT EXISTS migration (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL,
            applied_at TIMESTAMPTZ NOT NULL DEFAULT now()
        )
        """
    )
    conn.commit()
    applied = {number for (number,) in conn.execute("SELECT number FROM migration")}
    conn.commit()
    unknown = applied - {number for number, _, _ in steps}
    if unknown:
        raise DatabaseError(
            f"The site's database {where} is newer than this program: it has migration "
            f"{max(unknown)}. Install the newer mes-terminal."
        )
    return [step for step in steps if step[0] not in applied]


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__

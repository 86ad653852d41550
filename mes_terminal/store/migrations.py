"""The schema's history: explicit names, forward only, each in one transaction after a backup.

A database that holds a migration this program does not know is newer than the program and is left
alone.
"""

from pathlib import Path
from typing import Final

from sqlite_utils import Database as UtilsDatabase
from sqlite_utils import Migrations

from mes_terminal.errors import DatabaseError, InputError
from mes_terminal.store.private_file import make_private
from mes_terminal.store.sqlite import sqlite

SCHEMA: Final = Path(__file__).with_name("schema.sql")

_station = Migrations("mes_terminal")


@_station(name="0001_first_release")
def _first_release(database: UtilsDatabase) -> None:
    for statement in split_statements(SCHEMA.read_text(encoding="utf-8")):
        database.conn.execute(statement)


def migrate(database: UtilsDatabase, path: Path, *, is_new: bool) -> None:
    """Bring the schema up to date. Raises `DatabaseError` if the database is the newer one."""
    _refuse_newer(database, path)
    pending = _station.pending(database)
    if not pending:
        return
    if not is_new:
        backup = path.with_name(f"{path.name}.before-{pending[0].name}")
        make_private(backup)
        database.conn.execute("VACUUM INTO ?", [str(backup)])
    _station.apply(database)


def require_current(database: UtilsDatabase, path: Path) -> None:
    """Raise `DatabaseError` if the schema is newer than this program's, `InputError` if older."""
    _refuse_newer(database, path)
    if _station.pending(database):
        raise InputError(
            f"The database {path} is older than this program. Start the station once to update it.",
            reason="older",
        )


def split_statements(script: str) -> list[str]:
    """Return the statements of an SQL script; triggers stay whole."""
    statements, current = [], ""
    for line in script.splitlines(keepends=True):
        current += line
        if line.rstrip().endswith(";") and sqlite.complete_statement(current):
            statements.append(current.strip())
            current = ""
    return statements


def _refuse_newer(database: UtilsDatabase, path: Path) -> None:
    known = {migration.name for migration in _station._migrations}
    unknown = [found.name for found in _station.applied(database) if found.name not in known]
    if unknown:
        raise DatabaseError(
            f"The database {path} is newer than this program ({unknown[0]}). Install the newer "
            "mes-terminal.",
            reason="newer",
        )

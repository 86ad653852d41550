"""The schema is a promise to every database in the field: it changes by migration only.

`golden/` holds the schema each migration led to, as SQLite tells it. After a migration was added,
or the newest one changed before its release, write its file anew:

    MES_TERMINAL_GOLDEN=write .venv/bin/python -m pytest tests/architecture/test_schema.py
"""

import os
from pathlib import Path
from typing import Final

import pytest

from mes_terminal.store.database import APPLICATION_ID, Connection, open_database
from mes_terminal.store.sqlite import sqlite

GOLDEN: Final = Path(__file__).with_name("golden")
ORIGIN: Final = "0001_first_release"
MIGRATIONS_TABLE: Final = "_sqlite_migrations"


def described(connection: Connection) -> str:
    """Return the statements that make the schema, in the order of their making."""
    rows = connection.execute(
        "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND tbl_name <> ? ORDER BY rowid",
        [MIGRATIONS_TABLE],
    )
    return ";\n\n".join(sql for (sql,) in rows) + ";\n"


def applied(connection: Connection) -> list[str]:
    """Return the names of the migrations that were applied, in order."""
    rows = connection.execute(f"SELECT name FROM {MIGRATIONS_TABLE} ORDER BY rowid")
    return [name for (name,) in rows]


def released() -> list[str]:
    """Return the names of the migrations that have a golden file, oldest first."""
    return sorted(path.stem for path in GOLDEN.glob("*.sql"))


def test_a_new_database_has_the_golden_schema(tmp_path: Path) -> None:
    database = open_database(tmp_path / "new.db")
    newest = applied(database.conn)[-1]
    schema = described(database.conn)
    database.close()
    golden = GOLDEN / f"{newest}.sql"
    if os.environ.get("MES_TERMINAL_GOLDEN") == "write":
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(schema, encoding="utf-8")
    assert golden.exists(), f"no {golden}; this module's docstring says how to write it"
    assert schema == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("migration", released() or [ORIGIN])
def test_a_database_of_every_release_is_brought_up_to_date(migration: str, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    make_as_released(path, migration)
    migrated = open_database(path)
    fresh = open_database(tmp_path / "fresh.db")
    try:
        assert sorted(described(migrated.conn).split(";\n\n")) == sorted(
            described(fresh.conn).split(";\n\n")
        )
        assert applied(migrated.conn) == applied(fresh.conn)
        assert migrated.conn.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
    finally:
        migrated.close()
        fresh.close()


def make_as_released(path: Path, migration: str) -> None:
    """Make an empty database just as the program left it that ended at `migration`."""
    names = released()
    connection = sqlite.connect(path)
    connection.executescript((GOLDEN / f"{migration}.sql").read_text(encoding="utf-8"))
    connection.execute(
        f"CREATE TABLE {MIGRATIONS_TABLE} ("
        "id INTEGER PRIMARY KEY, migration_set TEXT, name TEXT, applied_at TEXT)"
    )
    connection.executemany(
        f"INSERT INTO {MIGRATIONS_TABLE} (migration_set, name, applied_at) VALUES (?, ?, ?)",
        [
            ("mes_terminal", name, "2026-11-20 00:00:00")
            for name in names[: names.index(migration) + 1]
        ],
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "table", ["event", "movement", "edge", "report", "scan_journal", "scan_outcome"]
)
def test_what_happened_can_neither_be_changed_nor_removed(table: str, tmp_path: Path) -> None:
    """BF-35, BF-13: the ledger, the log and the journal are append-only, by trigger."""
    database = open_database(tmp_path / "new.db")
    triggers = {
        name
        for (name,) in database.conn.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?", [table]
        )
    }
    database.close()
    assert triggers >= {f"{table}_no_update", f"{table}_no_delete"}

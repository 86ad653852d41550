"""The sample plant in one file, and what stands in a database after a crash: for both sweeps."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

from mes_terminal.domain.instants import format_instant
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import Database, open_database
from mes_terminal.usecases.doctor import examine

ROOT: Final = Path(__file__).resolve().parents[2]
RULES: Final = StationRules()

TOLD_BY_THE_RECOVERY: Final = {
    "scan_outcome": {"message", "concluded_at", "hash"},
    "station_state": {"recovered_code", "recovered_until"},
}
"""What a recovered scan may leave otherwise: its words, and what asks about a repeat (BF-13)."""

State = dict[str, list[tuple[Any, ...]]]


class Plant(msgspec.Struct, frozen=True):
    """The sample plant, loaded, in one file; and the moment of the scan, which is after that."""

    path: Path
    scanned_at: str


def make_plant(folder: Path) -> Plant:
    """Load the sample plant into a database in `folder`."""
    path = folder / "plant.db"
    done = subprocess.run(
        [sys.executable, "-m", "mes_terminal", "--db", path, "load", "config/sample-plant"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    database = open_database(path)
    database.conn.execute("DELETE FROM meta WHERE key = 'home'")  # each copy is at home where it is
    database.close()
    assert not path.with_name(path.name + "-wal").exists(), "the plant is not in one file"
    return Plant(path, format_instant(datetime.now(UTC)))


def state(database: Database) -> State:
    """Return every row of every table, but for what a recovery may tell otherwise."""
    names = database.conn.execute(
        "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name"
    ).fetchall()
    found: State = {}
    for (table,) in names:
        columns = [row[1] for row in database.conn.execute(f"PRAGMA table_info({table})")]
        kept = [name for name in columns if name not in TOLD_BY_THE_RECOVERY.get(table, ())]
        rows = database.conn.execute(f"SELECT {', '.join(kept)} FROM {table}").fetchall()
        found[table] = sorted(rows, key=repr)
    found["meta"] = [row for row in found["meta"] if row[0] != "home"]
    return found


def without_journal(rows: State) -> State:
    """Return the state as it is for everybody but the journal."""
    return {table: found for table, found in rows.items() if table != "scan_journal"}


def faults(database: Database, now: str) -> list[str]:
    """Return what doctor finds wrong with the data."""
    return [
        f"{check.check}: {check.detail}"
        for check in examine(database, RULES, now=now, disk_free_bytes=10**12)
        if not check.ok and check.check not in {"sqlite", "disk"}
    ]


def read(path: Path) -> State:
    """Return the state of a database at rest."""
    database = open_database(path)
    try:
        return state(database)
    finally:
        database.close()


def remove(path: Path) -> None:
    """Remove a database with what belongs to it."""
    for name in path.parent.glob(f"{path.name}*"):
        name.unlink()

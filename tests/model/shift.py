"""A station whose every input is kept, to be stopped at any moment and replayed from nothing.

The clock and the ids are the test's own, so a replay must give the same rows in every table.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.resolving import Resolved
from mes_terminal.domain.rules import StationRules
from mes_terminal.store.database import SqliteError, open_database
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.prepare_station import prepare_station
from mes_terminal.usecases.resolve_exceptions import check_decision, resolve_exception
from tests.plants import Files, Station, empty_database, open_station

Input = tuple[str, Any]
"""("scan", its number), ("load", files), ("resolve", what was decided) or ("heal", the clock)."""

SUPERVISOR: Final = "SO"
ASKS_NO_MORE_S: Final = 61
"""After so long what was booked before a stop is no longer asked about (BF-13)."""
MACHINE_TIMES: Final = {
    "concluded_at", "recorded_at", "recovered_code", "recovered_until", "hash", "body",
}  # fmt: skip
"""Columns that tell when the program ran, or hang on the database's own name."""
ASIDE: Final = {"meta", "_sqlite_utils_migrations", "sqlite_sequence", "sqlite_stat1"}


class Shift:
    """A station in a folder of its own, and everything it was told."""

    def __init__(self, folder: Path, files: Files, rules: StationRules) -> None:
        self.folder = folder
        self.files = files
        self.rules = rules
        self.station = open_station(folder, files, rules, template=empty_database())
        self.inputs: list[Input] = []

    def scan(self, code: str, *, badge: str | None = None, after_s: float = 1) -> Outcome:
        """Scan one code."""
        self.inputs.append(("scan", len(self.inputs)))
        return self.station.scan(code, badge=badge, after_s=after_s)

    def load(self, files: Files) -> None:
        """Load files."""
        self.inputs.append(("load", (files, self.station.clock)))
        self.station.load(files)

    def heal(self) -> None:
        """Post what became possible."""
        self.inputs.append(("heal", self.station.clock))
        self.station.heal()

    def resolve(self, exception_id: int, decision: Decision) -> Resolved:
        """End an exception as the supervisor decides."""
        self.inputs.append(("resolve", (exception_id, decision, self.station.clock)))
        return _resolve(self.station, exception_id, decision)

    def restart(self) -> None:
        """Close the database and open it again: what is not in it is lost."""
        clock, scans = self.station.clock, self.station.scans
        self.station.db.close()
        db = open_database(self.folder / "station.db")
        prepare_station(db, self.rules)
        self.station = Station(db, self.rules)
        self.station.clock, self.station.scans = clock, scans

    def stop_before(self, codes: Sequence[str | bytes]) -> list[Outcome]:
        """Read codes, stop before any is handled, and handle them at the next start."""
        for code in codes:
            self.inputs.append(("scan", len(self.inputs)))
            self.station.clock += timedelta(seconds=1)
            self.station.journal(code)
        self.restart()
        outcomes = self.station.recover()
        self.station.clock += timedelta(seconds=ASKS_NO_MORE_S)
        return outcomes

    def cut_off(self, code: str, *, after_instructions: int) -> list[Outcome]:
        """Scan a code, break SQLite off in the midst of it, and handle it at the next start.

        Returns nothing where all was done before.
        """
        self.inputs.append(("scan", len(self.inputs)))
        self.station.clock += timedelta(seconds=1)
        scan = self.station.journal(code)
        conn, cuts = self.station.db.conn, iter([True])
        conn.set_progress_handler(lambda: next(cuts, False), after_instructions)
        with suppress(SqliteError):
            handle_scan(self.station.db, scan, self.rules)
        conn.set_progress_handler(None, 0)
        self.restart()
        outcomes = self.station.recover()
        self.station.clock += timedelta(seconds=ASKS_NO_MORE_S)
        return outcomes

    def replayed(self, folder: Path) -> Station:
        """Return a station that was given the same inputs, from an empty database on."""
        second = open_station(folder, self.files, self.rules, template=empty_database())
        journal = iter(
            self.station.db.conn.execute(
                "SELECT raw, badge, event_time, received_at FROM scan_journal ORDER BY scan_seq"
            ).fetchall()
        )
        for kind, what in self.inputs:
            if kind == "scan":
                raw, badge, event_time, received_at = next(journal)
                second.clock = datetime.fromisoformat(received_at)
                second.scan(raw, badge=badge, at=event_time, after_s=0)
            elif kind == "load":
                files, second.clock = what
                second.load(files)
            elif kind == "resolve":
                exception_id, decision, second.clock = what
                _resolve(second, exception_id, decision)
            else:
                second.clock = what
                second.heal()
        return second


def _resolve(station: Station, exception_id: int, decision: Decision) -> Resolved:
    check_decision(station.db, [exception_id], decision, by=SUPERVISOR)
    return resolve_exception(
        station.db, exception_id, decision, by=SUPERVISOR, rules=station.rules, now=station.now
    )


def whole_ledger(station: Station) -> dict[str, Any]:
    """Return every table but what a machine's clock wrote, and what each event says."""
    conn = station.db.conn
    tables = [
        row[0]
        for row in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
        if row[0] not in ASIDE and not row[0].startswith("sqlite_")
    ]
    found: dict[str, Any] = {}
    for table in tables:
        columns = [row[1] for row in conn.execute(f"PRAGMA table_info({table})")]
        kept = ", ".join(name for name in columns if name not in MACHINE_TIMES)
        found[table] = sorted(conn.execute(f"SELECT {kept} FROM {table}").fetchall(), key=repr)
    found["said"] = conn.execute(
        "SELECT event_seq, json_extract(body, '$.data') FROM event ORDER BY event_seq"
    ).fetchall()
    found["stock"] = station.rows("stock")
    return found

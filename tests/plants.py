"""A plant in CSV text and a station that scans in it: what rule tests are told with.

`open_station` loads a plant into a real database; `Station` journals and handles one code a call,
by a clock and an id maker of its own, so that the same calls give the same rows.
"""

import atexit
import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from mes_terminal.domain.instants import format_instant
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.quantity import format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import Scan, ScanRequest
from mes_terminal.store.database import Database, open_database
from mes_terminal.usecases.doctor import examine
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.heal import heal_all
from mes_terminal.usecases.journal import journal_scans, waiting_scans
from mes_terminal.usecases.lists import order_lines, read_list
from mes_terminal.usecases.load_master_data import LoadResult, load_folder
from mes_terminal.usecases.prepare_station import prepare_station
from mes_terminal.usecases.watch_clock import last_reading, note_clock

Files = Mapping[str, str]
Row = dict[str, Any]

MORNING: Final = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
TEST_RULES: Final = StationRules(mode="test")
PROVED: Final = ("conservation", "balances", "log_chain", "outbox", "journal")
"""The checks of the doctor that hold at every moment, whatever the machine."""


class Station:
    """A station with its plant, its clock (a second passes before each scan) and its ids."""

    def __init__(self, db: Database, rules: StationRules) -> None:
        self.db = db
        self.rules = rules
        self.clock = MORNING
        self.scans = 0

    @property
    def now(self) -> str:
        """The clock's reading."""
        return format_instant(self.clock)

    def scan(
        self,
        code: str | bytes,
        *,
        badge: str | None = None,
        at: str | None = None,
        after_s: float = 1,
    ) -> Outcome:
        """Journal and handle one code, `after_s` seconds later by the clock."""
        self.clock += timedelta(seconds=after_s)
        return handle_scan(self.db, self.journal(code, badge=badge, at=at), self.rules)

    def journal(
        self, code: str | bytes, *, badge: str | None = None, at: str | None = None
    ) -> Scan:
        """Journal a code without handling it, as a stop in between leaves it."""
        raw = code.encode() if isinstance(code, str) else code
        request = ScanRequest(raw=raw, device="test", badge=badge, event_time=at)
        return journal_scans(self.db, [request], received_at=self.now, new_id=self._new_id)[0]

    def recover(self) -> list[Outcome]:
        """Handle what a stop left waiting, as the station does when it starts."""
        return [
            handle_scan(self.db, scan, self.rules) for scan in waiting_scans(self.db, now=self.now)
        ]

    def read_clock(self, reading: datetime) -> bool:
        """Set the clock and let the station notice; return whether it stepped back."""
        self.clock = reading
        return note_clock(self.db, self.rules, now=self.now, last=last_reading(self.db))

    def load(self, files: Files, *, at: str | None = None) -> LoadResult:
        """Load files that must be free of faults."""
        told = {name: text.encode() for name, text in files.items()}
        result = load_folder(self.db, told, rules=self.rules, now=self.now, at=at)
        assert not result.faults, result.faults
        return result

    def heal(self) -> None:
        """Work off what waits to heal, as the station does between scans."""
        heal_all(self.db, self.rules, now=self.now)

    def rows(self, name: str, **filters: str) -> list[Row]:
        """Return a list of the command line, as its JSON reads."""
        found = read_list(self.db, name, filters, rules=self.rules, now=self.now)
        return [as_json(row) for row in found]

    def stock(self, item: str, lot: str | None = None, location: str = "LINE") -> str:
        """Return what is on hand, as text; `"0"` if nothing is."""
        for row in self.rows("stock", item=item, location=location):
            if row["lot"] == lot:
                return str(row["quantity"])
        return "0"

    def order(self, work_order: str) -> Row:
        """Return an order as the list shows it."""
        return self.rows("orders", work_order=work_order)[0]

    def line(self, work_order: str, line: str) -> Row:
        """Return a line of an order's snapshot."""
        rows = [as_json(row) for row in order_lines(self.db, work_order)]
        return next(row for row in rows if row["line"] == line)

    def exceptions(self, **filters: str) -> list[tuple[Any, ...]]:
        """Return (kind, status, line, item, quantity) of each exception, by id."""
        keys = ("kind", "status", "line", "item", "quantity")
        return [tuple(row[key] for key in keys) for row in self.rows("exceptions", **filters)]

    def edges(self) -> list[tuple[str, str, str, str, str]]:
        """Return (child, parent, line, quantity, certainty) of each edge in order of writing."""
        return [
            (child, parent, line, format_quantity(micro), certainty)
            for child, parent, line, micro, certainty in self.db.conn.execute(_EDGES)
        ]

    def ledger(self) -> dict[str, Any]:
        """Return everything a refused scan must leave as it was."""
        tables = ("movement", "balance", "edge", "order_line", "work_order", "lot", "event")
        return {name: self.db.conn.execute(f"SELECT * FROM {name}").fetchall() for name in tables}

    def faults(self) -> list[str]:
        """Return what the doctor can prove wrong."""
        checks = examine(self.db, self.rules, now=self.now, disk_free_bytes=10**12)
        return [each.detail for each in checks if each.check in PROVED and not each.ok]

    def _new_id(self) -> str:
        self.scans += 1
        return f"scan-{self.scans:05d}"


_EDGES: Final = """
    SELECT coalesce(nullif(c.lot, ''), nullif(c.serial, ''), w.work_order, ''),
           coalesce(nullif(p.lot, ''), nullif(p.serial, ''), 'unknown'),
           l.line, e.quantity_micro, e.certainty
      FROM edge e
      JOIN lot c ON c.lot_id = e.child_id JOIN lot p ON p.lot_id = e.parent_id
      JOIN order_line l USING (line_id) LEFT JOIN work_order w ON w.work_order_id = c.work_order_id
     ORDER BY e.report_seq, l.position, e.child_id, e.parent_id
"""


def open_station(
    folder: Path,
    files: Files,
    rules: StationRules = TEST_RULES,
    *,
    at: str = "2026-11-19T06:00:00Z",
    template: Path | None = None,
) -> Station:
    """Return a station with the plant loaded at `at`; `template` is an empty database to copy."""
    path = folder / "station.db"
    if template is not None:
        shutil.copyfile(template, path)
    db = open_database(path)
    prepare_station(db, rules)
    station = Station(db, rules)
    station.load(files, at=format_instant(datetime.fromisoformat(at)))
    return station


@contextmanager
def memory_folder() -> Iterator[Path]:
    """Give a folder in memory where there is one: a real file system, only faster."""
    memory = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() else None))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@cache
def empty_database() -> Path:
    """Return an empty database to copy: making one costs more than a sequence of scans."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    db = open_database(folder / "empty.db")
    db.checkpoint()
    db.close()
    return folder / "empty.db"


def as_json(value: Any) -> Any:
    """Return a value as a reader of the JSON sees it."""
    return json.loads(msgspec.json.encode(value))


def quantities(outcome: Outcome) -> list[tuple[str | None, str | None, str]]:
    """Return (line, lot, quantity) of what was consumed, as drawn."""
    return [(each.line, each.lot, each.quantity) for each in outcome.consumed]


def certainties(outcome: Outcome) -> list[tuple[str | None, str | None, str | None]]:
    """Return (line, lot, certainty) of what was consumed, as drawn."""
    return [(each.line, each.lot, each.certainty) for each in outcome.consumed]


def said(outcome: Outcome) -> tuple[str, str | None]:
    """Return outcome and reason."""
    return outcome.outcome, outcome.reason


def plant(**tables: str) -> dict[str, str]:
    """Return files by table name; the text is CSV, indented as the test is."""
    return {
        f"{name}.csv": "".join(f"{line.strip()}\n" for line in text.strip().splitlines())
        for name, text in tables.items()
    }

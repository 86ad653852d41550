"""Plays an example of docs/rules.md on a station of its own and tells what was seen of each line.

What a line may be stands at the top of that page; what is asked of the books is in
`tests.rules_books`.
"""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Final

import msgspec

from mes_terminal.domain.rules import StationRules
from mes_terminal.settings import Settings
from mes_terminal.station.booking import recovered_sentence
from mes_terminal.store.database import Connection, SqliteError, open_database
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases.load_master_data import load_folder
from mes_terminal.usecases.prepare_station import prepare_station
from tests.plants import TEST_RULES, Station, empty_database
from tests.rules_books import QUESTIONS, told
from tests.rules_facts import Sight, seen
from tests.rules_page import Entry, Example, Page

SAMPLE: Final = Path(__file__).parents[1] / "config" / "sample-plant"
PLANT_LOADED_AT: Final = "2026-11-19T06:00:00.000000Z"
POWER: Final = {"power fails": None, "power fails before the commit": "INTO scan_outcome"}
"""What fails the power while a scan is taken: at once, or at the statement that holds this."""

_PROMPT: Final = re.compile(r"(?:(\d+)x|(\w*))> (.+)$")
_SPAN: Final = re.compile(r"(\d+) (s|min|h)$")
_SECONDS: Final = {"s": 1, "min": 60, "h": 3600}


class CannotPlay(Exception):  # noqa: N818  it is the page that is wrong, not the program
    """A line of the page that is nothing an example can do."""


class Play:
    """One example on its way: the station, and what waits until it is made or loads."""

    def __init__(self, folder: Path, page: Page) -> None:
        self.folder = folder
        self.page = page
        self._settings: dict[str, Any] = {}
        self._files: dict[str, bytes] = {}
        self._station: Station | None = None
        self._next_scan_after_s = 1.0

    def go(self, example: Example) -> Iterator[tuple[Entry, Sight]]:
        """Do line after line; yield each with what was seen of it."""
        for entry in example.entries:
            if self._files and not entry.is_file and entry.left != "load":
                yield Entry(entry.line, "load"), self._load()
            yield entry, self.do(entry)
        if self._files:
            yield Entry(example.line, "load"), self._load()

    @property
    def station(self) -> Station:
        """The station; it is made when it is first needed, by the settings until then."""
        if self._station is None:
            self._station = self._open(_rules(self._settings))
        return self._station

    def faults(self) -> list[str]:
        """Return what the doctor finds wrong in the books."""
        return self.station.faults()

    def _open(self, rules: StationRules) -> Station:
        path = self.folder / "station.db"
        if not path.exists():
            path.write_bytes(empty_database().read_bytes())
        db = open_database(path)
        prepare_station(db, rules)
        return Station(db, rules)

    def do(self, entry: Entry) -> Sight:
        """Do one line and return what was seen of it."""
        verb, _, rest = entry.left.partition(" ")
        if entry.is_file:
            self._files[verb] = "".join(f"{row}\n" for _, row in entry.rows).encode()
        elif rest.startswith("= ") and self._station is None:
            _set(self._settings, verb.split("."), rest.removeprefix("= "))
        elif prompt := _PROMPT.match(entry.left):
            return self._scan(int(prompt[1] or 1), prompt[2] or None, prompt[3], entry)
        elif verb == "plant":
            return self._plant(rest)
        elif entry.left == "load":
            return self._load()
        elif entry.left == "restart":
            return self._restart()
        elif verb == "clock":
            return self._set_clock(rest)
        elif verb == "wait" and (span := _SPAN.match(rest)):
            self.station.clock += timedelta(seconds=int(span[1]) * _SECONDS[span[2]])
            self._next_scan_after_s = 0
        elif verb in QUESTIONS:
            return QUESTIONS[verb](self.station, rest.split())
        else:
            raise CannotPlay(entry.left)
        return Sight([])

    def _plant(self, name: str) -> Sight:
        if name == "sample":
            self._files |= _sample()
        elif name in self.page.plants:
            for entry in self.page.plants[name]:
                self.do(entry)
        else:
            raise CannotPlay(f"there is no plant {name!r}")
        return self._load()

    def _load(self) -> Sight:
        """Load the files so far, a second later; the first of an example the day before."""
        station, files = self.station, self._files
        is_first = not station.db.conn.execute("SELECT 1 FROM item LIMIT 1").fetchone()
        at = PLANT_LOADED_AT if is_first else None
        station.clock += timedelta(seconds=0 if is_first else 1)
        result = load_folder(station.db, files, rules=station.rules, now=station.now, at=at)
        station.heal()
        self._files = {}
        texts = [str(fault) for fault in result.faults]
        return Sight([seen("fault", told=True, group="faults") for _ in texts], texts)

    def _scan(self, times: int, badge: str | None, code: str, entry: Entry) -> Sight:
        expected = str(entry.facts[0]) if entry.facts else ""
        if expected in POWER:
            return self._fail(code, badge, expected)
        sights = []
        for _ in range(times):
            outcome = self.station.scan(code, badge=badge, after_s=self._next_scan_after_s)
            self._next_scan_after_s = 1
            self.station.heal()
            sights.append(Sight(told(outcome), [outcome.message, outcome.hint or ""]))
        return next((each for each in sights if each.facts != sights[0].facts), sights[0])

    def _fail(self, code: str, badge: str | None, how: str) -> Sight:
        """Journal the code; then the power fails, or does while the scan is being booked."""
        statement, conn = POWER[how], self.station.db.conn
        if statement is None:
            self.station.clock += timedelta(seconds=1)
            self.station.journal(code, badge=badge)
            return Sight([seen(how)])
        with _interrupted_at(conn, statement) as reached, suppress(SqliteError):
            self.station.scan(code, badge=badge)
        return Sight([seen(how)] if reached else [])

    def _restart(self) -> Sight:
        before = self.station
        before.db.close()
        before.db = self._open(before.rules).db
        before.clock += timedelta(seconds=1)
        before.heal()
        outcomes = before.recover()
        before.heal()
        facts = [fact for outcome in outcomes for fact in told(outcome)]
        return Sight(facts, [recovered_sentence(outcome) for outcome in outcomes])

    def _set_clock(self, text: str) -> Sight:
        """Set the clock to a time of the site, of the same day if it names none."""
        zone, clock = self.station.rules.zone, self.station.clock
        day = "" if "-" in text else f"{clock.astimezone(zone):%Y-%m-%d} "
        reading = datetime.fromisoformat(day + text).replace(tzinfo=zone)
        steps_back = self.station.read_clock(reading.astimezone(clock.tzinfo))
        self._next_scan_after_s = 0
        return Sight([seen("steps back", told=True)] if steps_back else [])


@contextmanager
def _interrupted_at(conn: Connection, statement: str) -> Iterator[list[str]]:
    """Interrupt the first statement that holds this text; give what was reached of it.

    Only once: taking back what was written so far must go on.
    """
    reached: list[str] = []
    is_over = False

    def interrupts() -> bool:
        nonlocal is_over
        now = bool(reached) and not is_over
        is_over = is_over or now
        return now

    conn.set_trace_callback(lambda sql: reached.append(sql) if statement in sql else None)
    conn.set_progress_handler(interrupts, 1)
    try:
        yield reached
    finally:
        conn.set_trace_callback(None)
        conn.set_progress_handler(None, 0)


def _set(table: dict[str, Any], path: list[str], value: str) -> None:
    for part in path[:-1]:
        table = table.setdefault(part, {})
    table[path[-1]] = tomllib.loads(f"value = {value}", parse_float=Decimal)["value"]


def _rules(settings: dict[str, Any]) -> StationRules:
    """Return the rules of a station in test mode with these settings, as its file gives them."""
    station = {"mode": TEST_RULES.mode, "time_zone": "UTC"} | settings.get("station", {})
    return msgspec.convert(settings | {"station": station}, Settings, strict=False).rules()


@cache
def _sample() -> dict[str, bytes]:
    return read_folder(SAMPLE)

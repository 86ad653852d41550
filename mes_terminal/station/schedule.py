"""What the core does once a day: it writes the validation report (`reports.validation_at`).

What is due is told from the files that are there, so a day that was missed while the station was
stopped is made up for after its next start, and none is written twice. The report is read on the
reading thread, a page at a time, and written beside it; a folder that cannot be written is told and
tried again later.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from mes_terminal import logs
from mes_terminal.domain.instants import plus_seconds, to_datetime
from mes_terminal.errors import StationError
from mes_terminal.station.clock import utc_now
from mes_terminal.store.whole_file import write_whole
from mes_terminal.usecases.lists import read_list
from mes_terminal.usecases.validate_plant import Finding, report_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from zoneinfo import ZoneInfo

    from mes_terminal.domain.rules import StationRules
    from mes_terminal.settings import Settings
    from mes_terminal.station.reading import Reading
    from mes_terminal.store.database import Database

LOOK_EVERY_S: Final = 30.0
RETRY_S: Final = 3_600
"""How long a report that could not be written waits for its next try."""
NEVER: Final = "none"
STEM: Final = "validation"
FORMS: Final = ("txt", "json")


class DailyReport:
    """The report of one core. `tick` as often as you like."""

    def __init__(
        self, database: Path, settings: Settings, rules: StationRules, reading: Reading
    ) -> None:
        table = settings.reports
        self._at = table.validation_at
        self._folder = (
            Path(table.folder).expanduser()
            if table.folder is not None
            else database.with_name("reports")
        )
        self._keep = table.keep
        self._rules = rules
        self._reading = reading
        self._not_before = ""

    async def run(self) -> None:
        """Look every half minute whether it is due, until cancelled."""
        while True:
            await asyncio.sleep(LOOK_EVERY_S)
            try:
                await self.tick(utc_now())
            except StationError as error:
                logs.write("report.failed", error=error.sentence)

    async def tick(self, now: str) -> Path | None:
        """Write the report if it is due; return the file of a new one. Raises `CoreError`."""
        if self._at == NEVER or now < self._not_before:
            return None
        path = self._folder / f"{STEM}-{day_due(now, self._at, self._rules.zone)}.txt"
        if await asyncio.to_thread(path.exists):
            return None
        self._not_before = plus_seconds(now, RETRY_S)
        findings = await self._findings(now)
        try:
            await asyncio.to_thread(self._write, path, findings, now)
        except OSError as error:
            logs.say(f"The validation report {path} cannot be written: {error.strerror}.")
            return None
        stops = sum(each.severity == "stop" for each in findings)
        logs.write("report.written", file=path, findings=len(findings), stop=stops)
        return path

    async def _findings(self, now: str) -> list[Finding]:
        def rows(database: Database) -> Iterator[bytes]:
            found = read_list(database, STEM, {}, rules=self._rules, now=now)
            return map(msgspec.json.encode, found)

        return [
            msgspec.json.decode(row, type=Finding)
            async for page in self._reading.pages(rows)
            for row in page
        ]

    def _write(self, path: Path, findings: list[Finding], now: str) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        as_json = msgspec.json.format(msgspec.json.encode(findings), indent=1)
        write_whole(path.with_suffix(".json"), as_json + b"\n")
        # the text last: it says that the day's report is there
        write_whole(path, report_text(findings, rules=self._rules, now=now).encode())
        for form in FORMS:
            written = sorted(path.parent.glob(f"{STEM}-????-??-??.{form}"))
            for old in written[: -self._keep]:
                old.unlink(missing_ok=True)


def day_due(now: str, at: str, zone: ZoneInfo) -> str:
    """Return the day whose report is the newest that is due: today's from `at` (HH:MM) on."""
    local = to_datetime(now).astimezone(zone)
    if local.strftime("%H:%M") < at:
        local -= timedelta(days=1)
    return local.date().isoformat()

"""Journalling and booking on the one writing connection: what the core does with a scan.

Guarantees: a scan is durable in the journal before anything reads it; each journalled scan is
handled exactly once, in order; if handling raises, its transaction is gone, the scan stands as
failed and the next one is taken. Whoever uses it holds the database's lock: the core's store
thread, or a command that is the core for the moment.
"""

from __future__ import annotations

import gc
import time
from typing import TYPE_CHECKING, Final

import msgspec

from mes_terminal import logs
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.scan import CODE_MAX_BYTES, ScanRequest
from mes_terminal.errors import DatabaseError, InputError, StationError
from mes_terminal.station.clock import IdMaker, given_instant, utc_now
from mes_terminal.station.healing import Healer
from mes_terminal.station.home import Note, settle_home
from mes_terminal.store.database import SqliteError, attempt, open_database
from mes_terminal.store.epochs import read_position
from mes_terminal.usecases.fail_scan import conclude_failed
from mes_terminal.usecases.handle_scan import handle_scan, rehearse_scan
from mes_terminal.usecases.idle_logoff import last_use, sign_out_idle
from mes_terminal.usecases.journal import is_supervisor, journal_scans, waiting_scans
from mes_terminal.usecases.prepare_station import prepare_station
from mes_terminal.usecases.watch_clock import last_reading, note_clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from mes_terminal.domain.rules import StationRules
    from mes_terminal.domain.scan import Scan
    from mes_terminal.station.disk import DiskGuard
    from mes_terminal.store.database import Connection

CHECKPOINT_SCANS: Final = 200
"""Checkpoint at the latest after so many scans, when there is a moment between two."""
GARBAGE_MIN: Final = 20_000
"""Objects made since the last collection: fewer are not worth the millisecond."""
RAW_KEPT_BYTES: Final = CODE_MAX_BYTES + 1
"""One more than is journalled, so that the cut is noticed."""


def collect_only_between_scans() -> None:
    """Take garbage collection out of the scans: from now on only `Booking.tidy` collects.

    What start-up made stays for good and is not looked at again.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


class Booking:
    """The writing connection and what is done on it. One thread at a time."""

    def __init__(self, database: Path, rules: StationRules, disk: DiskGuard | None = None) -> None:
        """Open (make, migrate) the database and prepare it for these rules; `disk` is asked before
        each scan."""
        self.rules = rules
        self.new_id = IdMaker()
        self._disk = disk
        if disk is not None:
            disk.look()  # a full disk lets the reserve go before anything is written
        self.db = open_database(database)
        self._scans_since_checkpoint = 0
        self._healer = Healer(self.db, rules, refused=raise_if_damaged)
        self.moved = settle_home(self.db, rules, now=utc_now())
        """Why an epoch was begun, in a sentence; `None` if none was."""
        self._note = Note(database)
        prepare_station(self.db, rules)
        self._last_reading = last_reading(self.db)
        self._last_use = last_use(self.db)

    def request_for(
        self,
        raw: bytes,
        *,
        device: str,
        badge: str | None = None,
        at: str | None = None,
        fault: str | None = None,
        fault_key: str | None = None,
    ) -> ScanRequest:
        """Return the scan asked for; nothing is journalled yet.

        Raises `InputError` where `--at` is malformed, or is not allowed: it is in test mode, and
        live for a supervisor who enters it late under their own badge.
        """
        event_time = None
        if at is not None:
            if self.rules.mode != "test" and not (badge and is_supervisor(self.db, badge)):
                raise InputError(
                    "A live station books at its own time. Leave --at out, or enter it late with "
                    "--as and a supervisor's badge.",
                    reason="time_not_allowed",
                )
            event_time = given_instant(at, self.rules.zone)
        return ScanRequest(
            raw=raw[:RAW_KEPT_BYTES],
            device=device,
            badge=badge,
            event_time=event_time,
            fault=fault,
            fault_key=fault_key,
        )

    def recover(self) -> Iterator[Outcome]:
        """Handle what waits in the journal since the last stop; each once, in order.

        What was left to heal goes first, and what a scan lets heal before the next: as it would
        have been without the stop.
        """
        self.heal_all()
        for scan in waiting_scans(self.db, now=utc_now()):
            yield self.handle(scan, time.monotonic())
            self.heal_all()

    def journal(self, requests: Sequence[ScanRequest]) -> list[Scan]:
        """Make the scans durable, all in one commit, and return them in order."""
        now = self.read_clock()
        self._sign_out_idle(now)
        if any(each.badge is None for each in requests):
            self._last_use = now
        return journal_scans(self.db, requests, received_at=now, new_id=self.new_id)

    def read_clock(self) -> str:
        """Return the clock's reading, for what is journalled; a step back is noticed (BF-33)."""
        now = utc_now()
        note_clock(self.db, self.rules, now=now, last=self._last_reading)
        self._last_reading = now
        return now

    def rest(self) -> None:
        """Do what time brings while nothing is scanned: sign out who has not scanned for long."""
        self._note_position()
        try:
            self._sign_out_idle(utc_now())
        except SqliteError as error:
            logs.write("people.not_signed_out", error=error)

    def handle(self, scan: Scan, since_s: float) -> Outcome:
        """Handle a journalled scan; `since_s` is the monotonic time of its journalling.

        Raises `StationError` if even its failure cannot be recorded: the core must end then.
        """
        outcome = _whatever_happens(
            lambda: handle_scan(self.db, scan, self.rules),
            failed=lambda error: self._failed(scan, error),
        )
        duration_ms = round((time.monotonic() - since_s) * 1000, 1)
        self._scans_since_checkpoint += 1
        logs.write(
            "scan.done",
            scan_id=scan.scan_id,
            outcome=outcome.outcome,
            reason=outcome.reason,
            device=scan.device,
            ms=duration_ms,
        )
        return msgspec.structs.replace(outcome, duration_ms=duration_ms)

    def book(self, request: ScanRequest) -> Outcome:
        """Journal one scan and handle it."""
        since_s = time.monotonic()
        if self.disk_stops:
            return self.no_room(request)
        try:
            (scan,) = self.journal([request])
        except SqliteError as error:
            return self.not_journalled(request, error)
        return self.handle(scan, since_s)

    def rehearse(self, conn: Connection, scan: Scan) -> Outcome:
        """Handle a scan inside a transaction that is taken back."""
        with attempt(conn) as take_back:

            def failed(error: Exception) -> Outcome:
                take_back()
                return Outcome(
                    scan_id=scan.scan_id,
                    code=scan.raw.decode("utf-8", "replace"),
                    outcome="rejected",
                    message=f"It fails again: {type(error).__name__}: {error}",
                )

            return _whatever_happens(lambda: rehearse_scan(conn, scan, self.rules), failed=failed)

    def heal(self) -> bool:
        """Post what became possible of what is owed, a batch of it; return whether more waits.

        Called between scans only (BF-22).
        """
        return self._healer.heal()

    def heal_all(self) -> None:
        """Post all that became possible."""
        while self.heal():
            pass

    @property
    def disk_stops(self) -> bool:
        """Whether the disk has too little room to scan on (UP-6)."""
        return self._disk is not None and self._disk.stops

    def no_room(self, request: ScanRequest) -> Outcome:
        """The answer to a scan while `disk_stops`."""
        assert self._disk is not None
        logs.write("scan.no_room", device=request.device)
        return self._not_recorded(
            request,
            f"NOT RECORDED: {self._disk.sentence()}",
            "Stop work and call the supervisor; scan it again when there is room on the disk",
        )

    def not_journalled(self, request: ScanRequest, error: SqliteError) -> Outcome:
        """The answer to a scan that the disk did not take. Damage is raised: the core must end."""
        raise_if_damaged(error)
        logs.write("scan.not_journalled", error=error, device=request.device)
        return self._not_recorded(
            request,
            f"NOT RECORDED: the disk refused it ({error})",
            "Call the supervisor; scan it again when the disk is mended",
        )

    def count_work(self) -> None:
        """Let writing that no scan did count towards the next checkpoint."""
        self._scans_since_checkpoint += 1

    def tidy(self, *, idle: bool) -> None:
        """Do what must not cost a scan, if it is time: checkpoint, and collect garbage.

        Called between scans only.
        """
        due = CHECKPOINT_SCANS if not idle else 1
        if self._scans_since_checkpoint >= due:
            self._scans_since_checkpoint = 0
            try:
                self.db.checkpoint()
            except SqliteError as error:
                logs.write("database.no_checkpoint", error=error)
            self._note_position()
        if gc.get_count()[0] >= GARBAGE_MIN:  # counts on while the collector itself is off
            gc.collect()

    def close(self) -> None:
        """Close the connection."""
        self._note_position()
        self.db.close()

    def _not_recorded(self, request: ScanRequest, message: str, hint: str) -> Outcome:
        return Outcome(
            scan_id=self.new_id(),
            code=request.raw[:CODE_MAX_BYTES].decode("utf-8", errors="replace"),
            outcome="rejected",
            reason="disk",
            message=message,
            hint=hint,
        )

    def _note_position(self) -> None:
        """Note how far the log is, beside the database: an older one put here would show."""
        try:
            self._note.update(read_position(self.db.conn))
        except SqliteError as error:
            logs.write("home.not_noted", error=error)

    def _sign_out_idle(self, now: str) -> None:
        if sign_out_idle(self.db, self.rules, now=now, last=self._last_use):
            self._last_use = None

    def _failed(self, scan: Scan, error: Exception) -> Outcome:
        if isinstance(error, SqliteError):
            raise_if_damaged(error)
        logs.write("scan.failed", scan_id=scan.scan_id, error=repr(error))
        try:
            return conclude_failed(self.db, scan, self.rules, f"{type(error).__name__}: {error}")
        except SqliteError as second:
            raise_if_damaged(second)
            # no later scan may be concluded before this one, so that none is ever passed over
            raise StationError(
                f"The disk refuses to record what became of a scan ({second}). It is in the "
                "journal and is booked at the next start: do not scan it again. Mend the disk.",
                reason="disk",
            ) from second


def _whatever_happens(
    work: Callable[[], Outcome], *, failed: Callable[[Exception], Outcome]
) -> Outcome:
    try:
        return work()
    except Exception as error:  # noqa: BLE001  a run loop: the next scan must be taken
        return failed(error)


def recovered_sentence(outcome: Outcome) -> str:
    """Return the sentence for one recovered scan."""
    code = outcome.code if outcome.code.isprintable() else repr(outcome.code)
    if outcome.outcome in ("completed", "recorded", "already_done"):
        return f"Booked before the stop: {outcome.message} ({code[:80]}). Do not scan it again."
    return f"Scanned before the stop, not booked: {code[:80]}: {outcome.message}."


def raise_if_damaged(error: SqliteError) -> None:
    """Raise `DatabaseError` if SQLite says that the file is damaged."""
    if "malformed" in str(error) or "not a database" in str(error):
        raise DatabaseError(
            f"The database is damaged: {error}. Restore the newest backup.", reason="damaged"
        ) from error

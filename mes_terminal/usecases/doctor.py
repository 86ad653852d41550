"""Examine the station: everything that can be proved on the whole database, and what is around it.

Each check answers with one line for a person and whether it holds; the first fault is named. Reads
only, on one snapshot, in memory that does not grow with history. Called by the core's reading
thread and by `mes-terminal doctor`.
"""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.instants import to_datetime
from mes_terminal.domain.quantity import MICRO, format_quantity
from mes_terminal.domain.rules import StationRules
from mes_terminal.store import checks
from mes_terminal.store.database import WRITER_PRAGMAS, Database, SqliteError
from mes_terminal.store.training import read_marks
from mes_terminal.usecases.deliver import counts, upstream_state
from mes_terminal.usecases.log_chain import prove

SQLITE_WITHOUT_WAL_BUG: Final = (3, 51, 3)
"""Older ones can corrupt a WAL database when two connections checkpoint at the same moment."""

_MEGABYTE: Final = 1_000_000


class Check(Struct, frozen=True):
    """What one check found."""

    check: str
    ok: bool
    detail: str


Finding = tuple[bool, str]


def examine(
    database: Database,
    rules: StationRules,
    *,
    now: str,
    pragmas: Mapping[str, int | str] | None = None,
    disk_free_bytes: int | None = None,
    disk_stop_mb: int = 64,
    disk_warn_mb: int = 1024,
) -> list[Check]:
    """Return every check, in the order of the command line.

    `now` is the clock's reading (UTC). `pragmas` are those of the writing connection where one is
    open; without them what the file carries is judged. `disk_free_bytes` defaults to the disk of
    the database; the marks are `alarms.disk_stop_mb` and `alarms.disk_warn_mb`.
    """
    found = pragmas if pragmas is not None else checks.reader_pragmas(database)
    examined: dict[str, Callable[[], Finding]] = {
        "conservation": lambda: _conservation(database),
        "balances": lambda: _balances(database),
        "log_chain": lambda: _log_chain(database),
        "outbox": lambda: _outbox(database),
        "journal": lambda: _journal(database),
        "schema": lambda: _schema(database),
        "pragmas": lambda: _pragmas(found),
        "sqlite": lambda: _sqlite(database),
        "disk": lambda: _disk(database, disk_free_bytes, disk_stop_mb, disk_warn_mb),
        "clock": lambda: _clock(database, now, rules),
    }
    if marks := read_marks(database):
        examined["training"] = lambda: (True, _training(marks))
    with checks.snapshot(database):
        return [Check(name, *_guarded(check)) for name, check in examined.items()]


def _training(marks: Mapping[str, str]) -> str:
    source, at = marks["training_of"], marks["training"]
    return f"a training copy of {source}, made {at}; nothing of it counts"


def _guarded(check: Callable[[], Finding]) -> Finding:
    """Answer a check; a database that cannot be read is a finding, not the end of the others."""
    try:
        return check()
    except SqliteError as error:
        return False, f"the database cannot be read: {error}. Restore the newest backup."


def _first(found: Iterator[Any]) -> Any:
    return next(found, None)


def _counts(database: Database) -> tuple[int, ...]:
    row: tuple[int, ...] = next(checks.rows(database, checks.COUNTS))
    return row


def _conservation(database: Database) -> Finding:
    """BF-36: per item the sum over all locations is zero, and genealogy tells what was consumed."""
    statements = (
        checks.FAULTS_MOVEMENTS,
        checks.FAULTS_REPORTS,
        checks.FAULTS_EDGES,
        checks.FAULTS_TAKEN_BACK,
    )
    fault = _first(chain.from_iterable(checks.rows(database, each) for each in statements))
    if fault:
        return False, fault[0]
    items = 0
    for item, whole, rest in checks.rows(database, checks.ITEM_SUMS):
        items += 1
        micro = whole * MICRO + rest
        if micro:
            return False, f"{item}: the sum over all locations is {format_quantity(micro)}, not 0"
    return True, f"{items} items sum to zero over {_counts(database)[0]} movements"


def _balances(database: Database) -> Finding:
    """BF-36: every balance is the sum of its movements, and none is missing."""
    ledger = checks.rows(database, checks.BALANCES_OF_THE_LEDGER)
    kept = checks.rows(database, checks.BALANCES_KEPT)
    expected, actual = _first(ledger), _first(kept)
    while expected or actual:
        if expected and (not actual or expected[:3] < actual[:3]):
            micro, held = expected[3] * MICRO + expected[4], 0
            place, expected = expected[:3], _first(ledger)
        elif actual and (not expected or actual[:3] < expected[:3]):
            micro, held = 0, actual[3]
            place, actual = actual[:3], _first(kept)
        else:
            micro, held = expected[3] * MICRO + expected[4], actual[3]
            place, expected, actual = actual[:3], _first(ledger), _first(kept)
        if micro != held:
            where = checks.lot_place(database, place[0], place[1])
            return False, (
                f"{where}: the balance is {format_quantity(held)}, "
                f"its movements sum to {format_quantity(micro)}"
            )
    fault = _first(checks.rows(database, checks.FAULTS_COPIES))
    if fault:
        return False, fault[0]
    return True, f"{_counts(database)[1]} balances equal the ledger"


def _log_chain(database: Database) -> Finding:
    proof = prove(database)
    return proof.ok, proof.fault or f"{proof.entries} entries, every hash recomputed"


def _outbox(database: Database) -> Finding:
    """UP-1: contiguous from 1, each posting queued, nothing else in the queue."""
    fault = _first(checks.rows(database, checks.FAULTS_OUTBOX))
    if fault:
        return False, fault[0]
    waiting, refused, parked = counts(database)
    state = upstream_state(database)
    told = f"{_counts(database)[3]} postings, contiguous; {waiting} wait"
    if refused or parked:
        told += f", {refused} stand refused, {parked} wait behind them"
    if state.last_contact_at is not None:
        told += f"; {state.receiver or 'the receiver'} answered last at {state.last_contact_at}"
    return True, told


def _journal(database: Database) -> Finding:
    """BF-13: every scan has its outcome but the newest, and every report its scan."""
    fault = _first(checks.rows(database, checks.FAULTS_JOURNAL))
    if fault:
        return False, fault[0]
    *_, scans, waiting = _counts(database)
    return True, f"{scans} scans, {waiting} waiting"


def _schema(database: Database) -> Finding:
    wanted = checks.program_schema()
    found = dict(checks.rows(database, checks.SCHEMA_OBJECTS))
    for name in sorted(wanted.keys() | found.keys()):
        if name not in found:
            return False, f"{name} is missing"
        if name not in wanted:
            return False, f"{name} is not of this program"
        if wanted[name] != found[name]:
            return False, f"{name} is not as this program makes it"
    fault = _first(checks.foreign_key_faults(database))
    if fault:
        return False, fault
    return True, f"{len(wanted)} objects as this program makes them"


def _pragmas(found: Mapping[str, int | str]) -> Finding:
    wrong = [
        f"{name} is {value}, not {WRITER_PRAGMAS[name]}"
        for name, value in found.items()
        if name in WRITER_PRAGMAS and value != WRITER_PRAGMAS[name]
    ]
    if wrong:
        return False, "; ".join(wrong)
    return True, ", ".join(f"{name} = {value}" for name, value in found.items())


def _sqlite(database: Database) -> Finding:
    version = checks.sqlite_version()
    faults = checks.page_faults(database)
    if faults:
        return False, f"quick_check: {'; '.join(faults)}. Restore the newest backup."
    if tuple(int(part) for part in version.split(".")) < SQLITE_WITHOUT_WAL_BUG:
        return True, (
            f"{version}, quick_check ok; before 3.51.3 SQLite can damage a database that two "
            "connections checkpoint at once: only the core may write, and nothing else may open "
            "the file for writing (or install the package pysqlite3)"
        )
    return True, f"{version}, quick_check ok"


def _disk(database: Database, free_bytes: int | None, stop_mb: int, warn_mb: int) -> Finding:
    free_mb = (checks.disk_free_bytes(database) if free_bytes is None else free_bytes) // _MEGABYTE
    if free_mb < stop_mb:
        return False, f"{free_mb} MB free, below the stop mark of {stop_mb} MB: make room"
    if free_mb < warn_mb:
        return True, f"{free_mb} MB free, below the warning mark of {warn_mb} MB: make room soon"
    return True, f"{free_mb} MB free"


def _clock(database: Database, now: str, rules: StationRules) -> Finding:
    """BF-33: the clock has not stepped back, and nobody doubts it."""
    in_doubt, newest_reading = next(checks.rows(database, checks.CLOCK))
    local = to_datetime(now).astimezone(rules.zone).isoformat(sep=" ", timespec="seconds")
    if newest_reading is not None and now < newest_reading:
        return False, f"it reads {local}, but a scan was received at {newest_reading}: set it"
    if in_doubt:
        return False, f"it stepped back and reads {local}: a supervisor must confirm it"
    return True, f"it reads {local} ({rules.zone.key})"

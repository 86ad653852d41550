"""A restore killed at any step leaves the old database or the new one, whole (UP-1).

Each step is a call of the kernel that changes a file's name, opens or ends one, or the beginning of
an SQL statement: all there is to see from outside. The restore runs in a forked child that kills
itself there; what it leaves is opened as the station opens it.
"""

import os
import shutil
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.station.booking import Booking
from mes_terminal.store import backup as files
from mes_terminal.store import database as store_database
from mes_terminal.store.database import Connection
from mes_terminal.store.sqlite import sqlite
from mes_terminal.usecases.backup import make_backup
from mes_terminal.usecases.backup_restore import restore_backup
from mes_terminal.usecases.doctor import examine
from tests.plants import memory_folder

if TYPE_CHECKING:
    from collections.abc import Callable

RULES: Final = StationRules(mode="test")
NOW: Final = "2026-11-25T07:00:00.000000Z"
STEPS: Final = frozenset(
    {"open", "os.rename", "os.link", "os.remove", "os.chmod", "shutil.copyfile", "shutil.copy2"}
)
EVERY: Final = 40
"""Of the SQL statements, whose transactions other sweeps cover; of other steps each is tried."""
AGAIN: Final = 4
"""After every so many deaths the restore is done again."""
STEPS_MAX: Final = 400


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a database, its log, and a backup that lacks two of its five scans."""
    folder = tmp_path_factory.mktemp("kept")
    booking = Booking(folder / "station.db", RULES)
    for code in ("A", "B", "C", "D", "E"):
        booking.book(booking.request_for(code.encode(), device="test"))
        if code == "C":
            made = make_backup(folder / "station.db", folder, name="s", at=NOW, keep=None)
    Path(made.file).rename(folder / "backup.db")
    booking.db.conn.execute("DELETE FROM meta WHERE key = 'home'")
    shutil.copytree(folder, copied := folder.with_name("copied"))
    booking.close()
    assert (copied / "station.db-wal").stat().st_size
    return copied


def test_whenever_it_is_killed_the_database_is_the_old_or_the_new(kept: Path) -> None:
    """UP-1: and the next restore succeeds."""
    ends: list[str] = []
    with memory_folder() as memory:
        for at in range(1, STEPS_MAX):
            folder = memory / str(at)
            shutil.copytree(kept, folder)
            killed = killed_at(at, folder)
            ends.append(state_of(folder))
            if not killed:
                break
            if at % AGAIN == 0:
                assert restored(folder) == "new", f"step {at}"
            shutil.rmtree(folder)
    assert not killed, f"more than {STEPS_MAX} steps"
    turned = ends.index("new")
    assert ends[:turned] == ["old"] * turned
    assert set(ends[turned:]) == {"new"}
    assert 20 < turned < len(ends) - 1, "nothing was killed after the change, or before it"


def killed_at(step: int, folder: Path) -> bool:
    """Restore in a child that dies at that step; false if it had come to its end before."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            die_at(step)
            restored(folder)
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def restored(folder: Path) -> str:
    """Restore in this process; return what the database is then."""
    restore_backup(
        folder / "backup.db", folder / "station.db", epoch=os.urandom(8).hex(), rules=RULES, now=NOW
    )
    return state_of(folder)


def die_at(step: int) -> None:
    """Let this process be killed at its step of that number."""
    steps = statements = 0

    def count() -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def at_statement(_: str) -> None:
        nonlocal statements
        statements += 1
        if statements % EVERY == 0:
            count()

    connect: Callable[..., Connection] = sqlite.connect

    def watched(*arguments: object, **options: object) -> Connection:
        connection = connect(*arguments, **options)
        connection.set_trace_callback(at_statement)
        return connection

    for module in (files, store_database):
        module.sqlite = type("Watched", (), {**vars(sqlite), "connect": staticmethod(watched)})  # type: ignore[attr-defined]

    def at_event(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and "station.db" in str(arguments):
            count()

    sys.addaudithook(at_event)


def state_of(folder: Path) -> str:
    """Open the database as the station does; tell which it is. It is whole, or this fails."""
    look = folder.with_name("look")
    shutil.rmtree(look, ignore_errors=True)
    look.mkdir()
    for tail in ("", "-wal"):
        if (found := folder / f"station.db{tail}").exists():
            shutil.copy(found, look)
    booking = Booking(look / "station.db", RULES)
    try:
        checks = examine(
            booking.db, RULES, now="2099-01-01T00:00:00.000000Z", disk_free_bytes=10**12
        )
        assert [each.detail for each in checks if not each.ok] == []
        scans, why = booking.db.conn.execute(
            "SELECT (SELECT count(*) FROM scan_journal), "
            "(SELECT why FROM epoch ORDER BY epoch_seq DESC LIMIT 1)"
        ).fetchone()
    finally:
        booking.close()
    assert (scans, why) in {(5, "made"), (3, "restored")}
    return "old" if scans == 5 else "new"

"""SIGKILL at every SQL statement of one close: nothing or everything, and no scan is lost."""

import shutil
import signal
from pathlib import Path
from typing import Final

import pytest

from mes_terminal.store.database import Database, open_database
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.journal import waiting_scans
from tests.crash.ledgers import (
    RULES,
    Plant,
    State,
    faults,
    make_plant,
    read,
    remove,
    state,
    without_journal,
)
from tests.crash.victim import Death, Task
from tests.crash.victims import Victims

MOMENTS_MAX: Final = 5_000
"""A scan that takes more is not one this test was written for."""


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Plant:
    return make_plant(tmp_path_factory.mktemp("crash"))


def recover(database: Database, now: str) -> int:
    """Handle what waits, as the station does when it starts; return how many scans waited."""
    waiting = waiting_scans(database, now=now)
    for scan in waiting:
        handle_scan(database, scan, RULES)
    return len(waiting)


@pytest.mark.parametrize(
    ("before", "code"),
    [
        pytest.param([], "WO-1001", id="a close"),
        pytest.param([], "WO-1003", id="a close through a phantom"),
        pytest.param(["WO-1003"], "WO-1104", id="a close that is short"),
        pytest.param(["WO-1001"], "%UNDO", id="an undo"),
        pytest.param(["WO-1001"], "%UNDO WO-1001 3", id="an undo of a part"),
        pytest.param(["%QTY 7"], "WO-1002", id="a part of an order"),
    ],
)
def test_a_scan_killed_at_any_statement_is_nothing_or_everything(
    before: list[str], code: str, victims: Victims, plant: Plant, tmp_path: Path
) -> None:
    """BF-12, BF-13: whatever the statement, one restart leads to the same ledger."""
    sweep(before, code, 0, victims, plant, tmp_path)


@pytest.mark.long
@pytest.mark.parametrize(("code", "steps"), [("WO-1001", 20), ("WO-1003", 50), ("WO-1105", 0)])
def test_a_scan_killed_within_its_statements_is_nothing_or_everything(
    code: str, steps: int, victims: Victims, plant: Plant, tmp_path: Path
) -> None:
    """BF-12, BF-13: within a statement too, and with the 60 lines of an engine."""
    sweep([], code, steps, victims, plant, tmp_path)


def sweep(
    before: list[str], code: str, steps: int, victims: Victims, plant: Plant, folder: Path
) -> None:
    """Scan `before` in peace, then `code` once for each moment at which the station can die."""
    base, calm, hurt = folder / "base.db", folder / "calm.db", folder / "hurt.db"

    def task(path: Path, scanned: str, number: int, *, dies_at: int = 0, steps: int = 0) -> Task:
        scan_id = f"019aa0b1-7c00-7000-8000-{number:012d}"
        return Task(
            database=str(path),
            code=scanned,
            scan_id=scan_id,
            received_at=plant.scanned_at,
            dies_at=dies_at,
            steps=steps,
        )

    shutil.copy(plant.path, base)
    for number, earlier in enumerate(before):
        assert victims.send(task(base, earlier, number)).answered
    shutil.copy(base, calm)
    undisturbed = victims.send(task(calm, code, len(before), steps=steps))
    assert (undisturbed.answered, undisturbed.signal, undisturbed.exit_code) == (True, 0, 0)
    assert 10 < undisturbed.moments < MOMENTS_MAX
    nothing, everything = read(base), read(calm)
    assert len(everything["movement"]) > len(nothing["movement"]), "the scan posted nothing"

    journalled = 0
    for moment in range(1, undisturbed.moments + 1):
        shutil.copy(base, hurt)
        death = victims.send(task(hurt, code, len(before), dies_at=moment, steps=steps))
        assert death.signal == signal.SIGKILL, f"moment {moment}: it was to be killed"
        journalled += survives(hurt, death, nothing, everything, plant.scanned_at)
        remove(hurt)
    assert journalled > undisturbed.moments / 2, "most deaths came before the journal"


def survives(hurt: Path, death: Death, nothing: State, everything: State, now: str) -> bool:
    """Restart on what the dead process left and check it; tell whether the scan was journalled."""
    database = open_database(hurt)
    try:
        found = state(database)
        journalled = len(found["scan_journal"]) > len(nothing["scan_journal"])
        booked = found["scan_outcome"] != nothing["scan_outcome"]
        assert journalled or not death.journalled, "a scan that was acknowledged is lost"
        assert booked or not death.answered, "an outcome that was told is lost"
        assert without_journal(found) == without_journal(everything if booked else nothing)
        assert faults(database, now) == []

        assert recover(database, now) == (journalled and not booked)
        assert state(database) == (everything if journalled else nothing)
        assert faults(database, now) == []
        assert recover(database, now) == 0, "a scan is handled twice"
        return journalled
    finally:
        database.close()

"""SIGKILL at every SQL statement of a decision: all of it or nothing (BF-23, BF-12)."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.store.database import open_database
from tests.crash.ledgers import RULES, faults, remove, state
from tests.crash.test_killed_at_every_statement import Victims
from tests.crash.victim import Task
from tests.plants import open_station, plant

FILES: Final = plant(
    items="item,tracking\nCHAIR,lot\nLEG,lot",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,2,released",
    operators="badge,name,role\nSUP,Sue,supervisor",
    receipts="reference,item,lot,location,quantity,effective_at\n"
    "R1,LEG,L-9,LINE,50,2026-11-20T12:00:00Z",
)
"""Two chairs are made one by one, and lot L-9 came after them: two reports owe four legs each."""
NOW: Final = "2026-11-20T13:00:00.000000Z"


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    process = Victims()
    yield process
    process.close()


@pytest.mark.parametrize(
    "decision",
    [Decision(how="change", lot="L-9", quantity="6"), Decision(how="write_off", reason="GONE")],
    ids=["changed", "written off"],
)
def test_a_decision_killed_at_any_statement_was_made_or_was_not(
    victims: Victims, tmp_path: Path, decision: Decision
) -> None:
    """BF-12, BF-23: both reports' parts, or neither; made again, it comes to the same."""
    station = open_station(tmp_path, FILES, RULES)
    for _ in range(2):
        station.scan("CHAIR")
    before = state(station.db)
    station.db.checkpoint()
    station.db.close()
    base, hurt = tmp_path / "station.db", tmp_path / "hurt.db"
    seen = []
    for moment in range(400):
        shutil.copy(base, hurt)
        task = Task(
            database=str(hurt), code="", scan_id="", received_at=NOW, dies_at=moment,
            decision=decision,
        )  # fmt: skip
        death = victims.send(task)
        assert death.signal == (signal.SIGKILL if moment else 0)
        database = open_database(hurt)
        assert faults(database, NOW) == []
        found = state(database)
        if not moment:
            everything, moments = found, death.moments
        assert found in (before, everything)
        assert found == everything or not death.answered, "what was answered is durable"
        seen.append(found == everything)
        database.close()
        remove(hurt)
        if moment == moments:
            break
    assert set(seen[1:]) == {False, True}

"""SIGKILL at every SQL statement of a healing: nothing twice, nothing lost (BF-22, BF-12)."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from mes_terminal.store.database import Database, open_database
from mes_terminal.usecases.heal import heal_all
from mes_terminal.usecases.load_master_data import load_folder
from tests.crash.ledgers import RULES, State, faults, read, remove, state
from tests.crash.test_killed_at_every_statement import Victims
from tests.crash.victim import Task
from tests.plants import open_station, plant

REPORTS: Final = 2
"""Of two lines each, so that there are two batches of two parts."""
FILES: Final = plant(
    items="item,tracking\nCHAIR,lot\nLEG,lot\nBOLT,none",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4\nCHAIR,A,20,BOLT,8",
    work_orders=f"work_order,item,quantity,status\nWO-1,CHAIR,{REPORTS},released",
)
RECEIPTS: Final = plant(
    receipts=f"""
    reference,item,lot,location,quantity,effective_at
    R1,BOLT,,LINE,{8 * REPORTS},2026-11-20T12:00:00Z
    R2,LEG,L-1,LINE,{4 * REPORTS},2026-11-01
    """
)
NOW: Final = "2026-11-20T13:00:00.000000Z"


@pytest.fixture(scope="module")
def victims() -> Iterator[Victims]:
    process = Victims()
    yield process
    process.close()


def test_a_healing_killed_at_any_statement_goes_on_at_the_next_start(
    victims: Victims, tmp_path: Path
) -> None:
    """BF-22: the queue is written with the change, each batch is all of it or nothing."""
    station = open_station(tmp_path, FILES, RULES)
    for _ in range(REPORTS):
        station.scan("CHAIR")
    told = {name: text.encode() for name, text in RECEIPTS.items()}
    assert not load_folder(station.db, told, rules=RULES, now=NOW, at=NOW).faults
    station.db.checkpoint()
    station.db.close()
    base, calm, hurt = tmp_path / "station.db", tmp_path / "calm.db", tmp_path / "hurt.db"
    shutil.copy(base, calm)
    undisturbed = victims.send(_task(calm))
    assert (undisturbed.signal, undisturbed.exit_code) == (0, 0)
    everything = read(calm)
    assert len(everything["healing"]) == 2 * REPORTS
    seen: set[int] = set()
    for moment in range(1, undisturbed.moments + 1):
        shutil.copy(base, hurt)
        assert victims.send(_task(hurt, dies_at=moment)).signal == signal.SIGKILL
        database = open_database(hurt)
        seen.add(_survives(database, everything))
        database.close()
        remove(hurt)
    assert seen == {0, REPORTS, 2 * REPORTS}


def _task(path: Path, dies_at: int = 0) -> Task:
    return Task(
        database=str(path), code="", scan_id="", received_at=NOW, dies_at=dies_at, heals=True
    )


def _survives(database: Database, everything: State) -> int:
    """Restart and heal on; return how much was healed before."""
    found = database.conn.execute("SELECT count(*) FROM healing").fetchone()[0]
    assert faults(database, NOW) == []
    heal_all(database, RULES, now=NOW)
    assert state(database) == everything
    assert faults(database, NOW) == []
    return int(found)

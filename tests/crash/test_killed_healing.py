"""SIGKILL at every SQL statement of a healing: nothing twice, nothing lost (BF-22, BF-12)."""

from pathlib import Path
from typing import Final

from mes_terminal.store.database import Database
from mes_terminal.usecases.heal import heal_all
from mes_terminal.usecases.load_master_data import load_folder
from tests.crash.ledgers import RULES, State, faults, state
from tests.crash.victim import Task
from tests.crash.victims import Victims
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
    task = Task(
        database=str(tmp_path / "station.db"), code="", scan_id="", received_at=NOW, heals=True
    )
    everything, seen = None, set()
    for database, _ in victims.every_death(task):
        if everything is None:
            everything = state(database)
            assert len(everything["healing"]) == 2 * REPORTS
            continue
        seen.add(_survives(database, everything))
    assert seen == {0, REPORTS, 2 * REPORTS}


def _survives(database: Database, everything: State) -> int:
    """Restart and heal on; return how much was healed before."""
    found = database.conn.execute("SELECT count(*) FROM healing").fetchone()[0]
    heal_all(database, RULES, now=NOW)
    assert state(database) == everything
    assert faults(database, NOW) == []
    return int(found)

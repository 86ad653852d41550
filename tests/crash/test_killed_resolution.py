"""SIGKILL at every SQL statement of a decision: all of it or nothing (BF-23, BF-12)."""

import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.store.database import Database, open_database
from mes_terminal.usecases.fail_scan import conclude_failed
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.journal import waiting_scans
from tests.crash.ledgers import RULES, faults, remove, state
from tests.crash.test_killed_at_every_statement import Victims
from tests.crash.victim import Task, decide
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


def test_a_failed_scan_killed_while_it_is_handled_again_is_booked_once(
    victims: Victims, tmp_path: Path
) -> None:
    """BF-12, BF-13, BF-23: after the stop what waits is handled, and the same decision made again
    comes to the same, whichever statement it died at."""
    station = open_station(tmp_path, FILES, RULES)
    conclude_failed(station.db, station.journal("WO-1"), RULES, "KeyError: 'x'")
    station.db.checkpoint()
    station.db.close()
    base, hurt = tmp_path / "station.db", tmp_path / "hurt.db"
    ended = []
    for moment in range(600):
        shutil.copy(base, hurt)
        task = Task(
            database=str(hurt), code="", scan_id="again", received_at=NOW, dies_at=moment,
            decision=Decision(how="post"),
        )  # fmt: skip
        death = victims.send(task)
        database = open_database(hurt)
        assert faults(database, NOW) == []
        for scan in waiting_scans(database, now=NOW):
            handle_scan(database, scan, RULES)
        ended.append(_status(database))
        assert ended[-1] == "resolved" or not death.answered, "what was answered is durable"
        decide(database, Decision(how="post"), now=NOW, scan_id="again")
        assert _status(database) == "resolved"
        assert faults(database, NOW) == []
        booked = database.conn.execute("SELECT good_micro FROM work_order").fetchall()
        assert booked == [(2_000_000,)]
        (scans,) = database.conn.execute("SELECT count(*) FROM scan_journal").fetchone()
        assert scans == 2, "the scan that failed, and the one that was made of it"
        if not moment:
            moments = death.moments
        database.close()
        remove(hurt)
        if moment == moments:
            break
    assert set(ended[1:]) == {"open", "resolved"}


def _status(database: Database) -> str:
    (status,) = database.conn.execute("SELECT status FROM exception").fetchone()
    return str(status)

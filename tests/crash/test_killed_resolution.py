"""SIGKILL at every SQL statement of a decision: all of it or nothing (BF-23, BF-12)."""

from pathlib import Path
from typing import Final

import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.store.database import Database
from mes_terminal.usecases.fail_scan import conclude_failed
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.journal import waiting_scans
from tests.crash.ledgers import RULES, faults, state
from tests.crash.victim import Task, decide
from tests.crash.victims import Victims
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
    task = Task(
        database=str(tmp_path / "station.db"), code="", scan_id="", received_at=NOW,
        decision=decision,
    )  # fmt: skip
    assert list(victims.all_or_nothing(task, before))


def test_a_failed_scan_killed_while_it_is_handled_again_is_booked_once(
    victims: Victims, tmp_path: Path
) -> None:
    """BF-12, BF-13, BF-23: after the stop what waits is handled, and the same decision made again
    comes to the same, whichever statement it died at."""
    station = open_station(tmp_path, FILES, RULES)
    conclude_failed(station.db, station.journal("WO-1"), RULES, "KeyError: 'x'")
    station.db.checkpoint()
    station.db.close()
    task = Task(
        database=str(tmp_path / "station.db"), code="", scan_id="again", received_at=NOW,
        decision=Decision(how="post"),
    )  # fmt: skip
    ended = set()
    for database, death in victims.every_death(task):
        for scan in waiting_scans(database, now=NOW):
            handle_scan(database, scan, RULES)
        status = _status(database)
        assert status == "resolved" or not death.answered, "what was answered is durable"
        if death.signal:
            ended.add(status)
        decide(database, Decision(how="post"), now=NOW, scan_id="again")
        assert _status(database) == "resolved"
        assert faults(database, NOW) == []
        booked = database.conn.execute("SELECT good_micro FROM work_order").fetchall()
        assert booked == [(2_000_000,)]
        (scans,) = database.conn.execute("SELECT count(*) FROM scan_journal").fetchone()
        assert scans == 2, "the scan that failed, and the one that was made of it"
    assert ended == {"open", "resolved"}


def _status(database: Database) -> str:
    (status,) = database.conn.execute("SELECT status FROM exception").fetchone()
    return str(status)

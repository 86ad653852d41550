"""SIGKILL at every SQL statement of noting answers: all of them or none (UP-2, UP-4, UP-8)."""

from pathlib import Path
from typing import Final

from mes_terminal.domain.delivery import Answer, AnswerOutcome
from mes_terminal.store.database import Database
from mes_terminal.usecases import deliver
from mes_terminal.usecases.note_answers import note_answers
from tests.crash.ledgers import RULES, faults, state
from tests.crash.victim import Task
from tests.crash.victims import Victims
from tests.plants import open_station, plant

FILES: Final = plant(
    items="item,tracking\nCHAIR,lot\nLEG,lot",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,2,released\nWO-2,CHAIR,2,released",
    receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-9,LINE,50,2026-11-01",
)
"""Posting 1 is the receipt; two chairs of each order are reported one by one: 2 to 5."""
NOW: Final = "2026-11-20T13:00:00.000000Z"
REFUSED, BEHIND, OTHER = 2, 3, 4


def told(database: Database, sequence: int, outcome: AnswerOutcome) -> Answer:
    """Return an answer to a posting."""
    hello = deliver.hello_of(database, RULES)
    return Answer(
        source=hello.source,
        epoch=hello.epoch,
        sequence=sequence,
        outcome=outcome,
        reason="order_closed" if outcome == "refused" else None,
        sentence="The order is closed." if outcome == "refused" else None,
        document=f"S{sequence}",
    )


def test_answers_killed_at_any_statement_are_noted_or_are_not(
    victims: Victims, tmp_path: Path
) -> None:
    """UP-2, UP-4: one accepted after its refusal (its exception ends, what waited goes on), one
    refused, one accepted; heard again after the stop, they come to the same."""
    station = open_station(tmp_path, FILES, RULES)
    for work_order in ("WO-1", "WO-1", "WO-2", "WO-2"):
        assert station.scan("%QTY 1").outcome == "recorded"
        assert station.scan(work_order).outcome == "completed"
    first = [told(station.db, REFUSED, "refused")]
    note_answers(station.db, first, rules=RULES, now=NOW)
    deliver.park(station.db, [BEHIND], behind={BEHIND: REFUSED})
    answers = [
        told(station.db, 1, "accepted"),
        told(station.db, REFUSED, "accepted"),
        told(station.db, OTHER, "refused"),
    ]
    before = state(station.db)
    station.db.checkpoint()
    station.db.close()
    task = Task(
        database=str(tmp_path / "station.db"), code="", scan_id="", received_at=NOW,
        answers=answers,
    )  # fmt: skip
    for database, everything in victims.all_or_nothing(task, before):
        note_answers(database, answers, rules=RULES, now=NOW)
        assert state(database) == everything
        assert deliver.counts(database) == (5, 1, 0)
        assert faults(database, NOW) == []

"""SIGKILL at every SQL statement of an approval and of the scan that follows it (BF-24, BF-12)."""

from pathlib import Path
from typing import Any, Final

from mes_terminal.domain.instants import plus_seconds, to_datetime
from mes_terminal.errors import InputError
from mes_terminal.store.database import Database
from mes_terminal.usecases.approve import answer_request
from mes_terminal.usecases.grant_permit import Wanted
from tests.crash.ledgers import faults
from tests.crash.victim import ASKING, Task
from tests.crash.victims import Victims
from tests.plants import Station, open_station, plant, said

FILES: Final = plant(
    items="item,tracking\nCHAIR,lot\nLEG,lot",
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,2,released",
    operators="badge,name,role\nSUP,Sue,supervisor\nAK,Anna,operator",
    receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-9,LINE,50,2026-11-01",
)
"""Two chairs are ordered; Anna wants three."""


def made(database: Database) -> list[Any]:
    """Return what was booked, whoever scanned it and when."""
    return [
        database.conn.execute(statement).fetchall()
        for statement in (
            "SELECT good_micro, person FROM report",
            "SELECT lot_id, quantity_micro FROM balance ORDER BY balance_id",
            "SELECT quantity_micro, used_micro, uses FROM permit",
            "SELECT count(*) FROM event WHERE type = 'signature.given'",
            "SELECT status FROM approval",
        )
    ]


def go_on(database: Database, now: str) -> list[Any]:
    """Do what the station and its people do after the stop, and return what was booked."""
    station = Station(database, ASKING)
    station.clock, station.scans = to_datetime(plus_seconds(now, 1)), 100
    station.recover()
    try:
        answer_request(
            database, 1, approves=True, wanted=Wanted(), by="SUP", rules=ASKING, now=station.now
        )
    except InputError as error:
        raise AssertionError(error.sentence) from error
    if not database.conn.execute("SELECT 1 FROM report").fetchone():
        assert said(station.scan("WO-1", badge="AK")) == ("completed", None)
    return made(database)


def test_an_approval_killed_at_any_statement_is_used_once(victims: Victims, tmp_path: Path) -> None:
    """BF-12, BF-24: it was given or was not; then the code passes, once, however it went on."""
    station = open_station(tmp_path, FILES, ASKING)
    station.scan("%QTY 3", badge="AK")
    assert said(station.scan("WO-1", badge="AK")) == ("needs", "approval")
    now = plus_seconds(station.now, 1)
    station.db.checkpoint()
    station.db.close()
    task = Task(
        database=str(tmp_path / "station.db"), code="", scan_id="again-1", received_at=now,
        approves=True,
    )  # fmt: skip
    everything, given = None, set()
    for database, death in victims.every_death(task):
        if everything is None:
            everything = made(database)
        is_given = database.conn.execute("SELECT 1 FROM permit").fetchone() is not None
        assert is_given or not death.answered, "what was answered is durable"
        if death.signal:
            given.add(is_given)
        assert go_on(database, now) == everything
        assert faults(database, plus_seconds(now, 60)) == []
    assert given == {False, True}

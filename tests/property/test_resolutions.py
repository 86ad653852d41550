"""Random decisions between reports, receipts and undos: the books hold, all goes back (BF-23)."""

import json
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

import msgspec
import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.resolving import Resolved
from mes_terminal.usecases.resolve_exceptions import rehearse_resolutions, resolve_exception
from tests.plants import (
    Station,
    as_json,
    empty_database,
    memory_folder,
    open_station,
    plant,
    said,
)
from tests.property.test_healing import LOTS, PLANT, RULES, World, events_summed, stock

PEOPLE: Final = plant(
    operators="badge,name,role\nQA,Kim,quality\nSUP,Sue,supervisor",
    reasons="code,kind\nGONE,write_off",
    bom_substitutes="item,revision,line,substitute,ratio\nDESK,A,30,TOP,1/3\nDESK,A,20,TOP,2",
)
"""To the plant of healing: a supervisor, a reason, and tops that stand in for screws or frames."""

Step = tuple[Any, ...]


def random_decision(chance: Random, item: str) -> Decision:
    """Return a decision that may fit a shortage of the item."""
    lot = chance.choice(LOTS) if item == "FRAME" else None
    match chance.randrange(8):
        case 0:
            return Decision(how="post")
        case 1:
            return Decision(how="write_off", reason="GONE")
        case 2 | 3:
            quantity = chance.choice(("1", "2", "3"))
            return Decision(how="change", lot=lot, quantity=quantity)
        case 4 | 5:
            others = [each for each in ("SCREW", "TOP") if each != item]
            return Decision(how="change", item=chance.choice(others))
        case _:
            return Decision(how="change", lot=lot or chance.choice(LOTS))


def random_steps(seed: str, count: int = 40) -> list[Step]:
    """Return reports that lack most of their parts, receipts that come too late, decisions."""
    chance = Random(seed)
    steps: list[Step] = []
    for _ in range(count):
        kind = chance.choice(("report", "report", "receive", "receive", *["resolve"] * 4, "lot"))
        if kind == "report":
            steps.append((kind, chance.choice(("WO-D", "WO-T", "WO-U")), chance.randint(1, 3)))
        elif kind == "receive":
            what = chance.choice(("SCREW", "TOP", *LOTS))
            steps.append((kind, what, chance.randint(1, 9), chance.choice(("LINE", "FG")),
                          chance.choice((-24, 24, 48))))  # fmt: skip
        elif kind == "lot":
            verb = chance.choice(("hold", "release", "mount", "move", "undo"))
            steps.append((verb, chance.choice(LOTS)) if verb != "undo" else (verb,))
        else:
            steps.append((kind, chance.randint(0, 10**6)))
    return steps


OWED_IS_OPEN: Final = """
    SELECT l.line_id FROM order_line l
     WHERE l.owed_micro + l.owed_scrap_micro <> coalesce((
           SELECT sum(x.quantity_micro) FROM exception x
            WHERE x.line_id = l.line_id AND x.kind = 'shortage' AND x.status = 'open'), 0)
"""
TAKEN_IS_DUE: Final = """
    SELECT l.line FROM order_line l JOIN work_order w USING (work_order_id)
      JOIN item i ON i.item_id = l.component_id
     WHERE l.issued_micro + l.owed_micro + l.written_off_micro
           <> -(-(w.good_micro * l.net_num) / (l.net_den * i.step_micro)) * i.step_micro
"""
ENDED_IS_EMPTY: Final = """
    SELECT exception_id FROM exception
     WHERE kind = 'shortage' AND (status = 'open') <> (quantity_micro > 0)
"""


def resolve(station: Station, exception_id: int, decision: Decision) -> Resolved:
    """Decide, as a preview says it will end."""
    words: dict[str, Any] = {"by": "SUP", "rules": station.rules, "now": station.now}
    (seen,) = rehearse_resolutions(station.db, [exception_id], decision, **words)
    before = station.ledger()
    ended = resolve_exception(station.db, exception_id, decision, **words)
    assert ended == seen
    if ended.outcome in ("refused", "already_done"):
        assert station.ledger() == before
    return ended


def check(station: Station) -> None:
    """What holds at every quiet point."""
    for statement in (OWED_IS_OPEN, TAKEN_IS_DUE, ENDED_IS_EMPTY):
        assert station.db.conn.execute(statement).fetchall() == []


def do(world: World, step: Step) -> None:
    station = world.station
    match step:
        case ("resolve", seed):
            chance = Random(seed)
            if found := station.rows("exceptions", open="yes"):
                row = chance.choice(found)
                resolve(station, row["id"], random_decision(chance, row["item"]))
        case ("undo",):
            station.scan("%UNDO")
        case _:
            world.do(step)
    station.heal()
    check(station)


@pytest.mark.parametrize("seed", range(40))
def test_whatever_a_person_decides_the_books_hold_and_all_goes_back(seed: int) -> None:
    """BF-4, BF-23, BF-31, invariants 1, 3, 6 and 7."""
    with memory_folder() as folder:
        station = open_station(folder, PLANT | PEOPLE, RULES, template=empty_database())
        world = World(station)
        for step in random_steps(f"decisions:{seed}"):
            do(world, step)
        assert station.faults() == []
        assert events_summed(station) == stock(station)
        _take_everything_back(world)
        station.db.close()


def _take_everything_back(world: World) -> None:
    """Undo until nothing is left: what a person decided goes back with its report."""
    station = world.station
    while (done := station.scan("%UNDO", after_s=0)).outcome == "recorded":
        station.heal()
        check(station)
    assert said(done) == ("rejected", "nothing_to_undo")
    assert station.faults() == []
    assert events_summed(station) == stock(station)
    lines = station.db.conn.execute(
        "SELECT sum(abs(issued_micro) + abs(scrapped_micro) + abs(owed_micro) + "
        "abs(owed_scrap_micro) + abs(written_off_micro) + abs(written_off_scrap_micro)) "
        "FROM order_line"
    )
    assert lines.fetchone() == (0,)
    sums = station.db.conn.execute(
        "SELECT child_id, parent_id FROM edge GROUP BY 1, 2 HAVING sum(quantity_micro) <> 0"
    )
    assert sums.fetchall() == []


LEDGER: Final = (
    "movement", "edge", "report", "balance", "lot", "order_line", "work_order", "exception",
    "exception_item", "healing", "substitution",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_decisions_replayed_from_the_log_with_the_other_inputs_give_the_same_ledger(
    seed: int,
) -> None:
    """Invariant 5: the journal, the files loaded and the events of decisions are all it takes; no
    PIN and no hash is."""
    with memory_folder() as here, memory_folder() as there:
        first = open_station(here, PLANT | PEOPLE, RULES, template=empty_database())
        loads = _noting_loads(first)
        world = World(first)
        for step in random_steps(f"replay:{seed}"):
            do(world, step)
        second = open_station(there, PLANT | PEOPLE, RULES, template=empty_database())
        _replay(first, loads, second)
        tables = [
            {name: each.db.conn.execute(f"SELECT * FROM {name}").fetchall() for name in LEDGER}
            for each in (first, second)
        ]
        assert tables[0] == tables[1]
        for each in (first, second):
            assert each.faults() == []
            each.db.close()


def _noting_loads(station: Station) -> dict[int, tuple[Any, str]]:
    """Let the station note what it loads, by how many scans came before."""
    noted: dict[int, tuple[Any, str]] = {}
    load = station.load

    def noting(files: Any, *, at: str | None = None) -> Any:
        (scans,) = station.db.conn.execute("SELECT count(*) FROM scan_journal").fetchone()
        noted[scans] = (files, at or station.now)
        return load(files, at=at)

    station.load = noting  # type: ignore[method-assign]
    return noted


def _decided(station: Station) -> list[tuple[str, int, Decision, str]]:
    """Return what the log says was decided, in order: when, about which exception, what, by whom.

    A decision about several reports has an event for each.
    """
    found: list[tuple[str, int, Decision, str]] = []
    for recorded_at, body in station.db.conn.execute(
        "SELECT recorded_at, body FROM event WHERE type = 'exception.resolved' ORDER BY event_seq"
    ):
        data = json.loads(body)["data"]
        if data["decision"] is not None:
            decision = msgspec.convert(data["decision"], Decision)
            one = (recorded_at, data["exceptions"][0]["id"], decision, data["person"])
            if found[-1:] != [one]:
                found.append(one)
    return found


def _replay(first: Station, loads: dict[int, tuple[Any, str]], second: Station) -> None:
    decided = _decided(first)
    journal: list[Any] = first.db.conn.execute(
        "SELECT raw, badge, event_time, received_at FROM scan_journal ORDER BY scan_seq"
    ).fetchall()
    for number, (raw, badge, event_time, received_at) in enumerate(journal):
        while decided and decided[0][0] < received_at:
            at, exception_id, decision, person = decided.pop(0)
            second.clock = datetime.fromisoformat(at)
            resolve_exception(
                second.db, exception_id, decision, by=person, rules=second.rules, now=second.now
            )
            second.heal()
        if number in loads:
            files, at = loads[number]
            second.load(files, at=at)
        second.clock = datetime.fromisoformat(received_at)
        second.scan(raw, badge=badge, at=event_time, after_s=0)
        if raw in (b"%CANCEL", b"%UNDO"):
            second.heal()
    for at, exception_id, decision, person in decided:
        second.clock = datetime.fromisoformat(at)
        resolve_exception(
            second.db, exception_id, decision, by=person, rules=second.rules, now=second.now
        )


def test_an_event_says_all_that_a_replay_of_its_decision_needs() -> None:
    """Invariant 5: exceptions, decision, person and time of a decision stand in its event."""
    with memory_folder() as folder:
        station = open_station(folder, PLANT | PEOPLE, RULES, template=empty_database())
        station.scan("%QTY 2")
        station.scan("WO-D")
        decision = Decision(how="write_off", reason="GONE")
        ids = [row["id"] for row in station.rows("exceptions")]
        for each in ids:
            resolve(station, each, decision)
        events = [row["event"] for row in station.rows("outbox", type="exception.resolved")]
        assert [event["data"]["exceptions"][0]["id"] for event in events] == ids
        for event in events:
            assert event["data"]["decision"] == as_json(decision)
            assert (event["data"]["person"], event["time"]) == ("SUP", station.now)
        station.db.close()


@pytest.mark.parametrize("hours", [0, 1])
def test_a_decision_is_never_before_its_report(hours: int) -> None:
    """BF-22: it has its own time, the clock's, but not before the report's."""
    with memory_folder() as folder:
        station = open_station(folder, PLANT | PEOPLE, RULES, template=empty_database())
        station.scan("%QTY 2")
        late = station.clock + timedelta(hours=hours)
        station.scan("WO-D", at=late.isoformat().replace("+00:00", ".000000Z"))
        resolve(station, 1, Decision(how="write_off", reason="GONE"))
        (event,) = station.rows("outbox", type="exception.resolved")
        told = datetime.fromisoformat(event["event"]["time"])
        assert told == max(late, station.clock)
        station.db.close()

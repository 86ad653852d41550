"""Whatever the matrix says and whatever is scanned: nothing is posted unless it was let pass
(BF-24), what was let pass is undone whole, and a restart anywhere changes nothing.
"""

import json
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mes_terminal.domain.policy import (
    BUILT_IN,
    CLASSES,
    SITUATIONS,
    SUPPORTED,
    ControlLevel,
    ControlMatrix,
    Situation,
    asked_as,
    would_be,
)
from mes_terminal.store.database import open_database
from tests.plants import TEST_RULES, Station, empty_database, memory_folder, open_station, plant
from tests.unit.test_rules_policy_levels import PLANT as EVERY_PLANT
from tests.unit.test_rules_policy_levels import standing

PLANT = plant(
    items="""
        item,tracking,item_class
        STOOL,lot,A
        LEG,lot,B
        """,
    boms="item,revision\nSTOOL,A",
    bom_lines="item,revision,line,component,quantity\nSTOOL,A,10,LEG,3",
    work_centres="work_centre\nSAW",
    routings="item,revision,operation,work_centre,run_minutes,backflush_point\n"
    "STOOL,A,10,SAW,1,yes",
    receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-1,LINE,20,2026-11-01",
    work_orders="work_order,item,quantity,status\nWO-1,STOOL,4,released\nWO-2,STOOL,4,released",
    operators="badge,name,role\nAK,Anna,operator\nSUE,Sue,supervisor\nTOM,Tom,supervisor",
)
ACTS: tuple[Situation, ...] = ("over_completion", "shortage", "late_reversal", "implausible_close")
CODES = ("WO-1", "WO-2", "STOOL", "%QTY 6", "%QTY 9", "%UNDO", "%CANCEL", "%SHORT why", "%HELP",
         "because", "B:SUE", "B:TOM", "B:AK", "%START WO-1")  # fmt: skip
KINDS = {"completed", "recorded", "already_done", "needs", "rejected", "unknown"}


def levels_of(situation: Situation) -> st.SearchStrategy[ControlLevel]:
    return st.sampled_from(SUPPORTED[situation])


MATRICES = st.fixed_dictionaries(
    {},
    optional={
        each: st.dictionaries(st.sampled_from(CLASSES), levels_of(each), max_size=2)
        for each in ACTS
    },
).map(ControlMatrix)
SCANS = st.lists(
    st.tuples(
        st.sampled_from(CODES), st.sampled_from((None, "AK", "SUE")), st.sampled_from((1, 9, 130))
    ),
    min_size=1,
    max_size=12,
)


EVERY_MATRIX = st.fixed_dictionaries(
    {},
    optional={
        each: st.dictionaries(st.sampled_from(CLASSES), levels_of(each), max_size=2)
        for each in SITUATIONS
    },
).map(ControlMatrix)
EVERY_CODE = (
    "WO-1", "CHAIR", "WO-3", "TABLE", "WO-4", "S-1", "S-2", "M-1", "M-2", "LEG|L-1", "LEG|L-OLD",
    "LEG|L-HELD", "PEG|P-1", "ROD|R-1", "GLUE", "%QTY 2", "%QTY 5", "%ISSUE", "%EXTRA SPILL",
    "%RETURN", "%START WO-1", "%START WO-3", "%SHORT DEMAND", "%SCRAP BENT", "%REWORK NOISE",
    "%HOLD", "%UNMOUNT", "%CANCEL", "%UNDO", "REPAIR", "B:SUE", "B:TOM", "%RELEASE",
)  # fmt: skip
EVERY_SCAN = st.lists(
    st.tuples(
        st.sampled_from(EVERY_CODE),
        st.sampled_from(("AK", "SUE")),
        st.booleans(),
        st.booleans(),
    ),
    min_size=5,
    max_size=25,
)
"""A code, who scans it, whether what it asks is answered, whether what it reports is undone."""
ANSWERS = {"reason": "REPAIR", "approval": "B:TOM"}
OPENS: dict[str, Situation] = {
    "lot_expired": "lot_expired",
    "lot_on_hold": "lot_on_hold",
    "substitution": "substitute",
    "component_serial": "serial_missing",
    "over_completion": "over_completion",
}


def open_plant(folder: Path, matrix: ControlMatrix) -> Station:
    """Four stools an order, three legs each; 20 legs; a minute of sawing each."""
    rules = msgspec.structs.replace(TEST_RULES, policy=matrix)
    return open_station(folder, PLANT, rules, template=empty_database())


def count(station: Station, table: str) -> int:
    found: int = station.db.conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
    return found


def check_log(station: Station, matrix: ControlMatrix, reports: int) -> None:
    """Every deviation that was let pass was let pass by the level of its class, by the right
    people."""
    rows = station.db.conn.execute(
        "SELECT person, second_person, reason, body FROM event WHERE type = 'deviation.accepted'"
    ).fetchall()
    for person, second, reason, body in rows:
        detail = json.loads(body)["data"]["detail"]
        level = detail["level"]
        assert level == matrix.level(detail["situation"], detail["item_class"]) != "block"
        assert (second is not None) is (level == "approve")
        assert second is None or (second in ("SUE", "TOM") and second != person)
        assert (reason is not None) is (level == "reason")
    assert len(rows) <= 3 * reports


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MATRICES, SCANS)
def test_nothing_is_posted_unless_the_matrix_lets_it_pass(
    matrix: ControlMatrix, scans: list[tuple[str, str | None, int]]
) -> None:
    """BF-24: refusals and questions post nothing; what is posted beyond a limit was let pass."""
    with memory_folder() as folder:
        station = open_plant(folder, matrix)
        for code, badge, after_s in scans:
            before = station.ledger() | {"event": None}
            reports = count(station, "report")
            outcome = station.scan(code, badge=badge, after_s=after_s)
            assert outcome.outcome in KINDS
            if outcome.outcome in ("needs", "rejected"):
                assert station.ledger() | {"event": None} == before
            if outcome.outcome == "needs" and outcome.reason in ("reason", "approval", "confirm"):
                assert outcome.reason in {
                    asked_as(each, matrix.level(each, item_class))
                    for each in ACTS
                    for item_class in ("A", "B")
                    if matrix.level(each, item_class) not in ("allow", "block")
                }
            assert count(station, "report") <= reports + 1
        for number in ("WO-1", "WO-2"):
            made = float(station.order(number)["completed"])
            assert made <= 4 or matrix.level("over_completion", "A") != "block"
        if matrix.level("shortage", "B") == "block":
            assert station.rows("exceptions", kind="shortage") == []
        check_log(station, matrix, count(station, "report"))
        assert station.faults() == []
        station.db.close()


def check_books(station: Station, matrix: ControlMatrix) -> None:
    """What is owed is what exceptions say, and nothing was opened that no level lets pass."""
    conn = station.db.conn
    lines = conn.execute(
        """
        SELECT l.owed_micro + l.owed_scrap_micro, coalesce(sum(x.quantity_micro), 0)
          FROM order_line l
          LEFT JOIN exception x ON x.line_id = l.line_id AND x.status = 'open'
                               AND x.kind IN ('shortage', 'component_serial')
         GROUP BY l.line_id
        """
    ).fetchall()
    assert all(owed == told for owed, told in lines)
    parts = conn.execute(
        """
        SELECT x.quantity_micro, sum(p.quantity_micro) FROM exception x
          JOIN exception_item p USING (exception_id)
         WHERE x.status = 'open' AND x.work_order_id IS NOT NULL GROUP BY x.exception_id
        """
    ).fetchall()
    assert all(open_micro == told for open_micro, told in parts)
    for (kind,) in conn.execute("SELECT DISTINCT kind FROM exception").fetchall():
        assert kind not in OPENS or matrix.permits(OPENS[kind])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVERY_MATRIX, EVERY_SCAN)
def test_every_situation_is_let_pass_whole_or_not_at_all(
    matrix: ControlMatrix, scans: list[tuple[str, str, bool, bool]]
) -> None:
    """BF-24, invariants 1 and 3: refusals and questions post nothing, a report and its reversal
    leave what was there before, exceptions included."""
    with memory_folder() as folder:
        rules = msgspec.structs.replace(TEST_RULES, policy=matrix)
        station = open_station(folder, EVERY_PLANT, rules, template=empty_database())
        for code, badge, is_answered, is_undone in scans:
            before, stands = station.ledger() | {"event": None}, standing(station)
            outcome = station.scan(code, badge=badge)
            asked = 0
            while is_answered and outcome.outcome == "needs" and asked < len(SITUATIONS):
                assert station.ledger() | {"event": None} == before
                again = ANSWERS.get(outcome.reason or "")
                if again is None and outcome.reason != "confirm":
                    break
                asked += 1
                outcome = station.scan(again or code, badge=badge if again is None else None)
            if outcome.outcome in ("needs", "rejected"):
                assert station.ledger() | {"event": None} == before
            check_books(station, matrix)
            if is_undone and outcome.outcome == "completed":
                assert station.scan("%UNDO", badge=badge).outcome == "recorded"
                assert standing(station) == stands
                check_books(station, matrix)
        check_log(station, matrix, len(scans))
        assert station.faults() == []
        station.db.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(MATRICES, SCANS)
def test_a_restart_between_any_two_scans_changes_nothing(
    matrix: ControlMatrix, scans: list[tuple[str, str | None, int]]
) -> None:
    """BF-24, BF-13: what the station asked stands in the database."""

    def told(restarts: bool) -> list[Any]:
        with memory_folder() as folder:
            station = open_plant(folder, matrix)
            found: list[Any] = []
            for code, badge, after_s in scans:
                found.append(station.scan(code, badge=badge, after_s=after_s))
                if restarts:
                    station.db.close()
                    station.db = open_database(folder / "station.db")
            station.db.close()
            return found

    assert told(restarts=True) == told(restarts=False)


def test_every_situation_has_a_level_that_the_station_can_act_on() -> None:
    """BF-24: built in, by class and by default."""
    cells = list(ControlMatrix().cells())
    assert len(cells) == len(SITUATIONS) * len(CLASSES)
    for cell in cells:
        assert cell.level == BUILT_IN[cell.situation]
        assert cell.level in SUPPORTED[cell.situation]
        assert cell.decided_by == "built-in"


def test_every_level_that_acts_has_an_outcome() -> None:
    """BF-24."""
    for situation in SITUATIONS:
        for level in SUPPORTED[situation]:
            outcome, reason = would_be(situation, level)
            assert outcome in KINDS
            assert (reason is None) is (level == "allow")


@given(
    st.sampled_from(SITUATIONS),
    st.sampled_from(("A", "B", "C", None)),
    st.dictionaries(st.sampled_from(CLASSES), st.sampled_from(("allow", "block"))),
)
def test_the_class_decides_before_the_default(
    situation: Situation, item_class: str | None, named: Any
) -> None:
    """BF-24."""
    level = ControlMatrix({situation: named}).level(situation, item_class)
    assert level == named.get(item_class, named.get("default", BUILT_IN[situation]))

"""Every situation of the control matrix at every level: refused, asked about, let pass (BF-24)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import Struct

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.policy import BUILT_IN, SITUATIONS, SUPPORTED, ControlMatrix, Situation
from tests.plants import TEST_RULES, Station, open_station, plant, said
from tests.unit.test_rules_policy import told

PLANT = plant(
    items="""
        item,tracking,item_class,over_tolerance_pct,under_tolerance_pct
        CHAIR,lot,A,,
        STOOL,lot,A,,
        TABLE,none,A,,
        BIKE,serial,A,,
        LEG,lot,C,,
        PEG,lot,C,,
        ROD,lot,C,,
        MOTOR,serial,C,,
        GLUE,none,C,10,5
        """,
    boms="item,revision\nCHAIR,A\nSTOOL,A\nTABLE,A\nBIKE,A",
    bom_lines="""
        item,revision,line,component,quantity,issue_method
        CHAIR,A,10,LEG,4,
        STOOL,A,10,LEG,3,
        TABLE,A,10,GLUE,2,manual
        BIKE,A,10,LEG,2,
        BIKE,A,20,MOTOR,1,
        """,
    bom_substitutes="""
        item,revision,line,substitute,ratio,approval
        CHAIR,A,10,PEG,2,required
        STOOL,A,10,ROD,1,none
        """,
    work_centres="work_centre\nSAW",
    routings="item,revision,operation,work_centre,run_minutes,backflush_point\nSTOOL,A,10,SAW,1,yes",
    locations="location,kind\nLINE,line_side\nFG,finished\nSCRAP,scrap\nREWORK,rework",
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at,expires_on
        R1,LEG,L-1,,LINE,100,2026-11-01,
        R2,LEG,L-OLD,,LINE,100,2026-10-01,2026-11-10
        R3,LEG,L-HELD,,LINE,100,2026-11-02,
        R4,PEG,P-1,,LINE,100,2026-11-01,
        R5,ROD,R-1,,LINE,100,2026-11-01,
        R6,MOTOR,,M-1,LINE,1,2026-11-01,
        R7,MOTOR,,M-2,LINE,1,2026-11-01,
        R8,GLUE,,,LINE,100,2026-11-01,
        """,
    lots="item,lot,status\nLEG,L-HELD,hold",
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,5,released
        WO-2,STOOL,5,planned
        WO-3,TABLE,10,released
        WO-4,BIKE,2,released
        """,
    work_order_serials="work_order,serial\nWO-4,S-1\nWO-4,S-2",
    operators="badge,name,role\nAK,Anna,operator\nSUE,Sue,supervisor\nTOM,Tom,supervisor",
    reasons="code,kind\nREPAIR,deviation\nDEMAND,short_close\nSPILL,extra",
)


class Case(Struct, frozen=True):
    """A way to meet a situation: what was scanned before, the code that meets it."""

    situation: Situation
    before: tuple[str, ...]
    code: str
    blocked: tuple[str, str | None]
    passed: str
    exception: tuple[Any, ...] | None = None
    """Kind, line, item and quantity of what it opens at once."""
    then: tuple[str, ...] = ()
    """What uses it."""
    opens: tuple[Any, ...] | None = None
    """And what that opens."""


LEGS = ("10", "LEG")
CASES = {
    "a held lot is mounted": Case(
        "lot_on_hold", (), "LEG|L-HELD", ("rejected", "lot_on_hold"), "recorded",
        then=("WO-1",), opens=("lot_on_hold", *LEGS, "20"),
    ),
    "an expired lot is mounted": Case(
        "lot_expired", (), "LEG|L-OLD", ("rejected", "lot_expired"), "recorded",
        then=("WO-1",), opens=("lot_expired", *LEGS, "20"),
    ),
    "a held lot is issued": Case(
        "lot_on_hold", ("%START WO-1", "%ISSUE"), "LEG|L-HELD", ("rejected", "lot_on_hold"),
        "recorded", ("lot_on_hold", *LEGS, "20"), then=("WO-1",),
    ),
    "an expired lot is an extra part": Case(
        "lot_expired", ("%START WO-1", "%QTY 3", "%EXTRA SPILL"), "LEG|L-OLD",
        ("rejected", "lot_expired"), "recorded", ("lot_expired", *LEGS, "3"), then=("WO-1",),
    ),
    "a held serial fills a slot": Case(
        "lot_on_hold", ("%HOLD", "M-1", "S-1"), "M-1", ("rejected", "lot_on_hold"), "completed",
        ("lot_on_hold", "20", "MOTOR", "1"),
    ),
    "a serial is held in its slot": Case(
        "lot_on_hold", ("M-1", "%HOLD", "M-1"), "S-1", ("rejected", "lot_on_hold"), "completed",
        ("lot_on_hold", "20", "MOTOR", "1"),
    ),
    "a substitute without its approval": Case(
        "substitute", (), "PEG|P-1", ("rejected", "substitute_not_allowed"), "recorded",
        then=("WO-1",), opens=("substitution", *LEGS, "20"),
    ),
    "a substitute issued without its approval": Case(
        "substitute", ("%START WO-1", "%ISSUE"), "PEG|P-1", ("rejected", "substitute_not_allowed"),
        "recorded", ("substitution", *LEGS, "20"), then=("WO-1",),
    ),
    "a substitute of another BOM": Case(
        "substitute", (), "ROD|R-1", ("rejected", "substitute_not_allowed"), "recorded",
        then=("WO-1",), opens=("substitution", *LEGS, "20"),
    ),
    "an order with empty slots": Case(
        "serial_missing", (), "WO-4", ("rejected", "component_serial_missing"), "completed",
        ("component_serial", "20", "MOTOR", "2"),
    ),
    "a unit scanned once more": Case(
        "serial_missing", ("S-1",), "S-1", ("needs", "component"), "completed",
        ("component_serial", "20", "MOTOR", "1"),
    ),
    "a closed order with a quantity": Case(
        "reopen", ("%QTY 3", "WO-1", "%SHORT DEMAND", "WO-1", "%QTY 2"), "WO-1",
        ("already_done", "order_closed"), "completed",
    ),
    "the product of a closed order": Case(
        "reopen", ("%QTY 3", "WO-1", "%SHORT DEMAND", "WO-1"), "CHAIR", ("needs", "order"),
        "completed",
    ),
    "a unit of a closed order": Case(
        "reopen", ("M-1", "S-1", "M-2", "%SHORT DEMAND", "WO-4"), "S-2",
        ("rejected", "order_closed"), "completed",
    ),
    "scrap of a closed order": Case(
        "reopen", ("%SHORT DEMAND", "WO-1", "%SCRAP BENT"), "WO-1", ("rejected", "order_closed"),
        "completed",
    ),
    "more than the tolerance": Case(
        "over_consumption",
        ("%START WO-3", "%ISSUE", "GLUE", "%QTY 3", "%EXTRA SPILL", "GLUE"), "WO-3",
        ("rejected", "over_tolerance"), "completed", ("consumption", "10", "GLUE", "1"),
    ),
    "issued for more than was made": Case(
        "over_consumption", ("%START WO-3", "%ISSUE", "GLUE", "%QTY 5", "WO-3", "%SHORT DEMAND"),
        "WO-3", ("rejected", "over_tolerance"), "completed", ("consumption", "10", "GLUE", "9"),
    ),
    "less than the tolerance": Case(
        "under_consumption", ("%START WO-3", "%QTY 15", "%ISSUE", "GLUE"), "WO-3",
        ("rejected", "over_tolerance"), "completed", ("consumption", "10", "GLUE", "4"),
    ),
}  # fmt: skip
LEVELS = ("allow", "confirm", "reason", "approve", "block")
ASKS = {"confirm": "confirm", "reason": "reason", "approve": "approval"}
ANSWERS: dict[str, Callable[[Case], str]] = {
    "confirm": lambda case: case.code,
    "reason": lambda _: "REPAIR",
    "approve": lambda _: "B:SUE",
}


def station_with(folder: Path, situation: str, level: str, **rules: Any) -> Station:
    """Five chairs of four legs (or two pegs for a leg), two bikes with a motor each, ten tables of
    two glue that is issued by hand."""
    levels: Any = {situation: {"default": level}}
    matrix = ControlMatrix(levels)
    return open_station(folder, PLANT, msgspec.structs.replace(TEST_RULES, policy=matrix, **rules))


def meet(station: Station, case: Case) -> Outcome:
    """Scan what comes before, and the code that meets the situation."""
    for code in case.before:
        answer = station.scan(code, badge="SUE" if code == "%HOLD" else "AK")
        assert answer.outcome in ("recorded", "completed", "needs"), (code, answer)
    return station.scan(case.code, badge="AK")


def books(station: Station) -> dict[str, Any]:
    """Return what a question or a refusal must leave as it was."""
    tables = ("mount", "slot", "exception", "exception_item", "report", "order_line_substitute")
    rows = {name: station.db.conn.execute(f"SELECT * FROM {name}").fetchall() for name in tables}
    return station.ledger() | rows | {"event": None}


def standing(station: Station) -> dict[str, Any]:
    """Return what a report and its reversal together leave as it was."""
    return {
        "stock": station.rows("stock"),
        "orders": station.rows("orders"),
        "lines": [
            station.rows("order_lines", work_order=f"WO-{number}") for number in (1, 3, 4)
        ],
        "units": station.db.conn.execute("SELECT unit_id, report_seq FROM unit").fetchall(),
        "open": [row for row in station.exceptions() if row[1] == "open"],
        "edges": station.db.conn.execute(
            "SELECT child_id, parent_id, sum(quantity_micro) AS q FROM edge GROUP BY 1, 2 "
            "HAVING q <> 0"
        ).fetchall(),
    }  # fmt: skip


def opened(station: Station) -> list[tuple[Any, ...]]:
    """Return kind, line, item and quantity of what is open."""
    return [(row[0], *row[2:]) for row in station.exceptions() if row[1] == "open"]


def test_every_situation_is_met_here_or_among_the_others() -> None:
    """BF-24."""
    elsewhere = {"over_completion", "shortage", "late_reversal", "implausible_close"}
    assert {case.situation for case in CASES.values()} | elsewhere == set(SITUATIONS)
    for situation in SITUATIONS:
        expected = set(LEVELS) - ({"block"} if situation == "implausible_close" else set())
        assert set(SUPPORTED[situation]) == expected


def check_told(station: Station, case: Case, level: str) -> None:
    """What is allowed by itself leaves no entry of its own; all else says who, and who more."""
    if level == BUILT_IN[case.situation]:
        assert told(station) == []
        return
    kind, person, second, reason, detail = told(station)[-1]
    assert (kind, person, detail["situation"]) == ("deviation.accepted", "AK", case.situation)
    assert second == ("SUE" if level == "approve" else None)
    assert reason == ("REPAIR" if level == "reason" else None)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("name", CASES)
def test_a_situation_is_taken_as_the_matrix_says(tmp_path: Path, name: str, level: str) -> None:
    """BF-24, BF-31: what is asked or refused posts nothing; what is let pass is told, opens its
    exception, and is undone with it."""
    case = CASES[name]
    station = station_with(tmp_path, case.situation, level)
    for code in case.before:
        station.scan(code, badge="SUE" if code == "%HOLD" else "AK")
    before, stands = books(station), standing(station)
    outcome = station.scan(case.code, badge="AK")
    if level == "block":
        assert said(outcome) == case.blocked
        assert books(station) == before
        return
    if level in ASKS:
        assert said(outcome) == ("needs", ASKS[level])
        assert books(station) == before
        answer = ANSWERS[level](case)
        outcome = station.scan(answer, badge="AK" if level == "confirm" else None)
    assert said(outcome) == (case.passed, None), outcome
    check_told(station, case, level)
    if case.exception is not None:
        assert case.exception in opened(station)
        assert case.exception[0] in [each.kind for each in outcome.exceptions]
    for code in case.then:
        used = station.scan(code, badge="AK")
        assert said(used) == ("completed", None)
        if case.opens is not None:
            assert case.opens in opened(station)
            assert case.opens[0] in [each.kind for each in used.exceptions]
    assert station.faults() == []
    if case.passed == "recorded":
        return
    assert said(station.scan("%UNDO", badge="AK")) == ("recorded", None)
    assert standing(station) == stands
    assert station.faults() == []


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.then])
def test_the_report_that_used_it_is_undone_with_its_exception(tmp_path: Path, name: str) -> None:
    """BF-23, BF-24, BF-31: what was issued by hand stays, and so does its exception."""
    case = CASES[name]
    station = station_with(tmp_path, case.situation, "allow")
    meet(station, case)
    stands = standing(station)
    for code in case.then:
        station.scan(code, badge="AK")
    assert standing(station) != stands
    assert said(station.scan("%UNDO", badge="AK")) == ("recorded", None)
    assert standing(station) == stands
    assert station.faults() == []


@pytest.mark.parametrize("name", CASES)
def test_nobody_approves_their_own(tmp_path: Path, name: str) -> None:
    """BF-24: whatever the situation."""
    case = CASES[name]
    station = station_with(tmp_path, case.situation, "approve")
    for code in case.before:
        station.scan(code, badge="SUE")
    badge = "AK" if "its approval" in name else "SUE"
    assert said(station.scan(case.code, badge=badge)) == ("needs", "approval")
    assert said(station.scan(f"B:{badge}")) == ("rejected", "not_authorised")
    assert said(station.scan("B:TOM")) == (case.passed, None)

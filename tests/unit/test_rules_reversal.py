"""Any report is taken back, whole or in part, from what was recorded (BF-31)."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.policy import ControlMatrix
from mes_terminal.store import label_queue
from mes_terminal.usecases.resolve_exceptions import resolve_exception
from tests.plants import TEST_RULES, Row, Station, open_station, plant, said

CHAIRS = plant(
    items="""
        item,tracking,kind,decimals
        CHAIR,lot,manufactured,0
        LEG,lot,,0
        GLUE,none,,1
        JIG,none,,0
        BOX,lot,manufactured,0
        """,
    boms="item,revision\nCHAIR,A\nBOX,A",
    bom_lines="""
        item,revision,line,component,quantity,scrap_pct,basis,supply_location
        CHAIR,A,10,LEG,4,,,
        CHAIR,A,20,GLUE,0.5,,,
        CHAIR,A,30,JIG,2,,per_order,
        BOX,A,10,CHAIR,1,,,FG
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,LEG,L-1,LINE,25,2026-11-01
        R2,LEG,L-2,LINE,100,2026-11-02
        R3,GLUE,,LINE,50,2026-11-02
        R4,JIG,,LINE,5,2026-11-02
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,10,released
        WO-2,CHAIR,10,released
        WO-B,BOX,10,released
        """,
    operators="""
        badge,name,role
        AK,Anna,operator
        BO,Bo,operator
        SUP,Sue,supervisor
        """,
    reasons="code,kind\nx,scrap\ny,short_close",
)


def chairs(folder: Path, rules: Any = TEST_RULES, **changed: str) -> Station:
    """A chair takes 4 legs, half a unit of glue, and a jig of 2 once for the order."""
    return open_station(folder, CHAIRS | plant(**changed), rules)


def make(station: Station, many: int, code: str = "WO-1", *, badge: str = "AK") -> Outcome:
    station.scan(f"%QTY {many}", badge=badge)
    return station.scan(code, badge=badge)


def undo(station: Station, argument: object, *, badge: str | None = "SUP") -> Outcome:
    return station.scan(f"%UNDO {argument}".strip(), badge=badge)


def state(station: Station) -> dict[str, Any]:
    conn = station.db.conn
    return {
        "stock": station.rows("stock"),
        "orders": station.rows("orders"),
        "lines": conn.execute(
            "SELECT line_id, issued_micro, scrapped_micro, owed_micro, owed_scrap_micro "
            "FROM order_line ORDER BY 1"
        ).fetchall(),
        "units": conn.execute("SELECT serial, report_seq FROM unit ORDER BY 1").fetchall(),
        "slots": conn.execute("SELECT lot_id, unit_id, report_seq FROM slot ORDER BY 1").fetchall(),
    }


def reports(station: Station, work_order: str = "WO-1") -> list[tuple[str, str, str, str]]:
    rows = station.rows("order_reports", work_order=work_order)
    return [(row["kind"], row["quantity"], row["reversed"], row["status"]) for row in rows]


def refused(outcome: Outcome, reason: str) -> str:
    assert said(outcome) == ("rejected", reason), outcome.message
    assert outcome.message.endswith("Nothing was taken back")
    return outcome.message


# Which report ------------------------------------------------------------------------------------


def test_a_report_that_is_not_the_last_goes_back_from_its_own_movements(tmp_path: Path) -> None:
    """BF-31: the first six chairs took `L-1`; they give `L-1` back, whatever came after."""
    station = chairs(tmp_path)
    first = make(station, 6)
    make(station, 2)
    make(station, 3, "WO-2")
    outcome = undo(station, first.report_id)
    assert (said(outcome), outcome.quantity, outcome.order_status) == (
        ("recorded", None), "-6", "started",
    )  # fmt: skip
    assert [(each.line, each.lot, each.quantity) for each in outcome.consumed] == [
        ("10", "L-1", "-24"), ("20", None, "-3"), ("30", None, "-2"),
    ]  # fmt: skip
    assert [(each.lot, each.quantity) for each in outcome.produced] == [("WO-1", "-6")]
    assert station.stock("LEG", "L-1") == "24"
    assert station.order("WO-1")["completed"] == "2"
    assert station.faults() == []


def test_later_reports_true_each_line_up_to_its_target(tmp_path: Path) -> None:
    """BF-4: the jig went back with the first report; the next one takes it again."""
    station = chairs(tmp_path)
    first = make(station, 6)
    make(station, 2)
    undo(station, first.report_id)
    assert make(station, 8, "WO-1").order_status == "closed"
    lines = [station.line("WO-1", line)["issued"] for line in ("10", "20", "30")]
    assert lines == ["40", "5", "2"]


def test_an_orders_code_takes_its_newest_report_that_stands(tmp_path: Path) -> None:
    """BF-31: one after the other, whatever other orders reported since."""
    station = chairs(tmp_path)
    before = state(station)
    make(station, 6)
    make(station, 3)
    last = make(station, 2, "WO-2")
    assert [undo(station, "WO-1").quantity for _ in range(2)] == ["-3", "-6"]
    assert station.order("WO-1")["status"] == "released"
    message = refused(undo(station, "WO-1"), "nothing_to_undo")
    assert "Every report of WO-1 was taken back, the last at 2026-" in message
    assert "by SUP" in message
    undo(station, last.report_id)
    assert state(station) == before


def test_a_units_serial_takes_the_report_that_made_it(tmp_path: Path) -> None:
    """BF-31: E-1 was made first, by a report of its own."""
    station = chairs(
        tmp_path,
        items="item,tracking,kind\nBIKE,serial,manufactured\nTUBE,lot,",
        boms="item,revision\nBIKE,A",
        bom_lines="item,revision,line,component,quantity\nBIKE,A,10,TUBE,2",
        receipts="reference,item,lot,location,quantity,effective_at\nR1,TUBE,T-1,LINE,9,2026-11-01",
        work_orders="work_order,item,quantity,status\nWO-1,BIKE,3,released",
        work_order_serials="work_order,serial\nWO-1,E-1\nWO-1,E-2\nWO-1,E-3",
    )
    station.scan("E-1", badge="AK")
    both = station.scan("WO-1", badge="AK")
    assert (both.quantity, both.order_status) == ("2", "closed")
    message = refused(undo(station, "E-3 1"), "no_effect")
    assert "goes back whole or not at all" in message
    outcome = undo(station, "E-1 1")
    assert (outcome.quantity, outcome.serial, outcome.order_status) == ("-1", "E-1", "started")
    refused(undo(station, "E-1"), "nothing_to_undo")
    assert undo(station, "E-2").quantity == "-2"
    assert station.db.conn.execute("SELECT max(report_seq) FROM unit").fetchone()[0] is None
    assert station.scan("E-1", badge="AK").outcome == "completed"


def test_an_order_with_a_space_in_its_number_is_meant_before_a_quantity(tmp_path: Path) -> None:
    """BF-31: `%UNDO WO 5` is the order `WO 5`; `%UNDO WO 5 2` two units of its report."""
    station = chairs(
        tmp_path,
        work_orders="work_order,item,quantity,status\nWO,CHAIR,10,released\nWO 5,CHAIR,9,released",
    )
    make(station, 6, "WO 5")
    assert undo(station, "WO 5 2").quantity == "-2"
    assert undo(station, "WO 5").quantity == "-4"


@pytest.mark.parametrize("argument", ["WO-9", "CHAIR", "LEG|L-1", "5", "WO-9 2", "AK"])
def test_a_code_that_is_no_report_takes_nothing_back(tmp_path: Path, argument: str) -> None:
    """BF-31: nothing but orders, units and ids of reports."""
    station = chairs(tmp_path)
    make(station, 6)
    before = station.ledger()
    assert "No order, unit or report is called" in refused(
        undo(station, argument), "nothing_to_undo"
    )
    assert "Nothing was reported of WO-2" in refused(undo(station, "WO-2"), "nothing_to_undo")
    assert station.ledger() == before


def test_what_was_taken_back_says_by_whom_and_when(tmp_path: Path) -> None:
    """BF-31: once; and a reversal is no report to take back."""
    station = chairs(tmp_path)
    first = make(station, 6)
    undone = undo(station, first.report_id)
    message = refused(undo(station, first.report_id), "nothing_to_undo")
    assert f"{first.report_id} was taken back at 2026-11-20T" in message
    assert "by SUP" in message
    refused(undo(station, undone.report_id), "nothing_to_undo")


def test_the_station_goes_on_with_the_order_it_has(tmp_path: Path) -> None:
    """BF-31: what a supervisor takes back elsewhere does not change the current order."""
    station = chairs(tmp_path)
    make(station, 6)
    make(station, 1, "WO-2")
    undo(station, "WO-1")
    assert station.scan("CHAIR", badge="AK").work_order == "WO-2"


# Who may -----------------------------------------------------------------------------------------


def test_by_its_code_the_own_last_report_goes_back_within_the_grace_time(tmp_path: Path) -> None:
    """BF-31: as by plain `%UNDO`, in part too."""
    station = chairs(tmp_path)
    make(station, 6)
    assert undo(station, "WO-1 2", badge="AK").quantity == "-2"
    assert undo(station, "WO-1", badge="AK").quantity == "-4"


@pytest.mark.parametrize("badge", ["BO", None])
def test_somebody_elses_report_is_for_a_supervisor(tmp_path: Path, badge: str | None) -> None:
    """BF-31: at once, last or not."""
    station = chairs(tmp_path)
    first = make(station, 6)
    make(station, 2, badge="BO")
    assert "is by AK" in refused(undo(station, first.report_id, badge=badge), "not_authorised")
    assert said(undo(station, first.report_id)) == ("recorded", None)
    assert said(undo(station, "WO-1")) == ("recorded", None)


def test_an_own_report_that_is_not_the_last_is_as_the_matrix_says(tmp_path: Path) -> None:
    """BF-24: `late_reversal`, built in too late; also after the grace time."""
    station = chairs(tmp_path)
    first = make(station, 6)
    last = make(station, 2)
    assert "is not the last one" in refused_by_matrix(undo(station, first.report_id, badge="AK"))
    station.scan("%HELP", after_s=200)
    assert "is older than 120 s" in refused_by_matrix(undo(station, last.report_id, badge="AK"))
    rules = msgspec.structs.replace(
        TEST_RULES, policy=ControlMatrix({"late_reversal": {"default": "confirm"}})
    )
    (tmp_path / "asks").mkdir()
    station = chairs(tmp_path / "asks", rules)
    first = make(station, 6)
    make(station, 2)
    code = f"%UNDO {first.report_id} 2"
    assert said(station.scan(code, badge="AK")) == ("needs", "confirm")
    assert station.scan(code, badge="AK").quantity == "-2"


def refused_by_matrix(outcome: Outcome) -> str:
    assert said(outcome) == ("rejected", "undo_too_late")
    return outcome.message


def test_another_matrix_would_have_let_it_pass(tmp_path: Path) -> None:
    """BF-24: `policy --replay` finds the refusal of a named report."""
    station = chairs(tmp_path)
    first = make(station, 6)
    make(station, 2)
    refused_by_matrix(undo(station, first.report_id, badge="AK"))
    matrix = ControlMatrix({"late_reversal": {"default": "allow"}})
    asked = {"since": "2026-11-20T00:00:00Z", "matrix": msgspec.json.encode(matrix).decode()}
    (row,) = station.rows("policy_replay", **asked)
    assert (row["situation"], row["item"], row["would_outcome"]) == (
        "late_reversal", "CHAIR", "recorded",
    )  # fmt: skip


def test_a_supervisors_own_report_is_for_a_supervisor_too(tmp_path: Path) -> None:
    """BF-31: what is blocked for operators, the supervisor does."""
    station = chairs(tmp_path)
    first = make(station, 6, badge="SUP")
    make(station, 2, badge="SUP")
    assert undo(station, first.report_id).quantity == "-6"


# A part ------------------------------------------------------------------------------------------


def test_a_part_gives_back_its_share_the_lot_drawn_last_first(tmp_path: Path) -> None:
    """BF-31: eight chairs took 25 legs of `L-1` and 7 of `L-2`; three of them are 12 legs, 1.5
    glue, and no jig."""
    station = chairs(tmp_path)
    report = make(station, 8)
    outcome = undo(station, "WO-1 3")
    assert (said(outcome), outcome.quantity) == (("recorded", None), "-3")
    assert [(each.line, each.lot, each.quantity) for each in outcome.consumed] == [
        ("10", "L-1", "-5"), ("10", "L-2", "-7"), ("20", None, "-1.5"),
    ]  # fmt: skip
    assert [(each.item, each.quantity) for each in outcome.produced] == [("CHAIR", "-3")]
    assert [edge[3] for edge in station.edges()] == ["25", "7", "-5", "-7"]
    event = station.rows("outbox")[-1]["event"]
    assert event["type"] == "io.mes-terminal.report.reversed.v1"
    assert event["data"]["reverses"] == report.report_id
    assert [a["quantity"] for a in event["data"]["material_actuals"]] == ["-3", "-5", "-7", "-1.5"]
    assert station.order("WO-1")["completed"] == "5"
    assert reports(station) == [("completion", "8", "3", "in part")]
    assert station.faults() == []


def test_parts_add_up_and_the_last_one_gives_exactly_the_rest(tmp_path: Path) -> None:
    """BF-31: 3 units of a step of 1 for 8 chairs: 3/8 of 3 is 1, 6/8 is 2, then the last."""
    station = chairs(
        tmp_path,
        items="item,tracking,kind\nCHAIR,lot,manufactured\nCAP,lot,",
        boms="item,revision\nCHAIR,A",
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,CAP,0.375",
        receipts="reference,item,lot,location,quantity,effective_at\nR1,CAP,C-1,LINE,9,2026-11-01",
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
    )
    before = state(station)
    make(station, 8)
    caps = [
        [each.quantity for each in undo(station, code).consumed]
        for code in ("WO-1 2", "WO-1 1", "WO-1 3", "WO-1")
    ]
    assert caps == [[], ["-1"], ["-1"], ["-1"]]
    assert state(station) == before
    assert reports(station) == [("completion", "8", "8", "taken back")]
    assert station.faults() == []


def test_undo_again_after_a_part_takes_the_rest(tmp_path: Path) -> None:
    """BF-31: a report stands until nothing of it is left."""
    station = chairs(tmp_path)
    before = state(station)
    make(station, 8)
    undo(station, "WO-1 3", badge="AK")
    outcome = station.scan("%UNDO", badge="AK")
    assert (outcome.quantity, outcome.order_status) == ("-5", "released")
    assert [(each.line, each.lot, each.quantity) for each in outcome.consumed] == [
        ("10", "L-1", "-20"), ("20", None, "-2.5"), ("30", None, "-2"),
    ]  # fmt: skip
    assert state(station) == before
    refused(station.scan("%UNDO", badge="AK"), "nothing_to_undo")


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("WO-1 0", "malformed"),
        ("WO-1 -2", "malformed"),
        ("WO-1 two", "malformed"),
        ("WO-1 0.0000001", "malformed"),
        ("WO-1 0.5", "not_a_step"),
        ("WO-1 7", "over_tolerance"),
        ("WO-2 1", "no_effect"),
    ],
)
def test_a_part_that_cannot_be_is_refused(tmp_path: Path, argument: str, reason: str) -> None:
    """BF-31: more than stands, no step, no number; a short close has no parts."""
    station = chairs(tmp_path)
    make(station, 8)
    undo(station, "WO-1 2")
    station.scan("%SHORT y", badge="AK")
    station.scan("WO-2", badge="AK")
    before = station.ledger()
    refused(undo(station, argument), reason)
    assert station.ledger() == before


def test_part_of_a_unit_scrap_report_goes_back(tmp_path: Path) -> None:
    """BF-26, BF-31: of five scrapped chairs two were good."""
    station = chairs(tmp_path)
    before = state(station)
    station.scan("%SCRAP x", badge="AK")
    make(station, 5)
    outcome = undo(station, "WO-1 2")
    assert (outcome.quantity, outcome.produced) == ("-2", [])
    assert [(each.line, each.quantity) for each in outcome.consumed] == [("10", "-8"), ("20", "-1")]
    assert station.rows("outbox")[-1]["event"]["data"]["scrapped_quantity"] == "-2"
    assert station.order("WO-1")["scrapped"] == "3"
    undo(station, "WO-1")
    assert state(station) == before


def test_what_is_owed_goes_first_and_only_the_rest_heals(tmp_path: Path) -> None:
    """BF-31, BF-20, BF-22: 8 chairs lack 7 legs; with one chair 4 of those are owed no more."""
    station = chairs(
        tmp_path,
        receipts="""
            reference,item,lot,location,quantity,effective_at
            R1,LEG,L-1,LINE,25,2026-11-01
            R3,GLUE,,LINE,50,2026-11-02
            R4,JIG,,LINE,5,2026-11-02
            """,
    )
    make(station, 8)
    outcome = undo(station, "WO-1 1")
    assert [(each.line, each.quantity) for each in outcome.consumed] == [("20", "-0.5")]
    voided = station.rows("outbox")[-1]["event"]["data"]["exceptions"]
    assert [(each["kind"], each["line"], each["quantity"]) for each in voided] == [
        ("shortage", "10", "-4")
    ]
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "3")]
    station.load(plant(receipts="reference,item,lot,location,quantity,effective_at\n"
                       "R9,LEG,L-9,LINE,50,2026-11-01"))  # fmt: skip
    station.heal()
    assert station.stock("LEG", "L-9") == "47"
    assert station.line("WO-1", "10")["issued"] == "28"
    assert station.exceptions() == [("shortage", "resolved", "10", "LEG", "0")]
    # What was posted later goes before what the report took itself.
    outcome = undo(station, "WO-1 1")
    assert [(each.lot, each.quantity) for each in outcome.consumed if each.line == "10"] == [
        ("L-1", "-1"), ("L-9", "-3"),
    ]  # fmt: skip
    assert station.faults() == []
    undo(station, "WO-1")
    assert (station.stock("LEG", "L-1"), station.stock("LEG", "L-9")) == ("25", "50")
    assert station.faults() == []


def test_part_of_what_was_too_much_is_void(tmp_path: Path) -> None:
    """BF-23, BF-24: 14 of 10 let pass; one back, and it is about 3."""
    rules = msgspec.structs.replace(
        TEST_RULES, policy=ControlMatrix({"over_completion": {"default": "allow"}})
    )
    station = chairs(tmp_path, rules)
    assert make(station, 14).order_status == "closed"
    assert station.exceptions(kind="over_completion")[0][4] == "4"
    outcome = undo(station, "WO-1 1")
    assert outcome.order_status == "closed", "nothing remains of it"
    assert station.exceptions(kind="over_completion")[0][4] == "3"
    assert undo(station, "WO-1 5").order_status == "started"
    assert station.exceptions(kind="over_completion")[0][1:] == ("voided", None, "CHAIR", "0")


def test_a_container_takes_its_gain_back_before_its_books(tmp_path: Path) -> None:
    """BF-17, BF-31: 52 lamps took 104 m of a reel of 100; one of them gives 2 m of the gain."""
    station = chairs(
        tmp_path,
        items="item,tracking,decimals,lot_overrun_pct\nLAMP,lot,0,\nWIRE,lot,2,5",
        boms="item,revision\nLAMP,A",
        bom_lines="item,revision,line,component,quantity\nLAMP,A,10,WIRE,2",
        receipts="reference,item,lot,container,location,quantity\nR1,WIRE,W-1,REEL-1,LINE,100",
        work_orders="work_order,item,quantity,status\nWO-1,LAMP,100,released",
    )
    station.scan("%START WO-1", badge="AK")
    station.scan("REEL-1", badge="AK")
    make(station, 52)
    gained = "SELECT gained_micro FROM mount_span"
    assert undo(station, "WO-1 1").quantity == "-1"
    assert (station.stock("WIRE", "W-1"), station.db.conn.execute(gained).fetchone()[0]) == (
        "0", 2_000_000,
    )  # fmt: skip
    undo(station, "WO-1 5")
    assert (station.stock("WIRE", "W-1"), station.db.conn.execute(gained).fetchone()[0]) == ("8", 0)
    undo(station, "WO-1")
    assert station.stock("WIRE", "W-1") == "100"
    assert station.faults() == []


def test_by_products_go_back_by_their_share_and_are_made_up_for(tmp_path: Path) -> None:
    """BF-30, BF-31: 20 boards brought 8 slats; one less is 8 still, and one more again is 8."""
    station = chairs(
        tmp_path,
        items="item,tracking,kind\nBOARD,lot,manufactured\nSLAT,lot,\nLOG,lot,",
        boms="item,revision\nBOARD,A",
        bom_lines="item,revision,line,component,quantity,role\nBOARD,A,10,LOG,1,\n"
        "BOARD,A,20,SLAT,0.4,by_product",
        receipts="reference,item,lot,location,quantity,effective_at\nR1,LOG,T-1,LINE,90,2026-11-01",
        work_orders="work_order,item,quantity,status\nWO-1,BOARD,30,released",
    )
    make(station, 20)
    assert [each.item for each in undo(station, "WO-1 1").produced] == ["BOARD"]
    make(station, 1)
    assert station.stock("SLAT", "WO-1", "FG") == "8"
    make(station, 3)
    assert station.stock("SLAT", "WO-1", "FG") == "9"
    rows = station.rows("order_reports", work_order="WO-1")
    undo(station, rows[0]["report_id"])
    undo(station, rows[1]["report_id"])
    assert station.stock("SLAT", "WO-1", "FG") == "1"
    undo(station, "WO-1")
    assert station.stock("SLAT", "WO-1", "FG") == "0"
    assert station.faults() == []


def test_material_by_hand_waits_again_for_the_part_that_goes_back(tmp_path: Path) -> None:
    """BF-10, BF-37: 8 legs by hand are in the first two chairs; one back, and 4 of them wait."""
    station = chairs(tmp_path)
    station.scan("%START WO-1", badge="AK")
    for code in ("%ISSUE", "%QTY 8", "LEG|L-1"):
        station.scan(code, badge="AK")
    make(station, 2)
    undo(station, "WO-1 1")
    waiting = "SELECT sum(quantity_micro) FROM hand_issue WHERE report_seq IS NULL"
    assert station.db.conn.execute(waiting).fetchone()[0] == 4_000_000
    assert station.line("WO-1", "10")["issued"] == "8"
    assert station.faults() == []
    make(station, 2)
    assert station.faults() == []
    while said(undo(station, "WO-1"))[0] == "recorded":
        assert station.faults() == []
    for code in ("%RETURN", "%QTY 8", "LEG|L-1"):
        outcome = station.scan(code, badge="AK")
    assert outcome.outcome == "recorded"
    assert station.stock("LEG", "L-1") == "25"


def test_what_a_person_wrote_off_goes_back_too(tmp_path: Path) -> None:
    """BF-23, BF-31: 8 chairs owed 7 legs, which were written off: they go first, then legs."""
    station = chairs(
        tmp_path,
        receipts="reference,item,lot,location,quantity,effective_at\n"
        "R1,LEG,L-1,LINE,25,2026-11-01\nR3,GLUE,,LINE,50,2026-11-02\nR4,JIG,,LINE,5,2026-11-02",
        reasons="code,kind\nlost,write_off",
    )
    before = state(station)
    make(station, 8)
    (shortage,) = station.rows("exceptions")
    done = resolve_exception(
        station.db,
        shortage["id"],
        Decision(how="write_off", reason="lost"),
        by="SUP",
        rules=station.rules,
        now=station.now,
    )
    assert done.outcome == "written_off"
    written = "SELECT written_off_micro FROM order_line WHERE line = '10'"
    assert station.db.conn.execute(written).fetchone()[0] == 7_000_000
    assert [each.line for each in undo(station, "WO-1 1").consumed] == ["20"]
    assert station.db.conn.execute(written).fetchone()[0] == 3_000_000
    assert [each.quantity for each in undo(station, "WO-1 1").consumed] == ["-1", "-0.5"]
    assert station.db.conn.execute(written).fetchone()[0] == 0
    assert station.faults() == []
    undo(station, "WO-1")
    assert state(station) == before
    assert station.faults() == []


# What depends on it ------------------------------------------------------------------------------


def test_the_output_must_be_there(tmp_path: Path) -> None:
    """BF-31: seven of eight chairs are in boxes; one can go back, two cannot."""
    station = chairs(tmp_path)
    make(station, 8)
    make(station, 7, "WO-B")
    before = station.ledger()
    assert "CHAIR WO-1 (used in BOX WO-B)" in refused(undo(station, "WO-1 2"), "has_dependents")
    assert station.ledger() == before
    assert undo(station, "WO-1 1").quantity == "-1"
    undo(station, "WO-B")
    assert undo(station, "WO-1").quantity == "-7"


def test_an_order_closed_short_is_opened_first(tmp_path: Path) -> None:
    """BF-31: the short close goes back before what it closed."""
    station = chairs(tmp_path)
    first = make(station, 6)
    station.scan("%SHORT y", badge="AK")
    short = station.scan("WO-1", badge="AK")
    message = refused(undo(station, first.report_id), "has_dependents")
    assert f"the short close ({short.report_id})" in message
    assert undo(station, short.report_id).order_status == "started"
    assert undo(station, first.report_id).order_status == "released"


def test_an_order_that_later_reports_closed_is_started_again(tmp_path: Path) -> None:
    """BF-31: and what was closed once can be closed again."""
    station = chairs(tmp_path)
    first = make(station, 6)
    assert make(station, 4).order_status == "closed"
    assert undo(station, first.report_id).order_status == "started"
    closed = station.scan("WO-1", badge="AK")
    assert (closed.quantity, closed.order_status) == ("6", "closed")
    assert [station.line("WO-1", line)["issued"] for line in ("10", "20", "30")] == ["40", "5", "2"]


@pytest.mark.parametrize("status", ["hold", "cancelled"])
def test_hold_and_cancelled_stay(tmp_path: Path, status: str) -> None:
    """BF-31: what somebody decided of an order no reversal lifts."""
    station = chairs(tmp_path)
    first = make(station, 6)
    make(station, 1)
    station.load(plant(work_orders=f"work_order,item,quantity,status\nWO-1,CHAIR,10,{status}"))
    assert undo(station, first.report_id).order_status == status
    assert station.order("WO-1")["status"] == status


ROUTED = plant(
    boms="item,revision\nCHAIR,A",
    bom_lines="""
        item,revision,line,component,quantity,operation
        CHAIR,A,10,LEG,4,10
        CHAIR,A,20,GLUE,0.5,20
        """,
    work_centres="work_centre\nWC",
    routings="""
        item,revision,operation,work_centre,backflush_point,overlap
        CHAIR,A,10,WC,yes,
        CHAIR,A,20,WC,yes,
        """,
    work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
)


def routed(folder: Path) -> Station:
    return open_station(folder, {**CHAIRS, **ROUTED, "items.csv": CHAIRS["items.csv"].replace(
        "BOX,lot,manufactured,0\n", "")})  # fmt: skip


def delivered(station: Station) -> list[tuple[int, int]]:
    return station.db.conn.execute(
        "SELECT good_micro / 1000000, scrapped_micro / 1000000 FROM order_operation "
        "ORDER BY position"
    ).fetchall()


def test_a_later_operation_relies_on_what_an_earlier_one_delivered(tmp_path: Path) -> None:
    """BF-11, BF-31: 6 passed operation 10, 4 of them are done: 2 can go back, 3 cannot."""
    station = routed(tmp_path)
    before = state(station)
    make(station, 6, "%OP 10 WO-1")
    first = station.rows("order_reports", work_order="WO-1")[0]["report_id"]
    done = make(station, 4)
    message = refused(undo(station, f"{first} 3"), "has_dependents")
    assert f"the completion of 4 ({done.report_id})" in message
    assert undo(station, f"{first} 2").quantity == "-2"
    assert delivered(station) == [(4, 0), (4, 0)]
    undo(station, done.report_id)
    undo(station, first)
    assert state(station) == before
    assert delivered(station) == [(0, 0), (0, 0)]
    assert station.faults() == []


def test_a_unit_scrapped_from_what_passed_an_operation_relies_on_it(tmp_path: Path) -> None:
    """BF-26, BF-31: of 2 that passed operation 10 one was scrapped there."""
    station = routed(tmp_path)
    before = state(station)
    passed = make(station, 2, "%OP 10 WO-1")
    station.scan("%SCRAP x", badge="AK")
    scrapped = make(station, 1)
    message = refused(undo(station, f"{passed.report_id} 2"), "has_dependents")
    assert f"the scrap report of 1 ({scrapped.report_id})" in message
    assert undo(station, f"{passed.report_id} 1").quantity == "-1"
    assert delivered(station) == [(0, 1), (0, 0)]
    undo(station, scrapped.report_id)
    undo(station, passed.report_id)
    assert (state(station), delivered(station)) == (before, [(0, 0), (0, 0)])


def test_an_older_report_may_rely_on_a_newer_one_by_now(tmp_path: Path) -> None:
    """BF-11, BF-31: 4 were done of the first 4 that passed operation 10, which went back after 4
    more had passed; now the completion needs those."""
    station = routed(tmp_path)
    first = make(station, 4, "%OP 10 WO-1")
    done = make(station, 4)
    second = make(station, 4, "%OP 10 WO-1")
    assert undo(station, first.report_id).quantity == "-4"
    message = refused(undo(station, second.report_id), "has_dependents")
    assert f"the completion of 4 ({done.report_id})" in message


def test_a_part_of_a_completion_gives_back_first_what_it_swept_itself(tmp_path: Path) -> None:
    """BF-11, BF-31: 4 of 6 had passed operation 10; 3 back are the 2 swept ones and one that
    stands behind operation 10 again."""
    station = routed(tmp_path)
    make(station, 4, "%OP 10 WO-1")
    make(station, 6)
    outcome = undo(station, "WO-1 3")
    assert [(each.line, each.quantity) for each in outcome.consumed] == [
        ("10", "-8"), ("20", "-1.5"),
    ]  # fmt: skip
    assert delivered(station) == [(4, 0), (3, 0)]
    labour = station.rows("outbox")[-1]["event"]["data"]["labour_actuals"]
    assert [(each["operation"], each["good"]) for each in labour] == [("10", "-2"), ("20", "-3")]
    assert station.faults() == []


def test_what_a_unit_went_through_in_rework_goes_back_first(tmp_path: Path) -> None:
    """BF-28, BF-31: in rework, or back from it."""
    station = chairs(
        tmp_path,
        items="item,tracking,kind\nBIKE,serial,manufactured\nTUBE,lot,",
        boms="item,revision\nBIKE,A",
        bom_lines="item,revision,line,component,quantity\nBIKE,A,10,TUBE,2",
        receipts="reference,item,lot,location,quantity,effective_at\nR1,TUBE,T-1,LINE,9,2026-11-01",
        work_orders="work_order,item,quantity,status\nWO-1,BIKE,3,released",
        work_order_serials="work_order,serial\nWO-1,E-1\nWO-1,E-2\nWO-1,E-3",
        locations="location,kind\nBENCH,rework\nSCRAP,scrap\nFG,finished",
        reasons="code,kind\nz,rework",
    )
    before = state(station)
    made = station.scan("E-1", badge="AK")
    for code in ("%REWORK z", "E-1"):
        sent = station.scan(code, badge="AK")
    done = station.scan("E-1", badge="AK")
    assert (sent.outcome, done.outcome) == ("recorded", "completed")
    message = refused(undo(station, "E-1"), "has_dependents")
    assert f"the end of rework of E-1 ({done.report_id})" in message
    assert f"the rework of E-1 ({sent.report_id})" in message
    refused(undo(station, sent.report_id), "has_dependents")
    for report_id in (done.report_id, sent.report_id, made.report_id):
        assert said(undo(station, report_id)) == ("recorded", None)
    assert state(station) == before
    assert station.faults() == []


def test_a_quantity_that_went_through_rework_must_be_left(tmp_path: Path) -> None:
    """BF-28, BF-31: 4 of 8 chairs were reworked; 4 can go back, 5 cannot."""
    station = chairs(
        tmp_path,
        locations="location,kind\nBENCH,rework\nSCRAP,scrap\nFG,finished",
        reasons="code,kind\nz,rework",
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
    )
    made = make(station, 8)
    for code in ("%REWORK z", "%QTY 4", "CHAIR|WO-1", "CHAIR|WO-1"):
        outcome = station.scan(code, badge="AK")
    assert outcome.outcome == "completed"
    assert "the rework" in refused(undo(station, f"{made.report_id} 5"), "has_dependents")
    assert undo(station, f"{made.report_id} 4").quantity == "-4"


# What follows from reports -----------------------------------------------------------------------


def test_the_expiry_of_a_lot_never_gets_longer_than_what_stands_allows(tmp_path: Path) -> None:
    """BF-39, BF-31: in any order; when nothing stands it is as at the start."""
    station = chairs(
        tmp_path,
        items="item,tracking,kind,inherit_expiry\nSOUP,lot,manufactured,yes\nMILK,lot,,",
        boms="item,revision\nSOUP,A",
        bom_lines="item,revision,line,component,quantity\nSOUP,A,10,MILK,1",
        lots="item,lot,expires_on\nMILK,M-1,2026-12-01\nMILK,M-2,2026-12-10\nMILK,M-3,2026-12-20",
        receipts="""
            reference,item,lot,location,quantity,effective_at
            R1,MILK,M-1,LINE,2,2026-11-01
            R2,MILK,M-2,LINE,2,2026-11-01
            R3,MILK,M-3,LINE,9,2026-11-01
            """,
        work_orders="work_order,item,quantity,status\nWO-1,SOUP,10,released",
    )
    ids = [make(station, 2).report_id for _ in range(3)]
    assert expiry(station) == "2026-12-01"
    undo(station, ids[0])
    assert expiry(station) == "2026-12-01", "conservative: two others stand"
    undo(station, ids[2])
    assert expiry(station) <= "2026-12-10"
    undo(station, ids[1])
    assert expiry(station) is None
    assert station.faults() == []


def expiry(station: Station) -> Any:
    return station.rows("lots", lot="WO-1")[0]["expires_on"]


def test_costs_after_a_part_are_those_of_what_stands(tmp_path: Path) -> None:
    """BF-38: 8 chairs less 3 cost what 5 do."""
    costs: list[list[Row]] = []
    for name, quantities in (("one", [5]), ("two", [8])):
        (tmp_path / name).mkdir()
        station = chairs(
            tmp_path / name,
            items="""
                item,tracking,kind,decimals,standard_cost
                CHAIR,lot,manufactured,0,
                LEG,lot,,0,3.20
                GLUE,none,,1,1.10
                JIG,none,,0,7
                BOX,lot,manufactured,0,
                """,
        )
        for many in quantities:
            make(station, many)
        if name == "two":
            undo(station, "WO-1 3")
        costs.append(station.rows("order_costs", work_order="WO-1", currency="EUR"))
    assert costs[0] == costs[1]


def test_a_box_stays_booked_until_all_of_it_was_taken_back(tmp_path: Path) -> None:
    """BF-34, BF-31, and the labels that are due are for what stands."""
    station = chairs(tmp_path)
    make(station, 8)
    undo(station, "WO-1 3")
    due = label_queue.due(station.db.conn, 0, 9)
    assert [row[5] for row in due] == [5_000_000]
    undo(station, "WO-1")
    assert label_queue.due(station.db.conn, 0, 9) == []


def test_the_list_of_an_orders_reports_says_what_can_be_taken_back(tmp_path: Path) -> None:
    """BF-31: kinds, quantities and what became of them; reversals are not in it."""
    station = chairs(tmp_path)
    make(station, 4)
    make(station, 3)
    station.scan("%SCRAP x", badge="AK")
    make(station, 2, badge="BO")
    undo(station, "WO-1 1")
    ids = [row["report_id"] for row in station.rows("order_reports", work_order="WO-1")]
    undo(station, ids[0])
    rows = station.rows("order_reports", work_order="WO-1")
    assert [list(row.values()) for row in rows] == [
        [ids[0], "completion", "4", "4", "WO-1", [], "AK", "2026-11-20T08:00:02.000000Z",
         "taken back"],
        [ids[1], "completion", "3", "0", "WO-1", [], "AK", "2026-11-20T08:00:04.000000Z",
         "standing"],
        [ids[2], "scrap", "2", "1", None, [], "BO", "2026-11-20T08:00:07.000000Z", "in part"],
    ]  # fmt: skip


def test_an_item_under_a_supervisor_who_is_signed_in_is_enough(tmp_path: Path) -> None:
    """BF-31: a supervisor signed in at the station needs no badge in the scan."""
    station = chairs(tmp_path)
    first = make(station, 6)
    station.scan("B:SUP")
    assert undo(station, first.report_id, badge=None).quantity == "-6"

"""Orders: released, frozen, reported, closed, closed short (BF-7 … BF-12, BF-25, BF-26)."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.rules import StationRules
from tests.plants import TEST_RULES, Station, open_station, plant, quantities, said

CHAIR = plant(
    items="""
        item,tracking,over_completion_pct
        CHAIR,lot,
        STOOL,none,20
        LEG,lot,
        SCREW,none,
        """,
    boms="item,revision\nCHAIR,A\nSTOOL,A",
    bom_lines="""
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        CHAIR,A,20,SCREW,8
        STOOL,A,10,LEG,3
        """,
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,LEG,L-1,LINE,1000,2026-11-01
        R2,SCREW,,LINE,1000,2026-11-01
        """,
    work_orders="""
        work_order,item,quantity,status,due_at
        WO-1,CHAIR,10,released,
        WO-2,STOOL,10,released,2026-11-25
        WO-3,CHAIR,5,planned,
        WO-4,CHAIR,5,hold,
        WO-5,CHAIR,5,cancelled,
        """,
    operators="badge,name,role\nAK,Anna,operator",
    reasons="code,kind\nMAT,short_close\nDENT,scrap",
)


def chairs(folder: Path, rules: StationRules = TEST_RULES, **tables: str) -> Station:
    return open_station(folder, CHAIR | plant(**tables), rules)


def orders(*rows: str, columns: str = "work_order,item,quantity,status") -> str:
    return "\n".join([columns, *rows])


def test_one_scan_closes_the_order(tmp_path: Path) -> None:
    """BF-11, BF-12. Ten chairs of four legs and eight screws."""
    station = chairs(tmp_path)
    outcome = station.scan("WO-1", badge="AK")
    assert said(outcome) == ("completed", None)
    assert (outcome.work_order, outcome.order_status, outcome.item, outcome.quantity) == (
        "WO-1", "closed", "CHAIR", "10",
    )  # fmt: skip
    assert (outcome.lot, outcome.serial, outcome.report_id) == ("WO-1", None, outcome.scan_id)
    assert quantities(outcome) == [("10", "L-1", "40"), ("20", None, "80")]
    assert [(p.item, p.lot, p.location, p.quantity) for p in outcome.produced] == [
        ("CHAIR", "WO-1", "FG", "10")
    ]
    assert station.rows("orders", work_order="WO-1")[0]["remaining"] == "0"
    assert [row["type"] for row in station.rows("outbox")][-1].startswith(
        "io.mes-terminal.production.completed"
    )
    assert station.faults() == []


def test_a_report_that_fails_half_way_posts_nothing(tmp_path: Path) -> None:
    """BF-12. The ledger refuses the last row of a report."""
    station = chairs(tmp_path)
    station.db.conn.execute(
        "CREATE TEMP TRIGGER full BEFORE INSERT ON report BEGIN SELECT raise(ABORT, 'full'); END"
    )
    before = station.ledger()
    scan = station.journal("WO-1")
    from mes_terminal.store.database import SqliteError
    from mes_terminal.usecases.handle_scan import handle_scan

    with pytest.raises(SqliteError, match="full"):
        handle_scan(station.db, scan, station.rules)
    assert station.ledger() == before
    station.db.conn.execute("DROP TRIGGER full")
    assert said(handle_scan(station.db, scan, station.rules)) == ("completed", None)


@pytest.mark.parametrize(
    ("code", "reason"),
    [("WO-3", "not_released"), ("WO-4", "order_on_hold"), ("WO-5", "order_cancelled")],
)
@pytest.mark.parametrize("how", ["{}", "%START {}"])
def test_an_order_that_is_not_open_is_refused(
    tmp_path: Path, how: str, code: str, reason: str
) -> None:
    """BF-7."""
    station = chairs(tmp_path)
    before = station.ledger()
    outcome = station.scan(how.format(code))
    assert said(outcome) == ("rejected", reason)
    assert (outcome.work_order, outcome.report_id) == (code, None)
    assert station.ledger() == before


def test_a_short_close_of_an_order_that_is_not_open_is_refused(tmp_path: Path) -> None:
    """BF-7, BF-25."""
    station = chairs(tmp_path)
    station.scan("%SHORT MAT")
    assert said(station.scan("WO-3")) == ("rejected", "not_released")
    assert said(station.scan("WO-1"))[0] == "completed", "the command is used up"


def test_an_order_released_later_opens(tmp_path: Path) -> None:
    """BF-7."""
    station = chairs(tmp_path)
    station.load(plant(work_orders=orders("WO-3,CHAIR,5,released")))
    assert said(station.scan("WO-3")) == ("completed", None)


def test_a_changed_bom_leaves_a_released_order_alone(tmp_path: Path) -> None:
    """BF-7. From five legs a chair on, but not for orders that are out."""
    station = chairs(tmp_path)
    station.load(
        plant(
            bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,5",
            work_orders=orders("WO-9,CHAIR,10,released"),
        )
    )
    assert quantities(station.scan("WO-1"))[0] == ("10", "L-1", "40")
    assert quantities(station.scan("WO-9")) == [("10", "L-1", "50")]


def test_a_changed_order_quantity_counts_at_once(tmp_path: Path) -> None:
    """BF-7. Ten become twelve after four are made; then what is made closes the order."""
    station = chairs(tmp_path)
    station.scan("%QTY 4")
    station.scan("WO-1")
    station.load(plant(work_orders=orders("WO-1,CHAIR,12,released")))
    assert station.order("WO-1")["remaining"] == "8"
    station.load(plant(work_orders=orders("WO-1,CHAIR,4,released")))
    assert station.order("WO-1")["status"] == "closed"


def test_the_revision_of_the_start_date_is_taken(tmp_path: Path) -> None:
    """BF-8. Revision B holds from December on; an order may name A all the same."""
    station = chairs(
        tmp_path,
        boms="""
            item,revision,effective_from,effective_to
            CHAIR,A,,2026-11-30
            CHAIR,B,2026-12-01,
            STOOL,A,,
            """,
        bom_lines="""
            item,revision,line,component,quantity
            CHAIR,A,10,LEG,4
            CHAIR,B,10,LEG,5
            STOOL,A,10,LEG,3
            """,
        work_orders=orders(
            "WO-1,CHAIR,1,released,2026-11-30,",
            "WO-2,CHAIR,1,released,2026-12-01,",
            "WO-3,CHAIR,1,released,2026-12-01,A",
            columns="work_order,item,quantity,status,start_at,revision",
        ),
    )
    taken = [quantities(station.scan(code))[0][2] for code in ("WO-1", "WO-2", "WO-3")]
    assert taken == ["4", "5", "4"]


def faults_of(folder: Path, files: dict[str, str]) -> list[str]:
    from mes_terminal.usecases.load_master_data import load_folder

    station = open_station(folder, CHAIR)
    told = {name: text.encode() for name, text in files.items()}
    result = load_folder(station.db, told, rules=station.rules, now=station.now, at=None)
    return [fault.message for fault in result.faults]


def test_two_revisions_of_one_day_are_a_fault(tmp_path: Path) -> None:
    """BF-8."""
    (fault, *_) = faults_of(
        tmp_path,
        plant(boms="item,revision\nCHAIR,B", work_orders=orders("WO-9,CHAIR,5,released")),
    )
    assert "B" in fault or "2 revisions" in fault


def test_a_bom_that_goes_round_is_a_fault_that_prints_the_circle(tmp_path: Path) -> None:
    """BF-9."""
    faults = faults_of(
        tmp_path,
        plant(
            items="item,kind\nP1,phantom\nP2,phantom",
            boms="item,revision\nP1,A\nP2,A",
            bom_lines="item,revision,line,component,quantity\nP1,A,10,P2,1\nP2,A,10,P1,1",
        ),
    )
    assert any("P1 -> P2" in fault or "P2 -> P1" in fault for fault in faults)


METHODS = """
    item,revision,line,component,quantity,issue_method
    CHAIR,A,10,LEG,4,{line}
    CHAIR,A,20,SCREW,8,
    """


@pytest.mark.parametrize(
    ("station_says", "item_says", "line_says", "taken", "level"),
    [
        ("backflush", "", "", True, "station"),
        ("manual", "", "", False, "station"),
        ("manual", "backflush", "", True, "item"),
        ("backflush", "bulk", "", False, "item"),
        ("backflush", "bulk", "backflush", True, "bom_line"),
        ("backflush", "", "manual", False, "bom_line"),
    ],
)
def test_the_nearest_level_decides_whether_a_line_is_posted(
    tmp_path: Path, station_says: Any, item_says: str, line_says: str, taken: bool, level: str
) -> None:
    """BF-10: BOM line > item > station."""
    rules = msgspec.structs.replace(TEST_RULES, issue_method=station_says)
    station = chairs(
        tmp_path,
        rules,
        items=f"item,tracking,issue_method\nCHAIR,lot,\nSTOOL,none,\nLEG,lot,{item_says}\nSCREW,none,",
        bom_lines=METHODS.format(line=line_says),
        boms="item,revision\nCHAIR,A",
        work_orders=orders("WO-1,CHAIR,10,released"),
    )
    assert ("10" in [each.line for each in station.scan("WO-1").consumed]) is taken
    assert station.line("WO-1", "10")["decided_by"]["issue_method"] == level


def test_a_line_of_the_order_itself_decides_before_the_bom(tmp_path: Path) -> None:
    """BF-10, and the quantity is for the whole order: 30 legs for 10 chairs."""
    station = chairs(
        tmp_path,
        work_order_lines="""
            work_order,line,component,quantity,issue_method
            WO-1,10,LEG,30,
            WO-1,20,SCREW,5,bulk
            """,
    )
    station.scan("%QTY 5")
    assert quantities(station.scan("WO-1")) == [("10", "L-1", "15")]


def test_a_manual_line_not_issued_is_told_when_the_order_closes(tmp_path: Path) -> None:
    """BF-10: one `consumption` exception at closing, not before."""
    station = chairs(tmp_path, bom_lines=METHODS.format(line="manual"))
    assert station.scan("CHAIR").exceptions == []
    (opened,) = station.scan("WO-1").exceptions
    assert (opened.kind, opened.line, opened.quantity) == ("consumption", "10", "40")
    assert station.stock("LEG", "L-1") == "1000"


def test_over_the_tolerance_is_refused_and_within_it_takes_material_too(tmp_path: Path) -> None:
    """BF-25. Stools may be 20 % more: 12 of 10, with all their legs."""
    station = chairs(tmp_path)
    station.scan("%QTY 13")
    assert said(station.scan("WO-2")) == ("rejected", "over_tolerance")
    station.scan("%QTY 12")
    outcome = station.scan("WO-2")
    assert (said(outcome), outcome.order_status) == (("completed", None), "closed")
    assert quantities(outcome) == [("10", "L-1", "36")]
    station.scan("%QTY 11")
    assert said(station.scan("WO-1")) == ("rejected", "over_tolerance"), "chairs have none"


def test_the_tolerance_of_the_station_holds_where_the_item_has_none(tmp_path: Path) -> None:
    """BF-25."""
    rules = msgspec.structs.replace(TEST_RULES, over_completion_pct_micro=10_000_000)
    station = chairs(tmp_path, rules)
    station.scan("%QTY 11")
    assert said(station.scan("WO-1")) == ("completed", None)


def test_closing_short_needs_a_reason_and_posts_no_goods(tmp_path: Path) -> None:
    """BF-25. Four of ten, then short for want of material."""
    station = chairs(tmp_path)
    station.scan("%QTY 4")
    station.scan("WO-1")
    assert said(station.scan("%SHORT")) == ("rejected", "reason_missing")
    assert said(station.scan("%SHORT DENT")) == ("rejected", "reason_missing"), "of another kind"
    assert said(station.scan("%SHORT MAT")) == ("recorded", None)
    outcome = station.scan("WO-1")
    assert (said(outcome), outcome.quantity) == (("completed", None), "0")
    assert (outcome.order_status, outcome.produced, outcome.consumed) == ("closed", [], [])
    event = station.rows("outbox")[-1]["event"]["data"]
    assert (event["final"], event["material_actuals"]) == (True, [])
    assert station.rows("audit")[-1]["reason"] == "MAT"
    assert station.order("WO-1")["completed"] == "4"


def test_any_reason_will_do_where_none_is_loaded(tmp_path: Path) -> None:
    """BF-25."""
    station = chairs(tmp_path, reasons="code,kind\nDENT,scrap")
    assert said(station.scan("%SHORT because")) == ("recorded", None)


def test_closing_short_what_is_closed_is_already_done(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("WO-1")
    station.scan("%SHORT MAT")
    assert said(station.scan("WO-1")) == ("already_done", "order_closed")


def test_a_short_close_waits_for_an_order_and_nothing_else(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("%SHORT MAT")
    assert said(station.scan("LEG|L-1")) == ("needs", "order")
    assert said(station.scan("nonsense")) == ("unknown", None)
    assert station.scan("WO-1").quantity == "0"


def test_cancel_drops_a_short_close(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("%SHORT MAT")
    assert said(station.scan("%CANCEL")) == ("recorded", None)
    assert station.scan("WO-1").quantity == "10"


def test_scrapped_units_count_unless_they_are_made_again(tmp_path: Path) -> None:
    """BF-26. At go-live 3 of 10 are made and 2 scrapped; with `replace_scrap` 7 remain, else 5."""
    columns = "work_order,item,quantity,status,completed_so_far,scrapped_so_far,replace_scrap"
    station = chairs(
        tmp_path,
        work_orders=orders(
            "WO-1,CHAIR,10,released,3,2,", "WO-2,CHAIR,10,released,3,2,yes", columns=columns
        ),
    )
    assert station.order("WO-1")["status"] == "started"
    outcome = station.scan("WO-1")
    assert (outcome.quantity, quantities(outcome)[0]) == ("5", ("10", "L-1", "20"))
    outcome = station.scan("WO-2")
    assert (outcome.quantity, quantities(outcome)[0]) == ("7", ("10", "L-1", "28"))
    assert station.stock("CHAIR", "WO-1", "FG") == "5", "what was made before go-live is no stock"


def test_a_closed_order_says_so_and_posts_nothing(tmp_path: Path) -> None:
    """BF-34."""
    station = chairs(tmp_path)
    station.scan("WO-1", badge="AK")
    before = station.ledger()
    outcome = station.scan("WO-1")
    assert said(outcome) == ("already_done", "order_closed")
    assert "AK" in outcome.message
    assert said(station.scan("%START WO-1")) == ("rejected", "order_closed")
    assert station.ledger() == before


def test_an_unserialised_unit_scanned_twice_is_two_units(tmp_path: Path) -> None:
    """BF-34."""
    station = chairs(tmp_path)
    station.scan("CHAIR")
    assert station.scan("CHAIR").outcome == "completed"
    assert station.order("WO-1")["completed"] == "2"


def test_the_item_finds_its_order(tmp_path: Path) -> None:
    """The only released one; of several the started one that is due first."""
    station = chairs(
        tmp_path,
        work_orders=orders(
            "WO-1,CHAIR,10,released,2026-11-25", "WO-2,STOOL,10,released,",
            "WO-6,CHAIR,10,released,2026-11-24", "WO-7,CHAIR,10,released,2026-11-23",
            columns="work_order,item,quantity,status,due_at",
        ),
    )  # fmt: skip
    assert station.scan("STOOL").work_order == "WO-2"
    assert said(station.scan("CHAIR")) == ("needs", "order")
    station.scan("%START WO-1")
    assert station.scan("CHAIR").work_order == "WO-1"
    station.scan("%START WO-6")
    assert station.scan("CHAIR").work_order == "WO-6", "due before WO-1; WO-7 is not started"


def test_what_nobody_makes_here_has_no_effect(tmp_path: Path) -> None:
    station = chairs(tmp_path, items="item,tracking\nCHAIR,lot\nSTOOL,none\nLEG,lot\nSCREW,none")
    assert said(station.scan("SCREW")) == ("rejected", "no_effect")
    assert said(station.scan("L:LINE")) == ("rejected", "no_effect")
    assert said(station.scan("LEG")) == ("needs", "lot"), "a tracked component is known by its lot"


def test_start_tells_what_would_post_and_posts_nothing(tmp_path: Path) -> None:
    """The pre-flight: both lines of a chair would post, and after 250 screws are gone one not."""
    station = chairs(
        tmp_path,
        receipts="""
            reference,item,lot,location,quantity,effective_at
            R1,LEG,L-1,LINE,1000,2026-11-01
            R2,SCREW,,LINE,30,2026-11-01
            """,
    )
    before = station.rows("stock")
    outcome = station.scan("%START WO-1")
    assert said(outcome) == ("recorded", None)
    assert (outcome.order_status, outcome.report_id) == ("started", None)
    assert "1 line would post, 1 not: SCREW short 50 pcs" in outcome.message
    assert (station.rows("stock"), station.rows("movements", kind="issue")) == (before, [])


def test_start_alone_waits_for_its_order_and_then_is_done(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    assert said(station.scan("%START")) == ("needs", "order")
    assert said(station.scan("WO-1")) == ("recorded", None)
    assert said(station.scan("WO-1")) == ("completed", None), "the second scan closes"
    station.scan("%START")
    assert said(station.scan("WO-3")) == ("rejected", "not_released")
    assert said(station.scan("WO-2")) == ("completed", None), "a refused order uses it up too"


def test_an_order_code_may_start_instead_of_close(tmp_path: Path) -> None:
    """`report.order_scan = start`: then only `%QTY` reports by the order's code."""
    station = chairs(tmp_path, msgspec.structs.replace(TEST_RULES, order_scan="start"))
    assert said(station.scan("WO-1")) == ("recorded", None)
    assert station.order("WO-1")["completed"] == "0"
    station.scan("%QTY 10")
    assert said(station.scan("WO-1")) == ("completed", None)

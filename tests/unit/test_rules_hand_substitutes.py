"""Substitutes that somebody issues, returns or scraps by hand (BF-10, BF-27, BF-29)."""

from pathlib import Path

import pytest

from mes_terminal.domain.outcome import Outcome
from tests.plants import Station, open_station, plant, quantities, said

SCANNED = "CHAIR,A,10,PEG,1.5,none"


def chairs(
    folder: Path,
    substitutes: str = SCANNED,
    lines: str = "CHAIR,A,10,LEG,4,",
    **tables: str,
) -> Station:
    """A chair takes 4 legs; 1.5 pegs do for a leg, one rod for four. 10 chairs are ordered, and
    WO-1 is the active order."""
    base = plant(
        items="item,tracking\nCHAIR,lot\nLEG,lot\nPEG,lot\nROD,none\nARM,serial",
        boms="item,revision\nCHAIR,A",
        bom_lines="item,revision,line,component,quantity,issue_method\n" + lines,
        bom_substitutes="item,revision,line,substitute,ratio,approval\n" + substitutes,
        receipts="""
            reference,item,lot,serial,location,quantity
            R1,LEG,L-1,,LINE,90
            R2,PEG,P-1,,LINE,30
            R3,PEG,P-2,,STORE,60
            R4,ROD,,,LINE,20
            R5,ARM,,A-1,LINE,1
            """,
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
        locations="location,kind\nSTORE,store\nSCRAP,scrap",
        operators="badge,name,role\nOP,Olga,operator\nSUP,Sven,supervisor",
    )
    station = open_station(folder, base | plant(**tables))
    station.scan("%START WO-1")
    return station


def by_hand(
    station: Station, command: str, code: str, quantity: str | None = None, badge: str = "OP"
) -> Outcome:
    """Scan the command, the quantity if any, and the material."""
    assert said(station.scan(command, badge=badge)) == ("recorded", None)
    if quantity is not None:
        station.scan(f"%QTY {quantity}", badge=badge)
    return station.scan(code, badge=badge)


def issued(station: Station, line: str = "10") -> str:
    return str(station.line("WO-1", line)["issued"])


def test_a_substitute_by_hand_counts_divided_by_its_ratio(tmp_path: Path) -> None:
    """BF-29, BF-10, BF-4: 12 pegs do for 8 legs, so the close draws the other 32."""
    station = chairs(tmp_path)
    outcome = by_hand(station, "%ISSUE", "PEG|P-1", "12")
    assert (said(outcome), outcome.item, outcome.lot) == (("recorded", None), "PEG", "P-1")
    assert (outcome.quantity, quantities(outcome)) == ("12", [("10", "P-1", "12")])
    assert (issued(station), station.stock("PEG", "P-1")) == ("8", "18")
    assert quantities(station.scan("WO-1")) == [("10", "L-1", "32")]
    assert issued(station) == "40"
    assert station.faults() == []


def test_the_genealogy_names_what_was_used(tmp_path: Path) -> None:
    """BF-37, BF-29: the two chairs that 12 pegs do for, in the pegs' own pieces; then legs."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "PEG|P-1", "12")
    for _ in range(3):
        station.scan("CHAIR")
    assert [edge[1:] for edge in station.edges()] == [
        ("P-1", "10", "6", "exact"),
        ("P-1", "10", "6", "exact"),
        ("L-1", "10", "4", "sole"),
    ]
    station.scan("%UNDO")
    station.scan("%UNDO")
    station.scan("CHAIR")
    assert station.edges()[-1][1:] == ("P-1", "10", "6", "exact")
    assert station.faults() == []


def test_the_event_names_the_substitute_and_the_line(tmp_path: Path) -> None:
    """BF-12, BF-29."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "PEG|P-1", "12")
    (row,) = station.rows("outbox", type="material.issued")
    (actual,) = row["event"]["data"]["material_actuals"]
    assert (actual["item"], actual["lot"], actual["quantity"], actual["order_line"]) == (
        "PEG", "P-1", "12", "10",
    )  # fmt: skip


def test_without_a_quantity_it_is_what_the_line_still_needs(tmp_path: Path) -> None:
    """BF-10: 36 legs are 54 pegs; of the box with 30 all, and of the other lot the last 24."""
    station = chairs(tmp_path)
    station.scan("CHAIR")
    assert by_hand(station, "%ISSUE", "PEG|P-1").quantity == "30"
    assert by_hand(station, "%ISSUE", "PEG|P-2").quantity == "24"
    assert issued(station) == "40"
    refused = by_hand(station, "%ISSUE", "PEG|P-2", "1")
    assert said(refused) == ("rejected", "over_tolerance")
    assert "needs no more" in refused.message
    station.scan("WO-1")
    assert issued(station) == "40"
    assert station.faults() == []


def test_pegs_issued_one_by_one_count_as_those_issued_at_once(tmp_path: Path) -> None:
    """BF-4: a peg alone does for no whole leg; three do for two, however they came."""
    station = chairs(tmp_path)
    counted = []
    for _ in range(3):
        by_hand(station, "%ISSUE", "PEG|P-1", "1")
        counted.append(issued(station))
    assert counted == ["0", "1", "2"]
    station.scan("%QTY 1")
    assert quantities(station.scan("CHAIR")) == [("10", "L-1", "2")]
    assert {edge[1:4] for edge in station.edges()} == {("P-1", "10", "3"), ("L-1", "10", "2")}
    assert station.faults() == []


def test_a_return_takes_off_what_the_issue_added(tmp_path: Path) -> None:
    """BF-10: 12 pegs for 8 legs, 6 back: 4 legs; all back: none, and the stock is as before."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "PEG|P-1", "12")
    outcome = by_hand(station, "%RETURN", "PEG|P-1", "6")
    assert (said(outcome), outcome.quantity) == (("recorded", None), "-6")
    assert quantities(outcome) == [("10", "P-1", "-6")]
    assert issued(station) == "4"
    by_hand(station, "%RETURN", "PEG|P-1", "5")
    assert issued(station) == "0", "one peg alone does for none"
    by_hand(station, "%RETURN", "PEG|P-1", "1")
    assert (issued(station), station.stock("PEG", "P-1")) == ("0", "30")
    assert quantities(station.scan("WO-1")) == [("10", "L-1", "40")]
    assert station.faults() == []


def test_a_substitute_that_needs_approval_is_issued_by_a_supervisor(tmp_path: Path) -> None:
    """BF-29, as for mounting."""
    station = chairs(tmp_path, "CHAIR,A,10,PEG,1.5,required")
    before = station.ledger()
    refused = by_hand(station, "%ISSUE", "PEG|P-1", "12")
    assert said(refused) == ("rejected", "substitute_not_allowed")
    assert "LEG" in refused.message
    assert refused.hint
    assert station.ledger() == before
    assert said(by_hand(station, "%ISSUE", "PEG|P-1", "12", "SUP")) == ("recorded", None)
    assert issued(station) == "8"


def test_a_line_of_the_item_itself_goes_before_one_it_stands_in_for(tmp_path: Path) -> None:
    """BF-29: line 20 takes 10 pegs of its own; what is more stands in for legs."""
    station = chairs(tmp_path, lines="CHAIR,A,10,LEG,4,\nCHAIR,A,20,PEG,1,")
    assert quantities(by_hand(station, "%ISSUE", "PEG|P-1")) == [("20", "P-1", "10")]
    assert quantities(by_hand(station, "%ISSUE", "PEG|P-1", "6")) == [("10", "P-1", "6")]
    assert (issued(station, "10"), issued(station, "20")) == ("4", "10")


def test_an_order_that_takes_the_item_itself_goes_before_one_it_stands_in_for(
    tmp_path: Path,
) -> None:
    """BF-10, BF-29: neither is the active one."""
    station = chairs(
        tmp_path,
        items="item,tracking\nCHAIR,lot\nLEG,lot\nPEG,lot\nROD,none\nARM,serial\nRACK,lot",
        boms="item,revision\nCHAIR,A\nRACK,A",
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4\nRACK,A,10,PEG,2",
        work_orders="""
            work_order,item,quantity,status,due_at
            WO-1,CHAIR,10,released,2026-11-21
            WO-2,RACK,4,released,2026-11-25
            WO-3,CHAIR,1,released,2026-11-26
            """,
    )
    for order in ("WO-2", "WO-3"):
        station.scan(f"%START {order}")
    station.scan("WO-3")
    assert by_hand(station, "%ISSUE", "PEG|P-1", "4").work_order == "WO-2"


def test_a_substitute_that_covers_more_than_a_unit_is_in_the_first_that_needs_it(
    tmp_path: Path,
) -> None:
    """BF-37: three legs by two rods; the second is in the chair that needs the third leg."""
    station = chairs(
        tmp_path,
        "CHAIR,A,10,PEG,0.5,none",
        lines="CHAIR,A,10,LEG,1,",
    )
    by_hand(station, "%ISSUE", "PEG|P-1", "2")
    assert issued(station) == "4"
    for _ in range(5):
        station.scan("CHAIR")
    assert [edge[1:4] for edge in station.edges()] == [
        ("P-1", "10", "1"),
        ("P-1", "10", "1"),
        ("L-1", "10", "1"),
    ]
    assert station.faults() == []


def test_a_substitute_without_tracking_is_issued_by_its_item(tmp_path: Path) -> None:
    """BF-10, BF-29: 3 rods do for 12 legs; stock below zero is not for stand-ins."""
    station = chairs(tmp_path, "CHAIR,A,10,ROD,0.25,none")
    assert quantities(by_hand(station, "%ISSUE", "ROD", "3")) == [("10", None, "3")]
    assert (issued(station), station.stock("ROD")) == ("12", "17")
    assert by_hand(station, "%RETURN", "ROD", "1").quantity == "-1"
    assert issued(station) == "8"
    assert station.faults() == []


def test_a_substitute_for_serials_in_slots_is_not_issued_to_the_order(tmp_path: Path) -> None:
    """BF-18: the arm has its slot in each unit."""
    station = chairs(tmp_path, "CHAIR,A,10,PEG,1,none", lines="CHAIR,A,10,ARM,1,")
    before = station.ledger()
    refused = by_hand(station, "%ISSUE", "PEG|P-1", "1")
    assert (said(refused), station.ledger()) == (("rejected", "no_effect"), before)
    assert "ARM" in refused.message


def test_an_extra_part_may_be_a_substitute(tmp_path: Path) -> None:
    """BF-10: it counts for no line, and comes back to where the component is supplied."""
    station = chairs(tmp_path)
    outcome = by_hand(station, "%EXTRA SPILL", "PEG|P-2", "3")
    assert quantities(outcome) == [(None, "P-2", "3")]
    assert by_hand(station, "%RETURN", "PEG|P-2", "1").quantity == "-1"
    assert (issued(station), station.stock("PEG", "P-2")) == ("0", "1")
    station.scan("CHAIR")
    assert station.faults() == []


@pytest.mark.parametrize(
    ("code", "quantity", "reason"),
    [
        ("PEG|P-1", "31", "shortage_blocked"),
        ("PEG|P-2", "61", "over_tolerance"),
        ("PEG|P-1", "1.5", "not_a_step"),
        ("PEG", "1", "lot"),
        ("PEG|P-9", "1", "lot_unknown"),
        ("ROD", "1", "wrong_component"),
    ],
)
def test_wrong_use_books_nothing(tmp_path: Path, code: str, quantity: str, reason: str) -> None:
    """BF-10, BF-29."""
    station = chairs(tmp_path)
    before = station.ledger()
    outcome = by_hand(station, "%ISSUE", code, quantity)
    assert (outcome.reason, station.ledger()) == (reason, before)


def test_scrap_of_a_substitute_uses_the_lines_allowance_by_its_ratio(tmp_path: Path) -> None:
    """BF-27, BF-29: 10 % of 40 legs is planned scrap, 4; 3 pegs are 2 of them, two more follow."""
    station = chairs(
        tmp_path,
        bom_lines="item,revision,line,component,quantity,scrap_pct\nCHAIR,A,10,LEG,4,10",
    )
    outcome = by_hand(station, "%SCRAP SPLIT", "PEG|P-1", "3")
    assert (said(outcome), outcome.work_order) == (("recorded", None), "WO-1")
    assert [(each.line, each.item, each.quantity) for each in outcome.scrapped] == [
        ("10", "PEG", "3")
    ]
    closed = station.scan("WO-1")
    assert [(each.item, each.quantity) for each in closed.scrapped] == [("LEG", "2")]
    assert station.line("WO-1", "10")["issued"] == "44"
    assert station.faults() == []


def test_what_an_amended_order_lists_no_more_comes_back_as_it_went_out(tmp_path: Path) -> None:
    """BF-7, BF-10: the ratio is gone with the substitute; what it had counted for is not."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "PEG|P-1", "12")
    station.scan("CHAIR")
    lines = "work_order,line,component,quantity\nWO-1,20,LEG,40"
    station.load(plant(work_order_lines=lines))
    assert said(by_hand(station, "%ISSUE", "PEG|P-1", "3")) == ("rejected", "wrong_component")
    by_hand(station, "%RETURN", "PEG|P-1", "6")
    assert issued(station) == "4"
    station.scan("WO-1")
    assert (issued(station), issued(station, "20")) == ("4", "36")
    kept = by_hand(station, "%RETURN", "PEG|P-1", "6")
    assert said(kept) == ("rejected", "order_closed"), "they are in the first chair"
    assert station.faults() == []

"""Other items that stand in for a component: scanned, or chosen by the station (BF-29)."""

from pathlib import Path

import msgspec
import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.rules import StationRules
from tests.plants import TEST_RULES, Station, open_station, plant, quantities, said

SUBSTITUTE = "item,revision,line,substitute,ratio,priority,approval,choice\n"
AUTOMATIC = f"{SUBSTITUTE}CHAIR,A,10,PEG,1.5,1,none,automatic"
SCANNED = f"{SUBSTITUTE}CHAIR,A,10,PEG,1.5,1,none,scanned"
RECEIPTS = """
    R1,LEG,L-1,,LINE,30
    R2,PEG,P-1,,LINE,100
    R3,PEG,P-2,BOX-2,LINE,60
    """


def chairs(
    folder: Path,
    substitutes: str,
    receipts: str = RECEIPTS,
    *,
    rules: StationRules = TEST_RULES,
    line: str = "",
    leg: str = "",
    **tables: str,
) -> Station:
    """A chair takes four legs from LINE; 1.5 pegs do for a leg. 10 chairs are ordered. `line` are
    the cells scrap_pct and mount of the BOM line, `leg` is the legs' shortage policy."""
    base = plant(
        items=f"""
            item,tracking,decimals,shortage_policy
            CHAIR,lot,0,
            LEG,lot,0,{leg}
            PEG,lot,0,
            ROD,none,2,
            SCREW,none,0,
            """,
        boms="item,revision\nCHAIR,A",
        bom_lines=f"""
            item,revision,line,component,quantity,scrap_pct,mount
            CHAIR,A,10,LEG,4,{line or ","}
            """,
        bom_substitutes=substitutes,
        receipts="reference,item,lot,container,location,quantity,expires_on\n" + receipts,
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
        locations="location,kind\nSTORE,store\nSCRAP,scrap",
        operators="badge,name,role\nOP,Olga,operator\nSUP,Sven,supervisor",
    )
    return open_station(folder, base | plant(**tables), rules)


def used(outcome: Outcome) -> list[tuple[str, str | None, str, str | None]]:
    """Return (item, lot, quantity, certainty) of what was consumed."""
    return [(each.item, each.lot, each.quantity, each.certainty) for each in outcome.consumed]


def taken(station: Station, line: str = "10") -> tuple[str, str]:
    """Return what the line was issued and what it is owed, in units of the component."""
    row = station.line("WO-1", line)
    return row["issued"], row["owed"]


def issued(station: Station) -> tuple[int, ...]:
    """Return the four totals of the only line, in whole units."""
    row = station.db.conn.execute(
        "SELECT issued_micro, owed_micro, scrapped_micro, owed_scrap_micro FROM order_line"
    ).fetchone()
    assert all(micro % 1_000_000 == 0 for micro in row)
    return tuple(micro // 1_000_000 for micro in row)


def balances(station: Station) -> list[tuple[object, ...]]:
    """Return every balance there ever was that is not empty."""
    return station.db.conn.execute(
        "SELECT item_id, lot, location_id, container_id, quantity_micro FROM balance "
        "WHERE quantity_micro <> 0 ORDER BY 1, 2, 3, 4"
    ).fetchall()


def test_what_stock_lacks_comes_from_the_substitute(tmp_path: Path) -> None:
    """BF-29, BF-4: 30 of 40 legs are there; 15 pegs stand in for the other 10."""
    station = chairs(tmp_path, AUTOMATIC)
    outcome = station.scan("WO-1")
    assert used(outcome) == [("LEG", "L-1", "30", "sole"), ("PEG", "P-1", "15", "assumed")]
    (_, peg) = outcome.consumed
    assert (peg.line, peg.uom, peg.location) == ("10", "pcs", "LINE")
    assert (outcome.exceptions, issued(station)) == ([], (40, 0, 0, 0))
    assert station.stock("PEG", "P-1") == "85"
    assert station.edges() == [
        ("WO-1", "L-1", "10", "30", "sole"),
        ("WO-1", "P-1", "10", "15", "assumed"),
    ]
    assert station.faults() == []


def test_the_event_names_what_was_used_and_the_line_it_was_used_for(tmp_path: Path) -> None:
    """BF-29, BF-12: upstream sees the substitute, its lot and its unit."""
    station = chairs(tmp_path, AUTOMATIC)
    station.scan("WO-1")
    (row,) = station.rows("outbox", type="production.completed")
    told = [
        (each["item"], each["lot"], each["quantity"], each["order_line"])
        for each in row["event"]["data"]["material_actuals"]
        if each["use"] == "Consumed"
    ]
    assert told == [("LEG", "L-1", "30", "10"), ("PEG", "P-1", "15", "10")]


def test_a_substitute_that_is_to_be_scanned_is_not_chosen(tmp_path: Path) -> None:
    """BF-29: 10 legs are owed."""
    station = chairs(tmp_path, SCANNED)
    outcome = station.scan("WO-1")
    assert used(outcome) == [("LEG", "L-1", "30", "sole")]
    assert [(each.kind, each.item, each.quantity) for each in outcome.exceptions] == [
        ("shortage", "LEG", "10")
    ]


def test_one_that_needs_approval_is_never_chosen_by_the_station(tmp_path: Path) -> None:
    """BF-29: `automatic` and `required` exclude each other; a person decides."""
    station = chairs(tmp_path, f"{SUBSTITUTE}CHAIR,A,10,PEG,1.5,1,required,automatic")
    assert quantities(station.scan("WO-1")) == [("10", "L-1", "30")]


def test_priorities_come_first_then_the_item_codes(tmp_path: Path) -> None:
    """BF-29: SCREW has no priority and is last, ROD and PEG go by priority; all on one line."""
    station = chairs(
        tmp_path,
        SUBSTITUTE
        + "CHAIR,A,10,SCREW,1,,none,automatic\nCHAIR,A,10,PEG,2,2,none,automatic\n"
        + "CHAIR,A,10,ROD,0.25,1,none,automatic",
        "R1,LEG,L-1,,LINE,30\nR2,PEG,P-1,,LINE,7\nR3,ROD,,,LINE,1\nR4,SCREW,,,LINE,9",
    )
    outcome = station.scan("WO-1")
    assert used(outcome) == [
        ("LEG", "L-1", "30", "sole"),
        ("ROD", None, "1", None),
        ("PEG", "P-1", "6", "sole"),
        ("SCREW", None, "3", None),
    ]
    assert (outcome.exceptions, issued(station)) == ([], (40, 0, 0, 0))
    assert station.stock("PEG", "P-1") == "1", "a peg alone does for no leg"
    assert [edge[1] for edge in station.edges()] == ["L-1", "P-1"]
    assert station.faults() == []


def test_without_priorities_the_item_code_decides(tmp_path: Path) -> None:
    """BF-29."""
    station = chairs(
        tmp_path,
        SUBSTITUTE + "CHAIR,A,10,SCREW,1,,none,automatic\nCHAIR,A,10,PEG,1,,none,automatic",
        "R1,PEG,P-1,,LINE,99\nR2,SCREW,,,LINE,99",
    )
    assert [each.item for each in station.scan("WO-1").consumed] == ["PEG"]


def test_what_is_missing_after_substitutes_is_owed_in_units_of_the_component(
    tmp_path: Path,
) -> None:
    """BF-20, BF-29: 9 pegs do for 6 legs; 4 legs are owed."""
    station = chairs(tmp_path, AUTOMATIC, "R1,LEG,L-1,,LINE,30\nR2,PEG,P-1,,LINE,9")
    outcome = station.scan("WO-1")
    assert used(outcome) == [("LEG", "L-1", "30", "sole"), ("PEG", "P-1", "9", "sole")]
    assert [(each.kind, each.item, each.quantity) for each in outcome.exceptions] == [
        ("shortage", "LEG", "4")
    ]
    assert issued(station) == (36, 4, 0, 0)
    assert ("WO-1", "unknown", "10", "4", "unknown") in station.edges()


@pytest.mark.parametrize(("pegs", "answer"), [("15", "completed"), ("14", "rejected")])
def test_block_refuses_what_substitutes_cannot_cover(
    tmp_path: Path, pegs: str, answer: str
) -> None:
    """BF-20, BF-29: the policy acts on what is still missing."""
    station = chairs(
        tmp_path, AUTOMATIC, f"R1,LEG,L-1,,LINE,30\nR2,PEG,P-1,,LINE,{pegs}", leg="block"
    )
    before = station.ledger()
    outcome = station.scan("WO-1")
    assert outcome.outcome == answer
    if answer == "rejected":
        assert outcome.reason == "shortage_blocked"
        assert "LEG is 1 pcs short" in outcome.message
        assert station.ledger() == before


def test_below_zero_goes_only_what_substitutes_cannot_cover(tmp_path: Path) -> None:
    """BF-20, BF-29: an untracked component with `negative`; 4 of 10 rods stand in."""
    station = chairs(
        tmp_path,
        SUBSTITUTE + "CHAIR,A,10,ROD,1,,none,automatic",
        "R1,SCREW,,,LINE,30\nR2,ROD,,,LINE,4",
        rules=msgspec.structs.replace(TEST_RULES, shortage_policy="negative"),
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,SCREW,4",
    )
    outcome = station.scan("WO-1")
    assert used(outcome) == [("SCREW", None, "36", None), ("ROD", None, "4", None)]
    assert (station.stock("SCREW"), station.stock("ROD")) == ("-6", "0")
    assert issued(station) == (40, 0, 0, 0)


def test_planned_scrap_may_come_from_the_substitute_too(tmp_path: Path) -> None:
    """BF-4, BF-29: 40 legs and 4 as scrap; 42 are there, 3 pegs stand in for the last 2."""
    station = chairs(tmp_path, AUTOMATIC, "R1,LEG,L-1,,LINE,42\nR2,PEG,P-1,,LINE,50", line="10,")
    outcome = station.scan("WO-1")
    assert used(outcome) == [("LEG", "L-1", "40", "sole")]
    assert [(each.item, each.lot, each.quantity) for each in outcome.scrapped] == [
        ("LEG", "L-1", "2"),
        ("PEG", "P-1", "3"),
    ]
    assert issued(station) == (40, 0, 4, 0)
    assert station.stock("PEG", "P-1", "SCRAP") == "3"
    station.scan("%UNDO")
    assert issued(station) == (0, 0, 0, 0)
    assert (station.stock("PEG", "P-1"), station.stock("LEG", "L-1")) == ("50", "42")
    assert station.faults() == []


def test_a_line_that_needs_the_item_itself_has_it_first(tmp_path: Path) -> None:
    """BF-29: line 20 takes 20 of the 30 pegs although line 10 comes before it."""
    station = chairs(
        tmp_path,
        AUTOMATIC,
        "R1,PEG,P-1,,LINE,30",
        bom_lines="""
            item,revision,line,component,quantity
            CHAIR,A,10,LEG,4
            CHAIR,A,20,PEG,2
            """,
    )
    outcome = station.scan("WO-1")
    assert quantities(outcome) == [("10", "P-1", "9"), ("20", "P-1", "20")]
    assert taken(station, "20") == ("20", "0")
    assert taken(station) == ("6", "34")
    assert station.stock("PEG", "P-1") == "1"
    assert station.faults() == []


def test_its_lots_go_in_the_order_of_every_stock(tmp_path: Path) -> None:
    """BF-15, BF-16, BF-29: P-2 expires first; P-0 has expired."""
    station = chairs(
        tmp_path,
        AUTOMATIC,
        """
        R1,PEG,P-1,,LINE,100,2027-02-01
        R2,PEG,P-2,,LINE,50,2027-01-01
        R3,PEG,P-0,,LINE,50,2026-11-19
        R4,PEG,P-3,,STORE,50,2026-12-01
        """,
    )
    assert used(station.scan("WO-1")) == [
        ("PEG", "P-2", "50", "assumed"),
        ("PEG", "P-1", "10", "assumed"),
    ]


def test_a_scanned_substitute_is_the_source_before_unmounted_stock(tmp_path: Path) -> None:
    """BF-29, BF-17: pegs in the legs' position; 100 pegs do for 66 legs."""
    station = chairs(tmp_path, SCANNED, "R1,LEG,L-1,,LINE,30\nR2,PEG,P-1,,LINE,50")
    outcome = station.scan("PEG|P-1")
    assert said(outcome) == ("recorded", None)
    assert "in place of LEG" in outcome.message
    assert used(station.scan("WO-1")) == [
        ("PEG", "P-1", "50", "pooled"),
        ("LEG", "L-1", "7", "sole"),
    ]
    assert issued(station) == (40, 0, 0, 0)
    assert station.faults() == []


def test_a_part_that_does_for_less_than_a_step_stays(tmp_path: Path) -> None:
    """BF-29: 49 pegs would do for 32.67 legs; 48 are taken, for 32."""
    station = chairs(tmp_path, SCANNED, "R1,LEG,L-1,,LINE,30\nR2,PEG,P-1,,LINE,49")
    station.scan("PEG|P-1")
    assert quantities(station.scan("WO-1")) == [("10", "P-1", "48"), ("10", "L-1", "8")]
    assert station.stock("PEG", "P-1") == "1"
    assert issued(station) == (40, 0, 0, 0)


def test_the_next_leg_scanned_ends_its_stay(tmp_path: Path) -> None:
    """BF-29, BF-17: one position; legs come from legs again."""
    station = chairs(tmp_path, SCANNED)
    station.scan("BOX-2")
    station.scan("%QTY 1")
    assert quantities(station.scan("CHAIR")) == [("10", "P-2", "6")]
    station.scan("%ASIDE 54")
    station.scan("BOX-2")
    station.scan("LEG|L-1")
    assert quantities(station.scan("CHAIR")) == [("10", "L-1", "4")]


@pytest.mark.parametrize(
    ("badge", "answer"),
    [
        (None, ("rejected", "substitute_not_allowed")),
        ("OP", ("rejected", "substitute_not_allowed")),
        ("SUP", ("recorded", None)),
    ],
)
def test_only_a_supervisor_mounts_what_needs_approval(
    tmp_path: Path, badge: str | None, answer: tuple[str, str | None]
) -> None:
    """BF-29: one sentence, nothing posted, nothing mounted."""
    station = chairs(tmp_path, f"{SUBSTITUTE}CHAIR,A,10,PEG,1,,required,scanned")
    before = station.ledger()
    outcome = station.scan("PEG|P-1", badge=badge)
    assert said(outcome) == answer
    if badge != "SUP":
        assert outcome.message == (
            "PEG may stand in for LEG by a supervisor's scan only. "
            "Nothing was booked: this station does not allow that"
        )
        assert station.ledger() == before
        assert used(station.scan("WO-1")) == [("LEG", "L-1", "30", "sole")]
    else:
        assert used(station.scan("WO-1")) == [("PEG", "P-1", "40", "exact")]


def test_what_an_operator_mounted_for_one_line_is_not_approved_for_another(
    tmp_path: Path,
) -> None:
    """BF-29: WO-1 takes pegs freely, WO-2 only with approval; a supervisor scans the lot again."""
    station = chairs(
        tmp_path,
        SUBSTITUTE + "CHAIR,A,10,PEG,1,,none,scanned\nSTOOL,A,10,PEG,1,,required,scanned",
        "R1,LEG,L-1,,LINE,30\nR2,PEG,P-1,,LINE,100",
        items="item,tracking\nCHAIR,lot\nSTOOL,lot\nLEG,lot\nPEG,lot",
        boms="item,revision\nCHAIR,A\nSTOOL,A",
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4\nSTOOL,A,10,LEG,3",
        work_orders="""
            work_order,item,quantity,status
            WO-1,CHAIR,10,released
            WO-2,STOOL,4,released
            """,
    )
    station.scan("%START WO-1")
    station.scan("PEG|P-1", badge="OP")
    assert quantities(station.scan("CHAIR")) == [("10", "P-1", "4")]
    station.scan("%START WO-2")
    assert quantities(station.scan("STOOL")) == [("10", "L-1", "3")]
    assert said(station.scan("PEG|P-1", badge="OP")) == ("rejected", "substitute_not_allowed")
    station.scan("PEG|P-1", badge="SUP")
    assert quantities(station.scan("STOOL")) == [("10", "P-1", "3")]
    assert station.faults() == []


def test_an_item_that_is_no_substitute_stays_the_wrong_component(tmp_path: Path) -> None:
    """BF-17, BF-29."""
    station = chairs(
        tmp_path, SCANNED, "R1,LEG,L-1,,LINE,30\nR2,KNOB,K-1,,LINE,5",
        items="item,tracking\nCHAIR,lot\nLEG,lot\nPEG,lot\nKNOB,lot",
    )  # fmt: skip
    outcome = station.scan("KNOB|K-1")
    assert said(outcome) == ("rejected", "wrong_component")
    assert outcome.hint == "Scan a lot of LEG"


def test_a_line_of_the_item_itself_is_served_before_one_it_may_stand_in_for(
    tmp_path: Path,
) -> None:
    """BF-29: pegs go to the position of line 20, whatever the order of lines."""
    station = chairs(
        tmp_path,
        SCANNED,
        bom_lines="""
            item,revision,line,component,quantity,mount_position
            CHAIR,A,10,LEG,4,A
            CHAIR,A,20,PEG,2,B
            """,
    )
    station.scan("PEG|P-1")
    assert [row[0] for row in station.db.conn.execute("SELECT position FROM mount")] == ["B"]
    assert quantities(station.scan("CHAIR")) == [("10", "L-1", "4"), ("20", "P-1", "2")]


def test_the_current_order_is_served_before_another_that_needs_the_item(tmp_path: Path) -> None:
    """BF-29: pegs are scanned for WO-1, though WO-2 is made of pegs."""
    station = chairs(
        tmp_path,
        SCANNED,
        boms="item,revision\nCHAIR,A\nROD,A",
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4\nROD,A,10,PEG,1",
        work_orders="""
            work_order,item,quantity,status
            WO-1,CHAIR,10,released
            WO-2,ROD,5,released
            """,
    )
    station.scan("%START WO-1")
    assert "in place of LEG" in station.scan("PEG|P-1").message


@pytest.mark.parametrize("choice", ["automatic", "scanned"])
def test_a_line_drawn_from_mounted_containers_only_takes_mounted_substitutes_only(
    tmp_path: Path, choice: str
) -> None:
    """BF-17, BF-29, `mount = required`."""
    station = chairs(tmp_path, f"{SUBSTITUTE}CHAIR,A,10,PEG,1,,none,{choice}", line=",required")
    assert issued_after(station, "CHAIR") == (0, 4, 0, 0)
    station.scan("PEG|P-1")
    assert issued_after(station, "CHAIR") == (4, 4, 0, 0)


def issued_after(station: Station, code: str) -> tuple[int, ...]:
    station.scan(code)
    return issued(station)


def test_a_substitute_that_must_be_mounted_is_not_taken_from_a_shelf(tmp_path: Path) -> None:
    """BF-17, BF-29: `mount = required` of the substitute's item."""
    station = chairs(
        tmp_path,
        AUTOMATIC,
        "R1,PEG,P-1,,LINE,100",
        items="item,tracking,mount\nCHAIR,lot,\nLEG,lot,\nPEG,lot,required",
    )
    assert station.scan("CHAIR").consumed == []


def test_undo_gives_back_exactly_what_each_substitute_covered(tmp_path: Path) -> None:
    """BF-31, BF-29: 1/3 of a rod for a leg; the rounding of neither report is lost."""
    station = chairs(
        tmp_path,
        SUBSTITUTE + "CHAIR,A,10,ROD,0.3,,none,automatic",
        "R1,LEG,L-1,,LINE,6\nR2,ROD,,,LINE,3.5",
    )
    before, stock = issued(station), balances(station)
    seen = []
    for _ in range(3):
        seen.append((issued(station), balances(station)))
        station.scan("CHAIR")
    assert issued(station) == (12, 0, 0, 0)
    for totals, held in reversed(seen):
        station.scan("%UNDO")
        assert (issued(station), balances(station)) == (totals, held)
    assert (issued(station), balances(station)) == (before, stock)
    assert station.db.conn.execute(
        "SELECT sum(quantity_micro) FROM edge GROUP BY child_id, parent_id"
    ).fetchall() == [(0,)]
    assert station.faults() == []


def test_the_substitutes_of_serial_units_are_dealt_out_to_them(tmp_path: Path) -> None:
    """BF-37, BF-29: three units, 12 legs; 5 of L-1, 7 are 10.5, so 11 pegs."""
    station = chairs(
        tmp_path,
        AUTOMATIC,
        "R1,LEG,L-1,,LINE,5\nR2,PEG,P-1,,LINE,50",
        items="item,tracking\nCHAIR,serial\nLEG,lot\nPEG,lot",
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,3,released",
        work_order_serials="work_order,serial\nWO-1,S1\nWO-1,S2\nWO-1,S3",
    )
    station.scan("WO-1")
    assert [edge[:2] for edge in station.edges()] == [
        ("S1", "L-1"), ("S2", "L-1"), ("S2", "P-1"), ("S3", "P-1"),
    ]  # fmt: skip
    assert sum(float(edge[3]) for edge in station.edges() if edge[1] == "P-1") == 11
    assert station.faults() == []


def test_a_later_receipt_of_a_substitute_mends_no_shortage(tmp_path: Path) -> None:
    """BF-22, BF-29: it stays owed until there are legs, or a person decides."""
    station = chairs(tmp_path, AUTOMATIC, "R1,LEG,L-1,,LINE,30")
    station.scan("WO-1")
    station.load(plant(receipts="reference,item,lot,location,quantity\nR9,PEG,P-9,LINE,99"))
    assert issued(station) == (30, 10, 0, 0)
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "10")]

"""Which stock a line draws on, and what happens when there is too little (BF-14 … BF-21)."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from mes_terminal.domain.rules import StationRules
from tests.plants import TEST_RULES, Station, open_station, plant, quantities, said

LEGS = "item,tracking,{0}\nCHAIR,lot,\nLEG,lot,{1}"
HEADER = "reference,item,lot,container,location,quantity,effective_at,expires_on"


def chairs(
    folder: Path,
    *receipts: str,
    rules: StationRules = TEST_RULES,
    item: tuple[str, str] = ("description", ""),
    quantity: str = "10",
    **tables: str,
) -> Station:
    """A chair takes four legs from `LINE`; the receipts are of legs: lot, container, location,
    quantity, arrival, expiry."""
    rows = [f"R{number},LEG,{row}" for number, row in enumerate(receipts, 1)]
    base = plant(
        items=LEGS.format(*item),
        boms="item,revision\nCHAIR,A",
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
        receipts="\n".join([HEADER, *rows]),
        work_orders=f"work_order,item,quantity,status\nWO-1,CHAIR,{quantity},released",
        locations="location,kind\nSTORE,store\nQUARANTINE,hold\nSCRAP,scrap\nRACK,line_side",
    )
    return open_station(folder, base | plant(**tables), rules)


def drawn(station: Station, code: str = "WO-1") -> list[tuple[str | None, str]]:
    return [(lot, quantity) for _, lot, quantity in quantities(station.scan(code))]


def test_the_first_to_expire_is_taken_first_and_none_last(tmp_path: Path) -> None:
    """BF-15, FEFO."""
    station = chairs(
        tmp_path,
        "A,,LINE,10,2026-11-01,",
        "B,,LINE,10,2026-11-09,2027-03-01",
        "C,,LINE,10,2026-11-09,2027-02-01",
        quantity="6",
    )
    assert drawn(station) == [("C", "10"), ("B", "10"), ("A", "4")]


def test_then_the_first_received_and_then_the_lots_number(tmp_path: Path) -> None:
    """BF-15, FIFO; text goes by code point, so L-10 is before L-9."""
    station = chairs(
        tmp_path,
        "L-9,,LINE,4,2026-11-02,",
        "L-10,,LINE,4,2026-11-02,",
        "L-99,,LINE,4,2026-11-01,",
        quantity="3",
    )
    assert drawn(station) == [("L-99", "4"), ("L-10", "4"), ("L-9", "4")]


def test_a_later_receipt_does_not_make_a_lot_younger(tmp_path: Path) -> None:
    """BF-16: `received_at` of the lot orders, and stays with its first receipt."""
    station = chairs(
        tmp_path,
        "OLD,,LINE,4,2026-11-01,",
        "NEW,,LINE,4,2026-11-02,",
        "OLD,,LINE,4,2026-11-03,",
        quantity="3",
    )
    assert drawn(station) == [("OLD", "8"), ("NEW", "4")]


@pytest.mark.parametrize(
    ("receipt", "cause"),
    [
        ("X,,LINE,100,2026-11-01,2026-11-19", "lot_expired"),
        ("X,,LINE,100,2026-11-20T08:00:01.000001Z,", "not_arrived"),
        ("X,,STORE,100,2026-11-01,", "no_stock"),
        ("X,,QUARANTINE,100,2026-11-01,", "no_stock"),
        ("X,,SCRAP,100,2026-11-01,", "no_stock"),
    ],
)
def test_what_may_not_be_picked_is_as_if_absent(tmp_path: Path, receipt: str, cause: str) -> None:
    """BF-16. Expired, not yet arrived, or elsewhere; the exception's cause names it."""
    station = chairs(tmp_path, receipt)
    (opened,) = station.scan("WO-1").exceptions
    assert (opened.kind, opened.quantity) == ("shortage", "40")
    assert station.rows("exceptions")[0]["cause"] == cause


@pytest.mark.parametrize("status", ["hold", "rejected"])
def test_a_lot_on_hold_or_rejected_is_not_picked(tmp_path: Path, status: str) -> None:
    """BF-16, until it is lifted."""
    station = chairs(tmp_path, "X,,LINE,100,2026-11-01,")
    station.load(plant(lots=f"item,lot,status\nLEG,X,{status}"))
    assert [each.kind for each in station.scan("CHAIR").exceptions] == ["shortage"]
    assert station.rows("exceptions")[0]["cause"] == "lot_on_hold"
    station.load(plant(lots="item,lot,status\nLEG,X,available"))
    assert drawn(station, "CHAIR") == [("X", "4")]


def test_a_held_location_feeds_no_line(tmp_path: Path) -> None:
    """BF-16."""
    station = chairs(
        tmp_path,
        "X,,QUARANTINE,100,2026-11-01,",
        bom_lines="""
            item,revision,line,component,quantity,supply_location
            CHAIR,A,10,LEG,4,QUARANTINE
            """,
    )
    assert drawn(station) == []
    assert station.rows("exceptions")[0]["cause"] == "location_on_hold"


def test_a_lot_is_good_to_the_end_of_its_day_where_the_station_stands(tmp_path: Path) -> None:
    """BF-16. In Auckland the 20th ends at 11:00 UTC."""
    from zoneinfo import ZoneInfo

    rules = msgspec.structs.replace(TEST_RULES, zone=ZoneInfo("Pacific/Auckland"))
    station = chairs(tmp_path, "X,,LINE,100,2026-11-01T00:00:00Z,2026-11-20", rules=rules)
    assert station.scan("CHAIR", at="2026-11-20T10:59:59.999999Z").exceptions == []
    assert station.scan("CHAIR", at="2026-11-20T11:00:00.000000Z").exceptions != []


def test_stock_that_arrives_at_the_very_moment_has_arrived(tmp_path: Path) -> None:
    """BF-16, per balance: the second box of the lot comes an hour later."""
    station = chairs(
        tmp_path,
        "X,BOX-1,LINE,4,2026-11-20T07:00:00Z,",
        "X,BOX-2,LINE,4,2026-11-20T09:00:00Z,",
    )
    assert station.scan("CHAIR", at="2026-11-20T06:59:59.000000Z").exceptions != []
    assert station.scan("CHAIR", at="2026-11-20T07:00:00.000000Z").exceptions == []
    assert station.scan("CHAIR", at="2026-11-20T08:59:59.000000Z").exceptions != []
    assert station.scan("CHAIR", at="2026-11-20T09:00:00.000000Z").exceptions == []


def test_the_location_of_the_line_wins_and_the_row_says_which_rule_chose(tmp_path: Path) -> None:
    """BF-14."""
    station = chairs(
        tmp_path,
        "X,,RACK,100,2026-11-01,",
        "X,,LINE,100,2026-11-01,",
        bom_lines="""
            item,revision,line,component,quantity,supply_location
            CHAIR,A,10,LEG,4,RACK
            CHAIR,A,20,LEG,1,
            """,
    )
    station.scan("CHAIR")
    found = [
        (row["from"], row["source_rule"], row["quantity"])
        for row in station.rows("movements", kind="issue")
    ]
    assert found == [("RACK", "line", "4"), ("LINE", "station", "1")]


def test_the_location_of_the_work_centre_wins_over_the_stations(tmp_path: Path) -> None:
    """BF-14."""
    station = chairs(
        tmp_path,
        "X,,RACK,100,2026-11-01,",
        work_centres="work_centre,supply_location\nSAW,RACK",
        work_orders="work_order,item,quantity,status,work_centre\nWO-1,CHAIR,1,released,SAW",
    )
    station.scan("WO-1")
    assert [r["source_rule"] for r in station.rows("movements", kind="issue")] == ["work_centre"]


def test_a_mounted_box_is_taken_before_what_expires_first(tmp_path: Path) -> None:
    """BF-15, BF-17."""
    station = chairs(
        tmp_path,
        "A,,LINE,100,2026-11-01,2026-12-01",
        "B,BOX-1,LINE,6,2026-11-09,",
        "B,BOX-2,LINE,6,2026-11-09,",
    )
    outcome = station.scan("BOX-2")
    assert (said(outcome), outcome.quantity, outcome.lot) == (("recorded", None), "6", "B")
    assert drawn(station, "CHAIR") == [("B", "4")]
    assert drawn(station, "CHAIR") == [("B", "2"), ("A", "2")], "the books of the box are empty"


def test_mounting_brings_the_box_to_the_line(tmp_path: Path) -> None:
    """BF-17: the books have it in the store; its arrival comes along (BF-16)."""
    station = chairs(tmp_path, "B,BOX-1,STORE,50,2026-11-09,", "B,BOX-2,STORE,50,2026-11-09,")
    assert station.scan("BOX-1").quantity == "50"
    assert (station.stock("LEG", "B", "STORE"), station.stock("LEG", "B")) == ("50", "50")
    assert [row["kind"] for row in station.rows("movements")][-1] == "move"
    assert station.scan("CHAIR", at="2026-11-09T00:00:00.000000Z").exceptions == []
    assert station.faults() == []


def test_mounting_a_bare_lot_brings_all_of_it_that_may_be_picked(tmp_path: Path) -> None:
    """BF-17: from the store and the rack, not from quarantine or scrap."""
    station = chairs(
        tmp_path,
        "B,BOX-1,STORE,50,2026-11-09,",
        "B,,RACK,7,2026-11-09,",
        "B,,QUARANTINE,3,2026-11-09,",
        "B,,SCRAP,2,2026-11-09,",
    )
    assert station.scan("LEG|B").quantity == "57"
    assert station.stock("LEG", "B", "QUARANTINE") == "3"
    assert station.stock("LEG", "B", "SCRAP") == "2"


def test_the_next_box_takes_the_position_of_the_first(tmp_path: Path) -> None:
    """BF-17."""
    station = chairs(tmp_path, "A,,LINE,50,2026-11-01,", "B,,LINE,50,2026-11-02,")
    station.scan("LEG|B")
    station.scan("LEG|A")
    assert drawn(station, "CHAIR") == [("A", "4")]


@pytest.mark.parametrize("verb", ["%EMPTY", "%UNMOUNT"])
@pytest.mark.parametrize("what", ["BOX-1", "LEG|B", "LEG", "B"])
def test_a_box_is_taken_out_by_its_number_its_lot_or_its_position(
    tmp_path: Path, verb: str, what: str
) -> None:
    """BF-17: unmounted; the books of the rest stay as they are."""
    station = chairs(
        tmp_path,
        "A,,LINE,50,2026-11-01,",
        "B,BOX-1,LINE,50,2026-11-02,",
    )
    station.scan("BOX-1")
    station.scan(verb)
    assert said(station.scan("A")) == ("needs", "component"), "what is not mounted is asked again"
    assert said(station.scan("nonsense")) == ("unknown", None)
    assert said(station.scan(what)) == ("recorded", None)
    assert drawn(station, "CHAIR") == [("A", "4")]
    assert station.stock("LEG", "B") == "50"
    assert station.scan("A").outcome == "recorded", "the command does not wait any longer"


def test_a_line_that_must_be_mounted_draws_from_nothing_else(tmp_path: Path) -> None:
    """BF-17, `mount = required`: what the box lacks is owed."""
    station = chairs(
        tmp_path,
        "A,,LINE,50,2026-11-01,",
        "B,BOX-1,LINE,6,2026-11-02,",
        item=("mount", "required"),
    )
    assert station.scan("CHAIR").exceptions[0].quantity == "4"
    assert station.rows("exceptions")[0]["cause"] == "not_mounted"
    station.scan("BOX-1")
    assert drawn(station, "CHAIR") == [("B", "4")]
    assert drawn(station, "CHAIR") == [("B", "2")]
    assert station.line("WO-1", "10")["owed"] == "6"
    assert station.rows("exceptions")[0]["cause"] == "mounted_empty"


def test_a_mounted_lot_without_stock_is_mounted_and_empty(tmp_path: Path) -> None:
    """BF-17, BF-20: somebody who looks for what is not mounted would look in vain."""
    station = chairs(
        tmp_path, lots="item,lot,status\nLEG,L-5,available", item=("mount", "required")
    )
    station.scan("LEG|L-5")
    assert station.scan("CHAIR").exceptions[0].kind == "shortage"
    assert station.rows("exceptions")[0]["cause"] == "mounted_empty"


def test_what_expired_where_it_is_mounted_is_the_cause(tmp_path: Path) -> None:
    """BF-16, BF-17: it is mounted, and it is not empty."""
    station = chairs(tmp_path, "A,,LINE,50,2026-11-01,2026-11-20", item=("mount", "required"))
    station.scan("LEG|A")
    station.scan("CHAIR", at="2026-11-22T06:00:00.000000Z")
    assert station.rows("exceptions")[0]["cause"] == "lot_expired"


def test_the_bom_line_decides_about_mounting_before_the_item(tmp_path: Path) -> None:
    """BF-17."""
    station = chairs(
        tmp_path,
        "A,,LINE,50,2026-11-01,",
        item=("mount", "required"),
        bom_lines="item,revision,line,component,quantity,mount\nCHAIR,A,10,LEG,4,optional",
    )
    assert drawn(station, "CHAIR") == [("A", "4")]


def test_what_no_open_order_needs_is_the_wrong_component(tmp_path: Path) -> None:
    """BF-17, with what is needed instead."""
    station = chairs(
        tmp_path,
        "A,,LINE,50,2026-11-01,",
        items="item,tracking\nCHAIR,lot\nLEG,lot\nTOP,lot",
        receipts=f"{HEADER}\nR1,TOP,T-1,BOX-T,LINE,5,2026-11-01,",
    )
    before = station.ledger()
    outcome = station.scan("BOX-T")
    assert said(outcome) == ("rejected", "wrong_component")
    assert "LEG" in (outcome.hint or "")
    assert station.ledger() == before


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("LEG|OLD", "lot_expired"), ("LEG|HELD", "lot_on_hold"), ("LEG|BAD", "lot_on_hold"),
        ("LEG|NONE", "lot_unknown"), ("DESK|A", "lot_unknown"), ("LEG|GOOD|1.5", "not_a_step"),
        ("LEG|GOOD|1.2.3", "malformed"),
    ],
)  # fmt: skip
def test_what_may_not_be_used_is_not_mounted(tmp_path: Path, code: str, reason: str) -> None:
    """BF-17."""
    station = chairs(
        tmp_path,
        "OLD,,STORE,5,2026-11-01,2026-11-19",
        "GOOD,,STORE,5,2026-11-01,",
        lots="item,lot,status\nLEG,HELD,hold\nLEG,BAD,rejected",
    )
    before = station.ledger()
    outcome = station.scan(code)
    assert said(outcome) == ("rejected", reason)
    assert ("is on hold" in outcome.message) is (code == "LEG|HELD")
    assert ("is rejected" in outcome.message) is (code == "LEG|BAD")
    assert station.ledger() == before


def test_a_known_lot_without_stock_may_be_mounted(tmp_path: Path) -> None:
    """BF-17."""
    station = chairs(tmp_path, lots="item,lot,status\nLEG,L-5,available")
    outcome = station.scan("LEG|L-5|40")
    assert (said(outcome), outcome.quantity) == (("recorded", None), "0")
    assert "40 on the label" in outcome.message


@pytest.mark.parametrize(
    ("item", "station_says", "outcome", "stock"),
    [
        ("", "exception", ("completed", None), "0"),
        ("block", "exception", ("rejected", "shortage_blocked"), "38"),
        ("", "block", ("rejected", "shortage_blocked"), "38"),
        ("exception", "block", ("completed", None), "0"),
        ("", "negative", ("completed", None), "0"),
    ],
)
def test_the_shortage_policy_of_the_item_wins_over_the_stations(
    tmp_path: Path, item: str, station_says: Any, outcome: tuple[str, str | None], stock: str
) -> None:
    """BF-19, BF-20: of 40 legs there are 38. A tracked lot never goes below zero."""
    rules = msgspec.structs.replace(TEST_RULES, shortage_policy=station_says)
    station = chairs(
        tmp_path, "A,,LINE,38,2026-11-01,", rules=rules, item=("shortage_policy", item)
    )
    assert said(station.scan("WO-1")) == outcome
    assert station.stock("LEG", "A") == stock
    owed = {"completed": [("shortage", "open", "10", "LEG", "2")]}.get(outcome[0], [])
    assert station.exceptions() == owed, "a refused scan opens no exception"


def test_untracked_stock_may_go_below_zero_and_comes_back(tmp_path: Path) -> None:
    """BF-20, `negative`: the draw empties the balance and goes on in one report; a receipt and
    another report meet it again."""
    station = open_station(
        tmp_path,
        plant(
            items="item,shortage_policy\nBOX,\nNAIL,negative",
            boms="item,revision\nBOX,A",
            bom_lines="""
                item,revision,line,component,quantity,scrap_pct
                BOX,A,10,NAIL,10,10
                BOX,A,20,NAIL,1,
                """,
            receipts="reference,item,location,quantity,effective_at\nR1,NAIL,LINE,7,2026-11-01",
            work_orders="work_order,item,quantity,status\nWO-1,BOX,10,released",
        ),
    )
    outcome = station.scan("BOX")
    assert (outcome.exceptions, quantities(outcome)) == (
        [],
        [("10", None, "10"), ("20", None, "1")],
    )
    assert (station.stock("NAIL"), station.stock("NAIL", location="SCRAP")) == ("-5", "1")
    station.load(plant(receipts="reference,item,location,quantity\nR2,NAIL,LINE,15"))
    station.scan("BOX")
    assert station.stock("NAIL") == "-2"
    assert station.faults() == []


@pytest.mark.parametrize("by_hand", [False, True])
def test_a_draw_below_zero_is_no_arrival(tmp_path: Path, by_hand: bool) -> None:
    """BF-16, BF-20: what comes next week is not there, although the books were below zero."""
    station = open_station(
        tmp_path,
        plant(
            items="item,shortage_policy\nBOX,\nNAIL,negative\nTACK,",
            boms="item,revision\nBOX,A",
            bom_lines="item,revision,line,component,quantity\nBOX,A,10,NAIL,10",
            work_orders="work_order,item,quantity,status\nWO-1,BOX,10,released",
        ),
    )
    if by_hand:
        for code in ("%START WO-1", "%EXTRA why", "%QTY 10", "NAIL"):
            station.scan(code)
    else:
        station.scan("BOX")
    station.load(
        plant(
            receipts="""
                reference,item,container,location,quantity,effective_at
                R1,NAIL,,LINE,30,2026-11-27
                R2,NAIL,SACK,LINE,10,2026-11-01
                """
        )
    )
    station.scan("BOX")
    moved = station.rows("movements")[-2]
    assert (moved["item"], moved["quantity"], station.stock("NAIL")) == ("NAIL", "10", "20")
    left = station.db.conn.execute(
        "SELECT container_id, quantity_micro FROM balance WHERE lot = ''"
    )
    assert (0, 20_000_000) in left.fetchall(), "the sack was there"
    assert station.faults() == []


def test_what_is_owed_counts_as_issued_and_one_exception_grows(tmp_path: Path) -> None:
    """BF-4, BF-20."""
    station = chairs(tmp_path, "A,,LINE,6,2026-11-01,", quantity="4")
    first = [station.scan("CHAIR").exceptions for _ in range(3)]
    assert [[each.quantity for each in one] for one in first] == [[], ["2"], ["4"]]
    assert first[1][0].id == first[2][0].id
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "6")]
    line = station.line("WO-1", "10")
    assert (line["issued"], line["owed"]) == ("6", "6")
    station.load(plant(receipts=f"{HEADER}\nR9,LEG,B,,LINE,50,2026-11-02,"))
    assert drawn(station, "CHAIR") == [("B", "4")], "what was owed is not drawn by the next report"


def test_one_report_has_one_exception_a_line(tmp_path: Path) -> None:
    """BF-20: two lines of the same item, each with its own."""
    station = chairs(
        tmp_path,
        "A,,LINE,5,2026-11-01,",
        bom_lines="""
            item,revision,line,component,quantity
            CHAIR,A,10,LEG,4
            CHAIR,A,20,LEG,4
            """,
    )
    assert [(e.line, e.quantity) for e in station.scan("CHAIR").exceptions] == [("20", "3")]
    assert [(e.line, e.quantity) for e in station.scan("CHAIR").exceptions] == [
        ("10", "4"), ("20", "4"),
    ]  # fmt: skip


def test_a_missing_lot_is_an_edge_marked_unknown(tmp_path: Path) -> None:
    """BF-21: 4 of 10 legs have a lot."""
    station = chairs(tmp_path, "A,,LINE,38,2026-11-01,")
    station.scan("WO-1")
    assert station.edges() == [
        ("WO-1", "unknown", "10", "2", "unknown"), ("WO-1", "A", "10", "38", "sole"),
    ]  # fmt: skip


def test_shortages_do_not_reach_into_the_store(tmp_path: Path) -> None:
    """BF-14."""
    station = chairs(tmp_path, "A,,LINE,4,2026-11-01,", "A,,STORE,400,2026-11-01,")
    assert drawn(station) == [("A", "4")]
    assert station.stock("LEG", "A", "STORE") == "400"


def test_a_second_box_goes_into_the_vacant_position(tmp_path: Path) -> None:
    """BF-17: two lines take legs at two positions; each box keeps the one it is in."""
    station = chairs(
        tmp_path,
        "A,BOX-1,LINE,40,2026-11-01,",
        "B,BOX-2,LINE,40,2026-11-02,",
        "C,BOX-3,LINE,40,2026-11-03,",
        bom_lines=(
            "item,revision,line,component,quantity,mount_position\n"
            "CHAIR,A,10,LEG,2,LEFT\nCHAIR,A,20,LEG,2,RIGHT"
        ),
    )

    def positions() -> dict[str, str]:
        rows = station.db.conn.execute(
            "SELECT m.position, c.container FROM mount m JOIN container c USING (container_id)"
        )
        return dict(rows)

    station.scan("BOX-1")
    station.scan("BOX-1")
    station.scan("BOX-2")
    assert positions() == {"LEFT": "BOX-1", "RIGHT": "BOX-2"}
    station.scan("BOX-3")
    assert positions() == {"LEFT": "BOX-3", "RIGHT": "BOX-2"}

"""Shortages heal when what blocks them changes; no unit gets a lot that was not there (BF-22)."""

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from mes_terminal.usecases.heal import PARTS_MAX, heal
from tests.plants import MORNING, Row, Station, open_station, plant, said

CHAIR = plant(
    items="""
        item,tracking,kind
        CHAIR,lot,
        LEG,lot,
        BOLT,none,
        """,
    boms="item,revision\nCHAIR,A",
    bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4\nCHAIR,A,20,BOLT,8",
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,10,released
        WO-2,CHAIR,10,released
        """,
    locations="location,kind\nSTORE,store\nSCRAP,scrap",
    operators="badge,name,role\nQA,Kim,quality\nAK,Anna,operator\nSUP,Sue,supervisor",
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,LEG,L-1,LINE,40,2026-11-01
        R2,BOLT,,LINE,60,2026-11-01
        """,
)
BEFORE, AFTER = "2026-11-19", "2026-11-20T12:00:00Z"
"""Before any report here, and after all of them: scans begin at 8 o'clock on the 20th."""


def chairs(folder: Path, **changed: str) -> Station:
    """A chair takes 4 legs, of lots, and 8 bolts, of none; 20 bolts are missing for ten chairs."""
    return open_station(folder, CHAIR | plant(**changed))


def receive(
    station: Station, reference: str, item: str, lot: str, quantity: int, at: str,
    *, location: str = "LINE",
) -> None:  # fmt: skip
    row = f"{reference},{item},{lot},{location},{quantity},{at}"
    station.load(
        plant(receipts=f"reference,item,lot,location,quantity,effective_at\n{row}"), at=station.now
    )


def do(station: Station, command: str, code: str, badge: str | None = None) -> None:
    assert said(station.scan(command, badge=badge)) == ("recorded", None)
    assert said(station.scan(code, badge=badge)) == ("recorded", None)


def resolutions(station: Station) -> list[tuple[str, str | None]]:
    return [(row["status"], row["resolution"]) for row in station.rows("exceptions")]


def healed_events(station: Station) -> list[Row]:
    rows = station.rows("outbox", type="exception.resolved")
    return [row["event"]["data"] for row in rows]


def state(station: Station) -> dict[str, Any]:
    """Return what an undo restores."""
    lines = [
        (row["line"], row["issued"], row["owed"])
        for order in ("WO-1", "WO-2")
        for row in (station.line(order, "10"), station.line(order, "20"))
    ]
    return {"stock": station.rows("stock"), "orders": station.rows("orders"), "lines": lines}


def test_a_receipt_posts_what_an_untracked_line_owed(tmp_path: Path) -> None:
    """BF-22, BF-20: any stock will do, and what fixed it is told everywhere."""
    station = chairs(tmp_path)
    report = station.scan("WO-1")
    receive(station, "R3", "BOLT", "", 30, AFTER)
    station.heal()
    assert station.exceptions() == [("shortage", "resolved", "20", "BOLT", "0")]
    assert resolutions(station) == [("resolved", "posted after receipt R3: 20 pcs")]
    assert station.stock("BOLT") == "10"
    line = station.line("WO-1", "20")
    assert (line["issued"], line["owed"]) == ("80", "0")
    issue = station.rows("movements")[-1]
    assert (issue["kind"], issue["quantity"], issue["to"]) == ("issue", "20", "@production")
    assert issue["event_time"] == "2026-11-20T12:00:00.000000Z", "the time of the change"
    assert (issue["report_id"], issue["scan_id"]) == (report.report_id, None)
    assert issue["source_rule"] == "station"
    (data,) = healed_events(station)
    assert (data["report_id"], data["work_order"]) == (report.report_id, "WO-1")
    assert (data["fixed_by"]["type"], data["fixed_by"]["subject"]) == ("material.received", "R3")
    assert data["exceptions"] == [
        {"id": 1, "kind": "shortage", "line": "20", "item": "BOLT", "quantity": "-20"}
    ]
    assert station.faults() == []


def test_what_is_too_little_heals_in_part_and_the_oldest_report_first(tmp_path: Path) -> None:
    """BF-22: 80 bolts are owed by WO-2, 20 by WO-1 before it."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    station.scan("WO-2")
    receive(station, "R3", "BOLT", "", 25, AFTER)
    station.heal()
    assert station.exceptions(item="BOLT") == [
        ("shortage", "resolved", "20", "BOLT", "0"),
        ("shortage", "open", "20", "BOLT", "75"),
    ]
    receive(station, "R4", "BOLT", "", 100, AFTER)
    station.heal()
    assert station.exceptions(item="BOLT")[1] == ("shortage", "resolved", "20", "BOLT", "0")
    assert [data["fixed_by"]["subject"] for data in healed_events(station)] == ["R3", "R3", "R4"]
    assert station.stock("BOLT") == "25"
    assert station.faults() == []


def test_reports_of_one_line_heal_one_by_one(tmp_path: Path) -> None:
    """BF-20, BF-22: one exception that grew; each report gets what it lacked."""
    station = chairs(tmp_path)
    station.scan("%QTY 8")
    station.scan("WO-1")
    reports = [station.scan("CHAIR").report_id for _ in range(2)]
    assert station.exceptions() == [("shortage", "open", "20", "BOLT", "20")]
    receive(station, "R3", "BOLT", "", 18, AFTER)
    station.heal()
    assert station.exceptions() == [("shortage", "open", "20", "BOLT", "2")]
    assert [(d["report_id"], d["exceptions"][0]["quantity"]) for d in healed_events(station)][
        -2:
    ] == [(reports[0], "-8"), (reports[1], "-6")]
    assert station.faults() == []


def test_a_lot_that_was_there_names_itself_in_genealogy(tmp_path: Path) -> None:
    """BF-22, BF-37: the unknown edge is taken back, the lot's own stands in its place."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R1,LEG,L-1,LINE,30,2026-11-01\nR2,BOLT,,LINE,100,2026-11-01")  # fmt: skip
    station.scan("WO-1")
    assert station.edges()[0] == ("WO-1", "unknown", "10", "10", "unknown")
    receive(station, "R3", "LEG", "L-2", 25, BEFORE)
    station.heal()
    assert sorted(station.edges()[2:]) == [
        ("WO-1", "L-2", "10", "10", "assumed"),
        ("WO-1", "unknown", "10", "-10", "unknown"),
    ]
    assert resolutions(station) == [("resolved", "posted after receipt R3: 10 pcs from L-2")]
    assert station.stock("LEG", "L-2") == "15"
    assert station.faults() == []


def test_the_only_lot_that_ever_lay_there_is_sole(tmp_path: Path) -> None:
    """BF-37: then there is nothing to assume."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R2,BOLT,,LINE,100,2026-11-01")  # fmt: skip
    station.scan("WO-1")
    receive(station, "R3", "LEG", "L-2", 50, BEFORE)
    station.heal()
    assert ("WO-1", "L-2", "10", "40", "sole") in station.edges()


def test_a_lot_that_came_after_is_only_proposed(tmp_path: Path) -> None:
    """BF-22: it cannot be in the chairs; a person names a lot later."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    station.scan("WO-2")
    before = station.ledger()
    receive(station, "R3", "LEG", "L-2", 50, AFTER)
    receive(station, "R4", "LEG", "L-0", 50, "2026-11-01", location="STORE")
    station.heal()
    (short,) = station.rows("exceptions", item="LEG")
    assert (short["status"], short["quantity"], short["resolution"]) == ("open", "40", None)
    assert short["suggestions"] == ["50 pcs of L-2 at LINE", "50 pcs of L-0 at STORE"]
    assert station.ledger()["edge"] == before["edge"]
    assert station.db.conn.execute("SELECT * FROM heal_queue").fetchall() == []


def test_a_lot_that_was_mounted_was_there_whatever_the_books_say(tmp_path: Path) -> None:
    """BF-22, BF-17: its receipt is booked late, after the report."""
    station = chairs(tmp_path, lots="item,lot\nLEG,L-9",
                     receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R2,BOLT,,LINE,100,2026-11-01")  # fmt: skip
    assert said(station.scan("LEG|L-9")) == ("recorded", None)
    station.scan("WO-1")
    receive(station, "R3", "LEG", "L-8", 50, AFTER)
    receive(station, "R4", "LEG", "L-9", 45, AFTER)
    station.heal()
    assert station.stock("LEG", "L-9") == "5"
    assert station.stock("LEG", "L-8") == "50"
    assert ("WO-1", "L-9", "10", "40", "assumed") in station.edges()
    assert station.faults() == []


def two_sides(folder: Path, mount: str) -> Station:
    """Ten chairs were made of lots that the books did not have: L-9 left, L-8 right."""
    station = chairs(
        folder,
        lots="item,lot\nLEG,L-8\nLEG,L-9",
        bom_lines=f"""
            item,revision,line,component,quantity,mount,mount_position
            CHAIR,A,10,LEG,2,{mount},LEFT
            CHAIR,A,20,LEG,2,{mount},RIGHT
            """,
        receipts="reference,item,lot,location,quantity,effective_at",
    )
    for code in ("LEG|L-9", "LEG|L-8"):
        assert said(station.scan(code)) == ("recorded", None)
    station.scan("WO-1")
    return station


def test_a_line_heals_first_from_what_was_in_its_own_position(tmp_path: Path) -> None:
    """BF-22, BF-15: L-8 is first by its number, and was on the right."""
    station = two_sides(tmp_path, "")
    station.load(
        plant(
            receipts=f"""
                reference,item,lot,location,quantity,effective_at
                R3,LEG,L-8,LINE,25,{AFTER}
                R4,LEG,L-9,LINE,25,{AFTER}
                """
        ),
        at=station.now,
    )
    station.heal()
    edges = station.edges()
    assert ("WO-1", "L-9", "10", "20", "assumed") in edges
    assert ("WO-1", "L-8", "20", "20", "assumed") in edges
    assert station.faults() == []


@pytest.mark.parametrize(("mount", "healed"), [("", ["10", "20"]), ("required", ["20"])])
def test_only_a_line_that_is_bound_to_its_position_waits_for_its_own(
    tmp_path: Path, mount: str, healed: list[str]
) -> None:
    """BF-22, BF-17, `mount = required`: more of L-8 than both lines owe, none of L-9."""
    station = two_sides(tmp_path, mount)
    receive(station, "R3", "LEG", "L-8", 90, AFTER)
    station.heal()
    assert [
        row["line"] for row in station.rows("exceptions") if row["status"] == "resolved"
    ] == healed
    assert station.faults() == []


def test_a_lot_that_was_mounted_before_and_taken_off_was_not_there(tmp_path: Path) -> None:
    station = chairs(tmp_path, lots="item,lot\nLEG,L-9\nLEG,L-7",
                     receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R2,BOLT,,LINE,100,2026-11-01")  # fmt: skip
    station.scan("LEG|L-9")
    station.scan("LEG|L-7")
    station.scan("WO-1")
    receive(station, "R4", "LEG", "L-9", 45, AFTER)
    station.heal()
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "40")]


def test_a_lifted_hold_heals(tmp_path: Path) -> None:
    """BF-22, BF-16: a lot on hold is as if absent, until quality lets it go."""
    station = chairs(tmp_path, lots="item,lot,status\nLEG,L-1,hold")
    station.scan("WO-1")
    assert station.rows("exceptions", item="LEG")[0]["cause"] == "lot_on_hold"
    do(station, "%RELEASE", "LEG|L-1", badge="QA")
    station.heal()
    assert resolutions(station)[0] == (
        "resolved", "posted after release of L-1: 40 pcs from L-1",
    )  # fmt: skip
    assert ("WO-1", "L-1", "10", "40", "sole") in station.edges()
    assert station.faults() == []


def test_a_load_that_lifts_the_hold_heals_too(tmp_path: Path) -> None:
    station = chairs(tmp_path, lots="item,lot,status\nLEG,L-1,hold")
    station.scan("WO-1")
    station.load(plant(lots="item,lot,status\nLEG,L-1,available"), at=station.now)
    station.heal()
    assert station.exceptions(item="LEG") == [("shortage", "resolved", "10", "LEG", "0")]


@pytest.mark.parametrize(("held_after_report", "quantity"), [(True, "0"), (False, "40")])
def test_a_hold_is_judged_at_the_time_of_the_report(
    tmp_path: Path, held_after_report: bool, quantity: str
) -> None:
    """BF-22: what was held only afterwards may be in the chairs, and a recall must find it."""
    station = chairs(tmp_path, lots="item,lot\nLEG,L-9",
                     receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R2,BOLT,,LINE,100,2026-11-01")  # fmt: skip
    if held_after_report:
        station.scan("WO-1")
    do(station, "%HOLD", "LEG|L-9")
    if not held_after_report:
        station.scan("WO-1")
    receive(station, "R4", "LEG", "L-9", 45, BEFORE)
    station.heal()
    assert station.exceptions()[0][-1] == quantity
    assert station.faults() == []


def test_an_expiry_is_judged_at_the_time_of_the_report(tmp_path: Path) -> None:
    """BF-22: L-2 expired the day before the chairs were made, L-3 on the day they were."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R2,BOLT,,LINE,100,2026-11-01")  # fmt: skip
    station.scan("WO-1")
    station.clock = MORNING.replace(day=25)
    station.load(plant(receipts="""
        reference,item,lot,location,quantity,effective_at,expires_on
        R3,LEG,L-2,LINE,30,2026-11-01,2026-11-19
        R4,LEG,L-3,LINE,15,2026-11-01,2026-11-20"""), at=station.now)  # fmt: skip
    station.heal()
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "25")]
    assert (station.stock("LEG", "L-2"), station.stock("LEG", "L-3")) == ("30", "0")


@pytest.mark.parametrize("by", ["mounting", "moving"])
def test_stock_that_is_brought_to_the_line_heals(tmp_path: Path, by: str) -> None:
    """BF-22, BF-14: a shortage does not reach into a store, until it is brought."""
    station = chairs(tmp_path)
    receive(station, "R3", "LEG", "L-2", 50, BEFORE, location="STORE")
    station.scan("WO-1")
    station.scan("WO-2")
    station.heal()
    assert station.exceptions(item="LEG") == [("shortage", "open", "10", "LEG", "40")]
    if by == "moving":
        do(station, "%MOVE LINE", "LEG|L-2")
    else:  # an order that is open needs it
        station.load(plant(work_orders="work_order,item,quantity,status\nWO-3,CHAIR,1,released"))
        assert said(station.scan("LEG|L-2")) == ("recorded", None)
    station.heal()
    assert station.exceptions(item="LEG") == [("shortage", "resolved", "10", "LEG", "0")]
    assert station.stock("LEG", "L-2") == "10"
    assert station.faults() == []


def test_what_comes_back_from_an_order_heals(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("%START WO-2")
    station.scan("%ISSUE")
    station.scan("%QTY 20")
    assert said(station.scan("LEG|L-1")) == ("recorded", None)
    station.scan("WO-1")
    station.heal()
    assert station.rows("exceptions", item="LEG")[0]["quantity"] == "20"
    station.scan("%START WO-2")
    station.scan("%RETURN")
    station.scan("%QTY 15")
    assert said(station.scan("LEG|L-1")) == ("recorded", None)
    station.heal()
    assert station.rows("exceptions", item="LEG")[0]["quantity"] == "5"
    assert station.faults() == []


def test_a_label_that_is_received_heals(tmp_path: Path) -> None:
    """BF-22: but its lot came after the chairs were made, so it is only for the next ones."""
    station = chairs(tmp_path)
    station.rules = replace(station.rules, receive_from_labels=True)
    station.scan("WO-1")
    station.scan("%QTY 8")
    station.scan("WO-2")
    assert said(station.scan("LEG|NEW|50")) == ("recorded", None)
    assert station.db.conn.execute("SELECT count(*) FROM heal_queue").fetchone()[0] > 0
    station.heal()
    assert station.stock("LEG", "NEW") == "50"
    assert station.exceptions(item="LEG") == [("shortage", "open", "10", "LEG", "32")]


def test_a_confirmed_clock_heals_what_only_the_clock_blocked(tmp_path: Path) -> None:
    """BF-33: while the clock is in doubt nothing is tried, and nothing is forgotten."""
    station = chairs(tmp_path, lots="item,lot,expires_on\nLEG,L-1,2027-01-01")
    station.scan("%HELP")
    assert station.read_clock(MORNING.replace(hour=7))
    station.scan("WO-1")
    assert station.rows("exceptions", item="LEG")[0]["cause"] == "clock"
    receive(station, "R3", "BOLT", "", 30, AFTER)
    station.heal()
    assert station.exceptions(item="BOLT")[0][1] == "open"
    station.scan("B:SUP")
    station.scan("B:SUP")
    station.heal()
    assert [row[1] for row in station.exceptions(kind="shortage")] == ["resolved", "resolved"]
    assert station.faults() == []


def test_an_undo_takes_back_what_was_posted_later_too(tmp_path: Path) -> None:
    """Invariant 3, BF-31: every balance and line as before the report, genealogy sums to zero."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R1,LEG,L-1,LINE,30,2026-11-01\nR2,BOLT,,LINE,60,2026-11-01")  # fmt: skip
    report = station.scan("WO-1", badge="AK")
    receive(station, "R3", "LEG", "L-2", 6, BEFORE)
    receive(station, "R4", "LEG", "L-1", 1, BEFORE)
    receive(station, "R5", "BOLT", "", 90, AFTER)
    station.heal()
    assert station.exceptions() == [
        ("shortage", "open", "10", "LEG", "3"),
        ("shortage", "resolved", "20", "BOLT", "0"),
    ]
    outcome = station.scan("%UNDO", badge="AK")
    assert (said(outcome), outcome.quantity) == (("recorded", None), "-10")
    assert [(each.line, each.lot, each.quantity) for each in outcome.consumed] == [
        ("10", "L-1", "-30"), ("10", "L-1", "-1"), ("10", "L-2", "-6"),
        ("20", None, "-60"), ("20", None, "-20"),
    ]  # fmt: skip
    assert station.exceptions() == [
        ("shortage", "voided", "10", "LEG", "0"),
        ("shortage", "resolved", "20", "BOLT", "0"),
    ]
    stock = [(row["item"], row["lot"], row["quantity"]) for row in station.rows("stock")]
    assert stock == [("BOLT", None, "150"), ("LEG", "L-1", "31"), ("LEG", "L-2", "6")]
    for number in ("10", "20"):
        line = station.line("WO-1", number)
        assert (line["issued"], line["owed"]) == ("0", "0")
    sums: dict[str, int] = {}
    for _, parent, _, quantity, _ in station.edges():
        sums[parent] = sums.get(parent, 0) + int(quantity)
    assert set(sums.values()) == {0}
    event = station.rows("outbox")[-1]["event"]["data"]
    assert event["reverses"] == report.report_id
    assert station.faults() == []


def test_a_report_that_was_taken_back_heals_no_more(tmp_path: Path) -> None:
    """BF-22, BF-23: its part is void; later stock is for somebody else."""
    station = chairs(tmp_path)
    station.scan("%QTY 5")
    station.scan("WO-1")
    station.scan("%QTY 5")
    station.scan("WO-1")
    assert station.exceptions() == [("shortage", "open", "20", "BOLT", "20")]
    station.scan("%UNDO")
    receive(station, "R3", "BOLT", "", 100, AFTER)
    station.heal()
    assert healed_events(station) == []
    assert station.stock("BOLT") == "120"
    assert station.faults() == []


def test_the_order_is_complete_again_after_an_undo_and_heals_again(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R3", "BOLT", "", 15, AFTER)
    station.heal()
    station.scan("%UNDO")
    station.heal()
    assert station.stock("BOLT") == "75"
    station.scan("WO-1")
    assert station.exceptions(open="1") == [("shortage", "open", "20", "BOLT", "5")]
    receive(station, "R4", "BOLT", "", 15, AFTER)
    station.heal()
    assert station.stock("BOLT") == "10"
    assert station.exceptions(open="1") == []
    assert station.faults() == []


NESTED = {
    "items": "item,tracking,kind\nTABLE,lot,\nTOP,none,\nBOARD,none,",
    "boms": "item,revision\nTABLE,A\nTOP,A",
    "bom_lines": "item,revision,line,component,quantity,scrap_pct,supply_location\n"
    "TABLE,A,10,TOP,1,50,FG\nTOP,A,10,BOARD,1,,",
    "receipts": "reference,item,location,quantity,effective_at\nR1,BOARD,LINE,100,2026-11-01",
    "work_orders": "work_order,item,quantity,status\nWO-T,TABLE,6,released\nWO-P,TOP,30,released",
    "operators": "badge,name,role\nSUP,Sue,supervisor",
}


def tables(folder: Path) -> Station:
    """A table takes a top from FG, where tops are made; half as many again are planned scrap."""
    return open_station(folder, plant(**NESTED))


def test_what_is_made_here_heals_what_it_is_made_for(tmp_path: Path) -> None:
    """BF-22: a report's output arrives as a receipt does; net is posted before planned scrap."""
    station = tables(tmp_path)
    station.scan("WO-T")
    assert station.exceptions() == [("shortage", "open", "10", "TOP", "9")]
    for made, open_still in ((4, "5"), (4, "1"), (4, "0")):
        station.scan(f"%QTY {made}")
        station.scan("WO-P")
        station.heal()
        assert station.exceptions()[0][-1] == open_still
    assert (station.stock("TOP", location="FG"), station.stock("TOP", location="SCRAP")) == (
        "3", "3",
    )  # fmt: skip
    assert resolutions(station) == [("resolved", "posted after report of WO-P: 1 pcs")]
    assert station.faults() == []


def test_a_healing_never_keeps_a_wrong_report_from_being_taken_back(tmp_path: Path) -> None:
    """BF-31: nobody decided that these tops go there, so they are owed again."""
    station = tables(tmp_path)
    station.scan("WO-T")
    station.scan("%QTY 4")
    station.scan("WO-P")
    station.heal()
    before = (station.rows("stock"), station.exceptions(), station.line("WO-T", "10"))
    station.scan("%QTY 7")
    station.scan("WO-P")
    station.heal()
    assert station.exceptions() == [("shortage", "resolved", "10", "TOP", "0")]
    assert said(station.scan("%UNDO")) == ("recorded", None)
    station.heal()
    assert (station.rows("stock"), station.exceptions(), station.line("WO-T", "10")) == before
    opened = station.rows("outbox", type="exception.opened")[-1]["event"]["data"]
    assert (opened["work_order"], opened["exceptions"][0]["quantity"]) == ("WO-T", "5")
    assert station.faults() == []
    station.scan("%QTY 7")
    station.scan("WO-P")
    station.heal()
    assert station.exceptions() == [("shortage", "resolved", "10", "TOP", "0")]
    assert station.faults() == []


def test_what_is_owed_again_is_with_what_has_become_short_since(tmp_path: Path) -> None:
    """BF-20, BF-22: three tops were owed and made, then three more are short. When what was made is
    taken back, one exception has all six, and each report its own part of it."""
    station = tables(tmp_path)
    station.scan("%QTY 2")
    first = station.scan("WO-T")
    station.scan("%QTY 3")
    made = station.scan("WO-P")
    station.heal()
    station.scan("%QTY 2")
    station.scan("WO-T")
    assert station.exceptions() == [
        ("shortage", "resolved", "10", "TOP", "0"),
        ("shortage", "open", "10", "TOP", "3"),
    ]
    undone = station.scan(f"%UNDO {made.report_id}", badge="SUP")
    assert said(undone) == ("recorded", None)
    assert station.exceptions(open="1") == [("shortage", "open", "10", "TOP", "6")]
    (open_again,) = station.rows("exceptions", open="1")
    opened = station.rows("outbox", type="exception.opened")[-1]["event"]["data"]["exceptions"][0]
    assert (opened["id"], opened["quantity"]) == (open_again["id"], "3")
    line = station.line("WO-T", "10")
    assert (line["issued"], line["owed"]) == ("0", "6")
    assert station.faults() == []
    assert said(station.scan(f"%UNDO {first.report_id}", badge="SUP")) == ("recorded", None)
    assert station.exceptions(open="1") == [("shortage", "open", "10", "TOP", "3")]
    receive(station, "R3", "TOP", "", 9, AFTER, location="FG")
    station.heal()
    assert station.exceptions(open="1") == []
    assert (station.line("WO-T", "10")["issued"], station.stock("TOP", location="FG")) == ("3", "6")
    assert said(station.scan("%UNDO WO-T", badge="SUP")) == ("recorded", None)
    assert (station.line("WO-T", "10")["issued"], station.stock("TOP", location="FG")) == ("0", "9")
    assert station.faults() == []


def test_what_such_an_undo_leaves_heals_again(tmp_path: Path) -> None:
    """BF-22: four tops are owed, of which a receipt brings three: only one was from the report."""
    station = tables(tmp_path)
    station.scan("WO-T")
    station.scan("%QTY 1")
    station.scan("WO-P")
    receive(station, "R3", "TOP", "", 5, AFTER, location="FG")
    station.heal()
    assert station.exceptions() == [("shortage", "open", "10", "TOP", "3")]
    assert said(station.scan("%UNDO")) == ("recorded", None)
    station.heal()
    assert station.exceptions() == [("shortage", "open", "10", "TOP", "4")]
    assert station.stock("TOP", location="FG") == "0"
    assert healed_events(station)[-1]["fixed_by"]["type"] == "report.reversed"
    assert station.faults() == []


def test_what_a_person_has_used_still_keeps_a_report_from_being_taken_back(tmp_path: Path) -> None:
    """BF-31: what was issued by hand is nobody's healing, so the message names it."""
    station = tables(tmp_path)
    station.scan("WO-T")
    station.scan("%QTY 12")
    station.scan("WO-P")
    station.heal()
    station.scan("%MOVE LINE")
    assert said(station.scan("TOP")) == ("recorded", None)
    before = station.ledger()
    assert said(station.scan("%UNDO")) == ("rejected", "has_dependents")
    assert station.ledger() == before
    assert station.exceptions() == [("shortage", "resolved", "10", "TOP", "0")]


def test_a_batch_is_bounded_and_goes_on_where_it_was(tmp_path: Path) -> None:
    """BF-22: tried again in batches; 40 reports of one chair each lack eight bolts."""
    station = chairs(
        tmp_path,
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,40,released",
        receipts="reference,item,lot,location,quantity,effective_at\n"
        "R1,LEG,L-1,LINE,400,2026-11-01",
    )
    for _ in range(40):
        station.scan("CHAIR")
    receive(station, "R3", "BOLT", "", 8 * 40, AFTER)
    done = []
    while heal(station.db, station.rules, now=station.now):
        done.append(len(healed_events(station)))
    assert done == [PARTS_MAX, 2 * PARTS_MAX]
    assert len(healed_events(station)) == 40
    assert station.exceptions() == [("shortage", "resolved", "20", "BOLT", "0")]
    assert station.faults() == []


def test_nothing_is_queued_where_nothing_is_short(tmp_path: Path) -> None:
    """The queue costs a look-up, not a row."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R3", "LEG", "L-2", 50, BEFORE)
    receive(station, "R4", "BOLT", "", 50, BEFORE, location="STORE")
    assert station.db.conn.execute("SELECT count(*) FROM heal_queue").fetchone() == (0,)


def test_a_healing_does_not_change_what_the_order_costs(tmp_path: Path) -> None:
    """BF-38: what is owed is costed like what was issued, so posting it later changes nothing."""
    station = chairs(tmp_path, items="""
        item,tracking,kind,standard_cost
        CHAIR,lot,,
        LEG,lot,,3
        BOLT,none,,0.1
        """)  # fmt: skip
    station.scan("WO-1")
    (before,) = station.rows("order_costs", work_order="WO-1")
    assert before["total"] == "128.00"
    receive(station, "R3", "BOLT", "", 15, AFTER)
    station.heal()
    (after,) = station.rows("order_costs", work_order="WO-1")
    assert (after["total"], after["usage_variance"]) == (before["total"], before["usage_variance"])
    owed = [(line["kind"], line["quantity"]) for line in after["lines"] if line["line"] == "20"]
    assert owed == [("material", "75"), ("owed", "5")]
    station.scan("%UNDO")
    assert station.rows("order_costs", work_order="WO-1")[0]["total"] == "0.00"


def test_serials_share_what_heals_unit_by_unit(tmp_path: Path) -> None:
    """BF-37: two legs are missing for each of three units; four come."""
    station = chairs(
        tmp_path,
        items="item,tracking,kind\nCHAIR,serial,\nLEG,lot,\nBOLT,none,",
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,3,released",
        work_order_serials="work_order,serial\nWO-1,S-1\nWO-1,S-2\nWO-1,S-3",
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,2",
        receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-1,LINE,1,2026-11-01",
    )
    station.scan("WO-1")
    receive(station, "R3", "LEG", "L-2", 4, BEFORE)
    station.heal()
    sums: dict[tuple[str, str], int] = {}
    for child, parent, _, quantity, _ in station.edges():
        sums[child, parent] = sums.get((child, parent), 0) + int(quantity)
    assert {key: quantity for key, quantity in sums.items() if quantity} == {
        ("S-1", "L-1"): 1, ("S-1", "L-2"): 1, ("S-2", "L-2"): 2, ("S-3", "L-2"): 1,
        ("S-3", "unknown"): 1,
    }  # fmt: skip
    assert station.faults() == []
    station.scan("%UNDO")
    assert (station.stock("LEG", "L-1"), station.stock("LEG", "L-2")) == ("1", "4")
    assert station.faults() == []


def test_a_product_inherits_the_expiry_of_what_is_found_to_be_in_it(tmp_path: Path) -> None:
    """BF-39: and loses it again with the undo."""
    station = chairs(
        tmp_path,
        items="item,tracking,kind,inherit_expiry\nCHAIR,lot,,yes\nLEG,lot,,\nBOLT,none,,",
        lots="item,lot,expires_on\nLEG,L-1,2027-06-01\nLEG,L-2,2027-01-31",
        receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-1,LINE,30,2026-11-01",
    )
    station.scan("WO-1")
    assert station.rows("lots", item="CHAIR")[0]["expires_on"] == "2027-06-01"
    receive(station, "R3", "LEG", "L-2", 10, BEFORE)
    station.heal()
    assert station.rows("lots", item="CHAIR")[0]["expires_on"] == "2027-01-31"
    assert station.faults() == []
    station.scan("%UNDO")
    assert station.rows("lots", item="CHAIR")[0]["expires_on"] is None
    assert station.faults() == []

"""Material by hand: issues, returns and extra parts (BF-4, BF-10, BF-16, BF-37)."""

from pathlib import Path

import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.rules import StationRules
from tests.plants import TEST_RULES, Station, open_station, plant, quantities, said

LINES = "CHAIR,A,10,LEG,4,,\nCHAIR,A,20,BOLT,8,,\nCHAIR,A,30,GLUE,0.5,bulk,"
RECEIPTS = """
    R1,LEG,L-1,,LINE,20,2026-11-01,
    R2,LEG,L-2,,LINE,100,2026-11-02,
    R3,LEG,L-3,BOX-3,STORE,30,2026-11-02,
    R4,BOLT,,,LINE,500,2026-11-01,
    R5,LEG,OLD,,LINE,50,2026-10-01,2026-11-01
    R6,PAINT,P-1,,LINE,5,2026-11-01,
    """


def chairs(
    folder: Path,
    lines: str = LINES,
    receipts: str = RECEIPTS,
    *,
    rules: StationRules = TEST_RULES,
    product: str = "lot",
    **tables: str,
) -> Station:
    """A chair takes 4 legs (by lot) and 8 bolts (untracked) from LINE; its glue is bulk.

    WO-1 makes 10 chairs and is the active order; WO-2 makes 5.
    """
    base = plant(
        items=f"""
            item,tracking,decimals
            CHAIR,{product},0
            LEG,lot,0
            BOLT,none,0
            GLUE,none,2
            PAINT,lot,2
            """,
        boms="item,revision\nCHAIR,A",
        bom_lines="item,revision,line,component,quantity,issue_method,supply_location\n" + lines,
        receipts="reference,item,lot,container,location,quantity,effective_at,expires_on"
        + receipts,
        work_orders="""
            work_order,item,quantity,status,due_at
            WO-1,CHAIR,10,released,2026-11-25T00:00:00Z
            WO-2,CHAIR,5,released,2026-11-24T00:00:00Z
            """,
        locations="location,kind\nSTORE,store\nQUARANTINE,hold\nSCRAP,scrap\nRACK,line_side",
        operators="badge,name,role\nQA,Kim,quality\nOP,Ana,operator",
    )
    station = open_station(folder, base | plant(**tables), rules)
    station.scan("%START WO-1")
    return station


def by_hand(station: Station, command: str, code: str, quantity: str | None = None) -> Outcome:
    """Scan the command, the quantity if any, and the material."""
    assert said(station.scan(command)) == ("recorded", None)
    if quantity is not None:
        station.scan(f"%QTY {quantity}")
    return station.scan(code)


def issued(station: Station, line: str = "10", order: str = "WO-1") -> str:
    return str(station.line(order, line)["issued"])


def refusal(station: Station, command: str, code: str, quantity: str | None = None) -> Outcome:
    """Scan what must be refused with one sentence, book nothing and be in the journal."""
    assert said(station.scan(command)) == ("recorded", None)
    if quantity is not None:
        station.scan(f"%QTY {quantity}")
    before, scans = station.ledger(), len(station.rows("journal"))
    outcome = station.scan(code)
    assert station.ledger() == before, "nothing may be booked"
    assert outcome.outcome in ("rejected", "needs")
    assert outcome.message.count(". ") <= 1
    assert outcome.hint
    assert len(station.rows("journal")) == scans + 1
    assert station.rows("journal")[-1]["outcome"] == outcome.outcome
    return outcome


def test_an_issue_by_hand_is_what_reports_need_not_post_any_more(tmp_path: Path) -> None:
    """BF-10, BF-4: 12 legs by hand are those of 3 chairs; the fourth chair takes the next four."""
    station = chairs(tmp_path)
    outcome = by_hand(station, "%ISSUE", "LEG|L-2", "12")
    assert (said(outcome), outcome.work_order) == (("recorded", None), "WO-1")
    assert (outcome.item, outcome.lot, outcome.quantity) == ("LEG", "L-2", "12")
    assert quantities(outcome) == [("10", "L-2", "12")]
    assert (issued(station), station.stock("LEG", "L-2")) == ("12", "88")
    for _ in range(3):
        assert quantities(station.scan("CHAIR")) == [("20", None, "8")]
    assert quantities(station.scan("CHAIR")) == [("10", "L-1", "4"), ("20", None, "8")]
    assert station.faults() == []


def test_without_a_quantity_the_line_gets_what_it_still_needs(tmp_path: Path) -> None:
    """BF-10: 40 legs for 10 chairs; the lot has more, the report then posts none."""
    station = chairs(tmp_path)
    station.scan("CHAIR")
    assert by_hand(station, "%ISSUE", "LEG|L-2").quantity == "36"
    assert issued(station) == "40"
    assert quantities(station.scan("WO-1")) == [("20", None, "72")]
    assert station.faults() == []


def test_without_a_quantity_no_more_than_the_lot_has(tmp_path: Path) -> None:
    """BF-10, BF-19."""
    station = chairs(tmp_path)
    assert by_hand(station, "%ISSUE", "LEG|L-1").quantity == "20"
    assert station.stock("LEG", "L-1") == "0"


def test_the_quantity_of_a_label_is_a_limit_not_a_request(tmp_path: Path) -> None:
    """BF-10: the label says what is in the box."""
    station = chairs(tmp_path)
    assert by_hand(station, "%ISSUE", "LEG|L-2|100").quantity == "40"
    other = chairs(tmp_path / "other")
    assert by_hand(other, "%ISSUE", "LEG|L-2|7").quantity == "7"


def test_a_container_is_issued_from_where_it_is(tmp_path: Path) -> None:
    """BF-10: BOX-3 is in the store, and stays the source of its movement."""
    station = chairs(tmp_path)
    outcome = by_hand(station, "%ISSUE", "BOX-3", "8")
    assert [each.location for each in outcome.consumed] == ["STORE"]
    row = station.rows("movements", kind="issue")[-1]
    assert (row["from"], row["to"], row["quantity"]) == ("STORE", "@production", "8")
    assert row["source_rule"] is None, "no rule chose it, a person did"
    assert station.stock("LEG", "L-3", "STORE") == "22"


def test_the_lines_own_location_goes_first(tmp_path: Path) -> None:
    """BF-10, BF-14."""
    station = chairs(
        tmp_path, receipts="\nR1,LEG,X,,STORE,30,2026-11-01,\nR2,LEG,X,,LINE,6,2026-11-01,"
    )
    outcome = by_hand(station, "%ISSUE", "LEG|X", "8")
    assert [(each.location, each.quantity) for each in outcome.consumed] == [
        ("LINE", "6"),
        ("STORE", "2"),
    ]
    rules = [row["source_rule"] for row in station.rows("movements", kind="issue")]
    assert rules == ["station", None]


def test_lines_to_be_issued_by_hand_go_before_those_that_reports_post(tmp_path: Path) -> None:
    """BF-10: 20 for the manual line 20, what is more for line 10."""
    station = chairs(tmp_path, "CHAIR,A,10,LEG,4,,\nCHAIR,A,20,LEG,2,manual,")
    assert quantities(by_hand(station, "%ISSUE", "LEG|L-2")) == [("20", "L-2", "20")]
    assert quantities(by_hand(station, "%ISSUE", "LEG|L-2", "5")) == [("10", "L-2", "5")]
    station.scan("WO-1")
    assert (issued(station, "10"), issued(station, "20")) == ("40", "20")
    assert station.exceptions() == []


def test_a_manual_line_that_nobody_issued_is_told_at_the_close(tmp_path: Path) -> None:
    """BF-10: 14 of the 20 legs are missing."""
    station = chairs(tmp_path, "CHAIR,A,20,LEG,2,manual,")
    by_hand(station, "%ISSUE", "LEG|L-2", "6")
    opened = station.scan("WO-1").exceptions
    assert [(each.kind, each.line, each.quantity) for each in opened] == [
        ("consumption", "20", "14")
    ]


def test_untracked_material_is_issued_by_its_item(tmp_path: Path) -> None:
    """BF-10: there is no lot to scan, and no edge to a lot."""
    station = chairs(tmp_path)
    outcome = by_hand(station, "%ISSUE", "BOLT", "30")
    assert [(each.lot, each.certainty) for each in outcome.consumed] == [(None, None)]
    assert station.stock("BOLT") == "470"
    assert quantities(station.scan("WO-1")) == [
        ("10", "L-1", "20"),
        ("10", "L-2", "20"),
        ("20", None, "50"),
    ]


def test_extra_parts_never_count_for_the_line(tmp_path: Path) -> None:
    """BF-10: the spilled legs are variance of the order; all 40 are posted all the same."""
    station = chairs(tmp_path)
    outcome = by_hand(station, "%EXTRA SPILL", "LEG|L-2", "3")
    assert quantities(outcome) == [(None, "L-2", "3")]
    assert issued(station) == "0"
    station.scan("WO-1")
    assert (issued(station), station.stock("LEG", "L-2")) == ("40", "77")
    events = station.db.conn.execute(
        "SELECT reason FROM event WHERE type = 'material.issued'"
    ).fetchall()
    assert events == [("SPILL",)]
    assert station.faults() == []


def test_a_return_gives_the_stock_and_the_line_back(tmp_path: Path) -> None:
    """BF-10: after it everything is as if 7 had been issued."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    outcome = by_hand(station, "%RETURN", "LEG|L-2", "5")
    assert (said(outcome), outcome.quantity) == (("recorded", None), "-5")
    assert quantities(outcome) == [("10", "L-2", "-5")]
    assert (issued(station), station.stock("LEG", "L-2")) == ("7", "93")
    row = station.rows("movements")[-1]
    assert (row["from"], row["to"], row["kind"]) == ("@production", "LINE", "reversal")
    station.scan("WO-1")
    assert issued(station) == "40"
    assert station.faults() == []


def test_a_return_after_the_report_is_trued_up_by_the_next_one(tmp_path: Path) -> None:
    """BF-4: two chairs had 8 legs by hand; 3 come back, so the next chair draws 3 more."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "8")
    station.scan("%QTY 2")
    station.scan("CHAIR")
    by_hand(station, "%RETURN", "LEG|L-2", "3")
    assert quantities(station.scan("CHAIR"))[0] == ("10", "L-1", "7")


def test_what_was_issued_last_is_returned_first(tmp_path: Path) -> None:
    """BF-10: `%RETURN` reduces the class it came from; the extra part was the last."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    by_hand(station, "%EXTRA SPILL", "LEG|L-2", "3")
    assert quantities(by_hand(station, "%RETURN", "LEG|L-2", "2")) == [(None, "L-2", "-2")]
    assert quantities(by_hand(station, "%RETURN", "LEG|L-2", "4")) == [
        (None, "L-2", "-1"),
        ("10", "L-2", "-3"),
    ]
    assert issued(station) == "9"


def test_a_rejected_lot_is_said_to_be_rejected_although_it_has_expired_too(tmp_path: Path) -> None:
    """BF-16, BF-24: the expiry might be let pass, the rejection never is; by hand and mounted."""
    station = chairs(tmp_path)
    station.load(plant(lots="item,lot,status,expires_on\nLEG,OLD,rejected,2026-11-01"))
    station.scan("%ISSUE")
    by_hand = station.scan("LEG|OLD")
    assert (said(by_hand), "is rejected" in by_hand.message) == (("rejected", "lot_on_hold"), True)
    mounted = station.scan("LEG|OLD")
    assert (said(mounted), "is rejected" in mounted.message) == (("rejected", "lot_on_hold"), True)


def test_an_expired_or_held_lot_may_be_returned(tmp_path: Path) -> None:
    """BF-16: it goes back, and is then not picked."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    station.scan("%HOLD")
    assert said(station.scan("LEG|L-2")) == ("recorded", None)
    assert said(by_hand(station, "%RETURN", "LEG|L-2", "12")) == ("recorded", None)
    assert station.stock("LEG", "L-2") == "100"
    assert ("10", "L-2", "20") not in quantities(station.scan("WO-1"))


@pytest.mark.parametrize(
    ("command", "code", "quantity", "reason", "word"),
    [
        ("%ISSUE", "LEG|L-2", "41", "over_tolerance", "EXTRA"),
        ("%ISSUE", "LEG|L-1", "21", "shortage_blocked", "has 20 of 21"),
        ("%ISSUE", "LEG|OLD", "4", "lot_expired", "expired"),
        ("%ISSUE", "LEG|NONE", "4", "lot_unknown", "LEG|NONE"),
        ("%ISSUE", "LEG|L-2", "1.5", "not_a_step", "steps of 1"),
        ("%ISSUE", "PAINT|P-1", "1", "wrong_component", "takes no PAINT"),
        ("%ISSUE", "GLUE", "1", "no_effect", "bulk"),
        ("%EXTRA SPILL", "LEG|L-1", "21", "shortage_blocked", "has 20 of 21"),
        ("%EXTRA SPILL", "LEG|L-1", None, "quantity", "how much"),
        ("%RETURN", "LEG|L-2", "1", "wrong_component", "No order has"),
        ("%ISSUE", "LEG", None, "lot", "kept by lot"),
        ("%ISSUE", "WO-2", None, "component", "an order"),
        ("%ISSUE", "L:LINE", None, "component", "a location"),
    ],
)  # fmt: skip
def test_wrong_use_says_one_sentence_and_books_nothing(
    tmp_path: Path, command: str, code: str, quantity: str | None, reason: str, word: str
) -> None:
    """BF-10, BF-16, BF-19."""
    outcome = refusal(chairs(tmp_path), command, code, quantity)
    assert outcome.reason == reason
    assert word in f"{outcome.message} {outcome.hint}"


def test_more_comes_not_back_than_went_out(tmp_path: Path) -> None:
    """BF-10, also where the lot went out of two containers."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "5")
    assert refusal(station, "%RETURN", "LEG|L-2", "6").reason == "over_tolerance"
    assert refusal(station, "%RETURN", "LEG|L-2").reason == "quantity"


def test_a_return_waits_for_its_quantity(tmp_path: Path) -> None:
    """BF-10: `needs`, and the command is still there."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "5")
    by_hand(station, "%RETURN", "LEG|L-2")
    station.scan("%QTY 5")
    assert said(station.scan("LEG|L-2")) == ("recorded", None)


def test_a_refused_command_is_over(tmp_path: Path) -> None:
    """The next code is what it is: a lot to mount."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|OLD", "4")
    assert "mounted" in station.scan("LEG|L-2").message


def test_an_order_on_hold_takes_nothing(tmp_path: Path) -> None:
    """BF-10."""
    station = chairs(tmp_path)
    station.load(plant(work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,hold"))
    assert refusal(station, "%ISSUE", "LEG|L-2", "4").reason == "order_on_hold"


def test_nothing_comes_back_from_a_closed_order(tmp_path: Path) -> None:
    """BF-34."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "4")
    station.scan("WO-1")
    assert refusal(station, "%RETURN", "LEG|L-2", "1").reason == "order_closed"


def test_without_an_active_order_the_started_one_due_first_takes_it(tmp_path: Path) -> None:
    """BF-10: several are started, none is the current one; the item decides."""
    station = chairs(tmp_path)
    station.scan("%START WO-2")
    station.scan("WO-2")
    assert by_hand(station, "%ISSUE", "LEG|L-2", "4").work_order == "WO-1"


def test_without_any_order_it_asks_for_one(tmp_path: Path) -> None:
    """BF-10: `needs`/`order`; the command waits while the order is started."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    assert refusal(station, "%ISSUE", "LEG|L-2", "4").reason == "order"
    station.scan("%START WO-2")
    station.scan("%QTY 4")
    assert station.scan("LEG|L-2").work_order == "WO-2"


def test_an_untracked_item_may_go_below_zero_where_its_policy_says_so(tmp_path: Path) -> None:
    """BF-19, BF-20: bolts are not counted at the line."""
    station = chairs(
        tmp_path,
        items="item,tracking,shortage_policy\nCHAIR,lot,\nLEG,lot,\nBOLT,none,negative\n"
        "GLUE,none,\nPAINT,lot,",
        receipts="\nR9,BOLT,,,LINE,10,2026-11-01,",
    )
    assert by_hand(station, "%ISSUE", "BOLT", "30").quantity == "30"
    assert station.stock("BOLT") == "-20"
    assert by_hand(station, "%RETURN", "BOLT", "30").quantity == "-30"
    assert station.stock("BOLT") == "10"
    assert station.faults() == []


def test_a_unit_is_made_of_what_was_issued_for_it(tmp_path: Path) -> None:
    """BF-37: legs issued for the whole order go into each unit as it is made, not all into the
    first; an edge names each."""
    station = chairs(
        tmp_path,
        product="serial",
        work_order_serials="work_order,serial\nWO-1,S1\nWO-1,S2\nWO-1,S3",
    )
    by_hand(station, "%ISSUE", "LEG|L-1", "6")
    by_hand(station, "%ISSUE", "LEG|L-2", "6")
    for serial in ("S1", "S2", "S3"):
        station.scan(serial)
    assert station.edges() == [
        ("S1", "L-1", "10", "4", "exact"),
        ("S2", "L-1", "10", "2", "exact"),
        ("S2", "L-2", "10", "2", "exact"),
        ("S3", "L-2", "10", "4", "exact"),
    ]
    assert station.faults() == []


def test_hand_issue_and_draw_of_one_lot_make_one_edge(tmp_path: Path) -> None:
    """BF-37: 2 of the 4 legs by hand, the other 2 drawn from the same lot."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-1", "2")
    station.scan("CHAIR")
    assert [edge[1:4] for edge in station.edges()] == [("L-1", "10", "4")]
    assert station.faults() == []


def test_extra_parts_go_into_the_next_report(tmp_path: Path) -> None:
    """BF-37: consumed is genealogy, lot by lot (invariant 6)."""
    station = chairs(tmp_path)
    by_hand(station, "%EXTRA SPILL", "LEG|L-2", "3")
    station.scan("CHAIR")
    rows = station.db.conn.execute(
        "SELECT p.lot, e.line_id, e.quantity_micro FROM edge e "
        "JOIN lot p ON p.lot_id = e.parent_id WHERE e.line_id = 0"
    ).fetchall()
    assert rows == [("L-2", 0, 3_000_000)]
    assert station.faults() == []


def test_undo_gives_what_was_issued_by_hand_back_to_the_order(tmp_path: Path) -> None:
    """BF-31: the report is gone, the issue is not; the next report takes it in."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "4")
    station.scan("CHAIR")
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert issued(station) == "4"
    assert station.faults() == []
    station.scan("CHAIR")
    net: dict[str, float] = {}
    for _, lot, _, quantity, _ in station.edges():
        net[lot] = net.get(lot, 0) + float(quantity)
    assert net == {"L-2": 4}
    assert station.faults() == []


def test_the_event_says_what_was_issued_and_what_came_back(tmp_path: Path) -> None:
    """Invariant 7: the events, summed, are the ledger; a return is below zero."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    by_hand(station, "%RETURN", "LEG|L-2", "5")
    events = [row["event"] for row in station.rows("outbox", type="material.issued")]
    told = [
        (event["data"]["work_order"], each["use"], each["quantity"], each["order_line"])
        for event in events
        for each in event["data"]["material_actuals"]
    ]
    assert told == [("WO-1", "Consumed", "12", "10"), ("WO-1", "Consumed", "-5", "10")]
    assert {event["partitionkey"] for event in events} == {"WO-1"}

"""Rework: out of finished stock and back, without a second backflush (BF-28)."""

from pathlib import Path

import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.store.label_queue import count_due
from tests.plants import Station, open_station, plant, quantities, said

EBIKES = plant(
    items="""
        item,tracking
        EBIKE,serial
        CHAIR,lot
        STOOL,none
        PACK,lot
        FRAME,lot
        MOTOR,serial
        CELL,serial
        LEG,lot
        """,
    boms="item,revision\nEBIKE,A\nCHAIR,A\nSTOOL,A\nPACK,A",
    bom_lines="""
        item,revision,line,component,quantity,supply_location
        EBIKE,A,10,FRAME,1,
        EBIKE,A,20,MOTOR,1,
        EBIKE,A,30,CELL,2,
        CHAIR,A,10,LEG,4,
        STOOL,A,10,LEG,3,
        PACK,A,10,CHAIR,2,FG
        """,
    locations="location,kind\nSTORE,store\nBENCH,rework\nSCRAP,scrap\nFG,finished",
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at,expires_on
        R0,FRAME,F-1,,LINE,40,2026-11-01,
        R1,MOTOR,,M-1,LINE,1,2026-11-02,
        R2,MOTOR,,M-2,LINE,1,2026-11-02,
        R3,MOTOR,,M-3,STORE,1,2026-11-02,
        R4,MOTOR,,M-OLD,LINE,1,2026-11-02,2026-11-10
        R6,CELL,,C-1,LINE,1,2026-11-02,
        R7,CELL,,C-2,LINE,1,2026-11-02,
        R8,CELL,,C-3,LINE,1,2026-11-02,
        R9,CELL,,C-4,LINE,1,2026-11-02,
        RB,LEG,L-1,,LINE,400,2026-11-01,
        RC,STOOL,,,FG,50,2026-11-01,
        """,
    work_orders="""
        work_order,item,quantity,status,due_at
        WO-1,EBIKE,2,released,2026-11-25
        WO-2,CHAIR,10,released,2026-11-26
        WO-3,STOOL,10,released,2026-11-27
        """,
    work_order_serials="work_order,serial\nWO-1,E-1\nWO-1,E-2",
    operators="badge,name,role\nAK,Anna,operator\nQA,Kim,quality",
    reasons="code,kind\nREPAINT,rework\nNOISE,rework\nDENT,scrap\nWORN,extra",
)
UNIT_ONE = ("E-1", "M-1", "C-1", "C-2")
UNIT_TWO = ("E-2", "M-2", "C-3", "C-4")


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """Unit E-1 is finished, with motor M-1 and cells C-1 and C-2 in it."""
    station = open_station(tmp_path, EBIKES)
    scan_all(station, *UNIT_ONE)
    return station


def scan_all(station: Station, *codes: str) -> list[Outcome]:
    return [station.scan(code) for code in codes]


def send(station: Station, code: str, quantity: str | None = None) -> Outcome:
    """Send something to rework for paint."""
    assert said(station.scan("%REWORK REPAINT")) == ("recorded", None)
    if quantity is not None:
        station.scan(f"%QTY {quantity}")
    return station.scan(code)


def places(station: Station, item: str) -> dict[str, str]:
    """Return where the stock of an item lies: serial, lot or item -> location."""
    return {
        row["serial"] or row["lot"] or item: row["location"]
        for row in station.rows("stock", item=item)
    }


def amounts(station: Station, item: str) -> dict[str, str]:
    return {row["location"]: row["quantity"] for row in station.rows("stock", item=item)}


def kinds(station: Station) -> list[str]:
    rows = station.db.conn.execute("SELECT kind FROM report ORDER BY report_seq").fetchall()
    return [row[0] for row in rows]


def genealogy(station: Station) -> dict[tuple[str, str], int]:
    """Return the sum of the edges of each serial or lot and what it went into, in pieces."""
    rows = station.db.conn.execute(
        """
        SELECT c.serial || c.lot, p.serial || p.lot, sum(e.quantity_micro) / 1000000
          FROM edge e JOIN lot c ON c.lot_id = e.child_id JOIN lot p ON p.lot_id = e.parent_id
         GROUP BY 1, 2 HAVING sum(e.quantity_micro) <> 0
        """
    )
    return {(child, parent): micro for child, parent, micro in rows}


def slots(station: Station) -> list[tuple[object, ...]]:
    return station.db.conn.execute("SELECT * FROM slot ORDER BY lot_id").fetchall()


def test_a_finished_unit_goes_to_rework_with_its_parts_in_it(station: Station) -> None:
    """BF-28: one movement, no issue, no count of the order."""
    before, order, edges = station.ledger(), station.order("WO-1"), genealogy(station)
    sent = send(station, "E-1")
    assert (said(sent), sent.serial, sent.quantity, sent.work_order) == (
        ("recorded", None), "E-1", "1", "WO-1",
    )  # fmt: skip
    assert sent.report_id == sent.scan_id
    assert sent.message == "Unit E-1 of WO-1 is in rework at BENCH: REPAINT"
    assert places(station, "EBIKE") == {"E-1": "BENCH"}
    new = station.ledger()["movement"][len(before["movement"]) :]
    assert len(new) == 1
    assert station.order("WO-1") == order
    assert genealogy(station) == edges
    assert station.rows("stock", item="MOTOR") == [
        row for row in station.rows("stock", item="MOTOR") if row["serial"] != "M-1"
    ]
    assert station.faults() == []


def test_scanned_again_it_is_completed_without_a_second_backflush(station: Station) -> None:
    """BF-28: both passes stay on record; upstream hears both."""
    send(station, "E-1")
    before, order, edges = station.ledger(), station.order("WO-1"), genealogy(station)
    done = station.scan("E-1", badge="AK")
    assert (said(done), done.serial, done.quantity, done.order_status) == (
        ("completed", None), "E-1", "1", "started",
    )  # fmt: skip
    assert (done.consumed, done.produced) == ([], [])
    assert places(station, "EBIKE") == {"E-1": "FG"}
    assert len(station.ledger()["movement"]) == len(before["movement"]) + 1
    assert station.ledger()["order_line"] == before["order_line"]
    assert (station.order("WO-1"), genealogy(station)) == (order, edges)
    assert kinds(station)[-2:] == ["rework", "reworked"]
    events = [row["event"] for row in station.rows("outbox")[-2:]]
    assert [event["type"] for event in events] == ["io.mes-terminal.production.reworked.v1"] * 2
    assert [event["data"]["reason"] for event in events] == ["REPAINT", "REPAINT"]
    assert [event["data"]["final"] for event in events] == [False, False]
    moved = [event["data"]["material_actuals"] for event in events]
    assert [(each["use"], each["from_location"], each["location"]) for (each,) in moved] == [
        ("Moved", "FG", "BENCH"), ("Moved", "BENCH", "FG"),
    ]  # fmt: skip
    assert station.faults() == []
    assert said(station.scan("E-1")) == ("already_done", None), "it is finished, as before"


def test_a_unit_may_go_through_rework_again_and_again(station: Station) -> None:
    for _ in range(3):
        assert said(send(station, "E-1")) == ("recorded", None)
        assert said(station.scan("E-1")) == ("completed", None)
    assert station.order("WO-1")["completed"] == "1"
    assert station.faults() == []


def test_a_closed_order_stays_closed(station: Station) -> None:
    """BF-28, BF-34: rework is no report of the order."""
    scan_all(station, *UNIT_TWO)
    order = station.order("WO-1")
    assert order["status"] == "closed"
    assert send(station, "E-1").order_status == "closed"
    assert station.scan("E-1").order_status == "closed"
    assert station.order("WO-1") == order
    again = station.scan("WO-1")
    assert (said(again), "closed at" in again.message) == (("already_done", "order_closed"), True)


def test_a_quantity_of_a_lot_goes_and_comes_back(station: Station) -> None:
    """BF-28: one unit without a quantity; all that is in rework comes back, or `%QTY` of it."""
    station.scan("%QTY 6")
    station.scan("WO-2")
    lines = station.ledger()["order_line"]
    assert send(station, "WO-2").quantity == "1"
    assert send(station, "CHAIR|WO-2", "3").quantity == "3"
    assert send(station, "CHAIR|WO-2|2").quantity == "2", "what the label says"
    assert amounts(station, "CHAIR") == {"BENCH": "6"}
    station.scan("%QTY 2")
    part = station.scan("CHAIR|WO-2")
    assert (said(part), part.quantity, part.lot) == (("completed", None), "2", "WO-2")
    assert amounts(station, "CHAIR") == {"BENCH": "4", "FG": "2"}
    assert station.scan("CHAIR|WO-2").quantity == "4"
    assert amounts(station, "CHAIR") == {"FG": "6"}
    assert station.ledger()["order_line"] == lines
    assert station.order("WO-2")["completed"] == "6"
    assert station.scan("WO-2").quantity == "4", "the code of an open order reports what remains"
    assert station.faults() == []


def test_the_code_of_a_closed_order_completes_what_it_has_in_rework(station: Station) -> None:
    """BF-28: then it is `already_done` again."""
    station.scan("WO-2")
    send(station, "WO-2", "4")
    station.scan("%QTY 5")
    assert said(station.scan("WO-2")) == ("rejected", "shortage_blocked")
    station.scan("%QTY 3")
    assert station.scan("WO-2").quantity == "3"
    done = station.scan("WO-2")
    assert (said(done), done.quantity, done.order_status) == (("completed", None), "1", "closed")
    assert said(station.scan("WO-2")) == ("already_done", "order_closed")


def test_an_untracked_product_is_reworked_by_its_order_or_its_number(station: Station) -> None:
    """BF-28: never more than the order made, though the shelf has more."""
    station.scan("WO-3")
    assert said(send(station, "WO-3", "11")) == ("rejected", "shortage_blocked")
    assert said(send(station, "WO-3", "4")) == ("recorded", None)
    assert said(send(station, "STOOL", "1")) == ("recorded", None)
    assert amounts(station, "STOOL") == {"BENCH": "5", "FG": "55"}
    assert station.scan("WO-3").quantity == "5"
    send(station, "WO-3", "2")
    assert station.scan("STOOL").quantity == "2"
    assert amounts(station, "STOOL") == {"FG": "60"}
    assert station.faults() == []


def test_what_is_in_rework_is_not_taken_for_another_order(station: Station) -> None:
    """BF-16, BF-28: a pack takes chairs from FG; mounting leaves alone what is on the bench."""
    station.scan("WO-2")
    station.load(plant(work_orders="work_order,item,quantity,status\nWO-4,PACK,2,released"))
    send(station, "WO-2", "7")
    mounted = station.scan("CHAIR|WO-2")
    assert (said(mounted), mounted.quantity) == (("recorded", None), "3")
    short = station.scan("WO-4")
    assert quantities(short) == [("10", "WO-2", "3")]
    assert [each.quantity for each in short.exceptions] == ["1"]
    assert station.scan("CHAIR|WO-2").quantity == "7", "nothing else of it is there to be mounted"
    assert station.faults() == []


def test_a_motor_is_exchanged_in_the_unit_in_rework(station: Station) -> None:
    """BF-28, BF-18: the old one is scanned, then the new one; each sits in one parent."""
    send(station, "E-1")
    lines = station.ledger()["order_line"]
    out = station.scan("M-1")
    assert (said(out), out.message) == (("recorded", None), "MOTOR M-1 comes out of unit E-1")
    swapped = station.scan("M-3")
    assert (said(swapped), swapped.serial, swapped.work_order) == (
        ("recorded", None), "M-3", "WO-1",
    )  # fmt: skip
    assert [(each.serial, each.quantity, each.location) for each in swapped.consumed] == [
        ("M-3", "1", "STORE"), ("M-1", "-1", "BENCH"),
    ]  # fmt: skip
    assert genealogy(station) == {
        ("E-1", "F-1"): 1, ("E-1", "C-1"): 1, ("E-1", "C-2"): 1, ("E-1", "M-3"): 1,
    }  # fmt: skip
    assert station.edges()[-2:] == [
        ("E-1", "M-1", "20", "-1", "exact"), ("E-1", "M-3", "20", "1", "exact"),
    ]  # fmt: skip
    assert places(station, "MOTOR") == {"M-1": "BENCH", "M-2": "LINE", "M-OLD": "LINE"}
    assert station.ledger()["order_line"] == lines
    data = station.rows("outbox")[-1]["event"]["data"]
    assert [(each["serial"], each["quantity"]) for each in data["material_actuals"]] == [
        ("M-3", "1"), ("M-1", "-1"),
    ]  # fmt: skip
    assert data["reason"] == "REPAINT"
    assert station.scan("E-1").outcome == "completed"
    assert station.faults() == []


def test_what_came_out_goes_into_another_unit_or_to_scrap(station: Station) -> None:
    """BF-18, BF-27, BF-28."""
    send(station, "E-1")
    scan_all(station, "M-1", "M-3", "C-1", "C-3", "E-1")
    done = scan_all(station, "E-2", "M-1", "C-2", "C-4")
    assert said(done[2]) == ("rejected", "serial_in_use"), "C-2 is still in E-1"
    station.scan("%SCRAP DENT")
    assert said(station.scan("C-1")) == ("recorded", None)
    assert places(station, "CELL") == {"C-1": "SCRAP", "C-4": "LINE"}
    assert genealogy(station)["E-1", "M-3"] == 1
    assert station.faults() == []


def test_after_an_exchange_the_old_serial_completes_another_unit(station: Station) -> None:
    send(station, "E-1")
    scan_all(station, "M-1", "M-2", "E-1")
    done = scan_all(station, "E-2", "M-1", "C-3", "C-4")[-1]
    assert said(done) == ("completed", None)
    assert genealogy(station)["E-2", "M-1"] == 1
    assert station.faults() == []


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("M-1", ("already_done", None)),
        ("C-3", ("rejected", "wrong_component")),
        ("C-2", ("rejected", "wrong_component")),
        ("M-OLD", ("rejected", "lot_expired")),
        ("E-2", ("needs", "component")),
        ("WO-2", ("needs", "component")),
        ("X-9", ("unknown", None)),
    ],
)
def test_only_a_good_serial_of_the_same_item_goes_in(
    station: Station, code: str, answer: tuple[str, str | None]
) -> None:
    """BF-28: anything else is one sentence, posts nothing, and the exchange goes on."""
    send(station, "E-1")
    station.scan("M-1")
    before, sat = station.ledger(), slots(station)
    outcome = station.scan(code)
    assert said(outcome) == answer
    after = station.ledger()
    if code != "X-9":  # counted in an exception, as everywhere
        assert (after, slots(station)) == (before, sat)
    assert said(station.scan("M-2")) == ("recorded", None)
    assert genealogy(station)["E-1", "M-2"] == 1


def test_a_serial_of_another_unit_does_not_go_in(station: Station) -> None:
    """BF-18: one parent at a time."""
    scan_all(station, *UNIT_TWO)
    send(station, "E-1")
    station.scan("M-1")
    taken = station.scan("M-2")
    assert (said(taken), "sits in E-2" in taken.message) == (("rejected", "serial_in_use"), True)


def test_a_serial_that_is_not_in_the_unit_is_not_taken_out(station: Station) -> None:
    """BF-28: nor does it wait for another unit unnoticed; after `%CANCEL` it does."""
    send(station, "E-1")
    sat = slots(station)
    refused = station.scan("M-2")
    assert (said(refused), slots(station)) == (("rejected", "wrong_component"), sat)
    assert "is not in unit E-1" in refused.message
    station.scan("%CANCEL")
    assert said(station.scan("M-2")) == ("recorded", None)
    assert len(slots(station)) == len(sat) + 1


def test_cancel_drops_the_exchange_first_then_the_unit(station: Station) -> None:
    """BF-28."""
    send(station, "E-1")
    station.scan("M-1")
    station.scan("%CANCEL")
    assert station.scan("M-1").message == "MOTOR M-1 comes out of unit E-1"
    scan_all(station, "%CANCEL", "%CANCEL")
    assert said(station.scan("M-1")) == ("rejected", "serial_in_use")
    again = send(station, "E-1")
    assert said(again) == ("already_done", None)
    assert said(station.scan("M-1")) == ("recorded", None), "it is at hand again"


def test_cancel_leaves_what_waits_for_the_next_unit(station: Station) -> None:
    """BF-18, BF-28: M-2 was scanned before the unit it is for."""
    station.scan("M-2")
    sat = slots(station)
    send(station, "E-1")
    station.scan("%CANCEL")
    assert slots(station) == sat


def test_an_exchange_survives_a_restart(station: Station) -> None:
    """BF-28: between the two scans nothing is kept outside the database."""
    send(station, "E-1")
    station.scan("M-1")
    waiting = station.journal("M-2")
    assert waiting.raw == b"M-2"
    assert [said(each) for each in station.recover()] == [("recorded", None)]
    assert genealogy(station)["E-1", "M-2"] == 1


REFUSALS = {
    "not finished": ("E-2", ("rejected", "no_effect"), "Unit E-2 is not finished yet"),
    "scrapped": ("E-1", ("rejected", "has_dependents"), "Unit E-1 was scrapped"),
    "moved": ("E-1", ("rejected", "has_dependents"), "Unit E-1 is at STORE"),
    "held": ("E-1", ("rejected", "lot_on_hold"), "Unit E-1 of WO-1 is on hold"),
    "twice": ("E-1", ("already_done", None), "Unit E-1 is in rework already"),
    "component": ("M-2", ("rejected", "no_effect"), "M-2 was not made by an order"),
    "component lot": ("LEG|L-1", ("rejected", "no_effect"), "L-1 was not made by an order"),
    "new lot": ("CHAIR|NEW", ("rejected", "lot_unknown"), "CHAIR|NEW is not in the books"),
    "order of serials": ("WO-1", ("needs", "serial"), "EBIKE of WO-1 is kept by serial"),
    "item of serials": ("EBIKE", ("needs", "serial"), "EBIKE is kept by serial"),
    "item of lots": ("CHAIR", ("needs", "lot"), "CHAIR is kept by lot"),
    "nothing made": ("WO-2", ("rejected", "no_effect"), "Nothing of WO-2 is finished yet"),
    "location": ("L:STORE", ("needs", "component"), "This is a location"),
    "unknown": ("X-9", ("unknown", None), "X-9"),
}
BEFORE = {
    "scrapped": ("%SCRAP DENT", "E-1"),
    "moved": ("%MOVE STORE", "E-1"),
    "held": ("%HOLD", "E-1"),
    "twice": ("%REWORK NOISE", "E-1"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_reworked_is_one_sentence_and_posts_nothing(
    station: Station, case: str
) -> None:
    """BF-28: with a row in the journal."""
    code, answer, begins = REFUSALS[case]
    scan_all(station, *BEFORE.get(case, ()))
    before, scans = station.ledger(), len(station.rows("journal"))
    outcome = send(station, code)
    assert said(outcome) == answer
    assert begins in outcome.message
    assert outcome.message.count(". ") <= 1
    after = station.ledger()
    assert {name: after[name] for name in ("movement", "balance", "edge", "lot")} == {
        name: before[name] for name in ("movement", "balance", "edge", "lot")
    }
    assert len(station.rows("journal")) == scans + 2
    assert station.rows("journal")[-1]["outcome"] == outcome.outcome
    assert station.faults() == []


@pytest.mark.parametrize("command", ["%REWORK", "%REWORK DENT"])
def test_a_reason_of_the_reason_card_is_needed(station: Station, command: str) -> None:
    """BF-28: nothing waits afterwards, so the unit answers as ever."""
    assert said(station.scan(command)) == ("rejected", "reason_missing")
    assert said(station.scan("E-1")) == ("already_done", None)


@pytest.mark.parametrize(
    ("quantity", "reason"), [("7", "shortage_blocked"), ("1.5", "not_a_step")]
)  # fmt: skip
def test_no_more_than_is_in_finished_stock(station: Station, quantity: str, reason: str) -> None:
    """BF-28, BF-5, BF-19."""
    station.scan("%QTY 6")
    station.scan("WO-2")
    before = station.ledger()
    assert said(send(station, "CHAIR|WO-2", quantity)) == ("rejected", reason)
    assert station.ledger() == before
    send(station, "CHAIR|WO-2", "6")
    assert said(send(station, "CHAIR|WO-2")) == ("already_done", None)


def test_a_station_without_a_rework_location_says_so(tmp_path: Path) -> None:
    """BF-28: one of another station is none of this one's."""
    places = "location,kind,station\nSTORE,store,\nBENCH,rework,OTHER\nSCRAP,scrap,"
    station = open_station(tmp_path, EBIKES | plant(locations=places))
    scan_all(station, *UNIT_ONE)
    before = station.ledger()
    outcome = send(station, "E-1")
    assert said(outcome) == ("rejected", "no_effect")
    assert outcome.message == "This station has no rework location. Nothing was booked"
    assert station.ledger() == before


def test_a_unit_in_rework_may_turn_out_to_be_scrap(station: Station) -> None:
    """BF-27, BF-28."""
    send(station, "E-1")
    station.scan("%SCRAP DENT")
    scrapped = station.scan("E-1")
    assert (said(scrapped), places(station, "EBIKE")) == (("recorded", None), {"E-1": "SCRAP"})
    again = station.scan("E-1")
    assert said(again) == ("already_done", None)
    assert said(station.scan("M-2")) == ("recorded", None), "the line goes on with the next unit"
    assert station.faults() == []


def test_a_held_unit_stays_in_rework_until_quality_releases_it(station: Station) -> None:
    """BF-16, BF-28."""
    send(station, "E-1")
    scan_all(station, "%HOLD", "E-1")
    assert said(station.scan("E-1")) == ("rejected", "lot_on_hold")
    station.scan("%RELEASE", badge="QA")
    station.scan("E-1", badge="QA")
    assert said(station.scan("E-1")) == ("completed", None)


def test_a_rejected_lot_in_rework_is_not_said_to_be_on_hold(station: Station) -> None:
    """BF-16, BF-28: nobody releases what is rejected."""
    scan_all(station, "%QTY 3", "WO-2")
    send(station, "CHAIR|WO-2", "3")
    station.load({"lots.csv": "item,lot,status\nCHAIR,WO-2,rejected"})
    refused = station.scan("CHAIR|WO-2")
    assert said(refused) == ("rejected", "lot_on_hold")
    assert "is rejected" in refused.message


def test_an_extra_part_for_the_unit_in_rework_is_booked_though_its_order_is_closed(
    station: Station,
) -> None:
    """BF-10, BF-28: it is no planned consumption, and the unit's genealogy names it."""
    scan_all(station, *UNIT_TWO)
    send(station, "E-1")
    lines = station.ledger()["order_line"]
    scan_all(station, "%EXTRA WORN", "%QTY 1")
    extra = station.scan("FRAME|F-1")
    assert (said(extra), extra.work_order) == (("recorded", None), "WO-1")
    assert genealogy(station)["E-1", "F-1"] == 1
    station.scan("E-1")
    assert genealogy(station)["E-1", "F-1"] == 2
    assert station.ledger()["order_line"] == lines
    assert station.faults() == []
    station.scan("%UNDO")
    assert genealogy(station)["E-1", "F-1"] == 1
    assert station.scan("E-1").outcome == "completed"
    assert genealogy(station)["E-1", "F-1"] == 2, "the extra part waited for it"
    assert station.faults() == []


def test_an_extra_part_for_a_quantity_in_rework_finds_its_closed_order(station: Station) -> None:
    """BF-10, BF-28."""
    station.scan("WO-2")
    scan_all(station, "%EXTRA WORN", "%QTY 1")
    assert said(station.scan("LEG|L-1"))[0] in ("needs", "rejected"), "nothing is in work"
    station.scan("%CANCEL")
    send(station, "WO-2", "2")
    scan_all(station, "%EXTRA WORN", "%QTY 1")
    assert station.scan("LEG|L-1").work_order == "WO-2"
    station.scan("WO-2")
    assert genealogy(station)["WO-2", "L-1"] == 41
    assert station.faults() == []


def test_no_label_is_printed_a_second_time(station: Station) -> None:
    """BF-28: the unit has its label."""
    due = count_due(station.db.conn, 0)
    send(station, "E-1")
    station.scan("E-1")
    assert count_due(station.db.conn, 0) == due == 1


def test_undo_takes_back_each_step_of_rework_exactly(station: Station) -> None:
    """BF-31, BF-28: out, exchange, in; then the completion itself."""

    def state() -> tuple[object, ...]:
        return (
            station.rows("stock"), station.order("WO-1"), genealogy(station), slots(station),
            station.ledger()["order_line"],
        )  # fmt: skip

    steps = [("%REWORK REPAINT", "E-1"), ("M-1", "M-2"), ("M-2", "M-3"), ("E-1",)]
    states = []
    for codes in steps:
        states.append(state())
        scan_all(station, *codes)
    for before, quantity in zip(reversed(states), ("-1", "-1", "-1", "-1"), strict=True):
        undone = station.scan("%UNDO")
        assert (said(undone), undone.quantity) == (("recorded", None), quantity)
        assert state() == before
        assert station.faults() == []
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert genealogy(station) == {}
    assert station.order("WO-1")["completed"] == "0"


def test_undo_of_rework_says_what_it_takes_back(station: Station) -> None:
    """BF-31."""
    station.scan("WO-2")
    send(station, "WO-2", "3")
    back = station.scan("%UNDO")
    assert (back.message, back.quantity, back.lot, back.order_status) == (
        "Taken back: the rework of 3 CHAIR of WO-2", "-3", "WO-2", "closed",
    )  # fmt: skip
    event = station.rows("outbox")[-1]["event"]
    assert event["type"] == "io.mes-terminal.report.reversed.v1"
    assert [each["quantity"] for each in event["data"]["material_actuals"]] == ["-3"]


def test_an_exchange_is_not_taken_back_once_the_old_serial_sits_elsewhere(
    station: Station,
) -> None:
    """BF-31, BF-18."""
    send(station, "E-1")
    scan_all(station, "M-1", "M-2", "%CANCEL", "E-2", "M-1")
    before = station.ledger()
    undone = station.scan("%UNDO")
    assert said(undone) == ("rejected", "has_dependents")
    assert "E-2" in undone.message
    assert station.ledger() == before


def test_what_left_rework_by_another_way_is_not_taken_back(station: Station) -> None:
    """BF-31."""
    send(station, "E-1")
    scan_all(station, "%SCRAP DENT", "E-1")
    assert said(station.scan("%UNDO")) == ("rejected", "has_dependents")


def test_rework_without_a_reason_completes_what_an_open_order_has_there(station: Station) -> None:
    """BF-28: of an open order that makes an untracked product no other code means it."""
    station.scan("%QTY 6")
    station.scan("WO-3")
    send(station, "WO-3", "4")
    waits = station.scan("%REWORK")
    assert (said(waits), "is done" in waits.message) == (("recorded", None), True)
    station.scan("%QTY 3")
    done = station.scan("WO-3")
    assert (said(done), done.quantity, done.order_status) == (
        ("completed", None), "3", "started",
    )  # fmt: skip
    assert amounts(station, "STOOL") == {"BENCH": "1", "FG": "55"}
    scan_all(station, "%REWORK")
    assert station.scan("STOOL").quantity == "1", "all that is there"
    assert amounts(station, "STOOL") == {"FG": "56"}
    assert station.order("WO-3")["completed"] == "6"
    assert kinds(station)[-3:] == ["rework", "reworked", "reworked"]
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert amounts(station, "STOOL") == {"BENCH": "1", "FG": "55"}
    assert station.faults() == []


@pytest.mark.parametrize("code", ["E-1", "WO-2", "CHAIR|WO-2"])
def test_rework_without_a_reason_completes_whatever_is_there(station: Station, code: str) -> None:
    """BF-28: a unit, and the lot or the order of a quantity, open or closed."""
    station.scan("%QTY 6")
    station.scan("WO-2")
    send(station, "E-1")
    send(station, "WO-2", "2")
    station.scan("%REWORK")
    done = station.scan(code)
    assert (said(done), done.quantity) == (("completed", None), "1" if code == "E-1" else "2")
    assert station.order("WO-2")["completed"] == "6"
    assert station.faults() == []


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("WO-2", ("rejected", "no_effect")),
        ("E-2", ("rejected", "no_effect")),
        ("STOOL", ("rejected", "no_effect")),
        ("LEG|L-1", ("rejected", "no_effect")),
        ("WO-1", ("needs", "serial")),
        ("CHAIR", ("needs", "lot")),
        ("L:STORE", ("needs", "component")),
        ("CHAIR|NEW", ("rejected", "lot_unknown")),
        ("X-9", ("unknown", None)),
    ],
)
def test_what_is_not_in_rework_is_not_completed(
    station: Station, code: str, answer: tuple[str, str | None]
) -> None:
    """BF-28: one sentence, nothing posted; what asks lets the command wait."""
    station.scan("%QTY 6")
    station.scan("WO-2")
    send(station, "E-1")
    station.scan("%REWORK")
    before = station.ledger()
    outcome = station.scan(code)
    assert said(outcome) == answer
    after = station.ledger()
    assert {name: after[name] for name in ("movement", "balance")} == {
        name: before[name] for name in ("movement", "balance")
    }
    pending = station.db.conn.execute("SELECT pending_verb FROM station_state").fetchone()[0]
    assert pending == (None if answer[0] == "rejected" else "REWORK")
    assert said(station.scan("E-1")) == ("completed", None)
    assert station.faults() == []


def test_with_nothing_in_rework_the_reason_is_missing(station: Station) -> None:
    """BF-28: then `%REWORK` alone can only have been meant to send something there."""
    send(station, "E-1")
    station.scan("E-1")
    assert said(station.scan("%REWORK")) == ("rejected", "reason_missing")


def test_an_extra_part_is_not_exact_while_other_units_are_in_rework(station: Station) -> None:
    """BF-37, BF-28: two units lie on the bench; nobody said which of them took the frame."""
    scan_all(station, *UNIT_TWO)
    send(station, "E-1")
    send(station, "E-2")
    scan_all(station, "%EXTRA WORN", "%QTY 1", "FRAME|F-1")
    station.scan("E-2")
    station.scan("E-1")
    scan_all(station, "%REWORK NOISE", "E-1", "%EXTRA WORN", "%QTY 1", "FRAME|F-1", "E-1")
    rows = station.db.conn.execute(
        "SELECT certainty FROM edge WHERE line_id = 0 ORDER BY report_seq"
    ).fetchall()
    assert rows == [("pooled",), ("exact",)], "alone on the bench it is sure"
    assert station.faults() == []


def test_an_extra_part_of_one_chair_out_of_several_in_rework_is_pooled(station: Station) -> None:
    """BF-37, BF-28."""
    station.scan("WO-2")
    send(station, "WO-2", "3")
    scan_all(station, "%EXTRA WORN", "%QTY 1", "LEG|L-1", "%QTY 1", "WO-2")
    scan_all(station, "WO-2", "%REWORK NOISE", "WO-2", "%EXTRA WORN", "%QTY 1", "LEG|L-1", "WO-2")
    rows = station.db.conn.execute(
        "SELECT certainty FROM edge WHERE line_id = 0 ORDER BY report_seq"
    ).fetchall()
    assert rows == [("pooled",), ("exact",)]
    assert station.faults() == []

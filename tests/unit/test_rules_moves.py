"""Stock that is moved, held and released by scan (BF-16)."""

from pathlib import Path

import pytest

from mes_terminal.domain.outcome import Outcome
from tests.plants import Station, open_station, plant, quantities, said

RECEIPTS = """
    R1,LEG,L-1,,LINE,20,2026-11-01,
    R2,LEG,L-2,BOX-2,STORE,30,2026-11-02,
    R3,LEG,L-2,BOX-3,STORE,30,2026-11-03,
    R4,BOLT,,,LINE,500,2026-11-01,
    R5,LEG,OLD,,LINE,50,2026-10-01,2026-11-01
    R6,LEG,L-6,,QUARANTINE,10,2026-11-01,
    """


def chairs(folder: Path) -> Station:
    """A chair takes 4 legs from LINE; Kim is of quality, Ana is not."""
    files = plant(
        items="item,tracking\nCHAIR,lot\nLEG,lot\nBOLT,none",
        boms="item,revision\nCHAIR,A",
        bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4\nCHAIR,A,20,BOLT,1",
        receipts="reference,item,lot,container,location,quantity,effective_at,expires_on"
        + RECEIPTS,
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
        locations="location,kind\nSTORE,store\nQUARANTINE,hold\nSCRAP,scrap\nRACK,line_side",
        operators="badge,name,role\nQA,Kim,quality\nOP,Ana,operator",
    )
    station = open_station(folder, files)
    station.scan("%START WO-1")
    return station


def do(
    station: Station, command: str, code: str, quantity: str | None = None, badge: str | None = None
) -> Outcome:
    assert said(station.scan(command, badge=badge)) == ("recorded", None)
    if quantity is not None:
        station.scan(f"%QTY {quantity}")
    return station.scan(code, badge=badge)


def mounted(station: Station) -> list[str]:
    return [row[0] for row in station.db.conn.execute("SELECT position FROM mount")]


def test_a_container_is_moved_with_all_it_holds_and_its_arrival(tmp_path: Path) -> None:
    """BF-16: it came on the 2nd, and is picked by that."""
    station = chairs(tmp_path)
    outcome = do(station, "%MOVE LINE", "BOX-2")
    assert (said(outcome), outcome.quantity) == (("recorded", None), "30")
    assert (station.stock("LEG", "L-2"), station.stock("LEG", "L-2", "STORE")) == ("30", "30")
    assert station.rows("movements")[-1]["kind"] == "move"
    arrived = station.db.conn.execute(
        "SELECT arrived_at FROM balance JOIN location USING (location_id) "
        "JOIN container USING (container_id) WHERE container = 'BOX-2' AND location = 'LINE'"
    ).fetchone()
    assert arrived == ("2026-11-02T00:00:00.000000Z",)
    (event,) = [row["event"] for row in station.rows("outbox", type="material.moved")]
    (actual,) = event["data"]["material_actuals"]
    assert (actual["from_location"], actual["location"]) == ("STORE", "LINE")
    assert station.faults() == []


def test_a_part_of_a_lot_is_moved(tmp_path: Path) -> None:
    """BF-16."""
    station = chairs(tmp_path)
    assert do(station, "%MOVE RACK", "LEG|L-2", "40").quantity == "40"
    assert (station.stock("LEG", "L-2", "RACK"), station.stock("LEG", "L-2", "STORE")) == (
        "40",
        "20",
    )
    assert station.faults() == []


def test_a_labels_quantity_does_not_split_what_is_moved(tmp_path: Path) -> None:
    """BF-16: the label is evidence; all of it is moved."""
    station = chairs(tmp_path)
    assert do(station, "%MOVE RACK", "LEG|L-1|5").quantity == "20"


def test_untracked_stock_is_moved_by_its_item(tmp_path: Path) -> None:
    """BF-16."""
    station = chairs(tmp_path)
    assert do(station, "%MOVE RACK", "BOLT", "100").quantity == "100"
    assert (station.stock("BOLT"), station.stock("BOLT", location="RACK")) == ("400", "100")


def test_expired_and_held_lots_may_be_moved(tmp_path: Path) -> None:
    """BF-16: out of the way is where they should be."""
    station = chairs(tmp_path)
    do(station, "%HOLD", "LEG|L-1")
    assert do(station, "%MOVE QUARANTINE", "LEG|L-1").quantity == "20"
    assert do(station, "%MOVE QUARANTINE", "LEG|OLD").quantity == "50"
    assert station.faults() == []


def test_what_moves_away_is_mounted_no_longer(tmp_path: Path) -> None:
    """BF-17: all of it; a part leaves the rest mounted."""
    station = chairs(tmp_path)
    station.scan("LEG|L-1")
    do(station, "%MOVE STORE", "LEG|L-1", "5")
    assert mounted(station) == ["LEG"]
    assert "LEG is free" in do(station, "%MOVE STORE", "LEG|L-1").message
    assert mounted(station) == []


@pytest.mark.parametrize(
    ("command", "code", "quantity", "reason"),
    [
        ("%MOVE RACK", "LEG|L-1", "21", "shortage_blocked"),
        ("%MOVE LINE", "LEG|L-1", None, "shortage_blocked"),
        ("%MOVE SCRAP", "LEG|L-1", None, "no_effect"),
        ("%MOVE LINE", "LEG|L-6", None, "not_authorised"),
        ("%MOVE LINE", "LEG|NONE", None, "lot_unknown"),
        ("%MOVE LINE", "LEG", None, "lot"),
        ("%HOLD", "LEG|NONE", None, "lot_unknown"),
        ("%HOLD", "BOLT", None, "no_effect"),
    ],
)
def test_wrong_use_says_one_sentence_and_books_nothing(
    tmp_path: Path, command: str, code: str, quantity: str | None, reason: str
) -> None:
    """BF-16, BF-19."""
    station = chairs(tmp_path)
    before = station.ledger()
    outcome = do(station, command, code, quantity)
    assert (outcome.reason, outcome.message.count(". ") <= 1) == (reason, True)
    assert station.ledger() == before
    assert station.rows("journal")[-1]["reason"] == reason


@pytest.mark.parametrize("command", ["%MOVE", "%MOVE NOWHERE", "%MOVE @customer"])
def test_a_move_needs_a_location_of_this_station(tmp_path: Path, command: str) -> None:
    """BF-14."""
    assert said(chairs(tmp_path).scan(command)) == ("rejected", "malformed")


def test_quality_frees_stock_from_a_held_location(tmp_path: Path) -> None:
    """BF-16."""
    station = chairs(tmp_path)
    assert do(station, "%MOVE LINE", "LEG|L-6", badge="QA").quantity == "10"


def test_a_held_lot_is_not_picked_and_mounted_no_longer(tmp_path: Path) -> None:
    """BF-16: the legs come from elsewhere, and the event goes upstream."""
    station = chairs(tmp_path)
    station.scan("BOX-2")
    assert said(do(station, "%HOLD", "BOX-3")) == ("recorded", None), "a box names its lot"
    assert mounted(station) == []
    assert quantities(station.scan("CHAIR")) == [("10", "L-1", "4"), ("20", None, "1")]
    assert said(station.scan("LEG|L-2")) == ("rejected", "lot_on_hold")
    (event,) = [row["event"] for row in station.rows("outbox", type="lot.status_changed")]
    assert event["data"]["detail"]["status"] == "hold"
    assert station.faults() == []


def test_only_quality_releases_a_lot(tmp_path: Path) -> None:
    """BF-16: also where the badge changed between the command and the lot."""
    station = chairs(tmp_path)
    do(station, "%HOLD", "LEG|L-1", badge="OP")
    assert said(station.scan("%RELEASE", badge="OP")) == ("rejected", "not_authorised")
    station.scan("%RELEASE", badge="QA")
    assert said(station.scan("LEG|L-1", badge="OP")) == ("rejected", "not_authorised")
    assert said(do(station, "%RELEASE", "LEG|L-1", badge="QA")) == ("recorded", None)
    assert quantities(station.scan("CHAIR"))[0] == ("10", "L-1", "4")
    assert station.faults() == []


def test_holding_twice_is_already_done_and_a_rejected_lot_stays_so(tmp_path: Path) -> None:
    """BF-34, BF-16."""
    station = chairs(tmp_path)
    do(station, "%HOLD", "LEG|L-1")
    assert said(do(station, "%HOLD", "LEG|L-1")) == ("already_done", None)
    station.load(plant(lots="item,lot,status\nLEG,L-1,rejected"))
    assert said(do(station, "%RELEASE", "LEG|L-1", badge="QA")) == ("rejected", "lot_on_hold")


def test_an_orders_number_names_the_lot_it_made(tmp_path: Path) -> None:
    """BF-39: the chairs of WO-1 are held and moved by the traveller."""
    station = chairs(tmp_path)
    station.scan("CHAIR")
    assert do(station, "%HOLD", "WO-1").lot == "WO-1"
    assert do(station, "%MOVE STORE", "WO-1").quantity == "1"
    assert station.stock("CHAIR", "WO-1", "STORE") == "1"

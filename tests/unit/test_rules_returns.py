"""What comes back: from orders that have ended, and out of what units were said to be made of
(BF-10, BF-34, BF-37)."""

from pathlib import Path

import pytest

from mes_terminal.store import verifier
from tests.model.ledger_laws import CONSUMED
from tests.plants import Station, open_station, plant, quantities, said
from tests.unit.test_rules_material import by_hand, chairs, issued, refusal

MANUAL = "CHAIR,A,10,LEG,4,manual,"
SERIALS = "work_order,serial\nWO-1,C-1\nWO-1,C-2\nWO-1,C-3\nWO-1,C-4"


GONE_INTO = """
    SELECT coalesce(nullif(c.lot, ''), nullif(c.serial, ''), 'WO'), sum(e.quantity_micro) / 1000000
      FROM edge e JOIN lot c ON c.lot_id = e.child_id JOIN lot p ON p.lot_id = e.parent_id
     WHERE p.lot || p.serial = ?
     GROUP BY e.child_id HAVING sum(e.quantity_micro) <> 0 ORDER BY c.lot, c.serial
"""
OF_REPORTS = """
    SELECT sum(e.quantity_micro) / 1000000
      FROM edge e LEFT JOIN hand_return h ON h.event_seq = e.report_seq
      LEFT JOIN report r ON r.report_seq = e.report_seq
     GROUP BY coalesce(h.report_seq, r.reverses, e.report_seq) ORDER BY 1 DESC
"""


def gone_into(station: Station, lot: str = "L-2") -> dict[str, int]:
    """Return what genealogy has of a lot in each product; every law of it holds (invariant 6)."""
    conn = station.db.conn
    assert station.faults() == []
    assert conn.execute(CONSUMED).fetchall() == []
    verifier.verify_genealogy(conn)
    assert waiting(station) >= 0
    return dict(conn.execute(GONE_INTO, [lot]).fetchall())


def waiting(station: Station) -> int:
    """Return how much waits for a report."""
    asked = "SELECT sum(quantity_micro) / 1000000 FROM hand_issue WHERE report_seq IS NULL"
    return int(station.db.conn.execute(asked).fetchone()[0] or 0)


def make(station: Station, many: int, code: str = "CHAIR") -> None:
    station.scan(f"%QTY {many}")
    assert station.scan(code).outcome in ("completed", "completed_with_exceptions")


def cost_of_legs(station: Station) -> str:
    """Return what the legs of WO-1 are, by its movements: out less back."""
    rows = station.rows("movements", item="LEG")
    out = sum(int(row["quantity"]) for row in rows if row["to"] == "@production")
    back = sum(int(row["quantity"]) for row in rows if row["from"] == "@production")
    return str(out - back)


def test_an_extra_part_comes_back_from_a_closed_order(tmp_path: Path) -> None:
    """BF-10: it counts for no line, so the order stays as it was closed."""
    station = chairs(tmp_path)
    by_hand(station, "%EXTRA SPILL", "LEG|L-2", "3")
    station.scan("WO-1")
    order = station.order("WO-1")
    back = by_hand(station, "%RETURN", "LEG|L-2", "2")
    assert (said(back), back.work_order, back.order_status) == (
        ("recorded", None), "WO-1", "closed",
    )  # fmt: skip
    assert quantities(back) == [(None, "L-2", "-2")]
    assert (station.order("WO-1"), issued(station)) == (order, "40")
    assert cost_of_legs(station) == "41"
    assert station.faults() == []


def test_what_a_line_had_beyond_its_units_comes_back_after_the_close(tmp_path: Path) -> None:
    """BF-10: 40 legs were issued for 10 chairs and 7 were made, so 12 are left: 12, and not 13."""
    station = chairs(tmp_path, MANUAL)
    by_hand(station, "%ISSUE", "LEG|L-2", "40")
    station.scan("%QTY 7")
    station.scan("CHAIR")
    station.scan("%SHORT late")
    station.scan("WO-1")
    order = station.order("WO-1")
    more = refusal(station, "%RETURN", "LEG|L-2", "13")
    assert (more.reason, "closed" in more.message) == ("over_tolerance", True)
    assert "12" in more.message
    assert said(by_hand(station, "%RETURN", "LEG|L-2", "5")) == ("recorded", None)
    assert issued(station) == "35"
    assert said(by_hand(station, "%RETURN", "LEG|L-2", "7")) == ("recorded", None)
    assert (issued(station), station.stock("LEG", "L-2")) == ("28", "72")
    assert station.order("WO-1") == order
    last = refusal(station, "%RETURN", "LEG|L-2", "1")
    assert (last.reason, last.work_order) == ("order_closed", "WO-1")
    assert station.faults() == []


def test_what_the_units_are_made_of_stays_in_them(tmp_path: Path) -> None:
    """BF-10: the close posted only what the issue by hand had left to post."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    station.scan("WO-1")
    outcome = refusal(station, "%RETURN", "LEG|L-2", "1")
    assert outcome.reason == "order_closed"
    assert "LEG|L-2" not in outcome.message
    assert "L-2" in outcome.message


def test_the_latest_order_with_something_to_give_back_gives_it(tmp_path: Path) -> None:
    """BF-10: WO-2 closed last and has used all it had; WO-1 has an extra part left."""
    station = chairs(tmp_path)
    by_hand(station, "%EXTRA SPILL", "LEG|L-2", "3")
    station.scan("WO-1")
    station.scan("%START WO-2")
    by_hand(station, "%ISSUE", "LEG|L-2", "4")
    station.scan("WO-2")
    assert by_hand(station, "%RETURN", "LEG|L-2", "3").work_order == "WO-1"
    assert station.faults() == []


def test_material_comes_back_from_a_cancelled_order(tmp_path: Path) -> None:
    """BF-10: the two chairs that were made keep their legs."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "20")
    station.scan("%QTY 2")
    station.scan("CHAIR")
    station.load(plant(work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,cancelled"))
    assert refusal(station, "%RETURN", "LEG|L-2", "13").reason == "over_tolerance"
    back = by_hand(station, "%RETURN", "LEG|L-2", "12")
    assert (said(back), back.order_status) == (("recorded", None), "cancelled")
    assert (issued(station), station.stock("LEG", "L-2")) == ("8", "92")
    assert station.faults() == []


def test_undoing_the_close_after_a_return_is_trued_up(tmp_path: Path) -> None:
    """BF-31, BF-4: 3 extra and 2 of them back; the second close takes in the one that is left."""
    station = chairs(tmp_path)
    by_hand(station, "%EXTRA SPILL", "LEG|L-2", "3")
    station.scan("WO-1")
    by_hand(station, "%RETURN", "LEG|L-2", "2")
    assert said(station.scan("%UNDO")) == ("recorded", None)
    station.scan("WO-1")
    assert (issued(station), cost_of_legs(station)) == ("40", "41")
    assert station.faults() == []
    rows = station.db.conn.execute(
        "SELECT sum(quantity_micro) FROM edge WHERE line_id = 0"
    ).fetchone()
    assert rows == (1_000_000,)


@pytest.mark.parametrize("status", ["hold", "planned"])
def test_an_order_that_waits_gives_nothing_back(tmp_path: Path, status: str) -> None:
    """BF-10: what is on hold stays as it is until somebody decides."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "4")
    station.db.conn.execute("UPDATE work_order SET status = ? WHERE work_order = 'WO-1'", [status])
    outcome = refusal(station, "%RETURN", "LEG|L-2", "1")
    assert outcome.reason == ("order_on_hold" if status == "hold" else "not_released")


def test_what_comes_back_is_in_no_unit_any_more(tmp_path: Path) -> None:
    """BF-10, BF-37: 12 legs are in three chairs, 5 of them come back: the last chair has none of
    them, the one before three. The next chair takes from stock what is then missing."""
    station = chairs(tmp_path, "CHAIR,A,10,LEG,4,,", product="serial", work_order_serials=SERIALS)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    for serial in ("C-1", "C-2", "C-3"):
        station.scan(serial)
    assert gone_into(station) == {"C-1": 4, "C-2": 4, "C-3": 4}
    back = by_hand(station, "%RETURN", "LEG|L-2", "5")
    assert quantities(back) == [("10", "L-2", "-5")]
    assert (gone_into(station), waiting(station)) == ({"C-1": 4, "C-2": 3}, 0)
    assert quantities(station.scan("C-4")) == [("10", "L-1", "9")]
    assert gone_into(station) == {"C-1": 4, "C-2": 3}
    rows = station.rows("outbox", type="material.issued")
    told = [row["event"]["data"]["material_actuals"][0]["quantity"] for row in rows]
    assert told == ["12", "-4", "-1"]


def test_what_waits_comes_back_first(tmp_path: Path) -> None:
    """BF-10, BF-37: 4 of 12 legs are in a chair; of 9 that come back 8 were not in it yet."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    make(station, 1)
    by_hand(station, "%RETURN", "LEG|L-2", "8")
    assert (gone_into(station), waiting(station)) == ({"WO-1": 4}, 0)
    by_hand(station, "%RETURN", "LEG|L-2", "1")
    assert (gone_into(station), waiting(station)) == ({"WO-1": 3}, 0)
    by_hand(station, "%ISSUE", "LEG|L-2", "2")
    assert (gone_into(station), waiting(station)) == ({"WO-1": 3}, 2)
    station.scan("WO-1")
    assert gone_into(station) == {"WO-1": 5 + 15}


def test_what_comes_back_after_the_close_is_in_no_unit_any_more(tmp_path: Path) -> None:
    """BF-10, BF-37: no later report would take it out; what of an extra part is left stays in."""
    station = chairs(tmp_path)
    by_hand(station, "%EXTRA SPILL", "LEG|L-2", "3")
    make(station, 1)
    by_hand(station, "%EXTRA SPILL", "LEG|L-3", "3")
    station.scan("WO-1")
    before = gone_into(station)["WO-1"]
    by_hand(station, "%RETURN", "LEG|L-2", "2")
    assert (gone_into(station), waiting(station)) == ({"WO-1": before - 2}, 0)
    by_hand(station, "%RETURN", "LEG|L-3", "3")
    assert gone_into(station, "L-3") == {}
    assert station.rows("trace", item="LEG", lot="L-3", direction="forward")[1:] == [
        {"node": {"item": "LEG", "lot": "L-3", "serial": None, "work_order": None, "depth": 0}}
    ]


def test_the_report_that_took_it_in_last_gives_it_back(tmp_path: Path) -> None:
    """BF-10: two reports took 8 legs each into one lot; 10 back are the second's 8 and 2 more."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "16")
    make(station, 2)
    make(station, 2)
    by_hand(station, "%RETURN", "LEG|L-2", "10")
    assert gone_into(station) == {"WO-1": 6}
    assert station.db.conn.execute(OF_REPORTS).fetchall() == [(6,), (0,)]
    rows = station.rows("trace", item="LEG", lot="L-2", direction="forward")
    told = [(row["edge"]["quantity"], row["edge"]["report_id"]) for row in rows if "edge" in row]
    first, second = told[0][1], told[1][1]
    assert told == [("8", first), ("8", second), ("-8", second), ("-2", first)]


def test_a_report_gives_back_only_what_is_still_in_it(tmp_path: Path) -> None:
    """BF-31, invariant 3: of 12 legs in three chairs 5 came back; when the report is taken back 7
    wait, and nothing is in any chair. The next report has them."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    make(station, 3)
    by_hand(station, "%RETURN", "LEG|L-2", "5")
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert (gone_into(station), waiting(station)) == ({}, 7)
    make(station, 1)
    assert (gone_into(station), waiting(station)) == ({"WO-1": 4}, 3)
    by_hand(station, "%RETURN", "LEG|L-2", "7")
    assert (gone_into(station), waiting(station), station.stock("LEG", "L-2")) == ({}, 0, "100")
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert (gone_into(station), issued(station)) == ({}, "0")


def test_a_part_of_a_report_gives_back_its_share_of_what_is_still_in_it(tmp_path: Path) -> None:
    """BF-31: of 7 legs left in three chairs the first taken back gives 2, the next 2, the last 3;
    those that wait go back first."""
    station = chairs(tmp_path)
    by_hand(station, "%ISSUE", "LEG|L-2", "12")
    make(station, 3)
    by_hand(station, "%RETURN", "LEG|L-2", "5")
    for left, waits in ((5, 2), (3, 4)):
        assert said(station.scan("%UNDO WO-1 1")) == ("recorded", None)
        assert (gone_into(station), waiting(station)) == ({"WO-1": left}, waits)
    by_hand(station, "%RETURN", "LEG|L-2", "6")
    assert (gone_into(station), waiting(station)) == ({"WO-1": 1}, 0)
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert (gone_into(station), waiting(station), issued(station)) == ({}, 1, "1")
    by_hand(station, "%RETURN", "LEG|L-2", "1")
    assert (issued(station), station.stock("LEG", "L-2")) == ("0", "100")


def test_every_output_of_a_report_loses_what_comes_back(tmp_path: Path) -> None:
    """BF-30, BF-37: the chips of two chairs have the same legs as the chairs."""
    station = chairs(
        tmp_path,
        items="item,tracking,decimals\nCHAIR,serial,0\nLEG,lot,0\nCHIP,lot,0",
        bom_lines="item,revision,line,component,quantity,role\n"
        "CHAIR,A,10,LEG,4,\nCHAIR,A,90,CHIP,1,by_product",
        receipts="\nR2,LEG,L-2,,LINE,100,2026-11-02,",
        work_order_serials="work_order,serial\nWO-1,C-1\nWO-1,C-2",
        work_orders="work_order,item,quantity,status\nWO-1,CHAIR,2,released",
    )
    by_hand(station, "%EXTRA SPILL", "LEG|L-2", "7")
    station.scan("WO-1")
    assert gone_into(station) == {"C-1": 7, "C-2": 8, "WO-1": 15}
    by_hand(station, "%RETURN", "LEG|L-2", "5")
    assert gone_into(station) == {"C-1": 6, "C-2": 4, "WO-1": 10}
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert (gone_into(station), waiting(station)) == ({}, 2)


def test_an_extra_part_of_rework_comes_back_out_of_its_unit(tmp_path: Path) -> None:
    """BF-28, BF-37: a leg that was extra for a pass of rework comes back out of the chair."""
    station = chairs(
        tmp_path,
        locations="location,kind\nSTORE,store\nSCRAP,scrap\nBENCH,rework",
        reasons="code,kind\nNOISE,rework\nSPILL,extra",
    )
    station.scan("WO-1")
    before = gone_into(station)
    station.scan("%REWORK NOISE")
    make_rework = station.scan("WO-1")
    assert said(make_rework) == ("recorded", None)
    by_hand(station, "%EXTRA SPILL", "LEG|L-3", "2")
    assert station.scan("WO-1").outcome == "completed"
    assert gone_into(station, "L-3") == {"WO-1": 2}
    by_hand(station, "%RETURN", "LEG|L-3", "1")
    assert gone_into(station, "L-3") == {"WO-1": 1}
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert (gone_into(station, "L-3"), waiting(station)) == ({}, 1)
    assert gone_into(station) == before


def test_pegs_that_come_back_count_for_what_they_did(tmp_path: Path) -> None:
    """BF-29: 6 pegs are 4 legs of a chair; 2 pegs back leave 2 legs, and 4 pegs in the chair."""
    station = open_station(
        tmp_path,
        plant(
            items="item,tracking\nCHAIR,lot\nLEG,lot\nPEG,lot",
            boms="item,revision\nCHAIR,A",
            bom_lines="item,revision,line,component,quantity\nCHAIR,A,10,LEG,4",
            bom_substitutes="item,revision,line,substitute,ratio\nCHAIR,A,10,PEG,1.5",
            receipts="reference,item,lot,location,quantity\nR1,LEG,L-1,LINE,90\nR2,PEG,P-1,LINE,30",
            work_orders="work_order,item,quantity,status\nWO-1,CHAIR,10,released",
        ),
    )
    station.scan("%START WO-1")
    by_hand(station, "%ISSUE", "PEG|P-1", "9")
    make(station, 1)
    assert (gone_into(station, "P-1"), waiting(station)) == ({"WO-1": 6}, 3)
    by_hand(station, "%RETURN", "PEG|P-1", "5")
    assert (gone_into(station, "P-1"), waiting(station), issued(station)) == ({"WO-1": 4}, 0, "2")
    make(station, 1)
    assert (gone_into(station, "P-1"), issued(station)) == ({"WO-1": 4}, "8")
    assert gone_into(station, "L-1") == {"WO-1": 6}

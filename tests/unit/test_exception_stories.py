"""An exception in full (issue 5, 1): cause, evidence, worth, duty, tries, and what may end it."""

from pathlib import Path
from typing import Any

import pytest

from mes_terminal.domain.duties import DutyRule
from mes_terminal.domain.rules import StationRules
from mes_terminal.usecases.assign_exceptions import assign_exceptions
from mes_terminal.usecases.fail_scan import conclude_failed
from tests.plants import Row, Station, open_station, plant

CHAIR = plant(
    items="""
        item,tracking,standard_cost,cost_per
        CHAIR,lot,40,
        LEG,lot,1.25,
        TUBE,lot,,
        BOLT,none,3,100
        """,
    boms="item,revision\nCHAIR,A",
    bom_lines="""
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        CHAIR,A,20,BOLT,8
        """,
    bom_substitutes="item,revision,line,substitute,ratio\nCHAIR,A,10,TUBE,1/2",
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,10,released
        WO-2,CHAIR,10,released
        """,
    locations="location,kind\nSTORE,store\nSCRAP,scrap",
    operators="badge,name,role\nAK,Anna,operator\nSUP,Sue,supervisor\nQA,Kim,quality",
    shifts="shift,start,end\nA,06:00,14:00\nN,22:00,06:00",
)
RULES = StationRules(
    mode="test",
    station="ST02",
    currency="EUR",
    duties={
        "shortage": DutyRule(owner="planner", due_h=4, escalate_to="SUP"),
        "unknown_code": DutyRule(owner="SUP"),
    },
)


def chairs(folder: Path, receipts: str = "", rules: StationRules = RULES, **more: str) -> Station:
    """Ten chairs want 40 legs of lots and 80 bolts; the receipts say what of it is there."""
    bolts = "R0,BOLT,,LINE,200,2026-11-01"
    rows = f"reference,item,lot,location,quantity,effective_at\n{bolts}\n{receipts}"
    return open_station(folder, CHAIR | plant(receipts=rows, **more), rules)


def story(station: Station, exception_id: int = 1) -> Row:
    return station.rows("exception_stories", ids=str(exception_id))[0]


def test_a_story_names_the_scan_the_shift_and_the_person(tmp_path: Path) -> None:
    """Evidence: what was scanned, when, by which device, on which production day and shift."""
    station = chairs(tmp_path)
    report = station.scan("WO-1", badge="AK")
    told = story(station)
    assert (told["scan_code"], told["scan_id"], told["device"]) == (
        "WO-1", report.scan_id, "test",
    )  # fmt: skip
    assert told["scanned_at"] == told["opened_at"] == station.now
    assert (told["person"], told["station"]) == ("Anna", "ST02")
    assert (told["production_day"], told["shift"]) == ("20261120", "A")
    assert (told["work_order"], told["line"], told["item"]) == ("WO-1", "10", "LEG")


def test_a_night_shift_belongs_to_the_day_it_began(tmp_path: Path) -> None:
    """BF-33."""
    station = chairs(tmp_path)
    station.scan("WO-1", at="2026-11-21T01:00:00.000000Z")
    assert (story(station)["production_day"], story(station)["shift"]) == ("20261120", "N")


@pytest.mark.parametrize(
    ("receipts", "scans", "code", "why"),
    [
        ("", [], "shortage:no_stock", "nothing of it was there"),
        ("R1,LEG,L-OLD,LINE,90,2026-11-01", [], "shortage:expired", "had expired"),
        ("R1,LEG,L-HELD,LINE,90,2026-11-01", [], "shortage:held", "on hold"),
        ("R1,LEG,L-1,LINE,90,2026-12-01", [], "shortage:not_arrived", "arrived later"),
    ],
)
def test_the_cause_of_a_shortage_is_a_stable_word(
    tmp_path: Path, receipts: str, scans: list[str], code: str, why: str
) -> None:
    lots = "item,lot,expires_on,status\nLEG,L-OLD,2026-11-10,\nLEG,L-HELD,,hold"
    station = chairs(tmp_path, receipts, lots=lots)
    for each in (*scans, "WO-1"):
        station.scan(each, badge="AK")
    told = story(station)
    assert told["cause_code"] == code
    assert told["blocking"].startswith("40 pcs of LEG missing at LINE: ")
    assert why in told["blocking"]
    (row,) = station.rows("exceptions")
    assert row["blocking"] == "40 pcs of LEG missing at LINE", "the list stays as it is"


def test_a_line_that_must_be_mounted_says_that_nothing_was(tmp_path: Path) -> None:
    """BF-17: what may end it is mounting, whatever lies there."""
    items = CHAIR["items.csv"].replace(",cost_per", ",cost_per,mount")
    items = items.replace("LEG,lot,1.25,", "LEG,lot,1.25,,required")
    station = chairs(tmp_path, "R1,LEG,L-1,LINE,90,2026-11-01", items=items)
    station.scan("WO-1")
    told = story(station)
    assert told["cause_code"] == "shortage:not_mounted"
    assert [each["how"] for each in told["proposals"]] == ["mount", "write_off"]


def test_what_is_missing_is_worth_its_standard_cost(tmp_path: Path) -> None:
    """40 legs at 1.25; half a cent rounds up; without a cost nobody knows."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    assert (story(station)["value"], story(station)["currency"]) == ("50.00", "EUR")
    station.db.conn.execute("UPDATE item SET standard_cost_micro = 3, cost_per_micro = 24000")
    assert story(station)["value"] == "0.01", "0.005"
    station.db.conn.execute("UPDATE item SET standard_cost_micro = NULL")
    assert (story(station)["value"], story(station)["currency"]) == (None, None)


def test_what_is_made_beyond_an_order_is_worth_the_product(tmp_path: Path) -> None:
    from mes_terminal.domain.policy import ControlMatrix

    let_pass = ControlMatrix({"over_completion": {"default": "allow"}})
    rules = StationRules(mode="test", currency="EUR", policy=let_pass)
    station = chairs(tmp_path, "R1,LEG,L-1,LINE,90,2026-11-01", rules)
    station.scan("%QTY 12")
    station.scan("WO-1")
    told = next(row for row in station.rows("exception_rows", kind="over_completion"))
    assert (told["quantity"], told["value"]) == ("2", "80.00")
    assert told["cause_code"] == "over_completion:beyond_tolerance"
    assert [each["how"] for each in told["proposals"]] == ["write_off"]


def test_it_is_the_owners_of_its_kind_until_it_is_due_and_then_goes_further(
    tmp_path: Path,
) -> None:
    """`exceptions.<kind>.owner`, `.due_h`, `.escalate_to`; a badge is shown by its name."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    told = story(station)
    assert (told["owner"], told["assigned"], told["escalated_to"]) == ("planner", None, None)
    assert told["due_at"] == "2026-11-20T12:00:01.000000Z"
    station.clock = station.clock.replace(hour=12)
    assert story(station)["escalated_to"] == "Sue"
    station.scan("NO-SUCH-CODE")
    unknown = story(station, 2)
    assert (unknown["owner"], unknown["due_at"], unknown["escalated_to"]) == ("Sue", None, None)


def test_who_it_is_assigned_to_comes_before_the_owner_and_changes_no_due_time(
    tmp_path: Path,
) -> None:
    station = chairs(tmp_path)
    station.scan("WO-1")
    due_at = story(station)["due_at"]
    assign_exceptions(station.db, [1], to="AK", by="SUP", rules=RULES, now=station.now)
    told = story(station)
    assert (told["owner"], told["assigned"], told["due_at"]) == ("Anna", "AK", due_at)


def test_each_change_that_did_not_end_it_counts_as_one_try(tmp_path: Path) -> None:
    """BF-22: a receipt that came too late, for parts of two reports, is tried once."""
    station = chairs(tmp_path)
    for code in ("%QTY 4", "WO-1", "%QTY 6", "WO-1"):
        station.scan(code)
    assert story(station)["tries"] == 0
    for number in (1, 2):
        row = f"R{number},LEG,L-{number},LINE,90,2026-12-0{number}"
        station.load(
            plant(receipts=f"reference,item,lot,location,quantity,effective_at\n{row}"),
            at=station.now,
        )
        station.heal()
        assert story(station)["tries"] == number
    assert story(station)["status"] == "open"


def test_of_a_code_the_tries_are_its_scans(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    for _ in range(3):
        station.scan("NO-SUCH-CODE")
    told = story(station)
    assert (told["kind"], told["tries"], told["quantity"]) == ("unknown_code", 3, "3")
    assert told["value"] is None, "scans are worth nothing"
    assert [each["how"] for each in told["proposals"]] == ["load", "scan_again", "write_off"]


def test_proposals_begin_with_what_is_likeliest(tmp_path: Path) -> None:
    """BF-22, BF-23, BF-29: own stock at its place, a substitute of the line, stock elsewhere."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    rows = [
        "R7,LEG,L-7,LINE,5,2026-11-01",
        "R1,LEG,L-6,LINE,30,2026-11-20T12:00:00Z",
        "R2,TUBE,T-1,LINE,50,2026-11-01",
        "R3,LEG,L-8,STORE,70,2026-11-02",
    ]
    station.load(
        plant(receipts="\n".join(["reference,item,lot,location,quantity,effective_at", *rows])),
        at=station.now,
    )
    told = story(station)
    assert [
        (each["how"], each["item"], each["lot"], each["quantity"], each["location"])
        for each in told["proposals"]
    ] == [
        ("post", "LEG", "L-7", "5", "LINE"),
        ("lot", "LEG", "L-6", "30", "LINE"),
        ("item", "TUBE", "T-1", "50", "LINE"),
        ("move", "LEG", "L-8", "70", "STORE"),
        ("write_off", None, None, None, None),
    ]
    assert told["proposals"][1]["why"] == "L-6 arrived later; name it if it was used"


def test_what_was_there_when_it_was_reported_is_proposed_as_it_was(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("WO-1")
    row = "R1,LEG,L-1,LINE,30,2026-11-01"
    station.load(
        plant(receipts=f"reference,item,lot,location,quantity,effective_at\n{row}"), at=station.now
    )
    assert [each["how"] for each in story(station)["proposals"]] == ["post", "write_off"]


def test_what_has_ended_has_no_duty_no_worth_and_nothing_to_end(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("WO-1")
    station.scan("%UNDO")
    told = story(station)
    assert told["status"] == "voided"
    empty = ("due_at", "escalated_to", "value", "currency", "blocking")
    assert [told[each] for each in empty] == [None] * len(empty)
    assert told["proposals"] == []


def test_a_failed_scan_says_what_was_scanned_even_where_it_is_no_text(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    scan = station.journal(b"A\xff\x1b", badge="AK")
    conclude_failed(station.db, scan, RULES, "KeyError: 'x'")
    told: dict[str, Any] = story(station)
    assert told["scan_code"] == "A\ufffd\x1b"
    assert (told["cause_code"], told["cause"], told["tries"]) == (
        "failed_scan:fault", "KeyError: 'x'", 1,
    )  # fmt: skip
    assert [each["how"] for each in told["proposals"]] == ["post", "write_off"]

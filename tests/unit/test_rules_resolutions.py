"""How a person ends an exception: posted, posted changed, written off (BF-22, BF-23)."""

from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from mes_terminal.domain.healing import Decision
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.domain.policy import ControlMatrix
from mes_terminal.domain.resolving import Resolved, may_decide
from mes_terminal.errors import InputError
from mes_terminal.usecases.authenticate import begin_try
from mes_terminal.usecases.resolve_exceptions import (
    check_decision,
    rehearse_resolutions,
    resolve_exception,
)
from tests.plants import TEST_RULES, Row, Station, open_station, plant, said

CHAIR = plant(
    items="""
        item,tracking,kind,uom,decimals
        CHAIR,lot,,,
        STOOL,serial,,,
        LEG,lot,,,
        LEG-B,lot,,,
        TUBE,lot,,,
        BOLT,none,,,
        SCREW,none,,,
        ROD,none,,m,3
        MOTOR,serial,,,
        """,
    boms="item,revision\nCHAIR,A\nSTOOL,A",
    bom_lines="""
        item,revision,line,component,quantity,scrap_pct
        CHAIR,A,10,LEG,4,
        CHAIR,A,20,BOLT,8,25
        STOOL,A,10,LEG,3,
        """,
    bom_substitutes="item,revision,line,substitute,ratio\nCHAIR,A,10,TUBE,1/2",
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,10,released
        WO-2,CHAIR,10,released
        WO-S,STOOL,2,released
        """,
    work_order_serials="work_order,serial\nWO-S,S-1\nWO-S,S-2",
    lots="item,lot,expires_on,status\nLEG,L-OLD,2026-11-10,\nLEG,L-HELD,,hold\nLEG,L-NEW,2026-12-31,",
    locations="location,kind\nSTORE,store\nSCRAP,scrap",
    operators="badge,name,role\nAK,Anna,operator\nSUP,Sue,supervisor\nQA,Kim,quality",
    reasons="code,kind\nGONE,write_off\nBENT,scrap",
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,LEG,L-1,LINE,28,2026-11-01
        R2,BOLT,,LINE,100,2026-11-01
        """,
)
"""A chair takes 4 legs, of lots, and 8 bolts of none, 2 more planned as scrap; a tube makes two
legs. For ten chairs 12 legs are missing, which seven chairs do not lack."""

AFTER = "2026-11-20T12:00:00Z"


def chairs(folder: Path, **changed: str) -> Station:
    return open_station(folder, CHAIR | plant(**changed))


def receive(station: Station, reference: str, item: str, lot: str, quantity: str) -> None:
    """Book a receipt at the line, which arrives after every report here."""
    row = f"{reference},{item},{lot},LINE,{quantity},{AFTER}"
    station.load(
        plant(receipts=f"reference,item,lot,location,quantity,effective_at\n{row}"), at=station.now
    )
    station.heal()


def decision(**words: str) -> Decision:
    if "reason" in words:
        return Decision(how="write_off", **words)
    return Decision(how="change", **words) if words else Decision(how="post")


def resolve(
    station: Station, exception_id: int = 1, /, *, by: str = "SUP", **words: str
) -> Resolved:
    chosen = decision(**words)
    check_decision(station.db, [exception_id], chosen, by=by)
    before = station.ledger()
    ended = resolve_exception(
        station.db, exception_id, chosen, by=by, rules=station.rules, now=station.now
    )
    if ended.outcome in ("refused", "already_done"):
        assert station.ledger() == before, "a refusal writes nothing"
    assert station.faults() == []
    return ended


def told(ended: Resolved) -> tuple[str, str]:
    return ended.outcome, ended.message


def events(station: Station) -> list[Row]:
    return [row["event"]["data"] for row in station.rows("outbox", type="exception.resolved")]


def state(station: Station) -> dict[str, Any]:
    """Return what a reversal restores."""
    lines = station.db.conn.execute(
        "SELECT line_id, issued_micro, scrapped_micro, owed_micro, owed_scrap_micro, "
        "written_off_micro, written_off_scrap_micro FROM order_line"
    )
    return {
        "stock": station.rows("stock"),
        "orders": station.rows("orders"),
        "lines": lines.fetchall(),
    }


def test_a_lot_that_a_person_names_is_assumed_in_genealogy(tmp_path: Path) -> None:
    """BF-22, BF-23, BF-37: it arrived after the chairs were made, so it is only proposed."""
    station = chairs(tmp_path)
    report = station.scan("WO-1")
    receive(station, "R9", "LEG", "L-9", "50")
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "12")]
    ended = resolve(station, lot="L-9")
    assert told(ended) == ("posted", "12 pcs of LEG posted from L-9")
    (drawn,) = ended.posted
    assert (drawn.line, drawn.lot, drawn.quantity, drawn.certainty) == (
        "10",
        "L-9",
        "12",
        "assumed",
    )
    (row,) = station.rows("exceptions")
    assert (row["status"], row["quantity"]) == ("resolved", "0")
    assert row["resolution"] == "posted by SUP: 12 pcs from L-9"
    assert station.stock("LEG", "L-9") == "38"
    line = station.line("WO-1", "10")
    assert (line["issued"], line["owed"]) == ("40", "0")
    assert station.edges()[-2:] == [
        ("WO-1", "unknown", "10", "-12", "unknown"),
        ("WO-1", "L-9", "10", "12", "assumed"),
    ]
    issue = station.rows("movements")[-1]
    assert (issue["kind"], issue["report_id"], issue["scan_id"]) == (
        "issue", report.report_id, None,
    )  # fmt: skip


def test_the_event_says_who_decided_what_and_for_which_report(tmp_path: Path) -> None:
    """BF-23, invariant 7: upstream learns the consumption and that the demand is gone."""
    station = chairs(tmp_path)
    report = station.scan("WO-1", badge="AK")
    receive(station, "R9", "LEG", "L-9", "50")
    resolve(station, lot="L-9")
    (data,) = events(station)
    assert (data["report_id"], data["work_order"], data["person"]) == (
        report.report_id, "WO-1", "SUP",
    )  # fmt: skip
    assert data["decision"] == {
        "how": "change", "lot": "L-9", "item": None, "quantity": None, "reason": None,
    }  # fmt: skip
    assert data["fixed_by"] is None
    (actual,) = data["material_actuals"]
    assert (actual["use"], actual["lot"], actual["quantity"]) == ("Consumed", "L-9", "12")
    assert data["exceptions"] == [
        {"id": 1, "kind": "shortage", "line": "10", "item": "LEG", "quantity": "-12"}
    ]
    (audited,) = station.rows("audit", type="exception.resolved")
    assert audited["person"] == "SUP"


def test_a_lot_that_has_too_little_posts_what_it_has(tmp_path: Path) -> None:
    """BF-19, BF-23: nothing goes below zero, the rest stays open."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "LEG", "L-9", "5")
    ended = resolve(station, lot="L-9")
    assert told(ended) == ("partly_posted", "5 pcs of LEG posted from L-9; 7 pcs still open")
    assert ended.open == "7"
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "7")]
    receive(station, "R10", "LEG", "L-10", "50")
    assert resolve(station, lot="L-10").outcome == "posted"
    assert station.stock("LEG", "L-9") == "0"
    assert station.stock("LEG", "L-10") == "43"


@pytest.mark.parametrize(
    ("lot", "why"),
    [
        ("L-404", "LEG has no lot L-404"),
        ("L-NEW", "Nothing of LEG L-NEW is at LINE in the books"),
        ("L-HELD", "LEG L-HELD was on hold already when it was reported"),
        ("L-OLD", "LEG L-OLD had expired on 2026-11-10 when it was reported"),
    ],
)
def test_a_lot_that_could_not_have_been_used_is_refused(tmp_path: Path, lot: str, why: str) -> None:
    """BF-16, BF-22: hold and expiry are judged as of the report."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    for number, name in enumerate(("L-HELD", "L-OLD"), start=20):
        receive(station, f"R{number}", "LEG", name, "50")
    assert told(resolve(station, lot=lot)) == ("refused", why)
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "12")]


def test_a_lot_that_was_held_only_afterwards_may_be_named(tmp_path: Path) -> None:
    """BF-22: it may be in the chairs, and a recall must find it."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "LEG", "L-9", "50")
    for code in ("%HOLD", "LEG|L-9"):
        station.scan(code, badge="QA")
    assert resolve(station, lot="L-9").outcome == "posted"
    assert station.stock("LEG", "L-9") == "38"


def test_post_takes_only_what_the_rules_of_healing_find(tmp_path: Path) -> None:
    """BF-22, BF-23: a lot that came later must be named."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "LEG", "L-9", "50")
    assert told(resolve(station)) == (
        "refused",
        "No lot of LEG that is left was at LINE when it was reported. Name the lot that was used: "
        "L-9",
    )
    row = "R10,LEG,L-1,LINE,12,2026-11-01"
    station.load(
        plant(receipts=f"reference,item,lot,location,quantity,effective_at\n{row}"), at=station.now
    )
    assert told(resolve(station)) == ("posted", "12 pcs of LEG posted from L-1")
    station.heal()
    assert station.stock("LEG", "L-1") == "0"


def test_nothing_there_is_said(tmp_path: Path) -> None:
    """BF-23."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    assert told(resolve(station)) == (
        "refused", "There is no LEG at LINE. Bring some, name another item, or write this off",
    )  # fmt: skip


def test_an_item_that_the_line_lists_counts_by_its_ratio(tmp_path: Path) -> None:
    """BF-4, BF-23, BF-29: half a tube is a leg; genealogy names what was used."""
    station = chairs(tmp_path)
    before = state(station)
    station.scan("WO-1")
    receive(station, "R9", "TUBE", "T-1", "50")
    ended = resolve(station, item="TUBE", lot="T-1")
    assert told(ended) == ("posted", "6 pcs of TUBE posted from T-1")
    assert station.stock("TUBE", "T-1") == "44"
    line = station.line("WO-1", "10")
    assert (line["issued"], line["owed"]) == ("40", "0")
    assert station.edges()[-2:] == [
        ("WO-1", "unknown", "10", "-12", "unknown"),
        ("WO-1", "T-1", "10", "6", "assumed"),
    ]
    assert station.rows("exceptions")[0]["resolution"] == "posted by SUP: 6 pcs of TUBE from T-1"
    (data,) = events(station)
    assert [(a["item"], a["quantity"]) for a in data["material_actuals"]] == [("TUBE", "6")]
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert station.stock("TUBE", "T-1") == "50"
    assert state(station)["lines"] == before["lines"]
    assert station.faults() == []


def test_an_item_that_is_not_listed_counts_one_for_one(tmp_path: Path) -> None:
    """BF-23, BF-29."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "LEG-B", "B-1", "50")
    assert told(resolve(station, item="LEG-B", lot="B-1")) == (
        "posted", "12 pcs of LEG-B posted from B-1",
    )  # fmt: skip
    assert station.line("WO-1", "10")["issued"] == "40"


def test_an_untracked_item_stands_in_for_a_lot_and_the_unknown_edge_goes(tmp_path: Path) -> None:
    """BF-23, BF-37: it has no lot that genealogy could name."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "SCREW", "", "50")
    assert resolve(station, item="SCREW").outcome == "posted"
    assert station.edges()[-1] == ("WO-1", "unknown", "10", "-12", "unknown")
    assert station.stock("SCREW") == "38"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"item": "NONE"}, "There is no item NONE"),
        ({"item": "LEG-B"}, "LEG-B is kept by lot. Name the lot that was used, too"),
        ({"item": "SCREW", "lot": "X"}, "SCREW is not kept by lot. Leave the lot out"),
        ({"item": "SCREW"}, "There is no SCREW at LINE"),
        ({"item": "MOTOR"}, "MOTOR has serial numbers. Scan the one that was used"),
        (
            {"item": "ROD"},
            "ROD is counted in m, LEG in pcs, and the line does not list it as a substitute with "
            "its ratio",
        ),
    ],
)
def test_an_item_that_cannot_stand_in_is_refused(
    tmp_path: Path, words: dict[str, str], why: str
) -> None:
    """BF-2, BF-18, BF-23."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    assert told(resolve(station, **words)) == ("refused", why)


def test_a_lot_cannot_stand_in_for_an_item_that_has_none(tmp_path: Path) -> None:
    """BF-23, BF-37: genealogy of the report has no place for it."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R1,LEG,L-1,LINE,100,2026-11-01")  # fmt: skip
    station.scan("WO-1")
    receive(station, "R9", "LEG-B", "B-1", "500")
    assert told(resolve(station, item="LEG-B", lot="B-1")) == (
        "refused",
        "Genealogy has no place for LEG-B by lot where BOLT has none. Issue it with EXTRA, then "
        "write this off",
    )


def test_what_was_not_used_is_owed_no_longer_and_is_in_no_chair(tmp_path: Path) -> None:
    """BF-4, BF-23, BF-37: of 12 legs 8 were really used; the next report does not take the rest."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "LEG", "L-9", "50")
    ended = resolve(station, quantity="8", lot="L-9")
    assert told(ended) == ("posted", "8 pcs of LEG posted from L-9; 4 pcs not used")
    assert (ended.written_off, ended.open) == ("4", None)
    assert station.rows("exceptions")[0]["resolution"] == (
        "posted by SUP: 8 pcs from L-9; 4 not used"
    )
    line = station.line("WO-1", "10")
    assert (line["issued"], line["owed"]) == ("36", "0")
    assert sum(int(edge[3]) for edge in station.edges() if edge[1] == "unknown") == 0
    assert station.stock("LEG", "L-9") == "42"


@pytest.mark.parametrize(
    ("quantity", "why"),
    [
        ("13", "Only 12 pcs are open. Issue what was used beyond that with EXTRA"),
        ("0.5", "LEG is counted in steps of 1 pcs"),
        ("9", "Only 5 pcs of LEG can be posted; bring the rest to LINE first"),
    ],
)
def test_a_quantity_that_cannot_be_is_refused(tmp_path: Path, quantity: str, why: str) -> None:
    """BF-5, BF-19, BF-23: all of what was used posts, or nothing."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "LEG", "L-9", "5")
    assert told(resolve(station, quantity=quantity, lot="L-9")) == ("refused", why)


def test_a_write_off_counts_as_taken_and_genealogy_stays_unknown(tmp_path: Path) -> None:
    """BF-4, BF-21, BF-23: the legs are in the chairs; nobody knows from where."""
    station = chairs(tmp_path)
    station.scan("%QTY 8")
    station.scan("WO-1")
    ended = resolve(station, reason="GONE")
    assert told(ended) == ("written_off", "4 pcs of LEG written off: GONE")
    assert station.rows("exceptions")[0]["resolution"] == "written off by SUP: GONE"
    line = station.line("WO-1", "10")
    assert (line["issued"], line["owed"]) == ("28", "0")
    assert ("WO-1", "unknown", "10", "4", "unknown") in station.edges()
    station.scan("WO-1")
    assert station.exceptions(open="yes") == [("shortage", "open", "10", "LEG", "8")], "two chairs"
    (audited,) = station.rows("audit", type="exception.resolved")
    assert (audited["person"], audited["reason"]) == ("SUP", "GONE")


@pytest.mark.parametrize(
    "words",
    [{"reason": "GONE"}, {"lot": "L-9"}, {"quantity": "8", "lot": "L-9"}],
    ids=["written off", "named", "changed"],
)
def test_a_reversal_takes_back_what_a_person_decided(tmp_path: Path, words: dict[str, str]) -> None:
    """BF-23, BF-31, invariant 3: every balance, order and line is as before; genealogy is zero."""
    station = chairs(tmp_path)
    receive(station, "R9", "LEG", "L-9", "1")
    before = state(station)
    station.scan("WO-1")
    receive(station, "R10", "LEG", "L-9", "49")
    resolve(station, **words)
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert station.faults() == []
    after = state(station)
    assert after["lines"] == before["lines"]
    assert after["orders"] == before["orders"]
    assert station.stock("LEG", "L-9") == "50"
    sums: dict[tuple[str, str], int] = {}
    for child, parent, _, quantity, _ in station.edges():
        sums[child, parent] = sums.get((child, parent), 0) + int(quantity)
    assert set(sums.values()) == {0}
    station.heal()
    assert station.exceptions(open="yes") == []


def test_an_exception_that_grew_ends_report_by_report_the_oldest_first(tmp_path: Path) -> None:
    """BF-20, BF-23: each report keeps what was posted for it."""
    station = chairs(tmp_path)
    station.scan("%QTY 8")
    first = station.scan("WO-1").report_id
    second = station.scan("CHAIR").report_id
    assert station.exceptions() == [("shortage", "open", "10", "LEG", "8")]
    receive(station, "R9", "LEG", "L-9", "6")
    assert resolve(station, lot="L-9").outcome == "partly_posted"
    assert [(e["report_id"], e["exceptions"][0]["quantity"]) for e in events(station)] == [
        (first, "-4"), (second, "-2"),
    ]  # fmt: skip
    resolve(station, reason="GONE")
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert station.stock("LEG", "L-9") == "2", "the second report's two are back"
    line = station.line("WO-1", "10")
    assert (line["issued"], line["owed"]) == ("32", "0")
    assert station.faults() == []


def test_serial_numbers_share_what_a_person_names(tmp_path: Path) -> None:
    """BF-18, BF-37, invariant 6: each unit has its part of the lot."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R1,LEG,L-1,LINE,1,2026-11-01")  # fmt: skip
    station.scan("WO-S")
    receive(station, "R9", "TUBE", "T-1", "50")
    assert resolve(station, item="TUBE", lot="T-1").outcome == "posted"
    named = [edge for edge in station.edges() if edge[1] == "T-1"]
    assert sorted((edge[0], edge[3]) for edge in named) == [("S-1", "2"), ("S-2", "3")]


def test_planned_scrap_is_scrapped_and_written_off_with_the_rest(tmp_path: Path) -> None:
    """BF-4, BF-22, BF-23: what units took posts first."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R1,LEG,L-1,LINE,100,2026-11-01")  # fmt: skip
    station.scan("WO-1")
    assert station.exceptions() == [("shortage", "open", "20", "BOLT", "100")]
    station.load(
        plant(receipts="reference,item,location,quantity,effective_at\nR9,BOLT,LINE,95,2026-11-01"),
        at=station.now,
    )
    ended = resolve(station, quantity="90")
    assert [(c.quantity, c.location) for c in (*ended.posted, *ended.scrapped)] == [
        ("80", "LINE"), ("10", "SCRAP"),
    ]  # fmt: skip
    assert ended.written_off == "10"
    assert station.stock("BOLT", location="SCRAP") == "10"
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert station.stock("BOLT") == "95"
    assert station.faults() == []


def test_only_a_supervisor_ends_a_shortage(tmp_path: Path) -> None:
    """BF-23: quality ends what is about lots."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    for badge, name in (("AK", "Anna"), ("QA", "Kim")):
        assert told(resolve(station, by=badge, reason="GONE")) == (
            "refused", f"{name} may not end shortage. Call a supervisor",
        )  # fmt: skip


def test_quality_ends_what_is_about_lots(tmp_path: Path) -> None:
    """BF-23: a label that says another expiry than the record, but not an unknown code."""
    items = CHAIR["items.csv"].replace("decimals\n", "decimals,gtin\n")
    station = open_station(
        tmp_path,
        CHAIR | {"items.csv": items.replace("LEG,lot,,,\n", "LEG,lot,,,,40123455\n")},
    )
    station.scan("]C101000000401234551727010110L-1")
    station.scan("NO-SUCH-CODE")
    assert [row["kind"] for row in station.rows("exceptions")] == ["label_mismatch", "unknown_code"]
    assert resolve(station, 1, by="QA", reason="GONE").outcome == "written_off"
    assert resolve(station, 2, by="QA", reason="GONE").outcome == "refused"


def test_an_exception_without_stock_is_acknowledged_with_a_reason(tmp_path: Path) -> None:
    """BF-23: it is never deleted, and the same code later opens a new one."""
    station = chairs(tmp_path)
    station.scan("NO-SUCH-CODE")
    station.scan("NO-SUCH-CODE")
    assert told(resolve(station)) == (
        "refused",
        "There is nothing to post for unknown_code. See to it, then write this off with a reason",
    )
    ended = resolve(station, reason="GONE")
    assert (*told(ended), ended.written_off) == (
        "written_off", "unknown_code written off: GONE", "2",
    )  # fmt: skip
    (row,) = station.rows("exceptions")
    assert (row["status"], row["quantity"], row["resolution"]) == (
        "resolved", "0", "written off by SUP: GONE",
    )  # fmt: skip
    (data,) = events(station)
    assert (data["report_id"], data["work_order"], data["material_actuals"]) == (None, None, [])
    assert data["exceptions"][0]["quantity"] == "-2"
    station.scan("NO-SUCH-CODE")
    assert [row["status"] for row in station.rows("exceptions")] == ["resolved", "open"]


def test_a_clock_in_doubt_is_confirmed_at_the_station(tmp_path: Path) -> None:
    """BF-23, BF-33: a write-off would not make it right, and nothing is posted meanwhile."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "LEG", "L-9", "50")
    station.read_clock(station.clock.replace(year=2025))
    (clock,) = station.rows("exceptions", kind="clock")
    assert resolve(station, clock["id"], reason="GONE").outcome == "refused"
    assert told(resolve(station, lot="L-9")) == (
        "refused", "The clock was set back. A supervisor confirms it first",
    )  # fmt: skip


def test_a_supervisor_confirms_the_clock_from_the_desk_too(tmp_path: Path) -> None:
    """BF-23, BF-33: what can expire is used again; a quality engineer may not say so."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R9", "LEG", "L-9", "50")
    station.read_clock(station.clock.replace(year=2025))
    (clock,) = station.rows("exceptions", kind="clock")
    assert resolve(station, clock["id"], by="QA").outcome == "refused"
    assert told(resolve(station, clock["id"])) == (
        "posted", f"The clock reads {station.now}, and that is right",
    )  # fmt: skip
    (row,) = station.rows("exceptions", kind="clock")
    assert (row["status"], row["resolution"]) == ("resolved", "confirmed by SUP")
    (event,) = station.rows("audit", type="clock.confirmed")
    assert (event["person"], event["event"]["data"]["detail"]) == ("SUP", {"clock": station.now})
    ends = [each["event"] for each in station.rows("outbox", type="exception.resolved")]
    assert row["id"] in {each["data"]["exceptions"][0]["id"] for each in ends}, (
        "it is posted (UP-9)"
    )
    assert resolve(station, lot="L-9").outcome == "posted"
    assert resolve(station, clock["id"]).outcome == "already_done"


OPENED_BY_HAND = """
    INSERT INTO exception (kind, severity, subject, item_id, quantity_micro, opened_at,
                           opened_event_seq, cause_code, cause)
    VALUES (?, 'warn', 'here', 2, 3000000, ?, 1, ? || ':x', 'x')
"""
REAL = ("shortage", "component_serial", "clock")
"""Kinds that end in ways of their own, told above and with the policies."""


@pytest.mark.parametrize("kind", [each for each in get_args(ExceptionKind) if each not in REAL])
@pytest.mark.parametrize(("by", "role"), [("SUP", "supervisor"), ("QA", "quality"), ("AK", "")])
def test_each_kind_ends_by_who_may_with_a_reason_and_by_nobody_else(
    tmp_path: Path, kind: ExceptionKind, by: str, role: str
) -> None:
    """BF-23: whatever opened it, as a preview said it would."""
    station = chairs(tmp_path)
    station.db.conn.execute(OPENED_BY_HAND, [kind, station.now, kind])
    seen = rehearse_resolutions(
        station.db, [1], decision(reason="GONE"), by=by, rules=station.rules, now=station.now
    )
    ended = resolve(station, by=by, reason="GONE")
    assert [ended] == seen
    may = may_decide(role, kind)
    assert ended.outcome == ("written_off" if may else "refused")
    (row,) = station.rows("exceptions")
    assert row["status"] == ("resolved" if may else "open")
    assert row["resolution"] == (f"written off by {by}: GONE" if may else None)


def test_ending_twice_ends_once(tmp_path: Path) -> None:
    """BF-23."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    resolve(station, reason="GONE")
    assert told(resolve(station, reason="GONE")) == (
        "already_done", "It has ended: written off by SUP: GONE",
    )  # fmt: skip


def test_a_preview_runs_the_same_code_and_leaves_all_as_it_was(tmp_path: Path) -> None:
    """BF-23: the second exception finds what the first leaves."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    station.scan("WO-2")
    receive(station, "R9", "LEG", "L-9", "30")
    before = {name: station.rows(name) for name in ("stock", "exceptions", "audit", "movements")}
    seen = rehearse_resolutions(
        station.db, [1, 2], decision(lot="L-9"), by="SUP", rules=station.rules, now=station.now
    )
    assert [told(each) for each in seen] == [
        ("posted", "12 pcs of LEG posted from L-9"),
        ("partly_posted", "18 pcs of LEG posted from L-9; 22 pcs still open"),
    ]
    assert before == {name: station.rows(name) for name in before}
    assert [told(resolve(station, each, lot="L-9")) for each in (1, 2)] == [
        told(each) for each in seen
    ]


def test_a_person_s_decision_is_not_undone_with_what_it_drew_on(tmp_path: Path) -> None:
    """BF-22, BF-31: unlike what healed by itself, it depends on the report that made it."""
    station = open_station(
        tmp_path,
        plant(
            items="item,tracking,kind\nDESK,lot,\nTOP,lot,\nBOARD,none,",
            boms="item,revision\nDESK,A\nTOP,A",
            bom_lines="item,revision,line,component,quantity,supply_location\n"
            "DESK,A,10,TOP,1,FG\nTOP,A,10,BOARD,1,",
            work_orders="work_order,item,quantity,status\n"
            "WO-D,DESK,1,released\nWO-T,TOP,1,released",
            receipts="reference,item,location,quantity,effective_at\nR1,BOARD,LINE,9,2026-11-01",
            operators="badge,name,role\nSUP,Sue,supervisor",
            locations="location,kind\nSCRAP,scrap",
        ),
    )
    station.scan("WO-D")
    station.scan("WO-T")
    station.heal()
    assert station.exceptions(open="yes") == [("shortage", "open", "10", "TOP", "1")]
    assert resolve(station, lot="WO-T").outcome == "posted"
    refused = station.scan("%UNDO")
    assert said(refused) == ("rejected", "has_dependents")
    assert "used in DESK WO-D" in refused.message


@pytest.mark.parametrize(
    ("words", "by", "ids", "why"),
    [
        ({"reason": "BENT"}, "SUP", [1], "is no reason for a write-off"),
        ({"reason": "GONE"}, "NOBODY", [1], "is not known here"),
        ({"reason": "GONE"}, "SUP", [1, 99], "There is no exception 99"),
        ({"reason": "GONE"}, "SUP", [], "Name 1 to 100 exceptions"),
        ({"reason": "GONE"}, "SUP", [1] * 101, "Name 1 to 100 exceptions"),
        ({"quantity": "-1"}, "SUP", [1], "more than 0"),
        ({"quantity": "x"}, "SUP", [1], "is no number"),
        ({"quantity": "1", "item": "TUBE"}, "SUP", [1], "not both"),
    ],
)
def test_what_no_exception_could_be_ended_by_is_one_sentence(
    tmp_path: Path, words: dict[str, str], by: str, ids: list[int], why: str
) -> None:
    station = chairs(tmp_path)
    station.scan("WO-1")
    with pytest.raises(InputError, match=why):
        check_decision(station.db, ids, decision(**words), by=by)


def test_a_decision_that_says_nothing_or_two_things_is_refused(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("WO-1")
    for chosen in (
        Decision(how="change"), Decision(how="post", lot="L-1"), Decision(how="write_off"),
        Decision(how="post", reason="GONE"),
    ):  # fmt: skip
        with pytest.raises(InputError, match="Say one thing"):
            check_decision(station.db, [1], chosen, by="SUP")


def test_a_person_without_a_pin_cannot_prove_anything(tmp_path: Path) -> None:
    """BF-23: every decision is by badge and PIN."""
    station = chairs(tmp_path)
    with pytest.raises(InputError, match="Sue has no PIN"):
        begin_try(station.db, "SUP", now=station.now)


def counted(folder: Path, screws: str) -> Station:
    """A count that is beyond any tolerance: it waits for a supervisor (BF-32)."""
    station = chairs(folder)
    station.rules = msgspec.structs.replace(station.rules, count_tolerance_pct_micro=0)
    receive(station, "R9", "SCREW", "", "100")
    for code in ("%COUNT LINE", f"%QTY {screws}", "SCREW", "%COUNT"):
        assert said(station.scan(code)) == ("recorded", None)
    return station


@pytest.mark.parametrize("tolerance_pct", [0, 100])
def test_a_count_of_scrap_changes_no_stock_upstream(tmp_path: Path, tolerance_pct: int) -> None:
    """BF-32, BF-35: above it left the stock when it was scrapped, and would leave it twice."""
    station = counted(tmp_path, "100")
    station.rules = msgspec.structs.replace(
        station.rules, count_tolerance_pct_micro=tolerance_pct * 1_000_000
    )
    for code in ("%SCRAP BENT", "%QTY 3", "SCREW", "%COUNT SCRAP", "%QTY 1", "SCREW", "%COUNT"):
        station.scan(code)
    if tolerance_pct == 0:
        (waiting,) = station.rows("exceptions", kind="count_variance", open="yes")
        assert resolve(station, waiting["id"]).outcome == "posted"
        assert [each["exceptions"][0]["id"] for each in events(station)][-1] == waiting["id"]
    (row,) = [each for each in station.rows("stock") if each["location"] == "SCRAP"]
    assert row["quantity"] == "1"
    for each in station.rows("outbox"):
        actuals = each["event"]["data"].get("material_actuals", ())
        assert all(actual["location"] != "SCRAP" for actual in actuals)
    assert station.faults() == []


@pytest.mark.parametrize(("screws", "change"), [("90", "-10"), ("130", "30")])
def test_a_count_that_a_supervisor_approves_is_booked(
    tmp_path: Path, screws: str, change: str
) -> None:
    """BF-23, BF-32: as a difference; what was used since the count stays used."""
    station = counted(tmp_path, screws)
    ended = resolve(station)
    assert told(ended) == ("posted", f"Booked {change} pcs of SCREW at LINE, as counted")
    assert [(each.item, each.quantity) for each in ended.posted] == [("SCREW", change)]
    assert station.stock("SCREW") == screws
    (row,) = station.rows("exceptions")
    assert row["resolution"] == f"posted by SUP: {change} pcs of SCREW at LINE, as counted"
    (data,) = events(station)
    (actual,) = data["material_actuals"]
    assert (actual["use"], actual["quantity"]) == ("Adjusted", change)


def test_a_count_that_is_written_off_leaves_the_books(tmp_path: Path) -> None:
    """BF-23, BF-32."""
    station = counted(tmp_path, "90")
    assert resolve(station, reason="GONE").outcome == "written_off"
    assert station.stock("SCREW") == "100"


def test_stock_that_an_approved_count_found_heals_what_was_owed(tmp_path: Path) -> None:
    """BF-22, BF-32."""
    station = chairs(tmp_path, receipts="reference,item,lot,location,quantity,effective_at\n"
                     "R1,LEG,L-1,LINE,100,2026-11-01\nR2,BOLT,,LINE,90,2026-11-01")  # fmt: skip
    station.rules = msgspec.structs.replace(station.rules, count_tolerance_pct_micro=0)
    station.scan("WO-1")
    for code in ("%COUNT LINE", "%QTY 40", "BOLT", "%COUNT"):
        station.scan(code)
    (waits,) = station.rows("exceptions", kind="count_variance", open="yes")
    assert resolve(station, waits["id"]).outcome == "posted"
    station.heal()
    assert station.exceptions(open="yes") == []
    healed = station.rows("exceptions", kind="shortage")[0]["resolution"]
    assert healed == "posted after decision on BOLT: 10 pcs"


def fans(folder: Path) -> Station:
    """A fan takes a motor with a serial number; the station lets it be unknown (BF-24)."""
    matrix = ControlMatrix(levels={"serial_missing": {"default": "allow"}})
    return open_station(
        folder,
        plant(
            items="item,tracking,kind\nFAN,serial,\nMOTOR,serial,",
            boms="item,revision\nFAN,A",
            bom_lines="item,revision,line,component,quantity\nFAN,A,10,MOTOR,1",
            work_orders="work_order,item,quantity,status\nWO-F,FAN,3,released",
            work_order_serials="work_order,serial\nWO-F,F-1\nWO-F,F-2\nWO-F,F-3",
            receipts="reference,item,serial,location,quantity,effective_at\n"
            "R1,MOTOR,M-1,LINE,1,2026-11-01",
            operators="badge,name,role\nSUP,Sue,supervisor",
            locations="location,kind\nSCRAP,scrap\nREWORK,rework",
        ),
        msgspec.structs.replace(TEST_RULES, policy=matrix),
    )


def test_a_serial_that_nobody_will_find_is_written_off(tmp_path: Path) -> None:
    """BF-4, BF-18, BF-21, BF-23: the fan has a motor, and genealogy says that it is unknown."""
    station = fans(tmp_path)
    before = state(station)
    station.scan("WO-F")
    assert station.exceptions(open="yes") == [("component_serial", "open", "10", "MOTOR", "3")]
    refused = resolve(station, lot="M-1")
    assert told(refused) == (
        "refused",
        "Take the unit into rework and scan the MOTOR that it has, or write this off with a reason",
    )
    assert told(resolve(station, reason="LOST")) == (
        "written_off", "3 pcs of MOTOR written off: LOST",
    )  # fmt: skip
    line = station.line("WO-F", "10")
    assert (line["issued"], line["owed"]) == ("0", "0")
    assert [edge[4] for edge in station.edges()] == ["unknown"] * 3
    assert said(station.scan("%UNDO")) == ("recorded", None)
    assert state(station) == before
    assert station.faults() == []


def test_of_missing_serials_what_rework_filled_is_not_written_off(tmp_path: Path) -> None:
    """BF-18, BF-23, BF-28: one of three fans got its motor."""
    station = fans(tmp_path)
    station.scan("WO-F")
    for code in ("%REWORK LOOSE", "F-2", "M-1", "F-2"):
        station.scan(code)
    assert station.exceptions(open="yes") == [("component_serial", "open", "10", "MOTOR", "2")]
    assert resolve(station, reason="LOST").written_off == "2"
    line = station.db.conn.execute(
        "SELECT issued_micro, owed_micro, written_off_micro FROM order_line"
    )
    assert line.fetchone() == (1_000_000, 0, 2_000_000)


def test_suggestions_come_in_the_order_of_what_is_likely(tmp_path: Path) -> None:
    """BF-22, BF-29: a lot at the line, then what the line lists instead; never what had expired."""
    station = chairs(tmp_path)
    station.scan("WO-1")
    receive(station, "R7", "TUBE", "T-1", "50")
    receive(station, "R8", "LEG", "L-OLD", "50")
    receive(station, "R9", "LEG", "L-9", "50")
    (row,) = station.rows("exceptions")
    assert row["suggestions"] == ["50 pcs of L-9 at LINE", "50 pcs of TUBE T-1 at LINE instead"]

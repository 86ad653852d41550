"""Commands used wrongly: each says one clear sentence, posts nothing and is in the journal.

What a command that waits does with a wrong code: where it is refused the command is over, where it
asks (`needs`) or the code is no code at all, it waits on. The next command takes its place, right
or wrong; `%CANCEL` drops it.
"""

from pathlib import Path

import pytest

from mes_terminal.domain.outcome import Outcome
from tests.plants import Station, empty_database, open_station, plant, said

PLANT = plant(
    items="""
        item,tracking,decimals
        CHAIR,lot,0
        LEG,lot,0
        BOLT,none,0
        GLUE,none,2
        PAINT,lot,2
        EBIKE,serial,0
        MOTOR,serial,0
        TABLE,lot,0
        """,
    boms="item,revision\nCHAIR,A\nEBIKE,A\nTABLE,A",
    bom_lines="""
        item,revision,line,component,quantity,issue_method,operation
        CHAIR,A,10,LEG,4,,
        CHAIR,A,20,BOLT,8,,
        CHAIR,A,30,GLUE,0.5,bulk,
        EBIKE,A,10,MOTOR,1,,
        TABLE,A,10,BOLT,4,,10
        TABLE,A,20,BOLT,1,,30
        """,
    routings="""
        item,revision,operation,backflush_point
        TABLE,A,10,yes
        TABLE,A,20,yes
        TABLE,A,30,yes
        """,
    receipts="""
        reference,item,lot,serial,container,location,quantity,expires_on
        R1,LEG,L-1,,,LINE,20,
        R2,LEG,L-2,,,LINE,100,
        R3,LEG,L-3,,BOX-3,STORE,30,
        R4,BOLT,,,,LINE,500,
        R5,LEG,OLD,,,LINE,50,2026-11-01
        R6,PAINT,P-1,,,LINE,5,
        R7,MOTOR,,M-1,,LINE,1,
        R8,MOTOR,,M-2,,LINE,1,
        R9,LEG,HELD,,,LINE,40,
        RA,LEG,BAD,,,QUARANTINE,10,
        """,
    lots="item,lot,status\nLEG,HELD,hold\nLEG,REJ,rejected",
    work_orders="""
        work_order,item,quantity,status,due_at
        WO-1,CHAIR,10,released,2026-11-25
        WO-HELD,CHAIR,5,hold,2026-11-26
        WO-GONE,CHAIR,5,cancelled,2026-11-26
        WO-SOON,CHAIR,5,planned,2026-11-26
        WO-DONE,CHAIR,1,released,2026-11-24
        WO-E,EBIKE,2,released,2026-11-27
        WO-T,TABLE,6,released,2026-11-28
        WO-T2,TABLE,6,hold,2026-11-28
        """,
    work_order_serials="work_order,serial\nWO-E,E-1\nWO-E,E-2",
    locations="""
        location,kind,station
        STORE,store,
        QUARANTINE,hold,
        SCRAP,scrap,
        BENCH,rework,
        FAR,store,OTHER
        """,
    operators="badge,name,role\nOP,Olga,operator\nQA,Kim,quality",
    reasons="code,kind\nSPILL,extra\nCRACK,scrap\nNOISE,rework\nLATE,short_close",
)
UNKNOWN = ("unknown", None)
AGAIN = ("recorded", None)
BLOCKED = "This station does not allow that. "
"""What the control matrix adds where it blocks."""

Case = tuple[str, tuple[str, str | None], str, str | None]
"""Codes with blanks between (`_` is a blank in a code), the answer to the last of them, a word of
its message, and the command that waits afterwards."""

CASES: dict[str, list[Case]] = {
    "ISSUE": [
        ("%ISSUE WO-1", ("needs", "component"), "an order", "ISSUE"),
        ("%ISSUE L:LINE", ("needs", "component"), "a location", "ISSUE"),
        ("%ISSUE LEG", ("needs", "lot"), "LEG", "ISSUE"),
        ("%ISSUE %ISSUE", AGAIN, "ISSUE", "ISSUE"),
        ("%ISSUE X-9", UNKNOWN, "X-9", "ISSUE"),
        ("%ISSUE %FOO", ("rejected", "unknown_command"), "FOO", "ISSUE"),
        ("%ISSUE %QTY_x", ("rejected", "malformed"), "QTY", "ISSUE"),
        ("%ISSUE %QTY_0", ("rejected", "malformed"), "QTY", "ISSUE"),
        ("%ISSUE LEG|NONE", ("rejected", "lot_unknown"), "LEG|NONE", None),
        ("%ISSUE PAINT|P-1", ("rejected", "wrong_component"), "PAINT", None),
        ("%ISSUE GLUE", ("rejected", "no_effect"), "GLUE", None),
        ("%ISSUE %QTY_1.5 LEG|L-2", ("rejected", "not_a_step"), "LEG", None),
        ("%ISSUE %QTY_41 LEG|L-2", ("rejected", "over_tolerance"), "40", None),
        ("%ISSUE %QTY_21 LEG|L-1", ("rejected", "shortage_blocked"), "16 of 21", None),
        ("%ISSUE LEG|OLD", ("rejected", "lot_expired"), "OLD", None),
        ("%ISSUE LEG|HELD", ("rejected", "lot_on_hold"), "HELD", None),
        ("%ISSUE LEG|REJ", ("rejected", "lot_on_hold"), "REJ", None),
        ("%ISSUE LEG|BAD", ("rejected", "shortage_blocked"), "BAD", None),
        ("%ISSUE M-1", ("rejected", "serial_in_use"), "M-1", None),
        ("%ISSUE M-2", ("rejected", "no_effect"), "unit", None),
    ],
    "EXTRA": [
        ("%EXTRA", ("rejected", "reason_missing"), "reason", None),
        ("%EXTRA_CRACK", ("rejected", "reason_missing"), "CRACK", None),
        ("%EXTRA_SPILL LEG|L-2", ("needs", "quantity"), "L-2", "EXTRA"),
        ("%EXTRA_SPILL WO-1", ("needs", "component"), "an order", "EXTRA"),
        ("%EXTRA_SPILL X-9", UNKNOWN, "X-9", "EXTRA"),
        ("%EXTRA_SPILL %EXTRA_NONE", ("rejected", "reason_missing"), "NONE", None),
        ("%EXTRA_SPILL %QTY_21 LEG|L-1", ("rejected", "shortage_blocked"), "16 of 21", None),
        ("%EXTRA_SPILL %QTY_1 LEG|OLD", ("rejected", "lot_expired"), "OLD", None),
        ("%EXTRA_SPILL %QTY_1 PAINT|P-1", ("rejected", "wrong_component"), "PAINT", None),
        ("%EXTRA_SPILL %QTY_0.5 LEG|L-1", ("rejected", "not_a_step"), "LEG", None),
        ("%EXTRA_SPILL M-1", ("rejected", "serial_in_use"), "M-1", None),
    ],
    "RETURN": [
        ("%RETURN LEG|L-2", ("rejected", "wrong_component"), "L-2", None),
        ("%RETURN WO-1", ("needs", "component"), "an order", "RETURN"),
        ("%RETURN LEG", ("needs", "lot"), "LEG", "RETURN"),
        ("%RETURN X-9", UNKNOWN, "X-9", "RETURN"),
        ("%RETURN %RETURN", AGAIN, "RETURN", "RETURN"),
        ("%ISSUE %QTY_4 LEG|L-2 %RETURN LEG|L-2", ("needs", "quantity"), "L-2", "RETURN"),
        ("%ISSUE %QTY_4 LEG|L-2 %RETURN %QTY_5 LEG|L-2", ("rejected", "over_tolerance"), "4", None),
        (
            "%ISSUE %QTY_4 LEG|L-2 %RETURN %QTY_1 LEG|L-1",
            ("rejected", "wrong_component"),
            "L-1",
            None,
        ),
        (
            "%ISSUE %QTY_4 LEG|L-2 WO-1 %RETURN %QTY_1 LEG|L-2",
            ("rejected", "order_closed"),
            "WO-1",
            None,
        ),
        ("%RETURN LEG|NONE", ("rejected", "lot_unknown"), "LEG|NONE", None),
        ("%RETURN M-1", ("rejected", "wrong_component"), "M-1", None),
    ],
    "SCRAP": [
        ("%SCRAP", ("rejected", "reason_missing"), "reason", None),
        ("%SCRAP_SPILL", ("rejected", "reason_missing"), "SPILL", None),
        ("%SCRAP_CRACK LEG|L-2", ("needs", "quantity"), "L-2", "SCRAP"),
        ("%SCRAP_CRACK L:LINE", ("needs", "component"), "a location", "SCRAP"),
        ("%SCRAP_CRACK X-9", UNKNOWN, "X-9", "SCRAP"),
        ("%SCRAP_CRACK WO-E", ("needs", "serial"), "EBIKE", "SCRAP"),
        ("%SCRAP_CRACK WO-HELD", ("rejected", "order_on_hold"), "WO-HELD", None),
        ("%SCRAP_CRACK WO-GONE", ("rejected", "order_cancelled"), "WO-GONE", None),
        ("%SCRAP_CRACK WO-DONE", ("rejected", "order_closed"), "WO-DONE", None),
        ("%SCRAP_CRACK WO-SOON", ("rejected", "not_released"), "WO-SOON", None),
        ("%SCRAP_CRACK %QTY_11 WO-1", ("rejected", "over_tolerance"), "10", None),
        ("%SCRAP_CRACK %QTY_0.5 WO-1", ("rejected", "not_a_step"), "CHAIR", None),
        ("%SCRAP_CRACK %QTY_21 LEG|L-1", ("rejected", "shortage_blocked"), "16 of 21", None),
        ("%SCRAP_CRACK M-1", ("rejected", "serial_in_use"), "M-1", None),
        ("%SCRAP_CRACK LEG|NONE", ("rejected", "lot_unknown"), "LEG|NONE", None),
    ],
    "MOVE": [
        ("%MOVE", ("rejected", "malformed"), "location", None),
        ("%MOVE_NOWHERE", ("rejected", "malformed"), "NOWHERE", None),
        ("%ISSUE %MOVE_NOWHERE", ("rejected", "malformed"), "NOWHERE", None),
        ("%MOVE_FAR", ("rejected", "malformed"), "FAR", None),
        ("%MOVE_@supplier", ("rejected", "malformed"), "@supplier", None),
        ("%MOVE_SCRAP LEG|L-1", ("rejected", "no_effect"), "SCRAP", None),
        ("%MOVE_STORE X-9", UNKNOWN, "X-9", "MOVE"),
        ("%MOVE_STORE LEG", ("needs", "lot"), "LEG", "MOVE"),
        ("%MOVE_STORE L:LINE", ("needs", "component"), "a location", "MOVE"),
        ("%MOVE_LINE LEG|L-1", ("rejected", "shortage_blocked"), "L-1", None),
        ("%MOVE_STORE %QTY_21 LEG|L-1", ("rejected", "shortage_blocked"), "16 of 21", None),
        ("%MOVE_STORE %QTY_0.5 LEG|L-1", ("rejected", "not_a_step"), "LEG", None),
        ("%MOVE_STORE LEG|BAD", ("rejected", "not_authorised"), "BAD", None),
        ("%MOVE_STORE M-1", ("rejected", "serial_in_use"), "M-1", None),
    ],
    "HOLD": [
        ("%HOLD X-9", UNKNOWN, "X-9", "HOLD"),
        ("%HOLD %HOLD", AGAIN, "HOLD", "HOLD"),
        ("%HOLD LEG", ("needs", "lot"), "LEG", "HOLD"),
        ("%HOLD BOLT", ("rejected", "no_effect"), "BOLT", None),
        ("%HOLD L:LINE", ("needs", "component"), "a location", "HOLD"),
        ("%HOLD LEG|NONE", ("rejected", "lot_unknown"), "LEG|NONE", None),
        ("%HOLD LEG|HELD", ("already_done", None), "HELD", None),
        ("%HOLD LEG|REJ", ("rejected", "lot_on_hold"), "REJ", None),
        ("%HOLD WO-1", ("rejected", "lot_unknown"), "WO-1", None),
        ("%HOLD E-2", ("rejected", "serial_unknown"), "E-2", None),
    ],
    "RELEASE": [
        ("%RELEASE", ("rejected", "not_authorised"), "quality", None),
        ("%HOLD %RELEASE", ("rejected", "not_authorised"), "quality", None),
        ("B:QA %RELEASE LEG|L-1", ("already_done", None), "L-1", None),
        ("B:QA %RELEASE LEG|REJ", ("rejected", "lot_on_hold"), "REJ", None),
        ("B:QA %RELEASE X-9", UNKNOWN, "X-9", "RELEASE"),
        ("B:QA %RELEASE LEG", ("needs", "lot"), "LEG", "RELEASE"),
        ("B:QA %RELEASE BOLT", ("rejected", "no_effect"), "BOLT", None),
        ("B:QA %RELEASE LEG|NONE", ("rejected", "lot_unknown"), "LEG|NONE", None),
        ("B:QA %RELEASE L:LINE", ("needs", "component"), "a location", "RELEASE"),
    ],
    "ASIDE": [
        ("%ASIDE", ("needs", "quantity"), "ASIDE", None),
        ("%ASIDE_much", ("rejected", "malformed"), "much", None),
        ("%EMPTY %ASIDE", ("needs", "quantity"), "ASIDE", None),
        ("%ASIDE_-1", ("rejected", "malformed"), "-1", None),
        ("%ASIDE_5 X-9", UNKNOWN, "X-9", "ASIDE"),
        ("%ASIDE_5 LEG|L-1", ("needs", "component"), "LEG|L-1", "ASIDE"),
        ("BOX-3 %ASIDE_5 LEG|L-1", ("needs", "component"), "LEG|L-1", "ASIDE"),
        ("BOX-3 %ASIDE_0.5 BOX-3", ("rejected", "not_a_step"), "LEG", None),
        ("BOX-3 %ASIDE_5 WO-1", ("needs", "component"), "WO-1", "ASIDE"),
    ],
    "EMPTY": [
        ("%EMPTY X-9", UNKNOWN, "X-9", "EMPTY"),
        ("%EMPTY %EMPTY", AGAIN, "EMPTY", "EMPTY"),
        ("%EMPTY BOX-3", ("needs", "component"), "BOX-3", "EMPTY"),
        ("%EMPTY LEG", ("needs", "component"), "LEG", "EMPTY"),
        ("BOX-3 %EMPTY LEG|L-1", ("needs", "component"), "LEG|L-1", "EMPTY"),
        ("BOX-3 %EMPTY WO-1", ("needs", "component"), "WO-1", "EMPTY"),
        ("BOX-3 %EMPTY BOLT", ("needs", "component"), "BOLT", "EMPTY"),
    ],
    "REWORK": [
        ("%REWORK", ("rejected", "reason_missing"), "reason", None),
        ("%REWORK_SPILL", ("rejected", "reason_missing"), "SPILL", None),
        ("%REWORK_NOISE X-9", UNKNOWN, "X-9", "REWORK"),
        ("%REWORK_NOISE WO-1", ("rejected", "no_effect"), "WO-1", None),
        ("%REWORK_NOISE E-2", ("rejected", "no_effect"), "E-2", None),
        ("%REWORK_NOISE WO-E", ("needs", "serial"), "EBIKE", "REWORK"),
        ("%REWORK_NOISE LEG|L-1", ("rejected", "no_effect"), "L-1", None),
        ("%REWORK_NOISE M-1", ("rejected", "no_effect"), "M-1", None),
        ("%REWORK_NOISE L:LINE", ("needs", "component"), "a location", "REWORK"),
        ("%REWORK_NOISE %QTY_2 WO-DONE", ("rejected", "shortage_blocked"), "1 of 2", None),
        ("%REWORK_NOISE %QTY_0.5 WO-DONE", ("rejected", "not_a_step"), "CHAIR", None),
        ("%REWORK_NOISE E-1 %REWORK_NOISE E-1", ("already_done", None), "E-1", None),
        ("%REWORK_NOISE E-1 %REWORK WO-DONE", ("rejected", "no_effect"), "WO-DONE", None),
    ],
    "OP": [
        ("%OP", ("needs", "quantity"), "operation", None),
        ("%OP_99_WO-T", ("rejected", "malformed"), "99", None),
        ("%OP_10_WO-1", ("rejected", "malformed"), "WO-1", None),
        ("%OP_10_WO-NONE", ("needs", "order"), "WO-NONE", None),
        ("%OP_20_WO-T", ("rejected", "operation_order"), "20", None),
        ("%QTY_7 %OP_10_WO-T", ("rejected", "over_tolerance"), "6", None),
        ("%QTY_0.5 %OP_10_WO-T", ("rejected", "not_a_step"), "TABLE", None),
        ("%OP_10_WO-T2", ("rejected", "order_on_hold"), "WO-T2", None),
        ("%OP_10_WO-T %OP_10_WO-T", ("already_done", None), "10", None),
    ],
    "SHORT": [
        ("%SHORT", ("rejected", "reason_missing"), "reason", None),
        ("%SHORT_CRACK", ("rejected", "reason_missing"), "CRACK", None),
        ("%SHORT_LATE X-9", UNKNOWN, "X-9", "SHORT"),
        ("%SHORT_LATE LEG|L-1", ("needs", "order"), "a lot", "SHORT"),
        ("%SHORT_LATE E-1", ("needs", "order"), "a unit", "SHORT"),
        ("%SHORT_LATE %SHORT_LATE", AGAIN, "SHORT", "SHORT"),
        ("%SHORT_LATE WO-HELD", ("rejected", "order_on_hold"), "WO-HELD", None),
        ("%SHORT_LATE WO-GONE", ("rejected", "order_cancelled"), "WO-GONE", None),
        ("%SHORT_LATE WO-SOON", ("rejected", "not_released"), "WO-SOON", None),
        ("%SHORT_LATE WO-DONE", ("already_done", "order_closed"), "WO-DONE", None),
    ],
}
NOTHING_ACTIVE: list[Case] = [
    ("%ISSUE LEG|L-2", ("needs", "order"), "LEG", "ISSUE"),
    ("%EXTRA_SPILL %QTY_1 LEG|L-2", ("needs", "order"), "LEG", "EXTRA"),
    ("%RETURN %QTY_1 LEG|L-2", ("rejected", "wrong_component"), "L-2", None),
    ("%OP_10", ("needs", "order"), "10", None),
]


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """WO-1 makes chairs and is the active order; WO-DONE is closed; M-1 sits in the bike E-1."""
    station = open_station(tmp_path, PLANT, template=empty_database())
    for code in ("WO-DONE", "E-1", "M-1", "%START WO-1"):
        outcome = station.scan(code)
    assert said(outcome) == ("recorded", None)
    return station


def use(station: Station, codes: str) -> Outcome:
    """Scan the codes; the last of them must book nothing and stand in the journal."""
    *first, last = [code.replace("_", " ") for code in codes.split()]
    for code in first:
        station.scan(code)
    before, scans = station.ledger(), len(station.rows("journal"))
    outcome = station.scan(last)
    after = station.ledger()
    if outcome.outcome == "unknown":  # counted in an exception, which is an event
        before.pop("event")
        after.pop("event")
    assert after == before
    journal = station.rows("journal")
    assert len(journal) == scans + 1
    assert (journal[-1]["outcome"], journal[-1]["reason"]) == said(outcome)
    return outcome


def waits(station: Station) -> str | None:
    row = station.db.conn.execute("SELECT pending_verb FROM station_state").fetchone()
    return None if row[0] is None else str(row[0])


def check(station: Station, case: Case) -> None:
    codes, answer, word, pending = case
    outcome = use(station, codes)
    assert said(outcome) == answer, outcome.message
    assert word in outcome.message
    told = outcome.message.replace(BLOCKED, "")
    assert told.count(". ") <= 1, "one sentence, and that nothing was booked"
    assert outcome.hint
    assert waits(station) == pending
    station.scan("%CANCEL")
    assert waits(station) is None
    assert station.faults() == []


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=case[0]) for cases in CASES.values() for case in cases]
)
def test_wrong_use_says_what_is_wrong_and_books_nothing(station: Station, case: Case) -> None:
    """BF-10, BF-11, BF-16, BF-17, BF-25, BF-27, BF-28."""
    check(station, case)


@pytest.mark.parametrize("case", [pytest.param(case, id=case[0]) for case in NOTHING_ACTIVE])
def test_with_nothing_active_it_is_asked_for(tmp_path: Path, case: Case) -> None:
    """BF-10, BF-11."""
    check(open_station(tmp_path, PLANT, template=empty_database()), case)


def test_each_command_has_six_wrong_uses_at_least() -> None:
    assert {name: len(cases) >= 6 for name, cases in CASES.items()} == dict.fromkeys(CASES, True)

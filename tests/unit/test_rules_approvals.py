"""Approvals by PIN, from the desk, and permits with a box (BF-24, issue 5 parts 3 and 4)."""

from datetime import timedelta
from pathlib import Path
from typing import Any, assert_never, get_args
from zoneinfo import ZoneInfo

import msgspec
import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.permits import time_of_day
from mes_terminal.domain.policy import APPROVAL_DEVICE, ControlMatrix, Situation
from mes_terminal.domain.scan import ScanRequest
from mes_terminal.domain.shifts import Shift, shift_end
from mes_terminal.errors import InputError
from mes_terminal.store.permits import Scope
from mes_terminal.usecases.approve import Answered, answer_request
from mes_terminal.usecases.grant_permit import Granted, Wanted, end_permit, grant_permit
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.hear_answer import PIN_S
from mes_terminal.usecases.journal import journal_scans
from mes_terminal.usecases.lists import read_list
from mes_terminal.usecases.people import set_pin
from tests.plants import TEST_RULES, Row, Station, as_json, open_station, plant, said

PLANT = plant(
    items="""
        item,tracking,over_completion_pct,over_tolerance_pct,under_tolerance_pct
        CHAIR,lot,10,,
        STOOL,lot,,,
        PEGGED,lot,,,
        STAND,lot,,,
        EBIKE,serial,,,
        LEG,lot,,10,
        PEG,lot,,,
        SEAT,none,,,
        MOTOR,serial,,,
        """,
    boms="item,revision\nCHAIR,A\nSTOOL,A\nPEGGED,A\nEBIKE,A\nSTAND,A",
    bom_lines="""
        item,revision,line,component,quantity,issue_method
        CHAIR,A,10,LEG,1,
        CHAIR,A,20,SEAT,1,
        STOOL,A,10,LEG,1,
        PEGGED,A,10,LEG,1,
        EBIKE,A,10,MOTOR,1,
        STAND,A,10,LEG,1,manual
        """,
    bom_substitutes="""
        item,revision,line,substitute,ratio,approval
        PEGGED,A,10,PEG,1,required
        """,
    routings="""
        item,revision,operation,work_centre,setup_minutes,run_minutes,backflush_point
        STOOL,A,10,SAW,0,30,yes
        """,
    work_centres="work_centre\nSAW",
    receipts="""
        reference,item,lot,serial,location,quantity,effective_at,expires_on
        R1,LEG,L-1,,LINE,400,2026-11-01,
        R2,LEG,L-2,,LINE,400,2026-11-01,
        R3,SEAT,,,LINE,1000,2026-11-01,
        R4,PEG,P-1,,LINE,400,2026-11-01,
        R5,MOTOR,,M-1,LINE,1,2026-11-01,2026-11-10
        """,
    lots="item,lot,status,expires_on\nLEG,L-2,available,2026-11-10",
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,10,released
        WO-2,CHAIR,1000,released
        WO-3,STOOL,10,released
        WO-4,EBIKE,1,released
        WO-5,PEGGED,100,released
        WO-6,STAND,2,released
        """,
    work_order_serials="work_order,serial\nWO-4,E-1",
    shifts="shift,start,end,days\nEARLY,06:00,14:00,1234567\nLATE,14:00,22:00,1234567",
    operators="""
        badge,name,role
        AK,Anna,operator
        BO,Bo,operator
        SUE,Sue,supervisor
        TOM,Tom,supervisor
        """,
    reasons="code,kind\nRELEASED,deviation\nJAM,stop",
)
APPROVE: Any = {each: {"default": "approve"} for each in (
    "over_completion", "over_consumption", "under_consumption", "lot_expired", "lot_on_hold",
    "substitute", "shortage", "serial_missing", "reopen", "late_reversal", "implausible_close",
)}  # fmt: skip
HASH = "$argon2id$of-a-pin"
"""The rules are judged after a PIN was proved: only the station reads it."""


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """Chairs take a leg each; lot L-2 of LEG has expired. Everything takes an approval. Sue has a
    PIN, Tom has none."""
    return controlled(tmp_path, APPROVE)


def controlled(folder: Path, levels: Any, **rules: Any) -> Station:
    matrix = ControlMatrix(levels)
    made = open_station(folder, PLANT, msgspec.structs.replace(TEST_RULES, policy=matrix, **rules))
    set_pin(made.db, "SUE", HASH, by=None, rules=made.rules, now=made.now)
    return made


def decide(
    station: Station,
    number: int | None = None,
    *,
    by: str = "SUE",
    refuses: bool = False,
    **wanted: str,
) -> Answered:
    """Answer a question, as the core does once the PIN is proved."""
    station.clock += timedelta(seconds=1)
    return answer_request(
        station.db, number, approves=not refuses, wanted=Wanted(**wanted), by=by,
        rules=station.rules, now=station.now,
    )  # fmt: skip


def again(station: Station, answered: Answered) -> Outcome:
    """Let the station handle the code again, as it does by itself."""
    assert answered.again is not None
    station.clock += timedelta(seconds=1)
    request = ScanRequest(raw=answered.again, device=APPROVAL_DEVICE)
    (scan,) = journal_scans(
        station.db, [request], received_at=station.now, new_id=lambda: f"again-{station.now}"
    )
    return handle_scan(station.db, scan, station.rules)


def permit(
    station: Station,
    situation: Situation = "lot_expired",
    item: str = "LEG",
    *,
    lot: str | None = "L-2",
    work_order: str | None = None,
    by: str = "SUE",
    reason: str = "RELEASED",
    **wanted: str,
) -> Granted:
    scope = Scope(situation=situation, item=item, lot=lot, work_order=work_order)
    return grant_permit(
        station.db, scope, Wanted(reason=reason, **wanted), by=by, rules=station.rules,
        now=station.now,
    )  # fmt: skip


def listed(station: Station, **filters: str) -> list[Row]:
    rows = read_list(station.db, "approvals", filters, rules=station.rules, now=station.now)
    return [as_json(row) for row in rows]


def events(station: Station, kind: str) -> list[dict[str, Any]]:
    """Return (person, second person and) the particulars of each event of a kind."""
    rows = station.db.conn.execute(
        "SELECT person, second_person, body FROM event WHERE type = ? ORDER BY event_seq", [kind]
    )
    return [
        {"by": person, "second": second} | msgspec.json.decode(body)["data"]["detail"]
        for person, second, body in rows
    ]


def status(station: Station) -> str:
    return str(listed(station, kind="question")[0]["status"])


def ask_too_many(station: Station, quantity: int = 12) -> Outcome:
    """Report more of WO-1 than the 11 that 10 and its tolerance allow."""
    station.scan(f"%QTY {quantity}", badge="AK")
    return station.scan("WO-1", badge="AK")


def make(station: Station, quantity: int = 1, order: str = "WO-2") -> Outcome:
    station.scan(f"%QTY {quantity}", badge="AK")
    return station.scan(order, badge="AK")


# At the line, with a PIN ----------------------------------------------------------------------


def test_a_badge_with_a_pin_asks_for_it_and_the_code_is_handled_again(station: Station) -> None:
    """BF-24: badge and PIN sign; the code is one scan more, for who was asked."""
    assert said(ask_too_many(station)) == ("needs", "approval")
    asks = station.scan("B:SUE")
    assert said(asks) == ("needs", "approval")
    assert "PIN" in (asks.hint or "")
    answered = decide(station, by="SUE")
    assert (answered.outcome, answered.again) == ("approved", b"WO-1")
    outcome = again(station, answered)
    assert (said(outcome), outcome.quantity) == (("completed", None), "12")
    (accepted,) = events(station, "deviation.accepted")
    assert (accepted["by"], accepted["second"], accepted["permit"]) == ("AK", "SUE", 1)
    assert accepted["permit_left"] == "0"
    assert status(station) == "used"
    assert station.faults() == []


def test_a_badge_without_a_pin_approves_as_before(station: Station) -> None:
    """BF-24: a plant without PINs; the question is closed with it."""
    ask_too_many(station)
    outcome = station.scan("B:TOM")
    assert (said(outcome), outcome.quantity) == (("completed", None), "12")
    (row,) = listed(station)
    assert (row["status"], row["by"], row["permit"]) == ("used", "TOM", None)
    assert events(station, "signature.given") == []


def test_the_station_waits_a_minute_for_the_pin(station: Station) -> None:
    """BF-24: the question stays as long as its badge is on the way to the screen, no longer."""
    ask_too_many(station, 12)
    station.scan("B:SUE", after_s=9)
    station.clock += timedelta(seconds=PIN_S - 1)
    assert decide(station).again == b"WO-1"

    ask_too_many(station, 13)
    assert said(station.scan("B:SUE", after_s=9)) == ("needs", "approval")
    station.clock += timedelta(seconds=PIN_S)
    late = decide(station, 2)
    assert (late.outcome, late.again) == ("approved", None)


def test_other_work_in_between_drops_the_question_and_keeps_the_request(station: Station) -> None:
    """BF-24: what was asked about 12 is never booked behind another code's back."""
    ask_too_many(station)
    station.scan("B:SUE")
    assert said(make(station, 1, "WO-1")) == ("completed", None)
    answered = decide(station, 1)
    assert (answered.outcome, answered.again) == ("approved", None)
    assert said(ask_too_many(station, 12)) == ("needs", "approval"), "one was made: 12 are 2 more"


def test_an_approved_code_is_not_booked_once_the_station_has_gone_on(station: Station) -> None:
    """BF-24: the quantity that went with it is gone."""
    ask_too_many(station)
    station.scan("B:SUE")
    answered = decide(station)
    station.scan("%QTY 500", badge="AK")
    assert said(again(station, answered)) == ("rejected", "no_effect")
    assert station.order("WO-1")["completed"] == "0"


def test_after_a_stop_in_between_the_next_scan_of_the_code_passes(station: Station) -> None:
    """BF-24: the approval is durable before the code is scanned again."""
    ask_too_many(station)
    station.scan("B:SUE")
    decide(station)
    outcome = station.scan("WO-1", badge="AK")
    assert (said(outcome), outcome.quantity) == (("completed", None), "12")
    assert said(ask_too_many(station)) != ("completed", None), "once"


def test_what_was_answered_before_stays_answered(tmp_path: Path) -> None:
    """BF-24: several situations in one scan; the reason is asked for once."""
    station = controlled(
        tmp_path, {"over_completion": {"default": "reason"}, "shortage": {"default": "approve"}}
    )
    station.scan("%QTY 1200", badge="AK")
    assert said(station.scan("WO-2", badge="AK")) == ("needs", "reason")
    assert said(station.scan("RELEASED", badge="AK")) == ("needs", "approval")
    station.scan("B:SUE")
    outcome = again(station, decide(station))
    assert (said(outcome), outcome.quantity) == (("completed", None), "1200")
    kinds = [
        (each["situation"], each.get("permit")) for each in events(station, "deviation.accepted")
    ]
    assert kinds == [("over_completion", None), ("shortage", 1)]


def test_nobody_approves_a_deviation_of_their_own_by_pin(station: Station) -> None:
    """BF-24."""
    station.scan("%QTY 12", badge="SUE")
    station.scan("WO-1", badge="SUE")
    assert said(station.scan("B:SUE")) == ("rejected", "not_authorised")
    with pytest.raises(InputError, match="of their own"):
        decide(station, 1)
    assert decide(station, 1, by="TOM").outcome == "approved"


@pytest.mark.parametrize("badge", ["AK", "NOBODY", "\x1b[31m", "B" * 500])
def test_only_a_supervisor_answers(station: Station, badge: str) -> None:
    """BF-24, security: an operator, a stranger, and hostile text."""
    ask_too_many(station)
    before = station.ledger()
    with pytest.raises(InputError, match="Only a supervisor"):
        decide(station, 1, by=badge)
    assert station.ledger() == before


def test_a_refusal_ends_the_question_and_books_nothing(station: Station) -> None:
    """BF-24."""
    ask_too_many(station)
    station.scan("B:SUE")
    refused = decide(station, refuses=True, reason="RELEASED")
    assert (refused.outcome, refused.permit) == ("refused", None)
    assert status(station) == "refused"
    assert decide(station, 1).outcome == "already_done"
    assert station.order("WO-1")["completed"] == "0"
    ((event),) = events(station, "deviation.refused")
    assert (event["by"], event["reason"], event["asked"]) == ("SUE", "RELEASED", "AK")


def test_cancelling_withdraws_the_question(station: Station) -> None:
    """BF-24."""
    ask_too_many(station)
    station.scan("%CANCEL", badge="AK")
    assert status(station) == "withdrawn"
    assert decide(station, 1).outcome == "already_done"


def test_what_was_let_pass_at_the_line_stays_for_the_stay(station: Station) -> None:
    """BF-24: a PIN approves what a badge does: a lot is drawn from as long as it stays."""
    assert said(station.scan("LEG|L-2", badge="AK")) == ("needs", "approval")
    station.scan("B:SUE")
    assert said(again(station, decide(station))) == ("recorded", None)
    for _ in range(3):
        outcome = make(station)
        assert [(each.lot, each.quantity) for each in outcome.consumed][:1] == [("L-2", "1")]


# From the desk, while the line goes on ---------------------------------------------------------


def test_a_question_waits_at_the_desk_and_the_next_scan_passes(station: Station) -> None:
    """BF-24, part 4: the operator goes on, the desk answers, the code is scanned again."""
    ask_too_many(station)
    assert said(station.scan("%QTY 5", badge="AK")) == ("recorded", None)
    assert said(station.scan("WO-2", badge="AK")) == ("completed", None)
    (row,) = listed(station, status="open")
    assert (row["situation"], row["item"], row["work_order"], row["quantity"], row["person"]) == (
        "over_completion", "CHAIR", "WO-1", "1", "AK",
    )  # fmt: skip
    decide(station, row["id"])
    assert status(station) == "approved"
    assert said(ask_too_many(station)) == ("completed", None)


def test_more_than_was_asked_is_asked_again(station: Station) -> None:
    """BF-24: by default an approval is for exactly what was asked."""
    ask_too_many(station, 12)
    decide(station, 1)
    assert said(ask_too_many(station, 13)) == ("needs", "approval")
    assert [row["quantity"] for row in listed(station, kind="question")] == ["2", "1"]
    assert said(ask_too_many(station, 12)) == ("completed", None)


def test_the_same_question_is_one_request(station: Station) -> None:
    """BF-24: asked again and again by the same person."""
    for _ in range(3):
        ask_too_many(station)
    station.scan("%QTY 12", badge="BO")
    station.scan("WO-1", badge="BO")
    assert [(row["person"], row["status"]) for row in listed(station)] == [
        ("BO", "open"), ("AK", "open"),
    ]  # fmt: skip


def test_a_question_ends_with_its_shift(station: Station) -> None:
    """BF-24: EARLY ends at 14:00; nobody decides later about what was asked then."""
    ask_too_many(station)
    (row,) = listed(station)
    assert row["until"] == "2026-11-20T14:00:00.000000Z"
    station.clock = station.clock.replace(hour=14, minute=0, second=0)
    assert status(station) == "expired"
    assert decide(station, 1).outcome == "expired"
    assert said(ask_too_many(station)) == ("needs", "approval")
    assert [row["status"] for row in listed(station)] == ["open"]


def test_an_unused_approval_ends_with_the_shift(station: Station) -> None:
    """BF-24: the last instant of the shift passes, the first of the next does not."""
    ask_too_many(station)
    decide(station, 1)
    station.scan("%QTY 12", badge="AK")
    end = station.clock.replace(hour=14, minute=0, second=0, microsecond=0)
    station.clock = end - timedelta(seconds=1)
    assert said(station.scan("WO-1", badge="AK")) == ("needs", "approval")
    assert status(station) == "open", "14:00:00 exactly is the next shift's"


def test_a_desk_gives_a_box(station: Station) -> None:
    """BF-24, part 4: until a time or for a quantity, whichever ends first."""
    station.scan("LEG|L-2", badge="AK")
    answered = decide(station, 1, until="2026-11-20T10:00:00.000000Z", quantity="3")
    assert (answered.until, answered.quantity) == ("2026-11-20T10:00:00.000000Z", "3")
    assert said(station.scan("LEG|L-2", badge="AK")) == ("recorded", None)
    made = [said(make(station)) for _ in range(4)]
    assert made == [("completed", None)] * 3 + [("needs", "approval")]


# Permits ahead ---------------------------------------------------------------------------------


def test_the_last_piece_of_a_permit_passes_and_the_next_does_not(station: Station) -> None:
    """BF-24, part 4: 200 pieces, by reports of one, of many and of more than are left."""
    permit(station, quantity="200")
    assert said(station.scan("LEG|L-2", badge="AK")) == ("recorded", None)
    station.scan("%QTY 199", badge="AK")
    assert said(station.scan("WO-2", badge="AK")) == ("completed", None)
    station.scan("%QTY 2", badge="AK")
    assert said(station.scan("WO-2", badge="AK")) == ("needs", "approval"), "the 201st"
    station.scan("%CANCEL", badge="AK")
    assert said(make(station)) == ("completed", None), "the 200th"
    assert said(make(station)) == ("needs", "approval")
    (row,) = listed(station, kind="permit")
    assert (row["used"], row["left"], row["status"]) == ("200", "0", "used")
    uses = [(each["permit"], each["permit_left"]) for each in events(station, "deviation.accepted")]
    assert uses == [(1, "200"), (1, "1"), (1, "0")]
    assert station.stock("LEG", "L-2") == "200"
    assert station.faults() == []


def test_a_permit_holds_before_its_instant_and_not_at_it(station: Station) -> None:
    """BF-24, part 4: 14:00:00 exactly is too late, also for a lot that is mounted already."""
    noon = station.clock.replace(hour=12, minute=0, second=0, microsecond=0)
    permit(station, until="2026-11-20T12:00:00.000000Z")
    station.scan("LEG|L-2", badge="AK")
    for before in (timedelta(minutes=1), timedelta(microseconds=1)):
        station.clock = noon - before - timedelta(seconds=2)
        assert said(make(station)) == ("completed", None)
    station.clock = noon - timedelta(seconds=2)
    assert said(make(station)) == ("needs", "approval")
    assert [row["status"] for row in listed(station, kind="permit")] == ["over"]


def test_a_permit_is_for_its_lot_and_its_order(station: Station) -> None:
    """BF-24, part 4."""
    station.load(plant(lots="item,lot,status\nLEG,L-1,hold"))
    permit(
        station, "lot_on_hold", lot="L-1", work_order="WO-2", until="2026-11-20T13:00:00.000000Z"
    )
    assert said(station.scan("LEG|L-2", badge="AK")) == ("needs", "approval"), "another lot"
    assert said(station.scan("LEG|L-1", badge="AK")) == ("recorded", None)
    assert said(station.scan("%QTY 1", badge="AK")) == ("recorded", None)
    assert said(station.scan("WO-1", badge="AK")) == ("needs", "approval"), "another order"
    station.scan("%CANCEL", badge="AK")
    station.scan("%QTY 1", badge="AK")
    assert said(station.scan("WO-2", badge="AK")) == ("completed", None)


def test_a_permit_is_not_for_who_granted_it(station: Station) -> None:
    """BF-24: nobody approves a deviation of their own, ahead neither."""
    permit(station, quantity="10")
    assert said(station.scan("LEG|L-2", badge="SUE")) == ("needs", "approval")
    assert said(station.scan("LEG|L-2", badge="TOM")) == ("recorded", None)


def test_an_ended_permit_lets_nothing_pass(station: Station) -> None:
    """BF-24."""
    granted = permit(station, quantity="10")
    said_first = end_permit(
        station.db, granted.permit, by="TOM", rules=station.rules, now=station.now
    )
    assert "nothing pass" in said_first
    assert said(station.scan("LEG|L-2", badge="AK")) == ("needs", "approval")
    again_said = end_permit(station.db, 1, by="TOM", rules=station.rules, now=station.now)
    assert "already" in again_said
    with pytest.raises(InputError, match="no permit 7"):
        end_permit(station.db, 7, by="TOM", rules=station.rules, now=station.now)


def test_a_report_that_is_taken_back_gives_its_part_back(station: Station) -> None:
    """BF-24, BF-31: with the whole of it, in one piece or in several."""
    permit(station, quantity="10")
    station.scan("LEG|L-2", badge="AK")
    station.scan("%QTY 8", badge="AK")
    assert said(station.scan("WO-2", badge="AK")) == ("completed", None)
    assert listed(station, kind="permit")[0]["left"] == "2"
    assert said(station.scan("%UNDO WO-2 3", badge="SUE")) == ("recorded", None)
    assert listed(station, kind="permit")[0]["left"] == "2", "a part of it gives nothing back yet"
    assert said(station.scan("%UNDO WO-2", badge="SUE")) == ("recorded", None)
    assert listed(station, kind="permit")[0]["left"] == "10"
    (event,) = events(station, "permit.given_back")
    assert (event["permit"], event["quantity"], event["permit_left"]) == (1, "8", "10")
    assert station.faults() == []


def test_an_approval_that_was_taken_back_can_be_used_once_more(station: Station) -> None:
    """BF-24, BF-31."""
    ask_too_many(station)
    decide(station, 1)
    assert said(ask_too_many(station)) == ("completed", None)
    station.scan("%UNDO", badge="AK")
    assert status(station) == "approved"
    assert said(ask_too_many(station)) == ("completed", None)


def test_no_permit_lets_pass_what_is_blocked_or_rejected(tmp_path: Path) -> None:
    """BF-24: a permit is less than the settings, and less than quality."""
    station = controlled(tmp_path, {"lot_on_hold": {"default": "approve"}})
    with pytest.raises(InputError, match="blocks lot_expired"):
        permit(station)
    permit(station, "lot_on_hold", lot=None, quantity="10")
    station.load(plant(lots="item,lot,status\nLEG,L-1,rejected"))
    assert said(station.scan("LEG|L-1", badge="AK")) == ("rejected", "lot_on_hold")
    with pytest.raises(InputError, match="rejected"):
        permit(station, "lot_on_hold", lot="L-1", quantity="10")


@pytest.mark.parametrize(("level", "asks"), [("confirm", "confirm"), ("reason", "reason")])
def test_a_permit_answers_milder_levels_too(tmp_path: Path, level: str, asks: str) -> None:
    """BF-24: with its reason."""
    station = controlled(tmp_path, {"lot_expired": {"default": level}})
    assert said(station.scan("LEG|L-2", badge="AK")) == ("needs", asks)
    station.scan("%CANCEL", badge="AK")
    permit(station, quantity="10")
    assert said(station.scan("LEG|L-2", badge="AK")) == ("recorded", None)
    (event,) = events(station, "deviation.accepted")
    assert (event["reason"], event["second"]) == ("RELEASED", "SUE")


def test_while_the_clock_is_in_doubt_no_permit_is_used(station: Station) -> None:
    """BF-33: nobody knows what is over."""
    permit(station, "over_completion", "CHAIR", lot=None, quantity="5")
    station.scan("%HELP")
    assert station.read_clock(station.clock - timedelta(hours=1))
    assert said(ask_too_many(station)) == ("needs", "approval")


@pytest.mark.parametrize(
    ("wanted", "match"),
    [
        ({"quantity": "0"}, "more than 0"),
        ({"quantity": "-5"}, "more than 0"),
        ({"quantity": "1.2345678"}, "no number"),
        ({"quantity": "9" * 40}, "no number"),
        ({"quantity": "\x1b[2J"}, "no number"),
        ({"until": "2026-11-20T07:00:00.000000Z"}, "later than now"),
        ({"until": "2027-11-20T07:00:00.000000Z"}, "within 31 days"),
        ({"reason": "JAM"}, "no reason for a deviation"),
        ({"reason": "'; DROP TABLE permit"}, "no reason for a deviation"),
        ({"item": "NOTHING"}, "no item"),
        ({"lot": "L-99"}, "no lot"),
        ({"work_order": "WO-99"}, "no work order"),
        ({"by": "AK"}, "Only a supervisor"),
    ],
)  # fmt: skip
def test_a_permit_that_cannot_be_is_refused(
    station: Station, wanted: dict[str, Any], match: str
) -> None:
    """BF-24, hostile input: nothing is written."""
    before = station.ledger()
    with pytest.raises(InputError, match=match):
        permit(station, **{"quantity": "10"} | wanted)
    assert station.ledger() == before
    assert listed(station) == []


# Every situation -------------------------------------------------------------------------------


def met_by(station: Station, situation: Situation) -> tuple[list[str], tuple[str, str | None]]:
    """Return the codes that meet a situation last, and what comes of them once let pass."""
    match situation:
        case "over_completion":
            return ["%QTY 12", "WO-1"], ("completed", None)
        case "over_consumption":
            for code in ("%START WO-1", "%QTY 10", "%ISSUE", "LEG|L-1", "%QTY 5", "WO-1"):
                station.scan(code, badge="AK")
            return ["%SHORT SOLD", "WO-1"], ("completed", None)
        case "under_consumption":
            return ["WO-6"], ("completed", None)
        case "lot_expired":
            return ["LEG|L-2"], ("recorded", None)
        case "lot_on_hold":
            station.load(plant(lots="item,lot,status\nLEG,L-1,hold"))
            return ["LEG|L-1"], ("recorded", None)
        case "substitute":
            return ["PEG|P-1"], ("recorded", None)
        case "shortage":
            return ["%QTY 500", "WO-2"], ("completed", None)
        case "serial_missing":
            return ["WO-4"], ("completed", None)
        case "reopen":
            for code in ("%QTY 5", "WO-1", "%SHORT SOLD", "WO-1"):
                station.scan(code, badge="AK")
            return ["%QTY 2", "WO-1"], ("completed", None)
        case "late_reversal":
            for code in ("%QTY 5", "WO-1"):
                station.scan(code, badge="AK")
            station.clock += timedelta(seconds=station.rules.undo_grace_s + 1)
            return ["%UNDO"], ("recorded", None)
        case "implausible_close":
            return ["WO-3"], ("completed", None)
        case _:
            assert_never(situation)


def meet(station: Station, codes: list[str]) -> Outcome:
    return [station.scan(code, badge="AK") for code in codes][-1]


SITUATIONS: list[Situation] = list(get_args(Situation))


def for_one(folder: Path, situation: Situation) -> tuple[Station, list[str], tuple[str, Any]]:
    station = controlled(folder, {situation: APPROVE[situation]})
    return station, *met_by(station, situation)


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_situation_is_approved_at_the_line_by_pin(
    tmp_path: Path, situation: Situation
) -> None:
    """BF-24, part 4."""
    station, codes, passes = for_one(tmp_path, situation)
    assert said(meet(station, codes)) == ("needs", "approval")
    assert said(station.scan("B:SUE")) == ("needs", "approval")
    assert said(again(station, decide(station))) == passes
    assert status(station) == "used"
    assert station.faults() == []


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_situation_is_approved_from_the_desk(tmp_path: Path, situation: Situation) -> None:
    """BF-24, part 4."""
    station, codes, passes = for_one(tmp_path, situation)
    assert said(meet(station, codes)) == ("needs", "approval")
    station.scan("%HELP", after_s=60)
    assert decide(station, 1).again is None
    assert said(meet(station, codes)) == passes
    assert status(station) == "used"
    assert station.faults() == []


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_situation_passes_by_a_permit(tmp_path: Path, situation: Situation) -> None:
    """BF-24, part 4."""
    station, codes, passes = for_one(tmp_path, situation)
    item = {
        "lot_expired": "LEG", "lot_on_hold": "LEG", "substitute": "PEG", "shortage": "LEG",
        "serial_missing": "MOTOR", "over_consumption": "LEG", "implausible_close": "STOOL",
        "under_consumption": "LEG",
    }.get(situation, "CHAIR")  # fmt: skip
    permit(station, situation, item, lot=None, until="2026-11-20T13:59:00.000000Z")
    assert said(meet(station, codes)) == passes
    (row,) = listed(station)
    assert (row["kind"], row["status"]) == ("permit", "standing")
    assert events(station, "deviation.accepted")[-1]["permit"] == 1
    assert station.faults() == []


def test_each_draw_of_a_stand_in_counts_on_its_permit(tmp_path: Path) -> None:
    """BF-24, BF-29: mounted by a permit with a box it is approved report by report."""
    station = controlled(tmp_path, {"substitute": {"default": "approve"}})
    permit(station, "substitute", "PEG", lot="P-1", quantity="3")
    assert said(station.scan("PEG|P-1", badge="AK")) == ("recorded", None)
    assert said(station.scan("PEGGED", badge="AK")) == ("completed", None)
    station.scan("%QTY 3", badge="AK")
    assert said(station.scan("WO-5", badge="AK")) == ("needs", "approval")
    station.scan("%CANCEL", badge="AK")
    station.scan("%QTY 2", badge="AK")
    outcome = station.scan("WO-5", badge="AK")
    assert [(each.item, each.quantity) for each in outcome.consumed] == [("PEG", "2")]
    asks = station.scan("PEGGED", badge="AK")
    assert said(asks) == ("needs", "approval")
    assert said(station.scan("B:TOM")) == ("completed", None)
    assert said(station.scan("PEGGED", badge="AK")) == ("completed", None), "approved for the stay"
    assert station.faults() == []


def test_a_serial_counts_when_it_is_built_in(tmp_path: Path) -> None:
    """BF-24: scanned into its slot it uses nothing yet; the report of the unit uses one."""
    station = controlled(tmp_path, {"lot_expired": {"default": "approve"}})
    assert said(station.scan("M-1", badge="AK")) == ("needs", "approval")
    permit(station, "lot_expired", "MOTOR", lot="M-1", quantity="1")
    assert said(station.scan("M-1", badge="AK")) == ("recorded", None)
    assert listed(station, kind="permit")[0]["left"] == "1"
    assert said(station.scan("E-1", badge="AK")) == ("completed", None)
    assert listed(station, kind="permit")[0]["left"] == "0"
    assert station.faults() == []


def test_what_is_issued_by_hand_counts(tmp_path: Path) -> None:
    """BF-24, BF-10: exactly what is issued; what is returned is not given back."""
    station = controlled(tmp_path, {"lot_expired": {"default": "approve"}})
    permit(station, quantity="5")
    station.scan("%START WO-2", badge="AK")
    for quantity, expected in (("6", "needs"), ("5", "recorded"), ("1", "needs")):
        station.scan("%ISSUE", badge="AK")
        station.scan(f"%QTY {quantity}", badge="AK")
        assert station.scan("LEG|L-2", badge="AK").outcome == expected
        station.scan("%CANCEL", badge="AK")
    assert listed(station, kind="permit")[0]["used"] == "5"
    assert station.faults() == []


# Times -----------------------------------------------------------------------------------------

BERLIN = ZoneInfo("Europe/Berlin")
SHIFTS = [Shift("EARLY", 360, 840, 0b1111111), Shift("NIGHT", 1320, 360, 0b0011111)]
"""06:00 to 14:00 every day, and 22:00 to 06:00 from Monday to Friday."""


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-11-20T06:00:00.000000Z", "2026-11-20T13:00:00.000000Z"),
        ("2026-11-20T12:59:59.999999Z", "2026-11-20T13:00:00.000000Z"),
        ("2026-11-20T13:00:00.000000Z", "2026-11-20T23:00:00.000000Z"),
        ("2026-11-20T21:00:00.000000Z", "2026-11-21T05:00:00.000000Z"),
        ("2026-11-21T04:59:00.000000Z", "2026-11-21T05:00:00.000000Z"),
        ("2026-11-21T21:30:00.000000Z", "2026-11-21T23:00:00.000000Z"),
        ("2026-10-24T23:30:00.000000Z", "2026-10-25T23:00:00.000000Z"),
    ],
)
def test_a_shift_ends_when_the_plant_says(now: str, ends: str) -> None:
    """BF-24, BF-33: over midnight too; outside every shift the calendar day, however long."""
    assert shift_end(now, SHIFTS, BERLIN) == ends


@pytest.mark.parametrize(
    ("text", "now", "instant"),
    [
        ("14:00", "2026-11-20T08:00:00.000000Z", "2026-11-20T13:00:00.000000Z"),
        (" 9:05 ", "2026-11-20T06:00:00.000000Z", "2026-11-20T08:05:00.000000Z"),
        ("02:00", "2026-11-20T21:00:00.000000Z", "2026-11-21T01:00:00.000000Z"),
        ("14:00", "2026-11-20T13:05:00.000000Z", "2026-11-20T13:00:00.000000Z"),
        ("24:00", "2026-11-20T08:00:00.000000Z", None),
        ("2026-11-20T14:00", "2026-11-20T08:00:00.000000Z", None),
        ("\u0661\u0664:\u0660\u0660", "2026-11-20T08:00:00.000000Z", None),
    ],
)
def test_a_time_of_day_is_todays_or_the_next_nights(
    text: str, now: str, instant: str | None
) -> None:
    """BF-24: one that has passed stays passed, and is refused as such."""
    assert time_of_day(text, now, BERLIN) == instant


# Cost ------------------------------------------------------------------------------------------


def statements(station: Station, *codes: str) -> list[str]:
    """Return the statements that these scans take."""
    ran: list[str] = []
    station.db.conn.set_trace_callback(ran.append)
    for code in codes:
        station.scan(code, badge="AK")
    station.db.conn.set_trace_callback(None)
    return ran


def test_a_plain_close_asks_nothing_of_permits(station: Station) -> None:
    """Where no deviation is met nothing is read, whatever the levels and however many permits."""
    ask_too_many(station)
    permit(station, quantity="10")
    ran = statements(station, "%QTY 1", "WO-2")
    assert station.order("WO-2")["completed"] == "1"
    assert [sql for sql in ran if "permit" in sql.lower() or "approval" in sql.lower()] == []


def test_permits_that_are_over_are_not_walked(station: Station) -> None:
    """What a deviation costs does not grow with the permits there were."""
    permit(station, quantity="10")
    (sql,) = [each for each in statements(station, "LEG|L-2") if "FROM permit" in each][:1]
    plan = " ".join(row[3] for row in station.db.conn.execute(f"EXPLAIN QUERY PLAN {sql}"))
    assert "permit_standing (item=? AND situation=? AND until>?)" in plan


# The list --------------------------------------------------------------------------------------


def test_the_list_pages_and_searches(station: Station) -> None:
    """Part 2: a key a row, newest first; texts are data."""
    for quantity in range(12, 17):
        ask_too_many(station, quantity)
    station.clock += timedelta(seconds=1)
    permit(station, quantity="10")
    rows = listed(station)
    assert [row["kind"] for row in rows] == ["permit", *["question"] * 5]
    assert listed(station, after=rows[2]["key"], limit="2") == rows[3:5]
    assert listed(station, text="l-2") == rows[:1]
    assert listed(station, text="%' OR 1=1 --") == []
    with pytest.raises(InputError, match="no filter"):
        listed(station, colour="red")

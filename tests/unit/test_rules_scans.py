"""How a scan is read and remembered: journal, `%QTY`, codes, people, clock (BF-13, BF-33)."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from mes_terminal.domain.rules import StationRules
from tests.plants import MORNING, TEST_RULES, Station, open_station, plant, said

CHAIR = plant(
    items="""
        item,tracking
        CHAIR,lot
        STOOL,lot
        LEG,lot
        MILK,lot
        """,
    item_codes="code,item,kind\nALIAS,CHAIR,old\nL-2,LEG,old",
    boms="item,revision\nCHAIR,A\nSTOOL,A",
    bom_lines="""
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        STOOL,A,10,MILK,1
        STOOL,A,20,LEG,3
        """,
    receipts="""
        reference,item,lot,container,location,quantity,effective_at,expires_on
        R1,LEG,L-1,BOX-1,LINE,1000,2026-11-01,
        R2,LEG,L-2,,LINE,1000,2026-11-02,
        R3,MILK,M-1,,LINE,1000,2026-11-02,2027-06-30
        R4,MILK,L-1,,LINE,1,2026-11-02,2027-06-30
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,10,released
        WO-2,CHAIR,10,planned
        WO-3,STOOL,10,released
        """,
    operators="badge,name,role\nAK,Anna,operator\nBO,Bo,operator\nSUE,Sue,supervisor",
)


def chairs(folder: Path, rules: StationRules = TEST_RULES, **changed: str) -> Station:
    return open_station(folder, CHAIR | plant(**changed), rules)


def with_rules(**changed: object) -> StationRules:
    return msgspec.structs.replace(TEST_RULES, **changed)


# %QTY -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "taken"),
    [
        ("CHAIR", True), ("ALIAS", True), ("WO-1", True), ("WO-2", True), ("LEG|L-1", True),
        ("BOX-1", True), ("MILK", True), ("LEG|NONE", True), ("nonsense", False), ("B:AK", False),
        ("L:LINE", False), ("%HELP", False), ("%UNDO", False), ("%SHORT why", False),
        ("%EMPTY", False), ("%START WO-1", False), ("%CANCEL", True),
    ],
)  # fmt: skip
def test_the_quantity_is_taken_by_the_next_order_item_container_or_lot(
    tmp_path: Path, code: str, taken: bool
) -> None:
    """Whatever comes of it; every other code leaves it."""
    station = chairs(tmp_path)
    assert said(station.scan("%QTY 3")) == ("recorded", None)
    station.scan(code)
    pending = "SELECT pending_quantity_micro FROM station_state"
    assert (station.db.conn.execute(pending).fetchone()[0] is None) is taken


def test_a_short_close_takes_the_quantity_with_its_order(tmp_path: Path) -> None:
    """It must not wait for the next order unseen."""
    station = chairs(tmp_path)
    station.scan("%QTY 3")
    station.scan("%SHORT why")
    station.scan("WO-1")
    assert station.scan("WO-3").quantity == "10"


def test_a_second_quantity_replaces_the_first(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("%QTY 3")
    station.scan("%QTY 2")
    assert station.scan("WO-1").quantity == "2"
    assert station.scan("WO-1").quantity == "8"


def test_the_quantity_survives_a_restart(tmp_path: Path) -> None:
    from mes_terminal.store.database import open_database

    station = chairs(tmp_path)
    station.scan("%QTY 3")
    station.db.close()
    station.db = open_database(tmp_path / "station.db")
    assert station.scan("WO-1").quantity == "3"


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("%QTY 0", ("rejected", "malformed")), ("%QTY -1", ("rejected", "malformed")),
        ("%QTY 1e3", ("rejected", "malformed")), ("%QTY 0.0000001", ("rejected", "malformed")),
        ("%QTY 9999999999999999999", ("rejected", "malformed")),
        ("%QTY ٣", ("rejected", "malformed")), ("%QTY", ("needs", "quantity")),
    ],
)  # fmt: skip
def test_a_quantity_is_an_exact_number_above_zero(
    tmp_path: Path, code: str, answer: tuple[str, str]
) -> None:
    """BF-1."""
    station = chairs(tmp_path)
    assert said(station.scan(code)) == answer
    assert station.scan("WO-1").quantity == "10"


@pytest.mark.parametrize("code", ["WO-1", "CHAIR", "LEG|L-1", "BOX-1"])
def test_a_quantity_that_is_no_step_refuses_the_code_that_takes_it(
    tmp_path: Path, code: str
) -> None:
    station = chairs(tmp_path)
    station.scan("%QTY 2.5")
    assert said(station.scan(code)) == ("rejected", "not_a_step")
    assert said(station.scan(code))[0] != "rejected"


# What a code means ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "answer"),
    [
        ("L-1", ("rejected", "ambiguous")),  # a lot of two items
        ("L-2", ("rejected", "ambiguous")),  # a lot, and an old number of LEG
        ("M-1", ("recorded", None)),  # a lot by its bare number
        ("ALIAS", ("completed", None)),  # another number of the product
        ("B:NOBODY", ("rejected", "not_authorised")),
        ("%NOVERB", ("rejected", "unknown_command")),
        ("%undo", ("rejected", "unknown_command")),
        ("%CALL", ("recorded", None)),
        ("%STOP", ("rejected", "reason_missing")),
        ("%END", ("recorded", None)),
        ("%START WO-99", ("needs", "order")),
        ("wo-1", ("unknown", None)),  # case matters
    ],
)
def test_a_code_means_what_is_known_exactly(
    tmp_path: Path, code: str, answer: tuple[str, str | None]
) -> None:
    assert said(chairs(tmp_path).scan(code)) == answer


def test_a_lot_under_its_orders_number_is_the_order(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("CHAIR")
    assert said(station.scan("WO-1")) == ("completed", None), "the lot WO-1 is no second meaning"


def test_an_unknown_code_is_counted_once_a_code_and_day(tmp_path: Path) -> None:
    """One exception, however often it is scanned, and a new one the next day."""
    station = chairs(tmp_path)
    outcomes = [station.scan("junk") for _ in range(3)]
    assert {said(each) for each in outcomes} == {("unknown", None)}
    station.scan("other")
    station.clock += timedelta(days=1)
    station.scan("junk")
    assert [(e[0], e[4]) for e in station.exceptions()] == [
        ("unknown_code", "3"), ("unknown_code", "1"), ("unknown_code", "1"),
    ]  # fmt: skip
    assert len({each.exceptions[0].id for each in outcomes}) == 1


# Hostile codes --------------------------------------------------------------------------------

HOSTILE = {
    "4 kB": b"A" * 4096,
    "longer": b"A" * 5000,
    "markup": b"[bold red]WO-1[/] [@click=app.quit]x[/]",
    "escapes": b"\x1b[2J\x1b]0;owned\x07",
    "nul": b"WO-1\x00",
    "no UTF-8": b"\xff\xfe\x80",
    "surrogate": b"\xed\xa0\x80",
    "bidi": "WO\u202e-1".encode(),
    "sql": b"'; DROP TABLE movement; --",
    "percent": b"%" * 300,
    "number": b"%QTY " + b"9" * 300,
    "pipes": b"|" * 50,
    "format": b"{0.__class__} %s %(x)s $HOME `id`",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_code_leaves_one_journal_row_and_the_ledger_alone(
    tmp_path: Path, name: str
) -> None:
    """BF-13: journalled as raw bytes, at most 4096 of them; nothing is posted."""
    station = chairs(tmp_path)
    before = station.ledger() | {"event": None}
    raw = HOSTILE[name]
    outcome = station.scan(raw)
    assert outcome.outcome in ("rejected", "unknown")
    assert (outcome.report_id, outcome.consumed) == (None, [])
    assert outcome.code == raw[:4096].decode("utf-8", "replace")
    rows = station.rows("journal")
    assert [bytes.fromhex(row["hex"]) for row in rows] == [raw[:4096]]
    assert rows[0]["outcome"] == outcome.outcome
    assert station.ledger() | {"event": None} == before
    assert station.faults() == []


def test_every_byte_value_is_survived(tmp_path: Path) -> None:
    """BF-13: each alone, and in the middle of an order's number."""
    station = chairs(tmp_path)
    before = station.rows("stock")
    for value in range(256):
        for raw in (bytes([value]), b"WO" + bytes([value]) + b"-1"):
            assert station.scan(raw).outcome in ("rejected", "unknown")
    assert len(station.rows("journal")) == 512
    assert (station.rows("stock"), station.faults()) == (before, [])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"A" * 4097, "malformed"), (b"\xff", "malformed"), (b"A\x1bB", "control_chars"),
        ("A\u200bB".encode(), "malformed"),
    ],
)  # fmt: skip
def test_a_refused_frame_says_why(tmp_path: Path, raw: bytes, reason: str) -> None:
    assert said(chairs(tmp_path).scan(raw)) == ("rejected", reason)


# People ---------------------------------------------------------------------------------------


def test_a_badge_signs_in_and_again_signs_out(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("B:AK")
    station.scan("CHAIR")
    station.scan("B:BO")
    station.scan("CHAIR")
    station.scan("B:BO")
    station.scan("CHAIR")
    people = "SELECT person FROM report ORDER BY report_seq"
    assert [row[0] for row in station.db.conn.execute(people)] == ["AK", "BO", None]


def test_a_badge_given_with_the_scan_counts_for_that_scan(tmp_path: Path) -> None:
    station = chairs(tmp_path)
    station.scan("B:AK")
    station.scan("CHAIR", badge="BO")
    assert said(station.scan("%UNDO")) == ("rejected", "not_authorised")
    before = station.ledger()
    assert said(station.scan("CHAIR", badge="XX")) == ("rejected", "not_authorised")
    assert station.ledger() == before


def test_where_signing_in_is_required_nothing_is_booked_without(tmp_path: Path) -> None:
    """`report.require_sign_in`."""
    station = chairs(tmp_path, with_rules(require_sign_in=True))
    before = station.ledger()
    for code in ("WO-1", "CHAIR", "LEG|L-1", "%START WO-1", "%UNDO", "%QTY 2", "nonsense"):
        assert said(station.scan(code)) == ("rejected", "not_authorised")
    assert station.ledger() == before
    assert said(station.scan("%HELP")) == ("recorded", None)
    assert said(station.scan("CHAIR", badge="BO")) == ("completed", None)
    station.scan("B:AK")
    assert said(station.scan("CHAIR")) == ("completed", None)


# Clock ----------------------------------------------------------------------------------------


def test_after_a_step_back_nothing_with_an_expiry_is_used(tmp_path: Path) -> None:
    """BF-33, until a supervisor confirms it with the badge twice."""
    station = chairs(tmp_path)
    station.scan("CHAIR")
    assert station.read_clock(MORNING - timedelta(hours=1))
    assert not station.read_clock(MORNING - timedelta(hours=1, seconds=10)), "told once"
    assert station.exceptions() == [("clock", "open", None, None, None)]
    assert said(station.scan("MILK|M-1")) == ("rejected", "clock")
    assert [(e.item, e.quantity) for e in station.scan("STOOL").exceptions] == [("MILK", "1")]
    assert station.rows("exceptions", kind="shortage")[0]["cause"] == "clock"
    assert said(station.scan("CHAIR")) == ("completed", None), "legs do not expire"
    station.scan("B:AK")
    assert station.exceptions(open="1")[0][0] == "clock", "an operator cannot confirm it"
    assert said(station.scan("B:SUE")) == ("needs", "confirm")
    assert said(station.scan("B:SUE", after_s=11)) == ("needs", "confirm"), "too late"
    assert said(station.scan("B:SUE", after_s=10)) == ("recorded", None)
    assert station.exceptions(kind="clock") == [("clock", "resolved", None, None, None)]
    (opened,) = station.rows("outbox", type="exception.opened")
    (told,) = station.rows("outbox", type="exception.resolved")
    number = opened["event"]["data"]["detail"]["exception_id"]
    assert told["event"]["data"]["exceptions"][0]["id"] == number, "upstream hears the end (UP-9)"
    assert said(station.scan("MILK|M-1")) == ("recorded", None)


def test_a_small_correction_of_the_clock_is_no_step(tmp_path: Path) -> None:
    """BF-33: network time slews."""
    station = chairs(tmp_path)
    station.scan("CHAIR")
    assert not station.read_clock(station.clock - timedelta(seconds=0.9))
    assert station.read_clock(station.clock - timedelta(seconds=1.2))


def test_a_clock_before_the_program_was_built_is_wrong(tmp_path: Path) -> None:
    """BF-33: a new station whose battery is flat."""
    station = chairs(tmp_path)
    assert station.read_clock(MORNING.replace(year=2016))


def test_a_time_that_was_given_is_no_reading_of_the_clock(tmp_path: Path) -> None:
    """BF-33: neither a late entry nor one from a file is judged, nor what is read after it."""
    station = chairs(tmp_path)
    station.scan("CHAIR", at="2026-11-19T00:00:00.000000Z")
    station.scan("CHAIR", at="2026-12-24T00:00:00.000000Z")
    assert not station.read_clock(station.clock + timedelta(seconds=1))
    times = [row["event_time"] for row in station.rows("movements", kind="production")]
    assert times == ["2026-11-19T00:00:00.000000Z", "2026-12-24T00:00:00.000000Z"]


# Repeats --------------------------------------------------------------------------------------


def test_a_report_sooner_than_a_cycle_asks_and_the_same_code_again_means_yes(
    tmp_path: Path,
) -> None:
    """`report.min_cycle_s`: `%QTY` waits with the question."""
    station = chairs(tmp_path, with_rules(min_cycle_s=30))
    station.scan("CHAIR")
    station.scan("%QTY 2")
    assert said(station.scan("CHAIR", after_s=5)) == ("needs", "confirm_repeat")
    outcome = station.scan("CHAIR", after_s=5)
    assert (said(outcome), outcome.quantity) == (("completed", None), "2")
    assert said(station.scan("CHAIR", after_s=5)) == ("needs", "confirm_repeat")
    assert said(station.scan("CHAIR", after_s=10.5)) == ("needs", "confirm_repeat"), "too late"
    assert said(station.scan("CHAIR", after_s=30)) == ("completed", None), "a cycle has passed"


def test_what_was_taken_back_is_no_repeat(tmp_path: Path) -> None:
    """Undone at once and scanned rightly: nothing to ask about."""
    station = chairs(tmp_path, with_rules(min_cycle_s=30))
    station.scan("WO-1")
    station.scan("%UNDO")
    station.scan("%QTY 2")
    assert said(station.scan("WO-1")) == ("completed", None)


def test_cancel_answers_the_question_with_no(tmp_path: Path) -> None:
    station = chairs(tmp_path, with_rules(min_cycle_s=30))
    station.scan("CHAIR")
    station.scan("CHAIR")
    station.scan("%CANCEL")
    assert said(station.scan("CHAIR")) == ("needs", "confirm_repeat")


def test_what_a_stop_left_is_booked_once_and_asked_for_when_scanned_again(tmp_path: Path) -> None:
    """BF-13: journalled, not handled; at the start it is, and within 60 s the same code asks."""
    station = chairs(tmp_path)
    station.journal("CHAIR")
    station.clock += timedelta(minutes=10)
    assert [said(each) for each in station.recover()] == [("completed", None)]
    assert station.recover() == []
    assert said(station.scan("CHAIR", after_s=59)) == ("needs", "confirm_repeat")
    assert said(station.scan("CHAIR", after_s=9)) == ("completed", None)
    assert said(station.scan("CHAIR")) == ("completed", None), "it asks once"
    assert station.order("WO-1")["completed"] == "3"


def test_a_minute_after_the_start_it_does_not_ask(tmp_path: Path) -> None:
    """BF-13."""
    station = chairs(tmp_path)
    station.journal("CHAIR")
    station.recover()
    assert said(station.scan("CHAIR", after_s=61)) == ("completed", None)


def test_a_recovered_scan_that_booked_nothing_does_not_ask(tmp_path: Path) -> None:
    """BF-13."""
    station = chairs(tmp_path)
    station.journal("WO-2")
    assert [said(each) for each in station.recover()] == [("rejected", "not_released")]
    station.load(plant(work_orders="work_order,item,quantity,status\nWO-2,CHAIR,10,released"))
    assert said(station.scan("WO-2")) == ("completed", None)


def test_a_scan_that_cannot_be_handled_is_an_exception(tmp_path: Path) -> None:
    """BF-13: kept in the journal as failed, not tried again by itself."""
    from mes_terminal.usecases.fail_scan import conclude_failed

    station = chairs(tmp_path)
    scan = station.journal("CHAIR")
    outcome = conclude_failed(station.db, scan, station.rules, "boom")
    assert outcome.outcome == "rejected"
    assert station.exceptions() == [("failed_scan", "open", None, None, "1")]
    assert [row["status"] for row in station.rows("journal")] == ["failed"]
    assert station.recover() == []

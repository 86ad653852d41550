"""Whatever is scanned, asked, granted, ended and taken back: no permit lets more pass than it was
for, each is what its uses say, and the same acts lead to the same ledger (BF-24)."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from mes_terminal.domain.policy import ControlMatrix
from mes_terminal.errors import InputError
from mes_terminal.usecases.grant_permit import end_permit
from mes_terminal.usecases.people import set_pin
from tests.plants import TEST_RULES, Station, empty_database, memory_folder, open_station, plant
from tests.unit.test_rules_approvals import again, decide, permit

PLANT = plant(
    items="item,tracking\nSTOOL,lot\nBENCH,lot\nLEG,lot\nPEG,lot",
    boms="item,revision\nSTOOL,A\nBENCH,A",
    bom_lines="item,revision,line,component,quantity\nSTOOL,A,10,LEG,3\nBENCH,A,10,LEG,2",
    bom_substitutes="item,revision,line,substitute,ratio,approval\nBENCH,A,10,PEG,1,required",
    receipts="""
        reference,item,lot,location,quantity,effective_at
        R1,LEG,OLD,LINE,300,2026-11-01
        R2,LEG,NEW,LINE,60,2026-11-01
        R3,PEG,P-1,LINE,60,2026-11-01
        """,
    lots="item,lot,expires_on\nLEG,OLD,2026-11-10",
    work_orders="""
        work_order,item,quantity,status
        WO-1,STOOL,8,released
        WO-2,STOOL,400,released
        WO-3,BENCH,30,released
        """,
    operators="badge,name,role\nAK,Anna,operator\nSUE,Sue,supervisor\nTOM,Tom,supervisor",
    reasons="code,kind\nOKAY,deviation",
)
LEVELS: Any = {
    each: {"default": "approve"}
    for each in ("over_completion", "lot_expired", "substitute", "shortage", "reopen",
                 "late_reversal")
}  # fmt: skip
CODES = ("WO-1", "WO-2", "WO-3", "%QTY 1", "%QTY 3", "%QTY 9", "LEG|OLD", "LEG|NEW", "PEG|P-1",
         "%UNDO", "%CANCEL", "%START WO-2", "%ISSUE", "%UNMOUNT", "LEG", "%UNDO WO-1",
         "B:SUE", "B:TOM", "%SHORT SOLD")  # fmt: skip
GRANTS = (("lot_expired", "LEG"), ("over_completion", "STOOL"), ("substitute", "PEG"),
          ("shortage", "LEG"), ("reopen", "STOOL"), ("late_reversal", "STOOL"))  # fmt: skip

scans = st.tuples(st.just("scan"), st.sampled_from(CODES), st.sampled_from(["AK", "AK", "TOM"]))
grants = st.tuples(st.just("grant"), st.sampled_from(GRANTS), st.integers(1, 25))
answers = st.tuples(st.just("answer"), st.sampled_from(["", "7", "refuse"]), st.integers(1, 6))
ends = st.tuples(st.just("end"), st.just(""), st.integers(1, 4))
waits = st.tuples(st.just("wait"), st.just(""), st.sampled_from([30, 200, 9 * 3600]))
ACTS = st.lists(st.one_of(scans, scans, scans, grants, grants, answers, ends, waits), max_size=40)


def play(station: Station, acts: Sequence[Any]) -> None:
    set_pin(station.db, "SUE", "$of-a-pin", by=None, rules=station.rules, now=station.now)
    for kind, what, more in acts:
        with suppress(InputError):  # refused, and nothing written
            if kind == "scan":
                station.scan(what, badge=None if what.startswith("B:") else more)
            elif kind == "grant":
                permit(station, *what, lot=None, quantity=str(more), reason="OKAY", by="TOM")
            elif kind == "answer":
                wanted = {"quantity": what} if what.isdigit() else {}
                done = decide(station, more, by="SUE", refuses=what == "refuse", **wanted)
                if done.again is not None:
                    again(station, done)
            elif kind == "end":
                end_permit(station.db, more, by="SUE", rules=station.rules, now=station.now)
            else:
                station.scan("%HELP", after_s=more)
        keeps_its_bounds(station)


def keeps_its_bounds(station: Station) -> None:
    rows = station.db.conn.execute(
        """
        SELECT p.permit_id, p.quantity_micro, p.used_micro, p.uses, p.once,
               coalesce(sum(u.quantity_micro) FILTER (WHERE u.given_back_seq IS NULL), 0),
               coalesce(sum(u.uses) FILTER (WHERE u.given_back_seq IS NULL), 0)
          FROM permit p LEFT JOIN permit_use u USING (permit_id) GROUP BY permit_id
        """
    )
    for number, quantity, used, uses, once, summed, counted in rows:
        assert (used, uses) == (summed, counted), number
        assert quantity is None or used <= quantity, number
        assert not (once and uses > 1), number


def tables(station: Station) -> dict[str, Any]:
    return {
        name: station.db.conn.execute(f"SELECT * FROM {name}").fetchall()
        for name in ("movement", "edge", "report", "balance", "mount", "permit", "permit_use",
                     "approval", "station_state", "exception")
    }  # fmt: skip


def expired_legs_used(station: Station) -> int:
    """Return how much of the expired lot left the stock and did not come back."""
    (micro,) = station.db.conn.execute(
        "SELECT sum(quantity_micro) FROM balance JOIN lot USING (lot_id) WHERE lot.lot = 'OLD'"
    ).fetchone()
    return 300_000_000 - int(micro)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(ACTS)
def test_no_permit_lets_more_pass_than_it_was_for(acts: list[Any]) -> None:
    """BF-24: after every single act; and replayed, every row is the same."""
    rules = replace(TEST_RULES, policy=ControlMatrix(LEVELS))
    with memory_folder() as here, memory_folder() as there:
        first = open_station(here, PLANT, rules, template=empty_database())
        play(first, acts)
        assert first.faults() == []
        second = open_station(there, PLANT, rules, template=empty_database())
        play(second, acts)
        assert tables(second) == tables(first)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 60), st.lists(st.integers(1, 9), min_size=1, max_size=25))
def test_what_is_drawn_of_an_expired_lot_never_exceeds_its_permit(
    most: int, quantities: list[int]
) -> None:
    """BF-24: counted in the stock, not in the permit: three legs a stool."""
    rules = replace(TEST_RULES, policy=ControlMatrix(LEVELS))
    with memory_folder() as here:
        station = open_station(here, PLANT, rules, template=empty_database())
        permit(station, "lot_expired", "LEG", lot="OLD", quantity=str(most), reason="OKAY")
        station.scan("LEG|OLD", badge="AK")
        for quantity in quantities:
            station.scan(f"%QTY {quantity}", badge="AK")
            before = expired_legs_used(station)
            outcome = station.scan("WO-2", badge="AK")
            fits = before + 3_000_000 * quantity <= most * 1_000_000
            assert expired_legs_used(station) <= most * 1_000_000
            assert (outcome.outcome == "completed") == fits
            station.scan("%CANCEL", badge="AK")

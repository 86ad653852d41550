"""The station's side of what is refused upstream: what waits behind it, and what ends it."""

from pathlib import Path
from typing import Final

import pytest

from mes_terminal.domain.delivering import Blocks
from mes_terminal.domain.delivery import ConflictData, Material, QueuedPosting
from mes_terminal.domain.healing import Decision
from mes_terminal.usecases import deliver
from mes_terminal.usecases.note_answers import Noted
from mes_terminal.usecases.refused_reversed import let_reversed_go
from mes_terminal.usecases.resolve_exceptions import rehearse_resolutions
from mes_terminal.usecases.site_conflicts import end_conflict, open_conflict
from tests.plants import Station, plant
from tests.unit.delivery_plant import (
    POST,
    WRITE_OFF,
    answer,
    decide,
    delivery_station,
    park_behind,
    posting,
    refuse,
    report,
    statuses,
    the_open,
    waiting,
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """The plant of `delivery_plant`."""
    return delivery_station(tmp_path)


# Refusal -----------------------------------------------------------------------------------------


def test_a_refusal_is_an_exception_with_the_receivers_words(station: Station) -> None:
    """UP-4: on the supervisor's list, with the order and the item; it stops."""
    (sequence,) = report(station, "WO-1")
    noted = refuse(station, sequence)
    assert noted.refused == [sequence]
    row = the_open(station)
    assert (row["kind"], row["severity"], row["cause"]) == (
        "posting_refused", "stop", "The order is closed.",
    )  # fmt: skip
    assert (row["work_order"], row["item"], row["lot"]) == ("WO-1", "CHAIR", "WO-1")
    (told,) = station.rows("exception_stories", ids=str(row["id"]))
    assert told["cause_code"] == "posting_refused:order_closed"
    assert told["posting"]["sequence"] == sequence
    assert told["posting"]["answer"]["reason"] == "order_closed"
    assert [each["how"] for each in told["proposals"]] == ["post", "mend", "write_off"]
    opened = station.rows("outbox", type="exception.opened")[0]
    assert opened["subject"] == f"posting:{sequence}"
    assert opened["event"]["data"]["detail"]["posting"] == posting(station, sequence).id
    assert station.faults() == []


def test_a_refused_posting_holds_its_own_lane_only(station: Station) -> None:
    """UP-3: later ones of its order wait, those of others go on, and so does what it says."""
    (first,) = report(station, "WO-1")
    (other,) = report(station, "WO-2")
    (second,) = report(station, "WO-1")
    refuse(station, first)
    park_behind(station)
    opened = deliver.hello_of(station.db, station.rules).last_sequence
    assert waiting(station) == [other, opened]
    assert [each.sequence for each in deliver.parked(station.db, after=0, limit=9)] == [second]
    (row,) = [row for row in station.rows("outbox") if row["sequence"] == second]
    assert (row["status"], row["last_error"]) == ("parked", f"waits for posting {first}")


def test_what_uses_refused_material_waits_too_and_so_does_its_own_lane(station: Station) -> None:
    """UP-3: a bench of the chair whose receipt was refused, what follows in the lanes of both, and
    a bench of what that brings; not what came before, nor who uses neither."""
    (early,) = report(station, "WO-1")
    station.load(
        plant(
            receipts="reference,item,lot,location,quantity,effective_at\n"
            "R2,CHAIR,X-1,LINE,1,2026-11-01\nR3,CHAIR,X-2,LINE,1,2026-11-02"
        )
    )
    receipt, other_receipt = early + 1, early + 2
    bench, next_bench = report(station, "WO-3", times=2)
    (chair,) = report(station, "WO-2")
    assert posting(station, receipt).brings == {Material("CHAIR", "X-1", None)}
    assert posting(station, bench).uses == {Material("CHAIR", "X-1", None)}
    assert posting(station, next_bench).uses == {Material("CHAIR", "X-2", None)}
    refuse(station, receipt)
    park_behind(station)
    rows = statuses(station)
    assert posting(station, other_receipt).lane == posting(station, receipt).lane
    assert [rows[each] for each in (other_receipt, bench, next_bench)] == ["parked"] * 3
    assert [rows[each] for each in (early, chair)] == ["waiting"] * 2
    decide(station, the_open(station)["id"], WRITE_OFF)
    assert {bench, next_bench} <= set(waiting(station))


def test_blocks_reach_through_what_is_parked() -> None:
    """UP-3: C waits for B's material, B waits for A's lane; earlier ones of A's lane do not."""

    def made(n: int, lane: str, brings: str = "", uses: str = "") -> QueuedPosting:
        return QueuedPosting(
            sequence=n, id=str(n), source="s", epoch="e", lane=lane, type="t", recorded_at="",
            body=b"", brings=frozenset({Material(brings, "L", None)} if brings else ()),
            uses=frozenset({Material(uses, "L", None)} if uses else ()),
        )  # fmt: skip

    blocks = Blocks([made(10, "A")])
    assert blocks.root_of(made(5, "A")) is None
    follows = made(11, "A", brings="SEAT")
    assert blocks.root_of(follows) == 10
    blocks.hold(follows, 10)
    assert blocks.root_of(made(12, "C", uses="SEAT")) == 10
    assert blocks.root_of(made(9, "C", uses="SEAT")) is None
    assert blocks.root_of(made(13, "D", uses="LEG")) is None


def test_what_the_receiver_deferred_is_parked_where_its_reason_is_known(station: Station) -> None:
    """UP-3: behind the refused one of its lane; without one it is simply sent again."""
    first, second = report(station, "WO-1", times=2)
    assert answer(station, [second], "deferred").parked == []
    assert second in waiting(station)
    refuse(station, first)
    assert answer(station, [second], "deferred").parked == [second]


def test_a_refused_refusal_ends_the_chain(station: Station) -> None:
    """UP-4: an exception about an exception's posting is told here only."""
    (first,) = report(station, "WO-1")
    refuse(station, first)
    opened = deliver.hello_of(station.db, station.rules).last_sequence
    refuse(station, opened, "malformed")
    assert deliver.hello_of(station.db, station.rules).last_sequence == opened
    kinds = [row["kind"] for row in station.rows("exceptions", open="1")]
    assert kinds == ["posting_refused"] * 2
    for row in station.rows("exceptions", open="1"):
        decide(station, row["id"], WRITE_OFF)
    resolved = deliver.hello_of(station.db, station.rules).last_sequence
    assert resolved == opened + 2, "the end of the first goes up, signed; that of the second not"
    refuse(station, resolved - 1)
    assert deliver.hello_of(station.db, station.rules).last_sequence == resolved
    assert station.faults() == []


def test_what_a_receiver_says_is_kept_within_bounds(station: Station) -> None:
    """A reason that is no word is `other`, and a sentence has an end."""
    (sequence,) = report(station, "WO-1")
    answer(station, [sequence], "refused", reason="<b>No!</b>", sentence="no\n" * 5000)
    (told,) = station.rows("exception_stories", ids=str(the_open(station)["id"]))
    assert told["cause_code"] == "posting_refused:other"
    assert len(told["cause"]) == 500
    assert "\n" not in told["cause"]


# Mending -----------------------------------------------------------------------------------------


def test_post_sends_again_with_the_same_key_and_ends_when_accepted(station: Station) -> None:
    """UP-4: mend and retry with the same key."""
    first, second = report(station, "WO-1", times=2)
    refuse(station, first)
    park_behind(station)
    before = posting(station, first)
    exception_id = the_open(station)["id"]
    sent = decide(station, exception_id, POST)
    assert (sent.outcome, sent.message) == (
        "sent_again", f"Posting {first} is sent again; this ends when it is accepted",
    )  # fmt: skip
    assert posting(station, first) == before, "the same key, the same bytes"
    assert waiting(station)[:2] == [first, second]
    assert the_open(station)["id"] == exception_id, "not before it is accepted"
    assert decide(station, exception_id, POST).outcome == "already_done"
    noted = answer(station, [first], document="S3")
    assert noted.delivered == 1
    (row,) = station.rows("exceptions")
    assert (row["status"], row["resolution"]) == ("resolved", "accepted upstream as S3")
    resolved = station.rows("outbox", type="exception.resolved")[-1]
    assert resolved["event"]["partitionkey"] == f"posting:{first}"
    given = station.rows("audit", type="signature.given")
    assert given[0]["event"]["data"]["detail"]["meaning"] == "sends the posting again"
    assert station.faults() == []


def test_refused_again_it_stays_one_exception_and_counts_the_try(station: Station) -> None:
    """UP-2: judged again on a repeat; UP-4: one exception a posting."""
    (first,) = report(station, "WO-1")
    refuse(station, first)
    events = len(station.rows("audit"))
    exception_id = the_open(station)["id"]
    decide(station, exception_id, POST)
    refuse(station, first, "period_closed")
    assert the_open(station)["id"] == exception_id
    (told,) = station.rows("exception_stories", ids=str(exception_id))
    assert (told["cause_code"], told["tries"]) == ("posting_refused:period_closed", 1)
    assert told["posting"]["attempts"] == 2
    assert len(station.rows("audit")) == events + 2, "the decision and its signature"


def test_a_late_acceptance_after_a_refusal_ends_it_and_releases(station: Station) -> None:
    """UP-4: whichever way it came to be accepted."""
    first, second = report(station, "WO-1", times=2)
    refuse(station, first)
    park_behind(station)
    assert answer(station, [first], document="S1").released
    assert second in waiting(station)
    assert station.rows("exceptions", open="1") == []


def test_written_off_it_stays_refused_and_the_lane_goes_on(station: Station) -> None:
    """UP-4: nothing is dropped: it stands in the outbox with the reason, and waits nowhere."""
    first, second, third = report(station, "WO-1", times=3)
    refuse(station, first)
    park_behind(station)
    ended = decide(station, the_open(station)["id"], WRITE_OFF)
    assert (ended.outcome, ended.message) == (
        "written_off", f"Posting {first} stays refused: GONE; 2 behind it go on",
    )  # fmt: skip
    assert waiting(station)[:2] == [second, third]
    assert deliver.held_back(station.db) == []
    (row,) = station.rows("outbox", status="refused")
    assert row["last_error"] == "written off by SUP: GONE (The order is closed.)"
    assert first not in [row["sequence"] for row in station.rows("outbox", open="1")]
    assert first not in [row["sequence"] for row in station.rows("desk_outbox", open="1")]
    assert refuse(station, first) == Noted(), "a late repeat of the refusal"
    assert station.rows("exceptions", open="1") == []
    assert station.faults() == []


@pytest.mark.parametrize("is_parked", [False, True])
def test_written_off_while_it_is_to_be_sent_again_it_is_not_sent(
    station: Station, is_parked: bool
) -> None:
    """UP-4: whether it waits, or waits behind another that was refused."""
    (first,) = report(station, "WO-1")
    refuse(station, first)
    exception_id = the_open(station)["id"]
    decide(station, exception_id, POST)
    if is_parked:
        deliver.send_again(station.db, [(1, 1)])
        refuse(station, 1, "malformed")
        park_behind(station)
        assert statuses(station)[first] == "parked"
        assert decide(station, exception_id, POST).outcome == "already_done"
    decide(station, exception_id, WRITE_OFF)
    for row in station.rows("exceptions", open="1"):
        decide(station, row["id"], WRITE_OFF)
    assert statuses(station)[first] == "refused"
    assert first not in waiting(station)
    assert station.faults() == []


def test_an_acceptance_that_crosses_a_write_off_wins(station: Station) -> None:
    """UP-2: the receiver's effect is a fact."""
    (first,) = report(station, "WO-1")
    refuse(station, first)
    decide(station, the_open(station)["id"], WRITE_OFF)
    answer(station, [first], document="S1")
    assert statuses(station)[first] == "delivered"
    assert station.faults() == []


def test_a_preview_leaves_all_as_it_is(station: Station) -> None:
    """BF-23: and quality may not decide about postings, nor may they be changed."""
    (first,) = report(station, "WO-1")
    refuse(station, first)
    exception_id = the_open(station)["id"]
    before = station.db.conn.execute("SELECT * FROM delivery").fetchall()
    for decision, outcome in (
        (POST, "sent_again"), (WRITE_OFF, "written_off"),
        (Decision(how="change", lot="L-1"), "refused"),
    ):  # fmt: skip
        (told,) = rehearse_resolutions(
            station.db, [exception_id], decision, by=None, rules=station.rules, now=station.now
        )
        assert told.outcome == outcome
    assert decide(station, exception_id, POST, by="QUA").outcome == "refused"
    assert station.db.conn.execute("SELECT * FROM delivery").fetchall() == before


def test_a_refused_report_that_is_taken_back_whole_is_let_go(station: Station) -> None:
    """UP-4: `or reverse`: the reversal would wait for what it takes back, so both are settled."""
    first, second = report(station, "WO-1", times=2)
    refuse(station, second)
    assert let_reversed_go(station.db, rules=station.rules, now=station.now) == []
    assert station.scan("%UNDO").outcome == "recorded"
    back = deliver.hello_of(station.db, station.rules).last_sequence
    park_behind(station)
    assert statuses(station)[back] == "parked"
    answer(station, [first])
    assert let_reversed_go(station.db, rules=station.rules, now=station.now) == [second]
    assert back in waiting(station)
    (row,) = station.rows("exceptions")
    assert (row["status"], row["resolution"]) == ("resolved", "reversed at the station")
    assert station.faults() == []


def test_parking_after_the_release_parks_nothing(station: Station) -> None:
    """UP-3: the relay may not know yet what a supervisor just decided."""
    first, second = report(station, "WO-1", times=2)
    refuse(station, first)
    decide(station, the_open(station)["id"], WRITE_OFF)
    deliver.park(station.db, [second], behind={second: first})
    assert statuses(station)[second] == "waiting"


# Conflicts ---------------------------------------------------------------------------------------

CONFLICT: Final = ConflictData(
    conflict=7, kind="order_over_completed", sentence="12 of 9 were made of WO-1.",
    work_order="WO-1", item="CHAIR",
)  # fmt: skip


def tell_conflict(station: Station, data: ConflictData) -> None:
    """Let a conflict come down."""
    with station.db.transaction() as conn:
        open_conflict(conn, data, rules=station.rules, now=station.now)


def test_a_conflict_is_one_exception_however_often_it_is_told(station: Station) -> None:
    """UP-9: by its number; it goes nowhere from here, the site told it."""
    last = deliver.hello_of(station.db, station.rules).last_sequence
    tell_conflict(station, CONFLICT)
    tell_conflict(station, CONFLICT)
    row = the_open(station)
    assert (row["kind"], row["work_order"], row["item"]) == ("site_conflict", "WO-1", "CHAIR")
    assert (row["severity"], row["cause"]) == ("warn", "12 of 9 were made of WO-1.")
    assert deliver.hello_of(station.db, station.rules).last_sequence == last
    with station.db.transaction() as conn:
        end_conflict(conn, 7, resolution="9 of 9 now.", rules=station.rules, now=station.now)
        end_conflict(conn, 8, resolution="never known", rules=station.rules, now=station.now)
    (row,) = station.rows("exceptions")
    assert (row["status"], row["resolution"]) == ("resolved", "9 of 9 now.")
    assert deliver.hello_of(station.db, station.rules).last_sequence == last
    assert station.faults() == []


def test_a_conflict_ended_here_is_told_upstream_and_stays_ended(station: Station) -> None:
    """UP-9: a supervisor at any station sees it and ends it for all."""
    tell_conflict(station, CONFLICT)
    ended = decide(station, the_open(station)["id"], WRITE_OFF)
    assert ended.outcome == "written_off"
    (resolved,) = station.rows("outbox", type="exception.resolved")
    assert (resolved["subject"], resolved["event"]["partitionkey"]) == ("conflict:7", "conflict:7")
    assert resolved["event"]["data"]["exceptions"][0]["kind"] == "site_conflict"
    tell_conflict(station, CONFLICT)
    assert station.rows("exceptions", open="1") == []

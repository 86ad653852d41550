"""The station's side of delivery, rule by rule: what waits, what is held, what ends it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest

from mes_terminal.domain.delivering import Actual, Blocks, materials_of, queued_posting
from mes_terminal.domain.delivery import (
    Answer,
    AnswerOutcome,
    ConflictData,
    Greeting,
    Material,
    QueuedPosting,
)
from mes_terminal.domain.healing import Decision
from mes_terminal.domain.resolving import Resolved
from mes_terminal.station import outbox_door
from mes_terminal.station.outbox_door import OutboxDoor
from mes_terminal.usecases import deliver
from mes_terminal.usecases.note_answers import Noted, note_answers
from mes_terminal.usecases.refused_reversed import let_reversed_go
from mes_terminal.usecases.resolve_exceptions import (
    check_decision,
    rehearse_resolutions,
    resolve_exception,
)
from mes_terminal.usecases.site_conflicts import end_conflict, open_conflict
from mes_terminal.usecases.station_view import station_view
from tests.plants import Files, Station, open_station, plant

PLANT: Final[Files] = plant(
    items="item,tracking\nCHAIR,lot\nBENCH,lot\nLEG,lot",
    boms="item,revision\nCHAIR,A\nBENCH,A",
    bom_lines="""
        item,revision,line,component,quantity
        CHAIR,A,10,LEG,4
        BENCH,A,10,CHAIR,1
        """,
    work_orders="""
        work_order,item,quantity,status
        WO-1,CHAIR,9,released
        WO-2,CHAIR,9,released
        WO-3,BENCH,9,released
        """,
    receipts="reference,item,lot,location,quantity,effective_at\nR1,LEG,L-1,LINE,900,2026-11-01",
    operators="badge,name,role\nSUP,Sue,supervisor\nQUA,Quin,quality",
    reasons="code,kind\nGONE,write_off",
)
MANY: Final = 10**9


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """The receipt of the plant is posting 1 and is delivered."""
    opened = open_station(tmp_path, PLANT)
    answer(opened, [1])
    assert waiting(opened) == []
    return opened


def waiting(station: Station) -> list[int]:
    """Return what would be sent, in order."""
    return [
        each.sequence for each in deliver.waiting(station.db, after=0, limit=99, bytes_max=MANY)
    ]


def posting(station: Station, sequence: int) -> QueuedPosting:
    """Return a posting as the relay has it."""
    (body,) = station.db.conn.execute(
        "SELECT body FROM event WHERE outbox_seq = ?", [sequence]
    ).fetchone()
    return queued_posting(sequence, body.encode())


def answer(
    station: Station,
    sequences: Sequence[int],
    outcome: AnswerOutcome = "accepted",
    **told: Any,
) -> Noted:
    """Let the receiver answer these."""
    answers = []
    for sequence in sequences:
        sent = posting(station, sequence)
        answers.append(
            Answer(source=sent.source, epoch=sent.epoch, sequence=sequence, outcome=outcome, **told)
        )
    return note_answers(station.db, answers, rules=station.rules, now=station.now)


def refuse(station: Station, sequence: int, reason: str = "order_closed") -> Noted:
    """Let the receiver refuse one."""
    return answer(station, [sequence], "refused", reason=reason, sentence="The order is closed.")


def park_behind(station: Station) -> None:
    """Park what stands behind what was refused, as the relay does."""
    blocks = Blocks(deliver.held_back(station.db))
    behind = {}
    for each in deliver.waiting(station.db, after=0, limit=99, bytes_max=MANY):
        root = blocks.root_of(each)
        if root is not None:
            behind[each.sequence] = root
            blocks.hold(each, root)
    deliver.park(station.db, list(behind), behind=behind)


def report(station: Station, work_order: str, times: int = 1) -> list[int]:
    """Report one unit of an order; return the postings."""
    first = deliver.hello_of(station.db, station.rules).last_sequence + 1
    for _ in range(times):
        outcome = station.scan("%QTY 1")
        assert outcome.outcome == "recorded", outcome
        assert station.scan(work_order).outcome == "completed"
    return list(range(first, deliver.hello_of(station.db, station.rules).last_sequence + 1))


def decide(station: Station, exception_id: int, decision: Decision, by: str = "SUP") -> Resolved:
    """End an exception as a person says."""
    check_decision(station.db, [exception_id], decision, by=by)
    return resolve_exception(
        station.db, exception_id, decision, by=by, rules=station.rules, now=station.now
    )


POST: Final = Decision(how="post")
WRITE_OFF: Final = Decision(how="write_off", reason="GONE")


def the_open(station: Station) -> dict[str, Any]:
    """Return the one open exception."""
    (row,) = station.rows("exceptions", open="1")
    return row


def statuses(station: Station) -> dict[int, str]:
    """Return the status of each posting by its sequence."""
    return {row["sequence"]: row["status"] for row in station.rows("outbox")}


# What waits --------------------------------------------------------------------------------------


def test_hello_says_who_posts_and_how_far_it_is(station: Station) -> None:
    """UP-1, UP-8: epoch, first and last sequence, and the head of the chain."""
    report(station, "WO-1")
    hello = deliver.hello_of(station.db, station.rules)
    (epoch,) = station.db.conn.execute("SELECT value FROM meta WHERE key = 'epoch'").fetchone()
    newest = station.rows("audit")[-1]
    assert (hello.source, hello.epoch) == ("urn:mes-terminal:SITE:STATION-1", epoch)
    assert (hello.first_sequence, hello.last_sequence, hello.down_version) == (1, 2, 0)
    assert (hello.head_sequence, hello.head) == (newest["sequence"], newest["hash"])


def test_what_waits_comes_in_order_and_in_bounds(station: Station) -> None:
    """UP-1: by sequence; a window by number and by bytes, and one posting however large."""
    sent = report(station, "WO-1", times=4)
    found = deliver.waiting(station.db, after=sent[0], limit=2, bytes_max=MANY)
    assert [each.sequence for each in found] == sent[1:3]
    size = len(found[0].body)
    few = deliver.waiting(station.db, after=0, limit=9, bytes_max=size + 1)
    assert [each.sequence for each in few] == sent[:1]
    assert [each.sequence for each in deliver.waiting(station.db, after=0, limit=9, bytes_max=1)]
    (row, *_) = station.rows("outbox", since=str(sent[0] - 1))
    assert (found[0].lane, found[0].type) == ("WO-1", "production.completed")
    assert (row["event_id"], row["queued_at"]) == (
        deliver.waiting(station.db, after=0, limit=1, bytes_max=1)[0].id,
        deliver.waiting(station.db, after=0, limit=1, bytes_max=1)[0].recorded_at,
    )


def test_the_exact_bytes_are_sent(station: Station) -> None:
    """UP-1: as stored and hashed."""
    (sequence,) = report(station, "WO-1")
    (sent,) = deliver.waiting(station.db, after=0, limit=1, bytes_max=MANY)
    (body,) = station.db.conn.execute(
        "SELECT body FROM event WHERE outbox_seq = ?", [sequence]
    ).fetchone()
    assert sent.body == body.encode()


# What brings and what uses -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("use", "quantity", "brings", "uses"),
    [
        ("Produced", "1", True, False), ("Received", "1", True, False),
        ("Adjusted", "1", True, False), ("Adjusted", "-1", False, True),
        ("Moved", "1", True, True), ("Consumed", "1", False, True),
        ("Scrapped", "1", False, True), ("Produced", "-1", False, True),
        ("Consumed", "-1", True, False), ("Moved", "-1", True, True),
    ],
)  # fmt: skip
def test_material_comes_and_goes_by_its_use_and_sign(
    use: str, quantity: str, brings: bool, uses: bool
) -> None:
    """UP-3: what a posting brings another may wait for; a reversal does the opposite."""
    named = frozenset({Material("LEG", "L-1", None)})
    found = materials_of([Actual(use, "LEG", quantity, "L-1"), Actual(use, "BOLT", quantity)])
    assert found == (named if brings else frozenset(), named if uses else frozenset())


def test_a_real_report_brings_its_lot_and_uses_its_components(station: Station) -> None:
    """UP-3: read from the document itself."""
    (sequence,) = report(station, "WO-1")
    found = posting(station, sequence)
    assert found.brings == {Material("CHAIR", "WO-1", None)}
    assert found.uses == {Material("LEG", "L-1", None)}


# Answers -----------------------------------------------------------------------------------------


def test_what_is_accepted_is_delivered_with_its_document(station: Station) -> None:
    """UP-8: the receiver's outcome and number are kept with the posting."""
    (sequence,) = report(station, "WO-1")
    noted = answer(station, [sequence], document="S12")
    assert noted == Noted(delivered=1)
    (row,) = station.rows("outbox", since=str(sequence - 1))
    assert (row["status"], row["attempts"], row["delivered_at"]) == ("delivered", 1, station.now)
    (told,) = station.rows("desk_posting", sequence=str(sequence))
    assert (told["upstream_document"], told["answer"]["outcome"]) == ("S12", "accepted")
    assert deliver.upstream_state(station.db).last_contact_at == station.now
    assert station.faults() == []


def test_the_same_answer_twice_and_a_late_refusal_change_nothing(station: Station) -> None:
    """UP-2: accepted is for good."""
    (sequence,) = report(station, "WO-1")
    answer(station, [sequence], document="S12")
    before = station.db.conn.execute("SELECT * FROM delivery").fetchall()
    assert answer(station, [sequence], document="S99", repeated=True) == Noted()
    assert refuse(station, sequence) == Noted()
    assert station.db.conn.execute("SELECT * FROM delivery").fetchall() == before
    assert station.rows("exceptions") == []


def test_an_answer_for_another_epoch_or_another_station_is_not_ours(station: Station) -> None:
    """UP-1, UP-2: the key is source, epoch and sequence."""
    (sequence,) = report(station, "WO-1")
    sent = posting(station, sequence)
    for source, epoch in ((sent.source, "0" * 16), ("urn:mes-terminal:SITE:OTHER", sent.epoch)):
        strange = Answer(source=source, epoch=epoch, sequence=sequence, outcome="accepted")
        assert note_answers(station.db, [strange], rules=station.rules, now=station.now) == Noted()
    assert waiting(station) == [sequence]


def test_a_fault_on_the_way_is_counted_and_the_posting_waits_on(station: Station) -> None:
    """UP-4: transport faults are tried for ever."""
    (sequence,) = report(station, "WO-1")
    for _ in range(3):
        deliver.note_fault(station.db, [sequence], "The receiver does not answer.")
    (row,) = station.rows("outbox", open="1")
    assert (row["status"], row["attempts"]) == ("waiting", 3)
    assert row["last_error"] == "The receiver does not answer."
    assert station.rows("exceptions") == [], "being offline is no alarm (UP-6)"
    answer(station, [sequence])
    (row,) = station.rows("outbox", since=str(sequence - 1))
    assert (row["status"], row["attempts"], row["last_error"]) == ("delivered", 4, None)


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


# Retention ---------------------------------------------------------------------------------------


def test_pruned_is_delivered_in_every_list(station: Station) -> None:
    """UP-5: below the watermark and older than is kept; events never; nothing else."""
    first, second, third = report(station, "WO-1", times=3)
    answer(station, [first, second], document="S1")
    later = "2027-01-01T00:00:00.000000Z"
    gone = deliver.prune(station.db, watermark=first, now=later, keep_days=30, limit=100)
    assert gone == 2, "the receipt, and the first report"
    assert deliver.prune(station.db, watermark=99, now=later, keep_days=90, limit=100) == 0
    assert deliver.prune(station.db, watermark=99, now=later, keep_days=30, limit=100) == 1
    assert statuses(station) == {1: "delivered", 2: "delivered", 3: "delivered", 4: "waiting"}
    assert [row["sequence"] for row in station.rows("outbox", open="1")] == [third]
    assert [row["status"] for row in station.rows("desk_outbox")] == ["waiting"] + ["delivered"] * 3
    assert deliver.counts(station.db) == (1, 0, 0)
    assert len(station.rows("desk_posting", sequence="2")) == 1
    assert station.faults() == []


def test_pruning_goes_on_where_it_ended_and_passes_what_is_refused(station: Station) -> None:
    """UP-5: bounded work; what was refused is never forgotten."""
    sent = report(station, "WO-1", times=6)
    refuse(station, sent[0])
    answer(station, sent[1:], document="S1")
    later = "2027-01-01T00:00:00.000000Z"
    gone = [
        deliver.prune(station.db, watermark=sent[-1], now=later, keep_days=30, limit=2)
        for _ in range(5)
    ]
    assert gone == [1, 2, 2, 1, 0]
    assert statuses(station)[sent[0]] == "refused"
    assert station.faults() == []


def test_what_came_late_is_forgotten_too(station: Station) -> None:
    """UP-5: a refused posting that was mended, and what a receiver asked for again, although what
    was sent with them was forgotten before."""
    refused, *sent = report(station, "WO-1", times=4)
    refuse(station, refused)
    answer(station, sent)

    def prune(now: str, limit: int = 9) -> int:
        return deliver.prune(station.db, watermark=sent[-1], now=now, keep_days=30, limit=limit)

    assert prune("2027-01-01T00:00:00Z") == len([1, *sent])
    answer(station, [refused])
    deliver.send_again(station.db, [(sent[0], sent[1])])
    answer(station, sent[:2])
    assert prune("2026-11-21T00:00:00Z") == 0
    assert [prune("2027-01-01T00:00:00Z", limit=2) for _ in range(3)] == [2, 1, 0]
    kept = station.db.conn.execute("SELECT outbox_seq FROM delivery ORDER BY outbox_seq")
    assert [row[0] for row in kept] == waiting(station)
    assert station.faults() == []


def test_what_the_receiver_lost_is_sent_again_pruned_or_not(station: Station) -> None:
    """UP-5: the receiver asks again for gaps."""
    sent = report(station, "WO-1", times=4)
    answer(station, sent[:3])
    deliver.prune(station.db, watermark=sent[1], now="2027-01-01T00:00:00Z", keep_days=30, limit=9)
    assert deliver.send_again(station.db, [(sent[0], sent[2])]) == (3, [])
    assert waiting(station) == sent
    assert deliver.counts(station.db) == (4, 0, 0)
    assert station.faults() == []
    assert deliver.send_again(station.db, [(sent[0], 10**6)]) == (0, [])
    assert deliver.send_again(station.db, [(10**6, 10**6)]) == (0, [])


def test_what_the_receiver_lost_is_queued_in_parts_that_a_scan_can_wait_for(
    station: Station,
) -> None:
    """UP-5: each goes on where the one before it ended, whether anything was to be done there."""
    sent = report(station, "WO-1", times=9)
    answer(station, [*sent[:3], *sent[5:]])
    deliver.prune(station.db, watermark=sent[1], now="2027-01-01T00:00:00Z", keep_days=30, limit=9)
    rest, parts = [(sent[0], sent[1]), (sent[2], sent[8])], []
    while rest:
        again, rest = deliver.send_again(station.db, rest, limit=4)
        parts.append(again)
    assert parts == [3, 3, 1]
    assert waiting(station) == sent
    assert station.faults() == []


def test_what_was_refused_is_not_sent_again_by_itself(station: Station) -> None:
    """UP-4: a person decides about it."""
    (first,) = report(station, "WO-1")
    refuse(station, first)
    assert deliver.send_again(station.db, [(first, first)]) == (0, [])
    assert statuses(station)[first] == "refused"


# How it stands -----------------------------------------------------------------------------------


def test_the_screen_counts_what_waits_apart_from_what_is_held(station: Station) -> None:
    """UP-6: and since when; it is the same work however long the outbox is."""
    first, second = report(station, "WO-1", times=2)
    (other,) = report(station, "WO-2")
    refuse(station, first)
    park_behind(station)
    view = station_view(station.db, station.rules, now=station.now)
    assert view.upstream is not None
    assert (view.postings_waiting, view.upstream.refused, view.upstream.parked) == (2, 1, 1)
    assert view.upstream.fresh_at == view.oldest_waiting_at == posting(station, other).recorded_at
    (totals,) = station.rows("desk_outbox_count", open="1")
    assert (totals["count"], totals["waiting"], totals["refused"], totals["parked"]) == (4, 2, 1, 1)
    assert totals["oldest_at"] == posting(station, first).recorded_at
    assert second


def test_the_greeting_is_kept(station: Station) -> None:
    """UP-5: what the receiver has, found again after a restart."""
    greeting = Greeting(receiver="site PLANT1", watermark=7, highest=7)
    deliver.greeted(station.db, greeting, now=station.now)
    deliver.reached(station.db, now="2026-11-21T00:00:00.000000Z")
    state = deliver.upstream_state(station.db)
    assert (state.receiver, state.watermark, state.greeted_at) == ("site PLANT1", 7, station.now)
    assert state.last_contact_at == "2026-11-21T00:00:00.000000Z"


async def test_a_receiver_that_says_the_same_is_noted_again_now_and_then(
    station: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """UP-5: what `doctor` says of the last answer is not from before the week-end."""

    async def do(work: Callable[[Any], Any]) -> Any:
        return work(SimpleNamespace(db=station.db))

    door = OutboxDoor(do, do, station.rules, keep_days=30)
    greeting = Greeting(receiver="site PLANT1", watermark=7, highest=7)
    known = []
    for at in ("06:00", "06:01", "06:04", "06:05", "06:09", "06:10"):
        monkeypatch.setattr(outbox_door, "utc_now", lambda at=at: f"2026-11-20T{at}:00.000000Z")
        await door.reached(greeting)
        known.append((deliver.upstream_state(station.db).last_contact_at or "")[11:16])
    assert known == ["06:00", "06:00", "06:00", "06:05", "06:05", "06:10"]


def test_the_doctor_finds_counts_that_are_not_so(station: Station) -> None:
    """UP-5: what is pruned is no fault, what is lost is."""
    report(station, "WO-1", times=2)
    station.db.conn.execute("UPDATE upstream_state SET settled = settled + 1")
    assert station.faults() == ["the queue holds 2 waiting postings and counts 1"]
    station.db.conn.execute("UPDATE upstream_state SET settled = settled - 1")
    station.db.conn.execute("DELETE FROM delivery WHERE outbox_seq = 2")
    assert station.faults()[0] == "posting 2 is not in the queue"


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

"""The station's side of delivery, rule by rule: what waits, what is answered, what is kept."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mes_terminal.domain.delivering import Actual, materials_of
from mes_terminal.domain.delivery import (
    Answer,
    Greeting,
    Material,
)
from mes_terminal.station import outbox_door
from mes_terminal.station.outbox_door import OutboxDoor
from mes_terminal.usecases import deliver
from mes_terminal.usecases.note_answers import Noted, note_answers
from mes_terminal.usecases.station_view import station_view
from tests.plants import Station
from tests.unit.delivery_plant import (
    MANY,
    answer,
    delivery_station,
    park_behind,
    posting,
    refuse,
    report,
    statuses,
    waiting,
)


@pytest.fixture
def station(tmp_path: Path) -> Station:
    """The plant of `delivery_plant`."""
    return delivery_station(tmp_path)


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

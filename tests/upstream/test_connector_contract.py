"""What every connector promises, against the real server and the site's real inbox.

The receiver is a process of its own before PostgreSQL; it and the broker are killed as a power cut
would end them. One piece in stock is one effect.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from mes_terminal.domain.delivery import OTHER_CONTENT, Hello
from mes_terminal.errors import TransportError
from mes_terminal.upstream.connector import Connector
from tests.upstream.connector_bench import (
    BENCHES,
    Bench,
    deliver_all,
    hello_of,
    next_batch,
)
from tests.upstream.made_postings import lanes_in_order, made, source_of
from tests.upstream.servers import Server

OFFLINE = 3000
"""Postings of the days that a station was away, in this suite."""


@pytest.fixture
def bench_of(
    tmp_path: Path, site_database: str, own_server: Callable[[type[Server]], Server]
) -> Callable[[str], Bench]:
    """Make the bench of a connector, by its name; its receiver is not started yet."""
    return lambda name: BENCHES[name](tmp_path, site_database, own_server)


@pytest_asyncio.fixture(params=[name for name, kind in BENCHES.items() if kind.judges])
async def bench(
    request: pytest.FixtureRequest, bench_of: Callable[[str], Bench]
) -> AsyncIterator[Bench]:
    """The bench of a connector that answers for the receiver."""
    found = bench_of(request.param)
    yield found
    await found.close()


@pytest_asyncio.fixture(params=BENCHES)
async def any_bench(
    request: pytest.FixtureRequest, bench_of: Callable[[str], Bench]
) -> AsyncIterator[Bench]:
    """The bench of any connector."""
    found = bench_of(request.param)
    yield found
    await found.close()


async def test_each_posting_has_one_effect_and_is_answered(any_bench: Bench) -> None:
    """UP-2, UP-8: thirty reports of three orders."""
    connector = await any_bench.started()
    told = await deliver_all(connector, made(30, lanes=3))
    assert {each.outcome for each in told.values()} == {"accepted"}
    assert all(each.document for each in told.values()) or not any_bench.judges
    assert not any(each.repeated for each in told.values())
    await any_bench.settle(connector)
    assert any_bench.pieces() == 30


async def test_a_posting_that_comes_twice_has_one_effect_and_the_same_answer(
    any_bench: Bench,
) -> None:
    """UP-2."""
    connector = await any_bench.started()
    postings = made(6, lanes=6)
    first = await deliver_all(connector, postings)
    again = await deliver_all(connector, postings)
    assert all(each.repeated for each in again.values())
    await any_bench.settle(connector)
    assert any_bench.pieces() == 6
    assert {each.document for each in again.values()} == {each.document for each in first.values()}


async def test_the_receiver_says_what_it_has(bench: Bench) -> None:
    """UP-5: watermark, highest and gaps."""
    connector = await bench.started()
    postings = made(9, lanes=9)
    await deliver_all(connector, [*postings[:3], *postings[5:7]])
    greeting = await connector.greet(hello_of(postings))
    assert (greeting.watermark, greeting.highest) == (3, 7)
    assert [tuple(each) for each in greeting.missing] == [(4, 5)]


async def test_an_answer_that_is_lost_is_given_again(bench: Bench) -> None:
    """UP-2: the receiver dies after the commit of the first batch, before it answers."""
    connector = await bench.started(die_after_commits=1)
    postings = made(40, lanes=4)
    with pytest.raises(TransportError):
        await connector.deliver(next_batch(connector, postings))
    bench.wait_dead()
    assert bench.pieces() > 0
    bench.start()
    told = await deliver_all(connector, postings)
    assert {each.outcome for each in told.values()} == {"accepted"}
    assert any(each.repeated for each in told.values())
    assert bench.pieces() == 40


async def test_order_is_kept_per_lane(any_bench: Bench) -> None:
    """UP-3."""
    connector = await any_bench.started()
    await deliver_all(connector, made(300, lanes=7))
    await any_bench.settle(connector)
    assert lanes_in_order(any_bench.lanes())
    assert any_bench.pieces() == 300


async def test_a_refused_posting_holds_up_its_lane_only_and_is_accepted_when_mended(
    bench: Bench,
) -> None:
    """UP-3, UP-4: an order that is closed upstream, and opened again."""
    connector = await bench.started()
    postings = made(20, lanes=4)
    first = await deliver_all(connector, postings[:4])
    assert len(first) == 4
    close_order(bench, "WO-ST-1-1")
    told = await deliver_all(connector, postings[4:])
    refused = [each for each in told.values() if each.outcome == "refused"]
    assert [(each.reason, each.sequence) for each in refused] == [("order_closed", 5)]
    assert refused[0].sentence
    assert bench.pieces() == 4 + 12
    open_order(bench, "WO-ST-1-1")
    rest = [each for each in postings[4:] if each.lane == "WO-ST-1-1"]
    told = await deliver_all(connector, rest)
    assert {each.outcome for each in told.values()} == {"accepted"}
    assert bench.pieces() == 20
    assert lanes_in_order(bench.lanes())


async def test_what_stands_behind_a_refused_one_in_a_batch_is_deferred(bench: Bench) -> None:
    """UP-3; where a batch has one posting of a lane, none can stand behind another."""
    connector = await bench.started()
    if connector.one_per_lane:
        assert len({each.lane for each in next_batch(connector, made(9, lanes=3))}) == 3
        return
    postings = made(6, lanes=2)
    bench.change("INSERT INTO work_order (work_order, barred_since, barred_as) "
                 "VALUES ('WO-ST-1-1', '2020-01-01T00:00Z', 'closed')")  # fmt: skip
    told = {each.sequence: each.outcome for each in await connector.deliver(postings)}
    assert told == {
        1: "refused", 2: "accepted", 3: "deferred", 4: "accepted", 5: "deferred", 6: "accepted",
    }  # fmt: skip
    assert bench.pieces() == 3


@pytest.mark.parametrize(
    "body",
    [b"\x00\xff not a posting", b'{"id": 7}', b"", b"[1, 2"],
    ids=["no text", "no key", "empty", "cut off"],
)
async def test_a_poisoned_posting_is_refused_and_holds_up_nothing_else(
    bench: Bench, body: bytes
) -> None:
    """UP-4: bytes that nobody can read, in the middle of a batch."""
    connector = await bench.started()
    postings = made(9, lanes=9)
    sick = made(9, lanes=9)[4]
    poisoned = [*postings[:4], msgspec.structs.replace(sick, body=body), *postings[5:]]
    told = await deliver_all(connector, poisoned)
    assert {number for number, each in told.items() if each.outcome == "accepted"} == {
        1, 2, 3, 4, 6, 7, 8, 9,
    }  # fmt: skip
    assert (told[5].outcome, told[5].reason) == ("refused", "malformed")
    assert told[5].sentence
    assert bench.pieces() == 8


async def test_other_content_under_a_known_key_is_refused_and_overwrites_nothing(
    bench: Bench,
) -> None:
    """UP-2: two lives of one database post under the same key."""
    connector = await bench.started()
    await deliver_all(connector, made(3, lanes=3))
    await connector.close()
    clone = await bench.open()
    told = await deliver_all(clone, made(3, lanes=3, quantity="7"))
    assert {(each.outcome, each.reason) for each in told.values()} == {("refused", OTHER_CONTENT)}
    assert bench.pieces() == 3


async def test_a_receiver_that_is_killed_in_the_midst_loses_and_doubles_nothing(
    any_bench: Bench,
) -> None:
    """UP-2, UP-4."""
    connector = await any_bench.started()

    def strike(batches: int) -> None:
        if batches in (2, 5):
            any_bench.kill()
            any_bench.start()

    told = await deliver_all(connector, made(400, lanes=20), after_batch=strike)
    assert {each.outcome for each in told.values()} == {"accepted"}
    await any_bench.settle(connector)
    assert any_bench.pieces() == 400
    assert lanes_in_order(any_bench.lanes())


@pytest.mark.parametrize("bench", ["mqtt", "nats"], indirect=True)
async def test_a_broker_that_is_killed_in_the_midst_loses_and_doubles_nothing(
    bench: Bench,
) -> None:
    """UP-2, UP-4."""
    connector = await bench.started()
    broker = bench.broker
    assert broker is not None

    def strike(batches: int) -> None:
        if batches in (2, 5):
            broker.kill()
            broker.start()

    told = await deliver_all(connector, made(400, lanes=20), after_batch=strike)
    assert {each.outcome for each in told.values()} == {"accepted"}
    assert bench.pieces() == 400
    assert lanes_in_order(bench.lanes())


async def test_a_station_that_restarts_in_the_midst_goes_on(any_bench: Bench) -> None:
    """UP-7: half is on its way when the program ends."""
    any_bench.start()
    postings = made(200, lanes=20)
    connector = await any_bench.open()
    await deliver_all(connector, postings, batches_max=4)
    await connector.close()
    connector = await any_bench.open()
    told = await deliver_all(connector, postings)
    await any_bench.settle(connector)
    assert {each.outcome for each in told.values()} == {"accepted"}
    assert any_bench.pieces() == 200


async def test_days_offline_are_caught_up(any_bench: Bench) -> None:
    """UP-6: nobody is there; then the receiver starts."""
    connector = any_bench.connector()
    postings = made(OFFLINE, lanes=100)
    for _ in range(2 if any_bench.judges else 0):
        with pytest.raises(TransportError) as fault:
            await begin(connector, hello_of(postings))
        assert fault.value.sentence.endswith("Postings wait.")
    any_bench.start()
    await connector.open()
    told = await deliver_all(connector, postings)
    assert len(told) == OFFLINE
    await any_bench.settle(connector)
    assert any_bench.pieces() == OFFLINE
    assert lanes_in_order(any_bench.lanes())
    if any_bench.judges:
        greeting = await connector.greet(hello_of(postings))
        assert (greeting.watermark, list(greeting.missing)) == (OFFLINE, [])


async def test_two_stations_do_not_hear_each_others_answers(any_bench: Bench) -> None:
    """UP-2: with the same epoch and the same sequences."""
    any_bench.start()
    told = {}
    for station in ("ST-1", "ST 2/ä.*"):
        connector = await any_bench.open(station)
        told[station] = await deliver_all(connector, made(5, lanes=5, station=station))
        await any_bench.settle(connector)
    for station, answers in told.items():
        assert {each.source for each in answers.values()} == {source_of(station)}
        assert {each.outcome for each in answers.values()} == {"accepted"}
        assert not any(each.repeated for each in answers.values())
    assert any_bench.pieces() == 10


async def begin(connector: Connector, hello: Hello) -> None:
    """Do what a relay does first."""
    await connector.open()
    await connector.greet(hello)


def close_order(bench: Bench, order: str) -> None:
    """Close an order at the site, as the ERP would."""
    bench.change(f"UPDATE work_order SET barred_since = '2020-01-01T00:00Z', barred_as = 'closed' "
                 f"WHERE work_order = '{order}'")  # fmt: skip


def open_order(bench: Bench, order: str) -> None:
    """Open it again."""
    bench.change(
        f"UPDATE work_order SET barred_since = NULL, barred_as = NULL WHERE work_order = '{order}'"
    )

"""The relay on a clock of its own: order, window, back-off, parking, greetings, stop."""

import asyncio
import contextlib
import gc
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mes_terminal.domain.delivery import Answer, Greeting, Hello, QueuedPosting
from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import SimulatedTable
from mes_terminal.upstream.bounded import CLOSE_MAX_S
from mes_terminal.upstream.connectors.simulated import SimulatedConnector, SimulatedReceiver
from mes_terminal.upstream.lanes import Lanes
from mes_terminal.upstream.relay import GREET_EVERY_S, STOP_WAIT_S, Relay
from mes_terminal.upstream.window import WINDOW_MAX
from tests import virtual_time
from tests.memory_outbox import EPOCH, SOURCE, MemoryOutbox


class Wire(SimulatedConnector):
    """The simulated connector, watched, and with faults at will."""

    def __init__(self, receiver: SimulatedReceiver | None = None, **options: Any) -> None:
        table = SimulatedTable(delay_ms=options.pop("delay_ms", 10))
        super().__init__(receiver or SimulatedReceiver(), table, **options)
        self.down: str | None = None
        self.retry_after_s: float | None = None
        self.batches: list[list[int]] = []
        self.flying: dict[str, int] = {}
        self.lanes_doubled = 0
        self.calls_most = 0
        self.closed = 0
        self.breaks: Callable[[Sequence[QueuedPosting]], bool] = lambda _: False
        self.silent: Callable[[QueuedPosting], bool] = lambda _: False

    async def _travel(self) -> None:
        await super()._travel()
        if self.down is not None:
            raise TransportError(self.down, retry_after_s=self.retry_after_s)

    async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        self.batches.append([each.sequence for each in postings])
        lanes = {each.lane for each in postings}
        self.lanes_doubled += sum(1 for lane in lanes if self.flying.get(lane))
        for lane in lanes:
            self.flying[lane] = self.flying.get(lane, 0) + 1
        self.calls_most = max(self.calls_most, sum(self.flying.values()))
        try:
            if self.breaks(postings):
                await asyncio.sleep(0.01)
                raise TransportError("Status 500.")
            answers = await super().deliver(postings)
        finally:
            for lane in lanes:
                self.flying[lane] -= 1
        silent = {each.sequence for each in postings if self.silent(each)}
        return [answer for answer in answers if answer.sequence not in silent]

    async def close(self) -> None:
        self.closed += 1


@asynccontextmanager
async def running(outbox: MemoryOutbox, wire: Wire) -> AsyncIterator[Relay]:
    """Run a relay for the block."""
    relay = Relay(
        wire,
        outbox,
        now_s=asyncio.get_running_loop().time,
        chance=random.Random(7).random,
    )
    task = asyncio.create_task(relay.run())
    try:
        yield relay
    finally:
        relay.stop()
        await task


async def until_drained(relay: Relay, *, within_s: float = 3600.0) -> None:
    async with asyncio.timeout(within_s):
        while not relay.is_drained:
            await relay.turned(1.0)


def played(story: Callable[[], Coroutine[Any, Any, None]]) -> None:
    virtual_time.run(story())


def lanes_of(receiver: SimulatedReceiver) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for posting in receiver.effects:
        found.setdefault(posting.lane, []).append(posting.sequence)
    return found


def test_a_lane_keeps_its_order_and_has_one_call_on_its_way() -> None:
    """UP-3: in order per work order, side by side across them."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire(batch_max=5, parallel_max=4, delay_ms=100)
        for number in range(200):
            outbox.post(f"WO-{number % 9}")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
        assert outbox.status("delivered") == list(range(1, 201))
        assert wire.lanes_doubled == 0
        assert wire.calls_most > 1
        assert all(each == sorted(each) for each in lanes_of(wire.receiver).values())
        assert all(batch == sorted(batch) for batch in wire.batches)

    played(story)


def test_a_connector_that_keeps_no_order_gets_one_posting_of_a_lane() -> None:
    """UP-3: brokers deliver side by side."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire(one_per_lane=True, batch_max=10)
        for number in range(60):
            outbox.post(f"WO-{number % 4}")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
        assert max(map(len, wire.batches)) <= 4
        assert all(each == sorted(each) for each in lanes_of(wire.receiver).values())
        assert len(wire.receiver.effects) == 60

    played(story)


def test_what_uses_material_waits_for_what_brings_it() -> None:
    """UP-3: a lot's receipt has its effect before anything is made of it."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        outbox.post("WO-9")
        outbox.post("material", brings=["L-1"])
        outbox.post("WO-1", uses=["L-1"], brings=["FG-1"])
        outbox.post("WO-2", uses=["FG-1"])
        outbox.post("WO-3", uses=["L-other"])
        async with running(outbox, wire) as relay:
            await until_drained(relay)
        assert wire.batches == [[1, 2, 5], [3], [4]]

    played(story)


def test_within_a_lane_the_order_of_the_lane_is_enough() -> None:
    """UP-3: an order that makes and uses a lot itself does not wait for each answer."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        for _ in range(5):
            outbox.post("WO-1", brings=["L-1"], uses=["L-1"])
        async with running(outbox, wire) as relay:
            await until_drained(relay)
        assert wire.batches == [[1, 2, 3, 4, 5]]

    played(story)


def test_behind_a_refused_posting_its_lane_and_what_uses_its_material_is_parked() -> None:
    """UP-3: it parks its own work order, and what hangs on its material, and no other."""

    async def story() -> None:
        receiver = SimulatedReceiver(lambda each: "order_closed" if each.sequence == 1 else None)
        outbox, wire = MemoryOutbox(), Wire(receiver)
        outbox.post("WO-1", brings=["L-1"])
        outbox.post("WO-1")
        outbox.post("WO-2", uses=["L-1"], brings=["L-2"])
        outbox.post("WO-2")
        outbox.post("WO-3", uses=["L-2"])
        outbox.post("WO-4")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            assert outbox.status("refused") == [1]
            assert outbox.status("parked") == [2, 3, 4, 5]
            assert {outbox.rows[each].behind for each in (2, 3, 4, 5)} == {1}
            outbox.post("WO-3")
            relay.wake()
            await until_drained(relay)
            assert outbox.status("parked") == [2, 3, 4, 5, 7]
            receiver.judge = lambda _: None
            outbox.send_refused_again(1)
            relay.wake(released=True)
            await until_drained(relay)
        assert outbox.status("delivered") == [1, 2, 3, 4, 5, 6, 7]
        order = [each.sequence for each in receiver.effects]
        assert order[0] == 6
        assert order.index(1) < order.index(2)
        assert order.index(1) < order.index(3) < order.index(5) < order.index(7)

    played(story)


def test_a_refusal_that_is_let_go_frees_its_lane() -> None:
    """UP-4: refused for good; nothing behind it is lost."""

    async def story() -> None:
        receiver = SimulatedReceiver(lambda each: "order_closed" if each.sequence == 1 else None)
        outbox, wire = MemoryOutbox(), Wire(receiver)
        for _ in range(3):
            outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            assert outbox.status("parked") == [2, 3]
            outbox.let_go(1)
            relay.wake()  # nobody told it: seen within seconds all the same
            await asyncio.sleep(10)
            relay.wake()
            await until_drained(relay)
        assert outbox.status("delivered") == [2, 3]
        assert outbox.status("refused") == [1]

    played(story)


def test_after_a_restart_what_is_parked_still_blocks() -> None:
    """UP-3: a posting of a lane that is parked by its material does not overtake it."""

    async def story() -> None:
        receiver = SimulatedReceiver(lambda each: "order_closed" if each.sequence == 1 else None)
        outbox, wire = MemoryOutbox(), Wire(receiver)
        outbox.post("WO-1", brings=["L-1"])
        outbox.post("WO-2", uses=["L-1"], brings=["L-2"])
        async with running(outbox, wire) as relay:
            await until_drained(relay)
        outbox.post("WO-2")
        outbox.post("WO-3", uses=["L-2"])
        outbox.post("WO-4")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
        assert outbox.status("parked") == [2, 3, 4]
        assert [each.sequence for each in receiver.effects] == [5]

    played(story)


def test_a_dead_server_costs_one_attempt_a_pause_however_much_waits() -> None:
    """UP-4, UP-6: back-off is the connector's, not each posting's."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        wire.down = "No route to host."
        for number in range(500):
            outbox.post(f"WO-{number}")
        async with running(outbox, wire) as relay:
            await asyncio.sleep(3600)
            assert wire.calls < 3600 / 10
            assert wire.batches == []
            assert (relay.state.online, relay.state.last_error) == (False, "No route to host.")
            assert outbox.read_rows <= wire.calls
            assert [row.attempts > 0 for row in outbox.rows.values()].count(True) == 1
            assert outbox.rows[1].last_error == "No route to host."
            wire.down = None
            await until_drained(relay, within_s=65)
            assert (relay.state.online, relay.state.last_error) == (True, None)
        assert len(wire.receiver.effects) == 500

    played(story)


def test_scans_that_come_during_a_pause_cause_no_attempts() -> None:
    """UP-4: a scan every second does not ask a dead server every second."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        wire.down = "No route to host."
        async with running(outbox, wire) as relay:
            for _ in range(600):
                outbox.post("WO-1")
                relay.wake()
                await asyncio.sleep(1)
            assert wire.calls < 60

    played(story)


def test_what_the_server_asks_for_is_waited_for() -> None:
    """UP-4: 429 with Retry-After."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            wire.down, wire.retry_after_s = "Too many requests.", 300.0
            outbox.post("WO-1")
            relay.wake()
            await relay.turned(1)
            await asyncio.sleep(1)
            calls = wire.calls
            await asyncio.sleep(298)
            assert wire.calls == calls
            wire.down = None
            await until_drained(relay, within_s=10)

    played(story)


def test_a_scan_is_sent_at_once() -> None:
    """The relay is woken; it does not look now and then."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            await asyncio.sleep(7.3)
            began_s = asyncio.get_running_loop().time()
            outbox.post("WO-1")
            relay.wake()
            while not wire.receiver.effects:
                await relay.turned(1)
            assert asyncio.get_running_loop().time() - began_s < 0.05

    played(story)


def test_an_idle_relay_hardly_does_anything() -> None:
    """It greets twice a minute, and otherwise sleeps."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        loop = asyncio.get_running_loop()
        assert isinstance(loop, virtual_time.VirtualLoop)
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            calls, turns = wire.calls, loop.turns
            await asyncio.sleep(3600)
            assert wire.calls - calls <= 3600 / GREET_EVERY_S + 1
            assert loop.turns - turns < 30 * 3600 / GREET_EVERY_S

    played(story)


def test_memory_and_reading_stay_bounded_with_fifty_thousand_waiting() -> None:
    """UP-6: the outbox may be as long as it likes; each row is read once."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire(batch_max=100)
        for number in range(50_000):
            outbox.post(f"WO-{number % 500}")
        most = 0
        async with running(outbox, wire) as relay:
            while not relay.is_drained:
                await relay.turned(1)
                most = max(most, len(relay._lanes))
            assert most <= WINDOW_MAX
        assert len(wire.receiver.effects) == 50_000
        assert outbox.read_rows == 50_000

    played(story)


def test_what_waits_in_the_window_costs_the_collector_nothing() -> None:
    """A scan may have to wait for a collection, which looks at every object that is tracked."""
    outbox = MemoryOutbox()
    outbox.post("WO-1", brings=("L-1",), uses=("L-2",))
    (row,) = outbox.rows.values()
    posting = row.posting
    assert not gc.is_tracked(posting)
    assert not any(gc.is_tracked(each) for each in (*posting.brings, *posting.uses))


def test_fifty_thousand_parked_are_read_once() -> None:
    """UP-3: what is parked costs nothing any more, and other lanes go on."""

    async def story() -> None:
        receiver = SimulatedReceiver(lambda each: "order_closed" if each.lane == "BAD" else None)
        outbox, wire = MemoryOutbox(), Wire(receiver)
        for _ in range(5_000):
            outbox.post("BAD")
        outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            assert len(outbox.status("parked")) == 4_999
            read = outbox.read_rows
            for _ in range(100):
                outbox.post("WO-1")
                relay.wake()
                await until_drained(relay)
            assert outbox.read_rows - read == 100
        assert len(receiver.effects) == 101

    played(story)


def test_a_poisoned_posting_holds_up_its_own_lane_only() -> None:
    """UP-4: a server that falls over one posting still gets all the others."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire(batch_max=100, parallel_max=1)
        wire.breaks = lambda batch: any(each.sequence == 40 for each in batch)
        for number in range(300):
            outbox.post(f"WO-{number % 10}")
        bad = outbox.rows[40].posting.lane
        async with running(outbox, wire) as relay:
            await asyncio.sleep(600)
            effects = {each.sequence for each in wire.receiver.effects}
            lane = {each for each, row in outbox.rows.items() if row.posting.lane == bad}
            assert effects == set(outbox.rows) - {each for each in lane if each >= 40}
            wire.breaks = lambda _: False
            await until_drained(relay, within_s=130)
        assert outbox.status("delivered") == list(range(1, 301))
        assert lanes_of(wire.receiver)[bad] == sorted(lane)

    played(story)


def test_a_lane_that_gets_no_answers_does_not_fill_the_window() -> None:
    """UP-4: thousands behind such a posting leave room for others."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire(batch_max=100)
        wire.silent = lambda each: each.lane == "MUTE"
        for _ in range(3 * WINDOW_MAX):
            outbox.post("MUTE")
        for _ in range(10):
            outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            await asyncio.sleep(600)
            assert len(lanes_of(wire.receiver)["WO-1"]) == 10
            assert len(wire.batches) < 300
            wire.silent = lambda _: False
            await until_drained(relay)
        assert lanes_of(wire.receiver)["MUTE"] == list(range(1, 3 * WINDOW_MAX + 1))
        assert outbox.status("waiting") == []

    played(story)


def test_a_lane_that_is_tried_again_keeps_its_pauses_when_another_is_refused() -> None:
    """UP-4: while its call is on its way it is neither waiting nor well."""
    outbox, lanes = MemoryOutbox(), Lanes(chance=lambda: 0.5)
    mute, other, behind = (outbox.rows[outbox.post(each)].posting for each in ("A", "B", "A"))
    for each in (mute, other, behind):
        lanes.add(each)

    def take(now_s: float) -> list[int]:
        taken = lanes.take(1, 1000, one_per_lane=False, now_s=now_s)
        return [each.sequence for each in taken]

    assert take(0.0) == [mute.sequence]
    lanes.landed([mute])
    lanes.cool([mute], 0.0)
    assert take(100.0) == [mute.sequence]
    assert take(100.0) == [other.sequence]
    lanes.refuse(other)
    lanes.landed([other])
    assert not lanes.read_again
    lanes.landed([mute])
    lanes.cool([mute], 100.0)
    assert lanes.due_s(100.0) == 100.5, "the second pause: half of one second"


def test_a_lost_answer_is_asked_for_with_the_same_key() -> None:
    """UP-2: a repeat of what was accepted has no second effect."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire(batch_max=10)
        wire._table = SimulatedTable(delay_ms=10, lose_every=3, fail_every=5)
        for number in range(300):
            outbox.post(f"WO-{number % 7}")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            assert relay.faults > 5
        assert len(wire.receiver.effects) == 300
        assert all(each == sorted(each) for each in lanes_of(wire.receiver).values())

    played(story)


def test_what_the_receiver_lost_is_sent_again() -> None:
    """UP-5: gaps, and everything above the highest that it has."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        for _ in range(10):
            outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            wire.receiver.lose((SOURCE, EPOCH, lost) for lost in (4, 5, 9, 10))
            await asyncio.sleep(GREET_EVERY_S + 1)
            await until_drained(relay)
        assert [each.sequence for each in wire.receiver.effects] == [*range(1, 11), 4, 5, 9, 10]
        assert outbox.status("delivered") == list(range(1, 11))

    played(story)


def test_a_receiver_that_is_ahead_makes_the_station_begin_another_epoch() -> None:
    """UP-1: the database went back in time; it does not give the same numbers to other postings."""

    async def story() -> None:
        receiver = SimulatedReceiver()
        outbox, wire = MemoryOutbox(), Wire(receiver)
        for _ in range(5):
            outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
        del outbox.rows[4], outbox.rows[5]
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            assert outbox.epoch != EPOCH
            outbox.post("WO-1")
            relay.wake()
            await until_drained(relay)
        assert receiver.effects[-1].epoch == outbox.epoch

    played(story)


def test_a_stop_lets_the_call_on_its_way_end_and_keeps_its_answer() -> None:
    """The station stops gracefully: what was answered is known."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire(delay_ms=1000)
        outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            while not wire.batches:
                await relay.turned(1)
        assert outbox.status("delivered") == [1]
        assert wire.closed == 1

    played(story)


def test_a_stop_does_not_wait_for_a_server_that_hangs() -> None:
    """The station ends within seconds; the posting is sent again later."""

    async def story() -> None:
        class Hanging(Wire):
            async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
                await asyncio.sleep(3600)
                return []

        loop = asyncio.get_running_loop()
        for wire, calls in ((Wire(delay_ms=3_600_000), 1), (Hanging(), 2)):
            outbox = MemoryOutbox()
            outbox.post("WO-1")
            async with running(outbox, wire):
                await asyncio.sleep(1)
                assert wire.calls == calls  # it hangs in opening; in the delivery
                began_s = loop.time()
            assert loop.time() - began_s <= STOP_WAIT_S
            assert outbox.status("waiting") == [1]

    played(story)


def test_a_farewell_that_hangs_stops_nothing() -> None:
    """Neither the next try after a fault nor the end waits for a connection that will not close."""

    async def story() -> None:
        class Clinging(Wire):
            async def close(self) -> None:
                await super().close()
                await asyncio.sleep(86_400)

        outbox, wire = MemoryOutbox(), Clinging()
        loop = asyncio.get_running_loop()
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            wire.breaks = lambda _: wire.closed == 0
            outbox.post("WO-1")
            relay.wake()
            await until_drained(relay, within_s=60)
            assert wire.closed == 1
            began_s = loop.time()
        assert loop.time() - began_s <= CLOSE_MAX_S
        assert wire.closed == 2
        assert outbox.status("delivered") == [1]

    played(story)


def test_a_call_that_takes_no_cancelling_does_not_hold_up_the_end() -> None:
    """A library that swallows a cancellation costs seconds, not the stop."""

    async def story() -> None:
        class Deaf(Wire):
            async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
                for _ in range(3):
                    with contextlib.suppress(asyncio.CancelledError):
                        await asyncio.sleep(60)
                raise TransportError("It gave up.")

        outbox, wire = MemoryOutbox(), Deaf()
        outbox.post("WO-1")
        loop = asyncio.get_running_loop()
        async with running(outbox, wire):
            await asyncio.sleep(1)
            began_s = loop.time()
        assert loop.time() - began_s <= STOP_WAIT_S + 2 * CLOSE_MAX_S
        assert outbox.status("waiting") == [1]

    played(story)


def test_who_waits_for_a_turn_hears_of_the_end() -> None:
    """`sync` ends with the relay, whatever ended it."""

    async def story() -> None:
        class Broken(MemoryOutbox):
            async def hello(self) -> Hello:
                raise KeyError("a fault of ours")

        relay = Relay(Wire(), Broken(), now_s=asyncio.get_running_loop().time)
        task = asyncio.create_task(relay.run())
        began_s = asyncio.get_running_loop().time()
        await relay.turned(60)
        assert asyncio.get_running_loop().time() - began_s < 1
        assert relay.is_stopping
        with pytest.raises(KeyError):
            await task

    played(story)


def test_a_station_that_cannot_write_loses_nothing() -> None:
    """A full disk at the station: answers that could not be kept are asked for again."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        for _ in range(5):
            outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            outbox.broken = "The disk is full."
            await asyncio.sleep(30)
            assert relay.state.last_error == "The disk is full."
            outbox.broken = None
            await until_drained(relay, within_s=65)
            assert relay.state.online is True
        assert outbox.status("delivered") == [1, 2, 3, 4, 5]
        assert len(wire.receiver.effects) == 5

    played(story)


def test_a_fault_of_a_connector_ends_nothing() -> None:
    """A bug in one connector is told, and the station goes on."""

    async def story() -> None:
        class Buggy(Wire):
            async def greet(self, hello: Hello) -> Greeting:
                raise KeyError(hello.station)

        outbox, wire = MemoryOutbox(), Buggy()
        async with running(outbox, wire) as relay:
            await asyncio.sleep(60)
            assert relay.state.last_error == (
                "This is a fault of the connector: KeyError('T'). Postings wait."
            )

    played(story)


def test_hurrying_tries_at_once() -> None:
    """`sync` does not wait for a pause to end."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        wire.down = "No route to host."
        outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            await asyncio.sleep(600)
            wire.down = None
            relay.hurry()
            await until_drained(relay, within_s=0.5)

    played(story)


def test_the_mark_of_the_receiver_is_what_may_be_forgotten() -> None:
    """UP-5: rows below the watermark, now and then."""

    async def story() -> None:
        outbox, wire = MemoryOutbox(), Wire()
        for _ in range(4):
            outbox.post("WO-1")
        async with running(outbox, wire) as relay:
            await until_drained(relay)
            await asyncio.sleep(4000)
        assert outbox.pruned == [0, 4]

    played(story)

"""The relay on a clock of its own, when something fails: back-off, poison, greetings, stop."""

import asyncio
import contextlib
from collections.abc import Sequence

import pytest

from mes_terminal.domain.delivery import Answer, Greeting, Hello, QueuedPosting
from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import SimulatedTable
from mes_terminal.upstream.bounded import CLOSE_MAX_S
from mes_terminal.upstream.connectors.simulated import SimulatedReceiver
from mes_terminal.upstream.lanes import Lanes
from mes_terminal.upstream.relay import GREET_EVERY_S, STOP_WAIT_S, Relay
from mes_terminal.upstream.window import WINDOW_MAX
from tests.memory_outbox import EPOCH, SOURCE, MemoryOutbox
from tests.unit.relay_wire import Wire, lanes_of, played, running, until_drained


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

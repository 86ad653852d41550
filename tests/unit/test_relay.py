"""The relay on a clock of its own: order, window, parking, when it does something."""

import asyncio
import gc

from mes_terminal.upstream.connectors.simulated import SimulatedReceiver
from mes_terminal.upstream.relay import GREET_EVERY_S
from mes_terminal.upstream.window import WINDOW_MAX
from tests import virtual_time
from tests.memory_outbox import MemoryOutbox
from tests.unit.relay_wire import Wire, lanes_of, played, running, until_drained


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

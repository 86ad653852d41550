"""Random floors of stations and receivers: whatever fails, in the end each posting has one effect.

The simulated connector delays, fails and loses answers; a judge refuses what hypothesis says until
a supervisor mends it or lets it go; the relay is stopped, or killed, at any moment and begun anew.
"""

import asyncio
import contextlib
import os
import random
from dataclasses import dataclass, field

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mes_terminal.settings.upstream_tables import SimulatedTable
from mes_terminal.upstream.connectors.simulated import SimulatedConnector, SimulatedReceiver
from mes_terminal.upstream.relay import Relay
from tests import virtual_time
from tests.memory_outbox import MemoryOutbox

LANES = st.sampled_from(["WO-1", "WO-2", "WO-3", "WO-4", "material"])
LOTS = st.sampled_from(["A", "B", "C", "D"])
EXAMPLES = 1_000 if os.environ.get("LONG") else 60

post = st.tuples(
    st.just("post"), LANES, st.sets(LOTS, max_size=2), st.sets(LOTS, max_size=2), st.booleans()
)
step = st.one_of(
    post,
    post,
    post,
    st.tuples(st.just("wait"), st.floats(0.0, 90.0)),
    st.tuples(st.just("stop")),
    st.tuples(st.just("kill")),
    st.tuples(st.just("mend"), st.integers(0, 5)),
    st.tuples(st.just("let_go"), st.integers(0, 5)),
    st.tuples(st.just("forget"), st.integers(0, 20)),
)
wires = st.builds(
    SimulatedTable,
    delay_ms=st.sampled_from([0, 5, 2_000]),
    fail_every=st.sampled_from([0, 2, 7]),
    lose_every=st.sampled_from([0, 2, 7]),
    seed=st.integers(0, 1000),
)


@dataclass
class Floor:
    """A station whose relay comes and goes, and its receiver."""

    table: SimulatedTable
    one_per_lane: bool
    batch_max: int
    parallel_max: int
    outbox: MemoryOutbox = field(default_factory=MemoryOutbox)
    bad: set[int] = field(default_factory=set)
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.receiver = SimulatedReceiver(
            lambda each: "order_closed" if each.sequence in self.bad else None
        )

    def begin(self) -> None:
        connector = SimulatedConnector(
            self.receiver,
            self.table,
            one_per_lane=self.one_per_lane,
            batch_max=self.batch_max,
            parallel_max=self.parallel_max,
        )
        loop = asyncio.get_running_loop()
        chance = random.Random(self.table.seed).random
        self.relay = Relay(connector, self.outbox, now_s=loop.time, chance=chance)
        self.task = asyncio.create_task(self.relay.run())

    async def end(self, *, kill: bool) -> None:
        assert self.task is not None
        if kill:  # as a power cut: nothing of what is on its way is noted
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for each in tasks:
                each.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        else:
            self.relay.stop()
            with contextlib.suppress(asyncio.CancelledError):
                await self.task

    async def do(self, what: str, *args: object) -> None:
        match what, args:
            case "post", (str(lane), set(brings), set(uses), bool(is_bad)):
                sequence = self.outbox.post(lane, brings=sorted(brings), uses=sorted(uses))
                if is_bad:
                    self.bad.add(sequence)
                self.relay.wake()
            case "wait", (float(seconds),):
                await asyncio.sleep(seconds)
            case "stop" | "kill", ():
                await self.end(kill=what == "kill")
                self.begin()
            case "mend" | "let_go", (int(choice),):
                held = [each.sequence for each in await self.outbox.held_back()]
                if held:
                    self.supervise(what, held[choice % len(held)])
            case "forget", (int(back),):  # the receiver is restored from its backup
                lost = list(self.receiver.inbox)[len(self.receiver.inbox) - back :]
                self.forgotten.update(sequence for _, _, sequence in lost)
                self.receiver.lose(lost)

    forgotten: set[int] = field(default_factory=set)

    def supervise(self, what: str, sequence: int) -> None:
        self.bad.discard(sequence)
        if what == "mend":
            self.outbox.send_refused_again(sequence)
        else:
            self.outbox.let_go(sequence)
        self.relay.wake()

    async def settle(self) -> None:
        """Let everything go well, and mend what is refused, until nothing waits."""
        self.table = SimulatedTable()
        self.bad.clear()
        await self.end(kill=False)
        self.begin()
        async with asyncio.timeout(10_000):
            while True:
                for each in await self.outbox.held_back():
                    self.supervise("mend", each.sequence)
                if self.relay.is_drained and not self.outbox.status("waiting"):
                    break
                await self.relay.turned(1)
        await self.end(kill=False)

    def check(self) -> None:
        """Ask the laws of delivery of what the receiver has."""
        rows = self.outbox.rows
        let_go = {each for each, row in rows.items() if row.is_let_go}
        assert set(self.outbox.status("delivered")) == set(rows) - let_go
        order = [each.sequence for each in self.receiver.effects]
        assert set(rows) - let_go <= set(order)
        if self.forgotten:
            return  # then effects are had twice, and late; that they are there is what counts
        assert len(order) == len(set(order)), "an effect twice (UP-2)"
        place = {sequence: position for position, sequence in enumerate(order)}
        self._check_order(place)

    def _check_order(self, place: dict[int, int]) -> None:
        postings = [row.posting for row in self.outbox.rows.values()]
        for later in postings:
            for earlier in postings[: later.sequence - 1]:
                if earlier.sequence not in place or later.sequence not in place:
                    continue
                hangs = earlier.lane == later.lane or earlier.brings & later.uses
                if hangs:
                    assert place[earlier.sequence] < place[later.sequence], (
                        f"{later.sequence} before {earlier.sequence} (UP-3)"
                    )


@settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)  # fmt: skip
@given(
    wire=wires,
    one_per_lane=st.booleans(),
    batch_max=st.sampled_from([1, 3, 50]),
    parallel_max=st.sampled_from([1, 4]),
    steps=st.lists(step, max_size=60),
)
def test_each_posting_has_one_effect_in_order_whatever_happens(
    wire: SimulatedTable,
    one_per_lane: bool,
    batch_max: int,
    parallel_max: int,
    steps: list[tuple[object, ...]],
) -> None:
    """UP-2, UP-3, UP-4: exactly once, in order per lane and material, everything in the end."""

    async def story() -> None:
        floor = Floor(wire, one_per_lane, batch_max, parallel_max)
        floor.begin()
        for what, *args in steps:
            await floor.do(str(what), *args)
        await floor.settle()
        floor.check()

    virtual_time.run(story())

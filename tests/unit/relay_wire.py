"""A relay beside an outbox in memory and a receiver at will, on a clock of its own."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

from mes_terminal.domain.delivery import Answer, QueuedPosting
from mes_terminal.errors import TransportError
from mes_terminal.settings.upstream_tables import SimulatedTable
from mes_terminal.upstream.connectors.simulated import SimulatedConnector, SimulatedReceiver
from mes_terminal.upstream.relay import Relay
from tests import virtual_time
from tests.memory_outbox import MemoryOutbox


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
        self.alters: Callable[[Answer], Answer] = lambda answer: answer

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
        return [self.alters(answer) for answer in answers if answer.sequence not in silent]

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

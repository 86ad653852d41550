"""The `simulated` connector: a receiver in this process's memory that misbehaves as it is told.

For tests, benchmarks and developers; it ships, so that all of them use the same one. It keeps the
rules of a receiver (UP-2, UP-4): one effect for a key, refusals judged again, later ones of a
refused lane deferred. What it has is gone when the process ends; the station then sends it again.
"""

from __future__ import annotations

import asyncio
import hashlib
import random
import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivery import OTHER_CONTENT, Answer, Greeting
from mes_terminal.domain.sequences import Sequences
from mes_terminal.errors import InputError, TransportError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from mes_terminal.domain.delivery import AnswerOutcome, Hello, QueuedPosting
    from mes_terminal.settings.upstream_tables import SimulatedTable, UpstreamTable
    from mes_terminal.upstream.connector import StationIdentity

Key = tuple[str, str, int]
GAPS_TOLD_MAX: Final = 1000


class Stored(Struct, gc=False):
    """What the receiver keeps of a posting."""

    content: bytes
    accepted: bool
    reason: str | None = None


class SimulatedReceiver:
    """The other side: an inbox and the effects of what it accepted, in order."""

    def __init__(self, judge: Callable[[QueuedPosting], str | None] = lambda _: None) -> None:
        """`judge` returns the reason to refuse a posting; `None` accepts it."""
        self.judge = judge
        self.inbox: dict[Key, Stored] = {}
        self._has: dict[tuple[str, str], Sequences] = {}
        self.effects: list[QueuedPosting] = []

    def take(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        """Answer a batch, in order."""
        refused: set[tuple[str, str, str]] = set()
        answers = []
        for posting in postings:
            lane = (posting.source, posting.epoch, posting.lane)
            if lane in refused:
                answers.append(_answer(posting, "deferred"))
                continue
            answers.append(self._judged(posting))
            if answers[-1].outcome == "refused":
                refused.add(lane)
        return answers

    def greet(self, hello: Hello) -> Greeting:
        """Tell what is there of the sender's epoch."""
        has = list(self._has.get((hello.source, hello.epoch), ()))
        watermark = hello.first_sequence - 1
        for first, last in has:
            if first <= watermark + 1:
                watermark = max(watermark, last)
        highest = max(has[-1][1], watermark) if has else watermark
        above = [(first, last) for first, last in has if first > watermark + 1]
        ends = [watermark, *(last for _, last in above)]
        missing = [(end + 1, first - 1) for end, (first, _) in zip(ends, above, strict=False)]
        return Greeting(
            receiver="simulated", watermark=watermark, highest=highest,
            missing=missing[:GAPS_TOLD_MAX], behind_s=0,
        )  # fmt: skip

    def lose(self, keys: Iterable[Key]) -> None:
        """Forget postings, as a receiver whose database was put back does."""
        for key in list(keys):
            del self.inbox[key]
        self._has.clear()
        for source, epoch, sequence in self.inbox:
            self._has.setdefault((source, epoch), Sequences()).add(sequence)

    def _judged(self, posting: QueuedPosting) -> Answer:
        key = (posting.source, posting.epoch, posting.sequence)
        content = hashlib.sha256(posting.body).digest()
        stored = self.inbox.get(key)
        if stored is not None and stored.content != content:
            return _answer(posting, "refused", reason=OTHER_CONTENT)
        if stored is not None and stored.accepted:
            return _answer(posting, "accepted", repeated=True)
        reason = self.judge(posting)
        self.inbox[key] = Stored(content, reason is None, reason)
        self._has.setdefault(key[:2], Sequences()).add(key[2])
        if reason is not None:
            return _answer(posting, "refused", reason=reason)
        kept = msgspec.structs.replace(posting, brings=frozenset(), uses=frozenset())
        self.effects.append(kept)  # of a hundred thousand: as little as will do
        return _answer(posting, "accepted")


class SimulatedConnector:
    """A way to such a receiver, with delays, faults and lost answers."""

    def __init__(
        self,
        receiver: SimulatedReceiver,
        table: SimulatedTable,
        *,
        one_per_lane: bool = False,
        batch_max: int = 100,
        parallel_max: int = 4,
    ) -> None:
        self.batch_max = batch_max
        self.batch_max_bytes = 1_000_000
        self.one_per_lane = one_per_lane
        self.parallel_max = parallel_max
        self.receiver = receiver
        self.calls = 0
        """Everything that was asked of it: openings, greetings, deliveries."""
        self._table = table
        self._chance = random.Random(table.seed)  # noqa: S311  no secret hangs on it

    async def open(self) -> None:
        """See `Connector`."""
        await self._travel()

    async def greet(self, hello: Hello) -> Greeting:
        """See `Connector`."""
        await self._travel()
        return self.receiver.greet(hello)

    async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        """See `Connector`: a fault may come before it has its effect, or after."""
        await self._travel()
        answers = self.receiver.take(postings)
        if self._happens(self._table.lose_every):
            raise TransportError("The simulated connector lost the answer.", reason="lost")
        return answers

    async def close(self) -> None:
        """See `Connector`."""

    async def _travel(self) -> None:
        self.calls += 1
        if self._table.delay_ms:
            await asyncio.sleep(self._table.delay_ms / 1000)
        if self._table.is_offline:
            raise TransportError(
                "The simulated receiver is offline (upstream.simulated.is_offline)."
            )
        if self._happens(self._table.fail_every):
            raise TransportError("The simulated connector failed.", reason="failed")

    def _happens(self, every: int) -> bool:
        return every > 0 and self._chance.random() * every < 1


def connect(upstream: UpstreamTable, identity: StationIdentity) -> SimulatedConnector:  # noqa: ARG001
    """Return the connector. Raises `InputError` for a `refuse` that is no regular expression."""
    table = upstream.simulated
    try:
        refuse = re.compile(table.refuse) if table.refuse is not None else None
    except re.error as error:
        raise InputError(
            f"upstream.simulated.refuse is no regular expression: {error}. Mend {table.refuse!r}.",
            reason="settings",
        ) from error

    def judge(posting: QueuedPosting) -> str | None:
        return "order_closed" if refuse is not None and refuse.search(posting.lane) else None

    return SimulatedConnector(SimulatedReceiver(judge), table)


def _answer(
    posting: QueuedPosting,
    outcome: AnswerOutcome,
    *,
    reason: str | None = None,
    repeated: bool = False,
) -> Answer:
    return Answer(
        source=posting.source,
        epoch=posting.epoch,
        sequence=posting.sequence,
        outcome=outcome,
        reason=reason,
        sentence=f"The simulated receiver refuses {posting.lane}." if reason else None,
        document=f"SIM-{posting.sequence}" if outcome == "accepted" else None,
        repeated=repeated,
    )

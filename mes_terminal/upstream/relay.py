"""The relay: takes what waits in the outbox to the connector, and the answers back (UP-2 ... UP-5).

One task for a station. Guarantees: per lane in order and one call at a time, lanes side by side; a
posting leaves the outbox only when the receiver said what became of it; a fault of the connector
costs one attempt per back-off, however much waits; memory is bounded by the window. It never waits
in a loop: a scan, an answer, a pause that ends wake it. It knows no database: `Outbox` is its way.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from mes_terminal import logs
from mes_terminal.errors import InputError, StationError, TransportError
from mes_terminal.upstream.backoff import Backoff
from mes_terminal.upstream.bounded import CLOSE_MAX_S, give_up, within
from mes_terminal.upstream.lanes import Lanes
from mes_terminal.upstream.relay_state import RelayState, in_bounds, lost_ranges
from mes_terminal.upstream.window import Window
from mes_terminal.upstream.wire import line_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from mes_terminal.domain.delivery import Answer, Greeting, Hello, QueuedPosting
    from mes_terminal.upstream.connector import Connector
    from mes_terminal.upstream.outbox import Outbox

T = TypeVar("T")

NOTE_MAX: Final = 64
"""Answers written in one transaction: a scan waits for a millisecond behind them."""
GREET_EVERY_S: Final = 30.0
"""How old what is known of the receiver may be: its mark, and how far the ERP is behind."""
SAFETY_S: Final = 60.0
"""The outbox is read at least so often, even if nobody said that something was queued."""
REST_LEAST_S: Final = 0.01
"""Between two turns that nothing woke."""
PRUNE_EVERY_S: Final = 3600.0
PUT_OFF: Final = "The receiver answers, and does not say what became of this one. It is sent again."
STOP_WAIT_S: Final = 3.0
"""How long a stop waits for the calls that are on their way."""


class Relay:
    """The task and what it knows. `run` once; `wake`, `hurry` and `stop` from the same loop."""

    def __init__(
        self,
        connector: Connector,
        outbox: Outbox,
        *,
        told: Callable[[], None] = lambda: None,
        now_s: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`told` is called when `state` changed; `now_s` is a clock that only goes on."""
        self.state = RelayState()
        self.delivered = 0
        """Postings accepted since the start."""
        self.faults = 0
        """Attempts that failed since the start."""
        self.is_drained = False
        """Nothing waits that could be sent: all was read, and nothing is in the window."""
        self._connector = connector
        self._outbox = outbox
        self._told = told
        self._now_s = now_s
        self._lanes = Lanes(chance)
        self._window = Window(outbox, self._lanes, now_s)
        self._backoff = Backoff(chance)
        self._woken = asyncio.Event()
        self._turn_over = asyncio.Event()
        """Of the turn at hand; the next turn has another."""
        self.is_stopping = False
        self._calls: set[asyncio.Task[None]] = set()
        self._bug: BaseException | None = None
        self._is_open = False
        self._greeted_s: float | None = None
        self._pruned_s: float | None = None
        self._watermark = 0
        self._epoch = ""
        self._highest_accepted = 0
        """Of this epoch, since the greeting."""
        self._new_epochs = 0
        self._asking: asyncio.Task[Any] | None = None
        self._limit = connector.batch_max
        self._failed_batch: list[QueuedPosting] | None = None

    def wake(self, *, released: bool = False) -> None:
        """Something was queued; `released`: a refused posting was let go or is to be sent again."""
        self._window.queued(released=released)
        self.is_drained = False
        self._woken.set()

    def hurry(self) -> None:
        """Try now what waits for a pause to end."""
        self._backoff.hurry()
        self._lanes.hurry()
        self._window.read_again()
        self.wake(released=True)

    def stop(self) -> None:
        """Begin to stop: no call begins any more."""
        self.is_stopping = True
        self._woken.set()
        if self._asking is not None:
            self._asking.cancel()

    async def turned(self, timeout_s: float) -> None:
        """Wait until something changed, or for `timeout_s`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._turn_over.wait()

    async def run(self) -> None:
        """Deliver until stopped; then let the calls on their way end, and close the connector."""
        try:
            while not self.is_stopping:
                if self._bug is not None:
                    raise self._bug
                self._woken.clear()
                try:
                    pause_s = await self._turn()
                except StationError as error:  # the outbox cannot be read or written now
                    self._greeted_s = None
                    pause_s = self._fail(error)
                self._end_turn()
                await self._rest(pause_s)
        finally:
            await self._finish()

    def _end_turn(self) -> None:
        over, self._turn_over = self._turn_over, asyncio.Event()
        over.set()

    async def _turn(self) -> float:
        """Do what can be done now; return after how many seconds there may be more to do."""
        now_s = self._now_s()
        if self._greeted_s is None or now_s - self._greeted_s >= GREET_EVERY_S:
            if self._calls:  # they end first, so that what the receiver has stands still
                return SAFETY_S
            if now_s < self._backoff.due_s:
                return self._backoff.due_s - now_s
            await self._greet()
            if self._greeted_s is None:
                return max(0.0, self._backoff.due_s - self._now_s())
        if self._window.must_begin_anew:
            if self._calls:
                return SAFETY_S
            await self._window.begin_anew()
        await self._window.fill()
        if self._window.must_begin_anew:
            return REST_LEAST_S
        self._begin_calls()
        self.is_drained = self._window.is_drained
        if self.is_drained:
            self._backoff.went_well()
            await self._prune()
        return self._until_next()

    def _until_next(self) -> float:
        now_s = self._now_s()
        if self._greeted_s is None:  # a call failed meanwhile
            return SAFETY_S if self._calls else max(0.0, self._backoff.due_s - now_s)
        greet_s = self._greeted_s + GREET_EVERY_S
        due_s = (self._lanes.due_s(now_s), self._window.look_due_s)
        soonest_s = min(greet_s, now_s + SAFETY_S, *(each for each in due_s if each is not None))
        return max(0.0, soonest_s - now_s)

    async def _rest(self, pause_s: float) -> None:
        if self.is_stopping or self._woken.is_set():
            return
        try:  # `wait_for` of Python 3.11 loses a cancellation that comes with the waking
            async with asyncio.timeout(max(pause_s, REST_LEAST_S)):
                await self._woken.wait()
        except TimeoutError:
            self._window.queued()

    async def _greet(self) -> None:
        """Connect if that is to be done, and hear what the receiver has; note a failure."""
        is_first = self._greeted_s is None
        try:
            if is_first:
                await self._close()
            if not self._is_open:
                await self._ask(self._connector.open)
                self._is_open = True
            hello = await self._outbox.hello()
            told = await self._ask(lambda: self._connector.greet(hello))
        except StationError as error:
            self._greeted_s = None
            self._fail(error)
            first = await self._outbox.waiting(after=0, limit=1, bytes_max=1)
            await self._note_fault(first, error.sentence)
            return
        greeting = msgspec.structs.replace(told, receiver=line_of(told.receiver))
        await self._take_greeting(hello, greeting, is_first=is_first)

    async def _take_greeting(self, hello: Hello, greeting: Greeting, *, is_first: bool) -> None:
        if max(greeting.watermark, greeting.highest) > hello.last_sequence:
            await self._begin_epoch(greeting)
            return
        if hello.epoch != self._epoch:
            self._epoch, self._highest_accepted = hello.epoch, 0
        self._greeted_s = self._now_s()
        self._watermark = greeting.watermark
        self._learn_from_failure()
        if is_first or greeting.highest < self._highest_accepted:
            self._highest_accepted = greeting.highest
            lost = lost_ranges(hello, greeting)
            if lost and (count := await self._outbox.send_again(lost)):
                logs.write("relay.sends_again", postings=count, receiver=greeting.receiver)
                self._window.read_again()
        await self._outbox.reached(greeting)
        self._tell(RelayState(online=True, receiver=greeting.receiver, behind_s=greeting.behind_s))

    async def _begin_epoch(self, greeting: Greeting) -> None:
        """The receiver has more of this epoch than there is: the database went back in time."""
        self._greeted_s = None
        if self._new_epochs:
            raise TransportError(
                f"{greeting.receiver} has more postings of this station than there are, twice. "
                "Look whether another station uses its name.",
                reason="same_identity",
            )
        self._new_epochs += 1
        await self._outbox.went_back(greeting)
        self.wake()

    async def _ask(self, question: Callable[[], Awaitable[T]]) -> T:
        """Await the connector, but no longer than until the station stops."""
        asking = asyncio.create_task(within(question))
        self._asking = asking
        try:
            return await asking
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if not self.is_stopping or (task is not None and task.cancelling()):
                raise
            raise TransportError("The station stops.", reason="stopping") from None
        finally:
            self._asking = None

    def _learn_from_failure(self) -> None:
        """The receiver is there, so a call that failed may have failed because of what was in it:
        try with half of that; a posting that fails alone lets other lanes go first."""
        batch, self._failed_batch = self._failed_batch, None
        if batch is None:
            return
        if len(batch) > 1:
            self._limit = len(batch) // 2
        else:
            self._lanes.cool(batch, self._now_s())

    def _begin_calls(self) -> None:
        connector = self._connector
        while self._may_call() and len(self._calls) < connector.parallel_max:
            batch = self._lanes.take(
                self._limit,
                connector.batch_max_bytes,
                one_per_lane=connector.one_per_lane,
                now_s=self._now_s(),
            )
            if not batch:
                return
            call = asyncio.create_task(self._deliver(batch))
            self._calls.add(call)
            call.add_done_callback(self._call_ended)

    def _may_call(self) -> bool:
        return self._greeted_s is not None and not self.is_stopping

    def _call_ended(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        if not call.cancelled():
            self._bug = self._bug or call.exception()
        self._woken.set()

    async def _deliver(self, batch: list[QueuedPosting]) -> None:
        """One call, and what became of it."""
        begun_s = self._now_s()
        try:
            answers = await within(lambda: self._connector.deliver(batch))
            await self._take_answers(batch, answers)
        except StationError as error:
            self._lanes.landed(batch)
            self._greeted_s = None
            if self._failed_batch is None or len(batch) < len(self._failed_batch):
                self._failed_batch = batch
            self._fail(error, begun_s)
            with contextlib.suppress(StationError):
                await self._note_fault(batch, error.sentence)

    async def _note_fault(self, batch: list[QueuedPosting], sentence: str) -> None:
        sequences = [posting.sequence for posting in batch]
        for start in range(0, len(sequences), NOTE_MAX):
            await self._outbox.note_fault(sequences[start : start + NOTE_MAX], sentence)

    async def _take_answers(self, batch: list[QueuedPosting], answers: Sequence[Answer]) -> None:
        """Keep the answers, a few at a time. Raises `TransportError` if there is none."""
        found = {(each.source, each.epoch, each.sequence): in_bounds(each) for each in answers}
        answered = [
            (posting, answer)
            for posting in batch
            if (answer := found.get((posting.source, posting.epoch, posting.sequence))) is not None
        ]
        if not answered:
            raise TransportError(
                "What answers is no receiver, or a broken one: it says nothing of what it was "
                "sent. Postings wait.",
                reason="no_answer",
            )
        final = [pair for pair in answered if pair[1].outcome != "deferred"]
        for start in range(0, len(final), NOTE_MAX):
            some = final[start : start + NOTE_MAX]
            released = await self._outbox.note_answers([answer for _, answer in some])
            self._window.queued(released=released)  # what it came to is a posting, perhaps
            if released:
                self._window.read_again()
            for posting, answer in some:
                self._count(posting, answer)
                self._window.settled(posting, answer)
        if final:
            self._backoff.went_well()
            self._limit = min(self._connector.batch_max, self._limit * 2)
        silent = {posting.sequence for posting in batch} - {each.sequence for each, _ in final}
        self._lanes.landed(batch)
        await self._leave_alone([posting for posting in batch if posting.sequence in silent])

    def _count(self, posting: QueuedPosting, answer: Answer) -> None:
        if answer.outcome == "accepted":
            self.delivered += 1
            if posting.epoch == self._epoch:
                self._highest_accepted = max(self._highest_accepted, posting.sequence)

    async def _leave_alone(self, unanswered: list[QueuedPosting]) -> None:
        """Let the lanes cool whose first posting had no answer while others had: it may be the
        posting, and is not sent again at once. It tells so itself: nothing else is wrong."""
        first: dict[str, QueuedPosting] = {}
        for posting in unanswered:
            if posting.sequence in self._lanes:
                first.setdefault(posting.lane, posting)
        self._lanes.cool(first.values(), self._now_s())
        await self._note_fault(list(first.values()), PUT_OFF)

    def _fail(self, error: StationError, begun_s: float | None = None) -> float:
        """Note that nothing goes now; return how long to wait."""
        self.faults += 1
        asked_s = error.retry_after_s if isinstance(error, TransportError) else None
        pause_s = self._backoff.failed(self._now_s(), asked_s=asked_s, begun_s=begun_s)
        logs.write("relay.failed", error=error.sentence, pause_s=round(pause_s, 1))
        self._tell(
            msgspec.structs.replace(
                self.state,
                online=False,
                last_error=error.sentence,
                behind_s=None,
                is_wrong=isinstance(error, InputError),
            )
        )
        return pause_s

    def _tell(self, state: RelayState) -> None:
        if state != self.state:
            self.state = state
            self._told()

    async def _prune(self) -> None:
        """Forget old deliveries, a few a turn, now and then."""
        now_s = self._now_s()
        if self._pruned_s is not None and now_s - self._pruned_s < PRUNE_EVERY_S:
            return
        if await self._outbox.prune(self._watermark):
            self._woken.set()  # there may be more; scans take their turns in between
        else:
            self._pruned_s = now_s

    async def _finish(self) -> None:
        self.is_stopping = True
        if self._calls:
            _, late = await asyncio.wait(self._calls, timeout=STOP_WAIT_S)
            await give_up(late)
        await self._close()
        self._end_turn()

    async def _close(self) -> None:
        """Close the connector, if it is open, and do not wait long for its farewell."""
        if self._is_open:
            self._is_open = False
            await give_up({asyncio.create_task(self._connector.close())}, after_s=CLOSE_MAX_S)

"""The window of the relay: fills the lanes from the outbox, in bounded readings, and keeps them in
step with what stands refused and what is parked behind it.

What is parked is not read again until something is released, however much it is. Called by `relay`
only, from its one task; `settled` also from its calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

    from mes_terminal.domain.delivery import Answer, QueuedPosting
    from mes_terminal.upstream.lanes import Lanes
    from mes_terminal.upstream.outbox import Outbox

WINDOW_MAX: Final = 2000
"""Postings in memory: several calls of the largest batch, whatever waits."""
WINDOW_MAX_BYTES: Final = 16_000_000
READ_MAX: Final = 200
READ_MAX_BYTES: Final = 2_000_000
"""One reading of the outbox: some milliseconds."""
PARK_MAX: Final = 256
"""Postings parked in one transaction: a scan waits for some milliseconds behind it."""
HELD_EVERY_S: Final = 5.0
"""How soon the end of a refusal is seen of which nobody told the relay."""


class Window:
    """Where the outbox was read to, and what stands refused."""

    def __init__(self, outbox: Outbox, lanes: Lanes, now_s: Callable[[], float]) -> None:
        self._outbox = outbox
        self._lanes = lanes
        self._now_s = now_s
        self._cursor = 0
        self._unread = True
        self._settled: set[int] = set()
        """What was answered since the reading at hand began: it may still tell it as waiting."""
        self._held: set[int] = set()
        self._held_s = 0.0
        self._look = True
        self.look_due_s: float | None = None
        """When to look again for what was released: it was too soon the last time."""
        self.must_begin_anew = True
        """Something was released: to be called with no call on its way, so that what is refused
        stands still."""

    @property
    def is_drained(self) -> bool:
        """Whether all was read and nothing of it is left."""
        return not self._unread and not len(self._lanes)

    def queued(self, *, released: bool = False) -> None:
        """Something new waits; `released`: perhaps something that was refused, or parked."""
        self._unread = True
        self._look = self._look or released

    def read_again(self) -> None:
        """Read the outbox from its beginning: something came back into it."""
        self._lanes.read_again = False
        self._cursor = 0
        self._unread = True

    def settled(self, posting: QueuedPosting, answer: Answer) -> None:
        """A posting was accepted or refused, and that is kept."""
        self._settled.add(posting.sequence)
        if answer.outcome == "accepted":
            self._lanes.done(posting)
        else:
            self._held.add(posting.sequence)
            self._lanes.refuse(posting)

    async def begin_anew(self) -> None:
        """Learn what is refused and what is parked, and read from the beginning."""
        self._lanes.forget_held()
        held = sorted(await self._outbox.held_back(), key=lambda posting: posting.sequence)
        self._held = {posting.sequence for posting in held}
        self._look, self._held_s = False, self._now_s()
        after = 0
        while page := await self._outbox.parked(after=after, limit=READ_MAX):
            for posting in page:
                while held and held[0].sequence < posting.sequence:
                    self._hold(held.pop(0))
                self._lanes.hold(posting)
            after = page[-1].sequence
        for refused in held:
            self._hold(refused)
        self.must_begin_anew = False
        self.read_again()

    async def fill(self) -> None:
        """Fill the window from the outbox, and park what is behind a refused posting."""
        await self._look_for_released()
        if self._lanes.read_again:
            self.read_again()
        while self._unread and self._has_room():
            self._unread = False
            self._settled.clear()
            page = await self._outbox.waiting(
                after=self._cursor, limit=READ_MAX, bytes_max=READ_MAX_BYTES
            )
            if self._lanes.read_again:  # what was left out before goes before this page
                self.read_again()
                continue
            for posting in page:
                if posting.sequence not in self._settled:
                    self._lanes.add(posting)
                self._cursor = max(self._cursor, posting.sequence)
            size = sum(len(posting.body) for posting in page)
            if len(page) == READ_MAX or size >= READ_MAX_BYTES:
                self._unread = True
            await self._park()
        await self._park()

    def _hold(self, refused: QueuedPosting) -> None:
        self._lanes.hold(refused, refused.sequence)

    def _has_room(self) -> bool:
        return (
            len(self._lanes) + READ_MAX <= WINDOW_MAX
            and self._lanes.bytes + READ_MAX_BYTES <= WINDOW_MAX_BYTES
        )

    async def _park(self) -> None:
        behind = sorted(self._lanes.to_park().items())
        for start in range(0, len(behind), PARK_MAX):
            await self._outbox.park(dict(behind[start : start + PARK_MAX]))

    async def _look_for_released(self) -> None:
        """Notice that something no longer stands refused."""
        now_s = self._now_s()
        self.look_due_s = None
        if not self._held:
            return
        if not self._look and now_s < self._held_s + HELD_EVERY_S:
            self.look_due_s = self._held_s + HELD_EVERY_S
            return
        self._look, self._held_s = False, now_s
        known = frozenset(self._held)
        found = {posting.sequence for posting in await self._outbox.held_back()}
        if not known <= found:
            self.must_begin_anew = True

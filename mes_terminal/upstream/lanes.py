"""What may be sent now: the window of postings that were read, in their lanes (UP-3).

Pure state, in memory bounded by what is put in. Rules kept here, all of which are about order:

- a lane (`partitionkey`) has one call on its way, and within it keeps its order;
- a posting that uses material which an earlier posting of another lane brings waits until that one
  has its effect; within a lane the order of the lane is enough;
- behind a posting that stands refused, its lane and whatever uses what it brings is to be parked,
  and so on from there;
- behind a posting that alone makes calls fail (`cool`), the same waits, without being parked: it is
  not kept in the window, so that it cannot fill it, and is read again when the lane goes on.

Whatever a posting waits for has a smaller sequence, so nothing waits in a circle.
"""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from mes_terminal.domain.delivering import Blocks
from mes_terminal.upstream.backoff import Backoff

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from mes_terminal.domain.delivery import Material, QueuedPosting


class Lanes:
    """The window. A posting is in it from `add` until `done`, `refuse`, or until it is to be parked
    or left for later."""

    def __init__(self, chance: Callable[[], float]) -> None:
        self._chance = chance
        self._waiting: dict[str, deque[QueuedPosting]] = {}
        self._flying: dict[int, QueuedPosting] = {}
        self._lanes_flying: set[str] = set()
        self._sequences: set[int] = set()
        self._bringers: dict[Material, set[tuple[int, str]]] = {}
        self._held = Blocks()
        self._slow = Blocks()
        self._cooling: dict[str, tuple[Backoff, QueuedPosting]] = {}
        self._to_park: dict[int, int] = {}
        self.bytes = 0
        self._left_some = False
        self._is_sifted = True
        self.read_again = False
        """What was left out of the window behind one that cooled may come in now: the reader sets
        it back and begins anew."""

    def __len__(self) -> int:
        return len(self._sequences)

    def __contains__(self, sequence: object) -> bool:
        return sequence in self._sequences

    def hold(self, posting: QueuedPosting, root: int | None = None) -> bool:
        """Block what is behind a posting that is refused, or parked behind `root`.

        A parked one without a root is placed behind what is known; give them in order. False: it is
        behind nothing.
        """
        why = root if root is not None else self._held.root_of(posting)
        if why is None:
            return False
        self._held.hold(posting, why)
        self._is_sifted = False
        return True

    def forget_held(self) -> None:
        """Begin anew to be told what is refused and parked."""
        self._held = Blocks()

    def add(self, posting: QueuedPosting) -> None:
        """Put a posting in, if it is not in already; it may turn out to be one to park."""
        if posting.sequence in self._sequences or self._is_behind(posting):
            return
        self._sequences.add(posting.sequence)
        self.bytes += len(posting.body)
        for material in posting.brings:
            self._bringers.setdefault(material, set()).add((posting.sequence, posting.lane))
        self._queue(posting)

    def to_park(self) -> dict[int, int]:
        """Return what is to be parked and the refused posting it is behind; forgets it."""
        found, self._to_park = self._to_park, {}
        return found

    def take(
        self, limit: int, bytes_max: int, *, one_per_lane: bool, now_s: float
    ) -> list[QueuedPosting]:
        """Return the next postings to send in one call, in order of sequence; they fly from now on.

        A lane that cooled and may be tried again gets a call of its own.
        """
        batch = self._take_cooled(now_s)
        if not batch:
            batch = self._take_ready(limit, bytes_max, one_per_lane=one_per_lane)
        for posting in batch:
            self._flying[posting.sequence] = posting
            self._lanes_flying.add(posting.lane)
        return batch

    def landed(self, batch: Iterable[QueuedPosting]) -> None:
        """A call ended: the lanes of `batch` are free; what is still in the window waits again."""
        for posting in batch:
            self._lanes_flying.discard(posting.lane)
            if self._flying.pop(posting.sequence, None) is not None:
                self._queue(posting)
        self._sift()

    def done(self, posting: QueuedPosting) -> None:
        """It has its effect, for good."""
        self._leave(posting)
        self._warm(posting.lane)

    def refuse(self, posting: QueuedPosting) -> None:
        """It stands refused: what is behind it is to be parked."""
        self._held.hold(posting, posting.sequence)
        self._is_sifted = False
        self.done(posting)

    def cool(self, postings: Iterable[QueuedPosting], now_s: float) -> None:
        """Calls failed because of these, as it seems: their lanes wait, and others go on."""
        for posting in postings:
            backoff, _ = self._cooling.get(posting.lane, (Backoff(self._chance), posting))
            backoff.failed(now_s)
            self._cooling[posting.lane] = (backoff, posting)
            self._slow.hold(posting, posting.sequence)
            self._is_sifted = False
        self._sift()

    def due_s(self, now_s: float) -> float | None:
        """Return when the next lane that cools may be tried again, of those that may not yet."""
        due = (backoff.due_s for backoff, _ in self._cooling.values())
        return min((each for each in due if each > now_s), default=None)

    def hurry(self) -> None:
        """Let every lane that cools be tried at once."""
        for backoff, _ in self._cooling.values():
            backoff.hurry()

    def _warm(self, lane: str) -> None:
        if self._cooling.pop(lane, None) is None:
            return
        self._slow = Blocks()
        for _, posting in self._cooling.values():
            self._slow.hold(posting, posting.sequence)
        if self._left_some:
            self._left_some = False
            self.read_again = True

    def _is_behind(self, posting: QueuedPosting) -> bool:
        """Tell whether a posting cannot go, and remember it as one to park, or left for later."""
        if (root := self._held.root_of(posting)) is not None:
            self._held.hold(posting, root)
            self._to_park[posting.sequence] = root
            return True
        if (root := self._slow.root_of(posting)) is not None:
            self._slow.hold(posting, root)
            self._left_some = True
            return True
        return False

    def _sift(self) -> None:
        """Take out of the window what is behind something since it was put in."""
        if self._is_sifted:
            return
        self._is_sifted = True
        everything = sorted(
            (posting for queue in self._waiting.values() for posting in queue),
            key=lambda posting: posting.sequence,
        )  # in order, so that what is behind one that is behind is found too
        for posting in everything:
            if self._is_behind(posting):
                self._waiting[posting.lane].remove(posting)
                if not self._waiting[posting.lane]:
                    del self._waiting[posting.lane]
                self._forget(posting)
        for lane in self._cooling.keys() - self._waiting.keys() - self._lanes_flying:
            self._warm(lane)

    def _take_cooled(self, now_s: float) -> list[QueuedPosting]:
        for lane, (backoff, _) in self._cooling.items():
            queue = self._waiting.get(lane)
            if backoff.due_s > now_s or lane in self._lanes_flying or not queue:
                continue
            if self._may_go(posting := queue[0]):
                self._pop(lane)
                return [posting]
        return []

    def _take_ready(self, limit: int, bytes_max: int, *, one_per_lane: bool) -> list[QueuedPosting]:
        heads = [
            (queue[0].sequence, lane)
            for lane, queue in self._waiting.items()
            if lane not in self._lanes_flying and lane not in self._cooling
        ]
        heapq.heapify(heads)
        batch: list[QueuedPosting] = []
        size = 0
        while heads and len(batch) < limit:
            _, lane = heapq.heappop(heads)
            posting = self._waiting[lane][0]
            if not self._may_go(posting):
                continue
            if batch and size + len(posting.body) > bytes_max:
                break
            self._pop(lane)
            batch.append(posting)
            size += len(posting.body)
            if lane in self._waiting and not one_per_lane:
                heapq.heappush(heads, (self._waiting[lane][0].sequence, lane))
        return batch

    def _may_go(self, posting: QueuedPosting) -> bool:
        """Tell whether nothing that it uses is still to be brought by another lane."""
        return not any(
            sequence < posting.sequence and lane != posting.lane
            for material in posting.uses
            for sequence, lane in self._bringers.get(material, ())
        )

    def _queue(self, posting: QueuedPosting) -> None:
        queue = self._waiting.setdefault(posting.lane, deque())
        queue.append(posting)
        if len(queue) > 1 and queue[-2].sequence > posting.sequence:  # read again, or landed
            self._waiting[posting.lane] = deque(sorted(queue, key=lambda each: each.sequence))

    def _pop(self, lane: str) -> None:
        queue = self._waiting[lane]
        queue.popleft()
        if not queue:
            del self._waiting[lane]

    def _leave(self, posting: QueuedPosting) -> None:
        if self._flying.pop(posting.sequence, None) is not None:
            self._forget(posting)

    def _forget(self, posting: QueuedPosting) -> None:
        self._sequences.discard(posting.sequence)
        self.bytes -= len(posting.body)
        for material in posting.brings:
            bringers = self._bringers[material]
            bringers.discard((posting.sequence, posting.lane))
            if not bringers:
                del self._bringers[material]

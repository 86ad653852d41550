"""The relay's way to the outbox (`station.upstream` has it; tests have one in memory)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mes_terminal.domain.delivery import Answer, Greeting, Hello, QueuedPosting


class Outbox(Protocol):
    """The station's outbox, as the relay sees it. Each method is one short piece of work, and
    raises `StationError` where the station cannot do it now."""

    async def hello(self) -> Hello:
        """Who sends, and from where to where."""

    async def waiting(self, *, after: int, limit: int, bytes_max: int) -> list[QueuedPosting]:
        """What waits above sequence `after`, in order: at least one if there is any."""

    async def held_back(self) -> list[QueuedPosting]:
        """What stands refused and is not let go, in order."""

    async def parked(self, *, after: int, limit: int) -> list[QueuedPosting]:
        """What is parked above sequence `after`, in order."""

    async def park(self, behind: Mapping[int, int]) -> None:
        """Park postings, each behind a refused one that still stands; leave the others."""

    async def note_answers(self, answers: Sequence[Answer]) -> bool:
        """Keep what the receiver said; tell whether postings came back into the queue by it."""

    async def note_fault(self, sequences: Sequence[int], sentence: str) -> None:
        """Count an attempt that had no answer, and keep why."""

    async def send_again(self, ranges: Sequence[tuple[int, int]]) -> int:
        """Queue anew what was delivered within `ranges`; return how many."""

    async def reached(self, greeting: Greeting) -> None:
        """Keep what the receiver has."""

    async def went_back(self, greeting: Greeting) -> None:
        """The receiver has more of this epoch than the station: begin another (UP-1)."""

    async def prune(self, watermark: int) -> int:
        """Forget deliveries below the mark that are old enough, some of them; return how many."""

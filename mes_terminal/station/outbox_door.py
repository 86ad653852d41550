"""The relay's way to the station's outbox: writing between two scans, reading beside them.

Each method is one short piece of work. What fails is a `StationError`, so that the relay tries it
again. Used by the core, and by a command that is the core for the moment.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final, TypeVar

from mes_terminal.domain.instants import seconds_between
from mes_terminal.errors import StationError
from mes_terminal.station.clock import utc_now
from mes_terminal.store.database import SqliteError
from mes_terminal.usecases import deliver
from mes_terminal.usecases.epoch import begin_epoch
from mes_terminal.usecases.note_answers import note_answers
from mes_terminal.usecases.refused_reversed import let_reversed_go

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from typing import Protocol

    from mes_terminal.domain.delivery import Answer, Greeting, Hello, QueuedPosting
    from mes_terminal.domain.rules import StationRules
    from mes_terminal.station.booking import Booking
    from mes_terminal.store.database import Database

    T = TypeVar("T")

    class Do(Protocol):
        """The way to the writing connection."""

        def __call__(self, work: Callable[[Booking], T]) -> Awaitable[T]:
            """Do a piece of work there, between two scans."""

    class Read(Protocol):
        """The way to a connection that only reads."""

        def __call__(self, work: Callable[[Database], T]) -> Awaitable[T]:
            """Do a piece of work there."""


PRUNE_LOOKS: Final = 500
"""Deliveries looked at in one piece of work."""
CONTACT_EVERY_S: Final = 300.0
"""How exact `doctor` is about when the receiver answered last, at a station where nothing goes on:
a greeting every half a minute is not worth a write."""


class OutboxDoor:
    """`upstream.outbox.Outbox` of a station."""

    def __init__(self, do: Do, read: Read, rules: StationRules, *, keep_days: int) -> None:
        self._do = do
        self._read = read
        self._rules = rules
        self._keep_days = keep_days
        self._told: tuple[str, int] | None = None
        self._told_at = ""

    async def hello(self) -> Hello:
        """See `Outbox`."""
        return await self._read(lambda db: deliver.hello_of(db, self._rules))

    async def waiting(self, *, after: int, limit: int, bytes_max: int) -> list[QueuedPosting]:
        """See `Outbox`."""
        return await self._read(
            lambda db: deliver.waiting(db, after=after, limit=limit, bytes_max=bytes_max)
        )

    async def held_back(self) -> list[QueuedPosting]:
        """See `Outbox`; a refused report that was taken back here is let go first."""
        held = await self._read(deliver.held_back)
        if not held:
            return held
        rules = self._rules
        if await self._do(lambda each: let_reversed_go(each.db, rules=rules, now=utc_now())):
            held = await self._read(deliver.held_back)
        return held

    async def parked(self, *, after: int, limit: int) -> list[QueuedPosting]:
        """See `Outbox`."""
        return await self._read(lambda db: deliver.parked(db, after=after, limit=limit))

    async def park(self, behind: Mapping[int, int]) -> None:
        """See `Outbox`."""
        await self._do(lambda booking: deliver.park(booking.db, list(behind), behind=behind))

    async def note_answers(self, answers: Sequence[Answer]) -> bool:
        """See `Outbox`."""
        rules = self._rules
        noted = await self._do(
            lambda booking: note_answers(booking.db, answers, rules=rules, now=utc_now())
        )
        return noted.released

    async def note_fault(self, sequences: Sequence[int], sentence: str) -> None:
        """See `Outbox`."""
        await self._do(lambda booking: deliver.note_fault(booking.db, sequences, sentence))

    async def send_again(self, ranges: Sequence[tuple[int, int]]) -> int:
        """See `Outbox`."""
        total = 0
        while ranges:
            left = ranges
            again, ranges = await self._do(lambda booking: deliver.send_again(booking.db, left))  # noqa: B023
            total += again
        return total

    async def reached(self, greeting: Greeting) -> None:
        """See `Outbox`; what is known already is not written again, but for the time now and
        then."""
        told, now = (greeting.receiver, greeting.watermark), utc_now()
        if told != self._told:
            await self._do(lambda booking: deliver.greeted(booking.db, greeting, now=now))
        elif abs(seconds_between(self._told_at, now)) >= CONTACT_EVERY_S:
            await self._do(lambda booking: deliver.reached(booking.db, now=now))
        else:
            return
        self._told, self._told_at = told, now

    async def went_back(self, greeting: Greeting) -> None:
        """See `Outbox`."""
        rules = self._rules
        known = max(greeting.watermark, greeting.highest)

        def begin(booking: Booking) -> None:
            with booking.db.transaction() as conn:
                begin_epoch(
                    conn,
                    secrets.token_hex(8),
                    why="behind",
                    because=f"{greeting.receiver} has posting {known} of this epoch, which is not "
                    "in this database: it went back in time",
                    rules=rules,
                    now=utc_now(),
                )

        await self._do(begin)

    async def prune(self, watermark: int) -> int:
        """See `Outbox`."""
        keep_days = self._keep_days
        return await self._do(
            lambda booking: deliver.prune(
                booking.db,
                watermark=watermark,
                now=utc_now(),
                keep_days=keep_days,
                limit=PRUNE_LOOKS,
            )
        )

    async def counts(self) -> tuple[int, int, int]:
        """Return how many postings wait, are refused and are parked."""
        return await self._read(deliver.counts)


def guarded(work: Callable[[], T]) -> T:
    """Do a piece of work; a fault of the database is a `StationError`, which is tried again."""
    try:
        return work()
    except SqliteError as error:
        raise StationError(f"The database: {error}.", reason="disk") from error

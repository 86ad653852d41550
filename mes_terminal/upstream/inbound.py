"""What comes down: fetched from the connector, handed to the station, confirmed (UP-9).

The loop asks for what is above the version the station has, waits there until something comes, and
confirms what became of it. A receiver that is away is tried again for ever, ever more slowly; one
that does not let the station wait is asked twice a second.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from mes_terminal import logs
from mes_terminal.errors import StationError, TransportError
from mes_terminal.upstream.backoff import Backoff
from mes_terminal.upstream.bounded import within

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mes_terminal.domain.delivery import Confirmation, DownDocument, StockReading
    from mes_terminal.upstream.connector import Inbound

WAIT_S: Final = 25.0
"""How long one question stays open: an answer comes as soon as there is something."""
ROUND_LEAST_S: Final = 0.5
"""A receiver that answers at once that there is nothing is not asked in a circle."""
TOGETHER_MAX: Final = 20_000
"""Documents that are applied together at most: the orders and items of a large plant."""
STOCK_EVERY_S: Final = 60.0
"""How often the receiver's stock is read, for the difference that `reconcile` explains."""


class Below(Protocol):
    """The station, as what comes down sees it."""

    async def version(self) -> int:
        """Return up to which version everything was seen to."""

    async def apply(self, documents: Sequence[DownDocument]) -> list[Confirmation]:
        """Apply documents in order; return what is to be confirmed, the last one for all."""

    async def note_stock(self, reading: StockReading) -> None:
        """Keep what the receiver has in stock."""


class InboundLoop:
    """One connector's way down. `run` until cancelled."""

    def __init__(
        self,
        connector: Inbound,
        below: Below,
        *,
        chance: Callable[[], float],
        clock: Callable[[], float],
    ) -> None:
        self._connector = connector
        self._below = below
        self._backoff = Backoff(chance)
        self._clock = clock
        self._unsaid: list[Confirmation] = []
        self._stock_due_s = 0.0

    async def run(self) -> None:
        """Fetch, apply and confirm, for ever."""
        while True:
            begun_s = self._clock()
            try:
                came = await self.step(wait_s=WAIT_S)
                self._backoff.went_well()
                if not came:
                    await asyncio.sleep(max(0.0, begun_s + ROUND_LEAST_S - self._clock()))
            except StationError as error:
                asked = error.retry_after_s if isinstance(error, TransportError) else None
                pause_s = self._backoff.failed(self._clock(), asked_s=asked)
                if self._backoff.failures == 1:
                    logs.write("inbound.waits", reason=error.reason, sentence=error.sentence)
                await asyncio.sleep(pause_s)

    async def step(self, *, wait_s: float) -> int:
        """Do one round; return how many documents came. Raises `TransportError`."""
        await self._confirm()
        documents = await self._fetch(wait_s)
        if documents:
            self._unsaid += await self._below.apply(documents)
            await self._confirm()
        if self._clock() >= self._stock_due_s:
            self._stock_due_s = self._clock() + STOCK_EVERY_S
            await self._below.note_stock(await within(self._connector.stock))
        return len(documents)

    async def _fetch(self, wait_s: float) -> list[DownDocument]:
        """Return what is above the version that the station has, in order; what is not above it was
        seen to."""
        after = await self._below.version()
        found: list[DownDocument] = []
        while len(found) < TOGETHER_MAX:
            asking = partial(self._connector.fetch, after, wait_s=wait_s)
            more = [each for each in await within(asking) if each.version > after]
            if not more:
                break
            found += sorted(more, key=lambda each: each.version)
            after, wait_s = found[-1].version, 0.0
        return found

    async def _confirm(self) -> None:
        while self._unsaid:
            await within(partial(self._connector.confirm, self._unsaid[0]))
            del self._unsaid[0]

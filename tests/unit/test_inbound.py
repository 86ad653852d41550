"""What comes down, from receivers of every kind, on a clock of its own (UP-9)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import msgspec

from mes_terminal.domain.delivery import Confirmation, DownDocument, StockReading
from mes_terminal.upstream.inbound import InboundLoop
from tests import virtual_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

AT = "2026-11-20T06:00:00.000000Z"


def document(version: int) -> DownDocument:
    return DownDocument(
        version=version, key=f"k{version}", kind="tables", sent_at=AT, data=msgspec.Raw(b"{}")
    )


class Above:
    """A receiver that answers every question at once, with `says`."""

    def __init__(self, says: Callable[[int], list[DownDocument]]) -> None:
        self.says = says
        self.asked: list[int] = []
        self.confirmed: list[int] = []

    async def fetch(self, after: int, *, wait_s: float) -> list[DownDocument]:
        self.asked.append(after)
        await asyncio.sleep(0.01)
        return self.says(after)

    async def confirm(self, confirmation: Confirmation) -> None:
        self.confirmed.append(confirmation.version)

    async def stock(self) -> StockReading:
        return StockReading(as_of=AT, watermark=0, stock=[])


class Station:
    """What the station applied."""

    def __init__(self) -> None:
        self.applied: list[int] = []

    async def version(self) -> int:
        return max(self.applied, default=0)

    async def apply(self, documents: Sequence[DownDocument]) -> list[Confirmation]:
        self.applied += [each.version for each in documents]
        return [Confirmation(source="s", version=documents[-1].version, at=AT)]

    async def note_stock(self, reading: StockReading) -> None:
        """Forget it."""


def play(above: Above, station: Station, *steps: Callable[[], None]) -> None:
    """Run the loop for a minute, and for another one after each step."""

    async def story() -> None:
        clock = asyncio.get_running_loop().time
        loop = InboundLoop(above, station, chance=lambda: 0.5, clock=clock)  # type: ignore[arg-type]
        running = asyncio.create_task(loop.run())
        for step in (lambda: None, *steps):
            step()
            await asyncio.sleep(60)
        assert not running.done()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running

    virtual_time.run(story())


def test_a_receiver_that_lets_nobody_wait_is_asked_twice_a_second() -> None:
    """UP-9: an answer within the time that was asked for may come at once."""
    above, station = Above(lambda _: []), Station()
    play(above, station)
    assert 100 <= len(above.asked) <= 121


def test_what_the_station_has_is_not_applied_again() -> None:
    """UP-9: by a receiver that tells everything each time, and in any order."""
    above, station = Above(lambda _: [document(each) for each in (3, 1, 2)]), Station()
    play(above, station, lambda: above.asked.clear())
    assert station.applied == [1, 2, 3]
    assert above.confirmed == [3]
    assert len(above.asked) <= 121


def test_a_fault_of_a_connector_does_not_end_what_comes_down() -> None:
    """UP-9: a hold that is entered a minute later acts here."""

    def breaks(_: int) -> list[DownDocument]:
        raise OverflowError("a year beyond all clocks")

    def mended(after: int) -> list[DownDocument]:
        return [document(1)] if after < 1 else []

    above, station = Above(breaks), Station()
    play(above, station, lambda: setattr(above, "says", mended))
    assert (station.applied, above.confirmed) == ([1], [1])

"""What a connector promises the relay (one contract suite: tests/upstream/test_connector_contract).

A connector knows one way to a receiver and nothing of the outbox. It may fail at any time and lose
every answer; it never changes the order in which postings of one lane take effect, and it never
answers for a posting whose effect is not durable at the receiver.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, runtime_checkable

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mes_terminal.domain.delivery import (
        Answer,
        Confirmation,
        DownDocument,
        Greeting,
        Hello,
        QueuedPosting,
        SiteException,
        StockReading,
    )


class StationIdentity(Struct, frozen=True, kw_only=True):
    """Who sends, and where its database is (the default of folders lies beside it)."""

    source: str
    site: str
    station: str
    database: Path


class Connector(Protocol):
    """One way upstream. Used by one event loop, one call of `deliver` at a time and lane."""

    batch_max: int
    """Postings that one call of `deliver` takes."""
    batch_max_bytes: int
    """Bytes of their bodies together; one posting alone may be larger."""
    one_per_lane: bool
    """Whether the order within a batch is not kept, so that a lane has one posting on its way."""
    parallel_max: int
    """Calls of `deliver` that may run side by side, each with lanes of its own."""

    async def open(self) -> None:
        """Connect. Raises `TransportError`."""

    async def greet(self, hello: Hello) -> Greeting:
        """Say who sends and hear what is there. Raises `TransportError`."""

    async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        """Send postings, in order of `sequence`; return what became of those that are durable.

        A posting without an answer may or may not have arrived: it is sent again with the same
        key. Raises `TransportError` if there is no answer at all.
        """

    async def close(self) -> None:
        """Disconnect. Never raises."""


@runtime_checkable
class Inbound(Protocol):
    """What a connector also has that brings documents down (UP-9)."""

    async def fetch(self, after: int, *, wait_s: float) -> list[DownDocument]:
        """Return the documents above version `after` in order, all of them or the first part;
        none if nothing comes within `wait_s`. Raises `TransportError`."""

    async def confirm(self, confirmation: Confirmation) -> None:
        """Say what the station did with them. Raises `TransportError`."""

    async def stock(self) -> StockReading:
        """Return the receiver's stock where this station works. Raises `TransportError`."""

    async def exceptions(self) -> list[SiteException]:
        """Return the open exceptions of all stations in the order in which the receiver heard of
        them; of more than `EXCEPTIONS_MAX` the first, and one more. Raises `TransportError`."""

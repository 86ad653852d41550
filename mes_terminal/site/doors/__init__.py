"""The doors of the site: how postings of the stations come in, one file for each road.

A door turns what arrives into bodies for the `Receiver` and carries its answers back. It
acknowledges nothing before the receiver has committed, answers by itself for what cannot be a
posting of that sender, and never sees SQL. `serve` of each runs until it is told to stop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from msgspec import Struct

from mes_terminal.errors import StationError
from mes_terminal.upstream.connectors.addresses import station_of, word_of
from mes_terminal.upstream.wire import Unfit, key_of

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from mes_terminal.domain.delivery import (
        Answer,
        Confirmation,
        DownDocument,
        Greeting,
        Hello,
        StockReading,
    )

BODY_MAX_BYTES: Final = 16 << 20
"""One request, or one posting: far above what a report of a thousand lines takes."""
BATCH_MAX: Final = 1000
"""Postings that are handed to the receiver together, by whatever road they came."""
RETRY_AFTER_S: Final = 2.0
"""How long a station is asked to wait where the receiver does not say it."""
ASK_MAX: Final = 10_000
"""Sequences in one question."""
EXCEPTIONS_LIMIT: Final = 100_000
"""Open exceptions in one answer where fewer are not asked for."""


class SiteBusyError(StationError):
    """The receiver cannot take anything now, as when its database is away: nothing was stored."""

    def __init__(self, sentence: str, *, retry_after_s: float = RETRY_AFTER_S) -> None:
        super().__init__(sentence, reason="busy")
        self.retry_after_s = retry_after_s


class Receiver(Protocol):
    """What the doors hand postings to; called from threads, several at a time."""

    def take(self, bodies: Sequence[bytes]) -> list[Answer]:
        """Store postings with their effects; return an answer for each, in order, when all is
        durable. One that cannot be read is kept aside, and answered as refused for `malformed`
        with an empty `source`. Raises `SiteBusyError`."""

    def ask(
        self, source: str, epoch: str, sequences: Sequence[int]
    ) -> tuple[list[Answer], list[int]]:
        """Return what became of postings, refused ones judged again, and which are unknown.
        Raises `SiteBusyError`."""

    def greet(self, hello: Hello) -> Greeting:
        """Note who begins to send; return what is there of it. Raises `SiteBusyError`."""


class Down(Protocol):
    """The road down: what stations are to know (UP-9)."""

    def fetch(self, source: str | None, after: int, limit: int) -> list[DownDocument]:
        """Return documents above version `after` for one station, `None`: for all of them; in
        order of version, of each key the newest only. Raises `SiteBusyError`."""

    def gone(self, versions: Sequence[int]) -> set[int]:
        """Return which of these versions no document has. Raises `SiteBusyError`."""

    def confirm(self, confirmation: Confirmation) -> None:
        """Note what a station did with them. Raises `SiteBusyError`."""

    def changed(self) -> asyncio.Future[None]:
        """Return what is done at the next change after this call; called in the event loop, before
        `fetch`, and never cancelled by the caller."""


class Offers(Struct, frozen=True, kw_only=True):
    """What the doors have besides taking postings; `None`: it is not offered."""

    down: Down | None = None
    stock: Callable[[str], StockReading] | None = None
    exceptions: Callable[[int, int], list[dict[str, object]]] | None = None
    """The open exceptions of all stations after a `number`, at most so many."""


ONLY_POSTINGS: Final = Offers()


def impostor(body: bytes, id_: str, station_word: str) -> Unfit | None:
    """Return why a message may not be of the station that it came from, `None` if it may."""
    key = key_of(body)
    if key is None or word_of(station_of(key.source)) == station_word:
        return None
    return Unfit(
        id=id_,
        reason="not_authorised",
        sentence=f"The posting is of {key.source}, but came from another station.",
    )


def unreadable(id_: str, answer: Answer) -> Unfit | None:
    """Return the answer to a message whose key the receiver could not read, by its id."""
    if answer.source:
        return None
    return Unfit(
        id=id_,
        reason=answer.reason or "malformed",
        sentence=answer.sentence or "The posting cannot be read.",
    )

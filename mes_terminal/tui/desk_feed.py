"""What the supervisor's desk asks the core: lists and requests, each answered by a message.

A question is a coroutine for a worker; it touches no widget and posts a `DeskHeard`. A PIN goes
from a form into its request and nowhere else.
"""

from collections.abc import AsyncGenerator, Callable, Coroutine
from typing import Any, Final, TypeVar

import msgspec
from textual.message import Message

from mes_terminal.errors import StationError
from mes_terminal.tui.messages import CoreLink

PAGE_ROWS: Final = 200
"""Rows asked for at a time: what a person pages through in seconds."""
ROWS_MAX: Final = 2000
"""Rows of one answer that are kept, whatever the core sends."""

T = TypeVar("T")
Take = Callable[[T], None]
Question = Callable[[], Coroutine[Any, Any, None]]
"""A question to the core that has not begun: one that is never asked leaves nothing behind."""


class DeskHeard(Message):
    """An answer of the core, and who takes it."""

    def __init__(self, take: Callable[[Any], None], value: Any) -> None:
        super().__init__()
        self._take, self._value = take, value

    def deliver(self) -> None:
        """Hand it over; called by the app when the message arrives."""
        self._take(self._value)


class DeskFeed:
    """Asks over the link of the app."""

    def __init__(self, link: CoreLink, post: Callable[[Message], object]) -> None:
        self._link, self._post = link, post

    async def rows(
        self,
        name: str,
        filters: dict[str, str],
        kind: type[T],
        take: Take[list[T]],
        failed: Take[StationError],
    ) -> None:
        """Ask for a list whose rows are of a `kind`."""
        try:
            found = await self._listed("list", kind, name=name, filters=filters)
        except StationError as error:
            self._post(DeskHeard(failed, error))
            return
        self._post(DeskHeard(take, found))

    async def follow(
        self,
        name: str,
        kind: Any,
        take: Take[list[Any]],
        failed: Take[StationError],
        wanted: Callable[[], bool],
    ) -> None:
        """Ask for a list that takes long, and hand over each page as it comes, an empty one at the
        end, while it is `wanted`."""
        pages = self._link.pages("list", name=name, filters={})
        try:
            async for page in pages:
                if not wanted():
                    return
                found = [msgspec.json.decode(row, type=kind) for row in page]
                self._post(DeskHeard(take, found))
            self._post(DeskHeard(take, []))
        except StationError as error:
            self._post(DeskHeard(failed, error))
        finally:
            if isinstance(pages, AsyncGenerator):
                await pages.aclose()  # tells the core that no more is wanted

    async def meanings(
        self, code: str, kind: type[T], take: Take[list[T]], failed: Take[StationError]
    ) -> None:
        """Ask what a code names."""
        try:
            found = await self._listed("decode", kind, hex=code.encode().hex())
        except StationError as error:
            self._post(DeskHeard(failed, error))
            return
        self._post(DeskHeard(take, found))

    async def value(
        self,
        do: str,
        params: dict[str, Any],
        kind: Any,
        take: Callable[[Any], None],
        failed: Take[StationError],
    ) -> None:
        """Make a request whose answer is of a `kind`; `msgspec.Raw` leaves it as it came."""
        try:
            answer = await self._link.request(do, **params)
        except StationError as error:
            self._post(DeskHeard(failed, error))
            return
        decoded = answer if kind is msgspec.Raw else msgspec.json.decode(answer, type=kind)
        self._post(DeskHeard(take, decoded))

    async def _listed(self, do: str, kind: type[T], **params: Any) -> list[T]:
        rows: list[T] = []
        async for page in self._link.pages(do, **params):
            rows += [msgspec.json.decode(row, type=kind) for row in page]
            if len(rows) >= ROWS_MAX:
                break
        return rows

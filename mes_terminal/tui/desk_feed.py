"""What the supervisor's desk asks the core: groups, pages of rows, reasons, decisions.

Each question is a coroutine for a worker; it touches no widget and posts a `DeskHeard`. A PIN goes
from here into the request and nowhere else.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal

import msgspec
from textual.message import Message

from mes_terminal.domain.desk import ExceptionStory, KindGroup
from mes_terminal.domain.healing import Decision
from mes_terminal.domain.resolving import Resolved
from mes_terminal.domain.view import StationView
from mes_terminal.errors import StationError
from mes_terminal.tui.messages import CoreLink

PAGE_ROWS: Final = 200
"""Rows asked for at a time: what a person pages through in seconds."""
WRITE_OFF: Final = "write_off"

What = Literal["groups", "rows", "row", "reasons", "preview", "resolved", "failed"]


class Groups(msgspec.Struct, frozen=True):
    """The station and its groups at one moment."""

    view: StationView
    groups: list[KindGroup]


class Reason(msgspec.Struct, frozen=True):
    """A reason that was loaded."""

    code: str
    kind: str
    description: str


class DeskHeard(Message):
    """An answer of the core, by the number of its question; `failed` with one sentence."""

    def __init__(self, what: What, number: int, value: Any, reason: str = "") -> None:
        super().__init__()
        self.what = what
        self.number = number
        self.value = value
        self.reason = reason


class DeskFeed:
    """Asks over the link of the app."""

    def __init__(self, link: CoreLink, post: Callable[[Message], object]) -> None:
        self._link, self._post = link, post

    async def groups(self, number: int, filters: dict[str, str]) -> None:
        """Ask what there is, and for the station's clock and language."""
        try:
            view = msgspec.json.decode(await self._link.request("view"), type=StationView)
            found = [
                msgspec.json.decode(row, type=KindGroup)
                for row in await self._listed("exception_groups", filters)
            ]
        except StationError as error:
            self._fail(number, error)
            return
        self._post(DeskHeard("groups", number, Groups(view, found)))

    async def rows(self, what: What, number: int, filters: dict[str, str]) -> None:
        """Ask for a page of a group, or for one row again."""
        try:
            rows = await self._listed("exception_rows", filters)
        except StationError as error:
            self._fail(number, error)
            return
        found = [msgspec.json.decode(row, type=ExceptionStory) for row in rows]
        self._post(DeskHeard(what, number, found, filters.get("since", "0")))

    async def reasons(self, number: int) -> None:
        """Ask for the reasons of write-offs."""
        try:
            rows = await self._listed("reasons", {})
        except StationError as error:
            self._fail(number, error)
            return
        found = [msgspec.json.decode(row, type=Reason) for row in rows]
        mine = [each for each in found if each.kind == WRITE_OFF]
        self._post(DeskHeard("reasons", number, mine))

    async def preview(self, number: int, ids: Sequence[int], decision: Decision) -> None:
        """Ask what a decision would come to; nothing of it stays."""
        await self._decide("preview", number, ids=ids, decision=decision, preview=True)

    async def resolve(
        self, number: int, ids: Sequence[int], decision: Decision, badge: str, pin: str
    ) -> None:
        """Let the core do it."""
        await self._decide("resolved", number, ids=ids, decision=decision, badge=badge, pin=pin)

    async def _decide(self, what: What, number: int, **order: Any) -> None:
        order["decision"] = msgspec.to_builtins(order["decision"])
        try:
            answer = await self._link.request("resolve", **order)
        except StationError as error:
            self._fail(number, error)
            return
        self._post(DeskHeard(what, number, msgspec.json.decode(answer, type=list[Resolved])))

    async def _listed(self, name: str, filters: dict[str, str]) -> list[msgspec.Raw]:
        rows: list[msgspec.Raw] = []
        async for page in self._link.pages("list", name=name, filters=filters):
            rows += page
        return rows

    def _fail(self, number: int, error: StationError) -> None:
        self._post(DeskHeard("failed", number, error.sentence, error.reason))

"""The open exceptions of all stations, as the site has them; this station's where it is away.

Asked for when somebody looks, never by itself: the event loop waits for the site, nothing else
does. One question is on its way at a time, and an answer serves everybody for a few seconds.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING, Final, cast

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivery import EXCEPTIONS_MAX, SiteException
from mes_terminal.errors import InputError, StationError, TransportError
from mes_terminal.station.clock import utc_now
from mes_terminal.station.upstream import make_connector
from mes_terminal.store.events import source_of
from mes_terminal.upstream.bounded import within
from mes_terminal.upstream.connector import Inbound
from mes_terminal.usecases.desk_filters import check_filters
from mes_terminal.usecases.lists import read_list

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

    from mes_terminal.domain.rules import StationRules
    from mes_terminal.settings import Settings
    from mes_terminal.station.reading import Reading
    from mes_terminal.station.upstream import Upstream
    from mes_terminal.store.database import Database
    from mes_terminal.upstream.connector import Connector
    from mes_terminal.usecases.list_rows import ExceptionRow

ANSWER_MAX_S: Final = 3.0
"""How long the site may take; who looks does not wait longer."""
FRESH_S: Final = 3.0
"""How long an answer serves: the desk asks again and again while it is looked at."""
ROWS: Final = "site_exceptions"
COUNT: Final = "site_exceptions_count"
LISTS: Final = frozenset((ROWS, COUNT))
_SOUGHT: Final = ("kind", "work_order", "item", "station")
FILTERS: Final = ("text", *_SOUGHT, "after", "limit")
ALONE: Final = "These are the exceptions of this station only."
_POSTINGS_WAIT: Final = "Postings wait."


class SiteExceptions(Struct, frozen=True, kw_only=True):
    """What was found, the oldest first."""

    rows: Sequence[SiteException]
    more: bool = False
    """Whether the site has more than the `EXCEPTIONS_MAX` that are here."""
    trouble: str | None = None
    """Why they are those of this station only, as a sentence; `None`: they are those of all."""


class Counted(Struct, frozen=True, kw_only=True):
    """The one row of the list `site_exceptions_count`."""

    count: int
    more: bool
    trouble: str | None


class AllStations:
    """Asks the site by the station's connector. Used by one event loop."""

    def __init__(
        self,
        connector: Callable[[], Awaitable[Connector]],
        local: Callable[[], Awaitable[list[SiteException]]],
        *,
        answer_max_s: float = ANSWER_MAX_S,
    ) -> None:
        """`connector` may take its time; `local` reads this station's own."""
        self._connector = connector
        self._local = local
        self._answer_max_s = answer_max_s
        self._turn = asyncio.Lock()
        self._asking: asyncio.Task[list[SiteException]] | None = None
        self._answered_s = 0.0
        self._found: SiteExceptions | None = None
        self._found_s = 0.0

    async def read(self) -> SiteExceptions:
        """Return them as of now, or of a moment ago. Raises `StationError` only for faults of this
        station's own database."""
        async with self._turn:
            if self._found is None or time.monotonic() - self._found_s > FRESH_S:
                self._found = await self._read()
                self._found_s = time.monotonic()
            return self._found

    async def stop(self) -> None:
        """Let go of a question that is on its way."""
        if self._asking is not None:
            self._asking.cancel()
            with contextlib.suppress(asyncio.CancelledError, StationError):
                await self._asking

    async def _read(self) -> SiteExceptions:
        try:
            found = await self._ask()
        except StationError as error:
            said = error.sentence.removesuffix(_POSTINGS_WAIT).strip()
            return SiteExceptions(rows=await self._local(), trouble=f"{said} {ALONE}")
        return bounded(found)

    async def _ask(self) -> list[SiteException]:
        """Ask, and wait as long as one may; an answer that was late is there for who looks next,
        if they look soon."""
        asking = self._asking
        if asking is None or (asking.done() and time.monotonic() - self._answered_s > FRESH_S):
            asking = self._asking = asyncio.create_task(self._asked())
            asking.add_done_callback(self._answered)
        done, _ = await asyncio.wait((asking,), timeout=self._answer_max_s)
        if not done:
            raise TransportError("The site does not answer.", reason="unreachable")
        self._asking = None
        return asking.result()

    def _answered(self, asking: asyncio.Task[list[SiteException]]) -> None:
        self._answered_s = time.monotonic()
        if not asking.cancelled():
            asking.exception()  # perhaps nobody looks any more

    async def _asked(self) -> list[SiteException]:
        connector = await self._connector()
        if not isinstance(connector, Inbound):
            raise TransportError(
                "This way upstream brings nothing down (upstream.kind). Ask at the site: "
                "mes-terminal site exceptions.",
                reason="not_offered",
            )
        return await within(connector.exceptions)


def all_stations_of(
    upstream: Upstream | None, reading: Reading, rules: StationRules
) -> AllStations | None:
    """Return what asks for a core; `None` for one that has no site."""

    async def own() -> list[SiteException]:
        found = reading.do(lambda database: own_exceptions(database, rules))
        return await asyncio.shield(asyncio.wrap_future(found))

    return None if upstream is None else AllStations(upstream.connector, own)


def ask_here(settings: Settings, database: Database) -> SiteExceptions:
    """Return them without a core, by a connector for the moment. Raises `InputError`."""

    async def ask() -> SiteExceptions:
        connector = make_connector(settings, database.path)

        async def made() -> Connector:
            return connector

        async def local() -> list[SiteException]:
            return own_exceptions(database, settings.rules())

        asked = AllStations(made, local)
        try:
            return await asked.read()
        finally:
            await asked.stop()
            await connector.close()

    return asyncio.run(ask())


def bounded(found: Sequence[SiteException]) -> SiteExceptions:
    """Return what a site answered, the oldest first and no more than are shown."""
    rows = sorted(found[:EXCEPTIONS_MAX], key=lambda each: each.key)
    return SiteExceptions(rows=rows, more=len(found) > EXCEPTIONS_MAX)


def own_exceptions(database: Database, rules: StationRules) -> list[SiteException]:
    """Return the open exceptions of this station as a site would tell them."""
    filters = {"open": "yes", "limit": str(EXCEPTIONS_MAX)}
    found = read_list(database, "exceptions", filters, rules=rules, now=utc_now())
    source = source_of(rules.site, rules.station)
    return [
        SiteException(
            number=row.id, station=rules.station, source=source, id=row.id, kind=row.kind,
            work_order=row.work_order, line=row.line, item=row.item, lot=row.lot,
            quantity=row.quantity, opened_at=row.opened_at, cause=row.cause,
        )
        for row in (cast("ExceptionRow", each) for each in found)
    ]  # fmt: skip


def listed(name: str, filters: Mapping[str, str], found: SiteExceptions) -> Iterator[bytes]:
    """Yield the rows of `site_exceptions` or its count. Raises `InputError` for wrong filters."""
    check_filters(name, filters, FILTERS)
    if name == COUNT:
        count = sum(1 for each in found.rows if _is_sought(each, filters))
        yield msgspec.json.encode(Counted(count=count, more=found.more, trouble=found.trouble))
        return
    after, left = filters.get("after", ""), _limit(filters)
    for each in found.rows:
        if left and each.key > after and _is_sought(each, filters):
            left -= 1
            yield msgspec.json.encode(each)


def _is_sought(row: SiteException, filters: Mapping[str, str]) -> bool:
    if any(name in filters and getattr(row, name) != filters[name] for name in _SOUGHT):
        return False
    text = filters.get("text", "").casefold()
    told = (row.station, row.kind, row.work_order, row.item, row.lot, row.cause)
    return not text or any(text in each.casefold() for each in told if each)


def _limit(filters: Mapping[str, str]) -> int:
    text = filters.get("limit", str(EXCEPTIONS_MAX))
    if not (text.isascii() and text.isdigit() and len(text) < len("1000000000")):
        raise InputError(f"limit must be a whole number, not {text!r}.")
    return int(text)

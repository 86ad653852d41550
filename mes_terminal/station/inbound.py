"""What comes down, on the running core: checked beside scanning, applied between two scans (UP-9).

Tables are loaded together as far as they can be; where a load has a fault it is parted until the
document is alone that has it, and the others are applied. What was kept is tried again whenever
something was applied. Each load and the version it came with are one transaction.
"""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec import structs

from mes_terminal import logs
from mes_terminal.domain.delivery import Confirmation, DownDocument
from mes_terminal.errors import InputError
from mes_terminal.exchange.down_tables import loads_of
from mes_terminal.exchange.faults import Fault
from mes_terminal.station.clock import utc_now
from mes_terminal.station.outbox_door import guarded
from mes_terminal.store import down
from mes_terminal.store.database import open_reader
from mes_terminal.usecases import apply_down, load_master_data
from mes_terminal.usecases.reconcile import note_upstream_stock, stock_changes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Protocol

    from mes_terminal.domain.delivery import StockReading
    from mes_terminal.domain.rules import StationRules
    from mes_terminal.station.booking import Booking
    from mes_terminal.store.database import Connection
    from mes_terminal.usecases.load_master_data import Staged
    from mes_terminal.usecases.reconcile import StockChanges

    T = TypeVar("T")

    class Do(Protocol):
        """The way to the writing connection."""

        def __call__(self, work: Callable[[Booking], T]) -> Awaitable[T]:
            """Do a piece of work there, between two scans."""


Told = dict[str, "Confirmation | None"]
"""What is to be said by itself of documents, by key: of those that wait or waited."""
ROUNDS_MAX: Final = 4
"""How often what was kept is tried again after what came: each round lets others go."""
_DONE: Final = object()


class DownDesk:
    """What `upstream.inbound` sees of the station. `loading`: one load at a time."""

    def __init__(
        self, database: Path, rules: StationRules, do: Do, loading: asyncio.Lock, source: str
    ) -> None:
        self._database = database
        self._rules = rules
        self._do = do
        self._loading = loading
        self._source = source
        self._said: dict[str, tuple[int, apply_down.Outcome]] = {}
        """What this process has told of what is kept, by key: it is told once."""
        self._has_tried = False
        """Whether everything that is kept was tried, and told, since the start."""

    async def version(self) -> int:
        """Return up to which version everything was seen to."""
        return await self._do(lambda booking: down.read_version(booking.db.conn))

    async def note_stock(self, reading: StockReading) -> None:
        """Keep what the receiver has in stock: compared beside scanning, so that only what changed
        is written between two scans."""
        changes = await asyncio.to_thread(_stock_changes, self._database, reading)
        await self._do(
            lambda booking: note_upstream_stock(booking.db, reading, now=utc_now(), changes=changes)
        )

    async def apply(self, documents: Sequence[DownDocument]) -> list[Confirmation]:
        """Apply documents in order; return what was not applied, then the one for all of them.

        They are of one instant: what is told of a version later than that it was kept means that it
        is applied by now.
        """
        last = documents[-1].version
        told: Told = {}
        await self._apply(documents, told)
        waiting = await self._waiting()
        for _ in range(ROUNDS_MAX):
            for each in waiting:
                told.setdefault(each.key, None)
            await self._apply(waiting, told)
            self._has_tried = True
            before, waiting = waiting, await self._waiting()
            if waiting == before:
                break
        now = utc_now()
        confirmed = [structs.replace(each, at=now) for each in told.values() if each is not None]
        for one in confirmed:
            if one.outcome != "applied":
                logs.write("inbound.kept", version=one.version, sentence=one.sentence or "")
        return [*confirmed, Confirmation(source=self._source, version=last, at=now)]

    async def _waiting(self) -> list[DownDocument]:
        read = down.read_to_try if self._has_tried else down.read_waiting
        return await self._do(lambda booking: read(booking.db.conn))

    async def _apply(self, documents: Sequence[DownDocument], told: Told) -> None:
        """Apply what can be; `told` gets what became of each that is not simply applied."""
        tables: list[DownDocument] = []
        for each in documents:
            if each.kind == "tables":
                tables.append(each)
                continue
            await self._load(tables, told)
            tables = []
            await self._apply_told(each, told)
        await self._load(tables, told)

    async def _apply_told(self, document: DownDocument, told: Told) -> None:
        outcome = await self._do(
            lambda booking: apply_down.apply_told(
                booking.db, document, rules=self._rules, now=utc_now()
            )
        )
        self._tell(document, outcome, told)

    def _tell(self, document: DownDocument, outcome: apply_down.Outcome, told: Told) -> None:
        if outcome.outcome == "applied":
            self._said.pop(document.key, None)
            if document.key not in told:
                return  # the one for all of them says it
        else:
            self._said[document.key] = (document.version, outcome)
        told[document.key] = Confirmation(
            source=self._source,
            version=document.version,
            at=utc_now(),
            outcome=outcome.outcome,
            sentence=outcome.sentence,
        )

    async def _load(self, documents: Sequence[DownDocument], told: Told) -> None:
        """Load tables, together as far as their columns allow."""
        readable: list[DownDocument] = []
        rows = []
        for each in documents:
            try:
                rows.append(apply_down.tables_of(each).tables)
                readable.append(each)
            except InputError as error:
                await self._keep(each, Fault(each.key, None, None, error.sentence), told)
        for together in loads_of(rows):
            part = [readable[place] for place in together.places]
            await self._load_part(part, together.files, told)

    async def _load_part(
        self,
        documents: Sequence[DownDocument],
        files: Mapping[str, bytes],
        told: Told,
    ) -> None:
        faults = await self._load_files(documents, files)
        if not faults:
            for each in documents:
                self._tell(each, apply_down.Outcome("applied"), told)
        elif len(documents) == 1:
            await self._keep(documents[0], faults[0], told)
        else:
            middle = len(documents) // 2
            await self._load(documents[:middle], told)
            await self._load(documents[middle:], told)

    async def _keep(self, document: DownDocument, fault: Fault, told: Told) -> None:
        outcome = apply_down.refusal(document, fault)
        if document.key in told and self._said.get(document.key) == (document.version, outcome):
            return  # it was tried again, and nothing is new
        await self._do(
            lambda booking: apply_down.keep_refused(
                booking.db, document, outcome, rules=self._rules, now=utc_now()
            )
        )
        self._tell(document, outcome, told)

    async def _load_files(
        self, documents: Sequence[DownDocument], files: Mapping[str, bytes]
    ) -> list[Fault]:
        """Load files and their version in one transaction; return what is wrong with them."""
        now = utc_now()
        rules = self._rules

        def conclude(conn: Connection) -> None:
            apply_down.conclude(conn, documents, rules=rules, now=now)

        async with self._loading:
            staged = await asyncio.to_thread(_stage, self._database, files, rules, now)
            if staged.faults:
                return staged.faults
            await self._set_down(staged)
            applied = await self._do(
                lambda booking: load_master_data.apply(
                    booking.db,
                    staged,
                    rules=rules,
                    now=now,
                    load_time=now,
                    down_version=documents[-1].version,
                    conclude=conclude,
                )
            )
            await self._do(lambda booking: booking.heal_all())
            return applied.faults

    async def _set_down(self, staged: Staged) -> None:
        turns: Any = await self._do(lambda booking: load_master_data.set_down(booking.db, staged))
        while await self._do(lambda _: next(turns, _DONE)) is not _DONE:
            pass  # scans take their turns in between


def _stock_changes(database: Path, reading: StockReading) -> StockChanges:
    with closing(open_reader(database)) as reader:
        return guarded(lambda: stock_changes(reader, reading))


def _stage(database: Path, files: Mapping[str, bytes], rules: StationRules, now: str) -> Staged:
    with closing(open_reader(database)) as reader:
        return guarded(
            lambda: load_master_data.stage(reader.conn, files, rules=rules, load_time=now)
        )

"""What a client of the core may ask, and how each request is answered (docs/link.md).

Writing and the view go to the store thread, lists and checks to the reading thread; the event loop
itself never waits for the disk.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

from mes_terminal.errors import InputError
from mes_terminal.link import protocol
from mes_terminal.link.server import parameter
from mes_terminal.station import loading, signing, site_exceptions
from mes_terminal.station.approving import (
    ApproveOrder,
    PermitOrder,
    approve,
    change_permit,
    scan_again,
    told,
)
from mes_terminal.station.clock import utc_now
from mes_terminal.station.desk_requests import (
    AssignOrder,
    PeopleOrder,
    ResolveOrder,
    assign,
    change_people,
    new_hash,
    resolve,
)
from mes_terminal.station.loading import DecideLoadOrder, LoadOrder, ProposeOrder
from mes_terminal.station.meanings import badge_in, meanings_of
from mes_terminal.station.morning import tell_morning
from mes_terminal.station.shift_requests import (
    EndCallOrder,
    EndShiftOrder,
    end_call,
    sign_off,
)
from mes_terminal.store.database import pragmas_in_force
from mes_terminal.usecases.doctor import examine
from mes_terminal.usecases.lists import read_list
from mes_terminal.usecases.preflight import preflight

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
    from concurrent.futures import Future

    from mes_terminal.domain.load_proposal import Agreement
    from mes_terminal.domain.outcome import Outcome
    from mes_terminal.link.protocol import Request
    from mes_terminal.station.booking import Booking
    from mes_terminal.station.core import Core
    from mes_terminal.station.loading import Checked
    from mes_terminal.store.database import Database
    from mes_terminal.store.load_proposals import Proposed

Params = dict[str, Any]
T = TypeVar("T")
S = TypeVar("S", bound=signing.Signed)

DONE: Final = object()
BADGES: Final = frozenset(("badge", "by", "hand_over", "to"))
"""Parameters that name a person: typed as the badge itself, or scanned."""

LEAVE_POLL_S: Final = 0.02
LEAVE_POLLS: Final = 50
"""A second in all for the connection of a screen that left to be gone."""


class Answers:
    """The requests of one core, by name."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._signing = asyncio.Lock()
        self._values: dict[str, Callable[[Params], Awaitable[object]]] = {
            "hello": self._hello,
            "subscribe": self._subscribe,
            "scan": self._scan,
            "view": self._view,
            "scanners": self._scanners,
            "preflight": self._preflight,
            "morning": self._morning,
            "load": self._load,
            "propose_load": self._propose_load,
            "approve_load": self._approve_load,
            "resolve": self._resolve,
            "end_shift": self._signed(EndShiftOrder, sign_off),
            "end_call": self._signed(EndCallOrder, end_call),
            "assign": self._signed(AssignOrder, assign),
            "people": self._people,
            "approve": self._approve,
            "permit": self._signed(PermitOrder, change_permit),
            "leave": self._leave,
            "stop": self._stop,
        }
        self._lists: dict[str, Callable[[Params], AsyncIterator[list[bytes]]]] = {
            "list": self._list,
            "decode": self._decode,
            "doctor": self._doctor,
            "sync": self._sync,
        }

    def answer(self, request: Request) -> Awaitable[object] | AsyncIterator[list[bytes]]:
        """Answer a request. Raises `InputError` for one that does not exist."""
        if request.do in self._values:
            return self._values[request.do](self._with_badges(request))
        if request.do in self._lists:
            return self._lists[request.do](request.params)
        raise InputError(f"The station knows no request {request.do[:40]!r}.", reason="protocol")

    def _with_badges(self, request: Request) -> Params:
        """Return the parameters of a request; a badge that was scanned is the badge it names."""
        if request.do == "scan":
            return request.params
        codes = self._core.rules.codes
        return {
            name: badge_in(value, codes) if name in BADGES and isinstance(value, str) else value
            for name, value in request.params.items()
        }

    async def _hello(self, _: Params) -> object:
        core = self._core
        return {
            "v": protocol.VERSION,
            "pid": os.getpid(),
            "station": core.rules.station,
            "site": core.rules.site,
            "mode": "training" if core.training else core.rules.mode,
            "database": str(core.database),
            "for_screen": core.for_screen,
        }

    async def _subscribe(self, params: Params) -> object:
        recovered, self._core.recovered = self._core.recovered, []
        return {"view": await self._view(params), "recovered": recovered}

    async def _scan(self, params: Params) -> Outcome:
        raw = _code_bytes(params)
        device = parameter(params, "device", str, "link")
        badge = parameter(params, "badge", str, None)
        at = parameter(params, "at", str, None)
        return await _result(
            self._core.submit(
                lambda booking: booking.request_for(raw, device=device, badge=badge, at=at)
            )
        )

    async def _view(self, _: Params) -> object:
        return await _result(self._core.worker.do(self._core.current_view))

    async def _scanners(self, _: Params) -> object:
        return self._core.scanners.views()

    async def _preflight(self, params: Params) -> object:
        order = parameter(params, "work_order", str)
        rules = self._core.rules
        return await _result(
            self._core.worker.do(lambda booking: preflight(booking.db, order, rules, now=utc_now()))
        )

    async def _morning(self, _: Params) -> object:
        return await tell_morning(self._core)

    async def _load(self, params: Params) -> object:
        core = self._core
        order = LoadOrder(
            folder=parameter(params, "folder", str),
            mapping=parameter(params, "mapping", str, None),
            dry_run=parameter(params, "dry_run", bool, False),
            diff=parameter(params, "diff", bool, False),
            at=parameter(params, "at", str, None),
        )
        checked = await asyncio.to_thread(
            loading.check, core.database, Path(order.folder), order, core.rules
        )
        if checked.result.faults or not order.applies:
            return checked.result
        return await self._apply(checked)

    async def _propose_load(self, params: Params) -> object:
        core = self._core
        order = _order(params, ProposeOrder)
        await self._prove(order.proof, order.pin)
        checked = await asyncio.to_thread(loading.check_proposal, core.database, order, core.rules)
        return await _result(
            core.worker.do(lambda booking: loading.keep_proposal(booking, order, checked))
        )

    async def _approve_load(self, params: Params) -> object:
        core = self._core
        order = _order(params, DecideLoadOrder)
        await self._prove(order.proof, order.pin)
        if order.answer == "refuse":
            return await _result(core.worker.do(lambda booking: loading.refuse(booking, order)))
        agreed = await _result(core.worker.do(lambda booking: loading.agreement(booking, order)))
        checked = await asyncio.to_thread(
            loading.check_agreed, core.database, agreed[0], order, core.rules
        )
        return checked.result if checked.result.faults else await self._apply(checked, agreed)

    async def _apply(
        self, checked: Checked, agreed: tuple[Proposed, Agreement] | None = None
    ) -> object:
        """Set down what was checked, in turns, and apply it; one load at a time."""
        worker = self._core.worker
        async with self._core.loading:
            turns = await _result(worker.do(lambda booking: loading.set_down(booking, checked)))
            while await _result(worker.do(lambda _: next(turns, DONE))) is not DONE:
                pass  # scans take their turns in between
            applied = await _result(
                worker.do(lambda booking: loading.apply_checked(booking, checked, agreed))
            )
            await _result(worker.do(lambda booking: booking.heal_all()))
            return applied

    async def _resolve(self, params: Params) -> object:
        order = _order(params, ResolveOrder)
        await self._prove(order.proof, order.pin)
        worker = self._core.worker
        steps = await _result(worker.do(lambda booking: resolve(booking, order)))
        ended = []
        while (one := await _result(worker.do(lambda _: next(steps, DONE)))) is not DONE:
            ended.append(one)  # scans take their turns in between
        if self._core.upstream is not None:
            self._core.upstream.wake(released=True)  # one that was refused may go again
        if self._core.labels is not None:
            self._core.labels.wake()  # a failed scan that was handled again may have completed some
        return ended

    async def _people(self, params: Params) -> object:
        order = _order(params, PeopleOrder)
        await self._prove(order.proof, order.pin)
        pin_hash = await asyncio.to_thread(new_hash, order)
        await _result(self._core.worker.do(lambda booking: change_people(booking, order, pin_hash)))
        return None

    async def _approve(self, params: Params) -> object:
        order = _order(params, ApproveOrder)
        await self._prove(order.proof, order.pin)
        core = self._core
        answered = await _result(core.worker.do(lambda booking: approve(booking, order)))
        outcome = None
        if answered.again is not None:
            outcome = await _result(core.submit(lambda booking: scan_again(booking, answered)))
        return told(answered, outcome)

    def _signed(
        self, kind: type[S], act: Callable[[Booking, S], object]
    ) -> Callable[[Params], Awaitable[object]]:
        """Return the answer to orders of a kind: who signs is proved, then it is done at once."""

        async def answer(params: Params) -> object:
            order = _order(params, kind)
            await self._prove(order.proof, order.pin)
            return await _result(self._core.worker.do(lambda booking: act(booking, order)))

        return answer

    async def _prove(self, badge: str | None, pin: str) -> None:
        """Let a badge be proved by its PIN, one at a time: comparing takes memory."""
        if badge is None:
            return
        async with self._signing:
            worker = self._core.worker
            tried = await _result(worker.do(lambda booking: signing.begin(booking, badge, pin)))
            right = await asyncio.to_thread(signing.is_right, tried.pin_hash, pin)
            await _result(worker.do(lambda booking: signing.end(booking, tried, right=right)))

    async def _leave(self, _params: Params) -> object:
        """A screen has gone, properly: a core that a screen started ends with the last one."""
        for _ in range(LEAVE_POLLS):
            if not self._core.server.subscribers:
                break
            await asyncio.sleep(LEAVE_POLL_S)  # its own connection may still be closing
        ends = self._core.for_screen and not self._core.server.subscribers
        if ends:
            self._core.stop()
        return {"stops": ends}

    async def _stop(self, _: Params) -> object:
        self._core.stop()
        return None

    def _list(self, params: Params) -> AsyncIterator[list[bytes]]:
        name = parameter(params, "name", str)
        filters = parameter(params, "filters", dict, {})
        if not all(isinstance(value, str) for value in filters.values()):
            raise InputError("The filters of a list are texts.", reason="protocol")
        if name in site_exceptions.LISTS:
            return self._site_exceptions(name, filters)
        rules = self._core.rules

        def rows(database: Database) -> Iterator[bytes]:
            found = read_list(database, name, filters, rules=rules, now=utc_now())
            return (msgspec.json.encode(row) for row in found)

        return self._core.reading.pages(rows)

    async def _site_exceptions(
        self, name: str, filters: dict[str, str]
    ) -> AsyncIterator[list[bytes]]:
        if self._core.all_stations is None:
            raise InputError("A training copy has no site.", reason="training")
        found = await self._core.all_stations.read()
        rows = site_exceptions.listed(name, filters, found)
        async for page in self._core.reading.pages(lambda _: rows):
            yield page

    def _decode(self, params: Params) -> AsyncIterator[list[bytes]]:
        raw = _code_bytes(params)
        codes = self._core.rules.codes
        return self._core.reading.pages(lambda database: iter(meanings_of(database, raw, codes)))

    async def _sync(self, params: Params) -> AsyncIterator[list[bytes]]:
        upstream = self._core.upstream
        if upstream is None:
            raise InputError("A training copy delivers nothing.", reason="training")
        async for row in upstream.sync(once=parameter(params, "once", bool, False)):
            yield [msgspec.json.encode(row)]

    async def _doctor(self, _: Params) -> AsyncIterator[list[bytes]]:
        pragmas = await _result(self._core.worker.do(lambda booking: pragmas_in_force(booking.db)))
        alarms = self._core.settings.alarms

        def rows(database: Database) -> Iterator[bytes]:
            found = examine(
                database,
                self._core.rules,
                now=utc_now(),
                pragmas=pragmas,
                disk_free_bytes=self._core.disk.ask(),
                disk_stop_mb=alarms.disk_stop_mb,
                disk_warn_mb=alarms.disk_warn_mb,
            )
            return map(msgspec.json.encode, found)

        async for page in self._core.reading.pages(rows):
            yield page


async def _result(future: Future[T]) -> T:
    """Await a piece of work; a client that leaves does not take it back."""
    return await asyncio.shield(asyncio.wrap_future(future))


def _order(params: Params, kind: type[T]) -> T:
    """Return the order that a request's parameters are. Its PINs are never told back."""
    try:
        return msgspec.convert(params, kind)
    except msgspec.ValidationError as error:
        raise InputError(f"The request is malformed: {error}.", reason="protocol") from error


def _code_bytes(params: Params) -> bytes:
    """Return the code of a request: `hex` exactly, or `code` as UTF-8."""
    text = parameter(params, "hex", str, None)
    if text is None:
        return str(parameter(params, "code", str)).encode("utf-8", errors="surrogateescape")
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputError("The code is no hexadecimal text.", reason="hex") from error

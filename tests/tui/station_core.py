"""A core for the desk's pages over a real database: what it lists is what the core lists."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC
from itertools import islice
from types import SimpleNamespace
from typing import Any, cast

import msgspec
from textual import events
from textual.pilot import Pilot

from mes_terminal.domain.shift_report import ShiftReport
from mes_terminal.domain.view import ScannerView, StationView
from mes_terminal.station import signing
from mes_terminal.station.approving import Approval, ApproveOrder, told
from mes_terminal.station.booking import Booking
from mes_terminal.station.desk_requests import (
    PeopleOrder,
    ResolveOrder,
    change_people,
    new_hash,
    resolve,
)
from mes_terminal.station.loading import DecideLoadOrder
from mes_terminal.station.meanings import meanings_of
from mes_terminal.station.shift_requests import EndShiftOrder
from mes_terminal.tui import gallery_desk, themes
from mes_terminal.tui.desk_feed import PAGE_ROWS
from mes_terminal.tui.keys import KeyReader
from mes_terminal.tui.screens.desk import DeskScreen
from mes_terminal.tui.supervisor_app import SupervisorApp
from mes_terminal.tui.terminal import key_events
from mes_terminal.usecases import propose_load
from mes_terminal.usecases.approve import answer_request
from mes_terminal.usecases.grant_permit import Wanted
from mes_terminal.usecases.lists import read_list
from mes_terminal.usecases.shift_end import end_shift
from tests.plants import Station


class StationCore:
    """`CoreLink` over a station of the tests; lists come in pages of two hundred."""

    def __init__(self, station: Station, *, language: str = "en") -> None:
        self.station = station
        self.view = StationView(
            station="LINE3-ST02", mode="live", now=station.now, language=language
        )
        self.scanners: list[ScannerView] = []
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.closed_early = 0

    async def open(self) -> None:
        """There is nothing to attach to."""

    async def close(self) -> None:
        """Nothing to leave."""

    async def request(self, do: str, **params: Any) -> msgspec.Raw:
        """Answer what the desk asks for and changes."""
        if do == "view":
            return encoded(msgspec.structs.replace(self.view, now=self.station.now))
        self.asked.append((do, params))
        if do == "scanners":
            return encoded(self.scanners)
        return encoded(getattr(self, f"_{do}")(params))

    def _people(self, params: dict[str, Any]) -> None:
        booking, order = self._booking(), msgspec.convert(params, PeopleOrder)
        self._prove(order.proof, order.pin)
        change_people(booking, order, new_hash(order))

    def _resolve(self, params: dict[str, Any]) -> list[Any]:
        order = msgspec.convert(params, ResolveOrder)
        self._prove(order.proof, order.pin)
        return list(resolve(self._booking(), order))

    def _approve(self, params: dict[str, Any]) -> Approval:
        order = msgspec.convert(params, ApproveOrder)
        self._prove(order.proof, order.pin)
        wanted = Wanted(until=order.until, quantity=order.quantity, reason=order.reason)
        station = self.station
        answered = answer_request(
            station.db, order.id, approves=order.answer == "approve", wanted=wanted, by=order.badge,
            rules=station.rules, now=station.now,
        )  # fmt: skip
        return told(answered, None)

    def _approve_load(self, params: dict[str, Any]) -> dict[str, Any]:
        order = msgspec.convert(params, DecideLoadOrder)
        self._prove(order.proof, order.pin)
        assert order.answer == "refuse", "applying one is tested with the whole core"
        station = self.station
        propose_load.refuse(
            station.db, order.id, by=order.badge, reason=order.reason, rules=station.rules,
            now=station.now,
        )  # fmt: skip
        return {"tables": {}, "faults": []}

    def _end_shift(self, params: dict[str, Any]) -> ShiftReport:
        order = msgspec.convert(params, EndShiftOrder)
        self._prove(order.proof, order.pin)
        station = self.station
        return end_shift(
            station.db, by=order.badge, to=order.hand_over, rules=station.rules, now=station.now
        )

    def _prove(self, badge: str | None, pin: str) -> None:
        if badge is not None:
            signing.sign(self._booking(), badge, pin)

    def _booking(self) -> Booking:
        station = self.station
        return cast("Booking", SimpleNamespace(db=station.db, rules=station.rules, rehearse=None))

    async def pages(self, do: str, **params: Any) -> AsyncIterator[list[msgspec.Raw]]:
        """Answer lists, and what a code names."""
        if do == "decode":
            raw = bytes.fromhex(params["hex"])
            found = meanings_of(self.station.db, raw, self.station.rules.codes)
            yield [msgspec.Raw(each) for each in found]
            return
        name, filters = params["name"], params.get("filters", {})
        self.asked.append((name, filters))
        rows: Iterator[Any] = read_list(
            self.station.db, name, filters, rules=self.station.rules, now=self.station.now
        )
        if name != "desk_verify":
            while page := [encoded(row) for row in islice(rows, PAGE_ROWS)]:
                yield page
            return
        try:
            for row in rows:
                yield [encoded(row)]
                await asyncio.sleep(0.01)
        except GeneratorExit:
            self.closed_early += 1
            raise

    async def subscribe(self) -> AsyncIterator[tuple[str, msgspec.Raw]]:
        """Push nothing."""
        nothing: list[tuple[str, msgspec.Raw]] = []
        for each in nothing:
            yield each


class Desk:
    """The desk, its core, and what a person and a scanner do there."""

    def __init__(self, app: SupervisorApp, core: StationCore, pilot: Pilot[None]) -> None:
        self.app, self.core, self.pilot = app, core, pilot

    def text(self) -> str:
        """Everything on the screen, row by row."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    async def until(self, condition: Callable[[], bool]) -> None:
        """Let the app work until `condition`, at most ten seconds."""
        for _ in range(500):
            await self.pilot.pause(0.02)
            if condition():
                return
        raise AssertionError(f"not within ten seconds; the screen:\n{self.text()}")

    async def sees(self, *texts: str) -> None:
        """Wait until all of these are on the screen."""
        await self.until(lambda: all(text in self.text() for text in texts))

    async def do(self, *what: str) -> None:
        """Press keys by name, or type texts as a person does."""
        for each in what:
            if each == "backspace":
                self.app.post_message(events.Key("backspace", "\x7f"))
                await self.pilot.pause(gallery_desk.KEY_GAP_S)
                await self.pilot.pause(gallery_desk.KEY_GAP_S)
            else:
                await gallery_desk.do(self.app, self.pilot, each)

    async def scan(self, code: str) -> None:
        """Press keys as a scanner does: without a pause."""
        reader = KeyReader()
        for event in key_events([*reader.feed(code + "\r"), *reader.flush()]):
            self.app.post_message(event)
        await self.pilot.pause()


@asynccontextmanager
async def desk_of(
    station: Station,
    section: str,
    *,
    size: tuple[int, int] = (80, 24),
    language: str = "en",
    plain: bool = False,
    **changes: Any,
) -> AsyncIterator[Desk]:
    """Open the desk of a station at one of its sections."""
    core = StationCore(station, language=language)
    for name, value in changes.items():
        setattr(core, name, value)
    palette = themes.SIXTEEN if plain else themes.MANY
    app = SupervisorApp(core, palette=palette, plain=plain, zone=UTC, first=section)
    async with app.run_test(size=size) as pilot:
        desk = Desk(app, core, pilot)
        await desk.until(
            lambda: isinstance(app.screen, DeskScreen) and app.desk.telling is not None
        )
        await pilot.pause(0.1)
        yield desk


def encoded(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))

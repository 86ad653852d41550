"""A running operator's screen on a scripted core."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from typing import Any

import pytest
from textual.pilot import Pilot

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.view import StationView
from mes_terminal.tui import themes
from mes_terminal.tui.app import OperatorApp
from mes_terminal.tui.gallery import station
from mes_terminal.tui.keys import KeyReader
from mes_terminal.tui.present import Sound
from mes_terminal.tui.scripted_core import ScriptedCore
from mes_terminal.tui.terminal import key_events


@dataclass
class Desk:
    """The app, its core, and what was heard."""

    app: OperatorApp
    core: ScriptedCore
    pilot: Pilot[None]
    heard: list[Sound] = field(default_factory=list)

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

    async def type(self, text: str) -> None:
        """Press keys as a scanner does: without a pause, as the driver reads them."""
        reader = KeyReader()
        for event in key_events([*reader.feed(text), *reader.flush()]):
            self.app.post_message(event)
        await self.pilot.pause()


OpenDesk = Callable[..., AbstractAsyncContextManager[Desk]]


@pytest.fixture
def open_desk() -> OpenDesk:
    @asynccontextmanager
    async def opened(
        view: StationView | None = None,
        answers: dict[str, Outcome] | None = None,
        *,
        size: tuple[int, int] = (80, 24),
        away: bool = False,
        **options: Any,
    ) -> AsyncIterator[Desk]:
        core = ScriptedCore(view or station(), answers)
        core.away = away
        heard: list[Sound] = []
        palette = options.pop("palette", themes.MANY)
        app = OperatorApp(
            core, palette=palette, plain=False, zone=UTC, play=heard.append, **options
        )
        async with app.run_test(size=size) as pilot:
            desk = Desk(app, core, pilot, heard)
            if not away and size[0] >= 80:
                await desk.until(lambda: core.view.station in desk.text())
            yield desk

    return opened

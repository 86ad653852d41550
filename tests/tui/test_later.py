"""What is to be called once after a time is called, however long a busy machine holds us up."""

import asyncio
import itertools
import time
from types import SimpleNamespace

import pytest
from textual import events, timer

from mes_terminal.tui.later import later
from mes_terminal.tui.messages import GateDue
from tests.tui.conftest import OpenDesk


@pytest.fixture
def held_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between any two looks of a timer for one call at the clock, a minute passes."""
    minutes = itertools.count(time.monotonic(), 60)

    def get_time() -> float:
        task = asyncio.current_task()
        once = task is not None and task.get_name().startswith("set_timer")
        return next(minutes) if once else time.monotonic()

    monkeypatch.setattr(timer, "_time", SimpleNamespace(get_time=get_time))


async def test_a_key_is_heard_though_the_machine_holds_the_screen_up(
    open_desk: OpenDesk, held_up: None
) -> None:
    """A lone key waits for the gate to see that no scanner pressed it; that look always comes."""
    async with open_desk() as desk:
        desk.app.post_message(events.Key("f1", None))
        await desk.until(lambda: b"%HELP" in desk.core.scans)


async def test_a_call_that_is_cancelled_is_not_made(open_desk: OpenDesk) -> None:
    """Nor one whose time has come, but not its turn."""
    async with open_desk() as desk:
        made: list[str] = []
        later(desk.app, 0, lambda: made.append("early")).cancel()
        late = later(desk.app, 0, lambda: made.append("late"))
        later(desk.app, 0, lambda: made.append("kept"))
        await asyncio.sleep(0)  # the times of both come; their turn is the next message
        late.cancel()
        await desk.until(lambda: "kept" in made)
        assert made == ["kept"]


async def test_a_key_that_comes_out_when_the_screen_has_ended_is_nobodys(
    open_desk: OpenDesk,
) -> None:
    async with open_desk() as desk:
        desk.app.post_message(events.Key("x", "x"))
        await desk.pilot.pause()
    desk.app.on_gate_due(GateDue())

"""What is heard: three patterns that differ in rhythm, not only in pitch (screens 7).

On a Linux console the beeper has pitch and length, set by the console's own escape codes; any
other terminal has only its bell, so there the count and pace tell the patterns apart: once; twice
slowly; five times fast. `MES_TERMINAL_SOUND` names a program that is run instead, with the name
of the pattern as its last argument. Used by the app only.
"""

import asyncio
import os
import shlex
from collections.abc import Callable
from functools import partial
from typing import Final

from msgspec import Struct
from textual.app import App

from mes_terminal.tui.later import later
from mes_terminal.tui.present import Sound

SOUND_VARIABLE: Final = "MES_TERMINAL_SOUND"


class Beep(Struct, frozen=True):
    """One tone: when it begins after the first, its pitch and its length."""

    at_ms: int
    pitch_hz: int
    length_ms: int


CONSOLE: Final[dict[Sound, tuple[Beep, ...]]] = {
    "accepted": (Beep(0, 1760, 80),),
    "refused": (Beep(0, 330, 150), Beep(280, 330, 150)),
    "stop": (Beep(0, 165, 900),),
}
"""Where pitch and length can be set: one short high, two low, one long low."""

BELL: Final[dict[Sound, tuple[Beep, ...]]] = {
    "accepted": (Beep(0, 0, 0),),
    "refused": (Beep(0, 0, 0), Beep(350, 0, 0)),
    "stop": tuple(Beep(at, 0, 0) for at in (0, 120, 240, 360, 480)),
}
"""Where there is only a bell."""

_RESTORE: Final = "\x1b[10]\x1b[11]"


class TerminalBeeper:
    """Plays patterns by writing to the terminal.

    `write` puts characters out, `later(seconds, call)` calls back; both belong to the app.
    """

    def __init__(
        self,
        write: Callable[[str], None],
        later: Callable[[float, Callable[[], None]], object],
        *,
        console: bool,
    ) -> None:
        self._write = write
        self._later = later
        self._console = console

    def play(self, sound: Sound) -> None:
        """Begin `sound`; never waits."""
        for beep in (CONSOLE if self._console else BELL)[sound]:
            text = beep_text(beep)
            if beep.at_ms == 0:
                self._write(text)
            else:
                self._later(beep.at_ms / 1000, lambda text=text: self._write(text))  # type: ignore[misc]


class Player:
    """Plays on the terminal under an app, or by the program that is named for it."""

    def __init__(self, app: App[None]) -> None:
        self._app = app
        self._sounding: set[asyncio.Task[None]] = set()

    def play(self, sound: Sound) -> None:
        """Begin `sound`; never waits."""
        setting = os.environ.get(SOUND_VARIABLE)
        if setting:
            task = asyncio.get_running_loop().create_task(run_program(setting, sound))
            self._sounding.add(task)
            task.add_done_callback(self._sounding.discard)
            return
        driver = self._app._driver
        if driver is None or driver.is_headless:
            return

        def write(text: str) -> None:
            driver.write(text)
            driver.flush()

        console = os.environ.get("TERM") == "linux"
        TerminalBeeper(write, partial(later, self._app), console=console).play(sound)


def beep_text(beep: Beep) -> str:
    """Return the characters that make `beep`: the bell, its pitch and length set and put back."""
    if not beep.pitch_hz:
        return "\a"
    return f"\x1b[10;{beep.pitch_hz}]\x1b[11;{beep.length_ms}]\a{_RESTORE}"


def sound_command(setting: str, sound: Sound) -> list[str]:
    """Return the program and arguments that `MES_TERMINAL_SOUND` states for `sound`."""
    return [*shlex.split(setting), sound]


async def run_program(setting: str, sound: Sound) -> None:
    """Run the sound program; one that is missing or fails is no reason to stop work."""
    try:
        process = await asyncio.create_subprocess_exec(
            *sound_command(setting, sound),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
    except (OSError, ValueError):
        return
    await process.wait()

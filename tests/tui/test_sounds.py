"""What is written to be heard: three rhythms (screens 7)."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mes_terminal.tui import sounds
from mes_terminal.tui.present import Sound

ALL: tuple[Sound, ...] = ("accepted", "refused", "stop")


def played(sound: Sound, *, console: bool) -> list[tuple[float, str]]:
    """What is written, and when."""
    written: list[tuple[float, str]] = []
    now_s = 0.0

    def later(seconds: float, call: Callable[[], None]) -> None:
        nonlocal now_s
        now_s = seconds
        call()
        now_s = 0.0

    beeper = sounds.TerminalBeeper(
        lambda text: written.append((now_s, text)), later, console=console
    )
    beeper.play(sound)
    return written


def test_a_plain_bell_tells_them_apart_by_rhythm() -> None:
    rhythms = {sound: [at for at, _ in played(sound, console=False)] for sound in ALL}
    assert rhythms == {
        "accepted": [0.0],
        "refused": [0.0, 0.35],
        "stop": [0.0, 0.12, 0.24, 0.36, 0.48],
    }
    assert {text for sound in ALL for _, text in played(sound, console=False)} == {"\a"}


def test_a_console_has_pitch_and_length_and_gets_its_own_back() -> None:
    assert played("accepted", console=True) == [(0.0, "\x1b[10;1760]\x1b[11;80]\a\x1b[10]\x1b[11]")]
    lengths = {sound: sum(b.length_ms for b in sounds.CONSOLE[sound]) for sound in ALL}
    assert lengths["accepted"] < lengths["refused"] < lengths["stop"]
    assert all(text.endswith("\x1b[10]\x1b[11]") for _, text in played("stop", console=True))


def test_no_two_patterns_have_the_same_rhythm() -> None:
    for table in (sounds.CONSOLE, sounds.BELL):
        rhythms = {tuple((b.at_ms, b.length_ms) for b in table[sound]) for sound in ALL}
        assert len(rhythms) == 3


async def test_a_program_of_ones_own_is_run_with_the_pattern(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    script = f"import pathlib,sys; pathlib.Path({str(heard)!r}).write_text(sys.argv[1])"
    await sounds.run_program(f'{sys.executable} -c "{script}"', "refused")
    assert await asyncio.to_thread(heard.read_text) == "refused"


@pytest.mark.parametrize("setting", ["/no/such/program", "'unclosed"])
async def test_a_sound_program_that_fails_stops_nothing(setting: str) -> None:
    await sounds.run_program(setting, "stop")

"""Plays scripts: in process against a clock of its own, or in real time on a cable.

`replay` is deterministic: the simulated driver, framing and double-read filter run on a virtual
clock, so a script of an hour takes as long as its scans do. `perform` is for the demo and for
pseudo-terminals: it moves the cable while somebody else reads it.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final, assert_never

from hardware.drivers.simulated import InProcessLine, Line, SimulatedScanner
from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.scanner import ScannerConfig
from hardware.script import Action, Plug, Send, Step, Unplug, Wait, actions

SIMULATED: Final = ScannerConfig(name="simulated", driver="simulated")

Report = ScanFrame | ScannerError
"""What comes of a script: frames, and the scanner's own troubles."""


class VirtualClock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def __call__(self) -> float:
        return self._now_s

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self._now_s += seconds


def replay(steps: tuple[Step, ...], config: ScannerConfig = SIMULATED) -> Iterator[Wait | Report]:
    """Play a script on a simulated scanner of this configuration; what came of it, in order.

    The waits are among it, for a caller who wants to take real time over them. A cable that is out
    is told once, as the error that the supervisor would show.
    """
    clock = VirtualClock()
    line = InProcessLine(clock)
    scanner = SimulatedScanner(config, line)
    scanner.open()
    plugged = True
    for action in actions(steps, config.framing):
        if isinstance(action, Wait):
            yield action
        _move(action, line, clock.pass_s)
        if isinstance(action, Plug) and not plugged:
            scanner.open()
            plugged = True
        while plugged:
            try:
                frame = scanner.read(0)
            except ScannerError as gone:
                plugged = False
                yield gone
                break
            if frame is None:
                break
            yield frame
    scanner.close()


def perform(
    planned: Iterable[Action],
    line: Line,
    *,
    speed: float = 1.0,
    sleep: Callable[[float], object] = time.sleep,
) -> None:
    """Play actions on a cable in real time; `speed` 2 halves the pauses that the script makes.

    Times that keep two reads apart are never shortened: the reader's clock is real. `sleep` may
    raise to end the play.
    """
    for action in planned:
        if isinstance(action, Wait):
            seconds = action.wait_ms / 1000
            sleep(seconds / speed if action.scalable else seconds)
        else:
            _move(action, line, sleep)


def _move(action: Action, line: Line, pass_s: Callable[[float], object]) -> None:
    match action:
        case Send(data=data):
            line.send(data)
        case Wait(wait_ms=wait_ms):
            pass_s(wait_ms / 1000)
        case Unplug():
            line.unplug()
        case Plug():
            line.plug()
        case _ as never:
            assert_never(never)

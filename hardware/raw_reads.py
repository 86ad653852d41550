"""A scanner read raw: everything that left it, read by read, before any setting touches it.

For the set-up test only: framing, no-read, prefix, suffix and double-read filter are off, silence
ends a read; of a wedge the keys themselves are kept. The driver is the station's own.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from hardware.drivers.tapped_wedge import TappedWedge
from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.framing import FramingRules
from hardware.player import replay
from hardware.registry import make_scanner
from hardware.scanner import Scanner, ScannerConfig
from hardware.script import Step
from hardware.sheet import Arrival, Pressed, Sent

APART_MS: Final = 200
"""Silence that ends a read: longer than between the characters of the slowest scanner, shorter
than a hand takes to the next code."""
RAW: Final = FramingRules(suffix=b"", idle_ms=APART_MS, duplicate_ms=0, noread=())
SETTLE_S: Final = RAW.settle_ms / 1000 + 0.05
"""What comes so soon after opening is noise of the line."""


def raw_scanner(config: ScannerConfig) -> Scanner:
    """The scanner of a configuration, not yet opened, with its framing off."""
    config = replace(config, framing=RAW)
    return TappedWedge(config) if config.driver == "evdev_wedge" else make_scanner(config)


def played(steps: tuple[Step, ...]) -> Iterator[Sent]:
    """The reads of a script, as a simulated scanner sends them; nothing is added to its codes."""
    whole: bytes = b""
    last_s = 0.0
    for came in replay(steps, ScannerConfig(name="script", driver="simulated", framing=RAW)):
        if not isinstance(came, ScanFrame):
            continue
        if whole and came.at_s - last_s > APART_MS / 1000:
            yield Sent(whole)
            whole = b""
        whole += _whole(came)
        last_s = came.at_s
    if whole:
        yield Sent(whole)


class RawReads:
    """The reads of one scanner made by `raw_scanner`. Open it, take what comes, close it."""

    def __init__(self, scanner: Scanner) -> None:
        self._scanner = scanner

    def open(self) -> None:
        """Take the scanner, alone, and let its line settle. Raises `ScannerError`."""
        self._scanner.open()
        self._scanner.read(SETTLE_S)
        self._keys()

    def close(self) -> None:
        """Let it go."""
        self._scanner.close()

    def next(self, wait_s: float) -> Arrival | None:
        """The next read; None if none came within `wait_s`. Raises `ScannerError` when gone.

        A read in which the kernel lost keys is a `ScannerError` too: it must not be judged.
        """
        frame = self._scanner.read(wait_s)
        if frame is None:
            return None
        frames = [frame]
        while frame is not None and frame.ended_by == "suffix":  # more may stand behind a line end
            try:
                frame = self._scanner.read(APART_MS / 1000)
            except ScannerError:
                break  # what came before it counts; the next call says that it is gone
            frames += [frame] if frame is not None else []
        if any(each.reason == "overrun" for each in frames):
            self._keys()
            sentence = "Keys were lost: this machine was too busy to read them. Test again."
            raise ScannerError("fault", sentence)
        if isinstance(self._scanner, TappedWedge):
            return Pressed(self._keys())
        return Sent(b"".join(map(_whole, frames)))

    def _keys(self) -> tuple[tuple[int, int], ...]:
        """The keys since the last read; none of a scanner that has none."""
        return self._scanner.take_keys() if isinstance(self._scanner, TappedWedge) else ()


def _whole(frame: ScanFrame) -> bytes:
    """A frame with the line end that ended it; which one it was makes no difference."""
    return frame.raw + (b"\r" if frame.ended_by == "suffix" else b"")

"""Many codes over a scanner's line, with everything that goes wrong on one: none lost, none merged.

    .venv/bin/python benchmarks/soak_lines.py --codes 100000

Random codes of 1 to 500 characters go over a pseudo-terminal (read by the serial driver) and over
the simulated driver, between them half codes, garbled ones and pulled cables. Every code must
arrive exactly, in its place; every other must be told. Ends with 1 at the first that is not.
"""

import argparse
import random
import string
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

from hardware.drivers.simulated import InProcessLine, Line, PtyLine, SimulatedScanner
from hardware.frame import ScanFrame
from hardware.framing import FramingRules
from hardware.reconnect import ScannerState, StateChange, Supervisor
from hardware.registry import make_scanner
from hardware.scanner import Scanner, ScannerConfig
from hardware.script import SUBSTITUTE
from mes_terminal.barcodes.decode import decode
from mes_terminal.domain.rules import CodeRules

CODE_MAX = 500
BATCH = 40
"""Codes sent before something goes wrong."""
FAULTS = ("half", "garble", *("none",) * 8)
UNPLUG_EVERY_BATCHES = 50
INCOMPLETE_MS = 500
"""As by default: a sender that is held up for less must not break a code."""
WAIT_S = 30.0
LEVELS = ("in process", "pseudo-terminal")
TEXT = string.ascii_letters + string.digits + string.punctuation + " "

Told = tuple[str, bytes]
"""Kind of a frame and its bytes."""


class Soak:
    """One line, its supervised scanner, and what came of what was sent."""

    def __init__(self, level: str, folder: Path, seed: int, baud: int | None = None) -> None:
        self._random = random.Random(seed)
        self._baud = baud
        rules = FramingRules(settle_ms=0, incomplete_ms=INCOMPLETE_MS, duplicate_ms=0, noread=())
        self._line, scanner = make_line(level, folder, rules)
        self._told: list[Told] = []
        self._ready = 0
        self._changed = threading.Condition()
        self.counts: Counter[str] = Counter()
        self._supervisor = Supervisor(scanner, self._take, self._note)

    def run(self, codes: int) -> None:
        """Send so many codes. Raises `AssertionError` at the first that is lost or changed."""
        self._supervisor.start()
        self._until_ready(1)
        sent = 0
        batches = 0
        while sent < codes:
            expected: list[Told] = []
            for _ in range(min(BATCH, codes - sent)):
                code = self._code(sent)
                self._send(code + b"\r")
                expected.append(("code", code))
                sent += 1
            batches += 1
            self._compare(expected)
            self._compare(self._go_wrong(batches))
        self._supervisor.stop()
        self._line.close()

    def _code(self, number: int) -> bytes:
        """Return a code like no other: its number stands in it, however short it is."""
        wanted = self._random.randint(1, CODE_MAX)
        text = f"{number:x}~" + "".join(self._random.choices(TEXT, k=CODE_MAX))
        return text[: max(wanted, len(f"{number:x}~"))].rstrip().encode()

    def _go_wrong(self, batches: int) -> list[Told]:
        code = self._code(batches)
        half = code[: max(1, len(code) // 2)]
        if batches % UNPLUG_EVERY_BATCHES == 0:
            self._send(half)
            ready = self._ready
            self._line.unplug()
            self._line.plug()
            self._until_ready(ready + 1)
            return [("incomplete", half)]
        match self._random.choice(FAULTS):
            case "half":
                self._send(half)
                return [("incomplete", half)]
            case "garble":
                garbled = half + SUBSTITUTE
                self._send(garbled + b"\r")
                assert decode(garbled, CodeRules()).reason == "control_chars"
                return [("code", garbled)]
            case _:
                return []

    def _send(self, data: bytes) -> None:
        self._line.send(data)
        if self._baud is not None:
            time.sleep(len(data) * 10 / self._baud)

    def _compare(self, expected: list[Told]) -> None:
        with self._changed:
            done = self._changed.wait_for(lambda: len(self._told) >= len(expected), WAIT_S)
            told, self._told = self._told, []
        assert done, f"{len(expected)} expected, {len(told)} came; the last: {told[-1:]}"
        for came, meant in zip(told, expected, strict=True):
            assert came == meant, f"came {came}, sent {meant}"
            self.counts[came[0]] += 1

    def _take(self, frame: ScanFrame) -> None:
        with self._changed:
            self._told.append((frame.kind, frame.raw))
            self._changed.notify_all()

    def _note(self, change: StateChange) -> None:
        with self._changed:
            self._ready += change.state is ScannerState.READY
            self._changed.notify_all()

    def _until_ready(self, count: int) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: self._ready >= count, WAIT_S), "not ready"


def make_line(level: str, folder: Path, rules: FramingRules) -> tuple[Line, Scanner]:
    """Return the far end of a line and the scanner that reads it."""
    if level == "in process":
        line = InProcessLine()
        config = ScannerConfig(name="soak", driver="simulated", framing=rules)
        return line, SimulatedScanner(config, line)
    port = folder / "scanner"
    terminal = PtyLine(port)
    config = ScannerConfig(
        name="soak", driver="simulated", port=str(port), baud=115_200, framing=rules
    )
    return terminal, make_scanner(config)


def main() -> int:
    """Run both levels and print what came of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--codes", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--baud", type=int, help="pace the line; without it as fast as it takes")
    asked = parser.parse_args()
    for level in LEVELS:
        began_s = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            soak = Soak(level, Path(folder), asked.seed, asked.baud)
            try:
                soak.run(asked.codes)
            except AssertionError as error:
                print(f"{level}: {error}")
                return 1
        took_s = time.monotonic() - began_s
        print(f"{level}: {asked.codes} codes in {took_s:.0f} s, {dict(soak.counts)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

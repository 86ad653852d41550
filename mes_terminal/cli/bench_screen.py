"""From scanner bytes to painted screen, on the real things: what a person waits for after a scan.

A core with a scanner on a pseudo-terminal, and the operator's screen on another one, each in a
process of its own as `core` and `run` start them. A code is written to the scanner's cable; the
clock stops when the terminal has been given the sentence of that outcome. Called by `cli.bench`.
"""

from __future__ import annotations

import os
import selectors
import statistics
import struct
import subprocess
import sys
import termios
import time
from contextlib import contextmanager
from fcntl import ioctl
from typing import TYPE_CHECKING, Final

from hardware.drivers.simulated import PtyLine
from hardware.framing import FramingRules
from mes_terminal.cli.bench_plant import RULES, WARM_UP_ROUNDS, Figure, load_plant, p99
from mes_terminal.cli.child import start_core
from mes_terminal.domain.view import StationView
from mes_terminal.errors import StationError
from mes_terminal.link.blocking import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

COMPONENTS: Final = 10
"""Lines of each order: a usual product."""
COLUMNS: Final = 80
ROWS: Final = 24
TERMINAL: Final = "linux"
"""The least that the screen is made for: a console of 80 by 24 in 16 colours."""
REST_S: Final = 0.1
"""From the painted outcome to the next code: the core's view has been drawn too by then."""
PATIENCE_S: Final = 20.0
"""A screen that shows nothing for so long will show nothing."""
READ_MAX_BYTES: Final = 65536

_SETTINGS: Final = """\
[station]
id = "{rules.station}"
site = "{rules.site}"
mode = "{rules.mode}"

[scanner.bench]
driver = "simulated"
port = "{port}"
"""


class Terminal:
    """The terminal under the screen, as seen from the keyboard's side."""

    def __init__(self, master: int) -> None:
        self._master = master
        self._selector = selectors.DefaultSelector()
        self._selector.register(master, selectors.EVENT_READ)
        self._shown = b""

    def until_shown(self, text: bytes) -> int:
        """Read what the screen paints until `text` is there; return that moment in nanoseconds.

        Raises `StationError` if it does not come.
        """
        deadline_s = time.monotonic() + PATIENCE_S
        while text not in self._shown:
            wait_s = deadline_s - time.monotonic()
            if wait_s <= 0 or not self._read(wait_s):
                raise StationError(f"The screen never showed {text.decode()!r}: no figures.")
        return time.perf_counter_ns()

    def rest(self) -> None:
        """Read and forget what is painted during a rest."""
        until_s = time.monotonic() + REST_S
        while (wait_s := until_s - time.monotonic()) > 0:
            self._read(wait_s)
        self._shown = b""

    def _read(self, wait_s: float) -> bool:
        """Read once; tell whether something came or there was nothing to wait for."""
        if not self._selector.select(wait_s):
            return False
        self._shown += os.read(self._master, READ_MAX_BYTES)
        return True


def bench_screen(folder: Path, *, rounds: int, tell: Callable[[str], None]) -> list[Figure]:
    """Return one row: `rounds` closes of orders, each from the scanner's first byte to the screen.

    Works in `folder`. `tell` is told what goes on.
    """
    orders = rounds + WARM_UP_ROUNDS
    tell(f"Loading {orders} orders")
    database = load_plant(folder, [COMPONENTS], orders)
    line = PtyLine(folder / "scanner")
    settings = folder / "station.toml"
    settings.write_text(_SETTINGS.format(rules=RULES, port=line.port), encoding="utf-8")
    ours = {name: text for name, text in os.environ.items() if "MES_TERMINAL" not in name}
    core = start_core(database, settings, ours)
    try:
        with _screen(database, settings, ours) as terminal:
            _wait_for_scanner(core.holder.socket)
            tell(f"Scanning {orders} orders before the screen")
            times = [_scan(line, terminal, number) for number in range(orders)][WARM_UP_ROUNDS:]
    finally:
        core.stop()
        line.close()
    return [
        Figure(
            case="screen",
            components=COMPONENTS,
            edges=0,
            n=rounds,
            p50_ms=round(statistics.median(times), 3),
            p99_ms=round(p99(times), 3),
        )
    ]


def _scan(line: PtyLine, terminal: Terminal, number: int) -> float:
    """Scan one order; return the milliseconds until its outcome stands on the screen."""
    order = f"WO-{COMPONENTS}-{number}"
    terminal.rest()
    began_ns = time.perf_counter_ns()
    line.send(f"{order}\r".encode())
    return (terminal.until_shown(f"{order} is closed".encode()) - began_ns) / 1_000_000


@contextmanager
def _screen(database: Path, settings: Path, environment: dict[str, str]) -> Iterator[Terminal]:
    """Run the operator's screen on a pseudo-terminal for the block; it is there at its begin."""
    master, slave = os.openpty()
    ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", ROWS, COLUMNS, 0, 0))
    sized = {name: environment[name] for name in environment if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(  # noqa: S603  our own program
        [sys.executable, "-m", "mes_terminal", "--db", str(database), "--config", str(settings),
         "run"],
        stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
        env=sized | {"TERM": TERMINAL},
    )  # fmt: skip
    os.close(slave)
    terminal = Terminal(master)
    try:
        terminal.until_shown(b"Ready.")
        yield terminal
    finally:
        process.kill()
        process.wait()
        os.close(master)


def _wait_for_scanner(socket: Path) -> None:
    """Wait until the core reads the scanner: what is sent before is noise to it."""
    deadline_s = time.monotonic() + PATIENCE_S
    with Client(socket) as client:
        while [one.state for one in client.ask("view", StationView).scanners] != ["ready"]:
            if time.monotonic() > deadline_s:
                raise StationError("The core does not open the benchmark's scanner: no figures.")
            time.sleep(0.02)
    time.sleep(2 * FramingRules().settle_ms / 1000)

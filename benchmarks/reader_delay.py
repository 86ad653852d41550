"""How late a reader is while the station works: bytes on the line to their stamp, in milliseconds.

    .venv/bin/python -m benchmarks.reader_delay

A scanner on a pseudo-terminal, in a process of its own, sends a code every few milliseconds that
says when it was sent; the serial driver reads it in the process that closes orders of 60 lines one
after the other. The kernel keeps 10 to 16 keys of a wedge: a reader may be 15 ms late, no more.
"""

import statistics
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from hardware.frame import ScanFrame
from hardware.framing import FramingRules
from hardware.reconnect import ScannerState, StateChange, Supervisor
from hardware.registry import make_scanner
from hardware.scanner import ScannerConfig
from mes_terminal.cli import bench_plant
from mes_terminal.cli.bench_twins import book
from mes_terminal.station.booking import Booking, collect_only_between_scans
from mes_terminal.station.core import READER_TURN_S

CODES = 2_000
APART_S = 0.004
CLOSES = 400
LIMIT_MS = 15.0
WAIT_S = 60.0
SENDER = """
import sys, time
from pathlib import Path
from hardware.drivers.simulated import PtyLine
line = PtyLine(Path(sys.argv[1]))
print("there", flush=True)
sys.stdin.readline()
for _ in range(int(sys.argv[2])):
    line.send(b"%d\\r" % time.monotonic_ns())
    time.sleep(float(sys.argv[3]))
sys.stdin.readline()
"""


def delays_ms(folder: Path, work: threading.Event | None) -> list[float]:
    """Return how late each code was stamped; `work` is set while the station is to work."""
    port = folder / "scanner"
    sender = subprocess.Popen(
        [sys.executable, "-c", SENDER, str(port), str(CODES), str(APART_S)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert sender.stdin is not None
    assert sender.stdout is not None
    sender.stdout.readline()
    late: list[float] = []
    ready, done = threading.Event(), threading.Event()

    def take(frame: ScanFrame) -> None:
        late.append(frame.at_s * 1000 - int(frame.raw) / 1e6)
        if len(late) == CODES:
            done.set()

    def note(change: StateChange) -> None:
        if change.state is ScannerState.READY:
            ready.set()

    rules = FramingRules(settle_ms=0, duplicate_ms=0)
    config = ScannerConfig(name="bench", driver="simulated", port=str(port), framing=rules)
    supervisor = Supervisor(make_scanner(config), take, note)
    supervisor.start()
    assert ready.wait(WAIT_S)
    if work is not None:
        work.set()
    sender.stdin.write("\n")
    sender.stdin.flush()
    assert done.wait(WAIT_S), f"{len(late)} of {CODES} codes came"
    supervisor.stop()
    sender.stdin.write("\n")
    sender.communicate(timeout=WAIT_S)
    return late


def close_orders(folder: Path, begin: threading.Event, end: threading.Event) -> None:
    """Close orders of 60 lines, one after the other, until told to end."""
    plant = bench_plant.load_plant(folder, [60], CLOSES)
    booking = Booking(plant, bench_plant.RULES)
    collect_only_between_scans()
    begin.wait()
    for number in range(CLOSES):
        if end.is_set():
            break
        book(booking, f"WO-60-{number}")
        booking.tidy(idle=True)


def show(case: str, late: list[float]) -> float:
    """Print one line; return the greatest delay."""
    cut = statistics.quantiles(late, n=1000)
    worst = max(late)
    print(f"{case:<22} p50 {cut[499]:6.2f}  p99 {cut[989]:6.2f}  p99.9 {cut[998]:6.2f}  "
          f"max {worst:6.2f} ms")  # fmt: skip
    return worst


def main() -> int:
    """Measure at rest and at work; end with 1 if a reader at work was too late."""
    sys.setswitchinterval(READER_TURN_S)  # as the core does
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show("at rest", delays_ms(folder, None))
        begin, end = threading.Event(), threading.Event()
        (folder / "plant").mkdir()
        worker = threading.Thread(target=close_orders, args=(folder / "plant", begin, end))
        worker.start()
        worst = show("closing 60-line orders", delays_ms(folder, begin))
        end.set()
        worker.join()
    return int(worst > LIMIT_MS)


if __name__ == "__main__":
    sys.exit(main())

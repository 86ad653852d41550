"""The simulated scanner, and the two lines it can speak over.

It ships: demo, training, tests and scenarios use it. A `Line` is the scanner's end of the cable,
which a scenario or a test drives: `send` bytes, `unplug`, `plug`. Over an `InProcessLine` a
`SimulatedScanner` reads them; over a `PtyLine` the serial driver does, through a real
pseudo-terminal. Both go through the same framing as every real scanner.
"""

import fcntl
import os
import select
import sys
import termios
import threading
import time
import tty
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from hardware.errors import Reason, ScannerError
from hardware.frame import ScanFrame
from hardware.framing import Framer
from hardware.scanner import Feedback, FoundScanner, Scanner, ScannerConfig

Clock = Callable[[], float]
ChunkKind = Literal["bytes", "gone"]

CHUNKS_MAX: Final = 10_000
"""Bytes sent that nobody has read yet, in sends: beyond it the scanner waits for its reader."""

FEEDBACK_MAX: Final = 1000
"""Feedback kept for whoever wants to look at it."""

READ_STEP_S: Final = 0.05
"""The longest single wait for a byte: how late a `close` of another thread can be noticed."""

PTY_WAIT_S: Final = 1.0
"""How long the simulator waits for the host to read what is on the cable."""

PTY_POLL_S: Final = 0.001

PTY_QUIET_S: Final = 0.02
"""Nothing unread for so long: bytes on their way inside the kernel are counted nowhere."""


class Line(ABC):
    """The scanner's end of a cable."""

    @abstractmethod
    def send(self, data: bytes) -> None:
        """Send bytes; without effect while unplugged."""

    @abstractmethod
    def unplug(self) -> None:
        """Pull the cable; what was sent before still arrives."""

    @abstractmethod
    def plug(self) -> None:
        """Put the cable back in."""

    @abstractmethod
    def heard(self) -> bytes:
        """What the host sent so far (feedback)."""

    @abstractmethod
    def close(self) -> None:
        """End of the scanner."""


class InProcessLine(Line):
    """A cable inside the process, its time stamped by the clock given."""

    def __init__(self, clock: Clock = time.monotonic) -> None:
        self.clock = clock
        self._chunks: deque[tuple[ChunkKind, float, bytes]] = deque()
        self._changed = threading.Condition()
        self._plugged = True
        self._heard = bytearray()

    def send(self, data: bytes) -> None:
        """See `Line.send`; raises `ScannerError` if nobody reads for too long."""
        with self._changed:
            if not self._plugged:
                return
            if len(self._chunks) >= CHUNKS_MAX:
                raise ScannerError("fault", "The simulated scanner is not read. Open it first.")
            self._chunks.append(("bytes", self.clock(), data))
            self._changed.notify_all()

    def unplug(self) -> None:
        """See `Line.unplug`."""
        with self._changed:
            if self._plugged:
                self._plugged = False
                self._chunks.append(("gone", self.clock(), b""))
                self._changed.notify_all()

    def plug(self) -> None:
        """See `Line.plug`."""
        with self._changed:
            self._plugged = True
            self._changed.notify_all()

    def heard(self) -> bytes:
        """See `Line.heard`."""
        return bytes(self._heard)

    def close(self) -> None:
        """See `Line.close`."""
        self.unplug()

    def attach(self) -> bool:
        """The host opens the line: what came before is gone. False while unplugged."""
        with self._changed:
            self._chunks.clear()
            return self._plugged

    def take(self, wait_s: float) -> tuple[ChunkKind, float, bytes] | None:
        """The next thing on the cable, waiting for it at most so long."""
        with self._changed:
            if not self._chunks and wait_s > 0:
                self._changed.wait(wait_s)
            return self._chunks.popleft() if self._chunks else None

    def wake(self) -> None:
        """End a wait of `take`."""
        with self._changed:
            self._changed.notify_all()

    def tell(self, data: bytes) -> None:
        """Bytes from the host to the scanner."""
        self._heard += data
        del self._heard[:-FEEDBACK_MAX]


class SimulatedScanner(Scanner):
    """A scanner in process. `line` is its cable, made with it unless given."""

    def __init__(self, config: ScannerConfig, line: InProcessLine | None = None) -> None:
        super().__init__(config)
        self.line = InProcessLine() if line is None else line
        self._framer = Framer(config.name, config.framing)
        self._frames: deque[ScanFrame] = deque()
        self._state: Reason | None = "closed"
        self._closing = threading.Event()

    def open(self) -> None:
        """See `Scanner.open`."""
        if not self.line.attach():
            raise ScannerError.of(self.name, "absent")
        self._closing.clear()
        self._frames.clear()
        self._framer.opened(self.line.clock())
        self._state = None

    def read(self, timeout_s: float) -> ScanFrame | None:
        """See `Scanner.read`. With a virtual clock use a time-out of 0: it never waits then."""
        until_s = time.monotonic() + timeout_s
        while True:
            if self._closing.is_set() or self._state == "closed":
                raise ScannerError.of(self.name, "closed")
            if self._frames:
                return self._frames.popleft()
            if self._state is not None:
                raise ScannerError.of(self.name, self._state)
            left_s = until_s - time.monotonic()
            due_s = self._framer.due_s()
            wait_s = left_s if due_s is None else min(left_s, due_s - self.line.clock())
            chunk = self.line.take(min(max(wait_s, 0.0), READ_STEP_S))
            self._take(chunk)
            if chunk is None and not self._frames and left_s <= 0:
                return None

    def feedback(self, kind: Feedback) -> None:
        """See `Scanner.feedback`."""
        if self._state is None:
            self.line.tell(self.config.good if kind == "good" else self.config.bad)

    def close(self) -> None:
        """See `Scanner.close`."""
        self._closing.set()
        self._state = "closed"
        self.line.wake()

    @classmethod
    def discover(cls) -> tuple[FoundScanner, ...]:
        """There is always one."""
        return (FoundScanner(driver="simulated", port="", description="Simulated scanner"),)

    def _take(self, chunk: tuple[ChunkKind, float, bytes] | None) -> None:
        """Bring one thing from the cable into the framer, or tell it what time it is."""
        if chunk is None:
            self._frames.extend(self._framer.tick(self.line.clock()))
            return
        kind, at_s, data = chunk
        if kind == "bytes":
            self._frames.extend(self._framer.feed(data, at_s))
            return
        self._frames.extend(self._framer.tick(at_s))
        self._frames.extend(self._framer.cut())
        if not self._closing.is_set():
            self._state = "gone"


class PtyLine(Line):
    """A cable that is a pseudo-terminal: `port` is what a serial scanner opens.

    `port` is a symbolic link that stays the same over unplug and plug, as `/dev/serial/by-id` does.
    """

    def __init__(self, port: Path) -> None:
        self.port = port
        self._master: int | None = None
        self._slave = -1
        self._heard = bytearray()
        self.plug()

    def send(self, data: bytes) -> None:
        """See `Line.send`; raises `ScannerError` if nobody reads and the cable is full."""
        while self._master is not None and data:
            if not select.select([], [self._master], [], PTY_WAIT_S)[1]:
                raise ScannerError("fault", f"Nobody reads {self.port}. Open it as a scanner.")
            data = data[os.write(self._master, data) :]

    def unplug(self) -> None:
        """See `Line.unplug`. The link goes first, so that nobody opens the dying terminal."""
        if self._master is None:
            return
        self.port.unlink(missing_ok=True)
        self._wait_until_read()
        os.close(self._master)
        os.close(self._slave)
        self._master = None

    def plug(self) -> None:
        """See `Line.plug`."""
        if self._master is not None:
            return
        self._master, self._slave = os.openpty()
        os.set_blocking(self._master, False)
        tty.setraw(self._slave)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(self._slave))

    def heard(self) -> bytes:
        """See `Line.heard`."""
        if self._master is not None:
            with suppress(OSError):  # nothing there
                self._heard += os.read(self._master, FEEDBACK_MAX)
                del self._heard[:-FEEDBACK_MAX]
        return bytes(self._heard)

    def close(self) -> None:
        """See `Line.close`."""
        self.unplug()

    def _wait_until_read(self) -> None:
        """Let the host read what was sent: the hang-up throws away what it has not."""
        now_s = quiet_since_s = time.monotonic()
        until_s = now_s + PTY_WAIT_S
        while now_s - quiet_since_s < PTY_QUIET_S and now_s < until_s:
            time.sleep(PTY_POLL_S)
            now_s = time.monotonic()
            quiet_since_s = now_s if self._unread() else quiet_since_s

    def _unread(self) -> int:
        """How many bytes lie on the cable."""
        answer = fcntl.ioctl(self._slave, termios.FIONREAD, bytes(4))
        return int.from_bytes(answer, sys.byteorder)

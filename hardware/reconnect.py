"""The supervisor of one scanner: opens it, reads it, opens it again when it comes back.

Guarantees: one thread per scanner, which only reads, stamps and hands on; every change of state is
told once, with a reason and a sentence; no fault of a device ends the supervisor. The callbacks
run in its thread and must return at once: they queue, nothing else.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from hardware.errors import Reason, ScannerError
from hardware.frame import ScanFrame
from hardware.scanner import Feedback, Scanner

BACKOFF_MIN_S: Final = 0.25
BACKOFF_MAX_S: Final = 2.0
READ_WAIT_S: Final = 1.0
"""How long one read may wait: how late a stop can be noticed where `close` does not wake it."""
STOP_WAIT_S: Final = 3.0
"""How long `stop` waits for the thread; it is a daemon, so it cannot hold the program."""


class ScannerState(Enum):
    """Where a scanner stands."""

    ABSENT = "absent"
    OPENING = "opening"
    READY = "ready"
    GONE = "gone"
    DENIED = "denied"
    BUSY = "busy"
    FAULT = "fault"


STATES: Final[dict[Reason, ScannerState]] = {
    "absent": ScannerState.ABSENT,
    "gone": ScannerState.GONE,
    "denied": ScannerState.DENIED,
    "busy": ScannerState.BUSY,
    "fault": ScannerState.FAULT,
    "config": ScannerState.FAULT,
    "closed": ScannerState.ABSENT,
}
"""The state that an error leads to."""


@dataclass(frozen=True, slots=True)
class StateChange:
    """A scanner changed its state."""

    device: str
    state: ScannerState
    reason: str | None
    """The error's reason; None where there is no error."""
    sentence: str


class Supervisor:
    """Keeps one scanner open. `start` once, `stop` once."""

    def __init__(
        self,
        scanner: Scanner,
        on_frame: Callable[[ScanFrame], None],
        on_state: Callable[[StateChange], None],
    ) -> None:
        self._scanner = scanner
        self._on_frame = on_frame
        self._on_state = on_state
        self._stopping = threading.Event()
        self._told: tuple[ScannerState, str | None] | None = None
        name = f"scanner-{scanner.name}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    @property
    def name(self) -> str:
        """The scanner's name."""
        return self._scanner.name

    def start(self) -> None:
        """Begin to open and read, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Close the scanner and end the thread."""
        self._stopping.set()
        self._scanner.close()
        if self._thread.is_alive():
            self._thread.join(STOP_WAIT_S)

    def feedback(self, kind: Feedback) -> None:
        """Pass the outcome of a scan on to the scanner."""
        self._scanner.feedback(kind)

    def _run(self) -> None:
        backoff_s = BACKOFF_MIN_S
        while not self._stopping.is_set():
            if self._told is None or self._told[0] is ScannerState.GONE:
                self._tell(ScannerState.OPENING, None, "opening.")
            try:
                self._scanner.open()
                backoff_s = BACKOFF_MIN_S
                self._tell(ScannerState.READY, None, "ready.")
                self._read()
            except ScannerError as error:
                self._scanner.close()
                if not self._stopping.is_set():
                    self._tell_error(error)
            self._stopping.wait(backoff_s)
            backoff_s = min(backoff_s * 2, BACKOFF_MAX_S)
        self._scanner.close()  # `stop` may have come between its last opening and its reading

    def _read(self) -> None:
        """Hand frames on until the scanner fails."""
        while not self._stopping.is_set():
            frame = self._scanner.read(READ_WAIT_S)
            if frame is not None:
                self._on_frame(frame)

    def _tell(self, state: ScannerState, reason: str | None, words: str) -> None:
        self._change(StateChange(self.name, state, reason, f"Scanner {self.name}: {words}"))

    def _tell_error(self, error: ScannerError) -> None:
        state = STATES[error.reason]
        self._change(StateChange(self.name, state, error.reason, error.sentence))

    def _change(self, change: StateChange) -> None:
        """Tell it, unless it is what was told last: a scanner that stays away is one event."""
        key = (change.state, change.reason)
        if key != self._told:
            self._told = key
            self._on_state(change)

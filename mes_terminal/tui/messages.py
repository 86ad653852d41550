"""What the app hears from its workers, and what it needs of the core.

Workers never touch a widget: they post these messages, which the app handles one at a time.
"""

from collections.abc import AsyncIterator
from typing import Any, Protocol

import msgspec
from textual.message import Message

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.trace import Trace
from mes_terminal.domain.view import PreflightView, StationView


class CoreLink(Protocol):
    """The connection to the core: `link.client.LinkClient`, or a scripted one in tests.

    `request` raises `CoreError` while the core is away and `StationError` for what it refused.
    """

    async def open(self) -> None:
        """Attach; `CoreError` if there is no core. Later losses are mended by the link."""

    async def close(self) -> None:
        """Leave the core."""

    async def request(self, do: str, **params: Any) -> msgspec.Raw:
        """Ask and return the answer's JSON."""

    def pages(self, do: str, **params: Any) -> AsyncIterator[list[msgspec.Raw]]:
        """Ask for a list and yield its pages: rows, each a JSON object."""

    def subscribe(self) -> AsyncIterator[tuple[str, msgspec.Raw]]:
        """Yield pushes, besides `gone` and `attached`."""


class OutcomeArrived(Message):
    """A scan was handled, here or at any scanner of the station."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class ViewArrived(Message):
    """The station as it is now."""

    def __init__(self, view: StationView) -> None:
        super().__init__()
        self.view = view


class QueueChanged(Message):
    """So many scans are journalled and not yet handled; `codes` are the first, in order."""

    def __init__(self, waiting: int, codes: list[str]) -> None:
        super().__init__()
        self.waiting = waiting
        self.codes = codes


class FrameIgnored(Message):
    """A scanner read something that is no scan: half a code, the same one again, nothing."""

    def __init__(self, device: str, kind: str, code: str, hint: str | None) -> None:
        super().__init__()
        self.device = device
        self.kind = kind
        self.code = code
        self.hint = hint


class PreflightArrived(Message):
    """What a close of `work_order` would do right now."""

    def __init__(self, work_order: str, flight: PreflightView) -> None:
        super().__init__()
        self.work_order = work_order
        self.flight = flight


class Attached(Message):
    """The core is there."""


class Lost(Message):
    """The core is gone; the link tries again by itself."""


class Stopping(Message):
    """The core says that it stops."""


class Recovered(Message):
    """The core found a scan in its journal at its start and finished it (BF-13)."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__()
        self.outcome = outcome


class ScanFailed(Message):
    """A code given at this terminal was not taken; `reason` is `core_gone` if that is why."""

    def __init__(self, code: str, sentence: str, reason: str) -> None:
        super().__init__()
        self.code = code
        self.sentence = sentence
        self.reason = reason


class ScanTaken(Message):
    """A code given at this terminal was answered."""


class TraceArrived(Message):
    """The genealogy that was asked for, or a sentence that says why there is none."""

    def __init__(self, number: int, trace: Trace | None, sentence: str = "") -> None:
        super().__init__()
        self.number = number
        self.trace = trace
        self.sentence = sentence


class GateDue(Message):
    """Time has passed for the gate: posted, so that keys that wait are read first.

    `quiet_s`: until when no more keys came, by whoever reads them; else now, where nobody does.
    """

    def __init__(self, quiet_s: float | None = None) -> None:
        super().__init__()
        self.quiet_s = self.time if quiet_s is None else quiet_s


class ApprovalAnswered(Message):
    """What became of a PIN and what it approves; `fault` is a sentence where it was refused."""

    def __init__(self, number: int, *, outcome: str = "", said: str = "", fault: str = "") -> None:
        super().__init__()
        self.number, self.outcome, self.said, self.fault = number, outcome, said, fault

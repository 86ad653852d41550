"""The one shape that every scanner driver has.

A driver is opened, read until it fails, and closed. It raises only `ScannerError`. One thread reads
it (the supervisor's, in `hardware.reconnect`); `close` and `feedback` may come from another.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Literal

from hardware.feedback import HandshakeName
from hardware.frame import ScanFrame
from hardware.framing import FramingRules
from hardware.keymap import KeyRules

Feedback = Literal["good", "bad"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ScannerConfig:
    """One scanner as configured: `scanner.<name>.*` of the settings."""

    name: str
    driver: str
    port: str | None = None
    baud: int = 9600
    bits: int = 8
    parity: str = "N"
    stop: float = 1
    good: bytes = b""
    """Sent to the scanner when a scan was accepted (`good_hex`)."""
    bad: bytes = b""
    handshake: HandshakeName = "none"
    usb_id: str | None = None
    """`vendor:product`, four hexadecimal digits each; with the next two, what binds a device."""
    usb_serial: str | None = None
    usb_path: str | None = None
    """The port: `1-2.4`, as the kernel numbers hubs and sockets."""
    framing: FramingRules = field(default_factory=FramingRules)
    keys: KeyRules = field(default_factory=KeyRules)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundScanner:
    """A device that a driver could open: where it is and what it calls itself."""

    driver: str
    port: str
    description: str
    usb_id: str | None = None
    usb_serial: str | None = None


class Scanner(ABC):
    """A scanner. Made closed; may be opened again after `close`."""

    def __init__(self, config: ScannerConfig) -> None:
        self.config = config

    @property
    def name(self) -> str:
        """The scanner's name in the settings; the `device` of its frames."""
        return self.config.name

    @abstractmethod
    def open(self) -> None:
        """Take the device. Raises `ScannerError` (absent, denied, busy, fault, config)."""

    @abstractmethod
    def read(self, timeout_s: float) -> ScanFrame | None:
        """The next frame, or None if none became final within `timeout_s`.

        Frames read before the device was lost come first, then `ScannerError` (gone, fault).
        After `close`, also while waiting: `ScannerError` with reason `closed`.
        """

    @abstractmethod
    def feedback(self, kind: Feedback) -> None:
        """Tell the person at the scanner how it went. Never waits, never fails."""

    @abstractmethod
    def close(self) -> None:
        """Let the device go; from any thread, any number of times."""

    @classmethod
    @abstractmethod
    def discover(cls) -> tuple[FoundScanner, ...]:
        """What this driver could open here and now."""

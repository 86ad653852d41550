"""USB keyboard-wedge scanners, read from the kernel's event devices and nowhere else.

Guarantees: while a scanner is open no other program gets its keys (grab); a code in which the
kernel lost events (SYN_DROPPED) is told, never delivered; times are the kernel's own, so a late
read neither merges nor splits codes. A small process of its own reads each device
(`hardware.drivers.event_device`): what the station does holds it up no more than any other program.
Linux only. Facts: docs/scanners.md.
"""

import errno
import os
import select
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from threading import Event, Lock
from typing import Final

from hardware.binding import bound_nodes
from hardware.drivers.event_device import (
    EV_KEY,
    EV_SYN,
    SYN_DROPPED,
    SYN_REPORT,
    EventDevice,
    KeyDevice,
    KeyEvent,
)
from hardware.errors import OPENING, Reason, ScannerError
from hardware.frame import ScanFrame
from hardware.scanner import Feedback, FoundScanner, Scanner, ScannerConfig
from hardware.usb_tree import Device, find_devices
from hardware.wedge import WedgeFramer

RELEASED_MAX_S: Final = 1.0
"""How long an opening waits for keys that are held; a grab then would leave them held elsewhere."""
RELEASED_POLL_S: Final = 0.01


class EvdevWedgeScanner(Scanner):
    """One keyboard wedge: all event devices of its plug that can type a code."""

    def __init__(
        self,
        config: ScannerConfig,
        *,
        devices: Callable[[], Iterable[Device]] = find_devices,
        open_device: Callable[[str], KeyDevice] = EventDevice,
    ) -> None:
        super().__init__(config)
        self._wake_in, self._wake_out = os.pipe()
        os.set_blocking(self._wake_in, False)
        self._find = devices
        self._open_device = open_device
        try:
            self._framer = WedgeFramer(config.name, config.framing, config.keys)
        except ValueError as error:
            raise ScannerError("config", f"Scanner {config.name}: {error}") from error
        self._frames: deque[ScanFrame] = deque()
        self._devices: list[KeyDevice] = []
        self._dropping: set[int] = set()
        self._asked: set[int] = set()
        self._asked_at_s = 0.0
        self._failed: ScannerError | None = ScannerError.of(config.name, "closed")
        self._closing = Event()
        self._reading = Lock()

    def __del__(self) -> None:
        """The pipe that wakes the reader lives as long as the scanner."""
        os.close(self._wake_in)
        os.close(self._wake_out)

    def open(self) -> None:
        """Take the device, alone. Raises `ScannerError`."""
        nodes = bound_nodes(self.config, "keyboard", self._find())
        self._closing.clear()
        opened: list[KeyDevice] = []
        try:
            for node in nodes:
                opened.append(self._open_device(node))
                self._take(opened[-1])
        except (OSError, ImportError, ScannerError) as error:
            for device in opened:
                device.close()
            raise self._why_not(error) from error
        self._devices = opened
        self._dropping.clear()
        self._asked.clear()
        self._frames.clear()
        self._failed = None
        self._framer.opened(time.monotonic())

    def read(self, timeout_s: float) -> ScanFrame | None:
        """See `Scanner.read`."""
        until_s = time.monotonic() + timeout_s
        with self._reading:
            while not self._frames:
                if self._failed is not None or self._closing.is_set():
                    raise self._failed or ScannerError.of(self.name, "closed")
                left_s = until_s - time.monotonic()
                if not self._wait(max(left_s, 0.0)) and left_s <= 0:
                    return None
            return self._frames.popleft()

    def feedback(self, kind: Feedback) -> None:
        """A keyboard wedge cannot be told anything."""

    def close(self) -> None:
        """Wake the reader, wait until it has left, then let the devices go."""
        self._closing.set()
        os.write(self._wake_out, b"\0")
        with self._reading:
            with suppress(BlockingIOError):
                os.read(self._wake_in, 4096)
            self._release()
            self._frames.clear()
            self._failed = ScannerError.of(self.name, "closed")

    @classmethod
    def discover(cls) -> tuple[FoundScanner, ...]:
        """Everything that can type digits and Enter; whether it may be opened is not asked."""
        return tuple(
            FoundScanner(
                driver="evdev_wedge",
                port=device.link or device.node,
                description=device.description,
                usb_id=device.usb_id,
                usb_serial=device.usb_serial,
            )
            for device in find_devices()
            if device.kind == "keyboard"
        )

    def _take(self, device: KeyDevice) -> None:
        """Grab a device once no key is held. Raises `OSError`, `ScannerError`."""
        until_s = time.monotonic() + RELEASED_MAX_S
        while device.held():
            if time.monotonic() > until_s or self._closing.wait(RELEASED_POLL_S):
                raise ScannerError(
                    "busy", f"Scanner {self.name}: a key is held down. Let go of its trigger."
                )
        device.grab()

    def _wait(self, timeout_s: float) -> bool:
        """Take what the devices have, or wait for it; False if nothing came and nothing ended."""
        due_s = self._framer.due_s()
        if due_s is not None and not self._asked:
            timeout_s = min(timeout_s, max(due_s - time.monotonic(), 0.0))
        by_number = {device.fileno(): device for device in self._devices}
        ready, _, _ = select.select([self._wake_in, *by_number], [], [], timeout_s)
        for number in ready:
            if number in by_number:
                self._read_events(by_number[number])
        if not ready and due_s is not None and due_s <= time.monotonic() and not self._asked:
            self._asked_at_s = time.monotonic()
            for number, device in by_number.items():
                self._asked.add(number)
                device.ask_silence()
        return bool(ready)

    def _read_events(self, device: KeyDevice) -> None:
        number = device.fileno()
        try:
            for event in device.read():
                if isinstance(event, KeyEvent):
                    self._frames.extend(self._take_event(number, event))
                else:
                    self._take_silence(number)
        except BlockingIOError:
            return
        except OSError as error:
            self._frames.extend(self._framer.cut())
            reason: Reason = "gone" if error.errno == errno.ENODEV else "fault"
            self._failed = ScannerError.of(self.name, reason)
            self._release()

    def _take_silence(self, number: int) -> None:
        """Only when every device has answered is it known that nothing came before the question."""
        if number in self._asked:
            self._asked.discard(number)
            if not self._asked:
                self._frames.extend(self._framer.tick(self._asked_at_s))

    def _take_event(self, number: int, event: KeyEvent) -> tuple[ScanFrame, ...]:
        if event.kind == EV_SYN and event.code == SYN_DROPPED:
            self._dropping.add(number)
            return self._framer.dropped(event.at_s)
        if number in self._dropping:
            if event.kind != EV_SYN or event.code != SYN_REPORT:
                return ()
            self._dropping.discard(number)
            return self._framer.synced(event.at_s)
        if event.kind == EV_KEY:
            return self._framer.key(event.code, event.value, event.at_s)
        return ()

    def _release(self) -> None:
        devices, self._devices = self._devices, []
        for device in devices:
            device.close()

    def _why_not(self, error: Exception) -> ScannerError:
        if isinstance(error, ScannerError):
            return error
        if isinstance(error, ImportError):
            return ScannerError(
                "config",
                f"Scanner {self.name}: keyboard wedges need the module evdev. Install it (Debian: "
                "python3-evdev), or set the scanner to USB-CDC.",
            )
        number = error.errno if isinstance(error, OSError) else None
        return ScannerError.of(self.name, OPENING.get(number or 0, "fault"))

"""A keyboard wedge inside the process, which behaves as the kernel does with a real one.

It ships beside the simulated serial scanner, for tests and training without a device: a buffer of
64 events for each reader, SYN_DROPPED when it is full, one grab, ENODEV after the cable is pulled.
"""

import errno
import os
import queue
import threading
import time
from collections import deque
from typing import Final

from hardware.drivers.event_device import (
    EV_KEY,
    EV_SYN,
    SYN_DROPPED,
    SYN_REPORT,
    KeyEvent,
    Silence,
)
from hardware.drivers.simulated import Line
from hardware.keymap import ROWS, KeyRules, Keys
from hardware.usb_tree import Device

BUFFER_EVENTS: Final = 64
"""What the kernel keeps for each reader of an event device (measured on Linux 6.1)."""

UNREAD_EVENTS_MAX: Final = 32
READ_MAX_S: Final = 5.0
READ_POLL_S: Final = 0.0005
UNTYPED_MAX: Final = 1000
"""Sends that wait for the typist."""


class SimulatedKeyboard:
    """The scanner's side: press keys, pull the cable, plug it in again."""

    def __init__(self, node: str = "/dev/input/event7", usb_path: str = "1-1") -> None:
        self.device = Device(
            kind="keyboard",
            node=node,
            description="Simulated keyboard wedge",
            usb_id="1eab:0001",
            usb_serial="SIM0001",
            usb_path=usb_path,
        )
        self.plugged = True
        self.permitted = True
        self.grabbed_by: OpenKeyboard | None = None
        self.held: set[int] = set()
        self.lock = threading.Lock()
        self._readers: list[OpenKeyboard] = []

    def press(self, *events: tuple[int, int]) -> None:
        """Send key events (code, value), each followed by its report."""
        with self.lock:
            for code, value in events:
                self._hold(code, value)
                now_s = time.monotonic()
                for reader in self._readers:
                    if self.grabbed_by in (None, reader):
                        reader.put(KeyEvent(now_s, EV_KEY, code, value))
                        reader.put(KeyEvent(now_s, EV_SYN, SYN_REPORT, 0))

    def unplug(self) -> None:
        """Pull the cable: what is held is released, then the device is gone."""
        self.press(*((code, 0) for code in sorted(self.held)))
        with self.lock:
            self.plugged = False
            self.grabbed_by = None
            for reader in self._readers:
                reader.wake()

    def plug(self) -> None:
        """Put the cable back in."""
        self.plugged = True

    def devices(self) -> tuple[Device, ...]:
        """What the kernel lists."""
        return (self.device,) if self.plugged else ()

    def open(self, node: str) -> "OpenKeyboard":
        """Open it as a reader does. Raises `OSError`."""
        if not self.plugged or node != self.device.node:
            raise OSError(errno.ENOENT, "no such device")
        if not self.permitted:
            raise PermissionError(errno.EACCES, "denied")
        reader = OpenKeyboard(self)
        with self.lock:
            self._readers.append(reader)
        return reader

    def unread(self) -> int:
        """How many events wait for the reader that is farthest behind."""
        with self.lock:
            return max((reader.unread() for reader in self._readers), default=0)

    def leave(self, reader: "OpenKeyboard") -> None:
        """A reader has closed it."""
        with self.lock:
            if reader in self._readers:
                self._readers.remove(reader)
            if self.grabbed_by is reader:
                self.grabbed_by = None

    def _hold(self, code: int, value: int) -> None:
        if value:
            self.held.add(code)
        else:
            self.held.discard(code)


class OpenKeyboard:
    """One reader's open device."""

    def __init__(self, keyboard: SimulatedKeyboard) -> None:
        self._keyboard = keyboard
        self._events: deque[KeyEvent] = deque()
        self._out, self._in = os.pipe()
        os.set_blocking(self._out, False)
        self._asked = False
        self._closed = False

    def put(self, event: KeyEvent) -> None:
        """Queue an event as the kernel does: a full buffer is thrown away, and says so."""
        if len(self._events) >= BUFFER_EVENTS:
            self._events.clear()
            self._events.append(KeyEvent(event.at_s, EV_SYN, SYN_DROPPED, 0))
        self._events.append(event)
        self.wake()

    def unread(self) -> int:
        """How many events wait."""
        return len(self._events)

    def wake(self) -> None:
        """Make it ready for `select`."""
        os.write(self._in, b"\0")

    def fileno(self) -> int:
        """See `KeyDevice.fileno`."""
        return self._out

    def grab(self) -> None:
        """See `KeyDevice.grab`."""
        with self._keyboard.lock:
            if self._keyboard.grabbed_by is not None:
                raise OSError(errno.EBUSY, "busy")
            self._keyboard.grabbed_by = self

    def held(self) -> bool:
        """See `KeyDevice.held`."""
        return bool(self._keyboard.held)

    def read(self) -> list[KeyEvent | Silence]:
        """See `KeyDevice.read`."""
        with self._keyboard.lock:
            given: list[KeyEvent | Silence] = list(self._events)
            self._events.clear()
            if self._asked:
                self._asked = False
                given.append(Silence())
            if not given and not self._keyboard.plugged:
                raise OSError(errno.ENODEV, "gone")
            os.read(self._out, 4096)
            if not self._keyboard.plugged:
                self.wake()
            return given

    def ask_silence(self) -> None:
        """See `KeyDevice.ask_silence`."""
        with self._keyboard.lock:
            self._asked = True
            self.wake()

    def close(self) -> None:
        """See `KeyDevice.close`."""
        if self._closed:
            return
        self._closed = True
        self._keyboard.leave(self)
        os.close(self._out)
        os.close(self._in)


class KeyboardLine(Line):
    """A cable on which a wedge types bytes as keys of a US keyboard; controls with Ctrl.

    It types by itself, as a scanner does, as fast as its reader takes the keys.
    """

    def __init__(self, keyboard: SimulatedKeyboard | None = None) -> None:
        self.keyboard = SimulatedKeyboard() if keyboard is None else keyboard
        self._untyped: queue.Queue[bytes | None] = queue.Queue(UNTYPED_MAX)
        self._typist = threading.Thread(target=self._type, name="typist", daemon=True)
        self._typist.start()

    def send(self, data: bytes) -> None:
        """See `Line.send`."""
        if self.keyboard.plugged:
            self._untyped.put(data, timeout=READ_MAX_S)

    def unplug(self) -> None:
        """See `Line.unplug`."""
        until_s = time.monotonic() + READ_MAX_S
        while self._untyped.unfinished_tasks and time.monotonic() < until_s:
            time.sleep(READ_POLL_S)
        if self.keyboard.plugged:
            self.keyboard.unplug()

    def plug(self) -> None:
        """See `Line.plug`."""
        self.keyboard.plug()

    def heard(self) -> bytes:
        """A keyboard hears nothing."""
        return b""

    def close(self) -> None:
        """See `Line.close`; the typist ends too."""
        self.unplug()
        self._untyped.put(None, timeout=READ_MAX_S)
        self._typist.join(READ_MAX_S)

    def _type(self) -> None:
        while (data := self._untyped.get()) is not None:
            for byte in data:
                self._wait_for_room()
                self.keyboard.press(*STROKES[byte])
            self._untyped.task_done()

    def _wait_for_room(self) -> None:
        until_s = time.monotonic() + READ_MAX_S
        while self.keyboard.unread() > UNREAD_EVENTS_MAX and time.monotonic() < until_s:
            time.sleep(READ_POLL_S)


def _strokes() -> dict[int, tuple[tuple[int, int], ...]]:
    """Return the keys of every byte that a US keyboard can type, found by asking our own tables."""
    found: dict[int, tuple[tuple[int, int], ...]] = {ord("\r"): ((28, 1), (28, 0))}
    codes = [15, 57, *(code for row in ROWS for code in row)]
    for held in ((), (42,), (29,), (29, 42)):
        for code in codes:
            keys = Keys(KeyRules())
            for modifier in held:
                keys.press(modifier, 1)
            typed = keys.press(code, 1).data
            if len(typed) == 1 and typed[0] not in found:
                down = tuple((modifier, 1) for modifier in held)
                up = tuple((modifier, 0) for modifier in reversed(held))
                found[typed[0]] = (*down, (code, 1), (code, 0), *up)
    return found


STROKES: Final = _strokes()
"""Byte to key events (code, value)."""

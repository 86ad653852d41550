"""A composite USB scanner made by the kernel: keyboard and serial port on an emulated socket.

It runs inside the virtual machine: configfs makes the device, `dummy_hcd` is the socket and the
host's controller. What it types the kernel's own USB and HID drivers read. One report goes with
each poll of the host, which is the fastest that the wire allows.
"""

import fcntl
import os
import queue
import select
import termios
import threading
import time
import tty
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from hardware.drivers.simulated import Line
from hardware.drivers.simulated_keyboard import STROKES
from tests.hil.kernel import WAIT_S, UdevTold

GADGETS: Final = Path("/sys/kernel/config/usb_gadget")
ENGLISH: Final = "strings/0x409"
BOOT_KEYBOARD: Final = bytes.fromhex(
    "05010906a101050719e029e71500250175019508810295017508810395057501"
    "050819012905910295017503910395067508150025650507190029658100c0"
)
"""The report descriptor of a boot keyboard (USB HID 1.11, appendix E.6)."""
REPORT_BYTES: Final = 8
KEYS_AT_ONCE: Final = 6
POLL_S: Final = 0.01

_USAGES: Final = (
    0, 0, 0, 0, 30, 48, 46, 32, 18, 33, 34, 35, 23, 36, 37, 38, 50, 49, 24, 25, 16, 19, 31, 20,
    22, 47, 17, 45, 21, 44, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 28, 1, 14, 15, 57, 12, 13, 26, 27, 43,
    0, 39, 40, 41, 51, 52, 53, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 87, 88, 99, 70, 119,
    110, 102, 104, 111, 107, 109, 106, 105, 108, 103, 69, 98, 55, 74, 78, 96, 79, 80, 81, 75, 76,
    77, 71, 72, 73, 82, 83, 86, 127,
)  # fmt: skip
USAGE_OF_KEY: Final = {key: usage for usage, key in enumerate(_USAGES) if key}
"""The kernel's code of a key to its usage (HID Usage Tables, page 7), for a boot keyboard."""
MODIFIER_BITS: Final = {
    key: 1 << bit for bit, key in enumerate((29, 42, 56, 125, 97, 54, 100, 126))
}

Key = tuple[int, int]


class UnpluggedError(Exception):
    """The cable is out."""


class UsbScanner:
    """The device: made unplugged; `plug`, type or send, `unplug`, `close`."""

    def __init__(
        self,
        *,
        socket: int = 0,
        usb_id: str = "1eab:0001",
        serial: str | None = "HIL0001",
        manufacturer: str = "Newland",
        product: str = "Barcode Scanner",
        keyboard: bool = True,
        port: bool = False,
    ) -> None:
        self.socket = socket
        self.usb_id = usb_id
        self.serial = serial
        self.has_keyboard, self.has_port = keyboard, port
        self.is_plugged = False
        self._folder = GADGETS / f"scanner-{time.monotonic_ns()}"
        self._udev = UdevTold()
        vendor, product_id = usb_id.split(":")
        folder = self._folder
        folder.mkdir()
        _set(folder, idVendor=f"0x{vendor}", idProduct=f"0x{product_id}", bcdUSB="0x0200")
        (folder / ENGLISH).mkdir()
        _set(folder / ENGLISH, manufacturer=manufacturer, product=product)
        if serial is not None:
            _set(folder / ENGLISH, serialnumber=serial)
        (folder / "configs/c.1").mkdir()
        if keyboard:
            made = self._function("hid.usb0")
            _set(made, protocol="1", subclass="1", report_length=str(REPORT_BYTES))
            (made / "report_desc").write_bytes(BOOT_KEYBOARD)
        if port:
            self._function("acm.usb0")
        for made in self._functions():
            (folder / "configs/c.1" / made.name).symlink_to(made)
        self._hid = self._tty = -1
        self._held: list[int] = []
        self._modifiers = 0
        self._writing = threading.Lock()

    @property
    def usb_path(self) -> str:
        """The socket's name, as the kernel numbers it."""
        return f"{self._bus.name.removeprefix('usb')}-1"

    def plug(self) -> None:
        """Put the cable in and wait until the host has made its devices and udev has named them.

        One that is in already has its keys up and nothing left to send.
        """
        if self.is_plugged:
            if self.has_keyboard:
                self.type([(key, 0) for key in (*self._held, *MODIFIER_BITS)])
            if self.has_port:
                termios.tcflush(self._tty, termios.TCIOFLUSH)
            return
        self._held.clear()
        self._modifiers = 0
        (self._folder / "UDC").write_text(f"dummy_udc.{self.socket}")
        self._open()
        self.is_plugged = True
        self._udev.wait_for(self._is_there, f"{self.usb_id} on socket {self.socket}")

    def unplug(self) -> None:
        """Pull the cable, whatever is being typed, and wait until the host's devices are gone."""
        if not self.is_plugged:
            return
        self.is_plugged = False
        (self._folder / "UDC").write_text("\n")
        with self._writing:
            for number in (self._hid, self._tty):
                if number >= 0:
                    os.close(number)
            self._hid = self._tty = -1
        self._udev.wait_for(self._is_gone, f"the end of {self.usb_id}")

    def event_node(self) -> str:
        """The host's `/dev/input/eventN` of it."""
        return f"/dev/input/{self._only('*/0003:*/input/input*/event*').name}"

    def tty_node(self) -> str:
        """The host's `/dev/ttyACMN` of it."""
        return f"/dev/{self._only('*/tty/ttyACM*').name}"

    def type(self, keys: Iterable[Key]) -> None:
        """Press and let go of keys (the kernel's codes), a report each. Raises `UnpluggedError`."""
        for code, value in keys:
            self._hold(code, is_down=value != 0)
            pressed = bytes(USAGE_OF_KEY[key] for key in self._held)
            report = bytes([self._modifiers, 0]) + pressed.ljust(KEYS_AT_ONCE, b"\0")
            self._write(self._hid, report)

    def send(self, data: bytes) -> None:
        """Send bytes on the serial port. Raises `UnpluggedError`."""
        while data:
            data = data[self._write(self._tty, data) :]

    def received(self) -> bytes:
        """What the host has sent on the serial port since the last call."""
        with self._writing, suppress(OSError):  # nothing there, or unplugged
            return os.read(self._tty, 65536)
        return b""

    def wait_until_taken(self) -> None:
        """Wait until everything that was written has left the device. Raises `UnpluggedError`."""
        until_s = time.monotonic() + WAIT_S
        while self._unsent():
            assert time.monotonic() < until_s, "the host does not poll"
            time.sleep(POLL_S)

    def _unsent(self) -> bool:
        with self._writing:
            if not self.is_plugged:
                return False
            if self.has_port and any(fcntl.ioctl(self._tty, termios.TIOCOUTQ, bytes(4))):
                return True
            return self.has_keyboard and not select.select([], [self._hid], [], 0)[1]

    def close(self) -> None:
        """Unplug it and throw it away."""
        self.unplug()
        for made in self._functions():
            (self._folder / "configs/c.1" / made.name).unlink()
        for folder in ("configs/c.1", *(f"functions/{one.name}" for one in self._functions())):
            (self._folder / folder).rmdir()
        (self._folder / ENGLISH).rmdir()
        self._folder.rmdir()
        self._udev.close()

    @property
    def _bus(self) -> Path:
        """The host's bus that ends in this socket; where it has two, the slow one, of USB 2."""
        buses = Path(f"/sys/devices/platform/dummy_hcd.{self.socket}").glob("usb*")
        return min(buses, key=lambda bus: float((bus / "version").read_text()))

    def _device(self) -> Path:
        return self._bus / self.usb_path

    def _is_gone(self) -> bool:
        return not self._device().exists()

    def _functions(self) -> list[Path]:
        return sorted((self._folder / "functions").iterdir())

    def _function(self, name: str) -> Path:
        made = self._folder / "functions" / name
        made.mkdir()
        return made

    def _open(self) -> None:
        """Open the device's own side."""
        if self.has_keyboard:
            _, minor = (self._folder / "functions/hid.usb0/dev").read_text().split(":")
            node = Path(f"/dev/hidg{int(minor)}")
            self._udev.wait_for(node.exists, str(node))
            self._hid = os.open(node, os.O_RDWR | os.O_NONBLOCK)
        if self.has_port:
            number = (self._folder / "functions/acm.usb0/port_num").read_text().strip()
            node = Path(f"/dev/ttyGS{number}")
            self._udev.wait_for(node.exists, str(node))
            self._tty = os.open(node, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            tty.setraw(self._tty)

    def _is_there(self) -> bool:
        """Whether everything of it has its node, and udev's rules have run over each."""
        patterns = (["*/0003:*/input/input*/event*"] if self.has_keyboard else []) + (
            ["*/tty/ttyACM*"] if self.has_port else []
        )
        found = [list(self._device().glob(pattern)) for pattern in patterns]
        return all(found) and all(_udev_has_run(one) for some in found for one in some)

    def _only(self, pattern: str) -> Path:
        (found,) = self._device().glob(pattern)
        return found

    def _hold(self, code: int, *, is_down: bool) -> None:
        bit = MODIFIER_BITS.get(code)
        if bit is not None:
            self._modifiers = self._modifiers | bit if is_down else self._modifiers & ~bit
        elif is_down:
            self._held.append(code)
        else:
            self._held.remove(code)

    def _write(self, number: int, data: bytes) -> int:
        """Write when the host polls; how much of it was taken."""
        until_s = time.monotonic() + WAIT_S
        while time.monotonic() < until_s:
            with self._writing:
                if not self.is_plugged:
                    raise UnpluggedError
                if select.select([], [number], [], POLL_S)[1]:
                    try:
                        return os.write(number, data)
                    except BlockingIOError:
                        continue
                    except OSError as error:
                        raise UnpluggedError from error
        raise AssertionError("the host does not poll")


def _udev_has_run(entry: Path) -> bool:
    number = (entry / "dev").read_text().strip()
    return Path(f"/run/udev/data/c{number}").exists()


def _set(folder: Path, **attributes: str) -> None:
    for name, value in attributes.items():
        (folder / name).write_text(value)


class UsbKeyboardLine(Line):
    """A cable on which a real USB keyboard types bytes, as `KeyboardLine` does in process."""

    def __init__(self, scanner: UsbScanner) -> None:
        self.scanner = scanner
        self._untyped: queue.Queue[bytes | None] = queue.Queue()
        self._typist = threading.Thread(target=self._type, name="typist", daemon=True)
        self._typist.start()

    def send(self, data: bytes) -> None:
        """See `Line.send`."""
        if self.scanner.is_plugged:
            self._untyped.put(data)

    def unplug(self) -> None:
        """See `Line.unplug`."""
        self._untyped.join()
        self.scanner.wait_until_taken()
        self.scanner.unplug()

    def plug(self) -> None:
        """See `Line.plug`."""
        self.scanner.plug()

    def heard(self) -> bytes:
        """A keyboard hears nothing."""
        return b""

    def close(self) -> None:
        """See `Line.close`; the device stays where it is."""
        self._untyped.put(None)
        self._typist.join(WAIT_S)

    def _type(self) -> None:
        while (data := self._untyped.get()) is not None:
            with suppress(UnpluggedError):
                self.scanner.type(stroke for byte in data for stroke in STROKES[byte])
            self._untyped.task_done()


class UsbSerialLine(Line):
    """A cable on which a real USB-CDC scanner sends bytes."""

    def __init__(self, scanner: UsbScanner) -> None:
        self.scanner = scanner
        self._heard = bytearray()

    def send(self, data: bytes) -> None:
        """See `Line.send`."""
        with suppress(UnpluggedError):
            self.scanner.send(data)

    def unplug(self) -> None:
        """See `Line.unplug`."""
        self.scanner.wait_until_taken()
        time.sleep(SERIAL_ON_ITS_WAY_S)
        self.scanner.unplug()

    def plug(self) -> None:
        """See `Line.plug`."""
        self.scanner.plug()

    def heard(self) -> bytes:
        """See `Line.heard`."""
        self._heard += self.scanner.received()
        return bytes(self._heard)

    def close(self) -> None:
        """See `Line.close`; the device stays where it is."""


SERIAL_ON_ITS_WAY_S: Final = 0.3
"""What left the device is counted nowhere until the host's program has read it."""

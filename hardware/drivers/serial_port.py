"""Scanners on RS-232, USB-CDC, a pseudo-terminal, or the network (`socket://`, `rfc2217://`).

Guarantees: no byte read is lost by a fault that follows it, a lost port is let go at once (else it
comes back under another name), no fault of pyserial but leaves as a `ScannerError`.
"""

import errno
import re
import socket
import termios
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import Any, Final

import serial  # type: ignore[import-untyped]
from serial.tools import list_ports  # type: ignore[import-untyped]

from hardware.binding import bound_nodes, is_bound_by_usb
from hardware.errors import OPENING, Reason, ScannerError
from hardware.feedback import Handshake
from hardware.frame import ScanFrame
from hardware.framing import Framer
from hardware.scanner import Feedback, FoundScanner, Scanner, ScannerConfig
from hardware.usb_tree import find_devices

PORT_FAULTS: Final = (serial.SerialException, OSError, termios.error, TypeError, ValueError)
"""How pyserial reports a port that fails; TypeError comes from a port closed while it is read."""

READ_STEP_S: Final = 0.05
"""The longest single wait for a byte: how late a time-out or a `close` can be noticed."""

WRITE_MAX_S: Final = 0.05
"""The longest that feedback may take: a line that does not take bytes must not hold reading up."""

ADDRESS: Final = re.compile(r"(socket|rfc2217)://[^:/]+:\d+([/?].*)?")

KEEP_ALIVE_S: Final = {"TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}
"""A network scanner that is gone is noticed after some ten seconds."""

FEEDBACK_WAITING_MAX: Final = 16
"""Answers that wait for the line; the oldest is of no use to anybody any more."""


class SerialPortScanner(Scanner):
    """A scanner on a serial line, read in one thread."""

    def __init__(self, config: ScannerConfig) -> None:
        super().__init__(config)
        self._framer = Framer(config.name, config.framing)
        self._frames: deque[ScanFrame] = deque()
        self._port: Any = None
        self._failed: ScannerError | None = ScannerError.of(config.name, "closed")
        self._closing = threading.Event()
        self._reading = threading.Lock()
        self._handshake = Handshake(config.handshake)
        self._unsent: deque[bytes] = deque(maxlen=FEEDBACK_WAITING_MAX)

    def open(self) -> None:
        """Take the port, alone. Raises `ScannerError`."""
        config = self.config
        place = self._place()
        try:
            port = serial.serial_for_url(
                place,
                do_not_open=True,
                baudrate=config.baud,
                bytesize=config.bits,
                parity=config.parity,
                stopbits=config.stop,
                timeout=READ_STEP_S,
                # rfc2217 hands writes to a thread of its own, and takes no time-out for them
                write_timeout=None if place.startswith("rfc2217:") else WRITE_MAX_S,
            )
            if "://" not in place:
                port.exclusive = True
            port.open()
        except PORT_FAULTS as fault:
            raise self._not_opened(place, fault) from fault
        _keep_alive(port)
        self._port = port
        self._failed = None
        self._closing.clear()
        self._unsent.clear()
        self._framer.opened(time.monotonic())

    def read(self, timeout_s: float) -> ScanFrame | None:
        """See `Scanner.read`."""
        until_s = time.monotonic() + timeout_s
        with self._reading:
            while not self._frames:
                if self._failed is not None or self._closing.is_set():
                    raise self._failed or self._error("closed")
                now_s = time.monotonic()
                self._hand_on(self._framer.tick(now_s))
                self._answer()
                if self._frames:
                    break
                if now_s >= until_s:
                    return None
                self._read_bytes()
            return self._frames.popleft()

    def feedback(self, kind: Feedback) -> None:
        """Queue the configured bytes; the reader sends them, at the latest after `READ_STEP_S`."""
        data = self.config.good if kind == "good" else self.config.bad
        if data and self._port is not None and not self._closing.is_set():
            self._unsent.append(data)

    def close(self) -> None:
        """Wake the reader, wait until it has left, then let the port go."""
        self._closing.set()
        cancel = getattr(self._port, "cancel_read", None)
        if cancel is not None:
            with suppress(*PORT_FAULTS):  # closed meanwhile by the reader that lost it
                cancel()
        with self._reading:
            self._release()
            self._frames.clear()
            self._failed = self._error("closed")

    @classmethod
    def discover(cls) -> tuple[FoundScanner, ...]:
        """The serial ports of this machine."""
        return tuple(
            FoundScanner(
                driver="serial_port",
                port=str(port.device),
                description=str(port.description),
                usb_id=None if port.vid is None else f"{port.vid:04x}:{port.pid:04x}",
                usb_serial=port.serial_number,
            )
            for port in list_ports.comports()
        )

    def _read_bytes(self) -> None:
        """Read what is there, or wait for the first byte; a fault ends the line."""
        try:
            data = self._port.read(self._port.in_waiting or 1)
        except PORT_FAULTS as fault:
            self._hand_on(self._framer.cut())
            self._failed = self._error(_reason_reading(fault))
            self._release()
            return
        if data:
            self._hand_on(self._framer.feed(data, time.monotonic()))

    def _hand_on(self, frames: Iterable[ScanFrame]) -> None:
        """Let the hand-shake count and answer what was read."""
        for frame in frames:
            counted, answer = self._handshake.take(frame)
            self._frames.append(counted)
            if answer:
                self._unsent.append(answer)

    def _answer(self) -> None:
        """Send what waits; a line that does not take it is no reason to fail."""
        with suppress(*PORT_FAULTS, IndexError):
            while self._port is not None:
                self._port.write(self._unsent.popleft())

    def _not_opened(self, place: str, fault: Exception) -> ScannerError:
        reason = _reason_opening(fault)
        if "://" not in place:
            return self._error(reason)
        if reason == "config" or ADDRESS.fullmatch(place) is None:
            return ScannerError(
                "config",
                f"Scanner {self.name}: {place} is no address of a scanner. Write it like "
                "socket://10.0.0.9:9004 or rfc2217://10.0.0.9:4001.",
            )
        return ScannerError(
            "absent",
            f"Scanner {self.name}: {place} does not answer. Check that the scanner is on, its "
            "address and its network cable.",
        )

    def _place(self) -> str:
        """Where the scanner is now. Raises `ScannerError`."""
        if is_bound_by_usb(self.config):
            return bound_nodes(self.config, "serial", find_devices())[0]
        if self.config.port is None:
            sentence = f"Scanner {self.name}: no port. Set scanner.{self.name}.port."
            raise ScannerError("config", sentence)
        return self.config.port

    def _release(self) -> None:
        port, self._port = self._port, None
        if port is None:
            return
        with suppress(*PORT_FAULTS):  # a port that is gone cannot be closed better than this
            port.close()

    def _error(self, reason: Reason) -> ScannerError:
        return ScannerError.of(self.name, reason)


def _keep_alive(port: Any) -> None:
    """Have a network connection probed, so that a cable that was pulled is noticed."""
    line = getattr(port, "_socket", None)
    if isinstance(line, socket.socket):
        line.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for option, seconds in KEEP_ALIVE_S.items():
            if hasattr(socket, option):
                line.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), seconds)


def _reason_opening(fault: Exception) -> Reason:
    """Why a port could not be opened."""
    if isinstance(fault, (ValueError, TypeError)):
        return "config"
    if "exclusively lock" in str(fault):
        return "busy"
    return OPENING.get(_errno(fault), "fault")


def _reason_reading(fault: Exception) -> Reason:
    """Why a port that was open cannot be read: nearly always, because it went."""
    return "denied" if _errno(fault) in (errno.EACCES, errno.EPERM) else "gone"


def _errno(fault: Exception) -> int:
    """The operating system's number of a fault; termios keeps it in its arguments."""
    number = getattr(fault, "errno", None)
    if number is None and fault.args:
        number = fault.args[0]
    return number if isinstance(number, int) else 0

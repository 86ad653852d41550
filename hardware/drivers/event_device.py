"""An open event device of the kernel, and the process of its own that reads it.

`hardware.drivers.key_reader` is that process: what the station does holds it up no more than any
other program. Here it is started, listened to, and ended. Called by the keyboard wedge.
"""

import errno
import fcntl
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from hardware.drivers.key_reader import HEAD

EV_SYN: Final = 0
EV_KEY: Final = 1
SYN_REPORT: Final = 0
SYN_DROPPED: Final = 3
EVIOCSCLOCKID: Final = 0x400445A0
"""ioctl: which clock stamps the events (linux/input.h)."""
EVENT: Final = struct.Struct("@llHHi")
"""An event as the kernel writes it: seconds, microseconds, type, code, value (linux/input.h)."""
READER: Final = Path(__file__).with_name("key_reader.py")
READ_MAX_BYTES: Final = 65536
READER_START_MAX_S: Final = 10.0
"""A reader that has not begun by then never will."""
PIPE_BYTES: Final = 1 << 20
"""As long as anybody may make a pipe: some 5000 keys wait in it for a station that is busy."""


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """One event of the kernel, its time in seconds of the monotonic clock."""

    at_s: float
    kind: int
    code: int
    value: int
    read_at_s: float | None = None
    """When it was taken from the kernel, where that is known."""


class Silence:
    """Everything that came before `KeyDevice.ask_silence` was called has been read: its answer."""


class KeyDevice(Protocol):
    """An open event device."""

    def fileno(self) -> int:
        """What `select` waits for."""

    def grab(self) -> None:
        """Take its keys away from everybody else. Raises `OSError` (EBUSY)."""

    def held(self) -> bool:
        """Whether a key is down."""

    def read(self) -> Iterable[KeyEvent | Silence]:
        """What has come. Raises `OSError`: ENODEV when it is gone, else it cannot be read."""

    def ask_silence(self) -> None:
        """Have `read` give a `Silence` after everything that came before this call."""

    def close(self) -> None:
        """Let it go."""


class ReadingProcess:
    """Reads an open file of events until it is closed; the file may be closed after it."""

    def __init__(self, source: int) -> None:
        """Start it; it is reading when this returns. Raises `OSError`."""
        self._pipe, far_end = os.pipe()
        with suppress(OSError):  # all such pipes of this user are as long as they may be together
            fcntl.fcntl(self._pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        self._unread = b""
        try:
            self._process = subprocess.Popen(  # noqa: S603  our own program
                [sys.executable, "-I", "-S", str(READER), str(source), str(far_end)],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # the terminal may be a screen's
                bufsize=0,
                pass_fds=(source, far_end),
                start_new_session=True,
            )
        except OSError as error:
            os.close(self._pipe)
            raise OSError(errno.EIO, "the reading process cannot be started") from error
        finally:
            os.close(far_end)
        has_begun = select.select([self._pipe], [], [], READER_START_MAX_S)[0]
        if not has_begun or not os.read(self._pipe, HEAD.size):
            self.close()
            raise OSError(errno.EIO, "the reading process does not begin")
        os.set_blocking(self._pipe, False)

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def fileno(self) -> int:
        """See `KeyDevice.fileno`."""
        return self._pipe

    def read(self) -> Iterator[KeyEvent | Silence]:
        """See `KeyDevice.read`."""
        data = os.read(self._pipe, READ_MAX_BYTES)
        if not data:
            raise OSError(errno.EIO, "the reading process has ended")
        data = self._unread + data
        start = 0
        while len(data) - start >= HEAD.size:
            read_at_s, size = HEAD.unpack_from(data, start)
            end = start + HEAD.size + max(size, 0)
            if size < 0:
                raise OSError(-size, "the device ends")
            if end > len(data):
                break
            if size == 0:
                yield Silence()
            events = EVENT.iter_unpack(data[start + HEAD.size : end])
            for second, micro, kind, code, value in events:
                yield KeyEvent(second + micro / 1e6, kind, code, value, read_at_s)
            start = end
        self._unread = data[start:]

    def ask_silence(self) -> None:
        """See `KeyDevice.ask_silence`."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, and says why on its own pipe
            self._process.stdin.write(b"?")

    def close(self) -> None:
        """End it, and wait until it has let go of everything."""
        assert self._process.stdin is not None
        os.close(self._pipe)
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()


class EventDevice:
    """A device of the kernel: opened through python-evdev, read by a process of its own."""

    def __init__(self, path: str) -> None:
        from evdev import InputDevice

        self._device: Any = InputDevice(path)
        fcntl.ioctl(self._device.fd, EVIOCSCLOCKID, struct.pack("i", time.CLOCK_MONOTONIC))
        self._reading: ReadingProcess | None = None

    def fileno(self) -> int:
        """See `KeyDevice.fileno`."""
        return self._begun().fileno()

    def grab(self) -> None:
        """See `KeyDevice.grab`; it is being read when this returns."""
        self._device.grab()
        self._reading = ReadingProcess(self._device.fd)

    def held(self) -> bool:
        """See `KeyDevice.held`; a device that is gone raises `SystemError` here, not `OSError`."""
        try:
            return bool(self._device.active_keys())
        except SystemError as error:
            raise OSError(errno.ENODEV, "gone") from error

    def read(self) -> Iterator[KeyEvent | Silence]:
        """See `KeyDevice.read`."""
        return self._begun().read()

    def ask_silence(self) -> None:
        """See `KeyDevice.ask_silence`."""
        self._begun().ask_silence()

    def close(self) -> None:
        """See `KeyDevice.close`."""
        with suppress(OSError):  # gone: the kernel has let it go already
            self._device.close()
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()

    def _begun(self) -> ReadingProcess:
        assert self._reading is not None, "read before it was grabbed"
        return self._reading

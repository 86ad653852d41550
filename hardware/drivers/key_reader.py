"""Reads one event device in a process of its own, where no work of the station can hold it up.

    python -I -S key_reader.py DEVICE PIPE

Both are open files that it inherits: the device, grabbed already, and the pipe to the station. It
reads, stamps, and passes on what it read, byte for byte. The kernel keeps 64 events, which is some
ten keys; the pipe keeps thousands. A byte on its standard input asks whether there is more: the
answer is an empty message, after everything that came before that moment. It ends with
the device, or when nobody reads the pipe any more: then the station is gone. Started by
`hardware.drivers.event_device`; it imports nothing but Python's own.
"""

import errno
import os
import select
import signal
import struct
import sys
import time
from contextlib import suppress
from typing import Final

HEAD: Final = struct.Struct("=di")
"""A message's moment of reading, seconds of the monotonic clock, and how many bytes of events
follow; less than zero: the error that ended the reading, and the last message."""
READ_MAX_BYTES: Final = 24 * 256
PATIENT: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""The station is told to end by these, finishes its scan, and ends this process itself."""


def main(device: int, pipe: int) -> None:
    """Read until the device or the station is gone."""
    for number in PATIENT:
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):  # where that is allowed: before everything that only calculates
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
    ready = select.poll()
    ready.register(sys.stdin.fileno(), select.POLLIN)
    ready.register(device, select.POLLIN)
    ready.register(pipe, 0)  # only that its other end was closed
    with suppress(BrokenPipeError):
        _pass_on(pipe, b"")
        while pass_one(ready, device, pipe):
            pass


def pass_one(ready: select.poll, device: int, pipe: int) -> bool:
    """Wait for one thing and pass it on; whether there may be more."""
    asked = {number for number, _ in ready.poll()}
    is_asked = sys.stdin.fileno() in asked
    if pipe in asked or (is_asked and not os.read(sys.stdin.fileno(), 1)):
        return False
    try:
        while data := _read(device):
            _pass_on(pipe, data)
    except OSError as error:
        _pass_on(pipe, b"", -(error.errno or 1))
        return False
    if is_asked:
        _pass_on(pipe, b"")
    return True


def _read(device: int) -> bytes:
    """Return events that are there; nothing if there are none now. Raises `OSError` at the end."""
    try:
        data = os.read(device, READ_MAX_BYTES)
    except BlockingIOError:
        return b""
    if not data:
        raise OSError(errno.ENODEV, "no more will come")
    return data


def _pass_on(pipe: int, data: bytes, error: int = 0) -> None:
    os.write(pipe, HEAD.pack(time.monotonic(), error or len(data)) + data)


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:]))

"""What the kernel and udev say, waited for with a bound: in the virtual machine only."""

import os
import select
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeVar

IN_MACHINE: Final = os.environ.get("MES_TERMINAL_HIL") == "1"
NO_MACHINE: Final = "needs the virtual machine: make test-hil"
ROOT: Final = Path(__file__).resolve().parents[2]
WAIT_S: Final = 60.0
"""The longest wait for something that must come: the machine is some ten times slower than iron."""
NETLINK_KOBJECT_UEVENT: Final = 15
AFTER_RULES: Final = 2
"""The group in which udev tells a change once its rules have run (libudev)."""
LOOK_S: Final = 0.25
"""How often what udev does not tell is looked at."""

Found = TypeVar("Found")


class UdevTold:
    """What udev tells: made before the change that is waited for."""

    def __init__(self) -> None:
        self._socket = socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT
        )
        self._socket.bind((0, AFTER_RULES))

    def wait_for(self, find: Callable[[], Found | None], what: str) -> Found:
        """Return what `find` finds, asked whenever udev has told something."""
        until_s = time.monotonic() + WAIT_S
        while True:
            found = find()
            if found:
                return found
            assert time.monotonic() < until_s, f"{what} did not come within {WAIT_S:.0f} s"
            if select.select([self._socket], [], [], LOOK_S)[0]:
                with suppress(OSError):  # more was told than it keeps: look all the same
                    self._socket.recv(65536)

    def close(self) -> None:
        """No more is wanted."""
        self._socket.close()

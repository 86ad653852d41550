"""What can go wrong with a scanner: one reason for programs, one sentence for the operator.

Drivers raise only `ScannerError`; the supervisor (`hardware.reconnect`) turns the reason into a
state and hands the sentence to the screen.
"""

import errno
from typing import Final, Literal

Reason = Literal["absent", "gone", "denied", "busy", "fault", "closed", "config"]
"""`absent`: not there when opened. `gone`: was there, left. `denied`: no rights. `busy`: somebody
else has it. `fault`: it answers nonsense. `closed`: we closed it. `config`: it cannot work as
configured."""

MENDS: Final[dict[Reason, str]] = {
    "absent": "not found. Plug it in, or correct its port in the settings.",
    "gone": "unplugged. Check the cable.",
    "denied": "no permission. Give this user the right to open the device (group dialout).",
    "busy": "in use by another program. End that program.",
    "fault": "does not work. Unplug it, wait a second, plug it in again.",
    "closed": "closed.",
    "config": "wrongly configured. Correct its settings.",
}


OPENING: Final[dict[int, Reason]] = {
    errno.ENOENT: "absent",
    errno.ENODEV: "absent",
    errno.ENXIO: "absent",
    errno.EACCES: "denied",
    errno.EPERM: "denied",
    errno.EBUSY: "busy",
    errno.EAGAIN: "busy",
}
"""Why a device could not be opened, by the operating system's number."""


class ScannerError(Exception):
    """A scanner failed. `reason` is one word, `sentence` says what happened and what to do."""

    def __init__(self, reason: Reason, sentence: str) -> None:
        super().__init__(sentence)
        self.reason: Reason = reason
        self.sentence = sentence

    @classmethod
    def of(cls, device: str, reason: Reason) -> "ScannerError":
        """The error of a named scanner, in the usual words of its reason."""
        return cls(reason, f"Scanner {device}: {MENDS[reason]}")

"""The core as it is, but for one thing: its keyboard wedge notes how late each key was read.

    python -m tests.hil.noting_core NOTES WORD…

runs `mes-terminal WORD…`. When the scanner is closed, NOTES holds one line for each event of the
kernel: its type, its code, and the milliseconds from the kernel's stamp to the reading.
"""

import os
import sys
from pathlib import Path
from typing import Final

from hardware.drivers.evdev_wedge import EvdevWedgeScanner
from hardware.drivers.event_device import KeyEvent
from hardware.frame import ScanFrame
from hardware.registry import DRIVERS

NOTES: Final = "HIL_NOTES"


class NotingWedge(EvdevWedgeScanner):
    """The wedge of the product, with notes."""

    notes: list[str]

    def open(self) -> None:
        """See `Scanner.open`."""
        super().open()
        self.notes = []

    def close(self) -> None:
        """See `Scanner.close`."""
        super().close()
        if getattr(self, "notes", None):
            Path(os.environ[NOTES]).write_text("".join(self.notes))

    def _take_event(self, number: int, event: KeyEvent) -> tuple[ScanFrame, ...]:
        late_s = (event.read_at_s or 0.0) - event.at_s
        self.notes.append(f"{event.kind} {event.code} {late_s * 1000:.3f}\n")
        return super()._take_event(number, event)


if __name__ == "__main__":
    os.environ[NOTES] = sys.argv.pop(1)
    DRIVERS["evdev_wedge"] = ("tests.hil.noting_core", NotingWedge.__name__)
    from mes_terminal.__main__ import main

    main()

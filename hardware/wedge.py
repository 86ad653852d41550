"""Key events to frames: a keyboard wedge, read like any other line.

What a key gave goes to the framer that serial scanners use, so that suffix, prefix, silence, double
reads and length mean the same. A key that no code holds spoils its code; lost events (SYN_DROPPED)
spoil the code in which they were lost, and what follows until its end or until silence.
Pure: every call says when it is, in seconds of one monotonic clock.
"""

from hardware.frame import ScanFrame
from hardware.framing import Framer, FramingRules
from hardware.keymap import KeyRules, Keys

WEDGE_IDLE_MS = 150
"""Silence that ends a code of a wedge without suffix, unless configured."""


class WedgeFramer:
    """The state of one wedge: its keys, and the code that is being typed."""

    def __init__(self, device: str, rules: FramingRules, keys: KeyRules) -> None:
        self._keys = Keys(keys)
        self._framer = Framer(device, rules)
        self._lost = False

    def opened(self, at_s: float) -> None:
        """The device was opened: forget what was pending and held."""
        self._keys.release_all()
        self._lost = False
        self._framer.opened(at_s)

    def key(self, code: int, value: int, at_s: float) -> tuple[ScanFrame, ...]:
        """Take one key event; the frames that became final, in order."""
        done = self._framer.tick(at_s)
        if self._lost:
            return done
        typed = self._keys.press(code, value)
        if typed.forbidden is not None:
            self._framer.spoil("forbidden_key", at_s, key=typed.forbidden)
        if typed.is_repeat:
            self._framer.doubt("autorepeat")
        return (*done, *self._framer.feed(typed.data, at_s)) if typed.data else done

    def dropped(self, at_s: float) -> tuple[ScanFrame, ...]:
        """The kernel lost events (SYN_DROPPED): what comes until `synced` is worthless."""
        done = self._framer.tick(at_s)
        self._lost = True
        self._framer.spoil("overrun", at_s)
        return done

    def synced(self, at_s: float) -> tuple[ScanFrame, ...]:
        """The report after the loss is over (SYN_REPORT); what is held is not known."""
        self._lost = False
        self._keys.release_all()
        return self._framer.tick(at_s)

    def tick(self, at_s: float) -> tuple[ScanFrame, ...]:
        """As `Framer.tick`."""
        return self._framer.tick(at_s)

    def cut(self) -> tuple[ScanFrame, ...]:
        """As `Framer.cut`."""
        self._keys.release_all()
        return self._framer.cut()

    def due_s(self) -> float | None:
        """As `Framer.due_s`."""
        return self._framer.due_s()

"""Bytes to frames: where a code begins and ends, and which reads are not scans.

Operations: `feed` bytes as they come, `tick` when time passes, `cut` when the line is lost,
`opened` when it is back. Each returns the frames that became final.

Goals: the same bytes at the same times give the same frames however they were split into reads;
memory is bounded by `max_len`; a part of a code is never a scan. No clock is read: every call says
when it is, in seconds of one monotonic clock. Called by the byte drivers and the scenario player.
"""

import re
from dataclasses import dataclass, replace
from typing import Final

from hardware.frame import EndedBy, FrameKind, ScanFrame
from hardware.misread import is_ssi, parity_hint

LINE_ENDS: Final = b"\r\n"
NUL: Final = b"\0"
MAX_LEN_BYTES: Final = 4096
SERIAL_IDLE_MS: Final = 100
"""Silence that ends a code of a serial line without suffix, unless configured."""
NOREAD_TEXTS: Final = ("NOREAD", "NO-READ", "NR", "ERROR")
"""What scanners send when they saw nothing (Microscan, Rockwell, Allen-Bradley, Keyence)."""
RECENT_MAX: Final = 64
"""Codes remembered by the double-read filter: more different ones in half a second is no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FramingRules:
    """How one scanner marks its codes. Names are those of the configuration.

    CR, LF and CRLF always end a code. `suffix` is a further mark (Tab, ETX, ...), which is taken
    off; an empty `suffix` says that the scanner sends none, so that `idle_ms` of silence ends it.
    """

    prefix: bytes = b""
    suffix: bytes | None = None
    idle_ms: int = SERIAL_IDLE_MS
    incomplete_ms: int = 500
    max_len: int = MAX_LEN_BYTES
    settle_ms: int = 200
    """Ignored after opening: what a line says while it comes up is noise."""
    duplicate_ms: int = 500
    noread: tuple[bytes, ...] = tuple(text.encode() for text in NOREAD_TEXTS)

    @property
    def ends_by_silence(self) -> bool:
        """The scanner sends no suffix."""
        return self.suffix == b""

    @property
    def mark(self) -> bytes:
        """The suffix without its line end: the part that must be taken off the code."""
        return (self.suffix or b"").rstrip(LINE_ENDS)

    @property
    def silence_ms(self) -> int:
        """Silence after which what is pending is finished, whole or incomplete."""
        return self.idle_ms if self.ends_by_silence else self.incomplete_ms


class RecentReads:
    """What one device read just now: the double-read filter."""

    def __init__(self, duplicate_ms: int) -> None:
        self._window_s = duplicate_ms / 1000
        self._at_s: dict[bytes, float] = {}

    def again(self, raw: bytes, at_s: float) -> bool:
        """Note a read, and say whether the same bytes were read within `duplicate_ms` before.

        A code held before the scanner is read again and again: every read prolongs the time.
        """
        if self._window_s <= 0:
            return False
        last_s = self._at_s.pop(raw, None)
        if len(self._at_s) >= RECENT_MAX:
            del self._at_s[next(iter(self._at_s))]
        self._at_s[raw] = at_s
        return last_s is not None and at_s - last_s <= self._window_s


class Framer:
    """The state of one line: the bytes pending, and the codes read just now."""

    def __init__(self, device: str, rules: FramingRules) -> None:
        self._device = device
        self._rules = rules
        self._mark = rules.mark
        self._ends = re.compile(b"[" + LINE_ENDS + re.escape(self._mark[-1:]) + b"]")
        self._kept_max = rules.max_len + len(rules.prefix) + len(rules.mark) + 1
        self._pending = bytearray()
        self._tail = b""
        self._overlong = False
        self._skipping = False
        self._spoiled: tuple[str, str | None] | None = None
        self._warning: str | None = None
        self._last_at_s = 0.0
        self._settled_at_s: float | None = None
        self._reads = RecentReads(rules.duplicate_ms)

    def opened(self, at_s: float) -> None:
        """The line came up: forget what was pending, ignore the next `settle_ms`."""
        self._drop()
        self._settled_at_s = at_s + self._rules.settle_ms / 1000

    def feed(self, data: bytes, at_s: float) -> tuple[ScanFrame, ...]:
        """Take the bytes of one read; the frames that became final, in order."""
        frames = list(self.tick(at_s))
        self._last_at_s = at_s
        if self._settled_at_s is not None and at_s < self._settled_at_s:
            self._skipping = data[-1:] not in (b"\r", b"\n")
            return tuple(frames)
        self._settled_at_s = None
        start = 0
        for found in self._ends.finditer(data):
            frames.extend(self._take(data[start : found.end()], at_s))
            start = found.end()
        self._keep(data[start:])
        return tuple(frames)

    def tick(self, at_s: float) -> tuple[ScanFrame, ...]:
        """Say what time it is: silence ends a code, or shows that its end never came."""
        silent_ms = (at_s - self._last_at_s) * 1000
        if self._skipping and silent_ms >= self._rules.idle_ms:
            self._skipping = False
        if not self._is_pending or silent_ms < self._silence_ms:
            return ()
        if self._spoiled is not None or self._rules.ends_by_silence:
            return self._finish(self._last_at_s, "idle")
        return self._unfinished("no_suffix")

    def cut(self) -> tuple[ScanFrame, ...]:
        """The line was lost: what is pending is incomplete, never a scan."""
        if self._spoiled is not None:
            return self._finish(self._last_at_s, None)
        return self._unfinished("unplugged") if self._pending else ()

    def due_s(self) -> float | None:
        """When `tick` will have something to say, if nothing comes before; else None."""
        return self._last_at_s + self._silence_ms / 1000 if self._is_pending else None

    def spoil(self, reason: str, at_s: float, *, key: str | None = None) -> None:
        """The code that is coming must be refused, however it ends; the first reason stands."""
        self._last_at_s = at_s
        self._spoiled = self._spoiled or (reason, key)

    def doubt(self, warning: str) -> None:
        """Something about the code that is coming was odd; it is taken all the same."""
        self._warning = warning

    @property
    def _is_pending(self) -> bool:
        return bool(self._pending) or self._spoiled is not None

    @property
    def _silence_ms(self) -> int:
        """As the rules say; what was lost in between ends with the first gap."""
        if self._spoiled is not None and self._spoiled[0] == "overrun":
            return self._rules.idle_ms
        return self._rules.silence_ms

    def _take(self, part: bytes, at_s: float) -> tuple[ScanFrame, ...]:
        """Take bytes of which the last one may end a code."""
        if part[-1] in LINE_ENDS:
            self._keep(part[:-1])
            return self._finish(at_s, "suffix")
        self._keep(part)
        return self._finish(at_s, "suffix") if self._tail == self._mark else ()

    def _keep(self, data: bytes) -> None:
        """Add to the code, up to the most that is needed to see that it is too long."""
        if self._skipping:
            return
        if not self._pending:
            data = data.lstrip(NUL)
        if self._mark:
            self._tail = (self._tail + data)[-len(self._mark) :]
        room = self._kept_max - len(self._pending)
        self._overlong = self._overlong or len(data) > room
        self._pending += data[:room]

    def _finish(self, at_s: float, ended_by: EndedBy | None) -> tuple[ScanFrame, ...]:
        """The code is whole: take its prefix and suffix off, and name it."""
        raw = bytes(self._pending).removeprefix(self._rules.prefix)
        if not self._overlong:
            raw = raw.removesuffix(self._mark)
        spoiled, warning = self._spoiled, self._warning
        self._drop()
        if spoiled is not None:
            why, key = spoiled
            return (replace(self._frame(raw, at_s, "reject", why, ended_by), key=key),)
        if not raw:
            return ()
        kind, reason = self._kind(raw, at_s)
        frame = self._frame(raw, at_s, kind, reason, ended_by)
        return (replace(frame, warning=warning, hint=parity_hint(raw)),)

    def _kind(self, raw: bytes, at_s: float) -> tuple[FrameKind, str | None]:
        """What a whole read is, and why it must be refused, if it must."""
        if len(raw) > self._rules.max_len:
            return "reject", "too_long"
        if is_ssi(raw):
            return "reject", "protocol_ssi"
        if raw in self._rules.noread:
            return "noread", None
        return ("duplicate" if self._reads.again(raw, at_s) else "code"), None

    def _unfinished(self, reason: str) -> tuple[ScanFrame, ...]:
        """What is pending lacks its end."""
        raw, overlong = bytes(self._pending), self._overlong
        self._drop()
        if overlong:
            return (self._frame(raw, self._last_at_s, "reject", "too_long", None),)
        if is_ssi(raw):
            return (self._frame(raw, self._last_at_s, "reject", "protocol_ssi", None),)
        frame = self._frame(raw, self._last_at_s, "incomplete", reason, None)
        return (replace(frame, hint=parity_hint(raw)),)

    def _frame(
        self,
        raw: bytes,
        at_s: float,
        kind: FrameKind,
        reason: str | None,
        ended_by: EndedBy | None,
    ) -> ScanFrame:
        """A frame of this device; of an overlong code one byte more than a code may have.

        That byte tells whoever journals the frame that it was cut.
        """
        return ScanFrame(
            raw=raw[: self._rules.max_len + 1],
            device=self._device,
            at_s=at_s,
            kind=kind,
            reason=reason,
            ended_by=ended_by,
        )

    def _drop(self) -> None:
        self._pending.clear()
        self._tail = b""
        self._overlong = False
        self._skipping = False
        self._spoiled = None
        self._warning = None

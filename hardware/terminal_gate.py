"""The gate before a screen: tells a scanner that types into the terminal from a person who does.

Operations: `feed` every key the terminal brings, with the time it came; `tick` when time passes.
Each answer says which frames became final, which keys are a person's and may reach the screen, and
what is being typed.

Guarantees: no character of a scan ever reaches the screen as a key; a code comes out whole, as the
bytes that came, whatever control characters it holds; a code that lacks its end is never a scan;
memory is bounded. A person may type a code slowly and press Enter; Backspace and Esc mend it.

How they are told apart: keys nearer than `key_gap_ms` to their neighbour are a scanner's. A single
key that is not text is therefore held back for so long before it is let through. Pure: no clock is
read; times are seconds of one monotonic clock (for Textual: `event.time`).
"""

from dataclasses import dataclass
from typing import Final

from hardware.frame import EndedBy, FrameKind, ScanFrame
from hardware.framing import RecentReads

DEVICE: Final = "terminal"
ENTER_CHARACTERS: Final = ("\r", "\n")
EDIT_KEYS: Final = ("backspace", "escape")
BURST_KEYS: Final = 4
"""So many keys in a row, each near the one before: no person."""
REPEAT_GAP_S: Final = 0.02
"""A held-down key repeats no faster than 50 times a second; a scanner types faster than that."""
ESC: Final = b"\x1b"

SEQUENCES: Final[dict[str, bytes]] = {
    "up": b"\x1b[A",
    "down": b"\x1b[B",
    "right": b"\x1b[C",
    "left": b"\x1b[D",
    "end": b"\x1b[F",
    "home": b"\x1b[H",
    "insert": b"\x1b[2~",
    "delete": b"\x1b[3~",
    "pageup": b"\x1b[5~",
    "pagedown": b"\x1b[6~",
}
"""What the terminal sent for keys that have no character; for every other one ESC stands."""

CONTROL_KEYS: Final[dict[str, str]] = {
    "left_square_bracket": "[",
    "backslash": "\\",
    "right_square_bracket": "]",
    "circumflex_accent": "^",
    "underscore": "_",
}
"""Names of keys that give a control character with Ctrl, where the terminal names them so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRules:
    """The gate's times and limits. `idle_ms` set: the scanner sends no suffix."""

    key_gap_ms: int = 50
    incomplete_ms: int = 500
    idle_ms: int | None = None
    max_len: int = 4096
    duplicate_ms: int = 500
    noread: tuple[bytes, ...] = ()
    suffixes: tuple[str, ...] = ENTER_CHARACTERS
    """Characters that end a code; add a Tab where the scanner sends one."""


@dataclass(frozen=True, slots=True)
class GateKey:
    """A key that a person pressed: what the screen may act on."""

    character: str | None
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GateResult:
    """What one key, or some time, led to."""

    frames: tuple[ScanFrame, ...] = ()
    keys: tuple[GateKey, ...] = ()
    """Keys held back before that proved to be a person's: act on them now."""
    typed_text: str = ""
    """What a person has typed so far, to be shown (through `safe`); empty while a scanner types."""
    due_s: float | None = None
    """When `tick` will have something to say, if no key comes before."""


@dataclass(frozen=True, slots=True)
class _Stroke:
    """One key pending: its bytes, its time, how it must be seen if it turns out to be typed."""

    data: bytes
    at_s: float
    key: GateKey
    text: bool


class Gate:
    """The keys pending, and who presses them."""

    def __init__(self, rules: GateRules | None = None, device: str = DEVICE) -> None:
        self._rules = rules or GateRules()
        self._device = device
        self._gap_s = self._rules.key_gap_ms / 1000
        self._silence_s = (self._rules.idle_ms or self._rules.incomplete_ms) / 1000
        self._reads = RecentReads(self._rules.duplicate_ms)
        self._typed = ""
        self._typed_at_s = float("-inf")
        self._run: list[_Stroke] = []
        self._burst: bytearray | None = None
        self._last_at_s = float("-inf")
        self._ended_at_s = float("-inf")

    def feed(self, key_character: str | None, key_name: str, at_s: float) -> GateResult:
        """Take one key. The screen must not act on it now, only on the `keys` of an answer."""
        passed = self.tick(at_s)
        frames, keys = list(passed.frames), list(passed.keys)
        stroke = _stroke(key_character, key_name, at_s)
        if self._is_repeated(stroke):
            keys += self._settle()
        if key_character in self._rules.suffixes:
            frames += self._end(stroke)
        elif self._burst is not None:
            self._grow(stroke)
        else:
            self._join(stroke)
        self._last_at_s = at_s
        return self._result(frames, keys)

    def paste(self, text: str, at_s: float) -> GateResult:
        """Take text that the terminal pasted: as if a person typed it, Enter included."""
        passed = self.tick(at_s)
        frames, keys = list(passed.frames), [*passed.keys, *self._settle()]
        self._burst = None
        *lines, rest = text.replace("\r", "\n").split("\n")
        for line in lines:
            frames += self._whole(_encode(self._typed + line), at_s, "suffix", scanned=False)
            self._typed = ""
        self._type(rest, at_s)
        return self._result(frames, keys)

    def tick(self, at_s: float) -> GateResult:
        """Say what time it is: a lone key is a person's, a code whose end stays out is no scan."""
        due_s = self.due_s
        if due_s is None or at_s < due_s:
            return self._result((), ())
        if self._burst is None:
            return self._result((), self._settle())
        raw, self._burst = bytes(self._burst), None
        if self._rules.idle_ms is not None:
            return self._result(self._whole(raw, self._last_at_s, "idle", scanned=True), ())
        kind: FrameKind = "reject" if len(raw) > self._rules.max_len else "incomplete"
        reason = "too_long" if kind == "reject" else "no_suffix"
        return self._result((self._frame(raw, self._last_at_s, kind, reason, None),), ())

    def clear(self) -> None:
        """Forget what is pending: another screen begins."""
        self._typed = ""
        self._run.clear()
        self._burst = None

    def _is_repeated(self, stroke: _Stroke) -> bool:
        """A person holds the key down: the same one again, slower than a scanner types."""
        if self._burst is not None or not self._run:
            return False
        last = self._run[-1]
        return last.key == stroke.key and stroke.at_s - last.at_s >= REPEAT_GAP_S

    def _join(self, stroke: _Stroke) -> None:
        """Add a key to the run of near ones; enough of them are a scanner's."""
        if self._run and self._run[0].key.character in self._rules.suffixes:
            self._run.clear()  # an empty code before this one
        self._run.append(stroke)
        if len(self._run) < BURST_KEYS:
            return
        burst = bytearray()
        if self._run[0].at_s - self._typed_at_s < self._rules.incomplete_ms / 1000:
            # The run follows what looked typed so soon that both may be one code that stuttered.
            burst += _encode(self._typed)
            self._typed = ""
        for pending in self._run:
            burst += pending.data
        self._run.clear()
        self._burst = burst

    def _grow(self, stroke: _Stroke) -> None:
        """Add a key to a code, up to the first byte too many."""
        if self._burst is not None and len(self._burst) <= self._rules.max_len:
            self._burst += stroke.data

    def _end(self, stroke: _Stroke) -> tuple[ScanFrame, ...]:
        """A suffix came: what is pending is whole."""
        if self._burst is not None:
            raw, self._burst = bytes(self._burst), None
            scanned = True
        elif self._typed or self._run:
            raw = _encode(self._typed) + b"".join(
                pending.data
                for pending in self._run
                if pending.key.character not in self._rules.suffixes
            )
            scanned = len(self._run) > 1
            self._typed = ""
            self._run.clear()
        else:
            if stroke.at_s - self._ended_at_s >= self._gap_s:
                self._run.append(stroke)
            self._ended_at_s = stroke.at_s
            return ()
        self._ended_at_s = stroke.at_s
        return self._whole(raw, stroke.at_s, "suffix", scanned=scanned)

    def _settle(self) -> list[GateKey]:
        """The run was a person's: text is typed, Backspace and Esc mend, others pass."""
        through: list[GateKey] = []
        for stroke in self._run:
            if stroke.text:
                self._type(stroke.key.character or "", stroke.at_s)
            elif self._typed and stroke.key.name in EDIT_KEYS:
                self._typed = self._typed[:-1] if stroke.key.name == "backspace" else ""
                self._typed_at_s = stroke.at_s
            else:
                through.append(stroke.key)
        self._run.clear()
        return through

    def _type(self, text: str, at_s: float) -> None:
        self._typed = (self._typed + text)[: self._rules.max_len + 1]
        self._typed_at_s = at_s

    def _whole(
        self, raw: bytes, at_s: float, ended_by: EndedBy, *, scanned: bool
    ) -> tuple[ScanFrame, ...]:
        """A whole code: too long, a no-read, read just before, or a scan."""
        raw = raw.lstrip(b"\0")
        if not raw:
            return ()
        if len(raw) > self._rules.max_len:
            return (self._frame(raw, at_s, "reject", "too_long", ended_by),)
        kind: FrameKind = "code"
        if raw in self._rules.noread:
            kind = "noread"
        elif self._reads.again(raw, at_s) and scanned:
            kind = "duplicate"
        return (self._frame(raw, at_s, kind, None, ended_by),)

    def _frame(
        self,
        raw: bytes,
        at_s: float,
        kind: FrameKind,
        reason: str | None,
        ended_by: EndedBy | None,
    ) -> ScanFrame:
        return ScanFrame(
            raw=raw[: self._rules.max_len + 1],
            device=self._device,
            at_s=at_s,
            kind=kind,
            reason=reason,
            ended_by=ended_by,
        )

    @property
    def due_s(self) -> float | None:
        """When what is pending is decided, if nothing comes before."""
        if self._burst is not None:
            return self._last_at_s + self._silence_s
        return self._last_at_s + self._gap_s if self._run else None

    def _result(
        self, frames: tuple[ScanFrame, ...] | list[ScanFrame], keys: tuple[()] | list[GateKey]
    ) -> GateResult:
        return GateResult(
            frames=tuple(frames),
            keys=tuple(keys),
            typed_text="" if self._burst is not None else self._typed,
            due_s=self.due_s,
        )


def _stroke(character: str | None, name: str, at_s: float) -> _Stroke:
    """One key with the bytes that the terminal sent for it, as far as that can be told."""
    text = character is not None and character.isprintable() and not name.startswith("alt+")
    return _Stroke(_bytes_of(character, name), at_s, GateKey(character, name), text)


def _bytes_of(character: str | None, name: str) -> bytes:
    modifier, _, key = name.rpartition("+")
    if modifier == "alt" and character is not None:
        return ESC + _encode(character)
    if character is not None:
        return _encode(character)
    if modifier == "ctrl" and (key := CONTROL_KEYS.get(key, key)) and len(key) == 1:
        return bytes([ord(key.upper()) & 0x1F])
    if modifier == "alt" and len(key) == 1:
        return ESC + _encode(key)
    return SEQUENCES.get(name, ESC)


def _encode(text: str) -> bytes:
    """The bytes of terminal text; what is no character stays visible as no UTF-8."""
    return text.encode("utf-8", "surrogatepass")

"""The reads of a recording as the scanner sent them, for the set-up test.

A recording holds what the settings made of the reads. What they took off (prefix, suffix) is put
back as they name it, and of a wedge the keys are pressed that give those characters under its
layout: so a wrong layout, prefix of a vendor, lost GS or missing identifier is found again. What
never reached a frame (a Caps Lock that is ignored, a key that no code holds) cannot be.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Final

from hardware.framing import FramingRules
from hardware.keymap import CODES, DOWN, ENTERS, LEFT_ALT, ROWS, UP, KeyRules, Keys
from hardware.scanner import ScannerConfig
from hardware.script import Step
from hardware.sheet import Arrival, Pressed, Sent

Stroke = tuple[tuple[int, int], ...]
"""Key events, code and value, that give one character."""

HELD: Final = tuple(
    tuple(CODES[name] for name in names)
    for names in ((), ("LEFTSHIFT",), ("RIGHTALT",), ("LEFTCTRL",), ("LEFTCTRL", "LEFTSHIFT"))
)
"""What is held for a character, the plainest first."""
KEYS: Final = (*chain(*ROWS), CODES["SPACE"], CODES["TAB"])
ENTER: Final = min(ENTERS)


def recorded(steps: tuple[Step, ...], config: ScannerConfig) -> Iterator[Arrival]:
    """The reads of a recording that this scanner made, in order."""
    strokes = strokes_of(config.keys) if config.driver == "evdev_wedge" else None
    for step in steps:
        if step.verb not in ("scan", "nosuffix"):
            continue
        sent = step.code if step.verb == "nosuffix" else _around(step.code, config.framing)
        text = sent.decode("utf-8", "replace")
        yield Sent(sent) if strokes is None else Pressed(_typed(text, strokes))


def strokes_of(rules: KeyRules) -> dict[str, Stroke]:
    """The keys of every character that a wedge can type under these rules, asked of `Keys`."""
    found = {"\r": _struck((), ENTER)}
    mapped = [CODES[name] for name in rules.key_map]
    for held in HELD:
        keys = Keys(rules)
        for modifier in held:
            keys.press(modifier, DOWN)
        for code in (*mapped, *KEYS):
            text = keys.press(code, DOWN).data.decode("utf-8", "replace")
            if len(text) == 1:
                found.setdefault(text, _struck(held, code))
    return found


def _around(code: bytes, framing: FramingRules) -> bytes:
    return framing.prefix + code + (b"\r" if framing.suffix is None else framing.suffix)


def _struck(held: tuple[int, ...], code: int) -> Stroke:
    down = [(each, DOWN) for each in (*held, code)]
    return (*down, *((each, UP) for each in (code, *reversed(held))))


def _typed(text: str, strokes: dict[str, Stroke]) -> Stroke:
    """The keys of a text; of a character that is on no key the number of it under Alt."""
    return tuple(chain(*(strokes.get(each) or _numbered(each) for each in text)))


def _numbered(character: str) -> Stroke:
    (number,) = character.encode("cp1252", "replace")
    digits = [(CODES[f"KP{digit}"], value) for digit in f"0{number}" for value in (DOWN, UP)]
    return ((LEFT_ALT, DOWN), *digits, (LEFT_ALT, UP))

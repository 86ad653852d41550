"""A keyboard-wedge scanner that presses keys, however it is set: for tests of what reads it.

It is the other side of the keyboard tables: its keys are found by asking the framer under test what
each key gives in its own layout, so a wrong table shows in the tests of the tables, not here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from hardware.keymap import LayoutName
from hardware.sheet import GS, Pressed, SheetCode
from hardware.sheet_reading import ENTER, characters

CTRL: Final = 29
ALT: Final = 56
CAPS: Final = 58
BRACKET_PLACE: Final = 27
"""Where `]` is on a US keyboard: scanners press Ctrl there in every country."""
KEY_OF_F: Final = {"F8": 66, "F12": 88}
KEYPAD: Final = {"0": 82, "1": 79, "2": 80, "3": 81, "4": 75, "5": 76, "6": 77, "7": 71, "8": 72,
                 "9": 73}  # fmt: skip

Key = tuple[int, int]


def press(*keys: int) -> tuple[Key, ...]:
    """All but the last are held while the last is pressed."""
    return (*((key, 1) for key in keys), *((key, 0) for key in reversed(keys)))


@dataclass(frozen=True)
class Wedge:
    """The scanner, as it is set."""

    layout: LayoutName = "us"
    suffix: tuple[Key, ...] = press(ENTER)
    gs: str = "ctrl"
    """`ctrl`: Ctrl+]. `alt`: Alt+0029. `F8`, `F12`: that key. `<GS>` or another text: typed.
    `none`: dropped."""
    aim: bool = True
    prefix: str = ""
    caps_pressed: bool = False
    """It presses Caps Lock around what it types and swaps Shift."""
    sees_caps_on: bool = False
    """It takes the lamp of Caps Lock for on and swaps Shift, without pressing it."""
    keys: dict[str, tuple[int, ...]] = field(init=False)

    def __post_init__(self) -> None:
        table = {shown: keys for keys, shown in reversed(characters(self.layout).items())}
        object.__setattr__(self, "keys", table)

    def read(self, code: SheetCode) -> Pressed:
        """The keys of one code of the sheet."""
        aim = code.aim if self.aim else ""
        text = self.prefix + aim + code.data.decode()
        typed = [key for character in text for key in self.type_one(character)]
        around = press(CAPS) if self.caps_pressed else ()
        return Pressed((*around, *typed, *self.suffix, *around))

    def type_one(self, character: str) -> Iterator[Key]:
        """The keys of one character."""
        if character == GS.decode():
            yield from self._separator()
            return
        if (self.caps_pressed or self.sees_caps_on) and character.isalpha():
            character = character.swapcase()
        if character in self.keys:
            yield from press(*self.keys[character])
        else:
            yield from self._by_number(f"{ord(character):04d}")

    def _separator(self) -> Iterator[Key]:
        match self.gs:
            case "ctrl":
                yield from press(CTRL, BRACKET_PLACE)
            case "alt":
                yield from self._by_number("0029")
            case "none":
                return
            case name if name in KEY_OF_F:
                yield from press(KEY_OF_F[name])
            case text:
                for character in text:
                    yield from self.type_one(character)

    @staticmethod
    def _by_number(digits: str) -> Iterator[Key]:
        yield (ALT, 1)
        for digit in digits:
            yield from press(KEYPAD[digit])
        yield (ALT, 0)

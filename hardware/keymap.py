"""Keys to bytes: what a keyboard-wedge scanner types, read by our own tables.

Pure: `Keys.press` takes one key event after the other and says what it gave. The tables are those
of the layout that the *scanner* was set to; what the console of the station thinks is never asked.
Codes are those of the kernel (`linux/input-event-codes.h`); characters leave as UTF-8.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

LayoutName = Literal["us", "gb", "de", "fr", "be"]
CapsMode = Literal["ignore", "track"]

UP: Final = 0
DOWN: Final = 1
REPEAT: Final = 2

ROWS: Final = (
    (41, *range(2, 14)),
    tuple(range(16, 28)),
    (*range(30, 41), 43),
    (86, *range(44, 54)),
)
"""The character keys, row by row from the upper left; 43 stands at the end of the third row."""

TABLES: Final[dict[LayoutName, tuple[tuple[str, ...], tuple[str, ...], dict[int, str]]]] = {
    "us": (
        ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'\\", "\\zxcvbnm,./"),
        ("~!@#$%^&*()_+", "QWERTYUIOP{}", 'ASDFGHJKL:"|', "|ZXCVBNM<>?"),
        {},
    ),
    "gb": (
        ("`1234567890-=", "qwertyuiop[]", "asdfghjkl;'#", "\\zxcvbnm,./"),
        ('¬!"£$%^&*()_+', "QWERTYUIOP{}", "ASDFGHJKL:@~", "|ZXCVBNM<>?"),
        {41: "¦", 5: "€", 18: "é", 22: "ú", 23: "í", 24: "ó", 30: "á"},
    ),
    "de": (
        ("^1234567890ß\u00b4", "qwertzuiopü+", "asdfghjklöä#", "<yxcvbnm,.-"),
        ('°!"§$%&/()=?`', "QWERTZUIOPÜ*", "ASDFGHJKLÖÄ'", ">YXCVBNM;:_"),
        {
            3: "²", 4: "³", 8: "{", 9: "[", 10: "]", 11: "}", 12: "\\", 16: "@", 18: "€",
            27: "~", 50: "µ", 86: "|",
        },
    ),
    "fr": (
        ("²&é\"'(-è_çà)=", "azertyuiop^$", "qsdfghjklmù*", "<wxcvbn,;:!"),
        ("\x001234567890°+", "AZERTYUIOP¨£", "QSDFGHJKLM%µ", ">WXCVBN?./§"),
        {
            3: "~", 4: "#", 5: "{", 6: "[", 7: "|", 8: "`", 9: "\\", 10: "^", 11: "@", 12: "]",
            13: "}", 18: "€", 27: "¤",
        },
    ),
    "be": (
        ("²&é\"'(§è!çà)-", "azertyuiop^$", "qsdfghjklmùµ", "<wxcvbn,;:="),
        ("³1234567890°_", "AZERTYUIOP¨*", "QSDFGHJKLM%£", ">WXCVBN?./+"),
        {
            2: "|", 3: "@", 4: "#", 7: "^", 10: "{", 11: "}", 18: "€", 26: "[", 27: "]",
            40: "\u00b4", 43: "`", 53: "~", 86: "\\",
        },
    ),
}  # fmt: skip
"""Each layout: its rows plain, its rows with Shift, what AltGr gives on some keys. NUL: nothing.
Dead keys stand as the character that is printed on them: a scanner presses them for that."""

SHIFTS: Final = frozenset({42, 54})
CTRLS: Final = frozenset({29, 97})
LEFT_ALT: Final = 56
RIGHT_ALT: Final = 100
CAPS_LOCK: Final = 58
NUM_LOCK: Final = 69
METAS: Final = {125: "LEFTMETA", 126: "RIGHTMETA"}
MODIFIERS: Final = SHIFTS | CTRLS | {LEFT_ALT, RIGHT_ALT, CAPS_LOCK, NUM_LOCK} | set(METAS)

ENTERS: Final = frozenset({28, 96})
KEYPAD_DIGITS: Final = {71: "7", 72: "8", 73: "9", 75: "4", 76: "5", 77: "6", 79: "1", 80: "2",
                        81: "3", 82: "0"}  # fmt: skip
SAME_EVERYWHERE: Final = {57: " ", 15: "\t", 1: "\x1b", 14: "\b", 55: "*", 74: "-", 78: "+",
                          83: ".", 98: "/", **KEYPAD_DIGITS}  # fmt: skip
ALT_DIGITS_MAX: Final = 4
"""More digits under Alt than Alt+0255 has are no character."""

NAMES: Final = {
    1: "ESC", 14: "BACKSPACE", 15: "TAB", 28: "ENTER", 29: "LEFTCTRL", 42: "LEFTSHIFT",
    54: "RIGHTSHIFT", 55: "KPASTERISK", 56: "LEFTALT", 57: "SPACE", 58: "CAPSLOCK",
    **{key: f"F{number}" for number, key in enumerate((*range(59, 69), 87, 88), 1)},
    **{key: f"F{number}" for number, key in enumerate(range(183, 195), 13)},
    69: "NUMLOCK", 70: "SCROLLLOCK", **{key: f"KP{name}" for key, name in KEYPAD_DIGITS.items()},
    74: "KPMINUS", 78: "KPPLUS", 83: "KPDOT", 96: "KPENTER", 97: "RIGHTCTRL", 98: "KPSLASH",
    99: "SYSRQ", 100: "RIGHTALT", 102: "HOME", 103: "UP", 104: "PAGEUP", 105: "LEFT",
    106: "RIGHT", 107: "END", 108: "DOWN", 109: "PAGEDOWN", 110: "INSERT", 111: "DELETE",
    113: "MUTE", 114: "VOLUMEDOWN", 115: "VOLUMEUP", 116: "POWER", 117: "KPEQUAL", 119: "PAUSE",
    127: "COMPOSE", 142: "SLEEP", 143: "WAKEUP", 158: "BACK", 159: "FORWARD", 172: "HOMEPAGE",
    **METAS,
    **dict(zip((key for row in ROWS for key in row), (
        "GRAVE", *"1234567890", "MINUS", "EQUAL", *"QWERTYUIOP", "LEFTBRACE", "RIGHTBRACE",
        *"ASDFGHJKL", "SEMICOLON", "APOSTROPHE", "BACKSLASH", "102ND", *"ZXCVBNM", "COMMA", "DOT",
        "SLASH",
    ), strict=True)),
}  # fmt: skip
"""The kernel's names of keys, without `KEY_`."""
CODES: Final = {name: code for code, name in NAMES.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRules:
    """How one wedge types. Names are those of the configuration."""

    layout: LayoutName = "us"
    caps: CapsMode = "ignore"
    """`track`: the scanner presses Caps Lock itself, and means it. `ignore`: it has no effect."""
    key_map: dict[str, bytes] = field(default_factory=dict)
    """Keys that stand for bytes: `{"F8": b"\\x1d"}`."""


@dataclass(frozen=True, slots=True)
class Typed:
    """What one key event gave; all empty: nothing."""

    data: bytes = b""
    forbidden: str | None = None
    """The key that no code holds."""
    is_repeat: bool = False


NOTHING: Final = Typed()


class Keys:
    """The state of one keyboard: what is held, Caps Lock, and digits typed under Alt."""

    def __init__(self, rules: KeyRules) -> None:
        unknown = sorted(set(rules.key_map) - set(CODES))
        if unknown:
            raise ValueError(f"key_map: {unknown[0]!r} is no key. Use names like F8, F12 or ESC.")
        self._rules = rules
        self._mapped = {CODES[name]: data for name, data in rules.key_map.items()}
        plain, shifted, self._third = TABLES[rules.layout]
        self._plain = _by_key(plain)
        self._shifted = _by_key(shifted)
        self._held: set[int] = set()
        self._caps = False
        self._alt_digits: str | None = None

    def release_all(self) -> None:
        """Forget what is held: events were lost, or the keyboard is a new one."""
        self._held.clear()
        self._alt_digits = None

    def press(self, code: int, value: int) -> Typed:
        """Take one event; `value` is 0 up, 1 down, 2 repeated by the kernel."""
        if value == REPEAT:
            return NOTHING if code in MODIFIERS else Typed(is_repeat=True)
        if code in MODIFIERS:
            return self._modify(code, is_down=value == DOWN)
        return self._down(code) if value == DOWN else NOTHING

    def _modify(self, code: int, *, is_down: bool) -> Typed:
        if code == CAPS_LOCK:
            self._caps ^= is_down and self._rules.caps == "track"
            return NOTHING
        if not is_down:
            self._held.discard(code)
            return self._alt_ended() if code in (LEFT_ALT, RIGHT_ALT) else NOTHING
        self._held.add(code)
        return Typed(forbidden=METAS[code]) if code in METAS else NOTHING

    def _alt_ended(self) -> Typed:
        """Alt is up again: its digits are one character, as on a PC."""
        digits, self._alt_digits = self._alt_digits, None
        if digits is None:
            return NOTHING
        number = int(digits)
        if len(digits) > ALT_DIGITS_MAX or number > 255:
            return Typed(forbidden=f"ALT+{digits}")
        page = "cp1252" if digits.startswith("0") else "cp437"
        text = chr(number) if number < 128 else bytes([number]).decode(page, "replace")
        return Typed(text.encode())

    def _down(self, code: int) -> Typed:
        ctrl = bool(self._held & CTRLS)
        third = RIGHT_ALT in self._held and bool(self._third)
        alt = LEFT_ALT in self._held or (RIGHT_ALT in self._held and not third)
        if self._held & METAS.keys():
            return self._forbid(code)
        if alt and not ctrl and code in KEYPAD_DIGITS:
            digits = (self._alt_digits or "") + KEYPAD_DIGITS[code]
            self._alt_digits = digits[: ALT_DIGITS_MAX + 1]
            return NOTHING
        if alt or (ctrl and third):
            return self._forbid(code)
        if code in ENTERS:
            return Typed(b"\r")
        if ctrl:
            return self._control(code)
        if code in self._mapped:
            return Typed(self._mapped[code])
        text = SAME_EVERYWHERE.get(code) or self._character(code, third=third)
        return Typed(text.encode()) if text else self._forbid(code)

    def _character(self, code: int, *, third: bool) -> str | None:
        if third:
            return self._third.get(code)
        shift = bool(self._held & SHIFTS)
        plain = self._plain.get(code, "")
        if self._caps and plain.isalpha() and self._shifted[code] == plain.upper():
            shift = not shift
        text = (self._shifted if shift else self._plain).get(code)
        return None if text == "\0" else text

    def _control(self, code: int) -> Typed:
        """Ctrl and a key: the C0 code of its character, else of the key's place on a US board."""
        us_plain, us_shifted, _ = TABLES["us"]
        shift = bool(self._held & SHIFTS)
        ours = (self._shifted, self._plain) if shift else (self._plain, self._shifted)
        american = (_by_key(us_shifted), _by_key(us_plain)) if shift else (
            _by_key(us_plain), _by_key(us_shifted))  # fmt: skip
        for table in (*ours, *american):
            character = table.get(code, "").upper()
            if len(character) == 1 and "@" <= character <= "_":
                return Typed(bytes([ord(character) & 0x1F]))
        return self._forbid(code)

    def _forbid(self, code: int) -> Typed:
        held = [
            name
            for name, keys in (("CTRL", CTRLS), ("ALT", {LEFT_ALT, RIGHT_ALT}), ("META", METAS))
            if self._held & set(keys)
        ]
        return Typed(forbidden="+".join([*held, NAMES.get(code, str(code))]))


def _by_key(rows: tuple[str, ...]) -> dict[int, str]:
    """Return a layout's characters by the codes of their keys."""
    return {
        code: character
        for codes, row in zip(ROWS, rows, strict=True)
        for code, character in zip(codes, row, strict=True)
    }

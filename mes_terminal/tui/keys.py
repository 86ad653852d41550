"""Characters from the terminal to keys, and nothing else: what a barcode holds stays harmless.

Textual's own parser also understands mouse reports, resizes, pastes and answers of the terminal;
a barcode can hold any of them, so the operator's screen reads keys only: single characters and
the few sequences below. Every character comes out in some key, so a code stays exact. Pure; used
by `terminal`.
"""

from typing import Final

from msgspec import Struct

ESC: Final = "\x1b"

SEQUENCES: Final[dict[str, str]] = {
    "\x1bOP": "f1", "\x1bOQ": "f2", "\x1bOR": "f3", "\x1bOS": "f4",
    "\x1b[11~": "f1", "\x1b[12~": "f2", "\x1b[13~": "f3", "\x1b[14~": "f4", "\x1b[15~": "f5",
    "\x1b[[A": "f1", "\x1b[[B": "f2", "\x1b[[C": "f3", "\x1b[[D": "f4", "\x1b[[E": "f5",
    "\x1b[17~": "f6", "\x1b[18~": "f7",
    "\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left",
    "\x1bOA": "up", "\x1bOB": "down", "\x1bOC": "right", "\x1bOD": "left",
    "\x1b[H": "home", "\x1b[F": "end", "\x1b[1~": "home", "\x1b[4~": "end",
    "\x1b[2~": "insert", "\x1b[3~": "delete", "\x1b[5~": "pageup", "\x1b[6~": "pagedown",
}  # fmt: skip
"""xterm, its VT220 form, and the Linux console."""

_PREFIXES: Final = frozenset(s[:n] for s in SEQUENCES for n in range(1, len(s)))
_NAMED: Final = {"\r": "enter", "\t": "tab", ESC: "escape", "\x7f": "backspace", "\b": "backspace"}


class KeyStroke(Struct, frozen=True):
    """A key by name, with the characters that the terminal sent for it."""

    name: str
    characters: str


class KeyReader:
    """Splits a stream of characters into keys; a sequence may come in pieces."""

    def __init__(self) -> None:
        self._held = ""

    @property
    def holding(self) -> bool:
        """Whether the beginning of a sequence waits for the rest."""
        return bool(self._held)

    def feed(self, text: str) -> list[KeyStroke]:
        """Return the keys that `text` completes."""
        keys: list[KeyStroke] = []
        for character in text:
            self._held += character
            keys += self._split()
        return keys

    def flush(self) -> list[KeyStroke]:
        """Nothing more came: what is held are keys of their own (a lone Esc)."""
        held, self._held = self._held, ""
        return [_single(character) for character in held]

    def _split(self) -> list[KeyStroke]:
        keys: list[KeyStroke] = []
        while self._held and self._held not in _PREFIXES:
            if self._held in SEQUENCES:
                keys.append(KeyStroke(SEQUENCES[self._held], self._held))
                self._held = ""
            else:
                keys.append(_single(self._held[0]))
                self._held = self._held[1:]
        return keys


def _single(character: str) -> KeyStroke:
    if character in _NAMED:
        return KeyStroke(_NAMED[character], character)
    if character < " ":
        return KeyStroke(f"ctrl+{chr(ord(character) + 96)}", character)
    return KeyStroke(character, character)

"""Who may post over HTTP: a file with a line `SOURCE TOKEN` for each station.

`#` begins a comment, the source `*` may speak for every station. The file is read again when it
changes, so a station is added or shut out without a restart. Only hashes are kept in memory.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from mes_terminal.errors import InputError

TOKENS_MAX_BYTES: Final = 1 << 20
"""Far more stations than one site has."""
EVERYBODY: Final = "*"


class Tokens:
    """The tokens of `site.tokens_file`. Raises `InputError` where the file is wrong at first."""

    def __init__(self, file: str) -> None:
        self._path = Path(file).expanduser()
        self._stamp: tuple[int, int] | None = None
        self._sources: dict[bytes, frozenset[str]] = {}
        self._stamp, self._sources = self._read()

    def sources_of(self, authorization: str | None) -> frozenset[str]:
        """Return for whom the sender of this header may speak; none where it is no token."""
        self._look()
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer":
            return frozenset()
        return self._sources.get(_hash(token.strip()), frozenset())

    def _look(self) -> None:
        """Read the file again if it changed; while it is wrong what was read before counts."""
        try:
            told = self._path.stat()
            if (told.st_mtime_ns, told.st_size) != self._stamp:
                self._stamp, self._sources = self._read()
        except (OSError, InputError):
            return

    def _read(self) -> tuple[tuple[int, int], dict[bytes, frozenset[str]]]:
        try:
            told = self._path.stat()
            with self._path.open(encoding="utf-8") as stream:
                text = stream.read(TOKENS_MAX_BYTES)
        except (OSError, UnicodeDecodeError) as error:
            why = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
            raise InputError(
                f"site.tokens_file: {self._path} cannot be read ({why}). Name a file that this "
                "program's user may read.",
                reason="settings",
            ) from error
        found: dict[bytes, frozenset[str]] = {}
        for number, line in enumerate(text.splitlines(), 1):
            words = line.split("#", 1)[0].split()
            if not words:
                continue
            if len(words) != 2:
                raise InputError(
                    f"site.tokens_file: line {number} of {self._path} is not SOURCE TOKEN. Write "
                    "both, with a blank between them.",
                    reason="settings",
                )
            key = _hash(words[1])
            found[key] = found.get(key, frozenset()) | {words[0]}
        return (told.st_mtime_ns, told.st_size), found


def may_speak(sources: frozenset[str], source: str) -> bool:
    """Tell whether a sender may speak for a source."""
    return source in sources or EVERYBODY in sources


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

"""The mark in the header of a training copy's file, and whether a file has it.

Reads a few bytes and imports nothing of SQLite: every command asks it first.
"""

from pathlib import Path
from typing import Final

USER_VERSION: Final = 0x54524E47
"""`TRNG` in the header's user version (SQLite file format, 1.3.11)."""
BESIDE: Final = ("-wal", "-shm", "-journal")
"""Files that SQLite keeps beside a database."""
_OFFSET: Final = 60
_BYTES: Final = 4


def is_training(path: Path) -> bool:
    """Tell whether a file is a training copy; false for one that is not there."""
    try:
        with path.open("rb") as stream:
            stream.seek(_OFFSET)
            found = stream.read(_BYTES)
    except OSError:
        return False
    return found == USER_VERSION.to_bytes(_BYTES, "big")

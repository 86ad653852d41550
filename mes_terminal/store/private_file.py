"""A database is for the station's user alone: it holds the hashes of PINs.

SQLite would make it by the umask; what it makes beside it has the mode of the database itself.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

PRIVATE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


def make_private(path: Path) -> None:
    """Make an empty file for this user alone, and its folder; one that is there stays as it is. Who
    opens it next tells why it could not be made."""
    path.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    with suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, PRIVATE))

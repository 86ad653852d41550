"""Where the socket of a database's core is, and who may use it.

`$XDG_RUNTIME_DIR/mes-terminal/<hash of the database path>.sock`; under systemd the service's
runtime directory (`/run/mes-terminal/`); else a folder of this user below the temporary one.
"""

import hashlib
import os
import socket
import stat
import struct
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from mes_terminal.errors import CoreError

SOCKET_PATH_MAX_BYTES: Final = 107
"""What Linux takes for the path of a Unix socket (`sun_path`, less its final zero)."""


def socket_path(database: Path, environment: Mapping[str, str] | None = None) -> Path:
    """Return where the core of `database` listens; the folder is made, for this user only.

    Raises `CoreError` if no folder can be used.
    """
    name = hashlib.sha256(os.fsencode(database.resolve())).hexdigest()[:16] + ".sock"
    for folder in _folders(os.environ if environment is None else environment):
        path = folder / name
        if len(os.fsencode(path)) <= SOCKET_PATH_MAX_BYTES and _make_private(folder):
            return path
    raise CoreError(
        "There is no folder for the station's socket. Set XDG_RUNTIME_DIR to a short path of "
        "your own.",
        reason="no_socket",
    )


def may_talk(connection: socket.socket) -> bool:
    """Tell whether the peer of a Unix socket is this user or root."""
    return _peer(connection) in (os.getuid(), 0)


def is_trusted(connection: socket.socket) -> bool:
    """Tell whether whoever listens may be told a PIN: this user or root. Root trusts anybody, as it
    may be at the station of any user."""
    return os.getuid() == 0 or may_talk(connection)


def _peer(connection: socket.socket) -> int:
    credentials = connection.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i")
    )
    _, uid, _ = struct.unpack("3i", credentials)
    return int(uid)


def _folders(environment: Mapping[str, str]) -> list[Path]:
    folders = []
    if environment.get("RUNTIME_DIRECTORY"):
        folders.append(Path(environment["RUNTIME_DIRECTORY"].split(":")[0]))
    if environment.get("XDG_RUNTIME_DIR"):
        folders.append(Path(environment["XDG_RUNTIME_DIR"]) / "mes-terminal")
    folders.append(Path(tempfile.gettempdir()) / f"mes-terminal-{os.getuid()}")
    return folders


def _make_private(folder: Path) -> bool:
    """Make `folder` with mode 0700; tell whether it is this user's and can be written."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        found = folder.lstat()
    except OSError:
        return False
    is_ours = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid()
    return is_ours and not found.st_mode & 0o022 and os.access(folder, os.W_OK | os.X_OK)

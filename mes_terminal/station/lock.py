"""One core per database: an exclusive lock on `<database>.lock`, and who holds it.

The lock is the kernel's (fcntl(2), open file description locks), so it ends with its holder however
that ends. Its first byte is the database: a core's, or a command's that is the core for a moment,
which others wait for. Its second byte is held by a core that listens; only then is what the file
says about the socket this core's and not that of one that was killed. Whoever looks takes no lock,
so looking is never in a starting core's way.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from mes_terminal.errors import CoreError

if TYPE_CHECKING:
    from collections.abc import Iterator

WAIT_MAX_S: Final = 60.0
"""How long a command waits for another command (a large load) to let go of the database."""
START_MAX_S: Final = 10.0
"""How long a core may take from its lock to its socket (recovery of scans included)."""
_POLL_S: Final = 0.02
_DATABASE: Final = 0
_LISTENS: Final = 1
"""The bytes that are locked."""
_FLOCK: Final = struct.Struct("hhqqi0q")
"""`struct flock` with 64-bit offsets: type, whence, start, length, process."""


class Holder(Struct, frozen=True):
    """Who holds the lock."""

    pid: int
    socket_text: str | None = None

    @property
    def socket(self) -> Path:
        """Where the core listens."""
        assert self.socket_text is not None
        return Path(self.socket_text)


class Lock:
    """The lock as held by this process; `let_go` or the process's end frees it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def announce(self, socket: Path | None) -> None:
        """Write who holds the lock and where it listens."""
        holder = Holder(os.getpid(), str(socket) if socket else None)
        content = msgspec.json.encode(holder)
        os.pwrite(self._descriptor, content.ljust(512) + b"\n", 0)
        if socket is not None:
            _take(self._descriptor, _LISTENS)

    def let_go(self) -> None:
        """Free the lock. The file stays: removing it would let two processes hold two files."""
        self.announce(None)
        os.close(self._descriptor)


def lock_path(database: Path) -> Path:
    """Return the lock's file."""
    return database.with_name(database.name + ".lock")


def take_lock(database: Path, *, wait_s: float = 0.0) -> Lock | None:
    """Take the lock; `None` if another process holds it after `wait_s`.

    Gives up at once when the holder is a core that listens: the caller goes through it.
    """
    path = lock_path(database)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CoreError(
            f"The database's folder cannot be written: {error.strerror}: {path.parent}.",
            reason="cannot_lock",
        ) from error
    deadline = time.monotonic() + wait_s
    while True:
        with contextlib.suppress(BlockingIOError, PermissionError):
            _take(descriptor, _DATABASE)
            lock = Lock(descriptor)
            lock.announce(None)
            return lock
        if time.monotonic() >= deadline or find_core(database) is not None:
            os.close(descriptor)
            return None
        time.sleep(_POLL_S)


def find_core(database: Path) -> Holder | None:
    """Return the core that runs for `database` and listens; `None` if there is none."""
    path = lock_path(database)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        if not _is_taken(descriptor, _LISTENS):
            return None
        holder = _read_holder(descriptor)
        return holder if holder is not None and holder.socket_text else None
    finally:
        os.close(descriptor)


def holder_of(database: Path) -> Holder | None:
    """Return who last said that it holds the lock, for messages."""
    with contextlib.suppress(OSError):
        descriptor = os.open(lock_path(database), os.O_RDONLY | os.O_CLOEXEC)
        try:
            return _read_holder(descriptor)
        finally:
            os.close(descriptor)
    return None


def held_sentence(database: Path) -> str:
    """Say who holds the database."""
    holder = holder_of(database)
    who = f"process {holder.pid}" if holder is not None else "another process"
    return f"The database {database} is in use by {who}. Wait for it, or stop it."


@contextlib.contextmanager
def held(database: Path, *, wait_s: float = 0.0) -> Iterator[Lock]:
    """Hold the lock for the block. Raises `CoreError` that names the holder."""
    lock = take_lock(database, wait_s=wait_s)
    if lock is None:
        raise CoreError(held_sentence(database), reason="held")
    try:
        yield lock
    finally:
        lock.let_go()


def _read_holder(descriptor: int) -> Holder | None:
    try:
        return msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Holder)
    except msgspec.MsgspecError:
        return None


def _take(descriptor: int, byte: int) -> None:
    """Lock a byte until the descriptor is closed. Raises `BlockingIOError` if another has it."""
    wanted = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, wanted)


def _is_taken(descriptor: int, byte: int) -> bool:
    """Tell whether another has locked a byte, without locking it."""
    wanted = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, byte, 1, 0)
    found = fcntl.fcntl(descriptor, fcntl.F_OFD_GETLK, wanted)
    kind: int = _FLOCK.unpack(found)[0]
    return kind != fcntl.F_UNLCK

"""PostgreSQL and NATS of one's own, in a folder that is thrown away: for the demo and for tests.

Each listens on this machine only, on a port of its own, and ends with whoever started it. Nothing
of a server that the machine runs already is touched.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import weakref
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

READY_MAX_S: Final = 30.0
END_MAX_S: Final = 30.0
CONNECTIONS_MAX: Final = 200
_LOOK_EVERY_S: Final = 0.02
_AGAIN_AFTER_S: Final = 0.2
_DEBIAN: Final = Path("/usr/lib/postgresql")


def free_port() -> int:
    """Return a port of this machine on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class LocalServer(ABC):
    """A server process: `start`, `stop` or `kill`, and `start` again with what it had."""

    name: ClassVar[str]
    ending: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._log = folder / "server.log"

    @classmethod
    @abstractmethod
    def missing(cls) -> str | None:
        """Return what has to be installed, as a sentence; `None` if nothing."""

    @abstractmethod
    def command(self) -> Sequence[str]:
        """Return the command line that runs it in the foreground."""

    def prepare(self) -> None:  # noqa: B027  most need nothing
        """Make what it needs before its first start."""

    def start(self) -> None:
        """Start it and wait until it answers. Raises `InputError` if it does not; then it is
        ended."""
        if not self._log.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self.prepare()
        deadline = time.monotonic() + READY_MAX_S
        self._process = self._launch()
        while not self.answers():
            if time.monotonic() > deadline:
                self.kill()
                last = self._log.read_text(errors="replace").strip().splitlines()[-1:]
                raise InputError(f"{self.name} does not start: {' '.join(last)}")
            time.sleep(_LOOK_EVERY_S)
            if self._process.poll() is not None:  # what was killed before it may still be ending
                time.sleep(_AGAIN_AFTER_S)
                self._process = self._launch()

    def _launch(self) -> subprocess.Popen[bytes]:
        with self._log.open("ab") as log:
            return subprocess.Popen(  # noqa: S603  of our own making
                list(self.command()), stdout=log, stderr=log, start_new_session=True
            )

    def answers(self) -> bool:
        """Tell whether it takes connections."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
            return True
        return False

    def kill(self) -> None:
        """End it at once, as a power cut would; its data stays."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Let it end by itself."""
        self._end(self.ending)

    def _end(self, number: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        self._process.wait(END_MAX_S)
        self._process = None


class NatsServer(LocalServer):
    """NATS with JetStream."""

    name = "nats-server"

    @classmethod
    def missing(cls) -> str | None:
        if shutil.which("nats-server"):
            return None
        return "nats-server is not installed. On Debian or Ubuntu: apt-get install nats-server"

    def command(self) -> Sequence[str]:
        return [
            "nats-server", "-a", "127.0.0.1", "-p", str(self.port), "-js",
            "-sd", str(self.folder / "data"),
        ]  # fmt: skip

    @property
    def url(self) -> str:
        """Where clients connect to."""
        return f"nats://127.0.0.1:{self.port}"


class Postgres(LocalServer):
    """A PostgreSQL cluster of its own; under root it runs as the user postgres."""

    name = "PostgreSQL"
    ending = signal.SIGINT  # it ends its connections itself

    @classmethod
    def missing(cls) -> str | None:
        if _program("postgres") is None:
            return "PostgreSQL is not installed. On Debian or Ubuntu: apt-get install postgresql"
        if os.getuid() == 0 and _postgres_user() is None:
            return "PostgreSQL does not run as root, and there is no user postgres. Add one."
        return None

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._user = _postgres_user() if os.getuid() == 0 else None
        self._data = folder / "data"
        if self._user is not None:  # whose temporary folders are closed to other users
            home = Path(tempfile.mkdtemp(prefix="mes-postgres-"))
            weakref.finalize(self, shutil.rmtree, home, ignore_errors=True)
            os.chown(home, self._user.pw_uid, self._user.pw_gid)
            self._data = home / "data"

    def prepare(self) -> None:
        made = subprocess.run(  # noqa: S603  of our own making
            [*_as(self._user), str(_program("initdb")), "-D", str(self._data), "-U", "postgres",
             "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync"],
            check=False, capture_output=True,
        )  # fmt: skip
        if made.returncode:
            raise InputError(f"PostgreSQL makes no cluster: {made.stderr.decode()[-300:].strip()}")
        with (self._data / "postgresql.conf").open("a") as conf:
            conf.write(f"max_connections = {CONNECTIONS_MAX}\nunix_socket_directories = ''\n")

    def command(self) -> Sequence[str]:
        return [
            *_as(self._user), str(_program("postgres")), "-D", str(self._data),
            "-h", "127.0.0.1", "-p", str(self.port),
        ]  # fmt: skip

    def answers(self) -> bool:
        return not self._client("pg_isready", "-q").returncode

    def url(self, database: str) -> str:
        """Return the URL of one of its databases."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def new_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        made = self._client("createdb", "-U", "postgres", name)
        if made.returncode:
            raise InputError(f"PostgreSQL makes no database: {made.stderr.decode().strip()}")
        return self.url(name)

    def _client(self, program: str, *words: str) -> subprocess.CompletedProcess[bytes]:
        place = ["-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(  # noqa: S603  of our own making
            [str(_program(program)), *place, *words], check=False, capture_output=True
        )


def _program(name: str) -> Path | None:
    """Return a program of PostgreSQL: Debian keeps those of the server beside the path."""
    found = sorted(_DEBIAN.glob(f"*/bin/{name}"))
    which = shutil.which(name)
    return found[-1] if found else Path(which) if which else None


def _postgres_user() -> pwd.struct_passwd | None:
    with contextlib.suppress(KeyError):
        return pwd.getpwnam("postgres")
    return None


def _as(user: pwd.struct_passwd | None) -> list[str]:
    if user is None:
        return []
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups"]

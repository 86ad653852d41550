"""A core in a process of its own, started for a screen.

It has its own session, so that a lost terminal does not reach it: it goes on handling scans and
ends when its last screen is left properly, or by `core --stop`. What it has to say stands in
`<database>.log`. While the screen that started it runs, a core that was killed is started again.
"""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from mes_terminal.errors import CoreError, DatabaseError, InputError, StationError
from mes_terminal.station.lock import find_core
from mes_terminal.store.private_file import make_private

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from mes_terminal.station.lock import Holder

START_MAX_S: Final = 60.0
"""A migration with its backup, or many recovered scans, may take so long."""
STOP_MAX_S: Final = 30.0
LOG_MAX_BYTES: Final = 10_000_000
"""A longer log is put aside (one is kept) before the core starts."""
STOOD_LEAST_S: Final = 10.0
"""A core that did not stand so long would not stand the next time either."""
_POLL_S: Final = 0.02


@dataclass(frozen=True)
class CoreChild:
    """A core that this process started, and where it listens."""

    process: subprocess.Popen[bytes]
    holder: Holder

    def stop(self) -> None:
        """End it: the scan at hand is finished first."""
        self.process.terminate()
        self.wait()

    def wait(self) -> None:
        """Wait for its end."""
        try:
            self.process.wait(STOP_MAX_S)
        except subprocess.TimeoutExpired as error:
            raise CoreError(
                f"The core (process {self.process.pid}) does not stop. Look at its log.",
                reason="held",
            ) from error


def start_core(
    database: Path, config: Path | None, environment: Mapping[str, str], *, training: bool = False
) -> CoreChild:
    """Start a core and wait until it listens. Raises the error it ended with."""
    log = database.with_name(database.name + ".log")
    if log.exists() and log.stat().st_size > LOG_MAX_BYTES:
        log.replace(log.with_name(log.name + ".1"))
    command = [sys.executable, "-m", "mes_terminal", "--db", str(database)]
    command += ["--config", str(config)] if config is not None else []
    make_private(log)
    with log.open("ab") as errors:
        before = errors.tell()
        process = subprocess.Popen(  # noqa: S603  our own program
            [*command, "core", "--for-screen", *(["--training"] if training else [])],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            env=dict(environment),
        )
    deadline = time.monotonic() + START_MAX_S
    holder = None
    try:
        while (holder := find_core(database)) is None:
            if process.poll() is not None:
                raise _end_of(process.returncode, log, before)
            if time.monotonic() > deadline:
                raise CoreError(f"The core does not start. Look at {log}.", reason="no_core")
            time.sleep(_POLL_S)
    finally:
        if holder is None:  # also where whoever waits for it is told to end
            process.terminate()
    return CoreChild(process, holder)


class KeptCore:
    """A core that is started again when it dies; what it had journalled is booked by the next.

    One that ends in order (`core --stop`) stays away, and so does one that dies at once.
    """

    def __init__(
        self,
        database: Path,
        config: Path | None,
        environment: Mapping[str, str],
        *,
        training: bool = False,
    ) -> None:
        """Start it and wait until it listens. Raises the error it ended with."""
        self._start = partial(start_core, database, config, environment, training=training)
        self.child = self._start()
        self._leaving = threading.Event()
        self.keeper = threading.Thread(target=self._keep, name="keeper", daemon=True)
        self.keeper.start()

    def leave(self) -> None:
        """Start it no more."""
        self._leaving.set()

    def _keep(self) -> None:
        with contextlib.suppress(StationError, OSError):  # it stays away; the screens say so
            while True:
                began_s = time.monotonic()
                code = self.child.process.wait()
                stood = time.monotonic() - began_s >= STOOD_LEAST_S
                if code == 0 or not stood or self._leaving.is_set():
                    return
                self.child = self._start()


def _end_of(code: int, log: Path, before: int) -> StationError:
    """Return the error that a core ended with, in its own words."""
    with log.open("rb") as stream:
        stream.seek(before)
        lines = stream.read(65536).decode(errors="replace").splitlines()
    told = [line for line in lines if line.startswith("mes-terminal: ")]
    sentence = told[-1].removeprefix("mes-terminal: ") if told else f"The core ended. See {log}."
    kind = DatabaseError if code == DatabaseError.exit_code else InputError
    return kind(sentence, reason="no_core")

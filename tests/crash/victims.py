"""Sends a piece of work to its death at every moment in turn, and gives what is left each time."""

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec

from mes_terminal.store.database import Database, open_database
from tests.crash.ledgers import ROOT, State, faults, remove, state
from tests.crash.victim import Death, Task

MOMENTS_MAX: Final = 600
"""Work that takes more is not what `every_death` was written for."""


class Victims:
    """The process that forks the children that die."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.victim"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def send(self, task: Task) -> Death:
        """Let a child do `task` and return what became of it."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        self._process.stdin.flush()
        return msgspec.json.decode(self._process.stdout.readline(), type=Death)

    def every_death(self, task: Task) -> Iterator[tuple[Database, Death]]:
        """Do `task` on a copy of its database, in peace first, then once for each moment at which
        it can die; yield what is left, opened anew and without a fault, and how it ended."""
        base = Path(task.database)
        hurt = base.with_name("hurt.db")
        moment, moments = 0, MOMENTS_MAX
        while moment <= moments:
            shutil.copy(base, hurt)
            death = self.send(msgspec.structs.replace(task, database=str(hurt), dies_at=moment))
            assert death.signal == (signal.SIGKILL if moment else 0)
            if not moment:
                assert 0 < death.moments <= MOMENTS_MAX
                moments = death.moments
            database = open_database(hurt)
            assert faults(database, task.received_at) == []
            yield database, death
            database.close()
            remove(hurt)
            moment += 1

    def all_or_nothing(self, task: Task, nothing: State) -> Iterator[tuple[Database, State]]:
        """The same, and each time it was done whole or not begun, whole where it was answered;
        yield what is left, and what it is when it is done."""
        everything, seen = None, set()
        for database, death in self.every_death(task):
            found = state(database)
            if everything is None:
                everything = found
            else:
                assert found in (nothing, everything)
                assert found == everything or not death.answered, "what was answered is durable"
                seen.add(found == everything)
            yield database, everything
        assert seen == {False, True}

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=10)

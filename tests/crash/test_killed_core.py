"""The real core, killed at every SQL statement of one close that came over its socket.

What dies is `mes-terminal core`: lock, socket, event loop, store thread. What comes after is a
core or a `scan` as a person starts them.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
import pytest

from mes_terminal.domain.outcome import Outcome
from mes_terminal.errors import StationError
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import find_core
from tests.crash.core_victim import Begin, Child, End, Ended, Watch
from tests.crash.ledgers import (
    ROOT,
    Plant,
    State,
    make_plant,
    read,
    remove,
    without_journal,
)

CODE: Final = "WO-1001"
SCAN_ID: Final = "019aa0b1-7c00-7000-8000-000000000001"
TOLD: Final = "Booked before the stop: "
PATIENCE_S: Final = 30.0
POLL_S: Final = 0.005


class Core:
    """A core in a child that is watched, and what the child wrote."""

    def __init__(self, children: "Children", database: Path, **dying: int) -> None:
        self.database = database
        self._children = children
        self._moments = database.with_name("moments")
        self._moments.unlink(missing_ok=True)
        watch = Watch(
            scan_id=SCAN_ID,
            scanned_at=children.plant.scanned_at,
            moments=str(self._moments),
            **dying,
        )
        self._pid = children.begin(database, "core", watch=watch)
        children.await_core(database)
        assert self.said() == b"", "a statement ran before the scan was sent"

    def said(self) -> bytes:
        """Return a dot for each statement so far, J for the journal, C for the checkpoint."""
        return self._moments.read_bytes() if self._moments.exists() else b""

    def scan(self) -> Outcome | StationError:
        """Send the code over the core's socket; return what the sender is told."""
        holder = find_core(self.database)
        assert holder is not None
        try:
            with Client(holder.socket) as client:
                return client.ask("scan", Outcome, code=CODE, device="crash")
        except StationError as error:
            return error

    def until_checkpoint(self) -> None:
        """Wait until the core has come to rest."""
        deadline = time.monotonic() + PATIENCE_S
        while b"C" not in self.said():
            assert time.monotonic() < deadline
            time.sleep(POLL_S)

    def stop(self) -> None:
        """Stop it as the service manager does."""
        os.kill(self._pid, signal.SIGTERM)
        assert self.end() == Ended(signal=0, exit_code=0)

    def end(self) -> Ended:
        """Wait for its end."""
        return self._children.end(self._pid)


class Children:
    """The process that forks the children."""

    def __init__(self, plant: Plant, folder: Path) -> None:
        self.plant = plant
        self._runtime = tempfile.mkdtemp(prefix="mt-")  # short: a socket's path has 107 bytes
        mine = {name: value for name, value in os.environ.items() if "MES_TERMINAL" not in name}
        self._folder, self._begun = folder, 0
        self._outputs: dict[int, Path] = {}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.crash.core_victim"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=mine | {"XDG_RUNTIME_DIR": self._runtime, "XDG_CONFIG_HOME": str(folder)},
        )

    def begin(self, database: Path, *words: str, watch: Watch | None = None) -> int:
        """Begin a command in a child and return its process id."""
        self._begun += 1
        outputs = self._folder / f"{self._begun:05d}"
        command = ["--db", str(database), *words]
        begin = Begin(words=command, outputs=str(outputs), watch=watch)
        pid = msgspec.json.decode(self._ask(begin), type=Child).pid
        self._outputs[pid] = outputs
        return pid

    def end(self, pid: int) -> Ended:
        """Wait for a child."""
        return msgspec.json.decode(self._ask(End(pid)), type=Ended)

    def run(self, database: Path, *words: str) -> tuple[str, str]:
        """Run a command to its good end; return what it wrote."""
        pid = self.begin(database, *words)
        ended = self.end(pid)
        assert ended == Ended(signal=0, exit_code=0), self.told(pid)
        return self.told(pid)

    def run_core(self, database: Path) -> str:
        """Start a core, stop it when it is ready, and return what it wrote on standard error."""
        pid = self.begin(database, "core")
        self.await_core(database)
        self.run(database, "core", "--stop")
        assert self.end(pid) == Ended(signal=0, exit_code=0)
        return self.told(pid)[1]

    def told(self, pid: int) -> tuple[str, str]:
        """Return what a child has written on standard output and standard error."""
        outputs = self._outputs[pid]
        return outputs.with_suffix(".out").read_text(), outputs.with_suffix(".err").read_text()

    def await_core(self, database: Path) -> None:
        """Wait until the core of `database` listens."""
        deadline = time.monotonic() + PATIENCE_S
        while find_core(database) is None:
            assert time.monotonic() < deadline, "no core"
            time.sleep(POLL_S)

    def close(self) -> None:
        """End the process."""
        self._process.communicate(timeout=10)
        shutil.rmtree(self._runtime)

    def _ask(self, question: Begin | End) -> bytes:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(question) + b"\n")
        self._process.stdin.flush()
        return self._process.stdout.readline()


@pytest.fixture(scope="module")
def children(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Children]:
    folder = tmp_path_factory.mktemp("core")
    process = Children(make_plant(folder), folder)
    yield process
    process.close()


class Calm(msgspec.Struct, frozen=True):
    """One close that nothing disturbed: how many moments it had, and what it left."""

    journalled_at: int
    moments: int
    nothing: State
    everything: State


@pytest.fixture(scope="module")
def calm(children: Children, tmp_path_factory: pytest.TempPathFactory) -> Calm:
    database = fresh(children, tmp_path_factory.mktemp("calm"))
    nothing = read(database)
    core = Core(children, database)
    outcome = core.scan()
    assert isinstance(outcome, Outcome)
    assert outcome.outcome == "completed"
    core.until_checkpoint()
    said = core.said()
    core.stop()
    everything = read(database)
    assert len(everything["movement"]) > len(nothing["movement"]), "the scan posted nothing"
    assert len(everything["scan_journal"]) == len(nothing["scan_journal"]) + 1
    return Calm(said.index(b"J"), said.count(b"."), nothing, everything)


def fresh(children: Children, folder: Path) -> Path:
    """Return a new copy of the sample plant's database."""
    return Path(shutil.copy(children.plant.path, folder / "station.db"))


def test_a_core_killed_at_any_statement_of_a_close_has_booked_it_once(
    children: Children, calm: Calm, tmp_path: Path
) -> None:
    """BF-12, BF-13: nothing or everything; what was journalled is booked at the start, and told."""
    assert 0 < calm.journalled_at < calm.moments / 2
    lost = 0
    for moment in range(1, calm.moments + 1):
        database = fresh(children, tmp_path)
        core = Core(children, database, killed_at=moment)
        told = core.scan()
        assert core.end() == Ended(signal=signal.SIGKILL, exit_code=0), f"moment {moment}"
        assert core.said().count(b".") == moment
        journalled, booked = look(database, calm)
        assert journalled or b"J" not in core.said(), "a scan that was journalled is lost"
        assert booked or not isinstance(told, Outcome), "an outcome that was told is lost"
        told_at_start = restart(children, database, with_core=moment % 2 == 0)
        named = [line for line in told_at_start.splitlines() if line.startswith(TOLD)]
        assert len(named) == (journalled and not booked)
        assert all(CODE in line for line in named)
        stands_well(children, database, calm.everything if journalled else calm.nothing)
        lost += not journalled
        remove(database)
    assert lost < calm.moments / 2, "most deaths came before the journal"


@pytest.mark.parametrize("part", ["the journal", "the close"])
def test_a_core_told_to_stop_in_a_close_finishes_what_it_is_at(
    part: str, children: Children, calm: Calm, tmp_path: Path
) -> None:
    """SIGTERM while the store thread is within a statement: the scan at hand is finished."""
    journalling = part == "the journal"
    moment = 2 if journalling else (calm.journalled_at + calm.moments) // 2
    database = fresh(children, tmp_path)
    core = Core(children, database, ended_at=moment)
    told = core.scan()
    assert core.end() == Ended(signal=0, exit_code=0)
    assert b"J" in core.said()
    if journalling:
        assert isinstance(told, StationError)
        assert "do not scan it again" in told.sentence
        assert TOLD in restart(children, database, with_core=True)
    else:
        assert isinstance(told, Outcome)
        assert told.outcome == "completed"
    stands_well(children, database, calm.everything)


def look(database: Path, calm: Calm) -> tuple[bool, bool]:
    """Check what the dead core left, on a copy; tell whether the scan is journalled, and booked."""
    copy = database.with_name("look.db")
    for tail in ("", "-wal"):
        left = database.with_name(database.name + tail)
        if left.exists():
            shutil.copy(left, copy.with_name(copy.name + tail))
    found = read(copy)
    remove(copy)
    journalled = len(found["scan_journal"]) > len(calm.nothing["scan_journal"])
    booked = found["scan_outcome"] != calm.nothing["scan_outcome"]
    whole = calm.everything if booked else calm.nothing
    assert without_journal(found) == without_journal(whole)
    return journalled, booked


def restart(children: Children, database: Path, *, with_core: bool) -> str:
    """Start the station again, as a core or as a command; return its standard error."""
    return children.run_core(database) if with_core else children.run(database, "scan", "-")[1]


def stands_well(children: Children, database: Path, expected: State) -> None:
    """Check the ledger against the undisturbed one, by doctor, and that nothing comes twice."""
    assert read(database) == expected
    assert "FAIL" not in children.run(database, "doctor")[0]
    assert children.run(database, "scan", "-") == ("", ""), "a scan is handled twice"
    assert read(database) == expected

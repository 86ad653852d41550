"""Commands run in children that may die: the real core among them, killed at the moment named.

Started once; for each line on standard input, a `Begin` or an `End` as JSON, it answers with a
line. `Begin` forks a child that runs the command line as it is, and only watches the store
thread's connection from outside; `End` waits for a child. Forking spares every child the time to
start Python. It has one thread, so forking is safe.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from mes_terminal.cli import core as _core_command  # noqa: F401  imported once, for all children
from mes_terminal.cli import doctor as _doctor_command  # noqa: F401
from mes_terminal.cli import scan as _scan_command  # noqa: F401
from mes_terminal.cli.main import run
from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.scan import Scan, ScanRequest
from mes_terminal.station import booking, core, upstream, worker

STOP_BEGINS_MAX_S = 30.0
"""Far more than the event loop takes to hear a signal."""


class Watch(msgspec.Struct, frozen=True, kw_only=True):
    """How the core is watched: its scan's id and time, and where its moments are written.

    A moment is the beginning of an SQL statement of the writing connection once the core waits for
    scans, counted from 1. At `killed_at` the process gets SIGKILL, at `ended_at` SIGTERM, at 0
    nothing.
    """

    scan_id: str
    scanned_at: str
    moments: str
    killed_at: int = 0
    ended_at: int = 0


class Begin(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """Run a command in a child, its outputs into files; answered with the child's `Child`."""

    words: list[str]
    outputs: str
    """The files' path; `.out` and `.err` are added."""
    watch: Watch | None = None


class End(msgspec.Struct, frozen=True, tag=True):
    """Wait for a child; answered with `Ended`."""

    pid: int


class Child(msgspec.Struct, frozen=True):
    """A child that was forked."""

    pid: int


class Ended(msgspec.Struct, frozen=True):
    """What became of a child: what killed it (0: nothing did), or its exit code."""

    signal: int
    exit_code: int


def main() -> None:
    """Answer each line on standard input with one on standard output; at its end kill the rest."""
    setattr(upstream.Upstream, "start", lambda _: None)  # noqa: B010  it writes when it likes
    alive = set()
    for line in sys.stdin.buffer:
        match msgspec.json.decode(line, type=Begin | End):
            case Begin() as begin:
                forked = fork(begin)
                alive.add(forked)
                answer: Child | Ended = Child(forked)
            case End(pid=pid):
                _, status = os.waitpid(pid, 0)
                alive.remove(pid)
                answer = Ended(
                    signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
                    exit_code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
                )
        sys.stdout.buffer.write(msgspec.json.encode(answer) + b"\n")
        sys.stdout.buffer.flush()
    for pid in alive:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def fork(begin: Begin) -> int:
    """Start a child and return its process id."""
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        for number, name in enumerate([os.devnull, f"{begin.outputs}.out", f"{begin.outputs}.err"]):
            flags = os.O_RDWR | os.O_CREAT | (os.O_TRUNC if number else 0)
            os.dup2(os.open(name, flags, 0o600), number)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115  stays
        if begin.watch is not None:
            watch_core(begin.watch)
        code = run(begin.words)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os._exit(code)


def watch_core(watch: Watch) -> None:
    """Let the core that this process becomes be watched; what it does is its own code."""
    said = os.open(watch.moments, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    stop_begins = threading.Event()
    count = 0

    def at_statement(statement: str) -> None:
        nonlocal count
        count += 1
        os.write(said, b".C" if "wal_checkpoint" in statement else b".")
        if count == watch.killed_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if count == watch.ended_at:
            os.kill(os.getpid(), signal.SIGTERM)
            assert stop_begins.wait(STOP_BEGINS_MAX_S)

    class WatchedBooking(booking.Booking):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self.new_id = lambda: watch.scan_id  # type: ignore[assignment]

        def recover(self) -> Iterator[Outcome]:
            yield from super().recover()
            self.db.conn.set_trace_callback(at_statement)

        def journal(self, requests: Sequence[ScanRequest]) -> list[Scan]:
            scans = super().journal(requests)
            os.write(said, b"J")
            return scans

    class WatchedWorker(worker.Worker):
        def stop(self) -> None:
            super().stop()
            stop_begins.set()

    booking.utc_now = lambda: watch.scanned_at  # type: ignore[attr-defined]
    worker.Booking = WatchedBooking  # type: ignore[attr-defined,assignment]
    core.Worker = WatchedWorker  # type: ignore[attr-defined]


if __name__ == "__main__":
    main()

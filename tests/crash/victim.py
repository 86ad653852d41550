"""The process that is killed: it journals one code, handles it, and dies at the moment named.

Started once; for each line on standard input, a `Task` as JSON, it forks a child that does the
work, and answers with a `Death`. Forking spares every death the time to start Python. It has one
thread, so forking is safe; the child opens its own connection.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Final

import msgspec

from mes_terminal.domain.delivery import Answer
from mes_terminal.domain.healing import Decision
from mes_terminal.domain.policy import APPROVAL_DEVICE, ControlMatrix
from mes_terminal.domain.resolving import Resolved
from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.scan import ScanRequest
from mes_terminal.store.database import Database, open_database
from mes_terminal.usecases.approve import answer_request
from mes_terminal.usecases.grant_permit import Wanted
from mes_terminal.usecases.handle_scan import handle_scan
from mes_terminal.usecases.heal import heal_all
from mes_terminal.usecases.journal import journal_scans
from mes_terminal.usecases.note_answers import note_answers
from mes_terminal.usecases.resolve_exceptions import resolve_exception
from mes_terminal.usecases.retry_scan import begin_retry, end_retry, is_retry

ASKING: Final = StationRules(policy=ControlMatrix({"over_completion": {"default": "approve"}}))
"""Where more than was ordered takes an approval."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """What the child is to do (no code: no scan), and at which moment it dies, counted from 1
    (0: at none).

    A moment is the beginning of an SQL statement or, where `steps` is not 0, every so many steps of
    SQLite's virtual machine: those lie within statements too.
    """

    database: str
    code: str
    scan_id: str
    received_at: str
    dies_at: int = 0
    steps: int = 0
    heals: bool = False
    """Then what waits to heal is posted (BF-22), as between two scans."""
    decision: Decision | None = None
    """Then the supervisor `SUP` ends the first exception so (BF-23)."""
    approves: bool = False
    """Then `SUP` approves the first question, and its code is handled again (BF-24)."""
    answers: list[Answer] = []
    """Then the receiver has answered so (UP-8)."""


class Death(msgspec.Struct, frozen=True):
    """What became of the child: how far it said it was, and what killed it (0: nothing did)."""

    journalled: bool
    answered: bool
    moments: int
    signal: int
    exit_code: int


def main() -> None:
    """Answer each task on standard input with one line on standard output."""
    for line in sys.stdin.buffer:
        death = die(msgspec.json.decode(line, type=Task))
        sys.stdout.buffer.write(msgspec.json.encode(death) + b"\n")
        sys.stdout.buffer.flush()


def die(task: Task) -> Death:
    """Run `task` in a child and wait for its end."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        code = 1
        try:
            work(task, writing)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    return Death(
        journalled=b"J" in said,
        answered=b"A" in said,
        moments=said.count(b"."),
        signal=os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0,
        exit_code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else 0,
    )


def work(task: Task, said: int) -> None:
    """Journal and handle the code; say what is durable, as soon as it is."""
    database = open_database(Path(task.database))
    moments = 0

    def at_moment(*_: str) -> int:
        nonlocal moments
        moments += 1
        if moments == task.dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
        os.write(said, b".")
        return 0

    if task.steps:
        database.conn.set_progress_handler(at_moment, task.steps)
    else:
        database.conn.set_trace_callback(at_moment)
    if task.code:
        request = ScanRequest(raw=task.code.encode(), device="crash")
        scans = journal_scans(
            database, [request], received_at=task.received_at, new_id=lambda: task.scan_id
        )
        os.write(said, b"J")
        for scan in scans:
            handle_scan(database, scan, StationRules())
        os.write(said, b"A")
    if task.heals:
        heal_all(database, StationRules(), now=task.received_at)
    if task.decision is not None:
        decide(database, task.decision, now=task.received_at, scan_id=task.scan_id)
        os.write(said, b"A")
    if task.approves:
        approve(database, task, said)
    if task.answers:
        note_answers(database, task.answers, rules=StationRules(), now=task.received_at)
        os.write(said, b"A")
    database.checkpoint()
    database.conn.set_progress_handler(None, 0)
    database.conn.set_trace_callback(None)
    database.close()


def decide(database: Database, decision: Decision, *, now: str, scan_id: str) -> None:
    """End the first exception, as the station does: a failed scan is handled again in between."""
    rules = StationRules()
    if not is_retry(database.conn, 1, decision):
        resolve_exception(database, 1, decision, by="SUP", rules=rules, now=now)
        return
    begun = begin_retry(
        database, 1, decision, by="SUP", rules=rules, now=now, new_id=lambda: scan_id
    )
    if not isinstance(begun, Resolved):
        outcome = handle_scan(database, begun, rules)
        end_retry(database, 1, outcome, decision, by="SUP", rules=rules, now=now)


def approve(database: Database, task: Task, said: int) -> None:
    """Approve what is asked, then handle its code again, as the station does."""
    now = task.received_at
    answered = answer_request(
        database, 1, approves=True, wanted=Wanted(), by="SUP", rules=ASKING, now=now
    )
    os.write(said, b"A")
    assert answered.again is not None
    request = ScanRequest(raw=answered.again, device=APPROVAL_DEVICE)
    for scan in journal_scans(database, [request], received_at=now, new_id=lambda: task.scan_id):
        os.write(said, b"J")
        handle_scan(database, scan, ASKING)


if __name__ == "__main__":
    main()

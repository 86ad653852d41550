"""One core per database: the lock, who holds it, and its end with the holder."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from mes_terminal.errors import CoreError
from mes_terminal.station.lock import Holder, Lock, find_core, held, holder_of, take_lock

HOLD = """
import sys, pathlib
from mes_terminal.station.lock import take_lock
lock = take_lock(pathlib.Path(sys.argv[1]))
lock.announce(pathlib.Path("/run/x.sock") if sys.argv[2] == "core" else None)
print("held", flush=True)
sys.stdin.read()
"""


def hold(database: Path, kind: str) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(database), kind],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "held\n"
    return process


def test_a_second_holder_is_refused_and_the_first_is_named(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with hold(database, "command") as other:
        assert take_lock(database) is None
        with pytest.raises(CoreError, match=f"process {other.pid}"), held(database):
            pass
        assert find_core(database) is None
        other.communicate("")
    with held(database):
        holder = holder_of(database)
        assert holder is not None
        assert holder.pid == os.getpid()


def test_a_core_is_found_with_its_socket(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    assert find_core(database) is None
    with hold(database, "core") as other:
        found = find_core(database)
        assert found is not None
        assert (found.pid, found.socket) == (other.pid, Path("/run/x.sock"))
        assert take_lock(database, wait_s=60) is None  # at once: the caller goes through it
        other.communicate("")


def test_a_killed_holder_leaves_nothing_behind(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with hold(database, "core") as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
    assert find_core(database) is None
    lock = take_lock(database)
    assert lock is not None
    lock.let_go()


def test_a_command_waits_for_another_to_let_go(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with hold(database, "command") as other:
        assert other.stdin is not None
        other.stdin.close()
        lock = take_lock(database, wait_s=30)
        assert lock is not None
        lock.let_go()


def test_a_starting_core_is_not_taken_for_the_killed_one_before_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a killed core left in the file says nothing about who holds the lock now."""
    database = tmp_path / "a.db"
    with hold(database, "core") as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
    found: list[Holder | None] = []

    def look_first(lock: Lock, socket: Path | None) -> None:
        found.append(find_core(database))
        announce(lock, socket)

    announce = Lock.announce
    monkeypatch.setattr(Lock, "announce", look_first)
    lock = take_lock(database)
    assert lock is not None
    lock.announce(Path("/run/y.sock"))
    lock.let_go()
    assert found == [None, None, Holder(os.getpid(), "/run/y.sock")]


def test_who_looks_for_a_core_never_stands_in_the_way_of_one(tmp_path: Path) -> None:
    database = tmp_path / "a.db"
    with held(database):
        pass
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            find_core(database)

    looker = threading.Thread(target=look)
    looker.start()
    try:
        for _ in range(2000):
            with held(database):
                pass
    finally:
        stop.set()
        looker.join()

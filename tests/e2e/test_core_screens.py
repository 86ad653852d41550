"""`run` and `demo`: a screen's core of its own, on a real pseudo-terminal and without any."""

import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mes_terminal.cli import child
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import Holder, find_core
from tests.e2e.station_process import PATIENCE_S, Station


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path, TERM="xterm-256color")
    station.load_plant()
    yield station
    station.close()


def await_core(station: Station) -> Holder:
    deadline = time.monotonic() + PATIENCE_S
    while (holder := find_core(station.database)) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return holder


def await_end(station: Station) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while find_core(station.database) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_core_survives_a_lost_terminal_and_ends_with_the_next_screen(plant: Station) -> None:
    """A lost terminal must not cost a scan: the core goes on, and the next screen attaches."""
    master, slave = pty.openpty()
    screen = subprocess.Popen(
        plant.command("run"),
        stdin=slave,
        stdout=slave,
        stderr=slave,
        env=plant.environment,
        cwd=plant.folder,
        start_new_session=True,
    )
    os.close(slave)
    holder = await_core(plant)
    drawn = b""
    deadline = time.monotonic() + PATIENCE_S
    while b"LIVE" not in drawn:
        assert select.select([master], [], [], deadline - time.monotonic())[0], drawn
        drawn += os.read(master, 65536)
    os.close(master)
    screen.wait(PATIENCE_S)
    assert plant.scan("WO-1")[0]["outcome"] == "completed"
    assert find_core(plant.database) == holder
    with Client(holder.socket) as client:
        assert client.ask("leave", dict[str, bool]) == {"stops": True}
    await_end(plant)


def test_a_core_that_is_killed_under_its_screen_is_started_again(
    plant: Station, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its screens attach again by themselves; told to stop, it stays away."""
    monkeypatch.setattr(child, "STOOD_LEAST_S", 0.0)
    kept = child.KeptCore(plant.database, None, plant.environment)
    first = kept.child
    first.process.kill()
    first.process.wait(PATIENCE_S)
    assert await_core(plant).pid != first.process.pid
    assert plant.scan("WO-1")[0]["outcome"] == "completed"
    plant.run("core", "--stop")
    kept.keeper.join(PATIENCE_S)
    assert not kept.keeper.is_alive()
    assert find_core(plant.database) is None


def test_a_core_that_dies_at_once_is_not_started_for_ever(plant: Station) -> None:
    kept = child.KeptCore(plant.database, None, plant.environment)
    kept.child.process.kill()
    kept.keeper.join(PATIENCE_S)
    assert not kept.keeper.is_alive()
    assert find_core(plant.database) is None


def test_the_screen_needs_a_terminal(plant: Station) -> None:
    assert b"mes-terminal core" in plant.run("run", code=2).stderr


def test_what_keeps_a_core_from_starting_is_told(plant: Station) -> None:
    from mes_terminal.errors import InputError

    plant.environment["MES_TERMINAL_SCANNER__HAND__DRIVER"] = "simulated"
    with pytest.raises(InputError, match=r"scanner\.hand\.driver"):
        child.start_core(plant.database, None, plant.environment)


def test_the_demo_scans_the_sample_plant_and_leaves_nothing_behind(tmp_path: Path) -> None:
    """The newcomer's first command, where there is no terminal."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    station = Station(tmp_path, TMPDIR=str(temporary))
    done = station.run("demo", "--headless")
    lines = done.stdout.decode().splitlines()
    assert any(line.startswith("WO-1001 ") and " OK " in line for line in lines)
    assert lines[-1] == "Doctor: 10 checks, 0 failed"
    assert list(temporary.iterdir()) == []
    assert not station.database.exists()

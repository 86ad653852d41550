"""Training on a copy of the live database, beside the running station (issue 5, part 8)."""

import json
import os
import pty
import select
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.cli.child import start_core
from mes_terminal.domain.view import StationView
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import find_core
from mes_terminal.store.sqlite import sqlite
from mes_terminal.store.training_mark import is_training
from tests.e2e.station_process import PATIENCE_S, Station


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Station]:
    """A station with one order reported, and a scanner in its settings."""
    station = Station(tmp_path, TERM="xterm-256color")
    station.load_plant()
    station.scan("WO-1")
    yield station
    station.close()


def copy_of(live: Station) -> Station:
    """Make the training copy; the same settings with its database."""
    live.run("training", "--copy-only")
    station = Station(live.folder)
    station.environment = live.environment
    station.database = live.folder / "station.training.db"
    return station


def doctor(station: Station) -> dict[str, dict[str, Any]]:
    found = [json.loads(line) for line in station.run("doctor", "--json").stdout.splitlines()]
    return {row["check"]: row for row in found}


@pytest.mark.parametrize("with_core", [False, True])
def test_a_copy_is_made_beside_the_station_which_goes_on_untouched(
    live: Station, with_core: bool
) -> None:
    core = live.start_core() if with_core else None
    if with_core:
        live.run("sync")  # the core would do it meanwhile
    before = live.rows("outbox")
    copy = copy_of(live)
    assert is_training(copy.database)
    assert not is_training(live.database)
    assert copy.database.stat().st_mode == live.database.stat().st_mode
    assert live.rows("outbox") == before
    assert live.rows("stock") == copy.rows("stock")
    expected = "delivered" if with_core else "parked"
    assert {row["status"] for row in copy.rows("outbox")} == {expected}
    if core is not None:
        assert find_core(live.database) is not None
        live.run("core", "--stop")


def test_nothing_of_it_goes_upstream_whatever_is_booked_in_it(live: Station) -> None:
    copy = copy_of(live)
    (outcome,) = copy.scan("WO-2")
    assert outcome["outcome"] == "completed"
    assert {row["status"] for row in copy.rows("outbox")} == {"parked"}
    assert {row["status"] for row in live.rows("outbox")} == {"waiting"}
    epochs = {row["event"]["epoch"] for row in copy.rows("outbox")}
    assert len(epochs) == 2
    with sqlite.connect(str(copy.database)) as conn:
        for statement in ("UPDATE delivery SET status = 'waiting'",
                          "UPDATE delivery SET status = 'delivered'",
                          "DELETE FROM meta WHERE key = 'training'",
                          "UPDATE meta SET value = '' WHERE key = 'training'"):  # fmt: skip
            with pytest.raises(sqlite.IntegrityError):
                conn.execute(statement)
    checks = doctor(copy)
    assert all(row["ok"] for row in checks.values())
    assert str(live.database) in checks["training"]["detail"]
    assert "training" not in doctor(live)


def test_every_command_on_a_copy_says_so(live: Station) -> None:
    copy = copy_of(live)
    for words in (("stock",), ("scan", "WO-2"), ("doctor",)):
        assert copy.run(*words).stderr.startswith(b"TRAINING: "), words
        assert b"TRAINING" not in live.run(*words).stderr
    out = live.folder / "badge.svg"
    copy.run("labels", "badge", "OP-1", "--form", "svg", "--out", str(out))
    assert "TRAINING" in out.read_text()


def test_a_copy_is_never_taken_for_the_station_nor_the_other_way(live: Station) -> None:
    copy = copy_of(live)
    refused = copy.run("core", code=2)
    assert b"is a training copy, not the station's database" in refused.stderr
    assert b"is no training copy" in live.run("core", "--training", code=2).stderr
    assert b"training copy itself" in copy.run("training", "--copy-only", code=2).stderr
    config = live.folder / "line.toml"
    config.write_text(f'[database]\npath = "{copy.database}"\n')
    live.database = copy.database
    for command in ("core", "run", "supervisor"):
        done = subprocess.run(
            live.command("--config", str(config), command), env=live.environment, cwd=live.folder,
            stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        assert done.returncode == 2


def test_the_training_core_has_no_scanner_no_printer_and_says_what_it_is(live: Station) -> None:
    live.environment |= {
        "MES_TERMINAL_SCANNER__HAND__DRIVER": "serial_port",
        "MES_TERMINAL_SCANNER__HAND__PORT": "/dev/serial/by-id/none",
        "MES_TERMINAL_LABELS__ON_COMPLETION": "true",
        "MES_TERMINAL_LABELS__PRINTER": str(live.folder / "printer"),
    }
    copy = copy_of(live)
    core = start_core(copy.database, None, copy.environment, training=True)
    try:
        assert core.holder.socket != live.database
        with Client(core.holder.socket) as client:
            view = client.ask("view", StationView)
            assert (view.mode, view.scanners, view.postings_waiting) == ("training", [], 0)
            assert client.ask("hello", dict)["mode"] == "training"
        assert copy.scan("WO-2")[0]["outcome"] == "completed"
        assert b"Leave that screen" in live.run("training", "--clean", code=2).stderr
    finally:
        core.stop()
    assert not (live.folder / "printer").exists()


@pytest.mark.parametrize("words", [("training",), ("training", "--desk")])
def test_the_screen_says_training_and_the_live_core_keeps_running(
    live: Station, words: tuple[str, ...]
) -> None:
    """In a terminal: header, own socket, and the copy's own core that ends with it."""
    live.start_core()
    master, slave = pty.openpty()
    screen = subprocess.Popen(
        live.command(*words), stdin=slave, stdout=slave, stderr=slave, env=live.environment,
        cwd=live.folder, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    drawn = b""
    deadline = time.monotonic() + PATIENCE_S
    while b"TRAINING" not in drawn.partition(b"\x1b[?1049h")[2]:
        assert select.select([master], [], [], deadline - time.monotonic())[0], drawn
        drawn += os.read(master, 65536)
    copy = live.folder / "station.training.db"
    holder, own = find_core(live.database), find_core(copy)
    assert holder is not None
    assert own is not None
    assert own.socket != holder.socket
    os.close(master)
    screen.wait(PATIENCE_S)
    with Client(own.socket) as client:
        assert client.ask("leave", dict[str, bool]) == {"stops": True}
    deadline = time.monotonic() + PATIENCE_S
    while find_core(copy) is not None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    live.run("core", "--stop")


def test_a_scenario_may_be_played_on_the_copy_of_a_station_with_a_scanner(live: Station) -> None:
    live.environment |= {
        "MES_TERMINAL_SCANNER__HAND__DRIVER": "serial_port",
        "MES_TERMINAL_SCANNER__HAND__PORT": "/dev/serial/by-id/none",
    }
    scenario = live.folder / "close.scan"
    scenario.write_text("scan WO-2\n")
    assert b"live station has a scanner" in live.run("simulate", str(scenario), code=2).stderr
    copy = copy_of(live)
    assert b"WO-2 closed" in copy.run("simulate", str(scenario)).stdout


def test_a_copy_goes_on_until_it_is_thrown_away(live: Station) -> None:
    copy = copy_of(live)
    copy.scan("WO-2")
    assert b"goes on" in live.run("training", "--copy-only").stderr
    assert {row["work_order"]: row["status"] for row in copy.rows("orders")}["WO-2"] == "closed"
    live.run("training", "--clean")
    left = [path.name for path in live.folder.iterdir() if "training" in path.name]
    assert left == ["station.training.db.lock"]
    assert b"no training copy" in live.run("training", "--clean").stdout
    live.run("training", "--copy-only")
    assert {row["work_order"]: row["status"] for row in copy.rows("orders")}["WO-2"] == "released"


def test_a_file_that_is_no_training_copy_is_never_deleted_or_overwritten(live: Station) -> None:
    (live.folder / "copies").mkdir()
    precious = live.folder / "copies" / "station.training.db"
    precious.write_text("mine")
    for option in ("--clean", "--copy-only"):
        done = live.run("training", "--folder", "copies", option, code=2)
        assert b"is no training copy" in done.stderr
    assert precious.read_text() == "mine"
    assert sorted(path.name for path in precious.parent.iterdir()) == [precious.name]


def test_without_a_terminal_or_a_database_it_says_what_to_do(tmp_path: Path) -> None:
    station = Station(tmp_path)
    try:
        assert b"--copy-only" in station.run("training", code=2).stderr
        assert b"no database" in station.run("training", "--copy-only", code=2).stderr
        assert b"one of" in station.run("training", "--copy-only", "--clean", code=2).stderr
    finally:
        station.close()


def test_a_disk_that_would_run_low_gets_no_copy(live: Station) -> None:
    live.environment["MES_TERMINAL_ALARMS__DISK_WARN_MB"] = str(10**9)
    done = live.run("training", "--copy-only", code=2)
    assert b"too little room" in done.stderr
    assert json.loads(live.run("stock", "--json").stdout)

"""`sync`, and the relay of a running core: what is scanned goes upstream by itself."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.domain.view import StationView
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import find_core
from tests.e2e.station_process import PATIENCE_S, Station

OFFLINE = {"MES_TERMINAL_UPSTREAM__KIND": "simulated",
           "MES_TERMINAL_UPSTREAM__SIMULATED__IS_OFFLINE": "true"}  # fmt: skip


def station(folder: Path, **environment: str) -> Station:
    folder.mkdir(exist_ok=True)
    return Station(folder, **environment)


@pytest.fixture
def stations() -> Iterator[list[Station]]:
    made: list[Station] = []
    yield made
    for each in made:
        each.close()


def sync(on: Station, *words: str, code: int = 0) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(on.run("sync", "--json", *words, code=code).stdout)
    return told


def until_delivered(on: Station) -> list[dict[str, Any]]:
    """Wait until the core has delivered everything by itself."""
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        rows = on.rows("outbox")
        if rows and all(row["status"] == "delivered" for row in rows):
            return rows
        assert time.monotonic() < deadline_s, rows
        time.sleep(0.05)


def test_what_waits_is_delivered_into_the_folder_once(
    tmp_path: Path, stations: list[Station]
) -> None:
    """The default: files in the folder `outbox`, without any setting (UP-2)."""
    live = station(tmp_path / "a")
    stations.append(live)
    live.load_plant()
    live.scan("WO-1")
    waiting = len(live.rows("outbox"))
    told = sync(live)
    assert told == {
        "delivered": waiting, "waiting": 0, "refused": 0, "parked": 0,
        "receiver": str(live.folder / "outbox"), "last_error": None,
    }  # fmt: skip
    assert sync(live)["delivered"] == 0
    rows = live.rows("outbox")
    assert {row["status"] for row in rows} == {"delivered"}
    (file,) = (live.folder / "outbox").glob("*/*.jsonl")
    events = file.read_bytes().splitlines()[1:]
    assert [json.loads(each)["id"] for each in events] == [row["event_id"] for row in rows]


def test_a_running_core_delivers_by_itself_and_sync_finds_nothing_left(
    tmp_path: Path, stations: list[Station]
) -> None:
    """The relay is woken by what is scanned; the stop is graceful."""
    live = station(tmp_path / "a")
    stations.append(live)
    live.load_plant()
    core = live.start_core()
    before = until_delivered(live)
    live.scan("WO-1")
    assert len(until_delivered(live)) > len(before)
    told = sync(live)
    assert (told["delivered"], told["waiting"], told["last_error"]) == (0, 0, None)
    holder = find_core(live.database)
    assert holder is not None
    with Client(holder.socket) as client:
        upstream = client.ask("view", StationView).upstream
    assert upstream is not None
    assert (upstream.kind, upstream.state) == ("file", "online")
    live.run("core", "--stop")
    assert core.wait(PATIENCE_S) == 0
    (file,) = (live.folder / "outbox").glob("*/*.jsonl")
    assert len(file.read_bytes().splitlines()) == len(live.rows("outbox")) + 1
    checks = [json.loads(row) for row in live.run("doctor", "--json").stdout.splitlines()]
    assert [row["check"] for row in checks if not row["ok"]] == []


@pytest.mark.parametrize("with_core", [False, True])
def test_a_receiver_that_is_away_is_told_and_nothing_is_lost(
    tmp_path: Path, stations: list[Station], with_core: bool
) -> None:
    """UP-4, UP-6: scans go on; `sync` ends with 1 and says why."""
    live = station(tmp_path / "a", **OFFLINE)
    stations.append(live)
    live.load_plant()
    if with_core:
        live.start_core()
    assert live.scan("WO-1")[0]["outcome"] == "completed"
    told = sync(live, "--once", code=1)
    assert told["delivered"] == 0
    assert told["waiting"] == len(live.rows("outbox"))
    assert told["last_error"].startswith("The simulated receiver is offline")
    rows = live.rows("outbox")
    assert {row["status"] for row in rows} == {"waiting"}
    assert live.scan("WO-2")[0]["outcome"] == "completed"
    del live.environment["MES_TERMINAL_UPSTREAM__SIMULATED__IS_OFFLINE"]
    if with_core:
        live.run("core", "--stop")
    assert sync(live)["waiting"] == 0


def test_a_refused_order_parks_itself_only(tmp_path: Path, stations: list[Station]) -> None:
    """UP-3, UP-4: the exception is there, other orders went; ended by 1."""
    live = station(tmp_path / "a", MES_TERMINAL_UPSTREAM__KIND="simulated",
                   MES_TERMINAL_UPSTREAM__SIMULATED__REFUSE="^WO-1$")  # fmt: skip
    stations.append(live)
    live.load_plant()
    live.scan("WO-1", "WO-2")
    told = sync(live, code=1)
    assert (told["waiting"], told["refused"], told["parked"]) == (0, 1, 0)
    assert [row["kind"] for row in live.rows("exceptions")] == ["posting_refused"]
    assert b"1 stand refused" in live.run("sync", code=1).stdout


def test_wrong_settings_stop_sync_and_no_scan(tmp_path: Path, stations: list[Station]) -> None:
    """A mistake in the settings is one sentence; the station scans."""
    live = station(tmp_path / "a", MES_TERMINAL_UPSTREAM__KIND="simulated",
                   MES_TERMINAL_UPSTREAM__SIMULATED__REFUSE="(")  # fmt: skip
    stations.append(live)
    live.load_plant()
    assert b"upstream.simulated.refuse is no regular expression" in live.run("sync", code=2).stderr
    live.start_core()
    assert live.scan("WO-1")[0]["outcome"] == "completed"
    assert b"upstream.simulated.refuse is no regular expression" in live.run("sync", code=2).stderr
    holder = find_core(live.database)
    assert holder is not None
    with Client(holder.socket) as client:
        upstream = client.ask("view", StationView).upstream
    assert upstream is not None
    assert upstream.state == "wrong"
    assert upstream.trouble is not None


def test_a_training_copy_delivers_nothing(tmp_path: Path, stations: list[Station]) -> None:
    """UP-1: nothing of a copy ever leaves it."""
    live = station(tmp_path / "a")
    stations.append(live)
    live.load_plant()
    live.run("training", "--copy-only")
    copy = station(tmp_path / "a")
    stations.append(copy)
    copy.database = live.folder / "station.training.db"
    assert b"A training copy delivers nothing." in copy.run("sync", code=2).stderr
    assert not (live.folder / "outbox").exists()

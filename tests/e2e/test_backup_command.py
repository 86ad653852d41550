"""`backup` and `restore`, and a disk that runs full, as a user meets them (UP-1, UP-6)."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.cli.child import start_core
from mes_terminal.domain.view import StationView
from mes_terminal.link.blocking import Client
from tests.e2e.station_process import PATIENCE_S, Station

FULL = "MES_TERMINAL_ALARMS__DISK_STOP_MB"


@pytest.fixture
def station(tmp_path: Path) -> Iterator[Station]:
    """A station with one order reported."""
    station = Station(tmp_path)
    station.load_plant()
    station.scan("WO-1")
    yield station
    station.close()


def as_json(station: Station, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(station.run(*words, "--json").stdout)
    return found


def epochs(station: Station) -> list[tuple[str, int]]:
    return [(row["event"]["epoch"], row["sequence"]) for row in station.rows("outbox")]


def test_a_day_of_backup_loss_and_restore(station: Station) -> None:
    """A backup beside the running core; the core stops, the backup comes back, the line goes on."""
    station.start_core()
    made = as_json(station, "backup")
    assert Path(made["file"]).parent == station.folder / "backups"
    assert made["bytes"] == Path(made["file"]).stat().st_size
    assert set(made) == {"file", "made_at", "bytes", "entries", "head", "removed"}
    assert station.scan("WO-2")[0]["outcome"] == "completed"
    refused = station.run("restore", made["file"], code=2)
    assert b"core --stop" in refused.stderr
    station.run("core", "--stop")
    before = station.rows("outbox")
    told = as_json(station, "restore", made["file"])
    assert told["lost"].pop("undelivered") in (0, 1), "the core may have delivered it by then"
    assert told["lost"] == {"entries": 1, "scans": 1, "postings": 1}
    assert told["first_sequence"] == len(before)
    assert {row["work_order"]: row["status"] for row in station.rows("orders")}[
        "WO-2"
    ] == "released"
    station.start_core()
    assert station.scan("WO-2")[0]["outcome"] == "completed"
    station.run("core", "--stop")
    after = epochs(station)
    assert [sequence for _, sequence in after] == list(range(1, len(before) + 1))
    assert {epoch for epoch, _ in after[:-1]} == {before[0]["event"]["epoch"]}
    assert after[-1][0] == told["epoch"]
    station.run("doctor")
    aside = Station(station.folder)
    aside.environment = station.environment
    aside.database = Path(told["set_aside"])
    assert [row["event"] for row in aside.rows("outbox")] == [row["event"] for row in before]


def test_both_say_in_words_what_they_did(station: Station) -> None:
    said = station.run("backup", "--to", "usb").stdout.decode()
    assert "every hash recomputed" in said
    (backup,) = (station.folder / "usb").iterdir()
    station.scan("WO-2")
    said = station.run("restore", str(backup)).stdout.decode()
    assert "under the new epoch" in said
    assert "scans 1, postings 1, of them not delivered 1" in said
    assert b"epoch" not in station.run("scan", "WO-2").stderr, "the restore said it"


def test_a_copy_that_is_put_back_by_hand_is_told_and_posts_under_another_epoch(
    station: Station,
) -> None:
    """UP-1."""
    copy = shutil.copy(station.database, station.folder / "copy.db")
    station.scan("WO-2")
    (epoch,) = {epoch for epoch, _ in epochs(station)}
    shutil.copy(copy, station.database)
    done = station.run("scan", "WO-2")
    assert b"carry a new epoch" in done.stderr
    assert b"closed" in done.stdout
    last = epochs(station)[-1]
    assert last[0] != epoch
    station.run("doctor")
    assert b"epoch" not in station.run("scan", "WO-1").stderr


def test_what_is_no_sound_backup_ends_with_the_right_code(station: Station) -> None:
    made = Path(as_json(station, "backup")["file"])
    text = station.folder / "text.db"
    text.write_text("hello " * 2000)
    cut = station.folder / "cut.db"
    cut.write_bytes(made.read_bytes()[:20_000])
    assert b"no backup of a station" in station.run("restore", str(text), code=2).stderr
    assert b"no backup at" in station.run("restore", "nowhere.db", code=2).stderr
    assert b"cut.db" in station.run("restore", str(cut), code=3).stderr
    for done in (station.run("restore", str(cut), code=3), station.run("restore", code=2)):
        assert b"Traceback" not in done.stderr
        assert len(done.stderr.strip().splitlines()) <= 4
    assert station.scan("WO-2")[0]["outcome"] == "completed"


def test_without_a_database_there_is_nothing_to_back_up_but_one_may_come(
    station: Station, tmp_path: Path
) -> None:
    made = as_json(station, "backup")
    (tmp_path / "new").mkdir()
    fresh = Station(tmp_path / "new")
    assert b"no database" in fresh.run("backup", code=2).stderr
    assert as_json(fresh, "restore", made["file"])["set_aside"] is None
    assert fresh.rows("stock") == station.rows("stock")
    fresh.close()


def test_a_full_disk_stops_commands_and_says_what_to_do(station: Station) -> None:
    """UP-6: the command line is the core for the moment, and obeys the same mark."""
    station.environment[FULL] = str(10**9)
    (outcome,) = [json.loads(station.run("scan", "WO-2", "--json", code=1).stdout)]
    assert (outcome["outcome"], outcome["reason"]) == ("rejected", "disk")
    assert "call the supervisor" in outcome["hint"]
    found = station.run("doctor", "--json", code=1).stdout.splitlines()
    assert [row["check"] for row in map(json.loads, found) if not row["ok"]] == ["disk"]
    del station.environment[FULL]
    assert station.scan("WO-2")[0]["outcome"] == "completed"


def test_a_full_disk_stops_a_core_and_every_screen_sees_it(station: Station) -> None:
    """UP-6; it keeps its reserve only while it has room."""
    station.environment[FULL] = str(10**9)
    core = start_core(station.database, None, station.environment)
    try:
        with Client(core.holder.socket) as client:
            view = client.ask("view", StationView)
            assert view.disk is not None
            assert view.disk.stopped
        (outcome,) = [json.loads(station.run("scan", "WO-2", "--json", code=1).stdout)]
        assert outcome["reason"] == "disk"
    finally:
        core.stop()
    reserve = station.folder / "station.db.reserve"
    assert not reserve.exists()
    station.environment[FULL] = "1"
    station.environment["MES_TERMINAL_ALARMS__DISK_RESERVE_MB"] = "2"
    station.start_core()
    assert station.scan("WO-2")[0]["outcome"] == "completed"
    assert reserve.stat().st_size == 2_000_000
    station.run("core", "--stop")


def test_a_core_on_a_disk_that_fills_stops_resolves_and_goes_on(tmp_path: Path) -> None:
    """UP-6: a real disk of 32 MB, filled by another program while the core runs."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=32m,mode=0700", "mes-terminal-test", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk here")
    station = Station(disk)
    station.environment |= {
        "MES_TERMINAL_ALARMS__DISK_WARN_MB": "12",
        FULL: "6",
        "MES_TERMINAL_ALARMS__DISK_RESERVE_MB": "2",
        "MES_TERMINAL_BACKUP__FOLDER": str(tmp_path / "backups"),
    }
    try:
        station.load_plant()
        station.run("operator", "pin", "SUP-1", given=b"2580\n2580\n")
        core = start_core(station.database, None, station.environment)
        try:
            station.scan("NOBODY-KNOWS", code=1)
            with (disk / "hog").open("wb", buffering=0) as hog, suppress(OSError):
                while True:
                    hog.write(bytes(4096))
            with Client(core.holder.socket) as client:
                wait_for(lambda: stopped(client))
                (refused,) = station.scan("WO-1", code=1)
                assert refused["reason"] == "disk"
                station.run(
                    "exception",
                    "resolve",
                    "1",
                    "--write-off",
                    "torn",
                    "--as",
                    "SUP-1",
                    given=b"2580\n",
                )
                assert as_json(station, "backup")["entries"]
                (disk / "hog").unlink()
                wait_for(lambda: not stopped(client))
            assert station.scan("WO-1")[0]["outcome"] == "completed"
            assert (disk / "station.db.reserve").exists()
        finally:
            core.stop()
        assert all(
            json.loads(line)["ok"] for line in station.run("doctor", "--json").stdout.splitlines()
        )
    finally:
        station.close()
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def stopped(client: Client) -> bool:
    """Tell whether the screen says that scanning has stopped."""
    view = client.ask("view", StationView)
    return view.disk is not None and view.disk.stopped


def wait_for(come_true: Callable[[], bool]) -> None:
    """Wait until the core, which looks every few seconds, has seen it."""
    deadline = time.monotonic() + PATIENCE_S
    while not come_true():
        assert time.monotonic() < deadline
        time.sleep(0.05)

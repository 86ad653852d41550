"""The core as a process: its lock, its socket, its end, and what waits in the journal."""

import asyncio
import json
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from hardware.drivers.simulated import PtyLine
from mes_terminal.domain.view import StationView
from mes_terminal.link.blocking import Client
from mes_terminal.link.client import LinkClient
from mes_terminal.station.lock import find_core
from tests.e2e.station_process import PATIENCE_S, Station

if TYPE_CHECKING:
    import subprocess


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    station.load_plant()
    yield station
    station.close()


def link(station: Station) -> Path:
    holder = find_core(station.database)
    assert holder is not None
    return holder.socket


def leave_waiting(station: Station, *codes: str) -> None:
    """Put scans into the journal as a core that was killed after journalling leaves them."""
    connection = sqlite3.connect(station.database)
    with connection:
        for number, code in enumerate(codes, 1):
            connection.execute(
                "INSERT INTO scan_journal (scan_id, received_at, device, raw, truncated) "
                "VALUES (?, '2026-11-20T13:00:00.000000Z', 'hand', ?, 0)",
                (f"0199aaaa-0000-7000-8000-{number:012d}", code.encode()),
            )
    connection.close()


def test_commands_go_through_the_running_core(plant: Station) -> None:
    with plant.start_core() as core:
        assert plant.scan("WO-1")[0]["outcome"] == "completed"
        assert plant.rows("orders")[0]["status"] == "closed"
        checks = plant.run("doctor").stdout
        assert b"FAIL" not in checks
        meanings = json.loads(plant.run("decode", "--json", "WO-1").stdout)["meanings"]
        assert meanings == [{"kind": "order", "key": "WO-1"}]
        core.terminate()
        assert core.wait(PATIENCE_S) == 0
    assert [row["device"] for row in plant.rows("journal")] == ["cli"]


def test_the_answers_are_the_same_with_and_without_a_core(plant: Station) -> None:
    plant.scan("WO-1")
    plant.run("sync")  # the core would do it meanwhile
    lists = ["stock", "orders", "lots", "movements", "journal", "outbox", "audit", "exceptions"]
    without = {name: plant.run(name, "--json").stdout for name in lists}
    with plant.start_core() as core:
        assert {name: plant.run(name, "--json").stdout for name in lists} == without
        assert b"--at" in plant.run("scan", "WO-2", "--at", "2026-11-20", code=2).stderr
        core.terminate()
        core.wait(PATIENCE_S)


def test_a_second_core_is_refused_and_told_who_holds_the_database(plant: Station) -> None:
    with plant.start_core() as core:
        done = plant.run("core", code=2)
        assert f"process {core.pid}".encode() in done.stderr
        plant.run("core", "--stop")
        assert core.wait(PATIENCE_S) == 0
    assert b"No core runs" in plant.run("core", "--stop").stderr


def test_what_waited_in_the_journal_is_booked_once_and_told(plant: Station) -> None:
    """BF-13: a scan journalled before a crash is processed at the next start, exactly once."""
    leave_waiting(plant, "WO-1", "4711")
    done = plant.run("scan", "--json", "%HELP")
    told = done.stderr.decode().splitlines()
    assert told[0].startswith("Booked before the stop: ")
    assert "WO-1" in told[0]
    assert told[1].startswith("Scanned before the stop, not booked: 4711")
    assert [json.loads(line)["code"] for line in done.stdout.splitlines()] == ["%HELP"]
    assert [row["status"] for row in plant.rows("journal")] == ["done"] * 3
    assert plant.run("scan", "%HELP").stderr == b""
    assert sum(row["kind"] == "production" for row in plant.rows("movements")) == 1


async def test_a_screen_is_told_what_was_booked_at_the_start(plant: Station) -> None:
    leave_waiting(plant, "WO-1")
    core = await asyncio.to_thread(plant.start_core)
    async with LinkClient(link(plant)) as client:
        pushes = client.subscribe()
        first = [await asyncio.wait_for(anext(pushes), PATIENCE_S) for _ in range(2)]
        told = [msgspec.json.decode(data) for kind, data in first if kind == "recovered"]
        assert [outcome["work_order"] for outcome in told] == ["WO-1"]
        assert "view" in [kind for kind, _ in first]
    await asyncio.to_thread(stop, core)


async def test_a_screen_sees_every_outcome_in_order_and_the_stop(plant: Station) -> None:
    core = await asyncio.to_thread(plant.start_core)
    async with LinkClient(link(plant)) as client:
        pushes = client.subscribe()
        await asyncio.wait_for(anext(pushes), PATIENCE_S)
        codes = [f"X-{number}" for number in range(50)]
        asked = [client.ask("scan", dict[str, object], code=code) for code in codes]
        answered = await asyncio.wait_for(asyncio.gather(*asked), PATIENCE_S)
        assert [one["code"] for one in answered] == codes
        core.send_signal(signal.SIGTERM)
        heard = []
        async for kind, data in pushes:
            if kind == "outcome":
                heard.append(msgspec.json.decode(data)["code"])
            if kind == "stopping":
                break
        assert heard == codes
    assert await asyncio.to_thread(core.wait, PATIENCE_S) == 0
    await asyncio.to_thread(stop, core)
    assert [row["code"] for row in plant.rows("journal")] == codes


def stop(core: "subprocess.Popen[bytes]") -> None:
    with core:
        core.terminate()
        core.wait(PATIENCE_S)


def test_a_client_that_dies_in_the_middle_loses_no_scan(plant: Station) -> None:
    with plant.start_core() as core:
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(link(plant)))
        connection.sendall(b'{"v":1,"id":1,"do":"scan","params":{"code":"WO-1"}}\n')
        connection.close()
        with Client(link(plant)) as client:
            client.request("view")
        assert plant.rows("orders")[0]["status"] == "closed"
        core.terminate()
        core.wait(PATIENCE_S)


def test_a_killed_core_leaves_a_database_that_goes_on(plant: Station) -> None:
    with plant.start_core() as core:
        plant.scan("WO-1")
        core.kill()
        core.wait(PATIENCE_S)
    assert plant.scan("WO-2")[0]["outcome"] == "completed"
    plant.run("doctor")


def test_the_service_manager_is_told(plant: Station) -> None:
    address = plant.folder / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(PATIENCE_S)
        plant.environment |= {"NOTIFY_SOCKET": str(address), "WATCHDOG_USEC": "100000"}
        with plant.start_core() as core:
            assert manager.recv(1000).startswith(b"READY=1")
            assert manager.recv(1000) == b"WATCHDOG=1"
            core.terminate()
            told = b""
            while told != b"STOPPING=1":
                told = manager.recv(1000)
            assert core.wait(PATIENCE_S) == 0


def test_who_scans_nothing_for_long_is_signed_out_without_a_scan(plant: Station) -> None:
    """`people.idle_logoff_s`: the core looks as often as it tells that it is alive."""
    config = plant.folder / "station.toml"
    config.write_text("[people]\nidle_logoff_s = 1\n")
    plant.environment |= {"WATCHDOG_USEC": "100000"}
    with plant.start_core("--config", str(config)) as core:
        with Client(link(plant)) as client:
            client.request("scan", code="B:OP-1")
            deadline = time.monotonic() + PATIENCE_S
            while client.ask("view", StationView).person is not None:
                assert time.monotonic() < deadline
        (signed_out,) = plant.rows("audit", "--type", "signed_out")
        assert (signed_out["person"], signed_out["reason"]) == ("OP-1", "idle")
        assert b"Anna signed in" in plant.run("scan", "B:OP-1").stdout
        core.terminate()
        core.wait(PATIENCE_S)


def test_a_core_that_a_screen_started_ends_with_the_last_screen(plant: Station) -> None:
    with plant.start_core("--for-screen") as core:
        core.send_signal(signal.SIGHUP)  # a lost terminal is no reason to end
        with Client(link(plant)) as client:
            client.request("subscribe")
            with Client(link(plant)) as other:
                assert other.ask("leave", dict[str, bool]) == {"stops": False}
        with Client(link(plant)) as client:
            assert client.ask("leave", dict[str, bool]) == {"stops": True}
        assert core.wait(PATIENCE_S) == 0


def test_a_core_of_its_own_outlives_every_screen(plant: Station) -> None:
    with plant.start_core() as core:
        with Client(link(plant)) as client:
            assert client.ask("leave", dict[str, bool]) == {"stops": False}
        plant.run("core", "--stop")
        assert core.wait(PATIENCE_S) == 0


def test_a_scanner_on_a_pseudo_terminal_is_read(plant: Station) -> None:
    """The whole way: bytes on a cable, frame, journal, outcome, feedback to the scanner."""
    line = PtyLine(plant.folder / "scanner")
    name = "MES_TERMINAL_SCANNER__HAND__"
    plant.environment |= {
        "MES_TERMINAL_STATION__MODE": "test",
        f"{name}DRIVER": "simulated",
        f"{name}PORT": str(line.port),
        f"{name}GOOD_HEX": "06",
    }
    with plant.start_core() as core, Client(link(plant)) as client:
        pushed = client.follow()
        deadline = time.monotonic() + PATIENCE_S
        while (seen := client.ask("view", StationView).scanners)[0].state != "ready":
            assert time.monotonic() < deadline, seen
            time.sleep(0.02)
        sender = threading.Thread(target=settle_then_send, args=(line, b"WO-1\r"))
        sender.start()
        outcomes = (data for kind, data in pushed if kind == "outcome")
        assert msgspec.json.decode(next(outcomes))["outcome"] == "completed"
        sender.join()
        while line.heard() != b"\x06":
            assert time.monotonic() < deadline
            time.sleep(0.02)
        core.terminate()
        core.wait(PATIENCE_S)
    line.close()
    assert [row["device"] for row in plant.rows("journal")] == ["hand"]


def settle_then_send(line: PtyLine, data: bytes) -> None:
    """Send when what is ignored after opening (200 ms) is over."""
    time.sleep(0.3)
    line.send(data)


def test_a_simulated_scanner_is_refused_by_a_live_station(plant: Station) -> None:
    plant.environment["MES_TERMINAL_SCANNER__HAND__DRIVER"] = "simulated"
    assert b"scanner.hand.driver" in plant.run("core", code=2).stderr

"""What a scanner does that is no scan is told and counted, in the real core."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hardware.drivers.simulated import PtyLine
from hardware.recording import script_of
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import find_core
from tests.e2e.station_process import PATIENCE_S, Station


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Station]:
    station = Station(tmp_path)
    station.load_plant()
    yield station
    station.close()


def test_what_is_no_scan_is_told_to_the_screens_and_counted(plant: Station) -> None:
    """Half a code with its hint, a double read and a no-read; none of them is journalled."""
    line = PtyLine(plant.folder / "scanner")
    name = "MES_TERMINAL_SCANNER__HAND__"
    plant.environment |= {
        "MES_TERMINAL_STATION__MODE": "test",
        f"{name}DRIVER": "simulated",
        f"{name}PORT": str(line.port),
        f"{name}INCOMPLETE_MS": "150",
        f"{name}RECORD": str(plant.folder / "records"),
    }
    with plant.start_core() as core:
        holder = find_core(plant.database)
        assert holder is not None
        with Client(holder.socket) as client:
            pushed = client.follow()
            deadline = time.monotonic() + PATIENCE_S
            while (seen := states(client)) != ["ready"]:
                assert time.monotonic() < deadline, seen
                time.sleep(0.02)
            time.sleep(0.25)  # what a line says while it comes up is ignored
            line.send(b"WO-1\r")
            line.send(b"WO-1\r")
            line.send(b"NOREAD\r")
            line.send(bytes([0xD7, 0xCF, 0x2D, 0xB1, 0x8D]))
            told: list[dict[str, Any]] = []
            while len(told) < 3:
                kind, data = next(pushed)
                if kind == "frame":
                    told.append(msgspec.json.decode(data, type=dict[str, Any]))
            (health,) = client.ask("scanners", list[dict[str, Any]])
        core.terminate()
        core.wait(PATIENCE_S)
    line.close()
    assert [one["kind"] for one in told] == ["duplicate", "noread", "incomplete"]
    assert told[2]["hint"] == "parity: try 7E1"
    assert health["counts"] == {"reads": 1, "duplicates": 1, "no_reads": 1, "incomplete": 1}
    assert [row["code"] for row in plant.rows("journal")] == ["WO-1"]
    (recording,) = (plant.folder / "records").iterdir()
    script = script_of(recording.read_text(), recording.name)
    played = [step.code for step in script.steps if step.verb in ("scan", "nosuffix")]
    assert played == [b"WO-1", b"NOREAD", bytes([0xD7, 0xCF, 0x2D, 0xB1, 0x8D])]


def states(client: Client) -> list[str]:
    return [one["state"] for one in client.ask("scanners", list[dict[str, Any]])]

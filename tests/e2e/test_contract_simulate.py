"""`simulate`: what stands in the journal, and where it is refused."""

import json
from pathlib import Path

import pytest

from tests.e2e.station_process import Station


@pytest.fixture
def station(tmp_path: Path) -> Station:
    station = Station(tmp_path)
    station.load_plant()
    (tmp_path / "shift.scan").write_text("scan %QTY 2\nscan WO-1\nrepeat 2 CHAIR\n")
    return station


def test_a_played_scenario_stands_in_the_journal_as_simulated(station: Station) -> None:
    """One outcome a line, as `scan`; the device is the simulated scanner."""
    done = station.run("simulate", "--json", "shift.scan")
    outcomes = [json.loads(line) for line in done.stdout.splitlines()]
    assert [each["quantity"] for each in outcomes] == ["2", "2", "1", "1"]
    assert {row["device"] for row in station.rows("journal")} == {"simulated"}


@pytest.mark.parametrize(("mode", "code"), [("live", 2), ("test", 0)])
def test_beside_a_real_scanner_it_plays_in_test_mode_only(
    station: Station, mode: str, code: int
) -> None:
    """`station.mode`: simulated scanners beside real ones only in `test`."""
    (station.folder / "station.toml").write_text(
        f'[station]\nmode = "{mode}"\n[scanner.hand]\ndriver = "serial_port"\nport = "/dev/null"\n'
    )
    station.run("--config", "station.toml", "simulate", "shift.scan", code=code)
    assert bool(station.rows("journal")) is (mode == "test")

"""`demo --site`: the newcomer sees two stations and their site, and nothing of it stays (UP-9)."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.station_process import PATIENCE_S, Station
from tests.upstream.servers import NatsServer, Postgres

MISSING = [each for each in (NatsServer.missing(), Postgres.missing()) if each]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=" ".join(MISSING))
DEMO = ("demo", "--site", "--headless")
WHOLE_MAX_S = 120.0
"""Two servers, a receiver, two loads and two cores, where other tests run beside them."""


@pytest.fixture
def temporary() -> Iterator[Path]:
    """A folder for temporary files that PostgreSQL's user may enter, too."""
    folder = Path(tempfile.mkdtemp(prefix="demo-", dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def station(tmp_path: Path, temporary: Path) -> Iterator[Station]:
    made = Station(tmp_path, TMPDIR=str(temporary))
    yield made
    made.close()


def test_it_shows_what_no_station_can_see_alone(station: Station, temporary: Path) -> None:
    told = demonstrated(station).decode()
    of_the_site = told[told.index("Stations at the site") :].splitlines()
    assert "  WO-1001    105 of 100 CHAIR-4       LINE3-ST02, LINE4-ST01" in of_the_site
    assert of_the_site[-2:] == [
        "What no station can see alone",
        "  Order WO-1001 has 105 CHAIR-4 of 100 ordered, from LINE3-ST02, LINE4-ST01.",
    ]
    assert nothing_is_left(temporary)


def test_json_is_outcomes_only(station: Station) -> None:
    lines = demonstrated(station, "--json").splitlines()
    assert all(line.startswith(b'{"scan_id":') for line in lines)


@pytest.mark.parametrize("ending", [signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("said", [b"Starting PostgreSQL", b"B:anna"])
def test_closing_the_window_ends_servers_and_stations_too(
    station: Station, temporary: Path, ending: signal.Signals, said: bytes
) -> None:
    """Whether it is starting its servers or both stations are scanning."""
    process = station.start(*DEMO)
    stream = process.stderr if said.startswith(b"Starting") else process.stdout
    assert stream is not None
    assert said in stream.readline()
    process.send_signal(ending)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + ending
    assert nothing_is_left(temporary)


def demonstrated(station: Station, *words: str) -> bytes:
    """Run all of the demo and return what it printed."""
    process = station.start(*DEMO, *words)
    printed, said = process.communicate(timeout=WHOLE_MAX_S)
    assert process.returncode == 0, said
    return printed


def nothing_is_left(temporary: Path) -> bool:
    """Tell whether neither a file nor a process of the demo is there any more."""
    running = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
        except OSError:  # it has ended meanwhile
            continue
        if os.fsencode(temporary) in words:
            running.append(words)
    assert running == []
    return list(temporary.iterdir()) == []

"""`bench screen`: scanner, core and screen as they are, and the row it promises."""

import os
from pathlib import Path

import pytest

from mes_terminal.cli import bench_screen
from mes_terminal.cli.bench_screen import Terminal
from mes_terminal.errors import StationError
from tests.e2e.station_process import Station

KEYS = [
    "case", "floor", "components", "edges", "n", "p50_ms", "p99_ms", "floor_p50_ms",
    "floor_p99_ms", "ratio", "statements", "syncs",
]  # fmt: skip


def test_every_scan_of_the_benchmark_is_painted_on_a_real_screen(tmp_path: Path) -> None:
    """Each closed order's own sentence must reach the terminal, else there are no figures."""
    station = Station(tmp_path)
    (row,) = station.rows("bench", "screen", "--n", "3")
    assert list(row) == KEYS
    measured = {name: row[name] for name in KEYS if row[name] is not None}
    assert 0 < measured.pop("p50_ms") <= measured.pop("p99_ms")
    assert measured == {"case": "screen", "components": 10, "edges": 0, "n": 3}
    assert list(tmp_path.iterdir()) == [], "it leaves something behind"


def test_a_screen_that_shows_something_else_gives_no_figures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bench_screen, "PATIENCE_S", 0.05)
    terminal, screen = os.openpty()
    os.write(screen, b"\x1b[1mWO-10-6 is closed\x1b[0m")
    with pytest.raises(StationError, match="WO-10-7 is closed"):
        Terminal(terminal).until_shown(b"WO-10-7 is closed")
    os.close(screen)
    os.close(terminal)

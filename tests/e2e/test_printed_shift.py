"""A whole shift scanned from paper: every code of it printed, read by a camera, and booked."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import zxingcpp

from hardware.frame import ScanFrame
from hardware.player import replay
from hardware.script import parse
from mes_terminal.printing.labels import text_label
from mes_terminal.printing.render import picture
from tests.architecture.source import ROOT
from tests.e2e.station_process import Station

SCENARIOS = ROOT / "config" / "scenarios"
KEYS = ("outcome", "reason", "work_order", "order_status", "item", "quantity", "lot")
DPI = 300


def printed_and_read(code: bytes) -> bytes:
    """Return what a scanner with symbology identifiers sends of the printed code."""
    (seen,) = zxingcpp.read_barcodes(picture(text_label(code.decode()), DPI))
    return seen.symbology_identifier.encode() + bytes(seen.bytes)


def shift(folder: Path) -> Station:
    folder.mkdir()
    station = Station(folder)
    for name in ("sample-plant", "late-papers"):
        station.run("load", str(ROOT / "config" / name))
    return station


@pytest.mark.parametrize("name", ["good-shift", "demo", "assembly"])
def test_a_shift_from_printed_pages_books_what_the_script_books(name: str, tmp_path: Path) -> None:
    """The codes of the scenario, in order; clean codes only, as paper has them."""
    path = SCENARIOS / f"{name}.scan"
    script = parse(path.read_text(encoding="utf-8"), path.name)
    codes = [
        came.raw for came in replay(script.steps) if isinstance(came, ScanFrame) and came.is_scan
    ]
    assert len(codes) > 10
    read = {code: printed_and_read(code) for code in set(codes)}
    typed, paper = shift(tmp_path / "typed"), shift(tmp_path / "paper")
    outcomes = [
        told(station, lines)
        for station, lines in ((typed, codes), (paper, [read[code] for code in codes]))
    ]
    assert outcomes[0] == outcomes[1]
    assert typed.rows("stock") == paper.rows("stock")
    assert typed.rows("orders") == paper.rows("orders")
    typed.close()
    paper.close()


def told(station: Station, codes: list[bytes]) -> list[dict[str, Any]]:
    """Return what became of the codes."""
    done = subprocess.run(
        station.command("scan", "--json", "--hex", "-"),
        input="".join(f"{code.hex()}\n" for code in codes).encode(),
        capture_output=True, env=station.environment, cwd=station.folder, timeout=120, check=False,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    return [{key: row[key] for key in KEYS} for row in rows]

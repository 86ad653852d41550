"""The screen as it is drawn, from the gallery; `make snapshots` renews the pictures."""

from typing import Any

import pytest

from mes_terminal.tui import app as operator_app
from mes_terminal.tui.gallery import Scene, app_of, scenes, station
from mes_terminal.tui.gallery_desk import DeskScene, desk_scenes
from mes_terminal.tui.widgets import result_panel

SMALL, LARGE, WIDE, NARROW = (80, 24), (200, 60), (120, 40), (60, 20)
SHOTS = [
    ("ready", SMALL, False),
    ("ok", SMALL, False),
    ("stop", SMALL, False),
    ("check-german", SMALL, False),
    ("pending", SMALL, False),
    ("trouble", SMALL, False),
    ("lost", SMALL, False),
    ("help", SMALL, False),
    ("test", SMALL, False),
    ("ok", SMALL, True),
    ("stop", SMALL, True),
    ("ok", LARGE, False),
    ("trouble", LARGE, False),
    ("trace", SMALL, False),
    ("trace-german", SMALL, False),
    ("trace-long", SMALL, True),
    ("trace-unknown", SMALL, False),
    ("trace", LARGE, False),
    ("operation", SMALL, False),
    ("slots", SMALL, False),
    ("changed", SMALL, False),
    ("changed-german", SMALL, False),
    ("change-told", SMALL, True),
    ("operation", LARGE, False),
    ("count", SMALL, False),
    ("line-stopped", SMALL, False),
    ("line-stopped-german", SMALL, True),
    ("line-stopped", LARGE, False),
    ("handed-over", SMALL, False),
    ("shift-end", SMALL, False),
    ("shift-end-german", SMALL, True),
    ("shift-end", LARGE, False),
    ("desk", SMALL, False),
    ("desk", SMALL, True),
    ("desk", WIDE, False),
    ("desk", NARROW, False),
    ("desk-empty", SMALL, False),
    ("desk-german", SMALL, False),
    ("desk-choose", SMALL, True),
    ("desk-resolve", SMALL, False),
    ("desk-reason", SMALL, False),
    ("desk-help", SMALL, False),
    ("desk-by-cause", WIDE, False),
    ("desk-assign", SMALL, False),
    ("desk-menu", SMALL, False),
    ("desk-orders", SMALL, True),
    ("desk-orders", WIDE, False),
    ("desk-orders", LARGE, False),
    ("desk-orders-german", SMALL, False),
    ("desk-stock", SMALL, False),
    ("desk-lots", SMALL, False),
    ("desk-mounts", SMALL, True),
    ("approval", SMALL, False),
    ("approval-german", WIDE, False),
    ("approval-pin", SMALL, True),
    ("approval-pin-german", SMALL, False),
    ("approved", SMALL, False),
    ("desk-difference", SMALL, True),
    ("desk-difference-german", SMALL, False),
    ("desk-all-stations", SMALL, True),
    ("desk-all-stations", WIDE, False),
    ("desk-all-stations-german", SMALL, False),
]


@pytest.fixture(autouse=True)
def nothing_fades(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a busy machine takes to draw the picture."""
    monkeypatch.setattr(result_panel, "BRIGHT_S", 3600.0)
    monkeypatch.setattr(operator_app, "NOTICE_S", 3600.0)


@pytest.mark.parametrize(("name", "size", "sixteen"), SHOTS)
def test_the_scene_looks_as_it_did(
    snap_compare: Any, name: str, size: tuple[int, int], sixteen: bool
) -> None:
    found: dict[str, Scene | DeskScene] = {**scenes(), **desk_scenes(station())}
    scene = found[name]
    app, act = app_of(scene, sixteen=sixteen, plain=sixteen)
    assert snap_compare(app, terminal_size=size, run_before=act)

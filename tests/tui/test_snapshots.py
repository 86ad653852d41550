"""The screen as it is drawn, from the gallery; `make snapshots` renews the pictures."""

from typing import Any

import pytest

from mes_terminal.tui.gallery import app_of, scenes

SMALL, LARGE = (80, 24), (200, 60)
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
]


@pytest.mark.parametrize(("name", "size", "sixteen"), SHOTS)
def test_the_scene_looks_as_it_did(
    snap_compare: Any, name: str, size: tuple[int, int], sixteen: bool
) -> None:
    app, act = app_of(scenes()[name], sixteen=sixteen, plain=sixteen)
    assert snap_compare(app, terminal_size=size, run_before=act)

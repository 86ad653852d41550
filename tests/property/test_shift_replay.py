"""A shift of thousands of mixed scans, from its recording: one ledger, whatever stops it."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from hardware.frame import ScanFrame
from hardware.player import replay
from hardware.recording import script_of
from mes_terminal.domain.rules import StationRules
from tests.model.long_shift import BREAK_S, plant_of_shift, scanlog
from tests.model.shift import Shift, whole_ledger
from tests.plants import MORNING, memory_folder

SCANS = 5_000
RULES = StationRules(mode="test", receive_from_labels=True)


def frames_of(recording: str) -> list[ScanFrame]:
    """Return what the station hears of a recording: no double read, no cut code."""
    script = script_of(recording, "shift.scanlog")
    assert script.faults == ()
    return [one for one in replay(script.steps) if isinstance(one, ScanFrame) and one.is_scan]


def groups_of(frames: list[ScanFrame], grouping: str) -> Iterator[tuple[list[ScanFrame], bool]]:
    """Yield what is scanned between two stops; true where the last of it still waits at the stop.

    A stop takes its time: where something waits, a break follows, so that the code is not scanned
    again while the station would ask (BF-13).
    """
    chance = Random(grouping)
    group: list[ScanFrame] = []
    for frame, later in zip(frames, [*frames[1:], None], strict=True):
        group.append(frame)
        is_break = later is not None and later.at_s - frame.at_s >= BREAK_S
        if grouping != "whole" and chance.random() < (0.5 if is_break else 0.02):
            yield group, is_break
            group = []
    yield group, False


def play(folder: Path, frames: list[ScanFrame], grouping: str) -> dict[str, Any]:
    """Play a shift; return its ledger. `doctor` is clean."""
    shift = Shift(folder, plant_of_shift(), RULES)
    chance = Random(f"{grouping}:waiting")
    for group, waits in groups_of(frames, grouping):
        left = chance.randint(1, 5) if waits else 0
        for position, frame in enumerate(group):
            shift.station.clock = MORNING + timedelta(seconds=frame.at_s)
            shift.station.journal(frame.raw)
            if position < len(group) - left:
                shift.station.recover()
                shift.station.heal()
        if grouping != "whole":
            shift.restart()
            shift.station.heal()
            shift.station.recover()
            shift.station.heal()
    assert shift.station.faults() == []
    ledger = whole_ledger(shift.station)
    shift.station.db.close()
    return ledger


def _ledger_of(frames: list[ScanFrame], grouping: str) -> dict[str, Any]:
    with memory_folder() as folder:
        return play(folder, frames, grouping)


def _is_mixed(ledger: dict[str, Any]) -> None:
    """The shift must have met everything, or it proves nothing."""
    kinds = {row[3] for row in ledger["report"]}
    assert kinds >= {
        "completion", "operation", "scrap", "rework", "reworked", "exchange", "short_close",
        "reversal",
    }  # fmt: skip
    for table in ("hand_issue", "healing", "mount_cover", "slot", "receipt"):
        assert ledger[table], table
    assert "failed" not in {row[1] for row in ledger["scan_outcome"]}


@pytest.mark.story
def test_a_shift_of_five_thousand_scans_gives_one_ledger_however_often_it_is_stopped() -> None:
    """BF-12, BF-13, BF-36; invariants 1, 4 and 5: whole, and stopped at two sets of moments."""
    frames = frames_of(scanlog("a shift", SCANS))
    assert len(frames) == SCANS
    whole, *others = (_ledger_of(frames, each) for each in ("whole", "some stops", "other stops"))
    for other in others:
        for table, rows in whole.items():
            assert other[table] == rows, table
    _is_mixed(whole)

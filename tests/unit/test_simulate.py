"""`simulate`: scans of a scenario are delivered, everything else is told aside."""

import time
from pathlib import Path

import msgspec
import pytest

from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.script import parse
from mes_terminal.cli.main import run
from mes_terminal.cli.simulate import play, read_script
from mes_terminal.errors import InputError

SCENARIOS = Path(__file__).parents[2] / "config" / "scenarios"


def test_scans_are_delivered_and_everything_else_is_told_aside() -> None:
    scans: list[bytes] = []
    told: list[str] = []

    def aside(came: ScanFrame | ScannerError) -> None:
        told.append(came.reason if isinstance(came, ScannerError) else came.kind)

    script = parse("scan A\nburst 2 B\nhalf LONG\nscan NOREAD\nunplug\nplug\nscan A", "x.scan")
    play(script, lambda frame: scans.append(frame.raw), aside)
    assert scans == [b"A", b"B", b"A"]
    assert told == ["duplicate", "incomplete", "noread", "gone"]


def test_a_pause_costs_time_only_where_a_speed_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    script = parse("scan A\npause 5000\nscan B", "x.scan")
    play(script, lambda _: None, lambda _: None)
    assert slept == []
    play(script, lambda _: None, lambda _: None, speed=10)
    assert slept == [0.5]


def test_a_script_with_faults_is_refused_with_every_place(tmp_path: Path) -> None:
    file = tmp_path / "bad.scan"
    file.write_text("scan A\njump\nscan\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_script(file)
    assert f"{file}:2: unknown verb 'jump'" in caught.value.sentence
    assert f"{file}:3: scan needs a code" in caught.value.sentence


@pytest.mark.parametrize("content", [b"scan \xff\n", None])
def test_a_file_that_cannot_be_read_is_said_in_one_sentence(
    tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "x.scan"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.scan: "):
        read_script(file)


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.scan")), ids=lambda file: str(file.stem))
def test_every_scenario_that_ships_is_a_sound_script(file: Path) -> None:
    assert read_script(file).steps


@pytest.mark.parametrize(
    ("scenario", "ends_with"), [("good-shift", 0), ("bad-shift", 1), ("demo", 1), ("assembly", 1)]
)
def test_a_shift_at_the_sample_plant_leaves_every_proof_standing(
    tmp_path: Path, scenario: str, ends_with: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """The plant as shipped; each scan has one journal row, and `doctor` finds nothing (BF-13)."""
    at = ["--db", str(tmp_path / "plant.db")]
    assert run([*at, "load", str(SCENARIOS.parent / "sample-plant")]) == 0
    if scenario == "good-shift":
        assert run([*at, "load", str(SCENARIOS.parent / "late-papers")]) == 0
    capfd.readouterr()
    assert run([*at, "--json", "simulate", str(SCENARIOS / f"{scenario}.scan")]) == ends_with
    outcomes = capfd.readouterr().out.splitlines()
    assert run([*at, "--json", "journal"]) == 0
    journal = msgspec.json.decode(capfd.readouterr().out)
    assert [row["code"] for row in journal] == [
        msgspec.json.decode(outcome)["code"] for outcome in outcomes
    ]
    assert {row["status"] for row in journal} == {"done"}
    assert run([*at, "doctor"]) == 0

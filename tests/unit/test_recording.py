"""A `.scanlog` says what was read, and plays again to the same scans."""

import threading
from pathlib import Path

import pytest

from hardware.frame import ScanFrame
from hardware.player import replay
from hardware.recording import Recorder, script_of
from tests.e2e.station_process import Station

FRAMES = [
    ScanFrame(raw=b"WO-1", device="hand", at_s=10.0),
    ScanFrame(raw=b"WO-1", device="hand", at_s=10.2, kind="duplicate"),
    ScanFrame(raw=b"NOREAD", device="hand", at_s=11.0, kind="noread"),
    ScanFrame(raw=b"WO-", device="hand", at_s=12.0, kind="incomplete", reason="no_suffix"),
    ScanFrame(raw=b"\xff\x1d", device="hand", at_s=13.0),
    ScanFrame(raw=b"x", device="hand", at_s=14.0, kind="reject", reason="forbidden_key", key="F1"),
    ScanFrame(raw=b"WO-1", device="hand", at_s=20.0),
]


def written(path: Path, frames: list[ScanFrame]) -> str:
    recorder = Recorder(path, lambda sentence: pytest.fail(sentence))
    for frame in frames:
        recorder.add(frame)
    recorder.close()
    return path.read_text()


def test_a_recording_plays_to_the_scans_that_were_made(tmp_path: Path) -> None:
    script = script_of(written(tmp_path / "a.scanlog", FRAMES), "a.scanlog")
    assert script.faults == ()
    came = [(one.kind, one.raw) for one in replay(script.steps) if isinstance(one, ScanFrame)]
    assert came == [
        (frame.kind, frame.raw) for frame in FRAMES if frame.kind not in ("duplicate", "reject")
    ]
    assert sum(step.pause_ms for step in script.steps) == 10_000


def test_a_second_shift_is_added_to_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.scanlog"
    written(path, FRAMES)
    assert len(written(path, FRAMES).splitlines()) == 1 + 2 * len(FRAMES)


def test_a_disk_that_refuses_ends_the_recording_with_one_sentence() -> None:
    said = threading.Event()
    sentences = []

    def failed(sentence: str) -> None:
        sentences.append(sentence)
        said.set()

    recorder = Recorder(Path("/dev/full"), failed)
    recorder.add(FRAMES[0])
    assert said.wait(10)
    recorder.add(FRAMES[0])
    recorder.close()
    assert sentences == ["The recording /dev/full ends here: No space left on device. "
                         "Scanning goes on."]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"scanlog": 2}', '{"scanlog": 1}\nnonsense', '{"scanlog": 1}\n{"at_ms": 1}',
     '{"scanlog": 1}\n{"at_ms": 1, "kind": "code", "hex": "4"}'],
)  # fmt: skip
def test_a_file_that_is_no_recording_is_told_with_its_line(text: str) -> None:
    (fault,) = script_of(text, "a.scanlog").faults
    assert str(fault).startswith("a.scanlog:")


def test_the_command_plays_a_recording(tmp_path: Path) -> None:
    """Through the simulated scanner into the journal: the same codes, in order."""
    station = Station(tmp_path)
    station.load_plant()
    path = tmp_path / "shift.scanlog"
    written(path, [FRAMES[0], FRAMES[1], FRAMES[3], ScanFrame(raw=b"%HELP", device="a", at_s=21.0)])
    station.run("simulate", str(path))
    assert [row["code"] for row in station.rows("journal")] == ["WO-1", "%HELP"]
    station.close()

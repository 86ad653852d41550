"""The site's door for folders: what `file` connectors wrote is taken in, whole and in order."""

import os
from pathlib import Path

import msgspec
import pytest

from mes_terminal.errors import TransportError
from mes_terminal.site.doors.folder import FolderReader
from tests.power_cut import PowerCutError, cut_power
from tests.unit.posting_files import Inbox, sequences_in, write


async def test_files_are_taken_in_order_and_put_aside_with_their_answers(tmp_path: Path) -> None:
    await write(tmp_path, (1, 2), (3,))
    inbox = Inbox()
    reader = FolderReader(tmp_path, inbox)
    assert reader.read() == 2
    assert inbox.taken == [1, 2, 3]
    assert not list(tmp_path.glob("0000/*.jsonl"))
    answers = tmp_path / "taken" / "0000" / "LINE3-00000001.answers.jsonl"
    assert [
        msgspec.json.decode(line)["sequence"] for line in answers.read_bytes().splitlines()
    ] == [
        1,
        2,
    ]
    await write(tmp_path, (4,))
    assert FolderReader(tmp_path, inbox).read() == 1
    assert inbox.taken == [1, 2, 3, 4]


async def test_a_busy_inbox_leaves_the_file_where_it_is(tmp_path: Path) -> None:
    await write(tmp_path, (1,))
    inbox = Inbox()
    inbox.busy = 1
    reader = FolderReader(tmp_path, inbox)
    with pytest.raises(TransportError):
        reader.read()
    assert reader.read() == 1
    assert inbox.taken == [1]


@pytest.mark.parametrize("fault", ["changed", "missing", "cut", "foreign"])
async def test_a_file_that_no_station_wrote_holds_up_those_after_it(
    tmp_path: Path, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is skipped, and nothing wrong is taken; it goes on when the file is brought back."""
    await write(tmp_path, (1,), (2,), (3,))
    inbox = Inbox()
    first, second = (tmp_path / "0000" / f"LINE3-0000000{number}.jsonl" for number in (1, 2))
    right = {path: path.read_bytes() for path in (first, second)}
    match fault:
        case "changed":
            first.write_bytes(right[first].replace(b'"4"', b'"5"'))
        case "missing":
            second.unlink()
        case "cut":
            second.write_bytes(right[second][:-9])
        case "foreign":
            second.write_bytes(b"something else\n")
    reader = FolderReader(tmp_path, inbox)
    reader.read()
    assert inbox.taken == [1]
    reader.read()
    if fault == "changed":
        return  # the file after it shows it
    second.write_bytes(right[second])
    reader.read()
    assert inbox.taken == [1, 2, 3]


CALLS = (
    (os, "fsync"), (os, "open"), (Path, "open"), (Path, "replace"), (Path, "mkdir"),
    (Path, "write_bytes"),
)  # fmt: skip


@pytest.mark.parametrize("cut", range(1, 33))
async def test_a_power_cut_at_every_call_leaves_nothing_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: int
) -> None:
    """What was taken may be taken again, which the inbox knows; each file gets its answers."""
    await write(tmp_path, (1, 2), (3,))
    inbox = Inbox()
    with monkeypatch.context() as patch:
        cut_power(patch, CALLS, at=cut)
        with pytest.raises(PowerCutError):
            FolderReader(tmp_path, inbox).read()
    await write(tmp_path, (4,))
    FolderReader(tmp_path, inbox).read()
    assert sorted(set(inbox.taken)) == [1, 2, 3, 4]
    taken = tmp_path / "taken"
    assert sequences_in(taken) == [1, 2, 3, 4]
    answers = sorted(taken.glob("????/*.answers.jsonl"))
    assert [path.read_bytes().count(b"\n") for path in answers] == [2, 1, 1]


async def test_a_number_that_comes_again_with_other_content_holds_up(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Nothing is skipped; what was taken before and is put back does no harm."""
    await write(tmp_path, (1,), (2,), (3,))
    inbox = Inbox()
    FolderReader(tmp_path, inbox).read()
    first, second = (tmp_path / "0000" / f"LINE3-0000000{number}.jsonl" for number in (1, 2))
    taken = tmp_path / "taken" / "0000"
    first.write_bytes((taken / first.name).read_bytes())
    right = (taken / second.name).read_bytes()
    second.write_bytes(right.replace(b'"4"', b'"5"'))
    await write(tmp_path, (4,))
    FolderReader(tmp_path, inbox).read()
    assert inbox.taken == [1, 2, 3]
    assert not first.exists()
    assert second.exists()
    second.write_bytes(right)
    FolderReader(tmp_path, inbox).read()
    assert inbox.taken == [1, 2, 3, 4]


async def test_a_damaged_note_of_the_reader_holds_up_its_station_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It says what to do, and that leads on: the inbox makes it once."""
    await write(tmp_path, (1,), (2,))
    inbox = Inbox()
    reader = FolderReader(tmp_path, inbox)
    reader.read()
    note = tmp_path / "taken" / ".LINE3.progress"
    note.write_bytes(b"\0" * 40)
    await write(tmp_path, (3,))
    assert reader.read() == 0
    assert inbox.taken == [1, 2]
    note.unlink()
    for path in (tmp_path / "taken" / "0000").glob("LINE3-????????.jsonl"):
        path.rename(tmp_path / "0000" / path.name)
    assert reader.read() == 3
    assert inbox.taken == [1, 2, 1, 2, 3]


async def test_a_station_that_lost_its_own_state_begins_anew(tmp_path: Path) -> None:
    """The inbox is what makes it exactly once; both files of the number stay."""
    await write(tmp_path, (1,))
    inbox = Inbox()
    reader = FolderReader(tmp_path, inbox)
    reader.read()
    (tmp_path / ".LINE3.state").unlink()
    await write(tmp_path, (1, 2))
    reader.read()
    assert inbox.taken == [1, 1, 2]
    assert len(list((tmp_path / "taken" / "0000").glob("LINE3-00000001*.jsonl"))) >= 3

"""A restored backup, a clone or a copy takes a new epoch; a restart never does (UP-1)."""

import json
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.errors import InputError
from mes_terminal.station import booking as station_booking
from mes_terminal.station import home, machine
from mes_terminal.station.booking import Booking
from mes_terminal.station.home import Note
from mes_terminal.store import epochs, verifier
from mes_terminal.store.database import SqliteError, open_database
from mes_terminal.usecases.doctor import examine
from mes_terminal.usecases.epoch import begin_epoch, current_epoch

RULES = StationRules(mode="test")
NOW = "2026-11-20T13:05:12.100000Z"
MARKS = {"machine": ["m1"], "board": ["b1"], "disks": ["d1"], "networks": ["n1", "n2"]}


class Place:
    """A database in a folder, opened and closed as the station does; who asks sees its epoch."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "station.db"
        self._moved: str | None = None
        self._codes = iter(range(1_000_000))

    def open(self, postings: int = 1) -> str:
        """Open it, post so many times, close it; return the epoch it then has."""
        booking = Booking(self.path, RULES)
        self._moved = booking.moved
        try:
            for _ in range(postings):
                code = f"{self.path.parent.name}-{next(self._codes)}".encode()
                assert booking.book(booking.request_for(code, device="test")).outcome == "unknown"
            return current_epoch(booking.db.conn).epoch
        finally:
            booking.close()

    def said(self) -> str:
        """Return what was said of a new epoch at the last opening; empty if there was none."""
        return self._moved or ""

    def postings(self) -> dict[tuple[str, int], str]:
        """Return the bytes of each posting by epoch and sequence."""
        db = open_database(self.path)
        try:
            rows = db.conn.execute(
                "SELECT outbox_seq, body FROM event WHERE outbox_seq IS NOT NULL"
            ).fetchall()
        finally:
            db.close()
        return {(json.loads(body)["epoch"], sequence): body for sequence, body in rows}

    def faults(self) -> list[str]:
        """Return what doctor and the auditor's verifier find."""
        db = open_database(self.path)
        now = "2099-01-01T00:00:00.000000Z"
        found = examine(db, RULES, now=now, disk_free_bytes=10**12)
        db.close()
        return [each.detail for each in found if not each.ok] + [
            detail for _, holds, detail in verifier.verify(self.path) if not holds
        ]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "here"
    folder.mkdir()
    return Place(folder)


@pytest.fixture
def marks(monkeypatch: pytest.MonkeyPatch) -> machine.Marks:
    """The marks of the machine, to be changed."""
    found = {part: list(values) for part, values in MARKS.items()}
    settle = partial(home.settle_home, marks_of=lambda _: dict(found))
    monkeypatch.setattr(station_booking, "settle_home", settle)
    return found


def test_a_new_database_has_one_epoch_which_begins_with_its_first_posting(place: Place) -> None:
    """UP-1: 64 random bits."""
    epoch = place.open(0)
    assert len(epoch) == 16
    assert int(epoch, 16) >= 0
    db = open_database(place.path)
    found = current_epoch(db.conn)
    assert (found.first_sequence, found.why) == (1, "made")
    assert epochs.read_meta(db.conn, "epoch") == epoch
    for change in ("UPDATE epoch SET first_sequence = 2", "DELETE FROM epoch"):
        with pytest.raises(SqliteError, match="append-only"):
            db.conn.execute(change)
    db.close()


def test_a_new_epoch_leaves_what_was_posted_and_the_sequence_goes_on(place: Place) -> None:
    """UP-1: what waits keeps its bytes; the log tells the epoch and goes nowhere with it."""
    first = place.open(3)
    before = place.postings()
    db = open_database(place.path)
    with db.transaction() as conn:
        begun = begin_epoch(conn, "f" * 16, why="behind", because="told", rules=RULES, now=NOW)
    assert begun == current_epoch(db.conn)
    assert (begun.first_sequence, begun.began_at) == (4, NOW)
    body, outbox_seq = db.conn.execute(
        "SELECT body, outbox_seq FROM event WHERE type = 'epoch.begun'"
    ).fetchone()
    db.close()
    told = json.loads(body)
    assert outbox_seq is None
    assert told["id"].startswith("f" * 16 + ":L")
    assert told["data"]["detail"] == {
        "epoch": "f" * 16, "before": first, "first_sequence": "4", "why": "behind",
        "because": "told",
    }  # fmt: skip
    assert place.open(1) == "f" * 16
    after = place.postings()
    assert after | before == after
    assert set(after) - set(before) == {("f" * 16, 4)}
    assert place.faults() == []


def test_a_restart_changes_nothing_however_often(place: Place) -> None:
    epochs_seen = {place.open() for _ in range(4)}
    assert len(epochs_seen) == 1
    assert place.said() == ""


@pytest.mark.parametrize("change", [
    lambda place: place.path.parent.rename(place.path.parent.with_name("there")),
    lambda place: place.path.chmod(0o640),
    lambda place: (place.path.parent / "link.db").hardlink_to(place.path),
    lambda place: place.path.touch(),
], ids=["the folder moved", "other rights", "another name", "another date"])  # fmt: skip
def test_what_leaves_the_file_what_it_was_changes_nothing(
    place: Place, change: Callable[[Place], object]
) -> None:
    epoch = place.open()
    change(place)
    moved = place.path.parent.with_name("there")
    if moved.exists():
        place.path = moved / place.path.name
    assert place.open() == epoch


def test_a_killed_station_changes_nothing(place: Place) -> None:
    """Nobody closed it, so the note is older than the log."""
    epoch = place.open()
    booking = Booking(place.path, RULES)
    for code in (b"A", b"B"):
        booking.book(booking.request_for(code, device="test"))
    booking.db.close()
    assert place.open() == epoch


def whole_folder(kept: Path, place: Place) -> None:
    shutil.copytree(kept, place.path.parent, dirs_exist_ok=True)


def file_alone(kept: Path, place: Place) -> None:
    shutil.copy(kept / place.path.name, place.path)


def new_file(kept: Path, place: Place) -> None:
    fresh = place.path.with_name("fresh")
    shutil.copy(kept / place.path.name, fresh)
    fresh.replace(place.path)


@pytest.mark.parametrize("put_back", [whole_folder, file_alone, new_file])
def test_an_earlier_state_that_is_put_back_by_hand_takes_a_new_epoch(
    place: Place, tmp_path: Path, put_back: Callable[[Path, Place], None]
) -> None:
    """UP-1: else the same sequence would name two things."""
    epoch = place.open(2)
    kept = shutil.copytree(place.path.parent, tmp_path / "kept")
    assert place.open(3) == epoch
    posted = place.postings()
    put_back(kept, place)
    assert place.open(3) != epoch
    assert place.said()
    assert not (set(place.postings()) & {(epoch, n) for n in (3, 4, 5)})
    assert set(posted) >= {(epoch, n) for n in (3, 4, 5)}
    assert place.faults() == []
    again = place.open()
    assert place.said() == ""
    assert again == place.open()


def test_a_state_copied_while_the_station_ran_is_found_too(place: Place, tmp_path: Path) -> None:
    booking = Booking(place.path, RULES)
    booking.book(booking.request_for(b"A", device="test"))
    booking.db.checkpoint()
    kept = tmp_path / "kept.db"
    shutil.copy(place.path, kept)
    booking.book(booking.request_for(b"B", device="test"))
    epoch = current_epoch(booking.db.conn).epoch
    booking.close()
    shutil.copy(kept, place.path)
    assert place.open() != epoch


@pytest.mark.parametrize("alone", [True, False])
def test_a_copy_in_another_folder_is_another_station_and_the_first_goes_on(
    place: Place, tmp_path: Path, alone: bool
) -> None:
    epoch = place.open()
    (tmp_path / "there").mkdir()
    other = Place(tmp_path / "there")
    if alone:
        shutil.copy(place.path, other.path)
    else:
        shutil.copytree(place.path.parent, other.path.parent, dirs_exist_ok=True)
    assert other.open() != epoch
    assert place.open() == epoch


@pytest.mark.parametrize("part", list(MARKS))
def test_another_machine_or_disk_takes_a_new_epoch(
    place: Place, marks: machine.Marks, part: str
) -> None:
    """UP-1: a cloned disk."""
    epoch = place.open()
    marks[part] = ["other"]
    assert place.open() != epoch
    assert "another" in place.said()
    assert place.open() == place.open()


@pytest.mark.parametrize("part", list(MARKS))
def test_what_cannot_be_read_this_time_is_no_change(
    place: Place, marks: machine.Marks, part: str
) -> None:
    """A driver that is late, or a start as another user."""
    epoch = place.open()
    known = marks.pop(part)
    assert place.open() == epoch
    marks[part] = known
    assert place.open() == epoch
    marks[part] = ["other"]
    assert place.open() != epoch


def test_a_network_card_more_or_less_is_no_change(place: Place, marks: machine.Marks) -> None:
    epoch = place.open()
    for cards in (["n2"], ["n2", "n3"], ["n3"], ["n1"]):
        marks["networks"] = cards
        assert place.open() == epoch, cards


def test_a_stop_before_the_new_note_is_in_its_place_changes_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = place.open()
    with monkeypatch.context() as stopped:
        stopped.setattr(Note, "settle", lambda _: None)
        assert place.open() == epoch
    assert place.open() == epoch


def test_a_note_half_of_which_a_power_cut_spoiled_is_read(place: Place) -> None:
    epoch = place.open(3)
    note = Note(place.path)
    content = bytearray(note.path.read_bytes())
    newest = note.read()
    assert newest is not None
    for at in (0, home.SLOT_BYTES):
        spoiled = content.copy()
        spoiled[at : at + home.SLOT_BYTES] = b"\xff" * home.SLOT_BYTES
        note.path.write_bytes(spoiled)
        assert note.read() is not None
        assert place.open(0) == epoch
        note.path.write_bytes(content)


def test_a_full_disk_keeps_no_station_from_starting(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    epoch = place.open()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as full:
        full.setattr(Note, "prepare", refuse)
        assert place.open() == epoch
    assert place.open() == epoch


def test_a_disk_that_refuses_a_new_epoch_lets_nothing_be_posted_under_the_old_one(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.open()
    other = Place(tmp_path)
    shutil.copy(place.path, other.path)

    def refuse(*_: object, **__: object) -> None:
        raise SqliteError("database or disk is full")

    with monkeypatch.context() as full:
        full.setattr(home, "begin_epoch", refuse)
        with pytest.raises(InputError, match="Make room"):
            other.open()
    assert len(other.postings()) == 1
    other.open()
    assert len({epoch for epoch, _ in other.postings()}) == 2


def test_what_the_database_keeps_of_the_machine_names_nothing(place: Place) -> None:
    """No machine id, serial number or address stands in it."""
    place.open()
    db = open_database(place.path)
    kept = epochs.read_meta(db.conn, epochs.HOME)
    db.close()
    assert kept is not None
    values = [value for part in json.loads(kept)["marks"].values() for value in part]
    assert all(len(value) == 16 and int(value, 16) >= 0 for value in values)
    machine_id = machine.MACHINE_ID.read_text().strip() if machine.MACHINE_ID.exists() else "-"
    assert machine_id not in kept


def test_the_marks_of_this_machine_are_the_same_twice(tmp_path: Path) -> None:
    assert machine.machine_marks(tmp_path) == machine.machine_marks(tmp_path)
    one = tmp_path / "one"
    one.write_text("x")
    mark = machine.file_mark(one)
    one.rename(tmp_path / "two")
    assert machine.file_mark(tmp_path / "two") == mark
    shutil.copy(tmp_path / "two", one)
    if mark is not None:
        assert machine.file_mark(one) != mark


def test_disks_below_volumes_and_cards_that_software_makes_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An encrypted volume on a partition of a disk, mounted with a blank in its name."""
    sys = tmp_path / "sys"
    files = {
        "devices/sda/device/wwid": "naa.5002538e",
        "devices/sda/sda2/partition": "2",
        "devices/dm-0/dm/name": "root",
        "class/net/eth0/address": "00:11:22:33:44:55",
        "class/net/eth0/addr_assign_type": "0",
        "class/net/eth0/device/vendor": "x",
        "class/net/veth1/address": "aa:11:22:33:44:55",
        "class/net/veth1/addr_assign_type": "0",
        "class/net/rnd0/address": "02:11:22:33:44:55",
        "class/net/rnd0/addr_assign_type": "1",
        "class/net/rnd0/device/vendor": "x",
    }
    for name, text in files.items():
        (sys / name).parent.mkdir(parents=True, exist_ok=True)
        (sys / name).write_text(text + "\n")
    (sys / "devices/dm-0/slaves").mkdir()
    (sys / "devices/dm-0/slaves/sda2").symlink_to(sys / "devices/sda/sda2")
    device = tmp_path.stat().st_dev
    (sys / "dev/block").mkdir(parents=True)
    number = f"{os.major(device)}:{os.minor(device)}"
    (sys / "dev/block" / number).symlink_to(sys / "devices/dm-0")
    mounts = tmp_path / "mounts"
    point = str(tmp_path).replace("/", "\\057", 1)
    mounts.write_text(
        f"1 0 8:1 / / rw - ext4 /dev/none rw\n2 1 8:2 / {point} rw - vfat stick rw\nodd\n"
    )
    monkeypatch.setattr(machine, "SYS", sys)
    monkeypatch.setattr(machine, "MOUNTS", mounts)
    monkeypatch.setattr(machine, "MACHINE_ID", tmp_path / "none")
    monkeypatch.setattr(machine, "BOARDS", ())
    assert list(machine._networks()) == ["00:11:22:33:44:55"]
    assert machine._disks(tmp_path) == ["naa.5002538e"]
    assert set(machine.machine_marks(tmp_path)) == {"disks", "networks"}
    assert machine.file_mark(mounts) is None, "FAT makes up the numbers of its files"

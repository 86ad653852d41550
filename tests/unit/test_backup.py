"""Backups are whole, proved and dated; a restore sets the present database aside (UP-1)."""

import asyncio
import json
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
import pytest

from mes_terminal.domain.rules import StationRules
from mes_terminal.domain.view import StationView
from mes_terminal.errors import DatabaseError, InputError, NoDatabaseError, StationError
from mes_terminal.settings import Settings
from mes_terminal.settings.tables import AlarmsTable, BackupTable, StationTable
from mes_terminal.station.backups import NightlyBackup, back_up, backup_folder, due_since
from mes_terminal.station.booking import Booking
from mes_terminal.store import epochs
from mes_terminal.store.backup import Lost, backups_in
from mes_terminal.store.database import open_database, open_reader
from mes_terminal.store.sqlite import sqlite
from mes_terminal.store.training import copy_for_training
from mes_terminal.tui.present_view import status_pieces
from mes_terminal.tui.words import words_for
from mes_terminal.usecases.backup import make_backup
from mes_terminal.usecases.backup_restore import Restored, restore_backup
from mes_terminal.usecases.doctor import examine
from mes_terminal.usecases.epoch import current_epoch

RULES = StationRules(mode="test")
SETTINGS = Settings(alarms=AlarmsTable(disk_stop_mb=0, disk_warn_mb=0))
NAME = "station-STATION-1"
DAY = "2026-11-{:02d}T01:30:00.000000Z"
NOW = "2026-11-25T07:00:00.000000Z"


@pytest.fixture
def booking(tmp_path: Path) -> Iterator[Booking]:
    """A station that is at work: its database is open and its log is not in it yet."""
    booking = Booking(tmp_path / "station.db", RULES)
    scan(booking, "A", "B", "C")
    yield booking
    booking.close()


def scan(booking: Booking, *codes: str) -> None:
    for code in codes:
        booking.book(booking.request_for(code.encode(), device="test"))


def backup_of(booking: Booking, *, day: int = 20) -> Path:
    folder = booking.db.path.with_name("backups")
    made = make_backup(booking.db.path, folder, name=NAME, at=DAY.format(day), keep=None)
    return Path(made.file)


def restored(booking: Booking, backup: Path) -> Restored:
    """Stop the station and restore."""
    booking.close()
    return restore_backup(backup, booking.db.path, epoch="e" * 16, rules=RULES, now=NOW)


def contents(path: Path, table: str = "event") -> list[tuple[object, ...]]:
    reader = open_reader(path)
    try:
        return reader.conn.execute(f"SELECT * FROM {table}").fetchall()
    finally:
        reader.close()


def damage(path: Path, table: str) -> None:
    """Write over the table's root page."""
    connection = sqlite.connect(path)
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = ?", [table]
    ).fetchone()
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * 64)


def test_a_backup_is_one_file_with_everything_that_was_booked(booking: Booking) -> None:
    """Also what is still in the log of the running station; who may read it may read the copy."""
    booking.db.path.chmod(0o640)
    backup = backup_of(booking)
    assert backup.name == f"{NAME}-20261120T013000000000Z.db"
    assert contents(backup) == contents(booking.db.path)
    assert backup.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in backup.parent.iterdir()] == [backup.name]
    assert backup.parent.stat().st_mode & 0o777 == 0o700


def test_a_backup_is_made_while_the_station_scans(booking: Booking) -> None:
    """BF-13: the writer goes on, and the copy is a moment between two scans."""
    done = threading.Event()
    made: list[Path] = []

    def back_up_beside() -> None:
        made.extend(backup_of(booking, day=day) for day in range(1, 6))
        done.set()

    thread = threading.Thread(target=back_up_beside)
    thread.start()
    number = 0
    while not done.is_set():
        scan(booking, f"S{number}")
        number += 1
    thread.join()
    assert number > 5
    for path in made:
        reader = open_reader(path)
        found = examine(reader, RULES, now="2099-01-01T00:00:00.000000Z", disk_free_bytes=10**12)
        reader.close()
        assert [each.detail for each in found if not each.ok and each.check != "pragmas"] == []


def test_the_newest_are_kept_and_nothing_else_is_removed(booking: Booking) -> None:
    folder = booking.db.path.with_name("backups")
    folder.mkdir()
    foreign = [folder / "station-old.db", folder / "station-STATION-2-20261101T013000000000Z.db"]
    for path in foreign:
        path.write_text("mine")
    for day in range(1, 5):
        made = make_backup(booking.db.path, folder, name=NAME, at=DAY.format(day), keep=2)
    assert [path.name[18:26] for path in backups_in(folder, NAME)] == [
        "20261103", "20261104",
    ]  # fmt: skip
    assert made.removed == [str(folder / f"{NAME}-20261102T013000000000Z.db")]
    assert all(path.exists() for path in foreign)


def test_a_copy_that_does_not_hold_is_told_kept_and_removes_no_other(booking: Booking) -> None:
    """It may be all there is; and one night of it must not push a good one out."""
    good = backup_of(booking)
    conn = booking.db.conn
    conn.execute("DROP TRIGGER event_no_update")
    conn.execute("UPDATE event SET body = replace(body, 'unknown', 'unknowm') WHERE event_seq = 2")
    for day in (21, 22):
        with pytest.raises(DatabaseError, match="entry 2 has a hash") as told:
            make_backup(booking.db.path, good.parent, name=NAME, at=DAY.format(day), keep=1)
        assert told.value.exit_code == 3
    assert sorted(path.name for path in good.parent.iterdir()) == [good.name, f"{NAME}.faulty"]


def test_a_backup_that_is_opened_as_a_station_takes_a_new_epoch(
    booking: Booking, tmp_path: Path
) -> None:
    """UP-1: copied into place by hand, also over the very database it is of."""
    epoch = current_epoch(booking.db.conn).epoch
    backup = backup_of(booking)
    booking.close()
    for path in (tmp_path / "other.db", booking.db.path):
        shutil.copy(backup, path)
        again = Booking(path, RULES)
        assert "it is a backup of 2026-11-20" in (again.moved or "")
        assert current_epoch(again.db.conn).epoch != epoch
        assert epochs.read_meta(again.db.conn, epochs.BACKUP) is None
        again.close()
        again = Booking(path, RULES)
        assert again.moved is None
        again.close()


def test_a_restore_brings_back_what_was_and_tells_what_is_lost(booking: Booking) -> None:
    """UP-1: the sequence goes on under a new epoch; what came after the backup stays aside."""
    old = current_epoch(booking.db.conn).epoch
    backup = backup_of(booking)
    scan(booking, "D", "E")
    booking.db.conn.execute("UPDATE delivery SET status = 'delivered' WHERE outbox_seq <= 4")
    booking.db.path.chmod(0o640)
    kept = contents(booking.db.path)
    told = restored(booking, backup)
    assert told.lost == Lost(entries=2, scans=2, postings=2, undelivered=1)
    assert told.made_at == DAY.format(20)
    assert told.first_sequence == 4
    path, aside = booking.db.path, Path(told.set_aside or "")
    assert aside.name == "station.db.before-restore-20261125T070000000000Z"
    assert contents(aside) == kept
    assert contents(path)[:3] == contents(backup)
    assert path.stat().st_mode & 0o777 == 0o640
    again = Booking(path, RULES)
    assert again.moved is None, "the restore began the epoch"
    scan(again, "F")
    found = again.db.conn.execute(
        "SELECT body ->> 'epoch', outbox_seq FROM event WHERE outbox_seq IS NOT NULL"
    ).fetchall()
    assert found == [(old, 1), (old, 2), (old, 3), ("e" * 16, 4)]
    checks = examine(again.db, RULES, now="2099-01-01T00:00:00.000000Z", disk_free_bytes=10**12)
    assert [each.detail for each in checks if not each.ok] == []
    again.close()
    left = {each.name for each in path.parent.iterdir()} - {path.name, aside.name, "backups"}
    assert left == {"station.db.home"}


def test_a_second_restore_counts_from_where_the_two_part(booking: Booking) -> None:
    first = backup_of(booking)
    scan(booking, "D")
    second = backup_of(booking, day=21)
    restored(booking, first)
    path = booking.db.path
    again = Booking(path, RULES)
    scan(again, "X")
    again.close()
    told = restore_backup(
        second, path, epoch="f" * 16, rules=RULES, now="2026-11-26T07:00:00.000000Z"
    )
    assert told.lost == Lost(entries=2, scans=1, postings=1, undelivered=1)


def test_a_restore_needs_no_database(booking: Booking, tmp_path: Path) -> None:
    """A new computer."""
    backup = backup_of(booking)
    there = tmp_path / "new" / "station.db"
    told = restore_backup(backup, there, epoch="e" * 16, rules=RULES, now=NOW)
    assert (told.set_aside, told.lost) == (None, None)
    assert len(contents(there)) == len(contents(backup)) + 1
    assert there.stat().st_mode & 0o777 == 0o600


def test_a_damaged_database_is_set_aside_with_its_log(booking: Booking) -> None:
    backup = backup_of(booking)
    path = booking.db.path
    booking.close()
    path.write_bytes(b"no database at all" * 500)
    wal = path.with_name("station.db-wal")
    wal.write_bytes(b"its log")
    told = restore_backup(backup, path, epoch="e" * 16, rules=RULES, now=NOW)
    assert told.lost is None
    aside = Path(told.set_aside or "")
    assert aside.read_bytes().startswith(b"no database")
    assert aside.with_name(aside.name + "-wal").read_bytes() == b"its log"
    assert not wal.exists()
    assert contents(path)[:3] == contents(backup)


def test_a_copy_made_by_hand_with_its_log_is_restored_too(booking: Booking, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(booking.db.path, copy)
    shutil.copy(f"{booking.db.path}-wal", f"{copy}-wal")
    told = restored(booking, copy)
    assert told.made_at is None
    assert told.lost == Lost(0, 0, 0, 0)
    assert len(contents(booking.db.path, "scan_journal")) == 3
    assert Path(f"{copy}-wal").exists(), "the copy stays as it was"


@pytest.mark.parametrize(
    ("spoil", "sentence", "exit_code"),
    [
        (lambda path: path.unlink(), "no backup at", 2),
        (lambda path: path.write_bytes(b""), "no backup at", 2),
        (lambda path: path.write_text("x" * 5000), "no backup of a station", 2),
        (lambda path: os.truncate(path, 9 * 4096), "damaged|not hold", 3),
        (lambda path: damage(path, "event"), "damaged|not hold", 3),
        (lambda path: rewrite(path, "UPDATE event SET body = '{}'"), "entry 1 has a hash", 3),
        (lambda path: rewrite(path, "INSERT INTO _sqlite_migrations (migration_set, name, "
                              "applied_at) VALUES ('mes_terminal', '9999_later', '')"),
         "newer than this program", 3),
    ],
    ids=["gone", "empty", "no database", "cut off", "damaged", "changed", "newer"],
)  # fmt: skip
def test_what_does_not_hold_is_refused_and_changes_nothing(
    booking: Booking, spoil: object, sentence: str, exit_code: int
) -> None:
    backup = backup_of(booking)
    spoil(backup)  # type: ignore[operator]
    before = contents(booking.db.path)
    with pytest.raises(StationError, match=sentence) as told:
        restored(booking, backup)
    assert told.value.exit_code == exit_code
    assert ".restore.part" not in told.value.sentence
    assert str(backup) in told.value.sentence
    assert contents(booking.db.path) == before
    assert not list(booking.db.path.parent.glob("*before-restore*"))
    assert not list(booking.db.path.parent.glob(".*"))


def rewrite(path: Path, statement: str) -> None:
    with sqlite.connect(path) as connection:
        connection.execute("DROP TRIGGER event_no_update")
        connection.execute(statement)
    connection.close()


def test_the_database_itself_and_a_training_copy_are_no_backups(
    booking: Booking, tmp_path: Path
) -> None:
    training = tmp_path / "training.db"
    copy_for_training(booking.db.path, training, epoch="a" * 16, now=NOW)
    backup = backup_of(booking)
    with pytest.raises(InputError, match="the database itself"):
        restore_backup(booking.db.path, booking.db.path, epoch="e", rules=RULES, now=NOW)
    with pytest.raises(InputError, match="training copy"):
        restore_backup(training, booking.db.path, epoch="e", rules=RULES, now=NOW)
    with pytest.raises(InputError, match="Name the station's database"):
        restore_backup(backup, training, epoch="e", rules=RULES, now=NOW)
    with pytest.raises(InputError, match="training copy"):
        back_up(training, SETTINGS, at=NOW)
    with pytest.raises(NoDatabaseError):
        back_up(tmp_path / "none.db", SETTINGS, at=NOW)


def test_a_database_that_another_program_has_open_is_not_replaced(booking: Booking) -> None:
    """It would write its log beside another database."""
    backup = backup_of(booking)
    reader = open_reader(booking.db.path)
    reader.conn.execute("BEGIN")
    reader.conn.execute("SELECT * FROM event").fetchone()
    with pytest.raises(InputError, match="open in another program"):
        restored(booking, backup)
    reader.close()
    assert len(contents(booking.db.path)) == 3


def test_no_backup_that_would_fill_its_disk_is_begun(booking: Booking, tmp_path: Path) -> None:
    tight = Settings(alarms=AlarmsTable(disk_stop_mb=10**9))
    with pytest.raises(InputError, match="too little room"):
        back_up(booking.db.path, tight, at=NOW, folder=tmp_path / "not" / "there")
    assert not (tmp_path / "not").exists()


def test_a_folder_that_cannot_be_written_is_told_in_a_sentence(
    booking: Booking, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="No backup can be made in"):
        back_up(booking.db.path, SETTINGS, at=NOW, folder=tmp_path / "file")


def test_backups_in_a_folder_that_was_named_all_stay(booking: Booking, tmp_path: Path) -> None:
    once = Settings(alarms=SETTINGS.alarms, backup=BackupTable(keep=1))
    for day in (1, 2):
        assert (
            back_up(booking.db.path, once, at=DAY.format(day), folder=tmp_path / "usb").removed
            == []
        )
        back_up(booking.db.path, once, at=DAY.format(day))
    assert len(backups_in(tmp_path / "usb", NAME)) == 2
    assert len(backups_in(backup_folder(booking.db.path, once), NAME)) == 1


def test_stations_may_share_a_folder(booking: Booking, tmp_path: Path) -> None:
    """Neither removes the other's backups, nor takes them for its own."""
    shared = BackupTable(keep=1, folder=str(tmp_path / "shared"))
    stations = [
        Settings(station=StationTable(id=name), alarms=SETTINGS.alarms, backup=shared)
        for name in ("LINE/3", "LINE-4")
    ]
    for settings in stations:
        nightly = NightlyBackup(booking.db.path, settings, ZoneInfo("UTC"))
        for day in (20, 21):
            assert asyncio.run(nightly.tick(f"2026-11-{day}T12:00:00.000000Z")) is not None
    names = sorted(path.name for path in (tmp_path / "shared").iterdir())
    assert [name[:14] for name in names] == ["station-LINE-4", "station-LINE_3"]


def test_the_nightly_backup_is_due_once_a_day_and_made_up_for(booking: Booking) -> None:
    """A day begins at `backup.at` by the wall clock; what was made by hand since then counts."""
    nightly = NightlyBackup(booking.db.path, SETTINGS, ZoneInfo("Europe/Berlin"))

    def at(now: str) -> str | None:
        made = asyncio.run(nightly.tick(now))
        return made.name[18:34] if made else None

    assert at("2026-11-20T12:00:00.000000Z") == "20261120T1200000"[:16]
    assert at("2026-11-21T01:29:00.000000Z") is None
    assert at("2026-11-21T01:31:00.000000Z") == "20261121T0131000"[:16]
    assert at("2026-11-21T23:00:00.000000Z") is None
    assert at("2026-11-25T12:00:00.000000Z") is not None
    back_up(booking.db.path, SETTINGS, at="2026-11-26T01:45:00.000000Z")
    assert at("2026-11-26T01:46:00.000000Z") is None
    never = Settings(alarms=SETTINGS.alarms, backup=BackupTable(at="none"))
    off = NightlyBackup(booking.db.path, never, ZoneInfo("UTC"))
    assert asyncio.run(off.tick("2027-01-01T12:00:00.000000Z")) is None


def test_a_nightly_backup_that_fails_is_told_and_tried_again_in_an_hour(booking: Booking) -> None:
    blocked = booking.db.path.with_name("backups")
    blocked.write_text("a file in its way")
    told: list[str | None] = []
    nightly = NightlyBackup(
        booking.db.path, SETTINGS, ZoneInfo("UTC"), changed=lambda: told.append(nightly.trouble)
    )
    assert asyncio.run(nightly.tick("2026-11-20T02:31:00.000000Z")) is None
    assert told == [nightly.trouble]
    assert "No backup can be made in" in str(nightly.trouble)
    blocked.unlink()
    assert asyncio.run(nightly.tick("2026-11-20T02:32:00.000000Z")) is None
    assert nightly.trouble is not None
    assert asyncio.run(nightly.tick("2026-11-20T03:32:00.000000Z")) is not None
    assert told[1:] == [None]


def test_a_backup_that_is_missing_is_on_the_screen() -> None:
    view = StationView(station="S", mode="live", now="2026-11-20T03:00:00.000000Z")
    missing = msgspec.structs.replace(view, backup_trouble="No backup can be made.")
    for language, told in (("en", "NO BACKUP"), ("de", "KEINE SICHERUNG")):
        words = words_for(language)
        assert told in [piece.text for piece in status_pieces(missing, words)]
        assert told not in [piece.text for piece in status_pieces(view, words)]


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ("2026-11-20T01:30:00.000000Z", "2026-11-20T01:30:00.000000Z"),
        ("2026-11-20T01:29:59.000000Z", "2026-11-19T01:30:00.000000Z"),
        ("2026-07-01T00:30:00.000000Z", "2026-07-01T00:30:00.000000Z"),
        ("2026-03-29T00:45:00.000000Z", "2026-03-28T01:30:00.000000Z"),
    ],
)
def test_the_hour_is_that_of_the_wall_clock(now: str, due: str) -> None:
    """In winter and in summer, and before the night that has no half past two."""
    assert due_since(now, "02:30", ZoneInfo("Europe/Berlin")) == due


def test_the_mark_of_a_backup_says_when_it_was_made(booking: Booking) -> None:
    backup = backup_of(booking)
    rows: dict[object, object] = dict(contents(backup, "meta"))  # type: ignore[arg-type]
    assert rows[epochs.BACKUP] == DAY.format(20)
    assert epochs.HOME not in rows
    assert json.loads(
        open_database(booking.db.path)
        .conn.execute("SELECT value FROM meta WHERE key = 'home'")
        .fetchone()[0]
    )

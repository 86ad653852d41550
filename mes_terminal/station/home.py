"""Where the database is at home: a clone, a copy or an old state of it is found when it is opened.

`meta` keeps the marks of the machine and of the file, and beside the database lies a note,
`<database>.home`, that says how far the log had come. A restart, another name or another folder on
the same disk changes none of it. Where something differs the station begins an epoch (UP-1): one
too many is harmless. What nothing on the disk shows, a whole disk put back to an earlier day on the
same machine, the receiver finds. Called under the database's lock.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from mes_terminal import logs
from mes_terminal.errors import InputError
from mes_terminal.station.machine import NETWORKS_MAX, Marks, file_mark, machine_marks
from mes_terminal.store import epochs
from mes_terminal.store.database import SqliteError
from mes_terminal.store.epochs import Position
from mes_terminal.store.private_file import PRIVATE
from mes_terminal.usecases.epoch import begin_epoch

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mes_terminal.domain.rules import StationRules
    from mes_terminal.store.database import Connection, Database
    from mes_terminal.usecases.epoch import Why

SLOT_BYTES: Final = 512
"""A note has two slots, each a sector of its own, so that a power cut spoils one at most."""
SLOTS: Final = 2
PARTS: Final = {
    "machine": "it was opened last on another machine",
    "board": "it was opened last on another machine",
    "networks": "it was opened last on another machine",
    "disks": "it was opened last on another disk",
}


class Home(Struct, frozen=True, kw_only=True):
    """Where the database was opened last, as `meta` keeps it."""

    marks: Marks
    file: str | None
    """What tells the file from its copies."""
    noted: bool
    """There is a note beside it."""
    notes: list[str]
    """What tells that from its copies; of the one before too, should a stop have kept the new one
    from its place."""


class Note:
    """The note beside the database: how far the log has come."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.home")
        self._passing = database.with_name(f".{database.name}.home.part")
        self.paths = (self._passing, self.path)
        self._slot = 0
        self._written: Position | None = None

    def read(self) -> Position | None:
        """Return the furthest position noted; `None` without a note."""
        try:
            content = self.path.read_bytes()
        except OSError:
            return None
        found = []
        for at in range(0, SLOTS * SLOT_BYTES, SLOT_BYTES):
            with contextlib.suppress(msgspec.DecodeError):
                found.append(
                    msgspec.json.decode(content[at : at + SLOT_BYTES].strip(b"\0"), type=Position)
                )
        return max(found, key=lambda position: position.event_seq, default=None)

    def prepare(self, position: Position) -> None:
        """Write a new note, not yet in its place. Raises `OSError`."""
        self._passing.unlink(missing_ok=True)
        descriptor = os.open(self._passing, os.O_CREAT | os.O_EXCL | os.O_WRONLY, PRIVATE)
        try:
            os.write(descriptor, _slot(position) * SLOTS)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def settle(self) -> None:
        """Put the prepared note into its place. Raises `OSError`."""
        self._passing.replace(self.path)

    def update(self, position: Position) -> None:
        """Note how far the log has come. What cannot be written only makes a copy harder to find.

        Called between scans: it waits for no disk.
        """
        if position == self._written:
            return
        try:
            descriptor = os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                os.pwrite(descriptor, _slot(position), self._slot * SLOT_BYTES)
            finally:
                os.close(descriptor)
        except OSError as error:
            logs.write("home.not_noted", error=error)
            return
        self._slot = (self._slot + 1) % SLOTS
        self._written = position


def settle_home(
    db: Database,
    rules: StationRules,
    *,
    now: str,
    marks_of: Callable[[Path], Marks] = machine_marks,
) -> str | None:
    """Begin an epoch where the database is not what was opened here last; return a sentence then.

    Raises `InputError` if the disk refuses that: nothing may be posted under the old epoch.
    """
    conn, note = db.conn, Note(db.path)
    text = epochs.read_meta(conn, epochs.HOME)
    kept = msgspec.json.decode(text, type=Home) if text is not None else None
    marks, file = marks_of(db.path), file_mark(db.path)
    found = _differs(conn, kept, marks, file, note)
    try:
        noted = _prepare(note, epochs.read_position(conn))
        home = Home(
            marks=_merged(kept.marks if kept else {}, marks),
            file=file,
            noted=noted or note.path.exists(),
            notes=[mark for path in note.paths if (mark := file_mark(path))],
        )
        with db.transaction():
            if found is not None:
                why, because = found
                begin_epoch(
                    conn, secrets.token_hex(8), why=why, because=because, rules=rules, now=now
                )
            epochs.write_meta(conn, epochs.BACKUP, None)
            epochs.write_meta(conn, epochs.HOME, msgspec.json.encode(home).decode())
        if noted:
            note.settle()
    except (SqliteError, OSError) as error:
        if found is None:  # as it was: a full disk must not keep the station from starting
            logs.write("home.not_settled", error=error)
            return None
        raise InputError(
            f"{db.path}: {found[1]}, so its postings need a new epoch, and the disk refuses to "
            f"record that ({error}). Make room or mend the disk, then start again.",
            reason="disk",
        ) from error
    return None if found is None else begun_sentence(found[1])


def begun_sentence(because: str) -> str:
    """Say that an epoch was begun."""
    return (
        f"The database is not where it was opened last, or not as it was left: {because}. Its "
        "postings carry a new epoch from now on; nothing else changes."
    )


def _prepare(note: Note, position: Position) -> bool:
    """Write the next note; false where it cannot be, and the old one goes on."""
    try:
        note.prepare(position)
    except OSError as error:
        logs.write("home.not_noted", error=error)
        return False
    return True


def _differs(
    conn: Connection, kept: Home | None, marks: Marks, file: str | None, note: Note
) -> tuple[Why, str] | None:
    """Return what speaks against this being what was opened here last."""
    made = epochs.read_meta(conn, epochs.BACKUP)
    if made is not None:
        return "restored", f"it is a backup of {made}"
    if kept is None:  # new, or restored by the program
        return None
    for part, sentence in PARTS.items():
        if part in kept.marks and part in marks and not set(kept.marks[part]) & set(marks[part]):
            return "elsewhere", sentence
    if kept.file is not None and file is not None and kept.file != file:
        return "elsewhere", "the file is a copy"
    return _note_differs(conn, kept, note)


def _note_differs(conn: Connection, kept: Home, note: Note) -> tuple[Why, str] | None:
    if not kept.noted:
        return None
    position = note.read()
    if position is None:
        return "elsewhere", f"{note.path.name} is not beside it"
    mark = file_mark(note.path)
    if mark is not None and kept.notes and mark not in kept.notes:
        return "behind", "its folder was put back from a copy"
    if not epochs.holds(conn, position):
        return "behind", f"it had come to entry {position.event_seq} here, and that is not in it"
    return None


def _merged(kept: Marks, found: Marks) -> Marks:
    """Return the marks to keep: what cannot be read now stays, and cards that were seen stay."""
    merged = {**kept, **found}
    both = set(kept.get("networks", [])) & set(found.get("networks", []))
    if both:
        cards = dict.fromkeys([*found["networks"], *kept["networks"]])
        merged["networks"] = list(cards)[:NETWORKS_MAX]
    return merged


def _slot(position: Position) -> bytes:
    return msgspec.json.encode(position).ljust(SLOT_BYTES, b"\0")

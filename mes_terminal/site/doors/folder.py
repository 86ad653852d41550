"""The door for folders: what `file` connectors write is read in, file by file, and put aside.

Files of a station come in the order of their numbers and must follow one another by their hashes.
What became of each posting is written beside the file that was taken. A file that cannot be what a
station wrote stays where it is and holds up the files after it: nothing is skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

import msgspec
from msgspec import Struct

from mes_terminal import logs
from mes_terminal.domain.posting import FIRST_HASH, sha256
from mes_terminal.errors import StationError
from mes_terminal.exchange.segments import SegmentError, read_segment
from mes_terminal.store.whole_file import write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from mes_terminal.domain.delivery import Answer

LOOK_EVERY_S: Final = 1.0
BATCH: Final = 500
"""Postings handed over in one go."""
TAKEN: Final = "taken"
_NAME: Final = re.compile(r"(?P<stem>.+)-(?P<number>\d{8})\.jsonl\Z")


class Takes(Protocol):
    """Who takes postings in."""

    def take(self, bodies: Sequence[bytes]) -> list[Answer]:
        """Take them, in order; what was answered is durable."""


class Progress(Struct, frozen=True, kw_only=True):
    """Where the files of a station stand."""

    source: str | None = None
    number: int = 0
    previous: str = FIRST_HASH


class Waiting(NamedTuple):
    """A file that is to be read."""

    number: int
    path: Path


async def serve(inbox: Takes, folders: Sequence[Path], stopping: asyncio.Event) -> None:
    """Read what is in the folders and what comes, until stopped."""
    readers = [FolderReader(folder, inbox) for folder in folders]
    while not stopping.is_set():
        for reader in readers:
            with contextlib.suppress(StationError):  # told; tried again
                await asyncio.to_thread(reader.read)
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(stopping.wait(), LOOK_EVERY_S)


class FolderReader:
    """Reads one folder. Made anew, it goes on where the files that were taken end."""

    def __init__(self, folder: Path, inbox: Takes) -> None:
        self._folder = folder
        self._inbox = inbox
        self._told: set[str] = set()

    def read(self) -> int:
        """Take every file that is whole; return how many. Raises what the inbox raises."""
        taken = 0
        try:
            for stem, files in self._waiting().items():
                taken += self._read_station(stem, files)
        except OSError as error:
            self._tell(f"{self._folder} cannot be read or written ({error}). Mend its rights.")
        return taken

    def _waiting(self) -> dict[str, list[Waiting]]:
        found: dict[str, list[Waiting]] = {}
        for path in self._folder.glob("????/*.jsonl"):
            match = _NAME.match(path.name)
            if match is not None:
                found.setdefault(match["stem"], []).append(Waiting(int(match["number"]), path))
        return {stem: sorted(files) for stem, files in sorted(found.items())}

    def _read_station(self, stem: str, files: Sequence[Waiting]) -> int:
        try:
            progress = self._progress(stem)
        except msgspec.DecodeError as error:
            self._tell(
                f"{self._progress_path(stem)} is damaged ({error}). Put it aside, and bring the "
                f"station's files back out of {TAKEN}: each posting is taken once."
            )
            return 0
        for taken, (number, path) in enumerate(files):
            if number <= progress.number and self._was_taken(path, number, progress):
                self._put_aside(path)  # read, and then the power went; or put back
                continue
            anew = number == 1 and progress.number > 0  # the station's own state was lost
            after = Progress(source=progress.source) if anew else progress
            if number <= after.number:
                self._tell(
                    f"{path} is not taken: number {number} was taken before, with other content. "
                    "Bring back what the station wrote, or put it aside."
                )
                return taken
            if number != after.number + 1:
                self._tell(f"{path}: number {after.number + 1} is missing. Bring it back.")
                return taken
            try:
                header, bodies, digest = read_segment(
                    path.read_bytes(), source=after.source, number=number, previous=after.previous
                )
            except SegmentError as error:
                self._tell(f"{path} is not taken: {error}. Bring back what the station wrote.")
                return taken
            answers = [
                answer
                for first in range(0, len(bodies), BATCH)
                for answer in self._inbox.take(bodies[first : first + BATCH])
            ]
            self._write_answers(path, answers)
            progress = Progress(source=header.source, number=number, previous=digest)
            self._remember(stem, progress)
            self._put_aside(path)
        return len(files)

    def _progress(self, stem: str) -> Progress:
        path = self._progress_path(stem)
        if not path.exists():
            return Progress()
        return msgspec.json.decode(path.read_bytes(), type=Progress)

    def _remember(self, stem: str, progress: Progress) -> None:
        path = self._progress_path(stem)
        path.parent.mkdir(exist_ok=True)
        write_whole(path, msgspec.json.encode(progress))

    def _progress_path(self, stem: str) -> Path:
        return self._folder / TAKEN / f".{stem}.progress"

    def _was_taken(self, path: Path, number: int, progress: Progress) -> bool:
        """Tell whether this very file was taken before."""
        content, target = path.read_bytes(), self._aside(path)
        is_last = number == progress.number and sha256(content) == progress.previous
        return is_last or (target.exists() and target.read_bytes() == content)

    def _aside(self, path: Path) -> Path:
        """Return where a file goes when it was taken."""
        return self._folder / TAKEN / path.parent.name / path.name

    def _write_answers(self, path: Path, answers: Sequence[Answer]) -> None:
        lines = b"".join(msgspec.json.encode(each) + b"\n" for each in answers)
        beside = self._aside(path)
        beside.parent.mkdir(parents=True, exist_ok=True)
        write_whole(beside.with_suffix(".answers.jsonl"), lines)

    def _put_aside(self, path: Path) -> None:
        target = self._aside(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.exists() and target.read_bytes() != path.read_bytes():
            digest = sha256(target.read_bytes())  # of a chain that was begun anew: both stay
            target.rename(target.with_suffix(f".{digest[:8]}.jsonl"))
        path.replace(target)

    def _tell(self, sentence: str) -> None:
        """Say it once, not at every look."""
        if sentence not in self._told:
            self._told.add(sentence)
            logs.say(sentence)

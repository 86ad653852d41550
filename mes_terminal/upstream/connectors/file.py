"""The `file` connector: postings as files in a folder, the embedded default (no network).

A posting is durable in the open file of its station before it counts as delivered. The open file is
sealed after `seal_s`, when it is large, and when the connector closes: it is counted in the small
file beside it, which says what the files have, and then it and the CSV files of the template get
their names. So a reader may take it at once, and whatever happens it is told once: what is hidden
still has to get its name, what has a name is counted. A posting that comes again is written once.
Layout and formats: docs/upstream.md.
"""

from __future__ import annotations

import asyncio
import os
import re
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import Struct

from mes_terminal.domain.delivery import Answer, Greeting
from mes_terminal.domain.posting import FIRST_HASH, sha256
from mes_terminal.domain.sequences import Range, Sequences
from mes_terminal.errors import InputError, TransportError
from mes_terminal.exchange.csv_template import Template, parse_template, render
from mes_terminal.exchange.segments import Header, event_lines, header_line, whole_lines
from mes_terminal.store.whole_file import sync, write_whole
from mes_terminal.upstream.connectors.addresses import word_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mes_terminal.domain.delivery import Hello, QueuedPosting
    from mes_terminal.settings.upstream_tables import UpstreamTable
    from mes_terminal.upstream.connector import StationIdentity

T = TypeVar("T")

SEGMENT_MAX_BYTES: Final = 4_000_000
"""A file is sealed when it is so large: what one import takes in one go."""
SEGMENTS_PER_FOLDER: Final = 10_000
FOLDER: Final = "outbox"
CSV_FOLDER: Final = "csv"
_HIDDEN: Final = ".new"
"""Behind the name of a CSV file that readers shall not see yet."""
_NUMBER: Final = re.compile(r"-(\d{8})\.jsonl\Z")


class _State(Struct, frozen=True, kw_only=True):
    """What the sealed files have: the file beside them. The last one may not have its name yet."""

    number: int = 0
    """Of the last sealed file."""
    previous: str = FIRST_HASH
    epochs: dict[str, list[Range]] = {}


class _Named(Struct):
    """What of an event says which it is."""

    epoch: str
    sequence: str


_named: Final = msgspec.json.Decoder(_Named)


def connect(upstream: UpstreamTable, identity: StationIdentity) -> FileConnector:
    """Return the connector. Raises `InputError` for a template that cannot be used."""
    table = upstream.file
    folder = (
        Path(table.folder).expanduser() if table.folder else identity.database.with_name(FOLDER)
    )
    template = _read_template(Path(table.template).expanduser()) if table.template else None
    return FileConnector(folder, identity, template=template, seal_s=table.seal_s)


def _read_template(path: Path) -> Template:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"upstream.file.template: {path} cannot be read ({error.strerror}). Name another file.",
            reason="settings",
        ) from error
    return parse_template(content, str(path))


class FileConnector:
    """The folder of one station. Other stations may write beside it."""

    batch_max = 500
    batch_max_bytes = 1_000_000
    one_per_lane = False
    parallel_max = 1

    def __init__(
        self,
        folder: Path,
        identity: StationIdentity,
        *,
        template: Template | None,
        seal_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._folder = folder
        self._source = identity.source
        self._stem = word_of(identity.station)
        self._template = template
        self._seal_s = seal_s
        self._clock = clock
        self._state = _State()
        self._has: dict[str, Sequences] = {}
        self._open_file: int | None = None
        self._opened_at_s = 0.0
        self._is_hidden = False
        """The last sealed file is counted, and has not got its name."""
        self._sealing: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="file")
        """One piece of work at a time, also behind one that nobody waits for any more; a folder
        that hangs holds up this thread and no other."""

    async def open(self) -> None:
        """Find what the folder has; seal what an earlier run left open. Raises `TransportError`."""
        await self._do(self._recover)

    async def greet(self, hello: Hello) -> Greeting:
        """Say what is there. A folder that was emptied by its reader has lost nothing."""
        has = self._has.get(hello.epoch, Sequences())
        watermark = next((last for first, last in has if first <= hello.first_sequence), 0)
        return Greeting(
            receiver=str(self._folder), watermark=watermark, highest=hello.last_sequence
        )

    async def deliver(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        """Write what is not there yet; it is durable when this returns. Raises `TransportError`."""
        answers = await self._do(lambda: self._write(postings))
        if self._is_unsealed and self._sealing is None:
            self._sealing = asyncio.create_task(self._seal_later())
        return answers

    async def close(self) -> None:
        """Seal the open file."""
        if self._sealing is not None:
            self._sealing.cancel()
            self._sealing = None
        try:
            await self._do(self._seal)
        except TransportError:
            return  # it stays as it is, and is sealed by the next `open`

    async def _seal_later(self) -> None:
        """Seal the open file when it is old enough; what cannot be sealed is tried again."""
        while self._is_unsealed:
            await asyncio.sleep(max(0.0, self._opened_at_s + self._seal_s - self._clock()))
            try:
                await self._do(self._seal)
            except TransportError:
                self._opened_at_s = self._clock()
        self._sealing = None

    @property
    def _is_unsealed(self) -> bool:
        return self._open_file is not None or self._is_hidden

    async def _do(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        except OSError as error:
            raise TransportError(
                f"Postings cannot be written to {self._folder} ({error.strerror or error}). Make "
                "room there or mend its rights; they wait.",
                reason="folder",
            ) from error

    # What follows runs on the thread.

    def _recover(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        self._let_go()
        self._state = self._read_state()
        self._has = {epoch: Sequences(ranges) for epoch, ranges in self._state.epochs.items()}
        for number, path in self._sealed_after(self._state.number):
            self._count(number, path.read_bytes())  # the state was lost
        part = self._part()
        self._is_hidden = part.exists() and sha256(part.read_bytes()) == self._state.previous
        if self._is_hidden:
            self._give_names()
        elif part.exists():
            self._go_on_with(part)

    def _go_on_with(self, part: Path) -> None:
        """Seal what an earlier run left open, as far as it is whole."""
        content = part.read_bytes()
        header, *lines = content[: whole_lines(content)].splitlines(keepends=True) or [b""]
        if not lines:
            part.unlink()
            return
        follows = header_line(self._next_header())
        if header == follows:
            os.truncate(part, whole_lines(content))
        else:  # the state is not the one that it was begun with
            write_whole(part, b"".join((follows, *lines)))
        self._open_file = os.open(part, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        self._seal()

    def _read_state(self) -> _State:
        try:
            return msgspec.json.decode(self._state_path().read_bytes(), type=_State)
        except FileNotFoundError:
            return _State()  # `_recover` reads the files that are there
        except msgspec.MsgspecError as error:
            raise TransportError(
                f"{self._state_path()} is damaged ({error}). Put it aside; postings wait.",
                reason="folder",
            ) from error

    def _write(self, postings: Sequence[QueuedPosting]) -> list[Answer]:
        had = [each.sequence in self._has.get(each.epoch, Sequences()) for each in postings]
        new = [each for each, is_there in zip(postings, had, strict=True) if not is_there]
        if new:
            file = self._open_file
            if file is None:
                file = self._begin()
            before = os.fstat(file).st_size
            try:
                _write_all(file, event_lines(each.body for each in new))
                os.fsync(file)
            except OSError:
                os.ftruncate(file, before)
                raise
            for each in new:
                self._has.setdefault(each.epoch, Sequences()).add(each.sequence)
            if before >= SEGMENT_MAX_BYTES:
                self._seal()
        return [
            Answer(
                source=each.source,
                epoch=each.epoch,
                sequence=each.sequence,
                outcome="accepted",
                repeated=is_there,
            )
            for each, is_there in zip(postings, had, strict=True)
        ]

    def _next_header(self) -> Header:
        return Header(
            source=self._source, number=self._state.number + 1, previous=self._state.previous
        )

    def _begin(self) -> int:
        self._give_names()
        file = os.open(
            self._part(), os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC, 0o640
        )
        try:
            sync(self._folder)
            _write_all(file, header_line(self._next_header()))
        except OSError:
            os.close(file)
            raise
        self._open_file = file
        self._opened_at_s = self._clock()
        return file

    def _seal(self) -> None:
        """Count the open file, and let readers see it and the CSV files that are made of it."""
        if self._open_file is not None:
            content = self._part().read_bytes()
            number = self._state.number + 1
            for stale in self._hidden_csv(number):  # of a sealing that was cut short
                stale.unlink()
            if self._template is not None:
                bodies = content.split(b"\n")[1:-1]
                stem = f"{self._stem}-{number:08d}"
                for name, text in render(self._template, bodies, stem).items():
                    write_whole(self._csv_folder() / f".{name}{_HIDDEN}", text)
            os.fsync(self._open_file)
            self._count(number, content)
            self._let_go()
            self._is_hidden = True
        self._give_names()

    def _give_names(self) -> None:
        """Let readers see the last sealed file, if they do not yet."""
        if not self._is_hidden:
            return
        number = self._state.number
        for hidden in self._hidden_csv(number):
            hidden.rename(hidden.with_name(hidden.name.removeprefix(".").removesuffix(_HIDDEN)))
            sync(hidden.parent)
        final = segment_path(self._folder, self._stem, number)
        final.parent.mkdir(exist_ok=True)
        self._part().rename(final)
        sync(final.parent)
        sync(self._folder)
        self._is_hidden = False

    def _count(self, number: int, content: bytes) -> None:
        """Remember, for good, what a sealed file has."""
        for line in content.split(b"\n")[1:-1]:
            named = _named.decode(line)
            self._has.setdefault(named.epoch, Sequences()).add(int(named.sequence))
        epochs = {epoch: list(has) for epoch, has in self._has.items()}
        self._state = _State(number=number, previous=sha256(content), epochs=epochs)
        write_whole(self._state_path(), msgspec.json.encode(self._state))

    def _sealed_after(self, number: int) -> list[tuple[int, Path]]:
        found = []
        for path in self._folder.glob(f"????/{self._stem}-????????.jsonl"):
            match = _NUMBER.search(path.name)
            if match is not None and int(match[1]) > number:
                found.append((int(match[1]), path))
        return sorted(found)

    def _let_go(self) -> None:
        if self._open_file is not None:
            os.close(self._open_file)
            self._open_file = None

    def _csv_folder(self) -> Path:
        folder = self._folder / CSV_FOLDER
        folder.mkdir(exist_ok=True)
        return folder

    def _hidden_csv(self, number: int) -> list[Path]:
        folder = self._folder / CSV_FOLDER
        return sorted(folder.glob(f".{self._stem}-{number:08d}-*{_HIDDEN}"))

    def _part(self) -> Path:
        return self._folder / f".{self._stem}.part"

    def _state_path(self) -> Path:
        return self._folder / f".{self._stem}.state"


def segment_path(folder: Path, stem: str, number: int) -> Path:
    """Return where the file of that number is: a folder holds ten thousand of them."""
    return folder / f"{number // SEGMENTS_PER_FOLDER:04d}" / f"{stem}-{number:08d}.jsonl"


def _write_all(file: int, content: bytes) -> None:
    rest = memoryview(content)
    while rest:
        rest = rest[os.write(file, rest) :]

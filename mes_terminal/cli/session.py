"""What every command shares: the global options, the settings, and the way to the data.

A command takes it with `@click.pass_obj`. Lists go through the running core, else through a
read-only connection; everything that writes goes through the running core, else this process
becomes the core for that moment. Imports of the heavier parts wait until they are needed.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Protocol

import click
import msgspec

from mes_terminal.errors import NoDatabaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from mes_terminal.domain.morning import Morning
    from mes_terminal.domain.outcome import Outcome
    from mes_terminal.domain.resolving import Assigned, Resolved
    from mes_terminal.domain.rules import StationRules
    from mes_terminal.domain.shift_report import ShiftReport
    from mes_terminal.link.blocking import Client
    from mes_terminal.settings import Settings
    from mes_terminal.station.approving import Approval, ApproveOrder, PermitDone, PermitOrder
    from mes_terminal.station.desk_requests import AssignOrder, PeopleOrder, ResolveOrder
    from mes_terminal.station.loading import DecideLoadOrder, ProposeOrder
    from mes_terminal.station.lock import Holder
    from mes_terminal.station.shift_requests import EndCallOrder, EndShiftOrder
    from mes_terminal.station.upstream import Synced


TRAINING_SENTENCE: Final = "TRAINING: {} is a copy for training; nothing of it counts."


class Desk(Protocol):
    """Where a command's writing requests go: the running core, or this process for the moment."""

    def scan(
        self, raw: bytes, *, badge: str | None, at: str | None, device: str = "cli"
    ) -> Outcome:
        """Journal one code, handle it and return its outcome when it is durable. `device` is what
        read it, as the journal names it."""

    def load(
        self, folder: Path, *, dry_run: bool, diff: bool, at: str | None,
        mapping: Path | None = None,
    ) -> Any:  # fmt: skip
        """Load a folder of master data; the result as JSON values."""

    def propose_load(self, order: ProposeOrder) -> Any:
        """Propose a folder for another person to apply; the result as JSON values."""

    def decide_load(self, order: DecideLoadOrder) -> Any:
        """Apply or refuse a proposed load; the result as JSON values. Raises `InputError`."""

    def resolve(self, order: ResolveOrder) -> list[Resolved]:
        """End exceptions (BF-23), or say what would become of them. Raises `InputError`."""

    def assign(self, order: AssignOrder) -> list[Assigned]:
        """Give exceptions to a person. Raises `InputError`."""

    def change_people(self, order: PeopleOrder) -> None:
        """Give a PIN, add or disable a person. Raises `InputError`."""

    def morning(self) -> Morning:
        """What the supervisor sees in the morning."""

    def end_shift(self, order: EndShiftOrder) -> ShiftReport:
        """Sign the shift off. Raises `InputError`."""

    def end_call(self, order: EndCallOrder) -> None:
        """Acknowledge a call for material. Raises `InputError`."""

    def approve(self, order: ApproveOrder) -> Approval:
        """Answer what the station asked a supervisor (BF-24). Raises `InputError`."""

    def change_permit(self, order: PermitOrder) -> PermitDone:
        """Grant a permit, or end one (BF-24). Raises `InputError`."""

    def sync(self, settings: Settings, *, once: bool, tell: Callable[[Synced], None]) -> Synced:
        """Deliver now what waits; `tell` is told how far it is. Raises `InputError`."""

    def preflight(self, work_order: str) -> Any:
        """What a close of the order would do now; the result as JSON values."""


@dataclass
class Session:
    """The global options as given, and what follows from them."""

    config: Path | None = None
    db: Path | None = None
    as_json: bool = False
    debug: bool = False
    is_training: bool = False
    """A training copy is meant, and nothing else."""

    @cached_property
    def settings(self) -> Settings:
        """The settings of this call. Raises `InputError`."""
        from mes_terminal.settings import read_settings

        return read_settings(self.config)

    @cached_property
    def rules(self) -> StationRules:
        """What the rules read of the settings."""
        return self.settings.rules()

    @cached_property
    def database_path(self) -> Path:
        """The database of this call: `--db`, else `database.path`; links followed, so that one file
        has one lock and one socket."""
        return (self.db or self.settings.database_path()).expanduser().resolve()

    @cached_property
    def on_training_copy(self) -> bool:
        """Whether the database is a training copy; the first who asks is told so."""
        from mes_terminal.store.training_mark import is_training

        if not is_training(self.database_path):
            return False
        print(TRAINING_SENTENCE.format(self.database_path), file=sys.stderr, flush=True)  # noqa: T201
        return True

    def rows(self, name: str, filters: dict[str, str] | None = None) -> Iterator[bytes]:
        """Yield the rows of the list `name`, each as its JSON object, in the list's order.

        Goes through the running core, else reads the database. Raises `NoDatabaseError`.
        """
        _ = self.on_training_copy
        holder = self._core()
        if holder is not None:
            with self._connect(holder) as client:
                yield from client.pages("list", name=name, filters=filters or {})
            return
        from mes_terminal.station.clock import utc_now
        from mes_terminal.store.database import open_reader
        from mes_terminal.usecases.lists import read_list

        reader = open_reader(self.database_path)
        try:
            found = read_list(reader, name, filters or {}, rules=self.rules, now=utc_now())
            for row in found:
                yield msgspec.json.encode(row)
        finally:
            reader.close()

    def site_exceptions(self, filters: dict[str, str]) -> tuple[list[bytes], str | None, bool]:
        """Return the open exceptions of all stations, each as its JSON object; why they are those
        of this station only, if they are; and whether the site has more. Raises `InputError`."""
        from mes_terminal.station.site_exceptions import COUNT, ROWS, Counted, ask_here, listed

        holder = self._core()
        if holder is not None:
            with self._connect(holder) as client:
                rows = list(client.pages("list", name=ROWS, filters=filters))
                (count,) = client.pages("list", name=COUNT, filters=filters)
            counted = msgspec.json.decode(count, type=Counted)
            return rows, counted.trouble, counted.more
        from mes_terminal.store.database import open_reader

        reader = open_reader(self.database_path)
        try:
            found = ask_here(self.settings, reader)
        finally:
            reader.close()
        return list(listed(ROWS, filters, found)), found.trouble, found.more

    def checks(self) -> Iterator[bytes]:
        """Yield doctor's findings, each as its JSON object `{"check", "ok", "detail"}`."""
        _ = self.on_training_copy
        holder = self._core()
        if holder is not None:
            with self._connect(holder) as client:
                yield from client.pages("doctor")
            return
        from mes_terminal.station.clock import utc_now
        from mes_terminal.station.disk import DiskGuard
        from mes_terminal.store.database import open_reader
        from mes_terminal.usecases.doctor import examine

        alarms = self.settings.alarms
        reader = open_reader(self.database_path)
        try:
            for check in examine(
                reader,
                self.rules,
                now=utc_now(),
                disk_free_bytes=DiskGuard(self.database_path, alarms).ask(),
                disk_stop_mb=alarms.disk_stop_mb,
                disk_warn_mb=alarms.disk_warn_mb,
            ):
                yield msgspec.json.encode(check)
        finally:
            reader.close()

    def meanings(self, raw: bytes) -> list[bytes]:
        """Return what the database knows a code as, each as its JSON object `{"kind", "key"}`.

        Empty without a database: `decode` works without one.
        """
        holder = self._core()
        if holder is not None:
            with self._connect(holder) as client:
                return list(client.pages("decode", hex=raw.hex()))
        if not self.database_path.exists():
            return []
        from mes_terminal.station.meanings import meanings_of
        from mes_terminal.store.database import open_reader

        reader = open_reader(self.database_path)
        try:
            return meanings_of(reader, raw, self.rules.codes)
        finally:
            reader.close()

    @contextmanager
    def desk(self) -> Iterator[Desk]:
        """Give the way to write: through the running core, else as the core for the moment.

        Scans that waited in the journal are handled first and told on standard error.
        """
        from mes_terminal.cli.desk import open_desk

        _ = self.on_training_copy
        with open_desk(self) as desk:
            yield desk

    @contextmanager
    def existing_desk(self) -> Iterator[Desk]:
        """Give the same for a database that is there. Raises `NoDatabaseError`."""
        if not self.database_path.exists():
            raise NoDatabaseError.at(self.database_path)
        with self.desk() as desk:
            yield desk

    def _core(self) -> Holder | None:
        from mes_terminal.station.lock import find_core

        return find_core(self.database_path)

    def _connect(self, holder: Holder) -> Client:
        from mes_terminal.link.blocking import Client

        return Client(holder.socket)


def print_json_array(rows: Iterable[bytes]) -> None:
    """Print rows (JSON objects) as one JSON array, as they come; nothing where the first of them is
    an error."""
    coming = iter(rows)
    first = next(coming, None)
    out = sys.stdout.buffer
    out.write(b"[" if first is None else b"[" + first)
    for row in coming:
        out.write(b",\n ")
        out.write(row)
    out.write(b"]\n")
    out.flush()


pass_session = click.make_pass_decorator(Session)

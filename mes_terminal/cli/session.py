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
from typing import TYPE_CHECKING, Any, Protocol

import click
import msgspec

from mes_terminal.errors import NoDatabaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from mes_terminal.domain.outcome import Outcome
    from mes_terminal.domain.resolving import Resolved
    from mes_terminal.domain.rules import StationRules
    from mes_terminal.link.blocking import Client
    from mes_terminal.settings import Settings
    from mes_terminal.station.desk_requests import PeopleOrder, ResolveOrder
    from mes_terminal.station.lock import Holder


class Desk(Protocol):
    """Where a command's writing requests go: the running core, or this process for the moment."""

    def scan(
        self, raw: bytes, *, badge: str | None, at: str | None, device: str = "cli"
    ) -> Outcome:
        """Journal one code, handle it and return its outcome when it is durable. `device` is what
        read it, as the journal names it."""

    def load(self, folder: Path, *, dry_run: bool, diff: bool, at: str | None) -> Any:
        """Load a folder of master data; the result as JSON values."""

    def resolve(self, order: ResolveOrder) -> list[Resolved]:
        """End exceptions (BF-23), or say what would become of them. Raises `InputError`."""

    def change_people(self, order: PeopleOrder) -> None:
        """Give a PIN, add or disable a person. Raises `InputError`."""

    def preflight(self, work_order: str) -> Any:
        """What a close of the order would do now; the result as JSON values."""


@dataclass
class Session:
    """The global options as given, and what follows from them."""

    config: Path | None = None
    db: Path | None = None
    as_json: bool = False
    debug: bool = False

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

    def rows(self, name: str, filters: dict[str, str] | None = None) -> Iterator[bytes]:
        """Yield the rows of the list `name`, each as its JSON object, in the list's order.

        Goes through the running core, else reads the database. Raises `NoDatabaseError`.
        """
        holder = self._core()
        if holder is not None:
            with self._connect(holder) as client:
                yield from client.pages("list", name=name, filters=filters or {})
            return
        from mes_terminal.store.database import open_reader
        from mes_terminal.usecases.lists import LISTS

        reader = open_reader(self.database_path)
        try:
            for row in LISTS[name](reader, filters or {}):
                yield msgspec.json.encode(row)
        finally:
            reader.close()

    def checks(self) -> Iterator[bytes]:
        """Yield doctor's findings, each as its JSON object `{"check", "ok", "detail"}`."""
        holder = self._core()
        if holder is not None:
            with self._connect(holder) as client:
                yield from client.pages("doctor")
            return
        from mes_terminal.station.clock import utc_now
        from mes_terminal.store.database import open_reader
        from mes_terminal.usecases.doctor import examine

        reader = open_reader(self.database_path)
        try:
            for check in examine(reader, self.rules, now=utc_now()):
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
    """Print rows (JSON objects) as one JSON array, as they come."""
    out = sys.stdout.buffer
    out.write(b"[")
    for position, row in enumerate(rows):
        out.write(b",\n " if position else b"")
        out.write(row)
    out.write(b"]\n")
    out.flush()


pass_session = click.make_pass_decorator(Session)

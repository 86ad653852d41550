"""Loading a folder of master data: checked while scanning goes on, applied between two scans.

`load` does both on the writing connection, for a command that is the core for the moment. In the
running core `check` works on a reading connection in a thread of its own; on the store thread the
rows are set down in short turns, and then `apply_checked` takes its own.
"""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from msgspec import Struct

from mes_terminal.errors import InputError
from mes_terminal.station.clock import given_instant, utc_now
from mes_terminal.store.database import open_reader
from mes_terminal.store.folder import read_folder
from mes_terminal.usecases import load_master_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mes_terminal.domain.rules import StationRules
    from mes_terminal.station.booking import Booking
    from mes_terminal.usecases.load_master_data import LoadResult, Staged


class LoadOrder(Struct, frozen=True, kw_only=True):
    """What is asked: a folder, whether it is only checked, and a time given."""

    folder: str
    dry_run: bool = False
    diff: bool = False
    at: str | None = None


def load(booking: Booking, folder: Path, order: LoadOrder) -> LoadResult:
    """Check the folder and apply it in one transaction.

    Raises `InputError` for a folder that is none, and for `--at` on a live station.
    """
    at = _load_time(order, booking.rules)
    return load_master_data.load_folder(
        booking.db,
        read_folder(folder),
        rules=booking.rules,
        now=utc_now(),
        at=at,
        dry_run=order.dry_run,
        diff=order.diff,
    )


def check(
    database: Path, folder: Path, order: LoadOrder, rules: StationRules
) -> tuple[Staged, LoadResult, str]:
    """Check the folder on a connection of its own: what is staged, its result, the load time."""
    load_time = _load_time(order, rules) or utc_now()
    files = read_folder(folder)
    with closing(open_reader(database)) as reader:
        staged = load_master_data.stage(reader.conn, files, rules=rules, load_time=load_time)
        return staged, load_master_data.result_of(reader.conn, staged, diff=order.diff), load_time


def set_down(booking: Booking, staged: Staged) -> Iterator[None]:
    """Set down what was staged, a short turn a step; one load at a time."""
    return load_master_data.set_down(booking.db, staged)


def apply_checked(booking: Booking, staged: Staged, load_time: str) -> LoadResult:
    """Apply what was staged and set down, in one transaction; all of it or nothing."""
    applied = load_master_data.apply(
        booking.db, staged, rules=booking.rules, now=utc_now(), load_time=load_time
    )
    return load_master_data.result_of(booking.db.conn, applied, diff=False)


def _load_time(order: LoadOrder, rules: StationRules) -> str | None:
    if order.at is None:
        return None
    if rules.mode != "test":
        raise InputError(
            "A live station loads at its own time. Leave --at out.", reason="time_not_allowed"
        )
    return given_instant(order.at, rules.zone)

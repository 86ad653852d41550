"""`backup` and `restore`: the database copied beside the station, and put back. Thin."""

from __future__ import annotations

import secrets
from pathlib import Path

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import CoreError, InputError

PASSING_S = 5.0
"""How long `restore` waits for a command that is the core for a moment."""


@click.command()
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path),
              metavar="FOLDER", help="Where it is made, and where all stay; default "
              "backup.folder.")  # fmt: skip
@pass_session
def backup(session: Session, folder: Path | None) -> None:
    """Make a backup of the database, prove it, and take away those beyond backup.keep.

    The station goes on meanwhile.

    \b
    Examples:
      mes-terminal backup
      mes-terminal backup --to /media/usb
    """
    from mes_terminal.station.backups import back_up
    from mes_terminal.station.clock import utc_now

    made = back_up(
        session.database_path,
        session.settings,
        folder=folder.absolute() if folder else None,
        at=utc_now(),
    )
    if session.as_json:
        click.echo(msgspec.json.encode(made))
        return
    click.echo(f"{made.file}: {made.entries} entries, every hash recomputed; head {made.head}")
    for path in made.removed:
        click.echo(f"{path} is removed; {session.settings.backup.keep} are kept.")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@pass_session
def restore(session: Session, file: Path) -> None:
    """Put a backup in the database's place; the one that is there is set aside, never deleted.

    The station must not run. Its postings carry a new epoch from then on.

    \b
    Examples:
      mes-terminal core --stop
      mes-terminal restore backups/station-LINE3-ST02-20261120T013000000000Z.db
    """
    from mes_terminal.station import lock
    from mes_terminal.station.clock import utc_now
    from mes_terminal.usecases.backup_restore import restore_backup

    database = session.database_path
    held = lock.take_lock(database, wait_s=PASSING_S)
    if held is None:
        raise CoreError(
            f"{lock.held_sentence(database)} A core stops with: mes-terminal core --stop.",
            reason="held",
        )
    try:
        restored = restore_backup(
            file.expanduser().resolve(),
            database,
            epoch=secrets.token_hex(8),
            rules=session.rules,
            now=utc_now(),
        )
    except OSError as error:
        raise InputError(
            f"{file} cannot be restored to {database}: {error.strerror}. The database is as it was."
        ) from error
    finally:
        held.let_go()
    if session.as_json:
        click.echo(msgspec.json.encode(restored))
        return
    click.echo(
        f"{restored.database} is {restored.file} now ({restored.entries} entries, every hash "
        f"recomputed), under the new epoch {restored.epoch}."
    )
    if restored.set_aside is not None:
        click.echo(f"The database that was there is {restored.set_aside}.")
        click.echo(_lost_sentence(restored.lost))


def _lost_sentence(lost: object) -> str:
    from mes_terminal.store.backup import Lost

    if not isinstance(lost, Lost):
        return "It cannot be read, so nobody knows what the backup lacks."
    if not lost.entries and not lost.scans:
        return "The backup lacks nothing of it."
    return (
        f"Only there: scans {lost.scans}, postings {lost.postings}, of them not delivered "
        f"{lost.undelivered}. docs/backup.md says how to enter them again."
    )

"""`training`: the operator's screen on a copy of the live database, which nothing leaves."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import InputError


@click.command()
@click.option("--folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Where the copy is made; default beside the database.")  # fmt: skip
@click.option("--desk", is_flag=True, help="Show the supervisor's desk instead.")
@click.option("--copy-only", is_flag=True, help="Make the copy and show no screen.")
@click.option("--clean", is_flag=True, help="Throw the copy away.")
@pass_session
def training(
    session: Session, folder: Path | None, desk: bool, copy_only: bool, clean: bool
) -> int:
    """Train on a copy of the station: same orders and stock, nothing counts, nothing is sent.

    The station goes on meanwhile. A copy that is there already goes on too, until --clean.

    \b
    Examples:
      mes-terminal training
      mes-terminal training --desk
      mes-terminal training --clean
    """
    from mes_terminal.station.training import copy_path, make_copy, remove_copy

    if sum((desk, copy_only, clean)) > 1:
        raise InputError("Give one of --desk, --copy-only and --clean.")
    if not (clean or copy_only or (sys.stdin.isatty() and sys.stdout.isatty())):
        raise InputError(
            "The screen needs a terminal. Without one use: mes-terminal training --copy-only.",
            reason="no_terminal",
        )
    target = copy_path(session.database_path, folder.absolute() if folder else None).resolve()
    if clean:
        gone = remove_copy(target)
        click.echo(f"{target} is deleted." if gone else f"There is no training copy at {target}.")
        return 0
    new = make_copy(session.database_path, target, session.settings)
    click.echo(f"{target} is made." if new else f"{target} goes on; --clean deletes it.", err=True)
    return 0 if copy_only else _show(session, target, desk=desk)


def _show(session: Session, target: Path, *, desk: bool) -> int:
    from mes_terminal.cli.run import show_screen

    inner = Session(session.config, target, session.as_json, session.debug, is_training=True)
    if desk:
        from mes_terminal.tui.supervisor_app import run_desk

        return show_screen(inner, run_desk)
    from mes_terminal.tui.app import run_screen

    return show_screen(inner, run_screen)

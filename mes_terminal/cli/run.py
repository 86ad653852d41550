"""`run`: the station's screen, attached to the core that runs or to one that ends with it."""

from __future__ import annotations

import os
import sys
import termios
from typing import TYPE_CHECKING

import click

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import CoreError, InputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@click.command(epilog="Example: mes-terminal --db line.db run")
@pass_session
def run(session: Session) -> int:
    """Show the operator's screen."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "The screen needs a terminal. Without one use: mes-terminal core.", reason="no_terminal"
        )
    from mes_terminal.tui.app import run_screen

    return show_screen(session, run_screen)


def show_screen(session: Session, run_screen: Callable[[Path], int]) -> int:
    """Show a screen on the core that runs, else on one that ends with it; return its code."""
    from mes_terminal.cli.child import KeptCore
    from mes_terminal.station.lock import find_core
    from mes_terminal.station.training import require_kind

    config = session.config.absolute() if session.config is not None else None
    _ = session.settings  # a mistake in the settings is told here, not in the core's log
    require_kind(session.database_path, training=session.is_training)
    kept = None
    holder = find_core(session.database_path)
    if holder is None:
        kept = KeptCore(session.database_path, config, os.environ, training=session.is_training)
        holder = kept.child.holder
    code = run_screen(holder.socket)
    if kept is not None:
        kept.leave()
    if code == 0 and terminal_is_there() and leave(holder.socket) and kept is not None:
        kept.child.wait()
    return code


def terminal_is_there() -> bool:
    """Tell whether the terminal still answers: after a hang-up it does not."""
    try:
        termios.tcgetattr(sys.stdin)
    except (termios.error, OSError, ValueError):
        return False
    return True


def leave(socket: Path) -> bool:
    """Tell the core that a screen was left properly; tell whether the core ends with it.

    A core that a screen started ends with the last screen. A screen whose terminal was lost says
    nothing, and the core goes on.
    """
    from mes_terminal.link.blocking import Client

    try:
        with Client(socket) as client:
            return client.ask("leave", dict[str, bool])["stops"]
    except CoreError:
        return False

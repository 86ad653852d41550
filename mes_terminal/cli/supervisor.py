"""`supervisor`: the desk where exceptions are ended, attached to the core as `run` is."""

from __future__ import annotations

import sys

import click

from mes_terminal.cli.run import show_screen
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import InputError


@click.command(epilog="Example: mes-terminal --db line.db supervisor")
@pass_session
def supervisor(session: Session) -> int:
    """Show the supervisor's desk: exceptions, how each came, and how they are ended."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise InputError(
            "The desk needs a terminal. Without one use: mes-terminal exceptions --open.",
            reason="no_terminal",
        )
    from mes_terminal.tui.supervisor_app import run_desk

    return show_screen(session, run_desk)

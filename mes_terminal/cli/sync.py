"""`sync`: deliver now what waits in the outbox."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.scan import safe_code
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from mes_terminal.station.upstream import Synced

ATTENTION = 1


@click.command()
@click.option("--once", is_flag=True, help="Give up at the first fault.")
@pass_session
def sync(session: Session, once: bool) -> int:
    """Deliver now what waits, and say what is left.

    Goes through the core that runs, which tries at once instead of after its pause. A fault is
    tried again for a minute. Ends with 1 if something still waits, or stands refused.

    \b
    Examples:
      mes-terminal sync
      mes-terminal sync --once --json
    """
    if session.on_training_copy:
        raise InputError("A training copy delivers nothing.", reason="training")

    def tell(told: Synced) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{told.delivered} delivered, {told.waiting} wait", nl=False, err=True)

    with session.existing_desk() as desk:
        ended = desk.sync(session.settings, once=once, tell=tell)
    if sys.stderr.isatty():
        click.echo(err=True)
    if session.as_json:
        sys.stdout.buffer.write(json_line(ended) + b"\n")
        sys.stdout.buffer.flush()
    else:
        for line in lines(ended):
            click.echo(safe_code(line))
    return ATTENTION if ended.waiting or ended.refused or ended.parked else 0


def lines(ended: Synced) -> list[str]:
    """Return what became of it, for a person."""
    where = f" to {ended.receiver}" if ended.receiver is not None else ""
    found = [f"Delivered {ended.delivered}{where}. {ended.waiting} wait."]
    if ended.refused or ended.parked:
        found.append(
            f"{ended.refused} stand refused, {ended.parked} wait behind them. See: mes-terminal "
            "exceptions --kind posting_refused."
        )
    if ended.last_error is not None:
        found.append(ended.last_error)
    return found

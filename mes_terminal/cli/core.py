"""`core`: the core alone, for systemd; `core --stop` ends the one that runs."""

from __future__ import annotations

import sys
import time
from typing import Final

import click

from mes_terminal import logs
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import CoreError

STOP_MAX_S: Final = 30.0
"""How long `--stop` waits: a scan at hand takes milliseconds, a large load seconds."""


@click.command(epilog="Example: mes-terminal --config /etc/mes-terminal/station.toml core")
@click.option("--stop", is_flag=True, help="Stop the core that runs; the scan at hand is finished.")
@click.option("--for-screen", is_flag=True, hidden=True)
@click.option("--training", is_flag=True, help="On a training copy, which only this opens.")
@pass_session
def core(session: Session, stop: bool, for_screen: bool, training: bool) -> None:
    """Run the station without a screen, until SIGTERM."""
    if stop:
        _stop(session)
        return
    from mes_terminal.station.core import run_core

    logs.write_to(sys.stderr)
    try:
        run_core(session.database_path, session.settings, for_screen=for_screen, training=training)
    finally:
        logs.close()


def _stop(session: Session) -> None:
    from mes_terminal.link.blocking import Client
    from mes_terminal.station.lock import find_core

    holder = find_core(session.database_path)
    if holder is None:
        click.echo("No core runs for this database.", err=True)
        return
    with Client(holder.socket) as client:
        client.request("stop")
    deadline = time.monotonic() + STOP_MAX_S
    while find_core(session.database_path) is not None:
        if time.monotonic() > deadline:
            raise CoreError(
                f"The core (process {holder.pid}) does not stop. Look at its log.", reason="held"
            )
        time.sleep(0.02)

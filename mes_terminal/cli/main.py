"""The command line: the group, its global options, and one way to end with an error.

Commands are imported when they are called, so that `scan` starts fast. The global options may stand
before or after the command's name. Errors are one line on standard error and an exit code; a
traceback only with `--debug`.
"""

from __future__ import annotations

import contextlib
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import click

from mes_terminal.cli.session import Session
from mes_terminal.errors import StationError

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("mes_terminal.cli.demo", "demo"),
    "run": ("mes_terminal.cli.run", "run"),
    "supervisor": ("mes_terminal.cli.supervisor", "supervisor"),
    "core": ("mes_terminal.cli.core", "core"),
    "training": ("mes_terminal.cli.training", "training"),
    "load": ("mes_terminal.cli.load", "load"),
    "scan": ("mes_terminal.cli.scan", "scan"),
    "decode": ("mes_terminal.cli.decode", "decode"),
    "simulate": ("mes_terminal.cli.simulate", "simulate"),
    "scanners": ("mes_terminal.cli.scanners", "scanners"),
    "labels": ("mes_terminal.cli.labels", "labels"),
    "orders": ("mes_terminal.cli.lists", "orders"),
    "stock": ("mes_terminal.cli.lists", "stock"),
    "lots": ("mes_terminal.cli.lists", "lots"),
    "exceptions": ("mes_terminal.cli.lists", "exceptions"),
    "exception": ("mes_terminal.cli.exception", "exception"),
    "movements": ("mes_terminal.cli.lists", "movements"),
    "journal": ("mes_terminal.cli.lists", "journal"),
    "outbox": ("mes_terminal.cli.lists", "outbox"),
    "sync": ("mes_terminal.cli.sync", "sync"),
    "audit": ("mes_terminal.cli.lists", "audit"),
    "trace": ("mes_terminal.cli.trace", "trace"),
    "count": ("mes_terminal.cli.count", "count"),
    "shift": ("mes_terminal.cli.shift", "shift"),
    "insight": ("mes_terminal.cli.insight", "insight"),
    "policy": ("mes_terminal.cli.policy", "policy"),
    "approvals": ("mes_terminal.cli.approve", "approvals"),
    "approve": ("mes_terminal.cli.approve", "approve"),
    "permit": ("mes_terminal.cli.approve", "permit"),
    "report": ("mes_terminal.cli.report", "report"),
    "operator": ("mes_terminal.cli.operator", "operator"),
    "reconcile": ("mes_terminal.cli.reconcile", "reconcile"),
    "schema": ("mes_terminal.cli.schema", "schema"),
    "backup": ("mes_terminal.cli.backup", "backup"),
    "restore": ("mes_terminal.cli.backup", "restore"),
    "site": ("mes_terminal.cli.site", "site"),
    "doctor": ("mes_terminal.cli.doctor", "doctor"),
    "bench": ("mes_terminal.cli.bench", "bench"),
}
"""Command name to module and the name in it."""
INTERRUPTED: Final = 130
"""Ctrl-C, as shells report it."""
ATTENTION: Final = 1


class Commands(click.Group):
    """A group whose commands are imported when they are needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Every command, in the order of a day's work."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command and let it take the global options too."""
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        command: click.Command = getattr(import_module(place[0]), place[1])
        _take_global_options(command)
        return command


def _global_options() -> list[click.Option]:
    return [
        click.Option(
            ["--config"],
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Settings (default: config/station.toml, else the user's, else none).",
            expose_value=False,
            callback=_remember,
        ),
        click.Option(
            ["--db"],
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="The station's database.",
            expose_value=False,
            callback=_remember,
        ),
        click.Option(
            ["--json", "as_json"],
            is_flag=True,
            help="Print JSON.",
            expose_value=False,
            callback=_remember,
        ),
        click.Option(
            ["--debug"],
            is_flag=True,
            help="Show the traceback of an error.",
            expose_value=False,
            callback=_remember,
        ),
    ]


def _remember(ctx: click.Context, param: click.Parameter, value: Any) -> None:
    session = ctx.ensure_object(Session)
    if value:
        assert param.name is not None
        setattr(session, param.name, value)


def _take_global_options(command: click.Command) -> None:
    known = {option for param in command.params for option in param.opts}
    for option in _global_options():
        if not known.intersection(option.opts):
            command.params.append(option)
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            _take_global_options(inner)


def _print_version(ctx: click.Context, _: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"mes-terminal {version('mes-terminal')}")
        ctx.exit()


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["--help"], "max_content_width": 100},
    epilog="Examples: mes-terminal demo · mes-terminal --db line.db load config/sample-plant · "
    "mes-terminal --db line.db scan WO-1001 · mes-terminal --db line.db stock --json",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version)
def cli() -> None:
    """The line-side station: one scan closes the order, backflushes the lots, loses nothing."""


cli.params += _global_options()


def run(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    given = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    session = Session(debug="--debug" in given)
    try:
        result = cli.main(given, "mes-terminal", standalone_mode=False, obj=session)
    except Exception as error:
        if session.debug and not isinstance(error, BrokenPipeError):
            raise
        return _end_with(error)
    except KeyboardInterrupt:
        return INTERRUPTED
    return result if isinstance(result, int) else 0


def _end_with(error: Exception) -> int:
    """Print what went wrong as one line and return the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, click.Abort):
        return INTERRUPTED
    if isinstance(error, BrokenPipeError):
        _quiet_stdout()
        return ATTENTION
    code, sentence = _explain(error)
    with contextlib.suppress(OSError):
        click.echo(f"mes-terminal: {' '.join(sentence.split())}", err=True)
    return code


def _explain(error: Exception) -> tuple[int, str]:
    if isinstance(error, StationError):
        return error.exit_code, error.sentence
    if isinstance(error, click.ClickException):
        return 2, error.format_message()
    if isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason:
        return (
            2,
            "A word of the command is no UTF-8 text. Write it as text; codes may be any bytes.",
        )
    if isinstance(error, OSError):
        return 2, f"{error.strerror or error}: {error.filename or 'input or output'}."
    database = sys.modules.get("mes_terminal.store.database")
    if database is not None and isinstance(error, database.SqliteError):
        damaged = not isinstance(error, database.sqlite.OperationalError)
        mend = "Restore the newest backup." if damaged else "Check the disk and its rights."
        return 3 if damaged else 2, f"The database: {error}. {mend}"
    return ATTENTION, f"This is a fault of the program: {error!r}. Run it again with --debug."


def _quiet_stdout() -> None:
    """Nobody reads any more: let the interpreter's own flush at the end go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

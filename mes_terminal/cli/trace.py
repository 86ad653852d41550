"""`trace`: genealogy of a lot or a serial, as a tree, JSON, CSV or a drawing.

Thin: the rows come from the running core or the database, and are put together here.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

import click

from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.domain.trace import Trace, assembled

FORMATS: Final = ("json", "tree", "csv", "dot")


def trace_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add what both commands take."""
    for option in reversed(
        (
            click.option(
                "--backward", "direction", flag_value="backward", default="backward",
                help="What it was made from (the default).",
            ),
            click.option(
                "--forward", "direction", flag_value="forward", help="Where it was used.",
            ),
            click.option(
                "--all", "show_all", is_flag=True,
                help="Also what was taken back: links whose quantities cancel out.",
            ),
            click.option(
                "--format", "form", type=click.Choice(FORMATS),
                help="How it is printed (default: tree, with --json json).",
            ),
        )
    ):  # fmt: skip
        function = option(function)
    return function


@click.group()
def trace() -> None:
    """Genealogy: what a lot or serial was made from, or where it was used, at any depth.

    \b
    Examples:
      mes-terminal trace lot CHAIR-4 WO-1001
      mes-terminal trace lot LEG L-77 --forward --json
      mes-terminal trace serial CHAIR-4 000063 --format dot
    """


@trace.command("lot")
@click.argument("item")
@click.argument("lot")
@trace_options
@pass_session
def trace_lot(session: Session, /, item: str, lot: str, **options: Any) -> None:
    """Trace a lot; an untracked product is named by its order, nameless stock by "".

    \b
    Examples:
      mes-terminal trace lot CHAIR-4 WO-1001
      mes-terminal trace lot LEG L-77 --forward
    """
    _show(session, {"item": item, "lot": lot}, **options)


@trace.command("serial")
@click.argument("item")
@click.argument("serial")
@trace_options
@pass_session
def trace_serial(session: Session, /, item: str, serial: str, **options: Any) -> None:
    """Trace a serial number that was made or received.

    \b
    Example:
      mes-terminal trace serial CHAIR-4 000063
    """
    _show(session, {"item": item, "serial": serial}, **options)


def _show(
    session: Session,
    subject: dict[str, str],
    *,
    direction: str,
    show_all: bool,
    form: str | None,
) -> None:
    if session.as_json and form not in (None, "json"):
        raise click.UsageError(f"--json and --format {form} say different things. Leave one out.")
    chosen = form or ("json" if session.as_json else "tree")
    everything = show_all or chosen == "json"  # a program sums by itself; a person wants what is
    asked = {**subject, "direction": direction, **({"all": "yes"} if everything else {})}
    found = assembled(session.rows("trace", asked))
    if chosen == "json":
        sys.stdout.buffer.write(json_line(found) + b"\n")
        sys.stdout.buffer.flush()
        return
    for line in trace_lines(found, chosen, forward=direction == "forward"):
        click.echo(line)


def trace_lines(found: Trace, form: str, *, forward: bool) -> Iterator[str]:
    """Return the lines of a trace in a form that is not JSON."""
    from mes_terminal.cli.trace_tree import tree_lines
    from mes_terminal.exchange.trace_formats import csv_lines, dot_lines

    match form:
        case "csv":
            return csv_lines(found)
        case "dot":
            return dot_lines(found)
        case _:
            return tree_lines(found, forward=forward)

"""`bench`: figures on this machine, so that nobody has to believe ours. Thin."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session, print_json_array
from mes_terminal.cli.table import render_table

if TYPE_CHECKING:
    from collections.abc import Callable

    from mes_terminal.cli.bench_plant import Figure

_COLUMNS = (
    "case", "floor", "components", "edges", "n", "p50_ms", "p99_ms", "floor_p50_ms",
    "floor_p99_ms", "ratio", "statements", "syncs",
)  # fmt: skip


def _counts(least: int) -> Callable[[click.Context, click.Parameter, str], list[int]]:
    """Return what reads whole numbers separated by commas: each once, in order."""

    def read(_context: click.Context, _parameter: click.Parameter, text: str) -> list[int]:
        parts = [part.strip() for part in text.split(",")]
        if not all(part.isascii() and part.isdigit() and len(part) <= 9 for part in parts):
            raise click.BadParameter(f"{text!r} is no list of whole numbers like 1,10,60.")
        numbers = sorted({int(part) for part in parts})
        if numbers[0] < least:
            raise click.BadParameter(f"{numbers[0]} is less than {least}.")
        return numbers

    return read


@click.group()
def bench() -> None:
    """Measure this machine: closing an order, and from the scan to the painted screen.

    \b
    Examples:
      mes-terminal bench close
      mes-terminal bench screen
    """


@bench.command()
@click.option("--n", "rounds", type=click.IntRange(1, 100_000), default=200, show_default=True,
              help="Closes measured of each case.")  # fmt: skip
@click.option("--components", callback=_counts(1), default="1,10,60", show_default=True,
              help="Lines of the orders.")  # fmt: skip
@click.option("--edges", callback=_counts(0), default="0,1000000", show_default=True,
              help="Genealogy edges that are there already.")  # fmt: skip
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder on the disk to measure (default: that of the database).")  # fmt: skip
@pass_session
def close(
    session: Session, rounds: int, components: list[int], edges: list[int], folder: Path | None
) -> None:
    """Close orders in one scan, against two floors, interleaved on one disk.

    `replay` runs the same statements and values bare; `lean` is the least a correct close needs.
    benchmarks/README.md says how to read the figures.

    \b
    Examples:
      mes-terminal bench close
      mes-terminal bench close --n 50 --components 60 --edges 0 --json
    """
    from mes_terminal.cli.bench_close import bench_close

    with TemporaryDirectory(prefix="mes-terminal-bench-", dir=folder or _disk(session)) as place:
        figures = bench_close(
            Path(place),
            rounds=rounds,
            components=components,
            edges=edges,
            tell=_tell,
        )
    _print(session, figures)


@bench.command()
@click.option("--n", "rounds", type=click.IntRange(1, 100_000), default=200, show_default=True,
              help="Scans measured.")  # fmt: skip
@click.option("--folder", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="A folder on the disk to measure (default: that of the database).")  # fmt: skip
@pass_session
def screen(session: Session, rounds: int, folder: Path | None) -> None:
    """From the scanner's first byte to the outcome on the operator's screen.

    Scanner and screen are on pseudo-terminals, the core and the screen in processes of their own;
    each scan closes an order of ten lines.

    \b
    Example:
      mes-terminal bench screen --n 1000 --json
    """
    from mes_terminal.cli.bench_screen import bench_screen

    with TemporaryDirectory(prefix="mes-terminal-bench-", dir=folder or _disk(session)) as place:
        figures = bench_screen(Path(place), rounds=rounds, tell=_tell)
    _print(session, figures)


def _tell(what: str) -> None:
    click.echo(f"{what} …", err=True)


def _print(session: Session, figures: list[Figure]) -> None:
    rows = map(msgspec.json.encode, figures)
    if session.as_json:
        print_json_array(rows)
        return
    for line in render_table(rows, _COLUMNS):
        click.echo(line)


def _disk(session: Session) -> Path:
    """The nearest folder to the database that is there already."""
    return next(folder for folder in session.database_path.parents if folder.is_dir())

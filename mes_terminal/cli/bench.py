"""`bench`: figures on this machine, so that nobody has to believe ours. Thin."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session, print_json_array
from mes_terminal.cli.table import render_table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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


_rounds = partial(
    click.option, "--n", "rounds", type=click.IntRange(1, 100_000), default=200, show_default=True
)
_components = partial(
    click.option,
    "--components",
    callback=_counts(1),
    show_default=True,
    help="Lines of the orders.",
)
_edges = partial(
    click.option,
    "--edges",
    callback=_counts(0),
    show_default=True,
    help="Genealogy edges that are there already.",
)
_folder = click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder on the disk to measure (default: that of the database).",
)


@click.group()
def bench() -> None:
    """Measure this machine: what the scans of a shift cost, and what a person waits for.

    benchmarks/README.md says how to read the figures.

    \b
    Examples:
      mes-terminal bench close
      mes-terminal bench operations
      mes-terminal bench reversal
      mes-terminal bench serials
      mes-terminal bench screen
      mes-terminal bench upstream
    """


@bench.command()
@_rounds(help="Closes measured of each case.")
@_components(default="1,10,60")
@_edges(default="0,1000000")
@_folder
@pass_session
def close(
    session: Session, rounds: int, components: list[int], edges: list[int], folder: Path | None
) -> None:
    """Close orders in one scan, against two floors, interleaved on one disk.

    `replay` runs the same statements and values bare; `lean` is the least a correct close needs.

    \b
    Examples:
      mes-terminal bench close
      mes-terminal bench close --n 50 --components 60 --edges 0 --json
    """
    from mes_terminal.cli.bench_close import bench_close

    with _place(session, folder) as place:
        figures = bench_close(place, rounds=rounds, components=components, edges=edges, tell=_tell)
    _print(session, figures)


@bench.command()
@_rounds(help="Reports measured of each case.")
@_components(default="10,60")
@_edges(default="0")
@_folder
@pass_session
def operations(
    session: Session, rounds: int, components: list[int], edges: list[int], folder: Path | None
) -> None:
    """Report operations that post all lines of an order, against the `replay` floor.

    `operation` posts the lines of one operation; `sweep` those of an earlier one with it.

    \b
    Example:
      mes-terminal bench operations --n 50 --json
    """
    from mes_terminal.cli.bench_reports import bench_operations

    with _place(session, folder) as place:
        figures = bench_operations(
            place, rounds=rounds, components=components, edges=edges, tell=_tell
        )
    _print(session, figures)


@bench.command()
@_rounds(help="Reversals measured of each case.")
@_components(default="10,60")
@_edges(default="0")
@_folder
@pass_session
def reversal(
    session: Session, rounds: int, components: list[int], edges: list[int], folder: Path | None
) -> None:
    """Take closes back, against the `replay` floor.

    \b
    Example:
      mes-terminal bench reversal --components 60 --json
    """
    from mes_terminal.cli.bench_reports import bench_reversal

    with _place(session, folder) as place:
        figures = bench_reversal(
            place, rounds=rounds, components=components, edges=edges, tell=_tell
        )
    _print(session, figures)


@bench.command()
@_rounds(help="Engines built.")
@click.option("--serials", "units", type=click.IntRange(10, 100_000), default=1000,
              show_default=True, help="Units of the long order.")  # fmt: skip
@_folder
@pass_session
def serials(session: Session, rounds: int, units: int, folder: Path | None) -> None:
    """Build engines of 60 lines with 8 serials in their slots, against the `replay` floor.

    `slot` fills a slot, `engine` fills the last one and completes the unit, `unit` is all scans of
    a unit. `serials` compares the last tenth of a long order with its `first` tenth.

    \b
    Example:
      mes-terminal bench serials --n 50 --serials 500
    """
    from mes_terminal.cli.bench_serials import bench_serials

    with _place(session, folder) as place:
        figures = bench_serials(place, rounds=rounds, units=units, tell=_tell)
    _print(session, figures)


@bench.command()
@_rounds(help="Scans measured.")
@_folder
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

    with _place(session, folder) as place:
        figures = bench_screen(place, rounds=rounds, tell=_tell)
    _print(session, figures)


@bench.command()
@_rounds(help="Closes measured of each case, with a relay and without.")
@click.option("--rate", type=click.IntRange(1, 200), default=20, show_default=True,
              help="Closes a second.")  # fmt: skip
@click.option("--backlog", type=click.IntRange(1000, 1_000_000), default=50_000, show_default=True,
              help="Postings that wait in catch_up.")  # fmt: skip
@_folder
@pass_session
def upstream(session: Session, rounds: int, rate: int, backlog: int, folder: Path | None) -> None:
    """Close orders beside a relay, against the same station without one (`off`).

    Its receiver is `dead`, answers after two seconds (`slow`), or takes what waited (`catch_up`).

    \b
    Example:
      mes-terminal bench upstream --n 400 --rate 10 --json
    """
    from mes_terminal.cli.bench_upstream import bench_upstream

    with _place(session, folder) as place:
        figures = bench_upstream(place, rounds=rounds, rate=rate, backlog=backlog, tell=_tell)
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


@contextmanager
def _place(session: Session, folder: Path | None) -> Iterator[Path]:
    """Give a folder of the benchmark's own on the disk to measure."""
    # the nearest folder to the database that is there already
    nearest = next(each for each in session.database_path.parents if each.is_dir())
    with TemporaryDirectory(prefix="mes-terminal-bench-", dir=folder or nearest) as place:
        yield Path(place)

"""`site hold` and `site load`: what the site tells every station (UP-9)."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.cli.table import print_rows
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.exchange.posting_details import LotStatus
    from mes_terminal.site.down import DownRoad, Reached

LOOK_EVERY_S: Final = 0.2
COLUMNS: Final = ("source", "state", "at", "sentence")


@click.command()
@click.argument("item")
@click.argument("lot", required=False)
@click.option("--serial", metavar="SERIAL", help="One serial; with LOT, of that lot.")
@click.option("--release", "status", flag_value="available", help="It may be used again.")
@click.option("--reject", "status", flag_value="rejected", help="It is never used.")
@click.option("--as", "person", required=True, metavar="NAME", help="Who says so.")
@click.option("--reason", metavar="TEXT", help="Why.")
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(0, 3600),
    default=10.0,
    show_default=True,
    metavar="SECONDS",
    help="How long stations have to confirm it.",
)
@pass_session
def hold(
    session: Session, item: str, lot: str | None, serial: str | None, status: str | None,
    person: str, reason: str | None, wait_s: float,
) -> int:  # fmt: skip
    """Hold a lot at every station, and say which of them have confirmed it.

    Exits 1 while one has not: it is done when that station is back.

    \b
    Examples:
      mes-terminal site hold PAINT P-7 --as Quinn --reason "wrong viscosity"
      mes-terminal site hold PAINT P-7 --release --as Quinn
    """
    from mes_terminal.domain.delivery import LotStatusData

    if lot is None and serial is None:
        raise InputError("Name the lot, or give --serial.")
    data = LotStatusData(
        item=item, lot=lot, serial=serial, person=person, reason=reason,
        status=cast("LotStatus", status or "hold"),
    )  # fmt: skip
    with road_of(session) as road:
        found = _wait(road, road.hold(data), wait_s)
    print_rows(map(msgspec.json.encode, found), COLUMNS, as_json=session.as_json)
    missing = [each.source for each in found if each.state not in ("applied", "not_here")]
    if missing and not session.as_json:
        click.echo(f"Not confirmed yet: {', '.join(missing)}. It is done when they are back.")
    return int(bool(missing))


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--station", "stations", multiple=True, metavar="SOURCE", help="Only for this one.")
@pass_session
def load(session: Session, folder: Path, stations: tuple[str, ...]) -> int:
    """Send master data, orders and receipts down to the stations: a folder as `load` takes it.

    Exits 2 with every fault if it has any; then nothing is sent.

    \b
    Examples:
      mes-terminal site load /srv/erp
      mes-terminal site load orders --station urn:mes-terminal:PLANT1:LINE3
    """
    from mes_terminal.cli.load_text import fault_line
    from mes_terminal.exchange.csv_folder import read_cells
    from mes_terminal.exchange.down_tables import rows_of
    from mes_terminal.store.folder import read_folder

    tables, faults = read_cells(read_folder(folder), session.rules.zone)
    if faults:
        for fault in faults:
            click.echo(fault_line(msgspec.to_builtins(fault)), err=True)
        return 2
    documents = rows_of(tables)
    with road_of(session) as road:
        try:
            version = road.publish_tables(documents, stations=stations)
        except ValueError as error:
            raise InputError(f"{error}. Part it, or load it at the station.") from error
    said = {"documents": len(documents), "version": version}
    if session.as_json:
        sys.stdout.buffer.write(msgspec.json.encode(said) + b"\n")
    else:
        click.echo(f"{len(documents)} things sent down, up to version {version}.")
    return 0


@contextmanager
def road_of(session: Session) -> Iterator[DownRoad]:
    """Give the road down of the site's database. Raises `InputError` without the extra, and
    `SiteBusyError` while the database is away."""
    try:
        from mes_terminal.site.database import open_database
        from mes_terminal.site.down import DownRoad
    except ModuleNotFoundError as error:
        raise InputError(
            f'This needs the package {error.name}. Install it: pip install "mes-terminal[site]"'
        ) from error
    database = open_database(session.settings.site)
    try:
        database.migrate()
        yield DownRoad(database)
    finally:
        database.close()


def _wait(road: DownRoad, version: int, wait_s: float) -> list[Reached]:
    """Return how far the stations are, as soon as none is waited for any more."""
    deadline = time.monotonic() + wait_s
    while True:
        found = road.reached(version)
        if time.monotonic() > deadline or not any(each.state == "waiting" for each in found):
            return found
        time.sleep(LOOK_EVERY_S)

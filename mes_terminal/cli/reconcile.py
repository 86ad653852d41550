"""`reconcile`: the difference between the ERP's stock and the station's, explained. Thin."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session, print_json_array
from mes_terminal.domain.posting import short_type
from mes_terminal.domain.quantity import format_quantity, parse_quantity
from mes_terminal.domain.reconcile import LET_GO, Behind, Difference, FiguresTold
from mes_terminal.tui.safe_text import safe

ATTENTION: Final = 1
SUBJECT_COLUMNS: Final = 40
POSTINGS_SHOWN: Final = 10
"""Postings told below a row; `--json` names more."""

_ROWS: Final = {
    "item": ("item", "items"),
    "lot": ("lot", "lots"),
    "location": ("lot at a location", "lots at locations"),
}
"""What one row is, and what several are."""

_decode: Final = msgspec.json.Decoder(Difference).decode
_decode_figures: Final = msgspec.json.Decoder(FiguresTold).decode


@click.command()
@click.option(
    "--by",
    type=click.Choice(["item", "lot", "location"]),
    default="item",
    help="How finely is compared (item).",
)
@click.option("--item", metavar="ITEM", help="Only this one.")
@click.option(
    "--stock",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The ERP's stock as CSV: item, lot, serial, location, quantity, uom.",
)
@click.option(
    "--mapping",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="How FILE of --stock is read, if it is not clean.",
)
@click.option("--at", metavar="TIME", help="When the figures of FILE were true.")
@pass_session
@click.pass_context
def reconcile(
    context: click.Context,
    session: Session,
    by: str,
    item: str | None,
    stock: Path | None,
    mapping: Path | None,
    at: str | None,
) -> None:
    """Say why the ERP has another stock than the station.

    What is queued, what is in exceptions, what nobody can explain; and the postings behind each
    number. Ends with 1 if anything is unexplained, with 2 without figures of the ERP.

    \b
    Examples:
      mes-terminal reconcile
      mes-terminal reconcile --by lot --item LEG --json
      mes-terminal reconcile --stock erp-stock.csv --at 2026-11-20T06:00
      mes-terminal reconcile --stock MB52.txt --mapping sap.toml
    """
    filters = {"by": by}
    if item is not None:
        filters["item"] = item
    if stock is not None:
        filters["stock"] = str(stock.expanduser().absolute())
    if mapping is not None:
        filters["mapping"] = str(mapping.expanduser().absolute())
    if at is not None:
        filters["at"] = at
    seen = _Seen()
    rows = seen.watch(session.rows("reconcile", filters))
    if session.as_json:
        print_json_array(rows)
    else:
        for row in rows:
            _tell(_decode(row))
        for row in session.rows("reconcile_figures", filters):
            _tell_figures(_decode_figures(row))
        click.echo(seen.sentence(by))
    if seen.unexplained:
        context.exit(ATTENTION)


class _Seen:
    """What has gone by."""

    def __init__(self) -> None:
        self.rows = 0
        self.differing = 0
        self.unexplained = 0

    def watch(self, rows: Iterable[bytes]) -> Iterator[bytes]:
        for row in rows:
            found = _decode(row)
            self.rows += 1
            self.differing += found.difference != "0"
            self.unexplained += not found.is_explained
            yield row

    def sentence(self, by: str) -> str:
        what = _ROWS[by][self.rows != 1]
        if not self.differing and not self.unexplained:
            return f"{self.rows} {what}: the ERP has what the station has."
        rest = f"{self.unexplained} unexplained" if self.unexplained else "all explained"
        return f"{self.differing} of {self.rows} {what} differ, {rest}."


def _tell_figures(told: FiguresTold) -> None:
    if told.as_of is not None:
        click.echo(f"The ERP's figures are of {told.as_of}.")
    if told.left_out:
        pieces = "1 piece" if told.left_out == 1 else f"{told.left_out} pieces"
        places = ", ".join(safe(each, SUBJECT_COLUMNS) for each in told.elsewhere)
        click.echo(f"Left out: {pieces} of the ERP's stock at other locations, such as {places}.")


def _tell(row: Difference) -> None:
    if row.is_nothing:
        return
    names = (row.item, row.lot, row.serial, row.location)
    name = " ".join(safe(each, SUBJECT_COLUMNS) for each in names if each)
    uom = f" {safe(row.uom, 12)}" if row.uom else ""
    click.echo(
        f"{name}: ERP {row.upstream}, station {row.station} = {row.queued} queued + "
        f"{row.in_exceptions} in exceptions + {row.unexplained} unexplained{uom}"
    )
    for each in row.postings[:POSTINGS_SHOWN]:
        click.echo(f"    {_posting(each)}")
    more = row.postings_count - min(len(row.postings), POSTINGS_SHOWN)
    if more:
        click.echo(f"    {_rest(row):>12}  and {more} more")


def _rest(row: Difference) -> str:
    """Return what the postings that are not shown come to: those shown and it are the numbers."""
    shown = [each.quantity for each in row.postings[:POSTINGS_SHOWN] if each.status != LET_GO]
    rest = parse_quantity(row.queued) + parse_quantity(row.in_exceptions)
    return format_quantity(rest - sum(map(parse_quantity, shown)))


def _posting(posting: Behind) -> str:
    kind = short_type(posting.type)
    subject = safe(posting.subject, SUBJECT_COLUMNS)
    return f"{posting.quantity:>12}  {posting.status:<9}  {posting.sequence}  {kind}  {subject}"

"""`count`: what counts came to, what is due to be counted, how right the books were (BF-32). Thin.

Counting itself is done at the station: `%COUNT location`, lots with quantities, `%COUNT`.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.cli.table import print_rows

COUNTED: Final = (
    "count", "location", "item", "expected", "counted", "difference", "uom", "status", "person",
    "ended_at",
)  # fmt: skip
DUE: Final = ("location", "item", "item_class", "reason", "counted_at")
ACCURACY: Final = (
    "location", "item_class", "counts", "within", "share_pct", "off_by", "value_absolute",
    "value_net", "currency", "unvalued",
)  # fmt: skip

_of_item = click.option("--item", metavar="ITEM", help="Only this item.")
_at_location = click.option("--location", metavar="LOCATION", help="Only this location.")


@click.group()
def count() -> None:
    """Counts of stock: what they came to, what is due, and how right the books were.

    A place is counted at the station, while the line runs: COUNT with the location, each lot with
    its quantity, COUNT.

    \b
    Examples:
      mes-terminal count list --item LEG
      mes-terminal count due --json
      mes-terminal count accuracy --since 2026-11-01
    """


@count.command("list")
@_of_item
@_at_location
@pass_session
def count_list(session: Session, item: str | None, location: str | None) -> None:
    """What each counted item came to, by count."""
    print_rows(
        session.rows("counts", _given(item=item, location=location)),
        COUNTED,
        as_json=session.as_json,
    )


@count.command("due")
@_of_item
@_at_location
@pass_session
def count_due(session: Session, item: str | None, location: str | None) -> None:
    """What should be counted, and why: below zero, an exception, empty while a line waits, never,
    or by the rhythm of its class."""
    print_rows(
        session.rows("counts_due", _given(item=item, location=location)),
        DUE,
        as_json=session.as_json,
    )


@count.command()
@_of_item
@_at_location
@click.option("--since", metavar="DAY", help="Only counts that ended from this day or time on.")
@pass_session
def accuracy(session: Session, item: str | None, location: str | None, since: str | None) -> None:
    """How right the books were when they were counted, by location and class of item."""
    rows = session.rows("count_accuracy", _given(item=item, location=location, since=since))
    print_rows(rows if session.as_json else _with_off_by(rows), ACCURACY, as_json=session.as_json)


def _with_off_by(rows: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the rows with what the books were off by in one text."""
    for row in rows:
        found = msgspec.json.decode(row)
        found["off_by"] = [
            f"{each['absolute']} {each['uom']} (net {each['net']})" for each in found["quantities"]
        ]
        yield msgspec.json.encode(found)


def _given(**filters: str | None) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value is not None}

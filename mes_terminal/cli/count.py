"""`count`: what counts came to, and what is due to be counted (BF-32). Thin.

Counting itself is done at the station: `%COUNT location`, lots with quantities, `%COUNT`.
"""

from typing import Final

import click

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.cli.table import print_rows

COUNTED: Final = (
    "count", "location", "item", "expected", "counted", "difference", "uom", "status", "person",
    "ended_at",
)  # fmt: skip
DUE: Final = ("location", "item", "item_class", "reason", "counted_at")

_of_item = click.option("--item", metavar="ITEM", help="Only this item.")
_at_location = click.option("--location", metavar="LOCATION", help="Only this location.")


@click.group()
def count() -> None:
    """Counts of stock: what they came to, and what is due.

    A place is counted at the station, while the line runs: COUNT with the location, each lot with
    its quantity, COUNT.

    \b
    Examples:
      mes-terminal count list --item LEG
      mes-terminal count due --json
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
    from mes_terminal.station.clock import utc_now

    days = session.settings.stock.count_days
    rhythm = {"A": days.A, "B": days.B, "C": days.C, "default": days.default}
    filters = _given(item=item, location=location, now=utc_now())
    filters |= {name: str(each) for name, each in rhythm.items()}
    print_rows(session.rows("counts_due", filters), DUE, as_json=session.as_json)


def _given(**filters: str | None) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value is not None}

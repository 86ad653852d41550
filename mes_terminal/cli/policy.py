"""`policy`: the control matrix in force, and what another one would have done (BF-24)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.cli.table import print_rows

CELLS: Final = ("situation", "class", "level", "decided_by")
CHANGES: Final = (
    "sequence", "received_at", "code", "situation", "item", "class", "outcome", "reason",
    "would_outcome", "would_reason",
)  # fmt: skip
SPAN_MAX_DAYS: Final = 3660
"""Ten years: longer than any journal here."""
_UNITS: Final = {"d": "days", "h": "hours", "m": "minutes"}


def _span(ctx: click.Context, param: click.Parameter, value: str | None) -> timedelta | None:
    """Return the time back from now that the option says."""
    if value is None:
        return None
    told = re.fullmatch(r"([0-9]{1,6})([dhm])", value)
    span = timedelta(**{_UNITS[told[2]]: int(told[1])}) if told else None
    if span is None or span > timedelta(days=SPAN_MAX_DAYS):
        raise click.BadParameter(
            f"{value[:40]!r} is no time back from now. Write one like 30d, 8h or 90m.",
            ctx,
            param,
        )
    return span


@click.command()
@click.option(
    "--replay",
    callback=_span,
    metavar="TIME",
    help="What these settings would have done to the scans of the last 30d, 8h or 90m.",
)
@pass_session
def policy(session: Session, replay: timedelta | None) -> None:
    """How strictly each deviation is taken, by situation and item class, and what decided it.

    With --replay, every scan since then that these settings would have answered otherwise; give
    those of another matrix with --config. Nothing is changed.

    \b
    Examples:
      mes-terminal policy
      mes-terminal policy --replay 30d --config other.toml --json
    """
    matrix = session.rules.policy
    if replay is None:
        cells = (
            {
                "situation": cell.situation,
                "class": cell.item_class,
                "level": cell.level,
                "decided_by": cell.decided_by,
            }
            for cell in matrix.cells()
        )
        print_rows(map(msgspec.json.encode, cells), CELLS, as_json=session.as_json)
        return
    from mes_terminal.domain.instants import format_instant, to_datetime
    from mes_terminal.station.clock import utc_now

    filters = {
        "since": format_instant(to_datetime(utc_now()) - replay),
        "matrix": msgspec.json.encode(matrix).decode(),
    }
    print_rows(list(session.rows("policy_replay", filters)), CHANGES, as_json=session.as_json)

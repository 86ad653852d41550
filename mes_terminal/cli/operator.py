"""`operator`: the people of the station and their PINs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, get_args

import click
import msgspec

from mes_terminal.cli.pin_entry import ask_new_pin, ask_pin
from mes_terminal.cli.session import Session, pass_session, print_json_array
from mes_terminal.cli.table import render_table
from mes_terminal.domain.people import Role
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from mes_terminal.station.desk_requests import PeopleOrder

COLUMNS: Final = ("badge", "name", "role", "language", "has_pin", "locked_until", "disabled_at")
_BY = click.option("--as", "by", metavar="BADGE", help="The supervisor who does it.")


@click.group()
def operator() -> None:
    """People: who works here, and the PINs that prove it. Nobody is ever deleted.

    \b
    Examples:
      mes-terminal operator list
      mes-terminal operator pin SUP-1
    """


@operator.command("list")
@pass_session
def list_(session: Session) -> None:
    """Everybody by badge, with whether they have a PIN.

    \b
    Example: mes-terminal operator list --json
    """
    rows = session.rows("people")
    if session.as_json:
        print_json_array(rows)
        return
    for line in render_table(rows, COLUMNS):
        click.echo(line)


@operator.command()
@click.argument("badge")
@_BY
@pass_session
def pin(session: Session, badge: str, by: str | None) -> None:
    """Set a PIN of 4 to 12 digits, asked for twice.

    The first one is a supervisor's. Later, your own old PIN comes first, or with --as the PIN of a
    supervisor. Without a terminal each is a line of standard input.

    \b
    Examples:
      mes-terminal operator pin SUP-1
      mes-terminal operator pin OP-2 --as SUP-1
    """
    from mes_terminal.station.desk_requests import PeopleOrder

    by = by or _who_proves(session, badge)
    old = ask_pin(by) if by is not None else ""
    new = ask_new_pin(badge)
    _change(session, PeopleOrder(change="pin", badge=badge, by=by, pin=old, new_pin=new))
    click.echo(f"{badge} has a new PIN.")


@operator.command()
@click.argument("badge")
@click.argument("name")
@click.option("--role", type=click.Choice(get_args(Role)), default="operator", show_default=True)
@click.option("--language", metavar="CODE", help="Of the screen: en, de.")
@_BY
@pass_session
def add(
    session: Session, badge: str, name: str, role: str, language: str | None, by: str | None
) -> None:
    """Add a person, or let one who was disabled come back.

    \b
    Example: mes-terminal operator add OP-7 "Ida Klein" --as SUP-1
    """
    from mes_terminal.station.desk_requests import PeopleOrder

    old = ask_pin(by) if by is not None else ""
    _change(
        session,
        PeopleOrder(
            change="add", badge=badge, by=by, pin=old, name=name, role=role, language=language
        ),
    )
    click.echo(f"{badge} may work here.")


@operator.command()
@click.argument("badge")
@_BY
@pass_session
def disable(session: Session, badge: str, by: str | None) -> None:
    """Let a badge open nothing any more; what its holder did stays theirs.

    \b
    Example: mes-terminal operator disable OP-7 --as SUP-1
    """
    from mes_terminal.station.desk_requests import PeopleOrder

    old = ask_pin(by) if by is not None else ""
    _change(session, PeopleOrder(change="disable", badge=badge, by=by, pin=old))
    click.echo(f"{badge} is disabled.")


def _change(session: Session, order: PeopleOrder) -> None:
    with session.existing_desk() as desk:
        desk.change_people(order)


def _who_proves(session: Session, badge: str) -> str | None:
    """Return whose PIN allows a new one without `--as`: nobody's while none is a supervisor's."""
    people: list[dict[str, Any]] = [msgspec.json.decode(row) for row in session.rows("people")]
    having = [each for each in people if each["has_pin"]]
    if any(each["badge"] == badge for each in having):
        return badge
    if any(each["role"] == "supervisor" for each in having):
        raise InputError(
            f"{badge} has no PIN yet. A supervisor gives the first one: add --as BADGE.",
            reason="not_authorised",
        )
    return None

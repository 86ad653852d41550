"""`exception resolve`: how a person ends an exception (BF-23)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final

import click
import msgspec

from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.pin_entry import ask_pin
from mes_terminal.cli.scan import safe_code
from mes_terminal.cli.session import Session, pass_session, print_json_array
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from mes_terminal.domain.healing import Decision
    from mes_terminal.domain.resolving import Resolved

WORDS: Final = {
    "posted": "OK",
    "partly_posted": "CHECK",
    "written_off": "OK",
    "already_done": "CHECK",
    "refused": "STOP",
}


@click.group()
def exception() -> None:
    """End exceptions: post them, change what is posted, or write them off.

    \b
    Examples:
      mes-terminal exceptions --open
      mes-terminal exception resolve 7 --as SUP-1 --lot L-78
    """


@exception.command()
@click.argument("ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(1))
@click.option("--as", "badge", metavar="BADGE", required=True, help="Who decides.")
@click.option("--post", is_flag=True, help="As it was, from what the rules find now.")
@click.option("--lot", metavar="LOT", help="From this lot.")
@click.option("--item", metavar="ITEM", help="Another item was used in its stead.")
@click.option("--quantity", metavar="N", help="Of what is open, so much was really used.")
@click.option("--write-off", "write_off", metavar="REASON", help="Nothing is posted any more.")
@click.option("--preview", is_flag=True, help="Say what would happen and leave all as it is.")
@pass_session
def resolve(
    session: Session,
    ids: tuple[int, ...],
    badge: str,
    post: bool,
    lot: str | None,
    item: str | None,
    quantity: str | None,
    write_off: str | None,
    preview: bool,
) -> int:
    """End exceptions, each in a transaction of its own; the PIN comes on standard input.

    --lot goes with --item and with --quantity, else one of these alone.

    \b
    Examples:
      mes-terminal exception resolve 7 --as SUP-1 --post --preview
      mes-terminal exception resolve 7 8 9 --as SUP-1 --lot L-78
      mes-terminal exception resolve 7 --as SUP-1 --write-off NOT-FOUND --json
    """
    from mes_terminal.station.desk_requests import ResolveOrder

    decision = _decision(post=post, lot=lot, item=item, quantity=quantity, write_off=write_off)
    pin = "" if preview else ask_pin(badge)
    order = ResolveOrder(ids=list(ids), decision=decision, badge=badge, preview=preview, pin=pin)
    with session.existing_desk() as desk:
        ended = desk.resolve(order)
    if session.as_json:
        print_json_array(json_line(each) for each in ended)
    else:
        _print(ended, preview=preview)
    return int(any(map(_stays_open, ended)))


def _decision(
    *, post: bool, lot: str | None, item: str | None, quantity: str | None, write_off: str | None
) -> Decision:
    from mes_terminal.domain.healing import Decision

    changes = (lot, item, quantity)
    changed = any(each is not None for each in changes)
    if post + changed + (write_off is not None) != 1:
        raise InputError("Give one of --post, --lot, --item, --quantity and --write-off.")
    how = "change" if changed else "post" if post else "write_off"
    return msgspec.convert(
        {"how": how, "lot": lot, "item": item, "quantity": quantity, "reason": write_off},
        Decision,
    )


def _stays_open(ended: Resolved) -> bool:
    """Tell whether something of it is left, which makes the command end with 1."""
    return ended.outcome == "refused" or ended.open is not None


def _print(ended: list[Resolved], *, preview: bool) -> None:
    for each in ended:
        line = safe_code(f"{WORDS[each.outcome]:<5} {each.id}: {each.message}.")
        sys.stdout.write(f"{line}\n")
    if preview:
        stay = sum(map(_stays_open, ended))
        sys.stdout.write(f"{len(ended) - stay} would end, {stay} would not. Nothing was done.\n")

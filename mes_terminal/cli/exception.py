"""`exception`: groups of the desk, one in full, whose it is, and how it ends (BF-23)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, get_args

import click
import msgspec

from mes_terminal.cli.exception_text import story_lines
from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.pin_entry import ask_pin
from mes_terminal.cli.scan import safe_code
from mes_terminal.cli.session import Session, pass_session, print_json_array
from mes_terminal.cli.table import print_rows
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from mes_terminal.domain.healing import Decision
    from mes_terminal.domain.resolving import Resolved

AT_A_TIME: Final = 100
"""Exceptions of a cause that one call ends: as many as a request may name."""
ID_MAX: Final = 2**53
"""As much as JSON can say exactly."""
_GROUP_COLUMNS: Final = {
    "kind": ("kind",),
    "cause": ("cause_code", "item"),
    "owner": ("owner",),
    "order": ("work_order",),
}
_COUNTS: Final = ("count", "severity", "oldest_at", "overdue", "value", "currency")
WORDS: Final = {
    "assigned": "OK",
    "posted": "OK",
    "partly_posted": "CHECK",
    "sent_again": "OK",
    "written_off": "OK",
    "already_done": "CHECK",
    "refused": "STOP",
}


@click.group()
def exception() -> None:
    """Exceptions by what they have in common, each one's story, whose it is, and how it ends.

    \b
    Examples:
      mes-terminal exceptions --open
      mes-terminal exception groups --by cause
      mes-terminal exception story 7
      mes-terminal exception resolve 7 --as SUP-1 --lot L-78
    """


_IDS: Final = click.argument(
    "ids", metavar="ID…", nargs=-1, required=True, type=click.IntRange(1, ID_MAX)
)


@exception.command()
@click.option(
    "--by",
    type=click.Choice(list(_GROUP_COLUMNS)),
    default="kind",
    show_default=True,
    help="What they have in common.",
)
@click.option("--kind", type=click.Choice(get_args(ExceptionKind)), help="Only of this kind.")
@click.option("--owner", metavar="OWNER", help="Only this person's or role's; '' for nobody's.")
@click.option("--overdue", is_flag=True, help="Only what is past its due time.")
@click.option("--text", metavar="TEXT", help="Only with this in order, item, lot or cause.")
@click.option("--all", "is_all", is_flag=True, help="What has ended too.")
@pass_session
def groups(
    session: Session,
    by: str,
    kind: str | None,
    owner: str | None,
    overdue: bool,
    text: str | None,
    is_all: bool,
) -> None:
    """Open exceptions by kind, cause, owner or order: how many, the oldest, what they are worth.

    \b
    Examples:
      mes-terminal exception groups
      mes-terminal exception groups --by cause --overdue --json
    """
    asked = {"by": by, "kind": kind, "owner": owner, "text": text}
    asked |= {"overdue": "yes" if overdue else None, "open": None if is_all else "yes"}
    filters = {name: each for name, each in asked.items() if each is not None}
    columns = (*_GROUP_COLUMNS[by], *_COUNTS)
    print_rows(session.rows("exception_groups", filters), columns, as_json=session.as_json)


@exception.command()
@_IDS
@pass_session
def story(session: Session, ids: tuple[int, ...]) -> None:
    """How each came, whose it is until when, what it is worth, what keeps it open and may end it.

    \b
    Examples:
      mes-terminal exception story 7
      mes-terminal exception story 7 8 --json
    """
    rows = list(session.rows("exception_stories", {"ids": ",".join(map(str, ids))}))
    if session.as_json:
        print_json_array(rows)
        return
    for row in rows:
        for line in story_lines(row):
            sys.stdout.write(f"{line}\n")


@exception.command()
@_IDS
@click.option("--to", metavar="BADGE", required=True, help="Whose they are from now on.")
@click.option("--as", "badge", metavar="BADGE", required=True, help="Who says so.")
@pass_session
def assign(session: Session, ids: tuple[int, ...], to: str, badge: str) -> int:
    """Give exceptions to a person by name; the PIN of --as comes on standard input.

    \b
    Examples:
      mes-terminal exception assign 7 8 --to SUP-2 --as SUP-1
    """
    from mes_terminal.station.desk_requests import AssignOrder

    order = AssignOrder(ids=list(ids), to=to, badge=badge, pin=ask_pin(badge))
    with session.existing_desk() as desk:
        given = desk.assign(order)
    if session.as_json:
        print_json_array(json_line(each) for each in given)
    else:
        for each in given:
            line = safe_code(f"{WORDS[each.outcome]:<5} {each.id}: {each.message}.")
            sys.stdout.write(f"{line}\n")
    return int(any(each.outcome != "assigned" for each in given))


@exception.command()
@click.argument("ids", metavar="[ID…]", nargs=-1, type=click.IntRange(1, ID_MAX))
@click.option("--cause", metavar="CODE", help="Instead of ids: the open ones of this cause.")
@click.option("--of", "of_item", metavar="ITEM", help="With --cause: only of this item.")
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
    cause: str | None,
    of_item: str | None,
    badge: str,
    post: bool,
    lot: str | None,
    item: str | None,
    quantity: str | None,
    write_off: str | None,
    preview: bool,
) -> int:
    """End exceptions, each in a transaction of its own; the PIN comes on standard input.

    --lot goes with --item and with --quantity, else one of these alone. With --cause the oldest 100
    of a group end at once; `exception groups --by cause` shows the codes.

    \b
    Examples:
      mes-terminal exception resolve 7 --as SUP-1 --post --preview
      mes-terminal exception resolve 7 8 9 --as SUP-1 --lot L-78
      mes-terminal exception resolve 7 --as SUP-1 --write-off NOT-FOUND --json
      mes-terminal exception resolve --cause shortage:no_stock --of LEG --as SUP-1 --post --preview
    """
    from mes_terminal.station.desk_requests import ResolveOrder

    decision = _decision(post=post, lot=lot, item=item, quantity=quantity, write_off=write_off)
    chosen = _chosen(session, ids, cause, of_item)
    pin = "" if preview else ask_pin(badge)
    order = ResolveOrder(ids=chosen, decision=decision, badge=badge, preview=preview, pin=pin)
    with session.existing_desk() as desk:
        ended = desk.resolve(order)
    if session.as_json:
        print_json_array(json_line(each) for each in ended)
    else:
        _print(ended, preview=preview)
    return int(any(map(_stays_open, ended)))


def _chosen(
    session: Session, ids: tuple[int, ...], cause: str | None, of_item: str | None
) -> list[int]:
    """Return the exceptions meant: those named, or the oldest of a cause."""
    if bool(ids) == (cause is not None) or (of_item is not None and cause is None):
        raise InputError("Name exceptions by their ids, or by --cause and, with it, --of.")
    if cause is None:
        return list(ids)
    key = cause if of_item is None else f"{cause}|{of_item}"
    asked = {"by": "cause", "key": key, "open": "yes", "limit": str(AT_A_TIME + 1)}
    found = [msgspec.json.decode(row)["id"] for row in session.rows("exception_rows", asked)]
    if not found:
        raise InputError(
            "No open exception has that cause. See: mes-terminal exception groups --by cause."
        )
    if len(found) > AT_A_TIME:
        sys.stderr.write(f"These are the oldest {AT_A_TIME}; give the command again for more.\n")
    return found[:AT_A_TIME]


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
        stay = sum(_stays_open(each) or each.outcome == "sent_again" for each in ended)
        sys.stdout.write(f"{len(ended) - stay} would end, {stay} would not. Nothing was done.\n")

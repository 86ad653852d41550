"""`approvals`, `approve`, `permit`: what supervisors let pass (BF-24)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Final, get_args

import click

from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.pin_entry import ask_pin
from mes_terminal.cli.scan import safe_code
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.cli.table import print_rows
from mes_terminal.domain.policy import Situation
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from mes_terminal.station.approving import Approval, PermitDone, PermitOrder

WORDS: Final = {"approved": "OK", "refused": "OK", "already_done": "CHECK", "expired": "STOP"}
QUESTION_COLUMNS: Final = (
    "kind", "id", "at", "status", "situation", "item", "lot", "work_order", "quantity", "until",
    "person", "by", "said",
)  # fmt: skip
PERMIT_COLUMNS: Final = (
    "id", "at", "status", "situation", "item", "lot", "work_order", "quantity", "used", "left",
    "until", "by", "reason",
)  # fmt: skip
_BY = click.option("--as", "badge", metavar="BADGE", required=True, help="Who decides.")
_UNTIL = click.option("--until", metavar="TIME", help="Until then: 14:00, or a day and a time.")
_QUANTITY = click.option("--quantity", metavar="N", help="For so much in all.")
_REASON = click.option("--reason", metavar="CODE", help="Why: a reason of the kind deviation.")


@click.command()
@click.option("--open", "only_open", is_flag=True, help="Only what waits for an answer.")
@click.option("--text", metavar="TEXT", help="Only rows with this text.")
@click.option("--limit", type=click.IntRange(1), metavar="N", help="The newest N.")
@pass_session
def approvals(session: Session, only_open: bool, text: str | None, limit: int | None) -> None:
    """What the station asked supervisors, and what they let pass, the newest first.

    \b
    Examples:
      mes-terminal approvals --open
      mes-terminal approvals --limit 20 --json
    """
    filters = {} if text is None else {"text": text}
    if only_open:
        filters |= {"kind": "question", "status": "open"}
    if limit is not None:
        filters["limit"] = str(limit)
    print_rows(session.rows("approvals", filters), QUESTION_COLUMNS, as_json=session.as_json)


@click.command()
@click.option("--id", "number", type=click.IntRange(1), metavar="N",
              help="Which question; without it what the station asks now.")  # fmt: skip
@_BY
@click.option("--refuse", is_flag=True, help="It may not be.")
@_UNTIL
@_QUANTITY
@_REASON
@pass_session
def approve(
    session: Session,
    number: int | None,
    badge: str,
    refuse: bool,
    until: str | None,
    quantity: str | None,
    reason: str | None,
) -> int:
    """Answer what the station asked a supervisor; the PIN comes on standard input.

    Without --until and --quantity it is for just what was asked, once, until the end of the shift.
    With them it is a permit: again and again, until the time or the quantity is over. Where the
    station still waits for the answer, the code is handled at once.

    \b
    Examples:
      mes-terminal approve --as SUP-1
      mes-terminal approve --id 3 --as SUP-1 --until 14:00 --quantity 200
      mes-terminal approve --id 3 --as SUP-1 --refuse
    """
    from mes_terminal.station.approving import ApproveOrder

    order = ApproveOrder(
        id=number,
        answer="refuse" if refuse else "approve",
        badge=badge,
        pin=ask_pin(badge),
        until=until,
        quantity=quantity,
        reason=reason,
    )
    with session.existing_desk() as desk:
        done = desk.approve(order)
    if session.as_json:
        sys.stdout.write(json_line(done).decode() + "\n")
    else:
        _print_answer(done)
    return int(done.outcome in ("already_done", "expired"))


@click.group()
def permit() -> None:
    """What supervisors let pass ahead: for how long and how much.

    \b
    Examples:
      mes-terminal permit list
      mes-terminal permit add --situation lot_expired --item GLUE --lot G-7 --until 14:00 \\
        --quantity 200 --reason RELEASED --as SUP-1
    """


@permit.command("list")
@click.option("--standing", is_flag=True, help="Only those that let something pass now.")
@pass_session
def list_(session: Session, standing: bool) -> None:
    """Every permit, the newest first, with what it has let pass and what is left of it.

    \b
    Example: mes-terminal permit list --standing --json
    """
    filters = {"kind": "permit"} | ({"status": "standing"} if standing else {})
    print_rows(session.rows("approvals", filters), PERMIT_COLUMNS, as_json=session.as_json)


@permit.command()
@click.option("--situation", type=click.Choice(get_args(Situation)), required=True)
@click.option("--item", metavar="ITEM", required=True, help="The item it is about.")
@click.option("--lot", metavar="LOT", help="Only this lot or serial of it.")
@click.option("--work-order", metavar="ORDER", help="Only for this order.")
@_UNTIL
@_QUANTITY
@_REASON
@_BY
@pass_session
def add(
    session: Session,
    situation: str,
    item: str,
    lot: str | None,
    work_order: str | None,
    until: str | None,
    quantity: str | None,
    reason: str | None,
    badge: str,
) -> None:
    """Let a deviation pass ahead; the PIN comes on standard input. Without --until it ends with the
    shift.

    \b
    Example:
      mes-terminal permit add --situation lot_expired --item GLUE --lot G-7 --until 14:00 \\
        --quantity 200 --reason RELEASED --as SUP-1
    """
    from mes_terminal.station.approving import PermitOrder

    if reason is None:
        raise InputError("Give a reason with --reason.", reason="reason_missing")
    order = PermitOrder(
        badge=badge,
        pin=ask_pin(badge),
        situation=situation,
        item=item,
        lot=lot,
        work_order=work_order,
        until=until,
        quantity=quantity,
        reason=reason,
    )
    _change(session, order)


@permit.command()
@click.argument("number", metavar="ID", type=click.IntRange(1))
@_BY
@pass_session
def end(session: Session, number: int, badge: str) -> None:
    """End a permit before its time; the PIN comes on standard input.

    \b
    Example: mes-terminal permit end 3 --as SUP-1
    """
    from mes_terminal.station.approving import PermitOrder

    _change(session, PermitOrder(badge=badge, pin=ask_pin(badge), end=number))


def _change(session: Session, order: PermitOrder) -> None:
    with session.existing_desk() as desk:
        done: PermitDone = desk.change_permit(order)
    if session.as_json:
        sys.stdout.write(json_line(done).decode() + "\n")
    else:
        sys.stdout.write(safe_code(f"Permit {done.permit}: {done.message}.") + "\n")


def _print_answer(done: Approval) -> None:
    lines = [f"{WORDS[done.outcome]:<5} {done.id}: {done.message}."]
    if done.permit is not None:
        amount = "" if done.quantity is None else f", {done.quantity}"
        lines.append(f"      Permit {done.permit}: until {done.until}{amount}.")
    if done.scan is not None:
        lines.append(f"      {done.scan.outcome}: {done.scan.message}.")
    elif done.outcome == "approved":
        lines.append("      Let the code be scanned again.")
    for line in lines:
        sys.stdout.write(safe_code(line) + "\n")

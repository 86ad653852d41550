"""`load`: master data, orders and receipts from a folder, all of it or nothing.

Where the station asks for a second person, the folder is proposed by one and applied by another.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from mes_terminal.cli.load_text import diff_lines, fault_line, table_lines
from mes_terminal.cli.pin_entry import ask_pin
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.cli.table import print_rows
from mes_terminal.errors import InputError

PROPOSAL_COLUMNS = (
    "id", "status", "folder", "mapping", "changes", "orders", "proposed_by_name", "proposed_at",
    "decided_by_name", "reason",
)  # fmt: skip


@click.command()
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.option(
    "--mapping", type=click.Path(path_type=Path), metavar="FILE",
    help="How the files are read, instead of the folder's mapping.toml.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Only check.")
@click.option("--diff", is_flag=True, help="Show what would change, and what it touches.")
@click.option("--at", metavar="TIME", help="When it happened: in test mode only.")
@click.option("--as", "badge", metavar="BADGE", help="Who proposes, applies or refuses.")
@click.option("--proposals", is_flag=True, help="List what waits for a second person, or waited.")
@click.option("--approve", type=click.IntRange(1), metavar="ID", help="Apply a proposed load.")
@click.option("--refuse", type=click.IntRange(1), metavar="ID", help="Refuse a proposed load.")
@click.option("--reason", metavar="TEXT", help="Why it is refused.")
@pass_session
def load(
    session: Session, folder: Path | None, mapping: Path | None, dry_run: bool, diff: bool,
    at: str | None, badge: str | None, proposals: bool, approve: int | None, refuse: int | None,
    reason: str | None,
) -> int:  # fmt: skip
    """Load a folder of CSV files. Exits 2 with every fault if it has any.

    With load.second_person a load is proposed with --as and applied by another person; their PINs
    come on standard input.

    \b
    Examples:
      mes-terminal --db line.db load config/sample-plant
      mes-terminal load /srv/erp --mapping sap.toml --dry-run
      mes-terminal load /srv/erp --as PLAN-1
      mes-terminal load --approve 3 --as SUP-1
    """
    number = approve if approve is not None else refuse
    if (folder is not None) + proposals + (approve is not None) + (refuse is not None) != 1:
        raise InputError("Name one folder, or give one of --proposals, --approve and --refuse.")
    if reason is not None and refuse is None:
        raise InputError("--reason goes with --refuse.")
    if (dry_run or diff or mapping is not None) and folder is None:
        raise InputError("--dry-run, --diff and --mapping go with a folder.")
    if proposals:
        rows = session.rows("load_proposals")
        print_rows(rows, PROPOSAL_COLUMNS, as_json=session.as_json)
        return 0
    if number is not None:
        return _decide(session, number, badge, approves=refuse is None, reason=reason, at=at)
    assert folder is not None
    if badge is not None and not (dry_run or diff):
        return _propose(session, folder, mapping, badge, at)
    with session.desk() as desk:
        result = desk.load(folder, mapping=mapping, dry_run=dry_run, diff=diff, at=at)
    return _tell(session, result, verb="would be " if dry_run or diff else "")


def _propose(
    session: Session, folder: Path, mapping: Path | None, badge: str, at: str | None
) -> int:
    from mes_terminal.station.loading import ProposeOrder

    if at is not None:
        raise InputError("--at goes with --approve: a proposed load happens when it is applied.")
    order = ProposeOrder(
        folder=str(folder.absolute()),
        mapping=None if mapping is None else str(mapping.absolute()),
        badge=badge,
        pin=ask_pin(badge),
    )
    with session.existing_desk() as desk:
        result = desk.propose_load(order)
    code = _tell(session, result, verb="would be ")
    if not code and not session.as_json:
        number = result["proposal"]
        click.echo(
            "Nothing would change, so nothing was proposed."
            if number is None
            else f"Proposed as {number}. Another person applies it: "
            f"mes-terminal load --approve {number} --as BADGE"
        )
    return code


def _decide(
    session: Session, number: int, badge: str | None, *, approves: bool, reason: str | None,
    at: str | None,
) -> int:  # fmt: skip
    from mes_terminal.station.loading import DecideLoadOrder

    if badge is None:
        raise InputError("Say who decides: --as BADGE, and the PIN.")
    order = DecideLoadOrder(
        id=number, answer="approve" if approves else "refuse", badge=badge, pin=ask_pin(badge),
        reason=reason, at=at,
    )  # fmt: skip
    with session.existing_desk() as desk:
        result = desk.decide_load(order)
    code = _tell(session, result, verb="")
    if not approves and not session.as_json:
        click.echo(f"Load {number} is refused; nothing was loaded.")
    return code


def _tell(session: Session, result: dict[str, Any], *, verb: str) -> int:
    """Print what became of a load and return the exit code."""
    faults = result["faults"]
    if session.as_json:
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()
    elif faults:
        for fault in faults:
            click.echo(fault_line(fault), err=True)
    else:
        for line in table_lines(result["tables"], verb=verb):
            click.echo(line)
        if diff := result.get("diff"):
            for line in diff_lines(diff):
                click.echo(line)
    return 2 if faults else 0

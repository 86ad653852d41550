"""`load`: master data, orders and receipts from a folder, all of it or nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session


@click.command(epilog="Example: mes-terminal --db line.db load config/sample-plant")
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only check.")
@click.option(
    "--diff", is_flag=True, help="Show what would change, and the open orders it touches."
)
@click.option("--at", metavar="TIME", help="When it happened: in test mode only.")
@pass_session
def load(session: Session, folder: Path, dry_run: bool, diff: bool, at: str | None) -> int:
    """Load a folder of CSV files. Exits 2 with every fault if it has any."""
    with session.desk() as desk:
        result = desk.load(folder, dry_run=dry_run, diff=diff, at=at)
    faults = result["faults"]
    if session.as_json:
        sys.stdout.buffer.write(msgspec.json.encode(result) + b"\n")
        sys.stdout.buffer.flush()
    elif not faults:
        _print_tables(result, dry_run=dry_run or diff)
    if not session.as_json:
        for fault in faults:
            click.echo(_place(fault) + f" {fault['message']}", err=True)
    return 2 if faults else 0


def _place(fault: dict[str, Any]) -> str:
    """`items.csv:7: uom:`, as far as the fault has a line and a column."""
    place = f"{fault['file']}:"
    place += f"{fault['line']}:" if fault["line"] else ""
    return place + (f" {fault['column']}:" if fault["column"] else "")


def _print_tables(result: dict[str, Any], *, dry_run: bool) -> None:
    verb = "would be " if dry_run else ""
    for name, counts in result["tables"].items():
        click.echo(
            f"{name:<18} {counts['added']} {verb}added, {counts['changed']} {verb}changed, "
            f"{counts['unchanged']} unchanged"
        )
    diff = result.get("diff")
    if diff:
        _print_diff(diff)


def _print_diff(diff: dict[str, Any]) -> None:
    for row in diff["rows"]:
        click.echo(" ".join(f"{name}={value}" for name, value in row.items()))
    if diff["total"] > len(diff["rows"]):
        click.echo(f"… and {diff['total'] - len(diff['rows'])} more")
    orders = ", ".join(diff["open_orders"])
    click.echo(f"Open orders touched: {orders or 'none'}")

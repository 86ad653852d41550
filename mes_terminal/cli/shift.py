"""`shift`: what a shift leaves behind, its sign-off, line stops and calls for material."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.pin_entry import ask_pin
from mes_terminal.cli.scan import safe_code
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.cli.table import print_rows
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from mes_terminal.domain.shift_report import ShiftReport

ROWS_MAX: Final = 100
SHIFTS: Final = ("id", "shift", "production_day", "began_at", "ended_at", "person_name")
STOPS: Final = ("id", "reason", "minutes", "work_order", "person_name", "stopped_at", "ended_at")
CALLS: Final = (
    "id", "item", "work_order", "location", "times", "person_name", "called_at", "ended_at",
    "ended_by",
)  # fmt: skip

_limit = click.option(
    "--limit", type=click.IntRange(1), default=ROWS_MAX, show_default=True, help="Rows at most."
)
_after = click.option("--after", metavar="ID", type=click.IntRange(1), help="Older than this one.")
_print = click.option(
    "--print", "file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write the report: .pdf or .txt.",
)  # fmt: skip
_as = click.option("--as", "badge", metavar="BADGE", required=True, help="The supervisor.")


@click.group(invoke_without_command=True)
@click.pass_context
def shift(context: click.Context) -> None:
    """What is open now, and the sign-off that ends the shift.

    Alone it says what a sign-off would end now.

    \b
    Examples:
      mes-terminal shift
      mes-terminal shift end --as SUP-1 --hand-over SUP-2 --print shift.pdf
      mes-terminal shift stops --json
    """
    if context.invoked_subcommand is None:
        _show_now(context.ensure_object(Session))


@shift.command()
@_as
@click.option(
    "--hand-over",
    metavar="BADGE",
    help="Who takes over what is open and nobody's by name, or yours.",
)
@_print
@pass_session
def end(session: Session, badge: str, hand_over: str | None, file: Path | None) -> None:
    """Sign the shift off; the PIN comes on standard input.

    Zero open, or each open exception is some person's by name: it was assigned, or --hand-over
    gives it to somebody, and your own too.

    \b
    Example: mes-terminal shift end --as SUP-1 --hand-over SUP-2
    """
    from mes_terminal.station.shift_requests import EndShiftOrder

    _check(file)
    order = EndShiftOrder(badge=badge, pin=ask_pin(badge), hand_over=hand_over)
    with session.existing_desk() as desk:
        report = desk.end_shift(order)
    _tell(session, report, file)


@shift.command("list")
@_after
@_limit
@pass_session
def list_(session: Session, after: int | None, limit: int) -> None:
    """The shifts that were signed off, the newest first.

    \b
    Example: mes-terminal shift list --json
    """
    print_rows(session.rows("shifts", _page(after, limit)), SHIFTS, as_json=session.as_json)


@shift.command("report")
@click.argument("number", metavar="ID", type=click.IntRange(1))
@_print
@pass_session
def report_(session: Session, number: int, file: Path | None) -> None:
    """The report of a shift that was signed off, once more.

    \b
    Example: mes-terminal shift report 12 --print shift.pdf
    """
    from mes_terminal.domain.shift_report import ShiftReport

    _check(file)
    found = list(session.rows("shifts", {"id": str(number)}))
    if not found:
        raise InputError(f"There is no shift {number}. See: mes-terminal shift list.")
    _tell(session, msgspec.json.decode(found[0], type=ShiftReport), file)


@shift.command()
@_after
@_limit
@pass_session
def stops(session: Session, after: int | None, limit: int) -> None:
    """Line stops, the newest first: why, and for how long.

    \b
    Example: mes-terminal shift stops --limit 20
    """
    print_rows(session.rows("line_stops", _page(after, limit)), STOPS, as_json=session.as_json)


@shift.command()
@click.option("--open", "only_open", is_flag=True, help="Only what nobody has brought yet.")
@_after
@_limit
@pass_session
def calls(session: Session, only_open: bool, after: int | None, limit: int) -> None:
    """Calls for material, the newest first.

    \b
    Example: mes-terminal shift calls --open
    """
    filters = _page(after, limit) | ({"open": "1"} if only_open else {})
    print_rows(session.rows("material_calls", filters), CALLS, as_json=session.as_json)


@shift.command()
@click.argument("number", metavar="ID", type=click.IntRange(1))
@_as
@pass_session
def acknowledge(session: Session, number: int, badge: str) -> None:
    """End a call for material that is seen to; the PIN comes on standard input.

    \b
    Example: mes-terminal shift acknowledge 3 --as SUP-1
    """
    from mes_terminal.station.shift_requests import EndCallOrder

    order = EndCallOrder(id=number, badge=badge, pin=ask_pin(badge))
    with session.existing_desk() as desk:
        desk.end_call(order)
    click.echo(f"Call {number} is acknowledged.")


def _page(after: int | None, limit: int) -> dict[str, str]:
    return {"limit": str(limit)} | ({"after": str(after)} if after is not None else {})


def _show_now(session: Session) -> None:
    from mes_terminal.domain.shift_report import ShiftNow, open_in_words

    (row,) = session.rows("shift_now")
    if session.as_json:
        sys.stdout.buffer.write(row + b"\n")
        sys.stdout.buffer.flush()
        return
    now = msgspec.json.decode(row, type=ShiftNow)
    name = f"Shift {now.shift} of {now.production_day}" if now.shift else "No shift"
    for line in (
        now.blocked or f"{name}, since {now.began_at}.",
        f"Open: {open_in_words(now.open)}.",
        f"Reports: {now.totals.reports}, taken back {now.totals.taken_back}. "
        f"Exceptions: opened {now.totals.opened}, ended {now.totals.ended}.",
        *(f"  {each.item}: {each.good} {each.uom} good, {each.scrapped} scrapped"
          for each in now.totals.items),
        *(f"  {each.reason}: the line stood {each.minutes} min" for each in now.totals.stops),
    ):  # fmt: skip
        click.echo(safe_code(line))


def _check(file: Path | None) -> None:
    """Refuse a form of file that is none, before anything is done."""
    if file is not None and file.suffix not in (".pdf", ".txt"):
        raise InputError(f"{file} is no form that is known. Name a file .pdf or .txt.")


def _tell(session: Session, report: ShiftReport, file: Path | None) -> None:
    from mes_terminal.printing.shift_report import report_text

    if session.as_json:
        sys.stdout.buffer.write(json_line(report) + b"\n")
        sys.stdout.buffer.flush()
    lines = [safe_code(line) for line in report_text(report, session.rules.zone)]
    if file is not None:
        _write(session, report, lines, file)
    if not session.as_json:
        click.echo("\n".join(lines))


def _write(session: Session, report: ShiftReport, lines: list[str], file: Path) -> None:
    """Write the report. Raises `InputError`: the shift is signed off all the same."""
    if file.suffix == ".txt":
        data = ("\n".join(lines) + "\n").encode()
    else:
        from mes_terminal.printing.render import render
        from mes_terminal.printing.shift_report import report_sheets

        (data,) = render(report_sheets(report, session.rules.zone), "pdf")
    try:
        file.write_bytes(data)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written: {error.strerror}. Print it with: mes-terminal shift report "
            f"{report.id} --print FILE."
        ) from error

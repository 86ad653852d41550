"""`report`: what the station has to say in writing. `validation`: what is wrong or doubtful."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from mes_terminal.usecases.validate_plant import Finding


@click.group()
def report() -> None:
    """Reports in writing.

    \b
    Example: mes-terminal report validation
    """


@report.command()
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write it there.")  # fmt: skip
@pass_session
def validation(session: Session, out: Path | None) -> int:
    """What is wrong or doubtful in master data and stock, and how to mend it.

    Exits 1 if something of it stops work. It only reads.

    \b
    Examples:
      mes-terminal report validation
      mes-terminal report validation --json --out validation.json
    """
    from mes_terminal.station.clock import utc_now
    from mes_terminal.usecases.validate_plant import Finding, report_text

    found = [msgspec.json.decode(row, type=Finding) for row in session.rows("validation")]
    content = (
        msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
        if session.as_json
        else report_text(found, rules=session.rules, now=utc_now()).encode()
    )
    _write(content, out)
    return int(any(map(_stops, found)))


def _stops(finding: Finding) -> bool:
    return finding.severity == "stop"


def _write(content: bytes, out: Path | None) -> None:
    if out is None:
        click.echo(content, nl=False)
        return
    from mes_terminal.store.whole_file import write_whole

    try:
        write_whole(out, content)
    except OSError as error:
        raise InputError(f"{out} cannot be written: {error.strerror}.") from error
    click.echo(str(out))

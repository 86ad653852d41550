"""`doctor`: everything that can be checked, one line each; exit 1 if anything is wrong. Thin."""

import click
import msgspec
from msgspec import Struct

from mes_terminal.cli.session import Session, pass_session
from mes_terminal.tui.safe_text import safe

DETAIL_MAX_COLUMNS = 400
"""A finding is one sentence; a longer one is cut for people, whole in `--json`."""


class _Finding(Struct):
    check: str
    ok: bool
    detail: str


@click.command()
@pass_session
@click.pass_context
def doctor(context: click.Context, session: Session) -> None:
    """Prove the ledger, the log and the database, and look at disk and clock.

    Ends with 1 if anything needs attention.

    \b
    Examples:
      mes-terminal doctor
      mes-terminal doctor --json
    """
    sound = True
    for line in session.checks():
        found = msgspec.json.decode(line, type=_Finding)
        sound &= found.ok
        if session.as_json:
            click.echo(line)
        else:
            mark = "ok  " if found.ok else "FAIL"
            click.echo(f"{mark}  {found.check:<13} {safe(found.detail, DETAIL_MAX_COLUMNS)}")
    if not sound:
        context.exit(1)

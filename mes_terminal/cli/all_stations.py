"""`exceptions --all-stations`: what is open at any station, as the site has it.

Through the core that runs, else this process asks the site itself. Where the site is away, the
exceptions of this station are printed, why is said on standard error, and the exit code is 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from mes_terminal.cli.scan import safe_code
from mes_terminal.cli.session import Session, print_json_array
from mes_terminal.cli.table import print_rows
from mes_terminal.domain.delivery import EXCEPTIONS_MAX
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

ATTENTION: Final = 1
COLUMNS: Final = (
    "station", "id", "kind", "work_order", "line", "item", "lot", "quantity", "opened_at", "cause",
)  # fmt: skip
_NOT_WITH: Final = {"status": "--status", "since": "--since"}


def show_all_stations(session: Session, filters: Mapping[str, Any]) -> int:
    """Print the open exceptions of all stations; return the exit code. Raises `InputError`."""
    for name, option in _NOT_WITH.items():
        if filters.get(name) is not None:
            raise InputError(f"{option} does not go with --all-stations, which lists what is open.")
    if session.on_training_copy:
        raise InputError("A training copy has no site.", reason="training")
    asked = {
        name: str(value)
        for name, value in filters.items()
        if name not in (*_NOT_WITH, "open") and value is not None
    }
    rows, trouble, more = session.site_exceptions(asked)
    if session.as_json:
        print_json_array(rows)
    else:
        print_rows(iter(rows), COLUMNS, as_json=False)
    if more:
        click.echo(
            f"Only the first {EXCEPTIONS_MAX} are listed. All: mes-terminal site exceptions.",
            err=True,
        )
    if trouble is not None:
        click.echo(safe_code(trouble), err=True)
    return ATTENTION if trouble is not None else 0

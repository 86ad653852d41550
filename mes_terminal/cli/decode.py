"""`decode`: what a code means and which rule read it; nothing is recorded. Thin.

Works without a database, which then knows nothing.
"""

import os
from pathlib import Path

import click
import msgspec

from mes_terminal.barcodes.decode import decode as decode_code
from mes_terminal.barcodes.decode import describe, left_to_database
from mes_terminal.barcodes.payload import Payload
from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.domain.intent import Meaning
from mes_terminal.domain.scan import CODE_MAX_BYTES
from mes_terminal.tui.safe_text import safe

TEXT_MAX_COLUMNS = 200
"""A code is cut here for people; `--json` has it whole."""


@click.command()
@click.argument("codes", nargs=-1, metavar="CODE…")
@click.option(
    "--vectors",
    type=click.Path(path_type=Path),
    help="Run the inputs of a file through the whole pipeline; 1 if one differs.",
)
@pass_session
def decode(session: Session, codes: tuple[str, ...], vectors: Path | None) -> int:
    """Say what each CODE means and which rule reads it.

    \b
    Examples:
      mes-terminal decode WO-1001 'LEG|L-77'
      mes-terminal decode --json %UNDO
      mes-terminal decode --vectors tests/data/scan-vectors.json
    """
    if vectors is not None:
        return _run_vectors(session, vectors)
    if not codes:
        raise click.UsageError("Give a CODE, or --vectors FILE.")
    for code in codes:
        raw = os.fsencode(code)
        truncated = len(raw) > CODE_MAX_BYTES
        payload = decode_code(raw[:CODE_MAX_BYTES], session.rules.codes, truncated=truncated)
        found = describe(payload, _known(session, raw, payload)) | {
            "code": raw.decode("utf-8", "replace")
        }
        if session.as_json:
            click.echo(json_line(found))
        else:
            click.echo(_sentence(payload, found["rule"], found["meanings"]))
    return 0


def _run_vectors(session: Session, path: Path) -> int:
    """Print a line for each vector; 1 if one did not become what it must."""
    from mes_terminal.cli.vectors import read_vectors, run_vector

    code = 0
    for vector in read_vectors(path):
        result = run_vector(vector, session.settings)
        click.echo(json_line(result))
        code = code if result["pass"] else 1
    return code


def _known(session: Session, raw: bytes, payload: Payload) -> list[Meaning]:
    """What the database knows, where it is to be asked."""
    if not left_to_database(payload):
        return []
    return [msgspec.json.decode(row, type=Meaning) for row in session.meanings(raw)]


def _sentence(payload: Payload, rule: str | None, meanings: list[dict[str, str]]) -> str:
    """One line for people."""
    if payload.kind == "reject":
        said = f"refused: {payload.reason}"
    elif payload.kind == "command":
        said = f"command {payload.name} {payload.argument}".rstrip()
    elif payload.fields is not None and not meanings:
        said = f"{payload.kind} {msgspec.json.encode(payload.fields).decode()}"
    elif meanings:
        said = " or ".join(f"{meaning['kind']} {meaning['key']}" for meaning in meanings)
    else:
        said = "nothing that is known here"
    shown = f"{payload.text}: {said}" + (f" ({rule})" if rule else "")
    return safe(shown, TEXT_MAX_COLUMNS)

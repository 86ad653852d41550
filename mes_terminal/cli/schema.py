"""`schema`: the JSON Schemas of all postings (draft 2020-12). Thin; needs no database."""

from pathlib import Path
from typing import Any, Final

import click
import msgspec

from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.domain.posting import full_type, short_type
from mes_terminal.errors import InputError
from mes_terminal.exchange.posting_schemas import (
    POSTINGS,
    posting_schema,
)
from mes_terminal.tui.safe_text import safe

TYPE_COLUMNS: Final = max(map(len, POSTINGS))
TYPE_SHOWN: Final = 64
"""Columns of an unknown type that its error repeats."""


@click.command()
@click.argument("kind", required=False, metavar="[TYPE]")
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Write one file a type into FOLDER.",
)
@pass_session
def schema(session: Session, kind: str | None, folder: Path | None) -> None:
    """Say what goes upstream: the types of postings, and the JSON Schema of each.

    Without TYPE a table of all types; with --json one object, the schemas by type.

    \b
    Examples:
      mes-terminal schema
      mes-terminal schema production.completed
      mes-terminal schema --json
      mes-terminal schema --to schemas
    """
    kinds = list(POSTINGS) if kind is None else [_known(kind)]
    schemas = {each: posting_schema(each) for each in kinds}
    if folder is not None:
        _write(folder, schemas, as_json=session.as_json)
    elif session.as_json:
        click.echo(json_line({full_type(each): schemas[each] for each in kinds}))
    elif kind is not None:
        click.echo(_pretty(schemas[kinds[0]]))
    else:
        for each in kinds:
            click.echo(f"{each:<{TYPE_COLUMNS}}  {POSTINGS[each].said}")


def _known(kind: str) -> str:
    short = short_type(kind)
    if short not in POSTINGS:
        raise InputError(
            f"{safe(kind, TYPE_SHOWN)} is no type of posting. See: mes-terminal schema."
        )
    return short


def _write(folder: Path, schemas: dict[str, Any], *, as_json: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    written: dict[str, str] = {}
    for kind, each in schemas.items():
        path = folder / f"{full_type(kind)}.schema.json"
        path.write_bytes(_pretty(each) + b"\n")
        written[full_type(kind)] = str(path)
    if as_json:
        click.echo(json_line(written))
    else:
        click.echo(f"{len(written)} schemas written to {safe(str(folder), 200)}")


def _pretty(value: Any) -> bytes:
    return msgspec.json.format(msgspec.json.encode(value), indent=2)

"""CSV files for an ERP's import, made of postings as a template says (docs/upstream.md). Pure.

A template is TOML: each `[[file]]` names the types of postings it takes, whether a row is a posting
or one of its materials, and its columns in order, each from a field or a constant, with the ERP's
own words and formats. The same postings and template give the same bytes.
"""

from __future__ import annotations

import tomllib
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct

from mes_terminal.domain.posting import short_type
from mes_terminal.errors import InputError
from mes_terminal.exchange.csv_line import csv_line
from mes_terminal.exchange.posting_schemas import POSTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COLUMNS_MAX: Final = 200
"""More than any import takes."""
_MATERIAL: Final = (
    "use", "item", "lot", "serial", "quantity", "uom", "location", "from_location", "order_line",
    "erp_ref", "how", "certainty",
)  # fmt: skip
_POSTING: Final = (
    "id", "source", "epoch", "sequence", "type", "subject", "time", "recordedtime", "person",
    "report_id", "scan_id", "work_order", "operation", "final", "station", "event_time",
    "reverses", "reason", "reference", "scrapped_quantity", "row",
)  # fmt: skip

_INSTANTS: Final = ("time", "recordedtime", "event_time")


class Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the template: only the keys named below it are allowed."""


class Column(Table, frozen=True):
    """A column: its heading, and where its cells come from. `words` are the ERP's own words for a
    value; `sign`: what a negative quantity looks like."""

    heading: str
    field: str | None = None
    constant: str | None = None
    words: dict[str, str] = {}
    decimal: Literal[".", ","] = "."
    date: str | None = None
    """A format of `strftime`, for instants."""
    sign: Literal["leading", "trailing", "none"] = "leading"
    width: Annotated[int, Meta(ge=1, le=200)] | None = None
    """Filled up with zeros on the left."""


class FileTemplate(Table, frozen=True):
    """One file of a template. `uses` leaves out the materials of other uses."""

    name: Annotated[str, Meta(pattern=r"\A[A-Za-z0-9_-]+\Z")]
    types: tuple[str, ...]
    columns: tuple[Column, ...]
    rows: Literal["material", "posting"] = "material"
    uses: tuple[str, ...] = ()
    delimiter: Literal[",", ";", "\t", "|"] = ";"
    encoding: Literal["utf-8", "utf-8-sig", "cp1252", "latin-1"] = "utf-8"
    headings: bool = True
    line_end: Literal["\r\n", "\n"] = "\r\n"


class Template(Table, frozen=True):
    """All files of a template."""

    file: tuple[FileTemplate, ...]


def parse_template(content: bytes, where: str) -> Template:
    """Return the template. Raises `InputError` that names the place and the mend."""
    try:
        template = msgspec.convert(tomllib.loads(content.decode("utf-8-sig")), Template)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise _fault(f"{where}: is no valid TOML: {error}. Mend that line.") from error
    except msgspec.ValidationError as error:
        raise _fault(f"{where}: {error}. Mend it; see docs/upstream.md.") from error
    for number, file in enumerate(template.file, 1):
        _check(file, f"{where}: [[file]] {number} ({file.name})")
    names = [file.name for file in template.file]
    if len(set(names)) < len(names):
        raise _fault(f"{where}: two files have the same name. Rename one.")
    return template


def render(template: Template, bodies: Sequence[bytes], stem: str) -> dict[str, bytes]:
    """Return the files that these postings make, by name; a file without a row is left out."""
    postings = [msgspec.json.decode(body) for body in bodies]
    made = {}
    for file in template.file:
        rows = [
            [_cell(column, row) for column in file.columns]
            for posting in postings
            for row in _rows(file, posting)
        ]
        if rows:
            made[f"{stem}-{file.name}.csv"] = _csv(file, rows)
    return made


def _check(file: FileTemplate, where: str) -> None:
    if not 0 < len(file.columns) <= COLUMNS_MAX:
        raise _fault(f"{where}: name 1 to {COLUMNS_MAX} columns.")
    for name in file.types:
        if name not in POSTINGS:
            raise _fault(f"{where}: {name!r} is no type of posting. Known: {', '.join(POSTINGS)}.")
    known = _POSTING if file.rows == "posting" else (*_POSTING, *_MATERIAL)
    for column in file.columns:
        if (column.field is None) == (column.constant is None):
            raise _fault(f"{where}: {column.heading}: say either field or constant.")
        if column.field is not None and column.field not in known:
            raise _fault(
                f"{where}: {column.heading}: {column.field!r} is no field. Known: "
                f"{', '.join(known)}."
            )
        if column.date is not None and column.field not in _INSTANTS:
            raise _fault(
                f"{where}: {column.heading}: date goes with an instant: {', '.join(_INSTANTS)}."
            )


def _fault(sentence: str) -> InputError:
    return InputError(sentence, reason="template")


def _rows(file: FileTemplate, posting: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield what the rows of a posting are made of."""
    kind = short_type(posting["type"])
    if kind not in file.types:
        return
    data = posting["data"]
    told = {**data, **{name: posting[name] for name in posting if name != "data"}, "type": kind}
    if file.rows == "posting":
        yield told | {"row": "1"}
        return
    for number, material in enumerate(data.get("material_actuals", ()), 1):
        if not file.uses or material["use"] in file.uses:
            yield told | material | {"row": str(number)}


def _cell(column: Column, row: Mapping[str, Any]) -> str:
    if column.constant is not None:
        return column.constant
    value = row.get(column.field or "")
    if value is None:
        return column.words.get("", "")
    text = str(value).lower() if isinstance(value, bool) else str(value)
    if text in column.words:
        return column.words[text]
    if column.field in ("quantity", "scrapped_quantity"):
        text = _number(text, column)
    elif column.date is not None:
        text = datetime.fromisoformat(text).strftime(column.date)
    return text if column.width is None else text.zfill(column.width)


def _number(text: str, column: Column) -> str:
    digits = text.removeprefix("-").replace(".", column.decimal)
    if not text.startswith("-") or column.sign == "none":
        return digits
    return f"{digits}-" if column.sign == "trailing" else f"-{digits}"


def _csv(file: FileTemplate, rows: Sequence[Sequence[str]]) -> bytes:
    headings = [[column.heading for column in file.columns]] if file.headings else []
    lines = (csv_line(row, file.delimiter) + file.line_end for row in (*headings, *rows))
    return "".join(lines).encode(file.encoding, "replace")

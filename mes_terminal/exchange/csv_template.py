"""CSV files for an ERP's import, made of postings as a template says (docs/upstream.md). Pure.

A template is TOML: each `[[file]]` names the types of postings it takes, whether a row is a posting
or one of its materials, and its columns in order, each from a field or a constant, with the ERP's
own words and formats. The same postings and template give the same bytes.
"""

from __future__ import annotations

import difflib
import tomllib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Meta, Struct

from mes_terminal.domain.posting import short_type
from mes_terminal.domain.posting_texts import UseWord  # noqa: TC001  read with the template
from mes_terminal.errors import InputError
from mes_terminal.exchange.cells import is_zone
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
_ANY_DAY: Final = datetime(2026, 11, 20, 13, 5, tzinfo=UTC)
"""What a format of dates is tried on."""


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
    uses: tuple[UseWord, ...] = ()
    delimiter: Literal[",", ";", "\t", "|"] = ";"
    encoding: Literal["utf-8", "utf-8-sig", "cp1252", "latin-1"] = "utf-8"
    headings: bool = True
    zone: str = "UTC"
    """Where the days and times of instants are told."""
    line_end: Literal["\r\n", "\n"] = "\r\n"


class Template(Table, frozen=True):
    """All files of a template."""

    file: tuple[FileTemplate, ...]


def parse_template(content: bytes, where: str) -> Template:
    """Return the template. Raises `InputError` that names the place and the mend."""
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # also broken UTF-8
        raise _fault(f"{where}: is no valid TOML: {error}. Mend that line.") from error
    try:
        template = msgspec.convert(raw, Template)
    except msgspec.ValidationError as error:
        raise _fault(f"{where}: {error}. Mend it; see docs/upstream.md.") from error
    if not template.file:
        raise _fault(f"{where}: makes no file. Add a [[file]], or leave the template out.")
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
        zone = ZoneInfo(file.zone)
        rows = [
            [_cell(column, row, zone) for column in file.columns]
            for posting in postings
            for row in _rows(file, posting)
        ]
        if rows:
            made[f"{stem}-{file.name}.csv"] = _csv(file, rows)
    return made


def _check(file: FileTemplate, where: str) -> None:
    """Raise for what would never make a row, or could not make one when a posting is there."""
    if not 0 < len(file.columns) <= COLUMNS_MAX:
        raise _fault(f"{where}: name 1 to {COLUMNS_MAX} columns.")
    if not file.types:
        raise _fault(f"{where}: names no types of postings. Name at least one.")
    for kind in file.types:
        if kind not in POSTINGS:
            raise _fault(f"{where}: {kind[:60]!r} is no type of posting. {_nearest(kind)}")
    if file.rows == "posting" and file.uses:
        raise _fault(f"{where}: uses are of materials, and a row is a posting. Leave uses out.")
    if not is_zone(file.zone):
        raise _fault(f"{where}: {file.zone!r} is no time zone. Write it like Europe/Berlin.")
    known = _POSTING if file.rows == "posting" else (*_POSTING, *_MATERIAL)
    for column in file.columns:
        _check_column(column, known, f"{where}: {column.heading}")


def _check_column(column: Column, known: Sequence[str], where: str) -> None:
    if (column.field is None) == (column.constant is None):
        raise _fault(f"{where}: say either field or constant.")
    if column.field is not None and column.field not in known:
        raise _fault(f"{where}: {column.field!r} is no field. Known: {', '.join(known)}.")
    if column.date is None:
        return
    if column.field not in _INSTANTS:
        raise _fault(f"{where}: date is for {', '.join(_INSTANTS)}. Leave it out.")
    try:
        told = _ANY_DAY.strftime(column.date)
    except ValueError:
        told = ""
    if not told.strip():
        raise _fault(f"{where}: {column.date!r} is no format of dates. Write it like %d.%m.%Y.")


def _nearest(kind: str) -> str:
    close = difflib.get_close_matches(short_type(kind), list(POSTINGS), n=1)
    return f"Did you mean {close[0]}?" if close else f"Known: {', '.join(POSTINGS)}."


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


def _cell(column: Column, row: Mapping[str, Any], zone: ZoneInfo) -> str:
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
        text = datetime.fromisoformat(text).astimezone(zone).strftime(column.date)
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

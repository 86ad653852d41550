"""Templates from TOML, with a clear sentence for every mistake.

A plant's file has one table for each kind of label that it changes; a key that it leaves out is as
in the built-in template of that kind, and so is every kind that it leaves out. A template is tried
with an ordinary label when it is read, so that what cannot be printed is refused at once.
"""

import difflib
import math
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import msgspec
from msgspec import Struct

from mes_terminal.domain.said_value import said_value
from mes_terminal.errors import InputError
from mes_terminal.printing.contents import CARRIERS, SAMPLES
from mes_terminal.printing.layout import LayoutError, check_room, lay_out
from mes_terminal.printing.pages import TRAVELLER_FIELDS, check_pages
from mes_terminal.printing.templates import (
    CardTemplate,
    LabelTemplate,
    Row,
    Template,
    Templates,
    TravellerTemplate,
    parts,
)

TEMPLATE_MAX_BYTES: Final = 1 << 18
"""More than any plant writes by hand; a larger file is no template."""
BUILT_IN: Final = "templates.toml"
KINDS: Final[Mapping[str, type[Template]]] = {
    **dict.fromkeys(SAMPLES, LabelTemplate),
    "traveller": TravellerTemplate,
    "command-card": CardTemplate,
}
WORD_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "traveller.words.title": frozenset({"work_order"}),
    "traveller.words.more": frozenset({"count"}),
    "command-card.words.reasons": frozenset({"command"}),
}
"""Fields of words, where they have any."""


@cache
def built_in() -> Templates:
    """Return the templates that are used where a plant has none of its own."""
    return _templates(tomllib.loads(built_in_text()), {})


@cache
def built_in_text() -> str:
    """Return the file of the built-in templates."""
    place = resources.files("mes_terminal.printing").joinpath(BUILT_IN)
    return place.read_text(encoding="utf-8")


def built_in_table(kind: str) -> str:
    """Return the lines of one kind in the file of the built-in templates."""
    lines = built_in_text().splitlines()
    first = lines.index(f"[{kind}]")
    ends = (n for n, line in enumerate(lines) if n > first and line.startswith("["))
    last = next((n for n in ends if not lines[n].startswith(f"[{kind}.")), len(lines))
    return "\n".join(lines[first:last]).rstrip() + "\n"


def read_templates(file: Path) -> Templates:
    """Return the built-in templates with those of a file in their places.

    Raises `InputError` with file, table and key.
    """
    raw = _read(file)
    for kind, table in raw.items():
        if kind not in KINDS:
            raise _fault(f"{file}: {_plain(kind)} is no kind of label. {_nearest(kind, KINDS)}")
        _check(table, KINDS[kind], kind, f"{file}: ")
    templates = _templates(
        _merged(tomllib.loads(built_in_text()), raw), dict.fromkeys(raw, str(file))
    )
    for kind in raw:
        _check_fields(templates, kind, f"{file}: ")
        _try(templates, kind, f"{file}: ")
    return templates


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.exists() and not file.is_file():
            raise _fault(f"{file}: is no file of templates. Name a TOML file.")
        with file.open("rb") as stream:
            content = stream.read(TEMPLATE_MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise _fault(
            f"{file}: cannot be read ({why}). Name a file of label templates; "
            "mes-terminal labels --show-template prints one."
        ) from error
    if len(content) > TEMPLATE_MAX_BYTES:
        raise _fault(f"{file}: is too large for label templates. Name another file.")
    try:
        return tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # broken TOML or UTF-8, a number without end
        told = " ".join(str(error).split())[:200]
        raise _fault(f"{file}: is no valid TOML: {told}. Mend that line.") from error


def _merged(base: dict[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Return tables with a plant's keys in their places; lists are replaced whole."""
    for key, value in own.items():
        inner = base.get(key)
        base[key] = _merged(inner, value) if isinstance(inner, dict) else value
    return base


def _templates(raw: dict[str, Any], sources: dict[str, str]) -> Templates:
    for table in raw.values():
        symbology = table["code"]["symbology"]
        table["code"]["symbology"] = [symbology] if isinstance(symbology, str) else symbology
    return Templates(
        labels={kind: msgspec.convert(raw[kind], LabelTemplate) for kind in SAMPLES},
        traveller=msgspec.convert(raw["traveller"], TravellerTemplate),
        card=msgspec.convert(raw["command-card"], CardTemplate),
        sources=sources,
    )


def _check(raw: Any, expected: Any, path: str, where: str) -> None:
    """Raise `InputError` at the first key that is unknown or has a wrong value."""
    expected = _when_there(expected)
    if isinstance(expected, type) and issubclass(expected, Struct):
        if not isinstance(raw, dict):
            raise _fault(f"{where}{path} is {said_value(raw)}. It must be a table.")
        fields = {field.name: field.type for field in msgspec.structs.fields(expected)}
        for key, value in raw.items():
            if key not in fields:
                raise _fault(f"{where}{path}.{_plain(key)} is no key. {_nearest(key, fields)}")
            _check(value, fields[key], f"{path}.{key}", where)
        if expected is Row and ("text" in raw) == ("facts" in raw):
            raise _fault(f"{where}{path} must have either text or facts.")
        if expected.__name__ == "Fact" and "text" not in raw:
            raise _fault(f'{where}{path} has no text. Write it as {{ text = "{{item}}" }}.')
        return
    meta, inner = _described(expected)
    if get_origin(inner) is tuple:
        _check_list(raw, inner, meta, path, where)
        return
    try:
        value = msgspec.convert(raw, expected)
    except (msgspec.ValidationError, OverflowError):
        value = None
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        raise _fault(f"{where}{path} is {said_value(raw)}. It must be {_wanted(expected)}.")


def _check_list(raw: Any, kind: Any, meta: msgspec.Meta | None, path: str, where: str) -> None:
    (one, _) = get_args(kind)
    if path.endswith("code.symbology") and isinstance(raw, str):
        raw = [raw]
    if not isinstance(raw, list):
        raise _fault(f"{where}{path} is {said_value(raw)}. It must be a list.")
    low, high = (meta.min_length or 0, meta.max_length or 0) if meta is not None else (0, 0)
    if not low <= len(raw) <= high:
        raise _fault(f"{where}{path} has {len(raw)} entries. It must have from {low} to {high}.")
    for number, value in enumerate(raw, 1):
        name = path if path.endswith("symbology") else f"{path}[{number}]"
        _check(value, one, name, where)


def _check_fields(templates: Templates, kind: str, where: str) -> None:
    """Raise `InputError` for a placeholder that the kind does not have."""
    for path, text, known in _texts(templates, kind):
        try:
            named = [field for _, field in parts(text) if field is not None]
        except ValueError as error:
            raise _fault(
                f"{where}{path} is {said_value(text)}: {error}. Write a field as {{item}}, and a "
                "bracket twice."
            ) from error
        for field in named:
            if field not in known:
                name = _plain(field) if field else ""
                raise _fault(
                    f"{where}{path} names {{{name}}}, which is no field of it. "
                    f"{_nearest(field, known) if known else 'It has none.'}"
                )


def _texts(templates: Templates, kind: str) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yield where each text of a template stands, the text, and the fields it may name."""
    template = _template(templates, kind)
    if isinstance(template, LabelTemplate):
        known = frozenset(SAMPLES[kind].fields) | {"code"}
        foot = known
    else:
        known = frozenset(TRAVELLER_FIELDS)
        foot = frozenset({"title", "place"})
        for name in template.words.__struct_fields__:
            path = f"{kind}.words.{name}"
            yield path, getattr(template.words, name), WORD_FIELDS.get(path, frozenset())
    yield f"{kind}.foot.left", template.foot.left, foot
    yield f"{kind}.foot.right", template.foot.right, foot
    for number, row in enumerate(() if isinstance(template, CardTemplate) else template.rows, 1):
        path = f"{kind}.rows[{number}]"
        if row.text is not None:
            yield f"{path}.text", row.text, known
        for at, fact in enumerate(row.facts or (), 1):
            yield f"{path}.facts[{at}].caption", fact.caption, known
            yield f"{path}.facts[{at}].text", fact.text, known


def _try(templates: Templates, kind: str, where: str) -> None:
    """Raise `InputError` where not even an ordinary label can be printed."""
    template = _template(templates, kind)
    for symbology in template.code.symbology:
        if symbology not in CARRIERS[kind]:
            raise _fault(
                f"{where}{kind}.code.symbology: {symbology} cannot carry the code of {kind}. "
                f"Use one of {', '.join(CARRIERS[kind])}."
            )
        only = msgspec.structs.replace(template.code, symbology=(symbology,))
        tried = msgspec.structs.replace(template, code=only)
        try:
            if isinstance(tried, LabelTemplate):
                check_room(tried)
                lay_out(SAMPLES[kind], tried, f"{where}{kind}.")
            else:
                check_pages(tried)
        except LayoutError as error:
            raise _fault(f"{where}{kind}.{error.key}: {error.sentence}") from error


def _template(templates: Templates, kind: str) -> Template:
    if kind == "traveller":
        return templates.traveller
    return templates.card if kind == "command-card" else templates.labels[kind]


def _fault(sentence: str) -> InputError:
    return InputError(sentence, reason="label")


def _when_there(expected: Any) -> Any:
    """Return what an optional type is when it is there; every other type as it is."""
    inner = [part for part in get_args(expected) if part is not type(None)]
    return inner[0] if type(None) in get_args(expected) and len(inner) == 1 else expected


def _described(expected: Any) -> tuple[msgspec.Meta | None, Any]:
    """Return the limits of an annotated type and the type within."""
    found = getattr(expected, "__metadata__", (None,))[0]
    return found, get_args(expected)[0] if found is not None else expected


def _wanted(expected: Any) -> str:
    meta, inner = _described(expected)
    if meta is not None and meta.description:
        return meta.description
    return "one of " + ", ".join(str(value) for value in get_args(inner))


def _nearest(key: str, known: Any) -> str:
    close = difflib.get_close_matches(str(key).lower(), list(known), n=1)
    return f"Did you mean {close[0]}?" if close else f"Known here: {', '.join(sorted(known))}."


def _plain(key: str) -> str:
    """Return a name for a sentence: one line of it, cut."""
    return key[:40] if key and key.isprintable() else ascii(key[:40])

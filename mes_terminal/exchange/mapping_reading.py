"""The text of `mapping.toml` to its values, with a clear sentence for every mistake.

A key that is none, or a wrong type, is one fault: the first. What fits no table or cannot work is
told whole. A fault's column is the way to the key. Pure; called by `csv_folder`.
"""

import difflib
import re
import tomllib
import types
from collections.abc import Iterable
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

import msgspec
from msgspec import Struct

from mes_terminal.domain.said_value import said_value
from mes_terminal.exchange.faults import Fault
from mes_terminal.exchange.mapping import MAPPING_FILE, Mapping
from mes_terminal.exchange.mapping_checks import mistakes

MAPPING_MAX_BYTES: Final = 1 << 20
"""More than any plant writes by hand; a larger file is no mapping."""

_LINE: Final = re.compile(r" \(at line (\d+), column \d+\)$")
_WORDS: Final = {str: "text in quotes", int: "a whole number", bool: "true or false"}


class _MistakeError(Exception):
    """The way to a key, and what is wrong with it."""


def read_mapping(content: bytes) -> tuple[Mapping | None, list[Fault]]:
    """Return the mapping, or none and why not."""
    if len(content) > MAPPING_MAX_BYTES:
        return None, [_fault(None, None, "the file is too large for a mapping; name another one")]
    try:
        raw = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [_fault(line, None, "the file is no UTF-8; save it with that encoding")]
    except (ValueError, RecursionError) as error:
        told = " ".join(str(error).split())[:200]
        found = _LINE.search(told)
        there = int(found[1]) if found else None
        return None, [_fault(there, None, f"no valid TOML: {_LINE.sub('', told)}; mend that line")]
    try:
        _check(raw, Mapping, ())
    except _MistakeError as error:
        path, message = error.args
        return None, [_fault(None, path, message)]
    mapping = msgspec.convert(raw, Mapping)
    faults = [_fault(None, path, message) for path, message in mistakes(mapping)]
    return (None, faults) if faults else (mapping, [])


def _fault(line: int | None, column: str | None, message: str) -> Fault:
    return Fault(MAPPING_FILE, line, column, message)


def _check(raw: Any, expected: Any, path: tuple[str, ...]) -> None:
    """Raise `_MistakeError` at the first key that is unknown, missing or of a wrong type."""
    expected = _fitting(raw, expected)
    if isinstance(expected, type) and issubclass(expected, Struct):
        _check_keys(raw, expected, path)
    elif get_origin(expected) is dict and isinstance(raw, dict):
        for key, value in raw.items():
            _check(value, get_args(expected)[1], (*path, key))
    elif _is_list_of_tables(expected) and isinstance(raw, list):
        for number, one in enumerate(raw, 1):
            name = one.get("name") if isinstance(one, dict) else None
            _check(one, get_args(expected)[0], (*path, str(name or f"number {number}")))
    else:
        try:
            msgspec.convert(raw, expected)
        except msgspec.ValidationError:
            message = f"is {said_value(raw)}, and must be {_wanted(expected)}; mend it"
            raise _MistakeError(_told(path), message) from None


def _check_keys(raw: Any, expected: type[Struct], path: tuple[str, ...]) -> None:
    if not isinstance(raw, dict):
        message = f"is {said_value(raw)}, and must be {_wanted(expected)}; mend it"
        raise _MistakeError(_told(path), message)
    fields = _fields(expected)
    for key, value in raw.items():
        if key not in fields:
            raise _MistakeError(
                _told((*path, key)), f"there is no such key; {_nearest(key, fields)}"
            )
        _check(value, fields[key].type, (*path, key))
    for name, field in fields.items():
        if field.required and name not in raw:
            raise _MistakeError(_told((*path, name)), "the key is missing; add it")


@cache
def _fields(kind: type[Struct]) -> dict[str, msgspec.structs.FieldInfo]:
    return {field.encode_name: field for field in msgspec.structs.fields(kind)}


def _fitting(raw: Any, expected: Any) -> Any:
    """Return the part of a union that a value is meant to be."""
    if get_origin(expected) not in (Union, types.UnionType):
        return expected
    parts = [part for part in get_args(expected) if part is not type(None)]
    tables = [part for part in parts if get_origin(part) is dict or _is_struct(part)]
    if isinstance(raw, dict) and tables:
        return tables[0]
    return parts[0] if len(parts) == 1 else expected


def _is_struct(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Struct)


def _is_list_of_tables(kind: Any) -> bool:
    return get_origin(kind) is tuple and _is_struct(get_args(kind)[0])


def _told(path: Iterable[str]) -> str:
    """Return the way to a key as it is written, files and tables by their names."""
    return ".".join(part if part.isprintable() else ascii(part) for part in path)


def _nearest(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key.lower(), list(known), n=1)
    return f"did you mean {close[0]}?" if close else f"known here: {', '.join(sorted(known))}"


def _wanted(expected: Any) -> str:
    """Say in words which values are allowed."""
    origin = get_origin(expected)
    if origin in (Union, types.UnionType):
        parts = (part for part in get_args(expected) if part is not type(None))
        return " or ".join(dict.fromkeys(map(_wanted, parts)))
    if origin is Literal:
        return "one of " + ", ".join(repr(value) for value in get_args(expected))
    if origin is tuple:
        return "tables in double brackets" if _is_list_of_tables(expected) else "a list of texts"
    if origin is dict or _is_struct(expected):
        return "a table"
    if origin is Annotated:
        base, meta = get_args(expected)
        if meta.ge is not None:
            return f"{_WORDS[base]} from {meta.ge} to {meta.le}"
        return f"{_WORDS[base]}, not empty"
    return _WORDS[expected]

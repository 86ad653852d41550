"""JSON Schema (draft 2020-12) of a Struct as it is encoded: every key it writes is required. Pure.

`msgspec.json.schema` describes what a decoder takes, so it lets keys with a default be missing, and
it knows no union of untagged Structs. A reader of postings is told what stands there instead. Keys
that are not known may always follow.
"""

from collections.abc import Mapping, Sequence
from inspect import cleandoc
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin, get_type_hints

from msgspec import Meta, Raw, Struct, UnsetType
from msgspec.structs import fields

_PLAIN: Final[dict[Any, dict[str, Any]]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    bool: {"type": "boolean"},
    type(None): {"type": "null"},
    Any: {},
    Raw: {},
}
_WORDS: Final = {"pattern": "pattern", "min_length": "minLength", "ge": "minimum"}
"""Constraint of msgspec to keyword of JSON Schema."""

Schema = dict[str, Any]


def struct_schema(
    struct: type[Struct], defs: dict[str, Schema], *, instead: Mapping[str, Schema] | None = None
) -> Schema:
    """Return the schema of a Struct; those of Structs within are added to `defs` by name.

    `instead` gives the schema of keys whose type says less than is known.
    """
    hints = get_type_hints(struct, include_extras=True)
    told: dict[str, Schema] = {}
    required: list[str] = []
    for field in fields(struct):
        kind = hints[field.name]
        given = (instead or {}).get(field.name)
        told[field.encode_name] = _schema(kind, defs) if given is None else given
        if UnsetType not in get_args(kind):
            required.append(field.encode_name)
    return {
        "type": "object",
        "description": _first_paragraph(struct),
        "properties": told,
        "required": required,
        "additionalProperties": True,
    }


def reference(struct: type[Struct], defs: dict[str, Schema]) -> Schema:
    """Return the reference to a Struct, whose schema is in `defs` afterwards."""
    name = struct.__name__
    if name not in defs:
        defs[name] = {}  # it may stand within itself
        defs[name] = struct_schema(struct, defs)
    return {"$ref": f"#/$defs/{name}"}


def _schema(kind: Any, defs: dict[str, Schema]) -> Schema:
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if isinstance(kind, type) and issubclass(kind, Struct):
        return reference(kind, defs)
    origin, within = get_origin(kind), get_args(kind)
    if origin is Annotated:
        return _schema(within[0], defs) | _constraints(within[1:])
    if origin is Literal:
        return {"const": within[0]} if len(within) == 1 else {"enum": list(within)}
    if origin in (Union, UnionType):
        return _one_of([each for each in within if each is not UnsetType], defs)
    if origin in (list, Sequence):
        return {"type": "array", "items": _schema(within[0], defs)}
    if origin is dict:
        return {"type": "object", "additionalProperties": _schema(within[1], defs)}
    raise TypeError(f"no schema for {kind!r}")


def _one_of(kinds: Sequence[Any], defs: dict[str, Schema]) -> Schema:
    found = [_schema(each, defs) for each in kinds]
    return found[0] if len(found) == 1 else {"anyOf": found}


def _constraints(said: Sequence[Any]) -> Schema:
    found: Schema = {}
    for meta in said:
        if not isinstance(meta, Meta):
            continue
        for name, keyword in _WORDS.items():
            value = getattr(meta, name)
            if value is not None:
                found[keyword] = value
        if meta.description is not None:
            found["description"] = meta.description
        found |= meta.extra_json_schema or {}
    return found


def _first_paragraph(struct: type[Struct]) -> str:
    return " ".join(cleandoc(struct.__doc__ or "").partition("\n\n")[0].split())

"""Every type of posting that goes upstream, and its JSON Schema. Pure; needs no database.

The one list of types. The schemas are made from the Structs whose encoding is the posting, so they
cannot differ from it. Printed by `mes-terminal schema`; the tests check each posting that they make
against them. Source of the shapes: CloudEvents 1.0, IEC 62264-2 (material actuals).
"""

from typing import Any, Final

from msgspec import Struct

from mes_terminal.domain.healing import HealedData
from mes_terminal.domain.posting import (
    Envelope,
    Fact,
    LineActual,
    MaterialActual,
    MaterialData,
    ReportData,
    full_type,
)
from mes_terminal.exchange import posting_details as details
from mes_terminal.exchange.struct_schema import Schema, reference, struct_schema

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
ID_PATTERN: Final = "^[0-9a-f]{16}:[0-9]{12,}$"
"""Epoch and sequence: with the source the key that a receiver keeps (UP-2)."""


class PostingType(Struct, frozen=True):
    """A type of posting: what it says in one line, and what its data are."""

    said: str
    data: tuple[type[Struct], ...]
    details: tuple[type[Struct], ...] = ()
    """What stands in the `detail` of a fact: one of these."""


POSTINGS: Final[dict[str, PostingType]] = {
    "production.completed": PostingType(
        "Good units of an order, what they consumed, and what is owed; or a short close.",
        (ReportData,),
    ),
    "production.scrapped": PostingType(
        "Units of an order that became scrap, and what they consumed.", (ReportData,)
    ),
    "production.reworked": PostingType(
        "Units that went into rework or came out of it, and what was built in.", (ReportData,)
    ),
    "operation.completed": PostingType(
        "An operation that units passed, its time at standard, and what it consumed.",
        (ReportData,),
    ),
    "report.reversed": PostingType(
        "A report, or a part of it, taken back: the same with quantities below zero.",
        (ReportData,),
    ),
    "material.issued": PostingType(
        "Material issued to an order by hand, or returned from it.", (MaterialData,)
    ),
    "material.scrapped": PostingType("Material that became scrap.", (MaterialData,)),
    "material.received": PostingType("Material that came in.", (MaterialData,)),
    "material.moved": PostingType(
        "Material that went from one location to another, mounting included.", (MaterialData,)
    ),
    "stock.adjusted": PostingType(
        "A difference between the books and what was found, by count or at an empty container.",
        (MaterialData,),
    ),
    "lot.status_changed": PostingType(
        "A lot or serial that was put on hold or released.", (Fact,), (details.LotStatusChanged,)
    ),
    "exception.opened": PostingType(
        "An exception that no report carries; or a shortage that is owed again.",
        (Fact, HealedData),
        details.OPENED,
    ),
    "exception.resolved": PostingType(
        "An exception that ended, or a part of it, and what was posted for it.", (HealedData,)
    ),
    "material.requested": PostingType(
        "Material that the line calls for.", (Fact,), (details.CallMade,)
    ),
    "material.call_ended": PostingType(
        "A call for material that was answered.", (Fact,), (details.CallEnded,)
    ),
    "line.stopped": PostingType("The line stands.", (Fact,), (details.LineStopped,)),
    "line.started": PostingType(
        "The line runs again, and for how long it stood.", (Fact,), (details.LineStarted,)
    ),
    "shift.ended": PostingType(
        "A shift that a supervisor signed off.", (Fact,), (details.ShiftEnded,)
    ),
    "signature.given": PostingType(
        "A signature of an entry of the log.", (Fact,), (details.Signature,)
    ),
}
"""By the type without prefix and version, as the outbox lists it."""


def posting_schema(kind: str) -> Schema:
    """Return the JSON Schema of a type of posting: its envelope and its data.

    Raises `KeyError` for a type that is none of `POSTINGS`.
    """
    posting = POSTINGS[kind]
    defs: dict[str, Schema] = {}
    envelope = struct_schema(
        Envelope,
        defs,
        instead={
            "specversion": {"const": "1.0"},
            "type": {"const": full_type(kind)},
            "id": {
                "type": "string",
                "pattern": ID_PATTERN,
                "description": "Epoch and sequence; unique together with the source.",
            },
            "datacontenttype": {"const": "application/json"},
            "data": _data(posting, defs),
        },
    )
    if LineActual.__name__ in defs:
        # what has an order line must be told as the Struct of such says, not as any material
        defs[MaterialActual.__name__]["not"] = {"required": ["order_line"]}
    required = envelope["required"]
    required.insert(required.index("id") + 1, "sequence")
    return {
        "$schema": DIALECT,
        "$id": f"urn:mes-terminal:schema:{full_type(kind)}",
        "title": full_type(kind),
        **envelope,
        "description": posting.said,
        "$defs": dict(sorted(defs.items())),
    }


def posting_schemas() -> dict[str, Schema]:
    """Return the schemas of all types, by type."""
    return {kind: posting_schema(kind) for kind in POSTINGS}


def _data(posting: PostingType, defs: dict[str, Schema]) -> Schema:
    return _any([_one(each, posting, defs) for each in posting.data])


def _one(data: type[Struct], posting: PostingType, defs: dict[str, Schema]) -> Schema:
    if data is not Fact:
        return reference(data, defs)
    detail = _any([reference(each, defs) for each in posting.details])
    defs["Fact"] = struct_schema(Fact, defs, instead={"detail": detail})
    return {"$ref": "#/$defs/Fact"}


def _any(schemas: list[Any]) -> Schema:
    found: Schema = schemas[0] if len(schemas) == 1 else {"anyOf": schemas}
    return found

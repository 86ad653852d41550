"""The texts that postings are made of, with the pattern each keeps: what their JSON Schemas say.

A pattern is a promise to readers; nothing checks it where an event is made, so that it costs a scan
nothing. The tests check each event that they make. Pure; used by the documents of the log.
"""

from typing import Annotated, Final, Literal, get_args

from msgspec import Meta

Instant = Annotated[
    str,
    Meta(
        pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}Z$",
        description="An instant in UTC, to the microsecond.",
    ),
]
Day = Annotated[
    str,
    Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="A day at the site, as ISO 8601."),
]
ProductionDay = Annotated[
    str, Meta(pattern="^[0-9]{8}$", description="The day that a shift belongs to: `YYYYMMDD`.")
]
Quantity = Annotated[
    str,
    Meta(
        pattern="^-?(0|[1-9][0-9]*)(\\.[0-9]{0,5}[1-9])?$",
        description="An exact decimal of at most six places, in its shortest form; below zero it "
        "takes back.",
    ),
]
SaidQuantity = Annotated[
    str,
    Meta(
        description="A decimal as a person gave it.",
        extra_json_schema={"pattern": "^-?[0-9]+(\\.[0-9]+)?$"},
    ),
]
Minutes = Annotated[
    str,
    Meta(
        pattern="^-?(0|[1-9][0-9]*)(\\.[0-9]{0,5}[1-9])?$",
        description="Minutes as an exact decimal; below zero it takes back.",
    ),
]
Hash = Annotated[
    str, Meta(pattern="^[0-9a-f]{64}$", description="A SHA-256 in lower-case hexadecimal digits.")
]
Hex = Annotated[
    str, Meta(pattern="^([0-9a-f]{2})*$", description="Bytes as lower-case hexadecimal digits.")
]
Epoch = Annotated[
    str,
    Meta(pattern="^[0-9a-f]{16}$", description="One life of a database: 64 bits by chance (UP-1)."),
]
SequenceText = Annotated[
    str,
    Meta(
        pattern="^[0-9]{12,}$",
        description="A number of at least twelve digits, without a gap within its epoch.",
    ),
]
Uuid = Annotated[
    str,
    Meta(
        pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$",
        description="A UUID.",
    ),
]
Version = Annotated[
    str, Meta(pattern="^[0-9]+$", description="The version of master data: grows with each load.")
]
Name = Annotated[str, Meta(min_length=1)]

UseWord = Literal["Produced", "Consumed", "Scrapped", "Received", "Adjusted", "Moved"]
USES: Final[tuple[UseWord, ...]] = get_args(UseWord)
"""What can happen to material (IEC 62264-2 and what it lacks)."""
Use = Annotated[str, Meta(extra_json_schema={"enum": list(USES)})]
"""One of `USES`, as a plain text."""

How = Annotated[str, Meta(extra_json_schema={"enum": ["backflushed", "issued"]})]
"""How a component came to be consumed: drawn by a report, or by hand."""
Source = Annotated[
    str,
    Meta(
        pattern="^urn:mes-terminal:[^:]+:[^:]+$", description="Site and station, escaped as a URI."
    ),
]
UtcOffset = Annotated[
    str,
    Meta(
        pattern="^[+-][0-9]{2}:[0-9]{2}$",
        description="What the clocks of the site were ahead of UTC.",
    ),
]

"""What the bytes of one scan say, before anybody asks what they mean here.

`decode` makes it, `interpret` and the command line read it. A refused scan is a payload too: its
kind is `reject`, and `reason` is the word of the scanning page.
"""

from typing import Any, Literal

from msgspec import Struct

PayloadKind = Literal[
    "plain", "gs1", "gs1_dl", "gtin", "iso15434", "di", "delimited", "kv", "command", "reject"
]
RejectReason = Literal[
    "control_chars", "format_chars", "forbidden_key", "too_long", "overrun", "bad_encoding",
    "unknown_command", "protocol_ssi", "gs1:check_digit", "gs1:bad_date", "gs1:unknown_ai",
    "gs1:bad_chars", "aim_id_missing", "iso15434:truncated", "iso15434:no_di",
]  # fmt: skip
Doubt = Literal["gs_possibly_missing", "no_trailer", "autorepeat"]


class Swallowed(Struct, frozen=True):
    """An element that may have lost its GS: what it would be, and what would follow it."""

    ai: str
    value: str
    next_ai: str
    next_value: str


class Payload(Struct, frozen=True):
    """One decoded scan."""

    kind: PayloadKind
    text: str
    """The code without its symbology identifier; bytes that are no text stand as U+FFFD (only in a
    `reject`)."""
    symbology: str | None = None
    """AIM identifier (`]C1`); None if there was none."""
    name: str | None = None
    """The verb of a command, known or not."""
    args: tuple[str, ...] = ()
    """What follows the verb, split at white space."""
    argument: str = ""
    """What follows the verb, as it is, without white space around it: a reason of several words."""
    reason: str | None = None
    """Of a `reject`: a `RejectReason`, or the fault of the scanner's frame."""
    rule: str | None = None
    """What read it: `structured`, `command`, `pattern:<name>`; None: left to the database."""
    groups: dict[str, str] = {}
    """What the site pattern found, by the names of its groups; absent ones are left out."""
    fields: Any = None
    """The elements of a structured code, in the shape that its kind has (scanning page)."""
    format: str | None = None
    """Of ISO/IEC 15434 with one format: `05`, `06`, `12`."""
    formats: list[dict[str, Any]] | None = None
    """Of ISO/IEC 15434 with several: each its `format` and `fields`."""
    parts: list[dict[str, Any]] | None = None
    """Several symbols in one frame: each its `symbology` and `text`, not parsed further."""
    eci: int | None = None
    warning: Doubt | None = None
    swallowed: tuple[Swallowed, ...] = ()
    """What a `gs_possibly_missing` may have swallowed."""
    flag: str | None = None
    """`url_never_opened`."""
    ai: str | None = None
    """Of a refused GS1 message: the element at fault."""
    field: str | None = None
    """Of a refused message: what stood where an element was expected."""
    key: str | None = None
    """The key of a `forbidden_key`."""

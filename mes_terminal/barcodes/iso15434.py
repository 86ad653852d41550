"""ISO/IEC 15434 messages: the envelope, and the data identifiers of MH10.8.2 within it.

    [)>  RS  06 GS P12X45A789 GS Q250 RS  EOT

Formats 05 (GS1 elements), 06 (data identifiers) and 12 (text elements of ATA). Identifiers may be
repeated. A message that lacks its RS or EOT is common on real labels and is taken, with a warning.
"""

import re
from typing import Any, Final

from mes_terminal.barcodes.payload import Payload

HEADER: Final = "[)>"
RS: Final = "\x1e"
GS: Final = "\x1d"
EOT: Final = "\x04"
DATA_IDENTIFIER: Final = re.compile(r"([0-9]{0,3}[A-Z])(.*)", re.DOTALL)
TEXT_ELEMENT: Final = re.compile(r"([A-Z0-9]{3}) (.*)", re.DOTALL)
FORMAT: Final = re.compile(r"([0-9]{2})(?:\x1d(.*))?", re.DOTALL)
UNLAWFUL: Final = re.compile(r"[\x04\x1c\x1f]")
"""EOT before the end, and FS and US, which only formats have that are not read here."""
COUNTS: Final = frozenset({"Q"})
COUNT_DIGITS_MAX: Final = 15

Fields = dict[str, Any] | list[list[Any]]


class _RefusedError(Exception):
    def __init__(self, reason: str, field: str | None = None, ai: str | None = None) -> None:
        super().__init__(reason)
        self.reason, self.field, self.ai = reason, field, ai


def read_15434(text: str, symbology: str | None) -> Payload:
    """Return the payload of a text that begins with `[)>`."""
    try:
        formats, whole = _formats(text)
    except _RefusedError as refused:
        return Payload(
            "reject",
            text,
            symbology=symbology,
            rule="structured",
            reason=refused.reason,
            field=refused.field,
            ai=refused.ai,
        )
    one = formats[0] if len(formats) == 1 else None
    return Payload(
        "iso15434",
        text,
        symbology=symbology,
        rule="structured",
        format=one["format"] if one else None,
        fields=one["fields"] if one else None,
        formats=None if one else formats,
        warning=None if whole else "no_trailer",
    )


def pair(text: str) -> list[Any] | None:
    """Return the data identifier and its value, a count as a number; `None` if there is none."""
    found = DATA_IDENTIFIER.fullmatch(text)
    if found is None:
        return None
    identifier, value = found.groups()
    is_count = identifier in COUNTS and value.isascii() and value.isdecimal()
    return [identifier, int(value) if is_count and len(value) <= COUNT_DIGITS_MAX else value]


def _formats(text: str) -> tuple[list[dict[str, Any]], bool]:
    """Return each format with its fields, and whether RS and EOT ended the message."""
    body = text[len(HEADER) :]
    if not body.startswith(RS):
        raise _RefusedError("iso15434:truncated")
    ended = body.endswith(EOT)
    inner = body[1:].removesuffix(EOT)
    if UNLAWFUL.search(inner):
        raise _RefusedError("control_chars")
    segments = inner.split(RS)
    closed = segments[-1] == ""
    if closed:
        segments.pop()
    if not segments:
        raise _RefusedError("iso15434:truncated")
    return [_format(segment) for segment in segments], ended and closed


def _format(segment: str) -> dict[str, Any]:
    found = FORMAT.fullmatch(segment)
    if found is None:
        raise _RefusedError("iso15434:truncated", field=segment)
    number, data = found.groups()
    if not (data and data.strip(GS)):
        raise _RefusedError("iso15434:truncated", field=segment)
    return {"format": number, "fields": _fields(number, data)}


def _fields(number: str, data: str) -> Fields:
    match number:
        case "05":
            return _elements(data)
        case "06":
            return [_pair(part) for part in data.split(GS) if part]
        case "12":
            return [_text_element(part) for part in data.split(GS) if part]
        case _:
            raise _RefusedError("iso15434:no_di", field=number)


def _elements(data: str) -> dict[str, Any]:
    from mes_terminal.barcodes.gs1 import RefusedError, elements

    try:
        return elements(data).fields
    except RefusedError as refused:
        raise _RefusedError(refused.reason, refused.field, refused.ai) from None


def _pair(part: str) -> list[Any]:
    found = pair(part)
    if found is None:
        raise _RefusedError("iso15434:no_di", field=part)
    return found


def _text_element(part: str) -> list[Any]:
    found = TEXT_ELEMENT.fullmatch(part)
    if found is None:
        raise _RefusedError("iso15434:no_di", field=part)
    return list(found.groups())

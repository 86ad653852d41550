"""GS1 element strings and Digital Links, read by biip behind gates of our own.

`biip` knows the application identifiers, their patterns and dates. It takes more than may be taken:
a wrong check digit still yields a message, and what follows a variable element without a separator
is read as the next one. Imported only when such a code comes. (GS1 General Specifications 7.8)
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from biip import ParseConfig, ParseError
from biip.checksums import gs1_standard_check_digit
from biip.gs1_application_identifiers import GS1ApplicationIdentifier
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString

from mes_terminal.barcodes.payload import Payload, Swallowed

GS: Final = "\x1d"
HRI: Final = re.compile(r"\(([0-9]{2,4})\)")
CHECKED_DIGITS: Final = {
    "00": 18, "01": 14, "02": 14, "03": 14, "253": 13, "255": 13, "402": 17, "8003": 14,
    "8006": 14, "8017": 18, "8018": 18, "8026": 14, **{str(ai): 13 for ai in range(410, 418)},
}  # fmt: skip
"""Elements that begin with so many digits, the last of which checks the others."""
DATES: Final = frozenset(
    {"11", "12", "13", "15", "16", "17", "4324", "4325", "4326", "7003", "7006", "7007", "7011",
     "8008"}
)  # fmt: skip
COUNTS: Final = frozenset({"30", "37"})
UNITS: Final = {
    "310": "kg", "311": "m", "312": "m", "313": "m", "314": "m2", "315": "l", "316": "m3",
    "320": "lb", "321": "in", "322": "ft", "323": "yd", "324": "in", "325": "ft", "326": "yd",
    "327": "in", "328": "ft", "329": "yd", "330": "kg", "331": "m", "332": "m", "333": "m",
    "334": "m2", "335": "l", "336": "m3", "337": "kg/m2", "340": "lb", "341": "in", "342": "ft",
    "343": "yd", "344": "in", "345": "ft", "346": "yd", "347": "in", "348": "ft", "349": "yd",
    "350": "in2", "351": "ft2", "352": "yd2", "353": "in2", "354": "ft2", "355": "yd2",
    "356": "oz", "357": "oz", "360": "qt", "361": "gal", "362": "qt", "363": "gal", "364": "in3",
    "365": "ft3", "366": "yd3", "367": "in3", "368": "ft3", "369": "yd3", "394": "%",
}  # fmt: skip
"""Units of measures by the first three digits; the fourth counts the decimals."""
NAMES: Final = {
    "gtin": "01", "itip": "8006", "gmn": "8013", "cpid": "8010", "gln": "414", "party": "417",
    "gsrnp": "8017", "gsrn": "8018", "gcn": "255", "sscc": "00", "gdti": "253", "ginc": "401",
    "gsin": "402", "grai": "8003", "giai": "8004", "cpv": "22", "lot": "10", "ser": "21",
    "tpx": "235", "cpsn": "8011", "glnx": "254", "refno": "8020", "srin": "8019", "exp": "17",
}  # fmt: skip
"""Names that older Digital Links use for application identifiers, in path and query."""
PRIMARY: Final = frozenset(
    {"01", "8006", "8013", "8010", "414", "415", "417", "8017", "8018", "255", "00", "253", "401",
     "402", "8003", "8004"}
)  # fmt: skip
"""Identifiers that begin the GS1 part of a link's path."""
LINK_SEGMENTS_MAX: Final = 10
"""The GS1 part of a path at its longest: an identifier and four qualifiers, each with its value."""
GTIN_LENGTHS: Final = frozenset({8, 12, 13, 14})
HARVEST: Final = "7007"
DATES_UNCHECKED: Final = ParseConfig(gs1_element_strings_verify_date=False)
"""For a range of dates, which `biip` takes for one date with a time."""
VALUE_MAX: Final = 90
"""The longest data field of any element."""


class RefusedError(Exception):
    """The message cannot be taken: reason, and what was at fault."""

    def __init__(self, reason: str, *, ai: str | None = None, field: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.ai = ai
        self.field = field


class Message(NamedTuple):
    """The elements of a message by identifier, and what may have been swallowed."""

    fields: dict[str, Any]
    swallowed: tuple[Swallowed, ...]


def read_gs1(text: str, symbology: str | None) -> Payload:
    """Return the payload of a message whose elements are separated by GS."""
    try:
        message = elements(text)
    except RefusedError as refused:
        return _refusal(text, symbology, refused)
    return Payload(
        "gs1",
        text,
        symbology=symbology,
        rule="structured",
        fields=message.fields,
        warning="gs_possibly_missing" if message.swallowed else None,
        swallowed=message.swallowed,
    )


def read_hri(text: str) -> Payload | None:
    """Return the payload of a message as it is printed for people; `None` if it is none.

    The identifiers stand in parentheses; what is between two of them is one value, whole, so that
    nothing can have been swallowed.
    """
    marks = list(HRI.finditer(text))
    if not marks or marks[0].start() != 0:
        return None
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    fields: dict[str, Any] = {}
    try:
        for mark, end in zip(marks, ends, strict=True):
            part = mark[1] + text[mark.end() : end].strip()
            element = _first(part)
            if element.ai.ai != mark[1] or len(element.ai) + len(element.value) < len(part):
                raise _left_over(element)
            _put(fields, element)
    except RefusedError as refused:
        return _refusal(text, None, refused)
    return Payload("gs1", text, rule="structured", fields=fields)


def read_link(text: str, symbology: str | None) -> Payload:
    """Return the payload of a URL: a GS1 Digital Link, or plain text that is never opened.

    A link whose elements cannot be taken (a wrong check digit, two lots) is refused.
    """
    refusal: Payload | None = None
    for url in _candidates(text):
        try:
            fields = _link_fields(url)
        except (ParseError, ValueError):
            continue
        except RefusedError as refused:
            refusal = refusal or _refusal(text, symbology, refused)
            continue
        return Payload("gs1_dl", text, symbology=symbology, rule="structured", fields=fields)
    return refusal or Payload("plain", text, symbology=symbology, flag="url_never_opened")


def elements(text: str) -> Message:
    """Return the elements of a message. Raises `RefusedError`."""
    fields: dict[str, Any] = {}
    variable: dict[str, GS1ElementString] = {}
    rest = text.lstrip(GS)
    if not rest:
        raise RefusedError("gs1:unknown_ai", field="")
    while rest:
        segment = rest.partition(GS)[0]
        element = _first(segment)
        length = len(element.ai) + len(element.value)
        if element.ai.separator_required:
            if length < len(segment):
                raise _left_over(element)
            if _is_variable(element.ai):
                variable[element.ai.ai] = element
        _put(fields, element)
        rest = rest[length:].lstrip(GS)
    found = (one for element in variable.values() for one in _swallowed_by(element, fields))
    return Message(fields, tuple(found))


def is_right(digits: str) -> bool:
    """Tell whether the last digit checks the others."""
    return int(digits[-1]) == gs1_standard_check_digit(digits[:-1])


def _first(segment: str) -> GS1ElementString:
    """Return the element a segment begins with."""
    identifier = identifier_at(segment[:4])
    if identifier is None:
        raise RefusedError("gs1:unknown_ai", field=segment)
    ai = identifier.ai
    config = DATES_UNCHECKED if ai == HARVEST else None
    try:
        element = GS1ElementString.extract(segment[: len(ai) + VALUE_MAX], config=config)
    except ParseError:
        raise RefusedError("gs1:bad_date" if ai in DATES else "gs1:bad_chars", ai=ai) from None
    except ValueError:  # a date such as a second date of a range that is none
        raise RefusedError("gs1:bad_date", ai=ai) from None
    if not element.value or not element.value.isascii():  # biip takes `30` without a number
        raise RefusedError("gs1:bad_chars", ai=ai)
    return element


@lru_cache(maxsize=4096)
def identifier_at(start: str) -> GS1ApplicationIdentifier | None:
    """Return the application identifier that these (at most four) characters begin with."""
    if not start[:2].isdecimal():
        return None
    try:
        return GS1ApplicationIdentifier.extract(start)
    except ParseError:
        return None


def _put(fields: dict[str, Any], element: GS1ElementString) -> None:
    """Add an element. Raises `RefusedError` for a wrong check digit or a second value."""
    ai = element.ai.ai
    checked = CHECKED_DIGITS.get(ai)
    if checked is not None and not is_right(element.value[:checked]):
        raise RefusedError("gs1:check_digit", ai=ai)
    value = _value(element)
    if fields.setdefault(ai, value) != value:
        raise RefusedError("gs1:bad_chars", ai=ai)


def _value(element: GS1ElementString) -> str | int:
    """Return an element's value: a number for counts, ISO 8601 for dates, measures with units."""
    ai, value = element.ai.ai, element.value
    if ai in COUNTS:
        return int(value)
    if ai in DATES:
        return _date(element)
    if element.decimal is None:
        return value
    amount = f"{Decimal(element.decimal):f}"
    if ai[:3] in UNITS:
        return f"{amount} {UNITS[ai[:3]]}"
    return f"{amount} {element.pattern_groups[0]}" if ai[:3] in ("391", "393") else amount


def _date(element: GS1ElementString) -> str:
    value = element.value
    if element.ai.ai == HARVEST and len(value) == 12:
        return "/".join(_date(_first(HARVEST + half)) for half in (value[:6], value[6:]))
    if element.datetime is not None:
        return element.datetime.isoformat()
    if element.date is None:
        raise RefusedError("gs1:bad_date", ai=element.ai.ai)
    return element.date.isoformat()


def _left_over(element: GS1ElementString) -> RefusedError:
    """Return why an element cannot be taken whose value goes on where it must end."""
    ai = element.ai.ai
    return RefusedError("gs1:bad_date" if ai in DATES else "gs1:bad_chars", ai=ai)


def _is_variable(identifier: GS1ApplicationIdentifier) -> bool:
    """Tell whether an element's length is not given: only such a one can swallow the next."""
    return ".." in identifier.format or "[" in identifier.format


def _swallowed_by(element: GS1ElementString, fields: dict[str, Any]) -> Iterator[Swallowed]:
    """Yield what a variable element may have swallowed because its GS was lost, in each reading.

    That is so where its rest, from some position, reads as elements to its end, the first of which
    the message does not have: an element stands in it once. Digits read as elements at more than
    one position; which one is meant only the reader of the label can weigh.
    """
    value = element.value
    reads = _where_it_reads(value)
    for at in range(1, len(value) - 2):
        identifier = identifier_at(value[at : at + 4])
        if identifier is not None and identifier.ai not in fields and reads[at]:
            rest = value[at + len(identifier.ai) :]
            yield Swallowed(element.ai.ai, value[:at], identifier.ai, rest)


def _where_it_reads(value: str) -> list[bool]:
    """Tell from which positions a value is elements to its end; from the last to the first."""
    reads = [False] * len(value) + [True]
    for at in range(len(value) - 1, 0, -1):
        identifier = identifier_at(value[at : at + 4])
        if identifier is None:
            continue
        found = re.match(identifier.pattern.removesuffix("$"), value[at:])
        if found is None:
            continue
        end = at + found.end()
        is_ended = end == len(value) or not identifier.separator_required
        reads[at] = is_ended and reads[end] and _is_element(value[at:end])
    return reads


def _is_element(text: str) -> bool:
    try:
        _put({}, _first(text))
    except RefusedError:
        return False
    return True


def _candidates(url: str) -> Iterator[str]:
    """Return the readings of a URL as a link: by each place where its GS1 part may begin.

    Names become identifiers; what stands before is the owner's business.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return
    path = parts.path.removesuffix("/").split("/")
    for first in range(max(0, len(path) - LINK_SEGMENTS_MAX), len(path) - 1):
        part = path[first:]
        part[::2] = [NAMES.get(word, word) for word in part[::2]]
        if part[0] in PRIMARY and len(part) % 2 == 0:
            yield urlunsplit(parts._replace(path="/" + "/".join(part)))


def _link_fields(url: str) -> dict[str, Any]:
    """Return the elements of a link. Raises `ParseError`, `ValueError`, `RefusedError`."""
    parts = urlsplit(url)
    _, primary, value, *_ = parts.path.split("/")
    if primary == "01" and len(value) not in GTIN_LENGTHS:
        raise ValueError("no GTIN has so many digits")
    query: dict[str, str] = {}
    for word, text in parse_qsl(parts.query, keep_blank_values=True):
        name = NAMES.get(word, word)
        identifier = identifier_at(name)
        is_element = identifier is not None and identifier.ai == name
        if query.setdefault(name, text) != text and is_element:
            raise RefusedError("gs1:bad_chars", ai=name)
    link = GS1DigitalLinkURI.parse(urlunsplit(parts._replace(query=urlencode(query))))
    fields: dict[str, Any] = {}
    for element in link.element_strings:
        _put(fields, element)
    return fields


def _refusal(text: str, symbology: str | None, refused: RefusedError) -> Payload:
    return Payload(
        "reject",
        text,
        symbology=symbology,
        reason=refused.reason,
        rule="structured",
        ai=refused.ai,
        field=refused.field,
    )

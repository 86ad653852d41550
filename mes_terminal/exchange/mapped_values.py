"""Numbers and dates as other programs write them, to the way in which a clean file has them.

`1.234,50-` becomes `-1234.5`, `20.11.2026`, `11/20/2026` and `126324` become `2026-11-20`. Every
function raises `CellError` with what is wrong and the mend. Pure.
"""

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta, timezone, tzinfo
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from mes_terminal.exchange.cells import CellError

Convert = Callable[[str], str]

DIGITS_MAX: Final = 40
"""Of a number, and characters of a date; more is no number that anybody measured."""
JULIAN: Final = "CYYDDD"
DATE_EXAMPLE: Final = 'dates = ["DD.MM.YYYY"]'

_CONVERTED_MAX: Final = 20_000
"""Texts of one column that are remembered; exports repeat few dates and numbers many times."""
_MONTHS: Final = (
    "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"
)  # fmt: skip
_HOURS_OF_HALF: Final = (12, *range(1, 12))
"""What clocks of twelve hours show from midnight, and again from noon."""
_TOKENS: Final = {
    "YYYY": r"(?P<year>\d{4})",
    "YY": r"(?P<year_of_2000>\d{2})",
    "MMM": r"(?P<month_name>[A-Za-z]{3})",
    "MM": r"(?P<month>\d{2})",
    "M": r"(?P<month>\d{1,2})",
    "DD": r"(?P<day>\d{2})",
    "D": r"(?P<day>\d{1,2})",
    "hh": r"(?P<hour>\d{2})",
    "h": r"(?P<hour>\d{1,2})",
    "mm": r"(?P<minute>\d{2})",
    "ss": r"(?P<second>\d{2})",
    "f": r"(?P<fraction>\d{1,9})",
    "AM": r"(?P<half>[AaPp][Mm])",
    "Z": r"(?P<offset>Z|[+-]\d{2}(?::?\d{2})?)",
    JULIAN: r"(?P<julian>\d{5,6})",
}
_TOKEN: Final = re.compile(f"{JULIAN}|YYYY|YY|MMM|MM|M|DD|D|hh|h|mm|ss|f|AM|Z|.", re.DOTALL)
_SPACES: Final = str.maketrans(dict.fromkeys("\u00a0\u2007\u2009\u202f", " "))
_PLAIN: Final = re.compile(r"-?\d{1,40}(?:\.\d{1,40})?\Z", re.ASCII)


def remembering(convert: Convert) -> Convert:
    """Return `convert`, which does each text once; what it raises is not remembered."""
    known: dict[str, str] = {}

    def look_up(cell: str) -> str:
        found = known.get(cell)
        if found is None:
            found = convert(cell)
            if len(known) < _CONVERTED_MAX:
                known[cell] = found
        return found

    return look_up


def number_reader(*, decimal: str, thousands: str, trailing_minus: bool) -> Convert:
    """Return what reads a number; grouped digits must stand in threes."""
    point, group = re.escape(decimal), re.escape(thousands)
    whole = rf"\d{{1,3}}(?:{group}\d{{3}})+|\d*" if thousands else r"\d*"
    pattern = re.compile(rf"(-?)({whole})(?:{point}(\d+))?\Z", re.ASCII)
    example = f"1{thousands}234{decimal}5"

    def read(cell: str) -> str:
        text = cell.translate(_SPACES) if thousands == " " else cell
        behind = trailing_minus and text.endswith("-")
        match = pattern.match(text[:-1].rstrip() if behind else text)
        if len(cell) > DIGITS_MAX or match is None or not (match[2] or match[3]):
            raise CellError(
                f"{_shown(cell)} is no number like {example}; mend it, or decimal, thousands and "
                "trailing_minus in mapping.toml"
            )
        if behind and match[1]:
            raise CellError(f"{_shown(cell)} has two signs; leave one")
        whole_digits = match[2].replace(thousands, "") if thousands else match[2]
        return _shortest(bool(match[1]) or behind, whole_digits, match[3] or "")

    return read


def fraction_reader(number: Convert) -> Convert:
    """Return what reads a number, or two with a stroke between them."""

    def read(cell: str) -> str:
        return "/".join(number(part.strip()) for part in cell.split("/"))

    return read


def shift_point(cell: str, places: int) -> str:
    """Return a canonical whole number whose last digits are decimals: 12500, 3 is 12.5."""
    digits = cell.removeprefix("-")
    if not digits.isdecimal():
        raise CellError(
            f"{_shown(cell)} has decimals, but implied_decimals are set; leave them out"
        )
    digits = digits.rjust(places + 1, "0")
    return _shortest(cell.startswith("-"), digits[:-places], digits[-places:])


def multiplied(cell: str, factor: Fraction) -> str:
    """Return a canonical number times a factor. Raises `CellError` beyond six places."""
    if not _PLAIN.match(cell):
        raise CellError(f"{_shown(cell)} is no number to multiply; mend the cell")
    product = Fraction(cell) * factor
    micro = product * 1_000_000
    if micro.denominator != 1:
        raise CellError(
            f"{_shown(cell)} times {factor} has more than six decimal places; use another unit"
        )
    digits = str(abs(micro.numerator)).rjust(7, "0")
    return _shortest(product < 0, digits[:-6], digits[-6:])


def date_reader(
    formats: Sequence[str], *, with_time: bool, zone: ZoneInfo | None, site: ZoneInfo
) -> Convert:
    """Return what reads a day, or an instant where `with_time`, in whichever format fits.

    Two that fit must mean the same. A date of zeros says nothing and becomes empty. `zone`: where a
    time is meant that does not say so, if not at the `site`; the day of a time is the day there.
    """
    patterns = [date_pattern(one) for one in formats]

    def read(cell: str) -> str:
        if len(cell) <= DIGITS_MAX and not cell.strip("0./-: "):
            return ""
        meant: dict[str, str] = {}
        for form, pattern in zip(formats, patterns, strict=True) if len(cell) <= DIGITS_MAX else ():
            match = pattern.match(cell)
            moment = match and _moment(match.groupdict())
            if moment is None:
                continue
            if with_time:
                moment = _in_zone(moment, zone)
                meant.setdefault(moment.isoformat(), form)
            else:
                moment = _in_zone(moment, zone, site) if "hour" in pattern.groupindex else moment
                meant.setdefault(moment.date().isoformat(), form)
        if len(meant) > 1:
            ways = " and ".join(f"{found} by {form}" for found, form in meant.items())
            raise CellError(
                f"{_shown(cell)} is {ways}; leave one of the two in dates of mapping.toml"
            )
        if meant:
            return next(iter(meant))
        raise CellError(
            f"{_shown(cell)} is no date like {' or '.join(formats)}; mend it, or dates in "
            "mapping.toml"
        )

    return read


def date_pattern(form: str) -> re.Pattern[str]:
    """Return the expression of a format such as `DD.MM.YYYY`. Raises `CellError`."""
    parts = _TOKEN.findall(form)
    expression = "".join(_TOKENS.get(part) or re.escape(part) for part in parts)
    try:
        pattern = re.compile(expression + r"\Z", re.ASCII)
    except re.error:
        raise CellError(f"{form!r} names a part twice; write it like DD.MM.YYYY") from None
    named = {name.split("_")[0] for name in pattern.groupindex}
    if ("half" in named) > ("hour" in named):
        raise CellError(f"{form!r} has AM and no hour; write it like D.M.YYYY h:mm AM")
    if "julian" in named and not named & {"year", "month", "day"}:
        named |= {"year", "month", "day"}
    if not {"year", "month", "day"} <= named or (
        "julian" in named and "year" in pattern.groupindex
    ):
        raise CellError(f"{form!r} is no date; write it like DD.MM.YYYY, YYYYMMDD or {JULIAN}")
    return pattern


def _moment(parts: dict[str, str | None]) -> datetime | None:
    """Return what a matched date means; `None` if there is no such day."""
    try:
        hour, minute, second = (int(parts.get(one) or 0) for one in ("hour", "minute", "second"))
        half = parts.get("half")
        if half:
            hour = _HOURS_OF_HALF.index(hour) + (12 if half.lower() == "pm" else 0)
        micro = int((parts.get("fraction") or "")[:6].ljust(6, "0"))
        return datetime.combine(_day(parts), time(hour, minute, second, micro, _offset(parts)))
    except (ValueError, OverflowError):
        return None


def _offset(parts: dict[str, str | None]) -> tzinfo | None:
    """Return what a time says of its zone itself."""
    said = parts.get("offset")
    if said is None:
        return None
    digits = said[1:].replace(":", "")
    hours, minutes = int(digits[:2] or 0), int(digits[2:] or 0)
    if minutes > 59:
        raise ValueError(said)
    from_utc = timedelta(hours=hours, minutes=minutes)
    return timezone(-from_utc if said.startswith("-") else from_utc)


def _day(parts: dict[str, str | None]) -> date:
    julian = parts.get("julian")
    if julian:
        century, year, day = int(julian[:-5] or 0), int(julian[-5:-3]), int(julian[-3:])
        found = date(1900 + 100 * century + year, 1, 1) + timedelta(days=day - 1)
        if day < 1 or found.year != 1900 + 100 * century + year:
            raise ValueError(julian)
        return found
    name = parts.get("month_name")
    month = _MONTHS.index(name.lower()) + 1 if name else int(parts["month"] or 0)
    short = parts.get("year_of_2000")
    return date(
        2000 + int(short) if short else int(parts["year"] or 0), month, int(parts["day"] or 0)
    )


def _in_zone(moment: datetime, zone: ZoneInfo | None, site: ZoneInfo | None = None) -> datetime:
    """Return a time as it is meant in `zone`, if it does not say so itself, and as the clocks of
    `site` show it."""
    if zone is None and moment.tzinfo is None:
        return moment
    try:
        meant = moment.replace(tzinfo=moment.tzinfo or zone)
        return meant if site is None else meant.astimezone(site)
    except (ValueError, OverflowError):
        raise CellError("is too far away for a time; mend the date") from None


def _shortest(minus: bool, whole: str, places: str) -> str:
    whole, places = whole.lstrip("0") or "0", places.rstrip("0")
    text = f"{whole}.{places}" if places else whole
    return f"-{text}" if minus and text != "0" else text


def _shown(cell: str) -> str:
    return repr(cell[:40])

"""Cells of a CSV file to typed values: one small reader a kind of cell.

A reader takes the text of a cell that is not empty and the site's time zone, and returns a plain
value (text, integer, yes/no, pair of integers) or raises `CellError` with what is wrong and the
mend. Pure.
"""

import re
from collections.abc import Callable
from datetime import date, time
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.domain.instants import parse_instant
from mes_terminal.domain.quantity import (
    QUANTITY_MAX_MICRO,
    QuantityError,
    QuantityTooLargeError,
    fits_64_bits,
    format_quantity,
    parse_quantity,
)

Cell = str | int | bool | tuple[int, int]
CellReader = Callable[[str, ZoneInfo], Cell]

TEXT_MAX: Final = 200
"""Characters of a name or number; longer ones are no code that a label carries."""

NOTE_MAX: Final = 2_000
"""Characters of a description."""

FIRST_YEAR: Final = "1900"
LAST_YEAR: Final = "9000"
"""Instants beyond cannot be moved by a shelf life or a time zone, and are mistakes."""

_FACTOR: Final = re.compile(r"(\d{1,19}(?:\.\d{1,18})?)(?:/(\d{1,19}(?:\.\d{1,18})?))?\Z", re.ASCII)
_WHOLE: Final = re.compile(r"-?\d{1,18}\Z", re.ASCII)
_GTIN: Final = re.compile(r"(?:\d{8}|\d{12}|\d{13}|\d{14})\Z", re.ASCII)
_DAYS: Final = (
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
)  # fmt: skip
_DAY_DIGITS: Final = re.compile(r"[1-7]{2,7}\Z")
ALL_DAYS: Final = 0b111_1111


class CellError(ValueError):
    """What is wrong with a cell, and the mend."""


def text(cell: str, _: ZoneInfo) -> str:
    """A name or number: printable, one line."""
    if len(cell) > TEXT_MAX:
        raise CellError(f"has {len(cell)} characters; use at most {TEXT_MAX}")
    if not cell.isprintable():
        raise CellError("holds a control character; remove it")
    return cell


def note(cell: str, _: ZoneInfo) -> str:
    """Free text for people."""
    if len(cell) > NOTE_MAX:
        raise CellError(f"has {len(cell)} characters; use at most {NOTE_MAX}")
    if "\0" in cell:
        raise CellError("holds NUL characters; export the file again, or name its encoding")
    return cell


def badge(cell: str, zone: ZoneInfo) -> str:
    """A badge number as it stands behind `B:`."""
    if cell.startswith("B:"):
        raise CellError(f"write the badge without B: ({cell[2:]})")
    return text(cell, zone)


def location_name(cell: str, zone: ZoneInfo) -> str:
    """A location that can hold stock; `@` begins the ledger's own (BF-35)."""
    if cell.startswith("@"):
        raise CellError("a location cannot begin with @; choose another name")
    return text(cell, zone)


def choice(*words: str) -> CellReader:
    """One of some words."""

    def read(cell: str, _: ZoneInfo) -> str:
        if cell not in words:
            raise CellError(f"{_shown(cell)} is none of {', '.join(words)}; write one of them")
        return cell

    return read


def yes_no(cell: str, _: ZoneInfo) -> bool:
    """`yes` or `no`."""
    if cell not in ("yes", "no"):
        raise CellError(f"{_shown(cell)} is neither yes nor no; write one of them")
    return cell == "yes"


def amount(cell: str, _: ZoneInfo) -> int:
    """A quantity, percentage, cost or duration of zero or more, in millionths (BF-1)."""
    micro = _micro(cell)
    if micro < 0:
        raise CellError(f"{_shown(cell)} is negative; write zero or more")
    return micro


def signed(cell: str, _: ZoneInfo) -> int:
    """A quantity of any sign, in millionths (BF-1)."""
    return _micro(cell)


def positive(cell: str, _: ZoneInfo) -> int:
    """A quantity of more than zero, in millionths (BF-1)."""
    micro = _micro(cell)
    if micro <= 0:
        raise CellError(f"{_shown(cell)} is not more than zero; write a positive number")
    return micro


class Whole(Struct, frozen=True):
    """Reads a whole number in a range."""

    least: int
    most: int

    def __call__(self, cell: str, _: ZoneInfo) -> int:
        """Return the number."""
        if not _WHOLE.match(cell) or not self.least <= int(cell) <= self.most:
            raise CellError(
                f"{_shown(cell)} is no whole number from {self.least} to {self.most}; write one of "
                "these"
            )
        return int(cell)


def whole(least: int, most: int) -> CellReader:
    """A whole number in a range."""
    return Whole(least, most)


def ratio(cell: str, _: ZoneInfo) -> tuple[int, int]:
    """An exact factor of more than zero: a decimal or a fraction such as `1/3`."""
    match = _FACTOR.match(cell)
    if match is None or not Fraction(match[2] or 1):
        raise CellError(f"{_shown(cell)} is no factor; write a number or a fraction such as 1/3")
    factor = Fraction(match[1]) / Fraction(match[2] or 1)
    if factor <= 0:
        raise CellError(f"{_shown(cell)} is not more than zero; write a positive factor")
    if not fits_64_bits(factor):
        raise CellError(f"{_shown(cell)} is no fraction of two 64-bit numbers; write fewer places")
    return factor.numerator, factor.denominator


def day(cell: str, _: ZoneInfo) -> str:
    """A calendar day."""
    try:
        return date.fromisoformat(cell).isoformat()
    except ValueError:
        raise CellError(f"{_shown(cell)} is no date; write it as 2026-11-20") from None


def instant(cell: str, zone: ZoneInfo) -> str:
    """An instant as UTC text; without an offset in the site's zone, a bare day is its start."""
    try:
        found = parse_instant(cell, zone)
    except (ValueError, OverflowError):
        found = ""
    if not FIRST_YEAR <= found[:4] <= LAST_YEAR:
        raise CellError(f"{_shown(cell)} is no date or time; write it as 2026-11-20T13:05:00Z")
    return found


def clock_minute(cell: str, _: ZoneInfo) -> int:
    """A time of day, in minutes since midnight; 24:00 is midnight."""
    try:
        moment = time.fromisoformat("00:00" if cell == "24:00" else cell)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        raise CellError(f"{_shown(cell)} is no time of day; write it as 06:00")
    return moment.hour * 60 + moment.minute


def week_days(cell: str, _: ZoneInfo) -> int:
    """Days of the week as bits, Monday first: `Mon-Fri`, `1-5`, `12345`, `Mon,Wed`, `daily`."""
    if cell.lower() in ("daily", "all"):
        return ALL_DAYS
    bits = 0
    for part in cell if _DAY_DIGITS.match(cell) else re.split(r"[,;\s]+", cell):
        ends = [_week_day(end, cell) for end in part.split("-")]
        if len(ends) > 2:
            raise CellError(f"{_shown(cell)} names no days; write them as Mon-Fri")
        first, last = ends[0], ends[-1]
        for offset in range((last - first) % 7 + 1):
            bits |= 1 << (first + offset) % 7
    return bits


def gtin(cell: str, _: ZoneInfo) -> str:
    """A GTIN of 8, 12, 13 or 14 digits (GS1 General Specifications 7.9: check digit)."""
    if not _GTIN.match(cell):
        raise CellError(f"{_shown(cell)} is no GTIN; write 8, 12, 13 or 14 digits")
    weighted = sum(
        int(digit) * (3 if position % 2 == 0 else 1)
        for position, digit in enumerate(reversed(cell[:-1]))
    )
    expected = -weighted % 10
    if int(cell[-1]) != expected:
        raise CellError(f"{_shown(cell)} has a wrong check digit; it should end in {expected}")
    return cell


def is_zone(name: str) -> bool:
    """Tell whether this machine knows a time zone by this name, as `Europe/Berlin`."""
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        return False
    return True


def _micro(cell: str) -> int:
    try:
        return parse_quantity(cell)
    except QuantityTooLargeError as error:
        most = format_quantity(QUANTITY_MAX_MICRO)
        raise CellError(f"{error}; write at most {most}") from None
    except QuantityError as error:
        raise CellError(f"{error}; write it with a decimal point, like 12.5") from None


def _week_day(name: str, cell: str) -> int:
    if name in ("1", "2", "3", "4", "5", "6", "7"):
        return int(name) - 1
    if len(name) > 1:
        for position, day_name in enumerate(_DAYS):
            if day_name.startswith(name.lower()):
                return position
    raise CellError(f"{_shown(cell)} names no days; write them as Mon-Fri")


def _shown(cell: str) -> str:
    return repr(cell[:40])

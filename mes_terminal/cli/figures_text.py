"""Key figures as text for people, readable at 80 columns. Called by `insight figures`."""

from collections.abc import Iterator, Sequence
from typing import Final
from zoneinfo import ZoneInfo

from mes_terminal.domain.figures import CauseShare, DayFigures, Made, Tally
from mes_terminal.domain.instants import to_datetime
from mes_terminal.domain.quantity import format_quantity, parse_quantity
from mes_terminal.tui.safe_text import column_count, safe

NAME_COLUMNS: Final = 22
FIGURE_COLUMNS: Final = 13
BAR_COLUMNS: Final = 40
_DAYS: Final = (
    "DAY", "REPORTS", "WRONG", "ERROR %", "GOOD", "SCRAPPED", "FIRST PASS %", "OPENED", "ENDED",
)  # fmt: skip
_NONE: Final = "-"


def day_text(day: DayFigures, before: DayFigures, zone: ZoneInfo) -> Iterator[str]:
    """Yield the lines of one day: in all, by shift, and the day before."""
    shifts = day.shifts[:3]
    heads = ["", "day", *(safe(each.shift or "", 12) for each in shifts), before.day]
    yield f"Production day {day.day}"
    yield _line(heads)
    tallies = [day.total, *shifts, before.total]
    uoms = [made.uom for made in day.total.made] or [made.uom for made in before.total.made]
    for name, cells in _figures(tallies, uoms):
        yield _line([name, *cells])
    if day.hours:
        yield ""
        yield from _hours(day, zone)
    if day.causes:
        yield ""
        yield from _causes(day.causes, day.currency)


def days_text(days: Sequence[DayFigures]) -> Iterator[str]:
    """Yield a table of days; quantities are those of the unit with most reports."""
    rows = [_DAYS, *(_day_row(each) for each in days)]
    widths = [max(column_count(row[place]) for row in rows) for place in range(len(_DAYS))]
    for row in (rows[0], tuple("─" * width for width in widths), *rows[1:]):
        yield "  ".join(_right(cell, width) for cell, width in zip(row, widths, strict=True))


def duration(seconds: int | None) -> str:
    """Return a time span as people say it: `2 h 10 min`; `-` if there is none."""
    if seconds is None:
        return _NONE
    minutes = seconds // 60
    days, hours = minutes // 1440, minutes // 60 % 24
    if days:
        return f"{days} d {hours} h"
    return f"{hours} h {minutes % 60:02d} min" if hours else f"{minutes} min"


def _figures(tallies: Sequence[Tally], uoms: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    yield "reports", [str(each.reports) for each in tallies]
    yield "of them wrong", [str(each.wrong) for each in tallies]
    yield "error rate %", [each.error_pct or _NONE for each in tallies]
    for uom in uoms:
        yield f"good {safe(uom, 8)}", [_of(each, uom).good for each in tallies]
        yield f"scrapped {safe(uom, 8)}", [_of(each, uom).scrapped for each in tallies]
    yield "first pass %", [each.first_pass_pct or _NONE for each in tallies]
    yield "exceptions opened", [str(each.opened) for each in tallies]
    yield "exceptions ended", [str(each.ended) for each in tallies]
    yield "time to end, median", [duration(each.resolve_median_s) for each in tallies]
    yield "time to end, longest", [duration(each.resolve_longest_s) for each in tallies]


def _hours(day: DayFigures, zone: ZoneInfo) -> Iterator[str]:
    """The bars are of good units, in the unit with most reports."""
    uom = day.total.made[0].uom if day.total.made else ""
    sums: dict[str, list[int]] = {}
    for each in day.hours:
        if each.uom == uom:
            found = sums.setdefault(each.start_at, [0, 0])
            found[0] += parse_quantity(each.good)
            found[1] += parse_quantity(each.scrapped)
    most = max((good for good, _ in sums.values()), default=0)
    yield f"By hour, {safe(uom, 8)}: good, scrapped"
    for start, (good, scrapped) in sums.items():
        bar = "█" * (max(0, good) * BAR_COLUMNS // most if most > 0 else 0)
        figures = f"{_right(format_quantity(good), 8)} {_right(format_quantity(scrapped), 8)}"
        at = to_datetime(start).astimezone(zone)
        yield f"{at:%H:%M}  {figures}  {bar}".rstrip()


def _causes(causes: Sequence[CauseShare], currency: str) -> Iterator[str]:
    yield _line(["Opened, by cause", "count", f"value {currency}", "sum %"])
    for each in causes:
        yield _line([each.cause_code, str(each.count), each.value or _NONE, each.cumulative_pct])


def _day_row(day: DayFigures) -> tuple[str, ...]:
    total = day.total
    made = total.made[0] if total.made else Made("", "0", "0")
    return (
        day.day, str(total.reports), str(total.wrong), total.error_pct or _NONE, made.good,
        made.scrapped, total.first_pass_pct or _NONE, str(total.opened), str(total.ended),
    )  # fmt: skip


def _of(tally: Tally, uom: str) -> Made:
    return next((each for each in tally.made if each.uom == uom), Made(uom, "0", "0"))


def _line(cells: Sequence[str]) -> str:
    name = safe(cells[0], NAME_COLUMNS)
    fill = " " * (NAME_COLUMNS - column_count(name))
    return (name + fill + "".join(_right(cell, FIGURE_COLUMNS) for cell in cells[1:])).rstrip()


def _right(text: str, width: int) -> str:
    return " " * (width - column_count(text)) + text

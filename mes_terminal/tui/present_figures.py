"""Key figures in words and as the rows of charts and tables. Pure; every text is safe to draw.

The micro-units of a chart say how long a bar is, never what a quantity is: that is written.
"""

from collections.abc import Sequence
from datetime import date, tzinfo
from typing import Final

from msgspec import Struct

from mes_terminal.domain.figures import AgeBucket, DayFigures, Made, Tally
from mes_terminal.domain.instants import plus_seconds, to_datetime
from mes_terminal.domain.quantity import MICRO, format_quantity, parse_quantity
from mes_terminal.tui.present_view import age_text
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.telling import Telling
from mes_terminal.tui.words import Words

HOURS_MAX: Final = 49
"""A production day and its night shift, with the hour that the end of summer time repeats."""
SHIFTS_SHOWN: Final = 3
ORDERS_SHOWN: Final = 12
ROWS: Final = ("reports", "wrong", "error_pct", "made", "first_pass_pct", "exceptions", "median")
"""The rows of the table, by their words."""
OLD_S: Final = 3 * 86_400
TICKS_MAX: Final = 5
CAUSES_SHOWN: Final = 10
"""The rest of a Pareto chart is one bar of others nobody reads."""


class Bar(Struct, frozen=True):
    """One bar: what stands below it, how long it and its second part are, what is written.

    The second part is what needs a person: scrap, what is old.
    """

    label: str
    micro: int
    text: str
    second_micro: int = 0
    short: str = ""
    """What stands below it where the label is too long."""


class Chart(Struct, frozen=True):
    """A chart as rows; without any it says why."""

    title: str
    bars: Sequence[Bar]
    note: str = ""
    """A line below it."""
    empty: str = ""
    line_micro: Sequence[int] = ()
    """A line over the bars, a point each: the Pareto's sum."""
    keeps_last: bool = False
    """Where there is not room for all bars in lines of text, the last ones are shown."""


class Row(Struct, frozen=True):
    """A line of the table of figures: its name, and a text a column."""

    name: str
    cells: Sequence[str]


def day_text(day: str, told: dict[str, str]) -> str:
    """Return a day `YYYY-MM-DD` with its weekday; as it is where it cannot be read."""
    try:
        weekday = date.fromisoformat(day).weekday()
    except ValueError:
        return safe(day, 12)
    return f"{told[f'day_{weekday}']} {day[5:]}"


def seconds_text(seconds: int, words: Words) -> str:
    """Return a time span in its largest unit."""
    return age_text(seconds, words)


def cause_text(cause_code: str, words: Words, item: str | None = None) -> str:
    """Return a cause by its stable word, `kind:why`, with the item where there is one."""
    kind, _, why = cause_code.partition(":")
    told = words.desk.kinds.get(kind, safe(kind, 20))
    if item is not None:
        told = f"{told} {safe(item, 20)}"
    if not why:
        return told
    reason = words.sections["figures"].told.get(f"why_{why}", safe(why.replace("_", " "), 24))
    return f"{told}: {reason}"


def ticks(most_micro: int) -> list[int]:
    """Return what to write at the axis of a chart, in micro-units: at most five steps of 1, 2 or 5
    and zeros, never less than one."""
    step, factors = MICRO, (2, 5, 10)
    scale, place = MICRO, 0
    while step * TICKS_MAX < most_micro:
        step = scale * factors[place]
        if factors[place] == 10:
            scale *= 10
        place = (place + 1) % len(factors)
    return [step * number for number in range(most_micro // step + 2) if step * number <= most_micro
            or number == 1]  # fmt: skip


def hours_chart(day: DayFigures, telling: Telling, told: dict[str, str]) -> Chart:
    """Return good and scrapped units by hour, in the unit with most reports; hours in between are
    there with nothing."""
    made = day.total.made
    uom = made[0].uom if made else ""
    sums: dict[str, list[int]] = {}
    for each in day.hours:
        if each.uom == uom:
            found = sums.setdefault(each.start_at, [0, 0])
            found[0] += parse_quantity(each.good)
            found[1] += parse_quantity(each.scrapped)
    bars = [
        Bar(_hour(start, telling.zone), max(0, good), _made_text(good, scrapped, telling),
            max(0, scrapped))
        for start in _hours_between(sorted(sums))
        for good, scrapped in [sums.get(start, [0, 0])]
    ]  # fmt: skip
    others = [
        told["also"].format(good=telling.number(each.good), uom=safe(each.uom, 8),
                            scrapped=telling.number(each.scrapped))
        for each in made[1:]
    ]  # fmt: skip
    title = told["title_hours"].format(uom=safe(uom, 8))
    return Chart(title, bars, "; ".join(others), told["none_hours"], keeps_last=True)


def causes_chart(day: DayFigures, telling: Telling, told: dict[str, str]) -> Chart:
    """Return the Pareto of what was opened, in percent of all, with count, value and sum."""
    shown = day.causes[:CAUSES_SHOWN]
    total = sum(each.count for each in day.causes)
    bars = []
    for place, each in enumerate(shown, 1):
        parts = [telling.number(each.count), f"{telling.number(each.cumulative_pct)} %"]
        if each.value is not None:
            parts.append(f"{telling.number(each.value)} {safe(day.currency, 8)}")
        label = f"{place} {cause_text(each.cause_code, telling.words)}"
        share = each.count * 100 * MICRO // total
        bars.append(Bar(label, share, "  ".join(parts), short=str(place)))
    line = [parse_quantity(each.cumulative_pct) for each in shown]
    return Chart(told["title_causes"], bars, "", told["none_causes"], line)


def ages_chart(ages: Sequence[AgeBucket], telling: Telling, told: dict[str, str]) -> Chart:
    """Return how many exceptions are open by age; what is older than three days stands out."""
    bars = []
    for each in ages:
        label = told["age_older" if each.up_to_s is None else f"age_{each.up_to_s}"]
        is_old = each.up_to_s is None or each.up_to_s > OLD_S
        parts = (0, each.count * MICRO) if is_old else (each.count * MICRO, 0)
        bars.append(Bar(label, parts[0], telling.number(each.count), parts[1]))
    shown = bars if any(each.count for each in ages) else []
    return Chart(told["title_ages"], shown, "", told["none_ages"])


def errors_chart(days: Sequence[DayFigures], telling: Telling, told: dict[str, str]) -> Chart:
    """Return the error rate by day; a day without reports has none."""
    bars = [
        Bar(
            f"{int(each.day[8:])}",
            parse_quantity(each.total.error_pct or "0"),
            f"{telling.number(each.total.error_pct)} %" if each.total.error_pct else "-",
        )
        for each in days
    ]
    shown = bars if any(each.total.reports for each in days) else []
    return Chart(told["title_errors"], shown, "", told["none_errors"], keeps_last=True)


def table(
    day: DayFigures, before: DayFigures | None, telling: Telling, told: dict[str, str]
) -> list[Row]:
    """Return the figures of a day, its shifts and the day before; the first row names them."""
    shifts = day.shifts[:SHIFTS_SHOWN]
    heads = [told["whole"], *(safe(each.shift or "", 9) for each in shifts), told["before"]]
    tallies = [day.total, *shifts, before.total if before is not None else None]
    uom = day.total.made[0].uom if day.total.made else ""
    columns = [_column(each, uom, telling) for each in tallies]
    return [
        Row("", heads),
        *(
            Row(told[f"row_{name}"], [column[place] for column in columns])
            for place, name in enumerate(ROWS)
        ),
    ]


def orders_lines(day: DayFigures, telling: Telling) -> list[str]:
    """Return what was made of each order that day, a line each, the most first."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    for each in day.hours:
        found = sums.setdefault((each.work_order, each.item, each.uom), [0, 0])
        found[0] += parse_quantity(each.good)
        found[1] += parse_quantity(each.scrapped)
    ranked = sorted(sums.items(), key=lambda pair: (-pair[1][0], pair[0]))
    return [
        f"{safe(order, 20)} {safe(item, 20)}: {_made_text(good, scrapped, telling)} {safe(uom, 8)}"
        for (order, item, uom), (good, scrapped) in ranked[:ORDERS_SHOWN]
    ]


def signs_text(total: Tally, told: dict[str, str]) -> str:
    """Return by which signs the reports of a day were found to be wrong."""
    return ", ".join(told[f"by_{each.by}"].format(n=each.reports) for each in total.wrong_by)


def _column(tally: Tally | None, uom: str, telling: Telling) -> list[str]:
    if tally is None:
        return [""] * len(ROWS)
    made = next((each for each in tally.made if each.uom == uom), Made(uom, "0", "0"))
    median = tally.resolve_median_s
    return [
        telling.number(tally.reports),
        telling.number(tally.wrong),
        _pct(tally.error_pct, telling),
        f"{telling.number(made.good)} / {telling.number(made.scrapped)}",
        _pct(tally.first_pass_pct, telling),
        f"{telling.number(tally.opened)} / {telling.number(tally.ended)}",
        "-" if median is None else seconds_text(median, telling.words),
    ]


def _pct(value: str | None, telling: Telling) -> str:
    return "-" if value is None else f"{telling.number(value)} %"


def _hours_between(starts: Sequence[str]) -> list[str]:
    """Return the hours from the first to the last."""
    hours = list(starts[:1])
    while hours and hours[-1] < starts[-1] and len(hours) < HOURS_MAX:
        later = [each for each in starts if each > hours[-1]]
        hours.append(min(plus_seconds(hours[-1], 3600), later[0]))
    return hours


def _hour(instant: str, zone: tzinfo) -> str:
    return f"{to_datetime(instant).astimezone(zone):%H}"


def _made_text(good: int, scrapped: int, telling: Telling) -> str:
    text = telling.number(format_quantity(good))
    return text if not scrapped else f"{text} +{telling.number(format_quantity(scrapped))}"

"""The report of a shift that was signed off: as text, and as pages of A4 to sign and file.

Both say the same. The hash of the log's last entry stands at the end, large enough to be typed:
with it `audit verify --anchor` proves later that nothing before it was changed or cut off.
"""

from collections.abc import Iterator
from typing import Final
from zoneinfo import ZoneInfo

from msgspec import Struct

from mes_terminal.domain.instants import to_datetime
from mes_terminal.domain.shift_report import LeftContainer, ShiftReport
from mes_terminal.printing.page import Line, Mark, Sheet, Text

TITLE: Final = "Shift report"
WIDTH_MM: Final = 210.0
HEIGHT_MM: Final = 297.0
MARGIN_MM: Final = 18.0
RIGHT_MM: Final = WIDTH_MM - MARGIN_MM
VALUE_MM: Final = 92.0
TOP_MM: Final = 24.0
BOTTOM_MM: Final = HEIGHT_MM - 18.0
ROW_MM: Final = 5.6
SECTION_MM: Final = 5.0
"""White above the title of a section."""
ANCHOR_PT: Final = 15.0
ANCHOR_ROW_MM: Final = 8.0
GROUP: Final = 8
GROUPS_A_LINE: Final = 4
NAME_COLUMNS: Final = 34


class Section(Struct, frozen=True):
    """A part of the report: what it is about, and rows of a name and what there is to say."""

    title: str
    rows: list[tuple[str, str]]


def report_text(report: ShiftReport, zone: ZoneInfo) -> list[str]:
    """Return the lines of the report."""
    lines = [f"{TITLE} · {heading(report)}", ""]
    for section in _sections(report, zone):
        lines += [section.title.upper()]
        lines += [f"  {name:<{NAME_COLUMNS}}{value}".rstrip() for name, value in section.rows]
        lines.append("")
    lines.append(f"LOG ENTRY {report.anchor.sequence}")
    lines += [f"  {line}" for line in anchor_lines(report.anchor.hash)]
    return lines


def report_sheets(report: ShiftReport, zone: ZoneInfo) -> list[Sheet]:
    """Return the pages of the report; the anchor and the line to sign on close the last one."""
    pages: list[list[Mark]] = [_head(report)]
    y_mm = TOP_MM + 12
    for section in _sections(report, zone):
        if y_mm + SECTION_MM + 2 * ROW_MM > BOTTOM_MM:
            pages.append([])
            y_mm = TOP_MM
        y_mm += SECTION_MM
        pages[-1] += _title(section.title, y_mm)
        y_mm += ROW_MM + 0.8
        for name, value in section.rows:
            if y_mm > BOTTOM_MM:
                pages.append([])
                y_mm = TOP_MM
            pages[-1] += _row(name, value, y_mm)
            y_mm += ROW_MM
    foot = list(_foot(report))
    foot_mm = SECTION_MM + ANCHOR_ROW_MM * 4 + 18
    if y_mm + foot_mm > BOTTOM_MM:
        pages.append([])
        y_mm = TOP_MM
    pages[-1] += [_lower(mark, y_mm + SECTION_MM) for mark in foot]
    title = f"{TITLE} {heading(report)}"
    return [
        Sheet(width_mm=WIDTH_MM, height_mm=HEIGHT_MM, marks=(*marks, _number(n, len(pages))),
              title=title)
        for n, marks in enumerate(pages, start=1)
    ]  # fmt: skip


def heading(report: ShiftReport) -> str:
    """Return what names the shift: `A · 2026-11-20 · LINE3-ST02`."""
    day = report.production_day
    parts = (report.shift, f"{day[:4]}-{day[4:6]}-{day[6:]}", report.station)
    return " · ".join(part for part in parts if part)


def anchor_lines(digest: str) -> list[str]:
    """Return a hash in groups, a few a line, as it is typed."""
    groups = [digest[at : at + GROUP] for at in range(0, len(digest), GROUP)]
    starts = range(0, len(groups), GROUPS_A_LINE)
    return ["  ".join(groups[at : at + GROUPS_A_LINE]) for at in starts]


def _sections(report: ShiftReport, zone: ZoneInfo) -> Iterator[Section]:
    left, totals = report.open, report.totals
    yield Section(
        "Shift",
        [
            ("From", _time(report.began_at, zone)),
            ("Signed off", _time(report.ended_at, zone)),
            ("By", f"{report.person_name} ({report.person})"),
        ],
    )
    made = [
        (
            each.item,
            f"{each.good} {each.uom} good, {each.scrapped} scrapped, "
            f"in {_many(each.reports, 'report')}",
        )
        for each in totals.items
    ]
    yield Section("Made", [*(made or [("Nothing", "")]), ("Taken back", str(totals.taken_back))])
    kinds = [(f"  {each.kind}", str(each.count)) for each in left.exceptions]
    over = report.handed_over
    handed = [("Handed over to", f"{over.name} ({over.badge}): {over.count}")] if over else []
    yield Section(
        "Exceptions",
        [
            ("Opened", str(totals.opened)),
            ("Ended", str(totals.ended)),
            ("Open", str(left.exceptions_open) if left.exceptions_open else "zero open"),
            *kinds,
            *handed,
            ("Approvals open", str(left.approvals)),
        ],
    )
    stops = [
        (each.reason, f"{each.minutes} min in {_many(each.stops, 'stop')}") for each in totals.stops
    ]
    stands = [("The line stands", left.stopped)] if left.stopped else []
    yield Section("Line stops", [*(stops or [("None", "")]), *stands])
    yield Section(
        "Left behind",
        [
            *_in_process(report),
            *(("Mounted", _container(each)) for each in left.mounted),
            *(("Set aside", _container(each)) for each in left.set_aside),
            *([("Count open", left.count)] if left.count is not None else []),
            ("Calls for material", f"{totals.calls}, of them open: {left.calls}"),
            ("Postings unsent", str(left.unsent)),
        ],
    )


def _in_process(report: ShiftReport) -> Iterator[tuple[str, str]]:
    left = report.open
    for each in left.in_process:
        begun = f"{each.units} begun, " if each.units != "0" else ""
        to_report = f"{begun}{each.remaining} {each.uom} to report"
        yield "In process", f"{each.work_order}, {each.item}: {to_report}"
    more = left.in_process_orders - len(left.in_process)
    if more:
        yield "In process", f"and {more} orders more"


def _many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _container(each: LeftContainer) -> str:
    name = each.container or each.lot
    what = f"{each.item} {name}" if name else each.item
    at = f"{each.position}: " if each.position and each.position != each.item else ""
    return f"{at}{what}, {each.left} {each.uom} left"


def _time(instant: str, zone: ZoneInfo) -> str:
    return to_datetime(instant).astimezone(zone).strftime("%Y-%m-%d %H:%M")


def _head(report: ShiftReport) -> list[Mark]:
    return [
        Text(x_mm=MARGIN_MM, y_mm=TOP_MM, text=TITLE, size_pt=22, bold=True),
        Text(x_mm=RIGHT_MM, y_mm=TOP_MM, text=heading(report), size_pt=12, align="right",
             width_mm=100),
        Line(x1_mm=MARGIN_MM, y1_mm=TOP_MM + 5, x2_mm=RIGHT_MM, y2_mm=TOP_MM + 5, stroke_mm=0.8),
    ]  # fmt: skip


def _title(title: str, y_mm: float) -> list[Mark]:
    return [
        Text(x_mm=MARGIN_MM, y_mm=y_mm, text=title, size_pt=11, bold=True),
        Line(x1_mm=MARGIN_MM, y1_mm=y_mm + 1.6, x2_mm=RIGHT_MM, y2_mm=y_mm + 1.6, stroke_mm=0.15),
    ]


def _row(name: str, value: str, y_mm: float) -> list[Mark]:
    return [
        Text(x_mm=MARGIN_MM, y_mm=y_mm, text=name, size_pt=9.5, width_mm=VALUE_MM - MARGIN_MM - 4),
        Text(x_mm=VALUE_MM, y_mm=y_mm, text=value, size_pt=9.5, width_mm=RIGHT_MM - VALUE_MM),
    ]


def _foot(report: ShiftReport) -> Iterator[Mark]:
    """Yield the anchor and the line for a name, from zero down."""
    yield Text(x_mm=MARGIN_MM, y_mm=0, text=f"Log entry {report.anchor.sequence}", size_pt=11,
               bold=True)  # fmt: skip
    y_mm = ANCHOR_ROW_MM
    for line in anchor_lines(report.anchor.hash):
        yield Text(x_mm=MARGIN_MM, y_mm=y_mm, text=line, size_pt=ANCHOR_PT, bold=True,
                   width_mm=RIGHT_MM - MARGIN_MM)  # fmt: skip
        y_mm += ANCHOR_ROW_MM
    yield Text(x_mm=MARGIN_MM, y_mm=y_mm - 2,
               text="Proves the log up to here: mes-terminal audit verify --anchor, then these "
                    "64 signs without spaces.",
               size_pt=8, width_mm=RIGHT_MM - MARGIN_MM)  # fmt: skip
    y_mm += 14
    yield Line(x1_mm=MARGIN_MM, y1_mm=y_mm, x2_mm=MARGIN_MM + 80, y2_mm=y_mm, stroke_mm=0.2)
    yield Text(x_mm=MARGIN_MM, y_mm=y_mm + 4, text="Name and date", size_pt=8)


def _lower(mark: Mark, by_mm: float) -> Mark:
    if isinstance(mark, Line):
        return Line(x1_mm=mark.x1_mm, y1_mm=mark.y1_mm + by_mm, x2_mm=mark.x2_mm,
                    y2_mm=mark.y2_mm + by_mm, stroke_mm=mark.stroke_mm)  # fmt: skip
    assert isinstance(mark, Text)
    return Text(x_mm=mark.x_mm, y_mm=mark.y_mm + by_mm, text=mark.text, size_pt=mark.size_pt,
                bold=mark.bold, align=mark.align, width_mm=mark.width_mm)  # fmt: skip


def _number(page: int, pages: int) -> Mark:
    return Text(x_mm=RIGHT_MM, y_mm=HEIGHT_MM - 10, text=f"{page} / {pages}", size_pt=8,
                align="right")  # fmt: skip

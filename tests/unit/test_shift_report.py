"""The printed report of a shift: what it says, and that it fits the page (issue 5, part 2)."""

from typing import Final
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from mes_terminal.domain.shift_report import ItemTotal, LeftContainer, OrderInProcess
from mes_terminal.printing.page import Line, Sheet, Text
from mes_terminal.printing.render import render, width_of
from mes_terminal.printing.shift_report import (
    BOTTOM_MM,
    HEIGHT_MM,
    anchor_lines,
    report_sheets,
    report_text,
)
from mes_terminal.tui.gallery_shift import OPEN, REPORT, TOTALS

BERLIN: Final = ZoneInfo("Europe/Berlin")
DIGEST: Final = REPORT.anchor.hash


def texts(sheets: list[Sheet]) -> list[Text]:
    return [mark for sheet in sheets for mark in sheet.marks if isinstance(mark, Text)]


def test_text_and_page_say_the_same() -> None:
    """Two forms of one report, by the wall clock of the site."""
    lines = report_text(REPORT, BERLIN)
    told = " ".join(" ".join(lines).split()).lower()
    for mark in texts(report_sheets(REPORT, BERLIN)):
        if mark.text not in ("1 / 1", "Name and date") and not mark.text.startswith("Proves"):
            assert " ".join(mark.text.split()).lower() in told, mark.text
    assert "2026-11-20 06:02" in told
    for part in ("163 pcs good, 2 scrapped, in 64 reports", "21.5 min in 2 stops",
                 "tom b. (sup-2): 4", "wo-1001, chair-4: 5 begun, 37 pcs to report",
                 "set aside chain c-310, 12.5 m left"):  # fmt: skip
        assert part in told, part


def test_the_hash_is_whole_in_groups_and_large() -> None:
    """`audit verify --anchor`: somebody types it from paper."""
    assert "".join(" ".join(anchor_lines(DIGEST)).split()) == DIGEST
    large = [mark for mark in texts(report_sheets(REPORT, BERLIN)) if mark.size_pt >= 15]
    assert [mark.text for mark in large if mark.text in anchor_lines(DIGEST)] == anchor_lines(
        DIGEST
    )
    for mark in large:
        assert mark.width_mm is None or mark.width_mm >= width_of(
            mark.text, size_pt=mark.size_pt, is_bold=mark.bold
        ), "it is not made smaller"


def test_nothing_open_is_said_so() -> None:
    """Zero open, no stops, nothing made."""
    empty = replace(
        REPORT,
        handed_over=None,
        open=replace(OPEN, exceptions=[], in_process=[], mounted=[], set_aside=[], stopped=None),
        totals=replace(TOTALS, items=[], stops=[]),
    )
    told = "\n".join(report_text(empty, BERLIN))
    assert "zero open" in told
    assert "Handed over" not in told
    assert "The line stands" not in told


def test_a_long_report_goes_on_on_the_next_page() -> None:
    """The most that a report lists; nothing stands below the foot, the anchor stands once."""
    many = replace(
        REPORT,
        open=replace(
            OPEN,
            in_process=[OrderInProcess(f"WO-{n}", "CHAIR", "1", "2", "pcs") for n in range(50)],
            in_process_orders=70,
            mounted=[LeftContainer(f"P{n}", "LEG", f"L-{n}", None, "1", "pcs") for n in range(50)],
        ),
        totals=replace(TOTALS, items=[ItemTotal(f"I-{n}", "pcs", "1", "0", 1) for n in range(40)]),
    )
    sheets = report_sheets(many, BERLIN)
    assert len(sheets) > 2
    for page, sheet in enumerate(sheets, start=1):
        for mark in sheet.marks:
            lowest = mark.y_mm if isinstance(mark, Text) else max(mark.y1_mm, mark.y2_mm)  # type: ignore[union-attr]
            if isinstance(mark, Text) and mark.text == f"{page} / {len(sheets)}":
                continue
            assert 0 < lowest <= HEIGHT_MM - 10, mark
    shown = [mark.text for mark in texts(sheets)]
    assert shown.count(anchor_lines(DIGEST)[0]) == 1
    assert "and 20 orders more" in shown
    assert any(mark.y_mm > BOTTOM_MM - 40 for mark in texts(sheets[:1])), "the page is used"
    assert all(isinstance(mark, Text | Line) for sheet in sheets for mark in sheet.marks)


def test_it_is_one_pdf_whatever_names_hold() -> None:
    """Names come from files: a page shows them, and is a page still."""
    hostile = replace(REPORT, person_name="\x1b[31m\u202eX\0" * 40, station="(%s) Tj ET" * 9)
    (pdf,) = render(report_sheets(hostile, BERLIN), "pdf")
    assert pdf.startswith(b"%PDF")
    assert b"\x1b[31m" not in pdf

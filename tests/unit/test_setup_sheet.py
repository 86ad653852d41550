"""The set-up sheet as printed: every code is read back from the picture of the page."""

import io

import pytest
import zxingcpp
from PIL import Image

from hardware.sheet import SHEET, LineSettings, Sent
from hardware.sheet_check import check_sheet, recognise
from mes_terminal.cli.scanner_test import printed_codes
from mes_terminal.printing.page import Sheet, Symbol, Text
from mes_terminal.printing.render import render
from mes_terminal.printing.setup_sheet import HEIGHT_MM, MARGIN_MM, WIDTH_MM, setup_sheet
from tests.printed_codes import PRINTED
from tests.sheet_round_trip import assert_comes_out_right


@pytest.fixture(scope="module")
def sheet() -> Sheet:
    (only,) = setup_sheet(printed_codes())
    return only


@pytest.fixture(scope="module")
def seen(sheet: Sheet) -> dict[bytes, str]:
    """What zxing reads from the page at 300 dpi: the bytes and their AIM identifier."""
    picture = Image.open(io.BytesIO(render([sheet], "png", dpi=300)[0]))
    found = zxingcpp.read_barcodes(picture, formats=PRINTED)
    return {bytes(each.bytes): each.symbology_identifier for each in found if each.valid}


def test_every_code_of_the_page_is_read_back_as_it_was_meant(seen: dict[bytes, str]) -> None:
    assert set(seen.items()) == {(code.data, code.aim) for code in SHEET}


def test_a_scanner_that_sends_what_is_printed_has_nothing_to_change(seen: dict[bytes, str]) -> None:
    """From the page through the check and the station's own pipeline."""
    arrived = {}
    for data, aim in seen.items():
        read = Sent(aim.encode() + data + b"\r")
        number = recognise(read, LineSettings())
        assert number is not None
        arrived[number] = read
    check = check_sheet(arrived, LineSettings())
    assert (check.findings, check.read) == ((), tuple(range(1, 8)))
    assert_comes_out_right(check, arrived)


def test_everything_stands_on_the_page_within_its_margins(sheet: Sheet) -> None:
    assert (sheet.width_mm, sheet.height_mm) == (WIDTH_MM, HEIGHT_MM)
    for mark in sheet.marks:
        if isinstance(mark, Symbol):
            right = mark.x_mm + len(mark.modules[0]) * mark.module_mm
            assert mark.x_mm >= MARGIN_MM
            assert right <= WIDTH_MM - MARGIN_MM
        if isinstance(mark, Text):
            assert MARGIN_MM <= mark.y_mm <= HEIGHT_MM - 8


def test_no_two_codes_are_in_a_scanners_sight_at_once(sheet: Sheet) -> None:
    """At least 12 mm of white between neighbours, above each other or beside each other."""
    boxes = [
        (
            mark.x_mm,
            mark.y_mm,
            mark.x_mm + len(mark.modules[0]) * mark.module_mm,
            mark.y_mm + len(mark.modules) * mark.row_height_mm,
        )
        for mark in sheet.marks
        if isinstance(mark, Symbol)
    ]
    assert len(boxes) == len(SHEET)
    for position, one in enumerate(boxes):
        for other in boxes[position + 1 :]:
            gaps = (other[0] - one[2], one[0] - other[2], other[1] - one[3], one[1] - other[3])
            assert max(gaps) >= 12


def test_the_pdf_is_one_page(sheet: Sheet) -> None:
    (content,) = render([sheet], "pdf")
    assert content.startswith(b"%PDF")
    assert content.count(b"/Type /Page\n") + content.count(b"/Type /Page ") == 1

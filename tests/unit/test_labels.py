"""Every label of the sample plant is read back and means what it was printed for."""

import io
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from mes_terminal.barcodes.decode import decode
from mes_terminal.barcodes.interpret import interpret
from mes_terminal.cli.main import run as program
from mes_terminal.domain import intent as meant
from mes_terminal.domain.rules import CodeRules
from mes_terminal.domain.session import Session
from mes_terminal.errors import InputError
from mes_terminal.printing import labels
from mes_terminal.printing.page import Sheet, Symbol, Text
from mes_terminal.printing.pages import TravellerFacts, traveller
from mes_terminal.printing.render import fitted, picture, render, width_of
from mes_terminal.printing.symbols import code_128, data_matrix
from mes_terminal.printing.template_reading import built_in
from mes_terminal.store.database import open_reader
from mes_terminal.usecases.read_code import read_code
from tests.architecture.source import ROOT
from tests.printed_codes import PRINTED

DPI = 300
GAP_MM = 9.0
"""White between two codes of a page: more than the spot of a hand scanner held to one of them."""
LABELS: list[tuple[str, list[tuple[type, str]]]] = [
    ("traveller WO-1001", [(meant.StartOrder, "WO-1001"), (meant.ReportOrder, "WO-1001")]),
    ("lot LEG L-77 400", [(meant.UseMaterial, "")]),
    ("unit EBIKE EB-0001", [(meant.ReportUnit, "EB-0001")]),
    ("box CHAIR-4 WO-1001 24 B-1", [(meant.ReportItem, "CHAIR-4")]),
    ("badge anna", [(meant.PresentBadge, "anna")]),
    ("location LINE", [(meant.Refuse, "location LINE")]),
    ("finished CHAIR-4", [(meant.ReportItem, "CHAIR-4")]),
    ("link CHAIR-4", [(meant.ReportItem, "CHAIR-4")]),
    ("text WO-1002", [(meant.ReportOrder, "WO-1002")]),
    ("gs1 01=02000000004013 30=5", [(meant.ReportItem, "CHAIR-4")]),
    ("container DRUM-1 PAINT P-1", [(meant.UseMaterial, "")]),
]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("plant") / "a.db"
    assert program(["--db", str(database), "load", str(ROOT / "config" / "sample-plant")]) == 0
    return database


def print_label(plant: Path, words: str, folder: Path, form: str) -> list[bytes]:
    folder.mkdir(exist_ok=True)
    code = program(
        ["--db", str(plant), "labels", *words.split(), "--form", form, "--out", str(folder),
         "--dpi", str(DPI)]
    )  # fmt: skip
    assert code == 0
    return [path.read_bytes() for path in sorted(folder.iterdir())]


def codes_in(image: Image.Image) -> list[tuple[str, bytes]]:
    """Return what a scanner with symbology identifiers would send, from top to bottom."""
    found = zxingcpp.read_barcodes(image, formats=PRINTED)
    found.sort(key=lambda one: (one.position.top_left.y // 20, one.position.top_left.x))
    return [(one.symbology_identifier, one.bytes) for one in found]


def intents(plant: Path, codes: list[tuple[str, bytes]]) -> Iterator[Any]:
    reader = open_reader(plant)
    for identifier, data in codes:
        payload = decode(identifier.encode() + data, CodeRules())
        yield interpret(payload, Session(), read_code(reader.conn, payload))
    reader.close()


@pytest.mark.parametrize(("words", "expected"), LABELS, ids=[words for words, _ in LABELS])
def test_a_label_is_read_back_to_the_intent_it_was_made_for(
    plant: Path, words: str, expected: list[tuple[type, str]], tmp_path: Path
) -> None:
    (png,) = print_label(plant, words, tmp_path / "png", "png")
    made = list(intents(plant, codes_in(Image.open(io.BytesIO(png)))))
    assert [type(one) for one in made] == [kind for kind, _ in expected]
    assert all(name in repr(one) for one, (_, name) in zip(made, expected, strict=True))


def test_a_box_label_reports_its_quantity_as_a_box(plant: Path, tmp_path: Path) -> None:
    """BF-34."""
    (png,) = print_label(plant, "box CHAIR-4 WO-1001 24 B-1", tmp_path / "png", "png")
    (made,) = intents(plant, codes_in(Image.open(io.BytesIO(png))))
    assert (made.quantity_micro, made.box) == (24_000_000, "CHAIR-4|B-1")


def test_the_command_card_has_every_command_and_reason_that_works(
    plant: Path, tmp_path: Path
) -> None:
    pages = print_label(plant, "command-card", tmp_path / "png", "png")
    codes = [code for page in pages for code in codes_in(Image.open(io.BytesIO(page)))]
    said = {data.decode() for _, data in codes}
    assert said >= {"%UNDO", "%CANCEL", "%HELP", "%EMPTY", "%UNMOUNT", "%QTY 5", "%SHORT MATERIAL"}
    assert not [one for one in intents(plant, codes) if isinstance(one, meant.Refuse)]


def test_what_a_label_printer_is_sent_is_what_the_picture_shows(
    plant: Path, tmp_path: Path
) -> None:
    (zpl,) = print_label(plant, "lot LEG L-77 400", tmp_path / "zpl", "zpl")
    width = int(re.search(rb"\^PW(\d+)", zpl)[1])  # type: ignore[index]
    height = int(re.search(rb"\^LL(\d+)", zpl)[1])  # type: ignore[index]
    found = re.search(rb"\^GFA,(\d+),(\d+),(\d+),([0-9A-F]+)\^FS", zpl)
    assert found is not None
    row_bytes = int(found[3])
    assert int(found[1]) == row_bytes * height == len(found[4]) // 2
    dots = Image.frombytes("1", (row_bytes * 8, height), bytes.fromhex(found[4].decode()))
    image = dots.crop((0, 0, width, height)).convert("L").point(lambda level: 255 - level)
    assert codes_in(image) == [("]d1", b"LEG|L-77|400")]


@pytest.mark.skipif(shutil.which("pdftoppm") is None, reason="poppler-utils show a PDF")
def test_the_pdf_shows_the_same_code(plant: Path, tmp_path: Path) -> None:
    print_label(plant, "traveller WO-1003", tmp_path / "pdf", "pdf")
    (pdf,) = (tmp_path / "pdf").iterdir()
    subprocess.run(["pdftoppm", "-r", "200", "-png", str(pdf), str(tmp_path / "page")], check=True)
    (page,) = tmp_path.glob("page*.png")
    said = {data for _, data in codes_in(Image.open(page))}
    assert said == {b"%START WO-1003", b"WO-1003", b"%OP 10 WO-1003", b"%OP 20 WO-1003",
                    b"%OP 30 WO-1003"}  # fmt: skip


def test_the_svg_draws_every_module(plant: Path, tmp_path: Path) -> None:
    (svg,) = print_label(plant, "text WO-1001", tmp_path / "svg", "svg")
    bars = re.findall(rb"M[\d.]+ [\d.]+h[\d.]+v16h", svg)
    assert len(bars) == len([bar for bar in code_128("WO-1001").rows[0].split("0") if bar])
    assert b"WO-1001</text>" in svg


LONG = TravellerFacts(
    work_order="WO-9", item="ENGINE-60", description="<b>&\x1b[31m" + "long " * 900,
    quantity="10", uom="pcs", due="",
    operations=[(str(n), "Do\u202e it") for n in range(10, 70, 10)],
    components=[(str(n), f"PART-{n}", "1 pcs", "LINE") for n in range(60)],
)  # fmt: skip
PAGES = traveller(LONG, built_in().traveller)


def symbols(sheet: Sheet) -> list[Symbol]:
    return [mark for mark in sheet.marks if isinstance(mark, Symbol)]


@pytest.mark.parametrize("sheet", [*PAGES, labels.text_label("WO-1")])
def test_codes_stand_apart_and_nothing_leaves_the_page(sheet: Sheet) -> None:
    """A hand scanner must not catch the neighbour, whatever the plant calls its things."""
    codes = symbols(sheet)
    for one in codes:
        assert one.x_mm >= 3
        assert one.x_mm + one.width_mm <= sheet.width_mm - 3
        for other in codes:
            if other is not one:
                apart = max(
                    other.x_mm - one.x_mm - one.width_mm, one.x_mm - other.x_mm - other.width_mm,
                    other.y_mm - one.y_mm - one.height_mm, one.y_mm - other.y_mm - other.height_mm,
                )  # fmt: skip
                assert apart >= GAP_MM
    for text in (mark for mark in sheet.marks if isinstance(mark, Text)):
        set_as = fitted(text)
        assert set_as.text.isprintable()
        width = width_of(set_as.text, size_pt=set_as.size_pt, is_bold=text.bold)
        assert width <= (text.width_mm or sheet.width_mm) + 0.01


@given(st.sampled_from(["2036-11-20", "WO-1107", "Anna Berger"]), st.floats(0.68, 1.0))
def test_a_text_that_can_be_set_smaller_is_not_cut(text: str, part: float) -> None:
    wide_mm = width_of(text, size_pt=18, is_bold=True)
    mark = Text(x_mm=0, y_mm=0, text=text, size_pt=18, bold=True, width_mm=wide_mm * part)
    assert fitted(mark).text == text


def test_an_order_with_a_long_number_still_has_bars() -> None:
    order = "PO-2026-4711-LINE3-000012"
    facts = TravellerFacts(
        work_order=order, item="I", description="", quantity="1", uom="pcs", due=""
    )  # fmt: skip
    (sheet,) = traveller(facts, built_in().traveller)
    assert {said.decode() for _, said in codes_in(picture(sheet, 600))} == {
        order, f"%START {order}",
    }  # fmt: skip


def test_an_order_with_many_operations_has_a_code_for_each() -> None:
    codes = [said.decode() for page in PAGES for _, said in codes_in(picture(page, DPI))]
    assert [code for code in codes if code.startswith("%OP")] == [
        f"%OP {n} WO-9" for n in range(10, 70, 10)
    ]


def test_every_component_of_a_long_order_is_on_some_page() -> None:
    said = {mark.text for sheet in PAGES for mark in sheet.marks if isinstance(mark, Text)}
    assert {f"PART-{n}" for n in range(60)} <= said


@example("99")
@example("990")
@example('000:0000"00000:00*000(00000000')
@given(st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=30))
def test_any_printable_ascii_reads_back_from_bars(text: str) -> None:
    assert read_back(code_128(text).rows, linear=True) == text.encode()


@pytest.mark.parametrize("letter", "ñòóôÂé€")
def test_bars_hold_no_letter_beyond_ascii(letter: str) -> None:
    """Some of them stand for FNC1 to FNC4 where bars are made: a scanner would read a command."""
    with pytest.raises(InputError, match="characters that Code 128 cannot hold"):
        code_128(f"PI{letter}ON")


@given(st.text(min_size=1, max_size=30).filter(lambda text: "\0" not in text))
def test_any_text_reads_back_from_a_data_matrix(text: str) -> None:
    raw = text.encode("utf-8", "replace")
    assert read_back(data_matrix(raw.decode()).rows, linear=False) == raw


def read_back(rows: tuple[str, ...], *, linear: bool) -> bytes:
    mark = Symbol(
        x_mm=10, y_mm=10, modules=rows, module_mm=0.5, row_height_mm=10 if linear else 0.5
    )
    sheet = Sheet(
        width_mm=mark.width_mm + 20, height_mm=mark.height_mm + 20, marks=(mark,), title="x"
    )
    form: Any = zxingcpp.BarcodeFormat.Code128 if linear else zxingcpp.BarcodeFormat.DataMatrix
    found = zxingcpp.read_barcodes(picture(sheet, DPI), formats=form)
    # a part of the bars may by chance be a code of its own: the whole one is the widest
    whole = max(found, key=lambda one: one.position.bottom_right.x - one.position.top_left.x)
    return bytes(whole.bytes)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["poster"], "no label 'poster'"),
        (["traveller"], "labels traveller ORDER"),
        (["traveller", "WO-NONE"], "no order 'WO-NONE'"),
        (["lot", "NOTHING", "L"], "no item 'NOTHING'"),
        (["badge", "nobody"], "no badge 'nobody'"),
        (["link", "LEG"], "no GTIN"),
        (["gs1", "01"], "no element"),
        (["gs1", "01=1"], "Data Matrix"),
        (["text", "x" * 3000], "too"),
    ],
)
def test_what_cannot_be_printed_is_told_in_one_sentence(
    plant: Path, words: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert program(["--db", str(plant), "labels", *words, "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert said in told
    assert len(told.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_given_data_needs_no_database(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "a.png"
    words = ["--db", str(tmp_path / "none.db"), "labels", "text", "WO-1", "--form", "png"]
    assert program([*words, "--out", str(out), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told == {"file": str(out), "kind": "text", "sheets": 1}
    assert codes_in(Image.open(out)) == [("]C0", b"WO-1")]


def test_a_pdf_of_several_labels_is_one_document() -> None:
    sheets = [labels.text_label(f"WO-{n}") for n in range(3)]
    assert len(render(sheets, "pdf")) == 1
    assert len(render(sheets, "zpl")) == 3


def test_decode_says_what_a_label_names(plant: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "]C1010200000000401310WO-1001"
    assert program(["--db", str(plant), "decode", "--json", code]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["code"], told["rule"]) == (code, "structured")
    assert told["meanings"] == [{"kind": "lot", "key": "CHAIR-4|WO-1001"}]

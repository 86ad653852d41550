"""Any template is refused with a sentence, or what it prints reads back and overlaps nothing."""

import json
import math
import tempfile
from pathlib import Path
from typing import Any, Final

import zxingcpp
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from mes_terminal.barcodes.decode import decode
from mes_terminal.domain.rules import CodeRules
from mes_terminal.errors import InputError
from mes_terminal.printing import contents
from mes_terminal.printing.contents import CARRIERS, SAMPLES, Content, FinishedGoods
from mes_terminal.printing.labels import label
from mes_terminal.printing.page import Line, Sheet, Symbol, Text
from mes_terminal.printing.pages import Card, TravellerFacts, cards, traveller
from mes_terminal.printing.render import fitted, picture, render, width_of
from mes_terminal.printing.symbols import FNC1, message
from mes_terminal.printing.template_reading import KINDS, read_templates
from mes_terminal.printing.templates import MODULE_MIN_MM, Templates
from tests.printed_codes import PRINTED

EXAMPLES = settings(
    max_examples=150, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)  # fmt: skip
MM_PER_PT = 25.4 / 72
GAP_MM = 9.0
"""White between two codes of a page: more than the spot of a hand scanner."""
QUIET = {"linear": 10, "square": 1}
"""The least white that the standards ask for, in modules; QR codes ask for more and get it."""


def toml(value: Any) -> str:
    """Return a value as TOML; tables inline."""
    match value:
        case dict():
            return "{" + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + "}"
        case list():
            return "[" + ", ".join(toml(one) for one in value) + "]"
        case bool():
            return str(value).lower()
        case float() if not math.isfinite(value):
            return str(value)
        case str():
            return json.dumps(value, ensure_ascii=True).replace("\\ud", "\\ue")
        case _:
            return repr(value)


def read(raw: dict[str, Any]) -> Templates | None:
    """Return the templates of a file; `None` where they are refused in one sentence."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "own.toml"
        lines = [f"{json.dumps(kind)} = {toml(table)}" for kind, table in raw.items()]
        file.write_text("\n".join(lines), encoding="utf-8")
        try:
            return read_templates(file)
        except InputError as error:
            told = error.sentence
    assert told.startswith(f"{file}: ")
    assert len(told.splitlines()) == 1
    assert told.isprintable()
    return None


NUMBERS = st.one_of(
    st.integers(-5, 400), st.floats(0, 100, width=32), st.sampled_from([math.nan, math.inf, 10**30])
)
ANYTHING: st.SearchStrategy[Any] = st.recursive(
    st.one_of(NUMBERS, st.booleans(), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["text", "facts", "size_pt", "x", "caption"]), inner,
                        max_size=3),
    ),
    max_leaves=6,
)  # fmt: skip
NAMES = st.sampled_from(
    ["width_mm", "height_mm", "margin_x_mm", "margin_y_mm", "rows", "code", "foot", "words",
     "columns", "title_pt", "name_pt", "size_pt", "symbology", "place", "align", "size_mm",
     "module_mm", "gap_mm", "domain", "left", "right", "start", "title", "widht"]
)  # fmt: skip
HOSTILE = st.dictionaries(
    st.one_of(st.sampled_from(sorted(KINDS)), st.text(max_size=5)),
    st.one_of(
        ANYTHING,
        st.dictionaries(NAMES, st.one_of(ANYTHING, st.dictionaries(NAMES, ANYTHING, max_size=3)),
                        max_size=3),
    ),
    min_size=1, max_size=2,
)  # fmt: skip


@EXAMPLES
@given(HOSTILE)
def test_any_file_is_read_or_refused_in_one_sentence(raw: dict[str, Any]) -> None:
    templates = read(raw)
    if templates is not None:
        for sample in SAMPLES.values():
            render([label(sample, templates)], "svg")


@EXAMPLES
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused_in_one_sentence(raw: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "own.toml"
        file.write_bytes(raw)
        try:
            read_templates(file)
            told = "read"
        except InputError as error:
            told = error.sentence
    assert len(told.splitlines()) == 1


def millimetres(low: float, high: float) -> st.SearchStrategy[float]:
    """Whole numbers too: a plant writes both."""
    either = st.floats(low, high, width=16)
    return st.one_of(st.integers(math.ceil(low), int(high)), either) if high > 1 else either


WORDS = st.sampled_from(
    ["{code}", "{place}", "Lot {{x}} {place}", "", "A line of text", "Ü \u4e2d \u202e"]
)
FACTS = st.fixed_dictionaries({"text": WORDS}, optional={"caption": WORDS})
LOOK: dict[str, st.SearchStrategy[Any]] = {
    "size_pt": millimetres(5, 24),
    "gap_mm": millimetres(0, 4),
    "align": st.sampled_from(["left", "centre", "right"]),
    "bold": st.booleans(),
}
ROWS = st.lists(
    st.one_of(
        st.fixed_dictionaries({"text": WORDS}, optional=LOOK),
        st.fixed_dictionaries(
            {"facts": st.lists(FACTS, max_size=4), "columns": st.integers(1, 4)},
            optional={**LOOK, "caption_pt": millimetres(5, 12)},
        ),
    ),
    max_size=4,
)
FOOT = st.fixed_dictionaries({"left": WORDS, "right": WORDS, "size_pt": millimetres(5, 10)})


@st.composite
def templates_of(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Draw a table that a plant might write for a kind of label."""
    code = {
        "symbology": draw(st.lists(st.sampled_from(CARRIERS[kind]), min_size=1, max_size=2)),
        "place": draw(st.sampled_from(["left", "right", "top", "bottom"])),
        "align": draw(LOOK["align"]),
        "size_mm": draw(millimetres(5, 80)),
        "height_mm": draw(millimetres(5, 30)),
        "gap_mm": draw(millimetres(0, 10)),
        "domain": draw(st.sampled_from(["https://id.gs1.org", "http://x.example:8080/a/b-1"])),
    }
    if draw(st.booleans()):
        code["module_mm"] = draw(millimetres(0.25, 1.5))
    table = {
        "width_mm": draw(millimetres(20, 200)),
        "height_mm": draw(millimetres(15, 150)),
        "margin_x_mm": draw(millimetres(1, 8)),
        "margin_y_mm": draw(millimetres(1, 8)),
        "rows": draw(ROWS),
        "foot": draw(FOOT),
        "code": code,
    }
    return {kind: table}


GS1 = st.text("ABCxyz0123456789-./()%&+", min_size=1, max_size=20)
PLAIN = st.text("ABCxyz0123456789-. ", min_size=1, max_size=14).filter(str.strip)
GTIN = st.sampled_from([None, "04012345678901", "2000000004013"])


DOTS_MIN: Final = 3
"""Dots of the printer in a module of a square code, below which not every reading succeeds."""


@st.composite
def content_of(draw: st.DrawFn, kind: str) -> Content:
    """Draw what a label of a kind may say."""
    goods = FinishedGoods(
        item=draw(PLAIN), gtin=draw(GTIN), lot=draw(st.one_of(st.none(), GS1)),
        serial=draw(GS1) if kind == "unit" else None, place="LINE",
        expires_on=draw(st.sampled_from([None, "2031-02-28"])),
        quantity=str(draw(st.integers(1, 99))),
    )  # fmt: skip
    match kind:
        case "finished" | "unit":
            return contents.finished(goods)
        case "box":
            return contents.box(goods, draw(GS1))
        case "link":
            assume(goods.gtin)
            return contents.link(goods)
        case "gs1":
            return contents.gs1([("10", draw(GS1)), ("21", draw(GS1))], "LINE")
        case _:
            return contents.text(draw(st.text(min_size=1, max_size=30)), "LINE")


def bytes_of(content: Content, found: Any, domain: str) -> bytes:
    """Return what a code of these symbols must hold."""
    identifier = found.symbology_identifier
    if identifier in ("]C1", "]d2", "]Q3"):
        assert content.elements is not None
        return message(content.elements, FNC1).encode("latin-1").replace(b"\xf1", b"\x1d")
    if identifier == "]Q1" and found.text.startswith(domain + "/01/"):
        assert content.elements is not None
        fields = decode(b"]Q1" + bytes(found.bytes), CodeRules()).fields
        assert fields is not None
        assert {ai: str(fields[ai]) for ai, _ in content.elements if ai != "17"} == {
            ai: value for ai, value in content.elements if ai != "17"
        }
        assert fields.get("17") == ("2031-02-28" if "17" in dict(content.elements) else None)
        return bytes(found.bytes)
    assert content.plain is not None
    return content.plain.encode("utf-8", "replace")


@EXAMPLES
@given(st.data(), st.sampled_from(["finished", "unit", "box", "link", "gs1", "text"]),
       st.sampled_from([203, 300]))  # fmt: skip
def test_what_is_printed_by_any_template_reads_back(
    data: st.DataObject, kind: str, dpi: int
) -> None:
    raw = data.draw(templates_of(kind))
    templates = read(raw)
    assume(templates is not None)
    content = data.draw(content_of(kind))
    try:
        sheet = label(content, templates)
    except InputError as error:
        is_told(error, kind)
        return
    nothing_overlaps(sheet)
    (symbol,) = [mark for mark in sheet.marks if isinstance(mark, Symbol)]
    assume(len(symbol.modules) == 1 or symbol.module_mm * dpi / 25.4 >= DOTS_MIN)
    seen = zxingcpp.read_barcodes(picture(sheet, dpi), formats=PRINTED)
    codes = [one for one in seen if one.valid]
    domain = raw[kind]["code"]["domain"]
    assert any(bytes(one.bytes) == bytes_of(content, one, domain) for one in codes)


def is_told(error: InputError, kind: str) -> None:
    """What cannot be printed names the file, the table and the key, in one line."""
    assert f"own.toml: {kind}." in error.sentence
    assert len(error.sentence.splitlines()) == 1


def nothing_overlaps(sheet: Sheet) -> None:
    """No text reaches into a code or its white, into another text, or off the sheet."""
    (symbol,) = [mark for mark in sheet.marks if isinstance(mark, Symbol)]
    is_linear = len(symbol.modules) == 1
    white = QUIET["linear" if is_linear else "square"] * symbol.module_mm
    across = white - 0.02
    down = 0.0 if is_linear else across
    assert symbol.module_mm >= MODULE_MIN_MM - 1e-6
    assert symbol.x_mm >= across
    assert symbol.y_mm >= down
    assert symbol.x_mm + symbol.width_mm + across <= sheet.width_mm
    assert symbol.y_mm + symbol.height_mm + down <= sheet.height_mm
    taken = [
        (symbol.x_mm - across, symbol.y_mm - down, symbol.x_mm + symbol.width_mm + across,
         symbol.y_mm + symbol.height_mm + down)
    ]  # fmt: skip
    for mark in sheet.marks:
        if isinstance(mark, Text) and fitted(mark).text.strip():
            taken.append(room_of(fitted(mark)))
        if isinstance(mark, Line):
            taken.append((mark.x1_mm, mark.y1_mm, mark.x2_mm, mark.y2_mm))
    for number, one in enumerate(taken):
        for other in taken[:number]:
            assert not overlap(one, other), (one, other)
        assert one[0] >= -0.1
        assert one[2] <= sheet.width_mm + 0.1
        assert one[3] <= sheet.height_mm


def room_of(text: Text) -> tuple[float, float, float, float]:
    """Return a text's edges: left, the top of its capitals, right, its baseline."""
    wide = width_of(text.text, size_pt=text.size_pt, is_bold=text.bold)
    left = text.x_mm - {"left": 0, "centre": wide / 2, "right": wide}[text.align]
    return left, text.y_mm - 0.72 * text.size_pt * MM_PER_PT, left + wide, text.y_mm


def overlap(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    room = 0.02
    return (
        one[0] + room < other[2] and other[0] + room < one[2]
        and one[1] + room < other[3] and other[1] + room < one[3]
    )  # fmt: skip


@st.composite
def pages_of(draw: st.DrawFn, kind: str) -> dict[str, Any]:
    """Draw a table that a plant might write for a kind of page."""
    table: dict[str, Any] = {
        "width_mm": draw(millimetres(120, 420)),
        "height_mm": draw(millimetres(170, 420)),
        "margin_x_mm": draw(millimetres(3, 25)),
        "margin_y_mm": draw(millimetres(3, 25)),
        "size_pt": draw(millimetres(6, 12)),
        "name_pt": draw(millimetres(6, 14)),
        "title_pt": draw(millimetres(8, 30)),
        "foot": {"left": "{title}", "right": draw(st.sampled_from(["", "{place}"]))},
        "code": {
            "symbology": draw(st.lists(st.sampled_from(CARRIERS[kind]), min_size=1, max_size=2)),
            "size_mm": draw(millimetres(8, 30)),
            "height_mm": draw(millimetres(6, 20)),
            "module_mm": draw(millimetres(0.25, 0.625)),
        },
    }
    if kind == "command-card":
        table["columns"] = draw(st.integers(1, 4))
    return {kind: table}


@settings(EXAMPLES, max_examples=20)
@given(st.data(), st.integers(0, 7), st.integers(0, 60))
def test_a_traveller_by_any_template_has_every_code_and_line(
    data: st.DataObject, operations: int, lines: int
) -> None:
    templates = read(data.draw(pages_of("traveller")))
    assume(templates is not None)
    assert templates is not None
    facts = TravellerFacts(
        work_order="WO-1", item="I", description="", quantity="1", uom="pcs", due="",
        operations=[(str(n * 10), "Do it") for n in range(1, operations + 1)],
        components=[(str(n), f"PART-{n}", "1 pcs", "LINE") for n in range(lines)],
    )  # fmt: skip
    try:
        sheets = traveller(facts, templates.traveller, templates.where("traveller"))
    except InputError as error:
        is_told(error, "traveller")
        return
    wanted = {"WO-1", "%START WO-1", *(f"%OP {n * 10} WO-1" for n in range(1, operations + 1))}
    assert read_on(sheets) == wanted
    said = {mark.text for sheet in sheets for mark in sheet.marks if isinstance(mark, Text)}
    assert {f"PART-{n}" for n in range(lines)} <= said


@settings(EXAMPLES, max_examples=20)
@given(st.data())
def test_command_cards_by_any_template_have_every_code(data: st.DataObject) -> None:
    templates = read(data.draw(pages_of("command-card")))
    assume(templates is not None)
    assert templates is not None
    codes = [Card(f"QTY {n}", "of the next code", f"%QTY {n}") for n in range(30)]
    sheets = cards("Commands", codes, "LINE", templates.card, templates.where("command-card"))
    assert read_on(sheets) == {card.code for card in codes}


def read_on(sheets: list[Sheet]) -> set[str]:
    """Return what is read on pages; no code or text leaves its page."""
    for sheet in sheets:
        symbols = [mark for mark in sheet.marks if isinstance(mark, Symbol)]
        for one in symbols:
            assert one.x_mm >= 0
            assert one.x_mm + one.width_mm <= sheet.width_mm
            assert one.y_mm + one.height_mm <= sheet.height_mm
            for other in symbols:
                apart = max(
                    other.x_mm - one.x_mm - one.width_mm, one.x_mm - other.x_mm - other.width_mm,
                    other.y_mm - one.y_mm - one.height_mm, one.y_mm - other.y_mm - other.height_mm,
                )  # fmt: skip
                assert other is one or apart >= GAP_MM
    return {
        one.text
        for sheet in sheets
        for one in zxingcpp.read_barcodes(picture(sheet, 300), formats=PRINTED)
    }

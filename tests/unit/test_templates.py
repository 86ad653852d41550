"""A plant's own label templates print and read back; wrong ones are told in a sentence."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from mes_terminal.barcodes.decode import decode
from mes_terminal.barcodes.interpret import interpret
from mes_terminal.cli.main import run as program
from mes_terminal.domain import intent as meant
from mes_terminal.domain.rules import CodeRules
from mes_terminal.domain.session import Session
from mes_terminal.errors import InputError
from mes_terminal.printing import contents
from mes_terminal.printing.contents import CARRIERS, SAMPLES
from mes_terminal.printing.labels import label
from mes_terminal.printing.page import Text
from mes_terminal.printing.render import Form, picture, render
from mes_terminal.printing.template_reading import (
    KINDS,
    built_in,
    built_in_table,
    built_in_text,
    read_templates,
)
from mes_terminal.printing.templates import (
    CardTemplate,
    Code,
    Fact,
    LabelTemplate,
    PageCode,
    PageTemplate,
    Row,
    TravellerTemplate,
)
from mes_terminal.store.database import open_reader
from mes_terminal.usecases.read_code import read_code
from tests.architecture.source import ROOT
from tests.printed_codes import codes_in, codes_on

IDENTIFIERS = {
    "code128": "]C0",
    "gs1-128": "]C1",
    "datamatrix": "]d",
    "qr": "]Q",
    "digital-link": "]Q",
}
FORMS: list[Form] = ["pdf", "svg", "png", "zpl"]
WIDE = "width_mm = 150\nheight_mm = 90\n"
BELOW = 'place = "bottom"\nsize_mm = 26\nheight_mm = 16\nmodule_mm = 0.3\n'
WORDS = {
    "traveller": ["traveller WO-1001"],
    "lot": ["lot LEG L-77 400"],
    "container": ["container DRUM-1 PAINT P-1"],
    "finished": ["finished CHAIR-4", "finished LEG"],
    "unit": ["unit EBIKE EB-0001"],
    "box": ["box CHAIR-4 WO-1001 24 B-1"],
    "link": ["link CHAIR-4"],
    "badge": ["badge anna"],
    "location": ["location LINE"],
    "text": ["text WO-1002"],
    "gs1": ["gs1 01=02000000004013 30=5"],
    "command-card": ["command-card"],
}
MEANT: dict[str, set[tuple[type, str]]] = {
    "traveller WO-1001": {(meant.StartOrder, "WO-1001"), (meant.ReportOrder, "WO-1001")},
    "lot LEG L-77 400": {(meant.UseMaterial, "")},
    "container DRUM-1 PAINT P-1": {(meant.UseMaterial, "")},
    "finished CHAIR-4": {(meant.ReportItem, "CHAIR-4")},
    "unit EBIKE EB-0001": {(meant.ReportUnit, "EB-0001")},
    "box CHAIR-4 WO-1001 24 B-1": {(meant.ReportItem, "CHAIR-4|B-1")},
    "link CHAIR-4": {(meant.ReportItem, "CHAIR-4")},
    "badge anna": {(meant.PresentBadge, "anna")},
    "location LINE": {(meant.Refuse, "location LINE")},
    "text WO-1002": {(meant.ReportOrder, "WO-1002")},
    "gs1 01=02000000004013 30=5": {(meant.ReportItem, "CHAIR-4")},
}
CASES = [
    (kind, symbology, words)
    for kind, symbologies in CARRIERS.items()
    for symbology in symbologies
    for words in WORDS[kind]
    if words in MEANT
]


@pytest.fixture(scope="module")
def plant(tmp_path_factory: pytest.TempPathFactory) -> Path:
    database = tmp_path_factory.mktemp("plant") / "a.db"
    assert program(["--db", str(database), "load", str(ROOT / "config" / "sample-plant")]) == 0
    return database


def own(folder: Path, text: str) -> Path:
    file = folder / "own.toml"
    file.write_text(text, encoding="utf-8")
    return file


def printed(plant: Path, words: str, folder: Path, *options: str, form: str = "png") -> bytes:
    out = folder / f"out.{form}"
    call = ["--db", str(plant), "labels", *words.split(), "--form", form, "--out", str(out)]
    assert program([*call, *options]) == 0
    return out.read_bytes()


def intents(plant: Path, codes: list[tuple[str, bytes]]) -> list[Any]:
    reader = open_reader(plant)
    try:
        payloads = [decode(identifier.encode() + data, CodeRules()) for identifier, data in codes]
        return [interpret(one, Session(), read_code(reader.conn, one)) for one in payloads]
    finally:
        reader.close()


@pytest.mark.parametrize(("kind", "symbology", "words"), CASES, ids=lambda one: str(one))
def test_a_label_in_any_symbology_that_carries_it_means_the_same(
    plant: Path, kind: str, symbology: str, words: str, tmp_path: Path
) -> None:
    is_page = kind == "traveller"
    text = f'[{kind}]\n{"" if is_page else WIDE}[{kind}.code]\nsymbology = "{symbology}"\n'
    file = own(tmp_path, text + ("" if is_page else BELOW))
    png = printed(plant, words, tmp_path, "--template", str(file))
    codes = codes_on(png, "png")
    assert {identifier[: len(IDENTIFIERS[symbology])] for identifier, _ in codes} == {
        IDENTIFIERS[symbology]
    }
    made = {(type(one), repr(one)) for one in intents(plant, codes)}
    assert len(made) == len(MEANT[words])
    for wanted, name in MEANT[words]:
        assert any(kind is wanted and name in said for kind, said in made)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_every_form_of_a_built_in_label_shows_the_same_code(kind: str, form: Form) -> None:
    (document,) = render([label(SAMPLES[kind])], form, dpi=203)
    (png,) = render([label(SAMPLES[kind])], "png", dpi=300)
    assert len(codes_on(png, "png")) == 1
    assert codes_on(document, form) == codes_on(png, "png")


SMALL = """
[finished]
width_mm = 60
height_mm = 40
margin_x_mm = 4
margin_y_mm = 4
rows = [{ text = "{item}", size_pt = 14, bold = true }, { text = "Lot {lot} until {expires_on}" }]
foot = { left = "", right = "" }
[finished.code]
symbology = "digital-link"
domain = "https://products.example.com/de"
place = "right"
size_mm = 24
"""


@pytest.mark.parametrize("form", FORMS)
def test_every_form_follows_an_own_template(form: Form, tmp_path: Path) -> None:
    templates = read_templates(own(tmp_path, SMALL))
    sheet = label(SAMPLES["finished"], templates)
    (document,) = render([sheet], form, dpi=203)
    link = b"https://products.example.com/de/01/04012345678901/10/LOT-1?17=301231"
    assert codes_on(document, form) == [("]Q1", link)]
    assert (sheet.width_mm, sheet.height_mm) == (60, 40)
    assert [mark.text for mark in sheet.marks if isinstance(mark, Text)] == [
        "ITEM-1", "Lot LOT-1 until 2030-12-31",
    ]  # fmt: skip
    other = label(SAMPLES["lot"], templates)
    assert other == label(SAMPLES["lot"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_of_a_built_in_template_prints_the_same(
    kind: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert program(["labels", "--show-template", kind]) == 0
    copy = capsys.readouterr().out
    assert list(tomllib.loads(copy)) == [kind]
    assert copy == built_in_table(kind)
    templates = read_templates(own(tmp_path, copy))
    for name in ("labels", "traveller", "card"):
        assert getattr(templates, name) == getattr(built_in(), name)


def test_all_built_in_templates_can_be_shown_and_used(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert program(["labels", "--show-template"]) == 0
    text = capsys.readouterr().out
    assert text == built_in_text()
    assert list(tomllib.loads(text)) == list(tomllib.loads("".join(map(built_in_table, WORDS_IN))))
    read_templates(own(tmp_path, text))


WORDS_IN = list(tomllib.loads(built_in_text()))


def test_a_template_is_shipped_for_every_kind() -> None:
    assert set(WORDS_IN) == set(KINDS) == set(CARRIERS) == set(WORDS)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert "printing/*.toml" in project["tool"]["setuptools"]["package-data"]["mes_terminal"]


def test_the_template_of_the_settings_is_used_and_the_option_wins(
    plant: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MES_TERMINAL_LABELS__TEMPLATE", str(own(tmp_path, SMALL)))
    (code,) = codes_on(printed(plant, "finished CHAIR-4", tmp_path), "png")
    assert code == ("]Q1", b"https://products.example.com/de/01/02000000004013")
    plain = tmp_path / "plain.toml"
    plain.write_text("")
    (code,) = codes_on(
        printed(plant, "finished CHAIR-4", tmp_path, "--template", str(plain)), "png"
    )
    assert code == ("]d2", b"0102000000004013")


def test_the_first_symbology_that_can_carry_the_code_is_taken(plant: Path, tmp_path: Path) -> None:
    """Items with a GTIN as GS1-128, the others by the station's own code."""
    file = own(
        tmp_path, f'[finished]\n{WIDE}[finished.code]\nsymbology = ["gs1-128", "code128"]\n{BELOW}'
    )
    codes = [
        codes_on(printed(plant, words, tmp_path, "--template", str(file)), "png")
        for words in ("finished CHAIR-4", "finished LEG")
    ]
    assert codes == [[("]C1", b"0102000000004013")], [("]C0", b"LEG")]]


def test_what_has_only_empty_fields_is_left_out_and_the_rest_moves_up(tmp_path: Path) -> None:
    rows = '{ text = "{description}" }, { text = "Lot {lot} {expires_on}" }, { text = "{{x}}" }'
    templates = read_templates(own(tmp_path, f"[lot]\nrows = [{rows}]"))
    sample = SAMPLES["lot"]
    bare = type(sample)(
        kind="lot",
        name="L",
        plain="A|L",
        fields=sample.fields | {"description": "", "expires_on": ""},
    )
    full, short = (
        [mark for mark in label(one, templates).marks if isinstance(mark, Text)]
        for one in (sample, bare)
    )
    assert [mark.text for mark in short[:2]] == ["Lot LOT-1 ", "{x}"]
    assert short[0].y_mm == full[0].y_mm


WRONG = [
    ("[lots]\nwidth_mm = 10", "lots is no kind of label. Did you mean lot?"),
    ("lot = 3", "lot is 3. It must be a table."),
    ("[lot]\nwidht_mm = 50", "lot.widht_mm is no key. Did you mean width_mm?"),
    ("[lot]\nwidth_mm = 0", "lot.width_mm is 0. It must be a number from 10 to 300."),
    ("[lot]\nwidth_mm = nan", "lot.width_mm is nan. It must be a number"),
    ("[lot]\nwidth_mm = inf", "lot.width_mm is inf. It must be a number"),
    (f"[lot]\nwidth_mm = {'9' * 400}", "lot.width_mm is a number without end."),
    ("[lot]\nwidth_mm = '50'", "lot.width_mm is '50'. It must be a number"),
    ("[lot]\nwidth_mm = 1979-05-27", "lot.width_mm is a date. It must be a number"),
    ("[lot.code]\nsize_mm = 0", "lot.code.size_mm is 0. It must be a number from 3 to 200."),
    ("[lot.code]\nmodule_mm = 0.1", "lot.code.module_mm is 0.1. It must be a number from 0.25"),
    ("[lot.code]\nplace = 'middle'", "lot.code.place is 'middle'. It must be one of left, right,"),
    ("[lot.code]\nsymbology = 'ean13'", "lot.code.symbology is 'ean13'. It must be one of code128"),
    ("[lot.code]\nsymbology = []", "lot.code.symbology has 0 entries. It must have from 1 to 5."),
    ("[lot.code]\nsymbology = 'gs1-128'", "lot.code.symbology: gs1-128 cannot carry the code"),
    ("[box.code]\nsymbology = 'code128'", "box.code.symbology: code128 cannot carry the code"),
    ("[traveller.code]\nsymbology = 'gs1-128'", "traveller.code.symbology: gs1-128 cannot carry"),
    ("[link.code]\ndomain = 'id.example.com'", "link.code.domain is 'id.example.com'. It must"),
    ("[link.code]\ndomain = 'https://x.de/01/2'", "link.code.domain is 'https://x.de/01/2'."),
    ("[lot]\nrows = 'x'", "lot.rows is 'x'. It must be a list."),
    ("[lot]\nrows = ['x']", "lot.rows[1] is 'x'. It must be a table."),
    ("[lot]\nrows = [{ size_pt = 9 }]", "lot.rows[1] must have either text or facts."),
    ("[lot]\nrows = [{ text = 'a', facts = [] }]", "lot.rows[1] must have either text or facts."),
    ("[lot]\nrows = [{ facts = [{ caption = 'a' }] }]", "lot.rows[1].facts[1] has no text."),
    ("[lot]\nrows = [{ text = 'a', colour = 1 }]", "lot.rows[1].colour is no key. Did you"),
    ("[lot]\nrows = [{ text = '{itm}' }]", "lot.rows[1].text names {itm}, which is no field of"),
    ("[lot]\nrows = [{ text = '{item.x}' }]", "lot.rows[1].text names {item.x}, which is no field"),
    ("[lot]\nrows = [{ text = '{}' }]", "lot.rows[1].text names {}, which is no field"),
    ("[lot]\nrows = [{ text = '{item!r}' }]", "lot.rows[1].text is '{item!r}': {item} may hold"),
    ("[lot]\nrows = [{ text = '{item:9}' }]", "lot.rows[1].text is '{item:9}': {item} may hold"),
    ("[lot]\nrows = [{ text = '{item' }]", "lot.rows[1].text is '{item': "),
    ("[lot]\nrows = [{ facts = [{ text = 'a' }], columns = 4, size_pt = 30 }]", "lot.rows[1]: Its"),
    ("[lot.foot]\nsize_pt = 90", "lot.rows: The rows need"),
    ("[lot.foot]\nleft = '{serial}'", "lot.foot.left names {serial}, which is no field of it."),
    ("[traveller.words]\nstart = '{item}'", "traveller.words.start names {item}, which is no"),
    ("[command-card.words]\nstop = 'x'", "command-card.words.stop is no key."),
    ("[lot]\nheight_mm = 20", "lot.rows: The rows need"),
    ("[lot]\nwidth_mm = 45", "lot.code.size_mm: The code leaves"),
    ("[lot]\nmargin_x_mm = 50", "lot.margin_x_mm: There is no room for a code"),
    ("[lot.code]\nsize_mm = 3", "lot.code.size_mm: 'ITEM-1|LOT-1|100' is too long for this"),
    ("[finished.code]\nsymbology = 'gs1-128'", "finished.code.size_mm: '(01)04012345678901(17)"),
    ("[text.code]\nheight_mm = 60", "text.code.height_mm: The code is 60 mm high"),
    ("[traveller]\nheight_mm = 120", "traveller.height_mm: "),
    ("[command-card]\nwidth_mm = 100\ncolumns = 4", "command-card.code.size_mm: '%UNMOUNT' is too"),
    ("[lot", "is no valid TOML"),
    ("a = " + "[" * 5000, "is no valid TOML"),
    (f"a = {'9' * 5000}", "is no valid TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), WRONG, ids=[said[:40] for _, said in WRONG])
def test_a_wrong_template_is_told_with_file_table_and_key(
    text: str, said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = own(tmp_path, text)
    assert program(["labels", "text", "A", "--template", str(file), "--out", str(tmp_path)]) == 2
    told = capsys.readouterr().err
    assert f"{file}: {said}" in told
    assert len(told.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["own.toml"]


@pytest.mark.parametrize("content", [None, b"\xff\xfe", b"#" * 300_000, "folder"])
def test_a_file_that_cannot_be_read_is_told(content: bytes | str | None, tmp_path: Path) -> None:
    file = tmp_path / "none.toml"
    if isinstance(content, str):
        file.mkdir()
    elif content is not None:
        file.write_bytes(content)
    with pytest.raises(InputError, match=rf"^{re.escape(str(file))}: ") as caught:
        read_templates(file)
    assert caught.value.exit_code == 2


def test_a_code_too_long_for_the_template_names_file_table_and_key(tmp_path: Path) -> None:
    file = own(tmp_path, "[lot.code]\nsize_mm = 6")
    content = SAMPLES["lot"]
    long = type(content)(kind="lot", name="L", fields=content.fields, plain="A|" + "L" * 200)
    with pytest.raises(InputError, match=r"own\.toml: lot\.code\.size_mm: 'A\|L+…' is too long"):
        label(long, read_templates(file))


def test_a_text_that_cannot_be_drawn_still_has_its_label() -> None:
    sheet = label(contents.text("A\nB\x00", "LINE"))
    assert codes_in(picture(sheet, 203)) == [("]C0", b"A\nB\x00")]


def test_an_unknown_kind_has_no_template(capsys: pytest.CaptureFixture[str]) -> None:
    assert program(["labels", "--show-template", "poster"]) == 2
    assert "no label 'poster'" in capsys.readouterr().err
    assert program(["labels"]) == 2
    assert "Name a kind of label" in capsys.readouterr().err


def test_brackets_in_a_lot_stay_in_the_lot(tmp_path: Path) -> None:
    """`L(21)5` is one lot, not a lot and a serial number."""
    templates = read_templates(own(tmp_path, '[finished.code]\nsymbology = ["datamatrix"]'))
    sample = SAMPLES["finished"]
    odd = type(sample)(
        kind="finished", name="x", fields=sample.fields,
        elements=[("01", "04012345678901"), ("10", "L(21)5")],
    )  # fmt: skip
    (code,) = codes_in(picture(label(odd, templates), 300))
    assert code == ("]d2", b"010401234567890110L(21)5")


def test_the_example_of_the_docs_prints_and_reads_back(plant: Path, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    file = str(own(tmp_path, example))
    codes = {
        words: codes_on(printed(plant, words, tmp_path, "--template", file), "png")
        for words in ("finished CHAIR-4 WO-1001", "finished LEG", "lot LEG L-77 400", "badge anna")
    }
    assert codes == {
        "finished CHAIR-4 WO-1001": [
            ("]Q1", b"https://id.example.com/01/02000000004013/10/WO-1001")
        ],
        "finished LEG": [("]d1", b"LEG")],
        "lot LEG L-77 400": [("]C0", b"LEG|L-77|400")],
        "badge anna": [("]Q1", b"B:anna")],
    }


def test_the_docs_name_every_key_field_and_symbology() -> None:
    page = (ROOT / "docs" / "labels.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(?:code\.|foot\.)?([a-z_0-9-]+)`", page))
    keys = set(Row.__struct_fields__) | set(Fact.__struct_fields__)
    for table in (LabelTemplate, Code, PageTemplate, PageCode, TravellerTemplate, CardTemplate):
        keys |= set(table.__struct_fields__)
    fields = {field for sample in SAMPLES.values() for field in sample.fields}
    numbered = {field for field in fields if re.fullmatch(r"\w+_[2-4]", field)}
    symbologies = {symbology for carriers in CARRIERS.values() for symbology in carriers}
    assert (keys | fields | symbologies | set(KINDS)) - numbered - named == set()

"""Situation cards: one for each situation, in the screen's words, with codes that read back."""

import re
from pathlib import Path
from typing import Any, get_args

import pytest
from click.testing import CliRunner

from mes_terminal.barcodes.commands import COMMANDS
from mes_terminal.cli import situations as told
from mes_terminal.cli.main import cli
from mes_terminal.cli.session import Session
from mes_terminal.domain.outcome import ExceptionKind
from mes_terminal.printing.page import Box, Sheet, Symbol, Text
from mes_terminal.printing.render import render, width_of
from mes_terminal.printing.situation_cards import (
    CARD_HEIGHT_MM,
    Captions,
    card_marks,
    situation_cards,
    wrapped,
)
from mes_terminal.tui.words import LANGUAGES, words_for
from tests.architecture.source import ROOT
from tests.printed_codes import codes_on

DOCS = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
CAPTIONS = Captions("T", "m", "a", "s")


def names(language: str = "en") -> list[str]:
    return [each.name for each in told.situations(words_for(language), "%")]


def reasons(heading: str) -> set[str]:
    """Return the reasons that docs/commands.md lists below a heading."""
    section = DOCS.split(heading)[1].split("\n#")[0]
    return set(re.findall(r"^\| `([a-z_]+)`", section, re.MULTILINE)) or set(
        re.findall(r"`([a-z_]+)`", section)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_and_every_exception_kind_has_a_card(language: str) -> None:
    """Issue 5, part 8: one card a situation, in each language of the screen."""
    found = names(language)
    words = words_for(language)
    assert len(set(found)) == len(found)
    expected = {f"rejected: {reason}" for reason in words.rejected}
    expected |= {f"needs: {reason}" for reason in words.needs}
    expected |= {f"already_done: {reason}" if reason else "already_done"
                 for reason in words.already_done}  # fmt: skip
    expected |= {f"exception: {kind}" for kind in get_args(ExceptionKind)}
    expected |= {f"sign: {tone}" for tone in words.signs} | {"unknown"}
    assert set(found) == expected


def test_the_reasons_of_the_commands_page_are_those_of_the_cards() -> None:
    found = set(names())
    for outcome in ("rejected", "needs"):
        listed = reasons(f"### Reasons of `{outcome}`")
        assert listed
        assert {f"{outcome}: {reason}" for reason in listed} <= found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_says_what_it_means_and_what_to_do(language: str) -> None:
    for each in told.situations(words_for(language), "%"):
        assert each.means, each.name
        assert each.said, each.name
        assert each.action or each.name.startswith("sign: "), each.name
        assert each.word == words_for(language).signs[each.tone]


def test_a_refusal_is_stop_a_question_do_and_an_exception_check() -> None:
    tones = {each.name: each.tone for each in told.situations(words_for("en"), "%")}
    assert {tones[name] for name in tones if name.startswith("rejected")} == {"stop"}
    assert {tones[name] for name in tones if name.startswith("needs")} == {"do"}
    assert {tones[name] for name in tones if name.startswith("exception")} == {"check"}


def test_each_code_is_a_command_of_the_station_and_of_a_situation() -> None:
    assert set(told.CODES) <= set(names())
    assert {code.split()[0] for code in told.CODES.values()} <= set(COMMANDS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_a_card_reaches_into_its_code_or_its_foot(language: str) -> None:
    from mes_terminal.printing.layout import Area

    for each in told.situations(words_for(language), "%"):
        area = Area(0, 0, 91.5, CARD_HEIGHT_MM)
        marks = list(card_marks(each, CAPTIONS, "PLACE", area))
        texts = [mark for mark in marks if isinstance(mark, Text)]
        code_text = [text.y_mm for text in texts if text.text == each.code]
        foot_mm = min(text.y_mm for text in texts if text.text in (each.name, "PLACE"))
        symbols = [mark.y_mm for mark in marks if isinstance(mark, Symbol)]
        floor_mm = min(symbols) if symbols else foot_mm - 3
        flowing = [text.y_mm for text in texts if text.text not in (each.name, "PLACE", each.code)]
        assert max(flowing) <= floor_mm - 1.5, each.name
        assert not code_text or code_text[0] < foot_mm - 2


def test_a_text_is_wrapped_at_words_and_never_wider_than_its_place() -> None:
    text = "one two three four five six seven eight nine ten eleven twelve"
    lines = wrapped(text, 40, size_pt=9, bold=False)
    assert " ".join(lines) == text
    assert all(width_of(line, size_pt=9, is_bold=False) <= 40 for line in lines[:2])
    assert wrapped("x" * 200, 40, size_pt=9, bold=False) == ["x" * 200]


def pages(language: str = "en") -> list[Sheet]:
    every = list(told.situations(words_for(language), "%"))
    return list(situation_cards(every, CAPTIONS, "PLACE"))


@pytest.mark.parametrize("form", ["pdf", "png"])
def test_the_printed_codes_read_back(form: Any) -> None:
    """As printed, by a camera."""
    every = list(told.situations(words_for("en"), "%"))
    for number, sheet in enumerate(pages()):
        (document,) = render([sheet], form, dpi=300)
        expected = sorted(each.code for each in every[number * 6 : number * 6 + 6] if each.code)
        assert sorted(raw.decode() for _, raw in codes_on(document, form)) == expected


def test_colours_are_those_of_the_screen_and_dots_are_black() -> None:
    from mes_terminal.tui.themes import MANY

    (first, *_) = pages()
    grounds = [mark.colour for mark in first.marks if isinstance(mark, Box) and mark.filled]
    assert grounds[:4] == [MANY.tones[tone].ground for tone in ("ok", "do", "check", "stop")]
    (svg,) = render([first], "svg")
    assert b'fill="#009E73"' in svg
    (pdf,) = render([first], "pdf")
    assert pdf.startswith(b"%PDF")


def run(*words: str) -> Any:
    return CliRunner().invoke(cli, ["labels", *words], obj=Session())


def test_the_command_writes_one_document_in_the_language_asked_for(tmp_path: Path) -> None:
    out = tmp_path / "cards.pdf"
    done = run("situations", "--language", "de", "--out", str(out))
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(b"%PDF")
    for words in (("situations", "--language", "fr"), ("badge", "--language", "de"),
                  ("situations", "--show-template")):  # fmt: skip
        assert run(*words).exception is not None

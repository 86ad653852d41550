"""Exceptions in words: every kind, both languages, and what may end each (screens 9)."""

from datetime import UTC
from typing import get_args

import pytest

from mes_terminal.domain.desk import KindGroup
from mes_terminal.domain.outcome import Consumed, ExceptionKind
from mes_terminal.domain.resolving import Resolved
from mes_terminal.tui.gallery import NOW
from mes_terminal.tui.gallery_desk import exception, legs
from mes_terminal.tui.present_exceptions import group_name, heading_texts, row_line
from mes_terminal.tui.present_resolving import answer, choices, preview
from mes_terminal.tui.present_story import story
from mes_terminal.tui.telling import Telling
from mes_terminal.tui.words import LANGUAGES, words_for

EN = words_for("en")
TELLING = Telling(words=EN, zone=UTC, now=NOW)
KINDS = get_args(ExceptionKind)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_name_a_story_and_a_way_out(language: str, kind: str) -> None:
    words = words_for(language)
    assert set(words.desk.kinds) == set(words.desk.happened) == set(KINDS)
    row = exception(1, kind, item="LEG", lot="L-1", quantity="2", uom="pcs", location="LINE")
    told = [piece.text for piece in story(row, Telling(words=words, zone=UTC, now=NOW))]
    assert not any("{" in text or "}" in text for text in told)
    assert len(group_name(KindGroup(row.kind, "warn", 1, row.opened_at), "kind", words)) <= 20
    assert bool(choices(row, words, alone=True)) == (kind != "clock")
    assert bool(choices(row, words, alone=False)) == (kind != "clock")


@pytest.mark.parametrize("language", LANGUAGES)
def test_both_languages_have_the_same_words(language: str) -> None:
    desk, english = words_for(language).desk, EN.desk
    for name in english.__struct_fields__:
        mine, theirs = getattr(desk, name), getattr(english, name)
        if isinstance(theirs, dict) and name != "help":
            assert set(mine) == set(theirs), name


def test_a_story_in_sentences() -> None:
    """BF-22: what happened, when and where, what blocks it, what could be used."""
    assert [piece.text for piece in story(legs(7, "WO-1007", "12", "14:01"), TELLING)] == [
        "12 pcs LEG are owed: they are in the units, but in no stock.",
        "Opened 4 min ago (2026-11-20 14:01) when Anna K. was scanning. Order WO-1007, line 10. "
        "Cause: no stock there. Still open: 12 pcs, worth 96.00 EUR.",
        "Scanned at st02: WO-1007. Shift B.",
        "Shift lead sees to it. Due 2026-11-20 15:00.",
        "",
        "Waits for a lot of LEG at LINE that was there by then, or for your word.",
        "What may end it, the likeliest first",
        "1 Name L-78 at LINE if it was used: it came later, 400 pcs there.",
        "2 Name LEG-B B-3 at LINE if it stood in, 60 pcs there.",
        "3 Bring L-80 from STORE to LINE, 1200 pcs there.",
        "4 Write it off: the parts cannot be found.",
    ]


def test_an_ended_one_tells_what_mended_it_and_suggests_nothing() -> None:
    row = legs(7, "WO-1", "0", "14:01", status="resolved", resolution="posted after receipt R-9")
    told = [piece.text for piece in story(row, TELLING)]
    assert told[-2:] == ["How it ended", "posted after receipt R-9"]
    assert "Still open" not in told[1]


def test_a_cause_that_is_no_word_of_ours_is_shown_as_it_is() -> None:
    row = exception(1, "failed_scan", cause="disk I/O error")
    assert "Cause: disk I/O error." in story(row, TELLING)[1].text


def test_a_shortage_offers_what_lies_at_its_line_and_names_the_rest_by_scan() -> None:
    """BF-23: what lies elsewhere is moved first."""
    row = legs(7, "WO-1", "12", "14:01")
    alone = [each.text for each in choices(row, EN, alone=True)]
    assert alone == [
        "Post from what the rules find now",
        "From lot L-78 at LINE (400 pcs)",
        "LEG-B B-3 was used instead (60 pcs)",
        "From another lot …",
        "Another item was used …",
        "Another quantity was used …",
        "Write off …",
    ]
    together = [each.how for each in choices(row, EN, alone=False)]
    assert together == ["post", "change", "change", "write_off"]


def test_an_untracked_shortage_names_no_lot() -> None:
    row = legs(7, "WO-1", "12", "14:01", tracking="none", suggestions=[])
    asks = [each.asks for each in choices(row, EN, alone=True)]
    assert asks == [(), ("item", "item_lot"), ("quantity",), ("reason",)]


def test_rows_of_another_day_show_the_day() -> None:
    today = row_line(legs(1, "WO-1", "4", "13:22"), "kind", TELLING)
    before = row_line(exception(1, opened_at="2026-11-18T01:00:00.000000Z"), "kind", TELLING)
    assert (today.time, today.order, today.what, today.quantity) == (
        "13:22", "WO-1", "LEG", "4 pcs",
    )  # fmt: skip
    assert before.time == "11-18"


def test_the_heading_counts_and_tells_the_age_of_the_oldest() -> None:
    groups = [
        KindGroup("shortage", "warn", 99_999, "2026-11-20T13:05:12.000000Z"),
        KindGroup("unknown_code", "warn", 1, "2026-11-20T11:55:12.000000Z"),
    ]
    assert heading_texts(groups, TELLING, only_open=True) == ["100 000 open", "oldest 2 h 10"]
    long = [KindGroup("clock", "stop", 1, "2026-11-18T14:05:12.000000Z")]
    assert heading_texts(long, TELLING, only_open=False)[1] == "oldest 2 days"
    assert heading_texts([], TELLING, only_open=True) == ["Nothing is open."]


DRAWN = Consumed("10", "LEG", "L-78", None, "LINE", "12", "pcs", "assumed")
POSTED = Resolved(id=1, outcome="posted", message="", posted=[DRAWN])
PARTLY = Resolved(id=2, outcome="partly_posted", message="", posted=[DRAWN], open="3")
REFUSED = Resolved(id=3, outcome="refused", message="Name the lot that was used: L-78")


def test_a_preview_counts_what_would_end_and_says_the_gravest_first() -> None:
    """BF-23."""
    told = preview([POSTED, PARTLY, REFUSED, REFUSED], EN)
    assert (told.tone, told.lines) == (
        "check",
        [
            "1 would end, 3 would not.",
            "Name the lot that was used: L-78.",
            "posted: 12 pcs LEG L-78, still open: 3",
            "posted: 12 pcs LEG L-78",
        ],
    )
    assert (preview([REFUSED], EN).tone, preview([REFUSED], EN).lines[0]) == (
        "stop",
        "It would stay open.",
    )
    assert preview([POSTED, POSTED], EN).lines[0] == "All 2 would end."


def test_an_answer_says_what_ended_and_what_stays() -> None:
    assert answer([POSTED], EN).lines == ["It has ended.", "posted: 12 pcs LEG L-78"]
    mixed = answer([POSTED, REFUSED], EN)
    assert (mixed.tone, mixed.lines[0]) == ("check", "1 ended. Still open: 1.")
    assert (answer([PARTLY], EN).tone, answer([REFUSED], EN).tone) == ("check", "stop")


def test_a_sentence_as_the_cause_ends_once() -> None:
    """UP-9: a conflict is told by the site in a sentence."""
    row = exception(1, "site_conflict", item="CHAIR-4", cause="WO-1 has 105 of 100 ordered.")
    told = " ".join(piece.text for piece in story(row, TELLING))
    assert "Cause: WO-1 has 105 of 100 ordered. " in told
    assert ".." not in told

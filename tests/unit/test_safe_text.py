"""Hostile text: whatever is scanned, what reaches a terminal is printable and short."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.tui.safe_text import CODE_MAX_COLUMNS, column_count, safe, wrap


@given(st.text(max_size=300))
def test_no_text_holds_anything_that_moves_a_cursor_or_its_neighbours(text: str) -> None:
    shown = safe(text, 60)
    for character in shown:
        assert unicodedata.category(character)[0] not in "CMZ" or character in " �"
        assert unicodedata.bidirectional(character) not in ("R", "AL", "RLO", "LRO", "RLE", "RLI")
    assert column_count(shown) <= 60


@given(st.binary(max_size=5000))
def test_any_bytes_become_one_short_line(raw: bytes) -> None:
    shown = safe(raw.decode("utf-8", "surrogateescape"))
    assert "\n" not in shown
    assert column_count(shown) <= CODE_MAX_COLUMNS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("WO-1001", "WO-1001"),
        ("a\x1b[31mb", "a␛[31mb"),
        ("a\x00\x7f\x9bb", "a␀␡�b"),
        ("LOT[/]X", "LOT[/]X"),
        ("a\u202eb\u200bc", "a�b�c"),
        ("e\u0301", "é"),
        ("a\u0336", "a�"),
        ("Prüfen\u00a0!", "Prüfen !"),
        ("\ud800", "�"),
        ("שלום", "����"),
    ],
)
def test_each_kind_of_hostile_character_is_seen_and_harmless(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_what_does_not_fit_is_cut_and_says_so() -> None:
    assert safe("x" * 4096, 10) == "xxxxxxxxx…"
    assert safe("漢字漢字漢字", 5) == "漢字…"


@given(st.text(alphabet="ab c漢", max_size=80), st.integers(2, 20))
def test_wrapped_lines_fit_and_hold_every_letter(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert all(column_count(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_a_figure_is_not_broken_between_its_thousands() -> None:
    assert wrap("worth 139 200.00 EUR", 12) == ["worth", "139 200.00", "EUR"]
    assert wrap("LEG 4 pcs 1 234 567", 10) == ["LEG 4 pcs", "1 234 567"]
    assert wrap("WO 100 2000", 6) == ["WO 100", "2000"]

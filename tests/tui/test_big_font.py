"""Big letters: every size has the size it says, every sign of every language can be drawn."""

import pytest

from mes_terminal.tui import big_font
from mes_terminal.tui.glyphs import RICH
from mes_terminal.tui.words import LANGUAGES


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("text", ["OK", "63/100", "PRÜFEN", "✖ STOP", "I.-"])
def test_a_drawing_has_the_size_it_says(text: str, scale: int) -> None:
    lines = big_font.draw(text, scale)
    assert len(lines) == big_font.height_of(scale)
    assert {len(line) for line in lines} == {big_font.width_of(text, scale)}
    assert set("".join(lines)) <= set(" ▀▄█")


def test_every_sign_can_be_drawn() -> None:
    for words in LANGUAGES.values():
        for tone, sign in words.signs.items():
            assert big_font.can_draw(f"{RICH.tones[tone]} {sign}")  # type: ignore[index]
        assert big_font.can_draw(words.labels.lost_word)


def test_every_sign_fits_a_small_screen_in_large_letters() -> None:
    for words in LANGUAGES.values():
        for sign in words.signs.values():
            assert big_font.largest_scale(sign, 76, 7) >= 2


def test_what_has_no_letters_is_not_drawn() -> None:
    assert big_font.largest_scale("漢", 80, 24) == 0
    assert big_font.largest_scale("", 80, 24) == 0
    assert big_font.largest_scale("STOP", 10, 24) == 0

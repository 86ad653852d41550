"""The four tones: told apart in both themes, readable in both (screens 1)."""

import itertools

import pytest
from rich._palettes import STANDARD_PALETTE
from rich.color import Color, ColorSystem

from mes_terminal.tui import themes
from mes_terminal.tui.glyphs import PLAIN, RICH, Glyphs
from mes_terminal.tui.themes import MANY, SIXTEEN, Pair, Palette, contrast

TONES = ("ok", "do", "check", "stop", "calm")


def test_the_colours_are_those_of_the_page() -> None:
    assert {tone: (pair.text, pair.ground) for tone, pair in MANY.tones.items()} == {
        "ok": ("#000000", "#009E73"),
        "do": ("#FFFFFF", "#0072B2"),
        "check": ("#000000", "#E69F00"),
        "stop": ("#000000", "#D55E00"),
        "calm": ("#FFFFFF", "#303030"),
    }


@pytest.mark.parametrize("palette", [MANY, SIXTEEN], ids=lambda palette: palette.name)
def test_every_text_has_enough_contrast(palette: Palette) -> None:
    pairs = [*palette.tones.values(), palette.bar, palette.test]
    on_ground = [palette.text, palette.strong, palette.muted, palette.alert]
    pairs += [Pair(text, palette.ground) for text in (*on_ground, *palette.marks.values())]
    for pair in pairs:
        assert contrast(pair) >= 4.5, pair


@pytest.mark.parametrize("palette", [MANY, SIXTEEN], ids=lambda palette: palette.name)
def test_no_two_tones_look_alike(palette: Palette) -> None:
    grounds = {palette.tones[tone].ground for tone in TONES}  # type: ignore[index]
    assert len(grounds | {palette.test.ground}) == 6


def test_sixteen_colours_keep_the_tones_apart_where_the_many_would_not() -> None:
    """Measured: on 16 colours OK and DO both become cyan, CHECK and STOP both yellow."""
    assert len({_on_sixteen(MANY.tones[tone].ground) for tone in TONES[:4]}) < 4  # type: ignore[index]
    colours = [_on_sixteen(SIXTEEN.tones[tone].ground) for tone in TONES[:4]]  # type: ignore[index]
    assert colours == [2, 4, 11, 1]  # green, blue, yellow, red


def test_every_colour_of_the_second_theme_is_one_that_such_a_terminal_has() -> None:
    for name, value in themes.theme_of(SIXTEEN).variables.items():
        number = _on_sixteen(value)
        assert number is not None
        assert Color.parse(value).triplet == STANDARD_PALETTE[number], name


@pytest.mark.parametrize("glyphs", [RICH, PLAIN])
def test_each_tone_has_a_sign_of_its_own(glyphs: Glyphs) -> None:
    signs = list(glyphs.tones.values())
    assert len(set(signs)) == len(signs)
    assert all(a != b for a, b in itertools.combinations(signs, 2))


def test_the_plain_signs_are_in_every_console_font() -> None:
    texts = [*PLAIN.tones.values(), PLAIN.dot, PLAIN.then, PLAIN.prompt, PLAIN.hatch]
    assert all(text.isascii() for text in texts)
    assert set(PLAIN.full + PLAIN.part + PLAIN.empty + PLAIN.rule) <= set("█▒░─")


def _on_sixteen(colour: str) -> int | None:
    return Color.parse(colour).downgrade(ColorSystem.STANDARD).number

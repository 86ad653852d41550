"""The colours: one theme for terminals of many colours, one for the sixteen of a Linux console.

The four tones are those of Okabe and Ito's palette, told apart by the colour-blind, with a
contrast of at least 4.5:1 (WCAG 2.2, 1.4.3). On sixteen colours they would fall together, so the
second theme uses only colours that such a terminal has, exactly. Pure values; tested as pairs.
"""

from typing import Final

from msgspec import Struct
from textual.theme import Theme

from mes_terminal.tui.present import Tone


class Pair(Struct, frozen=True):
    """Text on a ground, as `#RRGGBB`."""

    text: str
    ground: str


class Palette(Struct, frozen=True, kw_only=True):
    """Every colour of one theme."""

    name: str
    tones: dict[Tone, Pair]
    ground: str
    text: str
    strong: str
    muted: str
    line: str
    alert: str
    bar: Pair
    test: Pair
    good: str
    scrapped: str
    track: str
    marks: dict[Tone, str]
    """The tones as text on the ground, for the small signs in lists."""


MANY: Final = Palette(
    name="station-many",
    tones={
        "ok": Pair("#000000", "#009E73"),
        "do": Pair("#FFFFFF", "#0072B2"),
        "check": Pair("#000000", "#E69F00"),
        "stop": Pair("#000000", "#D55E00"),
        "calm": Pair("#FFFFFF", "#303030"),
    },
    ground="#16181A",
    text="#D4D7DA",
    strong="#FFFFFF",
    muted="#8E959C",
    line="#4A4F55",
    alert="#E69F00",
    bar=Pair("#E8EAED", "#2B2F33"),
    test=Pair("#000000", "#CC79A7"),
    good="#AEB4BA",
    scrapped="#D55E00",
    track="#3A3F44",
    marks={
        "ok": "#8E959C",
        "do": "#56B4E9",
        "check": "#E69F00",
        "stop": "#F0753A",
        "calm": "#8E959C",
    },
)

SIXTEEN: Final = Palette(
    name="station-sixteen",
    tones={
        "ok": Pair("#000000", "#00AA00"),
        "do": Pair("#FFFFFF", "#0000AA"),
        "check": Pair("#000000", "#FFFF55"),
        "stop": Pair("#FFFFFF", "#AA0000"),
        "calm": Pair("#FFFFFF", "#000000"),
    },
    ground="#000000",
    text="#AAAAAA",
    strong="#FFFFFF",
    muted="#AAAAAA",
    line="#AAAAAA",
    alert="#FFFF55",
    bar=Pair("#000000", "#AAAAAA"),
    test=Pair("#FFFFFF", "#AA00AA"),
    good="#AAAAAA",
    scrapped="#FF5555",
    track="#555555",
    marks={
        "ok": "#AAAAAA",
        "do": "#55FFFF",
        "check": "#FFFF55",
        "stop": "#FF5555",
        "calm": "#AAAAAA",
    },
)


def theme_of(palette: Palette) -> Theme:
    """Return the Textual theme of `palette`; style sheets name its variables only."""
    variables = {
        "quiet-ground": palette.ground,
        "quiet-text": palette.text,
        "quiet-strong": palette.strong,
        "quiet-muted": palette.muted,
        "quiet-line": palette.line,
        "quiet-alert": palette.alert,
        "bar-ground": palette.bar.ground,
        "bar-text": palette.bar.text,
        "test-ground": palette.test.ground,
        "test-text": palette.test.text,
        "progress-good": palette.good,
        "progress-scrapped": palette.scrapped,
        "progress-track": palette.track,
    }
    for tone, pair in palette.tones.items():
        variables[f"tone-{tone}-ground"] = pair.ground
        variables[f"tone-{tone}-text"] = pair.text
        variables[f"mark-{tone}"] = palette.marks[tone]
    return Theme(
        name=palette.name,
        primary=palette.text,
        foreground=palette.text,
        background=palette.ground,
        surface=palette.ground,
        panel=palette.ground,
        dark=True,
        text_alpha=1.0,
        variables=variables,
    )


def contrast(pair: Pair) -> float:
    """Return the contrast ratio of `pair` (WCAG 2.2, relative luminance)."""
    light, dark = sorted((_luminance(pair.text), _luminance(pair.ground)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue

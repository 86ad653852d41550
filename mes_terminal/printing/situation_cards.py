"""Situation cards: what the screen says, what it means, what to do, and the code that helps.

Pure layout: the words and colours of the screen arrive as arguments, so that paper and screen say
the same. Six cards on a page of A4, to be cut apart. Called by `labels situations`.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Struct

from mes_terminal.printing.contents import Content, encoded
from mes_terminal.printing.layout import MM_PER_PT, Area, symbol_in
from mes_terminal.printing.page import BLACK, Box, Mark, Sheet, Text
from mes_terminal.printing.render import width_of

WIDTH_MM: Final = 210.0
HEIGHT_MM: Final = 297.0
MARGIN_MM: Final = 10.0
GAP_MM: Final = 7.0
"""White between two cards, to cut along."""
COLUMNS: Final = 2
ROWS: Final = 3
CARD_WIDTH_MM: Final = (WIDTH_MM - 2 * MARGIN_MM - GAP_MM * (COLUMNS - 1)) / COLUMNS
CARD_HEIGHT_MM: Final = (HEIGHT_MM - 2 * MARGIN_MM - GAP_MM * (ROWS - 1)) / ROWS
INSET_MM: Final = 4.0
BAND_MM: Final = 13.0
"""The signal word on its colour."""
WORD_PT: Final = 26.0
SAID_PT: Final = 11.0
TEXT_PT: Final = 9.0
CAPTION_PT: Final = 6.5
LEADING: Final = 1.3
"""From one line to the next, in parts of the size."""
BARS_MM: Final = 11.0
FOOT_MM: Final = 3.0
LINES_MAX: Final = 3
"""Lines of one text; a longer one is cut."""
FRAME_MM: Final = {"stop": 1.4}
"""The frame is heavier where nothing was booked: colour is never alone."""
FRAME_USUAL_MM: Final = 0.3


class Situation(Struct, frozen=True, kw_only=True):
    """One card. Texts are those of the screen, in one language."""

    name: str
    """The stable word of the situation: `rejected: lot_expired`."""
    tone: str
    word: str
    """The signal word: OK, DO, CHECK, STOP."""
    ground: str
    """Its colours, `#RRGGBB`."""
    ink: str
    said: str
    means: str
    action: str
    scan: str = ""
    code: str = ""
    """The command that helps, with its prefix; empty: none does."""


class Captions(Struct, frozen=True):
    """The small words above the texts."""

    title: str
    means: str
    action: str
    scan: str


def situation_cards(
    situations: Sequence[Situation], captions: Captions, place: str
) -> Iterator[Sheet]:
    """Yield the pages. Raises `InputError` for a command that no code of this width can hold."""
    a_page = COLUMNS * ROWS
    for first in range(0, len(situations), a_page):
        marks: list[Mark] = []
        for number, situation in enumerate(situations[first : first + a_page]):
            area = Area(
                MARGIN_MM + (number % COLUMNS) * (CARD_WIDTH_MM + GAP_MM),
                MARGIN_MM + (number // COLUMNS) * (CARD_HEIGHT_MM + GAP_MM),
                CARD_WIDTH_MM,
                CARD_HEIGHT_MM,
            )
            marks += card_marks(situation, captions, place, area)
        yield Sheet(
            width_mm=WIDTH_MM, height_mm=HEIGHT_MM, marks=tuple(marks), title=captions.title
        )


def card_marks(situation: Situation, captions: Captions, place: str, area: Area) -> Iterator[Mark]:
    """Yield what one card is made of."""
    yield Box(
        x_mm=area.x_mm, y_mm=area.y_mm, width_mm=area.width_mm, height_mm=area.height_mm,
        stroke_mm=FRAME_MM.get(situation.tone, FRAME_USUAL_MM),
    )  # fmt: skip
    yield from _band(situation, area)
    x_mm, width_mm = area.x_mm + INSET_MM, area.width_mm - 2 * INSET_MM
    y_mm = area.y_mm + BAND_MM + INSET_MM
    for caption, text, size_pt, bold in (
        ("", situation.said, SAID_PT, True),
        (captions.means, situation.means, TEXT_PT, False),
        (captions.action, situation.action, TEXT_PT, True),
        (captions.scan, situation.scan, TEXT_PT, True),
    ):
        if not text:
            continue
        if caption:
            y_mm += CAPTION_PT * MM_PER_PT
            yield Text(x_mm=x_mm, y_mm=y_mm, text=caption, size_pt=CAPTION_PT, width_mm=width_mm)
        for line in wrapped(text, width_mm, size_pt=size_pt, bold=bold):
            y_mm += LEADING * size_pt * MM_PER_PT
            yield Text(
                x_mm=x_mm, y_mm=y_mm, text=line, size_pt=size_pt, bold=bold, width_mm=width_mm
            )
        y_mm += 0.7 * size_pt * MM_PER_PT
    if situation.code:
        yield from _code(situation.code, area)
    y_mm = area.y_mm + area.height_mm - FOOT_MM
    for text, align, at_mm in (
        (situation.name, "left", x_mm), (place, "right", x_mm + width_mm),
    ):  # fmt: skip
        yield Text(
            x_mm=at_mm, y_mm=y_mm, text=text, size_pt=CAPTION_PT,
            align="right" if align == "right" else "left", width_mm=width_mm / 2 - 2,
        )  # fmt: skip


def wrapped(text: str, width_mm: float, *, size_pt: float, bold: bool) -> list[str]:
    """Return a text in lines that fit; what goes beyond `LINES_MAX` stays on the last line, which
    is then made to fit or cut."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        fits = width_of(longer, size_pt=size_pt, is_bold=bold) <= width_mm
        if lines and (fits or len(lines) == LINES_MAX):
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _band(situation: Situation, area: Area) -> Iterator[Mark]:
    yield Box(
        x_mm=area.x_mm, y_mm=area.y_mm, width_mm=area.width_mm, height_mm=BAND_MM, filled=True,
        colour=situation.ground,
    )  # fmt: skip
    yield Text(
        x_mm=area.x_mm + INSET_MM, y_mm=area.y_mm + BAND_MM - 3.4, text=situation.word,
        size_pt=WORD_PT, bold=True, width_mm=area.width_mm - 2 * INSET_MM,
        colour=situation.ink or BLACK,
    )  # fmt: skip


def _code(code: str, area: Area) -> Iterator[Mark]:
    """Yield a command as bars at the foot of the card, with its text."""
    width_mm = area.width_mm - 2 * INSET_MM
    top_mm = area.y_mm + area.height_mm - FOOT_MM - 4 * CAPTION_PT * MM_PER_PT - BARS_MM
    content = Content(kind="", name=code, fields={}, plain=code)
    yield symbol_in(
        encoded(content, "code128", ""),
        Area(area.x_mm + INSET_MM, top_mm, width_mm, BARS_MM),
        module_mm=0.38,
        height_mm=BARS_MM,
        align="centre",
    )
    yield Text(
        x_mm=area.x_mm + area.width_mm / 2, y_mm=top_mm + BARS_MM + 2 * CAPTION_PT * MM_PER_PT,
        text=code, size_pt=TEXT_PT, align="centre", width_mm=width_mm,
    )  # fmt: skip

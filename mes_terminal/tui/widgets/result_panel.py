"""The middle of the screen: the outcome of the last scan, readable from two metres (screens 2, 3).

All one colour for `BRIGHT_S`, then grey; the words stay. The sign is drawn as large as the place
allows after the sentences have theirs.
"""

import asyncio
from typing import Final

from textual.content import Content

from mes_terminal.tui import big_font
from mes_terminal.tui.later import later
from mes_terminal.tui.present import Card
from mes_terminal.tui.safe_text import column_count, wrap
from mes_terminal.tui.widgets.drawn import Drawn

BRIGHT_S: Final = 2.0
"""How long an outcome keeps its colour (screens 3: one to two seconds)."""
SCALES: Final = (1, 2, 4)
"""Sizes at which the letters are smooth; larger than twenty columns each says nothing more."""
HEADLINE_MAX: Final = 3
"""More lines of big letters are not read at a glance."""
_TONES: Final = ("ok", "do", "check", "stop", "calm")


class ResultPanel(Drawn):
    """Shows one card at a time; a new one replaces the old at once."""

    card = Card(tone="calm", word="", happened="")
    scan_word = ""
    _timer: asyncio.TimerHandle | None = None

    def show(self, card: Card, *, scan_word: str, bright: bool, stays: bool = False) -> None:
        """Draw `card`, in its colour if `bright`; for ever if it `stays`."""
        turned = card.tone != self.card.tone and self.is_bright
        self.card, self.scan_word = card, scan_word
        if turned and not bright:
            self._colour(card.tone)  # the pre-flight of a START says more than its outcome
        if bright:
            self._stop_timer()
            self._colour(card.tone)
            if not stays:
                self._timer = later(self, BRIGHT_S, self.calm)
        self.refresh()

    def calm(self) -> None:
        """Turn grey; the message stays."""
        self._stop_timer()
        self._colour("calm")

    @property
    def is_bright(self) -> bool:
        """Whether the panel has a tone's colour right now."""
        return not self.has_class("-calm")

    def render(self) -> Content:
        """Return the sign in big letters, then the sentences, in the middle of the panel."""
        width, height = max(1, self.size.width), max(1, self.size.height)
        sentences = self._sentences(width)
        lines = self._signs(width, height - len(sentences))
        if not lines:
            sentences = self._sentences(width, sign=True)
        elif len(lines) + len(sentences) < height:
            lines.append(Content(""))
        lines += sentences
        top = max(0, (height - len(lines)) // 2)
        blank = [Content("")] * top
        return Content("\n").join([*blank, *lines[:height]])

    def _signs(self, width: int, room: int) -> list[Content]:
        """Return the word and the figure side by side, or below each other, as large as fits."""
        card = self.card
        sign = self.glyphs.tones[card.tone]
        words = [f"{sign} {card.word}", card.word] if card.word else []
        word = next((w for w in words if self._scale(w, width, room) >= 2), "")
        word = word or next((w for w in words if self._scale(w, width, room) >= 1), "")
        if not word:
            stacked = _stacked(card.word, width, room + 1)
            return stacked[1:] or self._lone_figure(width, room)
        scale = self._scale(word, width, room)
        left = big_font.draw(word, scale)
        headline = self._headline(width, room - len(left) - 2)
        if headline:
            return [*(Content(line) for line in left), Content(""), *headline]
        if not card.figure:
            return [Content(line) for line in left]
        free = width - big_font.width_of(word, scale) - 3
        beside = min(scale, self._scale(card.figure, free, room))
        below = self._scale(card.figure, width, room - len(left) - 3)
        if beside >= below and beside:
            return _beside(left, big_font.draw(card.figure, beside), width)
        lines = [Content(line) for line in left]
        if below:
            blank = [Content("")] * 2
            lines += [*blank, *(Content(x) for x in big_font.draw(card.figure, below))]
        return lines

    def _headline(self, width: int, room: int) -> list[Content]:
        """Return what happened in big letters, where it says more than a figure and fits."""
        if self.card.tone in ("ok", "calm"):
            return []
        return _stacked(self.card.happened, width, room)

    def _lone_figure(self, width: int, room: int) -> list[Content]:
        scale = self._scale(self.card.figure, width, room)
        return [Content(line) for line in big_font.draw(self.card.figure, scale)] if scale else []

    def _scale(self, text: str, width: int, room: int) -> int:
        largest = big_font.largest_scale(text, width, max(0, room))
        return max((scale for scale in SCALES if scale <= largest), default=0)

    def _sentences(self, width: int, *, sign: bool = False) -> list[Content]:
        """Return the lines of text; with the sign where it is not drawn in big letters."""
        card = self.card
        named = f"{self.glyphs.tones[card.tone]} {card.word}: " if sign and card.word else ""
        if card.word and card.happened.startswith(card.word):
            named = named.removesuffix(f"{card.word}: ")
        lines = [Content.styled(x, "bold") for x in wrap(named + card.happened, width)]
        if card.action:
            lines += [Content(x) for x in wrap(card.action, width)]
        if card.scan:
            lines += [Content(x) for x in wrap(f"{self.scan_word}: {card.scan}", width)]
        if card.detail and card.detail != card.happened:
            lines += [Content(x) for x in wrap(card.detail, width)[:3]]
        return lines

    def _colour(self, tone: str) -> None:
        for each in _TONES:
            self.set_class(each == tone, f"-{each}")

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _stacked(text: str, width: int, room: int) -> list[Content]:
    """Return `text` in a few lines of big letters, a blank above each; none if it does not fit."""
    lines_max = min(HEADLINE_MAX, room // (big_font.height_of(1) + 1))
    lines: list[Content] = []
    for line in big_font.wrapped(text, width, lines_max):
        lines += [Content(""), *(Content(row) for row in big_font.draw(line, 1))]
    return lines


def _beside(left: list[str], right: list[str], width: int) -> list[Content]:
    """Return two drawings in one row, the right one at the right edge, on one base line."""
    right = [""] * (len(left) - len(right)) + right
    columns = max(column_count(line) for line in right)
    return [
        Content(a + " " * (width - len(a) - columns) + b.ljust(columns))
        for a, b in zip(left, right, strict=True)
    ]

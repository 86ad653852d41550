"""The genealogy of one lot as a tree that scrolls; only what is seen of it is ever drawn."""

from itertools import islice
from typing import TYPE_CHECKING, Final

from textual.content import Content

from mes_terminal.domain.trace import Branch, Trace, branches, pairs
from mes_terminal.tui.present_trace import TraceLine, name_text, trace_line
from mes_terminal.tui.safe_text import column_count, safe
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

HEADING_ROWS: Final = 2
LINE_COLUMNS_MAX: Final = 120
"""On a wider screen quantities would stand too far from what they count."""
QUANTITY_COLUMNS: Final = 16
CERTAINTY_COLUMNS: Final = 10


class TraceSheet(Drawn):
    """Shows a trace, or one sentence where there is none."""

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words
        self._trace: Trace | None = None
        self._forward = False
        self._sentence = ""
        self._drawn: list[Branch] = []
        self._further: Iterator[Branch] = iter(())
        self._total = 0
        self._first = 0

    def show(self, trace: Trace, *, forward: bool) -> None:
        """Draw a trace from its top."""
        self._trace, self._forward = trace, forward
        self._drawn, self._further = [], branches(trace, forward=forward)
        self._total = len(pairs(trace)) + sum(node.depth == 0 for node in trace.nodes)
        self._first, self._sentence = 0, ""
        self.refresh()

    def say(self, sentence: str) -> None:
        """Draw a sentence in place of a trace."""
        self._trace, self._sentence = None, safe(sentence, 240)
        self.refresh()

    def scroll(self, key: str) -> None:
        """Move by `up`, `down`, `pageup`, `pagedown`, `home`, `end`."""
        rows = self._rows()
        step = {"up": -1, "down": 1, "pageup": -rows, "pagedown": rows}
        step |= {"home": -self._total, "end": self._total}
        last = max(0, self._total - rows)
        self._first = min(last, max(0, self._first + step.get(key, 0)))
        self.refresh()

    def render(self) -> Content:
        """Return the heading, then as many lines as there is room for."""
        told, width = self._words.trace, max(1, self.size.width)
        trace = self._trace
        if trace is None:
            title = Content.styled(f" {told.title}", "bold $quiet-strong")
            return paint.stacked([title, Content(""), paint.text(f" {self._sentence}")])
        rows = self._rows()
        self._first = min(self._first, max(0, self._total - rows))
        self._drawn += islice(self._further, max(0, self._first + rows - len(self._drawn)))
        shown = self._drawn[self._first : self._first + rows]
        lines = [self._heading(trace, len(shown), width), Content("")]
        lines += [self._line(trace_line(each, trace, self._words), width) for each in shown]
        if not trace.edges:
            lines.append(paint.text(f" {told.no_use if self._forward else told.no_origin}"))
        return paint.stacked(lines)

    def _rows(self) -> int:
        return max(1, self.size.height - HEADING_ROWS)

    def _heading(self, trace: Trace, shown: int, width: int) -> Content:
        told = self._words.trace
        top = trace.nodes[0]
        what = f"{safe(top.item, 30)} {name_text(top, self._words)}"
        way = told.used_in if self._forward else told.made_from
        left = Content.assemble(
            (f" {told.title}  ", "bold $quiet-muted"),
            (what, "bold $quiet-strong"),
            (f" {self.glyphs.dot} {way}", "$quiet-text"),
        )
        place = told.counted.format(n=len(trace.nodes))
        if shown < self._total:
            place = told.place.format(
                first=self._first + 1, last=self._first + shown, total=self._total
            )
        return paint.spread(left, paint.text(f"{place} ", "$quiet-muted"), width)

    def _line(self, line: TraceLine, width: int) -> Content:
        name = Content.assemble(
            (f" {line.rails}", "$quiet-line"),
            (line.item, "bold $quiet-text"),
            (f" {line.name}", "$quiet-text"),
        )
        if not line.quantity:
            return name.truncate(width, ellipsis=True)
        gap = " " * max(0, QUANTITY_COLUMNS - column_count(line.quantity))
        right = Content.assemble(
            (f"{gap}{line.quantity}  ", "$quiet-text"),
            (paint.padded(line.certainty, CERTAINTY_COLUMNS), paint.EMPHASIS[line.emphasis]),
            " ",
        )
        return paint.spread(name, right, min(width, LINE_COLUMNS_MAX))

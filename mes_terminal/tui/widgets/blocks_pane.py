"""Blocks of lines under headings, with one cursor that goes through all of them.

What is seen follows the cursor, and the first heading is seen with the first line. Used by the
supervisor's morning.
"""

from collections.abc import Sequence

from textual.content import Content

from mes_terminal.tui.morning_blocks import Block, Entry
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn
from mes_terminal.tui.widgets.list_body import line_content


class BlocksPane(Drawn):
    """The pane; `at` is the entry that the cursor stands on, if it stands in this pane."""

    _blocks: Sequence[Block] = ()
    _at: Entry | None = None
    _first = 0

    def show(self, blocks: Sequence[Block], at: Entry | None) -> None:
        """Draw the blocks."""
        self._blocks, self._at = blocks, at
        self.refresh()

    def render(self) -> Content:
        """Return what is seen of the blocks."""
        width, height = max(1, self.size.width), max(1, self.size.height)
        lines, at = self._lines(width, airy=self._rows(airy=True) <= height)
        first = min(max(self._first, at - height + 1), max(0, at - 1))
        self._first = max(0, min(first, len(lines) - height))
        return paint.stacked(lines[self._first : self._first + height])

    def _rows(self, *, airy: bool) -> int:
        return sum(1 + len(block.entries) + airy for block in self._blocks)

    def _lines(self, width: int, *, airy: bool) -> tuple[list[Content], int]:
        lines: list[Content] = []
        at = 0
        for block in self._blocks:
            if airy and lines:
                lines.append(Content(""))
            lines.append(self._heading(block, width))
            for each in block.entries:
                if each is self._at:
                    at = len(lines)
                lines.append(self._line(each, width))
        return lines, at

    def _heading(self, block: Block, width: int) -> Content:
        style = "bold $quiet-alert" if block.alert else "bold $quiet-strong"
        title = Content.assemble(" ", (block.title.upper(), style))
        return paint.spread(title, paint.text(f"{block.right} ", "$quiet-muted"), width)

    def _line(self, entry: Entry, width: int) -> Content:
        here = entry is self._at
        sign = f"{self.glyphs.tones['do']} " if here else "  "
        line = (Content(sign) + line_content(entry.line, max(1, width - 3))).truncate(
            width, ellipsis=True
        )
        if not here:
            return line
        filled = line.plain + " " * max(0, width - line.cell_length)
        return Content.styled(filled, "bold reverse $quiet-text")

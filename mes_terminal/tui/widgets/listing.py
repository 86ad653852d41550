"""A named list: one line on a small screen (`Mounted  A · B`), a titled block on a large one."""

from collections.abc import Sequence

from textual.content import Content

from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn

LABEL_COLUMNS: int = 11
"""Room for the longest name, so that the entries of all lists stand below each other."""


TAIL_COLUMNS_MIN: int = 20
"""Less of an entry than this says nothing."""


class Listing(Drawn):
    """Shows as many entries as fit, the first first, and says how many it leaves out."""

    title = ""
    entries: Sequence[Content] = ()
    more = "+{n}"

    def show(self, title: str, entries: Sequence[Content], more: str) -> None:
        """Draw `entries` (safe) under `title`; `more` says `and {n} more`, or nothing."""
        self.title, self.entries, self.more = title, entries, more
        self.refresh()

    @property
    def block(self) -> bool:
        """Whether it stands as a titled block."""
        return self.has_class("-block")

    def render(self) -> Content:
        """Return the inline or the block form."""
        width, height = max(1, self.size.width), max(1, self.size.height)
        return self._block(width, height) if self.block else self._inline(width, height)

    def _block(self, width: int, height: int) -> Content:
        heading = f" {self.title} "
        rule = self.glyphs.rule
        lines = [
            Content.assemble(
                (rule, "$quiet-line"),
                (heading, "bold $quiet-muted"),
                (rule * max(0, width - len(heading) - 1), "$quiet-line"),
            )
        ]
        room = height - 1
        cut = room - 1 if self.more else room
        fitting = self.entries if len(self.entries) <= room else self.entries[: max(0, cut)]
        lines += [entry.truncate(width, ellipsis=True) for entry in fitting]
        left_out = len(self.entries) - len(fitting)
        if left_out and room > 0 and self.more:
            lines.append(paint.text(self.more.format(n=left_out), "$quiet-muted"))
        return paint.stacked(lines)

    def _inline(self, width: int, height: int) -> Content:
        room = width - LABEL_COLUMNS
        rows: list[Content] = []
        shown = 0
        for entry in self.entries:
            if rows and rows[-1].cell_length + entry.cell_length + 3 <= room:
                rows[-1] = paint.joined([rows[-1], entry], self.glyphs.dot)
            elif len(rows) < height:
                rows.append(entry.truncate(room, ellipsis=True))
            else:
                free = room - rows[-1].cell_length - 3
                if not self.more and free >= TAIL_COLUMNS_MIN:
                    tail = entry.truncate(free, ellipsis=True)
                    rows[-1] = paint.joined([rows[-1], tail], self.glyphs.dot)
                break
            shown += 1
        left_out = len(self.entries) - shown
        if left_out and rows and self.more:
            rest = paint.text(" " + self.more.format(n=left_out), "$quiet-muted")
            rows[-1] = rows[-1].truncate(room - rest.cell_length, ellipsis=True) + rest
        names = [paint.padded(self.title, LABEL_COLUMNS - 1) + " "]
        names += [" " * LABEL_COLUMNS] * len(rows)
        return paint.stacked(
            Content.styled(name, "$quiet-muted") + row
            for name, row in zip(names, rows or [Content("")], strict=False)
        )

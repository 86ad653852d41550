"""What upstream changed about the order at hand: a notice that stays until it was told (BF-7)."""

from collections.abc import Sequence

from textual.content import Content

from mes_terminal.tui.safe_text import wrap
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn

LINES_MAX: int = 2
"""More would take the place of the result."""


class ChangeLine(Drawn):
    """Is not there unless there is something to tell; then in the colour of CHECK."""

    word = ""
    changes: Sequence[str] = ()
    more = "+{n}"

    def show(self, word: str, changes: Sequence[str], more: str) -> None:
        """Draw the changes (safe) behind a signal word; `more` says `and {n} more`."""
        self.word, self.changes, self.more = word, changes, more
        self.set_class(bool(changes), "-told")
        self.refresh(layout=True)

    def render(self) -> Content:
        """Return one or two lines."""
        width = max(1, self.size.width)
        sign = f"{self.glyphs.tones['check']} {self.word}  "
        shown = len(self.changes)
        while shown > 1 and len(self._lines(shown, width - len(sign))) > LINES_MAX:
            shown -= 1
        lines = self._lines(shown, width - len(sign))[:LINES_MAX]
        names = [Content.styled(sign, "bold"), Content(" " * len(sign))]
        return paint.stacked(name + line for name, line in zip(names, lines, strict=False))

    def _lines(self, shown: int, width: int) -> list[str]:
        text = f" {self.glyphs.dot} ".join(self.changes[:shown])
        left_out = len(self.changes) - shown
        return wrap(f"{text} {self.more.format(n=left_out)}" if left_out else text, max(1, width))

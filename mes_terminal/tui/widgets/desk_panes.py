"""The desk's three panes: groups, rows, story. Only what is seen of a list is ever drawn."""

from collections.abc import Callable, Sequence
from typing import Final

from textual.content import Content

from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import wrap
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn

TITLE_ROWS: Final = 1
Line = Callable[[int, int], Content]
Heading = Callable[[int], Content]


def title_line(title: str, right: str, width: int, *, focused: bool) -> Content:
    """Return the heading of a pane; that of the pane where the keys go is strong."""
    style = "bold $quiet-strong underline" if focused else "bold $quiet-muted"
    return paint.spread(
        Content.assemble(" ", (title, style)), paint.text(f"{right} ", "$quiet-muted"), width
    )


class ListPane(Drawn):
    """A list of any length with a cursor; `line(place, width)` makes a line when it is seen."""

    _title = _right = ""
    _count = 0
    _at = 0
    _first = 0
    _focused = False
    _empty: Sequence[str] = ()

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._line: Line | None = None
        self._heading: Heading | None = None

    def show(
        self,
        title: str,
        right: str,
        line: Line,
        *,
        count: int,
        at: int,
        focused: bool,
        empty: Sequence[str],
        heading: Heading | None = None,
    ) -> None:
        """Draw `count` lines with the cursor `at`, below a `heading` of their columns if there is
        one; without any line the sentences of `empty`."""
        self._title, self._right, self._line = title, right, line
        self._count, self._at, self._focused, self._empty = count, at, focused, empty
        self._heading = heading
        self.refresh()

    @property
    def rows(self) -> int:
        """How many lines are seen at once."""
        return max(1, self.size.height - TITLE_ROWS - (self._heading is not None))

    def render(self) -> Content:
        """Return the heading and what is seen of the list."""
        width = max(1, self.size.width)
        lines = [title_line(self._title, self._right, width, focused=self._focused)]
        if not self._count:
            told = [text for each in self._empty for text in wrap(each, max(1, width - 4))]
            return paint.stacked([*lines, *(paint.text(f" {each}") for each in told)])
        if self._heading is not None:
            names = self._heading(max(1, width - 3))
            lines.append((Content("  ") + names).truncate(width).stylize("$quiet-muted"))
        rows = self.rows
        first = min(max(self._first, self._at - rows + 1), self._at)
        self._first = max(0, min(first, self._count - rows))
        shown = range(self._first, min(self._count, self._first + rows))
        return paint.stacked([*lines, *(self._drawn(place, width) for place in shown)])

    def _drawn(self, place: int, width: int) -> Content:
        assert self._line is not None
        here = place == self._at
        sign = f"{self.glyphs.tones['do']} " if here else "  "
        line = Content(sign) + self._line(place, max(1, width - 3))
        line = line.truncate(width, ellipsis=True)
        if not here:
            return line
        if not self._focused:
            return line.stylize("bold")
        filled = line.plain + " " * max(0, width - line.cell_length)
        return Content.styled(filled, "bold reverse $quiet-text")


class StoryPane(Drawn):
    """The selected exception in sentences, or any other text; it scrolls."""

    _title = ""
    _pieces: Sequence[Piece] = ()
    _first = 0
    _focused = False

    def show(self, title: str, pieces: Sequence[Piece], *, first: int, focused: bool) -> None:
        """Draw `pieces` (safe) from their line `first` on."""
        self._title, self._pieces, self._first, self._focused = title, pieces, first, focused
        self.refresh()

    @property
    def rows(self) -> int:
        """How many lines are seen at once."""
        return max(1, self.size.height - TITLE_ROWS)

    def render(self) -> Content:
        """Return the heading and what is seen of the text."""
        width = max(1, self.size.width)
        lines = [
            paint.text(f" {line}", paint.EMPHASIS[piece.emphasis])
            for piece in self._pieces
            for line in wrap(piece.text, max(1, width - 2))
        ]
        first = max(0, min(self._first, len(lines) - self.rows))
        rest = len(lines) - first - self.rows
        right = f"+{rest}" if rest > 0 else ""
        shown = lines[first : first + self.rows]
        title = title_line(self._title, right, width, focused=self._focused)
        return paint.stacked([title, *shown])


class DeskLine(Drawn):
    """One line: texts at the left, others at the right."""

    _left: Sequence[Content] = ()
    _right: Sequence[Content] = ()

    def show(self, left: Sequence[Content], right: Sequence[Content] = ()) -> None:
        """Draw the parts with signs between them."""
        self._left, self._right = left, right
        self.refresh()

    def render(self) -> Content:
        """Return the line."""
        between = Content(f" {self.glyphs.dot} ")
        return paint.spread(
            Content(" ") + between.join(self._left),
            between.join(self._right) + Content(" "),
            max(1, self.size.width),
        )

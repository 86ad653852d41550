"""The body of a section: a list with the names of its columns, and the story of the selected row.

Below 120 columns the story stands under the list.
"""

from collections.abc import Callable, Sequence
from typing import Final

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import column_count
from mes_terminal.tui.sections.section import Cell, Line
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.desk_panes import ListPane, StoryPane

WIDE_COLUMNS: Final = 96
"""From so many columns on a list shows its wide cells."""


class ListBody(Container):
    """Two panes; `list_page` tells them what to draw."""

    DEFAULT_CLASSES = "-list"

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self.rows, self.story = ListPane(classes="-rows"), StoryPane(classes="-story")
        self.rows.glyphs = self.story.glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Place the panes; the style sheet decides where."""
        yield self.rows
        yield self.story

    def show_rows(
        self,
        title: str,
        right: str,
        line: Callable[[int], Line | None],
        *,
        columns: Line | None,
        first: int,
        end: int,
        at: int,
        focused: bool,
        empty: Sequence[str],
    ) -> None:
        """Draw the rows from `first` to `end`, by their places in the whole list."""

        def drawn(place: int, width: int) -> Content:
            found = line(first + place)
            return Content("") if found is None else line_content(found, width)

        heading = None
        if columns is not None:
            names = columns

            def heading(width: int) -> Content:
                return line_content(names, width)

        self.rows.show(
            title, right, drawn, count=end - first, at=at - first, focused=focused, empty=empty,
            heading=heading,
        )  # fmt: skip

    def show_story(self, title: str, pieces: Sequence[Piece], *, first: int, focused: bool) -> None:
        """Draw the story from its line `first` on."""
        self.story.show(title, pieces, first=first, focused=focused)


def line_content(line: Line, width: int) -> Content:
    """Return a line of a list in `width` columns; what is right stands in columns of its own."""
    wide = width >= WIDE_COLUMNS
    left = [_padded(cell) for cell in line.left if wide or not cell.wide]
    right = [_ended(cell) for cell in line.right if wide or not cell.wide]
    return paint.spread(Content(" ").join(left), Content(" ").join(right), width)


def _padded(cell: Cell) -> Content:
    text = paint.padded(cell.text, cell.columns) if cell.columns else cell.text
    return Content.styled(text, paint.EMPHASIS[cell.emphasis])


def _ended(cell: Cell) -> Content:
    room = max(0, cell.columns - column_count(cell.text))
    return Content.styled(" " * room + cell.text, paint.EMPHASIS[cell.emphasis])

"""The body of the exceptions: groups at the left, the rows of one, the story of the selected one.

Below 120 columns the story stands under the lists.
"""

from typing import TYPE_CHECKING, Final

from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from mes_terminal.tui import present_exceptions, present_story
from mes_terminal.tui.desk_state import DeskState
from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.present_exceptions import GroupLine, RowLine
from mes_terminal.tui.safe_text import column_count
from mes_terminal.tui.telling import Telling
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.desk_panes import ListPane, StoryPane
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mes_terminal.tui.present_view import Piece

TIME_COLUMNS: Final = 6
ORDER_COLUMNS: Final = 10
COUNT_COLUMNS: Final = 6
AGE_COLUMNS: Final = 9
VALUE_COLUMNS: Final = 12
DUE_COLUMNS: Final = 12
WIDE_COLUMNS: Final = 46
"""From so many columns on a pane shows value and due time too."""


class ExceptionsBody(Container):
    """Three panes; the page of exceptions tells them what to draw."""

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__(id="desk-body")
        self._glyphs = glyphs
        self.groups, self.rows = ListPane(id="desk-groups"), ListPane(id="desk-rows")
        self.story = StoryPane(id="desk-story")
        for widget in (self.groups, self.rows, self.story):
            widget.glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Place the panes; the style sheet decides where."""
        with Container(id="desk-lists"):
            yield self.groups
            yield self.rows
        yield self.story

    def page_rows(self, pane: str) -> int:
        """Return how many lines of a pane are seen at once."""
        if pane == "story":
            return self.story.rows
        return (self.groups if pane == "groups" else self.rows).rows

    def show_nothing(self, words: Words) -> None:
        """Draw that the core has not answered yet."""
        told = words.desk

        def nothing(_place: int, _width: int) -> Content:
            return Content("")

        self.groups.show(
            told.groups["kind"], "", nothing, count=0, at=0, focused=True, empty=[told.loading]
        )

    def show(self, state: DeskState, telling: Telling) -> None:
        """Draw the panes."""
        self._show_groups(state, telling)
        self._show_rows(state, telling)
        pieces: Sequence[Piece] = ()
        if state.row is not None:
            pieces = present_story.story(state.row, telling)
        title = telling.words.desk.story
        self.story.show(title, pieces, first=state.story_first, focused=state.pane == 2)

    def _show_groups(self, state: DeskState, telling: Telling) -> None:
        told = telling.words.desk

        def line(place: int, width: int) -> Content:
            told = present_exceptions.group_line(state.groups[place], state.by, telling)
            return self._group(told, width)

        empty = [told.loading]
        if state.loaded:
            empty = [told.nothing_found] if state.text else [told.nothing, "", told.nothing_hint]
        title = told.groups[state.by]
        self.groups.show(title, "", line, count=len(state.groups), at=state.group_at,
                         focused=state.pane == 0, empty=empty)  # fmt: skip

    def _group(self, told: GroupLine, width: int) -> Content:
        late = paint.text(_right(told.late, AGE_COLUMNS), paint.EMPHASIS["alert"])
        age = late if told.late else paint.text(_right(told.age, AGE_COLUMNS))
        value = _right(told.value, VALUE_COLUMNS) if width >= WIDE_COLUMNS else ""
        right = paint.text(_right(told.count, COUNT_COLUMNS)) + age + paint.text(value)
        sign = f"{self._glyphs.tones['stop']} " if told.emphasis == "alert" else ""
        name = Content.styled(f"{sign}{told.name}", paint.EMPHASIS[told.emphasis])
        return paint.spread(name, right, width)

    def _show_rows(self, state: DeskState, telling: Telling) -> None:
        words = telling.words

        def line(place: int, width: int) -> Content:
            row = state.rows.row_at(state.rows.first + place)
            if row is None:
                return Content("")
            return _row(present_exceptions.row_line(row, state.by, telling), width)

        group, place = state.group, ""
        if group is not None and state.row is not None:
            place = words.desk.place.format(
                n=telling.number(state.rows.at + 1), total=telling.number(group.count)
            )
        name = ""
        if group is not None:
            name = present_exceptions.group_name(group, state.by, words)
        title = f"{words.desk.rows}: {name}" if name else words.desk.rows
        empty = [words.desk.loading] if group is not None else []
        window = state.rows
        count, at = window.end - window.first, window.at - window.first
        self.rows.show(title, place, line, count=count, at=at, focused=state.pane == 1,
                       empty=empty)  # fmt: skip


def _row(told: RowLine, width: int) -> Content:
    style = paint.EMPHASIS[told.emphasis] if told.emphasis == "muted" else "$quiet-text"
    order = paint.padded(told.order, ORDER_COLUMNS) + " " if told.order else ""
    wide, alert = width >= WIDE_COLUMNS, paint.EMPHASIS["alert"]
    first = (paint.padded(told.time, TIME_COLUMNS), "$quiet-muted")
    if told.late and not wide:
        first = (paint.padded(told.late, TIME_COLUMNS), alert)
    left = Content.assemble(
        first,
        (order, style),
        (told.what, f"bold {style}" if told.emphasis != "muted" else style),
    )
    right = paint.text(told.quantity, style)
    if wide:
        due = paint.text(_right(told.due, DUE_COLUMNS), alert if told.late else style)
        right = paint.text(_right(told.value, VALUE_COLUMNS), style) + due
        right = paint.text(_right(told.quantity, 1), style) + right
    return paint.spread(left, right, width)


def _right(text: str, columns: int) -> str:
    return " " * max(1, columns - column_count(text)) + text

"""The supervisor's desk: groups at the left, the rows of one, the story of the selected exception.

It places the panes and tells each what to draw; `desk_control` decides what that is. Below 120
columns the story stands under the lists.
"""

from datetime import tzinfo
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen

from mes_terminal.tui import present_exceptions
from mes_terminal.tui.desk_state import DeskState
from mes_terminal.tui.figures import number
from mes_terminal.tui.glyphs import PLAIN, Glyphs
from mes_terminal.tui.present_exceptions import GroupLine, RowLine
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import column_count, safe
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.desk_panes import DeskLine, ListPane, StoryPane
from mes_terminal.tui.widgets.key_bar import KeyBar
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from collections.abc import Sequence

WIDE_COLUMNS: Final = 120
USUAL_COLUMNS: Final = 80
TIME_COLUMNS: Final = 6
ORDER_COLUMNS: Final = 10
COUNT_COLUMNS: Final = 7
AGE_COLUMNS: Final = 8


class Shown(Struct, frozen=True, kw_only=True):
    """Everything that the desk draws at one moment."""

    state: DeskState
    words: Words
    zone: tzinfo
    now: str
    station: str
    test: bool
    notice: str
    typed: str | None
    """What is being typed to be looked for; `None`: nothing is."""
    helps: bool
    can_leave: bool


class DeskScreen(ModalScreen[None]):
    """One screen that never scrolls as a whole."""

    AUTO_FOCUS = None

    def __init__(self, words: Words, glyphs: Glyphs, *, plain: bool) -> None:
        super().__init__()
        self._words, self._glyphs = words, glyphs
        self.head, self.foot = DeskLine(id="desk-head"), DeskLine(id="desk-foot")
        self.groups, self.rows = ListPane(id="desk-groups"), ListPane(id="desk-rows")
        self.story = StoryPane(id="desk-story")
        self.legends = KeyBar()
        for widget in (self.head, self.foot, self.groups, self.rows, self.story):
            widget.glyphs = glyphs
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the panes; the style sheet decides where."""
        yield self.head
        with Container(id="desk-body"):
            with Container(id="desk-lists"):
                yield self.groups
                yield self.rows
            yield self.story
        yield self.foot
        yield self.legends

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout by the terminal's size."""
        self.set_class(event.size.width >= WIDE_COLUMNS, "-wide")
        self.set_class(event.size.width < USUAL_COLUMNS, "-narrow")

    def page_rows(self, pane: str) -> int:
        """Return how many lines of a pane are seen at once."""
        if pane == "story":
            return self.story.rows
        return (self.groups if pane == "groups" else self.rows).rows

    def show(self, shown: Shown) -> None:
        """Draw the desk."""
        self._show_head(shown)
        self._show_groups(shown)
        self._show_rows(shown)
        self._show_story(shown)
        self._show_foot(shown)
        self._show_keys(shown)

    def _show_head(self, shown: Shown) -> None:
        told, state, labels = shown.words.desk, shown.state, shown.words.labels
        left = [Content.styled(told.title, "bold")]
        if state.loaded:
            texts = present_exceptions.heading_texts(
                state.groups, shown.words, shown.now, only_open=state.only_open
            )
            left += [Content(text) for text in texts]
        if state.text:
            left.append(Content.styled(f"{told.filter} {safe(state.text, 20)}", "bold"))
        mode = labels.test if shown.test else labels.live
        self.head.set_class(shown.test, "-test")
        self.head.show(left, [Content(shown.station), Content(mode)] if shown.station else [])

    def _show_groups(self, shown: Shown) -> None:
        state, words = shown.state, shown.words

        def line(place: int, width: int) -> Content:
            group = state.groups[place]
            told = present_exceptions.group_line(group, words, shown.now)
            return self._group(told, width)

        told = words.desk
        empty = [told.loading]
        if state.loaded:
            empty = [told.nothing_found] if state.text else [told.nothing, "", told.nothing_hint]
        self.groups.show(told.groups, "", line, count=len(state.groups), at=state.group_at,
                         focused=state.pane == 0, empty=empty)  # fmt: skip

    def _group(self, told: GroupLine, width: int) -> Content:
        right = _right(told.count, COUNT_COLUMNS) + _right(told.age, AGE_COLUMNS)
        sign = f"{self._glyphs.tones['stop']} " if told.emphasis == "alert" else ""
        name = Content.styled(f"{sign}{told.name}", paint.EMPHASIS[told.emphasis])
        return paint.spread(name, paint.text(right), width)

    def _show_rows(self, shown: Shown) -> None:
        state, words = shown.state, shown.words

        def line(place: int, width: int) -> Content:
            row = state.rows[place]
            told = present_exceptions.row_line(row, words, shown.zone, shown.now)
            return _row(told, width)

        group, place = state.group, ""
        if group is not None and state.rows:
            total = number(str(group.count), words)
            place = words.desk.place.format(n=number(str(state.at + 1), words), total=total)
        name = present_exceptions.kind_text(group.kind, words) if group is not None else ""
        title = f"{words.desk.rows}: {name}" if name else words.desk.rows
        empty = [words.desk.loading] if group is not None else []
        self.rows.show(title, place, line, count=len(state.rows), at=state.at,
                       focused=state.pane == 1, empty=empty)  # fmt: skip

    def _show_story(self, shown: Shown) -> None:
        state, told = shown.state, shown.words.desk
        title, first = told.story, state.story_first
        pieces: Sequence[Piece] = ()
        if shown.helps:
            title, first = told.help_title, 0
            pieces = [Piece(f"{_key(key, self._glyphs)}: {what}") for key, what in
                      told.help.items()]  # fmt: skip
        elif state.row is not None:
            pieces = present_exceptions.story(state.row, shown.words, shown.zone, shown.now)
        self.story.show(title, pieces, first=first, focused=state.pane == 2 or shown.helps)

    def _show_foot(self, shown: Shown) -> None:
        self.foot.set_class(bool(shown.notice), "-told")
        sign = self._glyphs.prompt
        if shown.notice:
            self.foot.show([Content(f"{self._glyphs.tones['check']} {shown.notice}")])
        elif shown.typed is not None:
            typed = Content.assemble(f"{sign} ", (safe(shown.typed, 44), "bold"), ("█", "blink"))
            prompt = paint.text(shown.words.desk.filter_prompt, "$quiet-muted")
            self.foot.show([typed, prompt])
        else:
            self.foot.show([])

    def _show_keys(self, shown: Shown) -> None:
        told = shown.words.desk.keys
        arrows = ("Up/Dn", "Tab") if self._glyphs is PLAIN else ("↑↓", "Tab")
        names = {arrows[0]: "move", arrows[1]: "pane", "Enter": "resolve", "g": "group",
                 "/": "filter", "o": "all", "F1": "help"}  # fmt: skip
        leave = "Esc" if shown.can_leave else "Ctrl+Q"
        legends = [(key, told[name]) for key, name in names.items()]
        self.legends.show([*legends, (leave, told["leave"])], test=shown.test)


def _row(told: RowLine, width: int) -> Content:
    style = paint.EMPHASIS[told.emphasis] if told.emphasis == "muted" else "$quiet-text"
    order = paint.padded(told.order, ORDER_COLUMNS) + " " if told.order else ""
    left = Content.assemble(
        (paint.padded(told.time, TIME_COLUMNS), "$quiet-muted"),
        (order, style),
        (told.what, f"bold {style}" if told.emphasis != "muted" else style),
    )
    return paint.spread(left, paint.text(told.quantity, style), width)


def _right(text: str, columns: int) -> str:
    return " " * max(1, columns - column_count(text)) + text


def _key(key: str, glyphs: Glyphs) -> str:
    if glyphs is not PLAIN:
        return key
    for sign, name in (("↑ ↓", "Up Down"), ("← →", "Left Right")):
        key = key.replace(sign, name)
    return key

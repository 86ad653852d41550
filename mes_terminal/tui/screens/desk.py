"""The supervisor's desk: a head line, the page of one section, a foot line, the keys.

It places the widgets of the pages and shows one of them; `desk_control` decides which, and what
stands around it.
"""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct
from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from mes_terminal.tui.glyphs import PLAIN, Glyphs
from mes_terminal.tui.present import Tone
from mes_terminal.tui.present_view import Piece
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.desk_panes import DeskLine, StoryPane
from mes_terminal.tui.widgets.key_bar import KeyBar
from mes_terminal.tui.words import Words

BROAD_COLUMNS: Final = 160
WIDE_COLUMNS: Final = 120
USUAL_COLUMNS: Final = 80


class Shown(Struct, frozen=True, kw_only=True):
    """Everything that stands around the page at one moment."""

    words: Words
    title: str
    heading: Sequence[str]
    sought: str
    """The text that is looked for, as it was typed or scanned."""
    station: str
    freshness: Piece
    """How far upstream is behind; empty where nothing is delivered."""
    test: bool
    mode_word: str
    notice: str
    notice_tone: Tone
    prompt: str | None
    """What one line is asked for; `None`: nothing is."""
    typed: str
    legends: Sequence[tuple[str, str]]
    help: dict[str, str] | None
    """Keys and what they do, where the help is open."""


class DeskScreen(ModalScreen[None]):
    """One screen that never scrolls as a whole."""

    AUTO_FOCUS = None

    def __init__(self, glyphs: Glyphs, *, plain: bool) -> None:
        super().__init__()
        self._glyphs = glyphs
        self.head, self.foot = DeskLine(id="desk-head"), DeskLine(id="desk-foot")
        self.help = StoryPane(id="desk-help")
        self.legends = KeyBar()
        self.pages = Container(id="desk-pages")
        self._widgets: list[Widget] = []
        for widget in (self.head, self.foot, self.help):
            widget.glyphs = glyphs
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the lines; the style sheet decides where."""
        yield self.head
        with self.pages:
            yield self.help
        yield self.foot
        yield self.legends

    def on_resize(self, event: events.Resize) -> None:
        """Choose the layout by the terminal's size."""
        self.set_class(event.size.width >= WIDE_COLUMNS, "-wide")
        self.set_class(event.size.width >= BROAD_COLUMNS, "-broad")
        self.set_class(event.size.width < USUAL_COLUMNS, "-narrow")

    def turn_to(self, widget: Widget) -> None:
        """Show the widget of a page in place of the one before."""
        for each in self._widgets:
            each.display = each is widget
        if widget not in self._widgets:
            self._widgets.append(widget)
            self.pages.mount(widget)

    def show(self, shown: Shown) -> None:
        """Draw what stands around the page."""
        self._show_head(shown)
        self._show_help(shown)
        self._show_foot(shown)
        self.legends.show([(_key(key, self._glyphs), told) for key, told in shown.legends],
                          test=shown.test)  # fmt: skip

    def _show_head(self, shown: Shown) -> None:
        told = shown.words.desk
        left = [Content.styled(shown.title, "bold")]
        if shown.sought:
            left.append(Content.styled(f"{told.filter} {safe(shown.sought, 20)}", "bold"))
        left += map(Content, shown.heading)
        self.head.set_class(shown.test, "-test")
        right = [Content(shown.station), Content(shown.mode_word)] if shown.station else []
        self.head.show(left, right)

    def _show_help(self, shown: Shown) -> None:
        self.set_class(shown.help is not None, "-helps")
        pieces = [
            Piece(f"{_key(key, self._glyphs)}: {what}") for key, what in (shown.help or {}).items()
        ]
        self.help.show(shown.words.desk.help_title, pieces, first=0, focused=True)

    def _show_foot(self, shown: Shown) -> None:
        self.foot.set_class(bool(shown.notice), "-told")
        sign = self._glyphs.prompt
        if shown.notice:
            self.foot.show([Content(f"{self._glyphs.tones[shown.notice_tone]} {shown.notice}")])
        elif shown.prompt is not None:
            typed = Content.assemble(f"{sign} ", (safe(shown.typed, 44), "bold"), ("█", "blink"))
            prompt = paint.text(shown.prompt, "$quiet-muted")
            self.foot.show([typed, prompt])
        else:
            self.foot.show([self._fresh(shown.freshness)] if shown.freshness.text else [])

    def _fresh(self, freshness: Piece) -> Content:
        """Grey, but for what a person has to mend."""
        if freshness.emphasis != "alert":
            return paint.text(freshness.text, "$quiet-muted")
        sign = self._glyphs.tones["check"]
        return paint.painted(Piece(f"{sign} {freshness.text}", "alert"))


def _key(key: str, glyphs: Glyphs) -> str:
    if glyphs is not PLAIN:
        return key
    for sign, name in (("↑ ↓", "Up Down"), ("← →", "Left Right"), ("↑↓", "Up/Dn")):
        key = key.replace(sign, name)
    return key

"""The genealogy over the operator's screen: a tree that scrolls, a line to type what to look up.

It decides nothing about scans: they go to the station as always, and the result of one closes it
(the app and `trace_control` see to that).
"""

from textual.app import ComposeResult
from textual.screen import ModalScreen

from mes_terminal.domain.trace import Trace
from mes_terminal.tui.glyphs import PLAIN, Glyphs
from mes_terminal.tui.widgets.entry_line import EntryLine
from mes_terminal.tui.widgets.key_bar import KeyBar
from mes_terminal.tui.widgets.trace_sheet import TraceSheet
from mes_terminal.tui.words import Words

SCROLL_KEYS = ("up", "down", "pageup", "pagedown", "home", "end")


class TraceScreen(ModalScreen[None]):
    """Scans go on being taken while it is open."""

    AUTO_FOCUS = None

    def __init__(self, words: Words, glyphs: Glyphs, *, plain: bool, test: bool) -> None:
        super().__init__()
        self._words, self._test = words, test
        self.sheet = TraceSheet(words)
        self.entry = EntryLine()
        self.legends = KeyBar()
        self.sheet.glyphs = self.entry.glyphs = glyphs
        self._arrows = ("<", ">") if glyphs is PLAIN else ("←", "→")
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the sheet, the line and the keys."""
        yield self.sheet
        yield self.entry
        yield self.legends

    def on_mount(self) -> None:
        """Say what can be done here."""
        self.entry.show_station(prompt=self._words.trace.prompt, pending="", queue_word="")
        keys = self._words.trace.keys
        left, right = self._arrows
        legends = [
            (left, keys["made_from"]),
            (right, keys["used_in"]),
            ("PgUp PgDn", keys["scroll"]),
        ]
        self.legends.show([*legends, ("Esc", keys["close"])], test=self._test)

    def show(self, trace: Trace, *, forward: bool) -> None:
        """Draw a trace."""
        self.sheet.show(trace, forward=forward)

    def say(self, sentence: str) -> None:
        """Draw a sentence instead."""
        self.sheet.say(sentence)

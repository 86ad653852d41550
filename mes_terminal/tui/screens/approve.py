"""The small dialog over the operator's screen in which a supervisor enters a PIN."""

from textual.app import ComposeResult
from textual.screen import ModalScreen

from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.widgets.approve_sheet import ApproveSheet, Asking
from mes_terminal.tui.words import Words


class ApproveScreen(ModalScreen[None]):
    """It decides nothing: `approve_control` sees to the keys and to the core."""

    AUTO_FOCUS = None

    def __init__(self, words: Words, glyphs: Glyphs, *, plain: bool) -> None:
        super().__init__()
        self._sheet = ApproveSheet(words)
        self._sheet.glyphs = glyphs
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the sheet."""
        yield self._sheet

    def show(self, asking: Asking) -> None:
        """Draw the question as it is now."""
        self._sheet.show(asking)

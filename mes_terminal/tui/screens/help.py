"""The help over the operator's screen; any scan, Esc or F1 closes it (the app does)."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.screen import ModalScreen

from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.widgets.help_sheet import HelpSheet
from mes_terminal.tui.words import Words


class HelpScreen(ModalScreen[None]):
    """Scans go on being taken while it is open."""

    AUTO_FOCUS = None

    def __init__(
        self,
        words: Words,
        keys: Sequence[tuple[str, str]],
        now: Sequence[str],
        glyphs: Glyphs,
        *,
        plain: bool,
    ) -> None:
        super().__init__()
        self._sheet = HelpSheet(words, keys, now, glyphs)
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the sheet."""
        yield self._sheet

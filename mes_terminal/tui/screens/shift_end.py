"""The end of a shift over the operator's screen; `shift_control` says what is drawn."""

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.screen import ModalScreen

from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.present_shift import Row
from mes_terminal.tui.widgets.shift_sheet import ShiftSheet
from mes_terminal.tui.words import Words


class ShiftEndScreen(ModalScreen[None]):
    """Scans go on being taken while it is open."""

    AUTO_FOCUS = None

    def __init__(self, words: Words, glyphs: Glyphs, *, plain: bool, practice: str) -> None:
        super().__init__()
        self._sheet = ShiftSheet(words, practice=practice)
        self._sheet.glyphs = glyphs
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the sheet."""
        yield self._sheet

    def show_open(self, name: str, rows: Sequence[Row]) -> None:
        """Draw what is open."""
        self._sheet.name_text, self._sheet.rows = name, rows
        self._sheet.refresh()

    def show_field(self, prompt: str, hint: str, typed: str, fault: str) -> None:
        """Draw what is asked for (no prompt: nothing), what was typed, and what went wrong."""
        sheet = self._sheet
        sheet.prompt, sheet.hint, sheet.typed, sheet.fault = prompt, hint, typed, fault
        sheet.refresh()

    def show_signed(self, lines: Sequence[str]) -> None:
        """Draw that it is signed off."""
        self._sheet.signed = lines
        self._sheet.refresh()

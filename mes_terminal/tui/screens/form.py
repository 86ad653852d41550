"""The dialog over the desk in which a form is filled; `form_control` leads a person through it."""

from collections.abc import Sequence

from msgspec import Struct
from textual.app import ComposeResult
from textual.screen import ModalScreen

from mes_terminal.tui.forms import Result
from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.widgets.form_sheet import FormSheet
from mes_terminal.tui.words import Words


class Dialog(Struct, frozen=True, kw_only=True):
    """Everything that the dialog draws at one moment. All texts are safe but `typed`."""

    title: str
    what: str
    only_told: str
    """One sentence where nothing is asked."""
    trail: str
    """What has been told so far."""
    options: Sequence[str]
    numbered: bool
    """A digit chooses."""
    at: int
    field: str | None
    """What is asked for now."""
    secret: bool
    typed: str
    hint: str
    working: bool
    result: Result | None
    done: bool
    fault: str


class FormScreen(ModalScreen[Result | None]):
    """Ends with what became of the request; `None`: nothing was sent."""

    AUTO_FOCUS = None

    def __init__(self, words: Words, glyphs: Glyphs, *, plain: bool) -> None:
        super().__init__()
        self._sheet = FormSheet(words)
        self._sheet.glyphs = glyphs
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the sheet."""
        yield self._sheet

    def show(self, dialog: Dialog) -> None:
        """Draw the dialog."""
        self._sheet.show(dialog)

"""The dialog over the desk that ends exceptions; `resolve_control` leads a person through it."""

from collections.abc import Sequence

from msgspec import Struct
from textual.app import ComposeResult
from textual.screen import ModalScreen

from mes_terminal.domain.desk import ExceptionStory
from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.present_exceptions import Result
from mes_terminal.tui.widgets.resolve_sheet import ResolveSheet
from mes_terminal.tui.words import Words


class Dialog(Struct, frozen=True, kw_only=True):
    """Everything that the dialog draws at one moment."""

    targets: Sequence[ExceptionStory]
    total: int
    """How many there are of their kind; the oldest are the targets."""
    chosen: str
    options: Sequence[str]
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


class ResolveScreen(ModalScreen[Result | None]):
    """Ends with what became of the decision; `None`: nothing was decided."""

    AUTO_FOCUS = None

    def __init__(self, words: Words, glyphs: Glyphs, *, plain: bool) -> None:
        super().__init__()
        self._sheet = ResolveSheet(words)
        self._sheet.glyphs = glyphs
        self.set_class(plain, "-plain")

    def compose(self) -> ComposeResult:
        """Place the sheet."""
        yield self._sheet

    def show(self, dialog: Dialog) -> None:
        """Draw the dialog."""
        self._sheet.show(dialog)

"""What a supervisor is asked to approve, and the PIN as dots (BF-24)."""

from typing import Final

from msgspec import Struct
from textual.content import Content

from mes_terminal.domain.view import ApprovalView
from mes_terminal.tui.figures import number
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe, wrap
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn
from mes_terminal.tui.words import Words

NAME_COLUMNS: Final = 24
VALUE_COLUMNS: Final = 40
DOTS_MAX: Final = 12
"""As many as a PIN may have; whoever types more has mistyped."""
SAID_LINES_MAX: Final = 2
"""The field below it must be seen."""
CAPTION_COLUMNS: Final = 14


class Asking(Struct, frozen=True):
    """Everything that is drawn at one moment; of the PIN only how long it is."""

    approval: ApprovalView
    dots: int
    working: bool
    fault: str
    """One sentence (safe); empty while nothing is wrong."""


class ApproveSheet(Drawn):
    """One question, one field."""

    _asking: Asking | None = None

    def __init__(self, words: Words) -> None:
        super().__init__()
        self._words = words

    def show(self, asking: Asking) -> None:
        """Draw the question as it is now."""
        self._asking = asking
        self.refresh()

    def render(self) -> Content:
        """Return the page from top to bottom."""
        asking, words = self._asking, self._words.approve
        if asking is None:
            return Content("")
        width = max(8, self.size.width - 2)
        approval = asking.approval
        what = words.situations.get(approval.situation, safe(approval.situation, VALUE_COLUMNS))
        lines = [
            Content.assemble((f" {words.title}  ", "bold $quiet-muted"), (what, "bold")),
            *self._facts(approval, width),
            Content(""),
        ]
        if asking.fault:
            lines += [paint.text(f" {x}", "bold $quiet-alert") for x in wrap(asking.fault, width)]
        prompt = words.pin.format(person=safe(approval.approver_name or "", NAME_COLUMNS))
        lines += [
            paint.text(f" {prompt}", "bold $quiet-strong"),
            self._typed(asking),
            Content(""),
            paint.text(f" {words.working if asking.working else words.keys}", "$quiet-muted"),
        ]
        return paint.stacked(lines)

    def _facts(self, approval: ApprovalView, width: int) -> list[Content]:
        words = self._words.approve
        said = []
        if self._words.language == "en":
            wrapped = wrap(safe(approval.said, SENTENCE_MAX_COLUMNS), width)
            said = [paint.text(f" {x}") for x in wrapped[:SAID_LINES_MAX]]
        quantity = number(approval.quantity, self._words) if approval.quantity else None
        facts = {
            words.order: approval.work_order,
            words.item: approval.item,
            words.lot: approval.lot,
            words.quantity: quantity,
        }
        return said + [
            Content.assemble(
                (f" {paint.padded(name, CAPTION_COLUMNS)}", "$quiet-muted"),
                (safe(value, VALUE_COLUMNS), "bold $quiet-strong"),
            )
            for name, value in facts.items()
            if value
        ]

    def _typed(self, asking: Asking) -> Content:
        dots = "*" * min(asking.dots, DOTS_MAX)
        return Content.assemble(f" {self.glyphs.prompt} ", (dots, "bold"), ("█", "blink"))

"""The line below the result: what is being typed, which command waits, which scans are queued."""

from collections.abc import Sequence

from textual.content import Content

from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn

TYPED_COLUMNS: int = 44
"""Of a long typed code the end is shown: that is where the next letter goes."""
QUEUED_NAMED_MAX: int = 4


class EntryLine(Drawn):
    """A waiting command colours the whole line like DO: something is needed."""

    prompt = ""
    notice = ""
    typed = ""
    pending = ""
    queued: Sequence[str] = ()
    waiting = 0
    queue_word = ""

    def show_station(self, *, prompt: str, pending: str, queue_word: str) -> None:
        """Draw what the station waits for."""
        self.prompt, self.pending, self.queue_word = prompt, pending, queue_word
        self.set_class(bool(pending), "-pending")
        self.refresh()

    def show_notice(self, notice: str) -> None:
        """Draw a passing remark (safe) in place of the prompt; empty: the prompt again."""
        self.notice = notice
        self.refresh()

    def show_typed(self, typed: str) -> None:
        """Draw what a person has typed so far."""
        if typed != self.typed:
            self.typed = typed
            self.refresh()

    def show_queue(self, codes: Sequence[str], waiting: int) -> None:
        """Draw the codes given here that wait, in order, and how many wait in all."""
        self.queued, self.waiting = tuple(codes), max(waiting, len(codes))
        self.refresh()

    def render(self) -> Content:
        """Return one line: typed or waiting at the left, the queue at the right."""
        return paint.spread(self._left(), self._queue(), self.size.width)

    def _left(self) -> Content:
        sign = f"{self.glyphs.prompt} "
        if self.typed:
            typed = self.typed if len(self.typed) <= TYPED_COLUMNS else self.typed[-TYPED_COLUMNS:]
            line = Content.assemble(sign, (safe(typed, TYPED_COLUMNS), "bold"), ("█", "blink"))
            return line + Content(f"   {self.pending}") if self.pending else line
        if self.notice:
            return Content.styled(sign + self.notice, "bold $quiet-strong")
        if self.pending:
            return Content.styled(sign + self.pending, "bold")
        return Content.styled(sign + self.prompt, "$quiet-muted")

    def _queue(self) -> Content:
        if not self.waiting:
            return Content("")
        codes = f" {self.glyphs.then} ".join(safe(x, 14) for x in self.queued[:QUEUED_NAMED_MAX])
        text = f"{self.waiting} {self.queue_word}"
        return Content.styled(f" {text}: {codes} " if codes else f" {text} ", "bold reverse")

"""The order at hand and how far it is: the line that answers "how many are left?"."""

from textual.content import Content

from mes_terminal.tui import big_font
from mes_terminal.tui.present_view import Piece, Progress
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn

BIG_ROWS: int = 8
"""From this height on the number and the progress are drawn in big letters."""


class OrderPanel(Drawn):
    """Two lines on a small screen; big figures and a thick bar on a large one."""

    order = ""
    item = ""
    description = ""
    due = Piece("")
    progress = Progress(0, 0, 0, "")
    scrapped = ""

    def show(
        self,
        *,
        order: str,
        item: str,
        description: str,
        due: Piece,
        progress: Progress,
        scrapped: str,
    ) -> None:
        """Draw an order; without one `order` is a sentence that says so."""
        self.order, self.item = safe(order, 30), safe(item, 30)
        self.description = safe(description, 60)
        self.due, self.progress, self.scrapped = due, progress, scrapped
        self.refresh()

    def render(self) -> Content:
        """Return the small or the large form, by height."""
        width = self.size.width
        if self.size.height >= BIG_ROWS and self._fits_big(width):
            return self._big(width)
        name = Content.assemble(
            (self.order, "bold $quiet-strong"),
            "  ",
            (self.item, "bold $quiet-text"),
            "  ",
            (self.description, "$quiet-muted"),
        )
        lines = [paint.spread(name, paint.painted(self.due), width)]
        if self.progress.total:
            figures = self._figures()
            bar = self._bar(max(1, width - figures.cell_length - 2))
            lines.append(bar + Content("  ") + figures)
        return paint.stacked(lines)

    def _figures(self) -> Content:
        text = Content.styled(self.progress.text, "bold $quiet-strong")
        if self.scrapped:
            text += Content.styled(f"  {self.scrapped}", "$quiet-text")
        return text

    def _bar(self, width: int) -> Content:
        good, scrapped = self.progress.cells(width)
        return Content.assemble(
            (self.glyphs.full * good, "$progress-good"),
            (self.glyphs.part * scrapped, "$progress-scrapped"),
            (self.glyphs.empty * (width - good - scrapped), "$progress-track"),
        )

    def _fits_big(self, width: int) -> bool:
        texts = (self.order, self._count())
        if not self.progress.total or not all(big_font.can_draw(text) for text in texts):
            return False
        return sum(big_font.width_of(text, 1) for text in texts) + 4 <= width

    def _count(self) -> str:
        return self.progress.text.replace(" / ", "/")

    def _big(self, width: int) -> Content:
        left, right = big_font.draw(self.order, 1), big_font.draw(self._count(), 1)
        lines = [
            paint.spread(
                Content.styled(a, "$quiet-strong"), Content.styled(b, "$quiet-strong"), width
            )
            for a, b in zip(left, right, strict=True)
        ]
        name = Content.assemble(
            (self.item, "bold $quiet-strong"), "   ", (self.description, "$quiet-text")
        )
        due = paint.painted(self.due)
        if self.scrapped:
            due = Content.styled(self.scrapped + "   ", "$quiet-text") + due
        bars = [self._bar(width)] * max(1, min(2, self.size.height - 7))
        return paint.stacked([*lines, Content(""), paint.spread(name, due, width), *bars])

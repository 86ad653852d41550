"""A chart as lines of text: for small or plain terminals, and as the names below a picture."""

from typing import Final

from textual.content import Content

from mes_terminal.tui.present_figures import Bar, Chart
from mes_terminal.tui.safe_text import column_count
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.drawn import Drawn

LABEL_COLUMNS_MAX: Final = 36
TEXT_COLUMNS_MAX: Final = 26
_NOTHING: Final = Chart("", ())


class BarsPane(Drawn):
    """The same in lines of text: for small terminals, and for those with few signs."""

    _chart: Chart = _NOTHING
    _second = "$progress-scrapped"

    def show(self, chart: Chart, *, second: str) -> None:
        """Draw a chart; without bars it says why."""
        self._chart, self._second = chart, f"${second}"
        self.refresh()

    def render(self) -> Content:
        """Return a line a bar, as many as there is room for."""
        rows = max(1, self.size.height)
        bars = self._chart.bars[-rows:] if self._chart.keeps_last else self._chart.bars[:rows]
        if not bars:
            return paint.text(f" {self._chart.empty}", paint.EMPHASIS["muted"])
        labels = min(LABEL_COLUMNS_MAX, max(column_count(each.label) for each in bars))
        texts = min(TEXT_COLUMNS_MAX, max(column_count(each.text) for each in bars))
        room = max(1, self.size.width - labels - texts - 5)
        most = max(1, *(each.micro + each.second_micro for each in bars))
        return paint.stacked(self._line(each, labels, texts, room, most) for each in bars)

    def _line(self, bar: Bar, labels: int, texts: int, room: int, most: int) -> Content:
        first = bar.micro * room // most
        whole = (bar.micro + bar.second_micro) * room // most
        second = max(whole - first, 1 if bar.second_micro else 0)
        return Content.assemble(
            (f" {paint.padded(bar.label, labels)}  ", "$quiet-text"),
            (f"{paint.padded(bar.text, texts)}  ", "$quiet-strong"),
            (self.glyphs.full * first, "$progress-good"),
            (self.glyphs.part * second, self._second),
        )

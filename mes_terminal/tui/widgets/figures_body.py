"""The body of the key figures: the names of the charts, the chart at hand, a table of the day.

Below 120 columns the table stands under the chart; plain terminals get the chart as text.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from textual import events
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from mes_terminal.tui.glyphs import PLAIN, Glyphs
from mes_terminal.tui.present_figures import Chart, Row
from mes_terminal.tui.safe_text import column_count, wrap
from mes_terminal.tui.widgets import paint
from mes_terminal.tui.widgets.bars_pane import BarsPane
from mes_terminal.tui.widgets.drawn import Drawn

if TYPE_CHECKING:
    from mes_terminal.tui.widgets.chart_pane import ChartPane

CHART_COLUMNS_MIN: Final = 76
CHART_ROWS_MIN: Final = 8
"""Smaller than that a drawn chart says less than its lines of text."""
FRAME_ROWS: Final = 14
"""What stands around the chart: head, names, title, table, keys."""
NAME_COLUMNS: Final = 17
CELL_COLUMNS: Final = 10


class TabLine(Drawn):
    """The names of the charts; the one at hand is strong. The day stands at the right."""

    _names: Sequence[str] = ()
    _at = 0
    _right = ""

    def show(self, names: Sequence[str], at: int, right: str) -> None:
        """Draw the line."""
        self._names, self._at, self._right = names, at, right
        self.refresh()

    def render(self) -> Content:
        """Return the line."""
        parts = [
            Content.styled(f" {name} ", "bold reverse $quiet-text" if place == self._at else
                           "$quiet-muted")
            for place, name in enumerate(self._names)
        ]  # fmt: skip
        right = paint.text(f"{self._right} ", "bold $quiet-strong")
        return paint.spread(Content(" ") + Content(" ").join(parts), right, max(1, self.size.width))


class TablePane(Drawn):
    """Names at the left, figures in columns; columns that do not fit are left out from the middle:
    the day and the one before it always stand."""

    _rows: Sequence[Row] = ()
    _notes: Sequence[Sequence[str]] = ()

    def show(self, rows: Sequence[Row], notes: Sequence[Sequence[str]]) -> None:
        """Draw the table, and paragraphs below it as far as there is room."""
        self._rows, self._notes = rows, notes
        self.refresh()

    def render(self) -> Content:
        """Return the table."""
        width = max(1, self.size.width - 2)
        fits = max(2, (self.size.width - NAME_COLUMNS - 2) // CELL_COLUMNS)
        lines = [self._line(row, fits, head=not place) for place, row in enumerate(self._rows)]
        for note in self._notes:
            told = [line for text in note if text for line in wrap(text, width)]
            if told:
                lines += [Content(""), *(paint.text(f" {line}", "$quiet-muted") for line in told)]
        return paint.stacked(lines[: max(1, self.size.height)])

    def _line(self, row: Row, fits: int, *, head: bool) -> Content:
        cells = list(row.cells)
        if len(cells) > fits:
            cells = [*cells[: fits - 1], cells[-1]]
        style = "$quiet-muted" if head else "$quiet-text"
        name = paint.text(f" {paint.padded(row.name, NAME_COLUMNS)}", "$quiet-muted")
        shown = [
            paint.text(_right(cell), "bold $quiet-strong" if not place and not head else style)
            for place, cell in enumerate(cells)
        ]
        return name + Content("").join(shown)


class FiguresBody(Container):
    """Line, chart and table; `sections.figures` tells them what to draw."""

    DEFAULT_CLASSES = "-figures"

    def __init__(self, glyphs: Glyphs) -> None:
        super().__init__()
        self._plain = glyphs is PLAIN
        self.tabs, self.table = TabLine(classes="-tabs"), TablePane(classes="-table")
        self.title = BarsTitle(self._again)
        self.half = Container(classes="-chart")
        self.bars = BarsPane(classes="-bars")
        self.chart: ChartPane | None = None
        self._wanted: tuple[Chart, str, bool] | None = None
        for pane in (self.tabs, self.table, self.bars, self.title):
            pane.glyphs = glyphs

    def compose(self) -> ComposeResult:
        """Place the panes; the style sheet decides where."""
        yield self.tabs
        with Container(classes="-halves"):
            with self.half:
                yield self.title
                yield self.bars
            yield self.table

    def show_chart(self, chart: Chart, *, second: str, lists: bool) -> None:
        """Draw the chart at hand, as a picture where there is room for one. `lists`: its bars have
        names that only lines of text can tell, so these stand beneath it."""
        self._wanted = chart, second, lists
        if not self.title.is_attached:
            return  # it is drawn as soon as it has its room
        room = self.app.size
        rows = CHART_ROWS_MIN + (len(chart.bars) + 1 if lists else 0)
        drawn = bool(
            chart.bars
            and not self._plain
            and room.width >= CHART_COLUMNS_MIN
            and room.height >= FRAME_ROWS + rows
        )
        self.title.show(chart.title, chart.note)
        self.bars.display = lists or not drawn
        if self.chart is not None:
            self.chart.display = drawn
        if drawn:
            self._drawing().show(chart, second=second)
            self.bars.styles.height = len(chart.bars) + 1 if lists else None
        else:
            self.bars.styles.height = None
        self.bars.show(chart, second=second)

    def _again(self) -> None:
        """Draw it once more: there is room for it, or another room."""
        if self._wanted is not None:
            chart, second, lists = self._wanted
            self.show_chart(chart, second=second, lists=lists)

    def _drawing(self) -> "ChartPane":
        """Return the pane of the picture; it is made for the first one."""
        if self.chart is None:
            from mes_terminal.tui.widgets.chart_pane import ChartPane

            self.chart = ChartPane(classes="-plot")
            self.half.mount(self.chart, after=self.title)
        return self.chart


class BarsTitle(Drawn):
    """What a chart shows, and a note on it."""

    _title = _note = ""

    def __init__(self, resized: Callable[[], None]) -> None:
        super().__init__(classes="-title")
        self._resized = resized

    def on_resize(self, event: events.Resize) -> None:
        """Tell that there is another room."""
        del event
        self._resized()

    def show(self, title: str, note: str) -> None:
        """Draw the line."""
        self._title, self._note = title, note
        self.refresh()

    def render(self) -> Content:
        """Return the line."""
        title = paint.text(f" {self._title}", "bold $quiet-strong")
        return paint.spread(title, paint.text(f"{self._note} ", "$quiet-muted"), self.size.width)


def _right(cell: str) -> str:
    return " " * max(1, CELL_COLUMNS - column_count(cell)) + cell

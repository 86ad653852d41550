"""A chart drawn by plotext, in the colours of the theme.

The lengths of bars are positions on the screen: only here are they divided. Imported when the first
chart is drawn: plotext takes longer to import than a screen may take to appear.
"""

from typing import Any, Final

from textual.color import Color
from textual_plotext import PlotextPlot

from mes_terminal.tui.present_figures import Chart, ticks

MICRO: Final = 1_000_000
BAR_WIDTH: Final = 0.5


class ChartPane(PlotextPlot):
    """Upright bars, in two parts where there are two, and a line over them."""

    def show(self, chart: Chart, *, second: str) -> None:
        """Draw a chart that has bars; `second` is the theme's colour of their second parts."""
        plot = self.plt
        plot.clear_figure()
        plot.frame(False)
        plot.canvas_color(self._colour("quiet-ground"))
        plot.axes_color(self._colour("quiet-ground"))
        plot.ticks_color(self._colour("quiet-muted"))
        labels = [each.short or each.label for each in chart.bars]
        parts = [
            [each.micro / MICRO for each in chart.bars],
            [each.second_micro / MICRO for each in chart.bars],
        ]
        colours: Any = [self._colour("progress-good"), self._colour(second)]
        plot.stacked_bar(labels, parts, width=BAR_WIDTH, color=colours)
        if chart.line_micro:
            places = list(range(1, len(chart.bars) + 1))
            points = [micro / MICRO for micro in chart.line_micro]
            plot.plot(places, points, marker="braille", color=self._colour("mark-do"))
        most = max(*(each.micro + each.second_micro for each in chart.bars), *chart.line_micro, 0)
        marks = ticks(most)
        plot.ylim(0, max(most, marks[-1]) / MICRO)
        plot.yticks([each / MICRO for each in marks], [f"{each // MICRO} " for each in marks])
        self.refresh()

    def _colour(self, name: str) -> tuple[int, int, int]:
        return Color.parse(self.app.theme_variables[name]).rgb

"""The page of key figures: four charts and a table of a production day (docs/figures.md)."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Final, Literal

from mes_terminal.domain.figures import AgeBucket, DayFigures
from mes_terminal.tui import present_figures
from mes_terminal.tui.present_figures import Chart
from mes_terminal.tui.sections.page import Desk, Page
from mes_terminal.tui.telling import Telling
from mes_terminal.tui.widgets.figures_body import FiguresBody

ChartName = Literal["hours", "causes", "ages", "errors"]
CHARTS: Final[tuple[ChartName, ...]] = ("hours", "causes", "ages", "errors")
LISTED: Final[tuple[ChartName, ...]] = ("causes",)
"""Those whose bars have names that are too long to stand below them."""
SECOND: Final[dict[ChartName, str]] = {"hours": "progress-scrapped"}
"""The theme's colour of the second part of a bar, where it is not that of an alert."""
DAYS: Final = 14
"""Of the error rate; the day at hand is the last of them."""
ASK_EVERY_POLLS: Final = 15


class FiguresPage(Page):
    """One chart at a time; left and right go to another, up and down to another day."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.widget: FiguresBody = FiguresBody(desk.glyphs)
        self._days: list[DayFigures] = []
        self._ages: list[AgeBucket] = []
        self._day: str | None = None
        """The day at hand; `None`: today."""
        self._today = ""
        self._at = 0
        self._polls = 0

    @property
    def told(self) -> dict[str, str]:
        """The words of the section."""
        return self.desk.words.sections["figures"].told

    def opened(self) -> None:
        """Ask for the days that end with the one at hand."""
        self.begin_round()
        self._ask()

    def poll(self) -> None:
        """Ask again every half a minute."""
        self._polls += 1
        if self._polls >= ASK_EVERY_POLLS:
            self._ask()

    def legends(self) -> Sequence[tuple[str, str]]:
        """Return what the arrows do."""
        return [("← →", self.told["legend_chart"]), ("↑ ↓", self.told["legend_day"])]

    def help(self) -> dict[str, str]:
        """Return what the keys do."""
        names = {"← →": "help_chart", "↑ ↓": "help_day", "Home": "help_today"}
        return {key: self.told[name] for key, name in names.items()}

    def press(self, key: str) -> bool:
        """Show another chart, or another day."""
        match key:
            case "left" | "right" | "tab":
                self._at = (self._at + (-1 if key == "left" else 1)) % len(CHARTS)
            case "up" | "down":
                self._go_to(-1 if key == "up" else 1)
            case "home":
                self._day = None
                self.opened()
            case _:
                return False
        return True

    def draw(self) -> None:
        """Draw the chart at hand and the table of the day."""
        telling = self.desk.telling
        names = [self.told[f"chart_{name}"] for name in CHARTS]
        if telling is None or not self._days:
            self.widget.tabs.show(names, self._at, "")
            return
        day = self._days[-1]
        before = self._days[-2] if len(self._days) > 1 else None
        date_text = present_figures.day_text(day.day, self.told)
        today = f" ({self.told['today']})" if self._day is None else ""
        self.widget.tabs.show(names, self._at, date_text + today)
        name = CHARTS[self._at]
        chart = self._chart(name, day, telling)
        self.widget.show_chart(chart, second=SECOND.get(name, "quiet-alert"), lists=name in LISTED)
        self.widget.table.show(
            present_figures.table(day, before, telling, self.told),
            [
                [present_figures.signs_text(day.total, self.told)],
                present_figures.orders_lines(day, telling),
            ],
        )

    def _chart(self, name: ChartName, day: DayFigures, telling: Telling) -> Chart:
        match name:
            case "hours":
                return present_figures.hours_chart(day, telling, self.told)
            case "causes":
                return present_figures.causes_chart(day, telling, self.told)
            case "ages":
                return present_figures.ages_chart(self._ages, telling, self.told)
            case "errors":
                return present_figures.errors_chart(self._days, telling, self.told)

    def _go_to(self, by: int) -> None:
        """Go to another day, never beyond today."""
        if not self._days or (self._day is None and by > 0):
            return
        day = (date.fromisoformat(self._days[-1].day) + timedelta(days=by)).isoformat()
        self._day = None if day == self._today else day
        self.opened()

    def _ask(self) -> None:
        self._polls = 0
        asked = {"days": str(DAYS)} | ({"day": self._day} if self._day is not None else {})
        self.ask_rows("figures", asked, DayFigures, self._take_days)
        self.ask_rows("open_ages", {}, AgeBucket, self._take_ages)

    def _take_days(self, days: list[DayFigures]) -> None:
        self._days = days
        if self._day is None and days:
            self._today = days[-1].day

    def _take_ages(self, ages: list[AgeBucket]) -> None:
        self._ages = ages

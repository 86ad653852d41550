"""The page that lists all sections of the desk, with a line on what each is for."""

from collections.abc import Sequence

from mes_terminal.tui.sections.page import STEPS, Desk, Page
from mes_terminal.tui.sections.section import Cell, Line
from mes_terminal.tui.widgets.list_body import ListBody

NAME_COLUMNS = 16


class MenuPage(Page):
    """The menu; the section that it was opened from is the selected one."""

    def __init__(self, desk: Desk, sections: Sequence[tuple[str, str]]) -> None:
        super().__init__(desk)
        self.widget: ListBody = ListBody(desk.glyphs)
        self.widget.add_class("-menu")
        self._sections = sections
        self._at = 0

    def select(self, name: str) -> None:
        """Let the cursor stand on a section."""
        names = [section for section, _ in self._sections]
        self._at = names.index(name) if name in names else 0

    def legends(self) -> Sequence[tuple[str, str]]:
        """Enter goes there."""
        return [("Enter", self.desk.words.desk.keys["go"])]

    def help(self) -> dict[str, str]:
        """Return what the keys do."""
        told = self.desk.words.desk.list_help
        return {"↑ ↓": told["move"], "Enter": told["go"]}

    def press(self, key: str) -> bool:
        """Move, or go there."""
        last = len(self._sections) - 1
        by = {"up": -1, "down": 1}.get(key)
        if key == "enter":
            self.desk.go(self._sections[self._at][0])
        elif by is not None:
            self._at = (self._at + by) % (last + 1)
        elif key in STEPS:
            self._at = 0 if key in ("home", "pageup") else last
        else:
            return False
        return True

    def draw(self) -> None:
        """Draw the list."""
        words = self.desk.words

        def line(place: int) -> Line:
            name, digit = self._sections[place]
            told = words.sections[name]
            return Line(
                left=[
                    Cell(digit or " ", 1, "strong"),
                    Cell(told.title.capitalize(), NAME_COLUMNS, "strong"),
                    Cell(told.about),
                ]
            )

        self.widget.show_rows(
            words.sections["menu"].rows, "", line, columns=None, first=0, end=len(self._sections),
            at=self._at, focused=True, empty=[],
        )  # fmt: skip
        self.widget.show_story("", (), first=0, focused=False)

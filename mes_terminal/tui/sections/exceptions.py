"""The page of exceptions: groups, the rows of one, the story of the selected one, what ends it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from mes_terminal.domain.desk import ExceptionStory, KindGroup
from mes_terminal.domain.resolving import EXCEPTIONS_MAX
from mes_terminal.tui import present_exceptions, resolve_form
from mes_terminal.tui.desk_feed import PAGE_ROWS
from mes_terminal.tui.desk_state import PANES, DeskState
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.sections.page import STEPS, Desk, Meaning, Page
from mes_terminal.tui.widgets.exceptions_body import ExceptionsBody

if TYPE_CHECKING:
    from mes_terminal.errors import StationError


class ExceptionsPage(Page):
    """What is open; what heals or is opened is seen without the cursor being lost."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.widget: ExceptionsBody = ExceptionsBody(desk.glyphs)
        self._state = DeskState()
        self._asked_page: int | None = None

    # The desk ------------------------------------------------------------------------------------

    def opened(self) -> None:
        """Ask what there is."""
        self.begin_round()
        self._asked_page = None
        self._ask_groups()

    def poll(self) -> None:
        """Ask again, unless rows are on their way."""
        if self._asked_page is None:
            self._ask_groups()

    def heading(self) -> Sequence[str]:
        """Return how many there are, and the age of the oldest."""
        telling, state = self.desk.telling, self._state
        if telling is None or not state.loaded:
            return ()
        texts = present_exceptions.heading_texts(state.groups, telling, only_open=state.only_open)
        told = telling.words.desk
        texts += [told.only_late] if state.only_late else []
        return texts + ([told.only_of.format(person=safe(state.owner, 20))] if state.owner else [])

    @property
    def sought(self) -> str:
        """The text that is looked for."""
        return self._state.text

    def legends(self) -> Sequence[tuple[str, str]]:
        """Return what the keys do."""
        told = self.desk.words.desk.keys
        names = {"Enter": "resolve", "g": "group", "a": "assign", "b": "by", "o": "all"}
        return [(key, told[name]) for key, name in names.items()]

    def help(self) -> dict[str, str]:
        """Return what the keys do."""
        return self.desk.words.desk.help

    def press(self, key: str) -> bool:
        """Move, go to the next pane, or resolve."""
        state = self._state
        if key in ("tab", "right", "left"):
            by = -1 if key == "left" else 1
            state.pane = (state.pane + by) % len(PANES)
        elif key == "enter":
            self._fill("r")
        elif key in STEPS:
            self._move(key)
        else:
            return False
        return True

    def press_letter(self, letter: str) -> bool:
        """Resolve one or its group, or show the ended ones too."""
        match letter:
            case "o":
                self._state.only_open = not self._state.only_open
                self._begin_anew()
            case "d":
                self._state.only_late = not self._state.only_late
                self._begin_anew()
            case "b":
                self._state.regroup()
                self.opened()
            case "n":
                self._filter_owner()
            case "r" | "g" | "a":
                self._fill(letter)
            case _:
                return False
        return True

    def step_back(self) -> bool:
        """Show everything again."""
        state = self._state
        if not (state.text or state.owner or state.only_late):
            return False
        state.owner, state.only_late = None, False
        self.look_for("")
        return True

    @property
    def can_look_for(self) -> bool:
        """A text in order, item, lot or cause."""
        return True

    def takes(self, kind: str) -> bool:
        """Orders, items and lots stand in exceptions."""
        return kind in ("order", "item", "lot", "container")

    def scanned(self, code: str, meaning: Meaning | None) -> None:
        """Look for the order, the item or the lot that a code names."""
        if meaning is not None and meaning.kind in ("lot", "container"):
            self.look_for(meaning.key.partition("|")[2] or meaning.key)
        else:
            super().scanned(code, meaning)

    def look_for(self, text: str) -> None:
        """Show only what has `text`."""
        self._state.text = text
        self._begin_anew()

    def draw(self) -> None:
        """Draw the panes."""
        telling = self.desk.telling
        if telling is None:
            self.widget.show_nothing(self.desk.words)
        else:
            self.widget.show(self._state, telling)

    # Its own -------------------------------------------------------------------------------------

    def _move(self, key: str) -> None:
        state = self._state
        if state.move(key, page=self.widget.page_rows(PANES[state.pane])):
            self.begin_round()
            self._asked_page = None
        self._ask_more()

    def _begin_anew(self) -> None:
        self._state.begin_anew()
        self.opened()
        self.desk.draw()

    def _fill(self, letter: str) -> None:
        """Open a form for the selected exception, or with `g` for those of its kind in the group,
        the oldest first. `a` on the groups gives a whole group to somebody."""
        state = self._state
        row = state.row
        if row is None or state.group is None:
            return
        if letter == "r" or (letter == "a" and state.pane != 0):
            self._open_form(letter, row, [row], 1)
        elif state.rows.first == 0:
            held = (state.rows.row_at(place) for place in range(state.rows.end))
            self._open_form(letter, row, [each for each in held if each], state.group.count)
        else:
            self._ask_oldest(letter, row, state.group.count)

    def _ask_oldest(self, letter: str, row: ExceptionStory, count: int) -> None:
        """Ask for the first rows of a group that are not held any more, then open the form."""

        def take(rows: list[ExceptionStory]) -> None:
            self._open_form(letter, row, rows, count)

        filters = self._state.group_filters() | {"limit": str(PAGE_ROWS)}
        self.ask_rows("exception_rows", filters, ExceptionStory, take)

    def _open_form(
        self, letter: str, row: ExceptionStory, rows: Sequence[ExceptionStory], count: int
    ) -> None:
        rows = [each for each in rows if each.kind == row.kind]
        targets = [each for each in rows if each.status == "open"][:EXCEPTIONS_MAX]
        if not targets:
            return
        alike = self._state.by in ("kind", "cause")
        total = count if alike else len(rows)
        make = resolve_form.assign_form if letter == "a" else resolve_form.resolve_form
        self.desk.fill(make(targets, total, self.desk.words, self.desk.glyphs), self.opened)

    def _filter_owner(self) -> None:
        """Show only what is somebody's, or everything again."""
        if self._state.owner is not None:
            self._take_owner("")
        else:
            self.desk.ask_line(self.desk.words.desk.whose, self._take_owner)

    def _take_owner(self, owner: str) -> None:
        self._state.owner = owner or None
        self._begin_anew()

    def _take_groups(self, groups: list[KindGroup]) -> None:
        state = self._state
        if state.take_groups(groups):
            state.rows.forget_end()
            self._ask_page(state.rows.page_at_cursor())
        elif state.row is not None:
            self._ask_selected()

    def _ask_groups(self) -> None:
        self.ask_rows("exception_groups", self._state.filters(), KindGroup, self._take_groups)

    def _ask_more(self) -> None:
        wanted = self._state.rows.page_wanted()
        if wanted is not None and self._asked_page is None:
            self._ask_page(wanted)

    def _ask_page(self, page: int) -> None:
        state = self._state
        if state.key is None:
            return
        self.begin_round()
        self._asked_page = page

        def take(rows: list[ExceptionStory]) -> None:
            self._asked_page = None
            state.take_rows(page, rows)
            self._ask_more()

        self._ask_list(state.rows.start_of(page), PAGE_ROWS, take)

    def _ask_selected(self) -> None:
        """Ask for the selected row again: what is still open of it may be less."""
        window = self._state.rows

        def take(rows: list[ExceptionStory]) -> None:
            if window.take_row(rows):
                self._ask_page(window.page_at_cursor())

        self._ask_list(window.key_before(), 1, take)

    def _ask_list(self, since: str, limit: int, take: Any) -> None:
        filters = self._state.group_filters() | {"limit": str(limit)}
        if since:
            filters["since"] = since
        self.ask_rows("exception_rows", filters, ExceptionStory, take, self._failed)

    def _failed(self, error: "StationError") -> None:
        self._asked_page = None
        self.desk.fail(error)

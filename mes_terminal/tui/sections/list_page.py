"""The page of a described section: its list in pages, the story of the selected row, its actions.

Guarantees: never more than a few pages of rows are held, however long the list is; a refresh keeps
the cursor on its row; what a row holds is drawn as text.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from mes_terminal.tui.desk_feed import PAGE_ROWS
from mes_terminal.tui.sections.list_window import ListWindow
from mes_terminal.tui.sections.page import STEPS, Desk, Meaning, Page
from mes_terminal.tui.sections.section import Action, Detail, Go, Line, Section
from mes_terminal.tui.widgets.list_body import ListBody

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from mes_terminal.errors import StationError
    from mes_terminal.tui.present_view import Piece

POLLS_EACH: Final = 5
"""Every ten seconds totals and what is told of the selected row are asked for again."""
DETAILS_REST_S: Final = 0.15
"""A cursor that runs down a list asks for nothing until it rests."""


class Count(Struct, frozen=True):
    """How many rows a list has."""

    count: int


class ListPage(Page):
    """A list section while the desk is open."""

    def __init__(self, desk: Desk, section: Section[Any]) -> None:
        super().__init__(desk)
        self.section = section
        self.widget: ListBody = ListBody(desk.glyphs)
        self._window: ListWindow[Any] = ListWindow(section.key)
        self._scope = 0
        self._text = ""
        self._count: int | None = None
        self._head: Any = None
        self._polls = 0
        self._asked_page: int | None = None
        self._details: dict[str, Any] = {}
        self._details_of: Any = None
        self._rest: TimerHandle | None = None
        self._on_story = False
        self._story_first = 0

    @property
    def told(self) -> Any:
        """The words of the section."""
        return self.desk.words.sections[self.section.name]

    # The desk ------------------------------------------------------------------------------------

    def opened(self) -> None:
        """Ask for the page at the cursor, and how many rows there are."""
        self._ask_page(self._window.page_at_cursor(), anew=True)
        self._ask_totals()

    def poll(self) -> None:
        """Ask for the page at the cursor again; now and then for everything else too."""
        self._polls += 1
        if self._polls % POLLS_EACH == 0:
            self._window.forget_end()
            self._ask_totals()
            self._ask_details()
        self._ask_page(self._window.page_at_cursor())

    def heading(self) -> Sequence[str]:
        """Return how many there are, of what, and the text they have."""
        telling = self.desk.telling
        if telling is None:
            return ()
        texts = [self.told.scopes.get(self._scope_name, self._scope_name)]
        if self._count is not None:
            texts[0] = f"{telling.number(self._count)} {texts[0]}"
        if self.section.head is not None and self._head is not None:
            texts += self.section.head.texts(self._head, telling)
        return texts

    def legends(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the section."""
        keys = self.desk.words.desk.keys
        legends = [(each.key, self.told.told[f"legend_{each.name}"]) for each in self._actions()]
        legends += [("o", keys["scope"])] if len(self.section.scopes) > 1 else []
        return legends

    def help(self) -> dict[str, str]:
        """Return what the keys of the section do."""
        told = self.desk.words.desk.list_help
        names = {"move": "↑ ↓  PgUp PgDn", "pane": "Tab  ← →"}
        texts = {key: told[name] for name, key in names.items()}
        texts |= {each.key: self.told.told[f"help_{each.name}"] for each in self.section.actions}
        if len(self.section.scopes) > 1:
            texts["o"] = told["scope"]
        if self.section.finds_text:
            texts["/"] = self.told.finds
        if self.section.takes:
            texts[told["scan_key"]] = told["scan"]
        return texts

    def press(self, key: str) -> bool:
        """Move, go to the story and back, or open the first action."""
        if key in ("tab", "left", "right"):
            self._on_story = not self._on_story
        elif key in STEPS:
            self._move(key)
        elif key == "enter":
            return bool(self.section.actions) and self._act(self.section.actions[0])
        else:
            return False
        return True

    def press_letter(self, letter: str) -> bool:
        """Open an action, or list something else."""
        if letter == "o" and len(self.section.scopes) > 1:
            self._scope = (self._scope + 1) % len(self.section.scopes)
            self._begin_anew()
            return True
        action = next((each for each in self.section.actions if each.key == letter), None)
        return action is not None and self._act(action)

    def step_back(self) -> bool:
        """Go back from the story, then show everything again."""
        if self._on_story:
            self._on_story = False
            return True
        if not self._text:
            return False
        self.look_for("")
        return True

    @property
    def sought(self) -> str:
        """The text that is looked for."""
        return self._text

    @property
    def can_look_for(self) -> bool:
        """Whether the list finds texts."""
        return self.section.finds_text

    def look_for(self, text: str) -> None:
        """Show only what has `text`."""
        self._text = text
        self._begin_anew()

    def takes(self, kind: str) -> bool:
        """Tell whether the section finds what such a code names."""
        return kind in self.section.takes

    def scanned(self, code: str, meaning: Meaning | None) -> None:
        """Look for what a code names, in everything that there is."""
        if not self.section.finds_text:
            return
        found = self.section.takes.get(meaning.kind) if meaning is not None else None
        if found is not None and meaning is not None:
            self._scope = len(self.section.scopes) - 1
            self.look_for(found(meaning.key))
        else:
            self.look_for(code)

    def draw(self) -> None:
        """Draw the list and the story."""
        telling, section, window = self.desk.telling, self.section, self._window
        told = self.desk.words.desk
        if telling is None or not window.loaded:
            empty = [told.loading]
        elif self._text:
            empty = [told.nothing_sought]
        elif section.empty is not None:
            empty = [section.empty(self._head, telling)]
        else:
            empty = [self.told.empty]

        def line(place: int) -> Line | None:
            row = window.row_at(place)
            return None if row is None or telling is None else section.line(row, telling)

        shown = telling is not None and window.loaded and window.end > window.first
        first, end = (window.first, window.end) if shown else (0, 0)
        self.widget.show_rows(
            self.told.rows, self._place(), line,
            columns=section.columns(telling) if section.columns and telling and shown else None,
            first=first, end=end, at=window.at, focused=not self._on_story, empty=empty,
        )  # fmt: skip
        self._draw_story()

    # Its own -------------------------------------------------------------------------------------

    @property
    def _scope_name(self) -> str:
        return self.section.scopes[self._scope].name

    def _place(self) -> str:
        telling, window = self.desk.telling, self._window
        if telling is None or window.row is None:
            return ""
        n = telling.number(window.at + 1)
        total = self._count
        if window.total is not None:
            total = window.total
        if total is None or total <= window.at:
            return n
        return self.desk.words.desk.place.format(n=n, total=telling.number(total))

    def _draw_story(self) -> None:
        telling, row = self.desk.telling, self._window.row
        pieces: Sequence[Piece] = ()
        if telling is not None and row is not None:
            pieces = self.section.story(row, self._details_at_hand(), telling)
        self.widget.show_story(
            self.told.story, pieces, first=self._story_first, focused=self._on_story
        )

    def _actions(self) -> Sequence[Action]:
        there = self._window.row is not None
        return [each for each in self.section.actions if there or not each.needs_row]

    def _act(self, action: Action) -> bool:
        row, telling = self._window.row, self.desk.telling
        if (row is None and action.needs_row) or telling is None:
            return True
        form = action.form(row, self._details_at_hand(), telling)
        if isinstance(form, Go):
            self.desk.go(form.section, form.text)
        elif form is not None:
            self.desk.fill(form, self._acted)
        return True

    def _details_at_hand(self) -> dict[str, Any]:
        return self._details if self._details_of == self._selected_key() else {}

    def _selected_key(self) -> str:
        row = self._window.row
        return "" if row is None else self.section.key(row)

    def _acted(self) -> None:
        self._details_of = None
        self.opened()

    def _move(self, key: str) -> None:
        if self._on_story:
            by = {"up": -1, "down": 1}.get(key, 0)
            page = self.widget.story.rows
            by = {"pageup": -page, "pagedown": page}.get(key, by)
            self._story_first = max(0, self._story_first + by) if by else 0
            return
        self._window.move(key, page_rows=self.widget.rows.rows)
        self._story_first = 0
        self._ask_more()
        self._ask_details_soon()

    def _begin_anew(self) -> None:
        self.begin_round()
        self._window = ListWindow(self.section.key)
        self._count, self._asked_page, self._details_of = None, None, None
        self._story_first, self._on_story = 0, False
        self.opened()
        self.desk.draw()

    def _filters(self) -> dict[str, str]:
        sought = {"text": self._text} if self._text else {}
        return self.section.scopes[self._scope].filters | sought

    def _ask_page(self, page: int, *, anew: bool = False) -> None:
        if self._asked_page is not None and not anew:
            return
        self._asked_page = page
        start = self._window.start_of(page)
        filters = self._filters() | {"limit": str(PAGE_ROWS)}
        if start:
            filters["after"] = start
        name = self.section.list_name

        def take(rows: list[Any]) -> None:
            self._take_page(page, rows)

        self.ask_rows(name, filters, self.section.row, take, self._failed)

    def _take_page(self, page: int, rows: list[Any]) -> None:
        self._asked_page = None
        before = self._window.row
        known = self._window.loaded
        self._window.take(page, rows)
        if known and before != self._window.row:
            self._ask_totals()
        if before is None or before != self._window.row:
            self._ask_details()
        self._ask_more()

    def _ask_more(self) -> None:
        wanted = self._window.page_wanted()
        if wanted is not None:
            self._ask_page(wanted)

    def _ask_totals(self) -> None:
        section = self.section
        if section.count_list:
            self.ask_rows(section.count_list, self._filters(), Count, self._take_count)
        if section.head is not None:
            self.ask_rows(section.head.list_name, {}, section.head.row, self._take_head)

    def _take_head(self, rows: list[Any]) -> None:
        self._head = rows[0] if rows else None

    def _take_count(self, rows: list[Count]) -> None:
        self._count = rows[0].count if rows else None

    def _failed(self, error: "StationError") -> None:
        self._asked_page = None
        self.desk.fail(error)

    def _ask_details_soon(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
        self._rest = self.desk.later(DETAILS_REST_S, self._ask_details)

    def _ask_details(self) -> None:
        row, key = self._window.row, self._selected_key()
        if self._details_of != key:
            self._details_of, self._details = key, {}
        for detail in self.section.details:
            self._ask_detail(key, detail, row)

    def _ask_detail(self, key: str, detail: Detail, row: Any) -> None:
        params = detail.params(row)
        if params is None:
            return

        def take(value: Any) -> None:
            if self._details_of == key:
                self._details[detail.name] = value

        def failed(_: "StationError") -> None:
            """The row may have gone meanwhile: its story is told without this."""

        if detail.do == "list":
            self.ask_rows(detail.list_name, params, detail.kind, take, failed)
        else:
            self.ask_value(detail.do, params, detail.kind, take, failed)

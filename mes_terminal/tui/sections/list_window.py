"""A window on a list of any length: a few pages of rows are held, the others are asked for again.

Pages are found by the key of the last row before them, so a list is read forwards from any page
that was seen once. A page may be shorter than what was asked for; the list ends where a page is
empty. A refresh never moves the cursor off its row while that is on its page. Pure; owned by
`list_page`.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

from msgspec import Struct

PAGES_HELD: Final = 10
"""Two thousand rows are held; moving on drops the page at the other end."""
NEAR_END_ROWS: Final = 60
"""So near to the end of what is held the next page is asked for: more than is seen at once."""

R = TypeVar("R")


class _Page(Struct):
    """A page that was seen: the key before it, its place, and its rows while they are held."""

    after: str
    first: int
    rows: list[object] | None = None


class ListWindow(Generic[R]):
    """What is held of the list, and where the cursor stands."""

    def __init__(self, key: Callable[[R], str]) -> None:
        self._key = key
        self._pages = [_Page("", 0)]
        self._ends = False
        self.at = 0
        """Place of the cursor in the whole list."""

    @property
    def loaded(self) -> bool:
        """Whether anything came yet."""
        return any(page.rows is not None for page in self._pages)

    @property
    def first(self) -> int:
        """Place of the first row that is held."""
        return self._held()[0].first if self.loaded else 0

    @property
    def end(self) -> int:
        """Place after the last row that is held."""
        if not self.loaded:
            return 0
        last = self._held()[-1]
        return last.first + len(last.rows or ())

    @property
    def total(self) -> int | None:
        """How many rows there are, once the end was seen."""
        return self._pages[-1].first if self._ends else None

    @property
    def row(self) -> R | None:
        """The selected row."""
        return self.row_at(self.at)

    def row_at(self, place: int) -> R | None:
        """Return the row of a place; `None` where it is not held."""
        page = self._pages[self._page_at(place)]
        within = place - page.first
        if page.rows is None or not 0 <= within < len(page.rows):
            return None
        return page.rows[within]  # type: ignore[return-value]

    def page_at_cursor(self) -> int:
        """Return the page that the cursor is on."""
        return self._page_at(self.at)

    def start_of(self, page: int) -> str:
        """Return the key that a page begins after; empty for the first."""
        return self._pages[page].after

    def page_wanted(self) -> int | None:
        """Return a page that the cursor comes near to and that is not held."""
        if not self.loaded:
            return 0
        held = [n for n, page in enumerate(self._pages) if page.rows is not None]
        if self.at + NEAR_END_ROWS >= self.end and held[-1] + 1 < len(self._pages):
            return held[-1] + 1
        if held[0] and self.at - NEAR_END_ROWS < self.first:
            return held[0] - 1
        return None

    def take(self, number: int, rows: Sequence[R]) -> None:
        """Take a page: a new one, or one that was held before as it is now."""
        if number >= len(self._pages):
            return  # what came before it has changed meanwhile
        page, selected = self._pages[number], self.row
        page.rows = list(rows)
        if not rows:
            self._pages, self._ends = self._pages[: number + 1], True
        elif not self._goes_on(number, rows):
            following = _Page(self._key(rows[-1]), page.first + len(rows))
            self._pages, self._ends = [*self._pages[: number + 1], following], False
        self._drop_far(number)
        self._keep_on(selected, page)

    def take_row(self, rows: Sequence[R]) -> bool:
        """Take the selected row as it is now; tell whether it is not there any more."""
        selected = self.row
        if selected is None:
            return False
        if not rows or self._key(rows[0]) != self._key(selected):
            return True
        page = self._pages[self._page_at(self.at)]
        assert page.rows is not None
        page.rows[self.at - page.first] = rows[0]
        return False

    def key_before(self) -> str:
        """Return the key of the row before the selected one; empty where there is none."""
        before = self.row_at(self.at - 1)
        page = self._pages[self._page_at(self.at)]
        return page.after if self.at == page.first or before is None else self._key(before)

    def forget_end(self) -> None:
        """Let the end be looked for again: something may have come after it."""
        if self._ends and len(self._pages) > 1:
            self._pages[-1].rows, self._ends = None, False

    def move(self, step: str, *, page_rows: int) -> None:
        """Move the cursor within what is held; `home` goes to the first row of all."""
        by = {"up": -1, "down": 1, "pageup": -page_rows, "pagedown": page_rows}.get(step)
        if step == "home" and self.first:
            self._pages, self._ends, self.at = [_Page("", 0)], False, 0
            return
        wanted = self.at + by if by is not None else 0 if step == "home" else self.end - 1
        self.at = max(self.first, min(wanted, self.end - 1), 0)

    def _held(self) -> list[_Page]:
        return [page for page in self._pages if page.rows is not None]

    def _page_at(self, place: int) -> int:
        return max(0, bisect_right(self._pages, place, key=lambda page: page.first) - 1)

    def _goes_on(self, number: int, rows: Sequence[R]) -> bool:
        """Tell whether the page that is known to follow still does."""
        if number + 1 == len(self._pages):
            return False
        following, first = self._pages[number + 1], self._pages[number].first
        return following.after == self._key(rows[-1]) and following.first == first + len(rows)

    def _drop_far(self, number: int) -> None:
        while len(self._held()) > PAGES_HELD:
            held = self._held()
            (held[-1] if self._pages[number] is held[0] else held[0]).rows = None

    def _keep_on(self, selected: R | None, page: _Page) -> None:
        """Let the cursor stay on its row, else at its place."""
        rows: list[R] = page.rows or []  # type: ignore[assignment]
        if selected is not None and page is self._pages[self._page_at(self.at)]:
            keys = [*map(self._key, rows)]
            wanted = self._key(selected)
            if wanted in keys:
                self.at = page.first + keys.index(wanted)
        self.at = max(self.first, min(self.at, self.end - 1), 0)

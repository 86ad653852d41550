"""The genealogy view: when it opens, what it asks the core for, which keys move it.

Guarantees: nothing here gives the core a scan or a command; it only reads. What a person begins to
type while the view is open is looked up, never scanned, even if a result closes the view in
between; what a scanner types is a scan wherever it comes. Owned by the app.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from textual.app import App
from textual.message import Message

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.trace import assembled
from mes_terminal.domain.view import StationView
from mes_terminal.errors import StationError
from mes_terminal.tui import present_view
from mes_terminal.tui.glyphs import Glyphs
from mes_terminal.tui.messages import CoreLink, TraceArrived
from mes_terminal.tui.screens.trace import SCROLL_KEYS, TraceScreen
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from textual.worker import WorkType

DIRECTIONS: Final = {"left": "backward", "right": "forward"}
"""The arrow keys: to the components, to the products."""


class TraceControl:
    """The view and what it shows."""

    def __init__(
        self, app: App[None], link: CoreLink, post: Callable[[Message], object], glyphs: Glyphs
    ) -> None:
        self._app, self._link, self._post, self._glyphs = app, link, post, glyphs
        self._last: dict[str, str] | None = None
        self._subject: dict[str, str] | None = None
        self._direction = "backward"
        self._number = 0
        self._typed = self._interrupted = ""
        self._typed_here = False

    @property
    def is_open(self) -> bool:
        """Whether the view is what the person sees."""
        return isinstance(self._app.screen, TraceScreen)

    def remember(self, outcome: Outcome) -> None:
        """Note what was scanned: the view opens with it."""
        self._last = subject_of(outcome) or self._last

    def open(self, words: Words, view: StationView | None, *, plain: bool) -> None:
        """Show the genealogy of what was made or scanned last."""
        test = present_view.is_practice(view)
        screen = TraceScreen(words, self._glyphs, plain=plain, test=test)
        self._app.push_screen(screen)
        self._subject, self._direction = self._last, "backward"
        if self._subject is None:
            screen.say(words.trace.nothing_yet)
        else:
            screen.say(words.trace.loading)
            self._ask()

    def press(self, key: str) -> None:
        """Act on a key that a person pressed; one that means nothing here does nothing."""
        screen = self._app.screen
        if not isinstance(screen, TraceScreen):
            return
        if key in ("escape", "f6"):
            self._app.pop_screen()
        elif key in SCROLL_KEYS:
            screen.sheet.scroll(key)
        elif key in DIRECTIONS and self._subject is not None:
            self._direction = DIRECTIONS[key]
            self._ask()

    @property
    def is_typed_here(self) -> bool:
        """Whether what a person has typed was begun here, and so is looked up."""
        return self._typed_here and bool(self._typed)

    def follow_typing(self, typed: str) -> None:
        """Take what a person has typed so far; a scan in between interrupts it, no more."""
        if typed and not self._typed and typed != self._interrupted:
            self._typed_here = self.is_open
        self._typed, self._interrupted = typed, typed or self._typed or self._interrupted
        if isinstance(screen := self._app.screen, TraceScreen):
            screen.entry.show_typed(typed)

    def look_up(self, code: str) -> None:
        """Show the genealogy of a code that was typed; the view is open."""
        self._interrupted = ""
        self._subject = {"code": code}
        self._ask()

    def arrived(self, message: TraceArrived) -> None:
        """Draw what was asked for last; an older answer comes too late."""
        screen = self._app.screen
        if message.number != self._number or not isinstance(screen, TraceScreen):
            return
        if message.trace is None:
            screen.say(message.sentence)
        else:
            screen.show(message.trace, forward=self._direction == "forward")

    def _ask(self) -> None:
        self._number += 1
        filters = {**(self._subject or {}), "direction": self._direction}
        read: WorkType[None] = partial(self._read, self._number, filters)
        self._app.run_worker(read, group="trace", exclusive=True)

    async def _read(self, number: int, filters: dict[str, str]) -> None:
        rows: list[bytes] = []
        try:
            async for page in self._link.pages("list", name="trace", filters=filters):
                rows += map(bytes, page)
        except StationError as error:
            self._post(TraceArrived(number, None, error.sentence))
            return
        self._post(TraceArrived(number, assembled(rows)))


def subject_of(outcome: Outcome) -> dict[str, str] | None:
    """Return what an outcome is about: what was made, else the lot or serial that was scanned."""
    made = outcome.produced[0] if outcome.produced else outcome
    if made.item is None:
        return None
    if made.serial is not None:
        return {"item": made.item, "serial": made.serial}
    lot = made.lot
    if lot is None and outcome.produced:
        lot = outcome.work_order  # an untracked product is named by its order
    return None if lot is None else {"item": made.item, "lot": lot}

"""The supervisor's desk: when it opens, what it asks the core for, what keys and codes do there.

Guarantees: nothing here gives the core a scan; a letter that a person presses never reaches the
station; what changes at the line is seen without the cursor being lost. Owned by an app: over the
operator's screen (`over`), or as an app of its own.
"""

from typing import TYPE_CHECKING, Any, Final

from mes_terminal.domain.resolving import EXCEPTIONS_MAX
from mes_terminal.tui.desk_feed import PAGE_ROWS, DeskFeed, DeskHeard
from mes_terminal.tui.desk_state import PANES, STEPS, DeskState
from mes_terminal.tui.resolve_control import ResolveControl
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.screens.exceptions import DeskScreen, Shown
from mes_terminal.tui.screens.resolve import ResolveScreen
from mes_terminal.tui.words import words_for

if TYPE_CHECKING:
    from textual.timer import Timer

    from mes_terminal.domain.view import StationView
    from mes_terminal.tui.gated_app import GatedApp
    from mes_terminal.tui.messages import CoreLink

_NEVER: Final = "1970-01-01T00:00:00.000000Z"
"""What time it is before the station has said so: nothing is drawn with it."""
POLL_S: Final = 2.0
"""What heals or is opened at the line is seen so soon."""
RELOAD_ROWS_MAX: Final = 1000
"""So many rows are asked for again when their group changed; the rest follows in pages."""


class DeskControl:
    """The desk and what it shows."""

    def __init__(self, app: "GatedApp", link: "CoreLink", *, over: bool) -> None:
        self._app, self._over = app, over
        self._feed = DeskFeed(link, app.post_message)
        self._state = DeskState()
        self._words = words_for("en")
        self._view: StationView | None = None
        self._screen: DeskScreen | None = None
        self._resolve = ResolveControl(app, self._feed, self._resolved)
        self._poll: Timer | None = None
        self._number = 0
        self._asked_since: int | None = None
        self._filtering = self._helps = False
        self._typed = self._notice = ""

    @property
    def is_open(self) -> bool:
        """Whether the desk, or its dialog, is what the person sees."""
        return isinstance(self._app.top, DeskScreen | ResolveScreen)

    def open(self) -> None:
        """Show the desk."""
        self._screen = DeskScreen(self._words, self._app.glyphs, plain=self._app.plain)
        self._state = DeskState()
        self._filtering = self._helps = False
        self._notice = ""
        self._app.push_screen(self._screen)
        self._poll = self._app.set_interval(POLL_S, self._ask_groups)
        self._app.call_after_refresh(self._ask_groups)
        self._draw()

    def tell(self, notice: str) -> None:
        """Show one sentence (safe) below the lists until a key is pressed."""
        self._notice = notice
        self._draw()

    def tell_leaving(self) -> None:
        """Say that the same key once more leaves."""
        self.tell(self._words.labels.leave_hint)

    # What a person does --------------------------------------------------------------------------

    def take_typed(self, typed: str) -> bool:
        """Take what was typed so far; tell whether it belongs here."""
        if not self.is_open:
            return False
        if self._resolve.is_open:
            self._resolve.take_typed(typed)
        elif self._filtering:
            self._typed = typed
            self._draw()
        elif typed:
            self._app.forget_typing()
            self._press_letter(typed[0].lower())
        return True

    def take_frame(self, code: str, kind: str) -> bool:
        """Take a whole code; tell whether it belongs here and not to the station."""
        if not self.is_open:
            return False
        if self._resolve.is_open and self._resolve.wants_code:
            if kind == "code":
                self._resolve.take_code(code)
            return True
        if self._filtering and kind == "code":
            self._look_for(code)
            return True
        if not self._over:
            self.tell(self._words.desk.no_scans)
        return not self._over

    def press(self, key: str) -> None:
        """Act on a key that is no text."""
        if self._resolve.is_open:
            self._resolve.press(key)
            return
        self._notice = ""
        match key:
            case "escape" | "f7":
                self._step_back()
            case "f1":
                self._helps = not self._helps
            case "tab" | "right" | "left":
                by = -1 if key == "left" else 1
                self._state.pane = (self._state.pane + by) % len(PANES)
            case "enter" if not self._filtering:
                self._open_dialog(whole_group=False)
            case _ if key in STEPS:
                self._move(key)
        self._draw()

    def _press_letter(self, letter: str) -> None:
        self._notice = ""
        match letter:
            case "/":
                self._filtering, self._typed = True, ""
            case "o":
                self._state.only_open = not self._state.only_open
                self._begin_anew()
            case "r" | "g":
                self._open_dialog(whole_group=letter == "g")
        self._draw()

    def _move(self, key: str) -> None:
        assert self._screen is not None
        if self._state.move(key, page=self._screen.page_rows(PANES[self._state.pane])):
            self._ask_rows()
        elif self._state.wants_more:
            self._ask_rows(since=self._state.rows[-1].id if self._state.rows else 0)

    def _step_back(self) -> None:
        """Leave the help, the field, the filter, or the desk."""
        if self._helps:
            self._helps = False
        elif self._filtering:
            self._filtering, self._typed = False, ""
        elif self._state.text:
            self._look_for("")
        elif self._over:
            self._close()

    def _close(self) -> None:
        if self._poll is not None:
            self._poll.stop()
        self._screen = None
        self._app.pop_screen()

    def _look_for(self, text: str) -> None:
        self._filtering, self._typed = False, ""
        self._state.text = text
        self._begin_anew()

    def _begin_anew(self) -> None:
        kept = self._state
        self._state = DeskState(pane=kept.pane, text=kept.text, only_open=kept.only_open)
        self._state.kind = kept.kind
        self._asked_since = None
        self._ask_groups()
        self._draw()

    def _open_dialog(self, *, whole_group: bool) -> None:
        row, group = self._state.row, self._state.group
        if row is None or group is None:
            return
        rows = self._state.rows if whole_group else [row]
        targets = [each for each in rows if each.status == "open"][:EXCEPTIONS_MAX]
        if targets:
            total = group.count if whole_group else 1
            self._resolve.open(targets, total, self._words)

    # What the core says --------------------------------------------------------------------------

    def heard(self, message: DeskHeard) -> None:
        """Take an answer; one to an older question comes too late."""
        if self._resolve.heard(message) or message.number != self._number:
            return
        state = self._state
        match message.what:
            case "groups":
                self._take_station(message.value.view)
                if state.take_groups(message.value.groups):
                    self._ask_rows(limit=max(PAGE_ROWS, min(len(state.rows), RELOAD_ROWS_MAX)))
                elif state.row is not None:
                    self._ask_rows(what="row", since=self._before_selected(), limit=1)
            case "rows":
                self._asked_since = None
                state.take_rows(message.value, int(message.reason))
            case "row" if state.take_row(message.value):
                self._ask_rows(limit=max(PAGE_ROWS, min(len(state.rows), RELOAD_ROWS_MAX)))
            case "failed":
                self._asked_since = None
                gone = message.reason == "core_gone"
                told = self._words.desk.gone if gone else safe(message.value, SENTENCE_MAX_COLUMNS)
                self._notice = told
        self._draw()

    def _take_station(self, view: "StationView") -> None:
        if self._notice == self._words.desk.gone:
            self._notice = ""
        self._view, self._words = view, words_for(view.language)

    def _resolved(self) -> None:
        """The dialog has closed: what is open may be different."""
        if self._screen is not None:
            self._ask_groups()
            self._draw()

    def _before_selected(self) -> int:
        at = self._state.at
        return self._state.rows[at - 1].id if at else 0

    def _ask_groups(self) -> None:
        if self._screen is None or self._asked_since is not None:
            return
        self._number += 1
        self._ask(self._feed.groups(self._number, self._state.filters()))

    def _ask_rows(self, *, what: Any = "rows", since: int = 0, limit: int = PAGE_ROWS) -> None:
        state = self._state
        if state.kind is None or (since and self._asked_since == since):
            return
        if what == "rows":
            self._asked_since = since
            self._number += 1
        filters = state.filters() | {"kind": state.kind, "limit": str(limit)}
        if since:
            filters["since"] = str(since)
        self._ask(self._feed.rows(what, self._number, filters))

    def _ask(self, question: Any) -> None:
        self._app.run_worker(question, exit_on_error=True)

    def _draw(self) -> None:
        if self._screen is None:
            return
        view = self._view
        self._screen.show(
            Shown(
                state=self._state,
                words=self._words,
                zone=self._app.local_zone(),
                now=view.now if view is not None else _NEVER,
                station=safe(view.station, 24) if view is not None else "",
                test=view is not None and view.mode == "test",
                notice=self._notice,
                typed=self._typed if self._filtering else None,
                helps=self._helps,
                can_leave=self._over,
            )
        )

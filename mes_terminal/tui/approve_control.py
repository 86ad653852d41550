"""The PIN of a supervisor whose badge was scanned at the line (BF-24): asked, proved, forgotten.

Guarantees: what a person types while the dialog is open goes into the request and nowhere else:
into no scan, message or log. What a scanner sends is never taken for a PIN: a code that looks like
one is refused with a word, and every other code closes the dialog and is a scan as always. Owned by
the app.
"""

from functools import partial
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Struct

from mes_terminal.domain.people import is_pin
from mes_terminal.domain.view import AnswerView, ApprovalView, StationView
from mes_terminal.errors import StationError
from mes_terminal.tui.messages import ApprovalAnswered, CoreLink
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.screens.approve import ApproveScreen
from mes_terminal.tui.widgets.approve_sheet import Asking
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from textual.worker import WorkType

    from mes_terminal.tui.gated_app import GatedApp

DONE: Final = frozenset(("approved",))


class Approved(Struct, frozen=True):
    """As much of the core's answer as the dialog needs."""

    outcome: str
    message: str


class ApproveControl:
    """The dialog and what it asks."""

    def __init__(self, app: "GatedApp", link: CoreLink) -> None:
        self._app, self._link = app, link
        self._asked: ApprovalView | None = None
        self._seen: tuple[int, str] | None = None
        self._typed = 0
        self._fault = ""
        self._working = False
        self._number = 0
        self._told: frozenset[int] | None = None

    @property
    def is_open(self) -> bool:
        """Whether the dialog is what the person sees."""
        return isinstance(self._app.top, ApproveScreen)

    def follow(self, view: StationView, words: Words) -> AnswerView | None:
        """Open when the station waits for a PIN, close when it no longer does; return an answer
        that was given since the last view."""
        before, self._told = self._told, frozenset(each.id for each in view.answers)
        self._follow(view.approval, words)
        if before is None:
            return None
        return next((each for each in view.answers if each.id not in before), None)

    def _follow(self, asked: ApprovalView | None, words: Words) -> None:
        """Open once for each badge that was scanned."""
        waits = asked is not None and asked.approver is not None
        if asked is None or not waits:
            if self.is_open and not self._working:
                self.close()
            return
        key = (asked.id, asked.until)
        if key == self._seen:
            return
        self._seen, self._asked, self._words = key, asked, words
        self._typed, self._fault, self._working = 0, "", False
        if not self.is_open:
            screen = ApproveScreen(words, self._app.glyphs, plain=self._app.plain)
            self._app.push_screen(screen)
        self._app.forget_typing()
        self._app.call_after_refresh(self._draw)

    def tick(self, now: str) -> None:
        """Close when the time for the PIN is over, by the core's clock."""
        if self.is_open and not self._working and self._asked and now > self._asked.until:
            self.close()

    def close(self) -> None:
        """Go back to the operator's screen; the core goes on waiting until its time is over."""
        if self.is_open:
            self._app.pop_screen()
        self._typed, self._working = 0, False
        self._number += 1  # an answer that comes now is nobody's

    def take_typed(self, typed: str) -> bool:
        """Take how much a person has typed; tell whether it belongs here."""
        if not self.is_open:
            return False
        self._typed = 0 if self._working else len(typed)
        self._draw()
        return True

    def take_frame(self, code: str, kind: str) -> bool:
        """Take a whole code; tell whether it belongs here and not to the station."""
        if not self.is_open:
            return False
        typed, self._typed = self._typed, 0
        if kind != "code":
            return False
        if self._working:
            return is_pin(code)
        if typed:
            self._ask(code)
            return True
        if is_pin(code):
            self._fault = self._words.approve.typed_only
            self._draw()
            return True
        return False

    def press(self, key: str) -> bool:
        """Act on a key; tell whether it belongs here."""
        if key == "escape":
            self.close()
        return key not in ("f5", "ctrl+q")

    def answered(self, message: ApprovalAnswered) -> str:
        """Take the core's answer; return a sentence (safe) to show, empty where its outcome says
        it all."""
        if message.number != self._number or not self.is_open:
            return ""
        self._working = False
        if message.fault:
            self._fault = safe(message.fault, SENTENCE_MAX_COLUMNS)
            self._draw()
            return ""
        self.close()
        return "" if message.outcome in DONE else safe(message.said, SENTENCE_MAX_COLUMNS)

    def _ask(self, pin: str) -> None:
        assert self._asked is not None
        self._number += 1
        self._working, self._fault = True, ""
        self._draw()
        read: WorkType[None] = partial(self._approve, self._number, self._asked, pin)
        self._app.run_worker(read, exit_on_error=True)

    async def _approve(self, number: int, asked: ApprovalView, pin: str) -> None:
        post = self._app.post_message
        try:
            raw = await self._link.request("approve", id=asked.id, badge=asked.approver, pin=pin)
        except StationError as error:
            post(ApprovalAnswered(number, fault=error.sentence))
            return
        found = msgspec.json.decode(raw, type=Approved)
        post(ApprovalAnswered(number, outcome=found.outcome, said=found.message))

    def _draw(self) -> None:
        screen = self._app.top
        if isinstance(screen, ApproveScreen) and self._asked is not None:
            screen.show(Asking(self._asked, self._typed, self._working, self._fault))

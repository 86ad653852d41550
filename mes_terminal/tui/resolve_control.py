"""How a person ends exceptions at the desk, step by step: which way, what it would come to, who.

Guarantees: nothing is decided before its preview was seen; the PIN is drawn as dots, kept only
until the request is made, and is in no message, log or scan. Owned by `desk_control`.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from mes_terminal.domain.desk import ExceptionStory
from mes_terminal.tui import present_exceptions
from mes_terminal.tui.desk_feed import DeskFeed, DeskHeard, Reason
from mes_terminal.tui.present_exceptions import Asked, Choice, Result
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.screens.resolve import Dialog, ResolveScreen
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from mes_terminal.tui.gated_app import GatedApp

Step = Literal["choose", "field", "looking", "preview", "done"]


class ResolveControl:
    """The dialog; `closed` is called when it is left."""

    def __init__(self, app: "GatedApp", feed: DeskFeed, closed: Callable[[], None]) -> None:
        self._app, self._feed, self._closed = app, feed, closed
        self._number = 0
        self._targets: Sequence[ExceptionStory] = ()
        self._total = 0
        self._step: Step = "choose"
        self._choices: list[Choice] = []
        self._at = self._chosen = 0
        self._field: Asked = "lot"
        self._told: dict[str, str] = {}
        self._typed = self._fault = ""
        self._reasons: list[Reason] = []
        self._result: Result | None = None

    @property
    def is_open(self) -> bool:
        """Whether the dialog is what the person sees."""
        return isinstance(self._app.top, ResolveScreen)

    @property
    def wants_code(self) -> bool:
        """Whether a code, scanned or typed, fills a field now."""
        return self.is_open and self._step == "field"

    def open(self, targets: Sequence[ExceptionStory], total: int, words: Words) -> None:
        """Begin with exceptions of one kind, the oldest of `total`."""
        self._targets, self._total, self._words = targets, total, words
        alone = len(targets) == 1
        self._choices = present_exceptions.choices(targets[0], words, alone=alone)
        self._number += 1
        self._step, self._at, self._told = "choose", 0, {}
        self._typed, self._fault, self._result, self._reasons = "", "", None, []
        app = self._app
        screen = ResolveScreen(words, app.glyphs, plain=app.plain)
        app.push_screen(screen, self._left)
        self._ask(self._feed.reasons(-self._number))
        self._draw()

    # What a person does --------------------------------------------------------------------------

    def take_typed(self, typed: str) -> None:
        """Take what was typed so far: into the field, or a digit that chooses."""
        if self._step == "field":
            self._typed = typed
            self._draw()
        elif typed:
            self._app.forget_typing()
            if self._step == "choose" and typed in "123456789" and int(typed) <= self._count():
                self._at = int(typed) - 1
                self._enter()

    def take_code(self, code: str) -> None:
        """Fill the field with a code, scanned or typed."""
        self._typed = self._fault = ""
        if self._field == "pin":
            self._decide(code)
            return
        self._told[self._field] = code
        self._next_field()

    def press(self, key: str) -> None:
        """Act on a key that is no text."""
        if key == "escape":
            self._leave()
        elif key == "enter":
            self._enter()
        elif key in ("up", "down") and self._count():
            self._at = (self._at + (1 if key == "down" else -1)) % self._count()
            self._draw()

    def _enter(self) -> None:
        if self._step == "done" or not self._choices:
            self._leave()
        elif self._step == "choose":
            self._fault, self._told, self._chosen = "", {}, self._at
            self._next_field()
        elif self._step == "field" and self._lists_reasons():
            self.take_code(self._reasons[self._at].code)
        elif self._step == "preview" and self._result is not None and self._result.tone != "stop":
            self._step, self._field = "field", "badge"
            self._draw()

    def _next_field(self) -> None:
        """Ask for what the choice still lacks, then try it out, then ask who decides."""
        if "badge" in self._told:
            self._step, self._field = "field", "pin"
        else:
            asks = [each for each in self._choice.asks if each not in self._told]
            if asks:
                self._step, self._field = "field", asks[0]
                self._at = 0
            else:
                self._try_out()
        self._draw()

    def _try_out(self) -> None:
        self._step = "looking"
        decision = self._choice.decision(self._told)
        self._ask(self._feed.preview(-self._number, self._ids(), decision))

    def _decide(self, pin: str) -> None:
        self._step = "looking"
        decision, badge = self._choice.decision(self._told), self._told.pop("badge")
        self._ask(self._feed.resolve(-self._number, self._ids(), decision, badge, pin))
        self._draw()

    def _leave(self) -> None:
        self._number += 1
        self._typed, self._told = "", {}
        self._app.forget_typing()
        screen = self._app.top
        if isinstance(screen, ResolveScreen):
            screen.dismiss(self._result)

    def _left(self, _: Result | None) -> None:
        self._closed()

    # What the core says --------------------------------------------------------------------------

    def heard(self, message: DeskHeard) -> bool:
        """Take an answer to a question of the dialog; tell whether it was one."""
        if message.number >= 0:
            return False
        if message.number != -self._number or not self.is_open:
            return True
        match message.what:
            case "reasons":
                self._reasons = message.value
            case "preview":
                self._step = "preview"
                self._result = present_exceptions.preview(message.value, self._words)
            case "resolved":
                self._step = "done"
                self._result = present_exceptions.answer(message.value, self._words)
            case "failed" if self._step == "looking":
                self._take_fault(message)
        self._draw()
        return True

    def _take_fault(self, message: DeskHeard) -> None:
        """Say it, and go back to where it can be mended."""
        gone = message.reason == "core_gone"
        told = self._words.desk.gone if gone else safe(message.value, SENTENCE_MAX_COLUMNS)
        self._fault = told
        if self._result is None:
            self._step, self._at, self._told = "choose", self._chosen, {}
        else:
            self._step, self._field = "field", "badge"

    # What is drawn -------------------------------------------------------------------------------

    @property
    def _choice(self) -> Choice:
        return self._choices[self._chosen]

    def _ids(self) -> list[int]:
        return [each.id for each in self._targets]

    def _lists_reasons(self) -> bool:
        return self._field == "reason" and bool(self._reasons) and not self._typed

    def _count(self) -> int:
        if self._step == "choose":
            return len(self._choices)
        return len(self._reasons) if self._step == "field" and self._lists_reasons() else 0

    def _ask(self, question: Any) -> None:
        self._app.run_worker(question, exit_on_error=True)

    def _draw(self) -> None:
        screen = self._app.top
        if not isinstance(screen, ResolveScreen):
            return
        told = self._words.desk
        options: list[str] = []
        if self._step == "choose":
            options = [each.text for each in self._choices]
        elif self._count():
            options = [f"{safe(each.code, 24)}  {safe(each.description, 40)}"
                       for each in self._reasons]  # fmt: skip
        names = {
            "item": safe(self._told.get("item", ""), 24),
            "person": safe(self._told.get("badge", ""), 24),
        }
        field = told.asks[self._field].format(**names) if self._step == "field" else None
        screen.show(
            Dialog(
                targets=self._targets,
                total=self._total,
                chosen="" if self._step == "choose" or not self._choices else self._choice.text,
                options=options,
                at=self._at,
                field=field,
                secret=self._field == "pin",
                typed=self._typed,
                hint=told.free_reason if self._field == "reason" and not self._reasons else "",
                working=self._step == "looking",
                result=self._result if self._step in ("preview", "field", "done") else None,
                done=self._step == "done",
                fault=self._fault,
            )
        )

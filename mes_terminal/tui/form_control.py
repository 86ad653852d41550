"""How a person fills a form at the desk, step by step: what is asked, what it would come to, who.

Guarantees: what can be tried out is tried out before anybody signs; a PIN is drawn as dots, kept
only until the request is made, and is in no message, log or scan. Owned by `desk_control`.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from mes_terminal.errors import StationError
from mes_terminal.tui.desk_feed import DeskFeed, Question
from mes_terminal.tui.forms import Field, Form, Option, Result
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.screens.form import Dialog, FormScreen
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from mes_terminal.tui.gated_app import GatedApp

Step = Literal["field", "looking", "preview", "done"]
_SIGNED = ("badge", "pin")


class FormControl:
    """One form at a time, over the desk."""

    def __init__(self, app: "GatedApp", feed: DeskFeed, work: Callable[[Question], None]) -> None:
        self._app, self._feed, self._work = app, feed, work
        self._closed: Callable[[], None] = lambda: None
        self._form: Form | None = None
        self._round = 0
        self._step: Step = "field"
        self._told: dict[str, str] = {}
        self._secrets: dict[str, str] = {}
        self._trail: list[str] = []
        self._first_at = self._at = 0
        self._field: Field | None = None
        self._options: Sequence[Option] = ()
        self._typed = self._fault = ""
        self._result: Result | None = None

    @property
    def is_open(self) -> bool:
        """Whether a form is what the person sees."""
        return isinstance(self._app.top, FormScreen)

    @property
    def wants_code(self) -> bool:
        """Whether a code, scanned or typed, fills a field now."""
        return self.is_open and self._step == "field" and self._field is not None

    def open(self, form: Form, words: Words, closed: Callable[[], None]) -> None:
        """Begin; `closed` is called when the form is left."""
        self._form, self._words, self._closed = form, words, closed
        self._first_at, self._fault, self._result = 0, "", None
        screen = FormScreen(words, self._app.glyphs, plain=self._app.plain)
        self._app.push_screen(screen, lambda _: self._closed())
        self._begin()
        self._draw()

    # What a person does --------------------------------------------------------------------------

    def take_typed(self, typed: str) -> None:
        """Take what was typed so far: into the field, or a digit that chooses."""
        if self._step != "field" or self._field is None:
            if typed:
                self._app.forget_typing()
        elif self._field.kind != "choice":
            self._typed = typed
            self._draw()
        elif typed:
            self._app.forget_typing()
            if typed in "123456789" and int(typed) <= len(self._options):
                self._at = int(typed) - 1
                self._enter()

    def take_code(self, code: str) -> None:
        """Fill the field with a code, scanned or typed."""
        field = self._field
        if field is None:
            return
        self._typed = self._fault = ""
        if field.kind == "choice":
            self._choose_by(code)
            return
        if field.kind == "pin":
            self._secrets[field.name] = code
        else:
            self._told[field.name] = code
            if field.kind != "badge":
                self._trail.append(safe(code, 32))
        self._next()

    def press(self, key: str) -> None:
        """Act on a key that is no text."""
        if key == "escape":
            self._leave()
        elif key == "enter":
            self._enter()
        elif key in ("up", "down") and self._count():
            self._at = (self._at + (1 if key == "down" else -1)) % self._count()
            self._draw()

    def _choose_by(self, code: str) -> None:
        """A scan chooses the option it names, and nothing else."""
        for place, option in enumerate(self._options):
            if option.value == code:
                self._at = place
                self._enter()
                return
        self._draw()

    def _enter(self) -> None:
        assert self._form is not None
        if self._step == "done" or self._form.only_told:
            self._leave()
        elif self._step == "preview":
            if self._result is None or self._result.tone != "stop":
                self._step = "field"
                self._next()
        elif self._step == "field" and self._field is not None:
            self._enter_field(self._field)

    def _enter_field(self, field: Field) -> None:
        if self._count():
            option = self._options[self._at]
            if not self._told:
                self._first_at = self._at
            self._fault = ""
            self._told[field.name] = option.value
            self._trail.append(option.text.removesuffix(" …"))
            self._next()
        elif field.optional and not self._typed:
            self._told[field.name] = ""
            self._next()

    def _begin(self) -> None:
        """Ask for the first field, with nothing told."""
        self._told, self._secrets, self._trail, self._typed = {}, {}, [], ""
        self._result, self._field, self._options = None, None, ()
        self._step = "field"
        if self._form is not None and not self._form.only_told:
            self._next()
            self._at = self._first_at if self._first_at < max(1, self._count()) else 0

    def _next(self) -> None:
        """Ask for what is still lacking: the fields, then the preview, then the signature."""
        form = self._form
        assert form is not None
        fields = [each for each in form.fields(self._told) if not self._has(each)]
        unsigned = [each for each in fields if each.kind not in _SIGNED]
        if unsigned:
            self._ask_field(unsigned[0])
        elif form.preview is not None and self._result is None:
            self._try_out(form)
        elif fields:
            self._ask_field(fields[0])
        elif self._step == "field" and self._field is None and self._result is None:
            self._step = "preview"  # nothing is asked at all: Enter confirms
            self._field = Field(name="", prompt="")
        else:
            self._send(form)
        self._draw()

    def _has(self, field: Field) -> bool:
        return field.name in self._told or field.name in self._secrets

    def _ask_field(self, field: Field) -> None:
        self._step, self._field, self._at = "field", field, 0
        self._options = field.options
        offered = field.offered
        if offered is None:
            return
        take = partial(self._take_offered, self._round, field)
        failed = partial(self._take_no_offer, self._round, field)
        ask = self._feed.rows
        self._work(partial(ask, offered.name, offered.filters, offered.row, take, failed))

    def _try_out(self, form: Form) -> None:
        assert form.preview is not None
        self._step = "looking"
        self._request(form.preview(self._told), self._take_preview)

    def _send(self, form: Form) -> None:
        self._step = "looking"
        request = form.request(self._told | self._secrets)
        self._secrets = {}
        self._request(request, self._take_answer)

    def _request(self, request: Any, take: Callable[[int, msgspec.Raw], None]) -> None:
        number = self._round
        taken, failed = partial(take, number), partial(self._take_fault, number)
        ask = self._feed.value
        self._work(partial(ask, request.do, request.params, msgspec.Raw, taken, failed))

    def _leave(self) -> None:
        self._round += 1
        self._typed, self._told, self._secrets, self._trail = "", {}, {}, []
        self._app.forget_typing()
        screen = self._app.top
        if isinstance(screen, FormScreen):
            screen.dismiss(self._result)

    # What the core says --------------------------------------------------------------------------

    def _take_offered(self, number: int, field: Field, rows: list[Any]) -> None:
        if number != self._round or self._field is not field or field.offered is None:
            return
        found = [field.offered.option(row) for row in rows]
        self._options = [*field.options, *(each for each in found if each is not None)]
        self._draw()

    def _take_preview(self, number: int, answer: msgspec.Raw) -> None:
        form = self._form
        if number != self._round or form is None or form.previewed is None:
            return
        self._step, self._result = "preview", form.previewed(answer)
        self._draw()

    def _take_answer(self, number: int, answer: msgspec.Raw) -> None:
        if number != self._round or self._form is None:
            return
        self._step, self._result = "done", self._form.answered(answer)
        self._draw()

    def _take_fault(self, number: int, error: StationError) -> None:
        """Say it, and go back to where it can be mended."""
        if number != self._round or self._step != "looking" or self._form is None:
            return
        told = self._sentence(error)
        signed = [each for each in self._form.fields(self._told) if each.kind in _SIGNED]
        previewed = self._result is not None or self._form.preview is None
        if signed and previewed:
            for each in signed:
                self._told.pop(each.name, None)
            self._step = "field"
            self._next()
        else:
            self._begin()
        self._fault = told
        self._draw()

    def _take_no_offer(self, number: int, field: Field, error: StationError) -> None:
        """Without what was to be offered the field is a free text."""
        if number == self._round and self._field is field:
            self._fault = self._sentence(error)
            self._draw()

    def _sentence(self, error: StationError) -> str:
        gone = error.reason == "core_gone"
        return self._words.desk.gone if gone else safe(error.sentence, SENTENCE_MAX_COLUMNS)

    # What is drawn -------------------------------------------------------------------------------

    def _count(self) -> int:
        """How many options can be chosen from now."""
        return len(self._options) if self._step == "field" and not self._typed else 0

    def _draw(self) -> None:
        screen, form = self._app.top, self._form
        if not isinstance(screen, FormScreen) or form is None:
            return
        field = self._field if self._step == "field" else None
        asks = field is not None and bool(field.prompt)
        options = [each.text for each in self._options] if self._count() else []
        screen.show(
            Dialog(
                title=form.title,
                what=form.what,
                only_told=form.only_told,
                trail=f" {self._app.glyphs.dot} ".join(self._trail),
                options=options,
                numbered=field is not None and field.kind == "choice",
                at=self._at,
                field=field.prompt if field is not None and asks else None,
                secret=field is not None and field.kind == "pin",
                typed=self._typed,
                hint=field.hint if field is not None and not self._options else "",
                working=self._step == "looking",
                result=self._result if self._step != "looking" else None,
                done=self._step == "done",
                fault=self._fault,
            )
        )

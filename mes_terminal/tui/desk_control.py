"""The supervisor's desk: which section is open, what keys and codes do there, what time it is.

Guarantees: nothing here gives the core a scan; a letter that a person presses never reaches the
station; what is scanned never presses a key. Owned by an app: over the operator's screen (`over`),
or as an app of its own.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from mes_terminal.domain.view import StationView
from mes_terminal.tui import present_view
from mes_terminal.tui.desk_feed import DeskFeed, DeskHeard, Question
from mes_terminal.tui.form_control import FormControl
from mes_terminal.tui.later import later
from mes_terminal.tui.present import Tone
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.screens.desk import DeskScreen, Shown
from mes_terminal.tui.screens.form import FormScreen
from mes_terminal.tui.sections.menu import MenuPage
from mes_terminal.tui.sections.page import Meaning, Page
from mes_terminal.tui.sections.registry import FIRST, HOMES, SECTIONS
from mes_terminal.tui.telling import Telling
from mes_terminal.tui.words import Words, words_for

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from textual.timer import Timer
    from textual.worker import WorkType

    from mes_terminal.errors import StationError
    from mes_terminal.tui.forms import Form
    from mes_terminal.tui.gated_app import GatedApp
    from mes_terminal.tui.glyphs import Glyphs
    from mes_terminal.tui.messages import CoreLink

POLL_S: Final = 2.0
"""What heals, is opened or is reported at the line is seen so soon."""
MENU: Final = "menu"
CODE_MAX: Final = 4096
"""Characters of a code that are asked about."""


class DeskControl:
    """The desk and what it shows."""

    def __init__(
        self, app: "GatedApp", link: "CoreLink", *, over: bool, first: str = FIRST
    ) -> None:
        self._app, self._over, self._first = app, over, first
        self.feed = DeskFeed(link, app.post_message)
        self._words = words_for("en")
        self._view: StationView | None = None
        self._screen: DeskScreen | None = None
        self._form = FormControl(app, self.feed, self.work)
        self._pages: dict[str, Page] = {}
        self._name = self._before = first
        self._poll: Timer | None = None
        self._asked: tuple[str, Callable[[str], None]] | None = None
        self._helps = False
        self._typed = self._notice = ""
        self._notice_tone: Tone = "check"

    @property
    def is_open(self) -> bool:
        """Whether the desk, or a form over it, is what the person sees."""
        return isinstance(self._app.top, DeskScreen | FormScreen)

    def open(self) -> None:
        """Show the desk, with the section that is seen first."""
        self._screen = DeskScreen(self._app.glyphs, plain=self._app.plain)
        self._pages = {}
        self._asked, self._helps = None, False
        self._notice = ""
        self._app.push_screen(self._screen)
        self._poll = self._app.set_interval(POLL_S, self._ask)
        self._app.call_after_refresh(self._begin)

    def tell_leaving(self) -> None:
        """Say that the same key once more leaves."""
        self.tell(self._words.labels.leave_hint)

    # What a page may use (`sections.page.Desk`) --------------------------------------------------

    @property
    def glyphs(self) -> "Glyphs":
        """The signs that the terminal can draw."""
        return self._app.glyphs

    @property
    def words(self) -> Words:
        """The words of the language at hand."""
        return self._words

    @property
    def telling(self) -> Telling | None:
        """Words, zone and the core's clock; `None` until the core has told its clock."""
        if self._view is None:
            return None
        return Telling(
            words=self._words,
            zone=self._app.local_zone(),
            now=self._view.now,
            upstream_trouble=present_view.upstream_trouble(self._view),
            troubles=present_view.troubles(self._view, self._words),
        )

    def work(self, question: Question) -> None:
        """Let a question to the core run."""

        async def ask() -> None:
            await question()

        asking: WorkType[None] = ask
        self._app.run_worker(asking, exit_on_error=True)

    def later(self, seconds: float, call: Callable[[], None]) -> "TimerHandle":
        """Call once, after a time."""
        return later(self._app, seconds, call)

    def tell(self, notice: str, tone: Tone = "check") -> None:
        """Show one sentence (safe) below the lists until a key is pressed."""
        self._notice, self._notice_tone = notice, tone
        self.draw()

    def fail(self, error: "StationError") -> None:
        """Tell what the core refused, or that it is not there."""
        gone = error.reason == "core_gone"
        self.tell(self._words.desk.gone if gone else safe(error.sentence, SENTENCE_MAX_COLUMNS))

    def ask_line(self, prompt: str, take: Callable[[str], None]) -> None:
        """Ask for one text below, typed or scanned; Esc leaves it unasked."""
        self._asked, self._typed = (prompt, take), ""
        self.draw()

    def fill(self, form: "Form", closed: Callable[[], None]) -> None:
        """Open a form; `closed` is called when it is left."""

        def left() -> None:
            if self._screen is not None:
                closed()
                self.draw()

        self._form.open(form, self._words, left)

    def go(self, section: str, text: str = "") -> None:
        """Show another section, there looking for `text` if there is one."""
        assert self._screen is not None
        if self._name != MENU:
            self._before = self._name
        self._name, self._helps = section, False
        page = self._pages.get(section) or self._make(section)
        if isinstance(page, MenuPage):
            page.select(self._before)
        self._screen.turn_to(page.widget)
        if text:
            page.look_for(text)
        else:
            page.opened()
        self.draw()

    # What a person does --------------------------------------------------------------------------

    def take_typed(self, typed: str) -> bool:
        """Take what was typed so far; tell whether it belongs here."""
        if not self.is_open:
            return False
        if self._form.is_open:
            self._form.take_typed(typed)
        elif self._asked is not None:
            self._typed = typed
            self.draw()
        elif typed:
            self._app.forget_typing()
            self._press_letter(typed[0].lower())
        return True

    def take_frame(self, code: str, kind: str) -> bool:
        """Take a whole code; tell whether it belongs here and not to the station."""
        if not self.is_open:
            return False
        if self._form.is_open and self._form.wants_code:
            if kind == "code":
                self._form.take_code(code)
            return True
        if self._asked is not None and kind == "code":
            (_, take), self._asked, self._typed = self._asked, None, ""
            take(code)
            self.draw()
            return True
        looks = kind in ("code", "duplicate")  # to look twice does no harm
        if looks and not self._over and not self._form.is_open and self._asked is None:
            self._look_up(code)
        return not self._over

    def press(self, key: str) -> None:
        """Act on a key that is no text."""
        if self._form.is_open:
            self._form.press(key)
            return
        if self._screen is None or not self._pages:
            return
        self._notice = ""
        if key in ("escape", "f7"):
            self._step_back(leave=key == "f7")
        elif key == "f1":
            self._helps = not self._helps
        elif not (self._asked is not None and key == "enter"):
            self._page.press(key)
        self.draw()

    def _press_letter(self, letter: str) -> None:
        if not self._pages:
            return
        self._notice = ""
        by_digit = [each.name for each in SECTIONS if each.digit == letter]
        if by_digit:
            at = by_digit.index(self._name) + 1 if self._name in by_digit else 0
            self.go(by_digit[at % len(by_digit)])
        elif letter in ("m", "0"):
            self.go(self._before if self._name == MENU else MENU)
        elif letter in "[]":
            self._go_by(1 if letter == "]" else -1)
        elif letter == "/" and self._page.can_look_for:
            self.ask_line(self._words.desk.filter_prompt, self._page.look_for)
        else:
            self._page.press_letter(letter)
        self.draw()

    def _go_by(self, by: int) -> None:
        names = [each.name for each in SECTIONS]
        name = self._before if self._name == MENU else self._name
        self.go(names[(names.index(name) + by) % len(names)])

    def _step_back(self, *, leave: bool) -> None:
        """Leave the help, the field, what the page can take back, the menu, or the desk."""
        if self._helps:
            self._helps = False
        elif self._asked is not None:
            self._asked, self._typed = None, ""
        elif leave and self._over:
            self._close()
        elif self._page.step_back():
            pass
        elif self._name == MENU:
            self.go(self._before)
        elif self._over:
            self._close()
        elif self._name != self._first:
            self.go(self._first)

    def _close(self) -> None:
        if self._poll is not None:
            self._poll.stop()
        self._screen, self._pages = None, {}
        self._app.pop_screen()

    def _look_up(self, code: str) -> None:
        """Ask what a scanned code names, then show it where it is found."""

        def take(found: list[Meaning]) -> None:
            self._show_scanned(code, found)

        self.work(partial(self.feed.meanings, code[:CODE_MAX], Meaning, take, self.fail))

    def _show_scanned(self, code: str, found: list[Meaning]) -> None:
        """Here if the section finds it, else where it is found, else look for the text."""
        self._notice = ""
        for meaning in found:
            if self._page.takes(meaning.kind):
                self._page.scanned(code, meaning)
                return
        for meaning in found:
            if meaning.kind in HOMES:
                self.go(HOMES[meaning.kind])
                self._page.scanned(code, meaning)
                return
        if self._page.can_look_for:
            self._page.scanned(code, None)
        else:
            self.tell(self._words.desk.no_scans)

    # The core and the screen ---------------------------------------------------------------------

    def heard(self, message: DeskHeard) -> None:
        """Hand an answer to who asked."""
        message.deliver()

    @property
    def _page(self) -> Page:
        return self._pages[self._name]

    def _make(self, name: str) -> Page:
        if name == MENU:
            page: Page = MenuPage(self, [(each.name, each.digit) for each in SECTIONS])
        else:
            (page,) = [each.page(self) for each in SECTIONS if each.name == name]
        self._pages[name] = page
        return page

    def _begin(self) -> None:
        if self._screen is None:
            return
        self._name = self._before = self._first
        self.go(self._first)
        self._ask_station()

    def _ask(self) -> None:
        if self._screen is not None and self._pages:
            self._ask_station()
            self._page.poll()

    def _ask_station(self) -> None:
        told = partial(self.feed.value, "view", {}, StationView, self._take_station, self.fail)
        self.work(told)

    def _take_station(self, view: StationView) -> None:
        if self._notice == self._words.desk.gone:
            self._notice = ""
        self._view, self._words = view, words_for(view.language)
        self.draw()

    def draw(self) -> None:
        """Draw the desk and the page anew."""
        if self._screen is None or not self._pages:
            return
        view, page = self._view, self._page
        page.draw()
        self._screen.show(
            Shown(
                words=self._words,
                title=self._words.sections[self._name].title,
                heading=page.heading(),
                sought=page.sought,
                station=safe(view.station, 24) if view is not None else "",
                freshness=present_view.freshness(view, self._words),
                test=present_view.is_practice(view),
                mode_word=present_view.mode_texts(view, self._words)[0] if view else "",
                notice=self._notice,
                notice_tone=self._notice_tone,
                prompt=self._asked[0] if self._asked is not None else None,
                typed=self._typed,
                legends=self._legends(page),
                help=self._help(page) if self._helps else None,
            )
        )

    def _legends(self, page: Page) -> list[tuple[str, str]]:
        told = self._words.desk.keys
        sought = [("/", told["filter"])] if page.can_look_for else []
        leave = "Esc" if self._over else "Ctrl+Q"
        return [
            *page.legends(), *sought, ("m", told["menu"]), ("F1", told["help"]),
            (leave, told["leave"]),
        ]  # fmt: skip

    def _help(self, page: Page) -> dict[str, str]:
        return page.help() | self._words.desk.desk_help

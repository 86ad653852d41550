"""A page of the desk: one open section, with its widget, its keys and what it asks the core.

`ListPage` is the page of a described section; what has a layout of its own is a kind of `Page` too.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeVar

from msgspec import Struct
from textual.widget import Widget

from mes_terminal.tui.desk_feed import DeskFeed, Question
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from asyncio import TimerHandle

    from mes_terminal.errors import StationError
    from mes_terminal.tui.forms import Form
    from mes_terminal.tui.glyphs import Glyphs
    from mes_terminal.tui.telling import Telling

T = TypeVar("T")
STEPS: Final = ("up", "down", "pageup", "pagedown", "home", "end")
"""The keys that move a cursor."""


class Meaning(Struct, frozen=True):
    """One thing that a code names: `kind` as in the command line's `decode`, and its key."""

    kind: str
    key: str


class Desk(Protocol):
    """What a page may use of the desk it is on."""

    @property
    def feed(self) -> DeskFeed:
        """The questions to the core."""

    @property
    def glyphs(self) -> "Glyphs":
        """The signs that the terminal can draw."""

    @property
    def telling(self) -> "Telling | None":
        """Words, zone and the core's clock; `None` until the core has told its clock."""

    @property
    def words(self) -> Words:
        """The words of the language at hand."""

    def work(self, question: Question) -> None:
        """Let a question of `feed` run."""

    def later(self, seconds: float, call: Callable[[], None]) -> "TimerHandle":
        """Call once, after a time."""

    def draw(self) -> None:
        """Draw the desk and the page anew."""

    def tell(self, notice: str) -> None:
        """Show one sentence (safe) below until a key is pressed."""

    def fail(self, error: "StationError") -> None:
        """Tell what the core refused, or that it is not there."""

    def ask_line(self, prompt: str, take: Callable[[str], None]) -> None:
        """Ask for one text below, typed or scanned; Esc leaves it unasked."""

    def fill(self, form: "Form", closed: Callable[[], None]) -> None:
        """Open a form; `closed` is called when it is left."""

    def go(self, section: str, text: str = "") -> None:
        """Show another section, there looking for `text` if there is one."""


class Page:
    """One section while the desk is open. A kind of it overrides what it needs.

    `widget` is made once and stays mounted; `draw` tells it what to show and is called after
    everything that may have changed it. All texts that are drawn must be safe.
    """

    widget: Widget

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._round = 0

    def opened(self) -> None:
        """The page is shown, for the first time or again: ask for what it needs."""

    def poll(self) -> None:
        """Called every two seconds while the page is shown: ask for what may have changed."""

    def draw(self) -> None:
        """Tell the widget what to show. `desk.telling` may still be `None`: nothing was told."""

    def heading(self) -> Sequence[str]:
        """Return short texts for the head line, beside the title."""
        return ()

    def legends(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the page and what they do, for the bottom line."""
        return ()

    def help(self) -> dict[str, str]:
        """Return the keys of the page and what they do, for the help: a sentence each."""
        return {}

    def press(self, key: str) -> bool:  # noqa: ARG002
        """Act on a key that is no text (`up`, `tab`, `enter`); tell whether it is one of its."""
        return False

    def press_letter(self, letter: str) -> bool:  # noqa: ARG002
        """Act on a letter or sign; tell whether it is one of its. Digits, `m`, `[`, `]`, `/` are
        the desk's."""
        return False

    def step_back(self) -> bool:
        """Esc: take something back (a filter, a step into a tree); tell whether there was one."""
        return False

    @property
    def sought(self) -> str:
        """The text that is looked for, for the head line."""
        return ""

    @property
    def can_look_for(self) -> bool:
        """Whether `/` asks for a text here."""
        return False

    def look_for(self, text: str) -> None:
        """Show only what has `text`; the empty text shows everything again."""

    def takes(self, kind: str) -> bool:  # noqa: ARG002
        """Tell whether a scanned code that names a `kind` (`Meaning`) is found on this page."""
        return False

    def scanned(self, code: str, meaning: Meaning | None) -> None:
        """A code was scanned that is found here, or that nothing reads (`None`)."""
        self.look_for(meaning.key if meaning is not None else code)

    # For the kinds of it -------------------------------------------------------------------------

    def begin_round(self) -> None:
        """Forget every question that is on its way: its answer comes too late."""
        self._round += 1

    def ask_rows(
        self,
        name: str,
        filters: dict[str, str],
        kind: type[T],
        take: Callable[[list[T]], None],
        failed: Callable[["StationError"], None] | None = None,
    ) -> None:
        """Ask for a list; `take` gets its rows, and the page is drawn."""
        taken, failing = self._takers(take, failed)
        self.desk.work(partial(self.desk.feed.rows, name, filters, kind, taken, failing))

    def ask_value(
        self,
        do: str,
        params: dict[str, Any],
        kind: Any,
        take: Callable[[Any], None],
        failed: Callable[["StationError"], None] | None = None,
    ) -> None:
        """Make a request; `take` gets its answer, and the page is drawn."""
        taken, failing = self._takers(take, failed)
        self.desk.work(partial(self.desk.feed.value, do, params, kind, taken, failing))

    def _takers(
        self,
        take: Callable[[Any], None],
        failed: Callable[["StationError"], None] | None,
    ) -> tuple[Callable[[Any], None], Callable[[Any], None]]:
        asked = self._round

        def taken(call: Callable[[Any], None]) -> Callable[[Any], None]:
            def now(value: Any) -> None:
                if asked == self._round:
                    call(value)
                    self.desk.draw()

            return now

        return taken(take), taken(failed or self.desk.fail)

"""The end of a shift at the line: what is open, then who takes it over, badge and PIN.

Guarantees: nothing stands in the way of a scan. A badge fills the field that asks for one, wherever
it was scanned; every other code closes the sheet and goes to the station as always. A PIN is typed
by hand, drawn as stars, and goes into the request and nowhere else. Owned by the operator's app.
"""

from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from mes_terminal.domain.outcome import Outcome
from mes_terminal.domain.people import is_pin
from mes_terminal.domain.shift_report import ShiftNow, ShiftReport
from mes_terminal.errors import StationError
from mes_terminal.tui import present, present_shift
from mes_terminal.tui.desk_feed import DeskFeed
from mes_terminal.tui.safe_text import SENTENCE_MAX_COLUMNS, safe
from mes_terminal.tui.screens.shift_end import ShiftEndScreen
from mes_terminal.tui.words import Words

if TYPE_CHECKING:
    from collections.abc import Callable

    from mes_terminal.tui.gated_app import GatedApp
    from mes_terminal.tui.messages import CoreLink

Asks = Literal["nothing", "taker", "badge", "pin"]


class Named(Struct, frozen=True):
    """What the core knows a code as."""

    kind: str
    key: str


class ShiftControl:
    """The sheet and what it asks."""

    def __init__(
        self, app: "GatedApp", link: "CoreLink", give: "Callable[[bytes], object]"
    ) -> None:
        self._app, self._give = app, give
        self._feed = DeskFeed(link, app.post_message)
        self._words: Words | None = None
        self._round = 0
        self._asks: Asks = "nothing"
        self._taker = self._badge = ""
        self._typed = self._fault = ""

    @property
    def is_open(self) -> bool:
        """Whether the sheet is what the person sees."""
        return isinstance(self._app.top, ShiftEndScreen)

    def open(self, words: Words, *, practice: str) -> None:
        """Show what is open; ask for nothing before that is known. `practice` is the word of a
        station that is not live."""
        self._words = words
        self._round += 1
        self._asks, self._taker, self._badge = "nothing", "", ""
        self._typed = self._fault = ""
        if not self.is_open:
            screen = ShiftEndScreen(
                words, self._app.glyphs, plain=self._app.plain, practice=practice
            )
            self._app.push_screen(screen)
        self._look()

    # What a person does --------------------------------------------------------------------------

    def take_typed(self, typed: str) -> bool:
        """Take what was typed so far; tell whether it belongs here."""
        if not self.is_open or self._asks == "nothing":
            return False
        self._typed = "*" * len(typed) if self._asks == "pin" else typed
        self._draw()
        return True

    def take_frame(self, code: str, kind: str) -> bool:
        """Take a whole code; tell whether it belongs here, so far as is known by now."""
        if not self.is_open or self._asks == "nothing" or kind != "code":
            return False
        typed, self._typed = self._typed, ""
        if self._asks == "pin":
            return self._take_pin(code, by_hand=bool(typed))
        number = self._round
        self._ask(
            self._feed.meanings(
                code,
                Named,
                lambda found: self._take_meanings(number, code, found),
                lambda error: self._take_fault(number, error),
            )
        )
        return True

    def _take_pin(self, code: str, *, by_hand: bool) -> bool:
        """Sign with a PIN that was typed by hand; what a scanner sends is never one."""
        if by_hand:
            self._sign(code)
            return True
        if not is_pin(code):
            return False
        assert self._words is not None
        self._fault = self._words.approve.typed_only
        self._draw()
        return True

    def take_outcome(self, outcome: Outcome) -> bool:
        """Take the badge that another scanner of the station read; any other result is not ours."""
        if not self.is_open or self._asks not in ("taker", "badge"):
            return False
        about = outcome.work_order or outcome.item or outcome.lot or outcome.serial
        is_badge = outcome.outcome == "recorded" and not about
        if not is_badge or present.verb_of(outcome.code) is not None:
            return False
        return self.take_frame(outcome.code, "code")

    def press(self, key: str) -> None:
        """Act on a key that is no text: Esc leaves; the shift is not ended."""
        if key in ("escape", "f1"):
            self.close()

    def close(self) -> None:
        """Leave the sheet."""
        self._round += 1
        self._asks, self._typed = "nothing", ""
        self._app.forget_typing()
        if self.is_open:
            self._app.pop_screen()

    # What the core says --------------------------------------------------------------------------

    def _look(self) -> None:
        number = self._round
        question = self._feed.rows(
            "shift_now",
            {},
            ShiftNow,
            lambda rows: self._take_open(number, rows),
            lambda error: self._take_fault(number, error),
        )
        self._ask(question)

    def _take_open(self, number: int, rows: list[ShiftNow]) -> None:
        screen, words = self._app.top, self._words
        if number != self._round or not isinstance(screen, ShiftEndScreen) or not rows:
            return
        assert words is not None
        now = rows[0]
        zone = self._app.local_zone()
        name = present_shift.shift_name(now, words, zone)
        screen.show_open(name, present_shift.open_rows(now, words))
        if now.blocked is not None:
            self._fault = words.shift.blocked
        else:
            self._asks = "taker" if now.open.unnamed and not self._taker else "badge"
        self._draw()

    def _take_meanings(self, number: int, code: str, found: list[Named]) -> None:
        """A badge, or a text that means nothing else, fills the field; all else is a scan."""
        if number != self._round or not self.is_open:
            return
        if len(found) == 1 and found[0].kind == "badge":
            code = found[0].key
        elif found or present.verb_of(code) is not None:
            self.close()
            self._give(code.encode())
            return
        self._fault = ""
        self._app.forget_typing()
        if self._asks == "taker":
            self._taker, self._asks = code, "badge"
        elif self._asks == "badge":
            self._badge, self._asks = code, "pin"
        self._draw()

    def _sign(self, pin: str) -> None:
        number = self._round
        params: dict[str, Any] = {"badge": self._badge, "pin": pin, "hand_over": self._taker}
        if not self._taker:
            params["hand_over"] = None
        self._asks = "nothing"
        self._ask(
            self._feed.value(
                "end_shift",
                params,
                ShiftReport,
                lambda report: self._take_signed(number, report),
                lambda error: self._take_fault(number, error),
            )
        )
        self._draw()

    def _take_signed(self, number: int, report: ShiftReport) -> None:
        screen = self._app.top
        if number != self._round or not isinstance(screen, ShiftEndScreen):
            return
        assert self._words is not None
        self._fault = ""
        screen.show_signed(present_shift.signed_lines(report, self._words))
        self._draw()

    def _take_fault(self, number: int, error: StationError) -> None:
        """Say what went wrong, look again what is open, and begin with the first field."""
        if number != self._round or not self.is_open:
            return
        assert self._words is not None
        gone = error.reason == "core_gone"
        told = self._words.desk.gone if gone else safe(error.sentence, SENTENCE_MAX_COLUMNS)
        self._fault, self._taker, self._badge, self._asks = told, "", "", "nothing"
        if not gone:
            self._look()
        self._draw()

    def _ask(self, question: Any) -> None:
        self._app.run_worker(question, exit_on_error=True)

    def _draw(self) -> None:
        screen, words = self._app.top, self._words
        if not isinstance(screen, ShiftEndScreen) or words is None:
            return
        prompt = hint = ""
        if self._asks != "nothing":
            prompt = words.shift.asks[self._asks].format(name=safe(self._badge, 24))
            hint = words.shift.hints[self._asks]
        screen.show_field(prompt, hint, self._typed, self._fault)

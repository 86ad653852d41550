"""The operator's app: a client of the core that draws outcomes and hands on what is typed.

Guarantees: nothing that is scanned can press a key, quit the app or change what it draws other
than by the core's outcome; a code given here is sent once or said not to be taken; losing the
terminal ends the screen and nothing else. Called by the command line: `run_screen`.
"""

import sys
import time
from collections.abc import Callable
from datetime import timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec
from textual.screen import ModalScreen

from hardware.terminal_gate import GateKey
from mes_terminal.domain.instants import format_instant, to_datetime
from mes_terminal.domain.view import StationView
from mes_terminal.errors import InputError
from mes_terminal.link.client import LinkClient
from mes_terminal.tui import cards, messages, present, present_view, sounds, themes
from mes_terminal.tui.approve_control import ApproveControl
from mes_terminal.tui.cards import CardMaker
from mes_terminal.tui.core_feed import CoreFeed
from mes_terminal.tui.desk_control import DeskControl
from mes_terminal.tui.desk_feed import DeskHeard
from mes_terminal.tui.gated_app import GatedApp
from mes_terminal.tui.later import later
from mes_terminal.tui.messages import CoreLink
from mes_terminal.tui.present import Sound
from mes_terminal.tui.safe_text import safe
from mes_terminal.tui.screens.help import HelpScreen
from mes_terminal.tui.screens.operator import FUNCTION_KEYS, OperatorScreen
from mes_terminal.tui.shift_control import ShiftControl
from mes_terminal.tui.trace_control import TraceControl
from mes_terminal.tui.words import words_for

if TYPE_CHECKING:
    from mes_terminal.domain.outcome import Outcome

CLOCK_S: Final = 1.0
NOTICE_S: Final = 3.0
SEEN_MAX: Final = 64
"""Outcomes remembered to show each once: it comes as an answer and as a push."""
RECOVERED_MAX: Final = 20
"""Recovered scans named on the screen; the journal has them all."""
KEY_CODES: Final = {"f2": "%UNDO", "f5": "%CANCEL"}
"""Function keys that give a command at once, through the same door as a scan."""
KEY_BEGINNINGS: Final = {"f3": "%QTY ", "f4": "%SHORT "}
"""Function keys that begin a command; the person types the rest."""


class OperatorApp(GatedApp):
    """One screen, one gate for keys, two workers for the core."""

    def __init__(
        self,
        link: CoreLink,
        *,
        palette: themes.Palette | None = None,
        plain: bool | None = None,
        zone: tzinfo | None = None,
        play: Callable[[Sound], None] | None = None,
    ) -> None:
        super().__init__(palette=palette, plain=plain, zone=zone)
        self._play = play or sounds.Player(self).play
        self.feed = CoreFeed(link, self.post_message)
        self._link = link
        self.operator = OperatorScreen(self.glyphs, plain=self.plain)
        self._desk = DeskControl(self, link, over=True)
        self._approve = ApproveControl(self, link)
        self._trace = TraceControl(self, link, self.post_message, self.glyphs)
        self._shift = ShiftControl(self, link, self.feed.give)
        self._words = words_for("en")
        self._view: StationView | None = None
        self._view_at_s = 0.0
        self._flight: messages.PreflightArrived | None = None
        self._card: CardMaker = cards.connecting
        self._fresh = False
        self._connected: bool | None = None
        self._seen: list[str] = []
        self._waiting = 0
        self._waiting_codes: list[str] = []
        self._recovered: list[Outcome] = []
        self._leaving_at_s = float("-inf")

    def on_mount(self) -> None:
        """Open the screen, begin to listen."""
        self.push_screen(self.operator)
        self.set_interval(CLOCK_S, self._show_time)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        self.watch_terminal()
        self._draw_card(bright=True, stays=True)
        self.run_worker(self.feed.listen(), exit_on_error=True)
        self.run_worker(self.feed.send(), exit_on_error=True)

    async def on_unmount(self) -> None:
        """Leave the core."""
        await self._link.close()

    # Keys ---------------------------------------------------------------------------------------

    def take_typed(self, typed: str) -> None:
        """Show what a person has typed so far, where it belongs."""
        is_here = self._approve.take_typed(typed) or self._shift.take_typed(typed)
        if is_here or self._desk.take_typed(typed):
            typed = ""
        else:
            self._trace.follow_typing(typed)
        self.operator.show_typed(typed)

    def take_frame(self, raw: bytes, kind: str) -> None:
        """Give a whole code to the core, or to what asks for one here."""
        code = raw.decode("utf-8", "replace")
        is_here = self._approve.take_frame(code, kind) or self._shift.take_frame(code, kind)
        if is_here or self._desk.take_frame(code, kind):
            return
        if self._trace.is_typed_here and kind == "code":
            self._open_trace()
            self._trace.look_up(code)
            return
        self._close_over()
        if kind in ("code", "reject"):
            self.feed.give(raw)
            self._show_queue()
        else:
            self._tell_ignored(kind, code)

    def _tell_ignored(self, kind: str, code: str, hint: str | None = None) -> None:
        """Say what became of a frame that is no scan; a no-read is the scanner's own affair."""
        match kind:
            case "duplicate":
                self._notice(self._words.labels.read_twice.format(code=safe(code)))
            case "incomplete":
                self._show(cards.incomplete(hint), "refused")

    def press(self, key: GateKey) -> None:
        """Act on a key that a person pressed."""
        if self._approve.is_open and self._approve.press(key.name):
            return
        if self._desk.is_open and key.name != "ctrl+q":
            self._desk.press(key.name)
            return
        if self._shift.is_open and key.name != "ctrl+q":
            self._shift.press(key.name)
            return
        if self._trace.is_open and key.name not in ("f1", "ctrl+q"):
            self._trace.press(key.name)
            return
        match key.name:
            case "f1":
                if isinstance(self.screen, HelpScreen):
                    self._close_over()
                elif self._connected:
                    self.feed.give(b"%HELP")
                else:
                    self._open_help()
            case "f2" | "f5":
                self.feed.give(KEY_CODES[key.name].encode())
            case "f3" | "f4":
                self.begin_typing(KEY_BEGINNINGS[key.name])
            case "f6":
                self._open_trace()
            case "f7":
                self._close_over()
                self._desk.open()
            case "escape":
                self._close_over()
            case "ctrl+q":
                self._leave()

    def _leave(self) -> None:
        """Leave on the second Ctrl+Q in a row: one alone may be a slip."""
        now_s = time.monotonic()
        if now_s - self._leaving_at_s <= NOTICE_S:
            self.exit()
        self._leaving_at_s = now_s
        self._notice(self._words.labels.leave_hint)

    # What the core says -------------------------------------------------------------------------

    def on_outcome_arrived(self, message: messages.OutcomeArrived) -> None:
        """Show an outcome, once."""
        outcome = message.outcome
        if outcome.scan_id in self._seen:
            return
        self._seen = [*self._seen[1 - SEEN_MAX :], outcome.scan_id]
        if self._shift.take_outcome(outcome):
            return
        if outcome.outcome == "already_done":  # tells when, for programs too
            told = present_view.with_local_times(outcome.message, self.local_zone())
            outcome = msgspec.structs.replace(outcome, message=told)
        answered = self._view.pending_verb if self._view else None
        self._trace.remember(outcome)
        self._show(cards.outcome_card(outcome, answered), present.sound_of(outcome))
        command = present.verb_of(outcome.code)
        if outcome.outcome == "recorded" and command and command[0] == "HELP":
            self._open_help()
        elif outcome.outcome == "recorded" and command and command[0] == "END":
            practice = present_view.practice_word(self._view, self._words)
            self._shift.open(self._words, practice=practice)

    def on_view_arrived(self, message: messages.ViewArrived) -> None:
        """Show the station; the last outcome's sentences may say more now."""
        self._view, self._view_at_s = self._with_preflight(message.view), time.monotonic()
        self._words = words_for(message.view.language)
        self._fresh = True
        self.operator.show_view(self._view, self._words, self.local_zone())
        self.feed.look_ahead(message.view)
        self._show_time()
        self._waiting = message.view.scans_waiting
        self._waiting_codes = self._waiting_codes[: self._waiting]
        self._show_queue()
        self._draw_card(bright=False)
        answer = self._approve.follow(message.view, self._words)
        if answer is not None:
            sound: Sound = "accepted" if answer.status == "approved" else "stop"
            self._show(cards.answered(answer), sound)

    def on_approval_answered(self, message: messages.ApprovalAnswered) -> None:
        """Hand on what became of a PIN."""
        said = self._approve.answered(message)
        if said:
            self._notice(said)

    def on_preflight_arrived(self, message: messages.PreflightArrived) -> None:
        """Show what a close would do right now (screens 6)."""
        self._flight = message
        if self._view is not None:
            self._view = self._with_preflight(self._view)
            self.operator.show_view(self._view, self._words, self.local_zone())
            self._draw_card(bright=False)

    def _with_preflight(self, view: StationView) -> StationView:
        """Return `view` with the last pre-flight, if it is of the same order."""
        flight = self._flight
        if flight is None or view.order is None or view.order.work_order != flight.work_order:
            return view
        return msgspec.structs.replace(view, preflight=flight.flight)

    def on_queue_changed(self, message: messages.QueueChanged) -> None:
        """Show which scans wait, in order."""
        self._waiting, self._waiting_codes = message.waiting, message.codes
        self._show_queue()

    def on_frame_ignored(self, message: messages.FrameIgnored) -> None:
        """A scanner of the core read something that is no scan."""
        self._tell_ignored(message.kind, message.code, message.hint)

    def on_attached(self) -> None:
        """The core is there."""
        if not self._connected:
            self._connected = True
            self._card = cards.ready
            self._draw_card(bright=True)

    def on_lost(self) -> None:
        """The core is gone: say so until it is back."""
        if self._connected is False:
            return
        self._connected = False
        self._close_over()
        self._card, self._fresh = cards.lost(""), False
        self._draw_card(bright=True, stays=True)
        self.operator.show_status([present_view.Piece(self._words.labels.lost_word, "alert")])
        self._play("stop")

    def on_stopping(self) -> None:
        """The core stops in order."""
        self._close_over()
        self._card = cards.stopping
        self._draw_card(bright=True, stays=True)

    def on_recovered(self, message: messages.Recovered) -> None:
        """Say which scans were booked before a stop: they come one after the other."""
        self._recovered = [*self._recovered[1 - RECOVERED_MAX :], message.outcome]
        outcomes = tuple(self._recovered)
        self._show(cards.recovered(outcomes), "refused")

    def on_scan_failed(self, message: messages.ScanFailed) -> None:
        """Say that a code given here was not taken, or may not have been."""
        self._close_over()
        self._show_queue()
        labels = self._words.labels
        code = safe(message.code)
        match message.reason:
            case "not_connected":
                self._card = cards.lost(labels.lost_dropped.format(code=code))
            case "core_gone":
                self._card = cards.lost(labels.lost_unsure.format(code=code))
            case "too_many":
                text = labels.too_many.format(code=code)
                self._show(cards.stop(text), "stop")
                return
            case _:
                self._show(cards.failed(message.code, message.sentence), "stop")
                return
        self._draw_card(bright=True, stays=True)
        self._play("stop")

    def on_scan_taken(self) -> None:
        """One code less waits."""
        self._show_queue()

    # Drawing ------------------------------------------------------------------------------------

    def on_desk_heard(self, message: DeskHeard) -> None:
        """Hand on an answer that the desk asked for."""
        self._desk.heard(message)

    def on_trace_arrived(self, message: messages.TraceArrived) -> None:
        """Draw the genealogy that was asked for."""
        self._trace.arrived(message)

    def _show(self, card: CardMaker, sound: Sound) -> None:
        self._close_over()  # a result is never hidden: the desk tells it too
        self._card, self._fresh = card, False
        self._draw_card(bright=True)
        if self._desk.is_open:
            made = card(self._words, None)
            self._desk.tell(f"{made.word} {made.happened}".strip(), made.tone)
        self._play(sound)

    def _draw_card(self, *, bright: bool, stays: bool = False) -> None:
        card = self._card(self._words, self._view if self._fresh else None)
        if self._view is not None and card.word and not (card.scan or stays):
            following = present_view.next_scan_texts(self._view, self._words)[0]
            card = msgspec.structs.replace(card, scan=following)
        self.operator.show_card(card, self._words, bright=bright, stays=stays)

    def _show_queue(self) -> None:
        """Draw what waits in the core, then what waits here to be given to it."""
        codes = [*self._waiting_codes, *self.feed.waiting]
        self.operator.show_queue(codes, self._waiting + len(self.feed.waiting))

    def _show_time(self) -> None:
        """Draw the core's clock, carried on by our own."""
        if self._view is None:
            return
        now = self._now(self._view)
        self.operator.show_time(present_view.clock_text(now, self.local_zone()))
        if self._connected:
            aged = msgspec.structs.replace(self._view, now=now)
            self.operator.show_status(present_view.status_pieces(aged, self._words))
        self._approve.tick(now)

    def _now(self, view: StationView) -> str:
        passed = timedelta(seconds=int(time.monotonic() - self._view_at_s))
        try:
            return format_instant(to_datetime(view.now) + passed)
        except ValueError:
            return view.now

    def _notice(self, notice: str) -> None:
        self.operator.show_notice(notice)
        later(self, NOTICE_S, lambda: self.operator.show_notice(""))

    def _open_help(self) -> None:
        keys = [(key.upper(), self._words.keys[name]) for key, name in FUNCTION_KEYS.items()]
        now = present_view.next_scan_texts(self._view, self._words) if self._view else []
        self.push_screen(HelpScreen(self._words, keys, now, self.glyphs, plain=self.plain))

    def _open_trace(self) -> None:
        if not self._trace.is_open:
            self._close_over()
            self._trace.open(self._words, self._view, plain=self.plain)

    def _close_over(self) -> None:
        """Close help, genealogy or the end of the shift, if one is open."""
        if self._shift.is_open:
            self._shift.close()
        elif isinstance(self.top, ModalScreen) and not self._desk.is_open:
            self.pop_screen()


def run_screen(socket_path: Path) -> int:
    """Show the operator's screen until the person leaves or the terminal does; return 0.

    Raises `InputError` without a terminal. The core behind `socket_path` may come and go.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on standard error
        raise InputError("The screen needs a terminal. Without one use `mes-terminal core`.")
    app = OperatorApp(LinkClient(socket_path))
    app.run(mouse=False)
    return app.return_code or 0

"""The terminal under the operator's screen: a driver that nothing typed or scanned can break.

Guarantees: a byte that is no UTF-8 is a character like any other (and comes out of `exact_bytes`
as the byte it was); no barcode can open a paste, move a mouse, resize or switch a mode; no pause of
ours comes between two keys; when the terminal is gone the app is told once and nothing more is
written. Used by `gated_app`.
"""

import asyncio
import os
import selectors
import signal
import time
from codecs import getincrementaldecoder
from collections.abc import Callable, Sequence
from typing import Final

from textual import events
from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from mes_terminal.tui.keys import KeyReader, KeyStroke
from mes_terminal.tui.messages import GateDue
from mes_terminal.tui.reading_clock import ReadingClock

SEQUENCE_PAUSE_S: Final = 0.05
"""How long the rest of a key's sequence may take, as over SSH; so long a silence is told."""
POLL_S: Final = 0.1
"""How soon the reading thread notices that it shall end."""
READ_MAX_BYTES: Final = 4096

_NO_REPORTS: Final = "\x1b[<u\x1b[?1004l\x1b[?2004l"
"""Plain keys: no Kitty protocol, no focus reports, no bracketed paste."""


class OperatorDriver(LinuxDriver):
    """Textual's Linux driver with an input thread of our own."""

    _on_gone: Callable[[], None] | None = None
    _gone = False

    def start_application_mode(self) -> None:
        """Take the terminal; keys only."""
        super().start_application_mode()  # type: ignore[no-untyped-call]
        self.write(_NO_REPORTS)
        self.flush()

    def write(self, data: str) -> None:
        """Write to the terminal, as long as there is one."""
        if not self._gone:
            super().write(data)

    def hang_up(self) -> None:
        """The terminal is gone: write nothing more."""
        self._gone = True

    def tell_gone_to(self, on_gone: Callable[[], None]) -> None:
        """Call `on_gone` once the terminal is gone: at once if it went before anybody asked.

        Call it on the running loop.
        """
        self._on_gone = on_gone  # before the look at `_gone`, which the other thread sets first
        if self._gone:
            on_gone()

    def run_input_thread(self) -> None:
        """Read keys until the app ends or the terminal does."""
        reader = KeyReader()
        decoder = getincrementaldecoder("utf-8")("surrogateescape")
        clock = ReadingClock(time.monotonic())
        with selectors.SelectSelector() as selector:
            selector.register(self.fileno, selectors.EVENT_READ)
            while not self.exit_event.is_set():
                if not _something(selector, clock):
                    keys = reader.feed(decoder.decode(b"", final=True)) + reader.flush()
                    self._hand_on(key_events(keys, clock.at_s))
                    if not clock.is_long_quiet:
                        self._hand_on([GateDue(clock.quiet_s)])
                    continue
                data = self._read()
                if not data:
                    self._tell_gone()
                    return
                clock.read(time.monotonic())
                self._hand_on(key_events(reader.feed(decoder.decode(data)), clock.at_s))

    def _sigcont_application(self, *_: object) -> None:
        """Take the terminal again only if it was left: one who was stopped from outside still has
        it, and a second thread would read half of each code."""
        if self._must_signal_resume:
            super()._sigcont_application()

    def _request_terminal_sync_mode_support(self) -> None:
        """Ask nothing: the answer would come in as typed characters."""

    def _query_in_band_window_resize(self) -> None:
        """Ask nothing; the size comes by signal."""

    def _read(self) -> bytes:
        try:
            return os.read(self.fileno, READ_MAX_BYTES)
        except OSError:
            return b""

    def _hand_on(self, messages: Sequence[Message]) -> None:
        """Give the app messages, all in one turn of its loop: it is fast, and keeps their order."""
        if messages:
            self._loop.call_soon_threadsafe(self._post, messages)

    def _post(self, messages: Sequence[Message]) -> None:
        for message in messages:
            self._app.post_message(message.set_sender(self._app))

    def _tell_gone(self) -> None:
        self.hang_up()
        if self._on_gone is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._on_gone)


def key_events(keys: list[KeyStroke], at_s: float | None = None) -> list[events.Key]:
    """Return the events of keys that one reading brought, all of the same moment: `at_s`, or now.
    However long they take to be handed on, the gate sees no pause in a code that had none."""
    pressed = [events.Key(key.name, key.characters) for key in keys]
    for event in pressed:
        event.time = pressed[0].time if at_s is None else at_s
    return pressed


def _something(selector: selectors.BaseSelector, clock: ReadingClock) -> bool:
    """Wait a moment for something to read; tell `clock` of the silence until then."""
    looked_s = time.monotonic()
    if selector.select(0):
        return True  # since when, nobody saw
    clock.quiet_until(looked_s)
    pause_s = POLL_S if clock.is_long_quiet else SEQUENCE_PAUSE_S
    if selector.select(pause_s):
        clock.quiet_until(min(time.monotonic(), looked_s + pause_s))
        return True
    clock.quiet_until(looked_s + pause_s)
    return False


def exact_bytes(raw: bytes) -> bytes:
    """Return the bytes of a gate's frame as they came: what was no UTF-8 is itself again."""
    try:
        return raw.decode("utf-8", "surrogatepass").encode("utf-8", "surrogateescape")
    except UnicodeError:
        return raw


def on_signals(leave: Callable[[], None], hang_up: Callable[[], None]) -> None:
    """Leave in order on SIGTERM, and at once on SIGHUP; call it on the running loop."""

    def hung_up() -> None:
        hang_up()
        leave()

    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, leave)
    loop.add_signal_handler(signal.SIGHUP, hung_up)

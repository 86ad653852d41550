"""What the apps of a terminal share: every key goes through the gate, colours fit the terminal.

Guarantees: no key reaches a binding or a widget; nothing that is scanned can press one; what a
person typed, a whole code and a pressed key come out one after the other. Losing the terminal ends
the app. Made by `app` and `supervisor_app`.
"""

import os
import time
from datetime import datetime, tzinfo
from typing import TYPE_CHECKING, Any

from textual import events
from textual.app import App
from textual.screen import Screen

from hardware.terminal_gate import Gate, GateKey, GateResult
from mes_terminal.tui import messages, terminal, themes
from mes_terminal.tui.glyphs import PLAIN, RICH
from mes_terminal.tui.later import later

if TYPE_CHECKING:
    import asyncio


class GatedApp(App[None], inherit_bindings=False):
    """An app whose keys come one way only; a kind of it says what they do."""

    CSS_PATH = "operator.tcss"
    ENABLE_COMMAND_PALETTE = False

    def __init__(
        self, *, palette: themes.Palette | None, plain: bool | None, zone: tzinfo | None
    ) -> None:
        super().__init__(driver_class=terminal.OperatorDriver)
        few = self.console.color_system in (None, "standard")
        palette = palette or (themes.SIXTEEN if few else themes.MANY)
        self.plain = os.environ.get("TERM") == "linux" if plain is None else plain
        self.register_theme(themes.theme_of(palette))
        self.theme = palette.name
        self.glyphs = PLAIN if self.plain else RICH
        self._zone = zone
        self._gate = Gate()
        self._at_s = time.monotonic()
        self._wake: asyncio.TimerHandle | None = None
        self._wake_at_s = float("inf")

    @property
    def top(self) -> Screen[Any] | None:
        """The screen that a person sees; `None` while the app begins or ends."""
        stack = self.screen_stack
        return stack[-1] if stack else None

    def take_typed(self, typed: str) -> None:
        """A person has typed so far; nothing yet, or no more, is the empty text."""

    def take_frame(self, raw: bytes, kind: str) -> None:
        """A code came, or what became of one (`hardware.frame`)."""

    def press(self, key: GateKey) -> None:
        """A person pressed a key that is no text."""

    def begin_typing(self, text: str) -> None:
        """Let it be as if a person had typed `text` and nothing else."""
        self._gate.clear()
        self._take(self._gate.paste(text, self._at_s))

    def forget_typing(self) -> None:
        """Let it be as if a person had typed nothing."""
        self._gate.clear()

    def local_zone(self) -> tzinfo:
        """Return the time zone of this terminal."""
        return self._zone or datetime.now().astimezone().tzinfo  # type: ignore[return-value]

    def watch_terminal(self) -> None:
        """End with the terminal; call it when the app runs."""
        if isinstance(self._driver, terminal.OperatorDriver):
            terminal.on_signals(self.exit, self._driver.hang_up)
            self._driver.tell_gone_to(self.exit)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Return our colours for the moment before the theme is set."""
        return themes.theme_of(themes.MANY).variables

    async def on_event(self, event: events.Event) -> None:
        """Send every key through the gate; no key reaches a binding or a widget (screens 10)."""
        if isinstance(event, events.Key):
            if not event.is_forwarded:
                self._at_s = event.time
                self._take(self._gate.tick(event.time))  # what is typed is known before Enter
                self._take(self._gate.feed(event.character, event.key, event.time))
        elif isinstance(event, events.Paste):
            self._take(self._gate.paste(event.text, event.time))
        else:
            await super().on_event(event)

    def on_gate_due(self, due: messages.GateDue) -> None:
        """Let the gate decide what time decides; keys that came before are read already."""
        self._wake, self._wake_at_s = None, float("inf")
        self._at_s = due.quiet_s
        if self._gate.due_s is not None:
            self._take(self._gate.tick(due.quiet_s))

    def _take(self, result: GateResult) -> None:
        if not self.is_running:  # the screens are going
            return
        for frame in result.frames:
            self.take_frame(terminal.exact_bytes(frame.raw), frame.kind)
        self.take_typed(result.typed_text)
        self._wake_at(result.due_s)
        for key in result.keys:
            self.press(key)

    def _wake_at(self, due_s: float | None) -> None:
        """Let the gate look again at `due_s`, by one timer however many keys come; where keys are
        read, whoever reads them tells when there are none."""
        if isinstance(self._driver, terminal.OperatorDriver):
            return
        if due_s is None or due_s >= self._wake_at_s:
            return
        if self._wake is not None:
            self._wake.cancel()
        self._wake_at_s = due_s
        wait_s = max(0, due_s - time.monotonic())
        self._wake = later(self, wait_s, lambda: self.post_message(messages.GateDue()))

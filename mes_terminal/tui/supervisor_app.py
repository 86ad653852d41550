"""The supervisor's desk as an app of its own: `mes-terminal supervisor`. A client of the core.

It attaches again by itself, gives the core no scan, and says so when one comes.
"""

import sys
import time
from datetime import tzinfo
from pathlib import Path
from typing import Final

from hardware.terminal_gate import GateKey
from mes_terminal.errors import CoreError, InputError
from mes_terminal.link.client import LinkClient
from mes_terminal.tui import themes
from mes_terminal.tui.desk_control import DeskControl
from mes_terminal.tui.desk_feed import DeskHeard
from mes_terminal.tui.gated_app import GatedApp
from mes_terminal.tui.later import later
from mes_terminal.tui.messages import CoreLink

RETRY_S: Final = 0.5
"""Between attempts to find a core at the start; losses later are the link's to mend."""
LEAVE_S: Final = 3.0
"""The second Ctrl+Q counts so long."""


class SupervisorApp(GatedApp):
    """The desk and nothing else."""

    def __init__(
        self,
        link: CoreLink,
        *,
        palette: themes.Palette | None = None,
        plain: bool | None = None,
        zone: tzinfo | None = None,
        first: str = "morning",
    ) -> None:
        super().__init__(palette=palette, plain=plain, zone=zone)
        self._link = link
        self.desk = DeskControl(self, link, over=False, first=first)
        self._leaving_at_s = float("-inf")

    def on_mount(self) -> None:
        """Attach, open the desk."""
        self.call_after_refresh(self._begin)

    async def on_unmount(self) -> None:
        """Leave the core."""
        await self._link.close()

    def _begin(self) -> None:
        self.watch_terminal()
        self.desk.open()
        self._seek_core()

    def _seek_core(self) -> None:
        self.run_worker(self._try_to_attach(), exit_on_error=True)

    async def _try_to_attach(self) -> None:
        try:
            await self._link.open()
        except CoreError:
            later(self, RETRY_S, self._seek_core)

    def take_typed(self, typed: str) -> None:
        """Everything typed belongs to the desk."""
        self.desk.take_typed(typed)

    def take_frame(self, raw: bytes, kind: str) -> None:
        """A code fills the field that waits for one."""
        self.desk.take_frame(raw.decode("utf-8", "replace"), kind)

    def press(self, key: GateKey) -> None:
        """Leave on the second Ctrl+Q in a row: one alone may be a slip."""
        if key.name != "ctrl+q":
            self.desk.press(key.name)
            return
        now_s = time.monotonic()
        if now_s - self._leaving_at_s <= LEAVE_S:
            self.exit()
        self._leaving_at_s = now_s
        self.desk.tell_leaving()

    def on_desk_heard(self, message: DeskHeard) -> None:
        """Hand on an answer of the core."""
        self.desk.heard(message)


def run_desk(socket_path: Path) -> int:
    """Show the desk until the person leaves or the terminal does; return 0.

    Raises `InputError` without a terminal. The core behind `socket_path` may come and go.
    """
    if not (sys.stdin.isatty() and sys.stderr.isatty()):  # Textual draws on standard error
        raise InputError("The desk needs a terminal. Without one use: mes-terminal exceptions.")
    app = SupervisorApp(LinkClient(socket_path))
    app.run(mouse=False)
    return app.return_code or 0

"""A person at a terminal of their own: keys go in one by one, and the screen is read. Needs tmux.

Every key waits for what it changes on the screen; nothing is sent to the program in another way.
"""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from mes_terminal.station.lock import find_core
from tests.e2e.station_process import PATIENCE_S, Station

COLUMNS: Final = 120
ROWS: Final = 40
POLL_S: Final = 0.02


class Keyboard:
    """The keys of one terminal, what it shows, and a record of both."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._server = f"desk-{station.folder.name}"
        self.record: list[tuple[str, str]] = []
        """Each key, and the screen that followed."""

    def start(self, *words: str) -> None:
        """Start a command of the station in the terminal."""
        self._tmux(
            "-f", "/dev/null", "new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS),
            *map(str, self._station.command(*words)),
        )  # fmt: skip

    def close(self) -> None:
        """Take the terminal away; a core outlives that, so it is told to stop."""
        self._tmux("kill-server")
        if find_core(self._station.database) is not None:
            self._station.run("core", "--stop")

    def text(self) -> str:
        """Return what the screen shows."""
        return self._tmux("capture-pane", "-p").stdout

    def press(self, key: str, *shown: str) -> str:
        """Press a key by its name; wait until the screen has changed, and has all of `shown`."""
        before = self.text()
        self._tmux("send-keys", key)
        after = self.until(
            lambda text: text != before and all(each in text for each in shown), f"{key}: {shown}"
        )
        self.record.append((key, after))
        return after

    def type(self, text: str) -> None:
        """Type a text as fingers do: each letter is seen before the next."""
        for letter in text:
            self.press(letter)

    def until(self, condition: Callable[[str], bool], what: str = "") -> str:
        """Wait for the screen; return it."""
        deadline = time.monotonic() + PATIENCE_S
        while not condition(text := self.text()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {PATIENCE_S} s: {what}\n{text}")
            time.sleep(POLL_S)
        return text

    def _tmux(self, *words: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["tmux", "-L", self._server, *words],
            env=self._station.environment,
            cwd=self._station.folder,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )


@contextmanager
def keyboard(station: Station, *words: str) -> Iterator[Keyboard]:
    """Give a terminal in which a command of the station runs."""
    terminal = Keyboard(station)
    terminal.start(*words)
    try:
        yield terminal
    finally:
        terminal.close()


def number_of(choice: str, text: str) -> str:
    """Return the digit that a dialog offers for a choice."""
    found = re.search(rf"(\d) {re.escape(choice)}", text)
    assert found, (choice, text)
    return found[1]

"""What the core writes for those who look after it: one structured line a happening.

`2026-11-20T13:05:12.100Z scan.done scan_id=0199… ms=3.1` on standard error (the journal under
systemd, a file under `run`). Values are quoted as JSON where they are not plain, so that nothing
scanned can forge a line or reach a terminal as an escape. A thread of its own writes: whoever reads
slowly, or not at all, costs lines, never a scan. Written by the station and the link only.
"""

import json
import queue
import re
import threading
import time
from typing import Final, TextIO

LINES_WAITING_MAX: Final = 10_000
"""Lines kept for a reader that stalls; later ones are dropped and counted."""
CLOSE_MAX_S: Final = 1.0
"""How long the end of the program waits for the last lines."""

_PLAIN = re.compile(r"[A-Za-z0-9_.:/@+-]{1,200}\Z")


class _Writer(threading.Thread):
    """Writes lines to one stream until it is closed or fails."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__(name="log", daemon=True)
        self.lines: queue.Queue[str | None] = queue.Queue(LINES_WAITING_MAX)
        self.dropped = 0
        self._stream = stream

    def run(self) -> None:
        """Write what comes; a full disk or a lost terminal ends it in silence."""
        try:
            while (line := self.lines.get()) is not None:
                self._stream.write(line + "\n")
                if self.lines.empty():
                    self._stream.flush()
            self._stream.flush()
        except (OSError, ValueError):
            return

    def put(self, line: str) -> None:
        """Queue a line; never waits."""
        try:
            if self.dropped:
                self.lines.put_nowait(f"{_now()} log.dropped lines={self.dropped}")
                self.dropped = 0
            self.lines.put_nowait(line)
        except queue.Full:
            self.dropped += 1


_writer: _Writer | None = None


def write_to(stream: TextIO) -> None:
    """Send the lines to `stream` from now on; before that they go nowhere, as in commands."""
    global _writer
    _writer = _Writer(stream)
    _writer.start()


def close() -> None:
    """Write what still waits, for a second at most, and stop."""
    global _writer
    if _writer is not None:
        try:
            _writer.lines.put_nowait(None)
        except queue.Full:
            pass
        else:
            _writer.join(CLOSE_MAX_S)
        _writer = None


def write(happening: str, **values: object) -> None:
    """Write one line: what happened and its values. Never waits, never fails."""
    if _writer is not None:
        words = [f"{name}={_quoted(value)}" for name, value in values.items() if value is not None]
        _writer.put(" ".join([_now(), happening, *words]))


def say(sentence: str) -> None:
    """Write a sentence for a person as it stands. Never waits, never fails."""
    if _writer is not None:
        _writer.put(sentence)


def _now() -> str:
    seconds = time.time()
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))
    return f"{stamp}.{int(seconds % 1 * 1000):03d}Z"


def _quoted(value: object) -> str:
    text = str(value)
    return text if _PLAIN.match(text) else json.dumps(text[:2000])

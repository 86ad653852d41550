"""`.scanlog`: what scanners read, written down as it came, to be played again.

A file of JSON lines: the first says what it is, every other is one frame with its time. Recording
never holds reading up: a thread of its own writes, and a disk that is full ends the recording, not
the scanning. `script_of` turns a recording into the steps of the simulated scanner.
"""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

from hardware.frame import ScanFrame
from hardware.script import SCRIPT_LINES_MAX, Fault, Script, Step

SUFFIX: Final = ".scanlog"
HEADER: Final = {"scanlog": 1}
FRAMES_WAITING_MAX: Final = 10_000
"""Frames not yet written; a disk so slow loses the recording, never a scan."""
FILE_MAX_BYTES: Final = 64 * 1024 * 1024
"""A shift of 30,000 scans is a tenth of it; more is a scanner that went mad."""
PAUSE_MAX_MS: Final = 86_400_000


class Recorder:
    """Writes frames into one file. `add` from any thread; `close` once."""

    def __init__(self, path: Path, failed: Callable[[str], None]) -> None:
        """Begin the file. Raises `OSError`. `failed` gets one sentence if writing ends early."""
        self._path = path
        self._failed = failed
        self._frames: queue.Queue[ScanFrame | None] = queue.Queue(FRAMES_WAITING_MAX)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="ascii")
        if self._file.tell() == 0:
            self._file.write(json.dumps(HEADER) + "\n")
        self._thread = threading.Thread(target=self._write, name="recorder", daemon=True)
        self._thread.start()

    def add(self, frame: ScanFrame) -> None:
        """Write a frame soon. Never waits, never fails."""
        try:
            self._frames.put_nowait(frame)
        except queue.Full:
            return  # the thread has said why it does not write

    def close(self) -> None:
        """Write what waits and end."""
        self._frames.put(None)
        self._thread.join()

    def _write(self) -> None:
        try:
            with self._file as file:
                while (frame := self._frames.get()) is not None:
                    if file.tell() > FILE_MAX_BYTES:
                        raise OSError(0, f"larger than {FILE_MAX_BYTES} bytes")
                    file.write(line_of(frame))
                    if self._frames.empty():
                        file.flush()
        except OSError as error:
            self._failed(
                f"The recording {self._path} ends here: {error.strerror}. Scanning goes on."
            )
            while self._frames.get() is not None:
                pass


def line_of(frame: ScanFrame) -> str:
    """Return the line of one frame."""
    told: dict[str, Any] = {
        "at_ms": round(frame.at_s * 1000),
        "device": frame.device,
        "kind": frame.kind,
        "hex": frame.raw.hex(),
        "reason": frame.reason,
        "key": frame.key,
    }
    return json.dumps({key: value for key, value in told.items() if value is not None}) + "\n"


def script_of(text: str, file: str) -> Script:
    """Return a recording as steps of the simulated scanner, with its pauses, or its faults.

    A double read counted nothing and is left out, as is what a keyboard's keys alone can cause.
    """
    lines = text.splitlines()
    if not lines or _read(lines[0]) != HEADER:
        return Script((), (Fault(file, 1, f"is no recording; it must begin with {HEADER}."),))
    steps: list[Step] = []
    faults: list[Fault] = []
    last_ms: int | None = None
    for number, line in enumerate(lines[1:], 2):
        told = _read(line)
        if number > SCRIPT_LINES_MAX or not _is_frame(told):
            is_long = number > SCRIPT_LINES_MAX
            said = f"more than {SCRIPT_LINES_MAX} lines. Split it." if is_long else "is no frame."
            faults.append(Fault(file, number, said))
            break
        steps += _steps(told, number, last_ms)
        last_ms = told["at_ms"]
    return Script(tuple(steps), tuple(faults))


def _steps(told: dict[str, Any], line: int, last_ms: int | None) -> Iterator[Step]:
    pause_ms = 0 if last_ms is None else min(max(told["at_ms"] - last_ms, 0), PAUSE_MAX_MS)
    if pause_ms:
        yield Step(line=line, verb="pause", pause_ms=pause_ms)
    code = bytes.fromhex(told["hex"])
    if told["kind"] == "incomplete":
        yield Step(line=line, verb="nosuffix", code=code)
    elif told["kind"] in ("code", "noread") or told.get("reason") == "too_long":
        yield Step(line=line, verb="scan", code=code)


def _read(line: str) -> Any:
    try:
        return json.loads(line)
    except ValueError:
        return None


def _is_frame(told: Any) -> bool:
    if not isinstance(told, dict) or not isinstance(told.get("at_ms"), int):
        return False
    try:
        bytes.fromhex(told.get("hex", "?"))
    except (TypeError, ValueError):
        return False
    return isinstance(told.get("kind"), str)

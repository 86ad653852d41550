"""The inputs worth keeping: the shortest that together reach all that the whole corpus reaches.

As libFuzzer's merge does: what one input reaches is the steps from line to line it takes in the
project, each with how often (once, twice, a few times, many times).
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any, Final

ROOT: Final = str(Path(__file__).parents[2])
OURS: Final = tuple(f"{ROOT}/{package}/" for package in ("hardware", "mes_terminal"))
OFTEN: Final = (1, 2, 4, 16, 128)
"""Beyond each of these numbers a step counts as another one."""

Step = tuple[str, int, int]
"""File, line before (0: the function was entered), line."""


class Tracer:
    """Notes the steps of what runs while it is set by `sys.settrace`."""

    def __init__(self) -> None:
        self.steps: Counter[Step] = Counter()
        self._last: dict[int, int] = {}

    def __call__(self, frame: FrameType, event: str, _: Any) -> "Tracer | None":
        """Take one event of the interpreter."""
        name = frame.f_code.co_filename
        if event == "call" and not name.startswith(OURS):
            return None
        if event == "return":
            self._last.pop(id(frame), None)
        else:
            before = 0 if event == "call" else self._last.get(id(frame), 0)
            self._last[id(frame)] = frame.f_lineno
            self.steps[name, before, frame.f_lineno] += 1
        return self


def reached(target: Callable[[bytes], None], data: bytes) -> set[tuple[Step, int]]:
    """What one input reaches."""
    tracer, other = Tracer(), sys.gettrace()
    sys.settrace(tracer)
    try:
        target(data)
    finally:
        sys.settrace(other)
    return {(step, sum(count > mark for mark in OFTEN)) for step, count in tracer.steps.items()}


def smallest(target: Callable[[bytes], None], inputs: Iterable[bytes]) -> list[bytes]:
    """The inputs that are kept, shortest first, each because it reaches something new."""
    seen: set[tuple[Step, int]] = set()
    kept = []
    for data in sorted(inputs, key=lambda data: (len(data), data)):
        new = reached(target, data) - seen
        if new:
            seen |= new
            kept.append(data)
    return kept

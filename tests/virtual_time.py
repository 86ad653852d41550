"""An event loop whose clock jumps to the next timer instead of waiting for it.

For state machines with pauses of minutes: a test of hours takes milliseconds, and is the same every
time. Nothing in it may wait for a thread or a socket.
"""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

TURNS_MAX = 300_000
"""Turns of the loop after which something turns in circles."""


class _Selector(selectors.SelectSelector):
    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self.turns = 0

    def select(self, timeout: float | None = None) -> Any:
        self.turns += 1
        assert timeout is not None, "everything waits, and for nothing"
        assert self.turns < TURNS_MAX, "it turns in circles"
        self.now_s += timeout
        return super().select(0)


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` begins at 0 and goes on by what is waited for."""

    def __init__(self) -> None:
        self._virtual = _Selector()
        super().__init__(self._virtual)

    def time(self) -> float:
        return self._virtual.now_s

    @property
    def turns(self) -> int:
        """How often it has looked for what to do."""
        return self._virtual.turns


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` on a clock of its own."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)

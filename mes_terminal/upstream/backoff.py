"""How long to leave somebody alone who did not answer: exponential, with full jitter (UP-4).

Pure state: time (monotonic seconds, so that a clock that is set changes nothing) and chance are
arguments. Used by the relay for a connector, and for a lane that alone makes calls fail.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

FIRST_S: Final = 0.5
"""The longest that the first pause takes; each further one may take twice as long."""
CAP_S: Final = 60.0
"""No pause of our own choice is longer: a server that is back is found within a minute."""
LEAST_S: Final = 0.1
"""No pause is shorter, however chance falls: a dead server is asked ten times a second at most."""
ASKED_MAX_S: Final = 3600.0
"""What a server asks for is granted up to an hour; more is a mistake of its configuration."""
_DOUBLINGS_MAX: Final = 16


class Backoff:
    """The pauses of one thing that may fail. `due_s`: not before this reading of the clock."""

    def __init__(self, chance: Callable[[], float]) -> None:
        """`chance` returns a number from 0 to below 1, like `random.random`."""
        self._chance = chance
        self._failures = 0
        self._failed_s: float | None = None
        self.due_s = 0.0

    @property
    def failures(self) -> int:
        """How often it failed since it last went well."""
        return self._failures

    def failed(
        self, now_s: float, *, asked_s: float | None = None, begun_s: float | None = None
    ) -> float:
        """Note a failure; return how long to wait from now.

        `begun_s` is when that was begun which failed: what was under way at the failure before
        fails with it, and says nothing new.

        `asked_s` is what the other side asks for (Retry-After): at least so long, and some chance
        more, so that a whole floor of stations does not come back in one moment.
        """
        if begun_s is not None and self._failed_s is not None and begun_s <= self._failed_s:
            return max(0.0, self.due_s - now_s)
        self._failed_s = now_s
        ceiling_s = min(CAP_S, FIRST_S * (1 << min(self._failures, _DOUBLINGS_MAX)))
        self._failures += 1
        wait_s = max(LEAST_S, self._chance() * ceiling_s)
        if asked_s is not None:
            wait_s += min(max(0.0, asked_s), ASKED_MAX_S)
        self.due_s = now_s + wait_s
        return wait_s

    def went_well(self) -> None:
        """Forget all failures."""
        self._failures, self._failed_s = 0, None
        self.due_s = 0.0

    def hurry(self) -> None:
        """Let the next try be made at once; what failed is not forgotten."""
        self.due_s = 0.0

"""How far apart what a terminal brings came, as far as that was seen.

Whoever reads it may be held up: by a busy machine, by a screen that is painted. What comes
meanwhile waits and is read late, and its pauses are lost. So time goes on here only while somebody
has looked and nothing was there: no pause of the reader tears a code, and nothing counts as silence
that nobody heard. After a long silence it is the time again. Pure: seconds of one monotonic clock.
Used by `terminal`.
"""

from typing import Final

LONG_S: Final = 1.0
"""A silence after which all that was read is decided: twice what the gate waits for the rest of a
code."""


class ReadingClock:
    """The time of what was read last, and of the silence after it."""

    def __init__(self, now_s: float) -> None:
        self._at_s = self._since_s = now_s
        self._silence_s = 0.0

    @property
    def at_s(self) -> float:
        """When what was read last came."""
        return self._at_s

    @property
    def quiet_s(self) -> float:
        """Until when nothing came after that."""
        return self._at_s + self._silence_s

    @property
    def is_long_quiet(self) -> bool:
        """Whether nothing came for so long that what was read is decided."""
        return self._silence_s > LONG_S

    def quiet_until(self, until_s: float) -> None:
        """Nothing came before `until_s`, for certain: somebody looked then."""
        self._silence_s = max(self._silence_s, until_s - self._since_s)
        if self.is_long_quiet:
            self._at_s = max(self._at_s, self._since_s)

    def read(self, now_s: float) -> None:
        """All that was there has just been read, at `now_s`."""
        self._at_s += self._silence_s
        self._since_s, self._silence_s = now_s, 0.0

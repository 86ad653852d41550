"""How long to wait for an answer before asking again: by how long answers take.

A request that a firewall or a dead access point swallowed is found within seconds; a receiver that
is slow is given its time. Pure state. Source: RFC 6298, with bounds for answers that a database
gives.
"""

from __future__ import annotations

from typing import Final

LEAST_S: Final = 5.0
"""A receiver that is well answers within a second; one that starts or vacuums takes a few."""
MOST_S: Final = 30.0
"""How long a batch may take at a receiver whose database is busy."""
_NEWEST: Final = 1 / 8
_NEWEST_SPREAD: Final = 1 / 4
_SPREADS: Final = 4


class Patience:
    """What is known of one receiver. `wait_s`: how many seconds to wait for the next answer."""

    def __init__(self) -> None:
        self.wait_s = LEAST_S
        self._mean_s: float | None = None
        self._spread_s = 0.0

    def answered(self, took_s: float) -> None:
        """Learn from an answer that came."""
        if self._mean_s is None:
            self._mean_s, self._spread_s = took_s, took_s / 2
        else:
            off_s = abs(took_s - self._mean_s)
            self._spread_s += _NEWEST_SPREAD * (off_s - self._spread_s)
            self._mean_s += _NEWEST * (took_s - self._mean_s)
        usual_s = max(2 * self._mean_s, self._mean_s + _SPREADS * self._spread_s)
        self.wait_s = min(MOST_S, max(LEAST_S, usual_s))

    def silent(self, waited_s: float) -> None:
        """Nothing came within `waited_s`: be twice as patient, once for all that waited so long."""
        self.wait_s = min(MOST_S, max(self.wait_s, 2 * waited_s))

"""Whether a scanner can be worked with: how long it has not been ready, and what it reads. Pure.

A scanner that comes back by itself is nobody's business; one that stays away, or reads nothing that
can be read, needs a person (the exception `scanner`).
"""

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from mes_terminal.domain.instants import seconds_between
from mes_terminal.domain.view import ScannerState

AWAY_MAX_S: Final = 60.0
"""So long a scanner may be away: a cable is plugged in again, a battery changed."""
UNREADABLE_MAX: Final = 10
"""Reads in a row of which none is a code: more than a torn label."""


class ScannerHealth(Struct, frozen=True):
    """A scanner as it is now."""

    state: ScannerState
    since: str
    """Of a scanner that is not ready: since when; of one that is: since its last code."""
    sentence: str = ""
    unreadable: int = 0
    """Reads since its last code that were none."""


class ScannerTrouble(Struct, frozen=True):
    """What is wrong with a scanner, and since when."""

    cause_code: str
    """`gone`, `denied`, `busy`, `fault`, `absent`, `opening`, or `unreadable`."""
    said: str
    since: str


def changed(
    health: ScannerHealth, state: ScannerState, sentence: str, *, now: str
) -> ScannerHealth:
    """Return the health after a change of state; it is away since it was last ready."""
    was_away = health.state != "ready"
    since = health.since if was_away and state != "ready" else now
    return ScannerHealth(state=state, since=since, sentence=sentence)


def read(health: ScannerHealth, *, is_code: bool, now: str) -> ScannerHealth:
    """Return the health after a read."""
    if is_code:
        return replace(health, since=now, unreadable=0) if health.state == "ready" else health
    return replace(health, unreadable=health.unreadable + 1)


def is_well(health: ScannerHealth) -> bool:
    """Tell whether it is ready and its last reads were not all unreadable."""
    return health.state == "ready" and health.unreadable < UNREADABLE_MAX


def trouble_of(health: ScannerHealth, *, now: str) -> ScannerTrouble | None:
    """Return what a person must see to; `None`: nothing, or not yet."""
    if is_well(health):
        return None
    if health.state == "ready":
        said = f"{health.unreadable} reads in a row were no codes"
        return ScannerTrouble("unreadable", said, health.since)
    if seconds_between(health.since, now) <= AWAY_MAX_S:
        return None
    return ScannerTrouble(health.state, health.sentence or f"it is {health.state}", health.since)

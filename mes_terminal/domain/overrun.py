"""How far a container may differ from its books (BF-17). Pure.

A container is filled by weight, by count of a machine or by the turn of a reel, so it holds a
little more or less than its label says. Within a percentage of that quantity the difference is a
gain or a loss of the lot; gains and losses of one container offset each other. Beyond it a person
must look.
"""

from msgspec import Struct

from mes_terminal.domain.order import PERCENT_MICRO
from mes_terminal.domain.quantity import floor_to_step


class Filling(Struct, frozen=True):
    """What a mounted container was said to hold, and what it has gained over that."""

    base_micro: int
    """Its label's quantity, else what the books had when it was mounted; 0: nothing is known."""
    gained_micro: int
    """Gains less losses booked so far."""
    pct_micro: int
    """`lot_overrun_pct` of the item, else the station, in micro-percent."""
    step_micro: int

    @property
    def tolerance_micro(self) -> int:
        """How far gains less losses may lie from zero."""
        return floor_to_step(self.base_micro * self.pct_micro, PERCENT_MICRO, self.step_micro)


class Given(Struct, frozen=True):
    """What a container gives of what is needed of it."""

    booked_micro: int
    """Out of its book quantity."""
    gain_micro: int
    """Beyond that, within the tolerance: a gain of the lot."""
    missing_micro: int
    """Neither: another source, or nobody, has it."""


def allowance_micro(filling: Filling) -> int:
    """Return how much more than its books the container may still give."""
    return max(0, filling.tolerance_micro - filling.gained_micro)


def give(filling: Filling, book_micro: int, needed_micro: int) -> Given:
    """Return how the container covers what is needed: books first, then gain."""
    booked = max(0, min(book_micro, needed_micro))
    gain = min(allowance_micro(filling), needed_micro - booked)
    gain = floor_to_step(gain, 1, filling.step_micro)
    return Given(booked, gain, needed_micro - booked - gain)


def is_within(filling: Filling, difference_micro: int) -> bool:
    """Tell whether a difference found (above zero: a gain) may be booked without a person."""
    return abs(filling.gained_micro + difference_micro) <= filling.tolerance_micro

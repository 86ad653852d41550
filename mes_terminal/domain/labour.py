"""Labour and overhead at standard: the minutes that a report adds to an operation (BF-11, BF-38).

Times are kept as the material is (BF-4): what all units so far should have taken, less what was
told before. So the sum of what reports and reversals say depends on where an operation stands and
on nothing else; a reversal of a part gives back its difference. Pure.
"""

from typing import Protocol

from msgspec import Struct


class Times(Protocol):
    """The standard times of an operation, in millionths of a minute."""

    @property
    def setup_minutes_micro(self) -> int:
        """Set-up, once for the order."""

    @property
    def run_minutes_micro(self) -> int:
        """Run time for `run_basis_micro` units."""

    @property
    def run_basis_micro(self) -> int:
        """How many units `run_minutes_micro` makes."""


class Labour(Struct, frozen=True):
    """Minutes in millionths; below zero where they are given back."""

    setup_micro: int
    run_micro: int


def labour_of(times: Times, before_micro: int, after_micro: int) -> Labour:
    """Return what an operation takes when the units it has worked on, good and scrapped, go from
    `before_micro` to `after_micro`: more with a report, fewer with a reversal.

    Set-up comes with the first unit, and goes when no unit stands any more. What was made before
    go-live counts as worked on: its set-up was not this station's.
    """
    setups = bool(after_micro) - bool(before_micro)
    return Labour(
        times.setup_minutes_micro * setups,
        run_so_far_micro(times, after_micro) - run_so_far_micro(times, before_micro),
    )


def run_so_far_micro(times: Times, units_micro: int) -> int:
    """Return the run time of the first `units_micro` units; half a millionth rounds up."""
    return (2 * times.run_minutes_micro * units_micro + times.run_basis_micro) // (
        2 * times.run_basis_micro
    )

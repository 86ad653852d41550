"""Sets of sequence numbers that have few gaps, kept as ranges. Pure."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator

Range = tuple[int, int]
"""First and last, both in it."""


class Sequences:
    """Numbers that were seen; a number more or asked for takes a search among the ranges."""

    def __init__(self, ranges: Iterable[Range] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for first, last in sorted(ranges):
            if self._ends and first <= self._ends[-1] + 1:
                self._ends[-1] = max(self._ends[-1], last)
            else:
                self._starts.append(first)
                self._ends.append(last)

    def __contains__(self, number: int) -> bool:
        place = bisect_right(self._starts, number) - 1
        return place >= 0 and number <= self._ends[place]

    def __iter__(self) -> Iterator[Range]:
        return zip(self._starts, self._ends, strict=True)

    def add(self, number: int) -> None:
        """Take a number in; one that is there changes nothing."""
        place = bisect_right(self._starts, number) - 1
        if place >= 0 and number <= self._ends[place]:
            return
        joins_before = place >= 0 and self._ends[place] == number - 1
        after = place + 1
        joins_after = after < len(self._starts) and self._starts[after] == number + 1
        if joins_before and joins_after:
            self._ends[place] = self._ends.pop(after)
            del self._starts[after]
        elif joins_before:
            self._ends[place] = number
        elif joins_after:
            self._starts[after] = number
        else:
            self._starts.insert(after, number)
            self._ends.insert(after, number)

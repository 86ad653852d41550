"""What the reader of a terminal says of time, whenever a busy machine holds it up."""

from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mes_terminal.tui import terminal
from mes_terminal.tui.reading_clock import LONG_S, ReadingClock

PAUSES_S = st.sampled_from([0.0, 0.001, 0.03, 0.06, 0.2, 0.7, 1.5, 4.0])
HELD_UP_S = st.lists(st.sampled_from([0.0, 0.0, 0.0001, 0.04, 0.6, 2.0]), min_size=1, max_size=40)


class Machine:
    """A clock, bytes that come at their times, and a reader that is held up before each look."""

    def __init__(self, arrivals_s: list[float], held_up_s: list[float]) -> None:
        self.now_s = 0.0
        self._arrivals_s = arrivals_s
        self._held_up_s = held_up_s
        self._turn = 0

    def monotonic(self) -> float:
        self._turn += 1
        self.now_s += self._held_up_s[self._turn % len(self._held_up_s)]
        return self.now_s

    def select(self, wait_s: float) -> bool:
        """Wait for a byte, as the kernel does; come back late."""
        came_s = next(iter(self._arrivals_s), float("inf"))
        self.now_s = max(self.now_s, min(came_s, self.now_s + wait_s))
        self.monotonic()
        return came_s <= self.now_s

    def read(self) -> list[float]:
        """Take what is there; return when each byte came."""
        found = [each for each in self._arrivals_s if each <= self.now_s]
        del self._arrivals_s[: len(found)]
        return found


def play(
    arrivals_s: list[float], held_up_s: list[float], patch: pytest.MonkeyPatch
) -> list[tuple[str, float, list[float]]]:
    """Let the reader read until nothing comes for long: what it read, and silences it told."""
    machine = Machine(list(arrivals_s), held_up_s)
    patch.setattr(terminal, "time", SimpleNamespace(monotonic=machine.monotonic))
    clock = ReadingClock(0.0)
    told: list[tuple[str, float, list[float]]] = []
    selector: Any = machine
    while machine.now_s < arrivals_s[-1] + 30:
        if terminal._something(selector, clock):
            found = machine.read()
            clock.read(machine.monotonic())
            told.append(("read", clock.at_s, found))
        else:
            told.append(("quiet", clock.quiet_s, []))
    return told


def times_of(pauses_s: list[float]) -> list[float]:
    """Return when each byte comes, that many seconds after the one before."""
    at_s, found = 0.0, []
    for pause_s in pauses_s:
        at_s += pause_s
        found.append(at_s)
    return found


@given(pauses_s=st.lists(PAUSES_S, min_size=1, max_size=20), held_up_s=HELD_UP_S)
def test_no_pause_is_longer_than_it_was(pauses_s: list[float], held_up_s: list[float]) -> None:
    """However long the reader is held up, and wherever; but for the wait in which a byte came."""
    with pytest.MonkeyPatch.context() as patch:
        told = play(times_of(pauses_s), held_up_s, patch)
    last_at_s, last_came_s = 0.0, 0.0
    for number, (what, at_s, came_s) in enumerate(told):
        rest = [each for _, _, later in told[number:] for each in later]
        true_s = (rest[0] if rest else float("inf")) - last_came_s
        said_s = at_s - last_at_s
        assert said_s <= true_s + terminal.POLL_S + 1e-6 or true_s >= LONG_S, (number, told)
        if what == "read":
            last_at_s, last_came_s = at_s, came_s[-1]


@given(pauses_s=st.lists(PAUSES_S, min_size=1, max_size=20))
def test_a_reader_that_is_not_held_up_tells_the_time(pauses_s: list[float]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        told = play(times_of(pauses_s), [0.0], patch)
    for what, at_s, came_s in told:
        if what == "read":
            assert at_s == pytest.approx(came_s[0])
    (_, quiet_s, _) = told[-1]
    assert quiet_s >= times_of(pauses_s)[-1] + 29

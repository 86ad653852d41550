"""The process that reads a keyboard wedge, on a pipe that stands for the device."""

import errno
import os
import select
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest

from hardware.drivers.event_device import EVENT, KeyEvent, ReadingProcess, Silence

WAIT_S = 10.0


@dataclass
class Wired:
    """A reading process and the far end of what it reads."""

    process: ReadingProcess
    keys: int

    def next(self) -> list[KeyEvent | Silence]:
        """What it passes on next."""
        assert select.select([self.process], [], [], WAIT_S)[0], "nothing comes"
        return list(self.process.read())


@pytest.fixture
def wired() -> Iterator[Wired]:
    source, keys = os.pipe()
    os.set_blocking(source, False)
    made = Wired(ReadingProcess(source), keys)
    os.close(source)
    yield made
    with suppress(OSError):  # closed by the test
        made.process.close()
    if made.keys >= 0:
        os.close(made.keys)


def event(code: int, second: int = 12) -> bytes:
    return EVENT.pack(second, 500_000, 1, code, 1)


def ended(process: ReadingProcess) -> OSError:
    assert select.select([process], [], [], WAIT_S)[0], "it goes on"
    with pytest.raises(OSError) as caught:
        list(process.read())
    return caught.value


def test_events_arrive_as_the_kernel_wrote_them_with_the_moment_of_their_reading(
    wired: Wired,
) -> None:
    os.write(wired.keys, event(30) + event(48))
    first, second = wired.next()
    assert isinstance(first, KeyEvent)
    assert isinstance(second, KeyEvent)
    assert (first.at_s, first.kind, first.code, first.value) == (12.5, 1, 30, 1)
    assert second.code == 48
    assert first.read_at_s == second.read_at_s


def test_a_question_is_answered_after_everything_that_came_before_it(wired: Wired) -> None:
    """Else silence could be taken for true while a key is on its way."""
    for code in range(2, 52):
        os.write(wired.keys, event(code))
    wired.process.ask_silence()
    told: list[KeyEvent | Silence] = []
    while not told or isinstance(told[-1], KeyEvent):
        told += wired.next()
    assert [one.code for one in told[:-1] if isinstance(one, KeyEvent)] == list(range(2, 52))


def test_far_more_waits_for_a_busy_station_than_the_kernel_keeps(wired: Wired) -> None:
    for code in range(5000):
        os.write(wired.keys, event(code))
    codes: list[int] = []
    while len(codes) < 5000:
        codes += [one.code for one in wired.next() if isinstance(one, KeyEvent)]
    assert codes == list(range(5000))


def test_the_end_of_the_device_is_told_as_the_kernel_tells_it(wired: Wired) -> None:
    os.write(wired.keys, event(30))
    assert len(wired.next()) == 1
    os.close(wired.keys)
    wired.keys = -1
    assert ended(wired.process).errno == errno.ENODEV


def test_a_process_that_was_killed_is_another_error_than_a_device_that_is_gone(
    wired: Wired,
) -> None:
    os.kill(wired.process.pid, signal.SIGKILL)
    assert ended(wired.process).errno == errno.EIO


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_tells_the_station_to_end_does_not_end_its_reader(
    wired: Wired, number: signal.Signals
) -> None:
    """The scan at hand is finished first."""
    os.kill(wired.process.pid, number)
    os.write(wired.keys, event(30))
    assert len(wired.next()) == 1


def test_a_closed_process_has_ended(wired: Wired) -> None:
    number = os.pidfd_open(wired.process.pid)
    assert not select.select([number], [], [], 0)[0]
    wired.process.close()
    assert select.select([number], [], [], 0)[0]
    os.close(number)

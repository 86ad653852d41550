"""Scanners read raw for the set-up test: what leaves them arrives whole, whatever is set."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hardware.drivers.simulated import PtyLine
from hardware.drivers.simulated_keyboard import SimulatedKeyboard
from hardware.drivers.tapped_wedge import TappedWedge
from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.raw_reads import RAW, RawReads, raw_scanner
from hardware.scanner import Feedback, FoundScanner, Scanner, ScannerConfig
from hardware.sheet import SHEET, LineSettings, Pressed, Sent
from hardware.sheet_check import check_sheet, recognise
from tests.wedge_scanner import Wedge, press

WAIT_S = 10.0


@pytest.fixture
def keyboard() -> SimulatedKeyboard:
    return SimulatedKeyboard()


@pytest.fixture
def wedge(keyboard: SimulatedKeyboard) -> Iterator[RawReads]:
    config = ScannerConfig(name="hand", driver="evdev_wedge", usb_serial="SIM0001", framing=RAW)
    scanner = TappedWedge(config, devices=keyboard.devices, open_device=keyboard.open)
    reads = RawReads(scanner)
    reads.open()
    yield reads
    reads.close()


@pytest.fixture
def line(tmp_path: Path) -> Iterator[PtyLine]:
    made = PtyLine(tmp_path / "scanner")
    yield made
    made.close()


@pytest.fixture
def serial(line: PtyLine) -> Iterator[RawReads]:
    config = ScannerConfig(name="st10", driver="serial_port", port=str(line.port))
    reads = RawReads(raw_scanner(config))
    reads.open()
    yield reads
    reads.close()


@pytest.mark.parametrize("data", [b"NOREAD\r", b"\x02A\x03", b"A\r\tB\t", b"\xc1\xd2\x8d", b"A"])
def test_a_serial_read_arrives_with_all_that_is_around_it(
    serial: RawReads, line: PtyLine, data: bytes
) -> None:
    line.send(data)
    assert serial.next(WAIT_S) == Sent(data)
    assert serial.next(0.0) is None


def test_the_same_code_twice_is_two_reads(serial: RawReads, line: PtyLine) -> None:
    for _ in range(2):
        line.send(b"A\r")
        assert serial.next(WAIT_S) == Sent(b"A\r")


class Played(Scanner):
    """A scanner that gives what it was told to, then is gone."""

    def __init__(self, *frames: ScanFrame) -> None:
        super().__init__(ScannerConfig(name="played", driver="simulated"))
        self.frames = list(frames)

    def open(self) -> None: ...

    def read(self, timeout_s: float) -> ScanFrame | None:
        if not self.frames:
            raise ScannerError.of("played", "gone")
        return self.frames.pop(0)

    def feedback(self, kind: Feedback) -> None: ...

    def close(self) -> None: ...

    @classmethod
    def discover(cls) -> tuple[FoundScanner, ...]:
        return ()


def test_a_lost_cable_gives_what_came_and_then_the_reason() -> None:
    reads = RawReads(Played(ScanFrame(raw=b"A", device="played", at_s=0.0, ended_by="suffix")))
    assert reads.next(WAIT_S) == Sent(b"A\r")
    with pytest.raises(ScannerError, match="unplugged"):
        reads.next(WAIT_S)


def type_keys(keyboard: SimulatedKeyboard, keys: tuple[tuple[int, int], ...]) -> threading.Thread:
    """Press keys as fast as they are read, as a scanner does."""

    def press_all() -> None:
        until_s = time.monotonic() + WAIT_S
        for key in keys:
            while keyboard.unread() > 40 and time.monotonic() < until_s:
                time.sleep(0.0005)
            keyboard.press(key)

    thread = threading.Thread(target=press_all)
    thread.start()
    return thread


def test_the_keys_of_a_wedge_arrive_as_they_were_pressed(
    wedge: RawReads, keyboard: SimulatedKeyboard
) -> None:
    keys = (*press(42, 30), *press(66), *press(28), *press(58))
    keyboard.press(*keys)
    assert wedge.next(WAIT_S) == Pressed(keys)
    keyboard.press(*press(30))
    assert wedge.next(WAIT_S) == Pressed(press(30))
    assert wedge.next(0.0) is None


def test_lost_keys_are_said_and_never_judged(wedge: RawReads, keyboard: SimulatedKeyboard) -> None:
    """SYN_DROPPED: a read that is not whole says nothing about the scanner."""
    keyboard.press(*press(30) * 100, *press(28))
    with pytest.raises(ScannerError, match="lost"):
        wedge.next(WAIT_S)


def test_a_wedge_is_tested_from_its_keys_to_its_lines(
    wedge: RawReads, keyboard: SimulatedKeyboard
) -> None:
    """A French wedge that presses F8 for GS, while the settings know nothing of it."""
    french = Wedge(layout="fr", gs="F8")
    arrived = {}
    for code in SHEET:
        typing = type_keys(keyboard, french.read(code).keys)
        read = wedge.next(WAIT_S)
        typing.join(WAIT_S)
        assert read is not None
        number = recognise(read, LineSettings())
        assert number == code.number
        arrived[number] = read
    check = check_sheet(arrived, LineSettings())
    assert check.lines("hand") == (
        "[scanner.hand]", 'layout = "fr"', 'key_map = { F8 = "1d" }',
    )  # fmt: skip

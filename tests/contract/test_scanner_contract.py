"""What every scanner driver does alike; each test runs on each driver.

The simulated scanner runs in process, and over a real pseudo-terminal read by the serial driver;
the keyboard-wedge driver reads a simulated keyboard that has the limits of the kernel. In the
virtual machine (`make test-hil`) both drivers also read a USB scanner of a real kernel.
"""

import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from hardware.drivers.evdev_wedge import EvdevWedgeScanner
from hardware.drivers.event_device import EV_KEY, KeyEvent
from hardware.drivers.serial_port import SerialPortScanner
from hardware.drivers.simulated import InProcessLine, Line, PtyLine, SimulatedScanner
from hardware.drivers.simulated_keyboard import (
    STROKES,
    KeyboardLine,
    OpenKeyboard,
    SimulatedKeyboard,
)
from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.framing import FramingRules
from hardware.keymap import KeyRules
from hardware.player import perform
from hardware.reconnect import ScannerState, StateChange, Supervisor
from hardware.registry import DRIVERS, driver_class, make_scanner
from hardware.scanner import Scanner, ScannerConfig
from hardware.script import actions, parse
from hardware.usb_tree import Device
from tests.hil.gadget import UsbKeyboardLine, UsbScanner, UsbSerialLine
from tests.hil.kernel import IN_MACHINE, NO_MACHINE

WAIT_S: Final = 60.0 if IN_MACHINE else 10.0
"""The longest wait for something that must come; only a failing test waits so long."""

RULES: Final = FramingRules(settle_ms=0, incomplete_ms=150, duplicate_ms=0)
USB_RULES: Final = replace(RULES, incomplete_ms=1500, max_len=300)
"""A USB keyboard types some 150 characters a second, and the machine itself stops now and then."""

IN_PROCESS: Final = ("in process", "pseudo-terminal", "keyboard wedge")
USB: Final = ("USB keyboard", "USB serial")
REAL: Final = (pytest.mark.hil, pytest.mark.skipif(not IN_MACHINE, reason=NO_MACHINE))
LEVELS: Final = (*IN_PROCESS, *(pytest.param(level, marks=REAL) for level in USB))


@dataclass
class Bench:
    """A scanner and the far end of its cable."""

    scanner: Scanner
    line: Line

    @property
    def types(self) -> bool:
        """Whether what it sends are keys."""
        return isinstance(self.line, KeyboardLine | UsbKeyboardLine)

    def next_frame(self) -> ScanFrame:
        frame = self.scanner.read(WAIT_S)
        assert frame is not None
        return frame


@pytest.fixture(scope="module")
def usb_scanners() -> Iterator[dict[str, UsbScanner]]:
    """Both of them, in a socket each; made when the first test wants one."""
    made: dict[str, UsbScanner] = {}
    yield made
    for one in made.values():
        one.close()


@pytest.fixture(params=LEVELS)
def bench(
    request: pytest.FixtureRequest, tmp_path: Path, usb_scanners: dict[str, UsbScanner]
) -> Iterator[Bench]:
    if request.param in USB:
        made = make_usb_bench(request.param, usb_scanners)
    else:
        made = make_bench(request.param, tmp_path, RULES)
    yield made
    made.scanner.close()
    made.line.close()


def make_bench(level: str, folder: Path, rules: FramingRules) -> Bench:
    if level == "keyboard wedge":
        return make_wedge_bench(rules)
    port = folder / "scanner"
    line: Line = InProcessLine() if level == "in process" else PtyLine(port)
    config = ScannerConfig(
        name="st10",
        driver="simulated",
        port=None if level == "in process" else str(port),
        good=b"\x07",
        bad=b"\x15",
        framing=rules,
    )
    if isinstance(line, InProcessLine):
        return Bench(SimulatedScanner(config, line), line)
    scanner = make_scanner(config)
    assert isinstance(scanner, SerialPortScanner)
    return Bench(scanner, line)


def make_usb_bench(level: str, there: dict[str, UsbScanner]) -> Bench:
    types = level == "USB keyboard"
    if level not in there:
        there[level] = UsbScanner(
            socket=USB.index(level), serial=f"HIL{types:d}", keyboard=types, port=not types
        )
    device = there[level]
    device.plug()
    config = ScannerConfig(
        name="st10",
        driver="evdev_wedge" if types else "serial_port",
        usb_id=device.usb_id,
        usb_serial=device.serial,
        good=b"\x07",
        bad=b"\x15",
        framing=USB_RULES,
    )
    line: Line = UsbKeyboardLine(device) if types else UsbSerialLine(device)
    return Bench(make_scanner(config), line)


def make_wedge_bench(rules: FramingRules, keyboard: SimulatedKeyboard | None = None) -> Bench:
    line = KeyboardLine(keyboard)
    config = ScannerConfig(
        name="st10", driver="evdev_wedge", usb_id=line.keyboard.device.usb_id, framing=rules
    )
    found = line.keyboard
    scanner = EvdevWedgeScanner(config, devices=found.devices, open_device=found.open)
    return Bench(scanner, line)


def failure(scanner: Scanner) -> ScannerError:
    """The error of the next read, which must come."""
    with pytest.raises(ScannerError) as caught:
        scanner.read(WAIT_S)
    return caught.value


def test_a_code_is_one_frame_with_its_bytes_and_the_scanners_name(bench: Bench) -> None:
    bench.scanner.open()
    bench.line.send(b"WO-1001\r")
    frame = bench.next_frame()
    assert (frame.raw, frame.kind, frame.device) == (b"WO-1001", "code", "st10")


def test_several_codes_of_one_send_come_in_order(bench: Bench) -> None:
    bench.scanner.open()
    bench.line.send(b"".join(b"U-%d\r\n" % number for number in range(100)))
    codes = [bench.next_frame().raw for _ in range(100)]
    assert codes == [b"U-%d" % number for number in range(100)]


def test_every_byte_value_passes_the_line_unchanged(bench: Bench) -> None:
    bench.scanner.open()
    everything = bytes(value for value in range(256) if value not in b"\r\n\0")
    if bench.types:
        everything = bytes(value for value in everything if value in STROKES)
        assert len(everything) == 95 + 29, "printable ASCII, and the controls but NUL, CR and LF"
    bench.line.send(everything + b"\r")
    assert bench.next_frame().raw == everything


def test_nothing_to_read_is_none_within_the_time(bench: Bench) -> None:
    bench.scanner.open()
    assert bench.scanner.read(0.0) is None


def test_a_code_that_comes_in_halves_is_one_frame(bench: Bench) -> None:
    bench.scanner.open()
    bench.line.send(b"WO-")
    assert bench.scanner.read(0.0) is None
    bench.line.send(b"1001\r")
    assert bench.next_frame().raw == b"WO-1001"


def test_a_code_without_end_is_incomplete(bench: Bench) -> None:
    bench.scanner.open()
    bench.line.send(b"WO-1001")
    frame = bench.next_frame()
    assert (frame.kind, frame.raw) == ("incomplete", b"WO-1001")


def test_a_code_that_is_too_long_is_refused_and_the_next_one_read(bench: Bench) -> None:
    bench.scanner.open()
    flood = b"x" * (5 * bench.scanner.config.framing.max_len)
    feeder = threading.Thread(target=bench.line.send, args=(flood + b"\rWO-1\r",))
    feeder.start()
    frame = bench.next_frame()
    assert (frame.kind, frame.reason) == ("reject", "too_long")
    assert bench.next_frame().raw == b"WO-1"
    feeder.join(WAIT_S)


def test_unplugging_gives_what_was_read_then_gone(bench: Bench) -> None:
    bench.scanner.open()
    bench.line.send(b"WO-1\rWO-2")
    reader_saw: list[ScanFrame] = [bench.next_frame()]
    puller = threading.Thread(target=bench.line.unplug)
    puller.start()
    reader_saw.append(bench.next_frame())
    assert [(frame.kind, frame.raw) for frame in reader_saw] == [
        ("code", b"WO-1"),
        ("incomplete", b"WO-2"),
    ]
    gone = failure(bench.scanner)
    assert (gone.reason, gone.sentence) == ("gone", "Scanner st10: unplugged. Check the cable.")
    puller.join(WAIT_S)


def test_a_scanner_that_is_not_plugged_in_is_absent(bench: Bench) -> None:
    bench.line.unplug()
    with pytest.raises(ScannerError, match="st10: not found") as caught:
        bench.scanner.open()
    assert caught.value.reason == "absent"


def test_a_scanner_plugged_in_again_reads_again(bench: Bench) -> None:
    bench.scanner.open()
    bench.line.unplug()
    assert failure(bench.scanner).reason == "gone"
    bench.scanner.close()
    bench.line.plug()
    bench.scanner.open()
    bench.line.send(b"WO-2\r")
    assert bench.next_frame().raw == b"WO-2"


def test_closing_from_another_thread_ends_a_read_that_waits(bench: Bench) -> None:
    bench.scanner.open()
    closer = threading.Timer(0.05, bench.scanner.close)
    closer.start()
    began_s = time.monotonic()
    assert failure(bench.scanner).reason == "closed"
    assert time.monotonic() - began_s < WAIT_S / 2
    closer.join(WAIT_S)


def test_closing_twice_is_closing_once_and_reading_then_says_closed(bench: Bench) -> None:
    bench.scanner.open()
    bench.scanner.close()
    bench.scanner.close()
    assert failure(bench.scanner).reason == "closed"


def test_a_scanner_never_opened_is_closed(bench: Bench) -> None:
    assert failure(bench.scanner).reason == "closed"


def test_feedback_reaches_a_scanner_that_can_hear(bench: Bench) -> None:
    bench.scanner.open()
    if bench.types:
        bench.scanner.feedback("good")
        return
    bench.scanner.feedback("good")
    bench.scanner.feedback("bad")
    until_s = time.monotonic() + WAIT_S
    while len(bench.line.heard()) < 2 and time.monotonic() < until_s:
        bench.scanner.read(0.0)
    assert bench.line.heard() == b"\x07\x15"


def test_feedback_to_a_scanner_that_is_gone_fails_silently(bench: Bench) -> None:
    bench.scanner.feedback("good")
    bench.scanner.open()
    bench.line.unplug()
    failure(bench.scanner)
    bench.scanner.feedback("good")


def test_a_supervisor_reads_on_after_the_cable_was_out(bench: Bench) -> None:
    changes: list[StateChange] = []
    codes: list[bytes] = []
    changed = threading.Condition()

    def note(change: StateChange) -> None:
        with changed:
            changes.append(change)
            changed.notify_all()

    def take(frame: ScanFrame) -> None:
        with changed:
            codes.append(frame.raw)
            changed.notify_all()

    def states() -> list[ScannerState]:
        return [change.state for change in changes]

    supervisor = Supervisor(bench.scanner, take, note)
    supervisor.start()
    with changed:
        assert changed.wait_for(lambda: ScannerState.READY in states(), WAIT_S)
    bench.line.send(b"WO-1\r")
    with changed:
        assert changed.wait_for(lambda: b"WO-1" in codes, WAIT_S)
    bench.line.unplug()
    with changed:
        assert changed.wait_for(lambda: ScannerState.ABSENT in states(), WAIT_S)
    bench.line.plug()
    with changed:
        assert changed.wait_for(lambda: states().count(ScannerState.READY) == 2, WAIT_S)
    bench.line.send(b"WO-2\r")
    with changed:
        assert changed.wait_for(lambda: b"WO-2" in codes, WAIT_S)
    supervisor.stop()
    assert codes == [b"WO-1", b"WO-2"]
    assert states() == [
        ScannerState.OPENING,
        ScannerState.READY,
        ScannerState.GONE,
        ScannerState.OPENING,
        ScannerState.ABSENT,
        ScannerState.READY,
    ]
    assert changes[2].sentence == "Scanner st10: unplugged. Check the cable."


def test_a_script_performed_on_the_cable_arrives(bench: Bench) -> None:
    bench.scanner.open()
    script = parse("scan WO-1\nburst 3 U-{n:6}\ngarble WO-2\n", "x.scan")
    player = threading.Thread(
        target=perform, args=(actions(script.steps, RULES), bench.line), kwargs={"speed": 100.0}
    )
    player.start()
    codes = [bench.next_frame().raw for _ in range(5)]
    player.join(WAIT_S)
    assert codes == [b"WO-1", b"U-000001", b"U-000002", b"U-000003", b"WO\x1a2"]


def test_two_scanners_on_one_port_are_refused(tmp_path: Path) -> None:
    first = make_bench("pseudo-terminal", tmp_path, RULES)
    second = SerialPortScanner(first.scanner.config)
    first.scanner.open()
    with pytest.raises(ScannerError) as caught:
        second.open()
    assert caught.value.reason == "busy"
    first.scanner.close()
    second.open()
    second.close()
    first.line.close()


def test_a_wedge_that_another_program_has_is_busy() -> None:
    first = make_wedge_bench(RULES)
    assert isinstance(first.line, KeyboardLine)
    second = make_wedge_bench(RULES, first.line.keyboard)
    first.scanner.open()
    with pytest.raises(ScannerError, match="in use") as caught:
        second.scanner.open()
    assert caught.value.reason == "busy"
    first.scanner.close()
    second.scanner.open()
    second.scanner.close()
    first.line.close()
    second.line.close()


def test_a_key_map_with_an_unknown_key_is_told() -> None:
    config = ScannerConfig(
        name="st10", driver="evdev_wedge", usb_id="1eab:0001", keys=KeyRules(key_map={"F99": b"x"})
    )
    with pytest.raises(ScannerError, match="'F99' is no key") as caught:
        EvdevWedgeScanner(config)
    assert caught.value.reason == "config"


def test_a_device_without_rights_is_denied_and_not_absent() -> None:
    bench = make_wedge_bench(RULES)
    assert isinstance(bench.line, KeyboardLine)
    bench.line.keyboard.permitted = False
    with pytest.raises(ScannerError) as caught:
        bench.scanner.open()
    assert caught.value.reason == "denied"
    bench.line.close()


def test_a_code_in_which_the_kernel_lost_events_is_told_and_not_delivered() -> None:
    """SYN_DROPPED: the reader slept while more was typed than the kernel keeps."""
    bench = make_wedge_bench(RULES)
    assert isinstance(bench.line, KeyboardLine)
    bench.scanner.open()
    for byte in b"WO-1001-AND-A-LONG-TAIL-THAT-OVERFLOWS\r":
        bench.line.keyboard.press(*STROKES[byte])
    lost = bench.next_frame()
    assert (lost.kind, lost.reason) == ("reject", "overrun")
    bench.line.send(b"WO-2\r")
    assert bench.next_frame().raw == b"WO-2"
    bench.scanner.close()
    bench.line.close()


def test_a_key_that_is_still_on_its_way_when_the_silence_seems_over_belongs_to_its_code(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A late read neither merges nor splits codes: the times are the kernel's."""
    on_its_way: list[KeyEvent] = []

    class Late(OpenKeyboard):
        def ask_silence(self) -> None:
            for event in on_its_way:
                self.put(event)
            on_its_way.clear()
            super().ask_silence()

    monkeypatch.setattr("hardware.drivers.simulated_keyboard.OpenKeyboard", Late)
    bench = make_wedge_bench(replace(RULES, suffix=b"", idle_ms=100))
    assert isinstance(bench.line, KeyboardLine)
    bench.scanner.open()
    on_its_way.append(KeyEvent(time.monotonic() + 0.05, EV_KEY, 48, 1))
    bench.line.keyboard.press((30, 1), (30, 0))
    assert bench.next_frame().raw == b"ab"
    bench.scanner.close()
    bench.line.close()


def test_two_wedges_of_one_model_are_told_apart_by_their_socket() -> None:
    left, right = SimulatedKeyboard(), SimulatedKeyboard("/dev/input/event8", "1-2")

    def both() -> tuple[Device, ...]:
        return (*left.devices(), *right.devices())

    config = ScannerConfig(name="st10", driver="evdev_wedge", usb_id="1eab:0001", framing=RULES)
    with pytest.raises(ScannerError, match=r"1-1 and 1-2 look alike.*usb_path") as caught:
        EvdevWedgeScanner(config, devices=both, open_device=left.open).open()
    assert caught.value.reason == "config"
    config = replace(config, usb_path="1-2")
    scanner = EvdevWedgeScanner(config, devices=both, open_device=right.open)
    scanner.open()
    lines = KeyboardLine(left), KeyboardLine(right)
    lines[0].send(b"LEFT\r")
    lines[1].send(b"RIGHT\r")
    frame = scanner.read(WAIT_S)
    assert frame is not None
    assert frame.raw == b"RIGHT"
    scanner.close()
    for line in lines:
        line.close()


def test_the_typist_of_a_simulated_keyboard_ends_with_its_cable() -> None:
    """Its thread stayed for ever."""
    line = KeyboardLine()
    typists = [one for one in threading.enumerate() if one.name == "typist"]
    line.close()
    line.close()
    assert sum(one.is_alive() for one in typists) == len(typists) - 1


def test_a_serial_scanner_without_port_says_which_setting_it_lacks() -> None:
    scanner = SerialPortScanner(ScannerConfig(name="st10", driver="serial_port"))
    with pytest.raises(ScannerError, match=r"Set scanner\.st10\.port") as caught:
        scanner.open()
    assert caught.value.reason == "config"


@pytest.mark.parametrize("name", DRIVERS)
def test_every_registered_driver_is_a_scanner_that_can_look_around(name: str) -> None:
    found = driver_class(name).discover()
    assert all(one.driver == name for one in found)


def test_an_unknown_driver_is_told_with_the_known_ones() -> None:
    with pytest.raises(ScannerError, match=r"'keyboard'.*evdev_wedge, serial_port, simulated"):
        make_scanner(ScannerConfig(name="st10", driver="keyboard"))


def test_the_registry_imports_only_the_driver_that_is_used() -> None:
    program = (
        "import sys; from hardware.registry import driver_class; driver_class('simulated'); "
        "sys.exit('serial' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0

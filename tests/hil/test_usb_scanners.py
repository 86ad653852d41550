"""What only a real kernel shows: USB scanners as they are plugged, read, refused and lost."""

import fcntl
import grp
import json
import os
import random
import select
import signal
import string
import subprocess
import sys
import termios
import threading
import time
import tty
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import takewhile
from pathlib import Path
from typing import Any, Final

import pytest

from hardware.drivers.simulated_keyboard import STROKES
from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.framing import FramingRules
from hardware.keymap import KeyRules, LayoutName
from hardware.reconnect import ScannerState, StateChange, Supervisor
from hardware.registry import make_scanner
from hardware.scanner import Scanner, ScannerConfig
from tests.hil.gadget import Key, UnpluggedError, UsbScanner
from tests.hil.kernel import IN_MACHINE, NO_MACHINE, ROOT, WAIT_S, UdevTold
from tests.wedge_scanner import Wedge

pytestmark = [pytest.mark.hil, pytest.mark.skipif(not IN_MACHINE, reason=NO_MACHINE)]

RULES: Final = FramingRules(settle_ms=0, incomplete_ms=1500, duplicate_ms=0)
CODES_PER_LAYOUT: Final = 8
CODE_LENGTH_MAX: Final = 40
ROUNDS_MAX: Final = 3
EVIOCGRAB: Final = 0x40044590
NOBODY: Final = 65534
LAYOUTS: Final[tuple[LayoutName, ...]] = ("us", "gb", "de", "fr", "be")

TRY_TO_OPEN: Final = """
import sys
from hardware.errors import ScannerError
from hardware.registry import make_scanner
from hardware.scanner import ScannerConfig
opened = []
for driver in sys.argv[2:]:
    opened.append(make_scanner(ScannerConfig(name="st10", driver=driver, usb_id=sys.argv[1])))
    try:
        opened[-1].open()
        print("ready", flush=True)
    except ScannerError as error:
        print(error.reason, error.sentence, flush=True)
print("", flush=True)
sys.stdin.readline()
for scanner in opened:
    scanner.close()
"""
"""What comes of opening a device with each of some drivers: a line each, then an empty one."""
HOLD: Final = """
import fcntl, os, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDWR), 0x40044590, 1)
print("held\\n", flush=True)
sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def composite() -> Iterator[UsbScanner]:
    """A keyboard and a serial port in one device."""
    made = UsbScanner(port=True)
    yield made
    made.close()


@pytest.fixture
def both(composite: UsbScanner) -> UsbScanner:
    """The composite device, plugged in."""
    composite.plug()
    return composite


@pytest.fixture
def keyboard(both: UsbScanner) -> UsbScanner:
    """The same, where only its keys matter."""
    return both


@pytest.fixture
def free_sockets(composite: UsbScanner) -> None:
    """Nothing is plugged in."""
    composite.unplug()


@contextmanager
def opened(driver: str = "evdev_wedge", **settings: Any) -> Iterator[Scanner]:
    """A scanner of these settings, open for the block."""
    scanner = made(driver, **settings)
    scanner.open()
    try:
        yield scanner
    finally:
        scanner.close()


def made(driver: str = "evdev_wedge", **settings: Any) -> Scanner:
    bound = settings if {"usb_id", "usb_serial"} & set(settings) else {"usb_id": "1eab:0001"}
    settings = {"name": "st10", "framing": RULES, **bound, **settings}
    return make_scanner(ScannerConfig(driver=driver, **settings))


def refusal(scanner: Scanner) -> tuple[str, str]:
    """Reason and sentence of an opening that must fail."""
    with pytest.raises(ScannerError) as caught:
        scanner.open()
    return caught.value.reason, caught.value.sentence


def next_frame(scanner: Scanner) -> ScanFrame:
    frame = scanner.read(WAIT_S)
    assert frame is not None
    return frame


def frames_until(scanner: Scanner, end: bytes) -> list[ScanFrame]:
    """The frames before the code `end`."""
    return list(takewhile(lambda one: one.raw != end, iter(lambda: next_frame(scanner), None)))


def strokes(data: bytes) -> Iterator[Key]:
    return (stroke for byte in data for stroke in STROKES[byte])


@contextmanager
def typing(scanner: UsbScanner, keys: Iterable[Key]) -> Iterator[None]:
    """Type beside the block, which ends when all is typed or the cable is out."""

    def work() -> None:
        with suppress(UnpluggedError):
            scanner.type(keys)

    typist = threading.Thread(target=work)
    typist.start()
    yield
    typist.join(WAIT_S)


@contextmanager
def program(*words: str, user: int = 0, groups: tuple[int, ...] = ()) -> Iterator[list[str]]:
    """A Python program that tells some lines and an empty one, then waits for the block to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        cwd=ROOT, user=user, group=user, extra_groups=groups,
    )  # fmt: skip
    stdout = process.stdout
    assert stdout is not None
    try:
        yield list(iter(lambda: stdout.readline().strip(), ""))
    finally:
        process.communicate("\n", timeout=WAIT_S)


# --- Reading


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_wedge_of_every_country_is_read_exactly_at_full_speed(
    keyboard: UsbScanner, layout: LayoutName
) -> None:
    """Every key of the layout, GS in the three ways of scanners, a report with every poll.

    A machine that stands still may lose keys: then it is told, and the code is scanned again.
    """
    chance = random.Random(layout)
    printable = sorted(string.digits + string.ascii_letters + string.punctuation + " ")
    missing = ["".join(printable)]
    for _ in range(CODES_PER_LAYOUT):
        length = chance.randint(1, CODE_LENGTH_MAX)
        missing.append("".join(chance.choices([*printable, "\x1d"], k=length)))
    rules = KeyRules(layout=layout, key_map={"F8": b"\x1d"})
    with opened(keys=rules) as scanner:
        for number in range(ROUNDS_MAX):
            end = f"end-{number}"
            with typing(keyboard, keys_of(layout, missing, end)):
                frames = frames_until(scanner, end.encode())
            codes = [one.raw.decode() for one in frames if one.kind == "code"]
            told = {one.reason for one in frames if one.kind != "code"}
            assert codes == [code for code in missing if code in codes], "exact, and in order"
            assert told <= {"overrun", "no_suffix"}
            assert (len(codes) < len(missing)) == (told != set()), "what is lost is told"
            missing = [code for code in missing if code not in codes]
            if not missing:
                break
    assert missing == []


def keys_of(layout: LayoutName, codes: list[str], end: str) -> list[Key]:
    """The keys of codes, each sent with GS in another way than the one before, and of the end."""
    keys: list[Key] = []
    for number, code in enumerate([*codes, end]):
        wedge = Wedge(layout, gs=("F8", "ctrl", "alt")[number % 3])
        keys += [key for character in code for key in wedge.type_one(character)]
        keys += wedge.suffix
    return keys


def test_no_key_reaches_the_console_while_the_driver_has_the_scanner(keyboard: UsbScanner) -> None:
    """Without the grab they do: what is typed before and after proves the test."""
    console = os.open("/dev/tty1", os.O_RDWR | os.O_NONBLOCK | os.O_NOCTTY)
    tty.setraw(console)
    termios.tcflush(console, termios.TCIFLUSH)
    keyboard.type(strokes(b"before\r"))
    assert from_console(console, 7) == b"before\r"
    with opened() as scanner:
        keyboard.type(strokes(b"WO-1001\r"))
        assert next_frame(scanner).raw == b"WO-1001"
    keyboard.type(strokes(b"after\r"))
    assert from_console(console, 6) == b"after\r"
    os.close(console)


def from_console(console: int, count: int) -> bytes:
    """So many bytes that somebody typed."""
    data = b""
    while len(data) < count and select.select([console], [], [], WAIT_S)[0]:
        data += os.read(console, count - len(data))
    return data


def test_a_station_that_is_busy_for_long_loses_no_key(keyboard: UsbScanner) -> None:
    """The process beside it reads on: far more than the 64 events that the kernel keeps."""
    codes = [b"wo-%04d" % number for number in range(30)]
    with opened() as scanner:
        keyboard.type(strokes(b"".join(code + b"\r" for code in codes)))
        keyboard.wait_until_taken()
        assert [next_frame(scanner).raw for _ in codes] == codes


def test_a_code_in_which_the_kernel_lost_keys_is_told_and_the_next_one_exact(
    keyboard: UsbScanner,
) -> None:
    """SYN_DROPPED of a real kernel: the reading process stands still while it overflows."""
    with opened() as scanner:
        (reader,) = readers_of(os.getpid())
        os.kill(reader, signal.SIGSTOP)
        keyboard.type(strokes(b"wo-1001-and-a-tail-longer-than-the-kernel-keeps\r"))
        keyboard.wait_until_taken()
        os.kill(reader, signal.SIGCONT)
        lost = next_frame(scanner)
        keyboard.type(strokes(b"WO-2\r"))
        following = next_frame(scanner)
    assert (lost.kind, lost.reason) == ("reject", "overrun")
    assert (following.kind, following.raw) == ("code", b"WO-2")


def test_a_serial_scanner_hears_whether_its_code_came_whole(both: UsbScanner) -> None:
    """The hand-shake on USB-CDC: ACK for a code, NAK for half a code, which it then sends again."""
    heard = b""
    with opened("serial_port", handshake="acknak", good=b"\x07") as scanner:
        both.send(b"WO-1\r")
        assert next_frame(scanner).raw == b"WO-1"
        scanner.feedback("good")
        both.send(b"WO-")
        assert next_frame(scanner).kind == "incomplete"
        both.send(b"WO-1\r")
        assert next_frame(scanner).kind == "duplicate"
        until_s = time.monotonic() + WAIT_S
        while len(heard) < 4 and time.monotonic() < until_s:
            scanner.read(0.0)
            heard += both.received()
    assert heard == b"\x06\x07\x15\x06"


def test_both_parts_of_a_composite_scanner_are_read_side_by_side(both: UsbScanner) -> None:
    with opened() as wedge, opened("serial_port") as serial:
        both.type(strokes(b"BY-KEY\r"))
        both.send(b"BY-LINE\r")
        assert (next_frame(wedge).raw, next_frame(serial).raw) == (b"BY-KEY", b"BY-LINE")


# --- Refused


def test_a_scanner_that_another_program_has_is_busy(keyboard: UsbScanner) -> None:
    with program(HOLD, keyboard.event_node()) as said:
        assert said == ["held"]
        reason, sentence = refusal(made())
    assert reason == "busy"
    assert sentence == "Scanner st10: in use by another program. End that program."


def test_a_second_driver_is_told_that_it_is_busy_until_the_first_lets_go(
    keyboard: UsbScanner,
) -> None:
    with opened():
        assert refusal(made())[0] == "busy"
    with opened() as scanner:
        keyboard.type(strokes(b"WO-1\r"))
        assert next_frame(scanner).raw == b"WO-1"


def test_a_scanner_whose_key_is_held_is_opened_when_it_is_let_go(keyboard: UsbScanner) -> None:
    keyboard.type([(30, 1)])
    reason, sentence = refusal(made())
    assert (reason, sentence) == (
        "busy", "Scanner st10: a key is held down. Let go of its trigger.",
    )  # fmt: skip
    keyboard.type([(30, 0)])
    keyboard.wait_until_taken()
    with opened() as scanner:
        keyboard.type(strokes(b"WO-1\r"))
        assert next_frame(scanner).raw == b"WO-1"


def test_who_may_not_open_it_is_denied_and_the_groups_of_the_rules_may(both: UsbScanner) -> None:
    """Never *absent*: the device is there. The groups are those that our udev rules give it."""
    let_everybody_run_python()
    drivers = {"evdev_wedge": both.event_node(), "serial_port": both.tty_node()}
    groups = tuple(Path(node).stat().st_gid for node in drivers.values())
    with program(TRY_TO_OPEN, both.usb_id, *drivers, user=NOBODY) as said:
        for line, node in zip(said, drivers.values(), strict=True):
            assert line.startswith(f"denied Scanner st10: no permission to open {node}.")
    with program(TRY_TO_OPEN, both.usb_id, *drivers, user=NOBODY, groups=groups) as said:
        assert said == ["ready", "ready"]


def let_everybody_run_python() -> None:
    """Another user must come to the interpreter: a home is closed. The machine is thrown away."""
    for executable in (Path(sys.executable), Path(sys.executable).resolve()):
        for folder in executable.parents:
            folder.chmod(folder.stat().st_mode | 0o055)


# --- Unplugged, plugged in again


def test_unplugging_in_mid_code_tells_half_a_code_and_then_gone(keyboard: UsbScanner) -> None:
    with opened() as scanner:
        half_way = threading.Event()

        def keys() -> Iterator[Key]:
            yield from strokes(b"WO-1\r" + b"7" * 100)
            half_way.set()
            yield from strokes(b"7" * 1000 + b"\r")

        with typing(keyboard, keys()):
            whole = next_frame(scanner)
            assert half_way.wait(WAIT_S)
            keyboard.unplug()
            half = next_frame(scanner)
        with pytest.raises(ScannerError) as gone:
            scanner.read(WAIT_S)
    assert (whole.kind, whole.raw) == ("code", b"WO-1")
    assert (half.kind, half.reason) == ("incomplete", "unplugged")
    assert 0 < len(half.raw) < 1100
    assert half.raw.strip(b"7") == b""
    assert (gone.value.reason, gone.value.sentence) == (
        "gone", "Scanner st10: unplugged. Check the cable.",
    )  # fmt: skip


@dataclass
class Watched:
    """A scanner under its supervisor, and what it told."""

    scanner: Scanner
    changes: list[StateChange] = field(default_factory=list)
    codes: list[bytes] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def __post_init__(self) -> None:
        self.supervisor = Supervisor(self.scanner, self._take, self._note)

    def wait_for(self, so: Callable[[], bool]) -> None:
        with self.changed:
            assert self.changed.wait_for(so, WAIT_S), self.changes

    @property
    def states(self) -> list[ScannerState]:
        return [change.state for change in self.changes]

    def _note(self, change: StateChange) -> None:
        with self.changed:
            self.changes.append(change)
            self.changed.notify_all()

    def _take(self, frame: ScanFrame) -> None:
        with self.changed:
            self.codes.append(frame.raw)
            self.changed.notify_all()


@contextmanager
def watched(driver: str, **settings: Any) -> Iterator[Watched]:
    one = Watched(made(driver, **settings))
    one.supervisor.start()
    try:
        one.wait_for(lambda: ScannerState.READY in one.states)
        yield one
    finally:
        one.supervisor.stop()


@pytest.mark.usefixtures("free_sockets")
@pytest.mark.parametrize("by", ["usb_serial", "usb_path"])
@pytest.mark.parametrize("driver", ["evdev_wedge", "serial_port"])
def test_a_scanner_that_comes_back_under_another_name_is_found_again(driver: str, by: str) -> None:
    """Another device takes its old number meanwhile, and is not read."""
    types = driver == "evdev_wedge"
    ours = UsbScanner(keyboard=types, port=not types)
    other = UsbScanner(socket=1, usb_id="0525:a4a7", serial="OTHER", keyboard=types, port=not types)
    node = UsbScanner.event_node if types else UsbScanner.tty_node
    send = (lambda device, data: device.type(strokes(data))) if types else UsbScanner.send
    try:
        ours.plug()
        mark = ours.serial if by == "usb_serial" else ours.usb_path
        bound = {"usb_id": ours.usb_id, by: mark}
        with watched(driver, **bound) as scanner:
            before = node(ours)
            ours.unplug()
            scanner.wait_for(lambda: ScannerState.ABSENT in scanner.states)
            other.plug()
            assert node(other) == before, "the kernel gives the lowest free number"
            ours.plug()
            assert node(ours) != before
            scanner.wait_for(lambda: scanner.states.count(ScannerState.READY) == 2)
            send(other, b"NOT-OURS\r")
            send(ours, b"OURS\r")
            scanner.wait_for(lambda: scanner.codes != [])
        assert scanner.codes == [b"OURS"]
        assert ScannerState.GONE in scanner.states
    finally:
        ours.close()
        other.close()


# --- Several


@pytest.mark.usefixtures("free_sockets")
def test_two_scanners_without_serial_numbers_are_told_apart_by_their_sockets() -> None:
    left, right = UsbScanner(serial=None), UsbScanner(socket=1, serial=None)
    try:
        left.plug()
        right.plug()
        reason, sentence = refusal(made())
        assert reason == "config"
        assert f"devices at {left.usb_path} and {right.usb_path} look alike" in sentence
        with (
            opened(usb_id=left.usb_id, usb_path=left.usb_path) as one,
            opened(usb_id=right.usb_id, usb_path=right.usb_path) as two,
        ):
            left.type(strokes(b"LEFT\r"))
            right.type(strokes(b"RIGHT\r"))
            assert (next_frame(one).raw, next_frame(two).raw) == (b"LEFT", b"RIGHT")
    finally:
        left.close()
        right.close()


@pytest.mark.usefixtures("free_sockets")
def test_two_scanners_that_claim_one_serial_number_are_refused() -> None:
    left, right = UsbScanner(serial="SAME"), UsbScanner(socket=1, serial="SAME")
    try:
        left.plug()
        right.plug()
        reason, sentence = refusal(made(usb_serial="SAME"))
        assert reason == "config"
        assert sentence.startswith(f"Scanner st10: devices at {left.usb_path} and {right.usb_path}")
        assert f'Add usb_path = "{left.usb_path}"' in sentence
    finally:
        left.close()
        right.close()


# --- What the system makes of it


def test_our_udev_rules_name_a_scanner_and_give_it_to_the_stations_groups(both: UsbScanner) -> None:
    keys, line = Path("/dev/scanner/1eab-HIL0001"), Path("/dev/scanner/1eab-HIL0001-serial")
    assert str(keys.resolve()) == both.event_node()
    assert str(line.resolve()) == both.tty_node()
    for node, group in ((keys, "input"), (line, "dialout")):
        status = node.stat()
        assert grp.getgrgid(status.st_gid).gr_name == group
        assert status.st_mode & 0o777 == 0o660
    udev = UdevTold()
    both.unplug()
    udev.wait_for(lambda: not (keys.is_symlink() or line.is_symlink()), "the end of the names")
    udev.close()


def test_the_list_of_scanners_tells_what_is_there_from_what_may_be_opened(
    both: UsbScanner, tmp_path: Path
) -> None:
    ours, theirs = listed(tmp_path, 0), listed(tmp_path, NOBODY)
    assert set(ours) == set(theirs) >= {both.event_node(), both.tty_node()}
    for node, group in ((both.event_node(), "input"), (both.tty_node(), "dialout")):
        mine, other = ours[node], theirs[node]
        assert (mine["state"], mine["permitted"], mine["rule"]) == ("new", True, None)
        assert (mine["usb_id"], mine["usb_serial"]) == ("1eab:0001", "HIL0001")
        assert mine["description"] == "Newland Barcode Scanner"
        assert (other["state"], other["permitted"]) == ("new", False)
        assert f"No permission to open {node} (group {group})" in other["sentence"]
        assert f'GROUP="{group}"' in other["rule"]


def listed(folder: Path, user: int) -> dict[str, dict[str, Any]]:
    """What `scanners --json` lists for a user, by its node."""
    let_everybody_run_python()
    done = subprocess.run(
        [sys.executable, "-m", "mes_terminal", "scanners", "--json"],
        stdout=subprocess.PIPE, cwd=ROOT, user=user, group=user, extra_groups=(),
        env={"HOME": "/nonexistent", "PATH": os.environ["PATH"]}, timeout=WAIT_S, check=False,
    )  # fmt: skip
    return {row["port"]: row for row in json.loads(done.stdout)}


def test_a_station_that_is_killed_takes_its_reader_with_it(keyboard: UsbScanner) -> None:
    """Else the scanner would stay grabbed."""
    station = subprocess.Popen(
        [sys.executable, "-c", TRY_TO_OPEN, keyboard.usb_id, "evdev_wedge"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    assert station.stdout is not None
    assert station.stdout.readline() == b"ready\n"
    (reader,) = readers_of(station.pid)
    ended = os.pidfd_open(reader)
    station.kill()
    station.communicate(timeout=WAIT_S)
    assert select.select([ended], [], [], WAIT_S)[0], "the reader goes on"
    os.close(ended)
    number = os.open(keyboard.event_node(), os.O_RDWR)
    fcntl.ioctl(number, EVIOCGRAB, 1)
    os.close(number)


def test_a_reader_that_dies_is_a_fault_and_another_one_is_started(keyboard: UsbScanner) -> None:
    with opened() as scanner:
        (reader,) = readers_of(os.getpid())
        os.kill(reader, signal.SIGKILL)
        with pytest.raises(ScannerError) as caught:
            scanner.read(WAIT_S)
        assert caught.value.reason == "fault"
        scanner.open()
        keyboard.type(strokes(b"WO-1\r"))
        assert next_frame(scanner).raw == b"WO-1"


def readers_of(parent: int) -> list[int]:
    """The reading processes that a process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile
            words = (folder / "cmdline").read_bytes().split(b"\0")
            _, _, rest = (folder / "stat").read_text().rpartition(") ")
            is_reader = any(word.endswith(b"key_reader.py") for word in words)
            if is_reader and int(rest.split()[1]) == parent:
                found.append(int(folder.name))
    return found


@pytest.mark.usefixtures("free_sockets")
def test_what_is_not_plugged_in_is_absent() -> None:
    assert refusal(made())[0] == "absent"

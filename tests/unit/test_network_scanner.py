"""Fixed scanners on the network: `socket://` and `rfc2217://`, against real servers."""

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import serial  # type: ignore[import-untyped]
from serial import rfc2217

from hardware.drivers.simulated import PtyLine
from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.framing import FramingRules
from hardware.reconnect import ScannerState, StateChange, Supervisor
from hardware.registry import make_scanner
from hardware.scanner import Scanner, ScannerConfig

WAIT_S = 20.0
"""Only a failing test waits so long."""
RULES = FramingRules(settle_ms=0, incomplete_ms=200)


@dataclass
class Reader:
    """A fixed scanner with a server of its own."""

    server: socket.socket
    connection: socket.socket | None = None

    @property
    def port(self) -> int:
        number: int = self.server.getsockname()[1]
        return number

    def accept(self) -> None:
        self.server.settimeout(WAIT_S)
        self.connection, _ = self.server.accept()
        self.connection.settimeout(WAIT_S)

    def send(self, data: bytes) -> None:
        assert self.connection is not None
        self.connection.sendall(data)

    def hang_up(self) -> None:
        assert self.connection is not None
        self.connection.close()


def listen(port: int = 0) -> Reader:
    return Reader(socket.create_server(("127.0.0.1", port)))


@pytest.fixture
def reader() -> Iterator[Reader]:
    made = listen()
    yield made
    made.server.close()
    if made.connection is not None:
        made.connection.close()


def scanner_at(url: str, **changes: object) -> Scanner:
    config = ScannerConfig(name="tunnel", driver="serial_port", port=url, framing=RULES, **changes)  # type: ignore[arg-type]
    return make_scanner(config)


def test_codes_halves_and_a_hang_up_of_a_network_scanner(reader: Reader) -> None:
    scanner = scanner_at(f"socket://127.0.0.1:{reader.port}", good=b"\x06")
    scanner.open()
    reader.accept()
    reader.send(b"WO-1\rWO-")
    frame = scanner.read(WAIT_S)
    assert frame is not None
    assert frame.raw == b"WO-1"
    scanner.feedback("good")
    assert scanner.read(0.0) is None
    assert reader.connection is not None
    assert reader.connection.recv(1) == b"\x06"
    reader.hang_up()
    half = scanner.read(WAIT_S)
    assert half is not None
    assert (half.kind, half.raw) == ("incomplete", b"WO-")
    with pytest.raises(ScannerError) as caught:
        scanner.read(WAIT_S)
    assert caught.value.reason == "gone"
    scanner.close()


@dataclass
class Watch:
    """What a supervisor told."""

    changes: list[StateChange] = field(default_factory=list)
    codes: list[bytes] = field(default_factory=list)
    told: threading.Condition = field(default_factory=threading.Condition)

    def note(self, change: StateChange) -> None:
        with self.told:
            self.changes.append(change)
            self.told.notify_all()

    def take(self, frame: ScanFrame) -> None:
        with self.told:
            self.codes.append(frame.raw)
            self.told.notify_all()

    def until(self, condition: str, count: int = 1) -> None:
        state = ScannerState(condition)
        with self.told:
            assert self.told.wait_for(
                lambda: sum(change.state is state for change in self.changes) >= count, WAIT_S
            ), self.changes

    def until_code(self, code: bytes) -> None:
        with self.told:
            assert self.told.wait_for(lambda: code in self.codes, WAIT_S), self.codes


def test_a_network_scanner_that_was_off_is_found_again(reader: Reader) -> None:
    watch = Watch()
    scanner = scanner_at(f"socket://127.0.0.1:{reader.port}")
    supervisor = Supervisor(scanner, watch.take, watch.note)
    supervisor.start()
    reader.accept()
    watch.until("ready")
    reader.send(b"WO-1\r")
    watch.until_code(b"WO-1")
    port = reader.port
    reader.server.close()
    reader.hang_up()
    watch.until("absent")
    assert "does not answer" in watch.changes[-1].sentence
    back = listen(port)
    back.accept()
    watch.until("ready", 2)
    back.send(b"WO-2\r")
    watch.until_code(b"WO-2")
    supervisor.stop()
    back.hang_up()
    back.server.close()
    assert watch.codes == [b"WO-1", b"WO-2"]


def test_closing_does_not_wait_for_a_scanner_that_says_nothing(reader: Reader) -> None:
    scanner = scanner_at(f"socket://127.0.0.1:{reader.port}")
    scanner.open()
    reader.accept()
    threading.Timer(0.05, scanner.close).start()
    began_s = time.monotonic()
    with pytest.raises(ScannerError) as caught:
        scanner.read(WAIT_S)
    assert caught.value.reason == "closed"
    assert time.monotonic() - began_s < WAIT_S / 4


@pytest.mark.parametrize(
    ("url", "reason", "words"),
    [
        ("socket://127.0.0.1:1", "absent", "does not answer"),
        ("socket://no-such-host.invalid:9004", "absent", "does not answer"),
        ("socket://127.0.0.1", "config", "socket://10.0.0.9:9004"),
        ("telnet://127.0.0.1:23", "config", "no address"),
    ],
)
def test_an_address_that_leads_nowhere_is_told_with_what_to_do(
    url: str, reason: str, words: str
) -> None:
    with pytest.raises(ScannerError, match=words) as caught:
        scanner_at(url).open()
    assert caught.value.reason == reason


def test_half_a_code_is_refused_with_nak_and_its_repetition_counts_once(reader: Reader) -> None:
    """V109: NAK makes the scanner send again; what had been delivered is not delivered twice."""
    scanner = scanner_at(f"socket://127.0.0.1:{reader.port}", handshake="acknak")
    scanner.open()
    reader.accept()
    reader.send(b"WO-1")
    kinds = []
    for answer, data in ((b"\x15", b"WO-1\r"), (b"\x06", b"WO-2\r"), (b"\x06", b"")):
        frame = scanner.read(WAIT_S)
        assert frame is not None
        kinds.append((frame.kind, frame.raw))
        scanner.read(0.0)
        assert reader.connection is not None
        assert reader.connection.recv(1) == answer
        reader.send(data)
    assert kinds == [("incomplete", b"WO-1"), ("code", b"WO-1"), ("code", b"WO-2")]
    scanner.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # pyserial 3.5
def test_a_scanner_behind_an_rfc2217_server_is_read(tmp_path: Path) -> None:
    """A serial scanner on a terminal server: pyserial's own server on a pseudo-terminal."""
    line = PtyLine(tmp_path / "scanner")
    far = WithoutModem(str(line.port), timeout=0.05)
    server = socket.create_server(("127.0.0.1", 0))
    stop = threading.Event()
    serving = threading.Thread(target=serve_rfc2217, args=(server, far, stop), daemon=True)
    serving.start()
    scanner = scanner_at(f"rfc2217://127.0.0.1:{server.getsockname()[1]}")
    scanner.open()
    line.send(b"WO-1001\r")
    frame = scanner.read(WAIT_S)
    assert frame is not None
    assert frame.raw == b"WO-1001"
    scanner.close()
    stop.set()
    serving.join(WAIT_S)
    server.close()
    far.close()
    line.close()


class WithoutModem(serial.Serial):  # type: ignore[misc]
    """A port of the terminal server; a pseudo-terminal has no modem lines to tell about."""

    cts = dsr = ri = cd = False

    def _update_dtr_state(self) -> None:
        """No line."""

    def _update_rts_state(self) -> None:
        """No line."""


class Connection:
    """What pyserial's `PortManager` writes to."""

    def __init__(self, line: socket.socket) -> None:
        self._line = line

    def write(self, data: bytes) -> None:
        self._line.sendall(data)


def serve_rfc2217(server: socket.socket, port: "serial.Serial", stop: threading.Event) -> None:
    """Serve one client until told to stop."""
    line, _ = server.accept()
    line.settimeout(0.02)
    manager = rfc2217.PortManager(port, Connection(line))
    while not stop.is_set():
        try:
            data = line.recv(1024)
            if not data:
                break
            port.write(b"".join(manager.filter(data)))
        except TimeoutError:
            pass
        except OSError:
            break
        read = port.read(port.in_waiting or 0)
        if read:
            line.sendall(b"".join(manager.escape(read)))
    line.close()

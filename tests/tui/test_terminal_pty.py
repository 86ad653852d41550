"""The real process on a real terminal: a wedge at full speed, a hang-up, a signal (screens 10)."""

import asyncio
import contextlib
import os
import pty
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from mes_terminal.link.protocol import Request
from mes_terminal.link.server import LinkServer
from mes_terminal.tui.gallery import outcome, station

SCREEN = (
    "import sys, pathlib; from mes_terminal.tui.app import run_screen; "
    "sys.exit(run_screen(pathlib.Path(sys.argv[1])))"
)
LIMIT_S = 30.0
"""Far more than is needed: a slow machine is no reason to fail."""
STALL_S = 0.7
"""More than the gate waits for the rest of a code."""


@dataclass
class Terminal:
    """A screen in its own process, its terminal's other end, and what the core was given."""

    process: asyncio.subprocess.Process
    master: int
    scans: list[bytes] = field(default_factory=list)
    shown: bytearray = field(default_factory=bytearray)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def until_shown(self, text: bytes) -> None:
        """Wait for the screen to write `text`."""
        async with asyncio.timeout(LIMIT_S), self.changed:
            await self.changed.wait_for(lambda: text in self.shown)

    async def until_scans(self, count: int) -> None:
        """Wait for the core to be given `count` codes."""
        async with asyncio.timeout(LIMIT_S), self.changed:
            await self.changed.wait_for(lambda: len(self.scans) >= count)

    async def write(self, data: bytes) -> None:
        """Write as fast as the terminal takes it."""
        while data:
            try:
                data = data[os.write(self.master, data) :]
            except BlockingIOError:
                await asyncio.sleep(0)


@pytest.fixture
async def terminal(tmp_path: Path) -> AsyncIterator[Terminal]:
    async with starting(tmp_path) as screen:
        await screen.until_shown(b"Ready.")
        yield screen


@contextlib.asynccontextmanager
async def starting(tmp_path: Path) -> AsyncIterator[Terminal]:
    """Start a screen before a core that answers everything with unknown."""
    scans: list[bytes] = []
    screens: list[Terminal] = []

    async def answer(request: Request) -> object:
        if request.do == "subscribe":
            return {"view": station(), "recovered": []}
        scans.append(bytes.fromhex(request.params["hex"]))
        async with screens[0].changed:
            screens[0].changed.notify_all()
        return outcome(
            "unknown", code=scans[-1].decode("utf-8", "replace"), scan_id=str(len(scans))
        )

    server = LinkServer(tmp_path / "s.sock", answer)
    await server.start()
    master, slave = pty.openpty()
    os.set_blocking(master, False)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SCREEN, str(tmp_path / "s.sock")),
        stdin=slave, stdout=slave, stderr=slave,
        start_new_session=True,
        env=os.environ | {"TERM": "linux", "COLUMNS": "80", "LINES": "24"},
    )  # fmt: skip
    os.close(slave)
    screen = Terminal(process, master, scans)
    screens.append(screen)
    reading = asyncio.create_task(_read(screen))
    try:
        yield screen
    finally:
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        with contextlib.suppress(OSError):
            os.close(master)
        await server.close()


async def _read(screen: Terminal) -> None:
    """Take what the screen writes, as a terminal does."""
    while True:
        try:
            data = os.read(screen.master, 65536)
        except BlockingIOError:
            await asyncio.sleep(0.005)
            continue
        except OSError:
            return
        screen.shown += data
        async with screen.changed:
            screen.changed.notify_all()


async def test_a_wedge_at_full_speed_loses_and_changes_no_code(terminal: Terminal) -> None:
    codes = [f"WO-{n:04d}|q[/]\u00e9 %UNDO {n * 7919}".encode() for n in range(200)]
    await terminal.write(b"".join(code + b"\r" for code in codes))
    await terminal.until_scans(len(codes))
    assert terminal.scans == codes


async def test_a_machine_that_stands_still_tears_no_code(terminal: Terminal) -> None:
    """What waits in the terminal meanwhile came without a pause, whenever it is read."""
    codes = [f"WO-{n:04d} {'x' * 1000}{n * 7919}".encode() for n in range(40)]
    writing = asyncio.create_task(terminal.write(b"".join(code + b"\r" for code in codes)))
    for count in (1, 10, 20, 30):
        await terminal.until_scans(count)
        terminal.process.send_signal(signal.SIGSTOP)
        await asyncio.sleep(STALL_S)
        terminal.process.send_signal(signal.SIGCONT)
    await writing
    await terminal.until_scans(len(codes))
    assert terminal.scans == codes


async def test_no_byte_of_a_code_kills_quits_or_is_changed(terminal: Terminal) -> None:
    """One invalid byte, DC1, Ctrl+C, escapes: each arrives and the next code is taken."""
    hostile = [
        b"A\xff\xfeB1234",
        b"AB\x11\x11\x03\x1aCD",
        b"AB\x1b[200~CD",
        b"AB\x1b[48;1;1;1;1tCD",
        b"AB\x1b[1:2;1uCD",
        b"AB\x1bOP\x1b[[BCD",
        bytes(n for n in range(1, 256) if n not in (10, 13)),
        b"x" * 4096,
    ]
    for n, code in enumerate(hostile, 1):
        await terminal.write(code + b"\r")
        await terminal.until_scans(n)
    assert terminal.scans == hostile
    await terminal.write(b"WO-1001\r")
    await terminal.until_scans(len(hostile) + 1)
    assert terminal.scans[-1] == b"WO-1001"
    assert terminal.process.returncode is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_ends_the_screen_in_order(terminal: Terminal, number: int) -> None:
    terminal.process.send_signal(number)
    async with asyncio.timeout(LIMIT_S):
        assert await terminal.process.wait() == 0


async def test_a_lost_terminal_ends_the_screen(terminal: Terminal) -> None:
    os.close(terminal.master)
    async with asyncio.timeout(LIMIT_S):
        await terminal.process.wait()


@pytest.mark.parametrize("sign", [b"\x1b[?1049h", b"\x1b[?1004l", b"LIVE"])
async def test_a_terminal_lost_while_the_screen_starts_ends_it(sign: bytes, tmp_path: Path) -> None:
    """Its end of file comes before anybody in the app listens for it."""
    async with starting(tmp_path) as screen:
        await screen.until_shown(sign)
        os.close(screen.master)
        async with asyncio.timeout(LIMIT_S):
            await screen.process.wait()


async def test_the_terminal_is_given_back(terminal: Terminal) -> None:
    terminal.process.send_signal(signal.SIGTERM)
    await terminal.until_shown(b"\x1b[?1049l")
    await terminal.until_shown(b"\x1b[?25h")

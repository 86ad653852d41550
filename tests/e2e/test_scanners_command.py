"""`scanners` and `scanners --test`, as processes, with a simulated scanner on a pseudo-terminal.

No database, no root, no core unless a test starts one.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final

import pytest

from hardware.drivers.simulated import PtyLine
from hardware.frame import ScanFrame
from hardware.recording import line_of
from hardware.sheet import GS, SHEET, SheetCode
from mes_terminal.link.blocking import Client
from mes_terminal.station.lock import find_core
from tests.e2e.station_process import PATIENCE_S, Station

SETTINGS: Final = """
[station]
mode = "test"

[scanner.st10]
driver = "serial_port"
port = "{port}"
"""


TRIES_MAX: Final = 20
"""Codes sent until one is shown: those within the settling after opening are noise."""


@pytest.fixture
def line(tmp_path: Path) -> Iterator[PtyLine]:
    made = PtyLine(tmp_path / "scanner")
    yield made
    made.close()


@pytest.fixture
def station(tmp_path: Path, line: PtyLine) -> Iterator[Station]:
    made = Station(tmp_path)
    write_settings(made, SETTINGS.format(port=line.port))
    yield made
    made.close()


def write_settings(station: Station, text: str) -> None:
    (station.folder / "config").mkdir(exist_ok=True)
    (station.folder / "config/station.toml").write_text(text)


def listed(station: Station, code: int = 0) -> dict[str, dict[str, Any]]:
    """The configured scanners by name, from `scanners --json`."""
    rows = json.loads(station.run("scanners", "--json", code=code).stdout)
    return {row["name"]: row for row in rows if row["name"]}


def heard(stream: IO[bytes], words: bytes) -> bytes:
    """The first line that holds the words; the process says it or ends."""
    for line in stream:
        if words in line:
            return line
    raise AssertionError(words)


def until_state(station: Station, *states: str) -> None:
    """Wait until the core's scanner is in one of the states."""
    holder = find_core(station.database)
    assert holder is not None
    deadline = time.monotonic() + PATIENCE_S
    with Client(holder.socket) as client:
        while (seen := client.ask("scanners", list[dict[str, Any]]))[0]["state"] not in states:
            assert time.monotonic() < deadline, seen
            time.sleep(0.02)


def test_a_scanner_that_may_be_opened_is_ready_and_makes_no_database(station: Station) -> None:
    row = listed(station)["st10"]
    assert (row["state"], row["plugged"], row["needs_attention"]) == ("ready", True, False)
    assert not station.database.exists()
    assert b"All 1 configured scanners can be opened." in station.run("scanners").stdout


def test_an_unplugged_scanner_needs_attention(station: Station, line: PtyLine) -> None:
    line.unplug()
    assert listed(station, code=1)["st10"]["state"] == "absent"
    told = station.run("scanners", code=1).stdout.decode()
    assert "Plug it in, or correct its port" in told


def test_wrong_settings_end_with_2_and_one_line(station: Station) -> None:
    write_settings(station, "[scanner.st10]\ndriver = 'serial'\n")
    done = station.run("scanners", code=2)
    assert done.stdout == b""
    assert done.stderr.count(b"\n") == 1
    assert b"scanner.st10.driver" in done.stderr


def test_a_table_without_a_driver_is_named(station: Station) -> None:
    write_settings(station, "[scanner.st10]\nport = '/dev/ttyS0'\n")
    row = listed(station, code=1)["st10"]
    assert row["state"] == "config"
    assert "serial_port" in row["sentence"]


def test_options_of_the_test_are_refused_without_it(station: Station) -> None:
    assert b"--test" in station.run("scanners", "--name", "st10", code=2).stderr


def test_metrics_are_the_text_format_of_prometheus(station: Station) -> None:
    lines = station.run("scanners", "--metrics").stdout.decode().splitlines()
    assert 'mes_terminal_scanner_ready{scanner="st10"} 1' in lines
    assert all(line.startswith(("# ", "mes_terminal_")) for line in lines)


def test_the_running_core_is_asked_for_states_and_the_last_scan(
    station: Station, line: PtyLine
) -> None:
    core = station.start_core()
    try:
        until_state(station, "ready")
        assert listed(station)["st10"]["last_scan_at"] is None
        line.send(b"\r")  # ends what the settling after opening may have swallowed
        for _ in range(TRIES_MAX):
            line.send(b"WO-1\r")
            if listed(station)["st10"]["last_scan_at"] is not None:
                break
        line.unplug()
        until_state(station, "gone", "opening", "absent")
        row = listed(station, code=1)["st10"]
        assert row["state"] in ("gone", "opening", "absent")
        assert row["last_scan_at"] is not None
    finally:
        station.run("core", "--stop")
    assert core.wait(PATIENCE_S) == 0


def test_a_scanner_that_a_core_holds_is_not_taken_from_it(station: Station) -> None:
    station.start_core()
    try:
        done = station.run("scanners", "--test", code=2)
        assert b"core --stop" in done.stderr
    finally:
        station.run("core", "--stop")


class Bench:
    """`scanners --test` as it runs, and the scanner on its cable."""

    def __init__(self, station: Station, line: PtyLine, *words: str) -> None:
        self.process = station.start("scanners", "--test", "--json", *words)
        self._line = line
        assert self.process.stderr is not None
        self._said = self.process.stderr
        heard(self._said, b"Scan the 7 codes")

    def scan(self, code: SheetCode, data: bytes) -> None:
        """Hold one code before the scanner, once the settling after opening is over."""
        self._line.send(data)
        heard(self._said, f"Code {code.number} ".encode())

    def result(self, code: int) -> dict[str, Any]:
        assert self.process.wait(PATIENCE_S) == code
        assert self.process.stdout is not None
        told: dict[str, Any] = json.loads(self.process.stdout.read())
        return told


def test_a_scanner_that_is_set_right_has_nothing_to_change(station: Station, line: PtyLine) -> None:
    bench = Bench(station, line)
    for code in SHEET:
        bench.scan(code, code.aim.encode() + code.data + b"\r")
    told = bench.result(0)
    assert told == {
        "scanner": "st10", "ready": True, "read": [1, 2, 3, 4, 5, 6, 7], "findings": [],
        "lines": [],
    }  # fmt: skip
    assert (station.folder / "setup-sheet.pdf").read_bytes().startswith(b"%PDF")


def test_what_is_proposed_makes_the_second_test_pass(station: Station, line: PtyLine) -> None:
    """The whole of the set-up: test, paste the lines, test again."""

    def sent(code: SheetCode) -> bytes:
        return b"S1:" + code.aim.encode() + code.data.replace(GS, b"<GS>") + b"\t"

    first = Bench(station, line, "--sheet", "sheet.png", "--wait", "20")
    for code in reversed(SHEET):
        first.scan(code, sent(code))
    told = first.result(1)
    assert told["ready"] is False
    assert told["lines"][0] == "[scanner.st10]"
    assert {'prefix = "S1:"', 'suffix = "\\u0009"', 'gs_token = "<GS>"'} == set(told["lines"][1:])
    assert (station.folder / "sheet.png").read_bytes().startswith(b"\x89PNG")

    added = "\n".join(told["lines"][1:])
    write_settings(station, SETTINGS.format(port=line.port) + added)
    second = Bench(station, line)
    for code in SHEET:
        second.scan(code, sent(code))
    assert second.result(0)["findings"] == []


def test_without_a_scanner_the_sheet_is_there_all_the_same(station: Station) -> None:
    write_settings(station, "")
    done = station.run("scanners", "--test", "--sheet", "out.pdf", code=1)
    assert b"nothing to test yet" in done.stderr
    assert (station.folder / "out.pdf").stat().st_size > 1000


def test_a_sheet_of_another_form_is_refused(station: Station) -> None:
    assert b".pdf or .png" in station.run("scanners", "--test", "--sheet", "x.doc", code=2).stderr


def test_nothing_scanned_ends_by_itself(station: Station) -> None:
    done = station.run("scanners", "--test", "--wait", "0.3", code=1)
    assert b"Nothing of the sheet arrived" in done.stderr


def script_of(end: str) -> str:
    """The sheet as a scanner reads it, in the language of the simulated scanner."""

    def written(code: SheetCode) -> str:
        return "".join(f"\\x{b:02x}" if b in b"\x1d#\\ " else chr(b) for b in code.data)

    return "".join(f"scan {code.aim}{written(code)}{end}\n" for code in SHEET)


@pytest.mark.parametrize(
    ("end", "exit_code", "lines"),
    [("\\x0d", 0, []), ("\\x09", 1, ["[scanner.st10]", 'suffix = "\\u0009"']),
     ("\\x0d\\x0a", 0, [])],
)  # fmt: skip
def test_reads_that_were_written_down_are_checked_without_a_scanner(
    station: Station, end: str, exit_code: int, lines: list[str]
) -> None:
    (station.folder / "reads.scan").write_text(script_of(end))
    done = station.run("scanners", "--test", "--json", "--replay", "reads.scan", code=exit_code)
    told = json.loads(done.stdout)
    assert (told["read"], told["lines"]) == ([1, 2, 3, 4, 5, 6, 7], lines)
    assert not (station.folder / "setup-sheet.pdf").exists()


def record(file: Path, *codes: bytes) -> None:
    """What a shift leaves behind: a header, and a frame a line."""
    lines = ['{"scanlog": 1}'] + [
        line_of(ScanFrame(raw=code, device="st10", at_s=number)).strip()
        for number, code in enumerate(codes)
    ]
    file.write_text("".join(f"{line}\n" for line in lines))


def test_the_sheet_is_found_in_a_recording_of_a_shift(station: Station, line: PtyLine) -> None:
    """Among more other codes than a test at the scanner would bear; prefix and suffix as set."""
    end = 'prefix = "S1:"\nsuffix = "\\t"\n'
    write_settings(station, SETTINGS.format(port=line.port) + end)
    shift = [f"WO-{number}".encode() for number in range(30)]
    sheet = [code.aim.encode() + code.data for code in SHEET]
    record(station.folder / "st10.scanlog", *shift, *sheet, *shift)
    done = station.run("scanners", "--test", "--json", "--replay", "st10.scanlog")
    told = json.loads(done.stdout)
    assert (told["read"], told["findings"]) == ([1, 2, 3, 4, 5, 6, 7], [])
    assert b"Passed over: 30 reads" in done.stderr, "those behind the sheet"

    record(station.folder / "st10.scanlog", *shift, *(c.replace(GS, b"") for c in sheet))
    done = station.run("scanners", "--test", "--json", "--replay", "st10.scanlog", code=1)
    assert [each["kind"] for each in json.loads(done.stdout)["findings"]] == ["gs_dropped"]


def test_a_recording_without_the_sheet_or_that_is_none_says_so(station: Station) -> None:
    record(station.folder / "st10.scanlog", b"WO-1")
    done = station.run("scanners", "--test", "--replay", "st10.scanlog", code=1)
    assert b"Nothing of the sheet is in the recording" in done.stderr
    (station.folder / "st10.scanlog").write_text("scan A\n")
    done = station.run("scanners", "--test", "--replay", "st10.scanlog", code=2)
    assert b"st10.scanlog:1:" in done.stderr


def test_a_script_that_is_wrong_names_its_line(station: Station) -> None:
    (station.folder / "reads.scan").write_text("scan A\nsing B\n")
    done = station.run("scanners", "--test", "--replay", "reads.scan", code=2)
    assert b"reads.scan:2:" in done.stderr

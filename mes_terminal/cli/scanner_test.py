"""`scanners --test`: writes the set-up sheet, reads it with a scanner, says what to change.

What is asked and what arrives is told on standard error, the result on standard output. The check
itself is pure (`hardware.sheet_check`).
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import click
import msgspec

from hardware.errors import ScannerError
from hardware.raw_reads import RawReads, played, raw_scanner
from hardware.recording import SUFFIX
from hardware.sheet import SHEET, Arrival, LineSettings
from hardware.sheet_check import SheetCheck, check_sheet, recognise
from mes_terminal.cli.simulate import read_script
from mes_terminal.errors import CoreError, InputError
from mes_terminal.settings import ScannerTable
from mes_terminal.tui.safe_text import safe

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mes_terminal.cli.session import Session
    from mes_terminal.printing.setup_sheet import PrintedCode

SHEET_FILE: Final = Path("setup-sheet.pdf")
FORMS: Final = (".pdf", ".png")
PNG_DPI: Final = 300
LINE_MAX_COLUMNS: Final = 400
STRAYS_MAX: Final = 20
"""Reads that are none of the sheet's codes before the test gives up."""
ATTENTION: Final = 1
NOT_ARRIVED: Final = "Nothing of the sheet arrived. Try another code, then its cable and mode."
NOT_RECORDED: Final = (
    "Nothing of the sheet is in the recording. Reads that were refused for a key are not played: "
    "test with the scanner itself."
)
MARKS: Final = {"mended": "CHANGE", "open": "DO", "note": "NOTE"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The options of the test."""

    name: str | None
    sheet: Path | None
    replay: Path | None
    wait_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The scanner to test."""

    name: str
    table: ScannerTable
    lines: tuple[str, ...] = ()
    """Of one that is not configured yet: the lines that bind it."""


def run_test(session: Session, asked: Asked) -> int:
    """Test one scanner. 0: nothing to change; 1: something is. Raises `InputError`."""
    if asked.replay is None or asked.sheet is not None:
        file = asked.sheet or SHEET_FILE
        write_sheet(file)
        _say(f"The set-up sheet is {file}. Print it on A4 at 100 %.")
    chosen = _choose(session, asked.name)
    if chosen is None and asked.replay is not None:
        chosen = Chosen(name="scanner-1", table=ScannerTable())
    if chosen is None:
        _say("No scanner is configured and none is plugged in: nothing to test yet.")
        return ATTENTION
    current = line_settings(chosen.table)
    if asked.replay is None:
        found = _sorted(_scanned(session, chosen, asked.wait_s), current)
    elif _is_recording(asked.replay):
        found = _picked(_recorded(asked.replay, chosen), current)
    else:
        found = _sorted(played(read_script(asked.replay).steps), current)
    check = check_sheet(found, current)
    if not check.read and not check.findings:
        _say(NOT_RECORDED if _is_recording(asked.replay) else NOT_ARRIVED)
        return ATTENTION
    _report(check, chosen, as_json=session.as_json)
    return 0 if check.is_ready else ATTENTION


def write_sheet(file: Path) -> None:
    """Write the set-up sheet, PDF or PNG by the file's ending. Raises `InputError`."""
    if file.suffix.lower() not in FORMS:
        raise InputError(f"{file}: write the sheet as .pdf or .png.", reason="sheet")
    from mes_terminal.printing.render import render
    from mes_terminal.printing.setup_sheet import setup_sheet

    sheets = setup_sheet(printed_codes())
    form: Literal["pdf", "png"] = "pdf" if file.suffix.lower() == ".pdf" else "png"
    (content,) = render(sheets, form, dpi=PNG_DPI)
    try:
        file.write_bytes(content)
    except OSError as error:
        raise InputError(
            f"{file}: cannot be written ({error.strerror}).", reason="sheet"
        ) from error


def printed_codes() -> list[PrintedCode]:
    """The codes of the sheet as the printer of the page wants them."""
    from mes_terminal.printing.setup_sheet import PrintedCode

    return [
        PrintedCode(
            number=code.number,
            title=code.title,
            symbol=code.symbol,
            text=code.data.decode(),
            elements=code.elements,
            shows=code.shows,
        )
        for code in SHEET
    ]


def line_settings(table: ScannerTable) -> LineSettings:
    """The keys of a scanner's table that the sheet can judge."""
    return LineSettings(
        **{name: getattr(table, name) for name in LineSettings.__dataclass_fields__}
    )


def _choose(session: Session, name: str | None) -> Chosen | None:
    """The scanner named, else the only one configured, else the only new one plugged in.

    Raises `InputError` if the choice is open.
    """
    tables = {name: table for name, table in session.settings.scanner.items() if table.driver}
    if name is not None and name not in tables:
        known = ", ".join(tables) or "none"
        raise InputError(f"There is no scanner {name!r}. Configured: {known}.", reason="name")
    if name is None and len(tables) > 1:
        raise InputError(f"Which scanner? Add --name: {', '.join(tables)}.", reason="name")
    if tables:
        name = name or next(iter(tables))
        return Chosen(name=name, table=tables[name])
    from mes_terminal.cli.scanners import look

    new = [row for row in look(session) if row.state == "new"]
    if len(new) > 1:
        sentence = "Several scanners are plugged in. Unplug all but one, or configure them first."
        raise InputError(sentence, reason="name")
    for row in new:
        for new_name, raw in tomllib.loads("\n".join(row.lines))["scanner"].items():
            table = msgspec.convert(raw, ScannerTable)
            return Chosen(name=new_name, table=table, lines=row.lines)
    return None


def _scanned(session: Session, chosen: Chosen, wait_s: float) -> Iterator[Arrival]:
    """The reads of the scanner itself, until nothing comes for `wait_s`."""
    from mes_terminal.station.lock import find_core
    from mes_terminal.station.scanners import config_of

    holder = find_core(session.database_path)
    if holder is not None:
        raise CoreError(
            f"The station's core (process {holder.pid}) holds its scanners. Stop it for the test: "
            "mes-terminal core --stop.",
            reason="held",
        )
    reads = RawReads(raw_scanner(config_of(chosen.name, chosen.table)))
    try:
        reads.open()
        who = f"Scan the {len(SHEET)} codes of the sheet with {chosen.name}"
        _say(f"{who}, in any order. Ctrl-C ends.")
        while (arrival := reads.next(wait_s)) is not None:
            yield arrival
        _say(f"Nothing more came for {wait_s:g} s.")
    except ScannerError as error:
        raise InputError(error.sentence, reason=error.reason) from error
    except KeyboardInterrupt:
        _say("Ended.")
    finally:
        reads.close()


def _is_recording(file: Path | None) -> bool:
    return file is not None and file.suffix == SUFFIX


def _recorded(file: Path, chosen: Chosen) -> Iterator[Arrival]:
    """The reads of a recording as its scanner sent them. Raises `InputError`."""
    from hardware.recorded_reads import recorded
    from mes_terminal.station.scanners import config_of

    return recorded(read_script(file).steps, config_of(chosen.name, chosen.table))


def _picked(arrivals: Iterator[Arrival], current: LineSettings) -> dict[int, Arrival]:
    """The sheet's codes among the reads of a shift: the last read of each, sought from the end."""
    found: dict[int, Arrival] = {}
    strays = 0
    for arrival in reversed(list(arrivals)):
        number = recognise(arrival, current)
        if number is None:
            strays += 1
        else:
            found.setdefault(number, arrival)
        if len(found) == len(SHEET):
            break
    if strays:
        _say(f"Passed over: {strays} reads that are none of the sheet's codes.")
    return found


def _sorted(arrivals: Iterator[Arrival], current: LineSettings) -> dict[int, Arrival]:
    """The reads by the code they are of, until every code was there; told as they come.

    If nothing at all is recognised, the reads are taken in the order of the sheet: then a wrong
    baud rate or parity is what the check will say.
    """
    titles = {code.number: code.title for code in SHEET}
    found: dict[int, Arrival] = {}
    strays: list[Arrival] = []
    for arrival in arrivals:
        number = recognise(arrival, current)
        if number is None:
            strays.append(arrival)
            _say("Something came that is none of the sheet's codes.")
        else:
            found[number] = arrival
            _say(f"Code {number} ({titles[number]}) arrived.")
        left = [code.number for code in SHEET if code.number not in found]
        if not left or len(strays) >= STRAYS_MAX:
            break
        _say(f"Next: code {left[0]} ({titles[left[0]]}).")
    return found or dict(zip(titles, strays, strict=False))


def _report(check: SheetCheck, chosen: Chosen, *, as_json: bool) -> None:
    changes = check.lines(chosen.name)
    lines = [*(chosen.lines or changes[:1]), *changes[1:]]
    if as_json:
        click.echo(msgspec.json.encode(_described(check, chosen.name, lines)))
        return
    for finding in check.findings:
        click.echo(f"{MARKS[finding.weight]:<6} {safe(finding.sentence, LINE_MAX_COLUMNS)}")
    left = [str(code.number) for code in SHEET if code.number not in check.read]
    if left:
        click.echo(f"Not read: code {', '.join(left)}.")
    if check.is_ready:
        click.echo(f"Scanner {chosen.name}: nothing to change.")
    if lines:
        click.echo("Put these lines into the settings, then test again:")
        for line in lines:
            click.echo("    " + safe(line, LINE_MAX_COLUMNS))


def _described(check: SheetCheck, name: str, lines: list[str]) -> dict[str, Any]:
    """What `--json` prints; the keys are stable."""
    return {
        "scanner": name,
        "ready": check.is_ready,
        "read": list(check.read),
        "findings": [
            {"kind": each.kind, "weight": each.weight, "sentence": each.sentence}
            for each in check.findings
        ],
        "lines": lines,
    }


def _say(sentence: str) -> None:
    click.echo(safe(sentence, LINE_MAX_COLUMNS), err=True)

"""`simulate`: plays a scenario or a recording on the simulated scanner, against the station.

The reads go through the framing and the double-read filter of a real scanner; each scan is
journalled and answered as one given to `scan`. What is no scan (a read that lacks its end, a cable
that is out) is told on standard error.
"""

import time
from collections.abc import Callable
from pathlib import Path

import click

from hardware.errors import ScannerError
from hardware.frame import ScanFrame
from hardware.player import replay
from hardware.recording import SUFFIX, script_of
from hardware.script import Script, Wait, parse
from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.scan import ATTENTION_OUTCOMES, outcome_line
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.errors import InputError
from mes_terminal.tui.safe_text import safe

SCRIPT_MAX_BYTES = 16 * 1024 * 1024
"""A larger scenario is not written by hand; it is refused before it is read."""

LINE_MAX_COLUMNS = 400
DEVICE = "simulated"
"""The driver of the simulated scanner, and its name in the journal."""

NOT_SCANS = {
    "duplicate": "read again at once: not counted",
    "incomplete": "its end never came: not counted",
    "noread": "the scanner saw nothing",
}
"""What is said of a frame that is no scan."""


@click.command()
@click.argument("file", type=click.Path(path_type=Path), metavar="FILE")
@click.option(
    "--speed",
    type=click.FloatRange(min=0.0, min_open=True),
    help="Take the script's pauses in real time, so many times faster. Default: no waiting.",
)
@pass_session
def simulate(session: Session, file: Path, speed: float | None) -> int:
    """Play the scenario or .scanlog FILE on the simulated scanner; one outcome a line.

    Ends with 1 if any scan was rejected, unknown or needs something, as `scan` does.

    \b
    Examples:
      mes-terminal simulate config/scenarios/good-shift.scan
      mes-terminal simulate --json --speed 10 config/scenarios/bad-shift.scan
    """
    script = read_script(file)
    _refuse_beside_real_ones(session)
    attention = False
    with session.desk() as desk:

        def deliver(frame: ScanFrame) -> None:
            nonlocal attention
            outcome = desk.scan(frame.raw, badge=None, at=None, device=DEVICE)
            attention |= outcome.outcome in ATTENTION_OUTCOMES
            click.echo(json_line(outcome) if session.as_json else outcome_line(outcome))

        play(script, deliver, _tell, speed=speed)
    return int(attention)


def _refuse_beside_real_ones(session: Session) -> None:
    settings = session.settings
    real = [name for name, table in settings.scanner.items() if table.driver not in (None, DEVICE)]
    if real and settings.station.mode != "test" and not session.on_training_copy:
        raise InputError(
            f"This live station has a scanner ({real[0]}), and a simulated one would book beside "
            'it. Use a station with mode = "test".',
            reason="simulated",
        )


def read_script(file: Path) -> Script:
    """Read a scenario. Raises `InputError` with `file:line: sentence`, a line each fault."""
    try:
        if file.stat().st_size > SCRIPT_MAX_BYTES:
            raise InputError(f"{file}: larger than {SCRIPT_MAX_BYTES} bytes. Split it.")
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{file}: not UTF-8. Save it as UTF-8.") from error
    except OSError as error:
        raise InputError(f"{file}: {error.strerror}. Name a scenario file.") from error
    read = script_of if file.suffix == SUFFIX else parse
    script = read(text, str(file))
    if script.faults:
        raise InputError("\n".join(map(str, script.faults)))
    return script


def play(
    script: Script,
    deliver: Callable[[ScanFrame], None],
    aside: Callable[[ScanFrame | ScannerError], None],
    *,
    speed: float | None = None,
) -> None:
    """Play a script in process: `deliver` gets every scan, `aside` everything else.

    `speed` takes the script's own pauses in real time, divided by it; None takes none.
    """
    for came in replay(script.steps):
        if isinstance(came, Wait):
            if speed is not None and came.scalable:
                time.sleep(came.wait_ms / 1000 / speed)
        elif isinstance(came, ScanFrame) and came.is_scan:
            deliver(came)
        else:
            aside(came)


def _tell(came: ScanFrame | ScannerError) -> None:
    """What is no scan, on standard error."""
    if isinstance(came, ScannerError):
        click.echo(came.sentence, err=True)
        return
    code = safe(came.raw.decode("utf-8", "replace"), LINE_MAX_COLUMNS)
    click.echo(f"{came.kind}: {code}: {NOT_SCANS.get(came.kind, came.kind)}", err=True)

"""`scanners`: what is plugged in, configured and permitted, and the set-up test. Thin.

Works without database, core and rights. A running core is asked for the states of its scanners;
without one the table is what the kernel knows (`hardware.discovery`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

from hardware.discovery import Live, Row, survey, verdict
from mes_terminal.cli.session import Session, pass_session, print_json_array
from mes_terminal.cli.table import render_table
from mes_terminal.errors import CoreError, InputError
from mes_terminal.tui.safe_text import safe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hardware.scanner import ScannerConfig
    from mes_terminal.link.blocking import Client

COLUMNS: Final = (
    "name", "state", "driver", "port", "usb_id", "usb_serial", "usb_path", "last_scan_at", "counts",
)  # fmt: skip
SENTENCE_MAX_COLUMNS: Final = 300
RULES_FILE: Final = "/etc/udev/rules.d/71-scanner.rules"
ATTENTION: Final = 1


@click.command()
@click.option("--test", is_flag=True, help="Print the set-up sheet, read it, say what to change.")
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --test: where the sheet goes (.pdf or .png; default: setup-sheet.pdf).",
)
@click.option("--name", metavar="NAME", help="With --test: which scanner, if there are several.")
@click.option(
    "--replay",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="With --test: take the reads from a script or a .scanlog instead of a scanner.",
)
@click.option(
    "--wait",
    "wait_s",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="With --test: how long to wait for the next code.",
)
@click.option("--metrics", is_flag=True, help="Print counts and states for a monitoring system.")
@pass_session
def scanners(
    session: Session,
    *,
    test: bool,
    sheet: Path | None,
    name: str | None,
    replay: Path | None,
    wait_s: float,
    metrics: bool,
) -> int:
    """Show what is plugged in, configured and permitted; test a scanner.

    Ends with 1 if a configured scanner is absent, denied or otherwise not ready, or if the test
    found something to change.

    \b
    Examples:
      mes-terminal scanners
      mes-terminal scanners --json
      mes-terminal scanners --test --name st02-hand --sheet setup-sheet.pdf
    """
    if not test and (sheet or name or replay):
        raise InputError("--sheet, --name and --replay belong to --test. Add it.", reason="option")
    if test:
        from mes_terminal.cli.scanner_test import Asked, run_test

        return run_test(session, Asked(name=name, sheet=sheet, replay=replay, wait_s=wait_s))
    rows = look(session)
    if metrics:
        for line in metric_lines(rows):
            click.echo(line)
    elif session.as_json:
        print_json_array(msgspec.json.encode(described(row)) for row in rows)
    else:
        _show(rows)
    return ATTENTION if any(row.needs_attention for row in rows) else 0


def look(session: Session) -> tuple[Row, ...]:
    """Every scanner of the settings and everything that is plugged in, as it is now."""
    return survey(configs_of(session), _live(session))


def configs_of(session: Session) -> list[ScannerConfig]:
    """The scanners of the settings, in their order. Raises `InputError`."""
    from mes_terminal.station.scanners import config_of

    return [config_of(name, table) for name, table in session.settings.scanner.items()]


def described(row: Row) -> dict[str, Any]:
    """What `--json` prints of one row; the keys are stable."""
    found = {name: getattr(row, name) for name in Row.__dataclass_fields__}
    return {**found, "lines": list(row.lines), "needs_attention": row.needs_attention}


def metric_lines(rows: Iterable[Row]) -> Iterator[str]:
    """The configured scanners in the text format of Prometheus."""
    configured = [row for row in rows if row.name is not None]
    yield "# HELP mes_terminal_scanner_ready Whether the scanner can be read."
    yield "# TYPE mes_terminal_scanner_ready gauge"
    for row in configured:
        label = _label(row.name)
        yield f"mes_terminal_scanner_ready{{scanner={label}}} {int(row.state == 'ready')}"
    kinds = sorted({kind for row in configured for kind in row.counts or {}})
    if kinds:
        yield "# HELP mes_terminal_scanner_frames_total Reads by kind since the core started."
        yield "# TYPE mes_terminal_scanner_frames_total counter"
    for row in configured:
        for kind, count in sorted((row.counts or {}).items()):
            labels = f"scanner={_label(row.name)},kind={_label(kind)}"
            yield f"mes_terminal_scanner_frames_total{{{labels}}} {count}"


def _label(text: str | None) -> str:
    escaped = (text or "").replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
    return f'"{escaped}"'


def _live(session: Session) -> dict[str, Live] | None:
    """What the running core says of its scanners; None if none runs."""
    from mes_terminal.link.blocking import Client
    from mes_terminal.station.lock import find_core

    holder = find_core(session.database_path)
    if holder is None:
        return None
    try:
        with Client(holder.socket) as client:
            told = _told(client)
    except CoreError:
        return None  # it ended between the two questions
    return {str(each["name"]): _live_of(each) for each in told}


def _told(client: Client) -> list[dict[str, Any]]:
    """The scanners as the core tells them; a core that has no such request shows them as screens
    see them, without counts."""
    try:
        return client.ask("scanners", list[dict[str, Any]])
    except InputError as error:
        if error.reason != "protocol":
            raise
    seen: list[dict[str, Any]] = client.ask("view", dict[str, Any])["scanners"]
    return seen


def _live_of(told: dict[str, Any]) -> Live:
    return Live(
        state=told["state"],
        sentence=told.get("sentence", ""),
        last_scan_at=told.get("last_scan_at"),
        counts=told.get("counts"),
    )


def _show(rows: tuple[Row, ...]) -> None:
    """The table, then what each row needs, then the verdict."""
    if rows:
        for line in render_table(_cells(rows), COLUMNS):
            click.echo(line)
        click.echo()
    for row in rows:
        for line in advice(row):
            click.echo(line)
    click.echo(verdict(rows))


def _cells(rows: tuple[Row, ...]) -> Iterator[bytes]:
    for row in rows:
        yield msgspec.json.encode({**described(row), "port": row.link or row.port})


def advice(row: Row) -> Iterator[str]:
    """What is to be done about one row, with what to paste; nothing if nothing is."""
    if not (row.needs_attention or row.lines or row.rule):
        return
    words = " ".join(word for word in (row.description, row.usb_id) if word)
    who = row.name or words or row.port or ""
    yield safe(f"{who}: {row.sentence}", SENTENCE_MAX_COLUMNS)
    for line in row.lines:
        yield "    " + safe(line, SENTENCE_MAX_COLUMNS)
    if row.rule is not None:
        yield f"  udev rule, for {RULES_FILE}:"
        yield "    " + safe(row.rule, SENTENCE_MAX_COLUMNS)
    yield ""

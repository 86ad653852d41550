"""`scan`: the headless station. One code in, one outcome out, written when it is durable."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Final

import click

from mes_terminal.cli.json_line import json_line
from mes_terminal.cli.session import Session, pass_session
from mes_terminal.domain.scan import CODE_MAX_BYTES
from mes_terminal.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from mes_terminal.domain.outcome import Outcome

ATTENTION_OUTCOMES: Final = frozenset({"rejected", "unknown", "needs"})
"""Outcomes that make the command end with 1."""
LINE_MAX_BYTES: Final = 2 * CODE_MAX_BYTES + 2
"""The part of an input line that is kept; in hexadecimal a code takes twice its bytes."""
CONTROLS: Final = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
SYMBOLS: Final = {
    "completed": "OK",
    "recorded": "OK",
    "already_done": "CHECK",
    "needs": "DO",
    "unknown": "STOP",
    "rejected": "STOP",
}


@click.command(
    epilog="Examples: mes-terminal scan WO-1001 · printf 'WO-1001\\n' | mes-terminal scan - --json"
)
@click.argument("codes", nargs=-1, metavar="[CODE…|-]")
@click.option("--hex", "is_hex", is_flag=True, help="Codes are raw bytes as hexadecimal.")
@click.option("--as", "badge", metavar="BADGE", help="Who scans, for these scans only.")
@click.option("--at", metavar="TIME", help="When it happened: in test mode, or a late entry.")
@pass_session
def scan(
    session: Session, codes: tuple[str, ...], is_hex: bool, badge: str | None, at: str | None
) -> int:
    """Scan codes: arguments, or one a line on standard input."""
    raws = _from_input(is_hex) if codes in ((), ("-",)) else _from_arguments(codes, is_hex)
    attention = False
    with session.desk() as desk:
        for raw in raws:
            outcome = desk.scan(raw, badge=badge, at=at)
            attention |= outcome.outcome in ATTENTION_OUTCOMES
            _print(outcome, as_json=session.as_json)
    return int(attention)


def _from_arguments(codes: tuple[str, ...], is_hex: bool) -> Iterator[bytes]:
    """The codes of the command line, all read before the first is scanned."""
    raws = [_from_hex(code) if is_hex else os.fsencode(code) for code in codes]
    return iter([raw for raw in raws if raw])


def _from_input(is_hex: bool) -> Iterator[bytes]:
    for line in _lines(sys.stdin.buffer):
        code = line.strip(b"\r\n")
        raw = _from_hex(code.decode("ascii", errors="replace")) if is_hex else code
        if raw:
            yield raw


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield lines; of an endless one only its beginning is kept."""
    while line := stream.readline(LINE_MAX_BYTES):
        yield line
        while line and not line.endswith(b"\n"):
            line = stream.readline(LINE_MAX_BYTES)


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError as error:
        raise InputError(
            f"{text[:40]!r} is no hexadecimal text. Write two digits a byte: 574f.", reason="hex"
        ) from error


def _print(outcome: Outcome, *, as_json: bool) -> None:
    line = json_line(outcome) if as_json else outcome_line(outcome).encode()
    sys.stdout.buffer.write(line + b"\n")
    sys.stdout.buffer.flush()


def outcome_line(outcome: Outcome) -> str:
    """Return an outcome as one line for a person; nothing scanned reaches the terminal raw."""
    hint = f" {outcome.hint}." if outcome.hint else ""
    end = "" if outcome.message.endswith((".", "?", "!")) else "."
    word = SYMBOLS[outcome.outcome]
    if outcome.outcome == "completed" and outcome.exceptions:
        word = "CHECK"
    return safe_code(f"{word:<5} {outcome.message}{end}{hint}")


def safe_code(text: str) -> str:
    """Return text with every control character spelt out."""
    return text.translate(CONTROLS)

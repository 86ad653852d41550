"""How a command gets a PIN: from the terminal without echo, else a line of standard input."""

from __future__ import annotations

import sys
from typing import Final

import click

from mes_terminal.errors import InputError

LINE_MAX: Final = 64
"""Longer than any PIN: an endless line is not read to its end."""


def ask_pin(badge: str, *, what: str = "PIN") -> str:
    """Return the PIN of a badge: typed unseen, else the next line of standard input."""
    if sys.stdin.isatty():
        typed: str = click.prompt(f"{what} of {badge}", hide_input=True, err=True)
        return typed
    return _line()


def ask_new_pin(badge: str) -> str:
    """Return a new PIN, given twice; on standard input the second time may be left out.

    Raises `InputError` where the two are not the same.
    """
    first = ask_pin(badge, what="New PIN")
    again = ask_pin(badge, what="Again, the new PIN") if sys.stdin.isatty() else _line() or first
    if again != first:
        raise InputError("The two PINs are not the same. Nothing was done.")
    return first


def _line() -> str:
    return sys.stdin.readline(LINE_MAX).strip("\r\n")

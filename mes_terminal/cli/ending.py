"""Ending in order: what a command started ends with it, whoever ends the command.

For commands that start processes of their own and keep nothing, such as `demo`.
"""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import FrameType

ENDINGS: Final = (signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
"""A lost terminal, an order, and Ctrl+C."""


def end_in_order() -> None:
    """Let each of `ENDINGS` leave by `SystemExit`, so that every `finally` runs; once: those that
    follow are ignored, so that nothing cuts the tidying short.

    A screen takes the handlers away when it ends; call this again after it.
    """
    for number in ENDINGS:
        signal.signal(number, _leave)


def _leave(number: int, _frame: FrameType | None) -> None:
    for each in ENDINGS:
        signal.signal(each, signal.SIG_IGN)
    raise SystemExit(128 + number)

"""The one place that reads the clock and makes ids, and where a time that is given becomes one."""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from mes_terminal.domain.instants import format_instant, parse_instant
from mes_terminal.errors import InputError
from mes_terminal.exchange.cells import FIRST_YEAR, LAST_YEAR

_COUNTER_BITS = 12
_RANDOM_BITS = 62


def utc_now() -> str:
    """Return the clock's reading as an instant."""
    return format_instant(datetime.now(UTC))


def given_instant(text: str, zone: ZoneInfo) -> str:
    """Return a time that a person gave as an instant; without an offset it is in `zone`.

    Raises `InputError` for a text that is none, or so far off that no day can be reckoned from it.
    """
    with suppress(ValueError, OverflowError):
        instant = parse_instant(text, zone)
        if FIRST_YEAR <= instant[:4] <= LAST_YEAR:
            return instant
    raise InputError(f"{text[:40]!r} is no time. Write it like 2026-11-20T13:05:00.", reason="time")


class IdMaker:
    """Makes UUIDv7 texts that only ever grow, whatever the clock does (RFC 9562, 6.2 method 1).

    48 bits of milliseconds, a 12-bit counter within one, 62 random bits. Not shared by threads.
    """

    def __init__(
        self,
        milliseconds: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        random_bits: Callable[[int], int] = secrets.randbits,
    ) -> None:
        self._milliseconds = milliseconds
        self._random_bits = random_bits
        self._last = -1
        self._counter = 0

    def __call__(self) -> str:
        """Return the next id."""
        now = self._milliseconds()
        if now > self._last:
            self._last = now
            self._counter = self._random_bits(_COUNTER_BITS - 1)  # room to count up
        else:
            self._counter += 1
            if self._counter >> _COUNTER_BITS:
                self._last += 1
                self._counter = 0
        value = self._last << 80 | 0x7 << 76 | self._counter << 64
        value |= 0b10 << 62 | self._random_bits(_RANDOM_BITS)
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

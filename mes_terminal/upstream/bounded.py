"""What is asked of a connector takes bounded time and fails in one way: no fault of one connector
ends the relay, and nothing waits long for what will not end. Called by `relay`."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, TypeVar

from mes_terminal.errors import StationError, TransportError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

T = TypeVar("T")

CALL_MAX_S: Final = 120.0
"""A call that takes longer is given up: every connector has shorter time-outs of its own."""
CLOSE_MAX_S: Final = 2.0
"""How long a connector may take to close, or a call to end that was cancelled; then it is left."""


async def within(question: Callable[[], Awaitable[T]]) -> T:
    """Await a connector. Raises `StationError` for whatever goes wrong in it."""
    try:
        async with asyncio.timeout(CALL_MAX_S):
            return await question()
    except TimeoutError as error:
        raise TransportError("The receiver did not answer. Postings wait.") from error
    except StationError:
        raise
    except Exception as error:
        sentence = f"This is a fault of the connector: {error!r}. Postings wait."
        raise TransportError(sentence, reason="fault") from error


async def give_up(tasks: set[asyncio.Task[None]], *, after_s: float = 0.0) -> None:
    """Cancel what has not ended `after_s` from now; what does not end then is left to itself."""
    if after_s:
        _, tasks = await asyncio.wait(tasks, timeout=after_s)
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=CLOSE_MAX_S)

"""One call after a time, for apps and widgets.

Textual's own timer for one call (`set_timer`, 8.2.8) counts the calls whose time is over as made:
where the machine holds the program up just as the timer begins, it never calls. Here a call that is
late is made late.
"""

import asyncio
from collections.abc import Callable

from textual.message_pump import MessagePump


def later(pump: MessagePump, seconds: float, call: Callable[[], object]) -> asyncio.TimerHandle:
    """Let `pump` call once, `seconds` from now, in its turn among its messages.

    Cancel the handle to prevent it, up to the very call; a pump that has ended calls nothing. Needs
    the running loop.
    """

    def call_unless_cancelled() -> None:
        if not handle.cancelled():
            call()

    handle = asyncio.get_running_loop().call_later(seconds, pump.call_later, call_unless_cancelled)
    return handle

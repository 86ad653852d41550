"""The supervisor's morning of a running core: the queue on the store thread, the rest by reading.

The pre-flight of the queue gives way to scans: it is broken off when one waits, and begun anew. At
last it is made in spite of them, so that a line that never rests is answered too.
"""

from __future__ import annotations

from asyncio import shield, wrap_future
from typing import TYPE_CHECKING, Final

import msgspec

from mes_terminal.station.clock import utc_now
from mes_terminal.usecases.morning import morning_of
from mes_terminal.usecases.rehearse_queue import rehearse_queue

if TYPE_CHECKING:
    from mes_terminal.domain.morning import Morning, Queue
    from mes_terminal.station.booking import Booking
    from mes_terminal.station.core import Core

GIVES_WAY_MAX: Final = 10
"""So often the pre-flight begins anew because a scan waited."""


async def tell_morning(core: Core) -> Morning:
    """Return what the supervisor sees now."""
    queue = await _queue(core)
    rules, now = core.rules, utc_now()
    reading = core.reading.do(lambda database: morning_of(database, queue, rules, now=now))
    told = await shield(wrap_future(reading))
    watch = msgspec.structs.replace(
        told.watch,
        scanners_not_ready=[
            each for each in core.scanners.views() if each.state not in ("ready", "opening")
        ],
    )
    return msgspec.structs.replace(told, watch=watch)


async def _queue(core: Core) -> Queue:
    worker, rules = core.worker, core.rules

    def giving_way(booking: Booking) -> Queue | None:
        return rehearse_queue(
            booking.db, rules, now=utc_now(), may_go_on=lambda: not worker.anything_waits
        )

    for _ in range(GIVES_WAY_MAX):
        queue = await shield(wrap_future(worker.do(giving_way)))
        if queue is not None:
            return queue
    whole = worker.do(lambda booking: rehearse_queue(booking.db, rules, now=utc_now()))
    queue = await shield(wrap_future(whole))
    assert queue is not None
    return queue

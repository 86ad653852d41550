"""The road upstream of a core: connector, relay, what comes down, and how all of it stands.

It begins when the core is ready, and is never in the way of scanning: a connector that cannot be
made is told as one sentence, and everything else goes on. The relay runs on the core's event loop;
it writes through the store thread, between scans, and reads on a thread of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec import Struct

from mes_terminal import logs
from mes_terminal.domain.view import UpstreamView
from mes_terminal.errors import CoreError, InputError, StationError, TransportError
from mes_terminal.station.inbound import DownDesk
from mes_terminal.station.outbox_door import OutboxDoor, guarded
from mes_terminal.station.reading import Reading
from mes_terminal.store.events import source_of
from mes_terminal.upstream.bounded import CLOSE_MAX_S
from mes_terminal.upstream.connector import Inbound, StationIdentity
from mes_terminal.upstream.connectors import connector_of
from mes_terminal.upstream.inbound import InboundLoop
from mes_terminal.upstream.relay import STOP_WAIT_S, Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable
    from pathlib import Path

    from mes_terminal.settings import Settings
    from mes_terminal.station.booking import Booking
    from mes_terminal.station.worker import Worker
    from mes_terminal.store.database import Database
    from mes_terminal.upstream.connector import Connector

    T = TypeVar("T")

SYNC_MAX_S: Final = 60.0
"""How long `sync` goes on without anything being delivered: the longest pause after a fault."""
TURN_S: Final = 1.0
"""How often `sync` tells how far it is."""
RESTS: Final = 9
"""While somebody scans, the relay rests so many times as long as each piece of its work took: a
tenth of the store thread at most is its own."""
SCANNING_S: Final = 5.0
"""So long after a scan somebody scans."""
SOON_S: Final = 1.0
"""How long a posting may wait at a station whose scanner never rests."""
REST_MAX_S: Final = 0.25
STOPS: Final = "The station stops."


class Synced(Struct, frozen=True, kw_only=True):
    """How far a `sync` is, or how it ended."""

    delivered: int
    """By this `sync`."""
    waiting: int
    refused: int
    parked: int
    receiver: str | None
    last_error: str | None


class Upstream:
    """The road of one core. `start` and `stop` once, from the event loop; `wake` from any thread;
    `settled` on the store thread."""

    def __init__(
        self,
        database: Path,
        settings: Settings,
        worker: Worker,
        *,
        changed: Callable[[], None],
        loading: asyncio.Lock,
        make: Callable[[Settings, Path], Connector] | None = None,
    ) -> None:
        """`changed` is called when the screens should be told; `loading` is had by one load at a
        time; `make` makes the connector, on a thread of its own."""
        self._make = make or make_connector
        self._database = database
        self._settings = settings
        self._rules = settings.rules()
        self._worker = worker
        self._changed = changed
        self._loading = loading
        self._loop = asyncio.get_running_loop()
        self._reading = Reading(database, name="relay")
        self._door = OutboxDoor(
            self._do, self._read, self._rules, keep_days=settings.upstream.keep_days
        )
        self._trouble: str | None = None
        self._begun = asyncio.Event()
        """The connector is made, or will not be."""
        self._made: Connector | None = None
        self._relay: Relay | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._woken = False
        self._woken_s = self._scanned_s = time.monotonic()
        self._changes_seen = 0

    def start(self) -> None:
        """Begin to deliver."""
        running = asyncio.create_task(self._run())
        running.add_done_callback(self._ended)
        self._tasks.append(running)

    async def stop(self) -> None:
        """Let the calls on their way end, for a moment, and close the connector."""
        for task in self._tasks[1:]:
            task.cancel()
        if self._relay is not None:
            self._relay.stop()
            await asyncio.wait(self._tasks, timeout=STOP_WAIT_S + CLOSE_MAX_S)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._reading.stop)

    def wake(self, *, released: bool = False) -> None:
        """Something was queued. From any thread."""
        if self._woken and not released:
            return
        self._woken = True
        self._woken_s = time.monotonic()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._wake, released)

    def heard(self) -> None:
        """A scan was handled, and others may wait: `settled` wakes the relay a moment after them,
        so that nothing stands between a scan and its outcome, but within a second."""
        self._scanned_s = now_s = time.monotonic()
        if now_s - self._woken_s > SOON_S:
            self.wake()

    def settled(self, booking: Booking) -> None:
        """The store thread rests; wake the relay if others than it wrote."""
        changes = booking.db.conn.total_changes
        if changes != self._changes_seen:
            self._changes_seen = changes
            self.wake()

    def view(self, view: UpstreamView | None) -> UpstreamView:
        """Return how it stands, with what the database knows of it (`view`)."""
        known = view if view is not None else UpstreamView()
        settings = self._settings
        trouble, receiver, behind_s = self._trouble, known.receiver, None
        state: Any = "starting" if trouble is None else "wrong"
        if self._relay is not None:
            now = self._relay.state
            trouble, behind_s = now.last_error, now.behind_s
            receiver = now.receiver or receiver
            if now.online is not None:
                state = "online" if now.online else "wrong" if now.is_wrong else "offline"
        return msgspec.structs.replace(
            known,
            kind=settings.upstream.kind,
            state=state,
            receiver=receiver,
            trouble=trouble,
            behind_s=behind_s,
            warn_after_h=settings.alarms.posting_age_h,
        )

    async def sync(self, *, once: bool) -> AsyncIterator[Synced]:
        """Deliver now, and tell how far it is. Raises `InputError` for wrong settings."""
        await self._begun.wait()
        if self._relay is None:
            raise InputError(self._trouble or STOPS, reason="settings")
        async for told in synced(self._relay, self._door, once=once):
            yield told

    async def connector(self) -> Connector:
        """Return the connector, for questions, as soon as it is made. Raises `TransportError`."""
        await self._begun.wait()
        if self._made is None:
            raise TransportError(self._trouble or STOPS, reason="settings")
        return self._made

    async def _run(self) -> None:
        try:
            connector = await asyncio.to_thread(self._make, self._settings, self._database)
            await asyncio.to_thread(self._reading.start)
        except StationError as error:
            self._trouble = error.sentence
            logs.say(f"Nothing is delivered upstream: {error.sentence}")
            self._changed()
            return
        self._made = connector
        self._relay = Relay(connector, self._door, told=self._told)
        self._begun.set()
        if isinstance(connector, Inbound):
            coming_down = asyncio.create_task(self._inbound(connector).run())
            coming_down.add_done_callback(self._inbound_ended)
            self._tasks.append(coming_down)
        await self._relay.run()

    def _ended(self, running: asyncio.Task[None]) -> None:
        """Tell of a fault of ours, which ends the relay and nothing else."""
        self._begun.set()
        error = None if running.cancelled() else running.exception()
        if error is not None:
            self._relay = None
            self._trouble = f"The relay ended by a fault of the program: {error!r}. Start it anew."
            logs.say(self._trouble)
            self._changed()

    def _inbound_ended(self, coming_down: asyncio.Task[None]) -> None:
        """Tell of a fault of ours, which ends what comes down and nothing else."""
        error = None if coming_down.cancelled() else coming_down.exception()
        if error is not None:
            logs.say(f"Nothing comes down any more: a fault of the program: {error!r}. Start anew.")

    def _inbound(self, connector: Inbound) -> InboundLoop:
        rules = self._rules
        source = source_of(rules.site, rules.station)
        desk = DownDesk(self._database, rules, self._do_any, self._loading, source)
        return InboundLoop(connector, desk, chance=random.random, clock=time.monotonic)

    def _told(self) -> None:
        assert self._relay is not None
        state = self._relay.state
        logs.write("upstream.state", online=state.online, receiver=state.receiver)
        self._changed()

    def _wake(self, released: bool) -> None:
        self._woken = False
        if self._relay is not None:
            self._relay.wake(released=released)

    async def _do(self, work: Callable[[Booking], T]) -> T:
        """Do the relay's work on the store thread; it does not wake the relay."""

        def own(booking: Booking) -> tuple[T, float]:
            self.settled(booking)  # what others wrote before
            try:
                return _timed(lambda: work(booking))
            finally:
                self._changes_seen = booking.db.conn.total_changes
                booking.count_work()

        return await self._rested(self._do_any(own))

    async def _do_any(self, work: Callable[[Booking], T]) -> T:
        return await asyncio.shield(asyncio.wrap_future(self._worker.do(work)))

    async def _read(self, work: Callable[[Database], T]) -> T:
        return await self._rested(
            asyncio.shield(
                asyncio.wrap_future(self._reading.do(lambda db: _timed(lambda: work(db))))
            )
        )

    async def _rested(self, timed: Awaitable[tuple[T, float]]) -> T:
        """Give way to scans after a piece of work, however much waits: they share the store thread,
        the disk and the interpreter."""
        result, took_s = await timed
        if time.monotonic() - self._scanned_s < SCANNING_S:
            await asyncio.sleep(min(REST_MAX_S, took_s * RESTS))
        return result


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Do a piece of work; return what it returned, and how long it took."""
    began_s = time.monotonic()
    return work(), time.monotonic() - began_s


def make_connector(settings: Settings, database: Path) -> Connector:
    """Return the connector of a station. Raises `InputError`."""
    station = settings.station
    identity = StationIdentity(
        source=source_of(station.site, station.id),
        site=station.site,
        station=station.id,
        database=database,
    )
    return connector_of(settings.upstream, identity)


async def synced(relay: Relay, door: OutboxDoor, *, once: bool) -> AsyncIterator[Synced]:
    """Hurry a relay, and tell how far it is until nothing waits that could be sent.

    It ends before that with the first fault where `once` is asked for, else when nothing was
    delivered for `SYNC_MAX_S`.
    """
    before, faults = relay.delivered, relay.faults
    delivered, progress_s = 0, time.monotonic()
    relay.hurry()
    while True:
        await relay.turned(TURN_S)
        if relay.is_stopping:
            return
        if relay.delivered - before != delivered:
            delivered, progress_s = relay.delivered - before, time.monotonic()
        ends = (
            relay.is_drained
            or (once and relay.faults > faults)
            or time.monotonic() - progress_s > SYNC_MAX_S
        )
        waiting, refused, parked = await door.counts()
        state = relay.state
        yield Synced(
            delivered=delivered,
            waiting=waiting,
            refused=refused,
            parked=parked,
            receiver=state.receiver,
            last_error=state.last_error,
        )
        if ends:
            return


async def sync_here(
    booking: Booking,
    settings: Settings,
    *,
    once: bool,
    tell: Callable[[Synced], None],
) -> Synced:
    """Deliver now, as the core for the moment; return how it ended. Raises `InputError`."""

    async def do(work: Callable[[Booking], T]) -> T:
        return guarded(lambda: work(booking))

    async def read(work: Callable[[Database], T]) -> T:
        return guarded(lambda: work(booking.db))

    connector = make_connector(settings, booking.db.path)
    door = OutboxDoor(do, read, booking.rules, keep_days=settings.upstream.keep_days)
    relay = Relay(connector, door)
    running = asyncio.create_task(relay.run())
    last: Synced | None = None
    try:
        async for last in synced(relay, door, once=once):
            tell(last)
    finally:
        relay.stop()
        await running
    if last is None:
        raise CoreError("The relay ended before it began.", reason="stopping")
    return last

"""The running core: socket, scanners, store thread, reading thread, and their end.

`run_core` returns when the core was told to stop (SIGTERM, SIGINT, `core --stop`, or the last
screen of a core that a screen started). The scan at hand is finished first; what is journalled and
not yet handled is booked at the next start.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING

import msgspec

from mes_terminal import logs
from mes_terminal.barcodes import gs1 as _gs1  # noqa: F401  now, not at the first GS1 scan
from mes_terminal.errors import CoreError
from mes_terminal.link.places import socket_path
from mes_terminal.link.server import LinkServer
from mes_terminal.station import lock, notify
from mes_terminal.station.answers import Answers
from mes_terminal.station.backups import NightlyBackup
from mes_terminal.station.booking import recovered_sentence
from mes_terminal.station.clock import utc_now
from mes_terminal.station.disk import DiskGuard, watch_disk
from mes_terminal.station.label_printer import label_printer_of
from mes_terminal.station.reading import Reading
from mes_terminal.station.scanners import Scanners
from mes_terminal.station.schedule import DailyReport
from mes_terminal.station.site_exceptions import all_stations_of
from mes_terminal.station.training import for_training, require_kind, training_settings
from mes_terminal.station.upstream import Upstream
from mes_terminal.station.worker import Worker
from mes_terminal.usecases.station_view import station_view

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future
    from pathlib import Path

    from hardware.frame import ScanFrame
    from mes_terminal.domain.outcome import Outcome
    from mes_terminal.domain.scan import Scan, ScanRequest
    from mes_terminal.domain.view import StationView
    from mes_terminal.settings import Settings
    from mes_terminal.station.booking import Booking

READER_TURN_S = 0.0005
"""How long the store thread may keep a reader from its turn (Python's own: ten times as long)."""
LOCK_WAIT_S = 5.0
"""How long a starting core waits for a command that is the core for a moment."""
CODES_SHOWN_MAX = 20
"""Waiting codes told to the screens; it shows fewer."""
CODE_SHOWN_BYTES = 80
VIEW_EVERY_S = 30.0
"""The view is made anew so often even when nothing happens: time changes it too."""


class Core:
    """Everything that runs while the station runs. Made, run once, gone."""

    def __init__(
        self,
        database: Path,
        settings: Settings,
        *,
        for_screen: bool = False,
        training: bool = False,
    ) -> None:
        self.database = database
        self.settings = settings = training_settings(settings) if training else settings
        self.training = training
        self.rules = settings.rules()
        self.for_screen = for_screen
        self.recovered: list[Outcome] = []
        self.view: StationView | None = None
        self.stopping = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self._death: BaseException | None = None
        self.disk = DiskGuard(database, settings.alarms, makes_reserve=True)
        self.worker = Worker(
            database,
            self.rules,
            heard=self._hear,
            waiting=self._queue_changed,
            settled=self._make_view,
            died=self._die,
            rested=self._wake_relay,
            refused=self._hear_refused,
            disk=self.disk,
        )
        self.reading = Reading(database)
        self.scanners = Scanners(
            settings,
            scanned=self._take_frame,
            ignored=self._tell_frame,
            changed=self._scanner_changed,
        )
        self.labels = label_printer_of(settings, self.reading, self.worker, self._scanner_changed)
        self.reports = DailyReport(database, settings, self.rules, self.reading)
        self.backups = NightlyBackup(
            database, settings, self.rules.zone, changed=self._view_changed
        )
        self.loading = asyncio.Lock()
        self.upstream = None if training else self._make_upstream()
        self.all_stations = all_stations_of(self.upstream, self.reading, self.rules)
        self.server = LinkServer(socket_path(database), Answers(self).answer)

    async def run(self, held: lock.Lock) -> None:
        """Run until told to stop. Raises what ended the store thread, if something did."""
        self.worker.start()
        try:
            self.recovered = await asyncio.wrap_future(self.worker.ready)
            for outcome in self.recovered:
                logs.say(recovered_sentence(outcome))
            self.reading.start()
            await self.server.start()
            held.announce(self.server.path)
            self.scanners.start()
            if self.labels is not None:
                self.labels.start()
            if self.upstream is not None:
                self.upstream.start()
            notify.notify("READY=1\nSTATUS=Scanning")
            logs.write("core.ready", database=self.database, socket=self.server.path)
            ticks = [
                asyncio.create_task(each)
                for each in (
                    self._tick(),
                    self.reports.run(),
                    self.backups.run(),
                    watch_disk(self.disk, self._view_changed),
                )
            ]
            await self.stopping.wait()
            for each in ticks:
                each.cancel()
        finally:
            await self._shut()
        if self._death is not None:
            raise self._death

    def stop(self) -> None:
        """Begin to stop. From the event loop."""
        self.stopping.set()

    def submit(self, prepare: Callable[[Booking], ScanRequest]) -> Future[Outcome]:
        """Queue a scan, from any thread."""
        return self.worker.scan(prepare)

    def _make_upstream(self) -> Upstream:
        return Upstream(
            self.database,
            self.settings,
            self.worker,
            changed=self._view_changed,
            loading=self.loading,
        )

    async def _shut(self) -> None:
        notify.notify("STOPPING=1")
        logs.write("core.stopping")
        self.server.push("stopping", None)
        await asyncio.to_thread(self.scanners.stop)
        if self.all_stations is not None:
            await self.all_stations.stop()
        if self.upstream is not None:
            await self.upstream.stop()
        if self.labels is not None:
            await asyncio.to_thread(self.labels.stop)
        if self.worker.is_alive():
            self.worker.stop()
            await asyncio.to_thread(self._join_worker)
        await self.server.close()
        logs.write("core.stopped")

    def _join_worker(self) -> None:
        self.reading.stop()  # closed before the writer, which then takes the log away
        self.worker.join()

    async def _tick(self) -> None:
        """Say that the core is alive, sign out who is idle, refresh the view; all of it through the
        store thread."""
        interval_s = min(notify.watchdog_interval_s() or VIEW_EVERY_S, VIEW_EVERY_S)
        while True:
            await asyncio.sleep(interval_s)
            with contextlib.suppress(CoreError):
                await asyncio.wrap_future(self.worker.do(self._rest))
                notify.notify("WATCHDOG=1")

    # What follows runs on the store thread or a scanner's; it hands over to the event loop.

    def _take_frame(self, frame: ScanFrame) -> None:
        try:
            self.submit(
                lambda booking: booking.request_for(
                    frame.raw, device=frame.device, fault=frame.reason, fault_key=frame.key
                )
            )
        except CoreError as error:
            logs.write("scan.refused", device=frame.device, reason=error.reason)
            self._push("refused", {"device": frame.device, "sentence": error.sentence})

    def _tell_frame(self, frame: ScanFrame) -> None:
        """Tell the screens of a frame that is no scan: nothing is lost without a word."""
        self._push(
            "frame",
            {
                "device": frame.device,
                "kind": frame.kind,
                "code": frame.raw[:CODE_SHOWN_BYTES].decode("utf-8", "replace"),
                "hint": frame.hint,
            },
        )

    def _view_changed(self) -> None:
        with contextlib.suppress(CoreError):
            self.worker.do(lambda _: None)  # the view is made when it has been done

    def _scanner_changed(self) -> None:
        with contextlib.suppress(CoreError):
            self.worker.do(self.scanners.watch)  # the view is made when it has been done

    def _hear(self, scan: Scan, outcome: Outcome) -> None:
        self.scanners.tell(scan.device, outcome)
        if self.upstream is not None:
            self.upstream.heard()
        if self.labels is not None and outcome.outcome == "completed":
            self.labels.wake()
        self._push("outcome", outcome)

    def _hear_refused(self, device: str, outcome: Outcome) -> None:
        self.scanners.tell(device, outcome)
        self._push("outcome", outcome)

    def _queue_changed(self, raws: list[bytes]) -> None:
        codes = [raw[:80].decode("utf-8", errors="replace") for raw in raws[:CODES_SHOWN_MAX]]
        self._push("scans_waiting", {"waiting": len(raws), "codes": codes})

    def _rest(self, booking: Booking) -> None:
        booking.rest()
        self.scanners.watch(booking)

    def _wake_relay(self, booking: Booking) -> None:
        if self.upstream is not None:
            self.upstream.settled(booking)

    def _make_view(self, booking: Booking) -> None:
        if not self.server.subscribers:
            return
        view = self.current_view(booking)
        if view != self.view:
            self.view = view
            self._push("view", view)

    def current_view(self, booking: Booking) -> StationView:
        """Return what the screen shows between scans. On the store thread."""
        view = station_view(booking.db, self.rules, now=utc_now())
        trouble = self.labels.trouble if self.labels is not None else None
        view = msgspec.structs.replace(
            view,
            scanners=self.scanners.views(),
            printer_trouble=trouble,
            backup_trouble=self.backups.trouble,
            disk=self.disk.view(),
        )
        if self.upstream is not None:
            view = msgspec.structs.replace(view, upstream=self.upstream.view(view.upstream))
        return for_training(view) if self.training else view

    def _push(self, kind: str, data: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self.server.push, kind, data)

    def _die(self, error: BaseException) -> None:
        self._death = error
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.stop)


def run_core(
    database: Path, settings: Settings, *, for_screen: bool = False, training: bool = False
) -> None:
    """Be the core until told to stop. Raises `CoreError` if another process holds the database,
    `InputError` for a training copy that is opened as the station, or the other way."""
    require_kind(database, training=training)
    sys.setswitchinterval(READER_TURN_S)
    with lock.held(database, wait_s=LOCK_WAIT_S) as held:
        core = partial(Core, database, settings, for_screen=for_screen, training=training)
        asyncio.run(_run(core, held))


async def _run(make_core: Callable[[], Core], held: lock.Lock) -> None:
    core = make_core()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, core.stop)
    if core.for_screen:
        loop.add_signal_handler(signal.SIGHUP, lambda: logs.write("core.terminal_lost"))
    await core.run(held)

"""The store thread: the one writer of a running core.

Scans come from every scanner, screen and command into one bounded queue; all that wait are
journalled in one commit, then handled in order. Other work that needs the writing connection
(load, pre-flight, the view) takes its turn in the same queue.
"""

from __future__ import annotations

import queue
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final, TypeVar

from mes_terminal import logs
from mes_terminal.errors import CoreError, StationError
from mes_terminal.station.booking import Booking, collect_only_between_scans
from mes_terminal.store.database import SqliteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from mes_terminal.domain.outcome import Outcome
    from mes_terminal.domain.rules import StationRules
    from mes_terminal.domain.scan import Scan, ScanRequest
    from mes_terminal.station.disk import DiskGuard

T = TypeVar("T")

JOBS_WAITING_MAX: Final = 5000
"""Scans ahead of the station by many minutes of scanning; more is a fault, and is refused."""
BATCH_MAX: Final = 64
"""Scans journalled in one commit at most, so that the first answer does not wait for long."""
REST_S: Final = 0.01
"""A moment: by then whoever waited for the last outcome has it and is through with it."""
IDLE_S: Final = 1.0
"""After so long without a scan the log is moved into the database."""


@dataclass(frozen=True, slots=True)
class ScanJob:
    """A scan to journal and handle; `prepare` may still refuse it."""

    prepare: Callable[[Booking], ScanRequest]
    answer: Future[Outcome]
    since_s: float


@dataclass(frozen=True, slots=True)
class WorkJob:
    """Anything else on the writing connection."""

    work: Callable[[Booking], Any]
    answer: Future[Any]


Job = ScanJob | WorkJob


class Worker(threading.Thread):
    """The thread. `heard` is told, on this thread, each outcome and how many scans wait; `refused`
    the answer to a scan that the disk had no room for, and the scan's device. `settled` is called
    when nothing waits any more, `rested` a moment later, if still nothing does: for what would be
    in the way of whoever waits for an outcome."""

    def __init__(
        self,
        database: Path,
        rules: StationRules,
        *,
        heard: Callable[[Scan, Outcome], None],
        waiting: Callable[[list[bytes]], None],
        settled: Callable[[Booking], None],
        died: Callable[[BaseException], None],
        rested: Callable[[Booking], None] = lambda _: None,
        refused: Callable[[str, Outcome], None] = lambda _device, _outcome: None,
        disk: DiskGuard | None = None,
    ) -> None:
        super().__init__(name="store")
        self._database = database
        self._rules = rules
        self._heard = heard
        self._waiting = waiting
        self._settled = settled
        self._rested = rested
        self._died = died
        self._refused = refused
        self._disk = disk
        self._jobs: queue.Queue[Job] = queue.Queue(JOBS_WAITING_MAX)
        self._stopping = threading.Event()
        self.ready: Future[list[Outcome]] = Future()
        """The scans recovered at the start, once the database is open and they are handled."""

    def scan(self, prepare: Callable[[Booking], ScanRequest]) -> Future[Outcome]:
        """Queue a scan. Raises `CoreError` if the queue is full or the core stops."""
        job = ScanJob(prepare, Future(), time.monotonic())
        self._put(job)
        return job.answer

    def do(self, work: Callable[[Booking], T]) -> Future[T]:
        """Queue other work on the writing connection."""
        answer: Future[T] = Future()
        self._put(WorkJob(work, answer))
        return answer

    @property
    def anything_waits(self) -> bool:
        """Whether a scan, or other work, waits for its turn."""
        return not self._jobs.empty()

    def stop(self) -> None:
        """Finish the scan at hand, then end; what waits stays in the journal."""
        self._stopping.set()
        self._jobs.put(WorkJob(lambda _: None, Future()))

    def run(self) -> None:
        """Open the database, recover, and work until stopped."""
        try:
            booking = Booking(self._database, self._rules, self._disk)
            if booking.moved is not None:
                logs.say(booking.moved)
            collect_only_between_scans()
        except BaseException as error:  # noqa: BLE001  told to the thread that waits for it
            self.ready.set_exception(error)
            return
        try:
            self.ready.set_result(list(booking.recover()))
            self._loop(booking)
        except BaseException as error:  # noqa: BLE001  a dead writer must end the core
            if not self.ready.done():
                self.ready.set_exception(error)
            self._died(error)
        finally:
            self._stopping.set()
            self._refuse_rest()
            booking.close()

    def _put(self, job: Job) -> None:
        if self._stopping.is_set():
            raise _stopping_error()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            raise CoreError(
                "NOT RECORDED: the station is too far behind. Wait, then scan again.",
                reason="overrun",
            ) from None

    def _loop(self, booking: Booking) -> None:
        has_rested = True
        while not self._stopping.is_set():
            jobs = self._take(IDLE_S if has_rested else REST_S)
            if not jobs and not has_rested:
                has_rested = True
                self._work(booking, [WorkJob(self._rested, Future())])
                continue
            if not jobs:
                booking.tidy(idle=True)
                continue
            has_rested = False
            for is_scan, group in groupby(jobs, key=lambda job: isinstance(job, ScanJob)):
                if is_scan:
                    self._book(booking, list(group))  # type: ignore[arg-type]
                else:
                    self._work(booking, group)  # type: ignore[arg-type]
                    self._heal(booking)
            if self._jobs.empty():
                booking.tidy(idle=False)
                self._work(booking, [WorkJob(self._settled, Future())])

    def _take(self, silence_s: float) -> list[Job]:
        """Return every waiting job, at most a batch; none after so long a silence."""
        try:
            jobs = [self._jobs.get(timeout=silence_s)]
        except queue.Empty:
            return []
        while len(jobs) < BATCH_MAX:
            try:
                jobs.append(self._jobs.get_nowait())
            except queue.Empty:
                break
        return jobs

    def _book(self, booking: Booking, jobs: list[ScanJob]) -> None:
        taken = [(job, request) for job in jobs if (request := _prepare(booking, job))]
        if not taken:
            return
        if booking.disk_stops:
            self._refuse(taken, booking.no_room)
            return
        try:
            scans = booking.journal([request for _, request in taken])
        except SqliteError as error:
            self._refuse(taken, partial(booking.not_journalled, error=error))
            return
        for position, ((job, _), scan) in enumerate(zip(taken, scans, strict=True)):
            if len(scans) > 1:  # drawing the one at hand would delay its outcome
                self._waiting([later.raw for later in scans[position + 1 :]])
            try:
                self._handle(booking, job, scan)
                self._heal(booking)
            except BaseException:
                for later, _ in taken[position:]:
                    if not later.answer.done():
                        later.answer.set_exception(_journalled_error())
                raise

    def _refuse(
        self,
        taken: list[tuple[ScanJob, ScanRequest]],
        answer_to: Callable[[ScanRequest], Outcome],
    ) -> None:
        for job, request in taken:
            outcome = answer_to(request)
            self._refused(request.device, outcome)
            job.answer.set_result(outcome)

    def _handle(self, booking: Booking, job: ScanJob, scan: Scan) -> None:
        if self._stopping.is_set():
            job.answer.set_exception(_journalled_error())
            return
        outcome = booking.handle(scan, job.since_s)
        self._heard(scan, outcome)
        job.answer.set_result(outcome)

    def _heal(self, booking: Booking) -> None:
        """Post what became possible (BF-22), after what was just answered and before the next.

        All of it, so that the same scans lead to the same ledger however fast they come.
        """
        while booking.heal() and not self._stopping.is_set():
            pass

    def _work(self, booking: Booking, jobs: Iterable[WorkJob]) -> None:
        for job in jobs:
            try:
                job.answer.set_result(job.work(booking))
            except Exception as error:  # noqa: BLE001  the run loop: told to whoever asked
                job.answer.set_exception(told(error))

    def _refuse_rest(self) -> None:
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            job.answer.set_exception(_stopping_error())


def _prepare(booking: Booking, job: ScanJob) -> ScanRequest | None:
    try:
        return job.prepare(booking)
    except StationError as error:
        job.answer.set_exception(error)
        return None


def _stopping_error() -> CoreError:
    return CoreError(
        "NOT RECORDED: the station stops. Scan again when it is back.", reason="stopping"
    )


def told(error: Exception) -> StationError:
    """Return an error as a client may see it; a fault of ours is logged first."""
    if isinstance(error, StationError):
        return error
    logs.write("work.failed", error=repr(error))
    return StationError(
        f"This is a fault of the program: {error!r}. Look at the core's log.", reason="fault"
    )


def _journalled_error() -> CoreError:
    return CoreError(
        "The station stops. The scan is in the journal and is booked at the next start: do not "
        "scan it again.",
        reason="stopping",
    )
